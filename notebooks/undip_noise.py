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
# # Does noise matter to UnDIP?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = "0-1"  # those that count
scene = "lagoon"  # stands in for the scenes of the questions; empty leaves them
compute = True  # make the runs that are in no store
iterations = 0  # of training; 0: as many as the profile has
filters = 0  # of the networks; 0: as many as the profile has
noise_levels = "50,40,30,20,10"  # in dB, of the pictures and tables

# %% tags=["hide-input"]
from itertools import product

import numpy as np
import pandas as pd

from hsu_lib.claims.rule import AGAINST, Verdict
from hsu_lib.metrics import align, spectral_angle
from hsu_lib.publishing import cards, figures, pages, scores
from hsu_lib.scene import SceneSpec
from hsu_lib.words import seeds_of, value_of

CLAIMS = [
    "undip-noise-abundances-stable",
    "undip-noise-raises-loss",
    "undip-acts-as-denoiser",
    "undip-fclsu-ceiling",
]
UNDIP, FCLSU = "UnDIP", "SiVM + FCLSU"
LEVELS = [50.0, 40.0, 30.0, 20.0, 10.0]  # dB, of the questions
levels = value_of(noise_levels, tuple[float, ...], "noise_levels")  # of what is shown
URBAN = "urban-detection-window"
CALLED = {"samson": "Samson", URBAN: "Urban"}
RE, MAE, OTHER = "mse-reconstruction", "mae-abundances-fclsu", "mae-abundances"
CLEAN, NOISE, PCA = "mse-spectral", "mse-noise", "mse-spectral-pca"

page = pages.Page("undip_noise", profile, iterations=iterations, filters=filters)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
answers, fresh, before = asked.answers, asked.of(), seeds if compute else "0-2"
names = [scene] if scene else ["samson", URBAN]
# the runs that decide, where all of them are there; else the earlier ones, with four materials on Urban
complete = answers["undip-noise-abundances-stable"].verdict is not None
places = {
    (name, level): SceneSpec(name, reference="end6" if name == URBAN and complete else "", snr_db=level)
    for name in names
    for level in LEVELS
}
others = [level for level in dict.fromkeys((*LEVELS, *levels)) if not complete or level not in LEVELS]
earlier = {
    (name, level, label): page.beside(
        [label], SceneSpec(name, snr_db=level), seeds=before, amounts="desk", **settings
    ).records
    for name in names
    for level in dict.fromkeys((None, *others, levels[-1]))  # the last for the maps
    for label, settings in ((UNDIP, {"iterations": 1000}), (FCLSU, {}))
}
squares = {at: page.beside([FCLSU], spec, seeds=seeds).records for at, spec in places.items() if complete}


def chosen(name, level, label=UNDIP):
    if not complete or level not in LEVELS:
        return earlier[name, level, label]
    if label == FCLSU:
        return squares[name, level]
    found = fresh.pick(str(places[name, level]), UNDIP)
    return [r for r in found if r.asked["seed"] in seeds_of(seeds, "seeds") and MAE in r.scores]


def values(records, score):
    return np.array([record.scores[score] for record in records])


def mean(records, score):
    return scores.value(score, values(records, score).mean())


def over_noise(records, score=CLEAN):
    """How far from the clean image, over how far the noisy one is."""
    return np.exp(np.mean(np.log(values(records, score) / values(records, NOISE))))


def listed(told):
    return " and ".join(f"{told(name)} ({CALLED.get(name, name)})" for name in names)


def filtered(name, way):
    """The same at 20 or 10 dB, as the claim's comparisons have it where they are answered."""
    compared = answers["undip-acts-as-denoiser"].ways[way].comparisons
    if compared:
        return f"{np.exp(-compared[names.index(name)].interval[0]):.2f}"
    return f"{over_noise(chosen(name, (20.0, 10.0)[way])):.2f}"


page.opening(
    "The student report on UnDIP adds white noise to its images, down to a *signal-to-noise ratio* (SNR) of "
    "10 dB, where the noise has a tenth of the image's power. It says that **the abundances** (how much of "
    "each material is in each pixel) hardly change. Here, from 50 to 10 dB, they go from "
    + listed(lambda name: f"{mean(chosen(name, 50.0), MAE)} to {mean(chosen(name, 10.0), MAE)}")
    + " off those that constrained least squares, FCLSU, finds in the clean image. It also says that **noise "
    "is removed**. Here the image that UnDIP explains has a squared error of, over that of the noisy image, "
    f"{listed(lambda name: filtered(name, 0))} at 20 dB and {listed(lambda name: filtered(name, 1))} at "
    f"10 dB; it is removed where that is below one. {pages.waiting(answers.values())}",
    answers.values(),
)

