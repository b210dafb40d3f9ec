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
# # Do perturbed copies of an image teach a network to unmix?
#
# **Question.** The student report on self-supervised unmixing (document 000) takes a first estimate of
# endmembers and abundances, multiplies the endmembers by random functions of the band, mixes them again
# and trains a fresh autoencoder on such images, whose truth is known. Its models 3 and 4 perturb once per
# image, models 5 to 7 in every pixel. It calls pixel-wise perturbation with patches the best of all seven
# on Urban, and the simple one with patches the best on Samson. Do they beat the estimate they start from?
#
# **What counts as a yes.** A claim is *reproduced* if the 95-percent interval of the mean difference over
# seeds lies on its side, *contradicted* if it lies on the other, *undecided* otherwise
# ([the rule](how-to-read.md)). A claim with several parts needs all of them.
#
# **Before you read.** [Does training on patches help?](patching.ipynb) tells what the autoencoder is; its
# model 2 is the first estimate here. In the quick profile the page takes half a minute on two CPU cores;
# with the `desk` profile about an hour.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names; the first is drawn
hard_scene = "lagoon"  # where claims about Urban are judged
easy_scene = "lagoon"  # where claims about Samson are judged
code_scene = "lagoon"  # scenes on which the second reading of the document is tried
seeds = 3
epochs_plain = 100  # of model 1
epochs_first = 30  # of model 2, the first estimate
patches_first = 60  # of model 2
patch_size = 20  # pixels
images = 4  # made for models 3 to 7; 0 takes the document's number for each model, and so do the next three
patches = 10  # cut from each image, models 4, 6 and 7
epochs = 3  # models 4, 6 and 7
epochs_whole = 6  # models 3 and 5
timed_side = 100  # pixels, of the images whose making is timed

# %%
import time
from itertools import product

import numpy as np
import pandas as pd
import torch

from hsu_lib import claims, scenes
from hsu_lib.learning import variability as perturbations
from hsu_lib.methods import get
from hsu_lib.metrics import max_normalised
from hsu_lib.publishing import figures, pages
from hsu_lib.publishing.html import verbatim
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

page = pages.Page("perturbations", profile)
names = scene.split(",")
code_names = [name for name in names if name in code_scene.split(",")]
hard, easy = (name if name in names else names[0] for name in (hard_scene, easy_scene))
drawn = names[0]

# %% [markdown]
# ## The method
#
# **First estimate.** Model 2, the autoencoder trained on patches, gives $E^*$ and $A^*$.
#
# **Perturbation.** Each endmember is multiplied by a piecewise-affine function of the band, given by its
# values $\xi_1, \xi_2, \xi_3$ at the first band, at a break and at the last band. The three are uniform
# on $[1 - c/2, 1 + c/2]$ with $c = 0.5$; the break is $\lfloor L/2\rfloor + \lfloor LU/3\rfloor$ with a
# standard normal $U$. Its stated range is 1 to $L$, which one draw in eight leaves: such a $U$ is drawn
# again.
#
# **Images.** *Simple*: $Y = E^{(i)} A^* + N$, one perturbed $E^{(i)}$ per image. *Pixel-wise*: every pixel
# perturbs $E^{(i)}$ once more. The noise $N$ is white with standard deviation 0.03, where the image's
# largest value is 1.
#
# **Training.** The same autoencoder, from scratch, with the balanced loss
#
# $$ \alpha\, d(\hat Y, Y) + (1 - \alpha)\bigl(d(\hat E, E) + d(\hat A, A)\bigr), \qquad \alpha = 0.3, $$
#
# where $d$ is one minus the cosine. The document sums it over an index that it does not explain; we take
# means over pixels and over endmembers, because with sums three endmembers would weigh nothing beside
# 1600 pixels. Where pixels differ, $E$ is the mean over them.
#
# Images are never stored here: a batch is perturbed, mixed and noised when the training asks for it.
# So the document's model 7, which was to save the storing, differs from model 6 in one thing only: every
# patch gets a perturbation of its own.

