"""Sparse regression with a library: known answers, optimality, and what each method makes of DC1."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pytest
import torch
from scenes_helpers import real
from scipy.optimize import minimize, nnls
from sklearn.linear_model import Lasso
from toys import pure_pixel_scene, toy_library

from hsu_lib import metrics, runs, scenes
from hsu_lib.methods import METHODS, get
from hsu_lib.methods.sparse import mua
from hsu_lib.methods.sparse.sunsal_sure import chosen_by
from hsu_lib.metrics.chosen import embedded
from hsu_lib.runs import Run
from hsu_lib.runs.layout import open_record, sealed
from hsu_lib.runs.packing import light
from hsu_lib.runs.record import made_record
from hsu_lib.scene import SceneSpec, Status
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.solvers import sparse, sparse_maps
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.sparse import clsunsal, nonnegative, products, rows_shrunk, sunsal

SPARSE = [name for name, method in METHODS.items() if method.kind == "sparse"]
exactly = partial(sunsal, tolerance=1e-10, iterations=50_000)


def problem(bands=20, atoms=8, pixels=30, seed=0, noise=0.02):
    """Library of coherent, positive spectra, and an image of few of them."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, bands)[:, None]
    D = 0.3 + 0.5 * np.exp(-(((x - rng.random(atoms)) / 0.2) ** 2)) + 0.05 * rng.random((bands, atoms))
    X = rng.dirichlet(np.full(atoms, 0.2), pixels).T
    Y = D @ X + noise * rng.standard_normal((bands, pixels))
    return torch.from_numpy(Y), torch.from_numpy(D)


def image(height=6, width=5, **given):
    """The same as an image: products and shape."""
    Y, D = problem(pixels=height * width, **given)
    return Y, D, products(Y, D), (height, width)


def exact(given, weight):
    return nonnegative(given.G, given.B - weight).X


def objective(Y, D, X, weight):
    return 0.5 * float((Y - D @ X).square().sum()) + weight * float(X.abs().sum())


def maps_of(X, shape):
    return X.view(len(X), *shape)


# --------------------------------------------------------------------------- pixel by pixel


@pytest.mark.parametrize("solve", [exact, lambda given, weight: exactly(given, weight).X])
def test_an_orthonormal_library_and_a_single_spectrum_have_closed_forms(solve):
    rng = np.random.default_rng(0)
    D = torch.from_numpy(np.linalg.qr(rng.random((9, 4)))[0])
    Y = torch.from_numpy(rng.random((9, 7)))
    torch.testing.assert_close(solve(products(Y, D), 0.1), (D.T @ Y - 0.1).clamp(min=0), atol=1e-7, rtol=0)
    one = 3 * D[:, :1]
    expected = ((one.T @ Y - 0.1) / 9).clamp(min=0)
    torch.testing.assert_close(solve(products(Y, one), 0.1), expected, atol=1e-7, rtol=0)


def test_a_weight_above_all_products_leaves_nothing_and_one_below_a_single_atom():
    Y, D = problem(pixels=1)
    given = products(Y, D)
    assert not exact(given, float(given.B.max())).any()
    assert (exact(given, 0.999 * float(given.B.max())) > 0).sum() == 1


@pytest.mark.parametrize("atoms", [8, 40])  # more atoms than bands: D'D is singular
@pytest.mark.parametrize("weight", [0.0, 0.001, 0.1])
def test_the_conditions_of_optimality_hold(atoms, weight):
    Y, D = problem(atoms=atoms)
    given = products(Y, D)
    found = nonnegative(given.G, given.B - weight)
    slope = given.G @ found.X - given.B + weight
    assert found.converged
    assert found.X.min() >= 0
    assert slope.min() > -1e-9
    assert slope[found.X > 0].abs().max() < 1e-9
    rest = Y - D @ found.X
    scale = min(1.0, weight / float((D.T @ rest).max()))
    dual = 0.5 * float(Y.square().sum() - (Y - scale * rest).square().sum())
    gap = objective(Y, D, found.X, weight) - dual
    assert weight == 0 or -1e-9 < gap < 1e-6 * float(Y.square().sum())


def test_the_published_iterations_reach_the_same_minimum():
    Y, D = problem()
    given = products(Y, D)
    found = exactly(given, 0.01)
    assert found.converged
    torch.testing.assert_close(found.X, exact(given, 0.01), atol=1e-6, rtol=0)
    assert not sunsal(given, 0.01, iterations=3).converged


