"""`hsu_lib` for programs: arrays and labelled arrays in and out, and the estimator of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from toys import pure_pixel_scene

import hsu_lib
from hsu_lib.metrics.alignment import align
from hsu_lib.unmixing import Diverged

WAVES = np.linspace(420, 2480, 12)


@pytest.fixture(scope="module")
def scene():
    return pure_pixel_scene(9, 7)


def test_arrays_with_known_endmembers(scene):
    found = hsu_lib.unmix(scene.Y, endmembers=scene.E, names=scene.materials)
    np.testing.assert_allclose(found.A, scene.A, atol=1e-4)
    assert found.materials == scene.materials
    assert found.rmse.max() < 1e-5
    assert found.status.startswith("converged")
    row = hsu_lib.unmix(scene.pixels, endmembers=scene.E)
    np.testing.assert_allclose(row.A[:, 0], found.A.reshape(3, -1), atol=1e-6)


def test_endmembers_are_found_by_number_and_method(scene):
    found = hsu_lib.unmix(scene.Y, endmembers=3, method="sivm-fclsu", seed=1)
    order = align(found.E, scene.E)
    np.testing.assert_allclose(found.A[order], scene.A, atol=1e-3)
    assert found.about["seed"] == 1
    assert (
        hsu_lib.unmix(scene.Y, endmembers=3, method="nmf", iterations=5).about["settings"]["iterations"] == 5
    )


def test_pixels_that_do_not_count(scene):
    Y, mask = scene.Y.copy(), np.ones((9, 7), dtype=bool)
    Y[3, 0, 0], mask[1, 1] = np.nan, False
    found = hsu_lib.unmix(Y, endmembers=scene.E, mask=mask)
    assert not found.mask[0, 0]
    assert np.isnan(found.A[:, [0, 1], [0, 1]]).all()
    assert np.isfinite(found.A).sum() == 3 * 61


def test_labelled_arrays_keep_their_labels(scene):
    xarray = pytest.importorskip("xarray")
    lat, lon = np.linspace(50, 49, 9), np.linspace(8, 9, 7)
    coords = {"wavelength": WAVES / 1000, "lat": lat, "lon": lon}
    Y = xarray.DataArray(scene.Y.transpose(1, 2, 0), coords, ("lat", "lon", "wavelength"))
    Y.wavelength.attrs["units"] = "um"
    fine = np.arange(400.0, 2500)
    E = np.stack([np.interp(fine, WAVES, spectrum) for spectrum in scene.E.T])
    library = xarray.DataArray(
        E, {"material": ["a", "b", "c"], "wavelength": fine}, ("material", "wavelength")
    )
    found = hsu_lib.unmix(Y, endmembers=library)
    assert found.abundances.dims == ("endmember", "lat", "lon")
    np.testing.assert_array_equal(found.abundances.lat, lat)
    np.testing.assert_allclose(found.abundances.sel(endmember="b"), scene.A[1], atol=0.02)
    np.testing.assert_allclose(found.endmembers.wavelength, WAVES, rtol=1e-6)
    pixels = Y.stack(pixel=("lat", "lon"))
    flat = hsu_lib.unmix(pixels, endmembers=library).abundances
    np.testing.assert_allclose(flat.unstack("pixel"), found.abundances, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"endmembers": np.ones((5, 2))}, "spectra of 5 bands for an image of 12"),
        ({"endmembers": 99}, "more than image can tell apart"),
        ({"endmembers": 3, "method": "vca"}, "no method 'vca'"),
        ({"endmembers": 3, "names": "abc"}, "none are given"),
        ({"endmembers": 3, "mask": np.ones(4)}, "mask: "),
        ({"endmembers": 3, "mask": np.full((9, 7), "a")}, "a mask has numbers"),
        ({"endmembers": 3, "mask": np.arange(63).reshape(9, 7)}, "a mask has two values"),
        ({"endmembers": 3, "wavelengths": [*WAVES[1:], np.nan]}, "wavelength of band 12 is nan"),
        ({"endmembers": 3, "wavelengths": WAVES[1:]}, "11 wavelengths for 12 bands"),
        ({"endmembers": 3, "device": "gpu"}, "device: 'gpu'"),
        ({"endmembers": 3, "device": None}, "device: None"),
        ({"endmembers": 3, "seed": 1.5}, "seed: expected a whole number from 0, got 1.5"),
        ({"endmembers": 3, "seed": -1}, "seed: "),
        ({"endmembers": 3.0}, "expected a number, or an array (bands, endmembers), got 3.0"),
        ({"endmembers": True}, "got True"),
        ({"endmembers": "nothing.csv"}, "no such file"),
    ],
)
def test_what_does_not_fit(scene, given, told):
    with pytest.raises((ValueError, OSError)) as caught:
        hsu_lib.unmix(scene.Y, **given)
    assert told in str(caught.value)


def test_another_unit_is_refused_with_the_factor(scene):
    with pytest.raises(ValueError, match="endmembers_scale=10000"):
        hsu_lib.unmix(scene.Y, endmembers=1e4 * scene.E)
    found = hsu_lib.unmix(scene.Y, endmembers=1e4 * scene.E, endmembers_scale=1e4)
    np.testing.assert_allclose(found.A, scene.A, atol=1e-4)


def test_other_shapes_are_refused():
    for Y in (np.ones(4), np.ones((2, 2, 2, 2)), np.ones((3, 4), dtype=complex), np.full((3, 4), "a")):
        with pytest.raises(ValueError, match="Y: "):
            hsu_lib.unmix(Y, endmembers=2)


def test_bands_that_come_last_are_noticed(scene):
    Y = scene.Y.transpose(1, 2, 0)
    for given in ({"endmembers": scene.E}, {"endmembers": 3, "wavelengths": WAVES}):
        with pytest.raises(ValueError, match="its bands seem to be last"):
            hsu_lib.unmix(Y, **given)


def holed(scene):
    """Image with fill in its first two rows, and which pixels are not."""
    Y, mask = scene.Y.copy(), np.ones((9, 7), dtype=bool)
    Y[:, :2], mask[:2] = -9999, False
    return Y, mask


def test_fill_is_refused_and_settled_as_in_files(scene):
    Y, mask = holed(scene)
    with pytest.raises(ValueError, match=r"Y: holds -9999 in 14 of 63 pixels: no data .* Give nodata=-9999"):
        hsu_lib.unmix(Y, endmembers=scene.E)
    found = hsu_lib.unmix(Y, endmembers=scene.E, nodata=-9999)
    np.testing.assert_array_equal(found.mask, mask)
    np.testing.assert_allclose(found.A[:, mask], scene.A[:, mask], atol=1e-4)
    np.testing.assert_array_equal(hsu_lib.unmix(Y, endmembers=scene.E, mask=mask).mask, mask)
    with pytest.raises(ValueError, match="no pixel counts"):
        hsu_lib.unmix(Y, endmembers=scene.E, mask=~mask, nodata=-9999)
    Y[:, :2] = np.linspace(-0.3, -0.1, len(Y))[:, None, None]
    found = hsu_lib.unmix(Y, endmembers=scene.E, nodata="border")
    np.testing.assert_array_equal(found.mask, mask)


def test_masked_arrays_keep_their_mask(scene):
    Y, mask = holed(scene)
    found = hsu_lib.unmix(np.ma.masked_equal(Y, -9999), endmembers=scene.E)
    np.testing.assert_array_equal(found.mask, mask)
    flat = hsu_lib.unmix(np.ma.masked_equal(Y, -9999).reshape(len(Y), -1), endmembers=scene.E)
    np.testing.assert_array_equal(flat.mask, mask.reshape(1, -1))
    with pytest.raises(ValueError, match="have no value in 1 of 12 bands"):
        hsu_lib.unmix(scene.Y, endmembers=np.ma.masked_array(scene.E, scene.E[2, 1] == scene.E))


def test_attributes_of_labelled_arrays(scene):
    xarray = pytest.importorskip("xarray")
    Y, mask = holed(scene)
    counts = np.where(mask, np.round((Y + 0.1) * 5000), -7).astype(np.int16)
    told = {"_FillValue": -7, "scale_factor": 2e-4, "add_offset": -0.1}
    labelled = xarray.DataArray(counts, dims=("band", "y", "x"), attrs=told)
    found = hsu_lib.unmix(labelled, endmembers=scene.E)
    np.testing.assert_array_equal(found.mask, mask)
    np.testing.assert_allclose(found.A[:, mask], scene.A[:, mask], atol=0.01)
    assert found.read[0] == "scale and offset of its attributes applied"
    with pytest.raises(ValueError, match="were these applied"):
        hsu_lib.unmix(labelled.astype(float).assign_attrs(told), endmembers=scene.E)


def test_numbers_that_are_no_reflectance_are_told(scene):
    assert not hsu_lib.unmix(scene.Y, endmembers=3).warnings
    (told,) = hsu_lib.unmix(scene.Y * 1e4, endmembers=3).warnings
    assert "is no reflectance" in told


def test_wavelengths_in_another_unit(scene):
    found = hsu_lib.unmix(scene.Y, endmembers=3, wavelengths=WAVES / 1000)
    np.testing.assert_allclose(found.wavelengths, WAVES, rtol=1e-6)
    assert "taken as micrometres" in found.read[0]
    found = hsu_lib.unmix(scene.Y, endmembers=3, wavelengths=np.zeros(12))
    assert found.wavelengths is None
    assert "all 0" in found.read[0]


def test_bands_that_seem_to_come_last_are_told():
    x, centre = np.linspace(0, 1, 30), np.random.default_rng(0).random((12, 9, 1))
    Y = 0.1 + 0.6 * np.exp(-(((x - centre) / 0.4) ** 2))
    assert any("axis of 30" in told for told in hsu_lib.unmix(Y, endmembers=2).warnings)
    first = hsu_lib.unmix(Y.transpose(2, 0, 1), endmembers=2)
    assert not any("axis of" in told for told in first.warnings)


def test_a_scene_has_its_own_mask(scene):
    with pytest.raises(ValueError, match="a Scene has wavelengths and a mask of its own"):
        hsu_lib.unmix(scene, endmembers=3, mask=np.ones((9, 7), dtype=bool))


def test_divergence_is_an_error(scene, monkeypatch):
    from hsu_lib.methods import Method
    from hsu_lib.scene import Unmixing

    diverged = Unmixing(np.full((12, 3), np.nan), np.full((3, 9, 7), np.nan))
    monkeypatch.setattr(Method, "unmix", lambda self, scene, **_: diverged)
    with pytest.raises(Diverged, match="no longer finite"):
        hsu_lib.unmix(scene.Y, endmembers=3)


def test_names_are_loaded_when_used():
    assert {"unmix", "read_result", "Unmixer"} <= set(dir(hsu_lib))
    with pytest.raises(AttributeError, match="no attribute 'unmixed'"):
        hsu_lib.unmixed  # noqa: B018


# Not all of what scikit-learn checks applies: its check of the array API runs only under SCIPY_ARRAY_API=1,
# and this library computes with NumPy and torch.
@parametrize_with_checks([hsu_lib.Unmixer(), hsu_lib.Unmixer(method="nmf", settings={"iterations": 5})])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_estimator_in_a_pipeline(scene):
    X = scene.pixels.T
    pipeline = make_pipeline(FunctionTransformer(), hsu_lib.Unmixer(n_components=3, random_state=0))
    A = pipeline.fit_transform(X)
    unmixer = pipeline[-1]
    order = align(unmixer.components_.T, scene.E)
    np.testing.assert_allclose(A[:, order], scene.A.reshape(3, -1).T, atol=1e-3)
    np.testing.assert_allclose(unmixer.inverse_transform(A), X, atol=1e-4)
    assert unmixer.reconstruction_err_ < 1e-4
    assert unmixer.get_feature_names_out().tolist() == ["unmixer0", "unmixer1", "unmixer2"]
    with pytest.raises(ValueError, match="needs more than spectra"):
        hsu_lib.Unmixer(method="fclsu").fit(X)
