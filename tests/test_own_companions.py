"""Endmembers, abundances and names beside an image: one rule, whatever the format."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import xarray
from click.testing import CliRunner
from scipy.io import savemat

from hsu_lib.cli import main
from hsu_lib.errors import InputError
from hsu_lib.scenes import read_image
from hsu_lib.scenes.own.image import open_part
from hsu_lib.scenes.own.selection import Selection
from hsu_lib.unmixing import read_result

BANDS, HEIGHT, WIDTH, COUNT = 8, 12, 9, 3
NAMES = ("soil", "tree", "water")
WAVES = np.linspace(400, 900, BANDS)


@pytest.fixture(scope="module")
def truth():
    """Image (bands, height, width), endmembers and abundances."""
    rng = np.random.default_rng(5)
    E = 0.1 + 0.8 * rng.random((BANDS, COUNT))
    A = rng.dirichlet(np.ones(COUNT), (HEIGHT, WIDTH)).transpose(2, 0, 1)
    A[:, :2, 0] = np.eye(COUNT)[:, :2]
    A[:, 2, 0] = np.eye(COUNT)[2]
    return np.einsum("bp,phw->bhw", E, A), E, A


def rows_last(maps):
    return maps.transpose(1, 2, 0)


def mat5(path, **held):
    savemat(path, held)


def mat73(path, **held):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in held.items():
            if name not in ("names", "cood", "materials"):
                file[name] = np.asarray(values).T
                continue
            cells = file.create_dataset(name, (1, len(values)), dtype=h5py.ref_dtype)
            for number, text in enumerate(values):
                codes = np.array([[ord(letter)] for letter in text], dtype=np.uint16)
                cell = file.create_dataset(f"#refs#/{number}", data=codes)
                cell.attrs["MATLAB_class"] = b"char"
                cells[0, number] = cell.ref
    header = b"MATLAB 7.3 MAT-file".ljust(116) + bytes(8) + (0x0200).to_bytes(2, "little") + b"IM"
    with path.open("r+b") as file:
        file.write(header)


def npz(path, **held):
    np.savez(path, **held)


def hdf5(path, **held):
    with h5py.File(path, "w") as file:
        for name, values in held.items():
            file[f"data/{name}"] = list(values) if isinstance(values[0], str) else values


def netcdf(path, **held):
    dims = {
        3: lambda name: ("y", "x", "band" if name == "cube" else "part"),
        2: lambda name: ("band", "part"),
        1: lambda name: ("band",) if name == "wavelength" else ("part",),
    }
    arrays = {name: np.asarray(values) for name, values in held.items()}
    variables = {name: (dims[values.ndim](name), values) for name, values in arrays.items()}
    xarray.Dataset(variables).to_netcdf(path, engine="h5netcdf")


FORMATS = [(mat5, ".mat"), (mat73, ".mat"), (npz, ".npz"), (hdf5, ".h5"), (netcdf, ".nc")]


@pytest.mark.parametrize(("write", "suffix"), FORMATS)
@pytest.mark.parametrize(
    ("endmembers", "abundances", "names"),
    [("E", "A", "materials"), ("M", "S_GT", "cood"), ("endmembers", "Abundances", "names")],
)
def test_every_format_brings_its_reference(tmp_path, truth, write, suffix, endmembers, abundances, names):
    Y, E, A = truth
    held = {"cube": rows_last(np.round(1e4 * Y)), endmembers: 1e4 * E, abundances: rows_last(A), names: NAMES}
    write((tmp_path / "field").with_suffix(suffix), wavelength=WAVES, **held)
    scene = read_image((tmp_path / "field").with_suffix(suffix))
    np.testing.assert_allclose(scene.Y, Y, atol=1e-4)
    np.testing.assert_allclose(scene.E, E, rtol=1e-5)
    np.testing.assert_allclose(scene.A, A, rtol=1e-5)
    assert scene.materials == NAMES
    told = "; ".join(scene.read)
    assert f"endmembers {'data.' if write is hdf5 else ''}{endmembers} of the same file" in told
    assert f"abundances {'data.' if write is hdf5 else ''}{abundances} of the same file" in told


@pytest.mark.parametrize(("write", "suffix"), FORMATS)
def test_what_does_not_fit_is_left_out_and_said(tmp_path, truth, write, suffix):
    Y, _, A = truth
    held = {"cube": rows_last(Y), "M": np.ones((5, COUNT)), "A": rows_last(A)[:, :-1]}
    if write is netcdf:
        variables = {name: (("y", "x", "band") if name == "cube" else None, v) for name, v in held.items()}
        variables["M"], variables["A"] = (("a", "b"), held["M"]), (("y", "c", "b"), held["A"])
        xarray.Dataset(variables).to_netcdf(tmp_path / "field.nc", engine="h5netcdf")
    else:
        write((tmp_path / "field").with_suffix(suffix), wavelength=WAVES, **held)
    scene = read_image((tmp_path / "field").with_suffix(suffix))
    np.testing.assert_allclose(scene.Y, Y, rtol=1e-6)
    assert scene.E is None
    assert scene.A is None
    told = "; ".join(scene.read)
    assert "M' (5, 3) is left out: no endmembers of 8 bands" in told
    assert "is left out: no maps of endmembers in 12 x 9 pixels" in told


def test_matrices_as_public_scenes_have_them(tmp_path, truth):
    """Pixels column by column: of the image, and of the abundances beside it."""
    Y, E, A = truth
    columns = {key: maps.transpose(0, 2, 1).reshape(len(maps), -1) for key, maps in (("V", Y), ("A", A))}
    savemat(tmp_path / "field.mat", {**columns, "M": E, "nRow": HEIGHT, "nCol": WIDTH, "cood": NAMES})
    scene = read_image(tmp_path / "field.mat")
    np.testing.assert_allclose(scene.Y, Y, rtol=1e-6)
    np.testing.assert_allclose(scene.A, A, rtol=1e-6)
    np.testing.assert_allclose(scene.E, E, rtol=1e-6)
    assert scene.materials == NAMES
    columns["A"] = columns["A"].T  # the other way round than the image
    savemat(tmp_path / "field.mat", {**columns, "M": E, "nRow": HEIGHT, "nCol": WIDTH})
    np.testing.assert_allclose(read_image(tmp_path / "field.mat").A, A, rtol=1e-6)


def test_pixels_of_a_matrix_beside_a_cube(tmp_path, truth):
    """MATLAB has them column by column; elsewhere nothing says it."""
    Y, E, A = truth
    matrix = A.transpose(0, 2, 1).reshape(COUNT, -1)
    savemat(tmp_path / "field.mat", {"cube": rows_last(Y), "E": E.T, "A": matrix, "wavelength": WAVES})
    scene = read_image(tmp_path / "field.mat")
    np.testing.assert_allclose(scene.E, E, rtol=1e-6)
    np.testing.assert_allclose(scene.A, A, rtol=1e-6)
    np.savez(tmp_path / "field.npz", cube=Y, E=E, A=matrix)
    scene = read_image(tmp_path / "field.npz")
    assert scene.A is None
    left = (
        "array 'A' (3, 108) is left out: no maps of 3 endmembers in 12 x 9 pixels, in an order that the file"
    )
    assert f"{left} tells" in scene.read


def test_endmembers_tell_the_axes_where_nothing_else_does(tmp_path, truth):
    Y, E, _ = truth
    savemat(tmp_path / "field.mat", {"cube": Y, "M": E})
    scene = read_image(tmp_path / "field.mat")
    np.testing.assert_allclose(scene.Y, Y, rtol=1e-6)
    assert "array 'cube' read as bhw, since 'M' speaks of 8 bands" in scene.read
    savemat(tmp_path / "field.mat", {"cube": rows_last(Y), "M": np.ones((HEIGHT, WIDTH))})  # a map
    scene = read_image(tmp_path / "field.mat")
    np.testing.assert_allclose(scene.Y, Y, rtol=1e-6)
    assert scene.E is None


def test_an_image_that_is_called_as_a_reference(tmp_path, truth):
    Y, _, _ = truth
    for name in ("A", "M", "abundances"):
        savemat(tmp_path / "field.mat", {name: rows_last(Y), "wavelength": WAVES})
        np.testing.assert_allclose(read_image(tmp_path / "field.mat").Y, Y, rtol=1e-6)


def test_numbers_that_are_no_data(tmp_path, truth):
    Y, E, A = (array.copy() for array in truth)
    E[4, 1] = np.nan
    A[0, 3, 3] = np.nan
    np.savez(tmp_path / "field.npz", Y=Y, E=E, A=A)
    scene = read_image(tmp_path / "field.npz")
    assert (scene.E, scene.A) == (None, None)
    assert "endmembers of the file are left out: some of their numbers are no data" in scene.read
    assert "abundances of the file are left out: some of their numbers are no data" in scene.read
    part = open_part(tmp_path / "field.npz", selection=Selection(crop=(4, 0, 8, 9), drop_bands="5")).scene()
    np.testing.assert_allclose(part.E, np.delete(truth[1], 4, axis=0), rtol=1e-6)
    np.testing.assert_allclose(part.A, truth[2][:, 4:], rtol=1e-6)


def test_one_of_both_is_turned(tmp_path, truth):
    Y, E, _ = truth
    np.savez(tmp_path / "field.npz", Y=Y, E=E)
    with pytest.raises(InputError, match=r"E has 8 bands, Y has 9 .* give layout="):
        read_image(tmp_path / "field.npz", layout="hwb")


def test_a_result_follows_the_reference(tmp_path, truth, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Y, E, A = truth
    savemat("field.mat", {"cube": rows_last(np.round(1e4 * Y)), "M": E, "cood": NAMES, "wavelength": WAVES})
    told = CliRunner().invoke(main, ["unmix", "field.mat", "--method", "sivm-fclsu", "--out", "r"]).output
    assert "- endmembers M of the same file" in told
    result = read_result("r.npz")
    assert result.materials == NAMES
    assert np.abs(result.A - A).max() < 0.02
    savemat("field.mat", {"cube": rows_last(Y), "M": E[:5], "wavelength": WAVES})
    told = CliRunner().invoke(main, ["unmix", "field.mat", "--method", "fclsu", "--out", "r"]).output
    assert "needs known endmembers and field has none" in told
    assert "array 'M' (5, 3) is left out: no endmembers of 8 bands" in told
