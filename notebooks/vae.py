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
# # Can a small VAE make up the endmembers?

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
from hsu_lib.methods import get
from hsu_lib.methods.autoencoders import vae as maker
from hsu_lib.metrics import alignment, max_normalised
from hsu_lib.publishing import figures, pages, scores

CLAIMS = [
    "prim-vca-repeats-differ",
    "prim-normalised-endmembers-needed",
    "prim-vae-alpha03-best-endmembers",
    "prim-vae-alpha0-best-abundances",
    "prim-vae-alpha-small-differences",
    "prim-vae-endmembers-comparable",
    "prim-vae-abundances-tenfold-worse",
    "prim-perturbation-beats-vae",
    "prim-vae-trains-faster",
]
COSINE, MSE = "cos-endmembers-code", "mse-abundances-own-order"
OLD = "cos-endmembers-own-order"  # that of older runs; on Samson's usual reference it is COSINE
TITLES = {COSINE: "cosine of E (higher is better)", MSE: "MSE of A (lower is better)"}
PERTURBED = ["alpha 0", "alpha 0.3", "alpha 1"]
VAE = [f"VAE, {label}" for label in PERTURBED]
TABLES = {"VAE": ("Table 6", "vae-augmentation"), "": ("Table 5", "simple-perturbation-patches")}
RAW, UNIT_PIXELS = "VAE, alpha 0.3, not normalised", "VAE, alpha 0.3, pixels normalised too"

page = pages.Page("vae", profile, epochs=epochs)
asked = page.ask(CLAIMS, seeds=seeds, scene=scene, compute=compute)
where = scene or "samson"
results = asked.of(*CLAIMS[2:])  # in the code's reading, which made the report's figures
in_text = asked.of(CLAIMS[1])  # in the text's


def mean(label, score, found=results):
    """Mean over seeds, in words."""
    return scores.mean(found, where, label, score)


def reported(label, score):
    """What the report prints for Samson; None where it prints nothing."""
    kind, _, alpha = label.rpartition("alpha ")
    table, method = TABLES[kind.rstrip(", ")]
    named = {"table": table, "method": method, "condition": f"alpha={alpha}", "dataset": where}
    return claims.find_reported("prim", **named, metric="-".join(score.split("-")[:2]))


def with_reported(label, score):
    """Ours and, in brackets, the report's."""
    theirs = reported(label, score)
    return mean(label, score) + ("" if theirs is None else f" (the report: {scores.value(score, theirs)})")


waiting = [claim for claim in CLAIMS[5:] if asked.answers[claim].verdict is None]
page.opening(
    "The student report on self-supervised perturbations also lets a small network make up spectra: a "
    "*variational autoencoder* (VAE) learns from a hundred runs of VCA, which picks the purest pixels of an "
    "image, and draws new pure spectra (*endmembers*); images mixed from them train the unmixing network. "
    f"On {where}, **dividing the spectra by their length, which the report calls necessary, gives abundances "
    f"(shares of the materials) a mean squared error of {mean(VAE[1], MSE, in_text)}; leaving it out, "
    f"{mean(RAW, MSE, in_text)}.** That follows the report's text. By its code, with the weight α = 0.3 of "
    f"reproducing the image that it prefers, the error is {with_reported(VAE[1], MSE)} and the cosine "
    f"between true and found endmembers {with_reported(VAE[1], COSINE)}."
    + f" {len(waiting)} of the {len(CLAIMS[5:])} comparisons with perturbed endmembers wait for runs."
    * bool(waiting),
    asked.answers.values(),
)

# %% tags=["hide-input"]
readings = {
    name: page.beside(VAE, where, seeds="0-2", amounts="desk", reading=reading)
    for name, reading in (("text", "document"), ("code", "code"))
}
unit_pixels = page.beside([RAW, UNIT_PIXELS], where, seeds="0-2", amounts="desk")


def series(reading, score):
    """Means at the three alphas."""
    return ", ".join(mean(label, score, readings[reading]) for label in VAE)


def misfit(found, label):
    """How far the best mixtures stay from the image, over its norm."""
    runs = found.pick(where, label)
    return f"{np.mean([r.arrays['history/residual'].mean() for r in runs]):.2f}" if runs else "–"