def test_the_minimum_is_that_of_scipy():
    Y, D = problem(noise=0.1)
    root = np.linalg.cholesky((D.T @ D).numpy()).T
    for weight in (0.0, 0.05):
        X = exact(products(Y, D), weight).numpy()
        for x, b in zip(X.T, (D.T @ Y - weight).numpy().T, strict=True):
            np.testing.assert_allclose(x, nnls(root, np.linalg.solve(root.T, b))[0], atol=1e-8)


def test_no_support_is_better():
    for seed in range(40):
        Y, D = problem(atoms=5, pixels=1, seed=seed, noise=0.2)
        y, M, best = Y[:, 0].numpy(), D.numpy(), 0.5 * float(Y.square().sum())
        for size in range(1, 6):
            for support in map(list, combinations(range(5), size)):
                x = np.linalg.solve(M[:, support].T @ M[:, support], M[:, support].T @ y - 0.05)
                if (x >= 0).all():
                    best = min(best, 0.5 * np.sum((y - M[:, support] @ x) ** 2) + 0.05 * x.sum())
        assert objective(Y, D, exact(products(Y, D), 0.05), 0.05) == pytest.approx(best, rel=1e-12)


def test_scale_order_and_copies_of_atoms():
    Y, D = problem()
    X = exact(products(Y, D), 0.01)
    torch.testing.assert_close(exact(products(7 * Y, 7 * D), 0.49), X)
    for c in (1e-6, 1e4):
        torch.testing.assert_close(
            sunsal(products(c * Y, c * D), c * c * 0.01).X, sunsal(products(Y, D), 0.01).X
        )
    order = torch.arange(len(X)).flip(0)
    torch.testing.assert_close(exact(products(Y.flip(1), D[:, order]), 0.01), X[order].flip(1))
    twice = exact(products(Y, torch.cat([D, D[:, :1]], dim=1)), 0.01)
    torch.testing.assert_close(twice[0] + twice[-1], X[0])
    torch.testing.assert_close(twice[1:-1], X[1:])


def test_pixels_in_blocks_and_atoms_without_a_slope_are_solved_alike(monkeypatch):
    Y, D = problem()
    given = products(Y, torch.cat([D, torch.zeros_like(D[:, :1])], dim=1))
    whole = exact(given, 0.01)
    assert not whole[-1].any()
    monkeypatch.setattr(sparse, "_TOGETHER", 7)
    torch.testing.assert_close(exact(given, 0.01), whole)
    assert not nonnegative(given.G, given.B, rounds=2).converged


def test_under_asc_it_is_fclsu():
    Y, D = problem(atoms=4)
    expected = fclsu(Y.numpy(), D.numpy())
    found = exactly(products(Y, D), 0.0, asc=True).X
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(exactly(products(Y, D), 0.3, asc=True).X, expected, atol=1e-6)


# --------------------------------------------------------------------------- rows


@pytest.mark.parametrize("joint", [True, False])
def test_collaborative_in_closed_form(joint):
    solve = partial(clsunsal, joint=joint, tolerance=1e-10, iterations=50_000)
    rng = np.random.default_rng(0)
    D = torch.from_numpy(np.linalg.qr(rng.random((9, 4)))[0])
    Y = torch.from_numpy(rng.random((9, 7)))
    expected = rows_shrunk((D.T @ Y).clamp(min=0), 0.5)
    torch.testing.assert_close(solve(products(Y, D), 0.5).X, expected, atol=1e-6, rtol=0)
    Y, D = problem(pixels=1)
    given = products(Y, D)
    torch.testing.assert_close(solve(given, 0.05).X, exact(given, 0.05), atol=1e-6, rtol=0)
    Y, D = problem()
    given = products(Y, D)
    largest = float(given.B.clamp(min=0).norm(dim=1).max())
    assert solve(given, largest).X.abs().max() < 1e-8


