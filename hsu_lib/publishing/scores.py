"""How scores are printed, the same in cards, tables and prose: one unit and one precision for each score.

Angles are in degrees, errors and shares of abundances in percent, cosines have four decimals, and ratios are
factors: ``×1.40``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hsu_lib.claims.questions import base, vocabulary
from hsu_lib.metrics import SCORES
from hsu_lib.runs import Results
from hsu_lib.runs.answers import words

#: How names of scores begin that are shares of a pixel or of all pixels: printed in percent.
_SHARES = ("rmse-abundances", "mae-abundances", "extreme-abundances", "contrast-abundances")


class Unit(NamedTuple):
    """What a score is multiplied by, its decimals (None: as many as it takes) and what stands behind it."""

    factor: float = 1.0
    decimals: int | None = None
    sign: str = ""


def unit(score: str) -> Unit:
    """How a score is printed.

    Examples
    --------
    >>> unit("mae-abundances").factor, unit("cos-endmembers").decimals, unit("sad-endmembers").sign
    (100.0, 4, '°')
    """
    name = base(score)
    told = SCORES[name].unit if name in SCORES else vocabulary().scores.get(name, {}).get("unit", "1")
    if told == "rad":
        return Unit(180 / math.pi, 2, "°")
    if name.startswith(_SHARES):
        return Unit(100.0, 2, "\u00a0%")
    if name.startswith(("cos-", "vca-cosine")):
        return Unit(1.0, 4)
    if told == "dB":
        return Unit(1.0, 2, "\u00a0dB")
    return Unit(sign="" if told == "1" else f"\u00a0{told}")


def better(score: str) -> str:
    """Whether ``"higher"`` or ``"lower"`` is better."""
    name = base(score)
    return SCORES[name].better if name in SCORES else str(vocabulary().scores[name]["better"])


def title(score: str) -> str:
    """What a score is, with the unit it is printed in, for an axis or the head of a table.

    Examples
    --------
    >>> title("sad-endmembers"), title("mse-abundances")
    ('spectral angle of E, mean over endmembers (°)', 'mean squared error of A')
    """
    sign = unit(score).sign.strip()
    return words.title(score) + f" ({sign})" * bool(sign)


def value(score: str, x: float) -> str:
    """A score with its unit.

    Examples
    --------
    >>> value("sad-endmembers", 0.1), value("mae-abundances", 0.0312), value("cos-endmembers", 0.99)
    ('5.73°', '3.12\\xa0%', '0.9900')
    >>> value("mse-abundances", 0.00012)
    '0.000120'
    """
    form = unit(score)
    return f"{_digits(form.factor * x, form.decimals)}{form.sign}"


def spread(score: str, values: ArrayLike) -> str:
    """Mean over seeds and, where they differ, their standard deviation.

    Examples
    --------
    >>> spread("rmse-abundances", [0.10, 0.12]), spread("rmse-abundances", [0.1])
    ('11.00\\xa0±\\xa01.41\\xa0%', '10.00\\xa0%')
    """
    form = unit(score)
    x = form.factor * np.asarray(values, dtype=np.float64)
    mean = _digits(float(x.mean()), form.decimals)
    if x.size < 2 or np.ptp(x) <= 1e-9 * np.abs(x).max():
        return f"{mean}{form.sign}"
    return f"{mean}\u00a0±\u00a0{_digits(float(x.std(ddof=1)), form.decimals)}{form.sign}"


def mean(found: Results, scene: str, label: str, score: str) -> str:
    """Mean over the seeds of a condition on a scene; ``"–"`` where a run or its score is missing."""
    try:
        return value(score, float(found.scores(scene, label, score).mean()))
    except LookupError:
        return "–"


def difference(score: str, x: float, *, relative: bool = False) -> str:
    """A difference of scores with its sign; of logarithms, the factor.

    Examples
    --------
    >>> difference("sad-endmembers", -0.1), difference("seconds", 0.405, relative=True)
    ('−5.73°', '×1.50')
    """
    if relative:
        return _factor(x)
    return ("−" if x < 0 else "+" if x > 0 else "") + value(score, abs(x))


def interval(score: str, mean: float, low: float, high: float, *, relative: bool = False) -> str:
    """A mean difference with the ends of its interval; the unit stands once.

    Examples
    --------
    >>> interval("rmse-abundances", 0.05, -0.01, 0.11)
    '+5.00\\xa0% [−1.00, +11.00]'
    """
    sign = "" if relative else unit(score).sign
    ends = (difference(score, end, relative=relative).removesuffix(sign) for end in (low, high))
    return f"{difference(score, mean, relative=relative)} [{', '.join(ends)}]"


def size(score: str, x: float, *, relative: bool = False) -> str:
    """A difference without a sign, such as a margin."""
    return _factor(x) if relative else value(score, abs(x))


def _factor(logarithm: float) -> str:
    """What a logarithm is the logarithm of, with three digits that count."""
    with np.errstate(over="ignore"):
        factor = float(np.exp(logarithm))
    decimals = max(0, 2 - math.floor(math.log10(factor))) if 0 < factor < math.inf else 0
    return f"×{_digits(factor, decimals)}"


def _digits(x: float, decimals: int | None) -> str:
    """With so many decimals; by default four, or three digits that count where these are too few or many."""
    if not math.isfinite(x):
        return str(x)
    if decimals is None:
        decimals = 4 if x == 0 or 0.001 <= abs(x) < 10 else max(0, 2 - math.floor(math.log10(abs(x))))
    return f"{x:.{decimals}f}" if decimals < 8 else f"{x:.1e}"