less = "(Three other seeds, less training: it shows a cause and decides nothing.)"
why = {
    "prim-normalised-endmembers-needed": "Shares that sum to one mix spectra of length 1 to a pixel of "
    f"length 1 at most, and the pixels of {where} are longer. The best mixtures miss "
    f"**{misfit(in_text, VAE[1])} of the image's norm with endmembers of length 1, {misfit(in_text, RAW)} "
    "with VCA's as they are**, and the network learns from such shares. With pixels of length 1 as well, "
    f"{misfit(unit_pixels, UNIT_PIXELS)} is missed, and the MSE is {mean(UNIT_PIXELS, MSE, unit_pixels)} "
    f"beside {mean(RAW, MSE, unit_pixels)} where nothing is divided. {less}",
    "prim-vae-alpha03-best-endmembers": "In the code a place in a set of endmembers holds now this material, "
    "now that, and the VAE's are blends of them (*What the VAE learns from*, below). In one order, as in the "
    f"text's reading, the cosines at α 0, 0.3 and 1 are **{series('text', OLD)}, instead of "
    f"{series('code', OLD)}**. {less}",
    "prim-vae-alpha0-best-abundances": "At α = 0 the network learns nothing but the made-up endmembers and "
    "the shares that least squares finds for them, and the code reshapes the matrix of spectra where it had "
    "to transpose it: what it takes for spectra are none. With the text's reading, which hands over the "
    f"spectra, the MSE at α 0, 0.3 and 1 is **{series('text', MSE)}, instead of {series('code', MSE)}**. "
    f"That is about its size; which α comes first three seeds do not tell. {less}",
}

# %% [markdown]
# ## Claim by claim

# %% tags=["remove-input"]
for claim in CLAIMS:
    page.judge(claim, asked, why=why.get(claim, ""))
if waiting:
    page.text(
        "**What waits.** Two approaches are compared only where both got the same share of the training that "
        "text and code ask for, and times only of runs with nothing beside them; the cards tell what is "
        "missing. Below, the perturbations stand beside the VAE to be looked at, not to decide."
    )

# %% tags=["remove-cell", "nbval-check-output"]
for claim, answer in asked.answers.items():
    print(f"{claim:36} {answer.word}")

# %% [markdown]
# ## What the VAE learns from
#
# What VCA finds in its repeats, and what the VAE makes of it: each line is one endmember of one set.

# %% tags=["hide-input"]
record, as_code = (readings[reading].pick(where, VAE[1])[0] for reading in ("text", "code"))


def spectra_of_sets():
    """Made again as in the runs, in both readings, over the reference."""
    loaded = scenes.load(where)
    Y = (loaded.Y / loaded.Y.max()).reshape(loaded.bands, -1).astype(np.float64)
    chosen = (get("vae-augmentation").configure(**run.asked["settings"]) for run in (record, as_code))
    data, other = (maker.generate_endmembers(Y, len(loaded.materials), c, seed=0) for c in chosen)
    order = alignment.align(data.repeated[0], loaded.E)
    panels = {
        f"{len(data.repeated)} runs of VCA, in one order (text)": data.repeated,
        f"{len(data.made)} sets from the VAE (text)": data.made,
        f"{len(other.repeated)} runs of VCA as they come (code)": other.repeated,
        f"{len(other.made)} sets from the VAE (code)": other.made,
    }
    scaled = {title: [max_normalised(E[:, order]) for E in sets] for title, sets in panels.items()}
    return figures.set_panels(loaded, scaled)


page.figure(
    "sets",
    spectra_of_sets,
    alt=f"Four panels of spectra on {where}: VCA's repeats and the VAE's sets, in one order and as they "
    "come, where spectra of different materials share a colour and the VAE's are blends of them.",
    caption=f"Endmembers of {where} over their maxima, seed 0; dashed: reference. A colour per place.",
    needs=[where],
)

# %% tags=["hide-input"]
latents, histories = (
    {"text": record.arrays[f"history/{k}"], "code": as_code.arrays[f"history/{k}"]}
    for k in ("latent", "vae-loss")
)
page.figure(
    "latent",
    lambda: figures.latent_panels(latents, histories),
    alt="Left: latent means of VCA's repeats in both readings, a dot each. Right: falling loss of the VAE.",
    caption="Where the VAE puts VCA's repeats in its two latent numbers, and its loss (no unit).",
)
page.text(
    "Does the VAE use its latent numbers? Over the repeats their means have a standard deviation of at most "
    + " and ".join(f"{z.std(axis=0).max():.3f} ({name})" for name, z in latents.items())
    + ", where the prior has 1: the closer the means, the less the numbers say about a set, and the less new "
    "sets can differ. The code draws them with a standard deviation of 3."
)

# %% [markdown]
# ## Over alpha
#
# $\alpha$ weighs the unsupervised part of the loss (does the network reproduce the image?) and $1 - \alpha$
# the supervised one (does it find what the image was mixed from?), as in [the chapter on it](alpha.ipynb).

