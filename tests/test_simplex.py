"""The image's subspace, the largest simplex in it, the hull of the pixels, distances to facets."""

from __future__ import annotations

import numpy as np
import pytest
from mixtures import mixture
from toys import pure_pixel_scene

from hsu_lib.solvers.simplex import distance_to_facets, hull_vertices, largest_simplex
from hsu_lib.solvers.subspace import principal_subspace


def test_mixtures_of_p_spectra_lie_in_p_minus_1_dimensions():
    E, A = mixture()
    subspace = principal_subspace(E @ A, 3)
    np.testing.assert_allclose(subspace.basis.T @ subspace.basis, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(subspace.spectra(subspace.coordinates(E)), E, atol=1e-13)


def test_whitened_coordinates_have_mean_zero_and_unit_covariance():
    Y = np.random.default_rng(0).standard_normal((5, 5)) @ np.random.default_rng(1).random((5, 400))
    subspace = principal_subspace(Y, 4)
    G = subspace.whitening * subspace.coordinates(Y)
    np.testing.assert_allclose(G.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(G @ G.T / 400, np.eye(4), atol=1e-4)  # a millionth is added to deviations
    np.testing.assert_allclose(subspace.deviations, subspace.coordinates(Y).std(axis=1), rtol=1e-12)


def test_an_image_of_one_spectrum_has_finite_coordinates():
    subspace = principal_subspace(np.ones((4, 9)), 2)
    np.testing.assert_allclose(subspace.whitening * subspace.coordinates(np.ones((4, 9))), 0, atol=1e-12)


def test_the_largest_simplex_is_that_of_the_pure_pixels():
    E, A = mixture()
    X = principal_subspace(E @ A, 3).coordinates(E @ A)
    for seed in range(5):
        assert largest_simplex(X, runs=3, seed=seed).tolist() == [0, 1, 2, 3]


def test_more_runs_find_simplices_that_are_no_smaller():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 500))

    def volume(runs, seed):
        return abs(np.linalg.det(np.vstack([X[:, largest_simplex(X, runs=runs, seed=seed)], np.ones(5)])))

    few, many = (np.mean([volume(runs, seed) for seed in range(10)]) for runs in (1, 30))
    assert many > 1.1 * few


def test_one_dimension_has_two_ends():
    X = np.array([[0.3, -2.0, 0.1, 5.0, 4.9]])
    assert hull_vertices(X).tolist() == [1, 3]
    assert largest_simplex(X, runs=2, seed=0).tolist() == [1, 3]
    # nearest end: 2, 2.1, 0, 0 and 0.1 away
    np.testing.assert_allclose(distance_to_facets(X, np.array([[-2.0, 5.0]])), (2.3 + 2.1 + 0.1) / 5)


def test_the_hull_of_a_cube_has_eight_vertices():
    rng = np.random.default_rng(0)
    corners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1)
    X = np.hstack([rng.uniform(0.01, 0.99, (3, 200)), corners])
    assert hull_vertices(X).tolist() == list(range(200, 208))


def test_in_many_dimensions_projections_find_vertices_and_nothing_else():
    rng = np.random.default_rng(0)
    corners = np.hstack([np.eye(8), -np.eye(8)])
    X = np.hstack([0.9 * corners @ rng.dirichlet(np.ones(16), 200).T, corners])
    found = hull_vertices(X, projections=30, seed=1)
    assert set(found) <= set(range(200, 216))
    assert len(found) > 12


def test_points_in_a_plane_all_count():
    X = np.vstack([np.random.default_rng(0).random((2, 20)), np.zeros(20)])
    assert hull_vertices(X).tolist() == list(range(20))


def test_points_that_far_inside_a_facet_are_at_that_distance():
    M = np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 4.0]])  # the third edge: 4 x + 3 y = 12, length 5
    inside = np.array([[1.0, 0.05, 1.5 - 0.05 * 0.8], [0.05, 2.0, 2.0 - 0.05 * 0.6]])
    for shift in (0.0, 7.0):  # planes through the origin, and others
        np.testing.assert_allclose(distance_to_facets(inside + shift, M + shift), 0.05, atol=1e-14)
    outside = np.array([[1.0], [-0.2]])
    np.testing.assert_allclose(distance_to_facets(outside, M), 0.2, atol=1e-15)


def test_distances_are_those_of_barycentric_coordinates():
    rng = np.random.default_rng(0)
    M, X = rng.standard_normal((4, 5)), rng.standard_normal((4, 60))
    inverse = np.linalg.inv(np.vstack([M, np.ones(5)]))
    shares = inverse @ np.vstack([X, np.ones(60)])
    expected = np.abs(shares / np.linalg.norm(inverse[:, :-1], axis=1, keepdims=True)).min(axis=0).mean()
    np.testing.assert_allclose(distance_to_facets(X, M), expected, rtol=1e-10)


def test_a_simplex_that_is_a_point_has_finite_distances():
    assert np.isfinite(distance_to_facets(np.ones((3, 5)), np.zeros((3, 4))))


@pytest.mark.parametrize("endmembers", [2, 3])
def test_pure_pixels_of_a_scene_are_found(endmembers):
    scene = pure_pixel_scene(endmembers=endmembers)
    X = principal_subspace(scene.pixels, endmembers - 1).coordinates(scene.pixels)
    assert largest_simplex(X, runs=5, seed=0).tolist() == list(range(endmembers))
