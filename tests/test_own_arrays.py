"""Arrays in MATLAB and NumPy files: the right one with the right axes, or an error that lists them all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from hsu_lib.errors import InputError
from hsu_lib.scenes import read_image

AXES = {"bhw": (0, 1, 2), "hbw": (1, 0, 2), "hwb": (1, 2, 0)}
WORDS = ("wavelength", "wavelengths", "Wavelength", "wl", "lambda", "wave", "centers", "band_centers")
NUMBERS = ("nBand", "nbands", "bands", "num_bands", "n_bands", "L", "channels")


@pytest.fixture(scope="module")
def Y():
    return np.random.default_rng(3).uniform(0.1, 0.9, (8, 12, 9)).astype(np.float32)


def mat73(path: Path, fill) -> Path:
    """Version 7.3: HDF5 behind a 512-byte header, axes reversed; `fill` writes what is in it."""
    with h5py.File(path, "w", userblock_size=512) as file:
        fill(file)
    header = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + (0x0200).to_bytes(2, "little") + b"IM"
    with path.open("r+b") as file:
        file.write(header)
    return path


@settings(max_examples=int(os.environ.get("HSU_EXAMPLES", "200")), deadline=None)
@given(
    sizes=st.tuples(*[st.integers(2, 7)] * 3),
    layout=st.sampled_from(list(AXES)),
    word=st.sampled_from((*WORDS, *NUMBERS, "")),
    inside=st.booleans(),
    unit=st.sampled_from([1, 1e-3]),
    extra=st.sampled_from([None, "map", "other"]),
)
def test_axes_are_told_by_what_lies_beside_or_asked_for(sizes, layout, word, inside, unit, extra):
    bands, height, width = sizes
    Y = np.random.default_rng(sum(sizes)).uniform(0.1, 0.9, sizes)
    held = {"cube": Y.transpose(AXES[layout])}
    if word:
        held[word] = bands if word in NUMBERS else np.linspace(400, 900, bands) * unit
    if extra == "map":
        held["labels"] = np.ones((height, width), dtype=np.uint8)
    if extra == "other":
        held["title"] = "a cube"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "field.mat"
        savemat(path, {"data": held} if inside else held)
        doubt = word and [sizes[0]] * 2 in ([sizes[0], sizes[1]], [sizes[0], sizes[2]])
        doubt = doubt or (not word and extra == "map")
        if doubt:
            check_doubt(path, Y, layout)
        elif word:
            scene = read_image(path)
            np.testing.assert_allclose(scene.Y, Y, rtol=1e-6)
            assert (scene.wavelengths is None) == (word in NUMBERS)
        else:  # nothing tells: MATLAB's usual order, and it is said
            assert "nothing beside it says" in read_image(path).reference


def check_doubt(path, Y, layout):
    """Refused, or read in MATLAB's usual order where a map beside the image speaks for it too."""
    np.testing.assert_allclose(read_image(path, layout=layout).Y, Y, rtol=1e-6)
    try:
        scene = read_image(path)
    except InputError as refusal:
        told = refusal.for_command_line
    else:
        told = "--layout hwb" if "nothing beside it says" in scene.reference else ""
    assert "--layout hwb" in told


def test_structs_and_cells(tmp_path, Y):
    cells = np.empty((1, 2), dtype=object)
    cells[0] = "a name", Y.transpose(1, 2, 0)
    many = np.zeros((1, 2), dtype=[("cube", "O"), ("name", "O")])
    many[0, 0], many[0, 1] = (Y.transpose(1, 2, 0), "a"), (Y.transpose(1, 2, 0) / 2, "b")
    savemat(tmp_path / "field.mat", {"c": cells, "s": many, "deep": {"er": {"cube": Y.transpose(1, 2, 0)}}})
    with pytest.raises(InputError) as refusal:
        read_image(tmp_path / "field.mat")
    told = refusal.value.for_command_line
    assert "give --variable one of c.2, s.1.cube, s.2.cube, deep.er.cube as the image" in told
    for listed in ("c.1 (1,) <U6", "s.2.cube (12, 9, 8) float32", "s.2.name (1,) <U1"):
        assert listed in told
    for name in ("c.2", "c{2}", "s(1).cube", "s.1.cube", "deep.er.cube", "deep/er/cube", "er.cube"):
        np.testing.assert_array_equal(read_image(tmp_path / "field.mat", variable=name).Y, Y)
    with pytest.raises(InputError, match=r"no variable 'c\.3'; it holds c\.1"):
        read_image(tmp_path / "field.mat", variable="c.3")


def test_structs_and_cells_of_version_73(tmp_path, Y):
    def fill(file):
        reversed_axes = Y.transpose(1, 2, 0).T
        file["data/cube"], file["data/wavelength"] = reversed_axes, np.linspace(2.5, 0.4, 8)[None]
        file["#refs#/a"], file["#refs#/b"] = reversed_axes / 2, np.array([[104], [105]], dtype=np.uint16)
        file["#refs#/b"].attrs["MATLAB_class"] = b"char"
        cells = file.create_dataset("c", (2, 1), dtype=h5py.ref_dtype)
        cells[0, 0], cells[1, 0] = file["#refs#/b"].ref, file["#refs#/a"].ref
        file["mask"] = np.ones((8, 9, 12), dtype=np.uint8)
        file["mask"].attrs["MATLAB_class"] = b"logical"
        file["none"] = np.zeros(3, dtype=np.uint64)
        file["none"].attrs["MATLAB_empty"] = 1

    path = mat73(tmp_path / "field.mat", fill)
    with pytest.raises(InputError, match=r"one of c\.2, data\.cube as the image; it holds c\.1 \(1,\) <U2"):
        read_image(path)
    scene = read_image(path, variable="data.cube")
    np.testing.assert_array_equal(scene.Y, Y)
    np.testing.assert_allclose(scene.wavelengths, np.linspace(2500, 400, 8), rtol=1e-6)
    np.testing.assert_array_equal(read_image(path, variable="c{2}").Y, Y / 2)


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        (
            {"wavelengths": np.linspace(400, 900, 224)},
            r"no axis with as many entries .* 'wavelengths' of 224",
        ),
        ({"gt": np.ones((12, 9), dtype=np.uint8)}, "lies beside a map of 12 x 9 pixels"),
        ({"nBand": 12, "wavelengths": np.arange(9) + 400.0}, "several axes with as many entries"),
    ],
)
def test_axes_in_doubt(tmp_path, Y, beside, message):
    savemat(tmp_path / "field.mat", {"cube": Y, **beside})
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / "field.mat")
    np.testing.assert_array_equal(read_image(tmp_path / "field.mat", layout="bhw").Y, Y)


def test_size_tells_the_axes(tmp_path, Y):
    np.savez(tmp_path / "field.npz", cube=Y, rows=12, cols=9)
    np.testing.assert_array_equal(read_image(tmp_path / "field.npz").Y, Y)
    np.savez(tmp_path / "field.npz", cube=Y.transpose(1, 0, 2))
    np.testing.assert_array_equal(read_image(tmp_path / "field.npz", size=(12, 9)).Y, Y)


def test_a_row_of_pixels_stays_one(tmp_path, Y):
    savemat(tmp_path / "field.mat", {"s": {"cube": Y.reshape(8, 1, -1).transpose(1, 2, 0)}})
    assert read_image(tmp_path / "field.mat").Y.shape == (8, 1, 108)
