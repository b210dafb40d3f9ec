"""Comparisons in words."""

from __future__ import annotations

from typing import Any

from hsu_lib.claims.questions import Term
from hsu_lib.metrics import SCORES
from hsu_lib.runs.answers.seedwise import Scores
from hsu_lib.runs.campaign import place_of, spec_of


def compared(at: Term, first: Any, second: Any, reads: str, relative: bool, scores: Scores) -> str:
    """What is compared, by which score and where.

    Parameters
    ----------
    at
        Scene, score and noise.
    first, second
        The sides, see ``book/reported/README.md``.
    reads
        What stands between them.
    relative
        Whether logarithms are compared.
    scores
        Of the way to ask.
    """
    name = scores.name(at.score)
    title = SCORES[name].title if name in SCORES else name
    told = [_say(side, scores) for side in (first, second)]
    owns = any(isinstance(side, dict) and "scene" in side for side in (first, second))
    where = "" if owns else f" on {_where(at.scene, at.snr, scores)}"
    of = " (ratio, as a logarithm)" if relative else ""
    return f"{told[0]} {reads} {told[1]}{where}: {title}{of}"


def _where(scene: str, snr: float | None, scores: Scores) -> str:
    view = scores.view
    place = place_of(Term("", scene, "", None), scores.entry, scores.how.words)
    if place.made:
        return scene
    return str(spec_of(place, snr if view.snr is None else view.snr))


def _say(side: Any, scores: Scores) -> str:
    """A side in words."""
    if isinstance(side, list):
        each = [_say(name, scores) for name in side]
        return ", ".join(each) if len(each) < 3 else f"{each[0]} to {each[-1]}"
    if not isinstance(side, dict):
        replace = scores.view.replace
        return replace.get(side, side) if isinstance(side, str) else f"{side:g}"
    if "best_of" in side:
        told = f"the best of {len(side['best_of'])} by {side['by']}"
    elif "mean_of" in side:
        told = f"the mean of {len(side['mean_of'])}"
    else:
        told = _say(side["condition"], scores)
    if "score" in side:
        told += f" by {side['score']}"
    if "scene" in side:
        told += f" on {_where(side['scene'], side.get('snr'), scores)}"
    elif "snr" in side:
        told += f" at {side['snr']:g} dB"
    return f"{told} less {_say(side['minus'], scores)}" if "minus" in side else told
