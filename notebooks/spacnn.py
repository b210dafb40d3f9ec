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
# # Do neighbours help an encoder of abundances?
#
# **Question.** Document 003 lets the encoder of [the latent Dirichlet autoencoder](ldvae.ipynb) see the
# pixels around the one that it encodes: convolutions on a patch, and an attention that weighs its places. It
# reports that this improves endmembers and abundances alike. Is it the neighbours?
#
# **What counts as a yes.** A claim is *reproduced* if the 95-percent interval of the mean difference over
# seeds lies on its side, *contradicted* if it lies on the other, *undecided* otherwise
# ([the rule](how-to-read.md)).
#
# **Before you read.** [The chapter on the pixel-wise model](ldvae.ipynb). In the quick profile the page takes
# half a minute on two CPU cores; with the `desk` profile about an hour.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
# scenes that stand for the document's four; a scene's own pixels are split, unless it learns from another one
samson = "lagoon"
urban = "lagoon"
ontech = "lagoon"
ontech_source = "lagoon"
coherent = "lagoon"  # as ontech, but neighbouring pixels are alike
coherent_source = "lagoon"
cuprite = "lagoon"
cuprite_source = "lagoon"
urban_crop = ""  # row, column, height, width
seeds = 3
epochs = 3
pixel_epochs = 3  # of the pixel-wise model, whose epochs are several times as fast
patch = 3  # pixels
other_patches = ""  # beside one pixel
noise_levels = "50,20"  # dB, on ontech

# %%
from itertools import product

import numpy as np
import pandas as pd

from hsu_lib import claims, scenes
from hsu_lib.methods import get
from hsu_lib.publishing import figures, pages
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

page = pages.Page("spacnn", profile)
levels = [None, *(float(level) for level in noise_levels.split(","))]
lowest = min(level for level in levels if level)
sides = {1, patch, *(int(side) for side in other_patches.split(",") if side)}


def spec(name, level=None, seed=0):
    """A scene with noise of that level: another draw for each seed. Cuprite on the image's own bands."""
    return SceneSpec(
        name,
        "aligned" if name == "cuprite-window" else "",
        crop=tuple(map(int, urban_crop.split(","))) if urban_crop and name == urban else None,
        snr_db=level,
        noise_seed=0 if level is None else seed,
    )


# %% [markdown]
# ## The method
#
# The encoder keeps the size of its patch: a stem and six blocks, each a convolution, batch normalisation and
# ReLU. From the features $F$ an attention map is made of their mean and their largest channel, and the places
# are summed up with its weights:
#
# $$ a = \sigma\bigl(f(\operatorname{mean}_c F,\ \max_c F)\bigr), \qquad \sum_{ij} a_{ij} F_{ij}, $$
#
# with $f$ a convolution of side 3. One linear layer makes concentrations of the sum. Decoder and loss are
# those of the pixel-wise model; only the pixel in the middle is rebuilt. The document prints neither the size
# of the patch nor the number of channels.
#
# **Two changes in one.** Its equation 3 also ends the encoder in a *softmax*, so that the concentrations sum
# to one: a sample of such a Dirichlet distribution is nearly pure, however mixed its mean is. What ends the
# encoder of the pixel-wise model, document 004 does not say; with *softplus*, which leaves the sum free, it
# can be sure of a mixed pixel. So that neighbours are not mistaken for that, both models run with both, and a
# claim about neighbours is decided only where both pairs agree. The models still differ in more than
# neighbours: convolutions against full layers, and the epochs that fit into the time. The clean comparison is
# the spatial model with a patch of one pixel, further below.

