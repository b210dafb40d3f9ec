"""Training on generated images: the balanced loss, the scale of a first estimation, the streams."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from toys import pure_pixel_scene

from hsu_lib.learning.networks.autoencoder import cosine_loss
from hsu_lib.learning.variability import Batch, Stream
from hsu_lib.methods import get
from hsu_lib.methods.autoencoders import augmentation, perturbation, vae
from hsu_lib.methods.autoencoders.augmentation import AugmentationSettings, balanced_loss
from hsu_lib.methods.autoencoders.perturbation import PerturbationSettings, rescaled
from hsu_lib.methods.autoencoders.vae import VAESettings
from hsu_lib.methods.method import Problem
from hsu_lib.scene import Status, Unmixing

IMAGES, BANDS, ENDMEMBERS, HEIGHT, WIDTH = 4, 9, 3, 7, 5
readings = pytest.mark.parametrize("reading", ["document", "code"])
weighings = pytest.mark.parametrize("weighs", ["both", "endmembers"])


def source(seed=0):
    return torch.Generator().manual_seed(seed)


# --------------------------------------------------------------------------- the balanced loss


def estimate_and_truth():
    """`Y_hat`, `E_hat`, `A_hat` that ask for a gradient, and generated images, all of them random."""
    g = source()
    Y_hat = torch.rand(IMAGES, BANDS, HEIGHT, WIDTH, generator=g, requires_grad=True)
    E_hat = torch.rand(BANDS, ENDMEMBERS, generator=g, requires_grad=True)
    A_hat = torch.rand(IMAGES, ENDMEMBERS, HEIGHT, WIDTH, generator=g, requires_grad=True)
    truth = Batch(
        Y=torch.rand(IMAGES, BANDS, HEIGHT, WIDTH, generator=g),
        E=torch.rand(IMAGES, BANDS, ENDMEMBERS, generator=g),
        A=torch.rand(IMAGES, ENDMEMBERS, HEIGHT, WIDTH, generator=g),
    )
    return (Y_hat, E_hat, A_hat), truth


def distance(found, wanted):
    """One minus the cosine of the columns of two matrices, mean over the columns."""
    cosines = (found * wanted).sum(axis=0) / np.linalg.norm(found, axis=0) / np.linalg.norm(wanted, axis=0)
    return 1 - cosines.mean()


def by_formula(estimates, truth, *, alpha, weighs, reading):
    """The balanced loss in numpy, one image after the other."""
    Y_hat, E_hat, A_hat = (x.detach().double().numpy() for x in estimates)
    total = 0.0
    for k in range(IMAGES):
        Y, E, A = (x[k].double().numpy() for x in truth)
        on_Y = distance(Y_hat[k].reshape(BANDS, -1), Y.reshape(BANDS, -1))
        on_A = distance(A_hat[k].reshape(ENDMEMBERS, -1), A.reshape(ENDMEMBERS, -1))
        if reading == "document":
            on_E = distance(E_hat, E)
        else:
            on_E, on_A = distance(E_hat.T, E.T) / 2, on_A / 2
        supervised = (1 - alpha) * (on_E + on_A) if weighs == "both" else (1 - alpha) * on_E + on_A
        total += alpha * on_Y + supervised
    return total


@readings
@weighings
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_balanced_loss_is_the_formula(alpha, weighs, reading):
    given = {"alpha": alpha, "weighs": weighs, "reading": reading}
    estimates, truth = estimate_and_truth()
    found = balanced_loss(*estimates, truth, AugmentationSettings(**given))
    assert found.item() == pytest.approx(by_formula(estimates, truth, **given), rel=1e-5)


@readings
def test_the_truth_has_no_loss(reading):
    truth = estimate_and_truth()[1]
    truth = truth._replace(E=truth.E[:1].expand_as(truth.E))
    found = balanced_loss(truth.Y, truth.E[0], truth.A, truth, AugmentationSettings(reading=reading))
    assert found.item() == pytest.approx(0, abs=1e-5)


@readings
def test_the_readings_weigh_the_supervised_terms_as_they_say(reading):
    truth = estimate_and_truth()[1]
    # spectra of another scale are the truth in the document's reading alone
    E = truth.E[0] * torch.tensor([1.0, 2.0, 4.0])
    settings = AugmentationSettings(alpha=0.0, reading=reading)
    same = Batch(truth.Y[:1], truth.E[:1], truth.A[:1])
    loss = balanced_loss(same.Y, E, same.A, same, settings)
    assert (abs(loss.item()) < 1e-6) is (reading == "document")


def gradients(loss, estimates):
    return torch.autograd.grad(loss, estimates, allow_unused=True, materialize_grads=True)


@readings
def test_alpha_one_is_the_unsupervised_loss_alone(reading):
    estimates, truth = estimate_and_truth()
    balanced = balanced_loss(*estimates, truth, AugmentationSettings(alpha=1.0, reading=reading))
    alone = cosine_loss(estimates[0], truth.Y).mean(dim=(1, 2)).sum()
    assert torch.equal(balanced, alone)
    for one, two in zip(gradients(balanced, estimates), gradients(alone, estimates), strict=True):
        assert torch.equal(one, two)


@readings
@weighings
def test_alpha_zero_is_the_supervised_terms_alone(reading, weighs):
    settings = AugmentationSettings(alpha=0.0, reading=reading, weighs=weighs)
    estimates, truth = estimate_and_truth()
    balanced = balanced_loss(*estimates, truth, settings)
    on_Y, on_E, on_A = gradients(balanced, estimates)
    assert not on_Y.any()
    assert on_E.any()
    assert on_A.any()
    other = balanced_loss(2 - estimates[0], *estimates[1:], truth, settings)
    assert torch.equal(balanced, other)


@pytest.mark.parametrize(
    ("alpha", "without"), [(1.0, "supervised"), (0.0, "unsupervised"), (0.3, "supervised")]
)
@readings
def test_an_end_of_alpha_trains_as_if_the_other_terms_were_not_there(monkeypatch, alpha, without, reading):
    scene = pure_pixel_scene()
    first = Unmixing(scene.E, scene.A)
    small = {"images": 2, "patches": 3, "patch_size": 4, "batch": 2, "epochs": 2, "filters": 4, "kernel": 3}

    def trained():
        return get("simple-perturbation-patches").unmix(
            scene, start=first, seed=0, alpha=alpha, reading=reading, **small
        )

    balanced = trained()

    def alone(Y_hat, E_hat, A_hat, truth, settings):
        if without == "supervised":
            return cosine_loss(Y_hat, truth.Y).mean(dim=(1, 2)).sum()
        E = truth.E, E_hat.expand_as(truth.E)
        on_E = cosine_loss(*(x.mT if reading == "code" else x for x in E)).mean(dim=1).sum()
        on_A = cosine_loss(A_hat, truth.A).mean(dim=(1, 2)).sum()
        return 0.5 * on_E + 0.5 * on_A if reading == "code" else on_E + on_A

    monkeypatch.setattr(augmentation, "balanced_loss", alone)
    other = trained()
    for name in ("E", "A"):
        assert np.array_equal(getattr(balanced, name), getattr(other, name)) is (alpha in (0.0, 1.0))


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        (
            AugmentationSettings,
            {"alpha": -0.1},
            "alpha: expected a number at least 0 and at most 1",
        ),
        (AugmentationSettings, {"alpha": 1.1}, "alpha: expected a number at least 0 and at most 1, got 1.1"),
        (AugmentationSettings, {"weighs": "all"}, "weighs: expected 'both' or 'endmembers', got 'all'"),
        (AugmentationSettings, {"images": 0}, "images: expected a whole number at least 1, got 0"),
        (AugmentationSettings, {"noise": -0.1}, "noise: expected a number at least 0, got -0.1"),
        (AugmentationSettings, {"kernel": 4}, "kernel: expected an odd number"),  # of the autoencoder
        (PerturbationSettings, {"first": "vca-fclsu"}, "first: expected 'ae-patches' or 'snpa-fclsu'"),
        (
            PerturbationSettings,
            {"variability": 3.0},
            "variability: expected a number at least 0 and at most 2",
        ),
        (PerturbationSettings, {"outside": "wrap"}, "outside: expected 'redraw' or 'clip'"),
        (PerturbationSettings, {"alpha": 2.0}, "alpha: expected a number at least 0 and at most 1"),
        (VAESettings, {"repeats": 0}, "repeats: expected a whole number at least 1, got 0"),
        (VAESettings, {"latent": 0}, "latent: expected a whole number at least 1, got 0"),
        (VAESettings, {"hidden": 0}, "hidden: expected a whole number at least 1, got 0"),
        (VAESettings, {"vae_epochs": 0}, "vae_epochs: expected a whole number at least 1, got 0"),
        (VAESettings, {"vae_rate": 0.0}, "vae_rate: expected a number above 0, got 0.0"),
        (VAESettings, {"normalise": "pixels"}, "normalise: expected 'endmembers', 'both' or 'none'"),
        (VAESettings, {"alpha": 2.0}, "alpha: expected a number at least 0 and at most 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, given, message):
    with pytest.raises(ValueError, match=message):
        settings(**given)


def test_the_reading_decides_the_law_of_the_factors():
    document, code = (PerturbationSettings(reading=r, variability=0.7).law() for r in ("document", "code"))
    assert (document.strength, document.spread, document.shared) == (0.7, 1.0, False)
    assert (code.strength, code.spread, code.shared) == (0.7, 0.03, True)


# --------------------------------------------------------------------------- the first estimation's scale


def test_unknown_scales_are_recovered():
    scene = pure_pixel_scene(height=9, width=11)
    E = scene.E * np.array([0.2, 1.0, 7.0])
    found = rescaled(Unmixing(E, scene.A), scene.Y)
    np.testing.assert_allclose(found, scene.E, rtol=1e-4)


def test_no_other_scales_are_nearer_to_the_image():
    rng = np.random.default_rng(0)
    E, A = rng.random((12, 3)), rng.dirichlet(np.ones(3), 35).T.reshape(3, 7, 5)
    Y = rng.random((12, 7, 5))  # not a mixture of these endmembers
    scales = rescaled(Unmixing(E, A), Y)[0] / E.astype(np.float32)[0]

    def error(s):
        return np.linalg.norm(np.einsum("lp,phw->lhw", E * s, A) - Y)

    assert scales.min() > 0
    for k in range(3):
        for step in (0.99, 1.01):
            assert error(scales) < error(scales * np.where(np.arange(3) == k, step, 1.0))


def test_an_endmember_that_no_pixel_holds_gets_the_scale_of_the_others():
    scene = pure_pixel_scene(height=9, width=11)
    A = np.concatenate([scene.A, np.zeros((1, 9, 11))])
    spare = np.linspace(0.1, 0.9, 12)
    E = np.column_stack([scene.E * np.array([0.5, 2.0, 1.0]), spare])
    found = rescaled(Unmixing(E, A), scene.Y)
    np.testing.assert_allclose(found[:, :3], scene.E, rtol=1e-4)
    np.testing.assert_allclose(found[:, 3], spare * np.mean([2, 0.5, 1]), rtol=1e-4)


def test_an_image_of_zeros_leaves_the_scale():
    scene = pure_pixel_scene()
    np.testing.assert_allclose(rescaled(Unmixing(scene.E, scene.A), 0 * scene.Y), scene.E, rtol=1e-6)


# --------------------------------------------------------------------------- the streams

SMALL = {"images": 3, "patches": 4, "patch_size": 4, "batch": 5, "noise": 0.0}


def telling_maps():
    """Abundances whose first map differs in every pixel: a patch tells its corner."""
    first = torch.arange(1, HEIGHT * WIDTH + 1).view(1, HEIGHT, WIDTH) / (HEIGHT * WIDTH + 1)
    return torch.cat([first, (1 - first) / 2, (1 - first) / 2])


def perturbed(seed=0, **given):
    settings = PerturbationSettings(**SMALL | given)
    E = 0.1 + torch.rand(BANDS, ENDMEMBERS, generator=source(9))
    return perturbation.stream(E, telling_maps(), settings, source(seed)).batches


def augmented(seed=0, **given):
    settings = VAESettings(**SMALL | given)
    E = 0.1 + torch.rand(settings.images, BANDS, ENDMEMBERS, generator=source(9))
    A = torch.stack([telling_maps().roll(k, dims=2) for k in range(settings.images)])
    return vae.stream(E, A, settings, noise=0.0, generator=source(seed)).batches


def patches(batches):
    """Per patch the corner and the endmembers, both as plain numbers."""
    found = []
    for batch in batches:
        assert len(batch.Y) == len(batch.E) == len(batch.A) <= SMALL["batch"]
        found += zip(batch.A[:, 0, 0, 0].tolist(), map(tuple, batch.E.flatten(1).tolist()), strict=True)
    return found


@pytest.mark.parametrize("stream", [perturbed, augmented])
def test_an_epoch_shows_every_patch_of_every_image_once_in_another_order(stream):
    epochs = [patches(stream()(0)) for _ in range(2)]
    assert epochs[0] == epochs[1]  # the generator decides
    batches = stream()
    first, *later = (patches(batches(k)) for k in range(4))
    assert first == epochs[0]
    assert len(first) == 12
    assert list(Counter(E for _, E in first).values()) == [4, 4, 4]  # 3 images with 4 patches each
    for epoch in later:
        assert sorted(epoch) == sorted(first)  # corners and endmembers are kept
    assert all(one != two for one, two in pairwise([first, *later]))
    assert patches(stream(seed=1)(0)) != first


@pytest.mark.parametrize("stream", [perturbed, augmented])
@pytest.mark.parametrize("count", [0, 4])
def test_the_truth_of_a_batch_is_the_mixture_it_shows(stream, count):
    side = (HEIGHT, WIDTH) if count == 0 else (4, 4)
    sizes = []
    for batch in stream(patches=count)(0):
        assert batch.A.shape[2:] == batch.Y.shape[2:] == side
        torch.testing.assert_close(batch.Y, torch.einsum("ilp,iphw->ilhw", batch.E, batch.A))
        torch.testing.assert_close(batch.A.sum(dim=1), torch.ones(len(batch.A), *side))
        assert batch.Y.is_contiguous(memory_format=torch.channels_last)
        sizes.append(len(batch.Y))
    assert sizes == ([3] if count == 0 else [5, 5, 2])


def test_patches_of_an_image_have_its_endmembers_and_its_maps():
    E = torch.rand(3, BANDS, ENDMEMBERS, generator=source(9))
    A = torch.softmax(torch.randn(3, ENDMEMBERS, HEIGHT, WIDTH, generator=source(8)), dim=1)
    seen = []
    for batch in vae.stream(E, A, VAESettings(**SMALL), noise=0.0, generator=source()).batches(0):
        for endmembers, maps in zip(batch.E, batch.A, strict=True):
            seen.append(next(k for k in range(3) if torch.equal(endmembers, E[k])))
            windows = A[seen[-1]].unfold(1, 4, 1).unfold(2, 4, 1)  # (endmembers, tops, lefts, 4, 4)
            assert (windows == maps[:, None, None]).all(dim=(0, 3, 4)).any()
    assert sorted(seen) == [0] * 4 + [1] * 4 + [2] * 4


@pytest.mark.parametrize("pixelwise", [False, True])
def test_without_the_image_step_every_patch_is_perturbed_anew(pixelwise):
    batches = perturbed(image_step=False, pixelwise=pixelwise)
    first, second = (patches(batches(k)) for k in range(2))
    assert len({E for _, E in first + second}) == 24
    assert sorted(corner for corner, _ in first) != sorted(corner for corner, _ in second)


def test_pixelwise_factors_are_drawn_anew_and_corners_kept():
    batches = perturbed(pixelwise=True)
    first, second = (patches(batches(k)) for k in range(2))
    assert len({E for _, E in first + second}) == 24
    assert sorted(corner for corner, _ in first) == sorted(corner for corner, _ in second)


def test_the_readings_perturb_endmembers_apart_or_together():
    E = 0.1 + torch.rand(BANDS, ENDMEMBERS, generator=source(9))
    for reading in ("document", "code"):
        for batch in perturbed(reading=reading)(0):
            factors = batch.E / E
            together = torch.allclose(factors, factors[..., :1].expand_as(factors), rtol=1e-4)
            assert together is (reading == "code")


def test_noise_is_drawn_anew_in_every_epoch():
    batches = perturbed(noise=0.03)
    seen = [{tuple(Y.flatten().tolist()) for batch in batches(k) for Y in batch.Y} for k in range(2)]
    assert len(seen[0] | seen[1]) == 24


# --------------------------------------------------------------------------- training


def test_a_training_that_diverges_says_so():
    scene = pure_pixel_scene()
    settings = AugmentationSettings(epochs=3, filters=4, kernel=3)

    def make(number):
        return Batch(*(number * torch.tensor(x)[None] for x in (scene.Y, scene.E, scene.A)))

    numbers = [torch.tensor(1.0), torch.tensor(float("nan"))]
    stream = Stream(lambda epoch: [numbers[epoch]], make, source())
    u = augmentation.train(Problem(scene, 3), settings, stream)
    assert u.status is Status.DIVERGED
    assert len(u.history["loss"]) == 2


@readings
def test_the_scale_of_a_first_estimation_does_not_count(reading):
    scene = pure_pixel_scene()
    small = {"images": 2, "patches": 3, "patch_size": 4, "batch": 2, "epochs": 1, "filters": 4, "kernel": 3}
    one, two = (
        get("simple-perturbation-patches").unmix(
            scene, start=Unmixing(scene.E * np.array(s), scene.A), seed=0, reading=reading, **small
        )
        for s in ((1, 1, 1), (0.5, 4, 2))  # powers of two: no rounding
    )
    np.testing.assert_allclose(one.E, two.E, atol=1e-4)
    np.testing.assert_allclose(one.A, two.A, atol=1e-3)
