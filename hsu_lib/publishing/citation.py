"""How the project is cited and where it lies in public, from ``CITATION.cff``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import yaml

from hsu_lib import paths


def citation() -> dict[str, Any]:
    """The fields of ``CITATION.cff``, which are those of the Citation File Format 1.2.

    Raises
    ------
    FileNotFoundError
        With what to do, where the library is installed without the project's files.
    """
    fields: dict[str, Any] = yaml.safe_load(paths.citation().read_text(encoding="utf-8"))
    return fields


def repository() -> str:
    """Public address of the project, if known: ``HSU_REPOSITORY``, or ``repository-code`` of the citation."""
    try:
        told = os.environ.get("HSU_REPOSITORY") or citation().get("repository-code", "")
    except FileNotFoundError:
        return ""
    return str(told).rstrip("/").removesuffix(".git")


def authors(fields: Mapping[str, Any]) -> list[str]:
    """Names of the authors in the order of the file; of persons, the family name last."""
    return [
        person.get("name") or f"{person.get('given-names', '')} {person['family-names']}".strip()
        for person in fields["authors"]
    ]


def sentence(fields: Mapping[str, Any], address: str = "") -> str:
    """The reference as a line of Markdown.

    Parameters
    ----------
    fields
        As `citation` gives them.
    address
        Where the project lies, if that is known; a DOI comes before it.

    Examples
    --------
    >>> fields = {"title": "Unmixed", "version": "1.0", "date-released": "2026-11-21"}
    >>> sentence({**fields, "authors": [{"given-names": "Ada", "family-names": "Lux"}], "doi": "10.1/x"})
    'Ada Lux (2026). *Unmixed*. Version 1.0. <https://doi.org/10.1/x>'
    """
    place = _place(fields, address)
    told = f"{_listed(authors(fields))} ({_year(fields)}). *{fields['title']}*. Version {fields['version']}."
    return f"{told} <{place}>" if place else told


def bibtex(fields: Mapping[str, Any], address: str = "") -> str:
    """The reference as an entry of BibTeX, of the type ``software`` of BibLaTeX; see `sentence`.

    Examples
    --------
    >>> fields = {"title": "Unmixed", "version": "1.0", "date-released": "2026-11-21"}
    >>> print(bibtex({**fields, "authors": [{"name": "The authors"}]}), end="")
    @software{hsu,
      author = {{The authors}},
      title = {Unmixed},
      version = {1.0},
      year = {2026}
    }
    """
    names = [
        f"{{{person['name']}}}"
        if "name" in person
        else ", ".join(filter(None, (person["family-names"], person.get("given-names"))))
        for person in fields["authors"]
    ]
    entry = {"author": " and ".join(names), "title": fields["title"], "version": fields["version"]}
    entry["year"] = _year(fields)
    if place := _place(fields, address):
        entry["url"] = place
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in entry.items())
    return f"@software{{hsu,\n{lines}\n}}\n"


def _place(fields: Mapping[str, Any], address: str) -> str:
    return f"https://doi.org/{fields['doi']}" if fields.get("doi") else address


def _year(fields: Mapping[str, Any]) -> str:
    return re.match(r"\d{4}", str(fields["date-released"])).group()  # type: ignore[union-attr]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
