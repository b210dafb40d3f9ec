"""A claim's answer as a card, and the answers of a chapter as a forest plot: HTML and SVG, no script.

Places in a picture are percent of its width, so that it fits every screen and its text keeps its size.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from hsu_lib.claims import claims, rule
from hsu_lib.publishing import scores
from hsu_lib.publishing.html import fill, note, sentence
from hsu_lib.publishing.outcomes import LOOKS, NOT_ANSWERED, Look, counted
from hsu_lib.runs.answers import Answer, Comparison, Way, words
from hsu_lib.runs.record import Record

#: What a comparison comes to, in the look of the outcome that a claim of this one comparison has.
_OUTCOMES = {
    rule.Outcome.HOLDS: rule.Verdict.REPRODUCED,
    rule.Outcome.SMALLER: rule.Verdict.SMALLER,
    rule.Outcome.ABSENT: rule.Verdict.ABSENT,
    rule.Outcome.REVERSED: rule.Verdict.REVERSED,
    rule.Outcome.OPEN: rule.Verdict.OPEN,
}
#: How a comparison that is not simply "better" is marked in a forest plot.
_MARKS = {"equal": "=", "threshold": ">", "not worse": "≥"}
#: Steps of a decade between which ratios are marked, the finest first.
_RATIOS = ((1, 1.05, 1.1, 1.2, 1.5, 2, 3, 5), (1, 1.2, 1.5, 2, 3, 5), (1, 2, 5), (1, 3), (1,))
#: A way to ask: its title, its outcome, why there is none, and its comparisons with what they come to.
_Asked = tuple[str, Look, str, list[tuple[Look, str, str]]]
#: Whether a document's own figures bear out what it says, as ``claims.yaml`` has it and in words.
_OWN_FIGURES = {
    "supports": "support it",
    "mixed": "are mixed",
    "contradicts": "contradict it",
    "none": "do not tell",
}
_CAPTION = (
    "Of each claim the comparison that decides, with its 97.1 % interval, over its smallest effect of "
    "interest, where the grey band ends; ◇ what the document reports. Beyond 1 the axis is logarithmic. "
    "Before a name: ≥ not worse by more than that, = no further apart, > a threshold."
)


class Axis(NamedTuple):
    """From values to percent of the width, with room for a symbol at both ends."""

    low: float
    high: float
    warp: Callable[[float], float] = float

    def at(self, x: float) -> float:
        """Where a value lies; 3 to 97."""
        ends = self.warp(self.low), self.warp(self.high)
        return round(3 + 94 * (self.warp(x) - ends[0]) / ((ends[1] - ends[0]) or 1), 2)


@dataclass(frozen=True)
class Plot:
    """Places of what a comparison's picture shows, and all of it in words."""

    look: Look
    zero: float
    mean: float
    low: float
    high: float
    reported: float | None
    band: tuple[float, float] | None
    inside: bool
    told: str
    dots: Sequence[tuple[float, int]] = ()
    ticks: Sequence[tuple[float, str]] = ()
    sides: tuple[str, str] = ("← against the claim", "for the claim →")


# --------------------------------------------------------------------------- a card


def card(
    found: Answer,
    claim: Mapping[str, Any],
    *,
    records: Iterable[Record] = (),
    reason: str = "",
    notes: Sequence[str] = (),
    profile: str = "paper",
) -> Markup:
    """A claim with its outcome, the picture and figures of what decides it, and the rest folded.

    Parameters
    ----------
    found
        What fresh seeds say of it.
    claim
        Its row of `hsu_lib.claims.claims`.
    records
        Those behind the answer.
    reason
        A line in place of the computed one.
    notes
        Words of `hsu_lib.publishing.html.NOTES`, with a text of their own before a colon if there is one.
    profile
        Whose amounts of training the runs have.
    """
    deciding = found.deciding
    return fill(
        "card",
        look=LOOKS[found.word],
        claim=found.claim,
        document=claim.get("source", ""),
        scenes=" ".join(claim.get("datasets") or ()),
        coverage=coverage(found),
        statement=claim["statement"],
        where=claim["where"][:1].upper() + claim["where"][1:],
        own_figures=_OWN_FIGURES.get(claim["own_figures"], claim["own_figures"]),
        notes=[note(text) for text in notes],
        plot=_strip(deciding) if deciding else None,
        figures=_figures(deciding) if deciding else (),
        compared=_compared(found),
        seen=bool(deciding and found.ways[0].keys and profile != "quick"),
        reason=sentence(reason or _reason(found)),
        **_folded(found, list(records), profile),
    )


