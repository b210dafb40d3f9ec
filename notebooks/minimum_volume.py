# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does minimum volume replace pure pixels?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = "0-1"  # those that count
scene = "lagoon"  # stands in for the scenes of the questions; empty leaves them
compute = True  # make the runs that are in no store
iterations = 0  # of training; 0: as many as the profile has
filters = 0  # of the networks; 0: as many as the profile has
noise_levels = "20,30,40,50"  # in dB, of the pictures and tables

# %% tags=["hide-input"]
from functools import partial

import numpy as np
import pandas as pd

from hsu_lib import claims, scenes
from hsu_lib.claims.questions import vocabulary
from hsu_lib.publishing import figures, pages, scores, tutorial
from hsu_lib.publishing.tutorial import ANGLES, EQUAL, LIMIT, ORACLE, SEVEN
from hsu_lib.scene import SceneSpec
from hsu_lib.words import value_of

CLAIMS = [
    "tutorial-geometric-extraction-needs-pure-pixels",
    "tutorial-misicnet-best-sim1-rmse",
    "tutorial-misicnet-best-sim2-rmse",
    "tutorial-misicnet-best-sim2-sad",
    "tutorial-misicnet-improves-with-snr",
    "tutorial-misicnet-smallest-spread",
    "tutorial-nmf-qmv-close-on-sim1",
    "tutorial-nmf-qmv-angle-grows-with-snr",
    "tutorial-undip-beats-fclsu-on-simulations",
    "tutorial-conmf-parameter-hard",
    "tutorial-subspace-helps",
]
RMSE, SAD = "rmse-abundances", "sad-endmembers"
LINES = (EQUAL, ORACLE, LIMIT)
#: A claim whose UnDIP is narrower, which is shown where that of the tables was not run.
NARROW = "tutorial-undip-beats-fclsu-on-simulations"
PLACES = ("sim1", "sim2")
#: Image and score to the tutorial's table of them, and the claim whose runs are shown.
TABLES = {
    ("sim1", RMSE): ("Table II", CLAIMS[1]),
    ("sim2", RMSE): ("Table III", CLAIMS[2]),
    ("sim2", SAD): ("SAD (Simulated 2), unnumbered", CLAIMS[3]),
}
COLUMNS = {RMSE: SEVEN, SAD: ANGLES}

page = pages.Page("minimum_volume", profile, iterations=iterations, filters=filters)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
answers, where = asked.answers, {place: scene or place for place in PLACES}
levels = value_of(noise_levels, tuple[float, ...], "noise_levels")
of_places = {place: dict(vocabulary().places(place)[0].settings) for place in PLACES}
lines = {
    (place, level): page.beside(
        [EQUAL, ORACLE, LIMIT], SceneSpec(where[place], snr_db=level), seeds=seeds, **of_places[place]
    )
    for place in PLACES
    for level in levels
}


def ours(place, level, label, score=RMSE):
    """A score by seed; None where it was not run."""
    spec = str(SceneSpec(where[place], snr_db=level))
    if label not in COLUMNS[score]:
        return lines[place, level].scores(spec, label, score)
    found = (asked.scores(claim, spec, label, score) for claim in (TABLES[place, score][1], NARROW))
    return next((values for values in found if values is not None), None)


def told(place, level, label, score=RMSE):
    """Its mean over the seeds, in words."""
    return tutorial.told(ours(place, level, label, score), score)


def row(place, level, label, score=RMSE):
    """Where the tutorial prints a figure."""
    table, method = TABLES[place, score][0], COLUMNS[score].get(label, label)
    return {"table": table, "dataset": place, "method": method, "condition": f"snr={level:g}"}


