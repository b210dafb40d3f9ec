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
# # How many endmembers?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names of scenes that are made, to which noise is added
measured = "lagoon"  # of scenes that are taken as they are
noise_levels = "20,30,40"  # in dB
seeds = "0-1"  # of the noise

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd

from hsu_lib import scenes
from hsu_lib.methods.rank import APART, ESTIMATORS
from hsu_lib.publishing import figures, pages, standings
from hsu_lib.publishing.scree import scree_panels
from hsu_lib.solvers.gene import MOST
from hsu_lib.unmixing.counting import counted
from hsu_lib.words import seeds_of, value_of

page = pages.Page("how_many", profile)
levels = value_of(noise_levels, tuple[float, ...], "noise_levels")
places, fields = (standings.places(names) for names in (scene, measured))
noisy = {
    (spec.name, level): [replace(spec, snr_db=level, noise_seed=seed) for seed in seeds_of(seeds, "seeds")]
    for spec in places
    for level in levels
}


def told_of(spec):
    """What is counted on a scene; None where neither it nor what was published of it is here."""
    name = str(spec) if spec.snr_db is None else f"{spec}, noise {spec.noise_seed}"
    return page.fact(name, lambda: counted(scenes.load(spec)).about, needs=[spec])


made = {key: [told_of(spec) for spec in specs] for key, specs in noisy.items()}
found = {key: counts for key, counts in made.items() if None not in counts}
asis = {str(spec): count for spec in fields if (count := told_of(spec))}
here = [spec for spec in places if (spec.name, levels[0]) in found]
missing = [str(spec) for spec in places if spec not in here] + [str(s) for s in fields if str(s) not in asis]


def usual(spec):
    """How many the reference has."""
    info = scenes.describe(spec.name)
    return len(info.materials[spec.reference or info.usual])


TRUTH = {spec.name: usual(spec) for spec in places} | {str(spec): usual(spec) for spec in fields}
LABELS = {"taken": "hsu unmix"} | {name: estimator.label for name, estimator in ESTIMATORS.items()}


def ranks(counts, name):
    """What an estimator finds in each draw of the noise; what is taken of all of them."""
    return [count["number"] if name == "taken" else count["estimates"][name] for count in counts]


def right(name):
    """In how many of the noisy images it finds the truth."""
    return sum(rank == TRUTH[key[0]] for key in found for rank in ranks(found[key], name))


images = sum(map(len, found.values()))
runs_away = [
    f"{place} {min(known)} to {max(known)} ({TRUTH[place]})"
    for place, count in asis.items()
    if (known := [rank for rank in count["estimates"].values() if rank is not None])
]
page.text(
    "An image does not say how many materials it shows. What can be told is how many directions rise above "
    "its noise, if the noise is known. "
    f"**On {images} images that were made, with noise of {noise_levels} dB, right are: "
    + ", ".join(f"{label} {right(name)}" for name, label in LABELS.items() if name != "taken")
    + f"**; the rule of `hsu unmix`, which takes a number from them, {right('taken')}. "
    "**On images as they are the estimators contradict each other**: "
    + "; ".join(runs_away)
    + ", in brackets what is usual. There no number can be trusted: look at the plots, unmix with several."
    + f" *Not on this machine, so not here: {', '.join(missing)}.*" * bool(missing)
    + " **A rehearsal: lagoon stands in for the scenes.**" * (scene == "lagoon")
)

# %% tags=["remove-cell", "nbval-check-output"]
for (name, level), counts in found.items():
    print(f"{name}, {level:g} dB: {TRUTH[name]} endmembers, {[count['number'] for count in counts]} taken")

# %% [markdown]
# ## Noise that is what the estimators think it is
#
# White noise is added to mixtures of known spectra. *What to look for*: strong noise hides what is rare, so
# most find too few at the lowest level. HFC misses what does not show in the mean spectrum whatever the
# noise. GENE-CH counts corners: where no pixel is pure, the data have more of them than there are
# endmembers.

# %% tags=["remove-input"]


def told(values):
    """The number, or the range over the draws of the noise."""
    known = sorted({value for value in values if value is not None})
    return " to ".join(map(str, dict.fromkeys((known[0], known[-1])))) if known else "none"


rows = {
    f"{name}, {level:g} dB": {"truth": str(TRUTH[name])}
    | {label: told(ranks(counts, key)) for key, label in LABELS.items()}
    for (name, level), counts in found.items()
}
page.table(
    pd.DataFrame(rows).T.rename_axis("image"),
    caption=f"Number of endmembers that each estimator finds: over seeds {seeds} of the noise, one number or "
    "the range. Beside the truth, what hsu unmix takes where it is given none.",
)

