"""What is asked of a method: a `Run`, and the key under which its answer is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hsu_lib import methods, scenes
from hsu_lib.methods.settings import asked as asked_settings
from hsu_lib.runs.canonical import digest, to_json
from hsu_lib.scene import SceneSpec
from hsu_lib.scenes.catalogue import library_version

#: What is added to a noise seed for the scene that is learnt from, so that both have draws of their own.
_OTHER_DRAW = 1_000_003


@dataclass(frozen=True)
class Run:
    """One unmixing to be made: method, scene, seed, settings.

    Parameters
    ----------
    method
        Name in `hsu_lib.methods.METHODS`.
    scene
        Which scene, and what is done to it.
    seed
        Seed of the method.
    settings
        Settings that differ from the method's defaults; checked here.
    endmembers
        How many; None for as many as the scene's reference has.
    label
        What a chapter calls this condition; not part of the key.
    """

    method: str
    scene: SceneSpec
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    endmembers: int | None = None
    label: str = ""

    def __post_init__(self) -> None:
        methods.get(self.method).configure(**self.settings)  # a typing error is told before the work

    def asked(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON-ready values; all settings are spelt out."""
        method, first = methods.get(self.method), self.first
        return (
            {
                "method": self.method,
                "method_version": method.version,
                "settings": dict(asked_settings(method.configure(**self.settings))),
                "scene": self.scene.to_dict(),
                "scene_version": scenes.version(self.scene),
                "seed": self.seed,
                "endmembers": self.endmembers,
            }
            | ({} if first is None else {"first": first.asked()})
            | self._asked_training()
            | self._asked_library()
        )

    @classmethod
    def from_asked(cls, asked: Mapping[str, Any]) -> Run:
        """The run that a record answers, from its `Record.asked`."""
        scene = SceneSpec.from_dict(asked["scene"])
        return cls(asked["method"], scene, asked["seed"], asked["settings"], asked["endmembers"])

    @property
    def first(self) -> Run | None:
        """Run from whose result this one starts (see `hsu_lib.methods.method.Needs`), or None."""
        method = methods.get(self.method)
        if method.needs.first is None:
            return None
        other, settings = method.needs.first(method.configure(**self.settings))
        return Run(other.name, self.scene, self.seed, settings, self.endmembers)

    @property
    def training(self) -> SceneSpec | None:
        """Scene whose labels this learns from, if it is another one (see `hsu_lib.methods.method.Needs`).

        It has as much noise as the scene itself, in another draw, and its reference of the same name if
        there is one.
        """
        method = methods.get(self.method)
        name = method.configure(**self.settings).trained_on if method.needs.labels else ""
        if not name:
            return None
        theirs = self.scene.reference in scenes.describe(name).references
        return SceneSpec(
            name,
            reference=self.scene.reference if theirs else "",
            snr_db=self.scene.snr_db,
            noise_seed=self.scene.noise_seed + _OTHER_DRAW,
        )

    def _asked_training(self) -> dict[str, Any]:
        spec = self.training
        return {} if spec is None else {"training": spec.to_dict() | {"version": scenes.version(spec)}}

    @property
    def library(self) -> str:
        """Which library this chooses from, by the names of `hsu_lib.scenes.library_of`; empty for none."""
        method = methods.get(self.method)
        if not method.needs.library:
            return ""
        return method.configure(**self.settings).chosen_from or self.scene.name

    def _asked_library(self) -> dict[str, Any]:
        checksum = library_version(self.library) if self.library else ""
        return {"library": checksum} if checksum else {}

    @property
    def key(self) -> str:
        """SHA-256 of what is asked, in canonical JSON. The same question has the same key anywhere."""
        return digest(to_json(self.asked()))

    def __str__(self) -> str:
        return f"{self.label or self.method} on {self.scene}, seed {self.seed}"


def can_be_twin(run: Run) -> bool:
    """Whether the scene's reference decides only scores and the number of endmembers."""
    first, needs = run.first, methods.get(run.method).needs
    return not (needs.endmembers or needs.library or needs.labels or needs.truth) and (
        first is None or can_be_twin(first)
    )
