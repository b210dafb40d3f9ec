"""The chapter on the rivals: every quoted figure has its place, and errors are what they are called."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from rivals_fixture import fixture
from toys import pure_pixel_scene

from hsu_lib.methods import METHODS
from hsu_lib.metrics import reconstruction_mse
from hsu_lib.publishing import rivals
from hsu_lib.runs import Run, Store
from hsu_lib.runs.amounts import amounts
from hsu_lib.runs.execution import execute
from hsu_lib.scene import SceneSpec
from hsu_lib.solvers.left_over import left_over, left_over_cases

F = fixture()


def test_every_quoted_figure_is_of_one_kind():
    quoted = rivals.quoted()
    assert (quoted["column"] >= 0).all()
    for k, column in enumerate(rivals.COLUMNS):
        alone = quoted.query(column.query)
        assert len(alone) == (quoted["column"] == k).sum() > 0
    table = rivals.kinds(quoted)
    assert table["how many"].sum() == len(quoted)
    assert not quoted["method"].isin(rivals.OWN).any()


def test_the_printed_figures_of_samson_are_found_by_what_they_measure():
    errors = {name: rivals.printed(name, rivals.RELATIVE) for name in ("vca-fcls", "plmm", "elmm", "glmm")}
    assert errors == {"vca-fcls": 0.0545, "plmm": 0.0239, "elmm": 0.0119, "glmm": 0.0006}
    assert all(rivals.printed(name, "rmse-abundances") is None for name in errors)
    assert rivals.printed("cnnaeu", "rmse-abundances") == 0.2283
    assert rivals.printed("", "rmse-abundances") is None


def test_methods_of_the_page_are_in_the_catalogue_and_printed_under_their_names():
    for method, name in rivals.BLIND.values():
        assert method in METHODS
        assert not name or any(rivals.printed(name, m) for m in (rivals.RELATIVE, "rmse-abundances"))


@pytest.mark.parametrize(("method", "own"), [("vca-fclsu", False), ("sclsu", True)])
def test_the_relative_error_is_that_of_the_methods_own_model(method, own):
    record = execute(Run(method, SceneSpec("lagoon", crop=(0, 0, 9, 8)), 0))
    from hsu_lib import scenes

    image = scenes.load(record.scene)
    power = float(np.mean(image.Y.astype(float) ** 2))
    mixed = np.sqrt(reconstruction_mse(image.Y, record.arrays["E"], record.arrays["A"]) / power)
    found = rivals.relative_error(record, power)
    assert found == pytest.approx(record.arrays[f"history/{rivals.RELATIVE}"][-1] if own else mixed, rel=1e-5)
    assert own == (found < 0.9 * mixed)


def test_what_is_left_is_the_share_of_the_formula_whatever_the_abundances():
    for A in (F.A, F.A0, np.full_like(F.A, 1 / 3)):
        left = left_over(F.Y, F.E0, A, (0.01, 0.4, 5.0))
        np.testing.assert_allclose(left.power, (A**2).sum(axis=0))
        for kappa, shares, error in zip((0.01, 0.4, 5.0), left.shares, left.errors, strict=True):
            factor = kappa / (kappa + left.power)
            np.testing.assert_allclose(shares, factor, rtol=1e-9)
            expected = np.linalg.norm((F.Y - F.E0 @ A) * factor) / np.linalg.norm(F.Y)
            assert error == pytest.approx(expected)


def test_the_cases_of_a_scene_are_the_truth_and_two_kinds_of_nonsense():
    scene = pure_pixel_scene()
    noisy = scene.Y + 0.01 * np.random.default_rng(0).standard_normal(scene.Y.shape)
    cases = left_over_cases(type(scene)(noisy, scene.E, scene.A), (1e-4, 10.0))
    assert list(cases) == ["the reference", "equal shares", "random shares"]
    assert all(of.errors[0] < 1e-3 < of.errors[1] for of in cases.values())
    assert cases["the reference"].errors[1] < 0.2 * cases["random shares"].errors[1]
    np.testing.assert_allclose(cases["equal shares"].power, 1 / 3)


@pytest.fixture
def published(monkeypatch, tmp_path):
    """A published chapter, and runs of VCA on what stands in for Samson; DeepGUn's are not there."""
    small = {"scene": "samson", "seeds": "200-201", "profile": "quick"}
    chapter = SimpleNamespace(
        chapter="rivals", executed=SimpleNamespace(parameters=small), facts={"power": 0.25}
    )
    monkeypatch.setattr(rivals, "manifests", lambda: [chapter])
    store = Store(tmp_path / "runs", tmp_path / "none")
    asked = rivals.blind_runs(SceneSpec("samson"), [200, 201], amounts("quick"))
    for run in asked:
        if run.method == "vca-fclsu":
            made = execute(Run(run.method, SceneSpec("lagoon", crop=(0, 0, 9, 8)), run.seed))
            store.put(dataclasses.replace(made, asked=run.asked()))
    return store


def test_printed_figures_stand_beside_the_same_methods_here(published):
    table = rivals.beside_printed("ldvae", published).set_index("method")
    assert "ldvae" not in table.index
    assert table.loc["vca-fcls", "printed error"] == "0.0545"
    assert table.loc["vca-fcls", "is probably"] == "relative error of the reconstruction"
    assert table.loc["cnnaeu", "is probably"] == "RMSE of A"
    records = [r for r in published.records() if r.asked["method"] == "vca-fclsu"]
    left = np.mean([np.sqrt(r.scores["mse-reconstruction"] / 0.25) for r in records])
    assert float(table.loc["vca-fcls", "ours: error of the reconstruction"]) == pytest.approx(left, abs=5e-5)
    assert table.loc["vca-fcls", "ours: RMSE of A"] != "–" == table.loc["deepgun", "ours: RMSE of A"]
    spatial = rivals.beside_printed("spacnn_ldvae", published)
    assert {"eacnn", "vca-fcls"} <= set(spatial["method"])


def test_nothing_stands_beside_printed_figures_before_the_chapter_is_published(monkeypatch, published):
    monkeypatch.setattr(rivals, "manifests", list)
    assert rivals.beside_printed("ldvae", published) is None
