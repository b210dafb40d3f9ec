"""Latent Dirichlet autoencoders: what reaches training, the loss, known answers, and their records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.learning.labels import Labels, training_mask, validation_mask
from hsu_lib.learning.networks import latent
from hsu_lib.learning.networks.latent import (
    PixelEncoder,
    SpatialEncoder,
    SpectrumDecoder,
    concentration,
    negative_log_likelihood,
)
from hsu_lib.methods import get
from hsu_lib.methods.labelled.fclsu import learnt
from hsu_lib.methods.labelled.ldvae import LDVAESettings, evidence
from hsu_lib.methods.labelled.spacnn import patches
from hsu_lib.metrics.examine import examine
from hsu_lib.metrics.truth import Truth
from hsu_lib.runs import Run, Store, execute
from hsu_lib.runs.execution import _scored, examined
from hsu_lib.scene import Scene, SceneSpec, Status

METHODS = {name: dict(get(name).quick) for name in ("ldvae", "spacnn-ldvae", "labelled-fclsu")}
TINY = METHODS["ldvae"]
SMALL = SceneSpec("lagoon", crop=(2, 3, 14, 11))


def trained(scene, name="ldvae", *, seed=0, source=None, clean=None, **given):
    """An unmixing with what it makes of the test pixels, as a run has it."""
    settings = METHODS[name] | given
    labels = Labels(source) if source else get(name).configure(**settings).labels(scene, seed)
    return examined(get(name).unmix(scene, seed=seed, labels=labels, **settings), scene, labels, clean)


# --------------------------------------------------------------------------- what reaches training


@pytest.mark.parametrize("split", ["pixels", "blocks"])
@pytest.mark.parametrize("name", list(METHODS))
def test_no_test_pixel_reaches_training(name, split):
    scene = pure_pixel_scene(13, 12)
    mask = training_mask(13, 12, share=0.6, by=split, side=4, seed=5)
    context = name == "spacnn-ldvae" and split == "pixels"  # then neighbours are seen, without their labels
    Y, A = scene.Y.copy(), scene.A.copy()
    Y[:, ~mask] = Y[:, ~mask] if context else 7 * Y[::-1, ~mask]
    A[:, ~mask] = A[::-1, ~mask]
    how = {"seed": 5, "share": 0.6, "split": split, "block": 4}
    one, other = trained(scene, name, **how), trained(Scene(Y, scene.E, A), name, **how)
    np.testing.assert_array_equal(one.E, other.E)
    np.testing.assert_array_equal(one.history["test"], ~mask.ravel())
    # the test can fail: what is learnt from does matter
    Y[:, mask] *= 0.5
    assert not np.array_equal(one.E, trained(Scene(Y, scene.E, A), name, **how).E)


@pytest.mark.parametrize("split", ["pixels", "blocks"])
@pytest.mark.parametrize("name", list(METHODS))
def test_no_test_pixel_reaches_a_choice_by_validation(name, split):
    """Neither training nor what is told of the validation pixels knows a test pixel's label or spectrum."""
    scene = pure_pixel_scene(16, 15)
    mask = training_mask(16, 15, share=0.7, by=split, side=4, seed=5)
    held = validation_mask(mask, share=0.3, by=split, side=4, seed=5)
    context = name == "spacnn-ldvae"  # whose patches hold neighbours' spectra, whatever they are for
    how = {"seed": 5, "share": 0.7, "split": split, "block": 4, "holdout": 0.3}

    def spoilt(where, context=context):
        Y, A = scene.Y.copy(), scene.A.copy()
        Y[:, where] = Y[:, where] if context else 7 * Y[::-1, where]
        A[:, where] = A[::-1, where]
        return replace(scene, Y=Y, A=A)

    one, other = trained(scene, name, **how), trained(spoilt(~mask), name, **how)
    np.testing.assert_array_equal(one.E, other.E)
    assert one.history.keys() == other.history.keys()
    for told in one.history.keys() - {"constraints"}:
        np.testing.assert_array_equal(one.history[told], other.history[told])
    np.testing.assert_array_equal(one.history["test"], held.ravel())
    scores, _ = _scored(one, scene, Truth.of(scene))
    of_other, _ = _scored(other, spoilt(~mask), Truth.of(scene))
    told = ["sad-endmembers", *(score for score in scores if score.startswith("test/"))]
    assert "test/rmse-abundances-averaged" in told
    assert {score: scores[score] for score in told} == {score: of_other[score] for score in told}
    # nor is a validation pixel learnt from; what is left is
    unseen = spoilt(held, context and split == "pixels")
    np.testing.assert_array_equal(one.E, trained(unseen, name, **how).E)
    assert not np.array_equal(one.E, trained(spoilt(mask & ~held, False), name, **how).E)