@pytest.mark.parametrize("weight", [0.01, 0.3])
def test_collaborative_is_optimal(weight):
    Y, D = problem(noise=0.05)
    given = products(Y, D)
    found = clsunsal(given, weight, joint=True, tolerance=1e-10, iterations=50_000)
    X, slope = found.X, given.G @ found.X - given.B
    assert found.converged
    for x, g in zip(X, slope, strict=True):
        if not x.any():
            assert g.clamp(max=0).norm() <= weight + 1e-7
        else:
            g = g + weight * x / x.norm()
            assert g[x > 0].abs().max() < 1e-6
            assert g.min() > -1e-6
    assert weight < 0.1 or (X.norm(dim=1) == 0).any()


# --------------------------------------------------------------------------- total variation


def test_total_variation_of_known_maps():
    flat, dot = torch.ones(1, 6, 8, dtype=torch.float64), torch.zeros(1, 6, 8, dtype=torch.float64)
    dot[0, 2, 5] = 1
    rows, columns = torch.meshgrid(torch.arange(6), torch.arange(8), indexing="ij")
    board = ((rows + columns) % 2)[None].double()
    assert sparse_maps.total_variation(flat) == 0
    assert sparse_maps.total_variation(dot) == 4
    assert sparse_maps.total_variation(board) == 2 * board.numel()
    assert sparse_maps.total_variation(dot, isotropic=True) == pytest.approx(2 + 2**0.5)


def test_differences_have_their_transpose_and_their_transform():
    rng = np.random.default_rng(0)
    X, H, V = (torch.from_numpy(rng.random((2, 5, 6))) for _ in range(3))
    h, v = sparse_maps.differences(X)
    back = sparse_maps.differences_adjoint(H, V)
    assert float((h * H + v * V).sum()) == pytest.approx(float((X * back).sum()))
    normal = X + sparse_maps.differences_adjoint(h, v)
    spectrum = 1 / (1 + sparse_maps.curvature((5, 6)))
    torch.testing.assert_close(torch.fft.irfft2(torch.fft.rfft2(normal) * spectrum, s=(5, 6)), X)


def test_total_variation_that_counts_nothing_or_everything():
    Y, D, given, shape = image()
    smooth = partial(sparse_maps.sunsal_tv, given, shape, 0.01, converge=True, iterations=6000)
    torch.testing.assert_close(smooth(0.0).sparse, exact(given, 0.01), atol=1e-4, rtol=0)
    mean = exact(products(Y.mean(dim=1, keepdim=True), D), 0.01)
    torch.testing.assert_close(smooth(100.0).sparse, mean.expand(-1, 30), atol=1e-4, rtol=0)
    same = products(Y[:, :1].expand(-1, 30).contiguous(), D)
    found = sparse_maps.sunsal_tv(same, shape, 0.01, 0.2, converge=True, iterations=20_000)
    torch.testing.assert_close(found.X, exact(same, 0.01)[:, :1].expand(-1, 30), atol=1e-4, rtol=0)


@pytest.mark.parametrize("isotropic", [False, True])
def test_two_plateaus_come_nearer(isotropic):
    # on a circle a plateau has two ends, each of which pulls with the weight
    Y = torch.tensor([[0.2] * 6 + [0.9] * 4], dtype=torch.float64)
    given = products(Y, torch.ones(1, 1, dtype=torch.float64))
    found = sparse_maps.sunsal_tv(
        given, (1, 10), 0.0, 0.1, isotropic=isotropic, anc=False, converge=True, iterations=20_000
    )
    expected = torch.tensor([[0.2 + 0.2 / 6] * 6 + [0.9 - 0.2 / 4] * 4], dtype=torch.float64)
    torch.testing.assert_close(found.X, expected, atol=1e-5, rtol=0)


def test_total_variation_reaches_the_minimum_of_a_quadratic_programme():
    Y, D, given, shape = image(3, 3, atoms=2, noise=0.2)
    weight, variation, size = 0.01, 0.1, 18
    found = sparse_maps.sunsal_tv(given, shape, weight, variation, converge=True, iterations=50_000)
    assert found.converged
    X = found.sparse.clamp(min=0)
    eye = torch.eye(size, dtype=torch.float64).view(size, 2, 3, 3)
    turn = torch.stack(sparse_maps.differences(eye), dim=1).reshape(size, -1).T.numpy()
    up = np.eye(2 * size)

    def value(u):
        at = torch.from_numpy(u[:size]).view(2, 9)
        slope = torch.cat([(given.G @ at - given.B + weight).flatten(), torch.full((2 * size,), variation)])
        return objective(Y, D, at, weight) + variation * u[size:].sum(), slope.numpy()

    best = minimize(
        value,
        np.full(3 * size, 0.5),
        jac=True,
        bounds=[(0, None)] * (3 * size),
        method="SLSQP",
        constraints=[
            {
                "type": "ineq",
                "fun": lambda u, s=s: up @ u[size:] - s * (turn @ u[:size]),
                "jac": lambda u, s=s: np.hstack([-s * turn, up]),
            }
            for s in (1, -1)
        ],
        options={"maxiter": 500, "ftol": 1e-13},
    )
    ours = objective(Y, D, X, weight) + variation * sparse_maps.total_variation(maps_of(X, shape))
    assert best.success
    assert ours == pytest.approx(best.fun, rel=1e-6)


