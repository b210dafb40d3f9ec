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
# # Does a better start help the prior?
#
# **Question.** UnDIP's input is noise. Document 001 tries to start from something better: abundances found
# by PALM or by NMF. It sees NMF converge faster and PALM not, with "an unexpected curve in the first
# epochs", finds the maps hardly changed "except for the fourth image", and concludes that a start is not
# worth its time. Is it so when the time is counted, and is the network better than what it starts from?
#
# **What counts as a yes.** A claim is *reproduced* if the 95-percent interval of the mean difference over
# seeds lies on its side, *contradicted* if it lies on the other, *undecided* otherwise
# ([the rule](how-to-read.md)).
#
# **Before you read.** [Is an untrained network a prior for abundances?](undip.ipynb). In the quick profile
# the page takes half a minute on two CPU cores; with the `desk` profile about ten minutes more than that
# page.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names; the last is drawn
seeds = 3
iterations = 100
filters = 16

# %%
from itertools import product

import numpy as np
import pandas as pd

from hsu_lib import claims, scenes
from hsu_lib.claims.convergence import common_threshold, reached
from hsu_lib.methods import get
from hsu_lib.publishing import figures, pages
from hsu_lib.publishing.html import verbatim
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

page = pages.Page("undip_init", profile)
names = scene.split(",")
drawn = names[-1]

# %% [markdown]
# ## The method
#
# The text of the document speaks of initialising weights and layers, its captions and its conclusion of the
# *input*: here it is the input, one map per endmember. Three are tried.
#
# - **random**: standard normal noise, another for each seed;
# - **PALM**: endmembers and abundances are moved in turn against the gradient of
#   $\tfrac12\lVert Y - EA\rVert_F^2$ and projected back, endmembers to nonnegative values, abundances to
#   the simplex (ANC and ASC), with the longest steps under which the objective cannot rise;
# - **NMF**: multiplicative updates of the same objective, without ASC.
#
# Both start from SiVM's endmembers and FCLSU's abundances, and stop after 200 iterations or when the
# objective falls by less than a millionth of its first value. What they find changes the input only:
# the endmembers of the loss remain SiVM's. The weights are random in any case.

# %%
STARTS = {"random": None, "PALM": "palm", "NMF": "nmf"}
FCLSU = "SiVM + FCLSU"
common = {"iterations": iterations, "filters": filters}


def prior(start):
    return f"UnDIP from {start}"


def runs():
    for name, seed in product(names, range(seeds)):
        for start, method in STARTS.items():
            settings = common | {"input": method or "random"}
            yield Run("undip", SceneSpec(name), seed, settings, label=prior(start))
            if method:
                yield Run(method, SceneSpec(name), seed, label=f"{start} alone")
        yield Run("sivm-fclsu", SceneSpec(name), seed, label=FCLSU)


# %% tags=["nbval-check-output", "hide-input"]
for start, method in STARTS.items():
    asked = get("undip").configure(**common, input=method or "random")
    print(f"{start:8} input={asked.input}, {asked.iterations} iterations, {asked.filters} filters")

# %%
results = page.sweep(runs())

# %% [markdown]
# ## Look
#
# The maps that PALM and NMF find, and what the network makes of each start.

# %% tags=["hide-input"]
shown = [*(f"{start} alone" for start, method in STARTS.items() if method), *map(prior, STARTS)]
page.maps(drawn, {label: results.pick(drawn, label)[0] for label in shown})

# %% [markdown]
# Errors over the iterations, from the first on.

# %% tags=["hide-input"]


MAE = {"fclsu": "mae-abundances-fclsu", "reference": "mae-abundances"}


def curves(name, start, quantity):
    """Loss or error at every iteration, shape (seeds, iterations)."""
    return np.stack([r.arrays[f"history/{quantity}"] for r in results.pick(name, prior(start))])


TITLES = {
    "loss": "loss of the output",
    "mse-reconstruction-averaged": "RE of the average",
    "mae-abundances-fclsu-averaged": "MAE of the average, FCLSU",
}
histories = {title: {start: curves(drawn, start, q) for start in STARTS} for q, title in TITLES.items()}
told = "; ".join(
    f"{start} {curves(drawn, start, 'mae-abundances-fclsu-averaged')[:, -1].mean():.4f}" for start in STARTS
)
page.figure(
    "curves",
    lambda: figures.curve_panels(histories, ylabel="loss or error", steps="iterations", counted=True),
    alt=f"Loss, reconstruction error and MAE on {drawn} over the iterations from three starts. Last MAE "
    f"against FCLSU: {told}.",
    caption=f"{drawn}: median over {seeds} seeds with the range of all; loss and RE are in the unit of the "
    f"normalised image. Last MAE against FCLSU: {told}.",
)

