"""What scores compare with, beside a scene's own reference."""

from __future__ import annotations

import numpy as np
import pytest
from toys import pure_pixel_scene

from hsu_lib import metrics, runs, scenes
from hsu_lib.methods import get
from hsu_lib.metrics.alignment import align
from hsu_lib.metrics.truth import Truth
from hsu_lib.runs import Run, Store
from hsu_lib.scene import Scene, SceneSpec

SMALL = SceneSpec("lagoon", crop=(0, 0, 12, 10), snr_db=20)


def test_the_fclsu_reference_is_what_that_method_finds_in_the_clean_image():
    scene = pure_pixel_scene()
    found = get("sivm-fclsu").unmix(scene)
    reference = Truth.with_fclsu(scene, noisy=False).references["fclsu"]
    np.testing.assert_array_equal(reference.E, found.E)
    np.testing.assert_array_equal(reference.A, found.A)


def test_the_clean_image_is_known_where_noise_was_added():
    scene = pure_pixel_scene()
    assert Truth.with_fclsu(scene, noisy=False).clean is None
    np.testing.assert_array_equal(Truth.with_fclsu(scene, noisy=True).clean, scene.Y)


def test_an_image_without_reference_has_none():
    assert Truth.with_fclsu(Scene(pure_pixel_scene().Y), noisy=False).references == {}


def test_records_of_noisy_scenes_are_scored_against_the_clean_one(tmp_path):
    store = Store(local=tmp_path / "runs", published=tmp_path / "none")
    record = store.put(runs.execute(Run("sivm-fclsu", SMALL), store=store))
    clean = scenes.load(SceneSpec("lagoon", crop=SMALL.crop))
    E, A = record.arrays["E"], record.arrays["A"]
    assert record.scores["mse-spectral"] == pytest.approx(metrics.reconstruction_mse(clean.Y, E, A))
    reference = Truth.with_fclsu(clean, noisy=False).references["fclsu"]
    order = align(E, reference.E)
    expected = metrics.mae(A[order], reference.A)
    assert record.scores["mae-abundances-fclsu"] == pytest.approx(expected)
    assert 0 < expected < 0.2
    assert runs.rescored(record).scores == record.scores
    assert not list(tmp_path.glob("**/unfinished/*"))
