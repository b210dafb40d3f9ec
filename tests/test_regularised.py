"""NMF with terms: figures of public code, objectives that never rise, known answers of each term."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rivals_fixture import SHAPE, fixture
from scenes_helpers import real
from scipy.optimize import minimize
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.scene import Scene
from hsu_lib.solvers import factorization
from hsu_lib.solvers.factorization import nmf
from hsu_lib.solvers.nmf_terms import (
    Graph,
    Neighbours,
    Smoothed,
    Sparse,
    SumToOne,
    less_variation,
    sparseness,
    spectral_graph,
)

F = fixture()


def graph(Y=F.Y, neighbours=3):
    return spectral_graph(torch.from_numpy(Y), neighbours, 1.0)


def after_50(*terms, asc=15.0):
    start = F.Y, F.E0, F.A0
    return nmf(*start, terms=[SumToOne(asc), *terms], first="endmembers", iterations=50, tolerance=0)


# --------------------------------------------------------------------------- public code


#: Residual, sum of E, squared norm of A and A[0, 0] after 50 passes: an independent implementation that
#: agrees with the public code of TV-RSNMF to 1e-11.
REFERENCES = {
    "ASC alone": ([], (3.5872540375, 19.2115656260, 10.2658683446, 0.2991515199)),
    "l1/2": ([Sparse(0.05, "root", 1e-4)], (3.5867095573, 19.2150438191, 10.2641394629, 0.2988936661)),
    "reweighted": ([Sparse(0.01, "log")], (3.5866410078, 19.2138244856, 10.2662161553, 0.2988260353)),
    "variation": (
        [Sparse(0.01, "log"), Smoothed(10, 0.04, SHAPE)],
        (3.6362091394, 19.2111187782, 10.2316272678, 0.3011295801),
    ),
    "damped": (
        [Sparse(0.01, "log"), Smoothed(10, 0, SHAPE)],
        (3.6013403923, 19.2119359974, 10.2649483359, 0.2985961279),
    ),
    "graph": (
        [Sparse(0.05, "root", 1e-4), Graph(0.15, graph())],
        (3.5716192005, 19.2182940573, 10.2550706977, 0.3015974749),
    ),
}


def test_the_fixture_is_that_of_the_figures():
    np.testing.assert_allclose((F.E.sum(), F.Y.sum()), (19.026199763941, 191.208314341548), rtol=1e-13)
    np.testing.assert_allclose(sparseness(F.Y), 0.131212275630, rtol=1e-10)


@pytest.mark.parametrize("name", REFERENCES)
def test_fifty_passes_end_where_those_of_public_code_do(name):
    terms, expected = REFERENCES[name]
    found = after_50(*terms)
    figures = found.objective[-1], found.E.sum(), (found.A**2).sum(), found.A[0, 0]
    np.testing.assert_allclose(figures, expected, rtol=2e-10)


# --------------------------------------------------------------------------- the engine


@pytest.mark.parametrize("first", ["abundances", "endmembers"])
def test_terms_of_no_weight_are_no_terms(first):
    terms = [SumToOne(0), Sparse(0, "root"), Sparse(0, "log"), Sparse(0, "l1"), Graph(0, graph())]
    with_terms = nmf(F.Y, F.E0, F.A0, terms=terms, first=first, iterations=40, tolerance=0)
    without = nmf(F.Y, F.E0, F.A0, first=first, iterations=40, tolerance=-1)
    np.testing.assert_array_equal(with_terms.E, without.E)
    np.testing.assert_array_equal(with_terms.A, without.A)
    np.testing.assert_allclose(with_terms.objective, without.objective, rtol=1e-10)
    assert without.penalised is None


def test_which_factor_comes_first_makes_another_path():
    one, two = (nmf(F.Y, F.E0, F.A0, first=f, iterations=1) for f in ("abundances", "endmembers"))
    A = F.A0 * (F.E0.T @ F.Y) / (F.E0.T @ F.E0 @ F.A0)
    np.testing.assert_allclose(one.A, A, rtol=1e-13)
    E = F.E0 * (F.Y @ F.A0.T) / (F.E0 @ F.A0 @ F.A0.T)
    np.testing.assert_allclose(two.E, E, rtol=1e-13)


@pytest.mark.parametrize(
    "terms",
    [
        [Sparse(0.3, "l1")],
        [Sparse(0.3, "root")],
        [Sparse(0.3, "root", 1e-4)],
        [Sparse(0.1, "log")],
        [Sparse(0.3, "root"), Graph(2.0, graph())],
        [Smoothed(10, 0.0, SHAPE)],
    ],
)
@pytest.mark.parametrize("asc", [0.0, 2.0, 15.0])
def test_no_pass_raises_the_objective(terms, asc):
    found = after_50(*terms, asc=asc)
    assert (np.diff(found.penalised) <= 1e-12 * abs(found.penalised[0])).all()
    assert found.penalised[-1] < found.penalised[0]


def test_it_has_converged_when_nothing_moves():
    settled = nmf(F.Y, F.E0, F.A0, terms=[SumToOne(1)], iterations=20_000, tolerance=1e-7)
    assert settled.converged
    again = nmf(F.Y, settled.E, settled.A, terms=[SumToOne(1)], iterations=1, tolerance=0)
    assert np.linalg.norm(again.A - settled.A) < 1.1e-7 * np.linalg.norm(settled.A)
    assert not nmf(F.Y, F.E0, F.A0, terms=[SumToOne(1)], iterations=3).converged


def test_a_strong_weight_makes_abundances_sum_to_one():
    off = {asc: abs(after_50(asc=asc).A.sum(axis=0) - 1).max() for asc in (0.0, 15.0)}
    assert off[15.0] < 0.01 < off[0.0]


# --------------------------------------------------------------------------- the terms


@pytest.mark.parametrize("terms", [terms for terms, _ in REFERENCES.values()] + [[Sparse(0.1, "l1")]])
def test_what_pulls_down_less_what_pulls_up_is_the_gradient(terms):
    A = torch.tensor(F.A0)
    for term in [SumToOne(3), *terms]:
        slope = torch.zeros_like(A) + term.down(A) - term.up(A)
        step = torch.randn(A.shape, generator=torch.Generator().manual_seed(0), dtype=A.dtype)
        rise = (term.share(A + 1e-5 * step) - term.share(A - 1e-5 * step)) / 2e-5
        if not isinstance(term, Smoothed):  # at the start its copy is A itself
            np.testing.assert_allclose(float((slope * step).sum()), rise, rtol=1e-6, atol=1e-9)
        else:
            assert not slope.any()


def test_the_weight_from_the_image_is_that_of_known_bands():
    assert sparseness(np.full((1, 9), 0.3)) == pytest.approx(0, abs=1e-12)
    one = np.zeros((1, 9))
    one[0, 4] = 7
    assert sparseness(one) == pytest.approx((3 - 1) / np.sqrt(8))
    assert sparseness(np.vstack([one, 0 * one])) == pytest.approx((3 - 1) / np.sqrt(8) / np.sqrt(2))
    assert sparseness(1e4 * F.Y) == pytest.approx(sparseness(F.Y))


def test_neighbours_in_the_graph_are_those_by_brute_force():
    S = graph().to_dense().numpy()
    apart = ((F.Y[:, :, None] - F.Y[:, None]) ** 2).sum(axis=0)
    near = np.argsort(apart + np.diag(np.full(30, np.inf)), axis=1)[:, :3]
    expected = np.zeros((30, 30))
    for i, others in enumerate(near):
        expected[i, others] = expected[others, i] = np.exp(-apart[i, others] / 2)
    np.testing.assert_allclose(S, expected, rtol=1e-12)


def test_the_graph_joins_equal_pixels_fully_and_costs_nothing_where_maps_are_flat():
    Y = F.Y.copy()
    Y[:, 17] = Y[:, 3]
    S = graph(Y).to_dense()
    assert S[3, 17] == S[17, 3] == 1
    assert Graph(2.0, graph(Y)).share(torch.full((3, 30), 0.4, dtype=torch.float64)) == pytest.approx(0)
    assert Graph(2.0, graph(Y)).share(torch.from_numpy(F.A)) > 0.05
    assert graph(Y[:, :1]).to_dense().tolist() == [[0]]  # nobody to be joined with


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.45])
def test_less_variation_of_a_step_brings_its_sides_together(weight):
    step = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    left = min(weight, 0.5)
    expected = torch.tensor([[[left, 1 - left], [left, 1 - left]]], dtype=torch.float64)
    torch.testing.assert_close(less_variation(step, weight), expected, atol=2e-3, rtol=0)


def test_less_variation_is_near_the_minimum_and_keeps_mean_and_range():
    b = F.A.reshape(3, *SHAPE)

    def objective(z, k):
        z = z.reshape(SHAPE)
        down, across = np.zeros(SHAPE), np.zeros(SHAPE)
        down[:-1], across[:, :-1] = np.diff(z, axis=0), np.diff(z, axis=1)
        return 0.5 * ((z - b[k]) ** 2).sum() + 0.05 * np.sqrt(down**2 + across**2 + 1e-12).sum()

    found = less_variation(torch.from_numpy(b), 0.05).numpy()
    for k, z in enumerate(found):
        best = minimize(objective, b[k].ravel(), args=(k,), options={"maxiter": 500}).fun
        assert best <= objective(z, k) * (1 + 1e-9) <= 1.01 * best * (1 + 1e-9)
        assert z.mean() == pytest.approx(b[k].mean())
        assert z.min() >= b[k].min()
        assert z.max() <= b[k].max()
    flat = torch.full((2, 4, 3), 0.3, dtype=torch.float64)
    torch.testing.assert_close(less_variation(flat, 5.0), flat)
    alone = less_variation(torch.from_numpy(b[:1]), 0.05)
    torch.testing.assert_close(alone[0], torch.from_numpy(found[0]))  # the other maps do not matter


def test_weights_are_large_where_neighbours_have_little():
    def weights(value):
        A = torch.full((1, 5, 7), value, dtype=torch.float64)
        A[0, 2, 3] = 0.9
        return Neighbours(1.0, (5, 7), rows=False).down(A.view(1, -1)).view(5, 7)

    dark, bright = weights(0.1), weights(0.8)
    assert dark[2, 3] > bright[2, 3]
    assert float(bright[2, 3]) == pytest.approx(1 / (0.01 + 0.8))
    assert bright[0, 0] > bright[1, 1]  # beyond the border is nothing
    A = torch.rand((2, 35), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with_rows, without = (Neighbours(1.0, (5, 7), rows).down(A) for rows in (True, False))
    torch.testing.assert_close(with_rows * A.norm(dim=1, keepdim=True), without)


# --------------------------------------------------------------------------- the methods


def images():
    scene = pure_pixel_scene(height=9, width=8)
    noise = np.random.default_rng(0).normal(scale=0.02, size=scene.Y.shape)
    return Scene(np.maximum(scene.Y + noise, 0), scene.E, scene.A)


@pytest.mark.parametrize(
    ("name", "none", "like", "theirs"),
    [
        ("tv-rsnmf", {"nearness": 0.0, "variation": 0.0}, "rsnmf", {}),
        ("glnmf", {"likeness": 0.0}, "l12-nmf", {}),
        ("sswnmf", {"sparsity": 0.0}, "rsnmf", {"sparsity": 0.0}),
        ("l12-nmf", {"sparsity": 0.0}, "rsnmf", {"sparsity": 0.0}),
    ],
)
def test_a_method_without_its_term_is_the_one_that_has_none(name, none, like, theirs):
    scene = images()
    one, two = get(name).unmix(scene, iterations=20, **none), get(like).unmix(scene, iterations=20, **theirs)
    np.testing.assert_array_equal(one.A, two.A)
    np.testing.assert_array_equal(one.E, two.E)
    other = get(name).unmix(scene, iterations=20)
    assert not np.array_equal(one.A, other.A)


def test_abundances_are_those_of_the_factorisation_over_their_sums(monkeypatch):
    kept = []

    def spied(*args, **given):
        kept.append(factorization.nmf(*args, **given))
        return kept[-1]

    monkeypatch.setattr("hsu_lib.methods.factorization.regularised.nmf", spied)
    u = get("l12-nmf").unmix(images(), iterations=20)
    A = kept[0].A
    assert abs(A.sum(axis=0) - 1).max() > 1e-5  # not quite, so that it matters
    np.testing.assert_allclose(u.A.reshape(3, -1), A / A.sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(u.history["penalised"], kept[0].penalised, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        # RMSE of the abundances and mean angle after 500 passes, over VCA's seeds 0 to 2
        ("l12-nmf", {}, (0.2635, 0.1305)),
        ("rsnmf", {}, (0.2915, 0.0635)),
        ("tv-rsnmf", {}, (0.2918, 0.0624)),
        ("glnmf", {}, (0.2635, 0.1305)),
        ("sswnmf", {"rows": False}, (0.2910, 0.0600)),
    ],
)
def test_on_samson_it_is_where_the_independent_implementation_was(name, given, expected):
    scene = real("samson")
    found = []
    for seed in range(3):
        scores, _ = metrics.score(get(name).unmix(scene, seed=seed, iterations=500, **given), scene)
        found.append((scores["rmse-abundances"], scores["sad-endmembers"]))
    np.testing.assert_allclose(np.mean(found, axis=0), expected, atol=1e-4)
