"""Noise by regression, HySime, HFC, SURE and GENE against closed forms, simulations and known scenes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scenes_helpers import real
from scipy.stats import kstest

from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers.gene import _p_value, gene, reduction
from hsu_lib.solvers.noise import Moments, Noise, moments, regression_noise
from hsu_lib.solvers.rank import hfc, hysime, sure_rank


def mixed(endmembers, snr_db=np.inf, *, bands=40, pixels=900, pure=1, seed=0):
    """Mixtures, so many pure pixels of each first, and noise."""
    rng = np.random.default_rng(seed)
    A = rng.dirichlet(np.ones(endmembers), pixels).T
    A[:, : pure * endmembers] = np.tile(np.eye(endmembers), pure)
    return add_noise(rng.random((bands, endmembers)) @ A, snr_db, seed + 1)


def white(bands=30, pixels=2000, seed=0):
    return np.random.default_rng(seed).standard_normal((bands, pixels))


def everything(Y):
    """Ranks by HySime, SURE and HFC."""
    of = moments(Y)
    noise = regression_noise(of)
    return hysime(of, noise).rank, sure_rank(of, noise).rank, hfc(of)


# --------------------------------------------------------------------------- noise


def test_moments_are_those_of_numpy_whatever_the_blocks():
    Y = np.random.default_rng(0).random((5, 20_001)).astype(np.float32)
    of = moments(Y)
    wide = Y.astype(float)
    np.testing.assert_allclose(of.second, wide @ wide.T / 20_001, rtol=1e-12)
    np.testing.assert_allclose(of.covariance, np.cov(wide, bias=True), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="NaN"):
        moments(np.array([[1.0, np.nan]]))
    with pytest.raises(ValueError, match="bands, pixels"):
        moments(np.ones(3))


def test_noise_is_what_a_regression_of_each_band_on_the_others_leaves():
    Y = mixed(3, 25, bands=8, pixels=60)
    noise = regression_noise(moments(Y), unbiased=False)
    rest = noise.filters.T @ Y
    for k in range(8):
        others = np.delete(Y, k, axis=0)
        left = Y[k] - np.linalg.lstsq(others.T, Y[k])[0] @ others
        np.testing.assert_allclose(rest[k], left, atol=1e-8)
        np.testing.assert_allclose(others @ rest[k], 0, atol=1e-8)
        assert noise.variances[k] == pytest.approx(np.mean(left**2), rel=1e-8)


def test_the_level_of_the_noise_is_found_without_bias():
    levels = np.mean([regression_noise(moments(white(30, 90, seed))).variances for seed in range(60)], axis=0)
    # each is chi-square of 61 degrees of freedom, over 61
    assert np.abs(levels - 1).max() < 4 * np.sqrt(2 / 61 / 60)
    biased = regression_noise(moments(white(30, 90)), unbiased=False).variances
    np.testing.assert_allclose(biased * 90 / 61, regression_noise(moments(white(30, 90))).variances)


@pytest.mark.parametrize("pixels", [1, 7, 8])
def test_the_noise_of_too_few_pixels_is_refused(pixels):
    with pytest.raises(ValueError, match=f"8 bands cannot be told from {pixels} pixels"):
        regression_noise(moments(white(8, pixels)))


# --------------------------------------------------------------------------- ranks by moments


@pytest.mark.parametrize("snr_db", [30, 40, np.inf])
@pytest.mark.parametrize("endmembers", [1, 4])
def test_so_many_endmembers_are_found(endmembers, snr_db):
    assert everything(mixed(endmembers, snr_db))[:2] == (endmembers, endmembers)


def test_without_signal_there_is_none_and_a_constant_spectrum_is_one():
    Y = white()
    assert everything(Y)[:2] == (0, 0)
    assert hfc(moments(Y - Y.mean(axis=1, keepdims=True))) == 0
    assert everything(Y + 5) == (1, 1, 1)
    assert everything(np.zeros((5, 40))) == (0, 0, 0)


@pytest.mark.parametrize("unit", [1e-6, 1e4])
def test_ranks_do_not_depend_on_the_unit(unit):
    Y = mixed(4, 25)
    assert everything(unit * Y) == everything(Y)


def test_the_subspace_of_hysime_holds_the_signal():
    Y, clean = mixed(4, 40), mixed(4)
    of = moments(Y)
    found = hysime(of, regression_noise(of))
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(4), atol=1e-12)
    outside = clean - found.basis @ (found.basis.T @ clean)
    assert np.linalg.norm(outside) < 0.01 * np.linalg.norm(clean)


@pytest.mark.parametrize("whitened", [False, True])
def test_hfc_counts_more_the_more_false_alarms_may_be(whitened):
    of = moments(mixed(6, 15))
    found = [hfc(of, false_alarm=p, whitened=whitened) for p in (1e-12, 1e-6, 1e-3, 0.1, 0.4)]
    assert found == sorted(found)
    assert found[-1] > found[0] >= 1


def test_nwhfc_does_not_depend_on_the_scale_of_a_band():
    Y = mixed(5, 20)
    scaled = np.random.default_rng(0).uniform(0.1, 10, (len(Y), 1)) * Y
    for p in (1e-6, 1e-3, 0.1):
        assert hfc(moments(scaled), false_alarm=p, whitened=True) == hfc(
            moments(Y), false_alarm=p, whitened=True
        )


# --------------------------------------------------------------------------- SURE


def divergence(of, r):
    """That of the truncation to rank `r`, from the risk; the noise has variance 1."""
    found = sure_rank(of, Noise(np.ones(len(of.mean)), np.empty(0)))
    left = of.pixels * np.linalg.eigvalsh(of.second)[::-1][r:].sum()
    return (found.risks[r] - left + len(of.mean) * of.pixels) / 2


@pytest.mark.parametrize("r", [0, 1, 3, 4])
def test_the_divergence_is_that_of_finite_differences(r):
    Y, step = white(4, 6), 1e-6
    total = 0.0

    def truncated(Z):
        U, s, V = np.linalg.svd(Z, full_matrices=False)
        return U[:, :r] * s[:r] @ V[:r]

    for i, j in np.ndindex(Y.shape):
        moved = np.zeros_like(Y)
        moved[i, j] = step
        total += (truncated(Y + moved) - truncated(Y - moved))[i, j] / (2 * step)
    assert divergence(moments(Y), r) == pytest.approx(total, abs=1e-5)


def test_of_well_separated_directions_the_divergence_counts_their_freedom():
    m, n, r = 12, 50, 3
    values = np.concatenate([np.array([3.0, 2.0, 1.0]) * 1e9, np.linspace(1, 2, m - r)])
    of = Moments(np.diag(values) / n, np.zeros(m), n)
    assert divergence(of, r) == pytest.approx(r * (m + n - r), rel=1e-6)


def test_the_risk_is_the_squared_error_in_the_mean():
    rng = np.random.default_rng(0)
    clean = rng.standard_normal((20, 3)) * [9, 7, 5] @ rng.standard_normal((3, 60))
    gaps = []
    for _ in range(300):
        Y = clean + rng.standard_normal(clean.shape)
        risks = sure_rank(moments(Y), Noise(np.ones(20), np.empty(0))).risks
        U, s, V = np.linalg.svd(Y, full_matrices=False)
        gaps.append([risks[r] - ((U[:, :r] * s[:r] @ V[:r] - clean) ** 2).sum() for r in range(4)])
    error = np.std(gaps, axis=0) / np.sqrt(300)
    assert (np.abs(np.mean(gaps, axis=0)) < 3 * error).all()


def test_noise_of_known_level_has_rank_zero():
    for seed in range(20):
        assert sure_rank(moments(white(20, 300, seed)), Noise(np.ones(20), np.empty(0))).rank == 0


# --------------------------------------------------------------------------- GENE


@pytest.mark.parametrize("hull", ["convex", "affine"])
@pytest.mark.parametrize("false_alarm", [1e-12, 1e-6, 0.3])
def test_gene_counts_pure_pixels_without_noise_at_any_false_alarm(hull, false_alarm):
    Y = mixed(4)
    found = gene(reduction(Y, seed=0, split=False), hull=hull, false_alarm=false_alarm)
    assert set(found.indices) == {0, 1, 2, 3}
    assert found.rank == 4
    assert (found.p_values[:-1] <= false_alarm).all()
    assert found.p_values[-1] > false_alarm


@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("hull", ["convex", "affine"])
def test_gene_counts_endmembers_whatever_the_norm(hull, norm):
    for seed in range(3):
        assert gene(reduction(mixed(4, 35, pure=20, seed=seed), seed=seed), hull=hull, norm=norm).rank == 4


def test_p_values_of_one_pixel_against_another_of_the_same_material_are_uniform():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((6, 6))
    drawn = root @ rng.standard_normal((6, 2 * 500))
    for hull in ("convex", "affine"):
        p = [_p_value(drawn[:, k], drawn[:, [500 + k]], root @ root.T, hull) for k in range(500)]
        assert kstest(p, "uniform").pvalue > 0.01


def test_halves_keep_the_noise_that_directions_follow_from_counting():
    wrong = {True: 0, False: 0}
    for seed in range(20):
        Y = mixed(3, 30, bands=60, pixels=400, pure=20, seed=seed)
        for split in wrong:
            wrong[split] += gene(reduction(Y, seed=seed, split=split), hull="affine").rank != 3
    assert wrong[True] <= 2
    assert wrong[False] > 2 * max(wrong[True], 1)


def test_gene_stops_at_the_most_it_is_to_look_for_and_at_the_bands():
    Y = mixed(8, 40)
    for Z, most, expected in ((Y, 5, 5), (Y[:3], 25, 3), (Y[:1], 25, 1), (np.ones((4, 30)), 25, 1)):
        assert gene(reduction(Z, seed=0, most=most), hull="affine").rank == expected


def test_too_few_pixels_for_halves_are_refused():
    assert reduction(mixed(2, bands=8, pixels=18), seed=0).X.shape == (7, 9)
    with pytest.raises(ValueError, match="8 bands cannot be told from 8 pixels"):
        reduction(mixed(2, bands=8, pixels=17), seed=0)


# --------------------------------------------------------------------------- shared scenes


class Reference(NamedTuple):
    """Ranks of a prototype; HFC with false alarms 1e-3, 1e-4, 1e-5."""

    hysime: int
    sure: int
    hfc: list[int]
    gene_ah: int | None = None


REFERENCES = {
    ("dc1", 20): Reference(3, 3, [3, 3, 3], 5),
    ("dc1", 30): Reference(5, 5, [4, 4, 4], 5),
    ("dc1", 40): Reference(5, 5, [4, 4, 4], 5),
    ("dc2", 20): Reference(8, 8, [6, 6, 5], 8),
    ("dc2", 30): Reference(9, 9, [7, 7, 6], 9),
    ("dc2", 40): Reference(9, 9, [7, 7, 6], 9),
    ("sim1", 20): Reference(5, 5, [3, 3, 3]),
    ("sim1", 30): Reference(5, 5, [4, 4, 4], 6),
    ("sim1", 40): Reference(6, 6, [4, 4, 4], 6),
    ("sim2", 20): Reference(5, 5, [3, 3, 3]),
    ("sim2", 30): Reference(5, 5, [4, 4, 4]),
    ("sim2", 40): Reference(6, 6, [4, 4, 4]),
    # the prototype's SURE looked no further than rank 59, its figure; the risk falls until 82
    ("samson", np.inf): Reference(74, 82, [9, 8, 8]),
    ("jasper", np.inf): Reference(18, 29, [9, 9, 7]),
}
#: Standard deviation of the noise without correction, and SURE's risk per number at its minimum, on dc1.
LEVELS = {20: (0.07542, 0.04394), 30: (0.02392, 0.04389), 40: (0.00757, 0.04173)}
WHITENED = {"samson": [8, 8, 6], "jasper": [12, 10, 9]}


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "snr_db"), REFERENCES)
def test_ranks_of_the_shared_scenes(name, snr_db):
    expected = REFERENCES[name, snr_db]
    Y = add_noise(real(name).pixels, snr_db, 0)
    of = moments(Y)
    for unbiased in (False, True):
        noise = regression_noise(of, unbiased=unbiased)
        assert (hysime(of, noise).rank, sure_rank(of, noise).rank) == (expected.hysime, expected.sure)
    assert [hfc(of, false_alarm=p) for p in (1e-3, 1e-4, 1e-5)] == expected.hfc
    if expected.gene_ah is not None:
        assert gene(reduction(Y, seed=0), hull="affine").rank == expected.gene_ah
    if name == "dc1":
        as_published = regression_noise(of, unbiased=False)
        found = np.sqrt(as_published.variances.mean()), sure_rank(of, as_published).risks.min() / Y.size
        np.testing.assert_allclose(found, LEVELS[snr_db], atol=6e-6)
        reduced = [reduction(Y, seed=0, most=n) for n in (10, 25)] + [reduction(Y, seed=0, split=False)]
        assert [gene(of, hull="convex").rank for of in reduced] == [5, 5, 6]
    if name in WHITENED:
        found = [hfc(of, false_alarm=p, whitened=True) for p in (1e-3, 1e-4, 1e-5)]
        assert found == WHITENED[name]