# %% tags=["hide-input"]
TIMES = 10


def soon(name):
    """Iterations until the loss is down to that many times the largest last value; start to a mean."""
    group = {start: curves(name, start, "loss") for start in STARTS}
    threshold = common_threshold(group, share=TIMES - 1)
    return {start: reached(c, threshold).mean() for start, c in group.items()}


page.text(
    f"The first iterations and the last tell different stories. Until the loss is down to {TIMES} times its "
    "last value it takes "
    + "; ".join(
        f"on {verbatim(name)} " + ", ".join(f"{n:.0f} from {start}" for start, n in soon(name).items())
        for name in names
    )
    + " iterations. What comes after that decides about the abundances."
)

# %% [markdown]
# ## What we found
#
# The document prints curves and maps only, so there is no figure to put beside ours. *Common* is the
# iteration at which the MAE against FCLSU first comes down to a value that all three starts reach: the
# largest of their last values and 5 percent. PALM and NMF alone change the endmembers too, so they are no
# longer near FCLSU on SiVM's; the reconstruction shows what they gain by it.

# %% tags=["hide-input"]


def needed(name, quantity):
    """Iterations to a value that all starts reach: start to an array (seeds,)."""
    group = {start: curves(name, start, quantity) for start in STARTS}
    threshold = common_threshold(group)
    return {start: reached(c, threshold) for start, c in group.items()}


def seconds(name, label):
    """Wall time of each run, by seed."""
    return np.array([record.seconds for record in results.pick(name, label)])


alone = [f"{start} alone" for start, method in STARTS.items() if method]
SHOWN = {
    "mse-reconstruction": ("RE, 1e-4", 1e4),
    "mae-abundances-fclsu": ("MAE, FCLSU, 1e-3", 1e3),
    "mae-abundances": ("MAE, reference", 1),
}
for name in names:
    steps = needed(name, "mae-abundances-fclsu-averaged")
    rows = []
    for label in (*map(prior, STARTS), *alone, FCLSU):
        row = {"method": label}
        for quantity, (title, scale) in SHOWN.items():
            row[title] = pages.mean_and_spread(results.scores(name, label, quantity), scale)
        start = label.removeprefix("UnDIP from ")
        row["common"] = f"{steps[start].mean():.0f}" if start in steps else ""
        row["seconds"] = seconds(name, label).mean()
        rows.append(row)
    page.table(
        pd.DataFrame(rows),
        caption=f"{name}: mean ± standard deviation over {seeds} seeds after {iterations} iterations; RE in "
        "the unit of the image squared; seconds of one run on the machine of the runs.",
        formats={"seconds": "{:.2f}"},
    )

# %% [markdown]
# Material by material, as the document singles out its fourth map.

# %% tags=["hide-input"]


def by_material(name, start):
    """MAE against FCLSU, shape (materials, seeds)."""
    return np.array(
        [results.scores(name, prior(start), f"mae-abundances-fclsu/{m}") for m in materials_of(name)]
    )


def materials_of(name):
    info = scenes.describe(name)
    return info.materials[info.usual]


page.table(
    pd.DataFrame(
        {"scene": name, "material": material}
        | {start: f"{m.mean():.4f}\u00a0±\u00a0{m.std(ddof=1):.4f}" for start, m in by_start.items()}
        for name in names
        for material, *errors in zip(
            materials_of(name), *(by_material(name, start) for start in STARTS), strict=True
        )
        for by_start in (dict(zip(STARTS, errors, strict=True)),)
    ),
    caption=f"MAE of each abundance map against FCLSU's, mean ± standard deviation over {seeds} seeds.",
)

# %% [markdown]
# ## Verdicts
#
# The errors that decide are the document's, against FCLSU; what those against the published reference say
# stands below. "A common MAE (or loss)" are two readings: they decide if they agree.

