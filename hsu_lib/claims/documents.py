"""What the documents report: their figures, settings and claims, as taken down in ``book/reported``."""

from __future__ import annotations

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
    """All figures of a document; columns as in ``book/reported/README.md``.

    Raises
    ------
    ValueError
        If `source` is none of `SOURCES`.
    """
    if source not in SOURCES:
        raise ValueError(f"no document {source!r}; known: {', '.join(SOURCES)}")
    text = ("table", "dataset", "method", "condition", "target", "note", "spread")
    types = dict.fromkeys(text, "string")
    return pd.read_csv(
        paths.reported() / f"{source}.csv", dtype=types, keep_default_na=False, na_values={"value": [""]}
    )


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
    rows = reported(source)
    for column, value in where.items():
        rows = rows[rows[column] == value]
    if len(rows) > 1:
        raise LookupError(f"{len(rows)} figures of {source} match {where}, expected one")
    return None if rows.empty else float(rows["value"].iloc[0])


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
    spread = [f"\u00a0±\u00a0{s}" if isinstance(s, str) and s else "" for s in rows["spread"]]
    texts = rows.assign(text=[f"{v:g}{s}" for v, s in zip(rows["value"], spread, strict=True)])
    wide = texts.pivot(index=down, columns="method", values="text").fillna("")
    return wide.loc[rows[down].unique(), rows["method"].unique()]