def test_a_training_image_is_its_own_validation():
    found = trained(pure_pixel_scene(10, 10), share=1.0, holdout=0.2)
    assert found.history["test"].sum() == 20
    with pytest.raises(ValueError, match="unmix it, share 1"):
        LDVAESettings(trained_on="lagoon", holdout=0.2)


def test_without_holdout_no_key_moves():
    run = Run("ldvae", SMALL)
    assert "holdout" not in run.asked()["settings"]
    assert replace(run, settings={"holdout": 0.0}).key == run.key
    assert replace(run, settings={"holdout": 0.2}).key != run.key


def test_blocks_too_small_for_a_patch_are_refused():
    with pytest.raises(ValueError, match="take larger blocks"):
        trained(pure_pixel_scene(8, 8), "spacnn-ldvae", split="blocks", block=1, share=0.3, patch=5)


def test_learning_from_another_scene_uses_that_one_only():
    source, scene = pure_pixel_scene(9, 8, seed=1), pure_pixel_scene(7, 5, seed=1)
    one = trained(scene, trained_on="source", source=source)
    unlabelled = Scene(scene.Y)
    other = trained(unlabelled, trained_on="source", source=source)
    np.testing.assert_array_equal(one.A, other.A)
    assert other.A.shape == (3, 7, 5)
    assert other.history["test"].all()


def test_with_all_pixels_for_training_all_are_tested():
    assert trained(pure_pixel_scene(), share=1.0).history["test"].all()


# --------------------------------------------------------------------------- networks and loss


def test_concentrations_are_positive_and_softmax_sums_to_one():
    x = 50 * torch.randn(6, 4)
    for activation in ("softplus", "softmax"):
        assert concentration(x, activation).min() > 0
    torch.testing.assert_close(concentration(x, "softmax").sum(-1), torch.full((6,), 1.004))


@pytest.mark.parametrize("side", [1, 3, 5])
def test_patches_are_centred_on_their_pixel_and_mirrored_at_the_border(side):
    Y = torch.rand(4, 7, 6)
    cut = patches(Y, side)
    whole = cut(torch.arange(42))
    assert whole.shape == (42, 4, side, side)
    half = side // 2
    torch.testing.assert_close(whole[:, :, half, half], Y.flatten(1).T)
    mirrored = np.pad(Y.numpy(), ((0, 0), (half, half), (half, half)), mode="reflect")
    for number in (0, 5, 20, 41):
        row, column = divmod(number, 6)
        expected = mirrored[:, row : row + side, column : column + side]
        np.testing.assert_array_equal(whole[number].numpy(), expected)
    torch.testing.assert_close(cut(torch.tensor([41, 3])), whole[[41, 3]])


def test_attention_weighs_places_by_mean_and_largest_channel():
    encoder = SpatialEncoder(4, 3, channels=6, blocks=0)
    features = torch.rand(2, 6, 5, 5)
    weight, bias = encoder.weigh.weight.detach().numpy()[0], float(encoder.weigh.bias.detach())
    found = encoder.attention(features).detach().numpy()
    for n in range(2):
        pooled = np.stack([features[n].numpy().mean(0), features[n].numpy().max(0)])
        score = sum(correlate(pooled[k], weight[k], mode="constant") for k in range(2)) + bias
        np.testing.assert_allclose(found[n, 0], 1 / (1 + np.exp(-score)), rtol=1e-5)


def test_without_attention_all_places_count_alike():
    encoder = SpatialEncoder(4, 3, channels=6, blocks=2, attention=False).eval()
    x = torch.rand(2, 4, 5, 5)
    features = encoder.body(encoder.stem(x))
    expected = concentration(encoder.head(features.sum((-2, -1))), "softmax")
    torch.testing.assert_close(encoder(x), expected)
    assert not torch.allclose(SpatialEncoder(4, 3, channels=6, blocks=2).eval()(x), expected)


