"""The scorecard: every claim of the documents with what has been decided about it so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import pandas as pd

from hsu_lib.claims.documents import claims
from hsu_lib.claims.verdicts import Judgement, Verdict


class Judged(Protocol):
    """A chapter's judgements, and the profile of the runs behind them."""

    @property
    def chapter(self) -> str:
        """Name of the chapter."""

    @property
    def profile(self) -> str:
        """Name of the profile."""

    @property
    def judgements(self) -> Sequence[Judgement]:
        """Verdicts with what they rest on."""


def scorecard(found: Iterable[Judged]) -> pd.DataFrame:
    """Every claim of the documents with its verdict so far, indexed by claim id.

    Columns: source, statement, own_figures, verdict (``"not yet judged"`` where no chapter has),
    chapter, profile, scenes, seeds, mean, low, high (of the comparison that decides), reason.
    """
    judged = {j.claim: (chapter, j) for chapter in found for j in chapter.judgements}
    rows = []
    for claim, row in claims().iterrows():
        chapter, judgement = judged.get(str(claim), (None, None))
        entry: dict[str, Any] = {
            "claim": claim,
            "source": row["source"],
            "statement": row["statement"],
            "own_figures": row["own_figures"],
            "verdict": judgement.verdict.value if judgement else "not yet judged",
            "chapter": chapter.chapter if chapter else "",
            "profile": chapter.profile if chapter else "",
            "scenes": ", ".join(judgement.scenes) if judgement else "",
            "seeds": judgement.seeds if judgement else 0,
            "reason": judgement.reason if judgement else "",
        }
        # the comparison that decides: the lowest end that is not above zero, or the highest that is below
        edge = int(judgement is not None and judgement.verdict is Verdict.CONTRADICTED)
        parts = judgement.comparisons if judgement else ()
        decisive = min(parts, key=lambda c: c.ends[edge], default=None)
        entry |= {name: getattr(decisive, name, None) for name in ("mean", "low", "high")}
        rows.append(entry)
    return pd.DataFrame(rows).set_index("claim")


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
