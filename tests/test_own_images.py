"""A user's own image: every format brings back the same pixels, and what cannot be an image is refused."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from spectral.io import envi

from hsu_lib.errors import InputError
from hsu_lib.scenes import read_image
from hsu_lib.scenes.own.layouts import LAYOUTS

BANDS, HEIGHT, WIDTH = 6, 7, 5


@pytest.fixture(scope="module")
def Y():
    """Cube (bands, height, width) in which every number is different and below 1."""
    return np.arange(1, BANDS * HEIGHT * WIDTH + 1, dtype=np.float32).reshape(BANDS, HEIGHT, WIDTH) / 256


def as_layout(Y, layout):
    return {
        "hwb": Y.transpose(1, 2, 0),
        "bhw": Y,
        "hbw": Y.transpose(1, 0, 2),
        "b(hw)": Y.reshape(len(Y), -1),
        "b(wh)": Y.transpose(0, 2, 1).reshape(len(Y), -1),
        "(hw)b": Y.reshape(len(Y), -1).T,
        "(wh)b": Y.transpose(0, 2, 1).reshape(len(Y), -1).T,
    }[layout]


def save_mat73(path, **variables):
    """Version 7.3 as MATLAB writes it: HDF5 behind a 512-byte header, axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            file[name] = np.asarray(values).T
    header = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + (0x0200).to_bytes(2, "little") + b"IM"
    with path.open("r+b") as file:
        file.write(header)


def save_mat5(path, **variables):
    savemat(path, variables)


def save_bare_hdf5(path, **variables):
    with h5py.File(path, "w") as file:
        for name, values in variables.items():
            file[name] = np.asarray(values).T


WRITERS = [save_mat5, save_mat73, save_bare_hdf5]


# --------------------------------------------------------------------------- MATLAB


@pytest.mark.parametrize("write", WRITERS)
def test_matlab_cube(tmp_path, Y, write):
    path = tmp_path / "field.mat"
    write(path, cube=as_layout(Y, "hwb"), gt=np.ones((HEIGHT, WIDTH), dtype=np.uint8))
    scene = read_image(path)
    np.testing.assert_array_equal(scene.Y, Y)
    assert scene.name == "field"
    assert "'cube' read as hwb" in scene.reference
    assert scene.E is None
    assert scene.A is None


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("layout", ["b(wh)", "(wh)b"])
def test_matlab_matrix_with_its_size_runs_down_the_columns(tmp_path, Y, write, layout):
    path = tmp_path / "field.mat"
    write(
        path, V=as_layout(Y, layout), M=np.ones((BANDS, 3)), nRow=[[HEIGHT]], nCol=[[WIDTH]], nBand=[[BANDS]]
    )
    np.testing.assert_array_equal(read_image(path).Y, Y)
    np.testing.assert_array_equal(read_image(path, size=(HEIGHT, WIDTH)).Y, Y)


def rough(bands, height, width):
    """Smooth spectra in pixels that have nothing to do with each other."""
    x = np.linspace(0, 1, bands)[:, None, None]
    centre = np.random.default_rng(0).random((height, width))
    return (0.1 + 0.6 * np.exp(-(((x - centre) / 0.4) ** 2))).astype(np.float32)


@pytest.mark.parametrize(("layout", "axes"), [("bhw", (0, 1, 2)), ("hbw", (1, 0, 2)), ("hwb", (1, 2, 0))])
def test_bands_that_come_elsewhere_than_in_matlab_are_noticed(tmp_path, layout, axes):
    Y = rough(30, 14, 11)
    savemat(tmp_path / "field.mat", {"cube": Y.transpose(axes)})
    if layout != "hwb":
        with pytest.raises(InputError, match=f"only along its axis of 30 .* give layout='{layout}'"):
            read_image(tmp_path / "field.mat")
        assert read_image(tmp_path / "field.mat", layout="hwb").bands != 30
    given = {} if layout == "hwb" else {"layout": layout}
    np.testing.assert_array_equal(read_image(tmp_path / "field.mat", **given).Y, Y)


