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

from hsu_lib import claims, metrics, scenes
from hsu_lib.claims.questions import vocabulary
from hsu_lib.metrics import alignment
from hsu_lib.publishing import figures, pages, scores, tutorial
from hsu_lib.publishing.tutorial import EQUAL, LIMIT, ORACLE, SEVEN
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
PRINTED = {"sim1": "Table II", "sim2": "Table III"}
BY = {"sim1": CLAIMS[1], "sim2": CLAIMS[2]}  # the claim whose runs are shown

page = pages.Page("minimum_volume", profile, iterations=iterations, filters=filters)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
answers, where = asked.answers, {place: scene or place for place in PRINTED}
levels = value_of(noise_levels, tuple[float, ...], "noise_levels")
of_places = {place: dict(vocabulary().places(place)[0].settings) for place in PRINTED}
lines = {
    (place, level): page.beside(
        [EQUAL, ORACLE, LIMIT], SceneSpec(where[place], snr_db=level), seeds=seeds, **of_places[place]
    )
    for place in PRINTED
    for level in levels
}


def ours(place, level, label, score=RMSE):
    """A score by seed; None where it was not run."""
    spec = str(SceneSpec(where[place], snr_db=level))
    if label in SEVEN:
        return asked.scores(BY[place], spec, label, score)
    return lines[place, level].scores(spec, label, score)


def told(place, level, label, score=RMSE):
    """Its mean over the seeds, in words."""
    return tutorial.told(ours(place, level, label, score), score)


def printed(place, level, label, score=RMSE):
    """What the tutorial prints, in the unit of the score; None where it prints nothing."""
    table = PRINTED[place] if score == RMSE else "SAD (Simulated 2), unnumbered"
    found = claims.find_reported(
        "tutorial", table=table, dataset=place, method=SEVEN.get(label, label), condition=f"snr={level:g}"
    )
    return found


