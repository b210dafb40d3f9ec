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
#
# **Question.** Document 001 replaces UnDIP's network by a U-Net whose depth and skip connections can be
# set, and compares six of them, with and without noise on the image. It observes that more parameters make
# training longer, convergence slower and the result better, that skip connections help, and that noise
# sets the simple networks apart from the complex ones; it concludes that depth speeds convergence up. Which
# of it holds, and does any of the six beat least squares?
#
# **What counts as a yes.** A claim is *reproduced* if the 95-percent interval of the mean difference over
# seeds lies on its side, *contradicted* if it lies on the other, *undecided* otherwise
# ([the rule](how-to-read.md)).
#
# **Before you read.** [Does noise matter to UnDIP?](undip_noise.ipynb). In the quick profile the page takes
# half a minute on two CPU cores; with the `desk` profile about half an hour.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names; architectures are compared on all of them
noise_scene = "lagoon"  # where noise is added (Urban in the document); one of them
seeds = 3
iterations = 60
filters = 8
noise_levels = "50,20"  # dB

# %%
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hsu_lib import claims, scenes
from hsu_lib.claims.convergence import common_threshold, reached, settled
from hsu_lib.learning.networks.prior import parameters
from hsu_lib.methods import get
from hsu_lib.methods.priors.undip import ARCHITECTURES
from hsu_lib.publishing import figures, pages
from hsu_lib.publishing.html import verbatim
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

page = pages.Page("undip_architecture", profile)
names = scene.split(",")
levels = [None, *(float(level) for level in noise_levels.split(","))]
noisy = levels[1:]

# %% [markdown]
# ## The method
#
# An encoder layer is a 3 x 3 convolution with stride 2, a decoder layer the transposed convolution that
# undoes it and a 3 x 3 convolution. A skip connection joins an encoder layer's input to the decoder layer
# of the same size: as it is (*direct*), or after one or two convolutions. The image is halved three times
# at most, so the fourth level of the deep networks keeps its size. Loss, optimiser, averaging and
# endmembers are [UnDIP's](undip.ipynb). The document does not print the number of filters; here all hidden
# layers of all networks have the same.

# %%
FCLSU = "SiVM + FCLSU"
SHORT = {"none": "no skips", "direct": "direct skips", "one": "one convolution", "two": "two convolutions"}
LABELS = {k: f"{k}: {a['levels']} levels, {SHORT[a['skips']]}" for k, a in ARCHITECTURES.items()}
SIMPLE, DEEP = (1, 2, 3), (4, 5, 6)
common = {"iterations": iterations, "filters": filters}


def noised(name, level, seed=0):
    """The scene with noise of that level: another draw for each seed."""
    return SceneSpec(name, snr_db=level, noise_seed=0 if level is None else seed)


def runs():
    for name, level, seed in product(names, levels, range(seeds)):
        if level is None or name == noise_scene:
            yield Run("sivm-fclsu", noised(name, level, seed), seed, label=FCLSU)
            for k, architecture in ARCHITECTURES.items():
                settings = common | architecture
                yield Run("undip-configurable", noised(name, level, seed), seed, settings, label=LABELS[k])


# %%
results = page.sweep(runs())


def scores(name, label, quantity, level=None):
    """One score by seed."""
    return results.scores(str(noised(name, level)), label, quantity)


MAE = {"fclsu": "mae-abundances-fclsu", "reference": "mae-abundances"}


def curves(name, label, quantity, level=None, found=results):
    """Error of the averaged output at every iteration, shape (seeds, iterations)."""
    records = found.pick(str(noised(name, level)), label)
    return np.stack([record.arrays[f"history/{quantity}-averaged"] for record in records])


# %% tags=["hide-input"]
materials = len(scenes.describe(noise_scene).materials[scenes.describe(noise_scene).usual])


def count(k, filters):
    """Values trained."""
    settings = get("undip-configurable").configure(**ARCHITECTURES[k], filters=filters)
    return parameters(settings.network(materials))


