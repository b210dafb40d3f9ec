"""VCA, SiVM and SNPA: pure pixels found exactly, both branches of VCA, noise, borders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes_helpers import real
from scipy.optimize import minimize
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.metrics import alignment
from hsu_lib.scene import Scene
from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers.extraction import sivm, snpa, vca
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.subspace import svd_truncation


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


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_snpa_finds_the_pure_pixels(seed, endmembers):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=endmembers, seed=seed)
    found = snpa(scene.pixels, endmembers)
    assert set(found.indices) == set(range(endmembers))
    np.testing.assert_array_equal(found.E, scene.pixels[:, found.indices].astype(float))


def mixtures_of(E, pixels=60):
    """Pixels, the first of which are pure."""
    rng = np.random.default_rng(0)
    A = rng.dirichlet(np.ones(E.shape[1]), pixels).T
    A[:, : E.shape[1]] = np.eye(E.shape[1])
    return E @ A


@pytest.mark.parametrize(("one", "two"), [(0.8, -0.3), (-0.2, 0.6)])
def test_snpa_finds_an_endmember_that_depends_linearly_on_the_others(one, two):
    x = np.linspace(0, 1, 12)
    E = np.column_stack([1 + x, 2 - x, one * (1 + x) + two * (2 - x)])
    assert E.min() > 0
    Y = mixtures_of(E)
    assert set(snpa(Y, 3).indices) == {0, 1, 2}
    # orthogonal projections see nothing that two of the three do not explain
    for pair in ([0, 1], [0, 2], [1, 2]):
        assert np.abs(Y - E[:, pair] @ np.linalg.lstsq(E[:, pair], Y)[0]).max() < 1e-12


def test_snpa_cannot_see_an_endmember_that_is_a_darkened_mixture_of_the_others():
    x = np.linspace(0, 1, 12)
    Y = mixtures_of(np.column_stack([1 + x, 2 - x, 0.3 * (1 + x) + 0.3 * (2 - x)]))
    first = snpa(Y, 2)
    assert set(first.indices) == {0, 1}
    assert max(distance_to_hull(y, first.E) for y in Y.T) < 1e-5


def distance_to_hull(y, E):
    """Distance to the hull of the columns of `E` and the origin, by a general solver."""
    found = minimize(
        lambda h: ((y - E @ h) ** 2).sum(),
        np.full(E.shape[1], 0.5 / E.shape[1]),
        jac=lambda h: -2 * E.T @ (y - E @ h),
        bounds=[(0, 1)] * E.shape[1],
        constraints={"type": "ineq", "fun": lambda h: 1 - h.sum(), "jac": lambda h: -np.ones_like(h)},
        options={"ftol": 1e-14},
    )
    return np.sqrt(found.fun)


def test_snpa_takes_what_those_before_explain_worst():
    Y = np.random.default_rng(0).random((4, 40))
    chosen = list(snpa(Y, 4).indices)
    assert chosen[0] == np.linalg.norm(Y, axis=0).argmax()
    for k in range(1, 4):
        distances = [distance_to_hull(y, Y[:, chosen[:k]]) for y in Y.T]
        assert chosen[k] == np.argmax(distances)


@pytest.mark.parametrize("snr_db", [20, 40])
def test_noise_moves_the_endmembers_only_a_little(snr_db):
    scene = pure_pixel_scene(19, 23, bands=60, endmembers=3)
    noisy = add_noise(scene.pixels, snr_db, 0)
    limit = np.deg2rad({20: 8.0, 40: 1.5}[snr_db])

    def worst(found):
        return alignment.spectral_angle(found.E[:, alignment.align(found.E, scene.E)], scene.E).max()

    assert worst(sivm(noisy, 3)) < limit
    assert worst(snpa(noisy, 3)) < limit
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


@pytest.mark.parametrize("pick", [sivm, snpa, lambda Y, p: vca(Y, p, seed=0)])
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


@pytest.mark.parametrize("pick", [sivm, snpa, lambda Y, p: vca(Y, p, seed=0)])
def test_degenerate_images_give_finite_endmembers(pick):
    for Y in (np.ones((4, 9)), np.zeros((4, 9)), np.outer(np.arange(4.0), np.ones(9))):
        found = pick(Y, 3)
        assert np.isfinite(found.E).all()
        assert len(found.indices) == 3


# --------------------------------------------------------------------------- readings


@pytest.mark.parametrize("branch", ["principal", "projective"])
def test_the_branch_of_vca_is_the_one_that_the_noise_would_take_or_the_other(branch):
    Y = np.random.default_rng(0).random((20, 300))
    forced = {"principal": 0.0, "projective": 60.0}[branch]
    for other in (0.0, 60.0):
        found = vca(Y, 5, seed=3, branch=branch, snr_db=other)
        np.testing.assert_array_equal(found.E, vca(Y, 5, seed=3, snr_db=forced).E)


@pytest.mark.parametrize("draws", ["normal", "uniform"])
def test_directions_of_vca_have_the_law_that_is_asked_for(draws):
    # the first lies in a plane; of a circle there it takes the pixel it points at, or the opposite one
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 2000)
    plane = np.linalg.qr(rng.standard_normal((6, 2)))[0]
    Y = 3 + plane @ np.vstack([np.cos(angle), np.sin(angle)])
    first = [vca(Y, 3, seed=seed, draws=draws, branch="principal").indices[0] for seed in range(200)]
    centred = Y - Y.mean(axis=1, keepdims=True)
    basis = np.linalg.svd(centred, full_matrices=False)[0][:, :2]
    one, two = (basis * np.where(basis.sum(axis=0) < 0, -1, 1)).T @ centred[:, first]
    share = np.mean(one * two > 0)  # of directions whose entries have the same sign
    assert share > 0.98 if draws == "uniform" else 0.35 < share < 0.65


@pytest.mark.parametrize("draws", ["normal", "uniform"])
def test_vca_finds_the_pure_pixels_whatever_it_draws(draws):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=4)
    for seed in range(5):
        assert set(vca(scene.pixels, 4, seed=seed, draws=draws).indices) == {0, 1, 2, 3}


def test_sivm_starts_far_from_the_mean_or_from_the_origin():
    # bright pixels lie around the mean, and one dark one far from it
    Y = np.array([[5.0, 6.0, 5.0, 1.0], [5.0, 5.0, 5.5, 1.0]])
    assert list(sivm(Y, 2).indices) == [3, 1]
    assert list(sivm(Y, 2, start="origin").indices) == [1, 3]


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_sivm_from_the_origin_finds_the_pure_pixels(seed, endmembers):
    scene = pure_pixel_scene(9, 11, bands=30, endmembers=endmembers, seed=seed)
    found = sivm(scene.pixels, endmembers, start="origin")
    assert set(found.indices) == set(range(endmembers))
    assert found.indices[0] == np.linalg.norm(scene.pixels[:, :endmembers], axis=0).argmax()


def test_the_truncation_is_the_nearest_image_of_its_rank():
    Y = np.random.default_rng(0).normal(1, 1, (6, 20))
    U, s, Vt = np.linalg.svd(Y, full_matrices=False)
    for rank in (1, 3, 6):
        np.testing.assert_allclose(svd_truncation(Y, rank), U[:, :rank] * s[:rank] @ Vt[:rank], atol=1e-12)


def test_the_readings_are_settings_of_their_methods():
    scene = pure_pixel_scene(9, 11)
    noisy = Scene(add_noise(scene.Y, 15, 0), scene.E)
    Y = noisy.pixels
    for draws, branch in (("uniform", "principal"), ("normal", "projective")):
        u = get("vca-fclsu").unmix(noisy, seed=2, draws=draws, branch=branch)
        np.testing.assert_allclose(u.E, vca(Y, 3, seed=2, draws=draws, branch=branch).E, rtol=1e-6)
    low = svd_truncation(Y, 3)
    picked = low[:, sivm(low, 3, start="origin").indices]
    u = get("sivm-fclsu").unmix(noisy, farthest_from="origin", project=True)
    np.testing.assert_allclose(u.E, picked, rtol=1e-5)
    np.testing.assert_allclose(u.A.reshape(3, -1), fclsu(Y, picked), atol=1e-5)
    u = get("undip").unmix(noisy, farthest_from="origin", project=True, iterations=1, filters=2)
    np.testing.assert_allclose(u.E, picked, rtol=1e-5)


def errors(u, scene):
    """RMSE of abundances in percent, of all and of each endmember."""
    scores, _ = metrics.score(u, scene)
    order = alignment.align(u.E, scene.E)
    each = np.sqrt(np.mean((u.A[order] - scene.A) ** 2, axis=(1, 2)))
    return 100 * np.array([scores["rmse-abundances"], *each])


@pytest.mark.real_data
def test_samson_with_the_endmembers_that_undip_starts_from():
    scene = real("samson", "misicnet")
    u = get("sivm-fclsu").unmix(scene, farthest_from="origin", project=True)
    np.testing.assert_allclose(errors(u, scene), [17.63, 17.78, 13.30, 20.96], atol=0.006)


@pytest.mark.real_data
def test_samson_with_the_endmembers_that_vca_finds_most_often():
    scene = real("samson", "misicnet")
    found = [errors(get("vca-fclsu").unmix(scene, seed=seed), scene) for seed in range(10)]
    modal = [np.allclose(e, [13.87, 17.66, 6.53, 14.92], atol=0.006) for e in found]
    assert sum(modal) >= 4
