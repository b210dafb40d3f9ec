"""SGSNMF: superpixels by the angle, descents against other solvers, and known answers."""

from __future__ import annotations

import numpy as np
import pytest
from rivals_fixture import fixture
from scenes_helpers import real
from scipy import ndimage
from scipy.optimize import minimize, nnls
from toys import striped_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.solvers import angle_superpixels, group_sparse
from hsu_lib.solvers.angle_superpixels import angle_slic, confidence
from hsu_lib.solvers.group_sparse import descend, group_sparse_nmf
from hsu_lib.solvers.superpixels import region_means

F = fixture()
LABELS = np.arange(30) % 4
ONES = np.ones(30)


def segments(labels=LABELS, Y=F.Y):
    return {"labels": labels, "means": region_means(Y[:, None], labels[None])}


def agreement(labels, of):
    """Share of the pixels that have the most frequent value of `of` in their region."""
    return sum(np.bincount(of[labels == k]).max() for k in range(labels.max() + 1)) / labels.size


# --------------------------------------------------------------------------- superpixels


def test_without_contrast_superpixels_are_the_hexagons_of_the_grid():
    places, spacing = angle_superpixels._hexagonal(24, 30, 6)
    assert spacing == pytest.approx(30 / 4.5)
    np.testing.assert_array_equal(places[:, :4].T, [[2, 2], [2, 9], [2, 16], [2, 22]])  # 0.5, 1.5, ... times
    np.testing.assert_array_equal(places[:, 4:6].T, [[8, 6], [8, 12]])  # the second row, shifted by half
    labels = angle_slic(np.ones((3, 24, 30)), 6, 0.5)
    assert labels.max() + 1 == places.shape[1]
    nearest = ((np.indices((24, 30))[:, None] - places[:, :, None, None]) ** 2).sum(axis=0).argmin(axis=0)
    assert agreement(labels, nearest) > 0.95  # centres move to the means of cells that the border cuts


@pytest.mark.parametrize("size", [1, 2, 6])
@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (9, 2), (13, 20), (31, 8)])
def test_every_pixel_has_a_connected_superpixel(shape, size):
    Y = np.random.default_rng(0).random((4, *shape))
    labels = angle_slic(Y, size, 0.5)
    assert np.unique(labels).tolist() == list(range(labels.max() + 1))
    assert all(ndimage.label(labels == k)[1] == 1 for k in range(labels.max() + 1))


@pytest.mark.parametrize("size", [1, 3, 6, 11])
def test_squares_around_the_grid_cover_the_image(size):
    for height in range(1, 40):
        for width in range(1, 40, 3):
            (rows, columns), spacing = angle_superpixels._hexagonal(height, width, size)
            reach = max(angle_superpixels._rounded(spacing), 1)
            near = [np.abs(np.arange(height) - row) <= reach for row in rows]
            beside = [np.abs(np.arange(width) - column) <= reach for column in columns]
            assert (np.array(near, dtype=int).T @ np.array(beside, dtype=int) > 0).all()


def test_borders_of_materials_are_borders_of_superpixels_whatever_the_light():
    squares = np.arange(12).reshape(3, 4).repeat(8, axis=0).repeat(8, axis=1)
    rng = np.random.default_rng(0)
    Y = rng.random((20, 12))[:, squares] * rng.uniform(0.5, 2, squares.shape)
    assert agreement(angle_slic(Y, 5, 0.5), squares) > 0.97
    assert agreement(angle_slic(np.ones_like(Y), 5, 0.5), squares) < 0.8


def test_what_is_thin_joins_what_is_near():
    labels = np.array([[0, 0, 0, 0, 1, 1, 1, 1]] * 5)
    expected = labels.copy()
    labels[2, 4:7] = 0  # a spike
    np.testing.assert_array_equal(angle_superpixels._without_thin(labels)[:, 6:], expected[:, 6:])
    checks = np.indices((3, 4)).sum(axis=0) % 2
    assert angle_superpixels._without_thin(checks).max() == 11  # nothing is left to join


def test_confidence_is_one_over_the_distance_from_mean_and_centre():
    Y = np.zeros((2, 3, 3))
    Y[0], Y[1, 0, 0] = 1, np.tan(0.2)
    found = confidence(Y, np.zeros((3, 3), dtype=int), 6, 0.5)
    angle = np.arctan(np.tan(0.2) / 9)
    assert found[1, 1] == pytest.approx(1 / np.sqrt(angle))
    assert found[0, 0] == pytest.approx(1 / np.sqrt(0.2 - angle + 0.5 * 2 / 2**2))
    assert confidence(np.ones((2, 3, 3)), np.zeros((3, 3), dtype=int), 6, 0.5)[1, 1] == 20


# --------------------------------------------------------------------------- descents


@pytest.mark.parametrize("sizes", [[30], [7, 1, 22], [1] * 30])
def test_a_descent_ends_at_nonnegative_least_squares_whatever_the_groups(sizes):
    groups = np.array(sizes)
    found, at_once = descend(F.E0.T @ F.E0, F.E0.T @ F.Y, F.A0, groups, np.full(len(sizes), 1e-7))
    expected = np.array([nnls(F.E0, y)[0] for y in F.Y.T]).T
    np.testing.assert_allclose(found, expected, atol=2e-3)  # 100 steps at most
    again, at_once = descend(F.E0.T @ F.E0, F.E0.T @ F.Y, expected, groups, np.full(len(sizes), 1e-6))
    np.testing.assert_array_equal(again, expected)
    assert at_once.all()


