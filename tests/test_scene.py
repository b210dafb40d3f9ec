"""Scene, SceneSpec and Unmixing: validation, fingerprints, crops."""

from __future__ import annotations

import numpy as np
import pytest

from hsu_lib.scene import Scene, SceneSpec, Status, Unmixing


def scene(**changes):
    rng = np.random.default_rng(0)
    fields = {
        "Y": rng.random((6, 7, 5)),
        "E": rng.random((6, 3)),
        "A": rng.random((3, 7, 5)),
        "materials": ("a", "b", "c"),
    }
    return Scene(**fields | changes)


def test_pixels_are_in_c_order():
    s = scene()
    assert s.pixels.shape == (6, 35)
    np.testing.assert_array_equal(s.pixels[:, 2 * 5 + 3], s.Y[:, 2, 3])


def test_arrays_are_copied_float32_and_read_only():
    Y = np.random.default_rng(1).random((6, 7, 5))
    s = scene(Y=Y)
    Y[:] = 0
    assert s.Y.dtype == np.float32
    assert s.Y.max() > 0
    with pytest.raises(ValueError, match="read-only"):
        s.Y[0, 0, 0] = 1


def test_fingerprint_follows_the_content_and_not_the_name():
    s = scene()
    assert scene(name="other").fingerprint == s.fingerprint
    Y = s.Y.copy()
    Y[0, 0, 0] += 1
    assert scene(Y=Y).fingerprint != s.fingerprint
    assert scene(A=None).fingerprint != s.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Y": np.ones((6, 7))}, "3 dimensions"),
        ({"Y": np.full((6, 7, 5), np.nan)}, "NaN"),
        ({"E": np.ones((5, 3))}, "5 bands"),
        ({"A": np.ones((3, 5, 7))}, "height, width"),
        ({"E": np.ones((6, 2))}, "2 endmembers"),
        ({"materials": ("a", "b")}, "2 materials"),
        ({"wavelengths": np.ones(5)}, "5 wavelengths"),
        ({"Y": np.ones((6, 0, 5))}, "at least one"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        scene(**changes)


def test_crop_cuts_the_reference_to_the_same_pixels():
    s = scene()
    window = s.crop(2, 1, 4, 3)
    np.testing.assert_array_equal(window.Y, s.Y[:, 2:6, 1:4])
    np.testing.assert_array_equal(window.A, s.A[:, 2:6, 1:4])
    with pytest.raises(ValueError, match="does not lie in"):
        s.crop(4, 0, 4, 3)


def test_spec_survives_its_dictionary():
    spec = SceneSpec("lagoon", snr_db=30, crop=(1, 2, 3, 4), noise_seed=7)
    assert SceneSpec.from_dict(spec.to_dict()) == spec
    assert "30 dB" in str(spec)


def test_unmixing_that_is_not_finite_says_so():
    E, A = np.eye(6)[:, :2], np.ones((2, 7, 5))
    assert Unmixing(E, A).status is Status.FINISHED
    E[0, 0] = np.inf
    assert Unmixing(E, A).status is Status.DIVERGED


def test_unmixing_whose_endmembers_are_mixtures_of_others_says_so():
    E, A = np.eye(6)[:, :3], np.ones((3, 7, 5))
    assert Unmixing(E, A, Status.CONVERGED).status is Status.CONVERGED
    E[:, 2] = 0.3 * E[:, 0] + 0.7 * E[:, 1]
    assert Unmixing(E, A, Status.CONVERGED).status is Status.DEGENERATE
    assert Unmixing(1e-9 * E, A).status is Status.DEGENERATE
    assert Unmixing(0 * E, A).status is Status.DEGENERATE


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        (np.ma.masked_less(np.arange(30.0).reshape(2, 3, 5), 4), "4 of 30 values are masked"),
        (np.ones((2, 3, 5), dtype=complex), "expected real numbers, got complex128"),
        (np.full((2, 3, 5), "1"), "expected real numbers"),
        (np.full((2, 3, 5), 1e39), "30 of 30 values are NaN or infinite"),
    ],
)
def test_what_numpy_would_turn_into_other_numbers_is_refused(Y, message):
    with pytest.raises(ValueError, match=message):
        Scene(Y)


def test_a_masked_array_without_masked_values_is_an_array():
    assert Scene(np.ma.masked_less(np.ones((2, 3, 5)), 0)).Y.sum() == 30


def test_permuted_moves_endmembers_and_abundances_together():
    rng = np.random.default_rng(2)
    u = Unmixing(rng.random((6, 3)), rng.random((3, 7, 5)))
    v = u.permuted([2, 0, 1])
    np.testing.assert_array_equal(v.E[:, 0], u.E[:, 2])
    np.testing.assert_array_equal(v.A[0], u.A[2])
