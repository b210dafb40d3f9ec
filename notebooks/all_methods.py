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

from hsu_lib.publishing import html, pages, scores, standings
from hsu_lib.publishing.standings import ARCHETYPES, LABELLED, NETWORKS, OWN, RIVALS, SCORE
from hsu_lib.runs import Store
from hsu_lib.words import seeds_of

page = pages.Page("all_methods", profile)
SPECS = standings.places(scene)
SCENES = [str(spec) for spec in SPECS]

drawn = seeds_of(seeds, "seeds")
own = page.sweep(standings.own_runs(SPECS, drawn, page.amounts))
means = standings.means(SPECS, drawn, own, Store())
blind = means.loc[[*OWN, *ARCHETYPES.values(), *RIVALS, *NETWORKS.values()]]
labelled = means.loc[list(LABELLED.values())]
given, plain = blind.iloc[0], blind.loc["VCA + FCLSU"]
others = blind.drop(index=[blind.index[0], "VCA + FCLSU"])
best = others.idxmin()
wins = [name for name in SCENES if others[name].min() < plain[name]]
seconds = np.median([record.seconds for name in SCENES for record in own.pick(name, "VCA + FCLSU")])
page.text(
    html.lead(
        "How wrong are the abundances, method by method and scene by scene? On "
        f"{len(wins)} of {len(SCENES)} scenes the best of {len(others)} that are given nothing but the image "
        f"has a lower mean error than **VCA + FCLSU**, which takes {seconds:.1g} s"
        + (": " + ", ".join(f"{best[name]} ({name})" for name in wins) if wins else "")
        + ". Which one that is, only the truth tells, and by chance alone the best of many beats one. Given "
        "the scene's own endmembers, least squares alone have "
        + ", ".join(f"{scores.value(SCORE, v)} ({n})" for n, v in given.items())
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
        "row is given the endmembers, and where the reference itself is made so, it is no achievement. Empty "
        "is what no chapter runs: most rivals of LDVAE are on Samson alone.",
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
# - **You know nothing, and no pixel is pure**: endmembers outside the image, by minimum volume (NMF-QMV,
#   MVC-NMF), if the edges of the simplex are there; compare two weights of the volume
#   ([minimum volume](minimum_volume.ipynb)).
# - **You have pixels with known abundances**: least squares with them first; it is the mark that a network
#   has to pass ([latent Dirichlet autoencoders](ldvae.ipynb)).
# - **Spectra vary from pixel to pixel**: a network may help, and may not. Run it with
#   several seeds, and believe no difference that is smaller than their spread ([patches](patching.ipynb),
#   [perturbed copies](perturbations.ipynb), [UnDIP](undip.ipynb)).

# %% tags=["remove-input"]
page.provenance()