def coverage(found: Answer) -> str:
    """How much of a claim runs have answered: all ways to ask it, the first alone, or none."""
    done = [way.verdict is not None for way in found.ways]
    if not any(done):
        return "no runs"
    return "every way to ask" if all(done) else "the first way to ask"


def label(claim: str) -> str:
    """A claim's id as words, without its document.

    Examples
    --------
    >>> label("prim-alpha04-worst-abundances")
    'alpha04 worst abundances'
    """
    return claim.partition("-")[2].replace("-", " ")


def _strip(c: Comparison) -> Plot | None:
    """Every seed, the interval, the smallest effect and what is reported, in the unit of the score."""
    mean, low, high = c.interval
    if not math.isfinite(mean):
        return None
    shown = [0.0, low, high, *c.differences, -c.effect, c.effect, c.printed or 0.0]
    ticks = _ticks(c, min(shown), max(shown))
    axis = Axis(ticks[0][0], ticks[-1][0])
    plot = _plot(c, axis, 1.0)
    return replace(
        plot,
        dots=_swarm(axis.at(d) for d in c.differences),
        ticks=[(axis.at(tick), text) for tick, text in ticks],
        sides=("← differs", "differs →") if c.shape == "equal" else plot.sides,
    )


def _ticks(c: Comparison, low: float, high: float) -> list[tuple[float, str]]:
    """A few round numbers around a range of differences, in the unit in which they are printed."""
    if c.relative:
        return [(math.log(ratio), f"×{ratio:g}") for ratio in _ratios(math.exp(low), math.exp(high))]
    form = scores.unit(c.score)
    found = MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(form.factor * low, form.factor * high)
    ticks = [round(float(tick), 12) for tick in found]
    texts = [f"{tick:.6g}{form.sign.strip() if tick else ''}" for tick in ticks]
    return [(t / form.factor, text.replace("-", "−")) for t, text in zip(ticks, texts, strict=True)]


def _ratios(low: float, high: float) -> list[float]:
    """Round ratios, 1 among them, the first below a range and the last above it; about six at most.

    Examples
    --------
    >>> _ratios(0.98, 1.07), _ratios(0.9, 30)
    ([0.95, 1.0, 1.05, 1.1], [0.33, 1.0, 3.0, 10.0, 30.0])
    """
    for steps in _RATIOS:
        upper = [10.0**k * step for k in range(7) for step in steps if step < 10]
        every = sorted({*upper, *(float(f"{1 / ratio:.2g}") for ratio in upper)})
        first = max([r for r in every if r <= low], default=every[0])
        last = min([r for r in every if r >= high], default=every[-1])
        shown = [ratio for ratio in every if first <= ratio <= last]
        if len(shown) <= 6:
            return shown
    return [shown[0], 1.0, shown[-1]]


def _swarm(places: Iterable[float]) -> list[tuple[float, int]]:
    """Dots at these percent of the width, each as low as those beside it allow."""
    dots: list[tuple[float, int]] = []
    for x in sorted(places):
        taken = {y for other, y in dots if x - other < 1.5}
        dots.append((x, next((y for y in (43, 36, 29, 22) if y not in taken), 43)))
    return dots