# %%
NAMES = {
    "ae-plain": "1 whole image",
    "ae-patches": "2 patches",
    "simple-perturbation": "3 simple",
    "simple-perturbation-patches": "4 simple, patches",
    "pixelwise-perturbation": "5 pixel-wise",
    "pixelwise-perturbation-patches": "6 pixel-wise, patches",
    "pixelwise-perturbation-random-patches": "7 pixel-wise, random patches",
    "vca-fclsu": "VCA + FCLSU",
}
M1, M2, M3, M4, M5, M6, M7, VCA = NAMES.values()
METHODS = {label: method for method, label in NAMES.items()}
first_estimate = {"patch_size": patch_size, "first_epochs": epochs_first, "first_patches": patches_first}
asked = {"images": images, "patches": patches, "epochs": epochs}
on_patches = first_estimate | {name: value for name, value in asked.items() if value}
asked = {"images": images, "epochs": epochs_whole}
on_images = first_estimate | {name: value for name, value in asked.items() if value}
conditions = {
    M1: {"epochs": epochs_plain},
    M2: {"epochs": epochs_first, "patches": patches_first, "patch_size": patch_size},
    M3: on_images,
    M4: on_patches,
    M5: on_images,
    M6: on_patches,
    M7: on_patches,
    VCA: {},
}


def runs(names, labels, **more):
    for name, label, seed in product(names, labels, range(seeds)):
        yield Run(METHODS[label], SceneSpec(name), seed, conditions[label] | more, label=label)


# %% [markdown]
# What each model trains on, in the document / here. `patches` 0 means whole images.


