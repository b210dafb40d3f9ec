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
# measures agreement with that estimate.
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
from hsu_lib.publishing import figures, pages
from hsu_lib.publishing.html import code, prose, verbatim

page = pages.Page("scenes", profile)
KINDS = {"public": "measured", "synthetic": "generated", "semi-real": "semi-real"}
shown = []

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


# %% tags=["remove-input"]
def show(name):
    """A scene's picture, then what has to be known about it."""
    info = scenes.describe(name)
    shown.append(name)

    bands, height, width = info.size
    materials = ", ".join(info.materials[info.usual])
    page.text(prose(info.summary))
    page.figure(
        name,
        lambda: figures.scene_panels(scenes.load(name)),
        alt=f"{info.title}: colour composite of the image, spectra of {materials}, and, where there is a "
        "reference, one abundance map for each of them.",
        caption=f"{info.title}, {height} × {width} pixels, {bands} bands: composite of three bands, "
        f"reference endmembers ({info.usual}) and reference abundances from 0 to 1.",
        needs=[name] if info.all_files else [],
    )
    references = "".join(f"\n- {code(key)}: {prose(text)}." for key, text in info.references.items())
    page.text(
        f"References, the usual one first:\n{references}\n- Unit: {verbatim(info.unit)}.\n- To keep in mind: "
        f"{prose(info.cautions)}\n- Licence: {verbatim(info.licence)}. Cite: {verbatim(info.citation)}."
    )


# %% [markdown]
# ## The embedded scene: `lagoon`

# %% tags=["remove-input"]
show("lagoon")

# %% [markdown]
# ## Samson

# %% tags=["remove-input"]
show("samson")

# %% [markdown]
# ## Jasper Ridge

# %% tags=["remove-input"]
show("jasper")

# %% [markdown]
# ## Urban, whole scene

# %% tags=["remove-input"]
show("urban")

# %% [markdown]
# ## Urban, detection window

# %% tags=["remove-input"]
show("urban-detection-window")

# %% [markdown]
# ## Urban, grass window

# %% tags=["remove-input"]
show("urban-grass-window")

# %% [markdown]
# ## Urban, semi-real

# %% tags=["remove-input"]
show("urban-semireal")

# %% [markdown]
# ## Sim1

# %% tags=["remove-input"]
show("sim1")

# %% [markdown]
# ## Sim2

# %% tags=["remove-input"]
show("sim2")

# %% [markdown]
# ## HySU

# %% tags=["remove-input"]
show("hysu")

# %% [markdown]
# ## DC1

# %% tags=["remove-input"]
show("dc1")

# %% [markdown]
# ## DC2

# %% tags=["remove-input"]
show("dc2")

# %% [markdown]
# ## Cuprite, window

# %% tags=["remove-input"]
show("cuprite-window")

# %% [markdown]
# ## OnTech-HSI-Syn-21, after its description
#
# Two documents train on one image and test on another of the same kind. Neither is public, so both are
# generated here, and with them a pair of coherent twins: their abundances have the same law in each pixel,
# but neighbours are alike, which is what a method that looks at patches can use.

# %% tags=["remove-input"]
show("ontech-syn")

# %% tags=["remove-input"]
show("ontech-syn-train")

# %% [markdown]
# ## Coherent twins of OnTech-HSI-Syn-21

# %% tags=["remove-input"]
show("ontech-syn-coherent")

# %% tags=["remove-input"]
show("ontech-syn-coherent-train")

# %% [markdown]
# ## Bilinear twins of OnTech-HSI-Syn-21
#
# The same abundances and endmembers; light that met two minerals joins that which met one, so the mixture is
# not linear.

# %% tags=["remove-input"]
show("ontech-syn-bilinear")

# %% tags=["remove-input"]
show("ontech-syn-bilinear-train")

# %% [markdown]
# ## Cuprite, synthetic

# %% tags=["remove-input"]
show("cuprite-synthetic")

# %% tags=["remove-input"]
show("cuprite-synthetic-coherent")

# %% tags=["remove-cell"]
left_out = set(scenes.names()) - set(shown)
assert not left_out, f"these scenes have no section on this page yet: {', '.join(sorted(left_out))}"

# %% tags=["remove-input"]
page.provenance()