seconds = {
    k: np.mean([[r.seconds for r in results.pick(name, LABELS[k])] for name in names], axis=0) for k in LABELS
}
page.table(
    pd.DataFrame(
        {
            "architecture": label,
            "levels": ARCHITECTURES[k]["levels"],
            "skip connections": SHORT[ARCHITECTURES[k]["skips"]],
            "values trained": f"{count(k, filters):,}",
            "with 256 filters": f"{count(k, 256):,}",
            "ms per iteration": 1000 * seconds[k].mean() / iterations,
        }
        for k, label in ((k, str(k)) for k in ARCHITECTURES)
    ),
    caption=f"The six architectures of section 7.2 for {materials} endmembers and {filters} filters, and as "
    "many as UnDIP's network has; time per iteration on the machine of the runs, mean over scenes and seeds.",
    formats={"ms per iteration": "{:.1f}"},
)

# %% tags=["nbval-check-output", "remove-cell"]
for k in ARCHITECTURES:
    print(LABELS[k], count(k, filters))

# %% [markdown]
# ## Look
#
# Errors over the iterations, without noise.

# %% tags=["hide-input"]
TITLES = {
    "mse-reconstruction": "reconstruction error",
    "mae-abundances-fclsu": "MAE against FCLSU",
    "mae-abundances": "MAE against reference",
}
histories = {
    title: {label: curves(noise_scene, label, q) for label in LABELS.values()} for q, title in TITLES.items()
}
told = "; ".join(
    f"{k} {histories[TITLES['mae-abundances-fclsu']][LABELS[k]][:, -1].mean():.4f}" for k in LABELS
)
page.figure(
    "curves",
    lambda: figures.curve_panels(histories, ylabel="error", steps="iterations", counted=True),
    alt=f"Three errors on {noise_scene} over the iterations for six architectures. Last MAE against FCLSU: "
    f"{told}.",
    caption=f"{noise_scene}: errors of the averaged output, median over {seeds} seeds with the range of all; "
    "the reconstruction error is in the unit of the normalised image. "
    f"Last MAE against FCLSU: {told}.",
)

# %% [markdown]
# The same errors at the last iteration, over the noise.

# %% tags=["hide-input"]
KINDS = {
    "mse-reconstruction": "RE, against the noisy image",
    "mse-spectral": "spectral MSE, against the clean image",
    "mae-abundances-fclsu": "MAE of A against FCLSU on the clean image",
    "mae-abundances": "MAE of A against the reference",
}
every = [*LABELS.values(), FCLSU]
doses = {q: {label: [scores(noise_scene, label, q, v) for v in noisy] for label in every} for q in KINDS}
told = "; ".join(
    f"{v:g} dB {scores(noise_scene, LABELS[1], 'mae-abundances-fclsu', v).mean():.4f} and "
    f"{scores(noise_scene, LABELS[6], 'mae-abundances-fclsu', v).mean():.4f}"
    for v in noisy
)
page.figure(
    "noise",
    lambda: figures.dose_panels(noisy, doses, KINDS, xlabel="SNR (dB)", logarithmic=True),
    alt=f"Four errors over the SNR on {noise_scene} for six architectures and FCLSU. MAE against FCLSU of "
    f"the first and the sixth: {told}.",
    caption=f"{noise_scene}: each dot is one of {seeds} seeds, lines are means, errors that span a "
    f"decade on a logarithmic scale. MAE against FCLSU of the first and the sixth architecture: {told}.",
)

# %% [markdown]
# Errors against the reference may jump, even downwards: noise on the weakest endmember can change the
# material that it is matched with, while the maps hardly differ.
#
# Maps of the simplest and the largest architecture, without noise and at the lowest SNR.

# %% tags=["hide-input"]
page.maps(
    noise_scene,
    {
        f"architecture {k}, " + ("no noise" if v is None else f"{v:g} dB"): results.pick(
            str(noised(noise_scene, v)), LABELS[k]
        )[0]
        for v in (None, levels[-1])
        for k in (1, 6)
    },
)

# %% [markdown]
# ## What we found
#
# The document prints curves and maps only, so there is no figure to put beside ours. *Settled* is the
# iteration from which the MAE against FCLSU stays within 5 percent of its last value; *common* the iteration
# at which it first comes down to a value that all six reach: the largest of their last values and 5 percent.

