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
# # Does training on patches help?

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = "0-1"  # those that count
scene = "lagoon"  # stands in for the scenes of the questions; empty leaves them
compute = True  # make the runs that are in no store
epochs = 0  # of training; 0: as many as the profile has

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from hsu_lib import claims, scenes
from hsu_lib.claims import rule
from hsu_lib.learning.networks.autoencoder import cosine_loss
from hsu_lib.learning.networks.gradients import arccosine_loss, finite_gradients
from hsu_lib.publishing import figures, pages, scores

CLAIMS = [
    "prim-patches-improve-abundances",
    "prim-patches-improve-endmembers",
    "prim-decaying-lr-saves-epochs",
    "prim-arccos-corner-cases",
]
WHOLE, PATCHES, CONSTANT = "whole image", "patches", "patches, rate 0.0003, 320 epochs"
EQUAL, VCA = "whole image, equal steps", "VCA + FCLSU"
METHODS = {WHOLE: "ae-plain", PATCHES: "ae-patches"}
COSINE, MSE, ANGLE = "cos-endmembers-code", "mse-abundances-own-order", "sad-endmembers"
TITLES = {COSINE: "cosine of E (higher is better)", MSE: "MSE of A (lower is better)"}
WORDS = {
    "urban-semireal": "Urban, mixed anew from real spectra so that the truth is exact,",
    "urban-detection-window": "a small measured window of Urban",
}

page = pages.Page("patching", profile, epochs=epochs)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
results = asked.results
places = list(dict.fromkeys(results.table["scene"]))  # the first decides


def reported(place, label, score):
    """What the report prints, Urban's in Table 1 and Samson's in Table 3; None where it prints nothing."""
    dataset = place.split("-")[0]
    named = {"table": {"urban": "Table 1", "samson": "Table 3"}.get(dataset, ""), "dataset": dataset}
    named |= {"method": METHODS.get(label, ""), "metric": "-".join(score.split("-")[:2])}
    return claims.find_reported("prim", **named)


def change(place, score):
    """From the whole image to patches, in words."""
    return " to ".join(scores.mean(results, place, label, score) for label in METHODS)


def moves(place):
    """Which way patches take the error of the abundances, in words."""
    whole, patches = (np.mean(results.scores(place, label, MSE)) for label in METHODS)
    return "gets better too," if patches < whole else "gets worse,"


def words(place):
    """A place without its reference."""
    return place.split(",")[0]


printed = [" to ".join(scores.value(q, reported("urban", k, q)) for k in METHODS) for q in (MSE, COSINE)]
theirs = f" (the report: {' and '.join(printed)})"
page.opening(
    "The student report on self-supervised perturbations trains an *autoencoder*, a network that squeezes "
    "every pixel into shares of a few materials (*abundances*) and rebuilds it from their pure spectra "
    "(*endmembers*), on a whole image or on patches of 40 x 40 pixels cut from it. "
    + " ".join(
        f"**On {WORDS.get(words(place), words(place))} "
        + (f"it {moves(place)}" if k else "patches take the mean squared error of the abundances")
        + f" from {change(place, MSE)}**, the cosine between true and found endmembers from "
        f"{change(place, COSINE)}{'' if k else theirs}."
        for k, place in enumerate(places)
    )
    + " But training on patches also takes many more steps; *Patches, or steps?* below tells the two apart "
    "where both were run.",
    asked.answers.values(),
)

# %% tags=["hide-input"]
ASIDE = [WHOLE, EQUAL, PATCHES, VCA]
aside = {
    place: page.beside(ASIDE, place, seeds="0-4", amounts="desk")
    for place in ([scene] if scene else ["samson", "urban-detection-window"])
}


def ahead(place):
    """By how much the angle of the endmembers is smaller with patches, with its interval."""
    whole, patches = (results.scores(place, label, ANGLE) for label in METHODS)
    return scores.interval(ANGLE, *rule.interval(whole - patches))


def share(place):
    """Percent of the image that one patch of 40 x 40 pixels is."""
    return 100 * 40**2 / np.prod(scenes.describe(place.split(",")[0]).size[1:])


def by_steps(place, score):
    """Of the change from the whole image to patches, the percent that equal steps make."""
    whole, equal, patches = (aside[place].scores(place, k, score).mean() for k in ASIDE[:3])
    if patches == whole:
        return "–"
    told = f"{100 * (equal - whole) / (patches - whole):.0f} %".replace("-", "−")
    return told + " of what is lost" * bool(patches > whole)  # of both scores less is better


