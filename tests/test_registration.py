"""Questions are registered before the runs that decide them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from hsu_lib import paths
from hsu_lib.claims import registration
from hsu_lib.claims.questions import questions, read_question, vocabulary


def test_every_question_is_the_registered_one():
    assert registration.changed() == []


@pytest.mark.parametrize("change", ["margin", "condition", "tuned", "score", "view"])
def test_what_decides_is_in_the_fingerprint(change):
    question, words = questions()["undip-nmf-init-faster"], vocabulary()
    before = registration.fingerprint(question, words)
    if change == "margin":
        component = {**question.says["components"][0], "smallest_effect": 0.2}
        question = read_question(question.claim, {**question.says, "components": [component]})
    elif change == "condition":
        other = replace(words.conditions["UnDIP from NMF"], settings={"input": "palm"})
        words = replace(words, conditions={**words.conditions, "UnDIP from NMF": other})
    elif change == "tuned":
        other = replace(words.conditions["UnDIP from NMF"], tuned={"samson": {20: {"skip": 2}}})
        words = replace(words, conditions={**words.conditions, "UnDIP from NMF": other})
    elif change == "score":
        score = {**words.scores["iterations-to-common-loss"], "definition": "Another."}
        words = replace(words, scores={**words.scores, "iterations-to-common-loss": score})
    else:
        view = replace(words.views["down to ten times the loss"], snr=20.0)
        words = replace(words, views={**words.views, view.name: view})
    assert registration.fingerprint(question, words) != before


def test_what_is_told_beside_is_not():
    question, words = questions()["undip-nmf-init-faster"], vocabulary()
    told = read_question(question.claim, {**question.says, "secondary": "Else.", "why": "Else."})
    assert registration.fingerprint(told, words) == registration.fingerprint(question, words)


def test_registering_names_a_commit_and_leaves_the_others(tmp_path, monkeypatch):
    (tmp_path / "registered.yaml").write_text((paths.reported() / "registered.yaml").read_text())
    before = dict(registration.registrations())
    monkeypatch.setattr(paths, "reported", lambda: tmp_path)
    registration.registrations.cache_clear()
    try:
        with pytest.raises(ValueError, match="commit the questions first"):
            registration.register(["undip-ewma-smooths"], commit="abc+", now="2030-01-01T00:00:00+00:00")
        with pytest.raises(ValueError, match="no such claim: nothing"):
            registration.register(["nothing"], commit="abc", now="2030-01-01T00:00:00+00:00")
        registration.register(["undip-ewma-smooths"], commit="abc", now="2030-01-01T00:00:00+00:00")
        after = yaml.safe_load((tmp_path / "registered.yaml").read_text())
    finally:
        registration.registrations.cache_clear()
    changed = {claim for claim in after if registration.Registration(**after[claim]) != before[claim]}
    assert changed == {"undip-ewma-smooths"}
    assert not registration.Registration(**after["undip-ewma-smooths"]).precedes("2029-12-31T23:00:00+00:00")
