"""Where results go: nothing of others is replaced, and what cannot be written is told before the work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hsu_lib.atomic import temporary, write_together
from hsu_lib.errors import InputError, option
from hsu_lib.unmixing.formats import ENDINGS
from hsu_lib.unmixing.result import MADE_BY

_MARK = MADE_BY.encode()
_FORMS = {
    ".tif": "geotiff",
    ".tiff": "geotiff",
    ".nc": "netcdf",
    ".hdr": "envi",
    ".img": "envi",
    ".dat": "envi",
    ".sli": "envi",
}


@dataclass(frozen=True)
class Outputs:
    """Files of a result.

    Parameters
    ----------
    result, picture
        ``NAME.npz`` and ``NAME.png``.
    forms
        Further files of each format.
    """

    result: Path
    picture: Path
    forms: Mapping[str, tuple[Path, ...]]

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them, each once."""
        further = (path for paths in self.forms.values() for path in paths)
        return tuple(dict.fromkeys((self.result, self.picture, *further)))


def planned(out: Path, forms: Iterable[str]) -> Outputs:
    """Files for a name with or without ``.npz``; a dot in the name is part of it.

    Raises
    ------
    InputError
        If the name has the ending of another format, or is none.

    Examples
    --------
    >>> planned(Path("sweep_0.1"), ["geotiff"]).paths[2].name
    'sweep_0.1-maps.tif'
    """
    name = out.name[:-4] if out.suffix.lower() == ".npz" else out.name
    ending = Path(name).suffix.lower()
    if name == out.name and ending in (*_FORMS, ".png", ".mat", ".npy"):
        form = _FORMS.get(ending)
        way = f"and {option('format', form)} for maps as such a file" if form else "and .npz is added"
        raise InputError(f"{option('out')}: {out} ends in {ending}: give the name without it, {way}")
    if name in ("", ".", ".."):
        raise InputError(f"{option('out')}: expected the name of a file, got {str(out)!r}")
    folder = out.expanduser().parent

    def beside(end: str) -> Path:
        return folder / f"{name}{end}"

    further = {form: tuple(map(beside, ENDINGS[form])) for form in dict.fromkeys(forms)}
    kept = out.expanduser() if name != out.name else beside(".npz")
    return Outputs(kept, beside(".png"), further)


def check(outputs: Outputs, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse, before any work, files that are not to be replaced or cannot be written.

    Raises
    ------
    InputError
        For an input, whatever `overwrite` says; for a file that `hsu unmix` did not make, unless
        `overwrite`; for a place that cannot be written.
    """
    for path in outputs.paths:
        there = check_place(path, inputs)
        if there and not overwrite and not _is_ours(path):
            raise InputError(
                f"{path}: is there already and not made by {MADE_BY}; give another {option('out')}, or "
                f"{option('overwrite', python='True', command='')} to replace it"
            )


def check_place(path: Path, inputs: Iterable[Path]) -> bool:
    """Whether there is a file already; a place that cannot be written, or is an input, is refused.

    Raises
    ------
    InputError
        With the reason.
    """
    try:
        there = os.path.lexists(path)
        if path.is_dir():
            raise InputError(f"{path}: is a folder; give another {option('out')}")
        _check_folder(path)
    except OSError as error:  # a name that is too long, a folder that may not be searched
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    same = [other for other in inputs if path.exists() and other.exists() and os.path.samefile(path, other)]
    if same:
        raise InputError(f"{path}: is an input, {same[0]}; give another {option('out')}")
    return there


def _check_folder(path: Path) -> None:
    """Try to write where a file shall be; folders that lack are made with it."""
    folder = path.absolute().parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise InputError(f"{path}: cannot be written, {folder} is not a folder; give another {option('out')}")
    os.path.lexists(path)
    trial = temporary(folder)
    try:
        trial.touch(exist_ok=False)
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Whether a file was made by this command, by the mark that each carries, or its header does."""
    try:
        if path.suffix.lower() in (".img", ".sli"):
            return _MARK in path.with_suffix(".hdr").read_bytes()[:4000]
        if path.suffix.lower() == ".npz":
            import numpy as np

            with np.load(path, allow_pickle=False) as file:
                return "about" in file.files and MADE_BY in str(file["about"])
        content = path.read_bytes()
        return (
            _MARK in content[:4000]
            or _MARK in content[-100_000:]
            or (path.suffix == ".nc" and _MARK in content)
        )
    except Exception:  # damaged, a broken link, not to be read: not ours
        return False


def write(contents: Mapping[Path, bytes]) -> None:
    """All files of a result, each complete before the first takes its place; a link's target is replaced.

    Raises
    ------
    OSError
        If one cannot be written; what was there before still is.
    """
    write_together({Path(os.path.realpath(path)): data for path, data in contents.items()})