# %%
SPATIAL, PIXEL = "SpACNN-LDVAE", "LDVAE"
SOFTMAX, SOFTPLUS = "softmax", "softplus"
METHODS = {
    SPATIAL: ("spacnn-ldvae", {"epochs": epochs, "patch": patch}),
    PIXEL: ("ldvae", {"epochs": pixel_epochs}),
}
MODELS = [(model, activation) for activation in (SOFTMAX, SOFTPLUS) for model in METHODS]
LABELLED, VCA, TRUE = "labels + FCLSU", "VCA + FCLSU", "reference E + FCLSU"
LEAST_SQUARES = {LABELLED: "labels", VCA: "vca", TRUE: "scene"}
FROM = {
    "samson": {"share": 0.8},
    "urban": {"share": 0.8},
    "ontech-syn-21": {"trained_on": ontech_source},
    "coherent": {"trained_on": coherent_source},
    "cuprite": {"trained_on": cuprite_source},
}
WHERE = {
    "samson": samson,
    "urban": urban,
    "ontech-syn-21": ontech,
    "coherent": coherent,
    "cuprite": cuprite,
}
DOCUMENTS = ("samson", "urban", "ontech-syn-21", "cuprite")
SYNTHETIC = ("ontech-syn-21", "coherent")


def run(dataset, model, activation, seed, level=None, **more):
    method, settings = METHODS[model]
    asked = {"activation": activation} | settings | FROM[dataset] | more
    label = f"{dataset}: {model}, {activation}"
    return Run(method, spec(WHERE[dataset], level, seed), seed, asked, label=label)


def least_squares(dataset, label, seed, level=None):
    asked = FROM[dataset] | {"endmembers_from": LEAST_SQUARES[label]}
    where = spec(WHERE[dataset], level, seed)
    return Run("labelled-fclsu", where, seed, asked, label=f"{dataset}: {label}")


conditions = [(dataset, None) for dataset in DOCUMENTS]
conditions += [("ontech-syn-21", level) for level in levels[1:]] + [("coherent", lowest)]
found = {
    (dataset, level): page.sweep(
        [run(dataset, *model, seed, level) for model, seed in product(MODELS, range(seeds))]
        + [least_squares(dataset, label, seed, level) for label, seed in product(LEAST_SQUARES, range(seeds))]
    )
    for dataset, level in conditions
}

# %%
RMSE, SAD = "test/rmse-abundances-averaged", "sad-endmembers"


def name(model):
    """What a model is called: a pair of model and activation, or least squares."""
    return model if isinstance(model, str) else ", ".join(model)


def scores(dataset, model, quantity, level=None):
    """One score by seed; of abundances, mean over materials of the RMSE over the test pixels."""
    label = f"{dataset}: {name(model)}"
    return found[dataset, level].scores(str(spec(WHERE[dataset], level)), label, quantity)


def told(dataset, model, what, level=None):
    """What the histories of all seeds hold under that name; shape (seeds, ...)."""
    label = f"{dataset}: {name(model)}"
    records = found[dataset, level].pick(str(spec(WHERE[dataset], level)), label)
    return np.stack([record.arrays[f"history/{what}"] for record in records])


def first(dataset, model):
    return found[dataset, None].pick(str(spec(WHERE[dataset])), f"{dataset}: {name(model)}")[0]


# %% tags=["nbval-check-output", "hide-input"]
asked = get("spacnn-ldvae").configure(epochs=epochs, patch=patch)
for row in get("spacnn-ldvae").describe():
    print(f"{row['setting']:22} {getattr(asked, row['setting'])!s:>14}   {row['source']}")

# %% [markdown]
# ## Look

# %% tags=["hide-input"]
page.maps(samson, {name(model): first("samson", model) for model in MODELS})

# %% tags=["hide-input"]
page.endmembers(
    samson,
    {name(model): first("samson", model) for model in MODELS},
    {name(model): np.degrees(scores("samson", model, SAD).mean()) for model in MODELS},
)

# %% [markdown]
# Over the noise, on the synthetic image.

