"""Comparisons in words."""

from __future__ import annotations

from typing import Any

from hsu_lib.claims.questions import Term
from hsu_lib.metrics import SCORES
from hsu_lib.runs.answers.seedwise import Scores
from hsu_lib.runs.campaign import place_of, spec_of

#: Scores that are computed from records or timed, in words; their definitions are in ``conditions.yaml``.
TITLES = {
    "fcls-misfit": "misfit of FCLSU with the made-up endmembers",
    "vca-cosine": "cosine between two runs of VCA",
    "vca-pairs-that-differ": "share of pairs of runs of VCA that differ",
    "seconds": "seconds of a run",
    "seconds-stored": "seconds of a run, making and storing its images included",
    "seconds-per-image": "seconds to make an image",
    "seconds-per-iteration": "seconds of an iteration",
    "seconds-to-common-mae": "seconds down to a common error of A",
    "re-over-fclsu": "reconstruction error over that of FCLSU",
    "re-falls-mae-rises": "whether the reconstruction error falls somewhere while the error of A rises",
    "largest-rise-of-mae": "largest rise of the error of A within 50 iterations",
    "roughness-of-mae": "change of the error of A from one iteration to the next",
    "range-of-mae": "range of the error of A over the last thousand iterations",
    "mae-at-1000": "mean absolute error of A against FCLSU after 1000 iterations",
    "mae-at-2000": "mean absolute error of A against FCLSU after 2000 iterations",
    "iterations-to-common-mae": "iterations down to a common error of A",
    "iterations-to-common-loss": "iterations down to a common loss",
    "iterations-to-tenfold-loss": "iterations down to ten times a common loss",
    "early-rise-of-loss": "whether the loss rises in the first 150 iterations",
    "size-and-convergence": "rank correlation of size and iterations needed",
    "size-and-time": "rank correlation of size and time",
    "slope-of-re": "growth of the reconstruction error per 10 dB of noise",
    "slope-of-mae": "growth of the error of A per 10 dB of noise",
    "rise-of-mae": "error of A above that at 50 dB",
    "model-gap": "distance between the errors of A of small and large models",
    "reconstruction-angle": "angle between a test pixel and its reconstruction, mean",
    "reconstruction-angle-median": "angle between a test pixel and its reconstruction, median",
    "reconstruction-mse": "squared error of reconstructed test pixels",
    "clean-mse": "squared error of reconstructed test pixels against the clean image",
    "generated-angle": "angle between a test pixel and what is decoded from its reference abundances",
    "generated-mse": "squared error of what is decoded from reference abundances",
    "dominant": "share of test pixels whose main material is right",
    "rmse-over-uniform": "error of A over that of equal shares everywhere",
    "roughness-100-150": "roughness of tree in bands 100 to 150",
    "roughness-elsewhere": "roughness of tree in the other bands",
    "roughness-100-150-reference": "roughness of the reference of tree in bands 100 to 150",
    "smallest-endmember-entry": "least entry of the endmembers",
}


def title(score: str) -> str:
    """A score in words, with the material it is of, if there is one."""
    name, _, material = score.removeprefix("test/").partition("/")
    told = SCORES[name].title if name in SCORES else TITLES.get(name, name)
    over = " over test pixels" if score.startswith("test/") else ""
    return f"{told}{over}{f', {material}' if material else ''}"


def compared(
    at: Term, first: Any, second: Any, reads: str, more: bool, relative: bool, scores: Scores
) -> str:
    """What is compared, by which score and where.

    Parameters
    ----------
    at
        Scene, score and noise.
    first, second
        The sides, see ``book/reported/README.md``.
    reads
        What stands between them.
    more
        Whether it says that the first side has the larger value: for two scores of one condition.
    relative
        Whether logarithms are compared.
    scores
        Of the way to ask.
    """
    told = [_say(side, scores) for side in (first, second)]
    owns = any(isinstance(side, dict) and "scene" in side for side in (first, second))
    where = "" if owns else f" on {_where(at.scene, at.snr, scores)}"
    of = " (ratio, as a logarithm)" if relative else ""
    score = title(scores.name(at.score))
    if isinstance(second, dict) and told[1] == f"{told[0]} by {title(second.get('score', ''))}":
        usual = "above" if more else "below"
        reads = {"not worse than": "not below" if more else "not above", "equal to": reads}.get(reads, usual)
        return f"{told[0]}{where}: {score} {reads} {title(second['score'])}{of}"
    return f"{told[0]} {reads} {told[1]}{where}: {score}{of}"


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
        told = f"the best of {len(side['best_of'])} by {title(side['by'])}"
    elif "mean_of" in side:
        told = f"the mean of {len(side['mean_of'])}"
    else:
        told = _say(side["condition"], scores)
    if "score" in side:
        told += f" by {title(side['score'])}"
    if "scene" in side:
        told += f" on {_where(side['scene'], side.get('snr'), scores)}"
    elif "snr" in side:
        told += f" at {side['snr']:g} dB"
    return f"{told} less {_say(side['minus'], scores)}" if "minus" in side else told
