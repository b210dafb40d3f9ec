"""Archetypal analysis by entropic descent: single steps by hand, invariances, the selection of a start."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scenes_helpers import real
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.scene import Scene
from hsu_lib.solvers import archetypal
from hsu_lib.solvers.archetypal import (
    abundance_steps,
    archetypes,
    coherence,
    endmember_steps,
    select,
    step_sizes,
)
from hsu_lib.solvers.fclsu import fclsu


def softmax(X, axis):
    X = np.exp(X - X.max(axis=axis, keepdims=True))
    return X / X.sum(axis=axis, keepdims=True)


def random_image(*, bands=9, pixels=40, endmembers=3, starts=2):
    """Image, and first `A`, `B`, `E` and a rate of several starts, in double precision."""
    rng = np.random.default_rng(0)
    Y = torch.tensor(rng.random((bands, pixels)))
    B = torch.tensor(softmax(0.1 * rng.random((starts, endmembers, pixels)), 2))
    A = torch.full((starts, endmembers, pixels), 1 / endmembers, dtype=torch.float64)
    return Y, A, B, B @ Y.T


# --------------------------------------------------------------------------- steps


def literally(Y, A, B, rate, rate_b, count):
    """One round as it is written in the paper: the gradients of the whole image, nothing kept or centred."""
    for _ in range(count):
        E = Y @ B.T
        A = softmax(np.log(A) + rate * E.T @ (Y - E @ A), 0)
    for _ in range(count):
        B = softmax(np.log(B) + rate_b * (Y.T @ (Y - Y @ B.T @ A) @ A.T).T, 1)
    return A, B


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_a_round_is_that_of_the_paper_whatever_spectrum_is_added_to_all_pixels(shift):
    Y, A, B, E = random_image()
    rates = step_sizes(E, torch.tensor([1.0, 0.5], dtype=torch.float64), Y.shape[1])
    shifted = Y + shift * torch.linspace(0, 1, len(Y), dtype=torch.float64)[:, None]
    a = abundance_steps(shifted, A, B @ shifted.T, rates[0], 5)
    b, e = endmember_steps(shifted, a, B, B @ shifted.T, rates[1], 5)
    for k in range(2):
        expected = literally(*(X.numpy() for X in (Y, A[k], B[k])), *(float(r[k]) for r in rates), 5)
        np.testing.assert_allclose(a[k], expected[0], atol=1e-10)
        np.testing.assert_allclose(b[k], expected[1], atol=1e-10)
    torch.testing.assert_close(e, b @ shifted.T)


def test_rates_are_a_factor_over_the_largest_singular_value():
    E = random_image()[-1]
    for_A, for_B = step_sizes(E, torch.tensor([1.0, 8.0], dtype=torch.float64), 40)
    for k, factor in enumerate((1.0, 8.0)):
        expected = factor / np.linalg.svd(E[k].numpy(), compute_uv=False)[0] ** 2
        assert float(for_A[k]) == pytest.approx(expected, rel=1e-12)
        assert float(for_B[k]) == pytest.approx(expected * np.sqrt(3 / 40), rel=1e-12)
    assert [float(r) for r in step_sizes(torch.zeros(1, 3, 9), torch.ones(1), 3)] == [1.0, 1.0]


def test_a_step_of_two_abundances_by_hand():
    rng = np.random.default_rng(1)
    y, E, rate = rng.random(4), rng.random((4, 2)), 0.7
    gradient = E.T @ (E @ [0.5, 0.5] - y)
    expected = 1 / (1 + np.exp(rate * (gradient[0] - gradient[1])))
    half = torch.full((1, 2, 1), 0.5, dtype=torch.float64)
    Y = torch.tensor(y[:, None])
    step = abundance_steps(Y, half, torch.tensor(E.T[None]), torch.tensor([rate], dtype=Y.dtype), 1)
    np.testing.assert_allclose(step[0, :, 0], [expected, 1 - expected], rtol=1e-12)


def test_pixels_that_are_the_endmembers_stay_so_and_are_found():
    Y = torch.tensor(np.random.default_rng(2).random((6, 4)))
    eye, rates = torch.eye(4, dtype=torch.float64)[None], torch.ones(1, dtype=torch.float64)
    rate = step_sizes(Y.T[None], rates, 4)
    A = abundance_steps(Y, eye, Y.T[None], rate[0], 5)
    B, E = endmember_steps(Y, A, eye, Y.T[None], rate[1], 5)
    for found, expected in ((A, eye), (B, eye), (E, Y.T[None])):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    A = torch.full_like(eye, 0.25)
    for _ in range(30):
        A, before = abundance_steps(Y, A, Y.T[None], rate[0], 1), A
        assert (A.diagonal(dim1=1, dim2=2) > before.diagonal(dim1=1, dim2=2)).all()


def test_a_step_for_the_abundances_never_raises_the_objective():
    rng = np.random.default_rng(3)
    Y = torch.tensor(rng.random((9, 25)))
    E = torch.tensor(rng.random((100, 4, 9)) * rng.choice([0.1, 1, 10], (100, 1, 1)))
    A = torch.tensor(rng.dirichlet(np.ones(4), (100, 25))).mT.contiguous()

    def objective(A):
        return (Y - E.mT @ A).square().sum(dim=(1, 2))

    rate, _ = step_sizes(E, torch.ones(100, dtype=torch.float64), 25)
    first = objective(A)
    for _ in range(10):
        before, A = objective(A), abundance_steps(Y, A, E, rate, 1)
        assert (objective(A) <= before + 1e-12 * first).all()
    # and steps that are too long do
    assert (objective(abundance_steps(Y, A, E, 1000 * rate, 1)) > objective(A)).any()


def test_what_has_no_share_stays_without_and_nothing_becomes_nan():
    Y, A, B, E = random_image()
    A, B = A.clone(), B.clone()
    A[:, 0, 5], A[:, 1:, 5], B[:, 1, 7] = 0, 0.5, 0
    far = torch.tensor([1e4, 1e4], dtype=torch.float64)
    a = abundance_steps(Y, A, E, far, 3)
    b, _ = endmember_steps(Y, a, B, E, far, 3)
    assert (a[:, 0, 5] == 0).all()
    assert (b[:, 1, 7] == 0).all()
    torch.testing.assert_close(a.sum(dim=1), torch.ones(2, 40, dtype=torch.float64))
    torch.testing.assert_close(b.sum(dim=2), torch.ones(2, 3, dtype=torch.float64))


# --------------------------------------------------------------------------- starts


def image():
    """Noisy pixels of a mixture, ``(12, 99)``."""
    scene = pure_pixel_scene(height=9, width=11)
    return scene.pixels + 0.01 * np.random.default_rng(4).standard_normal(scene.pixels.shape)


def test_columns_of_abundances_and_rows_of_shares_are_on_the_simplex():
    found = archetypes(image(), 3, seed=0, starts=4, iterations=30)
    assert found.A.shape == found.B.shape == (4, 3, 99)
    assert min(found.A.min(), found.B.min()) >= 0
    np.testing.assert_allclose(found.A.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.B.sum(axis=2), 1, atol=1e-6)


def test_one_endmember_is_a_mixture_of_pixels():
    found = archetypes(image(), 1, seed=0, starts=2, iterations=30)
    np.testing.assert_array_equal(found.A, 1)
    np.testing.assert_allclose(found.B.sum(axis=2), 1, atol=1e-6)


def test_seeds_have_no_start_in_common_and_a_start_is_its_own(monkeypatch):
    few, many = (archetypes(image(), 3, seed=7, starts=n, iterations=5) for n in (2, 5))
    np.testing.assert_allclose(many.A[:2], few.A, atol=1e-5)
    other = archetypes(image(), 3, seed=8, starts=5, iterations=5)
    apart = np.abs(many.B[:, None] - other.B).max(axis=(2, 3))
    assert apart.min() > 1e-4
    monkeypatch.setattr(archetypal, "_VALUES", 2 * 3 * 99)  # two starts at once
    np.testing.assert_allclose(archetypes(image(), 3, seed=7, starts=5, iterations=5).A, many.A, atol=1e-5)


def test_a_run_follows_the_paper_from_its_start():
    Y = image()
    found = archetypes(Y, 3, seed=5, starts=1, iterations=3)
    rng = np.random.default_rng((5, 0))
    B = softmax(0.1 * rng.random((3, 99), dtype=np.float32).astype(float), 1)
    rate = 2.0 ** rng.integers(-3, 4) / np.linalg.norm(Y @ B.T, 2) ** 2
    A = np.full((3, 99), 1 / 3)
    for _ in range(3):
        A, B = literally(Y, A, B, rate, rate * np.sqrt(3 / 99), 5)
    np.testing.assert_allclose(found.A[0], A, atol=1e-4)
    np.testing.assert_allclose(found.B[0], B, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Y": np.ones(3)}, "as a matrix"),
        ({"Y": np.full((3, 4), np.nan)}, "finite"),
        ({"endmembers": 0}, "at least one"),
        ({"starts": 0}, "at least one"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        archetypes(**{"Y": np.ones((3, 4)), "endmembers": 2, "seed": 0} | given)


# --------------------------------------------------------------------------- selection


@pytest.mark.parametrize(
    ("residuals", "coherences", "tolerance", "expected"),
    [
        ([100, 104, 120], [0.9, 0.8, 0.1], 0.05, 1),
        ([100, 104, 120], [0.9, 0.8, 0.1], 0.2, 2),
        ([120, 100, 104], [0.1, 0.9, 0.8], 0.0, 1),
        ([100, 101, 101], [0.5, 0.4, 0.4], 0.05, 1),
        ([0, 0, 1], [0.5, 0.4, 0.1], 0.05, 1),
        ([3], [0.9], 0.05, 0),
    ],
)
def test_the_least_coherent_of_those_that_fit_is_selected(residuals, coherences, tolerance, expected):
    assert select(residuals, coherences, tolerance) == expected


def test_coherence_has_two_readings():
    E = np.random.default_rng(5).random((8, 3))
    products = [np.corrcoef(E.T), E.T @ E]
    for reading, all_pairs in zip(("correlation", "inner product"), products, strict=True):
        assert coherence(E, reading) == pytest.approx(max(all_pairs[0, 1], all_pairs[0, 2], all_pairs[1, 2]))
        assert coherence(E[:, :1], reading) == 0
    assert coherence(np.column_stack([E[:, 0], np.ones(8)])) == 0


# --------------------------------------------------------------------------- the method


def noisy_scene() -> Scene:
    scene = pure_pixel_scene(height=9, width=11)
    return Scene(image().reshape(scene.Y.shape), scene.E, scene.A)


def test_fclsu_with_its_endmembers_fits_no_worse():
    scene = noisy_scene()
    u = get("edaa").unmix(scene, starts=5)
    A, Y = u.A.reshape(3, -1).astype(float), scene.pixels.astype(float)
    own, exact = (np.linalg.norm(Y - u.E @ a) ** 2 for a in (A, fclsu(Y, u.E)))
    assert exact <= own * (1 + 1e-6)
    assert own < 1.05 * exact  # that is the gap: 100 rounds leave 0.3 percent


def test_its_history_tells_of_every_start():
    scene = noisy_scene()
    u = get("edaa").unmix(scene, starts=6, iterations=40)
    history = u.history
    assert {name: len(curve) for name, curve in history.items()} == {
        "residual": 6, "coherence": 6, "selected": 1, "stalled": 1
    }  # fmt: skip
    best = int(history["selected"][0])
    np.testing.assert_allclose(
        history["residual"][best], np.abs(scene.pixels - u.E @ u.A.reshape(3, -1)).sum(), rtol=1e-5
    )
    np.testing.assert_allclose(history["coherence"][best], coherence(u.E), rtol=1e-5)
    assert best == select(history["residual"], history["coherence"])
    # after one short round no start has left its symmetry
    first = get("edaa").unmix(scene, starts=6, iterations=1, abundance_steps=1, endmember_steps=1)
    assert first.history["stalled"] == [1]


def test_over_their_norms_pixels_may_be_of_any_brightness():
    scene = noisy_scene()
    bright = Scene(scene.Y * 2.0 ** np.random.default_rng(6).integers(-3, 4, scene.Y.shape[1:]))
    one, other = (get("edaa").unmix(s, endmembers=3, starts=3, normalise="l2") for s in (scene, bright))
    np.testing.assert_array_equal(one.A, other.A)
    assert not np.array_equal(one.E, other.E)  # they are in the image's unit
    dark = Scene(np.concatenate([scene.Y[:, :8], np.zeros((12, 1, 11))], axis=1))
    assert np.isfinite(get("edaa").unmix(dark, endmembers=3, starts=2, normalise="l2").E).all()


@pytest.mark.slow
@pytest.mark.real_data
def test_samson_is_unmixed_as_by_the_public_code():
    # over their norms, against the usual reference: 4.3 percent and 1.7 degrees are selected of 50 starts
    scene = real("samson", "end3")
    u = get("edaa").unmix(scene, normalise="l2")
    scores, _ = metrics.score(u, scene)
    assert 100 * scores["rmse-abundances"] == pytest.approx(4.27, abs=1)
    assert np.rad2deg(scores["sad-endmembers"]) == pytest.approx(1.66, abs=0.5)
    assert u.history["stalled"] == 0
