"""Perturbed images: the law of the factors, mixing against a loop over pixels, and streamed patches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from hsu_lib.learning.variability import (
    PiecewiseAffine,
    Variability,
    cut,
    draw_positions,
    evaluate,
    generate,
    mix,
    mix_pixelwise,
    perturb,
)

BANDS = [1, 2, 13]
LAWS = {
    "document": Variability(),
    "clip": Variability(outside="clip"),
    "code": Variability(spread=0.03, shared=True),
}
every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def mixture(images, height, width, bands, endmembers, seed=0):
    """Endmembers ``(images, bands, endmembers)`` and abundances ``(images, endmembers, height, width)``."""
    E = 0.1 + torch.rand(images, bands, endmembers, generator=source(seed))
    A = torch.softmax(torch.randn(images, endmembers, height, width, generator=source(seed + 1)), dim=1)
    return E, A


# --------------------------------------------------------------------------- the law of the factors


@every_law
@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_the_knots_are_uniform_around_one(law, strength):
    law = Variability(strength, law.outside, law.spread, law.shared)
    knots = law.draw((4000, 1), 20, source()).knots[:, 0].double().numpy()
    for values in knots.T:
        assert stats.kstest(values, stats.uniform(1 - strength / 2, strength).cdf).pvalue > 1e-3
        # the same test notices a range a tenth wider
        assert stats.kstest(values, stats.uniform(1 - 0.55 * strength, 1.1 * strength).cdf).pvalue < 1e-6
    assert np.abs(np.corrcoef(knots.T) - np.eye(3)).max() < 0.05


def chances_of_the_break(bands, outside, spread):
    """Probability of each band, from the normal law."""
    half = bands // 2
    # the break is in band b or below if L U / 3 < b + 1 - half
    edges = stats.norm.cdf(3 * (np.arange(1, bands + 2) - half) / bands / spread)
    if outside == "clip":
        edges[[0, -1]] = 0, 1
    return np.diff(edges) / (edges[-1] - edges[0])


@pytest.mark.parametrize("bands", [20, 31])
@pytest.mark.parametrize("spread", [1.0, 0.3])
@pytest.mark.parametrize("outside", ["redraw", "clip"])
def test_the_break_follows_the_normal_law(outside, spread, bands):
    draws = 20_000
    breaks = Variability(0.5, outside, spread).draw((draws, 1), bands, source()).breaks[:, 0]
    seen = torch.bincount(breaks, minlength=bands).numpy()
    assert len(seen) == bands

    def fits(rule):
        expected = draws * chances_of_the_break(bands, rule, spread)
        rare = expected < 8  # too few for the test: counted together
        pooled = [np.append(n[~rare], n[rare].sum()) if rare.any() else n for n in (seen, expected)]
        return stats.chisquare(*pooled).pvalue

    assert fits(outside) > 1e-3
    if spread == 1.0:
        assert fits({"redraw": "clip", "clip": "redraw"}[outside]) < 1e-6


def test_one_break_in_eight_is_clipped():
    breaks = Variability(outside="clip").draw((20_000, 1), 156, source()).breaks
    ends = ((breaks == 0) | (breaks == 155)).double().mean().item()
    chances = chances_of_the_break(156, "clip", 1.0)
    assert ends == pytest.approx(chances[0] + chances[-1], abs=0.01)
    assert ends == pytest.approx(1 / 8, abs=0.02)


def test_a_small_spread_keeps_the_break_in_the_middle():
    breaks = LAWS["code"].draw((20_000, 1), 156, source()).breaks
    away = (breaks - 77).abs()  # band 78, counted from 1
    assert away.max() <= 8  # 156 / 3 * 0.03 bands is the standard deviation: 1.6
    assert breaks.unique().numel() > 5


@every_law
@pytest.mark.parametrize("bands", BANDS)
def test_the_factors_have_mean_one(law, bands):
    values = evaluate(law.draw((20_000, 1), bands, source()), bands)[:, 0].double()
    error = values.std(dim=0) / len(values) ** 0.5
    assert ((values.mean(dim=0) - 1).abs() < 4 * error).all()
    assert values.min() >= 0.75
    assert values.max() <= 1.25


@every_law
def test_strength_zero_changes_nothing(law):
    law = Variability(0.0, law.outside, law.spread, law.shared)
    E = mixture(1, 1, 1, 13, 3)[0][0]
    torch.testing.assert_close(perturb(E, law.draw((5, 3), 13, source())), E.expand(5, 13, 3), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(3,), (7, 3), (2, 7, 3)])
def test_a_shared_factor_is_that_of_all_endmembers(shape):
    for shared in (True, False):
        factors = Variability(shared=shared).draw(shape, 13, source())
        assert factors.breaks.shape == shape
        values = evaluate(factors, 13)
        assert values.shape == (*shape, 13)
        assert torch.equal(values, values[..., :1, :].expand_as(values)) is shared


# --------------------------------------------------------------------------- the factors, band by band


def interpolated(knots, break_, bands):
    """The factor by `numpy.interp`; where the break is at an end, the second knot takes its place."""
    at = {0: knots[0], bands - 1: knots[2]} | {break_: knots[1]}
    return np.interp(np.arange(bands), sorted(at), [at[k] for k in sorted(at)])


@pytest.mark.parametrize("bands", BANDS)
def test_the_values_are_numpys(bands):
    breaks = torch.arange(bands).repeat(5)
    knots = 0.75 + torch.rand(len(breaks), 3, generator=source()) / 2
    expected = [interpolated(k, b, bands) for k, b in zip(knots.tolist(), breaks.tolist(), strict=True)]
    np.testing.assert_allclose(evaluate(PiecewiseAffine(knots, breaks), bands), expected, atol=1e-6)


def test_the_factor_is_continuous_and_passes_through_its_knots():
    bands = 156
    knots, breaks = Variability(2.0).draw((500,), bands, source())
    values = evaluate(PiecewiseAffine(knots, breaks), bands)
    torch.testing.assert_close(values.gather(1, breaks[:, None])[:, 0], knots[:, 1])
    inside = (breaks > 0) & (breaks < bands - 1)
    assert 450 < inside.sum() <= 500
    values, knots, breaks = values[inside], knots[inside], breaks[inside]
    torch.testing.assert_close(values[:, [0, -1]], knots[:, [0, 2]])
    before = (knots[:, 1] - knots[:, 0]).abs() / breaks
    after = (knots[:, 2] - knots[:, 1]).abs() / (bands - 1 - breaks)
    steps = values.diff(dim=1).abs().amax(dim=1)
    torch.testing.assert_close(steps, torch.maximum(before, after), rtol=0, atol=1e-5)


def test_perturbing_multiplies_each_endmember_by_its_factor():
    E = mixture(1, 1, 1, 13, 3)[0][0]
    factors = Variability().draw((4, 3), 13, source())
    made = perturb(E, factors)
    for image in range(4):
        for k in range(3):
            factor = interpolated(factors.knots[image, k].tolist(), int(factors.breaks[image, k]), 13)
            np.testing.assert_allclose(made[image, :, k], E[:, k].numpy() * factor, rtol=1e-5)


# --------------------------------------------------------------------------- mixing


def pixel_by_pixel(E, A, factors):
    """What `mix_pixelwise` says it does, in a loop over images, pixels and endmembers."""
    E, A, knots, breaks = (X.numpy() for X in (E, A, *factors))
    images, bands, endmembers = E.shape
    Y, E_mean = np.zeros((images, A.shape[2], bands)), np.zeros(E.shape)
    for i in range(images):
        for j in range(A.shape[2]):
            for k in range(endmembers):
                spectrum = E[i, :, k] * interpolated(knots[i, j, k], int(breaks[i, j, k]), bands)
                Y[i, j] += A[i, k, j] * spectrum
                E_mean[i, :, k] += spectrum / A.shape[2]
    return Y, E_mean


@pytest.mark.parametrize("where", ["drawn", "first", "last"])
@pytest.mark.parametrize("bands", BANDS)
@every_law
def test_pixelwise_mixing_equals_a_loop_over_the_pixels(law, bands, where):
    E, A = mixture(3, 5, 4, bands, 3)
    A = A.flatten(2)
    factors = law.draw((3, 20, 3), bands, source(7))
    if where != "drawn":
        factors = factors._replace(breaks=torch.full((3, 20, 3), 0 if where == "first" else bands - 1))
    Y, E_mean = mix_pixelwise(E, A, factors)
    expected_Y, expected_E = pixel_by_pixel(E, A, factors)
    np.testing.assert_allclose(Y, expected_Y, atol=2e-6)
    np.testing.assert_allclose(E_mean, expected_E, atol=2e-6)


def test_mixing_is_the_linear_model():
    E, A = mixture(3, 5, 4, 13, 2)
    expected = np.einsum("ilp,ipn->inl", E.numpy(), A.flatten(2).numpy())
    np.testing.assert_allclose(mix(E, A.flatten(2)), expected, rtol=1e-5)


def test_pixels_differ_only_where_they_are_perturbed():
    E, A = mixture(2, 5, 4, 13, 3)
    A = A[..., :1, :1].expand(2, 3, 5, 4)  # the same mixture in every pixel
    alike = generate(E, A, noise=0, generator=source())
    torch.testing.assert_close(alike.Y, alike.Y[..., :1, :1].expand_as(alike.Y))
    assert alike.E is E
    apart = generate(E, A, noise=0, generator=source(), pixelwise=Variability())
    assert len(apart.Y[0].flatten(1).T.unique(dim=0)) == 20
    assert not torch.equal(apart.E, E)
    assert alike.Y.shape == apart.Y.shape == (2, 13, 5, 4)
    assert apart.Y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("pixelwise", [None, Variability()])
def test_the_generator_decides_the_image(pixelwise):
    E, A = mixture(2, 5, 4, 13, 3)

    def made(seed):
        return generate(E, A, noise=0.03, generator=source(seed), pixelwise=pixelwise)

    before = torch.get_rng_state()
    for one, two in zip(made(3), made(3), strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(made(3).Y, made(4).Y)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("pixelwise", [None, Variability()])
def test_the_noise_is_white_with_the_stated_deviation(pixelwise):
    E, A = mixture(2, 25, 20, 13, 3)
    noisy, clean = (generate(E, A, noise=s, generator=source(), pixelwise=pixelwise).Y for s in (0.03, 0))
    noise = (noisy - clean).double().flatten().numpy()
    assert stats.kstest(noise, stats.norm(0, 0.03).cdf).pvalue > 1e-3
    assert noise.std() == pytest.approx(0.03, rel=0.02)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.03


# --------------------------------------------------------------------------- patches


@pytest.mark.parametrize("per_patch", [False, True])
def test_cutting_is_slicing(per_patch):
    A = torch.rand((6, 2, 9, 7) if per_patch else (2, 9, 7), generator=source())
    positions = draw_positions(6, (9, 7), 4, source())
    found = cut(A, positions)
    assert found.shape == (6, 2, 4, 4)
    for k, (top, left) in enumerate(zip(positions.tops.tolist(), positions.lefts.tolist(), strict=True)):
        image = A[k] if per_patch else A
        assert torch.equal(found[k], image[:, top : top + 4, left : left + 4])


def test_every_position_is_equally_likely_and_inside():
    tops, lefts, size = draw_positions(20_000, (9, 7), 4, source())
    assert size == (4, 4)
    assert tops.min() == lefts.min() == 0
    assert tops.max() == 9 - 4
    assert lefts.max() == 7 - 4
    counts = torch.bincount(tops * 4 + lefts, minlength=24)  # 6 rows x 4 columns of corners
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


@pytest.mark.parametrize(("size", "shape"), [(8, (8, 7)), (20, (9, 7)), (9, (9, 7))])
def test_a_patch_larger_than_the_image_is_cut_to_it(size, shape):
    positions = draw_positions(50, (9, 7), size, source())
    assert positions.size == shape
    assert positions.lefts.max() == 0
    assert positions.tops.max() == 9 - shape[0]
    assert cut(torch.rand(2, 9, 7), positions).shape == (50, 2, *shape)


def perturbed_patches(number, seed, *, streamed, pixelwise=True):
    """Patches of images perturbed per image and pixel: made as patches, or cut from whole images."""
    bands, image, law, generator = 5, (5, 4), Variability(), source(seed)
    E, A = (X[0] for X in mixture(1, *image, bands, 2))
    images = perturb(E, law.draw((number, 2), bands, generator))
    positions = draw_positions(number, image, 2, generator)
    maps = cut(A, positions) if streamed else A.expand(number, *A.shape)
    Y = generate(images, maps, noise=0.03, generator=generator, pixelwise=law if pixelwise else None).Y
    return (Y if streamed else cut(Y, positions)).flatten(1).double()


def test_a_streamed_patch_has_the_law_of_a_patch_cut_from_a_whole_image():
    number = 20_000
    cut_out = perturbed_patches(number, 1, streamed=False)
    spread = cut_out.std(dim=0)

    def apart(patches):
        """Largest difference of the means and of the covariances of all values, in standard errors."""
        means = (patches.mean(dim=0) - cut_out.mean(dim=0)) / spread
        covariances = (patches.T.cov() - cut_out.T.cov()) / (spread[:, None] * spread)
        return [x.abs().max().item() * (number / n) ** 0.5 for x, n in ((means, 2), (covariances, 4))]

    streamed = perturbed_patches(number, 0, streamed=True)
    assert max(apart(streamed)) < 4
    for direction in torch.randn(5, cut_out.shape[1], generator=source()).double():
        assert stats.ks_2samp(*((x @ direction).numpy() for x in (streamed, cut_out))).pvalue > 1e-3
    # the same comparison notices pixels that share their endmembers
    assert apart(perturbed_patches(number, 0, streamed=True, pixelwise=False))[1] > 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strength": -0.1}, "strength: expected 0 to 2, got -0.1"),
        ({"strength": 2.1}, "strength: expected 0 to 2, got 2.1"),
        ({"outside": "wrap"}, "outside: expected 'redraw' or 'clip', got 'wrap'"),
        ({"spread": 0.0}, "spread: expected a positive number, got 0.0"),
    ],
)
def test_laws_that_do_not_exist_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Variability(**given)
