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
# # Is an untrained network a prior for abundances?
#
# **Question.** UnDIP feeds fixed noise to a convolutional network and changes its weights until the output,
# taken for abundances and mixed with endmembers picked from the image, looks like the image. No training
# data, no regulariser: the network is meant to be the prior. A student report (document 001) builds it
# again, says that it reproduces the paper, that averaging the outputs makes the number of iterations
# harmless, and that of seven optimisers the paper's is the best. The report shows curves and pictures, no
# figures: those on this page are the first.
#
# **What counts as a yes.** A claim is *reproduced* if the 95-percent interval of the mean difference over
# seeds lies on its side, *contradicted* if it lies on the other, *undecided* otherwise
# ([the rule](how-to-read.md)).
#
# **Before you read.** [How scores and alignment work](metrics.ipynb). In the quick profile the page takes
# half a minute on two CPU cores; with the `desk` profile about twenty minutes.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names; the first is drawn
curve_scene = "lagoon"  # whose error is followed over the iterations (Jasper Ridge in the document)
optimiser_scene = "lagoon"  # where optimisers are compared
seeds = 3
iterations = 150
iterations_optimisers = 60
filters = 16
frames = 12  # of the moving picture

# %%
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hsu_lib import claims, scenes
from hsu_lib.claims.convergence import common_threshold, reached, settled
from hsu_lib.learning.networks.prior import DeepPrior, parameters
from hsu_lib.methods import get
from hsu_lib.methods.priors.undip import snapshots_at
from hsu_lib.publishing import figures, pages
from hsu_lib.publishing.html import verbatim
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

page = pages.Page("undip", profile)
names = scene.split(",")
drawn, followed = names[0], curve_scene if curve_scene in names else names[0]

# %% [markdown]
# ## The method
#
# Endmembers $E$ are picked by SiVM. The network $f_\theta$ maps a fixed random $Z$, of the image's size with
# one channel per endmember, to abundances: a 3 x 3 convolution with stride 2 and another to 256 channels,
# bilinear upsampling, joined by 4 channels that a 1 x 1 convolution takes straight from $Z$, a 3 x 3 and two
# 1 x 1 convolutions. Each is followed by batch normalisation and leaky ReLU, the last by a softmax, which
# gives ANC and ASC. Adam minimises
#
# $$ \tfrac12 \lVert Y - E f_\theta(Z) \rVert_F^2 $$
#
# over $\theta$. The estimate is not the last output but the exponentially weighted average of all, with a
# window of 100 iterations. Both are recorded in every iteration, so one run shows what averaging does.
#
# **What is true?** The document takes FCLSU on SiVM's endmembers for the ground truth. That is itself an
# estimate, and the one that UnDIP is to improve on. Here every error stands twice: against that, and against
# the published reference of the scene. FCLSU itself stands in every table, for it is what a reader would use
# instead.

# %%
UNDIP, FCLSU = "UnDIP", "SiVM + FCLSU"
settings = {"iterations": iterations, "filters": filters}


def runs(names):
    for name, seed in product(names, range(seeds)):
        # the maps on the way of one run, for the moving picture
        kept = {"snapshots": frames} if name == drawn and seed == 0 else {}
        yield Run("undip", SceneSpec(name), seed, settings | kept, label=UNDIP)


baselines = [Run("sivm-fclsu", SceneSpec(name), label=FCLSU) for name in names]

# %% tags=["nbval-check-output", "hide-input"]
asked = get("undip").configure(**settings)
for row in get("undip").describe():
    value, there = getattr(asked, row["setting"]), row["default"]
    print(f"{row['setting']:16} {value!s:>8}   {row['source']}{'' if value == there else f': {there}'}")
count = parameters(DeepPrior(3, filters=filters))
print(f"{'values trained':16} {count:>8}   with three endmembers")

# %%
results = page.sweep([*runs(names), *baselines])

# %% [markdown]
# ## Look
#
# How the estimate takes shape: the averaged abundance maps of one run.