def test_what_lies_beside_a_cube_is_of_it(tmp_path, Y):
    """Fill, scale and bad bands are applied; of a mask nothing says which of its pixels count."""
    counts = np.round(Y * 5000)
    counts[:, 3, 3] = 17
    beside = {
        "nodata": 17.0,
        "scale_factor": 5000.0,
        "bbl": np.array([1, 1, 0, 1, 1, 1]),
        "mask": np.eye(7, 5),
    }
    savemat(tmp_path / "field.mat", {"cube": as_layout(counts, "hwb"), **beside})
    scene = read_image(tmp_path / "field.mat")
    np.testing.assert_array_equal(scene.kept, [0, 1, 3, 4, 5])
    assert scene.counting == HEIGHT * WIDTH - 1
    np.testing.assert_allclose(scene.Y[:, :3], Y[scene.kept, :3], atol=1e-4)
    assert any("'mask' is not applied" in note for note in scene.read)


def test_matlab_matrix_without_its_size(tmp_path, Y):
    path = tmp_path / "field.mat"
    savemat(path, {"V": as_layout(Y, "b(wh)")})
    np.testing.assert_array_equal(read_image(path, size=(HEIGHT, WIDTH)).Y, Y)
    with pytest.raises(ValueError, match=r"give size=\(height, width\)"):
        read_image(path)
    with pytest.raises(ValueError, match="layout"):  # 4 x 4 pixels fit neither axis
        read_image(path, size=(4, 4))


def test_matlab_matrix_with_as_many_pixels_as_bands_is_ambiguous(tmp_path):
    path = tmp_path / "field.mat"
    values = np.random.default_rng(0).random((6, 6))
    savemat(path, {"V": values, "rows": 2, "cols": 3})
    with pytest.raises(ValueError, match="does not say in which order: give layout="):
        read_image(path)
    np.testing.assert_allclose(read_image(path, layout="b(wh)").Y[:, 1, 0], values[:, 1], rtol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".mat", ".npz", ".npy"])
def test_every_layout_can_be_asked_for(tmp_path, Y, layout, suffix):
    path = (tmp_path / "field").with_suffix(suffix)
    values = as_layout(Y, layout)
    if suffix == ".mat":
        savemat(path, {"Y": values})
    elif suffix == ".npz":
        np.savez(path, Y=values)
    else:
        np.save(path, values)
    scene = read_image(path, layout=layout, size=(HEIGHT, WIDTH) if "(" in layout else None)
    np.testing.assert_array_equal(scene.Y, Y)


def test_several_candidates_are_listed(tmp_path, Y):
    path = tmp_path / "field.mat"
    savemat(path, {"noisy": as_layout(Y, "hwb") + 1, "clean": as_layout(Y, "hwb"), "text": "hello"})
    with pytest.raises(
        ValueError, match=r"give variable= one of noisy, clean .*it holds .*clean \(7, 5, 6\)"
    ):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, variable="clean").Y, Y)
    with pytest.raises(ValueError, match=r"no variable 'dirty'; it holds noisy"):
        read_image(path, variable="dirty")
    with pytest.raises(ValueError, match="'text' is no real 3-D or 2-D array"):
        read_image(path, variable="text")


# --------------------------------------------------------------------------- NumPy


def test_npz_without_evidence_needs_a_layout(tmp_path, Y):
    np.savez(tmp_path / "field.npz", Y=Y)
    np.save(tmp_path / "field.npy", Y)
    for path in (tmp_path / "field.npz", tmp_path / "field.npy"):
        with pytest.raises(ValueError, match="give layout='hwb' if it is"):
            read_image(path)
    np.savez(tmp_path / "matrix.npz", Y=as_layout(Y, "b(hw)"), rows=HEIGHT, cols=WIDTH)
    with pytest.raises(ValueError, match="hw is row by row"):  # no convention outside MATLAB
        read_image(tmp_path / "matrix.npz")
    np.testing.assert_array_equal(read_image(tmp_path / "matrix.npz", layout="b(hw)").Y, Y)


@pytest.mark.parametrize("layout", ["hwb", "bhw"])
def test_npz_with_its_reference(tmp_path, Y, layout):
    rng = np.random.default_rng(0)
    E, A = rng.random((BANDS, 3)), rng.dirichlet(np.ones(3), (HEIGHT, WIDTH)).transpose(2, 0, 1)
    wavelengths, materials = np.linspace(400, 900, BANDS), ["soil", "tree", "water"]
    np.savez(
        tmp_path / "field.npz",
        Y=as_layout(Y, layout),
        E=E,
        A=as_layout(A, layout),
        wavelengths=wavelengths,
        materials=materials,
    )
    scene = read_image(tmp_path / "field.npz")  # six bands: E and the wavelengths say which axis
    np.testing.assert_array_equal(scene.Y, Y)
    np.testing.assert_allclose(scene.E, E, rtol=1e-6)
    np.testing.assert_allclose(scene.A, A, rtol=1e-6)
    np.testing.assert_allclose(scene.wavelengths, wavelengths)
    assert scene.materials == tuple(materials)


