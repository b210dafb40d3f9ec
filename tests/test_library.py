"""Spectral libraries: reading, searching by name, and the bands of another sensor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes_helpers import real_file, save_usgs

from hsu_lib.scenes import library_of
from hsu_lib.scenes.library import USGS_LIBRARY, SpectralLibrary, splib07, usgs_library
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.public.dc import DC_MATERIALS
from hsu_lib.scenes.resampling import resample

NAMES = ("Ammonio-jarosite SCR-NHJ", "Jarosite GDS99 K", "Jarosite GDS101 Na", "Calcite WS272", "Calcite")
FWHM = 2 * np.sqrt(2 * np.log(2))


@pytest.fixture
def library():
    spectra = np.arange(15.0).reshape(3, 5)
    return SpectralLibrary(spectra, np.arange(5), NAMES, np.array([400.0, 500, 600]))


# --------------------------------------------------------------------------- parts


def test_a_part_keeps_its_names():
    library = SpectralLibrary(np.arange(12.0).reshape(2, 6), np.array([0, 1, 1, 2, 0, 1]), ("a", "b", "c"))
    assert library.names == ("a 1", "b 1", "b 2", "c", "a 2", "b 3")
    part = library.taken([5, 3])
    assert part.classes == ("b", "c")
    assert part.names == ("b", "c")
    np.testing.assert_array_equal(part.spectra, library.spectra[:, [5, 3]])


def fan(*degrees):
    """Spectra of two bands at these angles."""
    spectra = np.stack([f(np.deg2rad(degrees)) for f in (np.cos, np.sin)]) * np.arange(1, len(degrees) + 1)
    return SpectralLibrary(spectra, np.arange(len(degrees)), tuple(map(str, degrees)))


def test_a_spectrum_near_an_earlier_one_is_left_out():
    library = fan(0, 4, 8, 5.1, 30)
    assert library.pruned(5).names == ("0", "8", "30")  # 4 is near 0; 8 is not, as 4 was not kept
    assert library.pruned(2).names == ("0", "4", "8", "30")
    with pytest.raises(ValueError, match="zero or lack values"):
        SpectralLibrary(np.zeros((2, 1)), np.arange(1), ("a",)).pruned(5)


def test_nearest_pairs_come_first_in_their_order():
    assert fan(0, 50, 20, 53, 21).nearest_first().names == ("20", "21", "50", "53", "0")


@pytest.mark.real_data
def test_the_library_of_dc1_is_derived_to_the_bit():
    D = read_mat(real_file("dc1/EE.mat"))["EE"]
    real_file(USGS_LIBRARY)
    library = library_of("dc1")
    np.testing.assert_array_equal(library.spectra, D)
    assert [library.names.index(name) for name in DC_MATERIALS] == list(range(1, 10))
    assert library_of("usgs", angle=3.0).spectra.shape == (224, 342)


# --------------------------------------------------------------------------- search


def test_all_words_must_occur_in_either_case(library):
    assert library.search("JAROSITE") == NAMES[:3]
    assert library.search("gds jarosite") == NAMES[1:3]
    assert library.one("jarosite gds9") == "Jarosite GDS99 K"


def test_one_spectrum_is_one(library):
    with pytest.raises(
        ValueError, match=r"'jarosite gds' is in 2 names, give more of one: Jarosite GDS99 K, Jar"
    ):
        library.one("jarosite gds")
    assert library.one("calcite") == "Calcite"  # called exactly so, though another holds the word
    np.testing.assert_array_equal(
        library.endmembers(["calcite ws272", "Jarosite GDS99"]), [[3, 1], [8, 6], [13, 11]]
    )


def test_a_name_that_is_not_there_is_answered_with_close_ones(library):
    with pytest.raises(
        ValueError, match=r"'Jarosite GDS102' in its name; close to it are .*Jarosite GDS101 Na"
    ):
        library.search("Jarosite GDS102")
    with pytest.raises(ValueError, match=r"no spectrum in the library has 'xyz' in its name$"):
        library.one("xyz")


def test_a_class_of_several_spectra_is_no_endmember():
    library = SpectralLibrary(np.ones((2, 3)), np.array([0, 0, 1]), ("soil", "tree"))
    assert library.endmembers(["tree"]).shape == (2, 1)
    with pytest.raises(ValueError, match="soil has 2 spectra"):
        library.endmembers(["soil"])
    with pytest.raises(ValueError, match="no wavelengths"):
        library.resampled([500])


# --------------------------------------------------------------------------- resampling


def gaussian(x, centre, sigma):
    return np.exp(-((x - centre) ** 2) / (2 * sigma**2))


@pytest.mark.parametrize(("s1", "s2"), [(8, 6), (20, 5), (5, 20)])
def test_a_gaussian_seen_through_a_gaussian_is_as_wide_as_both(s1, s2):
    rng = np.random.default_rng(0)
    x = 700 + np.cumsum(rng.uniform(0.3, 1.0, 1000))  # uneven samples
    centres = np.arange(900.0, 1101, 5)
    seen = resample(gaussian(x, 1000, s1)[:, None], x, centres, s2 * FWHM)[:, 0]
    width = np.hypot(s1, s2)
    np.testing.assert_allclose(seen, s1 / width * gaussian(centres, 1000, width), atol=2e-3 * s1 / width)
    again = np.sqrt(np.sum(seen * (centres - 1000) ** 2) / np.sum(seen))
    assert again == pytest.approx(width, rel=5e-3)


def test_the_closed_form_is_the_integral():
    x = np.array([400.0, 404, 411, 413, 430])
    spectrum = np.array([0.2, 0.9, 0.1, 0.4, 0.3])
    t = np.linspace(400, 430, 300001)
    weight = gaussian(t, 412, 3)
    line = np.interp(t, x, spectrum)
    expected = np.sum(line * weight) / np.sum(weight)
    assert resample(spectrum[:, None], x, [412], 3 * FWHM)[0, 0] == pytest.approx(expected, rel=1e-6)


@given(st.floats(430, 570), st.sampled_from([None, 1e-3, 5.0, 40.0]))
def test_a_straight_line_stays_straight(centre, fwhm):
    x = np.array([400.0, 431, 455, 480, 533, 540, 600])
    line = np.stack([np.full(7, 0.3), 2e-3 * x], axis=1)
    seen = resample(line, x, [centre], fwhm)[0]
    assert seen[0] == pytest.approx(0.3)
    if fwhm != 40.0:  # else some of the response lies outside the samples
        assert seen[1] == pytest.approx(2e-3 * centre, rel=1e-4)


def test_without_a_width_it_is_linear_interpolation_and_so_is_a_narrow_one():
    rng = np.random.default_rng(1)
    x, values = np.sort(rng.uniform(400, 900, 40)), rng.random((40, 3))
    centres = rng.uniform(x[1], x[-2], 25)
    expected = np.stack([np.interp(centres, x, v) for v in values.T], axis=1)
    np.testing.assert_allclose(resample(values, x, centres), expected, rtol=1e-12)
    np.testing.assert_allclose(resample(values, x, centres, 1e-3), expected, atol=1e-3)


def test_order_of_samples_and_of_bands_is_free():
    rng = np.random.default_rng(2)
    x, values = np.linspace(400, 500, 30), rng.random((30, 2))
    shuffled, bands = rng.permutation(30), np.array([480.0, 420, 455])
    for fwhm in (None, [9.0, 12, 10]):
        seen = resample(values, x, bands, fwhm)
        np.testing.assert_allclose(resample(values[shuffled], x[shuffled], bands, fwhm), seen, rtol=1e-12)
        back = None if fwhm is None else fwhm[::-1]
        np.testing.assert_allclose(resample(values, x, bands[::-1], back), seen[::-1], rtol=1e-12)


def test_samples_without_a_value_are_left_out_until_half_is_gone():
    x = np.arange(400.0, 501, 10)
    values = np.full((11, 2), 0.5)
    values[3:6, 1] = np.nan  # 430, 440, 450 of the second spectrum
    linear = resample(values, x, [420, 424, 426, 440, 458])
    np.testing.assert_allclose(linear, [[0.5, 0.5], [0.5, 0.5], [0.5, np.nan], [0.5, np.nan], [0.5, 0.5]])
    wide = resample(values, x, [440, 465], 12.0)
    np.testing.assert_allclose(wide, [[0.5, np.nan], [0.5, 0.5]])
    assert np.isfinite(resample(values, x, [440], 60.0)).all()  # most of it is measured


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([390],), "1 of 1 bands lie outside the spectra's 400 to 500 nm, the first at 390 nm"),
        (([450, 501, 600],), "2 of 3 bands lie outside .*, the first at 501 nm"),
        (([402, 450], 10.0), "1 of 2 bands lie outside .*, the first at 402 nm"),  # its half maximum
        (([np.nan],), "1 of 1 bands"),
        (([450], 0.0), "above zero"),
        (([450], [np.nan]), "above zero"),
        (([[450]],), r"got \(3, 1\), \(3,\) and \(1, 1\)"),
    ],
)
def test_bands_that_cannot_be_seen(arguments, message):
    with pytest.raises(ValueError, match=message):
        resample(np.ones((3, 1)), [400, 450, 500], *arguments)


def test_two_samples_at_one_wavelength_are_refused():
    with pytest.raises(ValueError, match="same wavelength"):
        resample(np.ones((3, 1)), [400, 450, 450], [420])
    with pytest.raises(ValueError, match=r"got \(3,\), \(3,\)"):
        resample(np.ones(3), [400, 450, 500], [420])


def test_a_resampled_library_keeps_its_names(library):
    sensor = library.resampled([450, 550], 20.0)
    assert sensor.classes == NAMES
    np.testing.assert_array_equal(sensor.fwhm, [20, 20])
    np.testing.assert_allclose(sensor.endmembers(["calcite ws272"])[:, 0], [5.5, 10.5])
    assert library.resampled([450]).fwhm is None


# --------------------------------------------------------------------------- the files of the USGS


def test_the_library_of_1995_is_put_in_the_order_of_its_wavelengths(tmp_path):
    spectra = np.arange(8.0).reshape(4, 2)
    content = save_usgs(
        tmp_path / "usgs.mat", ["Calcite WS272", "Alunite GDS83"], [0.4, 0.51, 0.5, 0.6], spectra
    )
    library = usgs_library({USGS_LIBRARY: content}.__getitem__)
    assert library.classes == ("Calcite WS272", "Alunite GDS83")
    np.testing.assert_allclose(library.wavelengths, [400, 500, 510, 600])
    np.testing.assert_allclose(library.fwhm, 10)
    np.testing.assert_array_equal(library.of("Alunite GDS83")[:, 0], [1, 5, 3, 7])


@pytest.mark.real_data
def test_the_real_library_of_1995():
    library = usgs_library(real_file)
    assert library.spectra.shape == (224, 498)
    assert len(library.classes) == 498
    assert np.isfinite(library.spectra).all()
    assert 0.004 < library.spectra.min() < library.spectra.max() < 1.02
    assert library.wavelengths[[0, -1]] == pytest.approx([383.15, 2508.20], abs=0.01)
    assert (np.diff(library.wavelengths) > 0).all()
    assert 8 < library.fwhm.min() < library.fwhm.max() < 11
    with pytest.raises(ValueError, match=r"HS349\.1B.*Anorthite HS349\.3B"):
        library.one("Anorthite HS349.1B")
    calcite = library.endmembers(["calcite ws272"])[:, 0]
    band = (library.wavelengths > 2250) & (library.wavelengths < 2400)
    assert library.wavelengths[band][calcite[band].argmin()] == pytest.approx(
        2340, abs=12
    )  # its carbonate band
    coarse = library.resampled(np.arange(450.0, 2450, 50), 50.0)
    assert np.isfinite(coarse.spectra).all()


def write_ascii(path, header, values):
    path.write_text(header + "\n" + "".join(f" {value:.7e}\n" for value in values))
    return path


@pytest.fixture
def splib(tmp_path):
    """Two spectra of five channels in the ASCII form of splib07, with wavelengths and bandpass."""
    w = write_ascii(
        tmp_path / "w.txt", " splib07a Record=1: Wavelengths TOY 0.4-0.8 microns", [0.4, 0.6, 0.5, 0.7, 0.8]
    )
    f = write_ascii(
        tmp_path / "f.txt", " splib07a Record=2: Bandpass (FWHM) TOY", [0.01, 0.03, 0.02, 0.04, 0.05]
    )
    one = write_ascii(
        tmp_path / "1.txt",
        " splib07a Record=5932: Kaolinite CM5     TOYb AREF",
        [0.1, 0.3, 0.2, 0.4, -1.23e34],
    )
    two = write_ascii(tmp_path / "2.txt", "s07_AV95 Record=7: Sphene HS189.3B  TOYb AREF", [1, 3, 2, 4, 5])
    return [one, two], w, f


def test_splib07_files(splib):
    spectra, wavelengths, fwhm = splib
    library = splib07(spectra, wavelengths, fwhm)
    assert library.classes == ("Kaolinite CM5 TOYb AREF", "Sphene HS189.3B TOYb AREF")
    np.testing.assert_allclose(library.wavelengths, [400, 500, 600, 700, 800])
    np.testing.assert_allclose(library.fwhm, [10, 20, 30, 40, 50])
    np.testing.assert_allclose(library.endmembers(["kaolinite"])[:, 0], [0.1, 0.2, 0.3, 0.4, np.nan])
    assert splib07(iter(map(str, spectra)), str(wavelengths)).fwhm is None
    seen = library.resampled([450, 770])
    np.testing.assert_allclose(seen.spectra, [[0.15, 1.5], [np.nan, 4.7]])


def test_splib07_spectra_of_one_name_are_one_class(splib, tmp_path):
    spectra, wavelengths, _ = splib
    third = write_ascii(
        tmp_path / "3.txt", "Sphene HS189.3B TOYb AREF", [6] * 5
    )  # no record number: the whole line
    library = splib07([*spectra, third], wavelengths)
    np.testing.assert_array_equal(library.labels, [0, 1, 1])
    assert library.of("Sphene HS189.3B TOYb AREF").shape == (5, 2)


def test_splib07_files_that_are_not(splib, tmp_path):
    spectra, wavelengths, _ = splib
    short = write_ascii(tmp_path / "short.txt", "Short", [1, 2])
    with pytest.raises(ValueError, match=r"short\.txt: 2 channels, the file of wavelengths has 5"):
        splib07([short], wavelengths)
    with pytest.raises(ValueError, match=r"short\.txt: 2 channels"):
        splib07(spectra, wavelengths, short)
    (tmp_path / "words.txt").write_text("Header\n0.1\nreflectance\n")
    with pytest.raises(ValueError, match=r"words\.txt: expected a header .* 'reflectance'"):
        splib07([tmp_path / "words.txt"], wavelengths)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(ValueError, match="found 0 numbers"):
        splib07([tmp_path / "empty.txt"], wavelengths)
    with pytest.raises(ValueError, match="at least one file"):
        splib07([], wavelengths)
    with pytest.raises(FileNotFoundError):
        splib07([tmp_path / "nowhere.txt"], wavelengths)