# %% tags=["hide-input"]
info = scenes.describe(drawn)
materials = info.materials[info.usual]
record = results.pick(drawn, UNDIP)[0]
page.mapped([record])
kept = record.arrays["history/snapshots"]
done = [step + 1 for step in snapshots_at(iterations, frames)]
page.movie(
    "maps-moving",
    (figures.map_row(maps, materials, f"iteration {n}") for maps, n in zip(kept, done, strict=True)),
    alt=f"Averaged abundance maps of {', '.join(materials)} on {drawn} over the iterations of UnDIP: from "
    "even grey to clear shapes.",
    caption=f"Averaged abundances on {drawn}, seed 0, at {len(kept)} iterations from 1 to {iterations}; the "
    "steps grow. In print, and for readers who prefer less motion, the last one.",
)

# %% [markdown]
# The last maps beside FCLSU's and the reference.

# %% tags=["hide-input"]
shown = {label: results.pick(drawn, label)[0] for label in (UNDIP, FCLSU)}
page.maps(drawn, shown)

# %% [markdown]
# Errors over the iterations, of the outputs and of their average.

# %% tags=["hide-input"]
TITLES = {
    "mse-reconstruction": "reconstruction error",
    "mae-abundances-fclsu": "MAE against FCLSU",
    "mae-abundances": "MAE against reference",
}


def curves(name, quantity, averaged=True):
    """Error at every iteration, shape (seeds, iterations)."""
    ending = "-averaged" if averaged else ""
    return np.stack([r.arrays[f"history/{quantity}{ending}"] for r in results.pick(name, UNDIP)])


histories = {
    TITLES[q]: {"output": curves(followed, q, averaged=False), "average": curves(followed, q)} for q in TITLES
}
last = "; ".join(f"{title} {h['average'][:, -1].mean():.4g}" for title, h in histories.items())
page.figure(
    "curves",
    lambda: figures.curve_panels(histories, ylabel="error", steps="iterations"),
    alt=f"Errors on {followed} over the iterations, of outputs and of their average. Last means: {last}.",
    caption=f"{followed}: median over {seeds} seeds, range of all; reconstruction errors in the unit of "
    f"the normalised image. Last means of the average: {last}.",
)

# %% [markdown]
# ## What we found
#
# The document prints no figure to put beside ours. FCLSU has no random part, so one run is all of it; its
# MAE against itself is zero by definition.

# %% tags=["hide-input"]
KINDS = {
    "mse-reconstruction": "RE",
    "mae-abundances-fclsu": "MAE against FCLSU",
    "mae-abundances": "MAE against the reference",
}
rows = []
for name, label in product(names, (UNDIP, FCLSU)):
    row = {"scene": name, "method": label}
    row |= {title: pages.mean_and_spread(results.scores(name, label, q)) for q, title in KINDS.items()}
    rows.append(row | {"seconds": np.mean([r.seconds for r in results.pick(name, label)])})
page.table(
    pd.DataFrame(rows),
    caption=f"Mean ± standard deviation over {seeds} seeds after {iterations} iterations; RE in the unit of "
    "the image squared; seconds of one run.",
    formats={"seconds": "{:.1f}"},
)

# %% tags=["hide-input"]
for name in names:
    ours = results.scores(name, UNDIP, "mae-abundances")
    theirs = results.scores(name, FCLSU, "mae-abundances")
    against = claims.compare(
        f"{name}: MAE of A against the reference, UnDIP below FCLSU", name, ours, theirs[0], better="lower"
    )
    word = {"reproduced": "nearer than", "contradicted": "farther than", "undecided": "not told apart from"}
    page.text(
        f"- {verbatim(name)}: against the published reference UnDIP is **{word[against.verdict.value]}** "
        f"FCLSU ({ours.mean():.4f} and {theirs[0]:.4f})."
    )

# %% [markdown]
# ## Optimisers
#
# The seven pairs of optimiser and rate that the document tries, for 750 iterations there.

