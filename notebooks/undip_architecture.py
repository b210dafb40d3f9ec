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
# # Does the architecture of the prior matter?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = "0-1"  # those that count
scene = "lagoon"  # stands in for the scenes of the questions; empty leaves them
compute = True  # make the runs that are in no store
iterations = 0  # of training; 0: as many as the profile has
filters = 0  # of the networks; 0: as many as the profile has

# %% tags=["hide-input"]
from contextlib import suppress
from functools import cache

import numpy as np
import pandas as pd

from hsu_lib import scenes
from hsu_lib.methods.priors.undip import ARCHITECTURES
from hsu_lib.publishing import figures, pages, scores
from hsu_lib.runs import curves, times
from hsu_lib.runs.answers.several import among, trained_values
from hsu_lib.runs.computed import score_of
from hsu_lib.scene import SceneSpec

CLAIMS = [
    "undip-larger-model-slower-convergence",
    "undip-larger-model-better-final",
    "undip-larger-model-trains-longer",
    "undip-skips-improve-score",
    "undip-skips-ease-convergence",
    "undip-noise-widens-model-gap",
    "undip-noise-hits-loss-not-abundances",
    "undip-depth-speeds-and-hardens",
    "undip-simple-model-satisfactory",
    "undip-single-downsampling-converges-faster",
]
MAE, COUNTS = "mae-abundances-fclsu", 0.01  # the smallest difference that counts
SIX = [f"architecture {k}" for k in ARCHITECTURES]
HALVED = [f"architecture {k}, one halving" for k in (3, 5)]
PLACES = [scene] if scene else ["samson", "jasper", "urban-detection-window"]
NOISY = PLACES[-1]

page = pages.Page("undip_architecture", profile, iterations=iterations, filters=filters)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
how = {"seeds": seeds if scene else "0-2", "amounts": "desk"}  # of runs that are only shown
beside = {place: page.beside([*SIX, *HALVED], place, iterations=1000, **how) for place in PLACES}
specs = {v: SceneSpec(NOISY, snr_db=v) for v in (50, 40, 30, 20)}
noised = {v: page.beside(SIX, spec, iterations=1000, **how) for v, spec in specs.items()}
NAMES = {place: scenes.describe(place).title for place in PLACES}


@cache
def on(place, claim="undip-simple-model-satisfactory", snr=None):
    """Networks to runs on a scene, those that decide a claim if they are there; their seeds in words."""
    earlier = beside[place] if snr is None else noised.get(snr, noised[20])
    found, seeds_told = pages.deciding_or(asked, claim, earlier)
    # of Urban's references the one with six materials decides; earlier runs have four
    either = [str(SceneSpec(place, reference=reference, snr_db=snr)) for reference in ("end6", "")]
    where = next((spec for spec in either if spec in found.table["scene"].values), "")
    return {name: found.pick(where, name) for name in (*SIX, *HALVED)}, seeds_told


def by_seed(place, name, score, *more):
    """A score of a network."""
    return np.array([score_of(record, score) for record in on(place, *more)[0][name]])


def steps_to(place, names, *claim):
    """Iterations to the MAE that all of some networks reach, mean over the seeds."""
    needed = among("iterations-to-common-mae", {name: on(place, *claim)[0][name] for name in names})
    return {name: np.nanmean(values) for name, values in needed.items()}


errors = {p: [np.nanmean(by_seed(p, name, MAE)) for name in SIX] for p in PLACES}
needed = {p: steps_to(p, SIX) for p in PLACES}
small, large = (np.mean([needed[p][name] for p in PLACES]) for name in (SIX[0], SIX[-1]))
sizes = {name: trained_values(on(NOISY)[0][name][0]) for name in SIX}
widest = max(PLACES, key=lambda p: np.ptp(errors[p]))
low, high, apart = (scores.value(MAE, of(errors[widest])) for of in (min, max, np.ptp))
changes = "hardly changes" if np.ptp(errors[widest]) < COUNTS else "changes"
soon = "sooner" if large < small / 1.1 else "later" if large > 1.1 * small else "about as soon"
page.opening(
    "UnDIP trains a network on nothing but the image to draw abundance maps (the share of each material in "
    "each pixel); the student report on UnDIP tries six networks, of "
    f"{min(sizes.values()):,} to {max(sizes.values()):,} trained values. **Which one is taken {changes} the "
    f"maps:** on {NAMES[widest]}, where they differ most, their mean distances from plain least squares "
    f"(FCLSU) end between {low} and {high}. **The largest gets there {soon}:** to a distance that all six "
    f"reach it takes {large:.0f} iterations, and the smallest {small:.0f}. "
    + pages.waiting(asked.answers.values()),
    asked.answers.values(),
)

