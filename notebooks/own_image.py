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
# # An image of your own
#
# **Look first, then unmix.** `hsu look` tells what a file says and holds, what would be made of it, and
# what is in doubt; `hsu unmix` finds the materials' spectra (the *endmembers*) and how much of each is in
# every pixel (the *abundances*). Nothing is guessed in silence: what is in doubt is refused, with the
# option that settles it, and every decision is a line in the report.
#
# Three examples follow, as they run in a terminal; the [gallery](gallery.ipynb) has a recipe for each question.
# The image is the embedded scene of the book, a lagoon, so what comes out can be compared with what was put in.

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
from hsu_lib.publishing import pages, scores
from hsu_lib.scene import Unmixing

page = pages.Page("own_image", profile)
folder = Path(tempfile.mkdtemp())
lagoon = scenes.load("lagoon")
cube = lagoon.Y.transpose(1, 2, 0)  # height, width, bands
down, right = np.indices(cube.shape[:2])
outside = down + 2 * right < 30


def shell(command):
    """What a command prints in the folder of the files."""
    with contextlib.chdir(folder):
        print(f"$ {command}\n{CliRunner().invoke(cli.main, shlex.split(command)[1:]).output}")
    plt.close("all")  # its pictures are files


def show(name, alt):
    """The picture that a command made."""
    caption = f"The picture that the command leaves, {name}.png."
    page.figure(Path(name).name, lambda: Image.open(folder / f"{name}.png"), alt=alt, caption=caption)


def off(name):
    """How far the abundances of a result are from those that were put in."""
    found = hsu_lib.read_result(folder / f"{name}.npz")
    values, _ = metrics.score(Unmixing(found.E, found.A, mask=found.mask), lagoon)
    return scores.value("rmse-abundances", values["rmse-abundances"])


# %% [markdown]
# ## An ENVI image with pixels without data
#
# The file holds whole numbers, 10000 times the reflectance, with wavelengths in micrometres. Its corner lies
# outside the flight line and is filled with -9999, as the header declares.

# %% tags=["hide-input"]
counts = np.rint(1e4 * cube).astype(np.int16)
counts[outside] = -9999
envi.save_image(
    folder / "field.hdr",
    counts,
    interleave="bil",
    metadata={
        "wavelength": list(lagoon.wavelengths / 1000),
        "wavelength units": "Micrometers",
        "data ignore value": -9999,
        "reflectance scale factor": 10000,
    },
)
shell("hsu look field.hdr")

# %% tags=["remove-input"]
show("field-look", "Composite of three bands with an empty corner, and the mean spectrum with its range.")

# %% tags=["remove-input"]
shell("hsu unmix field.hdr -p 4 --out field")

# %% [markdown]
# A result that means little says so. Vertex component analysis divides every pixel by its brightness, and what
# is left of dark water is noise. [Other methods](methods.ipynb) do not:

# %% tags=["remove-input"]
shell("hsu unmix field.hdr -p 4 --method sivm-fclsu --out field")
show("field", "Composite, spectra of four endmembers, their abundance maps and the residual.")

# %% tags=["remove-input"]
masked = int((~hsu_lib.read_result(folder / "field.npz").mask).sum())
page.text(
    f"The {masked} pixels without data took no part: they are NaN in the maps. The abundances are {off('field')} "
    "(root mean squared error) off those that were put in."
)

# %% [markdown]
# ## A `.mat` file that says nothing
#
# Whole numbers as a camera of 12 bits counts them, an array among others in a struct, and nothing beside
# it: no wavelengths, no unit.

# %% tags=["hide-input"]
camera = {"cube": np.rint(4095 * cube.clip(0)).astype(np.uint16), "dark": np.zeros(cube.shape[2])}
savemat(folder / "camera.mat", {"run": {"date": "2024-05-01", "data": camera}})
shell("hsu unmix camera.mat -p 4 --method sivm-fclsu --out camera")

# %% [markdown]
# What stands for a reflectance of one cannot be read off the numbers. 10000 is the usual one and would fit, so it
# is taken, and called a guess; numbers that it does not fit are refused. Abundances do not depend on it, since
# they sum to one; endmembers do. Who knows the camera says so:

# %% tags=["hide-input"]
shell("hsu unmix camera.mat -p 4 --method sivm-fclsu --scale 4095 --out camera")

# %% tags=["remove-input"]
show("camera", "Composite, spectra of four endmembers over their band numbers, abundance maps and residual.")

# %% [markdown]
# ## A GeoTIFF, known spectra, maps for a GIS
#
# Where the spectra of the materials are known, only abundances are left to find. These come as a table with
# wavelengths of its own, every 25 nm; they are interpolated at the bands of the image.

# %% tags=["hide-input"]
with rasterio.open(
    folder / "coast.tif",
    "w",
    driver="GTiff",
    height=lagoon.height,
    width=lagoon.width,
    count=lagoon.bands,
    dtype="float32",
    crs="EPSG:32631",
    transform=rasterio.Affine(10, 0, 500_000, 0, -10, 4_800_000),
) as tif:
    tif.write(lagoon.Y)
    tif.descriptions = [f"{w:.1f} nm" for w in lagoon.wavelengths]
grid = np.arange(400, 2501, 25)
spectra = {
    m: np.interp(grid, lagoon.wavelengths, e) for m, e in zip(lagoon.materials, lagoon.E.T, strict=True)
}
pd.DataFrame({"wavelength (nm)": grid} | spectra).to_csv(folder / "spectra.csv", index=False)
shell("hsu unmix coast.tif --endmembers-from spectra.csv --out maps/coast --format geotiff")

# %% tags=["remove-input"]
show("maps/coast", "Composite, the four known spectra, abundance maps of the materials and residual.")
made = sorted(path.name for path in (folder / "maps").iterdir())
with rasterio.open(folder / "maps" / next(name for name in made if name.endswith(".tif"))) as tif:
    place = f"{tif.crs}, from {tif.bounds.left:.0f} east and {tif.bounds.top:.0f} north"
page.text(
    f"The folder holds {', '.join(f'`{name}`' for name in made)}. The maps lie where the image does: {place}. "
    f"The abundances are {off('maps/coast')} off those that were put in."
)

# %% tags=["remove-cell", "nbval-check-output"]
for name in ("field", "camera", "maps/coast"):
    found = hsu_lib.read_result(folder / f"{name}.npz")
    print(f"{name}: {int(np.isnan(found.A[0]).sum())} pixels left out, {off(name)} off; {found.status}")