# %% tags=["hide-input"]
noisy = levels[1:]
TITLES = {SAD: "SAD of E (rad)", RMSE: "RMSE of A"}
curves = {
    quantity: {
        name(model): [scores("ontech-syn-21", model, quantity, level) for level in noisy]
        for model in [*MODELS, LABELLED, VCA]
    }
    for quantity in TITLES
}
drawn = "; ".join(
    f"{label} {groups[0].mean():.3g} to {groups[-1].mean():.3g}" for label, groups in curves[RMSE].items()
)
page.figure(
    "noise",
    lambda: figures.dose_panels(noisy, curves, TITLES, xlabel="SNR (dB)", logarithmic=True),
    alt=f"Errors over the SNR on {ontech}. RMSE from {noisy[0]:g} to {noisy[-1]:g} dB: {drawn}.",
    caption=f"{ontech}: each dot is one of {seeds} seeds, lines are means. RMSE of A from {noisy[0]:g} to "
    f"{noisy[-1]:g} dB: {drawn}.",
)

# %% [markdown]
# ## What we found
#
# The endmembers of *labels + FCLSU* on the noiseless synthetic images are exact by construction, and the
# models' are what they remember of them.

# %% tags=["hide-input"]
for dataset, level in conditions:
    if dataset != "coherent" and level is not None:
        continue
    table = found[dataset, level].table
    rows = []
    for model in [*MODELS, *LEAST_SQUARES]:
        row = {"method": name(model)}
        for quantity, title in ((RMSE, "RMSE of A"), (SAD, "SAD of E (rad)")):
            known = quantity in table and not table[quantity].isna().any()
            row[title] = pages.mean_and_spread(scores(dataset, model, quantity, level)) if known else ""
        angle = told(dataset, model, "reconstruction-angle", level)[:, 0]
        rows.append(row | {"SAD rebuilt": pages.mean_and_spread(angle)})
    page.table(
        pd.DataFrame(rows),
        caption=f"{spec(WHERE[dataset], level)}: test pixels, mean ± standard deviation over {seeds} seeds. "
        "RMSE and SAD of E are means over materials; SAD rebuilt is the mean angle between a pixel and its "
        "reconstruction.",
    )

# %% [markdown]
# The document's tables, with all their columns ([the one on Cuprite](ldvae_transfer.ipynb) has a chapter of
# its own). It prints the figures of the pixel-wise model from document 004 again, two of them differently:
# 0.2889 for asphalt (0.2289 there) and 0.3431 for tree on Samson (0.3461 there). VCA's mean angle on Urban is
# 0.2142 here and 0.2146 there, with the same six rows.

# %% tags=["hide-input"]
NAMES = {level: "snr=inf" if level is None else f"snr={level:g}" for level in levels}
SHOWN = [*MODELS, LABELLED, VCA]


def materials_of(dataset, rows):
    """Our names for the document's materials, where there are as many."""
    info = scenes.describe(WHERE[dataset])
    materials = info.materials[info.usual]
    return dict(zip(rows, materials, strict=True)) if len(rows) == len(materials) else {}


def by_material(dataset, model, quantity, rows):
    """Our texts for the rows of a table: a material each, in the document's order, then the mean."""
    known = materials_of(dataset, rows)
    per = {SAD: "sad-endmembers", RMSE: "test/rmse-abundances"}[quantity]
    texts = [
        pages.mean_and_spread(scores(dataset, model, f"{per}/{known[row]}")) if row in known else ""
        for row in rows
    ]
    return [*texts, pages.mean_and_spread(scores(dataset, model, quantity))]


METRICS = {RMSE: "rmse-abundances", SAD: "sad-endmembers"}
MEASURED = {RMSE: "RMSE of A", SAD: "spectral angle of E in radians"}
for (table, dataset), quantity in product((("Table 1", "samson"), ("Table 2", "urban")), METRICS):
    printed = claims.printed_table("spacnn_ldvae", table, METRICS[quantity])
    ours = {name(model): by_material(dataset, model, quantity, printed.index[:-1]) for model in SHOWN}
    page.table(
        pages.beside(printed, ours),
        caption=f"{table}: {MEASURED[quantity]} on {WHERE[dataset]}, by material.",
    )
