"""The reported figures, and which reading comes nearer to them."""

from __future__ import annotations

import pytest

from hsu_lib import claims
from hsu_lib.claims.rule import Verdict
from hsu_lib.publishing.published import Manifest
from hsu_lib.runs.answers import Answer, Way


def test_a_reading_is_nearer_if_clearly():
    assert claims.nearer({"document": 0.01, "code": 0.02}) == "document"
    assert claims.nearer({"document": 0.02, "code": 0.01}) == "code"
    assert claims.nearer({"document": 0.0109, "code": 0.0107}) == "neither clearly"


def test_the_reported_figures_are_all_there():
    assert sum(len(claims.reported(source)) for source in claims.SOURCES) == 842
    assert len(claims.claims()) == 113
    assert len(claims.inconsistencies()) == 96
    assert claims.claims().index.is_unique
    assert set(claims.claims()["source"]) <= set(claims.SOURCES)


def test_one_reported_value_is_found_and_none_or_many_are_refused():
    where = {"table": "Table 1", "method": "ae-patches", "metric": "cos-abundances"}
    assert claims.reported_value("prim", **where) == 0.8439
    with pytest.raises(LookupError, match="no figure"):
        claims.reported_value("prim", table="Table 99")
    with pytest.raises(LookupError, match="expected one"):
        claims.reported_value("prim", table="Table 1")
    with pytest.raises(ValueError, match="known: prim"):
        claims.reported("prin")


def test_a_printed_figure_keeps_its_digits_and_its_spread():
    where = {"table": "Table II", "method": "udas"}
    assert claims.find_printed("tutorial", **where, condition="snr=30") == "9.40\u00a0±\u00a01.91"
    assert claims.find_printed("tutorial", **where, condition="snr=35") is None
    named = {"table": "Table 1", "method": "ae-plain", "metric": "cos-endmembers"}
    assert claims.find_printed("prim", **named) == "0.9006"
    with pytest.raises(LookupError, match="expected one"):
        claims.find_printed("tutorial", **where)


def test_printed_tables_have_every_figure_in_the_documents_order():
    table = claims.printed_table("ldvae", "Table V", "sad-endmembers")
    assert list(table.index) == ["asphalt", "grass", "tree", "roof", "metal", "dirt", "mean"]
    assert table.columns[0] == "ldvae"
    assert table.loc["metal", "ldvae"] == "0.7004\u00a0±\u00a00.70"
    assert table.loc["metal", "cnnaeu"] == ""  # not printed
    by_noise = claims.printed_table("spacnn_ldvae", "Table 4", "sad-endmembers")
    assert list(by_noise.index) == ["snr=20", "snr=30", "snr=40", "snr=50", "snr=inf"]
    everything = claims.reported("ldvae").query("table == 'Table V'")
    assert (table != "").to_numpy().sum() == len(everything)
    with pytest.raises(LookupError, match="Table 99"):
        claims.printed_table("ldvae", "Table 99", "sad-endmembers")


def test_a_rehearsal_decides_nothing_beside_chapters_that_are_none():
    ids = list(claims.claims().index[:2])
    way = Way("", Verdict.REPRODUCED, (), ("lagoon",))
    given = [Answer(claim, Verdict.REPRODUCED, (way,)) for claim in ids]
    both = [Manifest(p, p, answers=[answer]) for p, answer in zip(("quick", "desk"), given, strict=True)]
    rehearsed, decided = (claims.scorecard(both).loc[claim] for claim in ids)
    assert (rehearsed["rule"] == 2, decided["rule"]) == (False, 2)
    assert rehearsed["chapter"] == "quick"  # where it is shown
    assert claims.scorecard(both[:1]).loc[ids[0], "rule"] == 2