# %% tags=["hide-input"]
SHOWN = ("hysime", "sure", "gene-ah", "gene-ch", "hfc")
curves = {
    spec.name: {
        LABELS[key]: [np.array(ranks(found[spec.name, level], key), dtype=float) for level in levels]
        for key in SHOWN
    }
    for spec in here
}
page.figure(
    "levels",
    lambda: figures.dose_panels(
        levels,
        curves,
        {spec.name: f"{spec.name}: endmembers found" for spec in here},
        xlabel="SNR (dB)",
        reported={spec.name: [TRUTH[spec.name]] * len(levels) for spec in here},
        reported_as="truth",
    ),
    alt="Estimated number of endmembers over the SNR, a panel per image. "
    + " ".join(
        f"{spec.name}, {TRUTH[spec.name]} endmembers, at {levels[-1]:g} dB: "
        + ", ".join(f"{LABELS[key]} {told(ranks(found[spec.name, levels[-1]], key))}" for key in SHOWN)
        + "."
        for spec in here
    ),
    caption=f"Estimated number of endmembers: dots are seeds ({seeds}), lines means, diamonds the truth. "
    "Where two find the same, one hides the other.",
    needs=[spec for spec in places if spec not in here],
)

# %% [markdown]
# ## Images as they are
#
# The number that is usual for a measured scene is a choice of whoever made its reference: materials that
# are worth a map. A sensor's lines and gains, smoothing by resampling, shadows, and grass that is not all
# alike rise above the noise, too, and whoever counts directions counts them. The more of it there is, the
# further estimators are apart that look at the same noise.

# %% tags=["remove-input"]
rows = {
    place: {"usual": str(TRUTH[place])} | {label: told(ranks([count], key)) for key, label in LABELS.items()}
    for place, count in asis.items()
}
page.table(
    pd.DataFrame(rows).T.rename_axis("image"),
    caption="Number of endmembers that each estimator finds in images as they are; GENE looks for "
    f"{MOST} at most.",
)

# %% [markdown]
# ## The plots to look at
#
# The eigenvalues of the image, its bands divided by their noise. Noise alone has eigenvalues of about one,
# up to the dotted line. On an image that is made they fall onto it behind the last endmember that
# shows; on a measured one they glide down, and no number is the right one.

# %% tags=["hide-input"]
MIDDLE = levels[len(levels) // 2]
of_made = {
    f"{spec.name}, {MIDDLE:g} dB": (noisy[spec.name, MIDDLE][0], found[spec.name, MIDDLE][0]) for spec in here
}
of_measured = {str(spec): (spec, asis[str(spec)]) for spec in fields if str(spec) in asis}
drawn = {
    title: (spec, {LABELS[key]: rank for key, rank in count["estimates"].items() if key in SHOWN and rank})
    for title, (spec, count) in (of_made | of_measured).items()
}
page.figure(
    "scree",
    lambda: scree_panels({t: (scenes.load(spec).pixels, marks) for t, (spec, marks) in drawn.items()}),
    alt="Scree plots. "
    + " ".join(
        f"{title}: {', '.join(f'{label} {rank}' for label, rank in marks.items())}."
        for title, (_, marks) in drawn.items()
    ),
    caption="Falling eigenvalues of the second moment over those of the noise, and the number that each "
    f"estimator finds; seed {seeds_of(seeds, 'seeds')[0]} of the noise.",
    needs=[*places, *fields],
)

# %% [markdown]
# ## The estimators
#
# The noise $W$ of a band is what the regression on all others leaves, and all but HFC rest on it. With
# second moments $R_y$ of the image, $R_n$ of its noise and the eigenvectors $e_k$ of the signal, *HySime*
# counts
#
# $$ e_k^\top R_y e_k > 2\, e_k^\top R_n e_k. $$
#
# *SURE* takes the rank at which the truncated image is estimated to be nearest the signal, the freedom of
# the estimated directions included. *GENE* picks pixels, each the farthest from those before, until a
# chi-square test says that the next is a mixture of them: with shares that are nonnegative (its convex hull,
# GENE-CH) or of any sign (its affine hull, GENE-AH). That one half of the pixels gives the directions and the
# other is tested is ours: directions that are chosen on the points themselves follow their noise. *HFC*
# compares eigenvalues with the mean and without it.

# %% tags=["remove-input"]
page.text(
    f"**The rule of `hsu unmix`.** Where HySime, SURE and GENE-AH differ by at most {APART}, the noise is as "
    "they take it, and GENE-AH counts. Where they differ by more, HFC does. The rule was chosen with such "
    "tables in sight, so these do not test it. `hsu rank IMAGE` has all of this for an image of your own."
)
page.table(
    pd.DataFrame(
        [{"estimator": e.label, "is right if": e.assumes, "source": e.source} for e in ESTIMATORS.values()]
    ),
    caption="What each estimator takes for granted, and where it is from.",
)
page.provenance()
