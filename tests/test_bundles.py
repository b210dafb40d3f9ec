"""Bundles and mixed norms: proximal steps, special cases with other solvers, and figures of public scenes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scenes_helpers import real
from scipy.optimize import minimize, minimize_scalar
from toys import pure_pixel_scene

from hsu_lib import metrics, scenes
from hsu_lib.methods import get
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec, Status
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.solvers.bundles import (
    Bundles,
    by_angle,
    elitist_shrunk,
    fractional_shrunk,
    group_shrunk,
    image_bundles,
    members,
    penalised,
    spread,
)
from hsu_lib.solvers.fclsu import fclsu

NORMS = ("group", "elitist", "fractional")
LABELS = np.array([0, 1, 0, 1, 2, 0, 2])


def problem(pixels=30, bands=20, noise=0.02, seed=0):
    """Three materials in two or three spectra each, and noisy mixtures of them."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, bands)[:, None]
    B = 0.2 + 0.6 * np.exp(-(((x - (LABELS + 0.5) / 3) / 0.2) ** 2)) * rng.uniform(0.7, 1.2, len(LABELS))
    B += 0.03 * rng.random(B.shape)
    Y = B @ rng.dirichlet(np.full(len(LABELS), 0.5), pixels).T
    return Y + noise * rng.standard_normal(Y.shape), Bundles(B, LABELS)


def penalty(A, norm, q=0.1, labels=LABELS):
    M = members(labels)
    sums = M @ np.abs(A)
    return {
        "group": np.sqrt(M @ A**2).sum(axis=0),
        "elitist": 0.5 * (sums**2).sum(axis=0),
        "fractional": (sums**q).sum(axis=0),
    }[norm]


# --------------------------------------------------------------------------- proximal steps


def test_the_step_of_groups_is_the_minimum():
    rng, M = np.random.default_rng(0), torch.from_numpy(members(LABELS))
    V = rng.standard_normal((7, 1000))
    X = group_shrunk(torch.from_numpy(V), 0.8, M).numpy()
    for group in members(LABELS) > 0:
        # along its own direction a group has one number left to find
        length, found = np.linalg.norm(V[group], axis=0), X[group]
        np.testing.assert_allclose(found, V[group] * np.maximum(1 - 0.8 / length, 0), atol=1e-12)
        for n in range(20):
            best = minimize_scalar(
                lambda r, of=length[n]: 0.8 * r + 0.5 * (r - of) ** 2, bounds=(0, 9), method="bounded",
                options={"xatol": 1e-10},
            )  # fmt: skip
            assert np.linalg.norm(found[:, n]) == pytest.approx(best.x, abs=1e-6)


def test_the_exact_elitist_step_is_the_minimum_and_the_published_one_is_not():
    rng, M, by = np.random.default_rng(1), torch.from_numpy(members(LABELS)), 0.4
    V = rng.standard_normal((7, 1000))
    exact, code = (elitist_shrunk(torch.from_numpy(V), by, M, exact=exact).numpy() for exact in (True, False))

    def value(X):
        return by * penalty(X, "elitist") + 0.5 * ((X - V) ** 2).sum(axis=0)

    # conditions of a minimum: a value that is left has lost what is common, one that is gone was below it
    common = by * (members(LABELS).T @ (members(LABELS) @ np.abs(exact)))
    left = exact != 0
    np.testing.assert_allclose((V - exact)[left], (np.sign(exact) * common)[left], atol=1e-12)
    assert (np.abs(V) <= common + 1e-12)[~left].all()
    for n in range(10):
        # signs stay, so that a bounded solver has a smooth function
        v = np.abs(V[:, n])

        def own(x, v=v):
            return by * penalty(x[:, None], "elitist")[0] + 0.5 * ((x - v) ** 2).sum()

        other = minimize(own, v, bounds=[(0, None)] * 7, options={"ftol": 1e-15, "gtol": 1e-10})
        np.testing.assert_allclose(np.abs(exact[:, n]), other.x, atol=1e-6)
    assert (value(code) > value(exact) + 1e-6).mean() > 0.9
    alone = torch.eye(7, dtype=torch.float64)
    for inexact in (True, False):
        found = elitist_shrunk(torch.from_numpy(V), by, alone, exact=inexact).numpy()
        np.testing.assert_allclose(found, V / (1 + by), atol=1e-12)


