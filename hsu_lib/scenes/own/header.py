"""ENVI headers: text to fields, every field checked against what it may be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError

#: ENVI's numbers for types of real numbers.
TYPES = {
    1: "u1",
    2: "i2",
    3: "i4",
    4: "f4",
    5: "f8",
    12: "u2",
    13: "u4",
    14: "i8",
    15: "u8",
}
INTERLEAVES = ("bsq", "bil", "bip")
_COMPLEX = (6, 9)
#: How headers of ESRI begin, which GDAL reads by their image.
_ESRI = re.compile(r"(nrows|ncols|nbands|nbits|pixeltype|byteorder|layout|skipbytes|bandrowbytes)\s", re.I)
_LARGEST = 2**24  # of samples, lines and bands: beyond it a digit is wrong


@dataclass(frozen=True)
class Header:
    """Fields of an ENVI header by their names in small letters; values are text, of braces what is inside.

    Its methods raise `InputError` with file, field, value and what was expected.
    """

    path: Path
    fields: dict[str, str]

    def wrong(self, field: str, expected: str, remedy: str = "correct the header") -> InputError:
        """The error about a field."""
        value = self.fields.get(field)
        held = "is missing" if value is None else f"is {value[:60]!r}"
        return InputError(f"{self.path}: {field} {held}, expected {expected}; {remedy}")

    def text(self, field: str) -> str:
        """Value in small letters without blanks around, "" where there is none."""
        return self.fields.get(field, "").strip().strip("'\"").strip().lower()

    def whole(self, field: str) -> int:
        """A whole number from 1, of something that is counted."""
        text = self.fields.get(field, "").strip()
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:20]) <= _LARGEST):
            raise self.wrong(field, f"a whole number from 1 to {_LARGEST}")
        return int(text)

    def offset(self) -> int:
        """Bytes of the image before its numbers; none where the header does not say."""
        text = self.fields.get("header offset", "0").strip()
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise self.wrong("header offset", "a whole number from 0")
        return int(text)

    def number(self, field: str) -> float | None:
        """A number, or None where the field is missing or empty."""
        values = self.numbers(field)
        if values is None:
            return None
        if len(set(values.tolist())) > 1 and not np.isnan(values).all():
            raise self.wrong(field, "one number")
        return float(values[0])

    def numbers(self, field: str, count: int | None = None) -> NDArray[np.float64] | None:
        """Numbers with commas (or blanks) between, or None where the field is missing or empty.

        Parameters
        ----------
        field
            Its name.
        count
            How many there must be, one per band; None for any number.
        """
        text = self.fields.get(field, "").strip()
        if not text:
            return None
        parts = [part.strip() for part in text.rstrip(",").split(",")] if "," in text else text.split()
        values = []
        for place, part in enumerate(parts, start=1):
            value = _number(part)
            if value is None:
                raise InputError(
                    f"{self.path}: {field}: value {place} is {part[:40]!r}, expected a number; correct or "
                    "remove the field"
                )
            values.append(value)
        if count is not None and len(values) != count:
            raise InputError(
                f"{self.path}: {field} has {len(values)} values for {count} bands; correct or remove it"
            )
        return np.array(values)

    def one_of(self, field: str, known: Sequence[str]) -> str:
        """A word of a closed list, case and blanks ignored."""
        text = "".join(self.text(field).split())
        if text not in known:
            raise self.wrong(field, f"one of {', '.join(known)}")
        return text

    def dtype(self) -> np.dtype:
        """Type of the stored numbers, their byte order included."""
        code = self.whole("data type")
        if code in _COMPLEX:
            raise self.wrong("data type", "real numbers, and these are complex")
        if code not in TYPES:
            raise self.wrong("data type", f"one of {', '.join(map(str, TYPES))}")
        dtype = np.dtype(TYPES[code])
        if dtype.itemsize == 1 and not self.text("byte order"):
            return dtype
        order = self.text("byte order")
        if order not in ("0", "1"):
            raise self.wrong("byte order", "0 (least significant byte first) or 1")
        return dtype.newbyteorder("<" if order == "0" else ">")


def _number(text: str) -> float | None:
    text = text.strip("'\" ")
    try:
        return None if "_" in text else float(text)  # Python reads 1_0 as ten
    except ValueError:
        return None


def is_header(path: Path) -> bool:
    """Whether a file begins as an ENVI header does."""
    with path.open("rb") as file:
        start = file.read(64)
    text = _decoded(start).lstrip().upper()
    return text.startswith("ENVI") and not text.startswith("ENVI ASCII PLOT FILE")


def read_header(path: Path) -> Header:
    """Header of a file in UTF-8 (with or without byte order mark), UTF-16 or Latin-1.

    Raises
    ------
    InputError
        If it is no ENVI header, a brace is not closed, or a field has two values.
    """
    size = path.stat().st_size
    if size > 2**26:
        raise InputError(f"{path}: {size} bytes are too many for an ENVI header; give its image")
    lines = _decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    if not lines or lines[0].strip().split()[0].upper() != "ENVI":
        first = lines[0].strip()[:40] if lines else ""
        hint = "; give its image, such as field.bil" if _ESRI.match(first) else ""
        raise InputError(f"{path}: cannot be read as ENVI: its first line is {first!r}, not 'ENVI'{hint}")
    fields: dict[str, str] = {}
    rest = iter(_joined(lines[1:]))
    for line in rest:
        name, equals, value = line.partition("=")
        name = _name(name)
        if not equals and not line.lstrip().startswith(";"):
            _check_line(path, line)
        if not equals or line.lstrip().startswith(";") or not name:
            continue
        value = value.strip()
        if value.startswith("{"):
            value = _braced(path, name, value, rest)
        if name in fields and fields[name] != value:
            raise InputError(
                f"{path}: {name} stands twice, as {fields[name][:40]!r} and {value[:40]!r}; remove one"
            )
        fields[name] = value
    return Header(path, fields)


def _name(text: str) -> str:
    """Name of a field in small letters with single blanks, which some programs write as underscores."""
    return " ".join(text.lower().replace("_", " ").split())


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Lines, those that begin with a brace joined to a name and an equals sign before them."""
    held = ""
    for line in lines:
        if held and (not line.strip() or line.lstrip().startswith("{")):
            held += line.strip()
            continue
        if held:
            yield held
        held = line if line.rstrip().endswith("=") and "{" not in line else ""
        if not held:
            yield line
    if held:
        yield held


