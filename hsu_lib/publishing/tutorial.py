"""How the chapters that run the tutorial's tables again call their rows, and what stands in a cell."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hsu_lib import methods
from hsu_lib.claims import find_printed
from hsu_lib.metrics import alignment, spectral_angle
from hsu_lib.publishing import scores
from hsu_lib.runs.amounts import Amounts

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
#: The same for its table of angles.
ANGLES = {
    "VCA + FCLSU": "vca",
    "SiVM of the tutorial + FCLSU": "sivm",
    **{label: SEVEN[label] for label in ("uDAS", "CyCUNet", "CoNMF", "NMF-QMV", "MiSiCNet")},
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

#: Rules of public codes that say which endmember is which.
RULES = {
    "one order, least angles (ours)": alignment.align,
    "nearest, repeats allowed": alignment.align_nearest,
    "closest pair first": alignment.align_greedily,
}


def told(values: NDArray | None, score: str) -> str:
    """Mean of a score over its seeds, in words; None where it was not run."""
    return "not run yet" if values is None else scores.value(score, float(np.mean(values)))


def cell(values: NDArray | None, score: str, **where: str) -> str:
    """Mean and standard deviation over seeds, a dash where it was not run; what the row says, in brackets.

    Parameters
    ----------
    values
        Of each seed, or None.
    score
        Which one.
    **where
        Columns that select the figure of the tutorial, as for `hsu_lib.claims.find_printed`.
    """
    ours = "\u2013" if values is None else scores.spread(score, values)
    printed = find_printed("tutorial", **where)
    return ours if printed is None else f"{ours} ({printed})"


def equal_shares(A: NDArray) -> float:
    """Share of the pixels of an image whose abundances, shape ``(endmembers, ...)``, are all equal."""
    return float((np.ptp(A, axis=0) < 1e-6).mean())


def angles_by_rule(estimates: Iterable[NDArray], E: NDArray) -> dict[str, list[float]]:
    """Mean angle of each estimate ``(bands, endmembers)`` to the reference, in radians, by rule."""
    some = list(estimates)
    return {
        rule: [float(spectral_angle(E_hat[:, order(E_hat, E)], E).mean()) for E_hat in some]
        for rule, order in RULES.items()
    }


def narrowed(amounts: Amounts, **networks: str) -> str:
    """How many filters networks have here, in a sentence; empty where as many as in their documents.

    Parameters
    ----------
    amounts
        How much is trained.
    **networks
        What a method is called, to its name in the catalogue.
    """
    told = []
    for label, name in networks.items():
        whole = methods.get(name).configure().filters
        here = amounts.of(name, {}).get("filters", whole)
        told += [f"{label} has {here} filters of {whole}"] * (here != whole)
    return f" Networks are narrower here: {', '.join(told)}." * bool(told)


def stands_in(scene: str) -> str:
    """That another scene stands in for those of the tutorial, in Markdown; empty where none does."""
    return f" **A rehearsal: {scene} stands in for the tutorial's images, and little is trained.**" * bool(
        scene
    )