def test_a_wrong_layout_is_noticed(tmp_path, Y):
    np.savez(tmp_path / "field.npz", Y=Y, E=np.ones((BANDS, 2)))
    with pytest.raises(ValueError, match="E has 6 bands, Y has 5"):
        read_image(tmp_path / "field.npz", layout="hwb")
    with pytest.raises(ValueError, match="unknown layout 'wbh'"):
        read_image(tmp_path / "field.npz", layout="wbh")
    with pytest.raises(ValueError, match=r"'b\(hw\)' does not fit an array of shape \(6, 7, 5\)"):
        read_image(tmp_path / "field.npz", layout="b(hw)")
    np.savez(tmp_path / "matrix.npz", Y=as_layout(Y, "b(hw)"))
    with pytest.raises(ValueError, match="a matrix of 35 pixels"):
        read_image(tmp_path / "matrix.npz", layout="b(hw)", size=(7, 6))


# --------------------------------------------------------------------------- ENVI


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_envi_in_every_interleave(tmp_path, Y, interleave):
    header = tmp_path / "field.hdr"
    metadata = {"wavelength": list(np.linspace(0.4, 0.9, BANDS)), "wavelength units": "Micrometers"}
    envi.save_image(str(header), as_layout(Y, "hwb"), interleave=interleave, ext=".img", metadata=metadata)
    for path in (header, tmp_path / "field.img"):
        scene = read_image(path)
        np.testing.assert_array_equal(scene.Y, Y)
        np.testing.assert_allclose(scene.wavelengths, np.linspace(400, 900, BANDS), rtol=1e-6)


def test_envi_counts_with_scale_and_bad_bands(tmp_path, Y):
    counts = (Y * 256).astype(np.int16)
    counts[2] = -9999
    metadata = {
        "reflectance scale factor": 1000,
        "bbl": [1, 1, 0, 1, 1, 1],
        "data ignore value": -9999,
        "wavelength": [500, 510, 520, 530, 540, 550],
        "wavelength units": "Unknown",
    }
    envi.save_image(str(tmp_path / "field.hdr"), as_layout(counts, "hwb"), metadata=metadata)
    scene = read_image(tmp_path / "field.hdr")
    kept = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(scene.Y, counts[kept] / 1000, rtol=1e-6)
    np.testing.assert_allclose(scene.wavelengths, [500, 510, 530, 540, 550])
    assert "1 bands left out that the file calls bad: 3" in scene.reference
    np.testing.assert_array_equal(scene.kept, kept)
    np.testing.assert_allclose(read_image(tmp_path / "field.hdr", scale=100).Y, counts[kept] / 100, rtol=1e-6)
    metadata["bbl"] = [1] * BANDS
    envi.save_image(str(tmp_path / "gaps.hdr"), as_layout(counts, "hwb"), metadata=metadata)
    gaps = read_image(tmp_path / "gaps.hdr")  # a band without data goes whether it is called bad or not
    np.testing.assert_array_equal(gaps.Y, scene.Y)
    assert "1 bands left out without data (NaN or -9999): 3" in gaps.read


def test_envi_that_cannot_be_read(tmp_path, Y):
    header = tmp_path / "field.hdr"
    envi.save_image(str(header), as_layout(Y, "hwb"), ext=".img")
    image = tmp_path / "field.img"
    image.write_bytes(image.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"holds 100 bytes, but field\.hdr says 840: .* was cut short"):
        read_image(header)
    image.unlink()
    with pytest.raises(FileNotFoundError, match="its image does not lie beside it"):
        read_image(header)
    header.write_text("not a header")
    with pytest.raises(ValueError, match="cannot be read as ENVI"):
        read_image(header)


# --------------------------------------------------------------------------- scale


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_counts_of_unknown_scale_are_asked_for(tmp_path, Y, dtype):
    counts = (Y * 256).astype(dtype)
    np.save(tmp_path / "field.npy", counts)
    with pytest.raises(InputError, match=r"at most 209.*, which is no reflectance.* Give scale=NUMBER"):
        read_image(tmp_path / "field.npy", layout="bhw")
    scaled = read_image(tmp_path / "field.npy", layout="bhw", scale=1000)
    np.testing.assert_allclose(scaled.Y, counts / 1000.0, rtol=1e-6)
    assert "divided by 1000, as asked" in scaled.reference
    for wrong in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="positive divisor"):
            read_image(tmp_path / "field.npy", layout="bhw", scale=wrong)