@pytest.mark.parametrize("side", [1, 3, 5])
@pytest.mark.parametrize("together", [1, 60, 10**6])
def test_the_whole_image_at_once_gives_what_its_patches_give(side, together, monkeypatch):
    monkeypatch.setattr(latent, "_TOGETHER", together)
    torch.manual_seed(0)
    encoder = SpatialEncoder(7, 3, side=side, channels=6, blocks=2)
    image = torch.rand(7, 9, 13)
    cut = patches(image, side)
    for _ in range(40):  # statistics of the batch normalisation that are not those it starts with
        encoder(cut(torch.arange(117)))
    encoder.eval()
    encoder.head, encoder.activation = torch.nn.Identity(), "softplus"  # see all that is gathered
    expected = encoder(cut(torch.arange(117)))
    torch.testing.assert_close(encoder.whole(image), expected, rtol=1e-4, atol=1e-5)
    assert expected.std(dim=0).max() > 0.01  # pixels differ


def test_abundances_are_those_of_the_centre_pixel():
    scene = mixed_scene()  # neighbours have nothing in common
    how = METHODS["spacnn-ldvae"] | {"channels": 16, "epochs": 60, "learning_rate": 0.003, "hidden": (32,)}
    found = trained(scene, "spacnn-ldvae", **how)
    assert metrics.spectral_angle(found.E, scene.E).max() < 0.3
    centre = metrics.rmse_pooled(found.A, scene.A)
    for axis, shift in ((1, 1), (1, -1), (2, 1), (2, -1)):
        assert centre < metrics.rmse_pooled(found.A, np.roll(scene.A, shift, axis=axis)) - 0.05


def test_the_likelihood_is_that_of_torch():
    x, mean, deviation = torch.randn(4, 7), torch.randn(4, 7), torch.rand(4, 7) + 0.01
    expected = -torch.distributions.Normal(mean, deviation).log_prob(x).sum(-1)
    torch.testing.assert_close(negative_log_likelihood(x, mean, deviation.log()), expected)


def test_the_spectrum_to_rebuild_is_that_of_the_middle():
    patch = torch.rand(2, 4, 5, 5)
    torch.testing.assert_close(SpatialEncoder(4, 3, side=5).centre(patch), patch[:, :, 2, 2])
    torch.testing.assert_close(PixelEncoder(4, 3, hidden=(5,)).centre(patch[:, :, 1, 1]), patch[:, :, 1, 1])


def test_the_loss_is_the_sum_of_its_weighted_parts():
    torch.manual_seed(0)
    X, Z = torch.rand(20, 6), torch.distributions.Dirichlet(torch.ones(3)).sample((20,))
    encoder, decoder = PixelEncoder(6, 3, hidden=(5,)), SpectrumDecoder(3, 6, hidden=(5,))

    def loss(**weights):
        torch.manual_seed(1)
        zero = dict.fromkeys(("reconstruction_weight", "divergence_weight", "abundance_weight"), 0.0)
        return evidence(encoder(X), decoder, X, Z, LDVAESettings(**{**zero, **weights}))

    parts = [loss(reconstruction_weight=2.0), loss(divergence_weight=3.0), loss(abundance_weight=5.0)]
    whole = loss(reconstruction_weight=2.0, divergence_weight=3.0, abundance_weight=5.0)
    torch.testing.assert_close(sum(parts), whole)
    gammas = torch.distributions.Gamma(encoder(X), torch.ones(20, 3))
    prior = torch.distributions.Gamma(torch.ones(20, 3), torch.ones(20, 3))
    torch.testing.assert_close(parts[1] / 3, torch.distributions.kl_divergence(gammas, prior).sum(-1).mean())


def expected_summary(decoded, Y):
    angles, squares = metrics.spectral_angle(decoded, Y), ((decoded - Y) ** 2).mean(axis=0)
    return [[x.mean(), x.std(), *np.quantile(x, [0, 0.25, 0.5, 0.75, 1])] for x in (angles, squares)]