# %% tags=["hide-input"]
SAME = (
    "The endmembers are fixed. So every network minimises what FCLSU minimises, under the same two "
    "constraints, and FCLSU finds that minimum exactly: all networks head for its maps"
)
why = {
    "undip-larger-model-better-final": f"{SAME}, and an architecture changes the way more than the end. The "
    f"means of the six lie {apart} apart at most ({on(widest)[1]}).",
    "undip-skips-improve-score": f"{SAME}, with skip connections or without.",
    "undip-noise-widens-model-gap": f"{SAME}, with noise for those of the noisy image. What noise adds to "
    "the error is much the same for all six, and nothing makes the distance between them grow.",
}
EXPLAINED = {"no such effect", "reproduced, smaller", "reversed"}

# %% [markdown]
# ## Claim by claim

# %% tags=["remove-input"]
for claim in CLAIMS:
    page.judge(claim, asked, why=why.get(claim, "") if asked.answers[claim].word in EXPLAINED else "")

# %% tags=["remove-cell", "nbval-check-output"]
for claim, answer in asked.answers.items():
    print(f"{claim:44} {answer.word}")

# %% [markdown]
# ## The six networks
#
# Each is a U-Net: its *levels* shrink the image and undo that again. A *skip connection* hands what goes into
# a level across to where the image has that size again, as it is (direct) or through one or two layers.

# %% tags=["hide-input"]
SKIPS = {"none": "none", "direct": "direct", "one": "one layer", "two": "two layers"}
width = page.amounts.widths().of("undip-configurable", {})
ask = {"score": "seconds-per-iteration", "scene": PLACES[0], "iterations": 1000, **width}
taken = {}
for sitting in times.counting():
    with suppress(LookupError):  # one without these
        taken = {name: f"{1000 * np.median(sitting.of(condition=name, **ask)):.1f}" for name in SIX}
        break
page.table(
    pd.DataFrame(
        {
            "network": str(k),
            "levels, skips": f"{made['levels']}, {SKIPS[made['skips']]}",
            "trained values": f"{sizes[name]:,}",
            **{f"MAE, {NAMES[p]}": scores.value(MAE, e[k - 1]) for p, e in errors.items()},
            "iterations": f"{np.mean([needed[p][name] for p in PLACES]):.0f}",
            **({"ms per iteration": taken[name]} if taken else {}),
        }
        for (k, made), name in zip(ARCHITECTURES.items(), SIX, strict=True)
    ),
    caption="Levels and skip connections; MAE: mean distance of the last maps from FCLSU's; iterations to an "
    f"MAE that all six reach, mean over the scenes too ({on(NOISY)[1]}). Endmembers: "
    + ", ".join(f"{NAMES[p]} {on(p)[0][SIX[0]][0].arrays['E'].shape[1]}" for p in PLACES)
    + (f"; time of an iteration on {NAMES[PLACES[0]]}: {sitting}." if taken else "."),
)

# %% tags=["hide-input"]
drawn, percent = f"{MAE}-averaged", scores.unit(MAE).factor
at, _ = curves.together([r for p in PLACES for name in SIX for r in on(p)[0][name]], drawn)
late = at >= at[-1] / 10
histories = {
    NAMES[p]: {
        f"network {k}": percent * curves.together(on(p)[0][name], drawn, at)[1][:, late]
        for k, name in enumerate(SIX, start=1)
    }
    for p in PLACES
}
told = "; ".join(
    f"{NAMES[p]} {scores.value(MAE, min(e))} to {scores.value(MAE, max(e))}" for p, e in errors.items()
)
page.figure(
    "curves",
    lambda: figures.curve_panels(
        histories, ylabel="MAE against FCLSU (%)", steps="iterations", counted=True, at=at[late]
    ),
    alt=f"Distance from FCLSU over the iterations for six networks, a panel per scene. Last: {told}.",
    caption="Distance of the maps from FCLSU's in percent, from a tenth of the iterations on: median and "
    f"range of {on(NOISY)[1]}. Least and largest mean at the end: {told}.",
)
before = np.searchsorted(at[late], 0.9 * at[-1])
change = np.mean([c[:, -1] / c[:, before] for by in histories.values() for c in by.values()]) - 1
page.text(
    "Over the last tenth of the iterations the distance still changes by "
    f"{100 * change:.0f}\u00a0%, in the ".replace("-", "−")
    + "mean: what is compared is how far each has come by then."
)

# %% [markdown]
# ## With noise

