"""Spectra in a table of text: wavelengths along one side, one spectrum per column or per row."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError
from hsu_lib.scenes.own.wavelengths import in_nm
from hsu_lib.unmixing.spectra import Spectra

_WAVELENGTH = re.compile(r"\W*(wave_?\s?(lengths?|numbers?)?|wl|wvl|lambda|λ|nm|[uµμ]m)(?![a-z])", re.I)
_INDEX = re.compile(r"\W*(|index|bands?([_ ]?(nr|no|number|index))?|channels?|unnamed.*|#|nr|no|id)\W*", re.I)
_NUMBERED = re.compile(r"\W*(bands?|channels?)", re.I)
_UNIT = re.compile(
    r"(nanomet\w+|micromet\w+|microns?|angstr\w+|cm-1|cm\^-1|nm|[uµμ]m|å|ghz|thz)(?![a-z])", re.I
)
_IN_UNIT = re.compile(rf"[(\[]\s*{_UNIT.pattern}\s*[)\]]", re.I)
_ABOUT = re.compile(r"([A-Za-z][\w ./()-]*):(?:\s+(.*))?$")
_MISSING = ("", "nan", "na", "n/a", "null", "none", "-")


def read_table(path: Path) -> Spectra:
    """Spectra of a ``.csv``, ``.tsv`` or ``.txt``.

    Commas, semicolons, tabs or blanks between; decimal commas where they are no separators; lines that begin
    with ``#`` are remarks. With a line of names, the column called wavelength (nm, µm and so on in its
    name, else told by size) holds the wavelengths; or each line has a name and the first line the
    wavelengths. Before the numbers there may be lines such as ``Name: Sand`` with the names of columns and
    units, as ENVI's plots and the files of ECOSTRESS have them, or ``sep=;``.

    Raises
    ------
    InputError
        If a value is no number, lines differ in length, or it is in doubt what the wavelengths are.
    """
    rows, about = _rows(path)
    spectra = _of_rows(path, rows)
    if "percent" in about.get("y units", "").lower():
        note = "endmembers divided by 100: they are percent, by their file"
        return replace(spectra, values=spectra.values / 100, notes=(*spectra.notes, note))
    return spectra


def _of_rows(path: Path, rows: list[list[str]]) -> Spectra:
    texts = [_value(cell) is None for cell in rows[0]]
    named = all(_value(row[0]) is None for row in rows[1:]) and len(rows) > 1
    if named and len(rows[0]) > 2 and not any(texts[1:]):  # a spectrum per line
        headed = texts[0] and (not rows[0][0] or bool(_WAVELENGTH.match(rows[0][0])) or _rising(rows[0][1:]))
        return _of_lines(path, rows, headed)
    if not any(texts):
        return _unnamed(path, _numbers(path, rows, 1))
    if named and not any(_value(cell) is None for cell in rows[1][1:]):
        raise InputError(
            f"{path}: its first line and its first column are both text, so no wavelengths are among them; "
            "give spectra as columns beside one called wavelength"
        )
    return _of_columns(path, rows[0], _numbers(path, rows[1:], 2))


def _rows(path: Path) -> tuple[list[list[str]], dict[str, str]]:
    """Cells of a table, all lines of one length, and what the lines before it say, by their names."""
    lines = [line for line in _text(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    said = re.fullmatch(r"sep=(.)", lines[0].strip(), re.I) if lines else None
    lines, about = _without_preamble(lines[1:] if said else lines)
    if len(lines) < 2:
        raise InputError(f"{path}: holds {len(lines)} lines, expected a table of spectra")
    separator = said[1] if said else _separator(lines)
    if separator is None or separator == " ":
        rows = [line.split() for line in lines]
    else:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)
        ]
    names = _names(about, len(rows[0]))
    rows = [names, *rows] if names else rows
    while all(len(row) > 1 and row[-1] == "" for row in rows):  # a separator at the end of each line
        rows = [row[:-1] for row in rows]
    if len(rows[0]) == len(rows[1]) - 1:  # R writes no name over the first column
        rows[0].insert(0, "")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}: line {number} has {len(row)} values, the first has {len(rows[0])}")
    if separator in (";", "\t", None):
        rows = [
            [re.sub(r"^([-+]?\d*),(\d+(e[-+]?\d+)?)$", r"\1.\2", cell, flags=re.I) for cell in row]
            for row in rows
        ]
    return rows, about


def _without_preamble(lines: list[str]) -> tuple[list[str], dict[str, str]]:
    """Lines without those before a table that tell of it, two or more such as ``Name: Sand``, and these."""
    about: dict[str, str] = {}
    start = 1 if lines and lines[0].startswith("ENVI ASCII Plot File") else 0
    for number, line in enumerate(lines[start:], start=start):
        found = _ABOUT.match(line)
        if found is None:
            return (lines[number:], about) if start or len(about) > 1 else (lines, {})
        about[" ".join(found[1].lower().split())] = (found[2] or "").strip()
    return lines, {}


def _names(about: dict[str, str], count: int) -> list[str]:
    """Names of columns by the lines before a table, or none."""
    columns = [about.get(f"column {number}") for number in range(1, count + 1)]
    if all(columns):
        return [re.sub(r"~~\d+$", "", str(name)) for name in columns]
    if count == 2 and "x units" in about:
        return [about["x units"], about.get("name", "spectrum")]
    return []


def _text(path: Path) -> str:
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _separator(lines: list[str]) -> str | None:
    """What stands between the values, in nearly all lines; None for blanks."""
    for separator in "\t;,":
        if 2 * sum(separator in line for line in lines) > len(lines):
            return separator
    return None


def _value(cell: str) -> float | None:
    """Number of a cell, NaN where it is empty; None of a text."""
    if cell.strip().lower() in _MISSING[1:]:
        return math.nan
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _numbers(path: Path, rows: list[list[str]], first: int) -> NDArray:
    table = np.full((len(rows), len(rows[0])), np.nan)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            value = math.nan if cell.strip().lower() in _MISSING else _value(cell)
            if value is None:
                raise InputError(
                    f"{path}: line {number + first}, column {column + 1}: expected a number, "
                    f"got {cell[:40]!r}"
                )
            table[number, column] = value
    return table


def _rising(cells: list[str]) -> bool:
    values = np.array([_value(cell) for cell in cells], dtype=float)
    steps = np.diff(values)
    return len(steps) > 1 and bool((steps > 0).all() or (steps < 0).all())


def _of_columns(path: Path, names: list[str], table: NDArray) -> Spectra:
    """A spectrum per column, under its name."""
    columns = [k for k, name in enumerate(names) if _WAVELENGTH.match(name) and not name[:2].isdigit()]
    if not columns and _IN_UNIT.search(names[0]) and _may_be_wavelengths(table[:, 0]):
        columns = [0]  # in another language
    if len(columns) > 1:
        listed = ", ".join(names[k] for k in columns)
        raise InputError(f"{path}: which column are the wavelengths, {listed}? Leave one of them")
    index = [k for k, name in enumerate(names) if k not in columns and k == 0 and _INDEX.fullmatch(name)]
    wavelengths: NDArray | None = None
    kept: NDArray[np.intp] | None = None
    notes: tuple[str, ...] = ()
    if columns:
        unit = _UNIT.search(names[columns[0]])
        wavelengths, note = in_nm(path, table[:, columns[0]], unit[0] if unit else None)
        notes = (note,) if wavelengths is None else ()
    elif index and _NUMBERED.match(names[0]) and _is_numbers(table[:, 0]):
        table = table[np.argsort(table[:, 0])]
        numbers = table[:, 0].astype(np.intp)
        kept = None if _is_index(table[:, 0]) else numbers - min(1, int(numbers[0]))
    elif index and not _is_index(table[:, 0]):  # without a name, but no numbers of bands
        wavelengths, _ = in_nm(path, table[:, 0], None)
    elif _may_be_wavelengths(table[:, 0]) and not index:
        raise InputError(
            f"{path}: are the numbers of column {names[0]!r} wavelengths? Call it wavelength if they are, "
            "band if they count, and remove it otherwise"
        )
    spectra = [k for k in range(len(names)) if k not in (*columns, *index)]
    called = tuple(names[k] for k in spectra)
    return Spectra(table[:, spectra], called, wavelengths, path=path, notes=notes, kept=kept)


def _of_lines(path: Path, rows: list[list[str]], headed: bool) -> Spectra:
    """A spectrum per line, after its name; in the first line the wavelengths, if it is `headed`."""
    lines = rows[1:] if headed else rows
    table = _numbers(path, [row[1:] for row in lines], 2 if headed else 1)
    wavelengths = None
    if headed:
        unit = _UNIT.search(rows[0][0])
        given = _numbers(path, [rows[0][1:]], 1)[0]
        wavelengths, _ = in_nm(path, given, unit[0] if unit else None)
    return Spectra(table.T, tuple(row[0] for row in lines), wavelengths, path=path)


def _unnamed(path: Path, table: NDArray) -> Spectra:
    """Numbers alone: a spectrum per column; the first are wavelengths in nm if they can be nothing else."""
    first, wavelengths = table[:, 0], None
    if table.shape[1] > 1 and _is_index(first):
        table = table[:, 1:]
    elif table.shape[1] > 1 and first.min() >= 200 and _may_be_wavelengths(first):
        wavelengths, _ = in_nm(path, first, "nm")
        table = table[:, 1:]
    elif table.shape[1] > 1 and _may_be_wavelengths(first):
        raise InputError(
            f"{path}: are the numbers of its first column wavelengths? Give the columns names, that one "
            "wavelength if they are"
        )
    return Spectra(table, (), wavelengths, path=path)


def _is_index(values: NDArray) -> bool:
    return values[0] in (0, 1) and bool((values == values[0] + np.arange(len(values))).all())


def _is_numbers(values: NDArray) -> bool:
    """Whether they are numbers of bands in any order, also of some only; wavelengths in nm are larger."""
    whole = np.isfinite(values).all() and (values == np.trunc(values)).all()
    return bool(whole and len(np.unique(values)) == len(values) and 0 <= values.min() < 200)


def _may_be_wavelengths(values: NDArray) -> bool:
    """Whether numbers rise or fall all along, as wavelengths in nm or µm do."""
    steps = np.diff(values)
    one_way = len(steps) > 1 and bool((steps > 0).all() or (steps < 0).all())
    return one_way and (values.min() >= 200 or (values.min() >= 0.3 and 0.8 < values.max() <= 30))