MIDDLE = 40.0 if 40.0 in levels else levels[-1]
both = {
    label: " and ".join(dict.fromkeys(told(place, MIDDLE, label) for place in PLACES))
    for label in (*SEVEN, *LINES)
}
theirs = [(p, claims.find_reported("tutorial", **row(p, MIDDLE, label))) for p in PLACES for label in SEVEN]
pairs = [(ours(p, MIDDLE, LIMIT), ours(p, MIDDLE, "VCA + FCLSU")) for p in PLACES]
left = [np.mean(mine) / np.mean(picked) for mine, picked in pairs if picked is not None]
shares = " and ".join(f"{100 * part:.0f} %" for part in left)
answered = f"**A penalty for the volume leaves {shares} of the error of picked pixels.**" if left else ""
larger = sum(x is not None and x > 100 * np.mean(ours(p, MIDDLE, EQUAL)) for p, x in theirs)
page.opening(
    tutorial.stands_in(scene)
    + "Where no pixel is pure, endmembers that are picked from the pixels must be wrong. *Minimum volume* "
    "looks for the smallest simplex that holds the pixels instead; the tutorial compares seven methods on "
    f"two simulated images. {answered} RMSE of the abundances at {MIDDLE:g} dB: MiSiCNet, a network with "
    f"such a penalty, {both['MiSiCNet']}; the same penalty without a network {both[LIMIT]}; pixels picked by "
    f"VCA {both['VCA + FCLSU']}. **Who answers equal shares everywhere is {both[EQUAL]} off**: of the "
    f"{len(theirs)} errors that the tutorial prints at that level, {larger} are larger. "
    + pages.waiting(answers.values(), earlier=False)
    + tutorial.narrowed(page.amounts.for_claim(CLAIMS[0]), MiSiCNet="misicnet")
    + tutorial.narrowed(page.amounts.for_claim(NARROW), UnDIP="undip"),
    answers.values(),
)

# %% [markdown]
# ## Claim by claim

# %% tags=["remove-input"]
for claim in CLAIMS:
    page.judge(claim, asked)

# %% tags=["remove-cell", "nbval-check-output"]
for claim, answer in answers.items():
    print(f"{claim:48} {answer.word}")

# %% [markdown]
# ## The tables, run again
#
# The last rows are in no table of the tutorial. *Equal abundances* is the answer of somebody who has not
# looked; *true endmembers + FCLSU* is what least squares, pixel by pixel, makes of the truth.

# %% tags=["remove-input"]
for name in dict.fromkeys(where.values()):
    share = page.fact(name, lambda name=name: tutorial.equal_shares(scenes.load(name).A), needs=[name])
    if share is not None:
        page.text(
            f"*{name}*: {scenes.describe(name).summary} **{100 * share:.0f} % of its pixels hold all "
            "materials in equal shares.**"
        )

for place, score in TABLES:
    rows = {
        label: {
            f"{level:g} dB": tutorial.cell(
                ours(place, level, label, score), score, **row(place, level, label, score)
            )
            for level in levels
        }
        for label in (*COLUMNS[score], LIMIT, EQUAL, ORACLE)
    }
    page.table(
        pd.DataFrame(rows).T.rename_axis("method"),
        caption=f"{scores.title(score)} on {where[place]}: mean ± standard deviation over seeds {seeds}, and "
        "ten more where a claim was looked at twice; in brackets what the tutorial prints. MiSiCNet's "
        "weight, with and without a network: "
        f"{of_places[place]['center_weight']:g}.",
    )

# %% tags=["hide-input"]
shown = ("VCA + FCLSU", "NMF-QMV", "MiSiCNet", LIMIT, EQUAL, ORACLE)
by_level = {(p, label): [ours(p, level, label) for level in levels] for p in PLACES for label in shown}
curves = {
    p: {label: [x if x is None else 100 * x for x in by_level[p, label]] for label in shown} for p in PLACES
}
page.figure(
    "levels",
    lambda: figures.dose_panels(
        levels,
        curves,
        {place: f"{where[place]}: RMSE of A (%)" for place in PLACES},
        xlabel="SNR (dB)",
        logarithmic=True,
    ),
    alt="RMSE of the abundances over the SNR, a panel per image. "
    + " ".join(
        f"{label} at {MIDDLE:g} dB: {told('sim1', MIDDLE, label)} and {told('sim2', MIDDLE, label)}."
        for label in shown
    ),
    caption=f"RMSE of the abundances; dots are seeds ({seeds}), lines their means.",
)