# %% tags=["hide-input"]


def turned(name):
    """Mean angle between the endmembers at 10 and at 50 dB."""
    pairs = zip(chosen(name, 10.0), chosen(name, 50.0), strict=False)
    both = ((noisy.arrays["E"], clear.arrays["E"]) for noisy, clear in pairs)
    angles = [spectral_angle(noisy[:, align(noisy, clear)], clear).mean() for noisy, clear in both]
    return scores.value("sad-endmembers", np.mean(angles))


def least(name):
    """MAE of UnDIP and of FCLSU on the same images."""
    return " and ".join(mean(chosen(name, 10.0, label), MAE) for label in (UNDIP, FCLSU))


def growth(name, score):
    return f"{values(chosen(name, 10.0), score).mean() / values(chosen(name, 50.0), score).mean():.3g}"


known = {
    "undip-noise-abundances-stable": "It is the endmembers that change. SiVM picks them from the noisy "
    f"image, pixel by pixel, noise and all: from 50 to 10 dB they turn by {listed(turned)} (mean angle). "
    f"FCLSU with the same endmembers loses as much: at 10 dB UnDIP and FCLSU are {listed(least)} off.",
    "undip-noise-raises-loss": "The reconstruction error holds the noise itself, which no linear model of a "
    "few endmembers can follow, so it must grow; but the endmembers are picked from the noisy image, and the "
    "error of the abundances grows with theirs. From 50 to 10 dB they grow "
    + listed(lambda name: f"{growth(name, RE)} and {growth(name, MAE)} times")
    + ".",
    "undip-acts-as-denoiser": "Two errors add up in *E A*, the image that UnDIP explains: what a linear "
    "model of a few endmembers leaves out, noise or no noise, and the noise that comes in with endmembers "
    "picked from single pixels. At 50 dB the first is all of it, a squared error of "
    + listed(lambda name: mean(chosen(name, 50.0), CLEAN))
    + "; the noise at 20 dB is "
    + listed(lambda name: mean(chosen(name, 20.0), NOISE))
    + ". Where it is weaker than what the model leaves out, *E A* is farther from the clean image than the "
    "noisy image is, for every method with these endmembers.",
}
otherwise = (*AGAINST, Verdict.SMALLER, Verdict.DEPENDS)
why = {claim: text for claim, text in known.items() if answers[claim].verdict in otherwise}

# %% [markdown]
# ## Claim by claim

# %% tags=["remove-input"]
for claim in CLAIMS:
    page.judge(claim, asked, why=why.get(claim, ""))

# %% tags=["remove-cell", "nbval-check-output"]
for claim, answer in answers.items():
    print(f"{claim:36} {answer.word}")

# %% [markdown]
# ## Where noise is removed
#
# The distance of four images from the one without noise. Noise is removed where a line lies below that of
# the noisy image. Truncation keeps as many principal components as there are endmembers: they are fitted to
# all pixels, and not picked from single ones.

# %% tags=["hide-input"]
removal = {
    name: {label: [values(chosen(name, lv, label), CLEAN) for lv in levels] for label in (UNDIP, FCLSU)}
    | {
        title: [values(chosen(name, level), score) for level in levels]
        for title, score in (("PCA truncation", PCA), ("noisy image", NOISE))
    }
    for name in names
}
span = cards.spans(sorted(record.asked["seed"] for record in chosen(names[0], 20.0)))
ratios = {
    name: "; ".join(f"{level:g} dB {over_noise(chosen(name, level)):.3g}" for level in levels)
    for name in names
}
ratios = ". ".join(f"On {name}: {told}" for name, told in ratios.items())
page.figure(
    "removal",
    lambda: figures.dose_panels(
        levels, removal, {name: name for name in names}, xlabel="SNR (dB)", logarithmic=True
    ),
    alt="Mean squared error against the clean image over the SNR, a panel per scene, for UnDIP, SiVM with "
    f"FCLSU, PCA truncation and the noisy image. UnDIP's over that of the noisy image: {ratios}.",
    caption="Mean squared error against the image without noise, in its unit squared; dots are seeds "
    f"({span}), lines their means. UnDIP's error over that of the noisy image: {ratios}.",
)

# %% [markdown]
# ## What becomes of the abundances
#
# The error that UnDIP has where noise is weak is how far its fit has come in 1000 iterations.

