"""The systems that the documents name: all are there, and what stands for them exists."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

from hsu_lib import paths
from hsu_lib.claims import SOURCES
from hsu_lib.claims.questions import vocabulary
from hsu_lib.claims.systems import own, read_systems, systems
from hsu_lib.methods import METHODS
from hsu_lib.methods.rank import ESTIMATORS


def figures(source):
    """Rows of a document's file of figures, read without the library."""
    with (paths.reported() / f"{source}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def system(name):
    (found,) = [s for s in systems() if s.name.startswith(name)]
    return found


def one(text=""):
    """An entry in YAML with further fields."""
    return f"systems: [{{name: X, slugs: [mtlaeu]{text}}}]"


def test_every_slug_of_the_reported_figures_is_there_once():
    printed = {row["method"] for source in SOURCES for row in figures(source)}
    assert Counter(slug for s in systems() for slug in s.slugs) == Counter(printed)


def test_every_figure_is_counted_once():
    assert sum(s.figures for s in systems()) == sum(
        not row["metric"].startswith("setting-") for source in SOURCES for row in figures(source)
    )


def test_every_name_exists():
    conditions = vocabulary().conditions
    for s in systems():
        assert set(s.methods) <= set(METHODS), s.name
        assert set(s.estimators) <= set(ESTIMATORS), s.name
        assert {conditions[name].method for name in s.conditions} <= set(s.methods), s.name


def test_every_method_and_estimator_stands_for_a_system_or_is_the_books_own():
    stand = {name for s in systems() for name in s.methods}
    assert stand | set(own()) == set(METHODS)
    assert not stand & set(own())
    assert {name for s in systems() for name in s.estimators} == set(ESTIMATORS)


def test_no_row_is_empty():
    for s in systems():
        assert s.name
        assert all(s.where.values())
    told = [text for s in systems() for text in (s.why_not, s.note) if text] + list(own().values())
    assert [text for text in told if not re.fullmatch(r"[A-Z].{10,}[^.]\.", text)] == []


def test_a_system_knows_its_places_and_figures():
    assert system("MTLAEU").where == {"ldvae": "Tables V, VI, VII, VIII"}
    assert system("MTLAEU").figures == 18
    assert list(system("PLMM").where) == ["prim", "spacnn_ldvae", "ldvae"]
    assert system("PLMM").where["spacnn_ldvae"] == "Table 1; Introduction"
    assert system("S²WSU").where == {"tutorial": "SRE, unnumbered"}
    undip = system("UnDIP")  # the report on it has a table of settings only
    assert undip.where["undip"].startswith("Hyperparameters (section 3.2); ")
    assert undip.figures == 12
    assert system("HapkeCNN").figures == 0


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (one(", why_not: No., place: here"), "X: no field place; known: name, "),
        (one(", why_not: No., named: {ldva: Introduction}"), "X: no document ldva; known: prim"),
        ("systems: [{name: X, slugs: [nobody], why_not: No.}]", "a document that names it"),
        (one(), "X: expected either methods or estimators, or why_not"),
        (one(", methods: [fan], why_not: No."), "X: expected either"),
        (f"{one(', why_not: No.')[:-1]}, {one(', why_not: No.')[10:]}", "named twice: X"),
        (
            "systems: [{name: X, slugs: [shdp], why_not: No.}, {name: Y, slugs: [shdp], why_not: No.}]",
            "named twice: shdp",
        ),
    ],
)
def test_an_entry_that_cannot_be_is_refused(text, match):
    with pytest.raises(ValueError, match=match):
        read_systems(text)


def test_an_entry_that_can_be_is_read():
    (found,) = read_systems(one(", estimators: [hfc]"))
    assert found.runs
    (found,) = read_systems(one(", why_not: No."))
    assert not found.runs