def test_the_fractional_step_is_soft_thresholding_at_one_and_keeps_what_is_large():
    v = torch.linspace(-3, 3, 101, dtype=torch.float64)
    soft = v.sign() * (v.abs() - 0.5).clamp(min=0)
    torch.testing.assert_close(fractional_shrunk(v, 0.5, 1.0), soft)
    found = fractional_shrunk(v, 0.5, 0.1)
    assert (found[v.abs() > 1] / soft[v.abs() > 1]).min() > 1
    assert not found[v.abs() < 0.5].any()


# --------------------------------------------------------------------------- abundances


@pytest.mark.parametrize("literal", [True, False])
@pytest.mark.parametrize("norm", NORMS)
def test_constraints_and_without_a_weight_fclsu(norm, literal):
    Y, bundles = problem()
    A = penalised(Y, bundles, 0.05, norm=norm, literal=literal).A
    np.testing.assert_allclose(A.sum(axis=0), 1, atol=1e-12)
    assert A.min() >= 0
    without = penalised(Y, bundles, 0.0, norm=norm, literal=literal).A
    np.testing.assert_allclose(without, fclsu(Y, bundles.spectra), atol=1e-9)
    assert np.abs(A - without).max() > 0.01


def test_penalties_that_are_constant_on_the_simplex_change_nothing():
    Y, bundles = problem()
    E = bundles.spectra
    alone = Bundles(E, np.arange(E.shape[1]))
    for given, norm, exponent in ((alone, "group", 0.1), (bundles, "fractional", 1.0)):
        found = penalised(
            Y, given, 0.01, norm=norm, exponent=exponent, step=0.1, iterations=3000, tolerance=1e-8
        )
        np.testing.assert_allclose(found.A, fclsu(Y, E), atol=1e-4)


@pytest.mark.parametrize("norm", ["group", "elitist"])
def test_the_minimum_is_that_of_a_general_solver(norm):
    Y, bundles = problem(pixels=6)
    found = penalised(Y, bundles, 0.1, norm=norm, step=1.0, iterations=20_000, tolerance=1e-9)
    assert found.converged

    def value(a, y):
        near = np.sqrt(a**2 + 1e-18)  # a norm has no slope at zero
        return 0.5 * ((y - bundles.spectra @ a) ** 2).sum() + 0.1 * penalty(near[:, None], norm)[0]

    for y, a in zip(Y.T, found.A.T, strict=True):
        others = [
            minimize(
                value,
                start,
                args=(y,),
                bounds=[(0, 1)] * 7,
                constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
                options={"ftol": 1e-14, "maxiter": 500},
            ).fun
            for start in (a, np.full(7, 1 / 7))
        ]
        assert value(a, y) <= min(others) + 1e-7


def test_the_published_iterations_come_to_the_minimum_of_groups():
    Y, bundles = problem()
    code = penalised(
        Y, bundles, 0.1, norm="group", literal=True, step=1.0, iterations=20_000, tolerance=1e-12
    )
    exact = penalised(Y, bundles, 0.1, norm="group", step=1.0, iterations=20_000, tolerance=1e-9)
    np.testing.assert_allclose(code.A, exact.A, atol=1e-4)
    assert not penalised(Y, bundles, 0.1, norm="group", literal=True, iterations=3).converged


@pytest.mark.parametrize("norm", NORMS)
def test_a_spectrum_that_is_there_twice_changes_no_image_where_sums_or_nothing_are_penalised(norm):
    Y, bundles = problem()
    twice = Bundles(np.hstack([bundles.spectra, bundles.spectra[:, :1]]), np.append(LABELS, LABELS[0]))
    settings = {"norm": norm, "step": 1.0, "iterations": 1000, "tolerance": 1e-8}
    weight = 0.0 if norm == "group" else 0.02  # l2 norms prefer to share between copies
    one, two = (penalised(Y, given, weight, **settings).A for given in (bundles, twice))
    np.testing.assert_allclose(twice.spectra @ two, bundles.spectra @ one, atol=1e-3)


def test_group_and_fractional_norms_leave_fewer_materials_and_the_elitist_one_more():
    Y, bundles = problem()
    M = members(LABELS)

    def used(norm, weight):
        return (M @ penalised(Y, bundles, weight, norm=norm, step=1.0).A > 0.01).sum()

    plain = used("group", 0.0)
    assert used("group", 0.3) < plain
    assert used("fractional", 0.1) < plain
    assert used("elitist", 5.0) > plain


# --------------------------------------------------------------------------- bundles


