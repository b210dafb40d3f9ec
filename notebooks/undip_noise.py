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
#
# **Question.** Document 001 adds white noise to its images, at signal-to-noise ratios (SNR) of 50, 40, 30
# and 20 dB, and in its text 10 dB, and sees the training loss rise while the abundances "stay the same". It
# concludes that the method is highly robust, and that such methods can serve to remove noise. Is the
# network more robust than plain least squares with the same endmembers, which the document does not try?
#
# **What counts as a yes.** A claim is *reproduced* if the 95-percent interval of the mean difference over
# seeds lies on its side, *contradicted* if it lies on the other, *undecided* otherwise
# ([the rule](how-to-read.md)).
#
# **Before you read.** [Is an untrained network a prior for abundances?](undip.ipynb). In the quick profile
# the page takes half a minute on two CPU cores; with the `desk` profile about twenty minutes.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names; the first is drawn
seeds = 3
iterations = 60
filters = 16
noise_levels = "50,40,30,20,10"  # dB

# %%
from itertools import product

import numpy as np
import pandas as pd

from hsu_lib import claims
from hsu_lib.methods import get
from hsu_lib.publishing import figures, pages
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

page = pages.Page("undip_noise", profile)
names = scene.split(",")
drawn = names[0]
levels = [None, *(float(level) for level in noise_levels.split(","))]

# %% [markdown]
# ## The method
#
# The noise is white and Gaussian with the variance
# $\sigma^2 = \operatorname{mean}(Y^2)\,10^{-\mathrm{SNR}/10}$, one draw per seed, the same for every method.
# Endmembers are picked by SiVM from the *noisy* image, which is all that a method sees. What comes out is
# compared with
#
# - the noisy image: the **reconstruction error** (RE), which training minimises;
# - the image without noise: the **spectral MSE**;
# - the abundances of FCLSU on the image without noise, the document's ground truth, and those of the
#   published reference: the **MAE**.
#
# SiVM + FCLSU on the same noisy image stands beside it. As a way to remove noise, both are compared with the
# noisy image itself, and with its truncation to as many principal components as there are endmembers.

# %%
UNDIP, FCLSU = "UnDIP", "SiVM + FCLSU"
METHODS = {UNDIP: "undip", FCLSU: "sivm-fclsu"}
settings = {UNDIP: {"iterations": iterations, "filters": filters}, FCLSU: {}}


def level_name(level):
    return "none" if level is None else f"{level:g} dB"


def noised(name, level, seed=0):
    """The scene with noise of that level: another draw for each seed."""
    return SceneSpec(name, snr_db=level, noise_seed=0 if level is None else seed)


runs = [
    Run(METHODS[label], noised(name, level, seed), seed, settings[label], label=label)
    for name, level, label, seed in product(names, levels, METHODS, range(seeds))
]

# %%
results = page.sweep(runs)


def scores(name, label, level, quantity):
    """One score by seed."""
    return results.scores(str(noised(name, level)), label, quantity)


# %% tags=["nbval-check-output", "hide-input"]
print("noise levels:", ", ".join(level_name(level) for level in levels))
for label in METHODS:
    print(f"{label:14}", get(METHODS[label]).configure(**settings[label]))

# %% [markdown]
# ## Look
#
# Errors over the noise. Were the abundances indifferent to it, their lines would be level.

