"""Pixels that do not count: no method sees them, and they come back as NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys import EXACT, asked_of, ends_well, pure_pixel_scene

from hsu_lib.errors import InputError, option
from hsu_lib.learning.labels import Labels
from hsu_lib.methods import METHODS, get
from hsu_lib.methods.masked import compact, filled, labels_within
from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Scene


def with_border(scene: Scene, junk: float = -9999) -> Scene:
    """The scene with a column and a corner of junk added at the left, and a mask that says so."""
    Y = np.full((scene.bands, scene.height, scene.width + 2), junk, dtype=np.float32)
    mask = np.zeros(Y.shape[1:], dtype=bool)
    mask[:, 2:] = True
    mask[-1, 1] = False
    Y[:, :, 2:] = scene.Y
    A = None
    if scene.A is not None:
        A = np.zeros((len(scene.A), *mask.shape))
        A[:, :, 2:] = scene.A
    return replace(scene, Y=Y, A=A, mask=mask)


def test_what_does_not_count_is_no_content():
    scene = pure_pixel_scene()
    one, two = with_border(scene), with_border(scene, np.inf)
    assert one.fingerprint == two.fingerprint != scene.fingerprint
    assert np.isnan(one.Y[:, 0, 0]).all()
    assert one.counting == scene.counting == 35
    assert Scene(scene.Y, mask=np.ones((7, 5), dtype=bool)).mask is None
    assert one.crop(1, 2, 3, 2).mask is None
    assert one.crop(1, 1, 3, 2).counting == 3


def test_fingerprints_of_scenes_without_a_mask_stay():
    known = Scene(np.arange(24.0).reshape(4, 3, 2) / 24, E=np.eye(4)[:, :2], materials=("a", "b"))
    assert known.fingerprint == FINGERPRINT
    assert replace(known, read=("divided by 24",), kept=np.arange(4)).fingerprint == FINGERPRINT


FINGERPRINT = "55b203db98994e0666c58b8f94338a1abd104b649cc089434d7b1f3108cb33d6"


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((7, 5), dtype=bool), "no pixel is left that counts"),
        (np.ones((5, 7), dtype=bool), r"expected \(7, 5\) Booleans"),
        (np.ones((7, 5)), "got .* of float64"),
    ],
)
def test_wrong_masks(mask, message):
    with pytest.raises(ValueError, match=message):
        Scene(pure_pixel_scene().Y, mask=mask)


def test_a_mask_hides_nothing_that_counts():
    Y = pure_pixel_scene().Y.copy()
    Y[0, 3, 3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite"):
        Scene(Y, mask=np.arange(35).reshape(7, 5) > 0)


@pytest.mark.parametrize("name", list(METHODS))
def test_no_method_sees_them(name):
    method, scene = get(name), pure_pixel_scene()
    masked, given = with_border(scene), asked_of(name, scene, seed=2, endmembers=3)
    result = method.unmix(masked, **given)
    assert result.A.shape == (result.E.shape[1], 7, 7)
    assert np.isnan(result.A[:, ~masked.mask]).all()
    assert np.allclose(result.A[:, masked.mask].sum(axis=0), 1, atol=1e-5) == (method.asc or name in EXACT)
    assert result.status in ends_well(name)
    inner = filled(masked) if method.needs.spatial else compact(masked)
    if method.needs.labels:  # drawn from the pixels that count
        own = method.configure(**dict(method.quick)).labels(masked, 2)
        given["labels"] = labels_within(own, inner, spatial=method.needs.spatial)
        assert given["labels"].chosen.sum() == (own.mask & masked.mask).sum()
    same = method.unmix(inner, **given)
    np.testing.assert_array_equal(result.E, same.E)


def test_a_first_estimation_of_the_whole_image_is_cut_alike():
    scene = with_border(pure_pixel_scene())
    first = get("vca-fclsu").unmix(scene, endmembers=3)
    for name in (name for name, method in METHODS.items() if method.needs.first):
        quick = dict(get(name).quick)
        result = get(name).unmix(scene, start=first, **quick)
        assert np.isfinite(result.A[:, scene.mask]).all()


LABELLED = [name for name, method in METHODS.items() if method.needs.labels]


@pytest.mark.parametrize("name", LABELLED)
def test_labels_leave_them_out(name):
    scene, method = with_border(pure_pixel_scene()), get(name)
    labels = Labels(scene)
    assert labels.chosen.sum() == 35
    assert np.isfinite(labels.spectra).all()
    for image in (scene, pure_pixel_scene()):  # their own, and another one
        result = method.unmix(image, labels=labels, **dict(method.quick))
        assert result.status in ends_well(name)
        assert np.isfinite(result.E).all()
        assert np.isfinite(result.A[:, ... if image.mask is None else image.mask]).all()


@pytest.mark.parametrize("name", LABELLED)
def test_labels_of_a_masked_image_are_the_same_drawn_here_or_there(name):
    scene, method = with_border(pure_pixel_scene()), get(name)
    drawn = method.configure(**dict(method.quick)).labels(scene, 3)
    one, two = (
        method.unmix(scene, seed=3, **dict(method.quick), **given) for given in ({}, {"labels": drawn})
    )
    np.testing.assert_array_equal(one.E, two.E)


def test_held_out_pixels_count_too():
    scene = with_border(pure_pixel_scene())
    held = np.zeros(scene.mask.shape, dtype=bool)
    held[:3] = True
    for spatial, inner in ((True, filled(scene)), (False, compact(scene))):
        found = labels_within(Labels(scene, ~held, held), inner, spatial=spatial)
        assert found.validation.sum() == 3 * 5
        assert found.chosen.sum() == 4 * 5
        assert np.isfinite(found.spectra).all()


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.needs.truth])
def test_histories_compare_with_what_counts(name):
    scene, method = with_border(pure_pixel_scene()), get(name)
    truth = Truth.with_fclsu(scene, noisy=True)
    result = method.unmix(scene, endmembers=3, truth=truth, **dict(method.quick))
    compared = {key: values for key, values in result.history.items() if key.startswith(("mae-", "mse-"))}
    assert compared
    assert all(np.isfinite(values).all() for values in compared.values())


def test_filled_with_the_nearest():
    scene = filled(with_border(pure_pixel_scene()))
    np.testing.assert_array_equal(scene.Y[:, :, 0], scene.Y[:, :, 2])


def test_mostly_masked_is_refused_where_neighbours_matter():
    scene = pure_pixel_scene()
    mask = np.arange(35).reshape(7, 5) > 20
    with pytest.raises(InputError, match="21 of 35 pixels of toy do not count"):
        get("ae-patches").unmix(replace(scene, mask=mask), endmembers=3)
    get("sivm-fclsu").unmix(replace(scene, A=None, mask=mask), endmembers=3)


def test_options_are_named_as_the_caller_spells_them():
    sizes = option("size", python="(height, width)", command="HEIGHT WIDTH")
    error = InputError(f"{{x}}\n {option('layout', 'b(hw)')}, {sizes}, {option('band_unit')}: give them")
    assert str(error) == "{x} layout='b(hw)', size=(height, width), band_unit=: give them"
    assert error.for_command_line == "{x} --layout 'b(hw)', --size HEIGHT WIDTH, --band-unit: give them"