def test_what_becomes_of_the_test_pixels():
    scene, rng = mixed_scene(), np.random.default_rng(0)
    test = rng.random(scene.height * scene.width) < 0.3
    A = rng.dirichlet(np.ones(3), len(test)).T
    A[0, 5] -= 0.25
    clean = scene.Y + 0.1
    found = examine(A.reshape(scene.A.shape), lambda a: scene.E @ a**2, scene, test, clean)
    np.testing.assert_allclose(found["constraints"], [A.min(), 0.25], atol=1e-12)
    truth = scene.A.reshape(3, -1)
    for name, given, Y in (
        ("reconstruction", A, scene.pixels),
        ("clean", A, clean.reshape(20, -1)),
        ("generated", truth, scene.pixels),
    ):
        angles, squares = expected_summary(scene.E @ given[:, test] ** 2, Y[:, test])
        np.testing.assert_allclose(found[f"{name}-angle"], angles, rtol=1e-6)
        np.testing.assert_allclose(found[f"{name}-mse"], squares, rtol=1e-6)
    same = [A[:, k].argmax() == truth[:, k].argmax() for k in np.flatnonzero(test)]
    assert found["dominant"] == pytest.approx(np.mean(same))
    unlabelled = examine(A.reshape(scene.A.shape), lambda a: scene.E @ a, Scene(scene.Y), test, None)
    assert set(unlabelled) == {"constraints", "reconstruction-angle", "reconstruction-mse"}


@pytest.mark.parametrize("name", list(METHODS))
def test_spectra_are_decoded_from_abundances(name):
    scene = mixed_scene()
    found = trained(scene, name, seed=2, clean=scene.Y)
    np.testing.assert_allclose(found.history["clean-angle"], found.history["reconstruction-angle"])
    test = found.history["test"] > 0
    if name == "labelled-fclsu":  # the only one whose decoder is known from outside
        angles, _ = expected_summary(found.E @ found.A.reshape(3, -1)[:, test], scene.pixels[:, test])
        np.testing.assert_allclose(found.history["reconstruction-angle"], angles, rtol=1e-3, atol=1e-5)
    assert found.history["constraints"][0] >= 0
    assert found.history["constraints"][1] < 1e-5


def test_noise_is_told_from_the_clean_image():
    record = execute(Run("labelled-fclsu", SceneSpec("lagoon", snr_db=15.0), 0, {"share": 0.5}))
    noisy, clean = (record.arrays[f"history/{name}-mse"][0] for name in ("reconstruction", "clean"))
    assert clean < 0.5 * noisy
    whole = execute(Run("labelled-fclsu", SceneSpec("lagoon"), 0, {"share": 0.5}))
    assert "history/clean-mse" not in whole.arrays


def test_a_balanced_training_sees_rare_endmembers_as_often():
    rng = np.random.default_rng(0)
    A = np.zeros((3, 30, 30))
    dominant = rng.choice(3, size=(30, 30), p=[0.9, 0.08, 0.02])
    np.put_along_axis(A, dominant[None], 1.0, axis=0)
    E = rng.uniform(0.1, 0.9, size=(20, 3))
    Y = np.tensordot(E, A, axes=1) + rng.normal(scale=0.3, size=(20, 30, 30))
    how = {"hidden": (16,), "epochs": 40, "batch": 64}
    plain, balanced = (trained(Scene(Y, E, A), balanced=b, **how) for b in (False, True))
    # of a rare endmember more is found, if more is made of it
    rare = dominant == 2
    assert balanced.A[2][rare].mean() > plain.A[2][rare].mean() + 0.1


# --------------------------------------------------------------------------- known answers