# %% tags=["hide-input"]
WIDENS = "undip-noise-widens-model-gap"
levels = [v for v in (50, 40, 30, 20, 10) if on(NOISY, WIDENS, v)[0][SIX[0]]]
KINDS = {
    "mse-reconstruction": "mean squared error against the noisy image",
    MAE: "MAE against FCLSU on the clean image (%)",
}
doses = {
    q: {
        f"network {k}": [scores.unit(q).factor * by_seed(NOISY, name, q, WIDENS, v) for v in levels]
        for k, name in enumerate(SIX, start=1)
    }
    for q in KINDS
}
told = "; ".join(
    f"{v} dB {one.mean():.2f} and {six.mean():.2f}"
    for v, one, six in zip(levels, doses[MAE]["network 1"], doses[MAE]["network 6"], strict=True)
)
page.figure(
    "noise",
    lambda: figures.dose_panels(
        levels, doses, KINDS, xlabel="SNR (dB); left is more noise", logarithmic=True
    ),
    alt=f"Two errors over the SNR on {NAMES[NOISY]}, six networks. MAE in percent, first and sixth: {told}.",
    caption=f"{NAMES[NOISY]}: each dot is a run ({on(NOISY, WIDENS, 20)[1]}), lines are means. MAE in "
    f"percent, first and sixth network: {told}.",
)

# %% [markdown]
# What to compare are rows of the same noise. With noise a weak endmember may be matched with another
# material, and its map then stands in another column. The reference has other endmembers than SiVM's.

# %% tags=["hide-input"]
page.maps(
    NOISY,
    {
        f"network {k}, {words}": runs.pick(where, SIX[k - 1])[0]
        for words, runs, where in (("no noise", beside[NOISY], NOISY), ("20 dB", noised[20], str(specs[20])))
        for k in (1, 6)
    },
)

# %% [markdown]
# ## One halving or several
#
# UnDIP's own network halves the image once, "to preserve the spatial resolution and improve the convergence
# rate". Here networks 3 and 5 do the same; as they stand they halve it twice and three times.

# %% tags=["hide-input"]
rows = []
for place in PLACES:
    for one in HALVED:
        pair = {"one": one, "several": one.split(",")[0]}
        by_name = steps_to(place, pair.values(), CLAIMS[-1])
        row = {"scene": NAMES[place], "network": pair["several"].split()[-1]}
        row |= {f"iterations, {kind}": f"{by_name[name]:.0f}" for kind, name in pair.items()}
        row |= {f"MAE, {k}": scores.spread(MAE, by_seed(place, n, MAE, CLAIMS[-1])) for k, n in pair.items()}
        rows.append(row)
page.table(
    pd.DataFrame(rows),
    caption=f"Iterations to an MAE that both reach, and last MAE ({on(NOISY, CLAIMS[-1])[1]}).",
)

# %% [markdown]
# ## Against what a reader would use instead
#
# FCLSU trains nothing. Is any of the six nearer to the published reference than it is?

# %% tags=["hide-input"]
REFERENCE, FCLSU, rows = "mae-abundances", "SiVM + FCLSU", []
for place in PLACES:
    plain = page.beside([FCLSU], place, **how).scores(place, FCLSU, REFERENCE)
    ours = [beside[place].scores(place, name, REFERENCE).mean() for name in SIX]
    row = {FCLSU: plain.mean(), "nearest of the six": min(ours), "farthest of the six": max(ours)}
    rows.append({"scene": NAMES[place]} | {title: scores.value(REFERENCE, x) for title, x in row.items()})
page.table(
    pd.DataFrame(rows),
    caption=f"MAE against the published reference, mean over seeds {how['seeds']}; decides nothing.",
)

# %% [markdown]
# ## The method
#
# Endmembers $E$ are picked from the image $Y$ by SiVM. A network $f_\theta$ turns fixed random noise $Z$ into
# abundances (a softmax at its end makes them nonnegative with a sum of one), and Adam minimises
#
# $$ \tfrac12 \lVert Y - E f_\theta(Z) \rVert_F^2 $$
#
# over $\theta$; the result is a running average of its outputs, as in [the chapter on UnDIP](undip.ipynb).
# FCLSU minimises the same over all abundances under these constraints. An encoder layer is a 3 x 3
# convolution with stride 2, a decoder layer the transposed convolution that undoes it and a 3 x 3
# convolution. The image is halved three times at most: the fourth level of deep networks keeps its size.
#
# **What the document leaves open**: the number of filters (here all hidden layers of all six have the same),
# iterations and rate of this section, the kernel of the transposed convolutions (4 x 4 here), how often a
# network of four levels halves the image (three times here, as its padding to a multiple of 8 suggests),
# whether outputs are averaged (they are here), which scenes stand behind its general observations, and every
# figure: it prints curves and maps only. On speed it contradicts itself: section 7.2 finds that more values
# slow convergence slightly, section 9 that more layers may accelerate it. Both are claims above.

# %% tags=["remove-input"]
page.settings("undip-configurable")
page.provenance()
