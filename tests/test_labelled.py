"""What chapters on models with labels show: rehearsed choices, scores by way, grid, noise, constraints."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup

from hsu_lib.claims.rule import Verdict
from hsu_lib.publishing import labelled, pages
from hsu_lib.runs import Record, Store, asking
from hsu_lib.runs.amounts import amounts
from hsu_lib.runs.choices import (
    BY_VALIDATION,
    NEAREST,
    RMSE,
    SAD,
    SITES,
    WEIGHTS,
    Option,
    Wanted,
    grid,
    rehearsed,
)

CLAIM = "ldvae-samson-satisfactory"
MADE = {"device": "a machine", "commit": "abc", "date": "2026-11-26", "threads": 1}


@pytest.fixture
def shown(monkeypatch, tmp_path) -> list[str]:
    """What a page shows, which is kept in a folder of the test."""
    texts: list[str] = []
    monkeypatch.setenv("HSU_OUT", str(tmp_path / "out"))
    monkeypatch.setattr(pages, "display", lambda thing: texts.append(thing.data))
    return texts


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory) -> asking.Asked:
    """The claim asked on the embedded scene with two seeds."""
    store = Store(tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("published"))
    return asking.ask([CLAIM], amounts=amounts("quick"), seeds=[0, 1], scene="lagoon", store=store)


# --------------------------------------------------------------------------- asked by a chapter


def test_a_rehearsal_makes_no_grid_and_asks_in_every_way(rehearsal):
    assert not rehearsal.found.waiting
    weights = [
        {run.settings["abundance_weight"] for run in rehearsal.runs(CLAIM, "lagoon", "LDVAE", way).values()}
        for way in (0, 1)
    ]
    assert weights == [{1e5}, {1.0}]
    assert rehearsal.answers[CLAIM].verdict is Verdict.OPEN  # two seeds decide nothing
    wanted = Wanted(NEAREST, "spacnn-ldvae", "lagoon", {}, amounts("quick"))
    assert rehearsed(wanted) == {"abundance_weight": 1.0, "activation": "softmax"}
    assert "activation" not in rehearsed(wanted._replace(settings={"activation": "softplus"}))


def test_scores_of_a_condition_in_one_way_to_ask(rehearsal):
    runs = rehearsal.runs(CLAIM, "lagoon", "LDVAE")
    assert list(runs) == [0, 1]
    found = rehearsal.scores(CLAIM, "lagoon", "LDVAE", SAD)
    np.testing.assert_array_equal(found, [rehearsal.find(run.key).scores[SAD] for run in runs.values()])
    other = rehearsal.scores(CLAIM, "lagoon", "LDVAE", SAD, way=1)
    assert (other != found).all()
    assert rehearsal.scores(CLAIM, "lagoon", "LDVAE", "dominant").shape == (2,)  # computed from the record
    assert rehearsal.record(CLAIM, "lagoon", "LDVAE").asked["seed"] == 0
    assert rehearsal.record(CLAIM, "lagoon", "LDVAE", median=SAD).scores[SAD] == found.min()  # of two


def test_no_score_is_quoted_where_a_run_is_missing(rehearsal):
    gone = next(iter(rehearsal.runs(CLAIM, "lagoon", "LDVAE").values())).key
    left = replace(rehearsal, results=asking.chosen(rehearsal.results, set(rehearsal.records) - {gone}))
    assert left.scores(CLAIM, "lagoon", "LDVAE", SAD) is None
    assert left.record(CLAIM, "lagoon", "LDVAE").asked["seed"] == 1
    later = replace(left, seeds=(1,))  # as if the missing one were of the second look
    assert later.scores(CLAIM, "lagoon", "LDVAE", SAD).shape == (1,)
    assert rehearsal.scores(CLAIM, "lagoon", "LDVAE", "no such score") is None
    for claim, scene, label, way in (
        ("no-such", "lagoon", "LDVAE", 0),
        (CLAIM, "samson", "LDVAE", 0),
        (CLAIM, "lagoon", "SpACNN-LDVAE", 0),
        (CLAIM, "lagoon", "LDVAE", 7),
    ):
        assert rehearsal.scores(claim, scene, label, SAD, way=way) is None
        assert rehearsal.record(claim, scene, label, way=way) is None


# --------------------------------------------------------------------------- the grid


def records() -> dict[str, Record]:
    """A record for every run of Samson's grid: softplus is worse, and the RMSE falls with the weight."""
    found = {}
    wanted = Wanted(BY_VALIDATION, "ldvae", "samson", {}, amounts("desk").for_claim(CLAIM))
    for option, runs in grid(wanted).items():
        for run in runs:
            error = 0.4 - 0.05 * WEIGHTS.index(option.weight) + 0.01 * (option.activation == "softplus")
            asked = run.asked()
            record = Record(asked, {RMSE: error, SAD: error}, "CONVERGED", 1.0, MADE, {})
            found[record.key] = record
    return found


