"""How an outcome looks wherever it is shown: one symbol, one colour, one sentence for each.

Colours are the style sheet's, by `Look.name`; symbols differ in shape, so that they can do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hsu_lib.claims.rule import Verdict

NOT_ANSWERED = "not yet answered"


class Look(NamedTuple):
    """An outcome: its word, its symbol as the path of an SVG of 16 x 16, and what it says."""

    word: str
    path: str
    says: str

    @property
    def name(self) -> str:
        """Its word as a class of the style sheet."""
        return self.word.replace(",", "").replace(" ", "-")


def _disc(radius: float, x: float = 8, y: float = 8) -> str:
    return f"M{x:g} {y - radius:g}a{radius:g} {radius:g} 0 1 0 .01 0Z"


#: In the order in which pages list them. Paths are filled by the even-odd rule: a part inside is a hole.
_LOOKS = (
    Look(
        Verdict.REPRODUCED.value,
        _disc(7) + "M3.9 8.3L5.4 6.8L7.2 8.6L10.6 5.2L12.1 6.7L7.2 11.6Z",
        "Every comparison that the claim makes comes out as it says.",
    ),
    Look(
        Verdict.SMALLER.value,
        _disc(7) + _disc(5.2) + _disc(3),
        "It comes out as it says, but at least one effect is smaller than the smallest of interest.",
    ),
    Look(
        Verdict.ABSENT.value,
        "M1.7 1.7H14.3V14.3H1.7ZM4.3 6.9H11.7V9.1H4.3Z",
        "At least one comparison shows that there is no effect as large as the smallest of interest.",
    ),
    Look(
        Verdict.REVERSED.value,
        "M14 1.2V14.8L1 8Z",
        "At least one comparison comes out the other way round.",
    ),
    Look(
        Verdict.DEPENDS.value,
        "M1 1.8L8 8L1 14.2ZM15 1.8L8 8L15 14.2Z",
        "Equally good ways to ask say opposite things.",
    ),
    Look(
        Verdict.OPEN.value,
        _disc(7) + _disc(4.9),
        "The seeds so far do not decide; the card tells how many would.",
    ),
    Look(
        NOT_ANSWERED,
        _disc(1.9, 2.6) + _disc(1.9, 8) + _disc(1.9, 13.4),
        "What would decide it has not been run or is not computed yet; the card says what is missing.",
    ),
    Look(
        Verdict.BY_CONSTRUCTION.value,
        "M2 2.4H14V5H2ZM2 6.7H14V9.3H2ZM2 11H14V13.6H2Z",
        "Mathematics settles it: a program checks it, and no run is judged.",
    ),
    Look(
        Verdict.NOT_TESTABLE.value,
        "M3.2 1.4L8 6.2L12.8 1.4L14.6 3.2L9.8 8L14.6 12.8L12.8 14.6L8 9.8L3.2 14.6L1.4 12.8L6.2 8L1.4 3.2Z",
        "No comparison could settle it; the card says why.",
    ),
)
LOOKS: Mapping[str, Look] = {look.word: look for look in _LOOKS}


def counted(words: Iterable[str]) -> dict[str, int]:
    """How often each outcome occurs, in the order of `LOOKS`; what does not occur is left out.

    Examples
    --------
    >>> counted(["open", "reproduced", "open"])
    {'reproduced': 1, 'open': 2}
    """
    found = list(words)
    return {word: found.count(word) for word in LOOKS if word in found}
