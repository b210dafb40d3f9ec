"""N-FINDR and the pixel purity index: largest simplices, hulls, counts that are known, real scenes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes_helpers import real
from scipy.spatial import ConvexHull
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.scene import Scene, Status
from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers.pure_pixels import nfindr, ppi, purity
from hsu_lib.solvers.simplex import exchanged, hull_vertices
from hsu_lib.solvers.subspace import principal_subspace


def volume(X, indices):
    return abs(np.linalg.det(np.vstack([X[:, list(indices)], np.ones(len(indices))])))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_nfindr_finds_the_pure_pixels_from_any_start(seed, endmembers):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=endmembers, seed=seed)
    for restarts in (0, 1):
        found = nfindr(scene.pixels, endmembers, seed=seed, restarts=restarts)
        assert found.indices.tolist() == list(range(endmembers))
        assert found.search.converged
        np.testing.assert_array_equal(found.E, scene.pixels[:, :endmembers].astype(float))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_no_single_exchange_grows_the_simplex_and_it_never_shrank(seed, dimensions):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((dimensions, 40))
    start = rng.choice(40, dimensions + 1, replace=False)
    found = exchanged(X, start)
    largest = volume(X, found.indices)
    assert (np.diff(found.log_volumes) >= 0).all()
    np.testing.assert_allclose(np.exp(found.log_volumes[[0, -1]]), [volume(X, start), largest], rtol=1e-9)
    for k, other in itertools.product(range(dimensions + 1), range(40)):
        rival = found.indices.copy()
        rival[k] = other
        assert volume(X, rival) <= largest * (1 + 1e-9)


def test_enough_starts_find_the_largest_of_all_simplices():
    Y = np.random.default_rng(3).standard_normal((5, 14))
    X = principal_subspace(Y, 3).coordinates(Y)
    best = max(itertools.combinations(range(14), 4), key=lambda some: volume(X, some))
    assert nfindr(Y, 4, seed=0, restarts=40).indices.tolist() == list(best)


def test_a_start_without_volume_grows_all_the_same():
    rng = np.random.default_rng(0)
    X = np.hstack([np.ones((3, 6)), rng.standard_normal((3, 30))])
    found = exchanged(X, np.arange(4))  # four times the same point
    assert found.log_volumes[0] == -np.inf
    assert volume(X, found.indices) > 0.5 * volume(X, exchanged(X, np.array([7, 12, 20, 30])).indices)


def test_of_equal_points_the_first_is_taken():
    X = np.random.default_rng(1).standard_normal((2, 20))
    twice = np.hstack([X, X])
    found = exchanged(twice, np.array([30, 35, 39]))
    unique = exchanged(X, np.array([10, 15, 19]))
    # those of the start that stay are as large as their copies
    assert sorted(found.indices % 20) == sorted(unique.indices)
    assert all(index < 20 or index in (30, 35, 39) for index in found.indices)


@pytest.mark.parametrize("change", ["rotated", "shifted"])
def test_the_largest_simplex_knows_no_axes(change):
    rng = np.random.default_rng(0)
    Y = rng.standard_normal((6, 4)) @ rng.dirichlet(np.ones(4), 200).T
    turned = (
        np.linalg.qr(rng.standard_normal((6, 6)))[0] @ Y if change == "rotated" else Y + rng.random((6, 1))
    )
    assert nfindr(turned, 4, seed=2).indices.tolist() == nfindr(Y, 4, seed=2).indices.tolist()


def test_of_one_spectrum_throughout_there_is_no_volume_and_an_answer():
    found = nfindr(np.ones((4, 9)), 3, seed=0)
    assert found.search.converged
    assert len(found.indices) == 3


def test_the_method_tells_how_the_simplex_grew():
    scene = pure_pixel_scene()
    found = get("nfindr-fclsu").unmix(scene)
    assert found.status is Status.CONVERGED
    np.testing.assert_allclose(found.E, scene.E, atol=1e-6)
    assert (np.diff(found.history["log-volume"]) >= 0).all()


# --------------------------------------------------------------------------- pixel purity


def test_counts_sum_to_two_for_each_direction_and_only_vertices_have_any():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3, 300))
    counts = purity(X, projections=1234, seed=0)
    assert counts.sum() == 2 * 1234
    assert set(np.flatnonzero(counts)) <= set(ConvexHull(X.T).vertices)


def test_along_one_dimension_two_points_share_everything():
    counts = purity(np.array([[0.3, -2.0, 0.1, 5.0, 4.9]]), projections=700, seed=0)
    assert counts.tolist() == [0, 700, 0, 700, 0]


def test_each_corner_of_a_square_is_the_end_of_half_of_the_directions():
    inside = np.random.default_rng(0).uniform(-0.9, 0.9, (2, 50))
    X = np.hstack([np.array([[-1, -1, 1, 1], [-1, 1, -1, 1]]), inside])
    counts = purity(X, projections=10_000, seed=1)
    assert (counts[4:] == 0).all()
    # of opposite corners each direction takes both or none: K draws of one half
    assert np.abs(counts[:4] - 5000).max() < 4 * np.sqrt(10_000 / 4)


def test_counts_do_not_depend_on_the_scale():
    X = np.random.default_rng(0).standard_normal((2, 90))
    counts = [purity(scale * X, projections=600, seed=3).tolist() for scale in (1, 1e-5, 1e4)]
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.parametrize("choice", ["apart", "top"])
def test_ppi_finds_pure_pixels(choice):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=4)
    found = ppi(scene.pixels, 4, seed=0, projections=2000, choice=choice)
    assert set(found.indices) == set(range(4))
    np.testing.assert_array_equal(found.E, scene.pixels[:, found.indices].astype(float))


def test_the_highest_counts_may_be_of_one_material_unless_they_have_to_be_apart():
    first, second = np.array([1, 0, 0.2]), np.array([0, 1, 0.2])
    beside = np.array([0.9985, 0.0015, 0.18])  # another corner for half of the directions of the first
    blunt = (first + second) / 2 + [0, 0, 0.15]  # hardly a corner: few directions end there
    Y = np.column_stack([first, beside, second, blunt])
    top, apart = (ppi(Y, 3, seed=0, projections=3000, choice=how).indices for how in ("top", "apart"))
    assert set(top) == {0, 1, 2}
    assert set(apart) - {0, 1} == {2, 3}


def test_more_endmembers_than_extreme_pixels_are_still_found():
    Y = np.tile(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]), 4)
    found = ppi(Y, 3, seed=0, projections=20)
    assert len(set(found.indices)) == 3


# --------------------------------------------------------------------------- real scenes


#: Scene and level; the optimum by enumeration of all vertices of the hull where that was done; angle in
#: degrees and RMSE in percent of a prototype.
REFERENCES = {
    "samson": (None, [96, 464, 6584], 15.400076, 4.024, 32.330),
    "jasper": (None, [3189, 4552, 6468, 6942], 50.598303, 9.192, 15.884),
    "dc1": (30, None, None, 1.904, 2.685),
    "dc2": (30, None, None, 1.894, 6.498),
    "sim1": (30, None, None, 5.657, 6.781),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REFERENCES)
def test_nfindr_on_the_shared_scenes(name):
    snr_db, pixels, optimum, sad_deg, rmse_percent = REFERENCES[name]
    scene = real(name)
    if snr_db is not None:
        scene = Scene(add_noise(scene.Y, snr_db, 0), scene.E, scene.A)
    if pixels is not None:
        X = principal_subspace(scene.pixels, scene.endmembers - 1).coordinates(scene.pixels)
        for seed in range(10):
            found = nfindr(scene.pixels, scene.endmembers, seed=seed, restarts=1)
            assert set(found.indices) <= set(pixels) | {465}  # as large as with 464 on samson
            assert volume(X, found.indices) == pytest.approx(optimum, rel=1e-6)
    scores, _ = metrics.score(get("nfindr-fclsu").unmix(scene), scene)
    assert np.rad2deg(scores["sad-endmembers"]) == pytest.approx(sad_deg, abs=0.01)
    assert 100 * scores["rmse-abundances"] == pytest.approx(rmse_percent, abs=0.01)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "least", "sad_deg"), [("samson", 16, 3.67), ("jasper", 60, 23.6)])
def test_ppi_counts_vertices_of_the_hull_of_the_shared_scenes(name, least, sad_deg):
    scene = real(name)
    X = principal_subspace(scene.pixels, scene.endmembers - 1).coordinates(scene.pixels)
    counted = np.flatnonzero(purity(X, projections=10_000, seed=0))
    vertices = {scene.pixels[:, k].tobytes() for k in hull_vertices(X)}  # two may be copies
    assert {scene.pixels[:, k].tobytes() for k in counted} <= vertices
    assert len(counted) >= least
    scores, _ = metrics.score(get("ppi-fclsu").unmix(scene, choice="top"), scene)
    assert np.rad2deg(scores["sad-endmembers"]) == pytest.approx(sad_deg, abs=0.1)
