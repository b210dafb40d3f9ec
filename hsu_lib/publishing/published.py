"""What an executed chapter leaves behind, what of it is published, and the scorecard made from it.

A chapter leaves a `Manifest` (``chapter.json``) and its pictures in its folder. Publishing copies the
manifest, the records it names and the pictures that need public data into ``book/results/PROFILE``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hsu_lib import paths
from hsu_lib.claims import Judgement
from hsu_lib.claims.ledger import scorecard as scorecard  # its name before it moved there
from hsu_lib.runs import Record, read_record
from hsu_lib.runs import publish as publish_records
from hsu_lib.runs.record import write_atomically

#: From the least to the most thorough; the best published one is what the book shows.
PROFILES = ("quick", "desk", "paper")
MOST_BYTES = 25 * 10**6


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
    judgements
        Verdicts on claims.
    pictures
        Names of the pictures that need public data, to be published as images.
    """

    chapter: str
    profile: str
    keys: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """As JSON, atomically."""
        fields = asdict(self) | {"judgements": [j.to_dict() for j in self.judgements]}
        write_atomically(path, (json.dumps(fields, indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Inverse of `write`."""
        fields = json.loads(path.read_text())
        return cls(**fields | {"judgements": [Judgement.from_dict(j) for j in fields["judgements"]]})


def manifests(folder: Path | None = None) -> list[Manifest]:
    """Manifests of executed chapters in `folder`; by default each chapter's best published one.

    Parameters
    ----------
    folder
        Folder with one subfolder per chapter, as a build leaves it.
    """
    if folder is not None:
        return [Manifest.read(path) for path in sorted(folder.glob("*/chapter.json"))]
    best: dict[str, Manifest] = {}
    for profile in PROFILES:
        for path in sorted((paths.published() / profile / "chapters").glob("*.json")):
            best[path.stem] = Manifest.read(path)
    return list(best.values())


def publish(profile: str, *, source: Path | None = None) -> tuple[Path, int]:
    """Copy what the executed chapters of a profile used and found into ``book/results/PROFILE``.

    Parameters
    ----------
    profile
        Only chapters last executed with it are published.
    source
        Folder of executed chapters; by default that of the last build.

    Returns
    -------
    folder, size
        Where it went, and the bytes that the folder of all published results now holds.

    Raises
    ------
    LookupError
        If no chapter was executed with this profile, or a record it used is gone.
    ValueError
        If the published results would exceed 25 MB.
    """
    source = source or paths.executed()
    chosen = [m for m in manifests(source) if m.profile == profile]
    if not chosen:
        raise LookupError(
            f"no chapter was executed with profile {profile}: `hsu book --profile {profile}` first"
        )
    folder = paths.published() / profile
    records = {key: _find(key) for m in chosen for key in m.keys}
    for manifest in chosen:
        for name in manifest.pictures:
            path = source / manifest.chapter / "figures" / f"{name}.webp"
            if path.exists():  # else it was itself shown from the published ones
                (folder / "figures").mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / "figures" / f"{manifest.chapter}-{name}.webp")
    publish_records(list(records.values()), folder, {key for m in chosen for key in m.maps})
    for manifest in chosen:
        manifest.write(folder / "chapters" / f"{manifest.chapter}.json")
    used = {key for path in (folder / "chapters").glob("*.json") for key in Manifest.read(path).keys}
    for path in (folder / "records").glob("*"):
        if path.stem not in used:
            path.unlink()
    size = sum(path.stat().st_size for path in paths.published().rglob("*") if path.is_file())
    if size > MOST_BYTES:
        raise ValueError(f"published results are {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f} MB")
    return folder, size


def _find(key: str) -> Record:
    """Local record if there is one, else any published one."""
    for path in [paths.store() / key[:2] / f"{key}.json", *paths.published().glob(f"*/records/{key}.json")]:
        if path.exists():
            return read_record(path, "local")
    raise LookupError(f"record {key} is in no store: execute the chapter again")
