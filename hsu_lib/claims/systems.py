"""Which systems the documents name, and what stands for each here: ``book/reported/systems.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

import yaml

from hsu_lib import paths
from hsu_lib.claims.documents import SOURCES, reported


@dataclass(frozen=True)
class System:
    """A procedure for unmixing, or for a step of it, that a document names.

    Parameters
    ----------
    name
        As the field writes it; in brackets what else a document calls it.
    named
        Document to the places that name it, beside those with its figures.
    slugs
        What it is called in the files of reported figures; several where it is reported under several names.
    methods, estimators
        What runs it here: names of the catalogue, and of ``methods.rank``.
    conditions
        Names of ``conditions.yaml``: variants that a document names, of these methods.
    why_not
        Why nothing runs it here, a sentence.
    note
        What is to be known of it.

    Raises
    ------
    ValueError
        If no document names it, or one that is none; unless either something runs it or it is said why not.
    """

    name: str
    named: Mapping[str, str] = field(default_factory=dict)
    slugs: Sequence[str] = ()
    methods: Sequence[str] = ()
    conditions: Sequence[str] = ()
    estimators: Sequence[str] = ()
    why_not: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if strange := set(self.named) - set(SOURCES):
            raise ValueError(
                f"{self.name}: no document {', '.join(sorted(strange))}; known: {', '.join(SOURCES)}"
            )
        if not self.where:
            raise ValueError(f"{self.name}: expected a document that names it or has figures of it")
        if bool(self.methods or self.estimators) == bool(self.why_not):
            raise ValueError(f"{self.name}: expected either methods or estimators, or why_not")

    @property
    def runs(self) -> bool:
        """Whether it can be run here."""
        return not self.why_not

    @property
    def where(self) -> dict[str, str]:
        """Document to the places that name it, tables with its figures first; in the documents' order."""
        found = {}
        for source in SOURCES:
            rows = reported(source)
            tables = rows.loc[rows["method"].isin(self.slugs), "table"].unique()
            numbers = [table.removeprefix("Table ") for table in tables if table.startswith("Table ")]
            places = [f"Table{'s' * (len(numbers) > 1)} {', '.join(numbers)}"] if numbers else []
            places += [table for table in tables if not table.startswith("Table ")]
            places += [self.named[source]] if source in self.named else []
            if places:
                found[source] = "; ".join(places)
        return found

    @property
    def figures(self) -> int:
        """How many figures the documents report of it, settings apart."""
        return sum(
            int((rows["method"].isin(self.slugs) & ~rows["metric"].str.startswith("setting-")).sum())
            for rows in map(reported, SOURCES)
        )


def read_systems(text: str) -> list[System]:
    """Systems from YAML such as that of ``systems.yaml``, in its order.

    Raises
    ------
    ValueError
        If an entry has an unknown field, or is not what `System` expects; if two have one name or slug.
    """
    found = [_system(says) for says in yaml.safe_load(text)["systems"]]
    for what in ([s.name for s in found], [slug for s in found for slug in s.slugs]):
        if twice := sorted({name for name in what if what.count(name) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
    return found


def _system(says: Mapping[str, Any]) -> System:
    known = [f.name for f in fields(System)]
    if strange := [name for name in says if name not in known]:
        raise ValueError(f"{says.get('name')}: no field {', '.join(strange)}; known: {', '.join(known)}")
    return System(**says)


@cache
def systems() -> Sequence[System]:
    """Every system that the documents name."""
    return read_systems(_file())


@cache
def own() -> Mapping[str, str]:
    """Methods of the catalogue that stand for none of them, each with what it is for."""
    return yaml.safe_load(_file())["own"]


def _file() -> str:
    return (paths.reported() / "systems.yaml").read_text(encoding="utf-8")
