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
# # Metrics
#
# Two papers can report the same method on the same scene and differ by a factor of two because one
# wrote "RMSE" for a pooled error and the other for an average. This page defines every score of the
# book once, as `hsu_lib.metrics` computes it, and shows with numbers where definitions that share a
# name part ways.
#
# $E$ are endmembers, one spectrum per column; $A$ are abundances, one map per row; a hat marks the
# estimate. $L$ bands, $p$ endmembers, $N$ pixels. Before any score, [endmembers are put in the order of the
# reference](alignment.ipynb).

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seed = 0  # of the random estimates that the scores are tried on

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from hsu_lib import metrics, scenes
from hsu_lib.metrics import alignment
from hsu_lib.publishing import pages

page = pages.Page("metrics", profile)
scene = scenes.load("lagoon")
E, A = np.float64(scene.E), np.float64(scene.A)
random = np.random.default_rng(seed)

# %% tags=["remove-input", "nbval-check-output"]
print(
    f"{scene.name}: {scene.bands} bands, {scene.height} x {scene.width} pixels, {', '.join(scene.materials)}"
)

# %% [markdown]
# ## Spectral angle
#
# The angle between an estimated spectrum and its reference, blind to the brightness of either:
#
# $$
# \theta(\hat e, e) = \arccos \frac{\hat e^\top e}{\lVert\hat e\rVert\,\lVert e\rVert}
#   = 2\,\mathrm{atan2}\bigl(\lVert u - v\rVert,\ \lVert u + v\rVert\bigr),
#   \qquad u = \frac{\hat e}{\lVert\hat e\rVert},\ v = \frac{e}{\lVert e\rVert}.
# $$
#
# On paper both forms are one. In floating point the arccosine loses half of the digits where it
# matters most, for spectra that nearly agree: there the cosine is flat, and rounding may even push it
# past 1, where there is no angle at all. The library uses the second form. Below, each reference
# spectrum is turned by a known angle, and both forms are asked for that angle.

# %% tags=["hide-input"]
angles = np.logspace(-10, 0, 101)
e = E[:, 0] / np.linalg.norm(E[:, 0])
aside = E[:, 1] - (E[:, 1] @ e) * e
aside /= np.linalg.norm(aside)
turned = e[:, None] * np.cos(angles) + aside[:, None] * np.sin(angles)
original = np.repeat(e[:, None], angles.size, axis=1)
by_atan2 = alignment.spectral_angle(turned, original)
cosines = (turned * original).sum(0) / np.linalg.norm(turned, axis=0) / np.linalg.norm(original, axis=0)
by_arccos = np.arccos(np.clip(cosines, -1, 1))


def draw():
    figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for values, label in (
        (by_arccos, "arccos of the clipped cosine"),
        (by_atan2, "atan2, as in the library"),
    ):
        ax.loglog(angles, np.maximum(abs(values / angles - 1), 1e-17), label=label)
    ax.set(xlabel="true angle (rad)", ylabel="relative error of the angle")
    ax.legend()
    return figure


page.figure(
    "angle-precision",
    draw,
    alt="Relative error of the spectral angle against the true angle, both axes logarithmic. The arccosine's "
    "error grows as the angle shrinks and reaches 1 near ten to the minus eight; the other form stays "
    "near rounding level.",
    caption="Relative error of two ways to compute one angle, in double precision. Where the error reaches "
    "1, the arccosine returns zero for spectra that differ.",
)

# %% tags=["hide-input"]
spectra = random.random((162, 5000), dtype=np.float32)
unit = spectra / np.linalg.norm(spectra, axis=0)
scaled = 3 * spectra / np.linalg.norm(3 * spectra, axis=0)
with np.errstate(invalid="ignore"):
    raw = np.arccos((unit * scaled).sum(0))
page.text(
    f"In single precision, the format of most images, {spectra.shape[1]} random spectra against three times "
    f"themselves should give {spectra.shape[1]} zeros. The plain arccosine gives {np.isnan(raw).sum()} times "
    f"no number at all and up to {np.nanmax(raw):.1e} rad for the rest; the library's largest is "
    f"{alignment.spectral_angle(3 * spectra, spectra).max():.1e} rad."
)