# %% tags=["hide-input"]
PAIRS = [
    *(("adam", rate) for rate in (0.01, 0.005, 0.001)),
    *(("nadam", rate) for rate in (0.001, 0.0005, 0.0001)),
    ("rmsprop", 0.01),
]
tried = page.sweep(
    Run(
        "undip",
        SceneSpec(optimiser_scene),
        seed,
        settings | {"iterations": iterations_optimisers, "optimiser": optimiser, "learning_rate": rate},
        label=f"{optimiser} {rate:g}",
    )
    for optimiser, rate in PAIRS
    for seed in range(seeds)
)
optimisers = {
    q: {label: tried.scores(optimiser_scene, label, q) for label in tried.labels(optimiser_scene)}
    for q in ("mae-abundances-fclsu", "mae-abundances")
}
told = "; ".join(f"{k} {v.mean():.4f}" for k, v in optimisers["mae-abundances-fclsu"].items())
page.figure(
    "optimisers",
    lambda: figures.seed_panels(
        {optimiser_scene: optimisers}, {q: f"{KINDS[q]} (lower is better)" for q in optimisers}
    ),
    alt=f"MAE of every seed by optimiser and rate on {optimiser_scene}. Means against FCLSU: {told}.",
    caption=f"Each dot is one of {seeds} seeds after {iterations_optimisers} iterations on "
    f"{optimiser_scene}, each bar their mean. Means against FCLSU: {told}.",
)

# %% [markdown]
# ## Verdicts
#
# Figures 11 and 12 of the document are about Jasper Ridge. The errors that decide are the document's, against
# FCLSU; what those against the published reference say stands below each.

# %% tags=["hide-input"]
wanted = ("samson", "jasper", "urban")
documented = get("undip").configure()
scaled = (
    ""
    if (iterations, filters) == (documented.iterations, documented.filters)
    else f"Scaled down: {iterations} iterations and {filters} filters (document: 3000 and 256)."
)
elsewhere = "" if followed == "jasper" else f"Judged on {followed}."


def judge(claim, asserts, *reasons, **how):
    """Judge by the errors against FCLSU, and show what those against the published reference say."""
    page.explore(
        claim,
        asserts("fclsu"),
        reason=" ".join(filter(None, reasons)),
        also={"against the published reference": asserts("reference")},
        **how,
    )


MAE = {"fclsu": "mae-abundances-fclsu", "reference": "mae-abundances"}
BEST = {name: results.scores(name, FCLSU, "mse-reconstruction")[0] for name in names}

judge(
    "undip-reproduction-succeeds",
    lambda truth: [
        comparison
        for name in names
        for comparison in (
            claims.compare(
                f"{name}: MAE of A below 0.05",
                name,
                results.scores(name, UNDIP, MAE[truth]),
                0.05,
                better="lower",
            ),
            claims.compare(
                f"{name}: RE below twice that of FCLSU",
                name,
                results.scores(name, UNDIP, "mse-reconstruction"),
                2 * BEST[name],
                better="lower",
            ),
        )
    ],
    scaled,
    complete=set(wanted) <= set(names),
)
judge(
    "undip-fclsu-ceiling",
    lambda truth: [
        claims.compare(
            f"{name}: MAE of A above FCLSU's own",
            name,
            results.scores(name, UNDIP, MAE[truth]),
            results.scores(name, FCLSU, MAE[truth])[0],
        )
        for name in names
    ],
    "True by construction where FCLSU is the reference.",
    scaled,
)

# %% [markdown]
# Over the iterations. "Settled" is the first iteration from which the MAE stays within 5 percent of its
# last value.