# %% tags=["hide-input"]
TITLES = {
    "mse-reconstruction": "RE, against the noisy image",
    "mse-spectral": "spectral MSE, against the clean image",
    "mae-abundances-fclsu": "MAE of A against FCLSU on the clean image",
    "mae-abundances": "MAE of A against the reference",
}
noisy = [level for level in levels if level is not None]
curves = {
    q: {label: [scores(drawn, label, level, q) for level in noisy] for label in METHODS} for q in TITLES
}
curves["mse-spectral"] |= {
    "PCA": [scores(drawn, UNDIP, level, "mse-spectral-pca") for level in noisy],
    "noisy image": [scores(drawn, UNDIP, level, "mse-noise") for level in noisy],
}
told = "; ".join(
    f"{level_name(level)} {scores(drawn, UNDIP, level, 'mae-abundances-fclsu').mean():.3f}"
    for level in levels
)
page.figure(
    "errors",
    lambda: figures.dose_panels(noisy, curves, TITLES, xlabel="SNR (dB)", logarithmic=True),
    alt=f"Four errors over the SNR on {drawn}, for UnDIP and for SiVM with FCLSU. MAE of UnDIP against "
    f"FCLSU: {told}.",
    caption=f"{drawn}: each dot is one of {seeds} seeds, lines are means, errors that span a "
    f"decade on a logarithmic scale. MAE of UnDIP against FCLSU: {told}.",
)

# %% [markdown]
# Errors against the reference may jump, even downwards: noise on the weakest endmember can change the
# material that it is matched with, while the maps hardly differ.
#
# Maps without noise and at the lowest SNR.

# %% tags=["hide-input"]
shown = {
    f"{label}, {level_name(level)}": results.pick(str(noised(drawn, level)), label)[0]
    for level in (None, levels[-1])
    for label in METHODS
}
page.maps(drawn, shown)

# %% [markdown]
# ## What we found
#
# The document prints curves only, so there is no figure to put beside ours.

# %% tags=["hide-input"]
SHOWN = {
    "mse-reconstruction": ("RE, 1e-4", 1e4),
    "mse-spectral": ("spectral MSE, 1e-4", 1e4),
    "mae-abundances-fclsu": ("MAE, FCLSU, 1e-3", 1e3),
    "mae-abundances": ("MAE, reference", 1),
}
REMOVERS = {"PCA truncation": "mse-spectral-pca", "noisy image": "mse-noise"}
for name in names:
    rows = []
    for level, label in product(levels, METHODS):
        row = {"noise": level_name(level), "method": label}
        for quantity, (title, scale) in SHOWN.items():
            there = level is not None or quantity != "mse-spectral"  # no other image than the clean one
            row[title] = pages.mean_and_spread(scores(name, label, level, quantity), scale) if there else ""
        rows.append(row)
        if label == FCLSU and level is not None:
            rows += [
                {
                    "noise": level_name(level),
                    "method": remover,
                    "spectral MSE, 1e-4": pages.mean_and_spread(scores(name, UNDIP, level, quantity), 1e4),
                }
                for remover, quantity in REMOVERS.items()
            ]
    page.table(
        pd.DataFrame(rows).fillna(""),
        caption=f"{name}: mean ± standard deviation over {seeds} seeds; squared errors in the image's unit.",
    )

# %% [markdown]
# ## Verdicts

# %% tags=["hide-input"]
documented = get("undip").configure()
scaled = (
    ""
    if filters == documented.filters and iterations >= 1000
    else f"Scaled down: {iterations} iterations and {filters} filters (document: 1000 and 256)."
)
wanted = {"samson", "urban"}
elsewhere = "" if wanted <= set(names) else f"Judged on {', '.join(names)} (document: Samson and Urban)."
high, low = 50.0, 20.0


def judge(claim, asserts, reason=""):
    """Judge by the errors against FCLSU, and show what those against the published reference say."""
    page.explore(
        claim,
        asserts("mae-abundances-fclsu"),
        reason=" ".join(filter(None, (reason, elsewhere, scaled))),
        also={"against the published reference": asserts("mae-abundances")},
    )


def growth(name, label, quantity, level=low):
    """How many times larger the error is at that level than at 50 dB, by seed."""
    return scores(name, label, level, quantity) / scores(name, label, high, quantity)