def test_ten_thousandths_are_known_by_their_percentile_and_not_by_one_pixel(tmp_path, Y):
    counts = np.tile(np.round(Y * 1e4), (1, 20, 20)).astype(np.int32)
    counts[3, 5, 5] = 2_000_000  # one pixel of glint says nothing
    np.save(tmp_path / "field.npy", counts)
    scene = read_image(tmp_path / "field.npy", layout="bhw")
    np.testing.assert_allclose(scene.Y, counts / 1e4, rtol=1e-6)
    assert any(note.startswith("divided by 10000, which is a guess") for note in scene.read)


@pytest.mark.parametrize("in_reflectance", [False, True])
def test_endmembers_are_brought_to_the_unit_of_the_image(tmp_path, Y, in_reflectance):
    rng = np.random.default_rng(0)
    E = 0.1 + 0.8 * rng.random((BANDS, 3))
    mixed = np.einsum("bp,phw->bhw", E, rng.dirichlet(np.ones(3), (HEIGHT, WIDTH)).transpose(2, 0, 1))
    counts = np.round(mixed * 1e4).astype(np.uint16)
    np.savez(tmp_path / "field.npz", Y=counts, E=E if in_reflectance else E * 1e4)
    np.testing.assert_allclose(read_image(tmp_path / "field.npz").E, E, rtol=1e-5)
    np.savez(tmp_path / "other.npz", Y=counts, E=E * 100)  # percent
    with pytest.raises(InputError, match=r"in another unit than its image: multiplied by 0\.01 "):
        read_image(tmp_path / "other.npz")


# --------------------------------------------------------------------------- what is no image


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((7, 5, 6)), "no value above zero"),
        (np.full((7, 5, 6), -1.0), "no value above zero"),
        (np.ones((7, 5, 1)), "cannot be unmixed"),
        (np.ones((7, 5, 6)) * 1j, "no image in it"),
        (np.ones((7, 5, 6), dtype=bool), "no image in it"),
        (np.ones((2, 7, 5, 6)), "no image in it"),
        (np.ones(7), "no image in it"),
    ],
)
def test_what_cannot_be_an_image(tmp_path, values, message):
    np.save(tmp_path / "field.npy", values)
    with pytest.raises(ValueError, match=message):
        read_image(tmp_path / "field.npy", layout="hwb")


def test_missing_values_are_masked(tmp_path, Y):
    holes = Y.copy()
    holes[2, 3, 1], holes[4, 3, 1], holes[:, 0, 0] = np.nan, np.inf, np.nan
    np.save(tmp_path / "field.npy", holes)
    scene = read_image(tmp_path / "field.npy", layout="bhw")
    missing = np.zeros((HEIGHT, WIDTH), dtype=bool)
    missing[3, 1] = missing[0, 0] = True
    np.testing.assert_array_equal(scene.mask, ~missing)
    np.testing.assert_array_equal(scene.Y[:, ~missing], Y[:, ~missing])
    assert "2 of 35 pixels masked, without data (NaN), 1 of them in some bands only" in scene.read


@pytest.mark.parametrize("suffix", [".mat", ".npz", ".npy"])
def test_damaged_files(tmp_path, Y, suffix):
    path = (tmp_path / "field").with_suffix(suffix)
    if suffix == ".mat":
        savemat(path, {"Y": as_layout(Y, "hwb")}, do_compression=True)
    elif suffix == ".npz":
        np.savez(path, Y=Y)
    else:
        np.save(path, Y)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"field\.\w+: cannot be read, is it damaged\?"):
        read_image(path, layout="bhw")
    path.write_bytes(b"no image at all")
    with pytest.raises(ValueError, match="cannot be read"):
        read_image(path)


def test_a_damaged_mat73(tmp_path, Y):
    path = tmp_path / "field.mat"
    save_mat73(path, Y=as_layout(Y, "hwb"))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match="cannot be read"):
        read_image(path)


def test_pickles_are_never_opened(tmp_path):
    np.save(tmp_path / "field.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_image(tmp_path / "field.npy")


def test_other_formats_and_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_image(tmp_path / "field.mat")
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"expected \.mat, \.npz, \.npy or an ENVI image"):
        read_image(tmp_path / "photo.jpg")