# %% [markdown]
# ## Cosine similarity: pooled or averaged
#
# The report on perturbations gives a cosine similarity of the whole matrix, taken as one long vector;
# averaging the cosine of each endmember is the other reading of the same words:
#
# $$
# c_\mathrm{pooled} = \frac{\langle \hat E, E\rangle_F}{\lVert\hat E\rVert_F\,\lVert E\rVert_F},
# \qquad
# c_\mathrm{mean} = \frac1p \sum_{k=1}^{p} \cos\theta(\hat e_k, e_k).
# $$
#
# The pooled one weighs an endmember by its brightness. A dark material, water for instance, can be
# entirely wrong without being noticed, and a wrong brightness lowers it although every shape is right.

# %% tags=["hide-input"]
dark, bright = np.argmin(np.linalg.norm(E, axis=0)), np.argmax(np.linalg.norm(E, axis=0))
cases = {"all right": E.copy()}
for case, k in (("darkest endmember flat", dark), ("brightest endmember flat", bright)):
    cases[f"{case} ({scene.materials[k]})"] = E.copy()
    cases[f"{case} ({scene.materials[k]})"][:, k] = E[:, k].mean()
cases[f"brightest endmember at half brightness ({scene.materials[bright]})"] = E.copy()
cases[f"brightest endmember at half brightness ({scene.materials[bright]})"][:, bright] /= 2
cosine = pd.DataFrame(
    [(case, metrics.cosine_pooled(x, E), metrics.cosine_mean(x, E)) for case, x in cases.items()],
    columns=["estimate", "pooled", "mean over endmembers"],
)
page.table(
    cosine,
    caption="Two cosine similarities of the same four estimates.",
    formats={"pooled": "{:.4f}", "mean over endmembers": "{:.4f}"},
)

# %% [markdown]
# The code of the report on perturbations also divides each estimated endmember by its own maximum before it
# compares. On Samson, whose reference is scaled so, that is fair; where the reference is not scaled, even
# the true endmembers would not score 1. The scores called `cos-endmembers-max` follow that code.
#
# ## Errors of the abundances
#
# $$
# \mathrm{MSE} = \frac{1}{pN}\sum_{k,n} (\hat a_{kn} - a_{kn})^2, \qquad
# \mathrm{RMSE}_\mathrm{pooled} = \sqrt{\mathrm{MSE}}, \qquad
# \mathrm{RMSE}_\mathrm{averaged} = \frac1p \sum_k \sqrt{\frac1N \sum_n (\hat a_{kn} - a_{kn})^2},
# $$
#
# and $\mathrm{MAE} = \frac{1}{pN}\sum_{k,n}\lvert\hat a_{kn} - a_{kn}\rvert$. The square root is concave, so
# the average never exceeds the pooled value, and the two agree only if all endmembers err alike. The
# tutorial pools and prints percent; the two papers on latent Dirichlet autoencoders print one error per
# endmember and their average.
# Below, some abundance of one endmember moves to another one, or to all others alike.

# %% tags=["hide-input"]
rows = []
for target, others in (("one other", slice(1, 2)), ("all others alike", slice(1, None))):
    for size in (0.05, 0.1, 0.2, 0.4):
        moved = np.minimum(A[0], size)  # sums stay one
        estimate = A.copy()
        estimate[0] -= moved
        estimate[others] += moved / len(A[others])
        pooled, averaged = metrics.rmse_pooled(estimate, A), metrics.rmse_averaged(estimate, A)
        rows.append(
            (
                target,
                size,
                metrics.mse(estimate, A),
                metrics.mae(estimate, A),
                pooled,
                averaged,
                pooled / averaged,
            )
        )
errors = pd.DataFrame(
    rows, columns=["moved to", "at most", "MSE", "MAE", "RMSE pooled", "RMSE averaged", "pooled / averaged"]
)
page.table(
    errors,
    caption=f"Errors of estimates in which abundance moved away from {scene.materials[0]}.",
    formats={
        "at most": "{:.2f}",
        **dict.fromkeys(errors.columns[2:6], "{:.4f}"),
        "pooled / averaged": "{:.3f}",
    },
)

