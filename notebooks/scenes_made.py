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
# # Scenes made here
#
# Generated from a seed or mixed from real spectra, so that endmembers and abundances are known exactly: what
# they were made with. [The measured scenes](scenes.ipynb) are on another page, with all scenes in tables.
#
# Two documents train on one image and test on another of the same kind, OnTech-HSI-Syn-21. Neither is public,
# so both are generated here after their description. Their *coherent* twins have the same law of abundances
# in each pixel, but neighbours are alike, which is what a method that looks at patches can use; in the
# *bilinear* ones light that met two minerals joins that which met one, so the mixture is not linear.

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["remove-input"]
from hsu_lib import scenes
from hsu_lib.publishing import pages

page = pages.Page("scenes_made", profile)
catalogue = [scenes.describe(name) for name in scenes.names()]
for info in catalogue:
    if info.kind != "public":
        page.scene(info.name)

# %% tags=["remove-cell", "nbval-check-output"]
print(*(info.name for info in catalogue if info.kind != "public"))

# %% tags=["remove-input"]
page.provenance()
