"""How the chapters that run the tutorial's tables again call their rows, and what stands in a cell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.publishing import scores

#: Condition to column of the tutorial's tables of blind methods.
SEVEN = {
    "VCA + FCLSU": "fclsu",
    "UnDIP of the tutorial": "undip",
    "uDAS": "udas",
    "CyCUNet": "cycunet",
    "CoNMF": "collab",
    "NMF-QMV": "nmf-qmv",
    "MiSiCNet": "misicnet",
}
#: Condition to column of the tutorial's table of methods that choose from a library.
SIX = {
    "SUnSAL": "sunsal",
    "SUnSAL-TV": "sunsal-tv",
    "S2WSU": "s2wsu",
    "MUA-BPT": "mua-bpt",
    "MUA-SLIC": "mua-slic",
    "SUnCNN": "suncnn",
}
#: What is in no table: on SUnCNN's image; until nothing changes; SUnCNN without an average.
PROJECTED = "SUnSAL, projected"
CHOSEN = "SUnSAL, weight by SURE"
TO_THE_END = ("SUnSAL-TV, to the end", "SUnSAL-TV, projected, to the end")
LAST = "SUnCNN, last output"
#: Conditions that are in no table: who has not looked, who knows the truth, the penalty alone.
EQUAL, ORACLE, LIMIT = "equal abundances", "true endmembers + FCLSU", "MiSiCNet without a network"


def told(values: NDArray | None, score: str) -> str:
    """Mean of a score over its seeds, in words; None where it was not run."""
    return "not run yet" if values is None else scores.value(score, float(np.mean(values)))


def cell(values: NDArray | None, printed: float | None, score: str) -> str:
    """Mean and standard deviation over seeds, a dash where it was not run; what is printed in brackets."""
    ours = "\u2013" if values is None else scores.spread(score, values)
    return ours if printed is None else f"{ours} ({printed:g})"


def stands_in(scene: str) -> str:
    """That another scene stands in for those of the tutorial, in Markdown; empty where none does."""
    return f" **A rehearsal: {scene} stands in for the tutorial's images, and little is trained.**" * bool(
        scene
    )
