"""VCA and SiVM: pure pixels found exactly, both branches of VCA, noise, borders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import pure_pixel_scene

from hsu_lib import alignment
from hsu_lib.extraction import sivm, vca
from hsu_lib.noise import add_noise


@pytest.mark.parametrize("endmembers", [2, 3, 5])
@pytest.mark.parametrize("snr_db", [None, 0.0, 60.0])
def test_vca_finds_the_pure_pixels(endmembers, snr_db):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=endmembers)
    found = vca(scene.pixels, endmembers, seed=1, snr_db=snr_db)  # 0 dB forces the other projection
    assert set(found.indices) == set(range(endmembers))
    np.testing.assert_allclose(found.E, scene.pixels[:, found.indices], atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_sivm_finds_the_pure_pixels(seed, endmembers):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=endmembers, seed=seed)
    found = sivm(scene.pixels, endmembers)
    if endmembers > 1:
        assert set(found.indices) == set(range(endmembers))
    np.testing.assert_array_equal(found.E, scene.pixels[:, found.indices].astype(float))


def test_sivm_takes_the_largest_simplex_greedily():
    rng = np.random.default_rng(0)
    Y = rng.random((4, 60))
    chosen = list(sivm(Y, 4).indices)

    def volume(indices):  # Gram determinant of the edges
        edges = Y[:, indices[1:]] - Y[:, indices[:1]]
        return np.linalg.det(edges.T @ edges)

    for k in range(1, 4):
        rivals = [volume([*chosen[:k], j]) for j in range(60) if j not in chosen[:k]]
        assert volume(chosen[: k + 1]) == pytest.approx(max(rivals))


@pytest.mark.parametrize("snr_db", [20, 40])
def test_noise_moves_the_endmembers_only_a_little(snr_db):
    scene = pure_pixel_scene(19, 23, bands=60, endmembers=3)
    noisy = add_noise(scene.pixels, snr_db, 0)
    limit = np.deg2rad({20: 8.0, 40: 1.5}[snr_db])

    def worst(found):
        return alignment.spectral_angle(found.E[:, alignment.align(found.E, scene.E)], scene.E).max()

    assert worst(sivm(noisy, 3)) < limit
    # a direction at right angles to an edge lets noise choose any pixel of that edge: rare, and VCA's own
    assert np.median([worst(vca(noisy, 3, seed=seed)) for seed in range(9)]) < limit


def test_vca_projection_removes_noise():
    scene = pure_pixel_scene(19, 23, bands=60, endmembers=3)
    noisy = add_noise(scene.pixels, 20, 0)
    found = vca(noisy, 3, seed=0)
    clean = scene.pixels[:, found.indices]
    assert np.linalg.norm(found.E - clean) < 0.6 * np.linalg.norm(noisy[:, found.indices] - clean)


def test_vca_follows_its_seed_and_only_its_seed():
    rng = np.random.default_rng(0)
    Y = rng.random((20, 300))
    np.random.seed(1)  # noqa: NPY002 (the global generator must not matter)
    one = vca(Y, 5, seed=3)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(one.indices, vca(Y, 5, seed=3).indices)
    assert len({tuple(sorted(vca(Y, 5, seed=s).indices)) for s in range(10)}) > 1


@pytest.mark.parametrize("pick", [sivm, lambda Y, p: vca(Y, p, seed=0)])
@pytest.mark.parametrize(
    ("Y", "endmembers", "message"),
    [
        (np.ones((4, 9)), 5, "expected 1 to 4"),
        (np.ones((9, 4)), 5, "expected 1 to 4"),
        (np.ones((4, 9)), 0, "expected 1 to 4"),
        (np.full((4, 9), np.nan), 2, "NaN"),
        (np.ones((4, 3, 3)), 2, "matrix"),
    ],
)
def test_what_cannot_be_picked_is_refused(pick, Y, endmembers, message):
    with pytest.raises(ValueError, match=message):
        pick(Y, endmembers)


@pytest.mark.parametrize("pick", [sivm, lambda Y, p: vca(Y, p, seed=0)])
def test_degenerate_images_give_finite_endmembers(pick):
    for Y in (np.ones((4, 9)), np.zeros((4, 9)), np.outer(np.arange(4.0), np.ones(9))):
        found = pick(Y, 3)
        assert np.isfinite(found.E).all()
        assert len(found.indices) == 3
