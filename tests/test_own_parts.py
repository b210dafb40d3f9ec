"""A part of an image: it reads as a file that holds no more than the part, whatever else the file holds."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from hsu_lib.errors import InputError
from hsu_lib.scenes.own.image import open_part
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.reading import Reading
from hsu_lib.scenes.own.selection import Selection

BANDS, HEIGHT, WIDTH = 9, 12, 10
TOP, LEFT, ROWS, COLUMNS = CROP = (3, 2, 7, 6)
WINDOW = (slice(TOP, TOP + ROWS), slice(LEFT, LEFT + COLUMNS))
BHW = Reading(layout="bhw")


def write_envi(stem, counts, *, waves, good, gains):
    """Ten-thousandths with a declared fill value."""

    def listed(values):
        return "{" + ", ".join(f"{value:.8g}" for value in values) + "}"

    stem.with_suffix(".img").write_bytes(np.ascontiguousarray(counts).tobytes())
    stem.with_suffix(".hdr").write_text(
        f"ENVI\nsamples = {counts.shape[2]}\nlines = {counts.shape[1]}\nbands = {len(counts)}\n"
        f"data type = 2\ninterleave = bsq\nbyte order = 0\nwavelength units = nm\ndata ignore value = -1\n"
        f"wavelength = {listed(waves)}\nbbl = {listed(good)}\ndata gain values = {listed(gains)}\n"
    )
    return stem.with_suffix(".hdr")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_part_reads_as_a_file_of_it(tmp_path_factory, data):
    """Outside of it, anything: other fill values, constants, gains and wavelengths that are none."""
    folder = tmp_path_factory.mktemp("part")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    slopes = np.linspace(-0.3, 0.3, BANDS)[:, None, None] * rng.uniform(0, 1, (HEIGHT, WIDTH))
    inside = np.round(1e4 * (slopes + rng.uniform(0.4, 0.6, (HEIGHT, WIDTH)))).astype("<i2")
    inside[:, 5, 4:6] = -1  # declared, in the window
    crop = data.draw(st.sampled_from([None, CROP]))
    window = (slice(None), slice(None)) if crop is None else WINDOW
    dropped = data.draw(st.sets(st.integers(0, BANDS - 1), max_size=BANDS - 3))
    mask = np.ones((HEIGHT, WIDTH), dtype=bool)
    if data.draw(st.booleans()):
        mask[4, 3:7] = mask[8, 2] = False
    used = np.array([band for band in range(BANDS) if band not in dropped])
    anything = data.draw(st.sampled_from([-9999, -32768, 0, 32767]))
    whole = np.full_like(inside, anything)
    whole[np.ix_(used, *(np.arange(n)[part] for n, part in zip((HEIGHT, WIDTH), window, strict=True)))] = (
        inside[used][:, *window]
    )
    whole[:, ~mask] = anything
    waves, good, gains = np.linspace(400, 900, BANDS), np.ones(BANDS), np.full(BANDS, 1e-4)
    good[data.draw(st.sampled_from([0, BANDS - 1]))] = data.draw(st.integers(0, 1))
    lost = sorted(dropped)
    their_waves, their_gains = waves.copy(), gains.copy()
    their_waves[lost], their_gains[lost] = data.draw(st.sampled_from([0, -1, 500])), -1
    if (good[used] > 0).sum() < 2:
        return
    path = write_envi(folder / "whole", whole, waves=their_waves, good=good, gains=their_gains)
    part = inside[used][:, *window].copy()
    part[:, ~mask[window]] = -1
    alone = write_envi(folder / "alone", part, waves=waves[used], good=good[used], gains=gains[used])
    words = ",".join(str(band + 1) for band in lost) or None
    given_mask = None
    if not mask.all():
        given_mask = folder / "mask.npy"
        np.save(given_mask, mask[window] if crop is not None and data.draw(st.booleans()) else mask)
    found = open_part(path, selection=Selection(drop_bands=words, crop=crop, mask=given_mask))
    expected = open_part(alone).scene()
    scene = found.scene()
    np.testing.assert_array_equal(scene.Y, expected.Y)
    np.testing.assert_array_equal(scene.mask, expected.mask)
    np.testing.assert_array_equal(scene.wavelengths, expected.wavelengths)
    np.testing.assert_array_equal(found.kept, used[open_part(alone).kept])
    assert isinstance(found.values.base, np.memmap), "a part of a large image is not copied"


@pytest.fixture
def counts():
    return np.round(1e4 * np.random.default_rng(3).uniform(0.1, 0.9, (BANDS, HEIGHT, WIDTH))).astype(np.int16)


def opened(path, **part) -> OwnImage:
    return open_part(path, BHW, Selection(**part))


def test_fill_beside_the_window_is_not_asked_about(tmp_path, counts):
    counts[:, :TOP] = -9999
    np.save(tmp_path / "field.npy", counts)
    with pytest.raises(InputError, match="-9999 in 30 of 120"):
        opened(tmp_path / "field.npy")
    image = opened(tmp_path / "field.npy", crop=CROP)
    assert image.mask is None
    assert image.suspects == ()
    with pytest.raises(InputError, match="-9999 in 6 of 42"):  # one row of it is inside
        opened(tmp_path / "field.npy", crop=(TOP - 1, LEFT, ROWS, COLUMNS))
    told = open_part(tmp_path / "field.npy", Reading(layout="bhw", nodata=-9999), Selection(crop=CROP))
    np.testing.assert_array_equal(told.scene().Y, image.scene().Y)


def test_the_mask_of_a_file_is_cut_with_it(tmp_path, counts):
    outside = np.zeros((HEIGHT, WIDTH), dtype=bool)
    outside[4, 3] = outside[0, 0] = True
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            tmp_path / "field.tif",
            "w",
            driver="GTiff",
            dtype="int16",
            count=BANDS,
            height=HEIGHT,
            width=WIDTH,
        ) as tif,
    ):
        tif.write(counts)
        tif.write_mask(~outside)
    image = open_part(tmp_path / "field.tif", selection=Selection(crop=CROP))
    np.testing.assert_array_equal(~image.mask, outside[WINDOW])
    assert "1 of 42 pixels are outside the mask of the file" in image.notes
    mask = np.ones((ROWS, COLUMNS), dtype=bool)
    mask[0, 0] = False
    np.save(tmp_path / "mask.npy", mask)
    both = open_part(tmp_path / "field.tif", selection=Selection(crop=CROP, mask=tmp_path / "mask.npy"))
    np.testing.assert_array_equal(both.mask, mask & ~outside[WINDOW])
    assert "mask.npy leaves out 1 of 42 pixels, as asked" in both.notes


def test_what_a_mask_leaves_out_is_counted_apart(tmp_path, counts):
    counts = counts.astype(np.float32) / 1e4
    counts[:, 6, 6] = np.nan
    counts[:, 0] = np.nan
    np.save(tmp_path / "field.npy", counts)
    np.save(tmp_path / "mask.npy", np.arange(HEIGHT)[:, None] > np.zeros(WIDTH))
    notes = opened(tmp_path / "field.npy", mask=tmp_path / "mask.npy").notes
    assert "mask.npy leaves out 10 of 120 pixels, as asked" in notes
    assert "1 of 120 pixels masked, without data (NaN)" in notes


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"crop": (3, 2, 10, 6)}, "10 x 6 pixels at row 3, column 2 do not lie in it"),
        ({"crop": (-1, 0, 3, 3)}, "do not lie in it"),
        ({"crop": (0, 0, 0, 3)}, "do not lie in it"),
        ({"bands": "4"}, "leave 1 of its 9 bands; at least 2 are needed"),
        ({"bands": "1-3", "drop_bands": "2-9"}, "leave 1 of its 9 bands"),
        ({"bands": "400-500nm"}, "has no wavelengths"),
        ({"mask": "other.npy"}, "a mask of 6 x 7 for an image of 12 x 10 pixels"),
        ({"mask": "other.npy", "crop": CROP}, "for an image of 12 x 10 or 7 x 6 pixels .*may be turned"),
        ({"mask": "beside.npy", "crop": CROP}, "leaves no pixel"),
    ],
)
def test_parts_that_are_none(tmp_path, counts, part, told):
    np.save(tmp_path / "field.npy", counts)
    np.save(tmp_path / "other.npy", np.ones((COLUMNS, ROWS)))
    beside = np.ones((HEIGHT, WIDTH))
    beside[WINDOW] = 0
    np.save(tmp_path / "beside.npy", beside)
    part = {key: tmp_path / value if key == "mask" else value for key, value in part.items()}
    with pytest.raises(InputError, match=told):
        opened(tmp_path / "field.npy", **part)


def test_no_good_band_is_left(tmp_path, counts):
    good = np.array([1, 1, 0, 0, 0, 0, 0, 0, 1])
    path = write_envi(
        tmp_path / "field", counts, waves=np.linspace(400, 900, BANDS), good=good, gains=np.full(BANDS, 1e-4)
    )
    with pytest.raises(InputError, match=r"field.hdr calls 1 of the 7 bands that are asked for good"):
        open_part(path, selection=Selection(bands="2-8"))


def test_bands_of_one_constant_do_not_decide_the_byte_order(tmp_path, counts):
    """Every other band holds fill, so that spectra are rough, and no rougher in the right order."""
    smooth = np.sort(counts, axis=0)
    smooth[::2] = -9999
    path = write_envi(
        tmp_path / "field",
        smooth,
        waves=np.linspace(400, 900, BANDS),
        good=np.ones(BANDS),
        gains=np.full(BANDS, 1e-4),
    )
    image = open_part(path)
    np.testing.assert_array_equal(image.kept, np.arange(1, BANDS, 2))
