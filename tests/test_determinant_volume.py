"""MVC-NMF: the determinant and its gradient, what the weight does, endmembers that no pixel has."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from mixtures import accuracy, mixture, without_pure_pixels
from scenes_helpers import real

from hsu_lib.methods import get
from hsu_lib.solvers.determinant_volume import determinant, determinant_gradient, determinant_volume
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.subspace import Subspace, principal_subspace


def plane():
    return Subspace(np.zeros((2, 1)), np.eye(2), np.ones(2))


def test_a_triangle_in_the_plane_has_its_determinant_and_area():
    triangle = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(abs(determinant(triangle, plane())) / factorial(2), 0.5, rtol=1e-14)
    np.testing.assert_allclose(determinant(triangle, plane()), 1.0, rtol=1e-14)
    np.testing.assert_allclose(determinant(3 * triangle + 7, plane()), 9.0, rtol=1e-12)
    np.testing.assert_allclose(determinant(triangle[:, ::-1], plane()), -1.0, rtol=1e-14)


@pytest.mark.parametrize("endmembers", [1, 2, 3, 6])
def test_the_gradient_of_the_determinant_is_that_of_finite_differences(endmembers):
    E, A = mixture(endmembers=endmembers)
    subspace = principal_subspace(E @ A, endmembers - 1)
    E = np.random.default_rng(0).random(E.shape)
    slope = determinant_gradient(E, subspace)
    numeric = np.zeros_like(E)
    for index in np.ndindex(E.shape):
        step = np.zeros_like(E)
        step[index] = 0.5  # the determinant is linear in each entry, so any step is exact
        ends = [determinant(E + sign * step, subspace) for sign in (1, -1)]
        numeric[index] = ends[0] - ends[1]
    np.testing.assert_allclose(slope, numeric, atol=1e-10 * max(np.abs(numeric).max(), 1e-3))


def test_a_flat_simplex_has_a_gradient():
    flat = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    assert determinant(flat, plane()) == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(
        determinant_gradient(flat, plane()), [[-1.0, 2.0, -1.0], [1.0, -2.0, 1.0]], atol=1e-14
    )


def start(Y, E):
    return np.abs(E + 0.02 * np.random.default_rng(2).standard_normal(E.shape))


@pytest.mark.parametrize("weight", [0.0, 0.1, 1e3])
def test_the_objective_never_rises_and_constraints_hold(weight):
    E, A = mixture()
    Y = E @ A + 0.02 * np.random.default_rng(1).standard_normal((len(E), A.shape[1]))
    E0 = start(Y, E)
    found = determinant_volume(Y, E0, fclsu(Y, E0), weight=weight, iterations=15)
    assert np.diff(found.objective).max() <= 1e-12 * found.objective[0]
    assert found.objective[-1] < found.objective[0]
    assert found.E.min() >= 0
    assert found.A.min() >= 0
    np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-12)
    fit = 0.5 * np.sum((Y - found.E @ found.A) ** 2)
    volume = determinant(found.E, principal_subspace(Y, 3))
    np.testing.assert_allclose(found.objective[-1], fit + 0.5 * weight * volume**2, rtol=1e-9)


def test_without_weight_pure_pixels_stay_exact():
    E, A = mixture()
    found = determinant_volume(E @ A, E, A, weight=0.0, iterations=5)
    np.testing.assert_allclose(found.E, E, atol=1e-12)
    np.testing.assert_allclose(found.E @ found.A, E @ A, atol=1e-12)


def test_more_weight_gives_less_volume():
    E, A = mixture()
    Y = E @ A
    subspace = principal_subspace(Y, 3)
    volumes = [
        abs(determinant(determinant_volume(Y, E, A, weight=weight, iterations=15).E, subspace))
        for weight in (0.0, 1.0, 10.0, 1e3, 1e5)
    ]
    assert (np.diff(volumes) < 0).all()
    assert volumes[-1] < 0.2 * volumes[0]


def test_the_true_endmembers_move_only_by_as_much_as_the_weight():
    # no pure pixels, but many on every facet: a smaller simplex would not hold these
    E, _ = mixture(endmembers=3)
    shares = np.random.default_rng(5).uniform(0.2, 0.8, 100)
    A = np.hstack([np.roll([shares, 1 - shares, 0 * shares], k, axis=0) for k in range(3)])
    moved = [
        np.abs(determinant_volume(E @ A, E, A, weight=weight, iterations=20).E - E).max()
        for weight in (1e-2, 1e-3, 1e-4)
    ]
    assert moved[0] < 0.05
    np.testing.assert_allclose(np.array(moved[:-1]) / moved[1:], 10, rtol=0.2)


def test_endmembers_that_no_pixel_has_are_found():
    scene = without_pure_pixels(noise=0.005)
    found = get("mvc-nmf").unmix(scene, weight=0.1, iterations=60)
    extremes = get("vca-fclsu").unmix(scene)
    assert accuracy(found, scene)[0] < 0.5 * accuracy(extremes, scene)[0]
    assert found.E.min() >= 0


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("weight", "rmse", "angle"), [(0.015, 17.2, 10.4), (1.0, 10.6, 7.3), (100.0, 7.4, 7.2)]
)
def test_samson_is_what_another_implementation_makes_of_it(weight, rmse, angle):
    scene = real("samson", "misicnet")
    error, apart = accuracy(get("mvc-nmf").unmix(scene, weight=weight), scene)
    assert 100 * error == pytest.approx(rmse, abs=0.5)
    assert apart == pytest.approx(angle, abs=1.5)  # other starts by VCA
