"""What an executed chapter leaves behind: its `Manifest`, which notices when a bit of it has changed.

A manifest carries the SHA-256 of its own text. Published ones that were written before that, and published
pictures, have theirs in ``SHA256SUMS`` beside them, which ``sha256sum --check`` reads too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hsu_lib.atomic import write_atomically
from hsu_lib.runs.answers import Answer
from hsu_lib.runs.canonical import sealed, unsealed

SUMS = "SHA256SUMS"
_SUMMED = ("chapters/*.json", "figures/*")
#: Fields that are written only if they hold something.
_MAY_LACK = ("answers", "facts", "executed")
_OWN = "# of the lines above: "


class Damaged(ValueError):
    """A file is not what was written."""


@dataclass(frozen=True)
class Executed:
    """That a chapter ran to its end, and how; told by what executed it, never by the chapter itself.

    Parameters
    ----------
    parameters
        All of its parameters with their values.
    source
        `hsu_lib.publishing.chapters.source` of its text and of the profile's values.
    commit
        Of the checkout, with ``+`` where files differed from it.
    records
        `hsu_lib.publishing.published.fingerprint` of the records that it used.
    pictures
        Names of the pictures that it drew to be published, with their SHA-256.
    """

    parameters: Mapping[str, Any]
    source: str
    commit: str = ""
    records: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Manifest:
    """What a chapter used and found.

    Parameters
    ----------
    chapter, profile
        Who, and with which parameters.
    keys
        Records used, in order of first use.
    maps
        Those of them whose abundance maps the page shows, to be published with these.
    answers
        What the chapter's claims came to.
    pictures
        Names of the pictures that need public data, to be published as images.
    facts
        What was computed from public data, to be published as it is: JSON-ready values by name.
    executed
        How it was run to its end; None while it runs, where it was stopped, and in old manifests.
    """

    chapter: str
    profile: str
    keys: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    executed: Executed | None = None

    def write(self, path: Path) -> None:
        """As JSON with its checksum, atomically."""
        fields = vars(self) | {
            "answers": [answer.to_dict() for answer in self.answers],
            "executed": self.executed and asdict(self.executed),
        }
        fields = {name: value for name, value in fields.items() if value or name not in _MAY_LACK}
        text = json.dumps(fields, indent=1, default=str)
        write_atomically(path, sealed(text).encode())

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Inverse of `write`.

        Raises
        ------
        Damaged
            If a byte is not what was written.
        OSError
            If it cannot be read.
        """
        data = _bytes(path)
        try:
            text = data.decode()
            fields = json.loads(text)
            if "sha256" in fields:
                fields = unsealed(text)
            elif path.parent.name == "chapters":
                _check_listed(path, data)
            answers = [Answer.from_dict(a) for a in fields.pop("answers", [])]
            fields.pop("judgements", None)  # by a rule of before
            executed = Executed(**fields.pop("executed")) if "executed" in fields else None
            return cls(**fields, answers=answers, executed=executed)
        except Damaged:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Damaged(
                f"{path} is damaged ({type(error).__name__}: {error}): run the chapter again, "
                "or restore the file if it is a published one"
            ) from error


def read_published(path: Path) -> bytes:
    """Bytes of a published manifest or picture.

    Raises
    ------
    Damaged
        If they are not those that were published.
    """
    data = _bytes(path)
    _check_listed(path, data)
    return data


def _check_listed(path: Path, data: bytes) -> None:
    """What lies in a subfolder, against the ``SHA256SUMS`` above it, where there is one."""
    folder, name = path.parent.parent, f"{path.parent.name}/{path.name}"
    stated = sums(folder)
    if stated is not None and stated.get(name) != sha256(data).hexdigest():
        raise Damaged(
            f"{path} is not what was published, says {SUMS}: restore it (`git checkout -- {path}`), "
            "or publish its chapter again"
        )


def sums(folder: Path) -> dict[str, str] | None:
    """Names of files of a published profile to their SHA-256; None where there is no such list.

    Raises
    ------
    Damaged
        If the list itself is not what was written.
    """
    path = folder / SUMS
    if not path.exists():
        return None
    text, _, stated = _bytes(path).decode(errors="replace").rpartition(_OWN)
    if stated != f"{sha256(text.encode()).hexdigest()}\n":
        raise Damaged(
            f"{path} is damaged: restore it (`git checkout -- {path}`); or delete it, "
            "if what lies beside it is known to be good, and publish again"
        )
    return {name: digest for digest, name in (line.split("  ", 1) for line in text.splitlines())}


def write_sums(folder: Path) -> None:
    """List the checksums of the manifests and pictures of a published profile beside them."""
    paths = sorted(path for pattern in _SUMMED for path in folder.glob(pattern))
    lines = [f"{sha256(_bytes(p)).hexdigest()}  {p.relative_to(folder).as_posix()}\n" for p in paths]
    text = "".join(lines)
    write_atomically(folder / SUMS, (text + _OWN + sha256(text.encode()).hexdigest() + "\n").encode())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:  # one that comes while reading does not name the file
        raise OSError(error.errno, error.strerror, str(path)) from error
