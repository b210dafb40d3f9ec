"""How a public file gets here, and the proof that it is the right one.

A file is looked for in the folder of ``HSU_DATA_DIR``, then in the user's cache (``HSU_CACHE_DIR``
moves it), then at its public address, then in the Software Heritage archive, which has the content of
many public repositories by its checksum (``HSU_OFFLINE=1`` forbids both). Its checksum is computed
every time it is opened, from the very bytes that are then read.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from hsu_lib.atomic import remove_leftovers, temporary

#: Address of a content in the archive, by the kind of its checksum: here ours, there theirs.
_ARCHIVE = "https://archive.softwareheritage.org/api/1/content/{}:{}/raw/"
_KINDS = {"sha256": "sha256", "git": "sha1_git"}
#: Names that pooch gave to files it was downloading.
_OLD_PARTS = re.compile(r"tmp[a-z0-9_]{8}")


@dataclass(frozen=True)
class PublicFile:
    """One line of ``registry.csv``.

    Parameters
    ----------
    file
        ``"<folder>/<file>"``, its name here.
    size
        In bytes, or None where only the blob id of the file is known.
    checksum
        ``"sha256:..."``, or ``"git:..."``: the id that git gives to this content.
    url
        Address, pinned to a commit.
    licence, citation
        As the source states them.
    """

    file: str
    size: int | None
    checksum: str
    url: str
    licence: str
    citation: str

    @property
    def addresses(self) -> tuple[str, str]:
        """Where it is downloaded from: its address and, for when that is gone, the archive."""
        kind, expected = self.checksum.split(":")
        return self.url, _ARCHIVE.format(_KINDS[kind], expected)

    def matches(self, content: bytes) -> bool:
        """Whether this is the registered content, byte for byte."""
        kind, expected = self.checksum.split(":")
        if kind == "sha256":
            return hashlib.sha256(content).hexdigest() == expected
        # git hashes a header in front of the content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == expected


@cache
def registry() -> dict[str, PublicFile]:
    """Every public file that a scene is read from, by ``"<folder>/<file>"``."""
    text = resources.files(__package__).joinpath("registry.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["file"]: PublicFile(size=int(row.pop("size") or 0) or None, **row) for row in rows}


def cache_dir() -> Path:
    """Folder of downloaded files: ``HSU_CACHE_DIR``, else the place the system has for caches."""
    import pooch  # here: 0.1 s that most runs of the library do not need

    return Path(os.environ.get("HSU_CACHE_DIR") or pooch.os_cache("hsu")).expanduser()


def data_dir() -> Path | None:
    """Folder of the user's own copies, ``HSU_DATA_DIR``, or None where it is not set."""
    folder = os.environ.get("HSU_DATA_DIR")
    return Path(folder).expanduser() if folder else None


def candidates(file: str) -> list[Path]:
    """Places where a file is looked for, best first; the last is where a download is put."""
    folder = data_dir()
    own = [] if folder is None else [folder / file, folder / Path(file).name]
    return [*own, cache_dir() / file]


def find(file: str) -> tuple[Path | None, bytes, list[Path]]:
    """First good copy on this machine with its content, and the damaged ones met on the way."""
    public = registry()[file]
    damaged: list[Path] = []
    for path in candidates(file):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if public.matches(content):
            return path, content, damaged
        # in a flat folder the name alone says little: this may be the E.mat of another scene
        namesakes = [other for name, other in registry().items() if Path(name).name == path.name]
        if not any(other.matches(content) for other in namesakes):
            damaged.append(path)
    return None, b"", damaged


def read(file: str, *, download: bool = True, progress: bool = False) -> bytes:
    """Content of a registered file, its checksum verified; see `locate`."""
    return locate(file, download=download, progress=progress)[1]


def locate(file: str, *, download: bool = True, progress: bool = False) -> tuple[Path, bytes]:
    """Path and content of a registered file, its checksum verified; downloaded where it is not here.

    A damaged file in the cache is removed and fetched again. A damaged one in ``HSU_DATA_DIR`` belongs
    to the user: it is left alone, with a warning.

    Raises
    ------
    FileNotFoundError
        If it is not on this machine and is not, or cannot be, downloaded; the text names its address and
        where to put it.
    """
    _tidied(cache_dir())
    path, content, damaged = find(file)
    target, public = candidates(file)[-1], registry()[file]
    own = [bad for bad in damaged if bad != target]
    for bad in own:
        warnings.warn(
            f"{bad} is damaged or another version: its content is not the registered {file} "
            f"({public.checksum}). It is not used; replace it with a fresh copy",
            stacklevel=2,
        )
    if path is not None:
        return path, content
    if target in damaged:
        target.unlink(missing_ok=True)
    if not download:
        reason = "a download was not asked for"
    elif os.environ.get("HSU_OFFLINE", "") not in ("", "0"):
        reason = "HSU_OFFLINE forbids to download it"
    else:
        try:
            _tidy(cache_dir())
            return target, _download(public, target, progress)
        except (OSError, ValueError) as error:  # requests raises OSErrors; a wrong hash, ValueError
            reason = f"its download failed: {error}"
    here = f"damaged on this machine ({', '.join(map(str, own))})" if own else "not on this machine"
    size = "" if public.size is None else f" ({public.size / 1e6:.1f} MB)"
    raise FileNotFoundError(
        f"{file} is {here}, and {reason}.\nGet it from\n  {public.url}{size}\nand put it at\n  {target}\n"
        f"or, as {file}, in the folder that HSU_DATA_DIR names."
    )


def _download(public: PublicFile, target: Path, progress: bool) -> bytes:
    """Content of the file, now at `target`: it takes its place when it is whole and the right one.

    Raises
    ------
    OSError, ValueError
        What was wrong with its own address, if the archive does not have it either.
    """
    import pooch

    target.parent.mkdir(parents=True, exist_ok=True)
    part = temporary(target.parent)
    failed: list[Exception] = []
    for address in public.addresses:
        try:
            pooch.HTTPDownloader(progressbar=progress)(address, str(part), None)
            content = part.read_bytes()
            if not public.matches(content):
                raise ValueError(f"what lies at the address is not the registered file ({public.checksum})")
            part.replace(target)
            return content
        except (OSError, ValueError) as error:
            failed.append(error)
        finally:
            part.unlink(missing_ok=True)
    raise failed[0]


def _tidy(cache: Path) -> None:
    """Remove what downloads that were killed left in the cache."""
    with suppress(OSError):
        for folder in [cache, *cache.iterdir()]:
            remove_leftovers(folder, old=_OLD_PARTS)


#: The first look into a cache tidies it.
_tidied = cache(_tidy)
