"""Large images in blocks: the same result in bounded memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from toys import pure_pixel_scene

from hsu_lib.methods import get
from hsu_lib.methods.blocks import unmix_in_blocks
from hsu_lib.scenes import open_image, read_image


@pytest.fixture
def stored(tmp_path):
    """An integer ``.npy`` (bands, height, width) with a border of fill, and the endmembers of the image."""
    scene = pure_pixel_scene(height=40, width=11)
    counts = np.round(scene.Y * 1e4).astype(np.int16)
    counts[:, :3] = counts[:, 20, 4:7] = -9999
    np.save(tmp_path / "field.npy", counts)
    return tmp_path / "field.npy", scene.E


def test_blocks_are_the_image(stored):
    path, _ = stored
    whole, image = read_image(path, layout="bhw", nodata=-9999), open_image(path, layout="bhw", nodata=-9999)
    assert isinstance(image.values.base, np.memmap) or isinstance(image.values, np.memmap)
    parts = list(image.blocks(12 * 11 * 2))
    assert [rows.start for rows, _ in parts] == list(range(2, 40, 2))  # none where no pixel counts
    for rows, scene in parts:
        np.testing.assert_array_equal(scene.Y, whole.Y[:, rows])
    np.testing.assert_array_equal(image.scene().Y, whole.Y)


def test_fclsu_in_blocks_is_fclsu(stored):
    path, E = stored
    image = open_image(path, layout="bhw", nodata=-9999)
    result = unmix_in_blocks(get("fclsu"), image, E)
    whole = get("fclsu").unmix(replace(image.scene(), E=E))
    np.testing.assert_allclose(result.A, whole.A, atol=1e-6)
    assert result.status is whole.status
    np.testing.assert_array_equal(result.mask, image.mask)
    with pytest.raises(ValueError, match="vca-fclsu cannot work in blocks"):
        unmix_in_blocks(get("vca-fclsu"), image, E)


def test_memory_is_that_of_a_block(tmp_path):
    bands, height, width = 100, 600, 500
    counts = np.random.default_rng(0).integers(500, 9000, (bands, height, width), dtype=np.int16)
    np.save(tmp_path / "field.npy", counts)
    E, size = pure_pixel_scene(bands=bands).E, counts.nbytes
    del counts
    tracemalloc.start()
    try:
        image = open_image(tmp_path / "field.npy", layout="bhw")
        result = unmix_in_blocks(get("fclsu"), image, E)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.A.shape == (3, height, width)
    assert peak < 1.5 * size  # 60 MB; twice that as float32