for table, quantity in (("Table 4", SAD), ("Table 5", RMSE)):
    printed = claims.printed_table("spacnn_ldvae", table, METRICS[quantity])
    here = {NAMES[level]: level for level in levels}
    ours = {
        name(model): [
            pages.mean_and_spread(scores("ontech-syn-21", model, quantity, here[row])) if row in here else ""
            for row in printed.index
        ]
        for model in SHOWN
    }
    page.table(
        pages.beside(printed, ours),
        caption=f"{table}: {MEASURED[quantity]} on {ontech}, by SNR.",
    )

# %% tags=["hide-input"]
p = 9  # minerals of OnTech-HSI-Syn-21
nothing = np.sqrt((p - 1) / (p**2 * (p + 1)))
low, high = (
    claims.reported_value("spacnn_ldvae", table="Table 5", method="spacnn-ldvae", condition=condition)
    for condition in ("snr=inf", "snr=50")
)
page.text(
    f"An estimate of 1/{p} for every abundance of every pixel, which looks at no image, has an RMSE of "
    f"{nothing:.4f} where abundances are uniform on the simplex (their standard deviation). The document "
    f"reports {low:g} for its model without noise and at 20 dB, and {high:g} at 30 to 50 dB."
)

# %% [markdown]
# ## Which part does it?
#
# Without attention, and with other patches; a patch of one pixel has no neighbours.

# %% tags=["hide-input"]
CHANGES = {f"patch {side}": {"patch": side} for side in sorted(sides)} | {
    "no attention": {"attention": False}
}
parts = page.sweep(
    Run(
        "spacnn-ldvae",
        spec(samson),
        seed,
        {"epochs": epochs, "patch": patch, "activation": activation} | FROM["samson"] | change,
        label=f"{words}, {activation}",
    )
    for (words, change), activation, seed in product(CHANGES.items(), (SOFTMAX, SOFTPLUS), range(seeds))
)
rows = []
for words in CHANGES:
    row = {"encoder": words + (" (as above)" if words == f"patch {patch}" else "")}
    for activation in (SOFTMAX, SOFTPLUS):
        label = f"{words}, {activation}"
        row[f"RMSE of A, {activation}"] = pages.mean_and_spread(parts.scores(str(spec(samson)), label, RMSE))
        row[f"SAD of E (rad), {activation}"] = pages.mean_and_spread(
            parts.scores(str(spec(samson)), label, SAD)
        )
    rows.append(row)
page.table(
    pd.DataFrame(rows), caption=f"{samson}: test pixels, mean ± standard deviation over {seeds} seeds."
)

# %% tags=["hide-input"]
worth = []
for activation in (SOFTMAX, SOFTPLUS):
    wide, single = (
        parts.scores(str(spec(samson)), f"patch {side}, {activation}", RMSE) for side in (patch, 1)
    )
    gain = claims.compare("RMSE", "samson", wide, single, better="lower")
    worth.append(f"{gain.mean:+.3f} with {activation} (95 % interval {gain.low:+.3f} to {gain.high:+.3f})")
page.text(
    f"What a patch of {patch} x {patch} pixels takes off the RMSE of one without neighbours, with the same "
    f"network: {'; '.join(worth)}."
)

# %% [markdown]
# ## Do neighbours leak?
#
# Drawn pixel by pixel, a test pixel is a neighbour of training pixels, and a patch even contains it while the
# model is trained (its spectrum, never its abundances). Whole blocks of 10 x 10 pixels, of which only patches
# that lie inside training blocks are used, end that. Where the interval of the difference contains zero,
# these seeds do not tell.