def test_what_is_turned_or_shifted_gives_the_same_turned_or_shifted():
    Y, D, given, (height, width) = image()
    found = maps_of(sparse_maps.sunsal_tv(given, (height, width), 0.01, 0.05, iterations=40).X, (6, 5))
    turned = Y.view(-1, 6, 5).transpose(1, 2).flatten(1)
    other = sparse_maps.sunsal_tv(products(turned, D), (5, 6), 0.01, 0.05, iterations=40).X
    torch.testing.assert_close(maps_of(other, (5, 6)).transpose(1, 2), found)
    moved = Y.view(-1, 6, 5).roll((2, 1), (1, 2)).flatten(1)
    other = sparse_maps.sunsal_tv(products(moved, D), (6, 5), 0.01, 0.05, iterations=40).X
    torch.testing.assert_close(maps_of(other, (6, 5)), found.roll((2, 1), (1, 2)))


def plain_iterations(Y, D, step, count, copies, others):
    """The published iterations with all arrays of the bands; `others` are their further copies."""
    system = torch.linalg.inv(D.T @ D + copies * torch.eye(D.shape[1], dtype=torch.float64))
    U = system @ D.T @ Y
    V, d = D @ U, torch.zeros_like(Y)
    pull = others(U, first=True)
    for _ in range(count):
        U = system @ (D.T @ (V + d) + pull)
        V = (Y + step * (D @ U - d)) / (1 + step)
        d = d - (D @ U - V)
        pull = others(U)
    return U


def soft(a, by):
    return a.sign() * (a.abs() - by).clamp(min=0)


def test_total_variation_takes_the_published_steps():
    Y, D, given, shape = image()
    mu, l1, tv = 0.05, 0.01, 0.02
    rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64)[:, None] for n in shape)
    transfer = (
        1
        + (torch.exp(2j * torch.pi * rows) - 1).abs() ** 2
        + ((torch.exp(2j * torch.pi * columns) - 1).abs() ** 2).T
    )
    state = {}

    def others(U, first=False):
        X = maps_of(U, shape)
        s = state
        if first:
            zero = torch.zeros_like(X)
            h, v = sparse_maps.differences(X)
            s.update(V2=X, V3=X, V4=X, h=h, v=v, d2=zero, d3=zero, d4=zero, dh=zero, dv=zero)
        else:
            s["V2"], s["V3"] = (X - s["d2"]).clamp(min=0), soft(X - s["d3"], l1 / mu)
            right = sparse_maps.differences_adjoint(s["h"] + s["dh"], s["v"] + s["dv"]) + X - s["d4"]
            s["V4"] = torch.fft.ifft2(torch.fft.fft2(right) / transfer).real
            h, v = sparse_maps.differences(s["V4"])
            s["h"], s["v"] = soft(h - s["dh"], tv / mu), soft(v - s["dv"], tv / mu)
            s["dh"], s["dv"] = s["dh"] - (h - s["h"]), s["dv"] - (v - s["v"])
            for k in "234":
                s[f"d{k}"] = s[f"d{k}"] - (X - s[f"V{k}"])
        return sum(s[f"V{k}"] + s[f"d{k}"] for k in "234").flatten(1)

    expected = plain_iterations(Y, D, mu, 12, 3, others)
    found = sparse_maps.sunsal_tv(given, shape, l1, tv, step=mu, iterations=12)
    torch.testing.assert_close(found.X, expected, atol=1e-10, rtol=0)
    assert not found.converged


# --------------------------------------------------------------------------- spatial weights


