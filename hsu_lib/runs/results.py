"""What a sweep found: a table of scores by method, scene and seed, and the records behind it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hsu_lib.runs.record import Record


class Results(NamedTuple):
    """What a sweep found, in the order of its runs.

    Parameters
    ----------
    table
        One row per run (see `hsu_lib.runs.as_row`), with its ``label`` and whether it was ``replayed``.
    records
        The records themselves.
    """

    table: pd.DataFrame
    records: list[Record]

    def labels(self, scene: str) -> list[str]:
        """Conditions that were run on a scene, in order."""
        return list(self.table.loc[self.table["scene"] == scene, "label"].unique())

    def pick(self, scene: str, label: str) -> list[Record]:
        """Records of one condition on one scene, by seed."""
        rows = self.table[(self.table["scene"] == scene) & (self.table["label"] == label)]
        return [self.records[k] for k in rows.sort_values("seed").index]

    def scores(self, scene: str, label: str, name: str) -> NDArray[np.float64]:
        """One score of one condition on one scene, by seed; shape ``(seeds,)``.

        Raises
        ------
        LookupError
            If there is no such run, or one of them lacks the score (a run that diverged has none).
        """
        found = [record.scores.get(name) for record in self.pick(scene, label)]
        if not found or None in found:
            raise LookupError(f"{name} of {label!r} on {scene}: {len(found)} runs, not all with that score")
        return np.array(found, dtype=np.float64)

    def summary(self, names: Iterable[str]) -> pd.DataFrame:
        """Mean of scores over seeds, one row per scene, condition and score, in the order of the runs.

        Columns: scene, label, method, score, mean, std (NaN with a single seed), seeds, and ``ours``, mean
        and standard deviation as text.
        """
        conditions = self.table[["scene", "label", "method"]].drop_duplicates().itertuples(index=False)
        rows = []
        for (scene, label, method), name in product(list(conditions), list(names)):
            values = self.scores(scene, label, name)
            std = float(values.std(ddof=1)) if len(values) > 1 else np.nan
            rows.append((scene, label, method, name, values.mean(), std, len(values)))
        table = pd.DataFrame(rows, columns=["scene", "label", "method", "score", "mean", "std", "seeds"])
        spread = ["" if np.isnan(s) else f"\u00a0±\u00a0{s:.4f}" for s in table["std"]]
        return table.assign(ours=[f"{m:.4f}{s}" for m, s in zip(table["mean"], spread, strict=True)])
