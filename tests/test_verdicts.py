"""The published verdicts are those that the published records give, to the byte."""

from __future__ import annotations

import json

import pytest

from hsu_lib.claims import registration
from hsu_lib.publishing import published
from hsu_lib.runs import evidence
from hsu_lib.runs.amounts import amounts, deciding_amounts
from hsu_lib.runs.answers import answers
from hsu_lib.runs.campaign import enumerated
from hsu_lib.runs.choices import chosen_from

JUDGED = [manifest for manifest in published.manifests() if manifest.answers]


@pytest.mark.parametrize("manifest", JUDGED, ids=lambda manifest: manifest.chapter)
def test_published_records_give_the_published_answers(manifest):
    claims = [answer.claim for answer in manifest.answers]
    again = answers(claims, amounts=amounts(manifest.profile), again=True)
    for before, after in zip(manifest.answers, again, strict=True):
        assert json.dumps(after.to_dict()) == json.dumps(before.to_dict())


@pytest.mark.parametrize("manifest", JUDGED, ids=lambda manifest: manifest.chapter)
def test_no_answer_rests_on_a_run_that_does_not_count(manifest):
    find = evidence.published()
    for answer in manifest.answers:
        since = registration.registrations()[answer.claim]
        for key in answer.keys:
            record = find(key)
            assert record is not None
            assert evidence.counts(record)
            assert since.precedes(record.made["date"])


def test_no_question_asks_for_a_run_that_was_published_before_it():
    find, since = evidence.published(), registration.registrations()
    found = enumerated(deciding_amounts(), choices=chosen_from(find))
    for way, by_seed in found.ways.items():
        made = [record.made["date"] for keys in by_seed.values() for key in keys if (record := find(key))]
        assert all(since[way.claim].precedes(date) for date in made), way


def test_every_claim_is_judged_by_one_chapter():
    claims = [answer.claim for manifest in JUDGED for answer in manifest.answers]
    assert len(claims) == len(set(claims))
