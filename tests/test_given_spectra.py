"""Spectra that a user has: every kind of file to the bands and the unit of an image, or a line that helps."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scenes_helpers import real_file
from scipy.io import savemat
from spectral.io.envi import SpectralLibrary

from hsu_lib.errors import InputError
from hsu_lib.scenes.library import USGS_LIBRARY
from hsu_lib.unmixing.matching import Bands, in_bands, in_unit
from hsu_lib.unmixing.spectra import Spectra, read_spectra

FINE = np.arange(390.0, 1011.0, 2.0)
CENTRES = np.linspace(400, 1000, 13)
NAMES = ("soil", "tree")


def curves(nm):
    """Two smooth spectra, shape ``(bands, 2)``."""
    x = (np.asarray(nm) - 700) / 300
    return np.stack([0.3 + 0.1 * x, 0.5 - 0.2 * x**2], axis=1)


def table(nm=FINE, header="wavelength,soil,tree", separator=",", comma=False, factor=1.0):
    lines = [separator.join(f"{v:.6f}" for v in (w, *row)) for w, row in zip(nm, curves(FINE), strict=True)]
    text = "\n".join(lines)
    return (header + "\n" if header else "") + (text.replace(".", ",") if comma else text)


def bands(count=13):
    return Bands(CENTRES if count == 13 else None, np.arange(count), count)


TABLES = {
    "usual": table(),
    "unit": table(FINE / 1000, "Wavelength (um),soil,tree"),
    "german": table(header="Wellen_nm;soil;tree".replace("Wellen_", ""), separator=";", comma=True),
    "tabs": "\ufeff" + table(header="wl_nm\tsoil\ttree", separator="\t"),
    "blanks": "# measured in May\n" + table(header="", separator="   "),
    "wavenumbers": table(1e7 / FINE, "wavenumber cm-1,soil,tree"),
    "pandas": ",soil,tree\n" + table(header=""),
    "index": "\n".join(
        [",wavelength,soil,tree", *(f"{k},{line}" for k, line in enumerate(table(header="").splitlines()))]
    ),
    "rows": "name,"
    + ",".join(map(str, FINE))
    + "".join(f"\n{name}," + ",".join(map(str, curves(FINE)[:, k])) for k, name in enumerate(NAMES)),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables(tmp_path, kind):
    (tmp_path / "s.csv").write_text(TABLES[kind], encoding="utf-8")
    found = read_spectra(tmp_path / "s.csv")
    assert found.names == (() if kind == "blanks" else NAMES)
    E, notes = in_bands(found, bands())
    np.testing.assert_allclose(E, curves(CENTRES), atol=1e-4)
    assert "resampled" in notes[-1]


ENVI_PLOT = "ENVI ASCII Plot File [Tue May 14 10:20:30 2024]\nColumn 1: Wavelength\n"
ECOSTRESS = (
    "Name: tree\nType: Vegetation\nX Units: Wavelength (micrometers)\nY Units: Reflectance (percent)\n\n"
)


@pytest.mark.parametrize(
    ("text", "names", "factor"),
    [
        (ENVI_PLOT + "Column 2: soil~~1\nColumn 3: Mean: tree~~2\n" + table(FINE / 1000, "", "  "),
         ("soil", "Mean: tree"), 1),
        ("sep=;\n" + table(header="Wellenlänge (nm);soil;tree", separator=";", comma=True), NAMES, 1),
        (ECOSTRESS + "\n".join(f"{nm / 1000:.4f}\t{100 * tree:.5f}" for nm, (_, tree) in
                               zip(FINE, curves(FINE), strict=True)), ("tree",), 100),
    ],
)  # fmt: skip
def test_tables_of_other_programs(tmp_path, text, names, factor):
    (tmp_path / "s.txt").write_text(text, encoding="utf-8")
    found = read_spectra(tmp_path / "s.txt")
    assert found.names == names
    np.testing.assert_allclose(in_bands(found, bands())[0], curves(CENTRES)[:, -len(names) :], atol=1e-4)
    assert any("divided by 100" in note for note in found.notes) == (factor == 100)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds 0 lines"),
        ("wavelength,soil\n400,0.1\n500,bright", "line 3, column 2: expected a number, got 'bright'"),
        ("wavelength,soil\n400,0.1\n500", "line 3 has 1 values, the first has 2"),
        ("wavelength,wl,soil\n1,2,3\n2,3,4", "which column are the wavelengths, wavelength, wl"),
        ("0.4,0.1\n0.7,0.2\n0.9,0.1", "are the numbers of its first column wavelengths?"),
        ("a,b\nx,y\nz,w", "expected a number"),
    ],
)
def test_tables_in_doubt(tmp_path, text, told):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_spectra(tmp_path / "s.csv")
    assert told in str(caught.value)


@pytest.mark.parametrize(("unit", "scale"), [("nm", None), ("Micrometers", 10000)])
def test_envi_library(tmp_path, unit, scale):
    header = {
        "wavelength": list(FINE if unit == "nm" else FINE / 1000),
        "wavelength units": unit,
        "spectra names": list(NAMES),
        **({"reflectance scale factor": scale} if scale else {}),
    }
    SpectralLibrary((curves(FINE) * (scale or 1)).T.astype(np.float32), header).save(str(tmp_path / "lib"))
    for ending in (".sli", ".hdr"):
        found = read_spectra(tmp_path / f"lib{ending}")
        assert found.names == NAMES
        np.testing.assert_allclose(in_bands(found, bands())[0], curves(CENTRES), atol=1e-4)
    data = tmp_path / "lib.sli"
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(InputError, match=r"says 2488: header offset 0 \+ 2 spectra x 311 bands x 4 bytes"):
        read_spectra(data)


def test_arrays(tmp_path):
    E = curves(CENTRES)
    np.savez(tmp_path / "a.npz", E=curves(FINE), wavelengths=FINE, materials=NAMES)
    savemat(tmp_path / "b.mat", {"lib": {"M": E.T, "wl": CENTRES, "names": np.array(NAMES, dtype=object)}})
    np.save(tmp_path / "c.npy", E.T)
    savemat(tmp_path / "d.mat", {"one": E, "two": 2 * E})
    for name in ("a.npz", "b.mat", "c.npy", "d.mat:one"):
        found, _ = in_bands(read_spectra(tmp_path / name), bands())
        np.testing.assert_allclose(found, E, atol=1e-4)
    assert read_spectra(tmp_path / "b.mat").names == NAMES
    with pytest.raises(InputError, match=r"FILE:NAME.*it holds one \(13, 2\), two \(13, 2\)"):
        read_spectra(tmp_path / "d.mat")
    with pytest.raises(InputError, match="no matrix 'three'"):
        read_spectra(f"{tmp_path / 'd.mat'}:three")


def test_usgs(monkeypatch):
    real_file(USGS_LIBRARY)
    found = read_spectra("usgs:alunite,kaolinite")
    assert found.names[1].startswith("Kaolinite")
    assert "the first of" in found.notes[0]
    assert 350 < found.wavelengths.min() < 400
    for words, told in (("usgs:", "expected names"), ("usgs:kryptonite", "no spectrum in the library")):
        with pytest.raises(InputError, match=told):
            read_spectra(words)


def test_bands_without_a_value_are_told_with_the_option():
    lacking = curves(FINE)
    lacking[:100] = np.nan
    with pytest.raises(InputError) as caught:
        in_bands(Spectra(lacking, NAMES, FINE), Bands(CENTRES, np.arange(13) + 2, 15))
    assert "have no value in 4 of 13 bands (400 to 550 nm); give --drop-bands 3-6" in (
        caught.value.for_command_line
    )
    with pytest.raises(InputError, match=r"reach from 500 to 1010 nm, which leaves out 2 of 13 bands"):
        in_bands(Spectra(curves(FINE[55:]), NAMES, FINE[55:]), bands())
    with pytest.raises(InputError, match="spectra of 311 bands for an image of 13, and they have no"):
        in_bands(Spectra(curves(FINE), NAMES), bands())


def test_spectra_of_all_stored_bands_are_cut_to_those_that_are_kept():
    kept = np.array([0, 1, 4, 6, 12])
    E, note = in_bands(Spectra(curves(CENTRES)), Bands(None, kept, 13))
    np.testing.assert_array_equal(E, curves(CENTRES)[kept])
    assert "by their numbers" in note[-1]


def test_numbers_of_bands_in_a_table_are_followed(tmp_path):
    """Lines in another order than the bands, and tables of some bands."""
    E = np.arange(10.0).reshape(5, 2)
    path, every = tmp_path / "spectra.csv", Bands(None, np.arange(5), 5)

    def taken(numbers, bands):
        lines = [f"{number},{E[number - 1, 0]},{E[number - 1, 1]}" for number in numbers]
        path.write_text("\n".join(["Band number,a,b", *lines]))
        return in_bands(read_spectra(path), bands)[0]

    for numbers in ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 1, 5, 2, 4]):
        np.testing.assert_array_equal(taken(numbers, every), E)
    np.testing.assert_array_equal(taken([5, 2, 1], Bands(None, np.array([1, 4]), 5)), E[[1, 4]])
    with pytest.raises(InputError, match="lack 2 of 5 bands; give drop_bands='3-4'"):
        taken([5, 2, 1], every)
    path.write_text("band,a\n4,4\n0,0\n2,2")  # counted from 0
    np.testing.assert_array_equal(
        in_bands(read_spectra(path), Bands(None, np.array([2, 4]), 5))[0], [[2], [4]]
    )


def test_wavelengths_in_no_known_unit_are_told(tmp_path):
    lines = [f"{10 * nm},0.1,0.2" for nm in range(380, 921)]
    (tmp_path / "spectra.csv").write_text("\n".join(["wavelength (A),a,b", *lines]))
    with pytest.raises(InputError, match="from 3800 to 9200 of unnamed unit: bands are numbered"):
        in_bands(read_spectra(tmp_path / "spectra.csv"), Bands(None, np.arange(5), 5))


def test_spectra_of_a_result_are_those_of_its_bands(tmp_path):
    """Bands that one image left out are not those that another leaves out."""
    about = np.array(json.dumps({"made_by": "hsu unmix"}))
    E = np.arange(8.0).reshape(4, 2)
    np.savez(tmp_path / "r.npz", E=E, about=about, bands=np.array([1, 2, 4, 5]))
    spectra = read_spectra(tmp_path / "r.npz")
    taken, notes = in_bands(spectra, Bands(None, np.array([0, 3, 4]), 5))
    np.testing.assert_array_equal(taken, E[[0, 2, 3]])
    assert notes == ["endmembers taken by the numbers of their bands"]
    with pytest.raises(InputError, match="lack 1 of 4 bands; give drop_bands='3'"):
        in_bands(spectra, Bands(None, np.array([0, 2, 3, 4]), 5))
    taken, _ = in_bands(spectra, Bands(None, np.arange(4), 4))  # a file of these bands only
    np.testing.assert_array_equal(taken, E)


def test_fill_and_damaged_numbers_in_spectra():
    values = curves(FINE)
    values[:100, 1] = -1.23e34
    values[200, 0] = -9999
    with pytest.raises(InputError, match=r"have no value in 4 of 13 bands \(400 to 550 nm\)"):
        in_bands(Spectra(values, NAMES, FINE), bands())
    E = curves(CENTRES)
    Y = E @ np.random.default_rng(0).dirichlet([1, 1], 50).T
    E[3, 1] = 151.3
    with pytest.raises(InputError, match=r"tree is 151.3 in band 4, far from everything"):
        in_unit(Spectra(E, NAMES), E, Y, None)


@pytest.mark.parametrize("factor", [100, 10_000, 255])
def test_the_unit_that_would_fit_is_told(factor):
    E, rng = curves(CENTRES), np.random.default_rng(0)
    Y = E @ rng.dirichlet([1, 1], 50).T
    with pytest.raises(InputError) as caught:
        in_unit(Spectra(E), factor * E, Y, None)
    told = caught.value.for_command_line
    given = float(told.split("--endmembers-scale ")[1].split(",")[0])
    assert given == pytest.approx(factor, rel=0.3)
    np.testing.assert_allclose(in_unit(Spectra(E), factor * E, Y, factor)[0], E)
    with pytest.raises(InputError, match="positive divisor"):
        in_unit(Spectra(E), E, Y, 0)