def _plot(c: Comparison, axis: Axis, unit: float) -> Plot:
    """What both pictures show, all values over `unit`."""
    band = {"better": (-1, 1), "equal": (-1, 1), "not worse": (-1, 0)}.get(c.shape)
    ends = [axis.at(end * c.effect / unit) for end in band] if band else []
    mean, low, high = (axis.at(end / unit) for end in c.interval)
    look = LOOKS[_OUTCOMES[c.outcome].value]
    told = f"{c.words}: {look.word}. {', '.join(f'{word} {text}' for word, text in _figures(c))}"
    return Plot(
        look=look,
        zero=axis.at(0.0),
        mean=mean,
        low=low,
        high=high,
        reported=None if c.printed is None else axis.at(c.printed / unit),
        band=(ends[0], round(ends[1] - ends[0], 2)) if band else None,
        inside=c.shape == "equal",
        told=told,
    )


def _figures(c: Comparison) -> list[tuple[str, str]]:
    """The numbers of a comparison, each with its word."""
    told = [("difference", scores.interval(c.score, *c.interval, relative=c.relative))]
    told.append(("seeds", str(len(c.seeds))))
    if c.left_out:
        told.append(("without", ", ".join(map(str, c.left_out))))
    words = {"better": "smallest effect", "equal": "margin", "not worse": "margin"}
    if c.shape in words:
        told.append((words[c.shape], scores.size(c.score, c.effect, relative=c.relative)))
    if c.printed is not None:
        told.append(("reported", scores.difference(c.score, c.printed, relative=c.relative)))
    return told


def told(found: Answer) -> str:
    """The difference that decides, and of what, in a line; empty where runs decide nothing."""
    c = found.deciding
    if c is None:
        return ""
    of = words.title(c.score) if c.score else "spread over seeds"
    mean = scores.interval(c.score, *c.interval, relative=c.relative)
    return f"{sentence(of).removesuffix('.')}: mean difference {mean}, {len(c.seeds)} seeds"


_PLAIN = {
    rule.Verdict.REPRODUCED: "Yes",
    rule.Verdict.SMALLER: "Yes, by less than reported",
    rule.Verdict.ABSENT: "No",
    rule.Verdict.REVERSED: "No, the other way round",
    rule.Verdict.DEPENDS: "Equally good ways to ask disagree",
    rule.Verdict.OPEN: "Not decided",
}


class Plain(NamedTuple):
    """An answer for who knows no intervals: a word, with how many seeds say so; and of what that is said."""

    answer: str
    detail: str = ""


def plain(found: Answer) -> Plain:
    """An answer in plain words; empty where no seeds decide."""
    deciding = found.deciding
    if not (deciding and found.verdict in _PLAIN):
        return Plain("")
    if found.verdict is rule.Verdict.DEPENDS:
        ways = [
            f"{way.words}: {_PLAIN[way.verdict].lower()}{_outcomes(way.comparisons)}"
            for way in found.ways
            if way.verdict in _PLAIN
        ]
        return Plain(sentence(_PLAIN[found.verdict]), " ".join(map(sentence, ways)))
    said = "No" if found.verdict is rule.Verdict.REVERSED else _PLAIN[found.verdict]
    others = found.ways[0].comparisons
    if found.verdict in rule.FOR:
        unlike = {way.words: way.verdict for way in found.ways[1:] if way.verdict not in rule.FOR}
        ways = [sentence(f"{k}: {_PLAIN[v].lower()}") for k, v in unlike.items() if v in _PLAIN]
        where = f", on {found.ways[0].words}" if unlike and found.ways[0].words else ""
        return Plain(f"{said}: {_seeds(found)}{where}.", " ".join(ways))
    if len(others) == 1:
        return Plain(f"{said}: {_seeds(found)}.")
    told = f"{said}: {_counted(others)}."
    return Plain(told, sentence(f"{_seeds(found)} in this one: {deciding.words}"))


#: What comparisons do that do not hold.
_OTHERWISE = {
    rule.Outcome.OPEN: "open",
    rule.Outcome.ABSENT: "without the effect",
    rule.Outcome.REVERSED: "the other way round",
}