full = [place for place in places if {WHOLE, PATCHES} <= set(results.labels(place))]
last = list(aside)[-1]
why = {
    "prim-patches-improve-endmembers": "The answer hangs on place and score. By the angle between each "
    "endmember and its reference, which counts all materials alike, patches are better by "
    + " and by ".join(f"**{ahead(place)} on {words(place)}**" for place in full)
    + "; the cosine above, the score of the authors' code, takes all endmembers at once and hardly sees a "
    "gain of the second size. A patch is "
    + " and ".join(f"{share(place):.1f} % of {words(place)}" for place in full)
    + ", and of a small image patches are nearly the image again. On "
    f"{last} **more steps on the whole image make {by_steps(last, ANGLE)} of the change** in the angle "
    "(*Patches, or steps?* below; other seeds, the text's reading).",
}

# %% [markdown]
# ## Claim by claim

# %% tags=["remove-input"]
for claim in CLAIMS:
    page.judge(claim, asked, why=why.get(claim, ""))
finite = [f"{100 * finite_gradients(loss).mean():.0f} %" for loss in (cosine_loss, arccosine_loss)]
page.text(
    "Computed with this page, for 64 random spectra where estimate and image point the same way: "
    f"**{finite[0]} of the gradients of one minus the cosine are finite, {finite[1]} of the arccosine's.**"
)

# %% tags=["remove-cell", "nbval-check-output"]
for claim, answer in asked.answers.items():
    print(f"{claim:36} {answer.word}")

# %% [markdown]
# ## Every seed
#
# One run can land anywhere among its dots; the report has one run of each kind.

# %% tags=["hide-input"]
ORDER = [WHOLE, PATCHES, CONSTANT]
trained = {place: [label for label in ORDER if label in results.labels(place)] for place in places}
dots = {
    place: {q: {k: results.scores(place, k, q) for k in labels} for q in TITLES}
    for place, labels in trained.items()
}
theirs = {
    place: {q: {k: reported(place, k, q) for k in METHODS} for q in TITLES}
    for place in places
    if place.startswith("urban")
}
told = "; ".join(f"{words(place)} {change(place, MSE)}" for place in full)
page.figure(
    "seeds",
    lambda: figures.seed_panels(dots, TITLES, reported=theirs),
    alt=f"Cosine of E and MSE of A of every seed. Mean MSE from the whole image to patches: {told}.",
    caption="Each dot is a seed, each bar their mean, diamonds the report's single runs on all of measured "
    f"Urban. Mean MSE of A from the whole image to patches: {told}.",
)

# %% [markdown]
# ## Patches, or steps?
#
# The two ways to train differ in more than patches: 100 epochs on one image are 100 steps, 200 epochs of ten
# steps are 2000. So we also train the whole image for 2000 steps, with the text's settings and other seeds;
# VCA with constrained least squares, which trains nothing, stands beside. These runs explain and decide
# nothing.

# %% tags=["hide-input"]
SIDE = {ANGLE: "angle of E, degrees (lower is better)", MSE: TITLES[MSE]}
apart = {
    place: {q: {k: scores.unit(q).factor * found.scores(place, k, q) for k in ASIDE} for q in SIDE}
    for place, found in aside.items()
}
told = "; ".join(
    f"{place} {by_steps(place, MSE)} in the MSE, {by_steps(place, ANGLE)} in the angle" for place in aside
)
page.figure(
    "steps",
    lambda: figures.seed_panels(apart, SIDE),
    alt=f"Every seed of four ways to unmix, by scene. What equal steps make of the change: {told}.",
    caption="Each dot is a seed, each bar their mean. Of the change from the whole image to patches, "
    f"equal steps alone make: {told}.",
)
ways = [
    {"scene": place, "score": title.partition(" (")[0]}
    | {k: scores.mean(found, place, k, q) for k in ASIDE}
    | {"made by steps": by_steps(place, q)}
    for place, found in aside.items()
    for q, title in SIDE.items()
]
page.table(
    pd.DataFrame(ways),
    caption="Means, and the share of the change from the whole image to patches that equal steps alone make.",
)

# %% [markdown]
# How the loss falls. The constant rate is that of the paper whose network the report builds on.