# %% tags=["hide-input"]
panels, titles = {}, {}
for score, title in ((MAE, "MAE of A (%)"), (RE, "reconstruction error")):
    for name in names:
        factor = scores.unit(score).factor
        panels[score + name] = {
            label: [factor * values(chosen(name, level, label), score) for level in levels]
            for label in (UNDIP, FCLSU)
        }
        titles[score + name] = f"{name}: {title}"
ends = listed(lambda name: "; ".join(f"{lv:g} dB {mean(chosen(name, lv), MAE)}" for lv in levels))
page.figure(
    "errors",
    lambda: figures.dose_panels(levels, panels, titles, xlabel="SNR (dB)", logarithmic=True),
    alt="MAE of the abundances and reconstruction error over the SNR, for UnDIP and SiVM with FCLSU. "
    f"MAE: {ends}.",
    caption="Mean absolute error of the abundances against FCLSU on the clean image, and mean squared error "
    f"of E A against the noisy image; dots are seeds ({span}), lines their means. MAE: {ends}.",
)

# %% tags=["hide-input"]
shown = {
    f"{label}, {'no noise' if level is None else f'{level:g} dB'}": earlier[names[0], level, label][0]
    for level in (None, levels[-1])
    for label in (UNDIP, FCLSU)
}
page.maps(names[0], shown)

# %% [markdown]
# ## Level by level, beside least squares
#
# What a reader would use instead, on the same noisy images. On noisy images nothing keeps UnDIP from being
# nearer to the reference than FCLSU is; on clean ones it cannot be, for there FCLSU is the reference.

# %% tags=["hide-input"]
HEADS = {RE: "reconstruction error", CLEAN: "against clean image", MAE: "MAE, FCLSU", OTHER: "MAE, reference"}


def row(name, level, label):
    records = chosen(name, level, label)
    there = {title: score for score, title in HEADS.items() if score in records[0].scores}
    told = {title: scores.spread(score, values(records, score)) for title, score in there.items()}
    return {"scene": name, "noise": "none" if level is None else f"{level:g} dB", "method": label} | told


page.table(
    pd.DataFrame(row(*at, label) for at in product(names, levels) for label in (UNDIP, FCLSU)).fillna(""),
    caption=f"Level by level: mean ± standard deviation over seeds {span} of mean squared "
    "errors of E A against the noisy and the clean image, and of mean absolute errors of A against FCLSU on "
    "the clean image and the published reference.",
    folded=True,
)

# %% tags=["hide-input"]
clean = {name: (earlier[name, None, FCLSU], earlier[name, None, UNDIP]) for name in names}
if not scene:
    long = {"seeds": before, "amounts": "desk", "iterations": 3000}
    least_squares = page.beside([FCLSU], "jasper", amounts="desk").records
    clean["jasper"] = (least_squares, page.beside([UNDIP], "jasper", **long).records)
page.table(
    pd.DataFrame(
        {
            "scene": name,
            "FCLSU": scores.value(MAE, values(theirs, MAE).max()),
            "UnDIP, least of its seeds": scores.value(MAE, values(ours, MAE).min()),
            "as it must be": "yes" if values(theirs, MAE).max() < 1e-6 < values(ours, MAE).min() else "no",
        }
        for name, (theirs, ours) in clean.items()
    ),
    caption="Computed check of what is true by construction: mean absolute error of A against FCLSU on the "
    "clean image, of FCLSU itself (below 0.0001 %) and of UnDIP (above it in every seed).",
)

# %% [markdown]
# ## The method
#
# As in [the chapter on UnDIP](undip.ipynb), with 1000 iterations; Urban is a window of 80 x 100 pixels of the
# image. The noise is white and Gaussian with the variance
#
# $$ \sigma^2 = \operatorname{mean}(Y^2)\,10^{-\mathrm{SNR}/10}, $$
#
# one draw per seed, the same for every method. Endmembers are picked by SiVM from the *noisy* image, which
# is all that a method sees. What comes out is compared with the noisy image (reconstruction error, which
# training minimises), with the image without noise, and with the abundances that FCLSU finds in the image
# without noise, the report's truth.
#
# The report leaves open whether endmembers are picked from the noisy image or from the clean one (from the
# noisy one here), whether the truth comes from the clean image (it does here), how many draws of noise stand
# behind a curve, and what least squares does on the same noisy image.

# %% tags=["remove-input"]
page.settings("undip")
page.provenance()
