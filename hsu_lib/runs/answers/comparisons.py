"""From the components of a question to its comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from hsu_lib.claims.questions import Component, Term, Vocabulary, base, listed, names
from hsu_lib.metrics import SCORES
from hsu_lib.runs.answers.answer import Comparison, Shape
from hsu_lib.runs.answers.seedwise import Scores, Sides, Unanswered, Values
from hsu_lib.runs.answers.words import compared

#: Default smallest effects by the unit of a score, for comparisons that have none of their own.
_DEFAULTS = {"rad": 0.02, "dB": 0.5, "1 per 10 dB": 0.1}
#: That of what is relative.
_RELATIVE = 0.1


#: Shape of a component to the shape of the rule, and how it reads.
_READS: Mapping[str, tuple[Shape, str]] = {
    "better": ("better", "better than"),
    "best": ("better", "better than"),
    "worst": ("better", "worse than"),
    "not_worse": ("not worse", "not worse than"),
    "same": ("equal", "equal to"),
    "alike": ("equal", "equal to"),
    "steadiest": ("better", "steadier than"),
    "above": ("threshold", "above"),
    "below": ("threshold", "below"),
}


def comparisons(part: Component, scores: Scores) -> Iterator[Comparison]:
    """The comparisons that a component is made of.

    Raises
    ------
    Unanswered
        If it asks what could mean several things.
    """
    says, shape = part.says, part.shape
    relative = bool(says.get("relative", False))
    if relative and any(isinstance(side, dict) and "minus" in side for side in part.sides()):
        raise Unanswered("asks for logarithms of a difference, which may have none")
    group = says.get("group") or [name for side in part.sides() for name in names(side)]
    sides = Sides(scores, tuple(dict.fromkeys(group)))
    places = product(listed(says["scene"]), listed(says["score"]), listed(says.get("snr")))
    for scene, score, snr in places:
        at = Term("", scene, score, snr)
        for first, second in _pairs(says, shape):
            yield _comparison(part, at, first, second, sides)


def _pairs(says: Mapping[str, Any], shape: str) -> Iterator[tuple[Any, Any]]:
    """What is compared with what."""
    if shape in ("better", "not_worse"):
        yield says[shape], says["than"]
    elif shape in ("best", "worst", "steadiest"):
        yield from ((says[shape], other) for other in says["of"] if other != says[shape])
    elif shape == "same":
        first, second = says["same"]
        yield first, second
    elif shape == "alike":
        yield from ((each, {"mean_of": says["alike"]}) for each in says["alike"])
    else:
        yield says["of"], says[shape]


def _comparison(part: Component, at: Term, first: Any, second: Any, sides: Sides) -> Comparison:
    says, asked, scores = part.says, part.shape, sides.scores
    shape, reads = _READS[asked]
    relative = bool(says.get("relative", False))
    whole = np.ones(len(scores.how.seeds), dtype=bool)
    keep = np.logical_and.reduce(
        [whole, *(np.isfinite(p) for side in (first, second) for p in sides.parts(side, at))]
    )
    sign = {"above": 1.0, "below": -1.0, "worst": -scores.sign(at.score)}.get(asked, scores.sign(at.score))
    values = [sides.value(side, at, keep) for side in (first, second)]
    if asked == "steadiest":
        differences = _steadier(*values)
    else:
        if relative:
            values = [np.log(np.where(value > 0, value, np.nan)) for value in values]
        differences = sign * (values[0] - values[1])
    finite = np.isfinite(differences)
    seeds = np.array(scores.how.seeds)
    kept = seeds[keep][finite]
    effect = float(says.get("smallest_effect", says.get("margin", 0.0)))
    leads = _reported_leads(says, asked, sign, relative)
    of_ratio = relative or asked == "steadiest"
    usual = _RELATIVE if of_ratio else _DEFAULTS.get(_unit(at.score, scores.how.words), 0.01)
    return Comparison(
        compared(at, first, second, reads, sign > 0, relative, scores),
        shape,
        effect,
        # half of the reported effect (of a best one, of its lead), not a default
        shape == "better" and bool(leads) and bool(np.isclose(min(leads.values()) / 2, effect, rtol=2e-3)),
        effect or usual,
        tuple(int(seed) for seed in kept),
        tuple(float(d) for d in differences[finite]),
        tuple(int(seed) for seed in seeds if seed not in kept),
        leads.get(second if isinstance(second, str) and second in leads else ""),
        score="" if asked == "steadiest" else scores.name(at.score),
        relative=relative,
    )


def _steadier(ours: Values, other: Values) -> Values:
    """How much nearer to its median each of our seeds lies than the other's, over the other's mean distance.

    Seed by seed the other's distance less ours, both over the mean of the other's: 0.1 in the mean if ours
    are nearer by ten percent. Not a number where the other's seeds are all equal.
    """
    if not len(ours):
        return ours
    near, far = (np.abs(values - np.median(values)) for values in (ours, other))
    mean = far.mean()
    return (far - near) / (mean if mean > 0 else np.nan)


def _reported_leads(says: Mapping[str, Any], shape: str, sign: float, relative: bool) -> Mapping[str, float]:
    """The reported difference, by the other condition where there are several, else by an empty name."""
    reported = says.get("reported")
    if not reported:
        return {}
    if isinstance(reported, Mapping):
        pairs = {name: (reported[says[shape]], v) for name, v in reported.items() if name != says[shape]}
    else:
        pairs = {"": tuple(reported)}
    scale = np.log if relative else np.asarray
    return {name: float(sign * (scale(ours) - scale(other))) for name, (ours, other) in pairs.items()}


def _unit(score: str, words: Vocabulary) -> str:
    name = base(score)
    return SCORES[name].unit if name in SCORES else str(words.scores[name]["unit"])