# %% tags=["hide-input"]
lag = max(iterations // 60, 1)
half, third = iterations // 2, iterations // 3
outputs = {truth: curves(followed, MAE[truth], averaged=False) for truth in MAE}
averages = {truth: curves(followed, MAE[truth]) for truth in MAE}


def apart(name, truth):
    """Share of spans in which RE falls and MAE rises, by seed."""
    error, mae = (curves(name, q, averaged=False) for q in ("mse-reconstruction", MAE[truth]))
    return np.mean((error[:, lag:] < error[:, :-lag]) & (mae[:, lag:] > mae[:, :-lag]), axis=1)


ranked = [
    [tried.scores(optimiser_scene, label, q).mean() for label in tried.labels(optimiser_scene)]
    for q in ("mse-reconstruction", MAE["fclsu"])
]
judge(
    "undip-re-is-not-enough",
    lambda truth: [
        claims.compare(
            f"{name}: share of spans of {lag} iterations in which RE falls and MAE rises, above none",
            name,
            apart(name, truth),
            0,
        )
        for name in names
    ],
    "There are such spans in "
    + ", ".join(f"{np.sum(apart(name, 'fclsu') > 0)} of {seeds} seeds on {name}" for name in names)
    + ". The ranking of the seven optimisers by RE and that by MAE have a rank correlation of "
    f"{spearmanr(*ranked).statistic:.2f}.",
    scaled,
    complete=set(wanted) <= set(names),
)
judge(
    "undip-extra-iterations-can-hurt",
    lambda truth: [
        claims.compare(
            f"{followed}: largest rise of MAE within {lag} iterations of the second half, over the last "
            "value, above 5 percent",
            followed,
            (outputs[truth][:, half + lag :] - outputs[truth][:, half:-lag]).max(axis=1)
            / outputs[truth][:, -1],
            0.05,
        )
    ],
    elsewhere,
    scaled,
)
judge(
    "undip-ewma-smooths",
    lambda truth: [
        claims.compare(
            f"{followed}: standard deviation of the change of MAE per iteration, average below output",
            followed,
            np.diff(averages[truth][:, half:]).std(axis=1),
            np.diff(outputs[truth][:, half:]).std(axis=1),
            better="lower",
        )
    ],
    elsewhere,
    scaled,
)
both = common_threshold({"output": outputs["fclsu"], "average": averages["fclsu"]})
judge(
    "undip-ewma-slows-convergence",
    lambda truth: [
        claims.compare(
            f"{followed}: iteration at which MAE has settled, average after output",
            followed,
            settled(averages[truth]),
            settled(outputs[truth]),
        )
    ],
    f"Outputs stray from their last value until the end, and so settle late. The first time that the MAE is "
    f"down to what both reach comes after {reached(outputs['fclsu'], both).mean():.0f} iterations for the "
    f"outputs and {reached(averages['fclsu'], both).mean():.0f} for the average.",
    elsewhere,
    scaled,
)


def safe(name, truth):
    output, average = curves(name, MAE[truth], averaged=False), curves(name, MAE[truth])
    return [
        *(
            claims.compare(
                f"{name}: MAE of the average at the end not above that at {part} iterations by more than "
                "the run-to-run spread",
                name,
                average[:, -1],
                average[:, part - 1] + claims.spread(average[:, -1]),
                better="lower",
            )
            for part in (third, 2 * third)
        ),
        claims.compare(
            f"{name}: range of MAE over stops in the last third, average below output",
            name,
            np.ptp(average[:, 2 * third :], axis=1),
            np.ptp(output[:, 2 * third :], axis=1),
            better="lower",
        ),
    ]


judge(
    "undip-ewma-makes-more-epochs-safe",
    lambda truth: [comparison for name in names for comparison in safe(name, truth)],
    scaled,
    complete=set(wanted) <= set(names),
)
judge(
    "undip-adam-0001-best",
    lambda truth: [
        tried.compare(MAE[truth], optimiser_scene, "adam 0.001", other)
        for other in tried.labels(optimiser_scene)
        if other != "adam 0.001"
    ],
    f"After {iterations_optimisers} iterations (document: 750) with {filters} filters (document: 256).",
)

# %% tags=["nbval-check-output", "hide-input"]
for judgement in page.manifest.judgements:
    print(f"{judgement.claim:40} {judgement.verdict.value}")

# %% [markdown]
# ## What the document leaves open
#
# The weight of the average (0.99 in the public code of UnDIP, a window of 100), the law of the random input
# (standard normal here; batch normalisation makes its scale irrelevant), which l1 norm divides the image
# (that of the matrix here: one number, which changes neither SiVM's choice nor, with Adam, the
# steps), the scene of the optimiser study, and every figure.

# %% tags=["hide-input"]
page.provenance()
