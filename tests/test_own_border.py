"""What a file says against what it holds: fill values, scale, wavelengths, and the fields of a header."""

from __future__ import annotations

import gzip
import os
import re

import numpy as np
import pytest

from hsu_lib.errors import InputError
from hsu_lib.scenes import read_image
from hsu_lib.scenes.own.wavelengths import in_nm

BANDS, HEIGHT, WIDTH = 8, 12, 9


@pytest.fixture(scope="module")
def counts():
    """Cube (bands, height, width) of ten-thousandths, no two bands of a pixel alike."""
    rng = np.random.default_rng(3)
    return np.round(1e4 * rng.uniform(0.1, 0.9, (BANDS, HEIGHT, WIDTH))).astype(np.int32)


def read(folder, values, **given):
    np.save(folder / "field.npy", values)
    return read_image(folder / "field.npy", layout="bhw", **given)


# --------------------------------------------------------------------------- fill values


def border(values, fill):
    values[:, :, :2] = fill


def corner(values, fill):
    """As of a flight line that is rotated: no crop helps."""
    values[:, np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) < 4] = fill


def some_bands(values, fill):
    values[: BANDS // 2, -1] = fill


@pytest.mark.parametrize("where", [border, corner, some_bands])
@pytest.mark.parametrize(
    ("dtype", "fill"),
    [
        ("i2", -9999),
        ("i2", -32768),
        ("i2", 0),
        ("u2", 65535),
        ("u2", 0),
        ("i4", 15000),
        ("f4", -1),
        ("f4", 1e34),
    ],
)
def test_undeclared_fill_is_refused_and_settled_by_an_option(tmp_path, counts, where, dtype, fill):
    values = counts.astype(dtype) if dtype[0] != "f" else counts.astype(dtype) / 10_000
    where(values, fill)
    with pytest.raises(InputError, match="no data that it does not declare") as refusal:
        read(tmp_path, values)
    given = refusal.value.for_command_line.split("--nodata ")[1].split()[0]
    scene = read(tmp_path, values, nodata=given)
    np.testing.assert_array_equal(~scene.mask, (values == values.dtype.type(fill)).any(axis=0))
    assert any("pixels masked, without data" in note for note in scene.read)
    if fill == 0:
        assert read(tmp_path, values, nodata="none").mask is None


@pytest.mark.parametrize("value", [1e12, -4e4])
def test_a_number_far_from_all_others_is_enough(tmp_path, counts, value):
    values = counts / 1e4
    values[2, 5, 5] = 2.5  # of glint
    assert read(tmp_path, values).mask is None
    values[2, 5, 5] = value
    with pytest.raises(InputError, match="in 1 of 108 pixels: no data") as refusal:
        read(tmp_path, values)
    scene = read(tmp_path, values, nodata=refusal.value.for_command_line.split("--nodata ")[1].split()[0])
    assert scene.counting == 107
    assert read(tmp_path, values, nodata="none", scale=1).mask is None


def test_a_pixel_of_zeros_was_not_measured(tmp_path, counts):
    values = np.concatenate([counts, counts]) / 1e4
    values[:8, 5, 5] = 0  # in half of the bands only
    assert read(tmp_path, values).mask is None
    values[:, 5, 5] = 0
    with pytest.raises(InputError, match="holds 0 in 1 of 108 pixels: no data"):
        read(tmp_path, values)
    assert read(tmp_path, values, nodata=0).counting == 107
    assert read(tmp_path, values, nodata="none").mask is None
    dark = values[:8]
    assert read(tmp_path, dark).mask is None  # a shadow in few bands


@pytest.mark.parametrize("fill", [-9999, -32768])
def test_a_single_value_that_nothing_measures_is_enough(tmp_path, counts, fill):
    values = counts.astype(np.int16)
    values[2, 5, 5] = fill
    with pytest.raises(InputError, match=f"{fill} in 1 of 108 pixels"):
        read(tmp_path, values)


def test_a_few_dark_or_bright_pixels_are_no_fill(tmp_path, counts):
    values = counts.copy()
    values[:, 6, 6] = 0  # one in a hundred, in the middle
    values[0, :4, 4] = values.max()  # one band of some
    assert read(tmp_path, values).mask is None


def test_bands_without_data_are_dropped_and_named(tmp_path, counts):
    values = counts.copy()
    values[1], values[4:6] = -9999, 0
    scene = read(tmp_path, values)
    np.testing.assert_array_equal(scene.kept, [0, 2, 3, 6, 7])
    assert "1 bands left out that hold -9999 in every pixel: 2" in scene.read
    assert "2 bands left out that hold 0 in every pixel: 5-6" in scene.read
    assert read(tmp_path, np.delete(values, 1, axis=0), nodata="none").kept is None


def test_several_fill_values(tmp_path, counts):
    values = counts.copy()
    values[:, :2], values[:, -1] = -9999, 0
    with pytest.raises(InputError, match=r"-9999 in 18 .* and 0 in 9 .* nodata='-9999,0'"):
        read(tmp_path, values)
    for given in ("-9999,0", ("-9999", "0"), (-9999, 0.0)):
        assert read(tmp_path, values, nodata=given).counting == 81
    with pytest.raises(InputError, match="nodata=: expected a number, several, or none, got 'snow'"):
        read(tmp_path, values, nodata="snow")


def test_what_is_declared_stays_left_out_when_more_is_found(tmp_path, counts):
    values = counts.copy()
    values[:, :2], values[:, -1] = -9999, 0
    header = envi(tmp_path, values, data_ignore_value=-9999)
    with pytest.raises(InputError, match="0 in 9 of 108 pixels: no data") as refusal:
        read_image(header)
    told = refusal.value.for_command_line
    assert "Give --nodata -9999,0 to leave these pixels out, or --nodata -9999 if they were measured" in told
    assert read_image(header, nodata="-9999,0").counting == 81
    measured = read_image(header, nodata="-9999")
    assert measured.counting == 90
    assert "0 in 9 pixels taken as measured" in measured.read
    scene = read_image(header, nodata="none")  # against what is declared: as asked, and told
    assert scene.counting == 108
    told = "-9999, which the file declares to be no data, in 18 pixels taken as measured, as asked"
    assert told in scene.read
    with pytest.raises(InputError, match=r"reflectance as low as -0\.9999 in most bands of 18 of 108 pixels"):
        read_image(header, nodata="0")


@pytest.mark.parametrize("given", ["", "-9999;0", ("-9999;0",), "0,none"])
def test_what_is_no_nodata(tmp_path, counts, given):
    text = given if isinstance(given, str) else given[0]
    with pytest.raises(InputError, match=f"expected a number, several, or none, got '{text}'"):
        read(tmp_path, counts, nodata=given)


@pytest.mark.parametrize("declared", ["-3.40282e+38", "-3.4e38", "-3.4028234663852886e+38"])
def test_fill_of_many_digits_may_be_rounded(tmp_path, counts, declared):
    values = (counts / 10_000).astype("<f4")
    values[:, :2] = np.finfo("f4").min
    fields = {"data_type": 4, "reflectance_scale_factor": None, "data_ignore_value": declared}
    assert read_image(envi(tmp_path, counts, values.tobytes(), **fields)).counting == 90


@pytest.mark.parametrize("stored", [1, 10_000])
def test_a_border_mixed_with_fill_by_resampling(tmp_path, counts, stored):
    values = counts * (stored / 10_000)
    values[:, :1] = 0.9 * -9999 + 0.1 * values[:, :1]
    values[:2, 5, 5] = -0.6 * stored  # two bands of eight are noise
    with pytest.raises(InputError, match=r"most bands of 9 of 108 pixels: .* leave them out with mask=FILE"):
        read(tmp_path, values, scale=stored)
    scene = read(tmp_path, values, scale=stored, nodata="none")
    assert any("in most bands of 9 of 108 pixels taken as measured" in note for note in scene.read)
    values[:, :1] = np.nan
    assert read(tmp_path, values, scale=stored).counting == 99


def test_fill_that_a_calibration_made_another_number_in_each_band(tmp_path, counts):
    values = 0.02 + counts / 10_000
    values[:, :3, :2] = np.linspace(-0.01, 0.03, BANDS)[:, None, None]
    with pytest.raises(InputError, match="one and the same spectrum in 6 of 108") as no:
        read(tmp_path, values)
    told = no.value.for_command_line
    assert "Give --nodata border to leave these pixels out, or --nodata none if they were measured" in told
    assert read(tmp_path, values, nodata="border").counting == 102
    assert read(tmp_path, values, nodata="none").mask is None
    values[:, -1] = -9999
    assert read(tmp_path, values, nodata="-9999,border").counting == 93
    assert any("same spectrum in 6 pixels taken" in n for n in read(tmp_path, values, nodata=-9999).read)


def test_many_equal_pixels_are_no_border(tmp_path, counts):
    """As of a computed image without noise: nearly all is one mixture, and a patch is another."""
    values = counts / 10_000
    values[:, 2:, 2:] = values[:, 1:2, 1:2]
    values[:, 5:7, 5:7] = values[:, :1, :1]
    assert read(tmp_path, values).mask is None


def test_no_pixel_left(tmp_path, counts):
    values = counts / 10_000
    values[:, ::2], values[3, 1::2] = np.nan, np.nan
    scene = read(tmp_path, values)
    assert scene.kept.tolist() == [0, 1, 2, 4, 5, 6, 7]
    values[0, 1::2, ::2] = values[1, 1::2, 1::2] = np.nan
    with pytest.raises(InputError, match="every pixel lacks data"):
        read(tmp_path, values)
    with pytest.raises(InputError, match=r"8 of 8 bands hold no data \(NaN\) in any pixel"):
        read(tmp_path, np.full_like(values, np.nan))


# --------------------------------------------------------------------------- scale


@pytest.mark.parametrize(
    ("factor", "divisor"),
    [(1, 1), (1.5, 1), (10_000, 10_000), (3000, None), (100, None), (255, None), (1e-6, None), (1e9, None)],
)
def test_scale(tmp_path, counts, factor, divisor):
    factor, divisor = (0.4 * 10_000, 10_000) if factor == 3000 else (factor, divisor)  # a dark image
    values = counts * (factor / 10_000)
    if divisor is None:
        with pytest.raises(InputError, match="Give scale=NUMBER"):
            read(tmp_path, values)
        divisor = factor
        scene = read(tmp_path, values, scale=factor)
    else:
        scene = read(tmp_path, values)
    np.testing.assert_allclose(scene.Y, values / divisor, rtol=1e-5)


def test_full_counts_of_a_camera_are_no_ten_thousandths(tmp_path, counts):
    values = np.minimum(counts, 4095).astype(np.uint16)
    with pytest.raises(InputError, match="Give scale="):
        read(tmp_path, values, nodata="none")
    np.testing.assert_allclose(read(tmp_path, values, nodata="none", scale=4095).Y, values / 4095, rtol=1e-5)


@pytest.mark.parametrize(
    ("fields", "divisor"),
    [
        ({"data_units": "%"}, 100),
        ({"z_plot_titles": "{Wavelength, Reflectance (%)}"}, 100),
        ({"z_plot_titles": "{Wavelength, Reflectance}"}, None),
        ({"data_units": "%", "reflectance_scale_factor": 200}, 200),
        ({"description": "{clouds in 20 % of it}"}, None),
    ],
)
def test_percent_is_divided_by_100(tmp_path, counts, fields, divisor):
    fields = {"data_type": 4, "reflectance_scale_factor": None} | fields
    header = envi(tmp_path, counts, (counts / 100).astype("<f4").tobytes(), **fields)
    if divisor is None:
        with pytest.raises(InputError, match=r"nothing says what it is to be divided by. Give scale=NUMBER"):
            read_image(header)
    else:
        np.testing.assert_allclose(read_image(header).Y, counts / 100 / divisor, rtol=1e-6)


def test_percent_of_numbers_up_to_one_is_in_doubt(tmp_path, counts):
    fields = {"data_type": 4, "reflectance_scale_factor": None, "data_units": "percent"}
    header = envi(tmp_path, counts, (counts / 1e4).astype("<f4").tobytes(), **fields)
    with pytest.raises(InputError, match=r"percent of field\.hdr is 100, but .* Give scale=NUMBER"):
        read_image(header)
    np.testing.assert_allclose(read_image(header, scale=1).Y, counts / 1e4, rtol=1e-6)


@pytest.mark.parametrize(
    ("fields", "radiance"),
    [
        ({"data_units": "W/(m^2 sr nm)"}, True),
        ({"data_units": "uW/cm^2/nm/sr"}, True),
        ({"z_plot_titles": "{Wavelength, Radiance}"}, True),
        ({"description": "{Level 1B, at-sensor radiance}"}, True),
        ({"data_gain_values": "{" + "1e-4," * 8 + "}", "data_units": "W m-2 sr-1 um-1"}, True),
        ({"description": "{reflectance, from radiance by QUAC}"}, False),
        ({"description": "{from radiance}", "reflectance_scale_factor": 10000}, False),
    ],
)
def test_radiance_is_no_reflectance(tmp_path, counts, fields, radiance):
    header = envi(tmp_path, counts, **({"reflectance_scale_factor": None} | fields))
    if radiance:
        with pytest.raises(
            InputError, match=r"says that its numbers are radiance, .* or give scale=1 to unmix"
        ):
            read_image(header)
        gain = 1e-4 if "data_gain_values" in fields else 1
        np.testing.assert_allclose(read_image(header, scale=1).Y, counts * gain, rtol=1e-6)
    else:
        np.testing.assert_allclose(read_image(header).Y, counts / 1e4, rtol=1e-6)


@pytest.mark.parametrize("fields", [{"ceiling": 4095}, {"bit_depth": 12}, {"data_units": "DN"}])
def test_counts_by_the_header_are_no_ten_thousandths(tmp_path, counts, fields):
    header = envi(tmp_path, counts // 3, **({"reflectance_scale_factor": None} | fields))
    with pytest.raises(
        InputError, match=r"such as (4095, the full count that the file names|4095 for 12 bits);"
    ):
        read_image(header)
    np.testing.assert_allclose(read_image(header, scale=4095).Y, counts // 3 / 4095, rtol=1e-6)


def test_a_gain_that_is_meant_to_divide_by(tmp_path, counts):
    import h5py

    with h5py.File(tmp_path / "field.h5", "w") as file:
        file["cube"] = counts
        file["cube"].attrs["scale_factor"] = 10_000.0
    with pytest.raises(InputError, match="with the gains and offsets of array 'cube'") as no:
        read_image(tmp_path / "field.h5", layout="bhw")
    number = re.search("such as ([0-9]+), if the gain 10000 is meant to divide by", str(no.value))[1]
    scene = read_image(tmp_path / "field.h5", layout="bhw", scale=float(number))
    np.testing.assert_allclose(scene.Y, counts / 1e4, rtol=1e-6)


# --------------------------------------------------------------------------- wavelengths

NM = np.array([400.0, 900.0, 2500.0])


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        (NM, "Nanometers", NM),
        (NM / 1e3, "Micrometers", NM),
        (NM[::-1] / 1e3, "\u00b5m", NM[::-1]),
        (NM / 1e3, "microns", NM),
        (NM / 1e3, "\u03bcm", NM),
        (NM * 10, "Angstroms", NM),
        (NM * 10, "\u00c5", NM),
        (NM / 1e9, "m", NM),
        (NM / 1e6, "mm", NM),
        (1e7 / NM, "Wavenumber", NM),
        (1e7 / NM, "cm-1", NM),
        (299_792_458 / NM, "GHz", NM),
        (NM, None, NM),
        (NM / 1e3, "Unknown", NM),
        (NM / 1e3, "Nanometers", NM),  # cannot be
        (NM, "Micrometers", NM),  # cannot be
        ([1, 2, 3], "Index", None),
        ([1, 2, 3], "", None),
        ([0, 1, 2], "Unknown", None),
        ([0, 0, 0], "Nanometers", None),
        (NM * 10, "Unknown", None),  # Angstroms, or thermal nm?
        (NM, "electronvolts", None),
    ],
)
def test_wavelengths_in_any_unit(tmp_path, values, unit, expected):
    found, note = in_nm(tmp_path, values, unit)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert note


@pytest.mark.parametrize("values", [[400, np.nan, 500], [400, -1, 500], [400, 0, 500], ["400", "x", "500"]])
def test_what_is_no_wavelength(tmp_path, values):
    with pytest.raises(InputError, match="correct or remove"):
        in_nm(tmp_path, values, "nm")


# --------------------------------------------------------------------------- ENVI


FIELDS = {
    "samples": WIDTH,
    "lines": HEIGHT,
    "bands": BANDS,
    "data type": 3,
    "interleave": "bsq",
    "byte order": 0,
}


def envi(folder, counts, content=None, **fields):
    held = {
        **FIELDS,
        "reflectance scale factor": 10000,
        **{k.replace("_", " "): v for k, v in fields.items()},
    }
    lines = [f"{name} = {value}" for name, value in held.items() if value is not None]
    (folder / "field.hdr").write_text("ENVI\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / "field.img").write_bytes(counts.astype("<i4").tobytes() if content is None else content)
    return folder / "field.hdr"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"data_type": 2},
            r"field\.img: holds 3456 bytes, but field\.hdr says 1728: .* data type = 3 would fit",
        ),
        ({"bands": 4}, "holds 3456 bytes, but .* says 1728: .* bands = 8 would fit"),
        ({"lines": 13}, "lines = 12 would fit"),
        ({"header_offset": 128}, "says 3584"),
        ({"samples": None}, "samples is missing, expected a whole number"),
        ({"samples": "9.5"}, r"samples is '9\.5', expected a whole number"),
        ({"bands": 0}, "bands is '0'"),
        ({"data_type": 6}, "these are complex"),
        ({"data_type": 7}, "data type is '7', expected one of 1, 2, 3"),
        ({"interleave": "bsp"}, "interleave is 'bsp', expected one of bsq, bil, bip"),
        ({"byte_order": 2}, "byte order is '2', expected 0"),
        ({"byte_order": None}, "byte order is missing"),
        ({"file_type": "ENVI Spectral Library"}, "is a spectral library"),
        ({"file_type": "TIFF"}, r"file type is 'TIFF', but field\.img does not begin as"),
        ({"file_type": "Virtual Mosaic"}, "expected ENVI Standard"),
        ({"file_compression": 1}, "file compression is '1'"),
        ({"major_frame_offsets": "{4, 4}"}, "convert the image to one without frames"),
        ({"bbl": "{1, 0, 1}"}, "bbl has 3 values for 8 bands"),
        ({"bbl": "{" + "0," * 8 + "}"}, "calls 0 of 8 bands good"),
        ({"bbl": "{" + "2," * 8 + "}"}, "expected 0 or 1 for each band"),
        ({"wavelength": "{400, 500}"}, "wavelength has 2 values for 8 bands"),
        ({"wavelength": "{400, 500"}, "wavelength: its brace is not closed"),
        ({"wavelength": "{" + "400 nm," * 8 + "}"}, "wavelength: value 1 is '400 nm', expected a number"),
        ({"data_gain_values": "{1e-4}"}, "data gain values has 1 values for 8 bands"),
        ({"data_gain_values": "{" + "0," * 8 + "}"}, "gain of band 1 is 0"),
        ({"data_gain_values": "{" + "2e-4," * 8 + "}"}, "which one makes reflectance"),
        (
            {"data_gain_values": "{" + "0.01," * 8 + "}"},
            "scale=1 for the gains alone, scale=10000 for both",
        ),
        ({"data_ignore_value": "none"}, "expected a number"),
        ({"reflectance_scale_factor": 1}, "quotient 9e.03 is no reflectance"),
        ({"reflectance_scale_factor": 0}, "expected a number above zero"),
        ({"reflectance_scale_factor": "1e9"}, "is no reflectance. Give scale="),
    ],
)
def test_headers_that_are_wrong(tmp_path, counts, fields, message):
    counts = np.clip(counts, 0, 9000)
    counts[0, 0, :3] = 9000
    with pytest.raises(InputError, match=message) as refusal:
        read_image(envi(tmp_path, counts, **fields))
    assert "field." in str(refusal.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"samples": f"{{{WIDTH}}}", "interleave": "{ BSQ }"},
        {"reflectance_scale_factor": None, "data_gain_values": "{" + "1e-4," * 8 + "}"},
        {"data_gain_values": "{" + "1e-4," * 8 + "}"},  # the same said twice
        {"data_gain_values": "{" + "1," * 8 + "}", "data_offset_values": "{" + "0 " * 8 + "}"},
        {"reflectance_scale_factor": None},
        {"file_type": "ENVI  standard", "header_offset": "0"},
        {"bbl": "{" + "1.0, " * 8 + "}"},
        {"description": "{samples = 3,\n lines = 4}"},
        {"data_ignore_value": "-9999.0"},
        {"data_ignore_value": "nan"},
    ],
)
def test_headers_that_are_right(tmp_path, counts, fields):
    np.testing.assert_allclose(read_image(envi(tmp_path, counts, **fields)).Y, counts / 1e4, rtol=1e-6)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_headers_as_other_programs_write_them(tmp_path, counts, encoding):
    """A brace on the next line, lines for blanks in names, and every kind of Unicode."""
    header = envi(
        tmp_path,
        counts,
        bbl="\n\n  {1, 1, 0, 1,\n 1, 1, 1, 1}",
        wavelength="\n{" + ", ".join(map(str, range(400, 1200, 100))) + "}",
        reflectance_scale_factor=None,
    )
    text = header.read_text() + "data_gain_values =\n{" + "2e-4, " * 8 + "}\n"
    header.write_bytes(text.encode(encoding))
    scene = read_image(header)
    kept = [0, 1, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(scene.kept, kept)
    np.testing.assert_allclose(scene.Y, counts[kept] * 2e-4, rtol=1e-6)
    np.testing.assert_array_equal(scene.wavelengths, np.arange(400, 1200, 100)[kept])


@pytest.mark.parametrize("line", ["reflectance scale factor: 5000", "Data_Ignore_Value -9999"])
def test_a_line_that_is_nearly_a_field_is_refused(tmp_path, counts, line):
    header = envi(tmp_path, counts)
    header.write_text(header.read_text() + line + "\n")
    with pytest.raises(InputError, match=r"is no field, expected '(reflectance scale|data ignore)"):
        read_image(header)


def test_other_files_beside_an_envi_header(tmp_path, counts):
    import h5py
    import tifffile

    values = counts.astype(np.int16)
    tifffile.imwrite(tmp_path / "field.img", values, planarconfig="separate", photometric="minisblack")
    tiff = (tmp_path / "field.img").read_bytes()
    with h5py.File(tmp_path / "cube.h5", "w") as file:
        file["cube"] = values  # the header says which axis holds the bands
    hdf5 = (tmp_path / "cube.h5").read_bytes()
    for content in (tiff, hdf5):
        told = {"data_type": 2, "file_type": "TIFF", "interleave": "tif"}
        scene = read_image(envi(tmp_path, counts, content, **told))
        np.testing.assert_allclose(scene.Y, counts / 1e4, rtol=1e-6)
        for wrong, said in (({"bands": 7}, "(7, 12, 9, int16)"), ({"data_type": 3}, "(8, 12, 9, int32)")):
            with pytest.raises(InputError, match=re.escape(f"(8, 12, 9, int16), but field.hdr says {said}")):
                read_image(envi(tmp_path, counts, content, **(told | wrong)))
    with pytest.raises(InputError, match="it begins as a gzip file does"):
        read_image(envi(tmp_path, counts, gzip.compress(counts.tobytes())))
    with pytest.raises(InputError, match="cannot be read as such"):
        read_image(envi(tmp_path, counts, tiff[:900]))
    raw = counts.copy()
    raw[0, 0, 0] = 0x002A4949  # raw numbers that begin as a TIFF
    scene = read_image(envi(tmp_path, raw), scale=10_000)
    np.testing.assert_allclose(scene.Y[1:], counts[1:] / 1e4, rtol=1e-6)


def test_a_header_of_another_file_is_left_alone(tmp_path, counts):
    import tifffile

    header = envi(tmp_path, counts, data_gain_values="{" + "2e-4," * 8 + "}", reflectance_scale_factor=None)
    tiff = {"planarconfig": "separate", "photometric": "minisblack"}
    tifffile.imwrite(tmp_path / "field.tif", (counts / 2).astype("i4"), **tiff)
    scene = read_image(tmp_path / "field.tif", scale=5000)
    np.testing.assert_allclose(scene.Y, counts // 2 / 5e3, rtol=1e-6)
    assert "field.hdr is of field.img" in scene.read
    np.testing.assert_allclose(read_image(header).Y, counts / 5e3, rtol=1e-6)
    (tmp_path / "field.img").unlink()
    np.testing.assert_allclose(read_image(tmp_path / "field.tif").Y, counts // 2 / 5e3, rtol=1e-6)


def test_a_header_and_its_file_do_not_contradict_each_other(tmp_path, counts):
    import h5py

    with h5py.File(tmp_path / "field.h5", "w") as file:
        file["cube"] = counts
        file["cube"].attrs["scale_factor"] = 1e-4
    told = {"file_type": "HDF5", "reflectance_scale_factor": None}
    content = (tmp_path / "field.h5").read_bytes()
    header = envi(tmp_path, counts, content, **told, data_gain_values="{" + "2e-4," * 8 + "}")
    with pytest.raises(
        InputError, match=r"its gains \(0\.0002\) are not those of the file .* \(0\.0001\): remove"
    ):
        read_image(tmp_path / "field.img")
    header.unlink()
    np.testing.assert_allclose(read_image(tmp_path / "field.img", layout="bhw").Y, counts / 1e4, rtol=1e-6)


def test_links(tmp_path, counts):
    (tmp_path / "held").mkdir()
    (tmp_path / "links").mkdir()
    header = envi(tmp_path / "held", counts)
    for link, target in (("field.hdr", header), ("run.hdr", header), ("one.img", header.with_suffix(".img"))):
        (tmp_path / "links" / link).symlink_to(target)
        np.testing.assert_allclose(read_image(tmp_path / "links" / link).Y, counts / 1e4, rtol=1e-6)


def test_which_image_a_header_is_of(tmp_path, counts):
    header = envi(tmp_path, counts)
    (tmp_path / "field.dat").write_bytes(b"something else")
    np.testing.assert_allclose(read_image(header).Y, counts / 1e4, rtol=1e-6)  # the one that fits
    (tmp_path / "field.dat").write_bytes((tmp_path / "field.img").read_bytes())
    with pytest.raises(InputError, match=r"which is its image, field\.dat, field\.img\? Give that file"):
        read_image(header)
    assert read_image(tmp_path / "field.dat").bands == BANDS
    header.rename(tmp_path / "field.img.HDR")
    assert read_image(tmp_path / "field.img").bands == BANDS
    assert read_image(tmp_path / "field.img.HDR").bands == BANDS


def test_gains_and_offsets_are_applied(tmp_path, counts):
    gains, offsets = np.linspace(5e-5, 1e-4, BANDS), np.linspace(-0.05, 0.05, BANDS)
    told = {"data_gain_values": gains.tolist(), "data_offset_values": offsets.tolist()}
    told = {name: str(values).replace("[", "{").replace("]", "}") for name, values in told.items()}
    scene = read_image(envi(tmp_path, counts, reflectance_scale_factor=None, **told))
    expected = counts * gains[:, None, None] + offsets[:, None, None]
    np.testing.assert_allclose(scene.Y, expected, rtol=1e-5)
    assert "gains and offsets of field.hdr applied" in scene.read
    both = read_image(envi(tmp_path, counts, **told), scale=1)
    np.testing.assert_allclose(both.Y, expected, rtol=1e-5)


@pytest.mark.parametrize("told", ["<", ">"])
@pytest.mark.parametrize("held", ["<", ">"])
def test_byte_order(tmp_path, told, held):
    x = np.linspace(0, 1, BANDS)[:, None, None]
    smooth = 3000 + 2500 * np.sin(x + np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) / 20)
    content = smooth.astype(f"{held}i2").tobytes()
    fields = {"data_type": 2, "byte_order": int(told == ">")}
    header = envi(tmp_path, smooth, content, **fields)
    if told == held:
        np.testing.assert_allclose(read_image(header).Y, smooth.astype(int) / 1e4, rtol=1e-6)
    else:
        expected = f"byte order is '{int(told == '>')}', expected {int(held == '>')}: only so"
        with pytest.raises(InputError, match=expected):
            read_image(header)


@pytest.mark.parametrize("told", [0, 1])
@pytest.mark.parametrize("held", "<>")
@pytest.mark.parametrize("code", ["f4", "f8"])
def test_byte_order_of_real_numbers(tmp_path, counts, told, held, code):
    values = counts / 10_000 * 0.9
    values[:, :8] = np.nan
    content = values.astype(held + code).tobytes()
    fields = {"data_type": int(code[1]) // 4 + 3, "byte_order": told, "reflectance_scale_factor": None}
    header = envi(tmp_path, counts, content, **fields)
    if told == "<>".index(held):
        assert read_image(header).counting == 36
    else:
        with pytest.raises(
            InputError, match=f"expected {1 - told}: only so are its numbers of ordinary size"
        ):
            read_image(header)


def smooth(bands, height, width):
    """Ten-thousandths of smooth spectra in a smooth image."""
    b, y, x = np.indices((bands, height, width)) / np.array([bands, height, width])[:, None, None, None]
    return np.round(1e4 * (0.3 + 0.2 * np.sin(3 * b + 2 * y) + 0.1 * np.cos(4 * x + 5 * b * y)))


@pytest.mark.parametrize(("held", "told", "code"), [("u2", "i2", 2), ("i2", "u2", 12), ("u2", "u2", 12)])
def test_numbers_with_and_without_a_sign(tmp_path, held, told, code):
    values = smooth(12, 10, 9)
    values = values * 6 if held == "u2" else values - 3000  # beyond 32767, or below zero
    fields = {"bands": 12, "lines": 10, "data_type": code, "reflectance_scale_factor": None}
    header = envi(tmp_path, values, values.astype(f"<{held}").tobytes(), **fields)
    if held == told:
        np.testing.assert_allclose(read_image(header, scale=60_000).Y, values / 6e4, rtol=1e-5)
    else:
        with pytest.raises(
            InputError, match=f"data type is '{code}', expected {14 - code}: only so do its spec"
        ):
            read_image(header)


AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}


@pytest.mark.parametrize("told", AXES)
@pytest.mark.parametrize("held", AXES)
def test_interleave(tmp_path, held, told):
    """What it is by the header, unless only another makes an image of it; the remedies are run as printed."""
    values = smooth(40, 31, 18)
    content = np.ascontiguousarray(values.transpose(AXES[held])).astype("<f4").tobytes()
    fields = {"bands": 40, "lines": 31, "samples": 18, "data_type": 4, "interleave": told}
    header = envi(tmp_path, values, content, **fields)
    if held != told:
        with pytest.raises(InputError, match=f"interleave is '{told}', expected {held}: only so are") as no:
            read_image(header)
        right, as_told = re.findall(r"layout='(\w+)'", str(no.value))
        np.testing.assert_allclose(read_image(header, layout=right).Y, values / 1e4, rtol=1e-6)
        assert f"ENVI image read as {told} ({as_told}), as asked" in read_image(header, layout=as_told).read
        header.write_text(header.read_text().replace(f"interleave = {told}", f"interleave = {held}"))
    np.testing.assert_allclose(read_image(header).Y, values / 1e4, rtol=1e-6)
    with pytest.raises(
        InputError, match=r"layout=: 'b\(hw\)' is none of an ENVI image, which are bhw \(bsq\), "
    ):
        read_image(header, layout="b(hw)")


@pytest.mark.parametrize("told", AXES)
@pytest.mark.parametrize("held", AXES)
def test_interleave_of_an_image_without_any_neighbours(tmp_path, held, told):
    """Pixels in no order, as of a made scene: the spectra alone tell."""
    x, rng = np.linspace(0, 1, 24)[:, None], np.random.default_rng(0)
    E = 0.15 + 0.6 * np.exp(-(((x - [0.15, 0.5, 0.85]) / 0.2) ** 2))
    values = 1e4 * np.einsum("bp,hwp->bhw", E, rng.dirichlet(np.full(3, 0.7), (14, 11)))
    content = np.ascontiguousarray(values.transpose(AXES[held])).astype("<f4").tobytes()
    fields = {"bands": 24, "lines": 14, "samples": 11, "data_type": 4, "interleave": told}
    header = envi(tmp_path, values, content, **fields)
    if held == told:
        np.testing.assert_allclose(read_image(header).Y, values / 1e4, rtol=1e-6)
    else:
        with pytest.raises(InputError, match=f"expected {held}: only so are its spectra smooth"):
            read_image(header)


@pytest.mark.parametrize("interleave", AXES)
def test_maps_that_have_nothing_to_do_with_each_other(tmp_path, interleave):
    """As principal components: smooth in space, and in no way from band to band."""
    rng = np.random.default_rng(1)
    maps = np.cumsum(np.cumsum(rng.standard_normal((20, 30, 25)), axis=1), axis=2)
    values = 5000 + 4000 * maps / np.abs(maps).max(axis=(1, 2), keepdims=True)
    content = np.ascontiguousarray(values.transpose(AXES[interleave])).astype("<f4").tobytes()
    fields = {"bands": 20, "lines": 30, "samples": 25, "data_type": 4, "interleave": interleave}
    np.testing.assert_allclose(
        read_image(envi(tmp_path, values, content, **fields)).Y, values / 1e4, rtol=1e-6
    )


@pytest.mark.parametrize("interleave", AXES)
def test_few_bands_need_not_be_smooth(tmp_path, interleave):
    """As of a multispectral image, flat but for noise."""
    values = np.array([500, 800, 600, 3000, 2500, 1500, 900, 4000])[:, None, None] + smooth(8, 30, 30) / 100
    content = np.ascontiguousarray(values.transpose(AXES[interleave])).astype("<f4").tobytes()
    fields = {"bands": 8, "lines": 30, "samples": 30, "data_type": 4, "interleave": interleave}
    assert read_image(envi(tmp_path, values, content, **fields)).bands == 8


def test_bytes_too_many_may_be_before_or_after_the_numbers(tmp_path, counts):
    content = counts.astype("<i4").tobytes()
    header = envi(tmp_path, counts, content + bytes(100))
    with pytest.raises(InputError) as no:
        read_image(header)
    assert "100 bytes too many, before the numbers (header offset = 100) or after them" in str(no.value)
    size = int(re.search(r"cut the file to (\d+) bytes", str(no.value))[1])
    os.truncate(tmp_path / "field.img", size)
    np.testing.assert_allclose(read_image(header).Y, counts / 1e4, rtol=1e-6)
    header = envi(tmp_path, counts, bytes(100) + content, header_offset=100)
    np.testing.assert_allclose(read_image(header).Y, counts / 1e4, rtol=1e-6)
    with pytest.raises(InputError, match="header offset = 28 would fit, or the file was cut short"):
        read_image(envi(tmp_path, counts, bytes(28) + content, header_offset=100))


def test_where_an_image_lies(tmp_path, counts):
    place = "{UTM, 1.5, 1.5, 600000, 5300000, 30, 20, 32, North, WGS-84, units=Meters}"
    scene = read_image(envi(tmp_path, counts, map_info=place))
    assert scene.georeference["transform"] == (30, 0, 600000 - 15, 0, -20, 5300000 + 10)
    assert scene.georeference["map info"] == place.strip("{}")
    moved = scene.crop(2, 1, 3, 3).georeference
    assert moved == {"transform": (30, 0, 600000 + 15, 0, -20, 5300000 - 30)}