# %% [markdown]
# ## Why VCA + FCLSU gets worse on the second image as the noise gets weaker
#
# VCA reduces the image in one of two ways: to principal components where it sees an SNR below
# $15 + 10 \log_{10} p$ dB, 22.8 dB for $p = 6$ endmembers, else onto a plane, which divides each pixel by its
# brightness. Here both are tried at every level; *uniform draws* are the random directions of the public
# codes, where the paper draws from a normal.

# %% tags=["remove-input"]
BRANCHES = ("VCA + FCLSU", "VCA + FCLSU, uniform draws", "VCA + FCLSU, principal", "VCA + FCLSU, projective")
branches = {
    level: page.beside(BRANCHES, SceneSpec(where["sim2"], snr_db=level), seeds=seeds) for level in levels
}
rows = {
    f"{level:g} dB": {
        label: scores.spread(RMSE, found.scores(str(SceneSpec(where["sim2"], snr_db=level)), label, RMSE))
        for label in BRANCHES
    }
    for level, found in branches.items()
}
page.table(
    pd.DataFrame(rows).rename_axis("projection"),
    caption=f"RMSE of the abundances on {where['sim2']} by VCA's projection, mean ± standard deviation "
    f"over seeds {seeds}.",
)

# %% [markdown]
# ## Which endmember is which?
#
# An angle needs to know which estimate stands for which material, and public codes do not agree on that. Ours
# is the one order with the least sum of angles. The scripts of UnDIP and MiSiCNet take for each material the
# nearest estimate, even if it stands for another one already; the code of NMF-QMV pairs the closest first.
# Here endmembers of the same runs are scored by all three.

# %% tags=["remove-input"]


def by_rule(label, level):
    """Mean angle of each run by rule."""
    found = page.beside([label], SceneSpec(where["sim2"], snr_db=level), seeds=seeds)
    return tutorial.angles_by_rule((r.arrays["E"] for r in found.records), scenes.load(where["sim2"]).E)


for label in ("SiVM of the tutorial + FCLSU", "VCA + FCLSU"):
    rows = {rule: {} for rule in tutorial.RULES}
    off = {rule: [] for rule in tutorial.RULES}
    for level in levels:
        told_by = partial(by_rule, label, level)
        angles = page.fact(f"{label}, {level:g} dB", told_by, needs=[where["sim2"]]) or {}
        printed = claims.find_reported("tutorial", **row("sim2", level, label, SAD))
        for rule in tutorial.RULES:
            values = np.array(angles[rule]) if rule in angles else None
            rows[rule][f"{level:g} dB"] = tutorial.cell(values, SAD, **row("sim2", level, label, SAD))
            if values is not None and printed is not None:
                off[rule].append(abs(np.degrees(values.mean()) - printed))
    short = label.removesuffix(" + FCLSU")
    page.table(
        pd.DataFrame(rows).T.rename_axis("rule"),
        caption=f"Mean spectral angle of {short} on {where['sim2']} by rule, "
        f"mean ± standard deviation over seeds {seeds}; in brackets what is printed.",
    )
    near = sorted((np.mean(gaps), rule) for rule, gaps in off.items() if gaps)
    if near:
        (gap, rule), *rest = near
        others = ", ".join(f"by *{other}* {far:.2f}°" for far, other in rest)
        page.text(
            f"**Nearest to what is printed for {short}: {rule}, {gap:.2f}° off in the mean**; {others}."
        )

# %% [markdown]
# ## Which volume?
#
# The tutorial has four penalties. MVC-NMF takes the determinant, the volume itself; NMF-QMV a sum of squares:
# distances of the endmembers to the mean pixel (*center*), to one another (*total variation*), or to pixels
# that VCA picks (*boundary*). *What to look for*: which of them can leave the pixels?

