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
# # All methods, all scenes

# %% tags=["parameters", "remove-cell"]
profile = "quick"
scene = "lagoon"  # comma-separated names, with a reference behind a colon where it is not the usual one
seeds = "0-1"  # of what draws at random

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from hsu_lib.claims import claims
from hsu_lib.publishing import html, pages, scores
from hsu_lib.runs import Run, Store, asking
from hsu_lib.runs.campaign import SEEDS, amounts, enumerated
from hsu_lib.runs.choices import chosen_from
from hsu_lib.scene import SceneSpec
from hsu_lib.words import seeds_of

page = pages.Page("all_methods", profile)
SPECS = [SceneSpec(*entry.split(":")) for entry in scene.split(",")]
SCENES = [str(spec) for spec in SPECS]
SCORE = "rmse-abundances"
LANDMARKS = {
    "the scene's endmembers + FCLSU": "fclsu",
    "VCA + FCLSU": "vca-fclsu",
    "SiVM + FCLSU": "sivm-fclsu",
    "SNPA + FCLSU": "snpa-fclsu",
}
NETWORKS = {
    "whole image": "autoencoder, whole image",
    "patches": "autoencoder, patches",
    "simple, patches": "perturbed copies, patches",
    "pixel-wise, patches": "perturbed in every pixel, patches",
    "VAE, alpha 0.3": "endmembers by a VAE",
    "UnDIP": "UnDIP",
}
LABELLED = {
    "labels + FCLSU": "labels + FCLSU",
    "LDVAE": "LDVAE",
    "SpACNN-LDVAE": "SpACNN-LDVAE",
}
PROFILES = {"prim": "paper", "undip": "desk", "ldvae": "desk", "spacnn_ldvae": "desk"}  # that decide claims

landmarks = page.sweep(
    Run(method, spec, seed, label=label)
    for spec in SPECS
    for label, method in LANDMARKS.items()
    for seed in seeds_of(seeds, "seeds")
)
store = Store()
found = {}
for source, amount in PROFILES.items():
    asked = claims().index[claims()["source"] == source]
    asking_for = enumerated(amounts(amount), SEEDS, asked, choices=chosen_from(store.find))
    first = {
        key for way, by in asking_for.ways.items() if way.number == 0 for keys in by.values() for key in keys
    }
    wanted = {
        key: run
        for key, run in asking_for.runs.items()
        if key in first and run.label in NETWORKS | LABELLED and run.scene.snr_db is None
    }
    stored = asking.stored(wanted, store)
    for label, record in zip(stored.table.get("label", ()), stored.records, strict=True):
        where = str(record.scene)
        if where in SCENES and SCORE in record.scores:
            name = (NETWORKS | LABELLED)[label]
            found.setdefault((name, where), {})[record.asked["seed"]] = record.scores[SCORE]


def table(names, of_landmarks=()):
    """Mean score of each method on each scene; not a number where it was not run."""
    rows = {
        label: {name: landmarks.scores(name, label, SCORE).mean() for name in SCENES}
        for label in of_landmarks
    }
    rows |= {
        label: {name: np.mean([*found[label, name].values()]) for name in SCENES if (label, name) in found}
        for label in names
    }
    return pd.DataFrame(rows).T.reindex(columns=SCENES)


blind, labelled = table(NETWORKS.values(), LANDMARKS), table(LABELLED.values())
trained = blind.loc[list(NETWORKS.values())]
plain = blind.loc["VCA + FCLSU"]
run = [name for name in SCENES if trained[name].notna().any()]
wins = [name for name in run if trained[name].min() < plain[name]]
seconds = np.median([record.seconds for name in SCENES for record in landmarks.pick(name, "VCA + FCLSU")])
page.text(
    html.lead(
        "How wrong are the abundances, method by method and scene by scene? On "
        f"{len(wins)} of the {len(run)} scenes where networks were run, one that is given nothing but the "
        f"image has a lower mean error than **VCA + FCLSU**, which takes {seconds:.1g} s. Given the scene's "
        "own endmembers, least squares alone have "
        + ", ".join(f"{scores.value(SCORE, v)} ({n})" for n, v in blind.iloc[0].items())
        + "."
    )
)

# %% [markdown]
# ## From the image alone

# %% tags=["remove-input"]
page.show(
    html.heat(
        blind.dropna(how="all"),
        SCORE,
        caption="RMSE of the abundances, mean over seeds; endmembers matched by spectral angle. The first "
        "row is given the endmembers, and where the reference itself is made so, it is no achievement.",
    )
)

# %% [markdown]
# ## With labels
#
# These learn from pixels whose abundances are known: 80 percent of Samson's, half or 80 percent of Urban's, a
# second image for OnTech. Scores are over all pixels.

# %% tags=["remove-input"]
if labelled.notna().any(axis=None):
    page.show(
        html.heat(labelled.dropna(how="all"), SCORE, caption="RMSE of the abundances, mean over seeds.")
    )
else:
    page.text("None of them has been run with fresh seeds yet.")

# %% tags=["remove-cell", "nbval-check-output"]
print(*blind.index, sep="\n")

# %% [markdown]
# ## What to use when
#
# - **You know the materials**: give their spectra to FCLSU, in the image's own unit. Spectra that are scaled
#   otherwise, as Samson's usual reference is, spoil it.
# - **You know nothing, and some pixels are pure**: VCA or SNPA with FCLSU. Look at the residual, and run VCA
#   with several seeds: where it ends elsewhere each time, the image does not hold the answer.
# - **You have pixels with known abundances**: least squares with them first; it is the mark that a network
#   has to pass ([latent Dirichlet autoencoders](ldvae.ipynb)).
# - **Spectra vary from pixel to pixel**, or no pixel is pure: a network may help, and may not. Run it with
#   several seeds, and believe no difference that is smaller than their spread ([patches](patching.ipynb),
#   [perturbed copies](perturbations.ipynb), [UnDIP](undip.ipynb)).

# %% tags=["remove-input"]
page.provenance()