# %% tags=["hide-input"]
groups = {"VAE": (VAE, results), "VAE, text's reading": (VAE, in_text), "perturbation": (PERTURBED, results)}
lines = {
    q: {
        name: [found.scores(where, k, q) if k in found.labels(where) else None for k in labels]
        for name, (labels, found) in groups.items()
    }
    for q in TITLES
}
told = ", ".join(mean(label, MSE) for label in VAE)
theirs = {q: [reported(label, q) for label in VAE] for q in TITLES}
page.figure(
    "alphas",
    lambda: figures.dose_panels([0, 0.3, 1], lines, TITLES, xlabel="alpha", reported=theirs),
    alt=f"Cosine of E and MSE of A at alpha 0, 0.3 and 1. Mean MSE of the VAE: {told}.",
    caption=f"Each dot is a seed on {where}, lines are means, diamonds the report's single runs of the VAE. "
    f"The text's reading (at 0.3 only) has means of {mean(VAE[1], COSINE, in_text)} and "
    f"{mean(VAE[1], MSE, in_text)}. Perturbation: unequal shares of training, a look and no comparison.",
)

# %% [markdown]
# ## Look
#
# Endmembers and abundances that trained networks find in the real image.

# %% tags=["hide-input"]
shown = {
    "VAE, text's reading": record,
    "VAE, code's reading": as_code,
    "perturbation": page.beside(PERTURBED[1:2], where, amounts="desk").records[0],
    "VAE, text's, alpha 0": readings["text"].pick(where, VAE[0])[0],
}
angles = {k: np.rad2deg(r.scores["sad-endmembers"]) for k, r in shown.items()}
page.endmembers(where, shown, angles, over="alpha 0.3 where none is named, mean over endmembers")
page.maps(where, shown)

# %% [markdown]
# ## Beside the reported

# %% tags=["hide-input"]
every = (
    ("code", results),
    ("text", in_text),
    ("text, less training", readings["text"]),
    ("text, less training", unit_pixels),
    ("code, less training", readings["code"]),
)
rows = [
    {
        "condition": label,
        "reading": reading,
        "cosine of E": scores.spread(OLD, found.scores(where, label, OLD)),
        "reported cosine": reported(label, COSINE),
        "MSE of A": scores.spread(MSE, found.scores(where, label, MSE)),
        "reported MSE": reported(label, MSE),
    }
    for reading, found in every
    for label in (*VAE, RAW, UNIT_PIXELS, *PERTURBED)
    if label in found.labels(where)
]
page.table(
    pd.DataFrame(rows),
    caption=f"{where}: mean ± standard deviation over the seeds, and Tables 5 and 6 of the report.",
    formats={"reported cosine": "{:.4f}", "reported MSE": "{:.4f}"},
)
pairs = {
    name: [(found.scores(where, k, q).mean(), reported(k, q)) for q in (OLD, MSE) for k in VAE]
    for name, found in readings.items()
}
page.text(f"{pages.which_reading(pairs)} The training is equal in both, and less than the report's.")

# %% [markdown]
# ## The method
#
# 1. **VCA**, a hundred times, from random directions, so that runs may end at other pixels. Each endmember is
#    divided by its length: $e / \lVert e \rVert_2$.
# 2. **The VAE.** All endmembers of a run form one vector $x$; two fully connected layers with leaky ReLU lead
#    to mean $\mu$ and variance $\sigma^2$ of two latent numbers $z$, and back to $\hat x$. It minimises
#    $\lVert \hat x - x \rVert^2 + \mathrm{KL}(\mathcal N(\mu, \sigma^2) \,\Vert\, \mathcal N(0, 1))$.
# 3. **New endmembers** from random $z$, again of length 1.
# 4. **Abundances** by FCLS, $\min_A \lVert Y - E A \rVert$ with $A \ge 0$ and columns that sum to one.
# 5. **Images** $E A + N$, cut into patches, and the autoencoder trained on them with the loss that $\alpha$
#    balances. One factor for all gives them the brightness of the real image.
#
# Text and code differ in three places: VCA returns its endmembers in any order, and the code trains on them
# as they come, while we bring each run into the order of the first in the text's reading; the code draws $z$
# with a standard deviation of 3; and it reshapes the matrix it hands to FCLS. The report leaves open the
# layers' sizes and all of the VAE's training, the noise, the number of patches and epochs, how VCA's runs are
# ordered, what "normalised" means (length 1 in the code), and which runs its comparison with the
# perturbations takes; we took the code's values. Not tried: more latent numbers, other scenes.

# %% tags=["remove-input"]
page.settings("vae-augmentation")
page.provenance()