def test_groups_have_steps_of_their_own():
    ends = np.full(2, 1e-3)
    G, C = F.E0.T @ F.E0, F.E0.T @ F.Y
    both, _ = descend(G, C, F.A0, np.array([12, 18]), ends)
    alone, _ = descend(G, C[:, 12:], F.A0[:, 12:], np.array([18]), ends[1:])
    np.testing.assert_allclose(both[:, 12:], alone, atol=1e-12)


def test_of_one_endmember_the_abundances_have_a_closed_form():
    e = F.E[:, :1]
    asc, weight = 2.0, 5.0
    found = group_sparse_nmf(
        F.Y, e, np.ones((1, 30)), **segments(), confidence=ONES, weight=weight, asc=asc, iterations=1
    )
    w = 1 / (1 + 1)  # the mean has an abundance of one
    expected = (e.T @ F.Y + asc**2 - weight * w) / (e.T @ e + asc**2)
    np.testing.assert_allclose(found.A, expected, atol=0.05 * np.linalg.norm(expected - 1))
    assert found.penalised[1] < found.penalised[0]


def test_with_weights_the_descent_is_to_the_minimum_of_the_objective(monkeypatch):
    monkeypatch.setattr(group_sparse, "_ENDS", 1e-9)
    monkeypatch.setattr(group_sparse, "_STEPS", 5000)
    c = 0.5 + np.arange(30) / 20
    given = {"confidence": c, "weight": 0.3, "asc": 1.0}
    found = group_sparse_nmf(F.Y, F.E0, F.A0, **segments(), **given, iterations=1)
    W = group_sparse._weights(segments()["means"], F.E0)[:, LABELS]

    def objective(x):
        A = x.reshape(3, 30)
        norms = np.linalg.norm(W * A, axis=0)
        value = 0.5 * ((F.Y - F.E0 @ A) ** 2).sum() + 0.5 * ((1 - A.sum(axis=0)) ** 2).sum()
        slope = F.E0.T @ (F.E0 @ A - F.Y) + A.sum(axis=0) - 1 + 0.3 * c * W**2 * A / norms
        return value + 0.3 * (c * norms).sum(), slope.ravel()

    best = minimize(objective, F.A0.ravel(), jac=True, bounds=[(0, None)] * 90, options={"ftol": 1e-14})
    np.testing.assert_allclose(found.A, best.x.reshape(3, 30), atol=1e-3)


def test_weights_are_small_for_what_the_segment_has():
    means = F.E @ np.array([[1.0, 0.25], [0.0, 0.25], [0.0, 0.5]])
    np.testing.assert_allclose(
        group_sparse._weights(means, F.E), 1 / np.array([[10, 3.25], [1, 3.25], [1, 5.5]])
    )


def test_the_order_of_segments_and_pixels_changes_nothing():
    given = {"weight": 0.3, "asc": 15.0, "iterations": 8}
    c = 0.5 + np.arange(30) / 20
    one = group_sparse_nmf(F.Y, F.E0, F.A0, **segments(), confidence=c, **given)
    renamed = np.array([2, 0, 3, 1])[LABELS]
    other = group_sparse_nmf(F.Y, F.E0, F.A0, **segments(renamed), confidence=c, **given)
    np.testing.assert_allclose(one.A, other.A, atol=1e-10)
    order = np.random.default_rng(0).permutation(30)
    mixed = group_sparse_nmf(
        F.Y[:, order],
        F.E0,
        F.A0[:, order],
        **segments(LABELS[order], F.Y[:, order]),
        confidence=c[order],
        **given,
    )
    np.testing.assert_allclose(one.A[:, order], mixed.A, atol=1e-10)
    np.testing.assert_allclose(one.E, mixed.E, atol=1e-10)


def test_it_stops_when_the_error_has_stopped_falling():
    given = {"weight": 0.0, "asc": 1.0, "iterations": 300}
    found = group_sparse_nmf(F.Y, F.E0, F.A0, **segments(), confidence=ONES, tolerance=1e-3, **given)
    assert found.converged
    fell = -2 * np.diff(found.objective)
    assert (fell[-5:] < 1e-3).all()
    assert (fell < 1e-3).sum() >= 20
    never = group_sparse_nmf(F.Y, F.E0, F.A0, **segments(), confidence=ONES, tolerance=-1e9, **given)
    assert len(never.objective) == 301
    assert not never.converged


# --------------------------------------------------------------------------- the method


def test_of_stripes_it_finds_the_materials():
    scene = striped_scene()
    scores, _ = metrics.score(get("sgsnmf").unmix(scene, size=3, iterations=20), scene)
    assert scores["sad-endmembers"] < np.deg2rad(3)
    assert scores["rmse-abundances"] < 0.1


def test_fewer_superpixels_than_endmembers_are_no_obstacle():
    scene = striped_scene().crop(0, 6, 5, 4)
    u = get("sgsnmf").unmix(scene, endmembers=3, size=40, iterations=2)
    assert np.isfinite(u.A).all()
    assert angle_slic(scene.Y, 40, 0.5).max() + 1 < 3


@pytest.mark.slow
@pytest.mark.real_data
def test_on_samson_it_is_where_the_independent_implementation_was():
    scene = real("samson")
    Y = scene.Y.astype(float) / scene.Y.max()
    sizes = np.bincount(angle_slic(Y, 6, 0.5).ravel())
    assert len(sizes) == pytest.approx(236, abs=2)  # of 9 to 72 pixels there
    for seed, expected in enumerate([(0.2723, 0.0939), (0.2753, 0.0931)]):
        scores, _ = metrics.score(get("sgsnmf").unmix(scene, seed=seed), scene)
        found = scores["rmse-abundances"], scores["sad-endmembers"]
        np.testing.assert_allclose(found, expected, atol=2e-3)
