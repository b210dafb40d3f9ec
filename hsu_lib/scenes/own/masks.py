"""A mask of pixels that a user gives, from a file of any kind that can hold a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError
from hsu_lib.scenes.matlab import read_nested
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.files import open_cube


def read_mask(path: Path, sizes: Sequence[tuple[int, ...]]) -> NDArray[np.bool_]:
    """Mask of a file: False where a pixel is left out, for it is 0, NaN or transparent.

    Parameters
    ----------
    path
        ``.npy``, ``.npz``, ``.mat``, a picture, or an image of one band in any format that is known.
    sizes
        ``(height, width)`` that it may have.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If it is no map, of another size, or has more than two values.
    """
    path = path.expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    values = _map_of(path)
    if values.shape not in sizes:
        turned = "; it may be turned" if values.shape[::-1] in sizes else ""
        wanted = " or ".join(dict.fromkeys(f"{height} x {width}" for height, width in sizes))
        raise InputError(
            f"{path}: a mask of {values.shape[0]} x {values.shape[1]} for an image of {wanted} pixels "
            f"(height x width){turned}"
        )
    return counting(path, values)


def counting(path: Path, values: NDArray) -> NDArray[np.bool_]:
    """Where the numbers of a mask say that a pixel counts: neither 0 nor NaN.

    Raises
    ------
    InputError
        If they are no numbers, or of more than two values.
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"{path}: a mask has numbers, 0 where a pixel is left out, got {values.dtype}")
    absent = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    held = np.unique(values[~absent])
    if len(held) > 2 or (len(held) == 2 and 0 not in held):
        raise InputError(
            f"{path}: a mask has two values, 0 where a pixel is left out and another where it counts; it "
            f"holds {len(held)}: {', '.join(f'{value:g}' for value in held[:5])}"
        )
    return ~absent & (values != 0)


def _map_of(path: Path) -> NDArray:
    """Map of a file, shape ``(height, width)``."""
    try:
        kind, suffix = content_of(path), path.suffix.lower()
        if suffix == ".mat" or kind == "matlab":
            return _only(path, read_nested(path))
        if suffix in (".npz", ".npy") or kind == "numpy":
            loaded = np.load(path, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _only(path, {"array": loaded})
            with loaded:
                return _only(path, {name: loaded[name] for name in loaded.files})
        if kind in ("png", "jpeg"):
            from matplotlib.image import imread

            picture = imread(path)
            return _opaque(path, picture if picture.ndim == 2 else np.moveaxis(picture, -1, 0))
        cube = open_cube(path)
        values = _flat(path, np.asarray(cube.values))
        return values if cube.mask is None else np.where(cube.mask, values, 0)
    except (InputError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{path}: cannot be read as a mask: {error}") from error


def _opaque(path: Path, picture: NDArray) -> NDArray:
    """Grey levels of a picture, 0 where it is transparent; of one that is of one colour, where it is not."""
    if picture.ndim == 2 or len(picture) not in (2, 4):
        return _flat(path, picture)
    grey, alpha = _flat(path, picture[:-1]), picture[-1] > 0
    return grey * alpha if np.ptp(grey[alpha]) > 0 or alpha.all() else alpha


def _only(path: Path, held: Mapping[str, NDArray]) -> NDArray:
    maps = {name: v for name, v in held.items() if v.dtype.kind in "biuf" and np.squeeze(v).ndim == 2}
    maps = maps or {name: v for name, v in held.items() if v.dtype.kind in "biuf" and v.ndim == 2}
    named = [name for name in maps if name.rpartition(".")[2].lower() == "mask"]
    chosen = named if len(named) == 1 else list(maps)
    if len(chosen) != 1:
        listed = ", ".join(f"{name} {values.shape}" for name, values in held.items())
        raise InputError(
            f"{path}: expected one map in it, or one called mask; it holds {listed or 'nothing'}"
        )
    values = maps[chosen[0]]
    return values if values.ndim == 2 else _flat(path, np.moveaxis(values, int(np.argmin(values.shape)), 0))


def _flat(path: Path, values: NDArray) -> NDArray:
    if values.ndim == 3 and (values == values[:1]).all():  # grey levels as a colour picture
        values = values[0]
    if values.ndim != 2:
        raise InputError(f"{path}: expected a map of one band as mask, it has {values.shape}")
    return values
