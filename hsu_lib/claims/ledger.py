"""The scorecard: every claim of the documents with what has been decided about it so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import pandas as pd

from hsu_lib.claims.documents import claims
from hsu_lib.claims.verdicts import Judgement, Verdict

#: Of a claim that no chapter has judged.
UNJUDGED = "not yet judged"


class Decided(Protocol):
    """What a claim came to by rule 2: a `hsu_lib.runs.answers.Answer`."""

    @property
    def claim(self) -> str:
        """Its id."""

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

    @property
    def judgements(self) -> Sequence[Judgement]:
        """By rule 1."""


def scorecard(found: Iterable[Judged]) -> pd.DataFrame:
    """Every claim of the documents with its verdict so far, indexed by claim id.

    Columns: source, statement, own_figures, verdict (``"not yet judged"`` where no chapter has), rule (2, or
    1 for a verdict of before; 0 without one), chapter, profile, scenes, seeds, mean, low, high (of the
    comparison that decides), reason.
    """
    found = list(found)
    rows = {j.claim: _of_rule_1(j) | _by(chapter) for chapter in found for j in chapter.judgements}
    rows |= {a.claim: _of_rule_2(a) | _by(chapter) for chapter in found for a in chapter.answers}
    nothing = {"verdict": UNJUDGED, "rule": 0, "chapter": "", "profile": "", "scenes": "", "seeds": 0}
    stated = claims()[["source", "statement", "own_figures"]]
    table = pd.DataFrame([nothing | {"reason": ""} | rows.get(str(claim), {}) for claim in stated.index])
    table = table.reindex(columns=[*table.columns, *(n for n in ("mean", "low", "high") if n not in table)])
    return pd.concat([stated, table.set_index(stated.index)], axis=1).rename_axis("claim")


def _by(chapter: Judged) -> dict[str, Any]:
    return {"chapter": chapter.chapter, "profile": chapter.profile}


def _of_rule_2(answer: Decided) -> dict[str, Any]:
    decides = answer.deciding
    mean, low, high = decides.interval if decides else (None, None, None)
    seeds = len(decides.seeds) if decides else 0
    scenes = ", ".join(answer.places)
    told = {"verdict": answer.word, "rule": 2, "scenes": scenes, "seeds": seeds, "reason": answer.reason}
    return told | {"mean": mean, "low": low, "high": high}


def _of_rule_1(judgement: Judgement) -> dict[str, Any]:
    # the comparison that decides: the lowest end that is not above zero, or the highest that is below
    edge = int(judgement.verdict is Verdict.CONTRADICTED)
    decisive = min(judgement.comparisons, key=lambda c: c.ends[edge], default=None)
    return {
        "verdict": judgement.verdict.value,
        "rule": 1,
        "scenes": ", ".join(judgement.scenes),
        "seeds": judgement.seeds,
        "reason": judgement.reason,
        **{name: getattr(decisive, name, None) for name in ("mean", "low", "high")},
    }


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
