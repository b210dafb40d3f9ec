"""What the catalogue knows of a scene without opening its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hsu_lib.scene import Scene

Get = Callable[[str], bytes]
"""Content of a registered file, ``"samson/end3.mat"`` for instance, its checksum verified."""

Read = Callable[[str, Get], Scene]
"""Makes a scene from the name of a reference and the content of its files."""


@dataclass(frozen=True)
class SceneInfo:
    """One scene of the catalogue.

    Parameters
    ----------
    name, title, summary
        Name to load it by, its name in prose, and two or three sentences on what it shows.
    kind
        ``"public"`` (measured), ``"synthetic"`` (generated) or ``"semi-real"`` (measured maps and
        spectra, mixed by us).
    size
        ``(bands, height, width)``.
    references
        What each reference is, in one sentence; the first is the usual one. A "ground truth" is
        named for what it is.
    materials
        Materials of each reference.
    files
        Registered files that every reference needs; empty for a generated scene.
    reference_files
        Further files by reference.
    unit
        How the stored numbers become `Scene.Y`.
    cautions
        What was checked, and what to keep in mind when scores are read.
    licence, citation, page
        As the source states them; `page` is where a person reads about it.
    definition
        Number of our definition of the scene: it rises when reader or generator return other values.
    """

    name: str
    title: str
    summary: str
    kind: Literal["public", "synthetic", "semi-real"]
    size: tuple[int, int, int]
    references: Mapping[str, str]
    materials: Mapping[str, tuple[str, ...]]
    unit: str
    cautions: str
    licence: str
    citation: str
    page: str
    definition: int
    files: tuple[str, ...] = ()
    reference_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def usual(self) -> str:
        """Name of the reference that is taken where none is asked for."""
        return next(iter(self.references))

    def needs(self, reference: str) -> tuple[str, ...]:
        """Registered files that this reference is read from."""
        return self.files + self.reference_files.get(reference, ())

    @property
    def all_files(self) -> tuple[str, ...]:
        """Every registered file of the scene, those of all its references included."""
        further = (file for files in self.reference_files.values() for file in files)
        return tuple(dict.fromkeys((*self.files, *further)))  # end3.mat serves two references