# %% tags=["hide-input"]
wanted = {"samson", "jasper", "urban"}
elsewhere = (
    "" if wanted <= set(names) else f"Judged on {', '.join(names)}; the document does not name its scene."
)
documented = get("undip").configure()
scaled = "" if filters == documented.filters else f"{filters} filters (document: {documented.filters})."
early = max(iterations // 20, 2)


def judge(claim, asserts, *reasons, **how):
    """Judge by the errors against FCLSU, and show what those against the published reference say."""
    page.explore(
        claim,
        asserts("fclsu"),
        reason=" ".join(filter(None, (*reasons, elsewhere, scaled))),
        also={"against the published reference": asserts("reference")},
        **how,
    )


def readings(truth):
    return {"MAE": f"{MAE[truth]}-averaged", "loss": "loss"}


def rise(name, start):
    """Largest rise of the loss above its least value so far in the first iterations, over that; by seed."""
    loss = curves(name, start, "loss")[:, :early]
    return np.max(loss / np.minimum.accumulate(loss, axis=1), axis=1) - 1


judge(
    "undip-nmf-init-faster",
    lambda truth: [
        tuple(
            claims.compare(
                f"{name}: iterations to a common {kind}, NMF below random",
                name,
                needed(name, quantity)["NMF"],
                needed(name, quantity)["random"],
                better="lower",
            )
            for kind, quantity in readings(truth).items()
        )
        for name in names
    ],
    f"The threshold decides: down to {TIMES} times its last value the loss comes sooner from NMF ("
    + "; ".join(
        f"{name}: {soon(name)['NMF']:.0f} iterations, random {soon(name)['random']:.0f}" for name in names
    )
    + ").",
)


def palm_not_faster(name, truth):
    groups = {kind: needed(name, quantity) for kind, quantity in readings(truth).items()}
    return [
        tuple(
            claims.compare(
                f"{name}: iterations to a common {kind}, PALM not below random by more than the run-to-run "
                "spread",
                name,
                group["PALM"],
                group["random"] - claims.spread(group["PALM"], group["random"]),
            )
            for kind, group in groups.items()
        ),
        claims.compare(
            f"{name}: largest rise of the loss in the first {early} iterations from PALM, over its least "
            "value so far, above none",
            name,
            rise(name, "PALM"),
            0,
        ),
    ]


judge(
    "undip-palm-init-not-faster",
    lambda truth: [c for name in names for c in palm_not_faster(name, truth)],
    f"The loss rises somewhere in the first {early} iterations "
    + "; ".join(
        f"on {name} "
        + ", ".join(f"in {np.sum(rise(name, start) > 0)} of {seeds} seeds from {start}" for start in STARTS)
        for name in names
    )
    + ".",
)
page.explore(
    "undip-init-same-output",
    [
        comparison
        for name in names
        for k, material in enumerate(materials_of(name))
        for comparison in claims.alike(
            f"{name}: MAE of the map of {material}",
            name,
            {start: by_material(name, start)[k] for start in STARTS},
        )
    ],
    reason=f"Material by material, against FCLSU. {elsewhere} {scaled}".strip(),
)


def time_to_common(name, start, truth):
    """Seconds of the start and of the iterations to a common MAE, by seed."""
    per_iteration = seconds(name, prior("random")) / iterations
    of_start = seconds(name, f"{start} alone") if STARTS[start] else 0.0
    return of_start + needed(name, f"{MAE[truth]}-averaged")[start] * per_iteration


judge(
    "undip-init-not-worth-time",
    lambda truth: [
        claims.compare(
            f"{name}: seconds to a common MAE, {start} with its start above random",
            name,
            time_to_common(name, start, truth),
            time_to_common(name, "random", truth),
        )
        for name in names
        for start, method in STARTS.items()
        if method
    ],
    "An iteration takes as long from any start: that of random ones is used. The time of a start includes "
    "SiVM.",
)

# %% tags=["nbval-check-output", "hide-input"]
for judgement in page.manifest.judgements:
    print(f"{judgement.claim:32} {judgement.verdict.value}")

# %% [markdown]
# ## Is the network better than its start?

# %% tags=["hide-input"]
answers = []
for name, (start, method) in product(names, STARTS.items()):
    if method:
        outcome = claims.compare(
            "MAE against the reference",
            name,
            results.scores(name, prior(start), "mae-abundances"),
            results.scores(name, f"{start} alone", "mae-abundances"),
            better="lower",
        )
        word = {"reproduced": "yes", "contradicted": "no"}.get(outcome.verdict.value, "undecided")
        answers.append(
            {
                "scene": name,
                "start": start,
                "mean difference": outcome.mean,
                "95 % interval": f"{outcome.low:+.3g} to {outcome.high:+.3g}",
                "UnDIP nearer the reference": word,
            }
        )
page.table(
    pd.DataFrame(answers),
    caption="MAE of the start alone less that of UnDIP from it, against the published reference; positive "
    "where the network is better. It keeps SiVM's endmembers, while its start has moved on from them.",
    formats={"mean difference": "{:+.3g}"},
)

# %% [markdown]
# ## What the document leaves open
#
# What is initialised, where PALM and NMF start and stop, whether PALM's abundances are sparse by a penalty
# (it calls them sparse; none here but the constraints), the scene and its four maps, the number of
# iterations, the times, and every figure.

# %% tags=["hide-input"]
page.provenance()