judge(
    "undip-noise-abundances-stable",
    lambda mae: [
        claims.equivalent(
            f"{name}: log2 of the MAE of A at {level:g} dB over that at 50 dB, within 10 percent",
            name,
            np.log2(growth(name, UNDIP, mae, level)),
            0.0,
            margin=np.log2(1.1),
        )
        for name in names
        for level in (low, 10.0)
        if level in noisy
    ],
    "We took hardly to mean a change of the MAE by less than a tenth. The MAE: "
    + "; ".join(
        f"{name} "
        + ", ".join(
            f"{scores(name, UNDIP, level, 'mae-abundances-fclsu').mean():.3f} at {level_name(level)}"
            for level in (high, low, 10.0)
            if level in noisy
        )
        for name in names
    )
    + ".",
)
judge(
    "undip-noise-raises-loss",
    lambda mae: [
        claims.compare(
            f"{name}: log2 of the growth of RE from 50 to 20 dB, above that of the MAE",
            name,
            np.log2(growth(name, UNDIP, "mse-reconstruction")),
            np.log2(growth(name, UNDIP, mae)),
            relative=False,
        )
        for name in names
    ],
)


def told_by(quantity):
    """Mean error at the low SNR as a share of that of the noisy image, by scene."""
    shares = {
        name: scores(name, UNDIP, low, quantity).mean() / scores(name, UNDIP, low, "mse-noise").mean()
        for name in names
    }
    return ", ".join(f"{100 * share:.0f} percent ({name})" for name, share in shares.items())


page.explore(
    "undip-acts-as-denoiser",
    [
        claims.compare(
            f"{name}: spectral MSE at 20 dB, UnDIP below the noisy image",
            name,
            scores(name, UNDIP, low, "mse-spectral"),
            scores(name, UNDIP, low, "mse-noise"),
            better="lower",
        )
        for name in names
    ],
    reason=f"What matters at {low:g} dB is how well the endmembers fit, which FCLSU shares. PCA truncation "
    f"has an error of {told_by('mse-spectral-pca')} of the noisy image's, UnDIP {told_by('mse-spectral')}. "
    f"{elsewhere} {scaled}".strip(),
)

# %% tags=["nbval-check-output", "hide-input"]
for judgement in page.manifest.judgements:
    print(f"{judgement.claim:36} {judgement.verdict.value}")

# %% [markdown]
# ## Against what a reader would use instead

# %% tags=["hide-input"]
answers = []
for name, level in product(names, noisy):
    rivals = {
        "spectral MSE below FCLSU's": ("mse-spectral", scores(name, FCLSU, level, "mse-spectral")),
        "spectral MSE below that of PCA": ("mse-spectral", scores(name, UNDIP, level, "mse-spectral-pca")),
        "MAE against clean FCLSU below FCLSU's": (
            "mae-abundances-fclsu",
            scores(name, FCLSU, level, "mae-abundances-fclsu"),
        ),
        "MAE against the reference below FCLSU's": (
            "mae-abundances",
            scores(name, FCLSU, level, "mae-abundances"),
        ),
    }
    for question, (quantity, against) in rivals.items():
        ours = scores(name, UNDIP, level, quantity)
        outcome = claims.compare(question, name, ours, against, better="lower")
        word = {"reproduced": "yes", "contradicted": "no", "undecided": "undecided"}
        answers.append(
            {
                "scene": name,
                "noise": level_name(level),
                "is UnDIP's": question,
                "mean difference": outcome.mean,
                "95 % interval": f"{outcome.low:+.3g} to {outcome.high:+.3g}",
                "answer": word[outcome.verdict.value],
            }
        )
page.table(
    pd.DataFrame(answers),
    caption=f"Paired differences over {seeds} seeds, positive where UnDIP is better.",
    formats={"mean difference": "{:+.3g}"},
)

# %% [markdown]
# ## What the document leaves open
#
# Whether endmembers are picked from the noisy image or from the clean one (from the noisy one here), whether
# the ground truth comes from the clean image (it does here), how many draws of noise stand behind a curve,
# and which least squares does on the same noisy image.

# %% tags=["hide-input"]
page.provenance()
