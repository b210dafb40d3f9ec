"""What the documents report: their figures, settings and claims, as taken down in ``book/reported``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd
import yaml

from hsu_lib import paths

#: What each document is called.
DOCUMENTS = {
    "prim": "Self-supervised perturbations (student report)",
    "undip": "UnDIP (student report)",
    "tutorial": "Unmixing tutorial",
    "spacnn_ldvae": "SpACNN-LDVAE (paper)",
    "ldvae": "LDVAE (paper)",
}
SOURCES = tuple(DOCUMENTS)


@cache
def _claims_file() -> dict[str, Any]:
    return yaml.safe_load((paths.reported() / "claims.yaml").read_text(encoding="utf-8"))


@cache
def claims() -> pd.DataFrame:
    """All claims of the documents, indexed by id.

    Columns: source, where, kind, statement, check, datasets, reported, own_figures (see
    ``book/reported/README.md``).
    """
    return pd.DataFrame(_claims_file()["claims"]).set_index("id")


@cache
def inconsistencies() -> pd.DataFrame:
    """Contradictions within and between the documents: id, sources, where, kind, statement, figures."""
    return pd.DataFrame(_claims_file()["inconsistencies"]).set_index("id")


@cache
def settings() -> dict[str, Any]:
    """Settings the documents state, by source; ``not_stated`` lists what they leave open."""
    return yaml.safe_load((paths.reported() / "settings.yaml").read_text(encoding="utf-8"))


@cache
def reported(source: str) -> pd.DataFrame:
    """All figures of a document.

    Columns as in ``book/reported/README.md``, and ``text``: value and spread as they are printed.

    Raises
    ------
    ValueError
        If `source` is none of `SOURCES`.
    """
    if source not in SOURCES:
        raise ValueError(f"no document {source!r}; known: {', '.join(SOURCES)}")
    rows = pd.read_csv(paths.reported() / f"{source}.csv", dtype="string", keep_default_na=False)
    spread = rows["spread"].radd("\u00a0±\u00a0").where(rows["spread"] != "", "")
    return rows.assign(text=rows["value"] + spread, value=rows["value"].astype(float))


def reported_value(source: str, **where: str) -> float:
    """The one figure that the given columns select.

    Raises
    ------
    LookupError
        If none or several rows match.

    Examples
    --------
    >>> reported_value("prim", table="Table 1", method="ae-plain", metric="mse-abundances")
    0.0926
    """
    value = find_reported(source, **where)
    if value is None:
        raise LookupError(f"no figure of {source} matches {where}")
    return value


def find_reported(source: str, **where: str) -> float | None:
    """As `reported_value`, but None if no row matches."""
    row = _find(source, where)
    return None if row is None else float(row["value"])


def find_printed(source: str, **where: str) -> str | None:
    """As `find_reported`, but the figure as it is printed, with its spread.

    Examples
    --------
    >>> find_printed("tutorial", table="Table II", method="udas", condition="snr=30")
    '9.40\xa0±\xa01.91'
    """
    row = _find(source, where)
    return None if row is None else str(row["text"])


def _find(source: str, where: Mapping[str, str]) -> pd.Series | None:
    rows = reported(source)
    for column, value in where.items():
        rows = rows[rows[column] == value]
    if len(rows) > 1:
        raise LookupError(f"{len(rows)} figures of {source} match {where}, expected one")
    return None if rows.empty else rows.iloc[0]


def printed_table(source: str, table: str, metric: str) -> pd.DataFrame:
    """A table of a document as it is printed: a row per target or condition, a column per method.

    Parameters
    ----------
    source, table, metric
        See ``book/reported/README.md``.

    Returns
    -------
    DataFrame
        Texts with value and, where there is one, spread; empty where nothing is printed. Rows and columns
        are in the document's order.

    Raises
    ------
    LookupError
        If there is no such table.
    """
    rows = reported(source)
    rows = rows[(rows["table"] == table) & (rows["metric"] == metric)]
    if rows.empty:
        raise LookupError(f"no {metric} in {table} of {source}")
    down = next((c for c in ("target", "condition", "statistic") if rows[c].nunique() > 1), "target")
    wide = rows.pivot(index=down, columns="method", values="text").fillna("")
    return wide.loc[rows[down].unique(), rows["method"].unique()]
