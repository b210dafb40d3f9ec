"""What is published, the scorecard made from it, and publishing.

Publishing copies the `Manifest` of an executed chapter, the records it names and the pictures that need
public data into ``book/results/PROFILE``: all of it in one step, or nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from hsu_lib import paths
from hsu_lib.atomic import write_atomically
from hsu_lib.claims.questions import questions, vocabulary
from hsu_lib.claims.registration import fingerprint as registration
from hsu_lib.claims.registration import registrations
from hsu_lib.publishing import folders
from hsu_lib.publishing.manifest import SUMS, Damaged, read_published, write_sums
from hsu_lib.publishing.manifest import Manifest as Manifest  # part of what this module is about
from hsu_lib.runs import DamagedRecord, Record, read_record
from hsu_lib.runs import publish as publish_records
from hsu_lib.runs.answers import Answer
from hsu_lib.runs.computed import without_computed
from hsu_lib.runs.evidence import counts

#: From the least to the most thorough; the best published one is what the book shows.
PROFILES = ("quick", "desk", "paper")
MOST_BYTES = 25 * 10**6


class Refused(ValueError):
    """What is not complete is not published; says of each chapter why, and what to do."""


def manifests(folder: Path | None = None) -> list[Manifest]:
    """Manifests of executed chapters in `folder`; by default each chapter's best published one.

    Parameters
    ----------
    folder
        Folder with one subfolder per chapter, as a build leaves it.
    """
    if folder is not None:
        return [Manifest.read(path) for path in sorted(folder.glob("*/chapter.json"))]
    folders.recover(paths.published())
    best: dict[str, Manifest] = {}
    for profile in PROFILES:
        for path in sorted((paths.published() / profile / "chapters").glob("*.json")):
            best[path.stem] = Manifest.read(path)
    return list(best.values())


def publish(profile: str, chapters: Sequence[str] = (), *, source: Path | None = None) -> tuple[Path, int]:
    """Copy what executed chapters of a profile used and found into ``book/results/PROFILE``.

    The folder as it will be is made beside the old one, with links to all that stays the same, and takes
    its place in one step. Until then nothing changes; what no chapter uses any more is gone thereafter.

    Parameters
    ----------
    profile
        Only chapters last executed with it are published.
    chapters
        Which; by default all of them.
    source
        Folder of executed chapters; by default that of the last build.

    Returns
    -------
    folder, size
        Where it went, and the bytes that the folder of all published results now holds.

    Raises
    ------
    LookupError
        If no chapter was executed with this profile.
    Refused
        If one was not executed to its end with just the profile's parameters, or it or its profile changed
        since, or a record or a picture that it used is gone or damaged. Nothing is published then.
    ValueError
        If the profile is unknown, or the published results would exceed 25 MB.
    Busy
        If a chapter is being executed, or another process publishes.
    OSError
        If the machine fails. In all these cases what was published is as it was.
    """
    from hsu_lib.publishing.chapters import check_profile, values  # papermill takes a second to import

    check_profile(profile)
    for name in chapters:
        values(name, profile)  # refuses unknown ones
    source = source or paths.executed()
    home, doing = paths.published(), f"hsu publish {profile}"
    try:
        with ExitStack() as stack:
            chosen = _complete(profile, chapters, source, doing, stack)
            stack.enter_context(folders.held(home, doing))
            folder = (home / profile).resolve()
            new = stack.enter_context(folders.workplace(folder.parent)) / profile
            _stage(chosen, folder, source, new)
            size = _size(home) - _size(home / profile)  # the new folder is inside already
            if size > MOST_BYTES:
                raise ValueError(
                    f"published results would be {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f} MB: "
                    "nothing was published"
                )
            folders.replace(new, folder)
    except OSError as error:
        raise OSError(f"nothing was published into {home}: {error}") from error
    return home / profile, _size(home)


def fingerprint(keys: Iterable[str]) -> str:
    """SHA-256 of what the records with these keys say now: all but the arrays, which they check themselves.

    Raises
    ------
    LookupError
        If one is in no store.
    DamagedRecord
        If one is not what was written.
    """
    return sha256("\n".join(_told(_record(key)[1]) for key in keys).encode()).hexdigest()


def _record(key: str) -> tuple[Path, Record]:
    """A record and its file: the local one or else a published one, and one that counts before others."""
    found = []
    for folder in (paths.store() / key[:2], *sorted(paths.published().glob("*/records"))):
        for path in sorted(folder.glob(f"{key}.*"))[:1]:
            found.append((path, read_record(path, "local")))
            if counts(found[-1][1]):
                return found[-1]
    if not found:
        raise LookupError(f"record {key} is in no store")
    return found[0]


def _told(record: Record) -> str:
    told = [record.asked, without_computed(record.scores), record.status, record.seconds, record.made]
    return json.dumps(told, sort_keys=True)


def _complete(
    profile: str, names: Sequence[str], source: Path, doing: str, stack: ExitStack
) -> list[Manifest]:
    """Manifests of the chapters to publish, which stay as they are while `stack` is open."""
    chosen: dict[str, Manifest] = {}
    refused: dict[str, str] = {}
    for path in sorted(source.glob("*/chapter.json")):
        name = path.parent.name
        if names and name not in names:
            continue
        try:
            if not names and Manifest.read(path).profile != profile:
                continue
            stack.enter_context(folders.held(path.parent, doing))
            manifest = Manifest.read(path)
        except Damaged as damage:
            refused[name] = str(damage)
            continue
        if manifest.chapter != name:
            continue  # somebody's own copy
        chosen[name] = manifest
        why = _incomplete(manifest, profile, path.parent)
        if why:
            refused[name] = why
    refused |= {name: "was not run here" for name in names if name not in {*chosen, *refused}}
    if not chosen and not refused:
        raise LookupError(
            f"no chapter was executed with profile {profile}: `hsu book --profile {profile}` first"
        )
    if refused:
        lines = [f"  {name} {why}: `hsu run {name} --profile {profile}`" for name, why in refused.items()]
        rest = " ".join(name for name in chosen if name not in refused)
        lines += [f"to publish the others: `{doing} {rest}`"] if rest else []
        raise Refused("nothing was published, for not all of it is complete\n" + "\n".join(lines))
    return list(chosen.values())


def _incomplete(manifest: Manifest, profile: str, folder: Path) -> str:
    """Why an executed chapter is not what the profile makes of it, behind its name; empty if it is."""
    from hsu_lib.publishing import chapters

    done = manifest.executed
    if manifest.profile != profile:
        return f"was last run with profile {manifest.profile}"
    if manifest.chapter not in chapters.chapters():
        return "is not a chapter of this book"
    if done is None:
        return "was not run to its end"
    wanted = chapters.values(manifest.chapter, profile)
    if done.source != chapters.source(manifest.chapter, profile):
        return "has changed since it was run, or its profile has"
    given = done.parameters
    told = [
        f"{k}={given.get(k)!r} instead of {v!r}"
        for k, v in wanted.items()
        if json.dumps(given.get(k)) != json.dumps(v, default=str)
    ]
    if told:
        return f"was run with {', '.join(told)}"
    for name, stated in done.pictures.items():
        path = folder / "figures" / f"{name}.webp"
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != stated:
            return f"drew a picture {name} that is gone or has changed"
    try:
        if fingerprint(manifest.keys) != done.records:
            return "used records that have been computed anew since"
        for answer in manifest.answers:
            if why := _undecided(answer):
                return f"answers {answer.claim}, {why}"
    except (LookupError, DamagedRecord) as error:
        return f"used records that are gone or damaged ({error})"
    return ""


def _undecided(answer: Answer) -> str:
    """Why the runs behind an answer do not decide; empty if they do."""
    registered = registrations()[answer.claim]
    if registered.sha256 != registration(questions()[answer.claim], vocabulary()):
        return "whose question differs from its registration (`hsu register`)"
    for key in answer.keys:
        _, record = _record(key)
        if not counts(record):
            return "with runs that were made from files of no commit"
        if not registered.precedes(record.made["date"]):
            return f"whose question is younger, of {registered.since}, than its runs"
    return ""


def _stage(chosen: Sequence[Manifest], folder: Path, source: Path, new: Path) -> None:
    """Make `folder` as it will be in `new`: links to the files that stay, and the new ones."""
    fresh = {m.chapter: m for m in chosen}
    kept = {
        p.stem: Manifest.read(p) for p in sorted((folder / "chapters").glob("*.json")) if p.stem not in fresh
    }
    after = [*kept.values(), *chosen]
    maps = {key for m in after for key in m.maps}
    records, used = _records(folder), {key for m in after for key in m.keys}
    for key in dict.fromkeys(key for m in chosen for key in m.keys):
        path, record = _record(key)
        published = records.get(key, [])
        if path in published or (published and _same(published[0], record, key in maps)):
            continue
        records[key] = []
        if path.is_relative_to(paths.published()):
            records[key] = _records(path.parent.parent)[key]
        else:
            publish_records([record], new, maps)
    files = {f"records/{path.name}": path for key in used for path in records.get(key, ())}
    files |= {f"chapters/{name}.json": folder / "chapters" / f"{name}.json" for name in kept}
    for m in after:
        drawn = m.executed.pictures if m.chapter in fresh and m.executed else {}
        for picture in m.pictures:
            name = f"figures/{m.chapter}-{picture}.webp"
            there = (folder / name).is_file()
            if picture in drawn:
                data = (source / m.chapter / "figures" / f"{picture}.webp").read_bytes()
                there = there and (folder / name).read_bytes() == data
                if not there:
                    write_atomically(new / name, data)
            elif there:
                read_published(folder / name)
            if there:
                files[name] = folder / name
    for m in chosen:
        m.write(new / "chapters" / f"{m.chapter}.json")
    for path in folder.glob("*"):  # what others put there
        if path.name not in ("records", "chapters", "figures", SUMS):
            inside = path.rglob("*") if path.is_dir() else [path]
            files |= {str(file.relative_to(folder)): file for file in inside if file.is_file()}
    for name, path in files.items():
        _link(path, new / name)
    write_sums(new)


def _records(folder: Path) -> dict[str, list[Path]]:
    """Keys of the records published in a folder to their files."""
    found: dict[str, list[Path]] = {}
    for path in sorted((folder / "records").glob("[!.]*")):
        found.setdefault(path.stem, []).append(path)
    return found


def _same(path: Path, record: Record, mapped: bool) -> bool:
    """Whether a published record is this one, with its abundances if these are wanted and there."""
    try:
        published = read_record(path, "published")
    except DamagedRecord:
        return False
    maps = mapped and "A" in record.arrays
    return _told(published) == _told(record) and ("A" in published.arrays) == maps


def _link(path: Path, to: Path) -> None:
    """The same file under another name, or a copy where the file system has no links."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, to)
    except OSError:
        shutil.copy2(path, to)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