def test_clusters_are_found_whatever_the_length_of_the_spectra():
    _, bundles = problem()
    rng = np.random.default_rng(3)
    found = by_angle(bundles.spectra * rng.uniform(0.1, 9, 7), 3, restarts=5, rng=rng)
    same = found[:, None] == found
    np.testing.assert_array_equal(same, LABELS[:, None] == LABELS)


def test_no_cluster_is_empty_even_of_copies():
    rng = np.random.default_rng(0)
    found = by_angle(np.ones((5, 9)), 4, restarts=3, rng=rng)
    assert set(found) == {0, 1, 2, 3}


def test_bundles_of_an_image_are_its_materials():
    scene = pure_pixel_scene(height=40, width=30)
    Y = np.tile(scene.pixels[:, :3], 50)  # each subset has all pure spectra, nothing else
    found = image_bundles(Y, 3, seed=1)
    np.testing.assert_array_equal(np.bincount(found.groups), [10, 10, 10])
    for group in range(3):
        own = found.spectra[:, found.groups == group]
        np.testing.assert_allclose(own, own[:, :1].repeat(10, axis=1), atol=1e-5)
    assert image_bundles(Y[:, :4], 3, seed=1).spectra.shape == (12, 3)  # one subset is all there is


def test_spread_takes_the_nearest_to_the_mean_and_then_the_most_different():
    angles = np.deg2rad([0, 10, 20, 21, 60])
    spectra = np.stack([np.cos(angles), np.sin(angles)])
    one, two = np.zeros(5, dtype=int), np.array([0, 0, 0, 1, 1])
    assert spread(spectra, one, 1).tolist() == [3]
    assert spread(spectra, one, 2).tolist() == [3, 4]
    assert spread(spectra, one, 3).tolist() == [0, 3, 4]
    assert spread(spectra, two, 9).tolist() == [0, 1, 2, 3, 4]


def test_the_method_gives_mean_spectra_of_classes_and_sums():
    Y, bundles = problem(pixels=35)
    library = SpectralLibrary(bundles.spectra, LABELS, ("a", "b", "c"))
    scene = replace(pure_pixel_scene(bands=20), Y=Y.reshape(20, 7, 5), E=None, A=None, materials=())
    found = get("library-bundles").unmix(scene, library=library, penalty="none")
    M = members(LABELS)
    np.testing.assert_allclose(found.E, bundles.spectra @ M.T / M.sum(axis=1), atol=1e-6)
    np.testing.assert_allclose(found.A.reshape(3, -1), M @ fclsu(scene.pixels, bundles.spectra), atol=1e-6)
    means = get("library-bundles").unmix(scene, library=library, penalty="means")
    np.testing.assert_allclose(means.A.reshape(3, -1), fclsu(scene.pixels, found.E), atol=1e-6)
    stopped = get("library-bundles").unmix(scene, library=library, penalty="fractional", iterations=2)
    assert stopped.status is Status.STOPPED


# --------------------------------------------------------------------------- public scenes


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("urban-grass-window", {"means": 15.05, "none": 10.85, "group": 10.56}),
        pytest.param("urban-detection-window", {"means": 18.49, "none": 11.71}, marks=pytest.mark.slow),
    ],
)
def test_the_urban_windows_with_their_library(name, expected):
    scene = real(name, "end6")
    library = scenes.library_of(name)
    for kind, rmse in expected.items():
        found = get("library-bundles").unmix(scene, library=library, penalty=kind, weight=0.5, reading="code")
        assert 100 * metrics.score(found, scene)[0]["rmse-abundances"] == pytest.approx(rmse, abs=0.05)


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"), [("urban-grass-window", 10.13), ("urban-detection-window", 10.09)]
)
def test_the_fractional_norm_on_the_urban_windows(name, expected):
    scene, library = real(name, "end6"), scenes.library_of(name)
    found = get("library-bundles").unmix(scene, library=library, penalty="fractional", weight=0.1)
    assert 100 * metrics.score(found, scene)[0]["rmse-abundances"] == pytest.approx(expected, abs=0.05)


@pytest.mark.real_data
def test_a_run_takes_the_library_of_its_scene_and_its_key_knows_the_file():
    scene = real("urban-grass-window")
    assert scenes.library_of("urban-grass-window").spectra.shape == (scene.bands, 651)


def test_keys_of_runs_with_a_library_know_its_file():
    keys = [
        Run("library-bundles", SceneSpec(n), 0).asked().get("library") for n in ("urban-grass-window", "dc1")
    ]
    assert keys[0].startswith("sha256:")
    assert keys[1] is None  # the scene itself is made of that file