def test_neighbours_of_a_constant_beyond_the_border_are_zero():
    means = sparse_maps.neighbours(torch.full((1, 5, 4), 2.0, dtype=torch.float64))[0]
    assert means[2, 2] == pytest.approx(2)
    assert means[0, 2] == pytest.approx(2 * 0.646447, rel=1e-6)
    assert means[0, 0] == pytest.approx(2 * 0.396447, rel=1e-6)


@pytest.mark.parametrize("weight", [0.0, 0.01])
def test_without_weights_s2wsu_is_sunsal(weight):
    _, _, given, shape = image()
    found = sparse_maps.s2wsu(given, shape, weight, rounds=2000, thresholds=torch.full_like)
    torch.testing.assert_close(found.X, exact(given, weight), atol=1e-5, rtol=0)


def test_s2wsu_takes_the_published_steps_and_flips():
    Y, D, given, shape = image()
    mu, weight, state = 0.5, 0.01, {"count": 0}

    def others(U, first=False):
        X, s = maps_of(U, shape), state
        if first:
            s.update(V2=X, V3=X, d2=torch.zeros_like(X), d3=torch.zeros_like(X))
        else:
            s["V2"], s["V3"] = (X - s["d2"]).clamp(min=0), soft(X - s["d3"], s["T"])
            s["d2"], s["d3"] = s["d2"] - (X - s["V2"]), s["d3"] - (X - s["V3"])
            s["count"] += 1
        if s["count"] % 5 == 0:
            R = s["V3"] - s["d3"]
            size = R.flatten(1).norm(dim=1).view(-1, 1, 1)
            s["T"] = weight / mu / ((0.01 + sparse_maps.neighbours(R).abs()) * size)
        return (s["V2"] + s["d2"] + s["V3"] + s["d3"]).flatten(1)

    expected = plain_iterations(Y, D, mu, 20, 2, others)
    found = sparse_maps.s2wsu(given, shape, weight, rounds=4)
    torch.testing.assert_close(found.X, expected, atol=1e-10, rtol=0)
    flipped = products(Y.view(-1, *shape).flip(1).flatten(1), D)
    other = sparse_maps.s2wsu(flipped, shape, weight, rounds=4).X
    torch.testing.assert_close(maps_of(other, shape).flip(1).flatten(1), found.X)


def test_an_atom_that_nobody_has_stays_away():
    Y, D, _, shape = image()
    given = products(Y, torch.cat([D, torch.zeros_like(D[:, :1])], dim=1))
    for weight in (0.0, 0.01):
        assert torch.isfinite(sparse_maps.s2wsu(given, shape, weight, rounds=3).X).all()


# --------------------------------------------------------------------------- a weight that nobody tunes


@pytest.fixture(scope="module")
def noisy():
    """A library ``(30, 8)``, 200 pixels of three of its spectra, and noise of 0.02 on them."""
    rng = np.random.default_rng(3)
    D = rng.random((30, 8))
    X = np.zeros((8, 200))
    X[[1, 4, 6]] = rng.dirichlet(np.ones(3), 200).T
    return D, X, D @ X + 0.02 * rng.standard_normal((30, 200))


def by_sklearn(D, Y, weight):
    lasso = Lasso(alpha=weight / len(D), positive=True, fit_intercept=False, tol=1e-12, max_iter=100_000)
    return np.column_stack([lasso.fit(D, y).coef_ for y in Y.T])


def test_the_weight_has_the_least_of_steins_estimates(noisy):
    D, _, Y = noisy
    weights, risks = chosen_by(*products(torch.from_numpy(Y), torch.from_numpy(D)), len(D))
    start = np.column_stack([nnls(D, y)[0] for y in Y.T])
    noise = np.sum((Y - D @ start) ** 2) / (Y.size - (start > 0).sum())
    assert np.sqrt(noise) == pytest.approx(0.02, rel=0.03)

    def risk(weight):
        X = by_sklearn(D, Y, weight)
        return (np.sum((Y - D @ X) ** 2) / noise + 2 * (X > 1e-12).sum()) / Y.size

    best = int(np.argmin(risks))
    assert risks[best] == pytest.approx(risk(weights[best]), rel=1e-6)
    assert risks[best] <= min(risk(weights[best] * by) for by in (1e-3, 0.1, 0.5, 2, 10)) + 1e-3