# %% tags=["hide-input"]
histories = {
    place: {k: [r.arrays["history/loss"] for r in results.pick(place, k)] for k in labels}
    for place, labels in trained.items()
}
told = "; ".join(
    f"{label} {np.median([h[-1] for h in runs]):.4f}" for label, runs in histories[places[0]].items()
)
page.figure(
    "curves",
    lambda: figures.curve_panels(histories, ylabel="1 - cosine, mean over pixels", counted=True),
    alt=f"Falling loss over epochs, a panel per scene. Median of the last on {places[0]}: {told}.",
    caption="Loss over epochs, both axes logarithmic: median and range of the seeds. An epoch is one step on "
    f"the whole image and ten on patches. Median of the last on {places[0]}: {told}.",
)

# %% [markdown]
# ## Look
#
# Endmembers over their references, and abundance maps, of the runs under *Patches, or steps?*

# %% tags=["hide-input"]
first = next(iter(aside))
shown = {label: aside[first].pick(first, label)[0] for label in ASIDE}
page.endmembers(
    first, shown, {k: np.rad2deg(r.scores[ANGLE]) for k, r in shown.items()}, over="mean over endmembers"
)
page.maps(first, shown)

# %% [markdown]
# ## Beside the reported

# %% tags=["hide-input"]
# on Samson's usual reference cos-endmembers-own-order is the same score as COSINE
as_code = page.beside(list(METHODS), first, seeds="0-4", amounts="desk", reading="code")
OLD = "cos-endmembers-own-order"
groups = [(place, "code", results, COSINE, trained[place]) for place in places]
groups += [
    (first, reading, found, OLD, METHODS) for reading, found in (("text", aside[first]), ("code", as_code))
]
rows = [
    {
        "scene, reading": f"{words(place)}, {reading}",
        "condition": label.replace(CONSTANT, "constant rate"),
        "cosine of E": scores.spread(cosine, found.scores(place, label, cosine)),
        "reported cosine": reported(place, label, COSINE) if label in METHODS else None,
        "MSE of A": scores.spread(MSE, found.scores(place, label, MSE)),
        "reported MSE": reported(place, label, MSE) if label in METHODS else None,
    }
    for place, reading, found, cosine, labels in groups
    for label in labels
]
page.table(
    pd.DataFrame(rows),
    caption="Mean ± standard deviation over the seeds, and Tables 1 and 3 of the report, whose Urban is the "
    "measured image of 307 x 307 pixels, without known truth.",
    formats={"reported cosine": "{:.4f}", "reported MSE": "{:.4f}"},
)
pairs = {
    reading: [(found.scores(first, k, q).mean(), reported(first, k, q)) for q in (OLD, MSE) for k in METHODS]
    for reading, found in (("text", aside[first]), ("code", as_code))
}
page.text(pages.which_reading(pairs))

# %% [markdown]
# ## The method
#
# The encoder maps the image $Y$ (bands x pixels) to abundances: a 3 x 3 convolution to 48 channels and a
# 1 x 1 convolution to the $p$ endmembers, each followed by a leaky ReLU, batch normalisation and channel
# dropout, then a softmax, which gives $A \ge 0$ and columns that sum to one. The decoder is one convolution
# without bias, $\hat Y = W * A$, with a kernel $W$ of 11 x 11 pixels. Summed over its positions,
# $E = \sum_{u} W_u$, the kernel is the answer to a uniform patch of one material: the endmembers. Training
# minimises
#
# $$ \sum_{i} \Bigl(1 - \frac{\hat y_i^\top y_i}{\lVert\hat y_i\rVert\,\lVert y_i\rVert}\Bigr) $$
#
# over the pixels $i$ with RMSprop, its rate falling by a twentieth every ten epochs. The cosine $c$ is blind
# to scale, so the scale of an endmember means nothing. The paper that the report builds on takes the angle,
# $\arccos c$, whose derivative $-1/\sqrt{1-c^2}$ is infinite where a perfect fit ends, at $c = 1$. Patches
# are cut once, at random positions.
#
# Text and code differ: the text describes a plain softmax and does not say how maps are read; the code
# multiplies what goes into the softmax by 3.5 and reads the maps with dropout still active. The reported
# figures came out of the code, so its reading decides. The report leaves open optimiser and rate, the number
# of filters, the kernel's size, dropout, how estimates are matched to the reference, and how many runs stand
# behind a figure (it seems one). Not tried: other kernels, and patches drawn anew in every epoch.

# %% tags=["remove-input"]
page.settings("ae-plain", "ae-patches")
page.provenance()