def _check_line(path: Path, line: str) -> None:
    """Refuse a line that would be a field if it had an equals sign."""
    name = _name(line.partition(":")[0])
    known = next((field for field in _ESSENTIAL if re.match(rf"{field}( \W|$)", name)), None)
    if known is not None:
        raise InputError(
            f"{path}: {line.strip()[:60]!r} is no field, expected '{known} = ...'; correct the header"
        )


def _braced(path: Path, name: str, value: str, rest: Iterator[str]) -> str:
    """What is between the braces, on as many lines as it takes."""
    parts = [value[1:]]
    while "}" not in parts[-1]:
        line = next(rest, None)
        if line is None or _is_field(line, free=name == "description"):
            raise InputError(f"{path}: {name}: its brace is not closed; correct the header")
        if not line.lstrip().startswith(";"):
            parts.append(line.strip())
    parts[-1] = parts[-1][: parts[-1].rindex("}")]
    return " ".join(parts).strip()


def _is_field(line: str, *, free: bool) -> bool:
    """Whether a line inside braces is the next field, as where a brace was forgotten.

    In `free` text, a line that closes the brace may look like one.
    """
    name, equals, value = line.partition("=")
    if free and "}" in value and not value.lstrip().startswith("{"):
        return False
    return bool(equals) and _name(name) in _ESSENTIAL


_ESSENTIAL = (
    "samples",
    "lines",
    "bands",
    "header offset",
    "file type",
    "data type",
    "interleave",
    "byte order",
    "wavelength units",
    "wavelength",
    "bbl",
    "data ignore value",
    "reflectance scale factor",
    "data gain values",
    "data offset values",
)


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if content[:2] in (b"E\0", b"\0E"):  # the same without a mark of the byte order
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def georeference_of(header: Header) -> dict[str, object] | None:
    """Where the image lies: the header's own fields and, of an unrotated or rotated map, its transform."""
    said: dict[str, object] = {
        field: header.fields[field]
        for field in (
            "map info",
            "coordinate system string",
            "projection info",
            "geo points",
            "x start",
            "y start",
        )
        if header.fields.get(field)
    }
    if "coordinate system string" in said:
        said["crs"] = said["coordinate system string"]
    parts = [part.strip() for part in header.fields.get("map info", "").split(",")]
    found = [_number(part) for part in parts[1:7]]
    if len(found) == 6 and None not in found:
        x, y, east, north, width, height = (float(value) for value in found if value is not None)
        turn = next((part.partition("=")[2] for part in parts if part.lower().startswith("rotation")), "0")
        angle = math.radians(_number(turn) or 0.0)
        a, b = width * math.cos(angle), height * math.sin(angle)
        d, e = width * math.sin(angle), -height * math.cos(angle)
        said["transform"] = (a, b, east - a * (x - 1) - b * (y - 1), d, e, north - d * (x - 1) - e * (y - 1))
    return said or None
