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
# # The scenes
#
# What is unmixed in this book, what its reference is and who made it. A reference is not the truth unless
# the image was generated from it: for measured scenes it is somebody's estimate, and a score against it
# measures agreement with that estimate. This page has them all in tables, then the measured ones;
# [those made here](scenes_made.ipynb) have a page of their own.
#
# No public data is part of the project. A file is looked for in `HSU_DATA_DIR`, then in the user's cache,
# then downloaded from an address pinned to a commit, and its checksum is verified every time it is
# opened: `hsu data fetch samson`. Where a scene is not on the machine that builds this page, its published
# picture stands in.

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["remove-input"]
import numpy as np
import pandas as pd

from hsu_lib import scenes
from hsu_lib.publishing import pages

page = pages.Page("scenes", profile)
KINDS = {"public": "measured", "synthetic": "generated", "semi-real": "semi-real"}

# %% tags=["remove-input", "nbval-check-output"]
catalogue = [scenes.describe(name) for name in scenes.names()]
page.table(
    pd.DataFrame(
        {
            "name": [info.name for info in catalogue],
            "kind": [KINDS[info.kind] for info in catalogue],
            "bands": [info.size[0] for info in catalogue],
            "pixels": [f"{info.size[1]} × {info.size[2]}" for info in catalogue],
            "materials": [", ".join(info.materials[info.usual]) for info in catalogue],
            "licence": [info.licence for info in catalogue],
        }
    ),
    caption="All scenes, with the materials of their usual reference. The first is embedded: it is "
    "generated, and needs no file and no network.",
)

# %% [markdown]
# ## How well a reference explains its image
#
# If $Y = EA$ held exactly, the relative error $\lVert Y - EA\rVert_F / \lVert Y\rVert_F$ would be zero. For a
# generated scene it is the noise and the variability that were put in. For a measured one it also holds
# what the reference gets wrong.

# %% tags=["remove-input"]
rows = []
for info in catalogue:
    if not scenes.is_available(info.name):
        continue
    scene = scenes.load(info.name)
    row = {
        "scene": info.name,
        "reference": info.usual,
        "smallest Y": scene.Y.min(),
        "largest Y": scene.Y.max(),
    }
    if scene.A is not None:
        sums = scene.A.sum(axis=0)
        row |= {"smallest A": scene.A.min(), "largest |sum of A - 1|": abs(sums - 1).max()}
        if scene.E is not None:
            rebuilt = np.tensordot(scene.E, scene.A, 1)
            row["relative error"] = float(np.linalg.norm(scene.Y - rebuilt) / np.linalg.norm(scene.Y))
    rows.append({key: value if isinstance(value, str) else float(value) for key, value in row.items()})
page.table(
    pd.DataFrame(rows),
    caption="Computed for the scenes on the machine that built this page; empty where a scene has no "
    "reference abundances.",
    formats={
        "smallest Y": "{:.3f}",
        "largest Y": "{:.3f}",
        "smallest A": "{:.3f}",
        "largest |sum of A - 1|": "{:.1e}",
        "relative error": "{:.3f}",
    },
)

# %% [markdown]
# ## Measured

# %% tags=["remove-input"]
for info in catalogue:
    if info.kind == "public":
        page.scene(info.name)

# %% tags=["remove-input"]
page.provenance()