# %% [markdown]
# ## Files that are read
#
# Files are read as what they hold: `.mat` (v5 and v7.3), `.npz`, `.npy`, ENVI, TIFF and HDF5, and with `pip
# install 'hsu[formats]'` GeoTIFF with its georeference, what else GDAL reads, NetCDF and Zarr. Products of
# PRISMA, EnMAP and EMIT are read by their published structure; none was at hand to try.
#
# ## What is assumed, and how to say otherwise
#
# What the file says is checked against what it holds. What is in doubt is refused with the option that
# settles it:
#
# | in doubt | assumed | say otherwise |
# | --- | --- | --- |
# | which array is the image | the only one with three axes; of a TIFF with pages, the largest unless another has as many pixels | `--variable s.cube` (structs and cells of a `.mat` by dotted name), `--variable 2` |
# | endmembers, abundances and names beside the image in its file | its reference, where they are called so (`E` or `M`, `A` or `S_GT`, `cood`) and their shapes fit; else left out, and named | `--endmembers-from FILE` takes others, `-p` another number |
# | which axis holds the bands | the one with as many entries as there are wavelengths, bands by a number beside it, or rows of endmembers; else the last, in a `.mat` only, unless it is smooth as spectra are along another alone: that is asked for | `--layout bhw`, and `--size HEIGHT WIDTH` for a matrix of pixels |
# | in which order ENVI stores its numbers | as the header says, unless another interleave, byte order or sign alone makes spectra of them: that is asked for | `--layout bhw` (bsq), `hbw` (bil), `hwb` (bip); correct the header |
# | pixels without data | what the file declares, NaN, most bands outside its valid range, and where its mask or alpha channel is 0; a constant, or one spectrum along the edge, that looks like fill, a number far from all others and a pixel of zeros are asked for | `--nodata -9999`, `--nodata -9999,0`, `--nodata border`, `--nodata none` |
# | reflectance far below zero in most bands of a pixel | asked for: a border mixed with fill | `--mask FILE`, `--nodata none` |
# | bands without data, or called bad | left out | `--nodata none` keeps bands of one constant |
# | what stands for a reflectance of one | the file's scale factor, after its gains; 100 where it says percent; 10000 where that fits the 99.9th percentile and the file names no other full count; one where that is at most 2; radiance is asked for | `--scale 4095`, `--scale 1` |
# | wavelengths | the file's; in names of bands, the only one, the centre or the middle of an interval | correct or remove them in the file |
# | unit of the wavelengths | the file's, unless no sensor can have bands there; nm or micrometres by their size where it has none | correct or remove them in the file: unknown ones only number the bands |
#
# `HSU_TRACEBACK=1` shows where an error comes from.
#
# ## Known spectra, and the rest of what is decided
#
# Known spectra are a table (`.csv`: a column `wavelength`, with its unit in the name, and one per spectrum;
# or a line per spectrum; also plots of ENVI as text, and ECOSTRESS), an ENVI spectral library, an array in `.npz`, `.npy` or `.mat` (`FILE:NAME` where
# there are several), an earlier result, or names in the USGS library. With wavelengths on both sides they
# are interpolated at the image's band centres; without, their number must be that of the bands. Whether
# they are in the image's unit is seen from how well they explain it; if they are not, the command ends and
# tells the number for `--endmembers-scale`.
#
# | what is decided | how | to say otherwise |
# | --- | --- | --- |
# | method | `fclsu` for known spectra, `sunsal-sure` for a library, else `vca-fclsu` or `nfindr-fclsu`, whichever leaves less of the image unexplained | `--method` |
# | number of endmembers | that of known spectra, or of the reference in the file; else it is asked | `-p` |
# | order of endmembers | as given; else by the centre of gravity of the spectra, short wavelengths first, for every seed | |
# | bands | all that the file does not call bad and that hold data | `--bands`, `--drop-bands`: `1-100,120-180`, or `400-900nm` |
# | pixels | all that have data | `--mask FILE`, where 0 leaves a pixel out; `--crop TOP LEFT HEIGHT WIDTH`, from 0 |
# | where results go | `unmixing.npz` and `.png`; files of others are not replaced, inputs never | `--out`, `--overwrite` |
#
# What is left out is not looked at: it may hold anything. Every decision is a line in the report, and
# stands in the result.
#
# ## What comes out
#
# A result that means little is told. *Degenerate* are endmembers that are copies, nearer to each other than
# the noise lets one tell, or of a numerical rank below their number; a warning says so too if much of the
# image stays unexplained, if an endmember is in no pixel, or if the method stopped before it converged. A
# method that diverges leaves no result, and the exit code is 1.
#
# `NAME.npz` holds `E` (bands, endmembers), `A` (endmembers, height, width), `residual` (RMSE over the bands
# of each pixel), `materials`, `wavelengths` in nm, `bands` (their numbers in the file, from 1), `mask`, and
# `about`: settings, seed, versions, place, and how all was read, as JSON. `--format envi`, `geotiff` or
# `netcdf` adds maps that lie where the image does, and the endmembers as an ENVI spectral library; the
# latter two need `pip install 'hsu[formats]'`.
#
# ## For programs
#
# The same with arrays:

# %%
soil, tree = np.linspace(0.2, 0.4, 50), np.linspace(0.1, 0.6, 50) ** 2
rng = np.random.default_rng(0)
Y = np.einsum("bp,phw->bhw", np.c_[soil, tree], rng.dirichlet([1, 1], (20, 30)).transpose(2, 0, 1))

found = hsu_lib.unmix(Y, endmembers=np.c_[soil, tree], names=["soil", "tree"])
print(found.status, found.A.shape, found.warnings)
print(
    found.abundances
)  # labelled, where xarray is installed; a DataArray that is given keeps its coordinates

# %% [markdown]
# `hsu_lib.read_result("known.npz")` reads what the command wrote, with `.scene()` and `.to_xarray()`; and
# `hsu_lib.Unmixer(n_components=4)` is an estimator of scikit-learn (`pip install 'hsu[sklearn]'`), whose
# rows are spectra. The [API](api.md) tells what each takes and returns.

# %% tags=["remove-input"]
page.provenance()