# %% tags=["remove-input"]
VOLUMES = {
    "determinant (MVC-NMF)": ("MVC-NMF", {}),
    "center (NMF-QMV)": ("NMF-QMV", {}),
    "total variation (NMF-QMV)": ("NMF-QMV", {"penalty": "tv"}),
    "boundary (NMF-QMV)": ("NMF-QMV", {"penalty": "boundary"}),
    "picked pixels (VCA)": ("VCA + FCLSU", {}),
}
VOLUME_AT = 30.0 if 30.0 in levels else levels[0]
rows = {name: {} for name in VOLUMES}
for place in PLACES:
    spec = SceneSpec(where[place], snr_db=VOLUME_AT)
    for name, (label, settings) in VOLUMES.items():
        found = page.beside([label], spec, seeds=seeds, **settings)
        for score in (RMSE, SAD):
            told_as = f"{spec.name}, {scores.title(score)}"
            rows[name][told_as] = scores.spread(score, found.scores(str(spec), label, score))
page.table(
    pd.DataFrame(rows).T.rename_axis("penalty"),
    caption=f"At {VOLUME_AT:g} dB: mean ± standard deviation over seeds {seeds}.",
)

# %% [markdown]
# ## Why NMF-QMV gets worse, too
#
# It takes the weight of its penalty that lets the facets of the simplex come nearest to the vertices of
# the pixels' convex hull. *What to look for*: does this distance still tell one weight from another where
# there is little noise? The public code's 100 iterations, taken here, also end while the objective still
# falls.

# %% tags=["hide-input"]
WEIGHTS = 10.0 ** np.arange(-5, 6)
LOW = [level for level in (30.0, 50.0) if level in levels] or list(levels[-1:])
panels, titles = {}, {}
for level in LOW:
    spec = SceneSpec(where["sim2"], snr_db=level)
    chosen = page.beside(["NMF-QMV"], spec).records[0].arrays["history/distance"]
    errors = [page.beside(["NMF-QMV"], spec, weight=w).scores(str(spec), "NMF-QMV", RMSE) for w in WEIGHTS]
    panels |= {
        f"distance {level}": {"distance to the hull": [np.array([d]) for d in chosen]},
        f"error {level}": {"RMSE of A": [100 * e for e in errors]},
    }
    titles |= {
        f"distance {level}": f"{level:g} dB: distance",
        f"error {level}": f"{level:g} dB: RMSE of A (%)",
    }
page.figure(
    "choice",
    lambda: figures.dose_panels(
        np.log10(WEIGHTS), panels, titles, xlabel="log10 of the weight", logarithmic=True
    ),
    alt="Distance of the simplex to the hull, and RMSE of the abundances, over the weight of the penalty, "
    "with one seed of VCA's start and of the noise.",
    caption=f"NMF-QMV on {where['sim2']}, seed 0: the weight with the smallest distance is taken.",
)

# %% [markdown]
# ## The methods
#
# Three of the seven look for endmembers $E$ and abundances $A \ge 0$ with columns that sum to one,
#
# $$ \min \tfrac12\lVert Y - EA\rVert_F^2 + \lambda\,\phi(E). $$
#
# *MiSiCNet* has $\phi(E) = \sum_k \lVert e_k - m\rVert^2$, the distances to the mean pixel $m$, with $0
# \le E \le 1$, the image on its first singular vectors, and an $A$ that is the output of a network.
# *NMF-QMV* has the same or one of two relatives, in whitened coordinates of the image's affine subspace,
# and chooses $\lambda$ itself. *CoNMF* adds the norms of the rows of $A$, so that endmembers may vanish;
# on the slide to a power $q \le 1$, and with the distances to $m$. Its public code, run here, has $q = 1$
# and the distances to the endmembers that VCA starts with, which draw it back there: no volume is made
# small. *uDAS* and *CyCUNet* are autoencoders without such a term; *VCA + FCLSU* and *UnDIP* pick $E$ from
# the pixels. The tutorial does not say which penalty NMF-QMV has in its tables, or which method *Collab.*
# is: CoNMF stands for it here, and its printed errors are those of a VCA start.

# %% tags=["remove-input"]
page.settings("misicnet", "min-simplex", "nmf-qmv", "conmf", "udas", "cycunet")
page.provenance()