MIDDLE = 40.0 if 40.0 in levels else levels[-1]
both = {label: " and ".join(told(place, MIDDLE, label) for place in PRINTED) for label in (*SEVEN, *LINES)}
uniform = {place: 100 * np.mean(ours(place, MIDDLE, EQUAL)) for place in PRINTED}
figures_there = [(printed(p, MIDDLE, label), uniform[p]) for p in PRINTED for label in SEVEN]
larger = sum(theirs is not None and theirs > equal for theirs, equal in figures_there)
page.opening(
    "Where no pixel is pure, endmembers that are picked from the pixels must be wrong. *Minimum volume* "
    "looks for the smallest simplex that holds the pixels instead; the tutorial compares seven methods on "
    f"two simulated images. RMSE of the abundances at {MIDDLE:g} dB: **MiSiCNet, a network with such a "
    f"penalty, {both['MiSiCNet']}**; the same penalty without a network {both[LIMIT]}; pixels picked by VCA "
    f"{both['VCA + FCLSU']}. **Who answers equal shares everywhere is {both[EQUAL]} off**: of the "
    f"{len(figures_there)} errors that the tutorial prints at that level, {larger} are larger. "
    + pages.waiting(answers.values(), earlier=False)
    + tutorial.stands_in(scene),
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
# looked; *true endmembers + FCLSU* is what nobody without the truth can be expected to beat.

# %% tags=["remove-input"]


def cell(place, level, label, score):
    """Ours, and what is printed."""
    values, theirs = ours(place, level, label, score), printed(place, level, label, score)
    return tutorial.cell(values, theirs, score)


for place, score in (("sim1", RMSE), ("sim2", RMSE), ("sim2", SAD)):
    rows = {
        label: {f"{level:g} dB": cell(place, level, label, score) for level in levels}
        for label in (*SEVEN, LIMIT, EQUAL, ORACLE)
    }
    page.table(
        pd.DataFrame(rows).T.rename_axis("method"),
        caption=f"{scores.title(score)} on {where[place]}: mean ± standard deviation over seeds {seeds}; in "
        "brackets what the tutorial prints.",
    )

# %% tags=["hide-input"]
shown = ("VCA + FCLSU", "NMF-QMV", "MiSiCNet", LIMIT, EQUAL, ORACLE)
curves = {
    place: {
        label: [
            None if ours(place, level, label) is None else 100 * ours(place, level, label) for level in levels
        ]
        for label in shown
    }
    for place in PRINTED
}
page.figure(
    "levels",
    lambda: figures.dose_panels(
        levels,
        curves,
        {place: f"{where[place]}: RMSE of A (%)" for place in PRINTED},
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
# ## Why picking pixels gets worse as the noise gets weaker
#
# VCA reduces the image in one of two ways, by the noise that it sees: to principal components where there is
# much, else onto a plane, which divides each pixel by its brightness. Only the first level is noisy enough
# for the former. Here both are tried at every level; *uniform draws* are the random directions of the public
# codes, where the paper does not say how they are drawn.

# %% tags=["remove-input"]
BRANCHES = ("VCA + FCLSU", "VCA + FCLSU, uniform draws", "VCA + FCLSU, principal", "VCA + FCLSU, projective")
branches = {
    level: page.beside(BRANCHES, SceneSpec(where["sim2"], snr_db=level), seeds=seeds) for level in levels
}
page.table(
    pd.DataFrame(
        {
            label: {
                f"{level:g} dB": scores.spread(
                    RMSE, found.scores(str(SceneSpec(where["sim2"], snr_db=level)), label, RMSE)
                )
                for level, found in branches.items()
            }
            for label in BRANCHES
        }
    ).T.rename_axis("projection"),
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
RULES = {
    "one order, least angles (ours)": alignment.align,
    "nearest, repeats allowed": alignment.align_nearest,
    "closest pair first": alignment.align_greedily,
}
PICKED = {"SiVM of the tutorial + FCLSU": "sivm", "VCA + FCLSU": "vca"}


def by_rule(label, level):
    """Mean angle of each run, in radians, by rule."""
    found = page.beside([label], SceneSpec(where["sim2"], snr_db=level), seeds=seeds)
    E = scenes.load(where["sim2"]).E
    orders = {rule: [order(r.arrays["E"], E) for r in found.records] for rule, order in RULES.items()}
    return {
        rule: [
            float(metrics.spectral_angle(r.arrays["E"][:, order], E).mean())
            for r, order in zip(found.records, some, strict=True)
        ]
        for rule, some in orders.items()
    }


for label, column in PICKED.items():
    rows = {rule: {} for rule in RULES}
    for level in levels:
        theirs = printed("sim2", level, column, SAD)
        told_by = partial(by_rule, label, level)
        angles = page.fact(f"{column}, {level:g} dB", told_by, needs=[where["sim2"]]) or {}
        for rule in RULES:
            values = np.array(angles[rule]) if rule in angles else None
            rows[rule][f"{level:g} dB"] = tutorial.cell(values, theirs, SAD)
    page.table(
        pd.DataFrame(rows).T.rename_axis("rule"),
        caption=f"Mean spectral angle of {label.removesuffix(' + FCLSU')} on {where['sim2']} by rule, "
        f"mean ± standard deviation over seeds {seeds}; in brackets what is printed.",
    )

# %% [markdown]
# ## Why NMF-QMV gets worse, too
#
# It takes the weight of its penalty that lets the facets of the simplex come nearest to the vertices of the
# pixels' convex hull. With little noise this distance hardly depends on the weight any more, while the error
# does.

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
# All look for endmembers $E$ and abundances $A \ge 0$ with columns that sum to one,
#
# $$ \min \tfrac12\lVert Y - EA\rVert_F^2 + \lambda\,\phi(E). $$
#
# *MiSiCNet* has $\phi(E) = \sum_k \lVert e_k - m\rVert^2$, the distances to the mean pixel $m$, with an $A$
# that is the output of a convolutional network; its weight is 0.1 on the first image, 0.3 on the second.
# *NMF-QMV* has the same or one of two relatives, in whitened coordinates of the image's affine subspace,
# and chooses $\lambda$ itself. *CoNMF* adds the norms of the rows of $A$, so that endmembers may vanish.
# *uDAS* and *CyCUNet* are autoencoders without such a term. The tutorial does not say which penalty NMF-QMV
# has in its tables, or which method *Collab.* is: CoNMF stands for it here, and its printed errors are
# those of a VCA start.

# %% tags=["remove-input"]
page.settings("misicnet", "min-simplex", "nmf-qmv", "conmf", "udas", "cycunet")
page.provenance()
