"""Scores against values known on paper, and their invariances."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsu_lib import metrics
from hsu_lib.metrics import alignment
from hsu_lib.metrics.truth import Reference, Truth
from hsu_lib.scene import Scene, Unmixing

positive = st.floats(0.015625, 1.0, width=32)
spectra = arrays(np.float64, (9, 4), elements=positive)
maps = arrays(np.float64, (4, 7, 5), elements=positive)


def test_spectral_angle_known():
    E_hat = np.array([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    E_ref = np.array([[1.0, 1.0, -2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(alignment.spectral_angle(E_hat, E_ref), [0, np.pi / 4, np.pi, np.pi / 2])


def test_spectral_angle_is_exact_where_the_arccosine_is_not():
    turn = 1e-7
    E_ref, E_hat = np.array([[1.0], [0.0]]), np.array([[np.cos(turn)], [np.sin(turn)]])
    assert alignment.spectral_angle(E_hat, E_ref)[0] == pytest.approx(turn, rel=1e-9)


@given(spectra, arrays(np.float64, 4, elements=st.floats(1e-3, 1e3)))
def test_spectral_angle_is_blind_to_scale_and_finite(E, scale):
    assert np.all(alignment.spectral_angle(E * scale, E) < 1e-7)


@given(spectra, st.permutations(range(4)))
def test_align_undoes_any_order(E, order):
    found = alignment.align(E[:, order], E)
    # equal or parallel spectra may be exchanged, but the matched angles are all zero
    assert np.all(alignment.spectral_angle(E[:, order][:, found], E) < 1e-7)


@pytest.mark.parametrize("rule", [alignment.align, alignment.align_nearest, alignment.align_greedily])
def test_every_rule_undoes_an_order(rule):
    E = np.random.default_rng(4).random((12, 5))
    order = [3, 0, 4, 1, 2]
    found = rule(E[:, order] + 1e-3, E)
    np.testing.assert_array_equal(np.array(order)[found], range(5))


def test_only_the_nearest_may_stand_for_two():
    E = np.array([[1.0, 0.9, 0.0], [0.0, 0.3, 0.0], [0.0, 0.0, 1.0]])
    twice = np.array([[0.95, 0.0, 0.1], [0.15, 0.3, 0.0], [0.0, 0.9, 1.0]])
    assert alignment.align_nearest(twice, E).tolist() == [0, 0, 2]
    assert sorted(alignment.align_greedily(twice, E)) == [0, 1, 2]
    assert sorted(alignment.align(twice, E)) == [0, 1, 2]
    copies = E[:, [0, 0, 2]]
    assert sorted(alignment.align_greedily(copies, E)) == [0, 1, 2]


def test_the_closest_pair_first_is_not_always_the_best_order():
    E, E_hat = (np.array([np.cos(t), np.sin(t)]) for t in (np.deg2rad([0, 10]), np.deg2rad([9, 21])))
    assert alignment.align_greedily(E_hat, E).tolist() == [1, 0]  # 1 and 21 degrees
    assert alignment.align(E_hat, E).tolist() == [0, 1]  # 9 and 11
    assert alignment.align_greedily(-E_hat, E).tolist() == [1, 0]  # of lines


@given(spectra, spectra)
def test_align_is_as_good_as_trying_all_orders(E_hat, E_ref):
    best = min(alignment.spectral_angle(E_hat[:, list(p)], E_ref).sum() for p in permutations(range(4)))
    found = alignment.spectral_angle(E_hat[:, alignment.align(E_hat, E_ref)], E_ref).sum()
    assert found == pytest.approx(best, abs=1e-9)


@given(maps, maps)
def test_own_order_is_as_good_as_trying_all_orders(A, B):
    tried = [list(p) for p in permutations(range(4))]
    assert metrics.mse_own_order(A, B) == pytest.approx(min(metrics.mse(A[p], B) for p in tried))
    best = max(metrics.cosine_pooled(A[p], B) for p in tried)
    assert metrics.cosine_own_order(A, B) == pytest.approx(best)


def test_errors_known():
    hat, ref = np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0]])
    assert metrics.mse(hat, ref) == 0.5
    assert metrics.mae(hat, ref) == 0.5
    assert metrics.rmse_pooled(hat, ref) == pytest.approx(np.sqrt(0.5))
    assert metrics.rmse_averaged(hat, ref) == 0.5  # (1 + 0) / 2
    np.testing.assert_array_equal(metrics.rmse_per_endmember(hat, ref), [1, 0])


@given(maps, maps)
def test_averaged_rmse_is_never_above_the_pooled_one(A, B):
    assert metrics.rmse_averaged(A, B) <= metrics.rmse_pooled(A, B) + 1e-12


def test_sre_known():
    ref = np.ones((2, 50))
    assert metrics.sre_db(1.1 * ref, ref) == pytest.approx(20)
    assert metrics.sre_db(1.1 * ref, ref, norms="plain") == pytest.approx(10)
    assert metrics.sre_db(ref, ref) == np.inf
    with pytest.raises(ValueError, match="all zero"):
        metrics.sre_db(ref, 0 * ref)


def test_cosines_differ_where_scales_do():
    E_ref = np.eye(2)
    E_hat = np.array([[10.0, 0.0], [1.0, 1.0]])
    assert metrics.cosine_pooled(E_hat, E_ref) == pytest.approx(11 / (np.sqrt(102) * np.sqrt(2)))
    assert metrics.cosine_mean(E_hat, E_ref) == pytest.approx((10 / np.sqrt(101) + 1) / 2)
    assert metrics.cosine_pooled(0 * E_hat, E_ref) == 0


def test_reconstruction_known():
    E, A = np.eye(2), np.array([[[0.25, 1.0]], [[0.75, 0.0]]])  # bands x endmembers; 1 x 2 pixels
    Y = np.array([[[0.25, 0.0]], [[0.75, 1.0]]])
    assert metrics.reconstruction_mse(Y, E, A) == pytest.approx(2 / 4)
    assert metrics.reconstruction_angle(Y, E, A) == pytest.approx(np.pi / 4)


def test_the_codes_cosine_scales_both_sides():
    scene = real_mixture()
    E = 3 * scene.E * np.array([1.0, 5.0, 0.2])
    scores, _ = metrics.score(Unmixing(E[:, [2, 0, 1]], scene.A[[2, 0, 1]]), scene)
    assert scores["cos-endmembers-code"] == pytest.approx(1)
    assert scores["cos-endmembers"] < 0.99


def test_contrast_error_known():
    ref = np.array([[[0.0, 1.0, 0.0, 1.0]], [[0.25, 0.75, 0.75, 0.25]]])  # deviations 0.5 and 0.25
    assert metrics.contrast_error(ref, ref) == 0
    assert metrics.contrast_error(1 - ref, ref) == pytest.approx(0)  # as much contrast, the other way round
    assert metrics.contrast_error(ref[..., ::-1], ref) == pytest.approx(0)  # wherever it is
    assert metrics.contrast_error(np.full_like(ref, 0.5), ref) == pytest.approx((0.5 + 0.25) / 2)
    assert metrics.contrast_error(0.5 + (ref - 0.5) / 5, ref) == pytest.approx(0.8 * (0.5 + 0.25) / 2)
    assert metrics.contrast_error(ref[::-1], ref) == pytest.approx(0.25)  # no cancelling between endmembers


def test_detail_correlation_known():
    ref = real_mixture().A
    assert metrics.detail_correlation(ref, ref) == pytest.approx(1)
    assert metrics.detail_correlation(0.3 + 0.1 * ref, ref) == pytest.approx(1)  # blind to contrast
    assert metrics.detail_correlation(1 - ref, ref) == pytest.approx(-1)
    assert metrics.detail_correlation(np.full_like(ref, 0.5), ref) == 0
    half = np.stack([ref[0], 1 - ref[1], np.zeros((7, 5))])
    assert metrics.detail_correlation(half, ref) == pytest.approx((1 - 1 + 0) / 3, abs=1e-6)
    # steps 1, -1, 0 against 0, 1, -1, along a row and along a column
    spot, beside = np.array([[[0.0, 1.0, 0.0, 0.0]]]), np.array([[[0.0, 0.0, 1.0, 0.0]]])
    assert metrics.detail_correlation(beside, spot) == pytest.approx(-0.5)
    assert metrics.detail_correlation(beside.mT, spot.mT) == pytest.approx(-0.5)


def test_detail_correlation_is_that_of_the_steps_between_neighbours():
    hat, ref = np.random.default_rng(0).random((2, 1, 70, 50))
    hat += ref
    steps = [np.concatenate([np.diff(a[0], axis=k).ravel() for k in (0, 1)]) for a in (hat, ref)]
    assert metrics.detail_correlation(hat, ref) == pytest.approx(np.corrcoef(*steps)[0, 1], abs=1e-4)


def test_a_single_pixel_has_neither_contrast_nor_details():
    one, other = np.array([[[0.3]], [[0.7]]]), np.array([[[0.9]], [[0.1]]])
    assert metrics.contrast_error(one, other) == 0
    assert metrics.detail_correlation(one, other) == 0


def test_max_normalised_leaves_its_input_alone():
    E = np.array([[2.0, -1.0], [4.0, -2.0]])
    before = E.copy()
    np.testing.assert_array_equal(metrics.max_normalised(E), [[0.5, -1.0], [1.0, -2.0]])
    np.testing.assert_array_equal(E, before)


@pytest.mark.parametrize("score", [metrics.mse, metrics.mae, metrics.cosine_pooled, alignment.spectral_angle])
def test_unequal_shapes_are_refused(score):
    with pytest.raises(ValueError, match="must be equal"):
        score(np.ones((3, 2)), np.ones((2, 3)))


def real_mixture():
    rng = np.random.default_rng(0)
    E, A = rng.random((9, 3)), rng.dirichlet(np.ones(3), 35).T.reshape(3, 7, 5)
    Y = np.einsum("lp,phw->lhw", E, A)
    return Scene(Y=Y, E=E, A=A, materials=("soil", "tree", "water"))


def test_score_of_the_truth_in_any_order_is_perfect():
    scene = real_mixture()
    other = Reference(scene.E[:, [1, 2, 0]], scene.A[[1, 2, 0]])
    truth = Truth(scene.Y, {"fclsu": other})
    scores, aligned = metrics.score(Unmixing(scene.E, scene.A).permuted([2, 0, 1]), scene, truth)
    np.testing.assert_array_equal(aligned.A, scene.A)
    assert set(scores) >= set(metrics.SCORES) - {"cos-endmembers-max"}
    for name, value in scores.items():
        perfect = {"cos": 1.0, "det": 1.0, "sre": np.inf, "ext": None}.get(name[:3], 0.0)
        if perfect is not None and name not in ("cos-endmembers-max", "cos-endmembers-own-order"):
            assert value == pytest.approx(perfect, abs=1e-6), name
    known_only = {"mse-spectral", "mse-noise", "mse-spectral-pca", "mae-abundances-fclsu"}
    assert not known_only & set(metrics.score(aligned, scene)[0])


def test_the_clean_image_and_the_fclsu_reference_are_scored_as_they_are():
    scene = real_mixture()
    truth = Truth(scene.Y + 0.1, {"fclsu": Reference(scene.E, np.roll(scene.A, 1, axis=1))})
    scores, _ = metrics.score(Unmixing(scene.E, scene.A), scene, truth)
    assert scores["mse-spectral"] == pytest.approx(0.01, rel=1e-4)
    assert scores["mse-noise"] == pytest.approx(0.01, rel=1e-4)
    # three endmembers: the image is its own truncation
    assert scores["mse-spectral-pca"] == pytest.approx(0.01, rel=1e-4)
    expected = np.abs(scene.A - np.roll(scene.A, 1, axis=1)).mean()
    assert scores["mae-abundances-fclsu"] == pytest.approx(expected, rel=1e-6)
    turned = Truth(None, {"fclsu": Reference(scene.E[:, [2, 0, 1]], np.roll(scene.A, 1, axis=1)[[2, 0, 1]])})
    by_material, _ = metrics.score(Unmixing(scene.E, scene.A), scene, turned)
    for k, name in enumerate(scene.materials):
        expected = np.abs(scene.A[k] - np.roll(scene.A[k], 1, axis=0)).mean()
        assert by_material[f"mae-abundances-fclsu/{name}"] == pytest.approx(expected, rel=1e-5)


def test_score_uses_one_order_for_endmembers_and_abundances():
    scene = real_mixture()
    # the maps of two materials exchanged, their spectra not: a permutation of its own would hide it
    wrong = Unmixing(scene.E, scene.A[[1, 0, 2]])
    scores, _ = metrics.score(wrong, scene)
    assert scores["sad-endmembers"] < 1e-6
    assert scores["mse-abundances"] > 0.01
    assert scores["mse-abundances-own-order"] < 1e-6


def test_score_without_reference_is_the_reconstruction_alone():
    scene = real_mixture()
    bare = Scene(Y=scene.Y)
    scores, same = metrics.score(Unmixing(scene.E, scene.A), bare)
    assert set(scores) == {"mse-reconstruction", "sad-reconstruction", "extreme-abundances"}
    np.testing.assert_array_equal(same.A, scene.A)


# --------------------------------------------------------------------------- pixels that do not count


def masked(scene: Scene, mask) -> Scene:
    return Scene(scene.Y, scene.E, scene.A, scene.materials, mask=mask)


@pytest.fixture(scope="module")
def hole():
    """True where a pixel of `real_mixture` counts: a corner and a pixel inside do not."""
    mask = np.ones((7, 5), dtype=bool)
    mask[:2, :2], mask[4, 3] = False, False
    return mask


def test_scores_ignore_pixels_that_do_not_count(hole):
    """They are those of the pixels that do, one by one; only neighbours need their places."""
    scene = real_mixture()
    rng = np.random.default_rng(1)
    A = rng.dirichlet(np.ones(3), 35).T.reshape(3, 7, 5)
    truth = Truth(scene.Y + 0.1, {"fclsu": Reference(scene.E, np.where(hole, A[::-1], np.nan))})
    spoilt = Unmixing(scene.E, np.where(hole, A, np.nan), mask=hole)
    scores, aligned = metrics.score(spoilt, masked(scene, hole), truth)
    assert np.isnan(aligned.A[:, ~hole]).all()

    def row(maps):
        return maps[:, hole][:, None]

    alone = Scene(row(scene.Y), scene.E, row(scene.A), scene.materials)
    beside = Truth(row(scene.Y) + 0.1, {"fclsu": Reference(scene.E, row(A[::-1]))})
    expected, _ = metrics.score(Unmixing(scene.E, row(A)), alone, beside)
    assert set(scores) == set(expected)
    for name in set(scores) - {"detail-abundances"}:
        assert scores[name] == pytest.approx(expected[name], rel=1e-6), name
    assert all(map(np.isfinite, scores.values()))
    # a mask of either suffices
    assert metrics.score(spoilt, scene)[0].items() <= scores.items()
    assert metrics.score(Unmixing(scene.E, A), masked(scene, hole))[0].items() <= scores.items()


def test_details_are_of_neighbours_that_both_count(hole):
    hat, ref = np.random.default_rng(0).random((2, 1, 7, 5))
    hat += ref
    steps = {}
    for name, a in (("hat", hat[0]), ("ref", ref[0])):
        steps[name] = [
            a[i + di, j + dj] - a[i, j]
            for di, dj in ((1, 0), (0, 1))
            for i in range(7 - di)
            for j in range(5 - dj)
            if hole[i, j] and hole[i + di, j + dj]
        ] + [0]
    expected = np.corrcoef(steps["hat"], steps["ref"])[0, 1]
    spoilt = np.where(hole, hat, np.nan)
    assert metrics.detail_correlation(spoilt, ref, hole) == pytest.approx(expected, abs=1e-12)


ONE = np.ones((3, 4, 2))


@pytest.mark.parametrize(
    "score",
    [
        *(metrics.mse, metrics.mae, metrics.rmse_pooled, metrics.rmse_averaged, metrics.rmse_per_endmember),
        *(metrics.cosine_pooled, metrics.contrast_error, metrics.detail_correlation, metrics.sre_db),
        *(metrics.mse_own_order, metrics.cosine_own_order),
        lambda hat, _: metrics.extreme_share(hat),
        lambda hat, ref: metrics.reconstruction_mse(ref, np.ones((3, 3)), hat),
        lambda hat, ref: metrics.reconstruction_angle(hat, np.ones((3, 3)), ref),
        lambda hat, ref: metrics.spectral_angle(hat[:, 0], ref[:, 0]),
        lambda hat, ref: metrics.spectral_angles(hat[:, 0], ref[:, 0]),
        lambda hat, ref: metrics.cosine_mean(hat[:, 0], ref[:, 0]),
        lambda hat, ref: metrics.align(hat[:, 0], ref[:, 0]),
        lambda hat, ref: metrics.score(Unmixing(ONE[:, :3, 0], hat), Scene(ref)),
    ],
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_score_averages_what_is_not_finite(score, value):
    hat = ONE.copy()
    hat[1, 0, 1] = value
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="NaN or infinite"):
        score(hat, ONE)


def test_where_nothing_counts_there_is_no_score(hole):
    scene = real_mixture()
    with pytest.raises(ValueError, match="nothing to score"):
        metrics.score(Unmixing(scene.E, scene.A, mask=~hole), masked(scene, hole))


def test_the_fclsu_reference_is_of_the_pixels_that_count(hole):
    scene = real_mixture()
    reference = Truth.with_fclsu(masked(scene, hole), noisy=False).references["fclsu"]
    alone = Scene(scene.Y[:, hole][:, None], scene.E, scene.A[:, hole][:, None])
    expected = Truth.with_fclsu(alone, noisy=False).references["fclsu"]
    np.testing.assert_array_equal(reference.E, expected.E)
    np.testing.assert_allclose(reference.A[:, hole], expected.A[:, 0], atol=1e-6)
    assert np.isnan(reference.A[:, ~hole]).all()
