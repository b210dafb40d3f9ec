"""What records hold for the questions: scores, computed ones too, and which records count."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hsu_lib import paths
from hsu_lib.runs.layout import read_record
from hsu_lib.runs.record import Record

#: Where a record is looked up by its key.
Find = Callable[[str], Record | None]


def _misfit(record: Record) -> float | None:
    """``fcls-misfit``: how far FCLSU with the VAE's endmembers is from the image, mean over its sets."""
    misfits = record.arrays.get("history/residual")
    return None if misfits is None else float(np.mean(misfits))


def _repeats(record: Record) -> NDArray | None:
    """Cosines of all pairs of VCA's repeats, where they are in one order and of length 1."""
    settings = record.asked["settings"]
    if settings.get("reading") == "code" or settings.get("normalise") == "none":
        return None
    return record.arrays.get("history/vca-cosine")


def _cosine_of_repeats(record: Record) -> float | None:
    """``vca-cosine``: its mean over the pairs."""
    cosines = _repeats(record)
    return None if cosines is None else float(np.mean(cosines, dtype=np.float64))


def _repeats_that_differ(record: Record) -> float | None:
    """``vca-pairs-that-differ``: share of the pairs whose cosine is below 1 - 1e-6."""
    cosines = _repeats(record)
    return None if cosines is None else float(np.mean(cosines < 1 - 1e-6))


#: Scores of ``conditions.yaml`` that are computed from a record, beside those it holds.
COMPUTED: Mapping[str, Callable[[Record], float | None]] = {
    "fcls-misfit": _misfit,
    "vca-cosine": _cosine_of_repeats,
    "vca-pairs-that-differ": _repeats_that_differ,
}


def score_of(record: Record, score: str) -> float:
    """A score of a record; not a number where it has none."""
    compute = COMPUTED.get(score)
    value = record.scores.get(score) if compute is None else compute(record)
    return float("nan") if value is None else float(value)


#: Folder of published results that holds the records of fresh seeds. No profile has its name.
FRESH = "fresh"


def counts(record: Record) -> bool:
    """Whether a record can decide: only what was made from files as some commit has them."""
    commit = str(record.made.get("commit", ""))
    return bool(commit) and not commit.endswith("+")


def published() -> Find:
    """Look-up among the published records of fresh seeds alone, whatever else was run here."""
    folder = paths.published() / FRESH / "records"

    def find(key: str) -> Record | None:
        try:
            return read_record(folder / f"{key}.npz", FRESH)
        except (FileNotFoundError, NotADirectoryError):
            return None

    return find