def _counted(comparisons: Sequence[Comparison]) -> str:
    """How many of several comparisons come to what."""
    count = Counter(c.outcome for c in comparisons)
    holding = sum(count[outcome] for outcome in (rule.Outcome.HOLDS, rule.Outcome.SMALLER))
    holds = ["1 holds" if holding == 1 else f"{holding} hold"] * (holding > 0)
    kinds = [
        f"{count[o]} {'is' if count[o] == 1 else 'are'} {kind}" for o, kind in _OTHERWISE.items() if count[o]
    ]
    return f"of {len(comparisons)} comparisons {', '.join(holds + kinds)}"


def _outcomes(comparisons: Sequence[Comparison]) -> str:
    """The same in brackets; nothing where all come to one."""
    return f" ({_counted(comparisons)})" if len({c.outcome for c in comparisons}) > 1 else ""


def _seeds(found: Answer) -> str:
    """How many seeds say what the verdict says, of the comparison that decides."""
    deciding = found.deciding
    assert deciding is not None
    differences, effect = np.array(deciding.differences), deciding.effect
    if found.verdict is rule.Verdict.ABSENT:
        agree, of = differences < effect, "the difference is too small to count in {} of {} seeds"
    elif found.verdict is rule.Verdict.REVERSED:
        agree, of = differences < 0, "{} of {} seeds go the other way"
    else:
        least = {"equal": abs(differences) < effect, "not worse": differences > -effect}
        agree = least.get(deciding.shape, differences > 0)
        of = "{} of {} seeds speak for it" if found.verdict is rule.Verdict.OPEN else "{} of {} seeds say so"
    return of.format(int(agree.sum()), len(agree))


def _compared(found: Answer) -> str:
    if not found.deciding:
        return ""
    count = len(found.ways[0].comparisons)
    which = f"of {count} comparisons, all needed, the one that does worst: " * (count > 1)
    return sentence(which + found.deciding.words)


def _reason(found: Answer) -> str:
    """In one line, why it comes to that."""
    deciding = found.deciding
    if found.verdict is rule.Verdict.DEPENDS:
        told = [f"{way.verdict.value} on {way.words}" for way in found.ways if way.verdict]
        return "; ".join(told)
    if not deciding:
        return found.reason
    if found.verdict is rule.Verdict.OPEN and deciding.outcome is not rule.Outcome.OPEN:
        return "what can be asked of it holds, but is only a part of the claim"
    all_of = found.ways[0].comparisons
    count = sum(c.outcome is deciding.outcome for c in all_of)
    some = f"{count} of {len(all_of)} comparisons" if len(all_of) > 1 else "its comparison"
    match deciding.outcome:
        case rule.Outcome.REVERSED:
            return f"{some} the other way round"
        case rule.Outcome.ABSENT:
            return f"{some} without an effect that counts"
        case rule.Outcome.OPEN:
            needed = deciding.needed(len(all_of))
            more = f"about {needed} would decide" if needed else "200 would not decide either"
            return f"{some} not decided by {len(deciding.seeds)} seeds; if mean and spread stay, {more}"
        case rule.Outcome.SMALLER:
            return f"{some} with an effect below the smallest of interest"
    return ""


def _folded(found: Answer, records: Sequence[Record], profile: str) -> dict[str, Any]:
    """All comparisons in all ways to ask, and the runs, with a line that counts them."""
    several = len(found.ways) > 1
    compared = [c for way in found.ways for c in way.comparisons]
    seeds = sorted({seed for c in compared for seed in (*c.seeds, *c.left_out)})
    comparisons = _count(len(compared), "comparison") + f" in {len(found.ways)} ways to ask" * several
    counts = [comparisons, _count(len(records), "run")]
    return {
        "folded": ", ".join(filter(None, counts)) if found.ways else "",
        "ways": [_way(w, f"Asked on {w.words}" if several else "All comparisons") for w in found.ways],
        "runs": _runs(records),
        "methods": sorted({str(record.asked["method"]) for record in records}),
        "command": f"hsu sweep {profile} --claims {found.claim}" + f" --seeds {spans(seeds)}" * bool(seeds)
        if found.ways
        else "",
    }