def mixed_scene(height=24, width=25, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.uniform(0.1, 0.9, size=(20, 3))
    A = rng.dirichlet(np.ones(3), size=height * width).T.reshape(3, height, width)
    return Scene(np.tensordot(E, A, axes=1) + rng.normal(scale=0.005, size=(20, height, width)), E, A)


def test_labels_are_learnt_and_carry_to_pixels_not_seen():
    scene = mixed_scene()
    how = {"hidden": (32,), "epochs": 150, "batch": 64, "learning_rate": 0.003}
    found = trained(scene, **how)
    test = found.history["test"].reshape(scene.height, scene.width) > 0
    assert found.status is Status.FINISHED
    assert metrics.rmse_pooled(found.A[:, test], scene.A[:, test]) < 0.08
    assert metrics.spectral_angle(found.E, scene.E).max() < 0.15
    # and labels that are another pixel's cannot be: nothing better than the mean, whose error is 0.24
    order = np.random.default_rng(1).permutation(scene.height * scene.width)
    shuffled = scene.A.reshape(3, -1)[:, order].reshape(scene.A.shape)
    wrong = trained(Scene(scene.Y, scene.E, shuffled), **how)
    assert metrics.rmse_pooled(wrong.A[:, test], shuffled[:, test]) > 0.15


def test_endmembers_keep_the_order_of_the_labels():
    scene = mixed_scene()
    order = [2, 0, 1]
    turned = Scene(scene.Y, scene.E[:, order], scene.A[order])
    how = {"hidden": (32,), "epochs": 150, "batch": 64, "learning_rate": 0.003}
    angles = metrics.spectral_angle(trained(turned, **how).E, turned.E)
    assert angles.max() < 0.15


def test_labels_give_least_squares_the_endmembers_of_a_noiseless_scene():
    scene = pure_pixel_scene(9, 8)
    mask = training_mask(9, 8, share=0.5, seed=0)
    np.testing.assert_allclose(learnt(Labels(scene, mask)), scene.E, atol=1e-5)
    found = trained(scene, "labelled-fclsu", share=0.5)
    np.testing.assert_allclose(found.A, scene.A, atol=1e-4)
    assert found.history["reconstruction-angle"].max() < 1e-3


def test_least_squares_can_take_its_endmembers_from_elsewhere():
    scene = mixed_scene()
    own = trained(scene, "labelled-fclsu", endmembers_from="scene")
    np.testing.assert_array_equal(own.E, scene.E)
    picked = trained(scene, "labelled-fclsu", endmembers_from="vca", seed=1)
    blind = get("vca-fclsu").unmix(scene, seed=1)
    assert {tuple(e) for e in picked.E.T} == {tuple(e) for e in blind.E.T}  # in the order of the labels
    assert (metrics.align(picked.E, scene.E) == np.arange(3)).all()
    with pytest.raises(ValueError, match="no 3 reference endmembers"):
        trained(Scene(scene.Y, A=scene.A), "labelled-fclsu", endmembers_from="scene")
    with pytest.raises(ValueError, match="'labels', 'vca' or 'scene'"):
        trained(scene, "labelled-fclsu", endmembers_from="sivm")


# --------------------------------------------------------------------------- records


def test_a_record_scores_the_test_pixels_apart_and_in_the_order_of_the_labels(tmp_path, monkeypatch):
    monkeypatch.setenv("HSU_STORE", str(tmp_path))
    run = Run("ldvae", SMALL, 3, TINY)
    record = execute(run)
    from hsu_lib import scenes

    scene = scenes.load(SMALL)
    found = trained(scene, seed=3)
    np.testing.assert_array_equal(record.arrays["A"], found.A)  # not aligned by spectral angle
    test = record.arrays["history/test"].reshape(14, 11) > 0
    assert record.scores["test/rmse-abundances"] == pytest.approx(
        metrics.rmse_pooled(found.A[:, test], scene.A[:, test])
    )
    material = scene.materials[1]
    assert record.scores[f"test/rmse-abundances/{material}"] == pytest.approx(
        float(np.sqrt(np.mean((found.A[1, test] - scene.A[1, test]) ** 2))), rel=1e-5
    )
    assert record.scores["rmse-abundances"] != record.scores["test/rmse-abundances"]
    assert record.scores["sad-endmembers"] == pytest.approx(
        float(metrics.spectral_angle(found.E, scene.E).mean()), rel=1e-5
    )


def test_a_run_on_another_scenes_labels_names_it_in_its_key(tmp_path):
    here = Run("ldvae", SMALL, 0, TINY)
    there = Run("ldvae", SMALL, 0, TINY | {"trained_on": "lagoon"})
    assert here.training is None
    assert there.training == SceneSpec("lagoon", noise_seed=1_000_003)
    window = SceneSpec("cuprite-window", reference="aligned")
    assert Run("ldvae", window, 0, {"trained_on": "cuprite-synthetic"}).training.reference == "aligned"
    assert Run("ldvae", window, 0, {"trained_on": "lagoon"}).training.reference == ""
    assert "training" not in here.asked()
    assert there.asked()["training"]["name"] == "lagoon"
    assert here.key != there.key
    store = Store(tmp_path)
    record = store.put(execute(there, store=store))
    assert store.get(there).key == record.key
    assert record.arrays["history/test"].all()
    assert record.scores["test/rmse-abundances"] == pytest.approx(record.scores["rmse-abundances"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden": ()}, "hidden"),
        ({"epochs": 0}, "epochs"),
        ({"prior": 0}, "prior"),
        ({"abundance_weight": -1}, "abundance_weight"),
        ({"sampling": "exact"}, "'approximate' or 'implicit'"),
        ({"share": 0}, "share"),
        ({"split": "rows"}, "split"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        get("ldvae").configure(**wrong)
