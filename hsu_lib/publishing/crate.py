"""The published results as one file for an archive: a zip with an RO-Crate 1.2 in it.

An RO-Crate is a folder with ``ro-crate-metadata.json``, a description of what lies in it in JSON-LD. The one
here holds `endpoints`' two files, the published folders as they are, the format of a record, and how to cite.

Source: Research Object Crate 1.2, https://w3id.org/ro/crate/1.2.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pandas as pd

from hsu_lib import paths
from hsu_lib.atomic import write_atomically
from hsu_lib.publishing import endpoints, folders
from hsu_lib.publishing.citation import authors, citation, repository
from hsu_lib.publishing.manifest import read_published
from hsu_lib.runs import read_record

METADATA = "ro-crate-metadata.json"
_VERSION = "https://w3id.org/ro/crate/1.2"
_TYPES = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".json": "application/json",
    ".md": "text/markdown",
    ".npz": "application/zip",
    ".webp": "image/webp",
}
_DENSE = (".gz", ".npz", ".webp")
#: What the folders of a published profile hold.
_FOLDERS = {
    "chapters": "what each chapter used and found: keys of records, answers to claims, facts",
    "figures": "pictures of chapters that show public scenes",
    "maps": "records with abundance maps that the page Explore shows",
    "results": "all that is published, a folder for each profile: how much was trained",
    "records": "a record for each run: scores, endmembers, curves, provenance; records.csv.gz lists them",
}
_ABOUT = {
    endpoints.SCORECARD: "every claim with what became of it, and what its columns mean",
    endpoints.RECORDS: "a row for each record: what was asked, how and when it was made, every score",
    "CITATION.cff": "how to cite",
    "LICENSE": "licence of code, text and results",
    "records.md": "the format of a record",
    "results/explored.csv": "verdicts by a rule of before, from runs that decide nothing",
    "results/times.json": "times taken in one sitting, which decide claims on time",
}


def pack(path: Path) -> int:
    """Write the published results of all profiles into a zip file, as an RO-Crate.

    The same results give the same file, byte for byte; the date in it is that of the release.

    Parameters
    ----------
    path
        Where the file goes; one that is there is replaced when the new one is whole.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    FileNotFoundError
        If nothing is published, or the library is installed without the project's files.
    Damaged, DamagedRecord
        If a published file is not what was written; nothing is written then.
    OSError
        If the file cannot be written.
    """
    paths.citation()  # without the project there is nothing to pack
    folders.recover(paths.published())
    table = endpoints.records()
    files = _files(table)
    files[METADATA] = _json(_metadata(files, table)).encode()
    held = io.BytesIO()
    with ZipFile(held, "w") as archive:
        for name, data in sorted(files.items(), key=lambda item: (item[0] != METADATA, item[0])):
            entry = ZipInfo(name)  # of the earliest date there is
            entry.compress_type = ZIP_STORED if PurePosixPath(name).suffix in _DENSE else ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    write_atomically(path, held.getvalue())
    return len(held.getvalue())


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _files(table: pd.DataFrame) -> dict[str, bytes]:
    """Names in the crate to contents: all that is published, and what explains it.

    Raises
    ------
    FileNotFoundError, Damaged, DamagedRecord
        As in `pack`.
    """
    home, files = paths.published(), {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            if path.suffix == ".npz":
                read_record(path, "published")
            checked = name.parent.name in ("chapters", "figures")
            files[f"results/{name.as_posix()}"] = read_published(path) if checked else path.read_bytes()
    if not files:
        raise FileNotFoundError(f"nothing is published in {home}")
    files[endpoints.SCORECARD] = _json(endpoints.scorecard()).encode()
    files[endpoints.RECORDS] = endpoints.compressed(table)
    for path in (paths.citation(), paths.ROOT / "LICENSE", paths.ROOT / "book" / "records.md"):
        files[path.name] = path.read_bytes()
    return files


def _metadata(files: Mapping[str, bytes], table: pd.DataFrame) -> dict[str, Any]:
    """The description of the crate: itself, its folders and files, who made it, and with what."""
    fields, address = citation(), repository()
    licence = f"https://spdx.org/licenses/{fields['license']}"
    people = _people(fields)
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Results of {fields['title']}",
        "description": " ".join(str(fields["abstract"]).split()),
        "datePublished": str(fields["date-released"]),
        "version": str(fields["version"]),
        "license": _to(licence),
        "author": _to(*(person["@id"] for person in people)),
        "publisher": _to(people[0]["@id"]),
        "keywords": ", ".join(fields["keywords"]),
        "hasPart": _to(*sorted({name if "/" not in name else "results/" for name in files})),
        "mentions": _to("#runs"),
    }
    if fields.get("doi"):
        root["identifier"] = f"https://doi.org/{fields['doi']}"
    program = {
        "@id": "#hsu",
        "@type": "SoftwareApplication",
        "name": "hsu",
        "version": str(fields["version"]),
        "license": _to(licence),
        "url": address,
    }
    runs = {
        "@id": "#runs",
        "@type": "CreateAction",
        "name": f"{len(table)} runs, made with hsu",
        "startTime": min(table["date"]),
        "endTime": max(table["date"]),
        "agent": _to(people[0]["@id"]),
        "result": _to("results/"),
    }
    if address:  # without one, a program cannot be described
        runs["instrument"] = _to("#hsu")
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": _to("./"),
        "conformsTo": _to(_VERSION),
    }
    named = {"@id": licence, "@type": "CreativeWork", "name": f"{fields['license']} licence"}
    graph = [descriptor, root, *people, named, runs, *([program] if address else [])]
    told = [_file(name, data) for name, data in sorted(files.items()) if not name.endswith(".npz")]
    return {"@context": f"{_VERSION}/context", "@graph": [*graph, *told, *_datasets(files)]}


def _people(fields: Mapping[str, Any]) -> list[dict[str, str]]:
    """The authors: persons, with their ORCID where it is told, or a group of them."""
    told = zip(fields["authors"], authors(fields), strict=True)
    return [
        {
            "@id": author.get("orcid", f"#author-{number}"),
            "@type": "Organization" if "name" in author else "Person",
            "name": name,
        }
        for number, (author, name) in enumerate(told, start=1)
    ]


def _file(name: str, data: bytes) -> dict[str, Any]:
    path = PurePosixPath(name)
    says = _ABOUT.get(name) or _FOLDERS.get(path.parent.name) or "what belongs to the whole folder"
    return {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "description": says,
        "encodingFormat": _TYPES.get(path.suffix, "text/plain"),
        "contentSize": str(len(data)),
        "sha256": sha256(data).hexdigest(),
    }


def _datasets(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The folders with what lies in them, but for records, which say of themselves what they are."""
    inside: dict[PurePosixPath, set[str]] = {}
    for path in map(PurePosixPath, files):
        for folder in [*path.parents][:-1]:
            inside.setdefault(folder, set())
            if folder.parent.name:
                inside.setdefault(folder.parent, set()).add(f"{folder}/")
        if path.parent.name and path.suffix != ".npz":
            inside[path.parent].add(str(path))
    return [
        {
            "@id": f"{folder}/",
            "@type": "Dataset",
            "name": folder.name,
            "description": _FOLDERS.get(folder.name, f"what is published with profile {folder.name}"),
        }
        | ({"hasPart": _to(*sorted(names))} if names else {})
        for folder, names in sorted(inside.items())
    ]


def _to(*identifiers: str) -> Any:
    """A reference, or several."""
    found = [{"@id": identifier} for identifier in identifiers]
    return found[0] if len(found) == 1 else found
