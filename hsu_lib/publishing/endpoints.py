"""What the book says to programs: the scorecard and every published record, in two files beside the pages."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from hsu_lib import __version__, claims, paths
from hsu_lib.claims.questions import base, vocabulary
from hsu_lib.metrics import SCORES
from hsu_lib.publishing.citation import bibtex, citation, repository, sentence
from hsu_lib.publishing.html import fill, table
from hsu_lib.publishing.published import manifests
from hsu_lib.runs import Record, Store
from hsu_lib.runs.answers import words
from hsu_lib.runs.canonical import to_json

SCORECARD, RECORDS = "scorecard.json", "records.csv.gz"
FILES = (SCORECARD, RECORDS)

#: Columns of the scorecard, and what they say.
CLAIM_COLUMNS = {
    "claim": "name of the claim, as in book/reported/claims.yaml and in the address of its card",
    "source": "document that makes it",
    "statement": "the claim in a sentence",
    "own_figures": "whether the document's own figures support it: supports, mixed, contradicts, none",
    "verdict": "what became of it, in the words of the page How to read",
    "rule": "2: decided by fresh seeds; 1: looked at only; 0: not answered",
    "chapter": "page that has its card",
    "profile": "how much was trained: quick, desk or paper",
    "scenes": "scenes that decide",
    "seeds": "number of seeds that decide",
    "mean": "mean difference of the comparison that decides, positive where it speaks for the claim",
    "low": "lower end of its 97.1 % interval",
    "high": "upper end",
    "reason": "why it is not answered, or what is to be known",
}
#: Columns of the table of records that are no scores, and what they say.
RECORD_COLUMNS = {
    "key": "SHA-256 of what was asked: the name of the record's file, book/results/PROFILE/records/KEY.npz",
    "profile": "profile that it was published with",
    "method": "method, as hsu methods lists it",
    "method_version": "its version",
    "settings": "its settings, JSON",
    "scene": "scene, as hsu data list has it",
    "reference": "which of its references, where it has several",
    "crop": "part of the scene, JSON; empty for the whole",
    "snr_db": "noise that was added, in dB; empty without",
    "noise_seed": "seed of that noise",
    "scene_version": "version of the scene's reader or generator",
    "seed": "seed of the method",
    "endmembers": "number of endmembers, where it is not that of the reference",
    "first": "run whose result it starts from, JSON",
    "training": "what it learned from, JSON",
    "status": "how it ended: converged, finished, stopped, degenerate or diverged",
    "seconds": "wall time of the method, in seconds",
    "date": "when it was made, UTC",
    "commit": "from which commit of the project",
    "device": "processor and threads, or GPU",
    "versions": "versions of Python and of the libraries, JSON",
}
_OF_SCENE = ("reference", "crop", "snr_db", "noise_seed")


def scorecard() -> dict[str, Any]:
    """The published scorecard, ready for JSON: what it is, its columns, and a row for each claim.

    The same published results give the same words to the byte.
    """
    rows = claims.scorecard(manifests()).reset_index()
    return {
        "title": "Claims of five documents on hyperspectral unmixing, and what became of them",
        "version": __version__,
        "license": citation()["license"],
        "columns": CLAIM_COLUMNS,
        "claims": json.loads(rows.to_json(orient="records", double_precision=15)),
    }


def records(store: Store | None = None) -> pd.DataFrame:
    """Every published record as a row: `RECORD_COLUMNS`, then its scores in radians and fractions.

    Parameters
    ----------
    store
        By default what is published. A damaged record is left out, with a warning.

    Returns
    -------
    DataFrame
        Ordered by scene, method, settings, noise and seed. A score that a run does not have is NaN.
    """
    store = store or Store(paths.nowhere(), paths.published())
    found = pd.DataFrame([_row(record) for record in store.records()])
    names = sorted(set(found.columns) - set(RECORD_COLUMNS))
    order = ["scene", "reference", "method", "settings", "snr_db", "seed", "key"]
    return found.reindex(columns=[*RECORD_COLUMNS, *names]).sort_values(order, ignore_index=True)


def _row(record: Record) -> dict[str, Any]:
    asked, made = record.asked, record.made
    return {
        "key": record.key,
        "profile": record.origin,
        **{name: asked[name] for name in ("method", "method_version", "scene_version", "seed", "endmembers")},
        "settings": to_json(asked["settings"]),
        "scene": asked["scene"]["name"],
        **{name: asked["scene"][name] for name in _OF_SCENE},
        "crop": to_json(asked["scene"]["crop"]) if asked["scene"]["crop"] else None,
        **{name: to_json(asked[name]) for name in ("first", "training") if name in asked},
        "status": record.status.lower(),
        "seconds": record.seconds,
        **{name: made[name] for name in ("date", "commit", "device")},
        "versions": to_json(made["versions"]),
        **record.scores,
    }


def score_columns(names: Iterable[str]) -> pd.DataFrame:
    """What the columns of scores mean, a row for each score whatever its material or pixels.

    Parameters
    ----------
    names
        Names of columns: ``SCORE``, ``SCORE/MATERIAL``, ``test/SCORE``.

    Returns
    -------
    DataFrame
        Columns ``column``, ``what it is``, ``unit`` and ``better`` (``lower``, ``higher`` or empty).
    """
    rows = []
    for name in sorted({base(name) for name in names}):
        told = SCORES[name]._asdict() if name in SCORES else dict(vocabulary().scores.get(name, {}))
        title = words.title(name) if told else "kept of a curve, for other scores"
        rows.append((name, title, told.get("unit", "1"), told.get("better", "")))
    return pd.DataFrame(rows, columns=["column", "what it is", "unit", "better"])


def write(folder: Path) -> None:
    """Write `SCORECARD`, JSON in UTF-8, and `RECORDS`, CSV in gzip, and what the page on them includes.

    That is the reference as ``citation.txt`` and ``citation.bib``, and ``endpoints.html``, which explains the
    columns. Equal results are equal files, byte for byte.

    Parameters
    ----------
    folder
        The one of the page's source.
    """
    text = json.dumps(scorecard(), indent=1, ensure_ascii=False) + "\n"
    (folder / SCORECARD).write_text(text, encoding="utf-8")
    found = records()
    (folder / RECORDS).write_bytes(compressed(found))
    fields, address = citation(), repository()
    (folder / "citation.txt").write_text(sentence(fields, address) + "\n", encoding="utf-8")
    (folder / "citation.bib").write_text(bibtex(fields, address), encoding="utf-8")
    (folder / "endpoints.html").write_text(_explained(found), encoding="utf-8")


def compressed(table: pd.DataFrame) -> bytes:
    """A table without its index as CSV in gzip, in UTF-8; the same table gives the same bytes."""
    return gzip.compress(table.to_csv(index=False, lineterminator="\n").encode(), mtime=0)


def _explained(found: pd.DataFrame) -> Markup:
    columns = {
        f"Columns of {SCORECARD}, of each claim": _told(CLAIM_COLUMNS),
        f"Columns of {RECORDS}: what was asked and made": _told(RECORD_COLUMNS),
        f"Columns of {RECORDS}: scores": score_columns(set(found.columns) - set(RECORD_COLUMNS)),
    }
    tables = [table(told, caption=caption, folded=True) for caption, told in columns.items()]
    return fill("endpoints", scorecard=SCORECARD, records=RECORDS, number=len(found), tables=tables)


def _told(columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(columns.items(), columns=["column", "what it says"])
