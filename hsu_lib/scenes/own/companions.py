"""Endmembers, abundances and names that lie beside an image in its file: a reference, where they fit it.

The same for every format that has several arrays. Names are those of files that are passed around: ``E``,
``M`` or endmembers; ``A``, ``S_GT`` or abundances; cood, names or materials. What has such a name and another
shape is left out, and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from hsu_lib.errors import InputError, option

_ENDMEMBERS = (re.compile("E"), re.compile("endmembers?", re.I), re.compile("M"))
_ABUNDANCES = (re.compile("A"), re.compile("abundances?", re.I), re.compile("S_GT"))
_NAMES = re.compile(
    r"(materials?|names?|labels?|cood|classes|endmember_?names?|spectra_?names?)(\.\d+)*", re.I
)
#: Orders of pixels in a matrix, each with the one that has the axes the other way round.
_TURNED = {"b(hw)": "(hw)b", "(hw)b": "b(hw)", "b(wh)": "(wh)b", "(wh)b": "b(wh)"}


def is_endmembers(name: str) -> bool:
    """Whether an array of a dotted name is called as endmembers are."""
    return any(pattern.fullmatch(_last(name)) for pattern in _ENDMEMBERS)


def is_companion(name: str) -> bool:
    """Whether an array of a dotted name is more likely beside an image than the image."""
    return is_endmembers(name) or any(pattern.fullmatch(_last(name)) for pattern in _ABUNDANCES)


def companions_of(
    path: Path,
    name: str,
    variables: Mapping[str, NDArray],
    cube: NDArray,
    layout: str,
    *,
    matlab: bool = False,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Reference beside an image, and what to say of it.

    Parameters
    ----------
    path
        For messages.
    name
        Of the image.
    variables
        All arrays by dotted name, axes as stored.
    cube
        The image, shape ``(bands, height, width)``.
    layout
        In which it is stored.
    matlab
        Whether a matrix beside a cube runs down the columns, as MATLAB has them; else its order is in doubt.

    Returns
    -------
    companions
        ``E`` (bands, endmembers), in the unit of the file; ``A`` (endmembers, height, width); ``materials``.
    notes
        A sentence for each array that was taken or left out.

    Raises
    ------
    InputError
        If an array called E has its bands along another axis of the image: one of both is turned.
    """
    bands, *size = cube.shape
    found: dict[str, Any] = {}
    notes = []
    for key in _called(_ENDMEMBERS, name, variables):
        E = _oriented(variables[key], bands, tuple(size))
        if E is not None and "E" not in found:
            found["E"] = E
            notes.append(f"endmembers {key} of the same file")
        elif E is None and _last(key) == "E" and variables[key].ndim == 2 and len(variables[key]) in size:
            raise InputError(
                f"{path}: {key} has {len(variables[key])} bands, {name} has {bands} and as many pixels along "
                f"another axis: give {option('layout')} the order of its axes"
            )
        elif E is None:
            notes.append(f"{_told(key, variables)} is left out: no endmembers of {bands} bands")
    count = found["E"].shape[1] if "E" in found else None
    for key in _called(_ABUNDANCES, name, variables):
        maps = [A for A in _maps(variables[key], layout, tuple(size), matlab) if count in (None, len(A))]
        if maps and "A" not in found:
            found["A"], count = maps[0], len(maps[0])
            notes.append(f"abundances {key} of the same file")
        elif not maps:
            of = f"{count} endmembers" if count else "endmembers"
            order = ", in an order that the file tells" if variables[key].ndim == 2 else ""
            notes.append(
                f"{_told(key, variables)} is left out: no maps of {of} in {size[0]} x {size[1]} pixels{order}"
            )
    names = texts_in(variables)
    if count is not None and len(names) == count:
        found["materials"] = names
    elif count is not None and names:
        notes.append(f"{len(names)} names are left out: they are not those of {count} endmembers")
    return found, tuple(notes)


def texts_in(variables: Mapping[str, NDArray]) -> tuple[str, ...]:
    """Names of materials among arrays, those in the cells of a struct too."""
    return tuple(
        (text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)).strip()
        for key, values in variables.items()
        if _NAMES.fullmatch(_last_name(key)) and values.dtype.kind in "US"
        for text in values.ravel()
    )


def _called(
    patterns: tuple[re.Pattern[str], ...], image: str, variables: Mapping[str, NDArray]
) -> Iterator[str]:
    """Arrays of real numbers that are called so, those of the image's own struct first."""
    prefix = image.rpartition(".")[0]
    others = [k for k, v in variables.items() if k != image and v.dtype.kind in "iuf" and v.ndim in (2, 3)]
    others.sort(key=lambda key: key.rpartition(".")[0] != prefix)
    for pattern in patterns:
        yield from (key for key in others if pattern.fullmatch(_last(key)))


def _oriented(values: NDArray, bands: int, size: tuple[int, ...]) -> NDArray | None:
    """A matrix as (bands, endmembers); None where it is none, as a map of the pixels is not."""
    if values.ndim != 2 or values.shape == size or bands not in values.shape:
        return None
    return values if len(values) == bands else values.T


def _maps(values: NDArray, layout: str, size: tuple[int, ...], matlab: bool) -> Iterator[NDArray]:
    """Ways to read an array as (endmembers, height, width), the likeliest first."""
    if values.ndim == 3:
        for axes in dict.fromkeys((layout, "hwb", "bhw", "hbw")):
            if "(" not in axes:
                A = values.transpose([axes.index(axis) for axis in "bhw"])
                if A.shape[1:] == size:
                    yield A
        return
    order = layout if "(" in layout else "b(wh)" if matlab else ""
    for axes in (order, _TURNED[order]) if order else ():
        matrix = values if axes.startswith("b") else values.T
        if matrix.shape[1] == size[0] * size[1]:
            rows = "(hw)" in axes
            yield matrix.reshape(-1, *size) if rows else matrix.reshape(-1, *size[::-1]).transpose(0, 2, 1)


def _told(key: str, variables: Mapping[str, NDArray]) -> str:
    return f"array {key!r} {variables[key].shape}"


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _last_name(name: str) -> str:
    """``materials.2`` of ``s.materials.2``: what a cell of texts is called."""
    found = re.search(r"[^.]*[^.\d][^.]*(\.\d+)*$", name)
    return found[0] if found else name
