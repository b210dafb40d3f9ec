"""What the chapter on the rivals of LDVAE shows: which printed figures can be compared, and runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from hsu_lib import claims
from hsu_lib.publishing import scores
from hsu_lib.publishing.published import manifests
from hsu_lib.runs import Record, Run, Store
from hsu_lib.runs.amounts import Amounts, amounts
from hsu_lib.scene import SceneSpec
from hsu_lib.words import seeds_of

#: What both papers print of methods that are not theirs.
DOCUMENTS, OWN = ("ldvae", "spacnn_ldvae"), ("ldvae", "spacnn-ldvae")
RMSE, SAD = "rmse-abundances", "sad-endmembers"
#: The history's curve of methods with a spectrum for each pixel.
RELATIVE = "relative-error-reconstruction"
#: Blind methods of the page: label to method, and to its name in the papers' tables of Samson.
BLIND = {
    "VCA + FCLSU": ("vca-fclsu", "vca-fcls"),
    "L1/2-NMF": ("l12-nmf", ""),
    "RSNMF": ("rsnmf", ""),
    "TV-RSNMF": ("tv-rsnmf", ""),
    "GLNMF": ("glnmf", ""),
    "SSWNMF, a reading": ("sswnmf", ""),
    "SGSNMF": ("sgsnmf", "sgsrnmf"),
    "SCLSU": ("sclsu", ""),
    "ELMM": ("elmm", "elmm"),
    "GLMM": ("glmm", "glmm"),
    "PLMM": ("plmm", "plmm"),
    "DeepGUn": ("deepgun", "deepgun"),
    "CNNAEU": ("cnnaeu", "cnnaeu"),
    "MTLAEU": ("mtlaeu", "mtlaeu"),
}


class Column(NamedTuple):
    """Printed figures of one kind: what they are called here, how they are found, and what may be done."""

    name: str
    query: str
    comparable: bool
    why: str


COLUMNS = (
    Column(
        "Samson: errors of reconstructions",
        f"dataset == 'samson' and metric == '{RELATIVE}'",
        True,
        "printed among errors of abundances; under their true name",
    ),
    Column(
        "Samson: abundances and endmembers",
        f"dataset == 'samson' and metric != '{RELATIVE}'",
        True,
        "image and reference are everybody's; settings are mostly not printed, nor what EACNN's error is",
    ),
    Column(
        "Urban with four endmembers",
        "dataset == 'urban' and condition == 'endmembers=4'",
        False,
        "of another reference than the papers' own six; neither it nor the whole image is here",
    ),
    Column(
        "Urban with six: endmembers",
        "dataset == 'urban' and condition == 'endmembers=6' and metric == 'sad-endmembers'",
        False,
        "the whole image is not here",
    ),
    Column(
        "Urban with six: errors",
        "dataset == 'urban' and condition == 'endmembers=6' and metric == 'rmse-reconstruction'",
        False,
        "printed among errors of abundances, probably of the image",
    ),
    Column(
        "the synthetic cube",
        "dataset == 'ontech-syn-21'",
        False,
        "probably quoted from a paper with another cube, which is not public",
    ),
    Column("Cuprite", "dataset == 'cuprite'", False, "of the whole image; a window of it is here"),
)


@cache
def quoted() -> pd.DataFrame:
    """All figures that the two papers print of methods of others, with the index of their `COLUMNS`."""
    every = pd.concat([claims.reported(document) for document in DOCUMENTS], ignore_index=True)
    every = every[~every["method"].isin(OWN) & every["value"].notna()].fillna({"condition": ""})
    kinds = pd.Series(-1, index=every.index)
    for k, column in enumerate(COLUMNS):
        kinds[every.query(column.query).index] = k
    return every.assign(column=kinds)


def kinds(every: pd.DataFrame) -> pd.DataFrame:
    """The `COLUMNS` as a table, with how many of the `quoted` figures each has."""
    counts = every["column"].value_counts()
    told = [
        (column.name, int(counts[k]), "yes" if column.comparable else "no", column.why)
        for k, column in enumerate(COLUMNS)
    ]
    return pd.DataFrame(told, columns=["printed figures", "how many", "can be compared", "because"])


def printed(method: str, metric: str) -> float | None:
    """Figure of a method on Samson, in the column `method` of the first of the two papers that prints it."""
    rows = quoted().query("dataset == 'samson' and target in ('mean', 'overall')")
    rows = rows[(rows["method"] == method) & (rows["metric"] == metric)]
    return None if rows.empty else float(rows["value"].iloc[0])


def blind_runs(spec: SceneSpec, seeds: Iterable[int], how: Amounts) -> list[Run]:
    """The runs of `BLIND` on a scene, trained as much as the amounts say."""
    pairs = product(BLIND.items(), seeds)
    return [Run(method, spec, seed, how.of(method, {}), label=label) for (label, (method, _)), seed in pairs]


def beside_printed(document: str, store: Store) -> pd.DataFrame | None:
    """What a paper prints of methods of others on Samson, beside what the published chapter has of them.

    Parameters
    ----------
    document
        One of `DOCUMENTS`.
    store
        Where runs are looked up.

    Returns
    -------
    DataFrame or None
        A row per method: its printed error and what that measures, and ours, with means over seeds. None
        while the chapter is not published.
    """
    chapter = next((m for m in manifests() if m.chapter == "rivals" and m.executed), None)
    if chapter is None or chapter.executed is None or chapter.executed.parameters["scene"] != "samson":
        return None
    given = chapter.executed.parameters
    runs = blind_runs(SceneSpec("samson"), seeds_of(given["seeds"], "seeds"), amounts(given["profile"]))
    found: dict[str, list[Record]] = defaultdict(list)
    for run in runs:
        if (record := store.find(run.key)) is not None:
            found[BLIND[run.label][1]].append(record)
    rows = claims.reported(document).query("dataset == 'samson' and target in ('mean', 'overall')")
    rows = rows[~rows["method"].isin(OWN) & rows["value"].notna()]
    return pd.DataFrame(
        [
            {"method": method} | _beside(some, found.get(method, []), chapter.facts["power"])
            for method, some in rows.groupby("method", sort=False)
        ]
    ).fillna("–")


def _beside(theirs: pd.DataFrame, ours: Sequence[Record], power: float) -> dict[str, str]:
    """Cells of a row of `beside_printed`."""
    printed = theirs.set_index("metric")["value"]
    told: dict[str, str] = {}
    for metric, is_probably in ((RELATIVE, "relative error of the reconstruction"), (RMSE, "RMSE of A")):
        if metric in printed:
            told |= {"printed error": f"{printed[metric]:g}", "is probably": is_probably}
    if SAD in printed:
        told["printed angle of E"] = scores.value(SAD, float(printed[SAD]))
    if ours:
        errors = [relative_error(record, power) for record in ours]
        told["ours: error of the reconstruction"] = f"{np.mean(errors):.4f}"
        for title, metric in (("RMSE of A", RMSE), ("angle of E", SAD)):
            told[f"ours: {title}"] = scores.spread(metric, [record.scores[metric] for record in ours])
    return told


def relative_error(record: Record, power: float) -> float:
    """Norm of what a method's own model leaves of the image, over that of the image.

    Parameters
    ----------
    record
        Of a method whose history tells that error, else of one whose model is ``E A``.
    power
        Mean square of the image.
    """
    curve = record.arrays.get(f"history/{RELATIVE}")
    return float(np.sqrt(record.scores["mse-reconstruction"] / power) if curve is None else curve[-1])
