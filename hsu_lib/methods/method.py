"""What a method is: a function, its settings, and one border at which every request is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any, Literal, Protocol

import numpy as np

from hsu_lib.scene import Scene, Unmixing

Kind = Literal["supervised", "blind"]


@dataclass(frozen=True)
class NoSettings:
    """For methods that have nothing to set."""


class Solve(Protocol):
    """The one function that a new method has to be."""

    def __call__(  # noqa: D102 (the class says it)
        self, scene: Scene, settings: Any, *, endmembers: int, seed: int, device: str, progress: bool
    ) -> Unmixing: ...


@dataclass(frozen=True)
class Method:
    """An unmixing method under its name.

    Parameters
    ----------
    name
        Slug used everywhere, for instance ``"ae-patches"``.
    summary
        One line for tables.
    kind
        ``"supervised"`` methods are given the endmembers (they take the scene's `E`); ``"blind"`` ones
        find them.
    solve
        ``solve(scene, settings, *, endmembers, seed, device, progress) -> Unmixing``.
    settings
        Frozen dataclass that checks its own values; its field defaults are the only home of defaults.
    defaults
        Values by which this method differs from the dataclass's defaults (two methods may share a file).
    source
        Paper, or document and section.
    version
        Raised whenever results change; part of every stored run's key.
    quick
        Settings under which it does all that it does, on a small scene in about a second: those of the
        contract tests and of the golden numbers.
    """

    name: str
    summary: str
    kind: Kind
    solve: Solve
    settings: Callable[..., Any] = NoSettings
    defaults: tuple[tuple[str, Any], ...] = ()
    source: str = ""
    version: int = 1
    quick: tuple[tuple[str, Any], ...] = ()

    def configure(self, **settings: Any) -> Any:
        """Settings object with the given values, the method's defaults for the rest.

        Raises
        ------
        ValueError
            For a setting that does not exist (the known ones are listed) or a value out of range.
        """
        known = [f.name for f in fields(self.settings)]  # type: ignore[arg-type]
        for name in settings:
            if name not in known:
                close = get_close_matches(name, known, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"{self.name} has no setting {name!r}.{hint} Known: {', '.join(known) or 'none'}"
                )
        return self.settings(**{**dict(self.defaults), **settings})

    def describe(self) -> list[dict[str, Any]]:
        """One row per setting: name, default, source (from the field's metadata)."""
        own = dict(self.defaults)
        return [
            {
                "setting": f.name,
                "default": own.get(f.name, None if f.default is MISSING else f.default),
                "source": f.metadata.get("source", ""),
            }
            for f in fields(self.settings)  # type: ignore[arg-type]
        ]

    def unmix(
        self,
        scene: Scene,
        *,
        endmembers: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        progress: bool = False,
        **settings: Any,
    ) -> Unmixing:
        """Estimate endmembers and abundances of a scene.

        Parameters
        ----------
        scene
            The image; supervised methods also take its `E`. It is not changed.
        endmembers
            How many to look for; by default as many as the scene's reference has.
        seed
            Seed of everything random: the same seed on the same device gives the same result.
        device
            ``"cpu"``, ``"cuda"`` or any other torch device.
        progress
            Show a progress bar on stderr.
        **settings
            Fields of the method's settings; ``hsu methods NAME`` lists them.

        Returns
        -------
        Unmixing
            With `A` that fulfils ANC and ASC.

        Raises
        ------
        ValueError
            If the number of endmembers is missing, below one, or above bands or pixels; if a
            supervised method has no endmembers; if a setting is wrong.
        """
        configured = self.configure(**settings)
        if self.kind == "supervised":
            if scene.E is None:
                raise ValueError(
                    f"{self.name} needs known endmembers and {scene.name} has none: give E to the scene, "
                    "or take a blind method (`hsu methods` lists them)"
                )
            if endmembers not in (None, scene.endmembers):
                raise ValueError(f"asked for {endmembers} endmembers, but E has {scene.endmembers}")
        count = scene.endmembers if endmembers is None else endmembers
        if count is None:
            raise ValueError(f"{scene.name} has no reference: say how many endmembers to look for")
        pixels = scene.height * scene.width
        if count < 1:
            raise ValueError(f"expected at least one endmember, got {count}")
        if count > scene.bands or (self.kind == "blind" and count > pixels):
            raise ValueError(
                f"{count} endmembers are more than {scene.name} can tell apart: it has {scene.bands} bands "
                f"and {pixels} pixels; ask for at most {min(scene.bands, pixels)}"
            )
        return self.solve(
            scene, configured, endmembers=count, seed=int(seed), device=device, progress=progress
        )


def settings_dict(settings: Any) -> Mapping[str, Any]:
    """Settings as JSON-ready values."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in asdict(settings).items()
    }
