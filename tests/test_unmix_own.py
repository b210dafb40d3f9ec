"""`hsu unmix` on images of one's own: what is asked for, what is told, where results go, what they hold."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.io import savemat

from hsu_lib.cli import main
from hsu_lib.methods.method import Method
from hsu_lib.scene import Status
from hsu_lib.scenes import read_image
from hsu_lib.scenes.own.masks import read_mask
from hsu_lib.scenes.own.reading import Reading
from hsu_lib.scenes.own.selection import Selection, bands_of, moved
from hsu_lib.unmixing import rank, read_result
from hsu_lib.unmixing.diagnosis import findings, noise_level
from hsu_lib.unmixing.order import stable_order
from hsu_lib.unmixing.outputs import planned

BANDS, HEIGHT, WIDTH = 30, 14, 11
WAVES = np.linspace(420, 2480, BANDS)
MAP_INFO = "UTM, 1, 1, 500000, 4100000, 20, 20, 11, North, WGS-84, units=Meters"


def unmix(*words, code=0):
    result = CliRunner().invoke(main, ["unmix", *map(str, words)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def humps(nm):
    """Three materials, shape ``(bands, 3)``."""
    return np.stack([0.15 + 0.6 * np.exp(-(((np.asarray(nm) - c) / 450) ** 2)) for c in (700, 1400, 2100)], 1)


def mixture(noise=0.002, seed=0):
    """Image and abundances; every material is pure in a pixel."""
    rng = np.random.default_rng(seed)
    A = rng.dirichlet(np.full(3, 0.7), (HEIGHT, WIDTH)).transpose(2, 0, 1)
    for k in range(3):
        A[:, k + 3, k + 4] = np.eye(3)[k]
    return np.einsum("bp,phw->bhw", humps(WAVES), A) + rng.normal(0, noise, (BANDS, HEIGHT, WIDTH)), A


@pytest.fixture
def field(tmp_path, monkeypatch):
    """``field.hdr`` with a place, ``spectra.csv`` sampled otherwise; abundances are returned."""
    monkeypatch.chdir(tmp_path)
    Y, A = mixture()
    write_envi("field", Y)
    fine = np.arange(400.0, 2501)
    np.savetxt("spectra.csv", np.c_[fine, humps(fine)], delimiter=",", header="nm,c,a,b", comments="")
    return A


def write_envi(stem, Y, more=""):
    Path(f"{stem}.img").write_bytes(Y.astype("<f4").tobytes())
    Path(f"{stem}.hdr").write_text(
        f"ENVI\nsamples = {Y.shape[2]}\nlines = {Y.shape[1]}\nbands = {len(Y)}\ndata type = 4\n"
        "interleave = bsq\nbyte order = 0\nwavelength units = nm\n"
        f"wavelength = {{{', '.join(map(str, WAVES))}}}\n"
        f"map info = {{{MAP_INFO}}}\n{more}"
    )


GIVEN = ("field.hdr", "--endmembers-from", "spectra.csv")


# --------------------------------------------------------------------------- what is known


def test_known_spectra_are_resampled_and_keep_order_and_names(field):
    told = unmix(*GIVEN, "--out", "r")
    assert "resampled linearly from 2101 to the image's 30 wavelengths" in told
    result = read_result("r.npz")
    assert result.materials == ("c", "a", "b")
    assert result.about["method"] == "fclsu"
    assert np.abs(result.A - field).max() < 0.02
    unmix("field.hdr", "--endmembers-from", "r.npz", "--out", "again")
    np.testing.assert_allclose(read_result("again.npz").A, result.A, atol=1e-5)


def test_endmembers_beside_the_image_in_its_own_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Y, A = mixture(noise=0)
    savemat("field.mat", {"cube": np.round(1e4 * Y).transpose(1, 2, 0).astype(np.int16), "E": humps(WAVES)})
    told = unmix("field.mat", "--method", "fclsu", "--out", "r")
    assert "endmembers E of the same file" in told
    assert np.abs(read_result("r.npz").A - A).max() < 0.01


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--method", "fclsu"), "needs known endmembers and field has none: give --endmembers-from"),
        (("-p", 4, "--endmembers-from", "spectra.csv"), "asked for 4 endmembers, but field has 3"),
        (("--method", "vca-fclsu", "--endmembers-from", "spectra.csv"), "give --method fclsu"),
        (("-p", 3, "--endmembers-scale", 10), "with which file?"),
        (("-p", 3, "-s", "seed=3"), "has no setting 'seed'"),
        (("-p", 3, "--method", "palm", "-s", "iterations=2.5"), "a whole number, got '2.5'"),
        (("-p", 3, "--device", "gpu"), "device: 'gpu' is none"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(field, words, told):
    output = unmix("field.hdr", *words, code=1)
    assert told in output
    assert len(output.splitlines()) == 1
    assert not Path("unmixing.npz").exists()


def test_settings_are_taken_as_typed(field):
    more = ("-s", "epochs=1", "-s", "filters=4", "-s", "patches=1e0", "-s", "learning_rate=1e-3")
    unmix("field.hdr", "-p", 3, "--method", "ae-patches", *more, "--out", "r")
    settings = read_result("r.npz").about["settings"]
    assert (settings["patches"], settings["learning_rate"]) == (1, 0.001)


# --------------------------------------------------------------------------- parts of an image


def test_bands_window_and_mask(field):
    mask = np.ones((HEIGHT, WIDTH))
    mask[:4] = 0
    np.save("mask.npy", mask)
    words = ("--bands", "1-20,25-30", "--drop-bands", "3", "--mask", "mask.npy", "--crop", 2, 1, 9, 8)
    told = unmix(*GIVEN, *words, "--out", "r")
    assert "5 bands left out, as asked: 3, 21-24" in told
    result = read_result("r.npz")
    np.testing.assert_array_equal(result.kept, np.r_[0:2, 3:20, 24:30])
    np.testing.assert_allclose(result.wavelengths, WAVES[result.kept], rtol=1e-6)
    assert np.isnan(result.A[:, :2]).all()
    assert np.abs(result.A[:, 2:] - field[:, 4:11, 1:9]).max() < 0.02
    assert result.georeference["transform"] == (20, 0, 500020, 0, -20, 4099960)


def test_what_is_left_out_need_not_be_in_order(field):
    Y, _ = mixture()
    Y[:, 0] = -9999
    Y[4, :, 3] = -9999
    write_envi("bad", Y)
    bad = ("bad.hdr", *GIVEN[1:], "--out", "r")
    assert "--nodata" in unmix(*bad, code=1)
    assert "--nodata" in unmix(*bad, "--crop", 1, 0, 10, 10, code=1)
    unmix(*bad, "--crop", 1, 0, 10, 10, "--drop-bands", 5)
    mask = (Y > -1).all(axis=0)
    Image.fromarray((255 * mask).astype(np.uint8)).save("mask.png")
    unmix(*bad, "--mask", "mask.png")
    np.testing.assert_array_equal(read_result("r.npz").mask, mask)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "got nothing"),
        ("0-3", "0-3 is not among the bands 1 to 9"),
        ("9-10", "not among"),
        ("5-4", "give 4-5"),
        ("two", "got 'two'"),
        ("1.5", "got '1.5'"),
        ("100-200nm", "no band from 100 to 200 nm"),
    ],
)
def test_bands_that_are_none(text, told):
    with pytest.raises(ValueError, match="bands") as caught:
        bands_of(text, 9, np.linspace(400, 800, 9), "bands")
    assert told in caught.value.for_command_line


def test_bands_by_wavelength():
    assert bands_of("450-600nm, 9", 9, np.linspace(400, 800, 9), "bands").tolist() == [
        *(False, True, True, True, True),
        *(False, False, False, True),
    ]


@pytest.mark.parametrize("color", [255, 0, "two"])
@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_pixels_of_a_picture_are_left_out(tmp_path, color, channels):
    """Of one colour, or left out where it is black too."""
    opaque, white = np.ones((2, HEIGHT, WIDTH), dtype=bool)
    opaque[:3], white[:, :2] = False, color != "two"
    grey = np.where(white, 255 if color == "two" else color, 0)
    picture = np.stack([grey] * (channels - 1) + [255 * opaque], axis=-1).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "mask.png")
    mask = read_mask(tmp_path / "mask.png", [(HEIGHT, WIDTH)])
    np.testing.assert_array_equal(mask, opaque & white)


def test_a_border_mixed_with_fill_is_left_out_by_a_mask(tmp_path, monkeypatch):
    """As the refusal says."""
    monkeypatch.chdir(tmp_path)
    Y, _ = mixture()
    Y[:, :2] = 0.7 * -9999 + 0.3 * Y[:, :2]
    write_envi("field", Y, "data ignore value = -9999\n")
    assert "in most bands of 22 of 154 pixels" in unmix("field.hdr", "-p", 3, code=1)
    np.save("mask.npy", np.arange(HEIGHT)[:, None] >= np.full(WIDTH, 2))
    assert "mask.npy leaves out 22 of 154 pixels" in unmix("field.hdr", "-p", 3, "--mask", "mask.npy")


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (np.ones((WIDTH, HEIGHT)), "it may be turned"),
        (np.zeros((HEIGHT, WIDTH)), "leaves no pixel"),
        (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH), "a mask has two values"),
    ],
)
def test_masks_that_are_none(field, mask, told):
    np.save("mask.npy", mask)
    assert told in unmix(*GIVEN, "--mask", "mask.npy", code=1)


def test_the_place_of_a_window_moves_along():
    place = {"map info": MAP_INFO, "transform": (20, 0, 500000, 0, -20, 4100000), "x start": "3"}
    there = moved(place, 2, 5)
    assert there["map info"].startswith("UTM, -4, -1, 500000, 4100000, 20, 20")
    assert there["transform"] == (20, 0, 500100, 0, -20, 4099960)
    assert "x start" not in there


# --------------------------------------------------------------------------- degenerate and diverged


def test_more_endmembers_than_the_image_has_are_told(field):
    told = unmix("field.hdr", "-p", 6, "--method", "sivm-fclsu", "--out", "r")
    assert Status.DEGENERATE.value in told
    assert "warning: numerical rank" in told
    assert any("rank" in line for line in read_result("r.npz").warnings)
    assert "warning" not in unmix("field.hdr", "-p", 3, "--method", "sivm-fclsu", "--out", "r")


def test_copies_pairs_and_what_is_in_no_pixel():
    E, names = humps(WAVES), ("a", "b", "c", "d")
    A = np.full((4, 9), 0.25)
    copied = np.c_[E, E[:, 1]]
    status, told = findings(copied, A, 0.0, names, picked=False)
    assert status is Status.DEGENERATE
    assert told[0] == "copies of each other: b and d"
    near = np.c_[E, E[:, 1] + 0.002]
    assert (
        "too near for the noise, less than 0.004 apart (RMS over bands): b and d (0.002)"
        in (findings(near, A, 0.002001, names, picked=True)[1])
    )
    assert findings(near, A, 0.0, names, picked=False) == (None, [])
    A[2] = 0
    assert findings(near, A, 0.0, names, picked=False) == (None, ["in no pixel above 0.001: c"])


@pytest.mark.parametrize("pixels", [60, 2000])
def test_noise_is_estimated(pixels):
    rng = np.random.default_rng(0)
    Y = humps(WAVES) @ rng.dirichlet(np.ones(3), pixels).T
    assert noise_level(Y, 3) == 0
    assert noise_level(Y + rng.normal(0, 0.01, Y.shape), 3) == pytest.approx(0.01, rel=0.1)


def test_spectra_of_something_else_are_told(field):
    wrong = 0.3 + 0.2 * np.sin(np.arange(400, 2501) / 40.0)
    np.savetxt("wrong.csv", np.c_[np.arange(400, 2501), wrong, 0.6 - wrong], delimiter=",")
    told = unmix("field.hdr", "--endmembers-from", "wrong.csv", "--out", "r")
    assert "% of the image unexplained" in told


def test_a_diverged_run_leaves_nothing(field, monkeypatch):
    real = Method.unmix

    def broken(self, *args, **kwargs):
        found = real(self, *args, **kwargs)
        return replace(found, E=np.full_like(found.E, np.nan))

    monkeypatch.setattr(Method, "unmix", broken)
    told = unmix("field.hdr", "-p", 3, "--out", "r", "--format", "envi", code=1)
    assert "no result: the estimate is no longer finite" in told
    assert not list(Path().glob("r*"))


@pytest.mark.parametrize(
    "words", [("unmix", "field.hdr", "-p", 3), ("look", "field.hdr"), ("rank", "field.hdr")]
)
def test_a_full_disk_is_told_with_the_file_and_leaves_nothing(field, monkeypatch, words):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(Path().iterdir())
    monkeypatch.setattr(os, "fsync", full)
    result = CliRunner().invoke(main, [*map(str, words)])
    assert result.exit_code == 1
    assert re.search(r"No space left on device: '.*(field|unmixing)[^/]*'\n$", result.output), result.output
    assert sorted(Path().iterdir()) == before


def test_a_name_of_any_characters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("f$_{x}$", "a$^"):
        write_envi(name, mixture()[0])
        for words in (("look",), ("rank",), ("unmix", "-p", "3", "--out", name)):
            result = CliRunner().invoke(main, [*words, f"{name}.hdr"])
            assert result.exit_code == 0, result.output
    odd = os.fsdecode(b"f\xff.hdr")  # no text in any encoding
    for path in Path().glob("a$^.*"):
        path.rename(os.fsdecode(b"f\xff") + path.suffix)
    assert rank.run(odd, Reading(), Selection(), str).number > 0


def test_order_is_the_same_for_every_seed(field):
    peaks = set()
    for seed in range(4):
        unmix("field.hdr", "-p", 3, "--seed", seed, "--out", "r")
        peaks.add(tuple(read_result("r.npz").E.argmax(axis=0)))
    assert len(peaks) == 1
    assert list(peaks.pop()) == sorted(humps(WAVES).argmax(axis=0))


def test_order_follows_wavelengths_and_not_bands():
    E = humps(WAVES)[:, [2, 0, 1]]
    assert stable_order(E, WAVES).tolist() == [1, 2, 0]
    assert stable_order(E[::-1], WAVES[::-1]).tolist() == [1, 2, 0]


# --------------------------------------------------------------------------- files


def test_nothing_of_others_is_replaced(field):
    Path("field.png").write_bytes(b"a photograph")
    assert "is there already and not made by hsu unmix" in unmix(*GIVEN, "--out", "field", code=1)
    assert not Path("field.npz").exists()
    unmix(*GIVEN, "--out", "field", "--overwrite")
    unmix(*GIVEN, "--out", "field")  # now it is its own
    np.savez("mine.npz", about="my own notes", E=np.ones(3))
    assert "not made by" in unmix(*GIVEN, "--out", "mine", code=1)


def test_inputs_are_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Y, _ = mixture()
    np.savez("field.npz", Y=Y, wavelengths=WAVES)
    before = Path("field.npz").read_bytes()
    np.savez("e.npz", E=humps(WAVES))
    os.link("field.npz", "same.npz")
    os.symlink("field.npz", "link.npz")
    for out in ("field.npz", "field", "same", "link", "e"):
        words = ("field.npz", "--layout", "bhw", "--endmembers-from", "e.npz", "--out", out, "--overwrite")
        assert "is an input" in unmix(*words, code=1)
    assert Path("field.npz").read_bytes() == before


def test_maps_do_not_replace_the_image_they_are_of(field):
    os.rename("field.hdr", "r-maps.hdr")
    os.rename("field.img", "r-maps.img")
    words = ("r-maps.hdr", *GIVEN[1:], "--out", "r", "--format", "envi", "--overwrite")
    assert "is an input" in unmix(*words, code=1)


def test_a_dot_belongs_to_the_name():
    assert [path.name for path in planned(Path("sweep_0.1"), []).paths] == ["sweep_0.1.npz", "sweep_0.1.png"]
    assert planned(Path("a.b.npz"), ["envi"]).paths[-1].name == "a.b-endmembers.hdr"


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("maps.tif", "--format geotiff"),
        ("maps.png", "without it"),
        ("field.img/r", "is not a folder"),
        ("folder", "is a folder"),
        ("x" * 300, "cannot be written"),
        (".", "expected the name of a file"),
    ],
)
def test_places_are_tried_before_the_work(field, monkeypatch, out, told):
    Path("folder.npz").mkdir()
    monkeypatch.setattr(Method, "unmix", None)
    assert told in unmix(*GIVEN, "--out", out, code=1)


def test_a_result_tells_what_it_is(field):
    unmix("field.hdr", "-p", 3, "--seed", 5, "--drop-bands", 7, "--out", "new/r")
    with np.load("new/r.npz", allow_pickle=False) as held:
        about = json.loads(str(held["about"]))
        assert {"E", "A", "residual", "materials", "wavelengths", "bands"} <= set(held.files)
        assert held["bands"].tolist() == [*range(1, 7), *range(8, 31)]
    assert about["units"]["wavelengths"] == "nm"
    assert (about["seed"], about["method"], about["image"]) == (5, "vca-fclsu", "field.hdr")
    assert {"hsu", "numpy", "torch", "python"} <= set(about["versions"])
    assert about["status"].startswith("converged")
    assert any("left out, as asked: 7" in line for line in about["read"])
    scene = read_result("new/r.npz").scene()
    np.testing.assert_allclose(scene.Y, read_image("field.hdr").Y[scene.kept], atol=0.02)
    assert scene.materials == ("endmember 1", "endmember 2", "endmember 3")
    with pytest.raises(ValueError, match="is no result of hsu unmix"):
        read_result("spectra.csv")


def test_labelled_arrays(field):
    xarray = pytest.importorskip("xarray")
    unmix(*GIVEN, "--out", "r", "--format", "netcdf")
    found = read_result("r.npz").to_xarray()
    with xarray.open_dataset("r-maps.nc") as stored:
        xarray.testing.assert_allclose(stored, found)
    assert found.abundances.sel(endmember="a").dims == ("y", "x")
    np.testing.assert_allclose(found.wavelength, WAVES, rtol=1e-6)
    np.testing.assert_allclose(found.x[:2], [500010, 500030])
    assert "WGS" in found.spatial_ref.attrs["crs_wkt"]


def test_maps_lie_where_the_image_does(field):
    rasterio = pytest.importorskip("rasterio")
    unmix(*GIVEN, "--out", "r", "--format", "envi", "--format", "geotiff", "--crop", 1, 2, 12, 8)
    result = read_result("r.npz")
    for name in ("r-maps.img", "r-maps.tif"):
        with rasterio.open(name) as file:
            assert tuple(file.transform)[:6] == (20, 0, 500040, 0, -20, 4099980)
            assert file.crs.to_epsg() == 32611
            np.testing.assert_array_equal(file.read(), [*result.A, result.rmse])
            assert file.descriptions[:2] == ("abundance of c", "abundance of a")
    unmix("field.hdr", "--endmembers-from", "r-endmembers.sli", "--out", "s")
    np.testing.assert_allclose(read_result("s.npz").E, result.E, atol=1e-6)


@pytest.mark.parametrize(
    ("epsg", "transform"),
    [
        (25832, (10, 0, 4e5, 0, -10, 5.5e6)),
        (4326, (1e-3, 0, 8, 0, -1e-3, 50)),
        (3035, (20, 5, 4e6, 5, -20, 3e6)),
    ],
)
def test_places_of_a_geotiff_go_over_into_every_format(tmp_path, monkeypatch, epsg, transform):
    rasterio = pytest.importorskip("rasterio")
    xarray = pytest.importorskip("xarray")
    monkeypatch.chdir(tmp_path)
    Y, there = mixture()[0].astype("f4"), rasterio.Affine(*transform)
    size = {"count": BANDS, "height": HEIGHT, "width": WIDTH, "dtype": "float32"}
    with rasterio.open("g.tif", "w", "GTiff", crs=f"EPSG:{epsg}", transform=there, **size) as file:
        file.write(Y)
    forms = [word for form in ("envi", "geotiff", "netcdf") for word in ("--format", form)]
    unmix("g.tif", "-p", 3, "--crop", 2, 1, 8, 7, "--out", "r", *forms)
    there *= rasterio.Affine.translation(1, 2)
    for name in ("r-maps.img", "r-maps.tif"):
        with rasterio.open(name) as file:
            assert file.crs.to_epsg() == epsg
            np.testing.assert_allclose(tuple(file.transform), tuple(there))
    with xarray.open_dataset("r-maps.nc") as found:
        numbers = [float(word) for word in found.spatial_ref.attrs["GeoTransform"].split()]
        np.testing.assert_allclose(numbers, there.to_gdal())


def test_formats_that_need_more_say_so(field, monkeypatch):
    import hsu_lib.unmixing.formats as formats

    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    told = unmix(*GIVEN, "--out", "r", "--format", "geotiff", code=1)
    assert "--format geotiff needs rasterio: pip install" in told


@pytest.mark.parametrize("shape", [(1, 1080), (324, 1), (8640, 1), (3, 400)])
def test_pictures_are_of_bounded_size(tmp_path, monkeypatch, shape):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    Y = humps(WAVES) @ rng.dirichlet(np.full(3, 0.3), shape[0] * shape[1]).T
    np.save("field.npy", Y.reshape(BANDS, *shape))
    unmix("field.npy", "--layout", "bhw", "-p", 3, "--out", "r")
    assert max(Image.open("r.png").size) <= 2000