# %% tags=["hide-input"]
blocks = page.sweep(
    run("samson", *model, seed, split="blocks") for model, seed in product(MODELS, range(seeds))
)
rows = []
for model in MODELS:
    apart = blocks.scores(str(spec(samson)), f"samson: {name(model)}", RMSE)
    together = scores("samson", model, RMSE)
    worse = claims.compare("RMSE with blocks above that with pixels", "samson", apart, together)
    rows.append(
        {
            "method": name(model),
            "RMSE, pixels": pages.mean_and_spread(together),
            "RMSE, blocks": pages.mean_and_spread(apart),
            "difference, 95 % interval": f"{worse.low:+.3g} to {worse.high:+.3g}",
        }
    )
page.table(
    pd.DataFrame(rows), caption=f"{samson}: RMSE of the test pixels by how they were drawn, {seeds} seeds."
)

# %% [markdown]
# ## Where neighbours should help
#
# On a coherent image neighbours have much to say about a noisy pixel. Here the truth is known.

# %% tags=["hide-input"]
rows = []
for dataset, activation in product(SYNTHETIC, (SOFTMAX, SOFTPLUS)):
    errors = [scores(dataset, (model, activation), RMSE, lowest) for model in (SPATIAL, PIXEL)]
    gain = claims.compare("RMSE", dataset, *errors, better="lower")
    rows.append(
        {
            "scene": f"{WHERE[dataset]}, {lowest:g} dB",
            "activation": activation,
            f"RMSE of A, {SPATIAL}": pages.mean_and_spread(errors[0]),
            f"RMSE of A, {PIXEL}": pages.mean_and_spread(errors[1]),
            "gain, 95 % interval": f"{gain.low:+.3g} to {gain.high:+.3g}",
        }
    )
page.table(
    pd.DataFrame(rows), caption=f"What neighbours are worth without and with coherence, {seeds} seeds."
)

# %% [markdown]
# ## Verdicts
#
# Comparisons of the two models stand in pairs: both with softmax, both with softplus. Claims about the
# spatial model alone are judged with softmax, which is the document's.

# %% tags=["hide-input"]
settings_note = (
    f"{epochs} epochs ({pixel_epochs} of {PIXEL}), patches of {patch} x {patch} pixels and all sizes of the "
    "network are ours: the document does not print them."
)
MODEL = (SPATIAL, SOFTMAX)


def judge(claim, comparisons, *reasons, **how):
    used = {c.scene for group in comparisons for c in (group if isinstance(group, tuple) else (group,))}
    stand_ins = [f"{WHERE[d]} for {d}" for d in DOCUMENTS if d in used and WHERE[d] != d]
    elsewhere = f"Judged on {', '.join(stand_ins)}." if stand_ins else ""
    page.explore(
        claim, comparisons, reason=" ".join(filter(None, (*reasons, elsewhere, settings_note))), **how
    )


def pair(dataset, quantity, words, level=None):
    """Is the spatial model's error the lower one? With both activations."""
    where = WHERE[dataset] + (f" at {level:g} dB" if level else "")
    return tuple(
        claims.compare(
            f"{where}: {words} of {SPATIAL} below {PIXEL}, {activation}",
            dataset,
            *(scores(dataset, (model, activation), quantity, level) for model in (SPATIAL, PIXEL)),
            better="lower",
        )
        for activation in (SOFTMAX, SOFTPLUS)
    )


def each_material(dataset, quantity, table, words):
    """`pair` for the mean over materials and for each material."""
    printed = claims.printed_table("spacnn_ldvae", table, METRICS[quantity]).index[:-1]
    per = {SAD: "sad-endmembers", RMSE: "test/rmse-abundances"}[quantity]
    known = materials_of(dataset, printed)
    return [
        pair(dataset, quantity, f"mean {words}"),
        *(pair(dataset, f"{per}/{known[row]}", f"{words} ({row})") for row in known),
    ]


