"""The contract: what a method needs, the problem it is given, and one border that checks every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

from hsu_lib.learning.checkpoints import Checkpoint
from hsu_lib.learning.labels import Labels
from hsu_lib.methods.masked import (
    compact,
    filled,
    labels_within,
    put_back,
    taken_out,
    truth_within,
)
from hsu_lib.methods.settings import Settings
from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.scenes.library import SpectralLibrary

#: What a method does: pick endmembers among the pixels; take them as given; choose them from a library; find
#: them with the abundances; let the spectrum of a material vary; learn from labelled pixels; or leave the
#: linear model.
Kind = Literal["extraction", "supervised", "sparse", "blind", "variability", "labelled", "nonlinear"]
#: What `Method.unmix` is given beside the scene. No setting of a method may have one of these names.
GIVEN = ("endmembers", "seed", "device", "progress", "start", "labels", "library", "truth", "checkpoint")


@dataclass(frozen=True)
class Needs:
    """What a method is given beside the image. Each is independent of the others, so that they combine.

    Parameters
    ----------
    endmembers
        The scene's own endmembers.
    library
        A spectral library to choose endmembers from, as many as the image asks for, or with a class for each
        of them: no number of them can be given. Its settings extend
        `hsu_lib.methods.sparse.library.LibrarySettings`.
    labels
        Pixels with known abundances; its settings extend `hsu_lib.methods.labelled.labels.LabelSettings`.
    truth
        What is known of the scene, for a history of errors: it watches, nothing depends on it.
    spatial
        A property: where pixels lie matters, because the abundances of one depend on its neighbours.
    first
        A first estimation: from the settings to the method that makes it, on the same scene with the same
        seed, and that method's settings.
    """

    endmembers: bool = False
    library: bool = False
    labels: bool = False
    truth: bool = False
    spatial: bool = False
    first: Callable[[Any], tuple[Method, Mapping[str, Any]]] | None = None


@dataclass(frozen=True)
class Problem:
    """All that a solver is given.

    With a method's defaults no reference reaches an estimate unless its needs declare so: a test.

    Parameters
    ----------
    scene
        The image. Its `E` is for methods that need endmembers, or whose settings ask for them.
    endmembers
        How many to find; how many spectra the library has, where there is one.
    seed
        Of everything random.
    device
        A torch device.
    progress
        Whether to show a progress bar; `label` is what it says.
    first, labels, library
        What `Needs` asks for, else None.
    truth
        What is known of the scene, for histories; empty where it is not needed.
    checkpoint
        Where a long computation keeps its state to go on after an interruption, or None.
    """

    scene: Scene
    endmembers: int
    seed: int = 0
    device: str = "cpu"
    progress: bool = False
    first: Unmixing | None = None
    labels: Labels | None = None
    library: SpectralLibrary | None = None
    truth: Truth = field(default_factory=Truth)
    checkpoint: Checkpoint | None = None

    @property
    def label(self) -> str | None:
        """What a progress bar says; None where none is wanted."""
        return f"{self.scene.name}, seed {self.seed}" if self.progress else None

    def chosen(self, X: np.ndarray, status: Status) -> Unmixing:
        """Unmixing of abundances ``(spectra, pixels)`` of the whole library: what any pixel has is active.

        It has the library's spectra as endmembers, in their order.
        """
        assert self.library is not None
        X = np.asarray(X, dtype=np.float32)
        active = np.flatnonzero((X > 0).any(axis=1) | ~np.isfinite(X).all(axis=1))
        E = self.library.spectra[:, active].astype(np.float32)
        return Unmixing(E, self.maps(X[active]), status, ordered=True, active=active)

    def maps(self, A: np.ndarray) -> np.ndarray:
        """Abundances ``(endmembers, pixels)`` as maps, float32, ``(endmembers, height, width)``."""
        return A.reshape(-1, self.scene.height, self.scene.width).astype(np.float32)


#: The one function that a new method has to be.
Solve = Callable[[Problem, Any], Unmixing]


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
        What it does; see `Kind`.
    solve
        ``solve(problem, settings) -> Unmixing``.
    settings
        Frozen dataclass that checks its own values; its field defaults are the only home of defaults.
    defaults
        Values by which this method differs from the dataclass's defaults (two methods may share a file).
    needs
        What it is given beside the image.
    source
        Paper, or document and section.
    asc
        Whether abundances sum to one in every pixel (ASC) whatever the settings. That they are not negative
        (ANC) every method promises.
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
    settings: type[Settings] = Settings
    defaults: tuple[tuple[str, Any], ...] = ()
    needs: Needs = Needs()
    source: str = ""
    asc: bool = True
    version: int = 1
    quick: tuple[tuple[str, Any], ...] = ()

    def configure(self, **settings: Any) -> Any:
        """Settings object with the given values, the method's defaults for the rest.

        Raises
        ------
        ValueError
            For a setting that does not exist (those that do are listed) or a value out of range.
        """
        names = [f.name for f in fields(self.settings)]
        for name in settings:
            if name not in names:
                close = get_close_matches(name, names, n=1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"{self.name} has no setting {name!r}.{hint} Known: {', '.join(names) or 'none'}"
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
            for f in fields(self.settings)
        ]

    def unmix(
        self,
        scene: Scene,
        *,
        endmembers: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        progress: bool = False,
        start: Unmixing | None = None,
        labels: Labels | None = None,
        library: SpectralLibrary | None = None,
        truth: Truth | None = None,
        checkpoint: Checkpoint | None = None,
        **settings: Any,
    ) -> Unmixing:
        """Estimate endmembers and abundances of a scene.

        Parameters
        ----------
        scene
            The image; supervised methods also take its `E`. It is not changed. Where it has a mask, a method
            is given the pixels that count, in a row; one that looks at neighbours (`Needs.spatial`) is given
            the whole image, what does not count filled with the nearest pixel that does.
        endmembers
            How many to look for; by default as many as the scene's reference (or that of its labels) has.
        seed
            Seed of everything random: the same seed on the same device gives the same result.
        device
            ``"cpu"``, ``"cuda"`` or any other torch device that computes in 64 bits.
        progress
            Show a progress bar on stderr.
        start
            First estimation, of a method that needs one; made here if it is not given. From one that
            diverged nothing can start: the outcome is that, diverged.
        labels
            Pixels to learn from, of a method that needs them; by default a part of the scene's own.
        library
            Spectra to choose from, of a method that needs them, in the bands and the unit of the scene.
        truth
            What is known of the scene, of a method that watches; by default the scene's own reference.
        checkpoint
            Where a long computation keeps its state.
        **settings
            Fields of the method's settings; ``hsu methods NAME`` lists them.

        Returns
        -------
        Unmixing
            With `A` that fulfils ANC, and ASC where the method promises it (`asc`), unless its status is
            DIVERGED; NaN where the scene's mask is False.

        Raises
        ------
        ValueError
            If the number of endmembers is missing, below one, or above bands or pixels, or is given though a
            library is chosen from; if something that the method needs is missing or does not fit; if a
            setting is wrong; if a method that looks at neighbours is given an image of which more than half
            does not count.
        """
        if scene.mask is not None:
            spatial = self.needs.spatial
            inner = filled(scene) if spatial else compact(scene)
            if self.needs.labels:
                labels = labels or self._own_labels(scene, self.configure(**settings), seed)
                if labels.scene is scene:
                    labels = labels_within(labels, inner, spatial=spatial)
            result = self.unmix(
                inner,
                endmembers=endmembers,
                seed=seed,
                device=device,
                progress=progress,
                start=None if start is None else taken_out(start, scene.mask, spatial=spatial),
                labels=labels,
                library=library,
                truth=None if truth is None else truth_within(truth, scene.mask, spatial=spatial),
                checkpoint=checkpoint,
                **settings,
            )
            return put_back(result, scene.mask)
        configured, needs = self.configure(**settings), self.needs
        if needs.endmembers and scene.E is None:
            raise ValueError(
                f"{self.name} needs known endmembers and {scene.name} has none: give E to the scene, "
                "or take a blind method (`hsu methods` lists them)"
            )
        if needs.labels:
            labels = labels or self._own_labels(scene, configured, seed)
            if labels.scene.mask is not None:
                without = (filled if needs.spatial else compact)(labels.scene)
                labels = labels_within(labels, without, spatial=needs.spatial)
            if labels.scene.bands != scene.bands:
                raise ValueError(
                    f"{labels.scene.name} has {labels.scene.bands} bands, {scene.name} {scene.bands}"
                )
        if needs.library:
            library = self._checked(library, scene, endmembers)
            count = library.spectra.shape[1]
        else:
            count = self._count(scene, endmembers, labels, start)
        if needs.first is not None:
            if start is None:
                method, theirs = needs.first(configured)
                start = method.unmix(
                    scene, endmembers=count, seed=seed, device=device, progress=progress, **theirs
                )
            shapes = (scene.bands, count), (count, scene.height, scene.width)
            if (start.E.shape, start.A.shape) != shapes:
                raise ValueError(
                    f"the first estimation, E {start.E.shape} and A {start.A.shape}, is not one of "
                    f"{scene.name}, Y {scene.Y.shape}, with {count} endmembers"
                )
            if not (np.isfinite(start.E).all() and np.isfinite(start.A).all()):
                return replace(start, status=Status.DIVERGED)
        return self.solve(
            Problem(
                scene,
                count,
                seed=int(seed),
                device=device,
                progress=progress,
                first=start if needs.first is not None else None,
                labels=labels if needs.labels else None,
                library=library if needs.library else None,
                truth=(Truth.of(scene) if truth is None else truth) if needs.truth else Truth(),
                checkpoint=checkpoint,
            ),
            configured,
        )

    def _own_labels(self, scene: Scene, settings: Any, seed: int) -> Labels:
        if settings.trained_on:
            raise ValueError(f"trained_on: give the pixels of {settings.trained_on} themselves, as `labels`")
        if scene.A is None:
            raise ValueError(
                f"{self.name} learns from known abundances and {scene.name} has none: "
                "set trained_on to a scene that has, or take a blind method (`hsu methods` lists them)"
            )
        return settings.labels(scene, seed)

    def _checked(
        self, library: SpectralLibrary | None, scene: Scene, endmembers: int | None
    ) -> SpectralLibrary:
        """The library, if it is there and fits."""
        if endmembers is not None:
            raise ValueError(f"{self.name} takes its endmembers from a library: give no number of endmembers")
        if library is None:
            raise ValueError(
                f"{self.name} chooses endmembers from a spectral library: give one as `library`, "
                "hsu_lib.scenes.library_of('usgs') for instance"
            )
        bands, count = library.spectra.shape
        if bands != scene.bands or count == 0:
            raise ValueError(
                f"a library of {count} spectra in {bands} bands for {scene.name} with {scene.bands}: "
                "bring it to the bands of the image, with SpectralLibrary.resampled for instance"
            )
        if not np.isfinite(library.spectra).all():
            raise ValueError("spectra of the library have no value in some bands: leave those bands out")
        return library

    def _count(
        self, scene: Scene, endmembers: int | None, labels: Labels | None, start: Unmixing | None
    ) -> int:
        """How many endmembers to find, checked."""
        given = scene if self.needs.endmembers else labels.scene if self.needs.labels and labels else None
        if given is not None and endmembers not in (None, given.endmembers):
            raise ValueError(f"asked for {endmembers} endmembers, but {given.name} has {given.endmembers}")
        count = (given or scene).endmembers if endmembers is None else endmembers
        if count is None and start is not None:
            count = start.E.shape[1]
        if count is None:
            raise ValueError(f"{scene.name} has no reference: say how many endmembers to look for")
        pixels = scene.height * scene.width
        if count < 1:
            raise ValueError(f"expected at least one endmember, got {count}")
        if given is None and count > min(scene.bands, pixels):
            raise ValueError(
                f"{count} endmembers are more than {scene.name} can tell apart: it has {scene.bands} bands "
                f"and {pixels} pixels; ask for at most {min(scene.bands, pixels)}"
            )
        return count
