"""The scorecard: every claim of the documents with what has been decided about it so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from hsu_lib import paths
from hsu_lib.claims.documents import claims

#: Of a claim that no chapter has judged.
UNJUDGED = "not yet judged"


class Decided(Protocol):
    """What a claim came to by rule 2: a `hsu_lib.runs.answers.Answer`."""

    @property
    def claim(self) -> str:
        """Its id."""

    @property
    def verdict(self) -> Any:
        """None where runs are missing."""

    @property
    def word(self) -> str:
        """The verdict in words."""

    @property
    def reason(self) -> str:
        """What must be known of it."""

    @property
    def deciding(self) -> Any:
        """The comparison that decides, or None."""

    @property
    def places(self) -> Sequence[str]:
        """Scenes of the way that decides."""


class Judged(Protocol):
    """What a chapter found, and the profile of the runs behind it."""

    @property
    def chapter(self) -> str:
        """Name of the chapter."""

    @property
    def profile(self) -> str:
        """Name of the profile."""

    @property
    def answers(self) -> Sequence[Decided]:
        """By rule 2."""


def scorecard(found: Iterable[Judged]) -> pd.DataFrame:
    """Every claim of the documents with what became of it, indexed by claim id.

    Columns: source, statement, own_figures, verdict (``"not yet judged"`` where there is none), rule (2; 1
    for a verdict of before, by runs that decide nothing; 0 without one), chapter, profile, scenes, seeds,
    mean, low, high (of the comparison that decides), reason. A rehearsal, in the profile ``quick``, decides
    nothing beside chapters that are none; where all are, as in a book of rehearsals, it shows how they read.
    """
    found = list(found)
    rehearsals = all(chapter.profile == _REHEARSAL for chapter in found if chapter.answers)
    chapters = {answer.claim: (chapter, answer) for chapter in found for answer in chapter.answers}
    before, rows = explored(), []
    for claim in map(str, claims().index):
        chapter, answer = chapters.get(claim, (None, None))
        row: dict[str, Any] = {"verdict": UNJUDGED, "rule": 0, "scenes": "", "seeds": 0}
        counts = rehearsals or (chapter is not None and chapter.profile != _REHEARSAL)
        if answer is not None and answer.verdict is not None and counts:
            row |= _decided(answer)
        elif claim in before.index:
            row |= {"rule": 1, **before.loc[claim].drop("profile")}
        told = {"chapter": chapter.chapter, "profile": chapter.profile} if chapter else {}
        rows.append({"chapter": "", "profile": "", "reason": answer.reason if answer else ""} | row | told)
    stated = claims()[["source", "statement", "own_figures"]]
    table = pd.DataFrame(rows, index=stated.index).reindex(columns=_COLUMNS)
    return pd.concat([stated, table], axis=1).rename_axis("claim")


_REHEARSAL = "quick"
_COLUMNS = ["verdict", "rule", "chapter", "profile", "scenes", "seeds", "mean", "low", "high", "reason"]


def _decided(answer: Decided) -> dict[str, Any]:
    decides = answer.deciding
    mean, low, high = decides.interval if decides else (None, None, None)
    return {
        "verdict": answer.word,
        "rule": 2,
        "scenes": ", ".join(answer.places),
        "seeds": len(decides.seeds) if decides else 0,
        "mean": mean,
        "low": low,
        "high": high,
    }


def explored() -> pd.DataFrame:
    """Verdicts by the first rule, from runs that were looked at while the book was written, by claim id.

    Columns: verdict, mean, low, high, seeds, scenes, profile.
    """
    path = paths.published() / "explored.csv"
    if not path.is_file():
        return pd.DataFrame(columns=["verdict", "mean", "low", "high", "seeds", "scenes", "profile"])
    return pd.read_csv(path, index_col="claim").fillna({"scenes": ""})


#: What a verdict of either rule says of its claim: for it, against it, or nothing yet.
_SIDES = {
    "reproduced": "for",
    "reproduced, smaller": "for",
    "contradicted": "against",
    "reversed": "against",
    "no such effect": "against",
    "undecided": "open",
    "open": "open",
    "depends on the reading": "open",
}


def changed(before: str, after: str) -> str:
    """What became of a claim from its verdict by rule 1 to that by rule 2, both in words.

    Examples
    --------
    >>> changed("undecided", "reproduced, smaller"), changed("reproduced", "reversed")
    ('decided now', 'turned round')
    >>> changed("contradicted", "depends on the reading")
    'no longer decided'
    """
    old, new = _SIDES.get(before), _SIDES.get(after)
    if new is None:
        return "" if after == before else after
    if old is None:
        return "answered now"
    if old == new:
        return "still open" if new == "open" else "the same side"
    if "open" in (old, new):
        return "no longer decided" if new == "open" else "decided now"
    return "turned round"


def nearer(distances: Mapping[str, float]) -> str:
    """Which of two readings comes nearer the reported figures: its name, or "neither clearly".

    Parameters
    ----------
    distances
        Reading to the mean distance of our means from the reported figures. One comes clearly nearer if
        its distance is smaller by a fifth at least.
    """
    near, far = sorted(distances, key=lambda name: distances[name])
    return near if distances[near] <= 0.8 * distances[far] else "neither clearly"
