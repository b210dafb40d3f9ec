"""The deep image prior for abundances: loss, average, history, inputs, resuming, and a known answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toys import pure_pixel_scene

from hsu_lib.learning import checkpoints
from hsu_lib.methods import get
from hsu_lib.methods.priors import fitting, undip
from hsu_lib.methods.priors.fitting import padded, snapshots_at
from hsu_lib.methods.priors.undip import UnDIPSettings, Watch, start
from hsu_lib.metrics.truth import Reference, Truth
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.solvers.extraction import sivm

BOTH = ["undip", "undip-configurable"]
CPU = torch.device("cpu")
RE = "mse-reconstruction"
both = pytest.mark.parametrize("name", BOTH)


def smooth_scene(height=16, width=12, *, noise=0.0) -> Scene:
    """Linear mixture whose abundances change slowly, without pure pixels."""
    E = pure_pixel_scene().E.astype(float)
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    A = np.exp(2 * np.stack([np.cos(3 * y), np.sin(3 * x), y - x]))
    A /= A.sum(axis=0)
    Y = np.einsum("lp,phw->lhw", E, A)
    Y += noise * np.random.default_rng(0).standard_normal(Y.shape)
    return Scene(Y, E, A, name="smooth")


def unmix(scene, name="undip", **given) -> Unmixing:
    return get(name).unmix(scene, **{"iterations": 4, "filters": 6, "endmembers_from": "scene"} | given)


# --------------------------------------------------------------------------- loss


@pytest.mark.parametrize("endmembers", ["apart", "collinear", "one", "as many as bands"])
def test_the_low_dimensional_loss_is_the_direct_one_with_its_gradient(endmembers):
    rng = np.random.default_rng(0)
    E = rng.random((9, {"one": 1, "as many as bands": 9}.get(endmembers, 4)))
    if endmembers == "collinear":
        E[:, 2] = 3 * E[:, 0]
    Y = rng.random((9, 35))
    watch = Watch(Y, E, (7, 5), Truth(), 1.0, CPU)
    A = torch.rand(1, E.shape[1], 7, 5, requires_grad=True)
    low = 0.5 * watch.distance(A, *watch.images[RE])
    residual = E @ A.detach().double().numpy().reshape(-1, 35) - Y
    np.testing.assert_allclose(low.item(), 0.5 * np.sum(residual**2), rtol=1e-6)
    gradient = torch.autograd.grad(low, A)[0].numpy().reshape(-1, 35)
    np.testing.assert_allclose(gradient, E.T @ residual, atol=1e-5 * np.abs(E.T @ residual).max())


def test_nothing_cancels_in_the_loss_where_the_fit_is_good():
    scene = smooth_scene()
    E, A = scene.E.astype(float), scene.A.astype(float)
    Y = E @ A.reshape(3, -1)
    watch = Watch(1e3 * Y, 1e3 * E, (16, 12), Truth(), 1.0, CPU)
    low = 0.5 * watch.distance(torch.tensor(A[None], dtype=torch.float32), *watch.images[RE])
    assert low.item() < 1e-12 * 0.5 * np.sum((1e3 * Y) ** 2)


# --------------------------------------------------------------------------- average and snapshots


def every_output(scene, iterations, **given) -> np.ndarray:
    """Output of the network in every iteration, not averaged."""
    made = [unmix(scene, iterations=n, window=1, **given).A for n in range(1, iterations + 1)]
    return np.array(made, dtype=np.float64)


@both
def test_outputs_are_averaged_with_exponential_weights(name):
    scene, window = smooth_scene(), 3
    A = every_output(scene, 6, name=name)
    assert np.abs(np.diff(A, axis=0)).max() > 1e-3  # so that averaging can be seen
    for count in (1, 2, 6):
        weights = (1 - 1 / window) ** np.arange(count)[::-1] / window
        weights[0] *= window  # the first output starts the average
        np.testing.assert_allclose(weights.sum(), 1)
        expected = np.tensordot(weights, A[:count], 1)
        averaged = unmix(scene, name, iterations=count, window=window).A
        np.testing.assert_allclose(averaged, expected, atol=1e-6)


def test_a_window_of_one_is_no_average():
    history = unmix(smooth_scene(), iterations=5, window=1).history
    for name in (RE, "mae-abundances"):
        np.testing.assert_array_equal(history[name], history[f"{name}-averaged"])
    history = unmix(smooth_scene(), iterations=5, window=2).history
    assert (history[RE][1:] != history[f"{RE}-averaged"][1:]).all()


def test_snapshots_are_the_averaged_maps_at_the_asked_iterations():
    scene = smooth_scene(5, 7)
    u = unmix(scene, iterations=9, snapshots=4)
    at = list(snapshots_at(9, 4))
    assert at == [0, 1, 3, 8]
    assert u.history["snapshots"].shape == (4, 3, 5, 7)
    for frame, last in zip(u.history["snapshots"], at, strict=True):
        np.testing.assert_array_equal(frame, unmix(scene, iterations=last + 1).A)
    assert "snapshots" not in unmix(scene).history


@pytest.mark.parametrize(("iterations", "count"), [(1, 1), (7, 1), (7, 7), (3000, 20), (3000, 3000)])
def test_snapshots_are_more_early_and_the_last_always(iterations, count):
    at = list(snapshots_at(iterations, count))
    assert at[-1] == iterations - 1
    assert 1 <= len(at) <= count
    assert at[0] == 0 or count == 1
    assert (np.diff(at) > 0).all()
    assert (np.diff(at, 2) >= -1).all()  # rounding


def test_no_snapshots():
    assert list(snapshots_at(9, 0)) == []


# --------------------------------------------------------------------------- history


def test_the_history_is_what_numpy_computes_from_the_outputs():
    clean, scene = smooth_scene(15, 13), smooth_scene(15, 13, noise=0.02)
    other = Reference(scene.E + 0.05, np.full_like(scene.A, 1 / 3))
    turned = Reference(scene.E[:, [2, 0, 1]], scene.A[[2, 0, 1]])
    truth = Truth(clean.Y, {"reference": Reference(scene.E, scene.A), "turned": turned, "other": other})
    given = {"truth": truth, "normalise": "max"}
    scale = np.abs(scene.Y).max()
    u = unmix(scene, iterations=3, window=2, snapshots=3, **given)
    outputs = every_output(scene, 3, **given)
    averaged = u.history["snapshots"].astype(np.float64)
    assert len(averaged) == 3
    for suffix, maps in (("", outputs), ("-averaged", averaged)):
        Y_hat = np.einsum("lp,tphw->tlhw", scene.E / scale, maps)
        expected = {
            RE: np.mean((Y_hat - scene.Y / scale) ** 2, axis=(1, 2, 3)),
            "mse-spectral": np.mean((Y_hat - clean.Y / scale) ** 2, axis=(1, 2, 3)),
            "mae-abundances": np.abs(maps - scene.A).mean(axis=(1, 2, 3)),
            "mae-abundances-turned": np.abs(maps - scene.A).mean(axis=(1, 2, 3)),
            "mae-abundances-other": np.abs(maps - 1 / 3).mean(axis=(1, 2, 3)),
        }
        for name, values in expected.items():
            np.testing.assert_allclose(u.history[name + suffix], values, rtol=1e-4, err_msg=name + suffix)
    assert len(u.history) == 1 + 2 * 5 + 1
    np.testing.assert_array_equal(u.E, scene.E)


def test_the_loss_is_half_the_squared_distance_of_the_mirrored_image():
    even, odd = smooth_scene(), smooth_scene(15, 12)
    u = unmix(even)
    np.testing.assert_allclose(u.history["loss"], 0.5 * even.Y.size * u.history[RE], rtol=1e-5)
    u = unmix(odd)
    ratio = u.history["loss"] / (0.5 * odd.Y.size * u.history[RE])
    assert ratio.min() > 1.01  # one row in sixteen counts twice
    assert ratio.max() < 1.2


def test_what_is_known_has_no_influence_and_what_does_not_fit_is_left_out():
    scene = smooth_scene()
    reference = Reference(scene.E, scene.A)
    fewer = Reference(scene.E[:, :2], scene.A[:2])
    smaller = Reference(scene.E, scene.A[:, 1:])
    broken = Reference(np.full_like(scene.E, np.nan), scene.A)
    truth = Truth(scene.Y[1:], {"a": reference, "fewer": fewer, "smaller": smaller, "broken": broken})
    u, without = unmix(scene, truth=truth), unmix(scene, truth=Truth())
    assert set(u.history) == {
        "loss",
        RE,
        f"{RE}-averaged",
        "mae-abundances-a",
        "mae-abundances-a-averaged",
    }
    assert set(without.history) == {"loss", RE, f"{RE}-averaged"}
    np.testing.assert_array_equal(u.A, without.A)


def test_references_in_double_precision_are_welcome():
    scene = smooth_scene()
    double = Reference(scene.E.astype(np.float64), scene.A.astype(np.float64))
    u = unmix(scene, truth=Truth(references={"reference": double}))
    np.testing.assert_array_equal(u.history["mae-abundances"], unmix(scene).history["mae-abundances"])


# --------------------------------------------------------------------------- padding


@pytest.mark.parametrize(
    ("side", "multiple", "expected"),
    [
        (95, 2, 96),
        (96, 2, 96),
        (307, 2, 308),
        (307, 8, 312),
        (100, 8, 104),
        (1, 2, 4),
        (9, 8, 16),
        (3, 8, 16),
    ],
)
def test_maps_are_mirrored_to_the_next_multiple(side, multiple, expected):
    maps = torch.rand(1, 2, side, 32)
    more = padded(maps, multiple)
    assert more.shape == (1, 2, expected, 32)
    assert torch.equal(more[:, :, :side], maps)
    missing = expected - side
    if missing < side:
        assert torch.equal(more[:, :, side:], maps[:, :, side - 1 - missing : side - 1].flip(2))
    else:
        assert torch.equal(more[:, :, side:], maps[:, :, -1:].expand(-1, -1, missing, -1))
    assert torch.equal(padded(maps.mT, multiple).mT, more)


@both
@pytest.mark.parametrize("size", [(15, 7), (1, 5), (5, 1), (1, 1), (2, 2)])
def test_maps_of_any_size_come_back_in_their_size(name, size):
    scene = smooth_scene(*size)
    u = get(name).unmix(scene, endmembers=1, iterations=2, filters=4, levels=4) if "conf" in name else None
    u = u or get(name).unmix(scene, endmembers=1, iterations=2, filters=4)
    assert u.A.shape == (1, *size)
    assert u.status is Status.FINISHED
    np.testing.assert_allclose(u.A, 1, atol=1e-6)


# --------------------------------------------------------------------------- normalisation and inputs


def test_the_normalisation_hardly_matters():
    # Adam divides the gradient by its size, but for the epsilon in the divisor
    scene = smooth_scene()
    plain = unmix(scene, iterations=20, window=1, normalise="none").A
    for normalise in ("l1", "max"):
        other = unmix(scene, iterations=20, window=1, normalise=normalise)
        np.testing.assert_allclose(other.A, plain, atol=1e-5)
        np.testing.assert_allclose(other.E, scene.E, rtol=1e-6)


@pytest.mark.parametrize("normalise", ["l1", "max"])
def test_normalised_images_have_norm_one(normalise):
    scene = smooth_scene()
    Y = scene.pixels.astype(np.float64)
    scale = undip.norm(Y, normalise)
    largest = np.abs(Y).sum(axis=0).max() if normalise == "l1" else np.abs(Y).max()
    np.testing.assert_allclose(scale, largest)
    assert undip.norm(0 * Y, normalise) == 1
    plain, scaled = (unmix(scene, normalise=kind, iterations=1).history[RE] for kind in ("none", normalise))
    np.testing.assert_allclose(scaled * scale**2, plain, rtol=1e-5)


def test_the_unit_of_the_image_does_not_matter():
    scene = smooth_scene()
    counts = Scene(4096 * scene.Y, 4096 * scene.E, scene.A)  # a power of two: no other rounding
    for normalise in ("l1", "max"):
        one, two = (unmix(s, normalise=normalise) for s in (scene, counts))
        np.testing.assert_array_equal(one.A, two.A)
        np.testing.assert_array_equal(4096 * one.E, two.E)


def test_the_inputs_are_noise_or_first_estimates():
    scene = smooth_scene(noise=0.02)
    Y, E = scene.pixels.astype(np.float64), scene.E.astype(np.float64)

    def made(kind):
        maps = start(Y, E, UnDIPSettings(input=kind), (16, 12))
        assert maps.shape == (1, 3, 16, 12)
        assert maps.dtype == torch.float32
        return maps[0].numpy()

    torch.manual_seed(3)
    noise = made("random")
    torch.manual_seed(3)
    np.testing.assert_array_equal(noise, torch.randn(1, 3, 16, 12)[0])
    by_palm, by_nmf = made("palm"), made("nmf")
    np.testing.assert_allclose(by_palm.sum(axis=0), 1, atol=1e-6)
    assert np.abs(by_nmf.sum(axis=0) - 1).max() > 1e-3  # these need not sum to one
    for A in (by_palm, by_nmf):
        assert A.min() >= 0
        assert np.abs(A - scene.A).mean() < 0.1  # uniform maps: 0.22


@pytest.mark.parametrize("kind", ["palm", "nmf"])
def test_an_input_is_what_the_method_of_its_name_finds(kind):
    scene = smooth_scene(noise=0.02)
    Y = scene.pixels.astype(np.float64)
    maps = start(Y, sivm(Y, 3).E, UnDIPSettings(input=kind), (16, 12))[0].numpy()
    alone = get(kind).unmix(scene)
    if kind == "palm":
        np.testing.assert_allclose(maps, alone.A, atol=1e-6)
    else:  # the method shares out what NMF leaves without a sum of one
        assert np.abs(maps / maps.sum(axis=0) - alone.A).mean() < 0.02


@pytest.mark.parametrize("kind", ["palm", "nmf"])
def test_every_input_is_seen_by_the_network(kind):
    scene = smooth_scene(15, 7, noise=0.02)
    assert (scene.Y[:, 0] > 0).all()
    other, noise = unmix(scene, input=kind), unmix(scene)
    assert other.status is Status.FINISHED
    assert np.abs(other.A - noise.A).max() > 1e-3


def test_initial_weights_can_be_scaled():
    scene = smooth_scene()
    assert np.abs(unmix(scene, iterations=1).A - 1 / 3).max() > 0.01
    small = unmix(scene, iterations=1, weights_scale=1e-6).A
    assert small.reshape(3, -1).std(axis=1).max() < 1e-4  # only the last bias is left


# --------------------------------------------------------------------------- endmembers and settings


def test_endmembers_are_picked_or_the_scenes_own():
    scene = pure_pixel_scene(8, 6)
    np.testing.assert_allclose(unmix(scene).E, scene.E, rtol=1e-6)
    for method, name in (("sivm", "sivm-fclsu"), ("vca", "vca-fclsu")):
        picked = unmix(scene, endmembers_from=method, seed=2).E
        np.testing.assert_allclose(picked, get(name).unmix(scene, seed=2).E, rtol=1e-5)


def test_the_scenes_endmembers_are_refused_where_it_has_none_or_others():
    scene = smooth_scene()
    for wrong, endmembers in ((Scene(scene.Y, name="bare"), 3), (scene, 2)):
        with pytest.raises(ValueError, match=rf"{wrong.name} has no {endmembers} reference endmembers"):
            unmix(wrong, endmembers=endmembers)


WRONG = [
    ({"endmembers_from": "snpa"}, "endmembers_from: expected 'sivm', 'vca' or 'scene', got 'snpa'"),
    ({"normalise": "l2"}, "normalise: expected 'l1', 'max' or 'none'"),
    ({"input": "zeros"}, "input: expected 'random', 'palm' or 'nmf'"),
    ({"optimiser": "sgd"}, "optimiser: expected 'adam', 'nadam' or 'rmsprop'"),
    *(
        ({name: 0}, f"{name}: expected a whole number at least 1, got 0")
        for name in ("iterations", "window", "filters", "skip")
    ),
    ({"learning_rate": 0.0}, "learning_rate: expected a number above 0"),
    ({"weights_scale": 0.0}, "weights_scale: expected a number above 0"),
    ({"snapshots": -1}, "snapshots: expected a whole number at least 0, got -1"),
    ({"snapshots": 5, "iterations": 4}, "snapshots: expected at most 4, one per iteration, got 5"),
]
CONFIGURABLE = [
    ({"levels": 0}, "levels: expected a whole number at least 1"),
    ({"scalings": -1}, "scalings: expected a whole number at least 0"),
    ({"skips": "three"}, "skips: expected 'none', 'direct', 'one' or 'two', got 'three'"),
]


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        *((name, *row) for name in BOTH for row in WRONG),
        *(("undip-configurable", *row) for row in CONFIGURABLE),
    ],
)
def test_settings_out_of_range_are_refused(name, setting, message):
    with pytest.raises(ValueError, match=message):
        get(name).configure(**setting)


def test_a_fit_that_diverges_says_so():
    scene = smooth_scene()
    bright = Scene(1e25 * scene.Y, 1e25 * scene.E, scene.A)  # its square is no float
    assert unmix(bright, normalise="none").status is Status.DIVERGED
    assert unmix(bright).status is Status.FINISHED


# --------------------------------------------------------------------------- going on


class Interrupted(Exception):
    """What the tests throw."""


def interrupted_after(monkeypatch, count, *given, path, **settings):
    """Run until iteration `count` is done; its state is not saved, that of the one before is."""
    done = 0

    class Bar(fitting.tqdm):
        def update(self):
            nonlocal done
            done += 1
            if done == count:
                raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "tqdm", Bar)
        try:
            with checkpoints.keep_in(path, seconds=0) as checkpoint:
                return unmix(*given, **settings, checkpoint=checkpoint), done
        except Interrupted:
            return None, done


def assert_same(one: Unmixing, two: Unmixing) -> None:
    np.testing.assert_array_equal(one.E, two.E)
    np.testing.assert_array_equal(one.A, two.A)
    assert one.history.keys() == two.history.keys()
    for name, values in one.history.items():
        np.testing.assert_array_equal(values, two.history[name], err_msg=name)


@pytest.mark.parametrize("optimiser", ["adam", "nadam", "rmsprop"])
@both
def test_an_interrupted_fit_goes_on_to_the_same_result_bit_for_bit(name, optimiser, monkeypatch, tmp_path):
    scene, path = smooth_scene(15, 7), tmp_path / "state"
    given = {"optimiser": optimiser, "iterations": 9, "snapshots": 5, "window": 3, "seed": 1}
    whole = unmix(scene, name, **given)
    steps = []
    for stop in (4, 3, 99):
        found, done = interrupted_after(monkeypatch, stop, scene, name, path=path, **given)
        steps.append(done)
        assert path.exists() == (found is None)
    assert steps == [4, 3, 4]  # 3 and 2 were saved, and 4 are left of 9
    assert_same(found, whole)


def test_a_fit_interrupted_after_its_last_iteration_needs_no_other(monkeypatch, tmp_path):
    scene, path = smooth_scene(), tmp_path / "state"
    whole = unmix(scene, snapshots=2)

    def fail(*_, **__):
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(undip, "Unmixing", fail)
        with pytest.raises(Interrupted), checkpoints.keep_in(path, seconds=0) as checkpoint:
            unmix(scene, snapshots=2, checkpoint=checkpoint)
    found, done = interrupted_after(monkeypatch, 1, scene, path=path, snapshots=2)
    assert done == 0
    assert_same(found, whole)


def test_a_fit_with_a_damaged_checkpoint_starts_afresh(monkeypatch, tmp_path):
    scene, path = smooth_scene(), tmp_path / "state"
    interrupted_after(monkeypatch, 3, scene, path=path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(RuntimeWarning, match="damaged checkpoint, begun anew"):
        found, done = interrupted_after(monkeypatch, 99, scene, path=path)
    assert done == 4
    assert_same(found, unmix(scene))
    assert not path.exists()


# --------------------------------------------------------------------------- known answer


@pytest.mark.parametrize(("name", "given"), [("undip", {}), ("undip-configurable", {"skips": "direct"})])
def test_with_the_true_endmembers_a_smooth_scene_is_found(name, given):
    scene = smooth_scene()
    u = unmix(scene, name, filters=32, iterations=300, window=20, **given)
    assert np.abs(u.A - scene.A).mean() < 0.01  # uniform maps: 0.22
    assert u.history["mae-abundances-averaged"][-1] < 0.01
    assert u.history["loss"][-1] < 1e-3 * u.history["loss"][0]


def test_with_wrong_endmembers_it_is_not():
    scene = smooth_scene()
    wrong = Scene(scene.Y, scene.E[:, [0, 1, 1]], scene.A)
    u = unmix(wrong, filters=32, iterations=300, window=20)
    assert np.abs(u.A - scene.A).mean() > 0.05
