"""How many endmembers an image has: the estimators by name, and the rule that takes a number from them.

A new estimator is a function and an entry of `ESTIMATORS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from numpy.typing import NDArray

from hsu_lib.solvers.gene import Hull, Reduction, gene, reduction
from hsu_lib.solvers.noise import Moments, Noise, moments, regression_noise
from hsu_lib.solvers.rank import hfc, hysime, sure_rank

#: Probabilities of a false alarm at which HFC is told; the middle one counts.
_FALSE_ALARMS = (1e-3, 1e-4, 1e-5)
#: So far those that know the noise may be apart and agree.
APART = 2


@dataclass(frozen=True)
class Pixels:
    """Pixels ``(bands, pixels)`` that count, with what several estimators need of them, computed once."""

    Y: NDArray
    seed: int = 0

    @cached_property
    def moments(self) -> Moments:
        """Of all pixels."""
        return moments(self.Y)

    @cached_property
    def noise(self) -> Noise:
        """By regression of each band on all others."""
        return regression_noise(self.moments)

    @cached_property
    def reduced(self) -> Reduction:
        """For GENE, in halves."""
        return reduction(self.Y, seed=self.seed)


@dataclass(frozen=True)
class Estimate:
    """What an estimator finds: a number, None where it cannot look; and what is to be said of it."""

    rank: int | None
    note: str = ""


@dataclass(frozen=True)
class Estimator:
    """A way to tell the number of endmembers.

    Parameters
    ----------
    name
        Slug, for instance ``"hysime"``.
    label
        Its name in prose.
    assumes
        What has to be true for its number to mean anything, in a line.
    source
        Paper.
    estimate
        The function.
    parts
        Into how many parts it divides the pixels, each of which has to have more of them than bands; 0 where
        any number will do.
    """

    name: str
    label: str
    assumes: str
    source: str
    estimate: Callable[[Pixels], Estimate]
    parts: int = 0

    def __call__(self, pixels: Pixels) -> Estimate:
        """Estimate, or None with the reason where there are too few pixels."""
        bands, count = pixels.Y.shape
        least = self.parts * (bands + 1)
        if count < least:
            return Estimate(None, f"needs {least} pixels for {bands} bands, has {count}")
        return self.estimate(pixels)


def _hfc(whitened: bool) -> Callable[[Pixels], Estimate]:
    def estimate(pixels: Pixels) -> Estimate:
        found = [hfc(pixels.moments, false_alarm=p, whitened=whitened) for p in _FALSE_ALARMS]
        alarms = ", ".join(f"{p:g}" for p in _FALSE_ALARMS)
        return Estimate(
            found[1], f"finds {', '.join(map(str, found))} with a false alarm in {alarms} of cases"
        )

    return estimate


def _gene(hull: Hull) -> Callable[[Pixels], Estimate]:
    def estimate(pixels: Pixels) -> Estimate:
        rank = gene(pixels.reduced, hull=hull).rank
        return Estimate(rank, "stopped at the most that it looks for" if rank > len(pixels.reduced.X) else "")

    return estimate


ESTIMATORS: Mapping[str, Estimator] = {
    found.name: found
    for found in (
        Estimator(
            "hysime",
            "HySime",
            "what one band shares with no other is its noise, and nothing else is",
            "Bioucas-Dias and Nascimento, IEEE TGRS 46(8), 2008, 2435-2445",
            lambda pixels: Estimate(hysime(pixels.moments, pixels.noise).rank),
            parts=1,
        ),
        Estimator(
            "sure",
            "SURE",
            "the same, and that noise is Gaussian",
            "after Rasti, Ulfarsson and Sveinsson, IEEE GRSL 12(12), 2015, 2481-2485; without wavelets: ours",
            lambda pixels: Estimate(sure_rank(pixels.moments, pixels.noise).rank),
            parts=1,
        ),
        Estimator(
            "gene-ah",
            "GENE-AH",
            "the same, and abundances sum to one: it counts dimensions, and one more",
            "Ambikapathi, Chan, Chi and Keizer, IEEE TGRS 51(5), 2013, 2753-2769; halves: ours",
            _gene("affine"),
            parts=2,
        ),
        Estimator(
            "gene-ch",
            "GENE-CH",
            "the same, and each has a pure pixel: it counts corners of the data",
            "Ambikapathi, Chan, Chi and Keizer, IEEE TGRS 51(5), 2013, 2753-2769; halves: ours",
            _gene("convex"),
            parts=2,
        ),
        Estimator(
            "hfc",
            "HFC",
            "each endmember shows in the mean spectrum, noise does not",
            "Harsanyi, Farrand and Chang, ASPRS, 1994; Chang and Du, IEEE TGRS 42(3), 2004, 608-619",
            _hfc(False),
        ),
        Estimator(
            "nwhfc",
            "NWHFC",
            "the same, with bands first divided by their noise, as HySime has it",
            "Chang and Du, IEEE TGRS 42(3), 2004, 608-619",
            _hfc(True),
            parts=1,
        ),
    )
}

#: Whose agreement decides; who counts where they agree, and where they do not.
_TRIO, _AGREED, _OTHERWISE = ("hysime", "sure", "gene-ah"), "gene-ah", "hfc"


def estimates(Y: NDArray, *, seed: int = 0) -> dict[str, Estimate]:
    """What every estimator finds in pixels ``(bands, pixels)``, in the order of the catalogue.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    pixels = Pixels(Y, seed)
    return {name: estimator(pixels) for name, estimator in ESTIMATORS.items()}


@dataclass(frozen=True)
class Count:
    """A number of endmembers, and why it is this one, a sentence without its end."""

    number: int
    why: str


def count_by(found: Mapping[str, Estimate]) -> Count:
    """How many endmembers to look for, by the estimates.

    HySime, SURE and GENE-AH take the noise of one band to tell nothing of that of another. Where they
    differ by at most `APART`, that is so, and GENE-AH counts, which finds rare endmembers in the strongest
    noise. Where they differ by more, as on most measured images, they take for endmembers whatever else the
    bands share, and HFC counts, which looks at the mean alone. At least one is looked for.

    Parameters
    ----------
    found
        What `estimates` finds.
    """
    one, two, three = (ESTIMATORS[name].label for name in _TRIO)
    ranks = [rank for name in _TRIO if (rank := found[name].rank) is not None]
    if len(ranks) < len(_TRIO):
        counting, why = _OTHERWISE, f"there are too few pixels for {one}, {two} and {three}"
    else:
        agree = max(ranks) - min(ranks) <= APART
        counting = _AGREED if agree else _OTHERWISE
        why = f"{one}, {two} and {three} find {ranks[0]}, {ranks[1]} and {ranks[2]}, which " + (
            "is near enough" if agree else "do not agree"
        )
    number = found[counting].rank or 0
    why += f", so {ESTIMATORS[counting].label} counts" + ("" if number else "; it finds none")
    return Count(max(number, 1), why)