def _count(number: int, word: str) -> str:
    return f"{number} {word if number == 1 else f'{word}s'}" if number else ""


def _way(way: Way, title: str) -> _Asked:
    if way.verdict is None:
        return title, LOOKS[NOT_ANSWERED], sentence(way.reason), []
    listed = []
    for c in way.comparisons:
        told = "; ".join(f"{word} {text}" for word, text in _figures(c))
        needed = c.needed(len(way.comparisons))
        more = f"; {needed} seeds would decide" if needed else ""
        listed.append((LOOKS[_OUTCOMES[c.outcome].value], c.words, f"{told}{more}"))
    return title, LOOKS[way.verdict.value], "", listed


def _runs(records: Sequence[Record]) -> str:
    """How many, on what, by which code, and when."""
    if not records:
        return ""
    devices, commits = (
        ", ".join(sorted({str(record.made.get(name, "unknown")) for record in records}))
        for name in ("device", "commit")
    )
    days = sorted({str(record.made.get("date", ""))[:10] for record in records})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"{len(records)} on {devices}; commit {commits}; {when}."


def spans(numbers: Sequence[int]) -> str:
    """Ascending whole numbers, neighbours joined.

    Examples
    --------
    >>> spans([100, 101, 102, 110])
    '100-102,110'
    """
    runs = [
        [number for _, number in group]
        for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


# --------------------------------------------------------------------------- a forest plot


def forest(found: Iterable[Answer], *, caption: str = "") -> Markup:
    """A line per claim: what decides it, over its smallest effect of interest; labels lead to the cards.

    Parameters
    ----------
    found
        Answers; they are put in the order of the outcomes. Those without a comparison are listed below.
    caption
        What is to be said beside how it is read.
    """
    answers = sorted(found, key=lambda answer: list(LOOKS).index(answer.word))
    drawn = [(a, a.deciding) for a in answers if a.deciding and math.isfinite(a.deciding.interval[0])]
    axis = _over_effects([c for _, c in drawn])
    statements = claims()["statement"]
    rows = [
        vars(_plot(c, axis, c.usual))
        | {"look": LOOKS[answer.word], "claim": answer.claim, "label": label(answer.claim)}
        | {"shape": _MARKS.get(c.shape, ""), "statement": statements.get(answer.claim, "")}
        for answer, c in drawn
    ]
    others = [answer for answer in answers if answer.claim not in {row["claim"] for row in rows}]
    marks = [(axis.at(tick), f"{tick:g}".replace("-", "−")) for tick in _powers(axis)]
    counts = counted(answer.word for answer in answers)
    return fill(
        "forest",
        looks=[(LOOKS[word], number) for word, number in counts.items()],
        rows=rows,
        grid=[x for x, text in marks if text != "0"],
        ticks=marks,
        rest=[(LOOKS[a.word], a.claim, label(a.claim), statements.get(a.claim, "")) for a in others],
        caption=f"{_CAPTION} {caption}".strip(),
    )


def _warp(x: float) -> float:
    """Straight from -1 to 1 and logarithmic beyond."""
    return x if abs(x) <= 1 else math.copysign(1 + math.log10(abs(x)), x)


def _over_effects(shown: Sequence[Comparison]) -> Axis:
    """An axis for all of them, from -2 to 2 at least."""
    ends = [end / c.usual for c in shown for end in (*c.interval, c.printed or 0.0)]
    return Axis(min([-2.0, *ends]), max([2.0, *ends]), _warp)


def _powers(axis: Axis) -> list[float]:
    """Zero, and the powers of ten within an axis."""
    powers = [10.0**k for k in range(12)]
    low, high = ([p for p in powers if p <= end] for end in (-axis.low, axis.high))
    return [*(-p for p in reversed(low)), 0.0, *high]
