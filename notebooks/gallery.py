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
# # Gallery
#
# **A recipe for each question that an image brings along**: the command, the picture that it leaves, and what
# to look at. The image is the embedded scene of the book, a lagoon, in a file as somebody might have it; each
# picture is made when this page is. What is assumed of a file, and every option that says otherwise, is on
# the page [An image of your own](own_image.ipynb), which also shows what the commands print; the calls are in
# the [API](api.md).

# %% tags=["parameters", "remove-cell"]
profile = "quick"

# %% tags=["hide-input"]
import contextlib
import shlex
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rasterio
from click.testing import CliRunner
from PIL import Image
from scipy.io import savemat
from spectral.io import envi

import hsu_lib
from hsu_lib import cli, metrics, scenes
from hsu_lib.publishing import figures, pages
from hsu_lib.scene import Unmixing

page = pages.Page("gallery", profile)
folder = Path(tempfile.mkdtemp())
lagoon = scenes.load("lagoon")
cube = lagoon.Y.transpose(1, 2, 0)  # height, width, bands
known = {"wavelength units": "Nanometers", "wavelength": list(lagoon.wavelengths)}


def recipe(command, picture, *, alt, look):
    """Run a command in the folder of the files; show it, the picture that it makes, what to look at."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(cli.main, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    plt.close("all")  # its pictures are files
    shown = command if len(command) < 72 else command.replace(" --out", " \\\n    --out")
    page.text(f"```console\n$ {shown}\n```")
    caption = f"{picture}, as the command leaves it."
    page.figure(Path(picture).stem, lambda: Image.open(folder / picture), alt=alt, caption=caption)
    page.text(f"**Look at** {look}")


def table(name, spectra, *, by=1.0):
    """A table of spectra as a spreadsheet has it, their reflectance times a number."""
    columns = {"wavelength (nm)": lagoon.wavelengths} | {m: by * np.asarray(e) for m, e in spectra.items()}
    pd.DataFrame(columns).to_csv(folder / name, index=False)


# %% [markdown]
# ## An ENVI image with bad bands
#
# Around 1400 and 1900 nm the air lets no light through, and a sensor records noise. The header calls such
# bands bad in its list `bbl`, and they are left out of everything.

# %% tags=["hide-input"]
wet = [(1350 < w < 1420) or (1800 < w < 1950) for w in lagoon.wavelengths]
measured = cube.copy()
measured[..., wet] = np.random.default_rng(0).normal(0.2, 0.3, (*cube.shape[:2], sum(wet)))
bad = {"bbl": [int(not b) for b in wet]}
envi.save_image(folder / "field.hdr", measured.astype(np.float32), metadata=known | bad)
recipe(
    "hsu look field.hdr",
    "field-look.png",
    alt="Composite of three bands of the lagoon, and its spectra, smooth over the bad bands.",
    look=f"the spectra near 1400 and 1900 nm. They are straight there, over {sum(wet)} bad bands; a spike "
    "would be a bad band that the header does not know, and `--drop-bands 31-33` leaves such out.",
)

# %% [markdown]
# ## A `.mat` that is a matrix
#
# Many data sets are a matrix with a row for each band, and nothing says how the pixels were lined up. Say the
# size, and try both orders.

# %% tags=["hide-input"]
savemat(folder / "pixels.mat", {"M": lagoon.Y.transpose(0, 2, 1).reshape(lagoon.bands, -1)})
recipe(
    f"hsu look pixels.mat --size {lagoon.height} {lagoon.width} --layout 'b(wh)'",
    "pixels-look.png",
    alt="Composite of three bands of the lagoon with its shores in one piece, and its mean spectrum.",
    look="the shores. In the wrong order, here `b(hw)`, they fall to stripes, whatever the spectrum looks "
    "like: MATLAB lines pixels up column by column, `b(wh)`, NumPy row by row.",
)

# %% [markdown]
# ## Spectra that are known
#
# Somebody was in the field with a spectrometer, and has a table in percent. Only abundances are left to find.

# %% tags=["hide-input"]
table("spectra.csv", dict(zip(lagoon.materials, lagoon.E.T, strict=True)), by=100)
recipe(
    "hsu unmix field.hdr --endmembers-from spectra.csv --endmembers-scale 100 --out known",
    "known.png",
    alt="Composite, the four known spectra, their abundance maps and the residual.",
    look="the residual. Where it is large, something is on the ground that is not in the table, or a "
    "material looks otherwise than where it was measured.",
)

# %% [markdown]
# ## A library of minerals
#
# Nobody was in the field, but a library has what may be there. A few of its spectra are chosen for each
# pixel; how strictly, the noise of the image decides.

# %% tags=["hide-input"]
library = scenes.library_of("lagoon")
table("library.csv", dict(zip(library.names, library.spectra.T, strict=True)))
recipe(
    "hsu unmix field.hdr --library library.csv --out chosen",
    "chosen.png",
    alt="Composite, spectra chosen from the library, their abundance maps and the residual.",
    look="which maps are of one piece, and which are specks: those are spectra that stand in for each other. "
    "`--library usgs` takes the minerals of the United States Geological Survey instead of a table, and "
    "downloads them once.",
)

# %% [markdown]
# ## How many endmembers?
#
# Each estimator takes something else for granted about noise and materials. All are asked.

# %% tags=["hide-input"]
recipe(
    "hsu rank field.hdr",
    "field-rank.png",
    alt="Eigenvalues of the image over those of its noise, falling, with a mark where each estimator stops.",
    look="where the eigenvalues reach those of the noise, and how far apart the marks are. Together they can "
    "be trusted; apart they cannot, and the number is yours to choose.",
)

# %% [markdown]
# ## Water left out
#
# Deep water is dark, and what is dark attracts an endmember that is mostly noise. A map with zeros leaves it
# out: here it is made of the normalised difference of green and near infrared (NDWI).

# %% tags=["hide-input"]
green, infrared = (cube[..., np.abs(lagoon.wavelengths - w).argmin()] for w in (560, 860))
np.save(folder / "land.npy", (green - infrared) / (green + infrared) < -0.1)
recipe(
    "hsu unmix field.hdr -p 3 --mask land.npy --out land",
    "land.png",
    alt="Composite with the water left out, spectra of three endmembers, their maps and the residual.",
    look="the shore. Pixels there still have a share of water, and no endmember stands for it any more: "
    "where the residual shows a seam, the map should leave out more.",
)

# %% [markdown]
# ## Maps for a GIS
#
# An image that knows where it lies makes maps that do. ENVI files need nothing else; `--format geotiff` and
# `netcdf` write the same for other programs.

# %% tags=["hide-input"]
place = {"map info": "{UTM, 1, 1, 500000, 4800000, 10, 10, 31, North, WGS-84, units=Meters}"}
envi.save_image(folder / "coast.hdr", cube.astype(np.float32), metadata=known | place)
recipe(
    "hsu unmix coast.hdr -p 4 --method sivm-fclsu --out gis --format envi",
    "gis.png",
    alt="Composite, spectra of four endmembers, abundance maps and residual of the image with a place.",
    look="the map in the GIS, over a street map: it has to lie where the image does.",
)

# %% [markdown]
# ## From Python
#
# The same with arrays: bands first, pixels with NaN take no part. The result has maps, spectra, the residual,
# and what is to be said about it.

# %%
found = hsu_lib.unmix(lagoon.Y, endmembers=4, wavelengths=lagoon.wavelengths)
print(found.status, found.about["method"], found.rmse.shape, found.warnings)

# %% tags=["remove-input"]
page.figure(
    "python",
    lambda: figures.map_row(found.A, found.materials, "found.A"),
    alt="Abundance maps of four endmembers.",
    caption="Abundances of the four endmembers, drawn from the array.",
)
page.text(
    "**Look at** `found.warnings` and at `found.read`: what the command would say is there, and nothing else "
    "tells it."
)

# %% [markdown]
# ## As an estimator
#
# In scikit-learn samples are rows, so a table of spectra is (pixels, bands). What is learnt on some pixels is
# applied to others.

# %%
X = lagoon.pixels.T
learnt, others = X[::2], X[1::2]
off = {}
for count in range(2, 8):
    unmixer = hsu_lib.Unmixer(n_components=count, method="nfindr-fclsu", random_state=0).fit(learnt)
    off[count] = float(np.sqrt(np.mean((unmixer.inverse_transform(unmixer.transform(others)) - others) ** 2)))


# %% tags=["remove-input"]
def falling():
    """Error of the pixels that were not learnt from over the number of endmembers."""
    figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
    ax.plot(list(off), list(off.values()), "o-")
    ax.set(xlabel="endmembers", ylabel="RMSE (reflectance)", ylim=(0, None))
    return figure


page.figure(
    "estimator",
    falling,
    alt="Error of the other pixels: " + ", ".join(f"{n} endmembers {e:.3f}" for n, e in off.items()) + ".",
    caption="Root mean squared error of the pixels that were not learnt from.",
)
page.text("**Look at** where the curve stops falling: more endmembers than that explain noise.")

# %% [markdown]
# ## How sure is it?
#
# What the model leaves of the image is put on it once more, as noise, ten times. Where the ten maps differ,
# noise decides.

# %%
rng, size = np.random.default_rng(0), float(found.rmse.mean())
ten = [
    hsu_lib.unmix(lagoon.Y + rng.normal(0, size, lagoon.Y.shape), endmembers=4, method="nfindr-fclsu").A
    for _ in range(10)
]
spread = np.std(ten, axis=0)


# %% tags=["remove-input"]
def spreads():
    """Maps of the standard deviation."""
    figure, axes = figures.grid(1, len(spread), ratio=lagoon.height / lagoon.width)
    figures.abundance_maps(spread, axes[0], materials=found.materials, top=0.02)
    return figure


scored, _ = metrics.score(Unmixing(found.E, found.A), lagoon)
page.figure(
    "spread",
    spreads,
    alt="Maps of the standard deviation of the abundances, one for each endmember.",
    caption="Standard deviation of the abundances of ten images with noise put on.",
)
page.text(
    f"**Look at** where it is largest; on average it is {100 * spread.mean():.1f} %. It tells nothing of an "
    "error that all ten share: against what was put in, the abundances are "
    f"{100 * scored['rmse-abundances']:.0f} % off (root mean squared error), because the pixels that were "
    "picked are not quite pure."
)

# %% tags=["remove-cell", "nbval-check-output"]
left = hsu_lib.read_result(folder / "land.npz")
print(f"{sum(wet)} bad bands, {int((~left.mask).sum())} pixels of water, {sorted(off)} endmembers")
print(hsu_lib.read_result(folder / "known.npz").materials)
with rasterio.open(folder / "gis-maps.img") as maps:
    print(maps.count, maps.crs, maps.transform.c, maps.transform.f)

# %% [markdown]
# ## And then
#
# `hsu explore known.npz land.npz` puts results side by side on a page, with the spectrum of the pixel under
# the cursor. [An image of your own](own_image.ipynb) has what is assumed of files; [Methods](methods.ipynb)
# what else can be asked of an image; [Rerunning and extending](rerun.md) how to make it a scene of the book.

# %% tags=["remove-input"]
page.provenance()