# %% tags=["hide-input"]
SHOWN = {
    "mse-reconstruction": ("RE, 1e-4", 1e4),
    "mae-abundances-fclsu": ("MAE, FCLSU, 1e-3", 1e3),
    "mae-abundances": ("MAE, reference", 1),
}
for name in names:
    group = {label: curves(name, label, "mae-abundances-fclsu") for label in LABELS.values()}
    threshold = common_threshold(group)
    rows = []
    for label in every:
        row = {"architecture": label}
        for quantity, (title, scale) in SHOWN.items():
            row[title] = pages.mean_and_spread(scores(name, label, quantity), scale)
        if label != FCLSU:
            row["settled"] = f"{settled(group[label]).mean():.0f}"
            row["common"] = f"{reached(group[label], threshold).mean():.0f}"
        rows.append(row)
    page.table(
        pd.DataFrame(rows),
        caption=f"{name}: mean ± standard deviation over {seeds} seeds after {iterations} iterations without "
        "noise; RE in the unit of the image squared.",
    )
falling = {
    name: np.mean([1 - c[:, -1] / c[:, -max(iterations // 10, 1)] for c in by_label.values()])
    for name in names
    for by_label in ({label: curves(name, label, "mae-abundances-fclsu") for label in LABELS.values()},)
}
page.text(
    "None of the six has arrived: over the last tenth of the iterations the MAE against FCLSU still falls by "
    + ", ".join(f"{100 * share:.0f} percent on {verbatim(name)}" for name, share in falling.items())
    + " (means over architectures), so *settled* says little, and a longer run would come nearer to FCLSU."
)

# %% [markdown]
# ## One down-scaling or several
#
# UnDIP keeps to one halving of the image, "to preserve the spatial resolution and improve the convergence
# rate". The configurable network can be limited to one as well: here the third and the fifth architecture,
# which otherwise halve it twice and three times.

# %% tags=["hide-input"]
LIMITED = {k: f"{k}: one halving" for k in (3, 5)}
limited = page.sweep(
    Run(
        "undip-configurable",
        SceneSpec(name),
        seed,
        common | ARCHITECTURES[k] | {"scalings": 1},
        label=label,
    )
    for name in names
    for seed in range(seeds)
    for k, label in LIMITED.items()
)


def pair_of(name, k, truth):
    """Curves of MAE with one halving, and with several."""
    return {
        "one": curves(name, LIMITED[k], MAE[truth], found=limited),
        "several": curves(name, LABELS[k], MAE[truth]),
    }


rows = []
for name, k in product(names, LIMITED):
    pair = pair_of(name, k, "fclsu")
    threshold = common_threshold(pair)
    rows += [
        {
            "scene": name,
            "architecture": k,
            "halvings": which,
            "MAE of A against FCLSU": pages.mean_and_spread(c[:, -1]),
            "common": f"{reached(c, threshold).mean():.0f}",
        }
        for which, c in pair.items()
    ]
page.table(
    pd.DataFrame(rows),
    caption=f"Last MAE, mean ± standard deviation over {seeds} seeds, and the iteration at which it first "
    "comes down to what both reach.",
)

# %% [markdown]
# ## Verdicts
#
# The errors that decide are the document's, against FCLSU; what those against the published reference say
# stands below each. Errors over the iterations are those of the averaged output, which is the estimate.

# %% tags=["hide-input"]
documented = get("undip-configurable").configure()
wanted = {"samson", "jasper", "urban"}
elsewhere = "" if wanted <= set(names) else f"Judged on {', '.join(names)} (document: Samson, Jasper, Urban)."
noise_elsewhere = "" if noise_scene == "urban" else f"Judged on {noise_scene} (document: Urban)."
scaled = f"{iterations} iterations, {filters} filters; the document says neither."
high, low = 50.0, 20.0
sizes = [count(k, filters) for k in ARCHITECTURES]


def judge(claim, asserts, *reasons):
    """Judge by the errors against FCLSU, and show what those against the published reference say."""
    page.explore(
        claim,
        asserts("fclsu"),
        reason=" ".join(filter(None, (*reasons, scaled))),
        also={"against the published reference": asserts("reference")},
    )


def rank_correlation(values):
    """Spearman's, of values (architectures, seeds) with the number of values trained; by seed."""
    return np.array([0.0 if np.ptp(v) == 0 else spearmanr(sizes, v).statistic for v in np.transpose(values)])


def iterations_needed(name, truth, level=None):
    """Iterations to a value that all six reach: architecture to an array (seeds,)."""
    group = {k: curves(name, LABELS[k], MAE[truth], level) for k in LABELS}
    threshold = common_threshold(group)
    return {k: reached(c, threshold) for k, c in group.items()}


def falls(name, truth):
    """Whether the MAE falls at all while training; otherwise nothing comes down to a common value."""
    return all((c[:, -1] < c[:, 0]).all() for c in (curves(name, LABELS[k], MAE[truth]) for k in LABELS))


def mean_over(group, by_architecture):
    return np.mean([by_architecture[k] for k in group], axis=0)


page.explore(
    "undip-larger-model-trains-longer",
    [
        claims.compare(
            f"{name}: rank correlation of seconds with the number of values trained, above none",
            name,
            rank_correlation([[r.seconds for r in results.pick(name, LABELS[k])] for k in LABELS]),
            0,
        )
        for name in names
    ],
    reason=f"{elsewhere} {scaled}".strip(),
)
judge(
    "undip-larger-model-slower-convergence",
    lambda truth: [
        claims.compare(
            f"{name}: rank correlation of the iteration at which MAE has settled with the number of values "
            "trained, above none",
            name,
            rank_correlation([settled(curves(name, LABELS[k], MAE[truth])) for k in LABELS]),
            0,
        )
        for name in names
    ],
    elsewhere,
)


def best_deep(name, truth):
    """The deep architecture with the lowest mean error."""
    return min(DEEP, key=lambda k: scores(name, LABELS[k], MAE[truth]).mean())


judge(
    "undip-larger-model-better-final",
    lambda truth: [
        results.compare(MAE[truth], name, LABELS[best_deep(name, truth)], LABELS[k])
        for name in names
        for k in SIMPLE
    ],
    "The best of the fourth to sixth stands for them.",
    elsewhere,
)
judge(
    "undip-skips-improve-score",
    lambda truth: [results.compare(MAE[truth], name, LABELS[k], LABELS[1]) for name in names for k in (2, 3)],
    elsewhere,
)


def skips_ease(name, truth):
    needed = iterations_needed(name, truth)
    return [
        claims.compare(
            f"{name}: iterations to a common MAE, {LABELS[k]} below {LABELS[1]}",
            name,
            needed[k],
            needed[1],
            better="lower",
        )
        for k in (2, 3)
    ]


judge(
    "undip-skips-ease-convergence",
    lambda truth: [c for name in names if falls(name, truth) for c in skips_ease(name, truth)],
    elsewhere,
)


def simple_over_best(name, truth):
    """MAE of the better of the first two over the least of the six, by seed."""
    errors = np.array([scores(name, LABELS[k], MAE[truth]) for k in LABELS])
    return errors[:2].min(axis=0) / errors.min(axis=0)


judge(
    "undip-simple-model-satisfactory",
    lambda truth: [
        claims.compare(
            f"{name}: MAE of the better of the first two over the best of the six, below 1.5",
            name,
            simple_over_best(name, truth),
            1.5,
            better="lower",
        )
        for name in names
    ],
    elsewhere,
)


def one_halving(name, k, truth):
    pair = pair_of(name, k, truth)
    threshold = common_threshold(pair)
    one, several = pair["one"], pair["several"]
    return [
        claims.compare(
            f"{name}, architecture {k}: iterations to a common MAE, one halving below several",
            name,
            reached(one, threshold),
            reached(several, threshold),
            better="lower",
        ),
        claims.compare(
            f"{name}, architecture {k}: last MAE with one halving not above that with several by more than "
            "the run-to-run spread",
            name,
            one[:, -1],
            several[:, -1] + claims.spread(one[:, -1], several[:, -1]),
            better="lower",
        ),
    ]


judge(
    "undip-single-downsampling-converges-faster",
    lambda truth: [
        c for name, k in product(names, LIMITED) if falls(name, truth) for c in one_halving(name, k, truth)
    ],
    elsewhere,
)

# %% [markdown]
# With noise, on one scene.

# %% tags=["hide-input"]


def gap(quantity, level):
    """Distance between the means over the simple and over the deep architectures, by seed."""
    by_architecture = {k: scores(noise_scene, LABELS[k], quantity, level) for k in LABELS}
    return np.abs(mean_over(SIMPLE, by_architecture) - mean_over(DEEP, by_architecture))


def change(quantity):
    """Log2 of the largest over the smallest error of the sixth architecture over the levels, by seed."""
    values = np.array([scores(noise_scene, LABELS[6], quantity, level) for level in levels])
    return np.log2(values.max(axis=0) / values.min(axis=0))


judge(
    "undip-noise-widens-model-gap",
    lambda truth: [
        tuple(
            claims.compare(
                f"{noise_scene}: distance in {kind} between the first three and the last three, larger at "
                f"{low:g} dB than at {high:g} dB",
                noise_scene,
                gap(quantity, low),
                gap(quantity, high),
            )
            for kind, quantity in (("MAE of A", MAE[truth]), ("spectral MSE", "mse-spectral"))
        )
    ],
    "MAE and spectral MSE are two readings, which decide if they agree.",
    noise_elsewhere,
)
judge(
    "undip-noise-hits-loss-not-abundances",
    lambda truth: [
        claims.compare(
            f"{noise_scene}, architecture 6: log2 of the largest over the smallest RE over the noise levels, "
            "above that of the MAE",
            noise_scene,
            change("mse-reconstruction"),
            change(MAE[truth]),
            relative=False,
        )
    ],
    noise_elsewhere,
)


def scores_of(group, level):
    """Mean MAE against FCLSU over a group of architectures and seeds."""
    return np.mean([scores(noise_scene, LABELS[k], MAE["fclsu"], level) for k in group])


def depth_helps(truth):
    needed = iterations_needed(noise_scene, truth)
    rise = {
        k: scores(noise_scene, label, MAE[truth], low) - scores(noise_scene, label, MAE[truth], high)
        for k, label in LABELS.items()
    }
    return [
        claims.compare(
            f"{noise_scene}: {what}, mean of the last three below that of the first three",
            noise_scene,
            mean_over(DEEP, by_architecture),
            mean_over(SIMPLE, by_architecture),
            better="lower",
        )
        for what, by_architecture in (
            ("iterations to a common MAE", needed),
            (f"rise of MAE from {high:g} to {low:g} dB", rise),
        )
        if falls(noise_scene, truth) or by_architecture is rise
    ]


judge(
    "undip-depth-speeds-and-hardens",
    depth_helps,
    "Section 7.2 of the document states the opposite on speed. Means over the first and the last three: "
    + "; ".join(
        f"{scores_of(SIMPLE, level):.4f} and {scores_of(DEEP, level):.4f} at {level:g} dB"
        for level in (high, low)
    )
    + ".",
    noise_elsewhere,
)

# %% tags=["nbval-check-output", "hide-input"]
for judgement in page.manifest.judgements:
    print(f"{judgement.claim:44} {judgement.verdict.value}")

# %% [markdown]
# ## Against what a reader would use instead

# %% tags=["hide-input"]
conditions = [(name, None) for name in names] + [(noise_scene, level) for level in noisy]
answers = []
for (name, level), k in product(conditions, LABELS):
    outcome = claims.compare(
        "MAE against the reference below FCLSU's",
        name,
        scores(name, LABELS[k], "mae-abundances", level),
        scores(name, FCLSU, "mae-abundances", level),
        better="lower",
    )
    answers.append(
        {
            "scene": name,
            "noise": "none" if level is None else f"{level:g} dB",
            "architecture": k,
            "FCLSU's MAE less its own": outcome.mean,
            "95 % interval": f"{outcome.low:+.2g} to {outcome.high:+.2g}",
            "nearer": {"reproduced": "yes", "contradicted": "no"}.get(outcome.verdict.value, "undecided"),
        }
    )
page.table(
    pd.DataFrame(answers),
    caption="Is an architecture nearer to the published reference than FCLSU on the same image? Paired "
    f"differences over {seeds} seeds, positive where it is.",
    formats={"FCLSU's MAE less its own": "{:+.2g}"},
)
rising = [name for name in names if not falls(name, "reference")]
if rising:
    page.text(
        f"On {verbatim(', '.join(rising))} the MAE against the reference *rises* while a network comes "
        "nearer to FCLSU: there, nearer to the reference means no more than stopped earlier."
    )

# %% [markdown]
# ## What the document leaves open
#
# The number of filters, the iterations and the rate of this section, the kernel of the transposed
# convolutions (4 x 4 here), how often a network of four levels halves the image (three times here, as its
# padding to a multiple of 8 suggests), whether outputs are averaged (they are here), which scenes stand
# behind the three general observations, and every figure.

# %% tags=["hide-input"]
page.provenance()