def test_the_estimate_tells_the_risk(noisy):
    D, X, _ = noisy
    rng = np.random.default_rng(8)
    apart = []
    for _ in range(5):  # the true risk, less what no weight changes, against the estimate
        W = 0.02 * rng.standard_normal((30, 200))
        weights, risks = chosen_by(*products(torch.from_numpy(D @ X + W), torch.from_numpy(D)), 30)
        found = by_sklearn(D, D @ X + W, weights[0])
        apart.append(np.sum((D @ X - D @ found) ** 2) / 0.02**2 / W.size - (risks[0] - 1))
    assert abs(np.mean(apart)) < 3 * np.std(apart) / np.sqrt(4) + 0.02


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e4])
def test_a_weight_goes_with_the_unit_of_the_image(noisy, factor):
    D, _, Y = noisy
    weights, risks = chosen_by(*products(torch.from_numpy(Y), torch.from_numpy(D)), 30)
    scaled = products(torch.from_numpy(factor * Y), torch.from_numpy(factor * D))
    others, same = chosen_by(*scaled, 30)
    np.testing.assert_allclose(same, risks, rtol=1e-6)
    np.testing.assert_allclose(others, np.array(weights) * factor**2, rtol=1e-6)


def test_without_noise_hardly_anything_is_taken_off():
    scene = pure_pixel_scene()
    found = unmixed("sunsal-sure", scene)
    np.testing.assert_allclose(whole(found), embedded(scene.A, [0, 1, 2], 6), atol=1e-3)
    tried = found.history
    assert len(tried["weight"]) == len(tried["risk"]) > 5
    dark = unmixed("sunsal-sure", replace(scene, Y=np.zeros_like(scene.Y)))
    assert dark.E.shape[1] == 0


@pytest.mark.real_data
@pytest.mark.slow
def test_nobody_has_to_know_the_truth_of_dc1():
    real("dc1")
    record = runs.execute(Run("sunsal-sure", SceneSpec("dc1", snr_db=20)))
    assert record.scores["sre-abundances-plain"] > 2.268 - 0.1  # 2.268 is the best of all weights


# --------------------------------------------------------------------------- regions


def unmixed(name, scene, **given):
    return get(name).unmix(scene, library=toy_library(scene), **given)


def whole(found):
    return embedded(found.A, found.active, 6)


@pytest.mark.parametrize("reading", ["document", "code"])
def test_regions_of_a_pixel_and_of_the_image(reading):
    scene, precise = pure_pixel_scene(), {"reading": reading, "tolerance": 1e-9, "iterations": 50_000}
    alone = partial(unmixed, "sunsal", scene, **precise)
    near = {"coarse_weight": 0.001, "fine_weight": 0.0, "nearness": 1e4}
    each = replace(
        get("mua-slic"), solve=partial(mua.solve, lambda scene, settings: np.arange(35).reshape(7, 5))
    )
    of_pixels = each.unmix(scene, library=toy_library(scene), **near, **precise)
    np.testing.assert_allclose(whole(of_pixels), whole(alone(weight=0.001)), atol=1e-4)
    free = unmixed("mua-slic", scene, size=2, nearness=0.0, fine_weight=0.002, **precise)
    np.testing.assert_allclose(whole(free), whole(alone(weight=0.002)), atol=1e-4)
    spread = whole(unmixed("mua-bpt", scene, side=7, **near, **precise))
    np.testing.assert_allclose(spread, spread[:, :1, :1] * np.ones((1, 7, 5)), atol=1e-3)


# --------------------------------------------------------------------------- the contract


@pytest.mark.parametrize("name", [name for name in SPARSE if name not in ("suncnn", "sunsal-sure")])
def test_a_weight_that_is_too_large_leaves_no_endmember(name):  # a network has none, and sums to one
    scene = pure_pixel_scene()
    weights = {row["setting"]: 1e6 for row in get(name).describe() if row["setting"].endswith("weight")}
    quick = dict(get(name).quick) | {"nearness": 0.0} if "mua" in name else dict(get(name).quick)
    found = get(name).unmix(scene, library=toy_library(scene), **quick | weights)
    assert found.E.shape == (12, 0)
    assert found.A.shape == (0, 7, 5)
    assert found.active.tolist() == []
    assert found.status is not Status.DEGENERATE
    scores, _ = metrics.score(found, scene, metrics.Truth(library=toy_library(scene).spectra))
    assert scores["sre-abundances"] == 0
    assert scores["mse-reconstruction"] == pytest.approx(np.mean(scene.Y.astype(float) ** 2))