# %% tags=["hide-input"]
ratios = errors.groupby("moved to")["pooled / averaged"].mean()
page.text(
    f"One word, two figures: the pooled error is {ratios['one other']:.3f} times the averaged one where the "
    f"error sits in two of {len(A)} endmembers, and {ratios['all others alike']:.3f} times where it is "
    "spread. Before two papers are compared, their RMSE has to be read, not only quoted."
)

# %% [markdown]
# ## Signal-to-reconstruction error
#
# The sparse family is judged by a ratio in dB, where higher is better. The usual definition compares
# powers; the tutorial writes norms that are not squared:
#
# $$
# \mathrm{SRE} = 10\log_{10}\frac{\lVert A\rVert_F^2}{\lVert A - \hat A\rVert_F^2}, \qquad
# \mathrm{SRE}_\mathrm{plain} = 10\log_{10}\frac{\lVert A\rVert_F}{\lVert A - \hat A\rVert_F}
#   = \tfrac12\,\mathrm{SRE}.
# $$
#
# A table that does not say which one it holds is ambiguous by a factor of two in dB.

# %% tags=["hide-input"]
sre = pd.DataFrame(
    [
        (level, metrics.sre_db(x, A), metrics.sre_db(x, A, norms="plain"), metrics.rmse_pooled(x, A))
        for level in (0.01, 0.03, 0.1, 0.3)
        for x in (A + level * random.standard_normal(A.shape),)
    ],
    columns=["noise on A", "squared norms (dB)", "plain norms (dB)", "RMSE pooled"],
)
page.table(
    sre,
    caption="Both conventions for four levels of Gaussian error on the abundances.",
    formats={
        "noise on A": "{:.2f}",
        "squared norms (dB)": "{:.2f}",
        "plain norms (dB)": "{:.2f}",
        "RMSE pooled": "{:.4f}",
    },
)

# %% [markdown]
# ## Reconstruction
#
# $\frac{1}{LN}\lVert Y - \hat E\hat A\rVert_F^2$, and the mean angle of its pixels, need no reference, and
# for that reason are tempting. They do not say whether the unmixing is right. For any invertible $M$
# whose columns sum to one, $(EM)(M^{-1}A) = EA$: other endmembers, other abundances that still sum to
# one, the same image.

# %% tags=["hide-input"]
p = E.shape[1]
rows = []
for mix in (0.0, 0.05, 0.1, 0.2):
    M = (1 - mix) * np.eye(p) + mix / p
    E_other, A_other = E @ M, np.linalg.solve(M, A.reshape(p, -1)).reshape(A.shape)
    rows.append(
        (mix, metrics.reconstruction_mse(scene.Y, E_other, A_other), metrics.rmse_pooled(A_other, A),
         alignment.spectral_angle(E_other, E).mean())
    )  # fmt: skip
ambiguity = pd.DataFrame(
    rows, columns=["each endmember mixed by", "reconstruction MSE", "RMSE of A", "spectral angle of E (rad)"]
)
page.table(
    ambiguity,
    caption="The reconstruction error cannot tell these four unmixings apart; the reference can.",
    formats={
        "each endmember mixed by": "{:.2f}",
        "reconstruction MSE": "{:.3e}",
        "RMSE of A": "{:.4f}",
        "spectral angle of E (rad)": "{:.4f}",
    },
)

# %% tags=["remove-cell", "nbval-check-output"]
print("averaged RMSE is never above pooled:", bool((errors["pooled / averaged"] >= 1).all()))
print("plain SRE is half of SRE:", bool(np.allclose(2 * sre["plain norms (dB)"], sre["squared norms (dB)"])))

# %% [markdown]
# ## Every score by its name
#
# These are the names in records, tables and `hsu runs`. Angles are in radians and fractions stay
# fractions; percent and degrees appear only in tables that say so.

# %% tags=["hide-input"]
page.table(
    pd.DataFrame(
        [(name, score.title, score.unit, score.better) for name, score in metrics.SCORES.items()],
        columns=["name", "what it is", "unit", "better"],
    ),
    caption="The scores of a record. Those of single materials carry the material after a slash.",
)

# %% tags=["hide-input"]
page.provenance()