KINDS = ((SAD, "SAD of E"), (RMSE, "RMSE of A"))
on_ontech = [pair("ontech-syn-21", *kind, level) for kind in KINDS for level in levels]
patches = {
    f"{samson}, patch {patch} against one pixel in the same network": [
        tuple(
            claims.compare(
                f"{samson}: {words}, patch {patch} below one pixel, {activation}",
                "samson",
                *(
                    parts.scores(str(spec(samson)), f"patch {side}, {activation}", quantity)
                    for side in (patch, 1)
                ),
                better="lower",
            )
            for activation in (SOFTMAX, SOFTPLUS)
        )
        for quantity, words in KINDS
    ]
}
judge(
    "spacnn-context-improves-both",
    [pair(dataset, *kind) for dataset in ("samson", "urban") for kind in KINDS]
    + [pair("cuprite", *KINDS[0])]
    + on_ontech,
    also=patches,
)
judge("spacnn-samson-lower-rmse", each_material("samson", RMSE, "Table 1", "RMSE of A"))
judge("spacnn-samson-lower-sad", each_material("samson", SAD, "Table 1", "SAD of E"))
judge("spacnn-urban-lower-rmse", each_material("urban", RMSE, "Table 2", "RMSE of A"))
judge("spacnn-urban-lower-sad", each_material("urban", SAD, "Table 2", "SAD of E"))
judge("spacnn-ontech-lower-errors", on_ontech)
by_level = np.array([scores("ontech-syn-21", MODEL, SAD, level) for level in levels])
judge(
    "spacnn-ontech-sad-flat-in-snr",
    [
        claims.compare(
            f"{ontech}: range of the SAD of E over {len(levels)} levels of noise, at most 0.01",
            "ontech-syn-21",
            np.ptp(by_level, axis=0),
            0.01,
            better="lower",
        )
    ],
    "Each seed has a range of its own, which its randomness widens; the means over seeds, as a table prints "
    f"them, have one of {np.ptp(np.mean(by_level, axis=1)):.4f}.",
)


def steadier(dataset, quantity, words):
    """Are the spatial model's seeds nearer their mean? With both activations."""
    return tuple(
        claims.compare(
            f"{WHERE[dataset]}: distance of a seed's {words} from their mean, {SPATIAL} below {PIXEL}, "
            f"{activation}",
            dataset,
            *(
                abs(values - values.mean())
                for values in (scores(dataset, (model, activation), quantity) for model in (SPATIAL, PIXEL))
            ),
            better="lower",
        )
        for activation in (SOFTMAX, SOFTPLUS)
    )


judge(
    "spacnn-lower-spread",
    [steadier(dataset, *kind) for dataset in ("samson", "urban", "ontech-syn-21") for kind in KINDS]
    + [steadier("cuprite", *KINDS[0])],
    "The spreads that the document prints for the pixel-wise model are its means again, rounded, so they say "
    f"nothing about runs. {seeds} seeds have little to say about a spread: each counts by its distance from "
    "their mean.",
)
judge(
    "spacnn-satisfies-constraints",
    [c for d in DOCUMENTS for c in claims.constrained(WHERE[d], d, told(d, MODEL, "constraints"))],
    rehearsal=False,
)
judge(
    "spacnn-generates-pixels",
    [
        claims.compare(
            f"{WHERE[dataset]}: mean {words} of spectra from true abundances below twice the rebuilt ones",
            dataset,
            told(dataset, MODEL, f"generated-{kind}")[:, 0],
            2 * told(dataset, MODEL, f"reconstruction-{kind}")[:, 0],
            better="lower",
        )
        for dataset in ("samson", "urban", "ontech-syn-21")
        for kind, words in (("angle", "SAD"), ("mse", "MSE"))
    ],
)

# %% tags=["nbval-check-output", "hide-input"]
for judgement in page.manifest.judgements:
    print(f"{judgement.claim:32} {judgement.verdict.value}")

# %% [markdown]
# ## What the document leaves open
#
# The size of the patch, the number of channels and how they become concentrations, prior, omega, batch,
# epochs, how borders are treated, whether test pixels may be in training patches, and what the spreads are
# over.

# %% tags=["hide-input"]
page.provenance()