def test_a_coherent_library_is_not_degenerate():
    scene = pure_pixel_scene()
    D = scene.E[:, [0, 1, 2, 0]].astype(float)
    D[:, 3] *= 1 + 1e-9
    library = SpectralLibrary(D, np.arange(4), tuple("abcd"))
    found = get("s2wsu").unmix(scene, library=library, weight=0.0, rounds=5)
    assert found.active.tolist() == [0, 1, 2, 3]
    assert found.status is Status.FINISHED


def test_asc_where_it_is_asked_for():
    scene = pure_pixel_scene()
    for reading in ("document", "code"):
        found = unmixed("sunsal", scene, reading=reading, sum_to_one=True, tolerance=1e-9, iterations=20_000)
        np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-5)


def test_scores_are_over_the_whole_library_and_nothing_is_aligned():
    scene = pure_pixel_scene()
    library = toy_library(scene).taken([5, 2, 0, 1, 4])
    found = get("sunsal").unmix(scene, library=library, weight=0.01)
    scores, same = metrics.score(found, scene, metrics.Truth(library=library.spectra))
    X = embedded(scene.A, [2, 3, 1], 5)
    X_hat = embedded(found.A, found.active, 5)
    assert same is found
    assert scores["rmse-abundances"] == pytest.approx(np.sqrt(np.mean((X - X_hat) ** 2)))
    assert scores["sre-abundances"] == 2 * scores["sre-abundances-plain"]
    assert scores["sre-abundances-plain"] == pytest.approx(
        10 * np.log10(np.linalg.norm(X) / np.linalg.norm(X - X_hat))
    )
    without, _ = metrics.score(found, scene, metrics.Truth(library=library.spectra[:, :3]))
    assert "rmse-abundances" not in without


def test_records_keep_which_spectra_they_have_and_published_maps_their_sums():
    scene = pure_pixel_scene()
    found = unmixed("sunsal", scene, weight=0.5)
    run = Run("sunsal", SceneSpec("dc1"), settings={"weight": 0.5})
    record = made_record(run, found, {}, scene=scene, seconds=1.0, device="cpu")
    again = open_record(sealed(record), record.key, "here").unmixing
    np.testing.assert_array_equal(again.A, found.A)
    np.testing.assert_array_equal(again.active, found.active)
    published = open_record(sealed(light(record, maps=True)), record.key, "here").unmixing
    assert found.A.sum(axis=0).max() < 0.95
    np.testing.assert_allclose(published.A, found.A, atol=1 / 509)
    assert published.status is found.status


@pytest.mark.parametrize("name", ["sunsal-tv", "s2wsu"])
def test_single_precision_is_near(name):
    scene = pure_pixel_scene()
    one, two = (unmixed(name, scene, precision=p, **dict(get(name).quick)) for p in ("single", "double"))
    np.testing.assert_allclose(whole(one), whole(two), atol=1e-3)


@pytest.mark.parametrize("name", [name for name in SPARSE if name != "sunsal-sure"])
def test_an_image_that_is_projected_first_is_the_projected_image(name):
    scene = pure_pixel_scene()
    noisy = replace(scene, Y=scene.Y + 0.05 * np.random.default_rng(0).standard_normal(scene.Y.shape))
    Y = noisy.pixels.astype(float)
    U = np.linalg.svd(Y)[0][:, :3]
    projected = replace(noisy, Y=(U @ U.T @ Y).reshape(scene.Y.shape))
    given = dict(get(name).quick) | {"library": toy_library(scene)}
    ours, theirs, plain = (
        get(name).unmix(image, **given | {"rank": rank})
        for image, rank in ((noisy, 3), (projected, 0), (noisy, 0))
    )
    np.testing.assert_allclose(whole(ours), whole(theirs), atol=1e-3)
    assert np.abs(whole(ours) - whole(plain)).max() > 1e-3


def test_the_library_of_a_run_is_part_of_its_key_only_where_there_is_one():
    spec = SceneSpec("dc1", snr_db=30)
    own, usgs = Run("sunsal", spec), Run("sunsal", spec, settings={"chosen_from": "usgs"})
    assert own.library == "dc1"
    assert "library" not in own.asked()
    assert usgs.library == "usgs"
    assert usgs.asked()["library"].startswith("sha256:")
    assert Run.from_asked(usgs.asked()).key == usgs.key != own.key
    assert Run("fclsu", spec).library == ""
    with pytest.raises(
        ValueError, match=r"sim1 has no library of its own, as lagoon, dc1, .* have: choose from 'usgs'"
    ):
        scenes.library_of("sim1")