def test_a_grid_tells_what_it_was_chosen_from(shown):
    page, made = pages.Page("ldvae", "desk"), records()
    found = labelled.grid_of(page, CLAIM, "ldvae", "samson", find=made.get)
    assert set(page.manifest.keys) == set(made)
    best, near = found.chosen.values()
    assert best == Option(1e5, "softmax")
    assert near == Option(10.0, "softplus")
    assert found.from_to(RMSE) == "40.00\u00a0% at 0.1 and 10.00\u00a0% at 100\u202f000"
    assert found.told(near) == "softplus, omega 10: RMSE of A 31.00\u00a0%, angle of E 17.76°"
    labelled.show_grid(page, found, "samson")
    figure = BeautifulSoup(shown[-1], "html.parser")
    assert "softmax 100\u202f000 10.00\u00a0%" in figure.img["alt"]
    assert f"{BY_VALIDATION}: softmax, omega 100\u202f000" in figure.figcaption.get_text()
    assert "RMSE of A 30.78\u00a0%, angle of E 33.94°" in figure.figcaption.get_text()


def test_a_part_of_a_grid_is_not_shown(shown):
    page, made = pages.Page("ldvae", "desk"), records()
    made.pop(next(iter(made)))
    assert labelled.grid_of(page, CLAIM, "ldvae", "samson", find=made.get) is None
    assert labelled.grid_of(page, CLAIM, "ldvae", "lagoon", find=made.get) is None
    assert page.manifest.keys == []
    for scene, told in (("samson", "not all there yet"), ("lagoon", "rehearsal")):
        labelled.show_grid(page, None, scene)
        assert told in shown[-1]
    assert set(SITES) == {"samson", "ontech", "cuprite"}


# --------------------------------------------------------------------------- noise and constraints


def test_scores_over_the_noise_stand_in_their_units(shown, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        labelled, "dose_panels", lambda *given, **how: drawn.append((given, how)) or plt.subplots()[0]
    )
    labelled.over_noise(
        pages.Page("ldvae_ontech", "desk"),
        "ontech-syn",
        (20, 50),
        {RMSE: {"LDVAE": [np.array([0.1, 0.2]), np.array([0.1])]}},
        {RMSE: [0.05, None]},
        model="LDVAE",
        note="Three runs.",
    )
    ((levels, shown_scores, titles), how) = drawn[0]
    assert levels == (20, 50)
    np.testing.assert_allclose(shown_scores[RMSE]["LDVAE"][0], [10, 20])
    assert titles == {RMSE: "RMSE of A (%)"}
    assert how["reported"] == {RMSE: [5.0, None]}
    figure = BeautifulSoup(shown[-1], "html.parser")
    assert "at 20, 50 dB: LDVAE 15.00\u00a0%, 10.00\u00a0%. Three runs." in figure.figcaption.get_text()
    assert "LDVAE 15.00" in figure.img["alt"]


def test_the_worst_of_all_runs_tells_whether_constraints_are_kept(rehearsal):
    table = labelled.constraints(rehearsal.results.records)
    assert table["scene"].tolist() == ["lagoon"]
    worst = [r.arrays["history/constraints"] for r in rehearsal.results.records]
    assert table["runs"].tolist() == [len(worst)] == [4]
    assert table["least abundance"][0] == min(w[0] for w in worst) >= 0
    assert table["largest distance of a sum from 1"][0] == max(w[1] for w in worst) < 1e-5
    assert labelled.constraints([]).empty