# %% tags=["nbval-check-output", "hide-input"]
def steps(settings):
    return settings.epochs * -(-settings.images * max(settings.patches, 1) // settings.batch)


MADE = (M3, M4, M5, M6, M7)  # models that train on made images
print(f"{'model':28}", *(f"{name:>14}" for name in ("images", "patches", "epochs", "steps")))
for label in MADE:
    both = get(METHODS[label]).configure(), get(METHODS[label]).configure(**conditions[label])
    cells = (
        " / ".join(str(getattr(settings, name)) for settings in both)
        for name in ("images", "patches", "epochs")
    )
    print(f"{label:28}", *(f"{cell:>14}" for cell in (*cells, " / ".join(str(steps(s)) for s in both))))
as_documented = all(
    steps(get(METHODS[label]).configure(**conditions[label])) == steps(get(METHODS[label]).configure())
    for label in MADE
)

# %% tags=["hide-input"]
page.text(
    "Every model trains at the document's settings."
    if as_documented
    else "**Scaled down.** Models 3 to 7 train with far fewer steps than in the document, as the table says; "
    "what they find after all of them may differ. A step on whole images sees more pixels than one on "
    f"patches, so it gets fewer of them. Models 1 and 2 train {epochs_plain} and {epochs_first} epochs "
    "(document: 100 and 200)."
)

# %% [markdown]
# ## Run

# %%
results = page.sweep(runs(names, conditions))
code_results = page.sweep(runs(code_names, [M2, M4, M6], reading="code"))
SNPA = "4 simple, patches, from SNPA"
from_snpa = page.sweep(
    Run(run.method, run.scene, run.seed, {**run.settings, "first": "snpa-fclsu"}, label=SNPA)
    for run in runs(code_names, [M4])
)

# %% [markdown]
# ## In short

# %% tags=["hide-input"]


def in_short(name):
    """What became of the abundances and the endmembers on a scene, against the first estimate."""
    parts = []
    for quantity, title in (
        ("mse-abundances", "the MSE of A"),
        ("sad-endmembers", "the spectral angle of E"),
    ):
        found = [results.compare(quantity, name, label, M2).verdict.value for label in MADE]
        parts.append(
            f"{found.count('reproduced')} of the {len(MADE)} perturbation models lower {title} of the "
            f"estimate that they start from, {found.count('contradicted')} raise it"
        )
    errors = {k: results.scores(name, k, "mse-abundances").mean() for k in results.labels(name)}
    best = min(errors, key=errors.get)
    return (
        f"- {verbatim(name)}: {'; '.join(parts)}; the rest is not told apart from it by {seeds} seeds. The "
        f"lowest mean MSE of A is that of {best}, {errors[best]:.4f} (first estimate {errors[M2]:.4f}, "
        f"VCA + FCLSU {errors[VCA]:.4f})."
    )


page.text("\n".join(in_short(name) for name in names))

# %% tags=["nbval-check-output", "hide-input"]
for name, label in product(names, conditions):
    for record in results.pick(name, label)[:1]:
        E = record.arrays["E"]
        print(f"{name:24} {label:30} E {E.shape[0]} x {E.shape[1]}, {record.status.lower()}")

# %% [markdown]
# ## Look
#
# What a perturbation looks like: the functions, and one endmember of the first estimate times each.

# %% tags=["hide-input"]
E_first = max_normalised(results.pick(drawn, M2)[0].arrays["E"])
law = perturbations.Variability()
E_torch = torch.tensor(E_first, dtype=torch.float32)
factors = law.draw((6, E_first.shape[1]), len(E_first), torch.Generator().manual_seed(0))
curves = perturbations.evaluate(factors, len(E_first))[:, 0]
copies = perturbations.perturb(E_torch, factors)
again = perturbations.perturb(
    copies[0],
    law.draw((200, E_first.shape[1]), len(E_first), torch.Generator().manual_seed(1)),
)
page.figure(
    "perturbation",
    lambda: figures.perturbation_panels(
        E_first[:, 0], curves.numpy(), copies[:, :, 0].numpy(), again[:, :, 0].numpy()
    ),
    alt="Left: six piecewise-affine functions of the band between 0.75 and 1.25. Middle: an endmember times "
    "each of them. Right: the band of spectra when each of 200 pixels perturbs one of those once more.",
    caption=f"Six random functions (left); the first endmember of the first estimate on {drawn} times each, "
    "one per image (middle); one of these perturbed once more by 200 pixels: median, and the ranges that "
    "hold 50 and 95 percent of the pixels (right).",
)

# %% [markdown]
# Endmembers over their references, each divided by its maximum. The order was found with the reference.

# %% tags=["hide-input"]
shown = {label: results.pick(drawn, label)[0] for label in (M2, M4, M6, VCA)}
angles = {label: np.rad2deg(results.scores(drawn, label, "sad-endmembers").mean()) for label in shown}
page.endmembers(drawn, shown, angles)

# %% [markdown]
# Abundance maps.

# %% tags=["hide-input"]
page.maps(drawn, shown)

# %% [markdown]
# Every seed.

# %% tags=["hide-input"]
titles = {
    "sad-endmembers": "spectral angle of E, rad (lower is better)",
    "mse-abundances": "MSE of A (lower is better)",
}
scores = {
    name: {q: {k: results.scores(name, k, q) for k in results.labels(name)} for q in titles} for name in names
}
told = "; ".join(f"{label} {values.mean():.4f}" for label, values in scores[drawn]["mse-abundances"].items())
page.figure(
    "seeds",
    lambda: figures.seed_panels(scores, titles),
    alt=f"Scores of every seed by scene and model. Mean abundance MSE on {drawn}: {told}.",
    caption=f"Each dot is one of {seeds} seeds, each bar their mean. Mean abundance MSE on {drawn}: {told}.",
)

# %% [markdown]
# ## Time and quality together
#
# The document compares its models by time too, measured on three different machines, and with the
# making of images counted where they were stored. We measure seconds per million pixels seen in training,
# generation included, and multiply by the pixels that the document's settings ask for on Urban
# (307 x 307). Time that the first estimate takes is left out for models 3 to 7, as in the document.

# %% tags=["hide-input"]
URBAN_SIDE = scenes.describe("urban").size[1]  # pixels
ours_side = {name: scenes.describe(name).size[1:] for name in names}


def pixels_seen(settings, whole):
    """Pixels that training at these settings sees, with `whole` pixels in an image."""
    per_image = settings.patches * settings.patch_size**2 if settings.patches else whole
    return settings.epochs * getattr(settings, "images", 1) * per_image


def minutes_on_urban(name, label):
    """Projected minutes at the document's settings on Urban, one value per seed."""
    here = pixels_seen(get(METHODS[label]).configure(**conditions[label]), np.prod(ours_side[name]))
    there = pixels_seen(get(METHODS[label]).configure(), URBAN_SIDE**2)
    seconds = np.array([record.seconds for record in results.pick(name, label)])
    return seconds / here * there / 60


TRAINED = [label for label in conditions if label != VCA]


def printed(label, part):
    """Minutes in Table 1: in all, for making the images, or for training; None where not printed."""
    method, table = METHODS[label], "Table 1"
    return claims.find_reported("prim", table=table, dataset="urban", method=method, metric=f"time-{part}")


def printed_minutes(label):
    parts = [printed(label, part) for part in ("total", "generation", "training")]
    return " + ".join(f"{minutes:.0f}" for minutes in parts if minutes is not None)


minutes = {label: minutes_on_urban(hard, label) for label in TRAINED}
page.table(
    pd.DataFrame(
        {
            "model": label,
            "million pixels seen, document": pixels_seen(get(METHODS[label]).configure(), URBAN_SIDE**2)
            / 1e6,
            "seconds per run here": np.mean([r.seconds for r in results.pick(hard, label)]),
            "projected minutes": values.mean(),
            "reported minutes": printed_minutes(label),
        }
        for label, values in minutes.items()
    ),
    caption=f"Time on {hard}, mean over {seeds} seeds, and projected to the document's settings. Reported: "
    "making images + training where it says so; models 1 and 2 on an Apple M1, 3, 4 and 6 on a T4, 5 and 7 "
    "on a V100.",
    formats={
        "million pixels seen, document": "{:.0f}",
        "seconds per run here": "{:.1f}",
        "projected minutes": "{:.1f}",
    },
)
told = "; ".join(f"{label} {values.mean():.1f}" for label, values in minutes.items())
page.figure(
    "time",
    lambda: figures.cost_panels(
        minutes,
        {q: {k: results.scores(hard, k, q) for k in TRAINED} for q in titles},
        titles,
        xlabel="projected minutes",
    ),
    alt=f"Scores against projected minutes of training on {hard}. Minutes: {told}.",
    caption=f"Quality on {hard} over projected minutes (logarithmic); each dot is a seed, lower left is "
    "better. Quality is that of the runs made here, which may be shorter than those projected.",
)

# %% [markdown]
# What does perturbing every pixel cost by itself? We make images of simulated endmembers and abundances
# with 162 bands and six endmembers, five times each way in turn, here and now.

# %% tags=["hide-input"]
generator = torch.Generator().manual_seed(0)
E_timed = torch.rand(1, 162, 6, generator=generator)
A_timed = torch.rand(1, 6, timed_side, timed_side, generator=generator).softmax(dim=1)


def seconds_of_an_image(pixelwise):
    started = time.perf_counter()
    perturbations.generate(E_timed, A_timed, noise=0.03, generator=generator, pixelwise=pixelwise)
    return time.perf_counter() - started


seconds_of_an_image(law)  # the first call sets tables up
timed = np.array([(seconds_of_an_image(law), seconds_of_an_image(None)) for _ in range(5)])
theirs = printed(M6, "generation"), printed(M4, "generation")
page.text(
    f"An image of {timed_side} x {timed_side} pixels takes {1000 * np.median(timed[:, 1]):.0f} ms simple and "
    f"{1000 * np.median(timed[:, 0]):.0f} ms pixel-wise (medians of five), "
    f"{np.median(timed[:, 0] / timed[:, 1]):.1f} times as long. The document's figures for 70 images of "
    f"{URBAN_SIDE} x {URBAN_SIDE} pixels are {theirs[1]:.0f} and {theirs[0]:.0f} minutes, "
    f"{theirs[0] / theirs[1]:.1f} times."
)

# %% [markdown]
# ## Beside the reported
#
# The document prints one run each. The cosine of $E$ appears twice: as its text defines it, over the whole
# matrix, and as its code computes it, with each estimate divided by its maximum first and the best
# order searched for every score anew.

# %% tags=["hide-input"]
KINDS = {
    "cos-endmembers": "cosine of E, as printed",
    "cos-endmembers-own-order": "cosine of E, as in the code",
    "mse-abundances": "MSE of A",
    "cos-abundances": "cosine of A",
}
TABLES = {"urban": "Table 1", "samson": "Table 3"}


def reported(label, name, quantity):
    dataset, metric = name.split("-")[0], quantity.removesuffix("-own-order")
    table, method = TABLES.get(dataset, ""), METHODS.get(label, "")
    return claims.find_reported("prim", table=table, dataset=dataset, method=method, metric=metric)


side = results.summary(KINDS).assign(reading="document")
side.loc[side["label"] == VCA, "reading"] = ""  # it has but one
if code_names:
    others = [code_results.summary(KINDS).assign(reading="code")]
    side = pd.concat([side, *others, from_snpa.summary(KINDS).assign(reading="document")])
side["reported"] = [reported(*key) for key in zip(side["label"], side["scene"], side["score"], strict=True)]
side = side.rename(columns={"label": "model"})
for name in names:
    rows = side[side["scene"] == name].replace({"score": KINDS})
    wide = rows.pivot_table("ours", ["model", "reading"], "score", aggfunc="first", sort=False)
    wide = wide[[KINDS[q] for q in KINDS if KINDS[q] in wide]]
    page.table(wide.reset_index(), caption=f"{name}: mean ± standard deviation over {seeds} seeds.")
page.text(
    "Models 3 and 5 are given nearly the same endmembers to find: the mean over all pixels of an image, the "
    "target of model 5, hardly differs from the target of model 3. Like figures for $E$ are to be expected."
)
known = side.dropna(subset=["reported"])
known = known[~known["score"].isin(["cos-endmembers"])].replace({"score": KINDS})
if len(known):
    page.table(
        known[["scene", "model", "reading", "score", "ours", "reported"]],
        caption="Ours beside the reported figures of Tables 1 and 3. On Urban the document used all "
        "307 x 307 pixels and six endmembers, so only the Samson rows compare like with like.",
        formats={"reported": "{:.4f}"},
    )

# %% tags=["hide-input"]
NEAR = ["cos-endmembers-own-order", "mse-abundances"]
near = side[side["scene"].isin(code_names) & side["score"].isin(NEAR)].dropna(subset=["reported"])
near = near[near["model"].isin([M2, M4, M6])]
off = (near["mean"] - near["reported"]).abs().groupby(near["reading"]).mean()
page.text(
    f"**Which reading comes nearer?** The text has one factor per endmember, a break anywhere, and a loss "
    "that compares spectra; the code has one factor for all endmembers, a break within two bands of the "
    "middle, and a loss that compares, band by band, the values of all endmembers. On "
    f"{verbatim(', '.join(code_names))}, for models 2, 4 and 6: *{claims.nearer(dict(off))}*. Our means are "
    + " and ".join(f"{distance:.4f} ({reading})" for reading, distance in off.items())
    + " away from the reported figures on average."
    if len(off) == 2
    else "**Which reading comes nearer?** No reported figure belongs to this scene, so neither can."
)

# %% [markdown]
# ## Verdicts
#
# What is said of endmembers is compared by both readings of their score and decided only if they agree.

# %% tags=["hide-input"]
COSINES = ("cos-endmembers", "cos-endmembers-own-order")
ABUNDANCES = ("mse-abundances", "cos-abundances")
on_hard = pages.stands_in(hard, "urban", patch_size)
scaled = "" if as_documented else "Training is scaled down as said above."


def compare(quantity, name, ours, against):
    pair = (reported(ours, name, quantity), reported(against, name, quantity))
    both = None if None in pair else pair
    if name == hard and both is None:
        pair = (reported(ours, "urban", quantity), reported(against, "urban", quantity))
        both = None if None in pair else pair
    return results.compare(quantity, name, ours, against, reported=both)


def better(name, ours, against, quantities=ABUNDANCES):
    """Comparisons of both readings of the endmembers' cosine, and of scores of the abundances."""
    cosines = tuple(compare(q, name, ours, against) for q in COSINES)
    return [cosines, *(compare(q, name, ours, against) for q in quantities)]


def same(quantity, ours, against):
    x, y = (results.scores(hard, label, quantity) for label in (ours, against))
    what = f"{hard}: {KINDS[quantity]}, {ours} equal to {against}"
    return claims.equivalent(what, hard, x, y, margin=claims.spread(x, y))


def quicker(ours, against):
    return claims.compare(
        f"{hard}: projected minutes, {ours} below {against}",
        hard,
        minutes[ours],
        minutes[against],
        better="lower",
    )


def judge(claim, comparisons, *reasons, **how):
    page.explore(claim, comparisons, reason=" ".join(filter(None, reasons)), **how)


# %% [markdown]
# ### On Urban

# %% tags=["hide-input"]
pairs = [(M2, M1), (M4, M3), (M6, M5)]
judge("prim-patches-help-every-variant", [c for pair in pairs for c in better(hard, *pair)], on_hard, scaled)
judge(
    "prim-simple-perturbation-improves-urban",
    [c for ours in (M3, M4) for c in better(hard, ours, M2)],
    on_hard,
    scaled,
)
judge("prim-simple-patches-preferred", [*better(hard, M4, M3), quicker(M4, M3)], on_hard, scaled)
judge(
    "prim-pixelwise-patches-best-urban",
    [c for other in (M1, M2, M3, M4, M5, M7) for c in better(hard, M6, other)],
    on_hard,
    scaled,
)
judge("prim-pixelwise-curbs-lmm-overfit", better(hard, M6, M4), on_hard, scaled)
judge(
    "prim-random-patches-equivalent",
    [tuple(same(q, M7, M6) for q in COSINES), *(same(q, M7, M6) for q in ABUNDANCES)],
    "Equal means: the mean difference stays within the run-to-run spread, twice the standard deviation over "
    "seeds.",
    on_hard,
    scaled,
)

# %% [markdown]
# ### Time

# %% tags=["hide-input"]
PROJECTED = (
    "Times are projected to the document's settings on Urban from runs on one machine, which they shared "
    "with other work."
)
quality = [tuple(compare(q, hard, M6, other) for q in COSINES) for other in (M5, M7)]
THEIR_CODE = (
    "Left undecided: the document's minutes measure its code, which takes 39 to 51 seconds for one "
    "pixel-wise image (book/prim_code.md) and stores its images; ours makes them again for every "
    "batch, in a small part of the time of training, so the number of pixels that the settings ask for "
    "decides. Judged by the rule, these times would contradict the claim (how-to-read, Changed with "
    "results in sight)."
)
judge(
    "prim-pixelwise-patches-best-value",
    [quicker(M6, M5), quicker(M6, M7), *quality],
    PROJECTED,
    THEIR_CODE,
    scaled,
    rehearsal=True,
)
judge("prim-random-patches-slow", [quicker(M6, M7)], PROJECTED, THEIR_CODE, rehearsal=True)
judge(
    "prim-pixelwise-costlier",
    [
        claims.compare(
            f"seconds to make an image of {timed_side} x {timed_side} pixels, pixel-wise above simple",
            "simulated",
            timed[:, 0],
            timed[:, 1],
            reported=theirs,
        )
    ],
    "Repetitions stand in for seeds. The direction holds; how much it is stands beside what is reported.",
)

# %% [markdown]
# ### On Samson, and both

# %% tags=["hide-input"]
NOT_SAMSON = "" if easy == "samson" else "Samson is not among the scenes of this profile."
three = (M2, M4, M6)


def over_099(label):
    values = results.scores(easy, label, "cos-endmembers-own-order")
    return claims.compare(
        f"{easy}: {KINDS['cos-endmembers-own-order']}, over 0.99, {label}", easy, values, 0.99
    )


judge("prim-samson-above-099", [over_099(label) for label in three], NOT_SAMSON, scaled)
judge(
    "prim-samson-simple-best",
    [c for other in (M2, M6) for c in better(easy, M4, other, ["mse-abundances"])],
    NOT_SAMSON,
    scaled,
)


def easier(label, quantity, way):
    return claims.compare(
        f"{KINDS[quantity]}, {label}: {easy} against {hard}",
        easy,
        results.scores(easy, label, quantity),
        results.scores(hard, label, quantity),
        better=way,
    )


judge(
    "prim-samson-easier",
    [
        part
        for label in three
        for part in (
            tuple(easier(label, q, "higher") for q in COSINES),
            easier(label, "mse-abundances", "lower"),
        )
    ],
    NOT_SAMSON,
    on_hard,
    scaled,
)
judge(
    "prim-samson-faster",
    [
        claims.compare(
            f"seconds per run, {label}: {easy} below {hard}",
            easy,
            *([r.seconds for r in results.pick(name, label)] for name in (easy, hard)),
            better="lower",
        )
        for label in three
    ],
    "The models that the document ran on Samson all train on patches of 40 x 40 pixels, equally many on both "
    "scenes, so only the number of bands and of endmembers differs.",
    on_hard,
)
judge(
    "prim-complexity-follows-scene",
    [
        part
        for name, ours, against in ((hard, M6, M4), (easy, M4, M6))
        for part in better(name, ours, against, ["mse-abundances"])
    ],
    NOT_SAMSON,
    on_hard,
    scaled,
)


# %% [markdown]
# Two claims are about pictures. "Almost binary" is read as the share of abundances below 0.05 or above
# 0.95; "contrast" as the standard deviation of each map, compared with the reference; "details" as the
# correlation of the differences between neighbouring pixels with those of the reference.

# %% tags=["hide-input"]
share_of_2 = results.scores(easy, M2, "extreme-abundances")
told = ", ".join(
    f"model {label} {100 * results.scores(easy, label, 'extreme-abundances').mean():.0f} %" for label in three
)
of_reference = 100 * results.scores(easy, M2, "extreme-abundances-reference").mean()
shares = f"Shares: {told}, reference {of_reference:.0f} %."
judge(
    "prim-samson-unsupervised-binary",
    [
        *(results.compare("extreme-abundances", easy, M2, other) for other in (M4, M6)),
        claims.compare(
            f"{easy}: share of extreme abundances, {M2} against the reference",
            easy,
            share_of_2,
            results.scores(easy, M2, "extreme-abundances-reference"),
        ),
    ],
    shares,
    NOT_SAMSON,
    scaled,
)
judge(
    "prim-samson-contrast-against-detail",
    [
        results.compare("contrast-abundances", easy, M4, M6),
        results.compare("detail-abundances", easy, M6, M4),
    ],
    NOT_SAMSON,
    scaled,
)

# %% tags=["nbval-check-output", "hide-input"]
for judgement in page.manifest.judgements:
    print(f"{judgement.claim:40} {judgement.verdict.value}")

# %% [markdown]
# ## Does it beat where it started?
#
# The question a reader would ask first: is a perturbation model better than the estimate it was trained
# from, and than VCA with FCLSU?

# %% tags=["hide-input"]
WORDS = {"reproduced": "yes", "contradicted": "no", "undecided": "undecided"}
answers = pd.DataFrame(
    {
        "scene": name,
        "question": f"{ours} better than {against}?",
        "score": titles[quantity].split(" (")[0],
        "mean difference": found.mean,
        "95 % interval": f"{found.low:+.4f} to {found.high:+.4f}",
        "answer": WORDS[found.verdict.value],
    }
    for name, ours, against, quantity in product(names, MADE, (M2, VCA), titles)
    for found in [results.compare(quantity, name, ours, against)]
)
for (against, score), group in answers.groupby([answers["question"].str.split(" than ").str[1], "score"]):
    counts = ", ".join(f"{answer} {count}" for answer, count in group["answer"].value_counts().items())
    page.text(f"- Better than {against} By {score}, {len(group)} comparisons: {counts}.")
page.table(
    answers,
    caption=f"Paired differences over {seeds} seeds, positive where the first is better.",
    formats={"mean difference": "{:+.4f}"},
)

# %% [markdown]
# ## What the document leaves open
#
# Not in the text: the variability $c$ (0.5 in the code), what happens when the break leaves its range, the
# scale of the perturbed endmembers beside noise of 0.03 (the loss of the first estimate is blind to
# scale; we fit one factor per endmember so that $E^* A^*$ is nearest to the image), whether patches and
# perturbations are drawn once or in every epoch (once, as in the code; noise and pixel-wise factors anew),
# and which estimate the formulas labelled SNPA mean (we also start from SNPA with FCLSU on
# the scene where both readings run). Not tried: other variabilities, clipping the break
# (`outside=clip`), and more than one round of estimate and refinement.

# %% tags=["hide-input"]
page.provenance()