def test_the_embedded_scene_has_a_library_of_its_own():
    library, scene = scenes.library_of("lagoon"), scenes.load("lagoon")
    assert library.spectra.shape == (64, 24)
    assert library.names[:4] == scene.materials
    np.testing.assert_array_equal(library.spectra[:, :4].astype(np.float32), scene.E)
    assert 0 < library.spectra.min() < library.spectra.max() < 1
    assert len(library.pruned(2.0).names) == 24
    record = runs.execute(Run("sunsal", SceneSpec("lagoon", crop=(0, 0, 12, 10)), settings={"weight": 0.001}))
    assert record.scores["sre-abundances-plain"] > 3


# --------------------------------------------------------------------------- DC1


@pytest.fixture(scope="module")
def dc1():
    real("dc1")
    library = scenes.library_of("dc1")
    scene = scenes.load(SceneSpec("dc1", snr_db=30))
    D, Y = torch.from_numpy(library.spectra.copy()), torch.from_numpy(scene.pixels.astype(np.float64))
    return products(Y, D), embedded(scene.A.reshape(5, -1), range(1, 6), 240)


@pytest.mark.real_data
def test_collaborative_minima_of_a_small_problem():
    real("dc1")
    D = scenes.library_of("dc1").spectra[:, :40]
    rng = np.random.default_rng(0)
    X = np.zeros((40, 60))
    X[1:4] = rng.dirichlet(np.ones(3), 60).T
    Y = D @ X + 0.01 * rng.standard_normal((224, 60))
    given = products(torch.from_numpy(Y), torch.from_numpy(D.copy()))
    for weight, minimum, rows in ((0.1, 1.57634360, 16), (1, 9.23369821, 9), (5, 39.43436904, 5)):
        found = clsunsal(given, weight, joint=True, tolerance=1e-9, iterations=50_000).X.numpy()
        value = 0.5 * np.sum((Y - D @ found) ** 2) + weight * np.linalg.norm(found, axis=1).sum()
        assert value == pytest.approx(minimum, rel=1e-7)
        assert (np.linalg.norm(found, axis=1) > 0).sum() == rows


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "expected", "within"),
    [
        ("sunsal", {"reading": "code", "weight": 0.1}, 4.4863, 0.002),
        ("sunsal", {"weight": 0.1}, 4.5308, 0.0005),
        ("clsunsal", {"reading": "code", "weight": 5.0}, 5.450, 0.01),
        ("mua-slic", {"reading": "code"}, 7.9019, 0.001),
        ("mua-slic", {}, 7.902, 0.001),
    ],
)
def test_published_figures_on_dc1(name, settings, expected, within):
    real("dc1")
    record = runs.execute(Run(name, SceneSpec("dc1", snr_db=30), settings=settings))
    assert record.scores["sre-abundances-plain"] == pytest.approx(expected, abs=within)
    assert runs.rescored(record).scores == record.scores
    assert len(record.arrays["active"]) == len(record.arrays["A"]) == record.arrays["E"].shape[1]


@pytest.mark.real_data
@pytest.mark.slow
def test_published_errors_on_dc1_at_little_noise():
    real("dc1")
    settings = {"reading": "code", "weight": 0.01}
    scores = runs.execute(Run("sunsal", SceneSpec("dc1", snr_db=40), settings=settings)).scores
    assert scores["sre-abundances"] == pytest.approx(2 * 6.9161, abs=0.001)
    assert scores["rmse-abundances"] == pytest.approx(0.007027, abs=1e-6)


@pytest.mark.real_data
def test_first_steps_on_dc1(dc1):
    given, X = dc1
    found = sparse_maps.sunsal_tv(given, (75, 75), 0.007, 0.01, iterations=10).X
    assert metrics.sre_db(found.numpy(), X) == pytest.approx(6.939, abs=0.001)
    ours = sparse_maps.s2wsu(given, (75, 75), 0.005, rounds=1).X
    assert metrics.sre_db(ours.numpy(), X) > 0
