"""What the page *Explore* of the book shows, from published records and, where they are here, the scenes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib import paths, scenes
from hsu_lib.methods import METHODS
from hsu_lib.publishing import scores
from hsu_lib.publishing.explorer.answered import explained, used
from hsu_lib.publishing.explorer.conditions import Condition, conditions, slug, tell_apart
from hsu_lib.publishing.explorer.maps import published_map
from hsu_lib.publishing.explorer.names import called
from hsu_lib.publishing.explorer.opening import opening
from hsu_lib.publishing.explorer.packing import Packed, axis, packet, steps, write
from hsu_lib.publishing.explorer.told import SCORES, note, seedwise, sure
from hsu_lib.publishing.figures import composite, material_colour
from hsu_lib.publishing.outcomes import LOOKS
from hsu_lib.publishing.reference import page_of
from hsu_lib.publishing.standings import own_runs
from hsu_lib.runs import Record, Run, Store, sweep
from hsu_lib.runs.amounts import amounts
from hsu_lib.runs.choices import chosen_from
from hsu_lib.scene import Scene, SceneSpec
from hsu_lib.solvers.fclsu import fclsu

#: The group of runs whose seeds are not among those that decide.
EARLIER = "Earlier runs, which decide nothing"
#: Of larger scenes no spectrum of a pixel is shown.
MOST_PIXELS = 20_000
#: How the names of methods end whose abundances are least squares with their endmembers.
_LEAST_SQUARES = "fclsu"
#: The scene that needs no file, unmixed for this page: noise in dB, seeds, and a network for seconds.
_EMBEDDED, _NOISES, _SEEDS = "lagoon", (None, 20.0), range(3)
_SHORT = {"iterations": 300, "filters": 32}


def embedded_runs() -> list[Run]:
    """The runs of the scene that every machine has."""
    made = []
    for snr in _NOISES:
        for seed in _SEEDS:
            spec = SceneSpec(_EMBEDDED, snr_db=snr, noise_seed=seed if snr else 0)
            own = own_runs([spec], [seed], amounts("desk"))
            made += [run for run in own if run.method.endswith(_LEAST_SQUARES)]
            if snr is None:
                made += [Run("undip", spec, seed, settings=_SHORT, label="UnDIP, trained briefly")]
    return made


def export(folder: Path, *, store: Store | None = None, embedded: Sequence[Run] | None = None) -> int:
    """Write the data of the page into a folder; the bytes.

    Endmembers, scores and maps are those of published records. Where the maps of a condition's median seed
    are not published, they are those of the local store, or, if the scene is here, made again from the
    published endmembers by those methods that end in least squares. Pixels, composites, residuals and
    reference maps are those of scenes that are here.

    Parameters
    ----------
    folder
        Gets a script per packet.
    store
        By default the local one and the published records.
    embedded
        By default `embedded_runs`; runs of labels that are made if they are not stored.
    """
    store = store or Store()
    runs = embedded_runs() if embedded is None else list(embedded)
    published = Store(paths.nowhere(), store.published)
    records = list(published.records())
    found = conditions(records, choices=chosen_from(published.find))
    found += _of_runs(runs, store)
    tell_apart(found)
    folder.mkdir(parents=True, exist_ok=True)
    by_place: dict[str, list[Condition]] = defaultdict(list)
    for condition in found:
        by_place[condition.place].append(condition)
    often = Counter(some[0].scene.name for some in by_place.values())
    places = (Place(some, store, often[some[0].scene.name] == 1) for some in by_place.values())
    told = sorted((place.write(folder) for place in places), key=_order)
    claims = explained(found, told, {record.key: record.asked["method"] for record in records})
    header = {"scenes": told, "scores": _scores(), "looks": _looks(), "claims": claims}
    write(folder, "index", packet(header, {}))
    return sum(path.stat().st_size for path in folder.iterdir())


def _order(scene: Mapping[str, Any]) -> tuple[bool, int, str]:
    """Scenes with most to see first: without noise before others, then by the maps of runs that decide."""
    mapped = [bool(c["maps"]) and c["fresh"] for stage in scene["stages"] for c in stage["conditions"]]
    noisy = all(stage["noise"] is not None for stage in scene["stages"])
    return noisy, -sum(mapped), scene["place"]


def _of_runs(runs: Iterable[Run], store: Store) -> list[Condition]:
    """Conditions of runs with labels, made if they are not stored."""
    made = list(runs)
    found: dict[tuple[str, str], Condition] = {}
    for run, record in zip(
        made, sweep(made, store=store, progress=False).records if made else (), strict=True
    ):
        scene = replace(run.scene, noise_seed=0)
        condition = found.setdefault((str(scene), run.label), Condition(scene, run.label, run.method))
        condition.records[run.seed] = record
    return list(found.values())


def _scores() -> list[dict[str, Any]]:
    units = {name: scores.unit(name) for name in SCORES}
    return [
        {"name": n, "title": SCORES[n], "better": scores.better(n), **unit._asdict()}
        for n, unit in units.items()
    ]


def _looks() -> dict[str, dict[str, str]]:
    return {word: {"name": k.name, "path": k.path, "says": k.says} for word, k in LOOKS.items()}


class Place:
    """A scene with a reference, and its conditions: noise by noise.

    Parameters
    ----------
    some
        The conditions.
    store
        Where maps are looked for.
    alone
        Whether the scene is shown with no other reference.
    """

    def __init__(self, some: Sequence[Condition], store: Store, alone: bool = True) -> None:
        self.conditions, self.store = some, store
        self.name = some[0].place
        self.spec = replace(some[0].scene, snr_db=None)
        self.info = scenes.describe(self.spec.name)
        self.reference = self.spec.reference or self.info.usual
        _, height, width = self.info.size
        self.large = height * width > MOST_PIXELS
        told = f", reference {self.reference}" if self.spec.reference or not alone else ""
        self.title = self.info.title + told
        here = scenes.is_available(self.spec)
        self.scene = scenes.load(self.spec, download=False) if here else None

    def write(self, folder: Path) -> dict[str, Any]:
        """Write its packets; what the index tells of it."""
        whole = self.scene is not None and not self.large
        if whole:
            write(folder, f"pixels-{slug(self.name)}", self._pixels())
        noises: dict[float | None, list[Condition]] = defaultdict(list)
        for condition in self.conditions:
            noises[condition.scene.snr_db].append(condition)
        return {
            "place": self.name,
            "title": self.title,
            "pixels": f"pixels-{slug(self.name)}" if whole else "",
            "stages": [self._stage(folder, snr, some) for snr, some in noises.items()],
        }

    def _pixels(self) -> bytes:
        """The image before noise is added: each band in steps between its own ``low`` and ``high``."""
        assert self.scene is not None
        Y = self.scene.pixels
        low, high = np.nanmin(Y, axis=1), np.nanmax(Y, axis=1)
        part = (Y - low[:, None]) / np.maximum(high - low, 1e-9)[:, None]
        ends = {"low": steps(low, np.uint16), "high": steps(high, np.uint16)}
        return packet({}, {"Y": steps(part, ends=(0, 1)), **ends})

    def _stage(self, folder: Path, snr: float | None, some: Sequence[Condition]) -> dict[str, Any]:
        """The packets of one noise."""
        file = slug(str(replace(self.spec, snr_db=snr)))
        told: list[dict[str, Any]] = []
        maps: dict[str, NDArray] = {}
        for condition in some:
            shown = self._shown(condition)
            write(
                folder,
                f"{file}--{condition.slug}",
                packet({"status": _status(condition)}, self._arrays(shown)),
            )
            if condition.median is not None and "A" in (arrays := shown[condition.median].arrays):
                maps[condition.slug] = arrays["A"]
            told.append(
                {
                    "slug": condition.slug,
                    "name": condition.name,
                    "method": condition.method,
                    "called": called(condition.method),
                    "about": METHODS[condition.method].summary,
                    "href": page_of(METHODS[condition.method]),
                    "settings": condition.settings,
                    "given": condition.given,
                    "note": note(condition),
                    "fresh": condition.fresh,
                    "group": "" if condition.fresh else EARLIER,
                    "seeds": sorted(condition.records),
                    "maps": sorted(seed for seed, record in shown.items() if "A" in record.arrays),
                    "median": condition.median if condition.ranked else None,
                    "file": f"{file}--{condition.slug}",
                }
            )
        write(folder, file, self._about(snr, some))
        told.sort(key=lambda c: (not c["fresh"], not (c["fresh"] or c["maps"]), c["name"].lower()))
        first = [condition.slug for condition in opening(some, maps)]
        return {"noise": snr, "file": file, "conditions": told, "first": first}

    def _about(self, snr: float | None, some: Sequence[Condition]) -> bytes:
        """What a stage is, its reference, and the scores and claims of its runs."""
        names = self.info.materials[self.reference]
        by_seed = {condition.slug: seedwise(condition, names) for condition in some}
        header = {
            "summary": self.info.summary,
            "reference": self.info.references[self.reference],
            "size": self.info.size,
            "materials": names,
            "colours": [material_colour(name, k) for k, name in enumerate(names)],
            "notes": self._notes(some),
            "axis": axis(self.info.size[0], None if self.scene is None else self.scene.wavelengths),
            "scores": by_seed,
            "sure": {name: sure(some, _of(by_seed, name), scores.better(name)) for name in SCORES},
            "claims": used(some),
        }
        arrays = {}
        if self.scene is not None:
            noisy = self.scene if snr is None else scenes.load(replace(self.spec, snr_db=snr), download=False)
            arrays["composite"] = steps(composite(noisy), ends=(0, 1))
            if self.scene.E is not None:
                arrays["E"] = steps(self.scene.E, np.uint16)
            if self.scene.A is not None:
                arrays["A"] = steps(self.scene.A, ends=(0, 1))
        return packet(header, arrays)

    def _notes(self, some: Sequence[Condition]) -> list[str]:
        """What is not shown of the scene, and why; what stands between backticks is a command."""
        notes = ["One method was run here: there is no other to compare with."] if len(some) == 1 else []
        if self.scene is None:
            fetch = f"`hsu data fetch {self.spec.name}`, then `hsu book`"
            notes.append(
                "The scene's pixels and reference maps are not part of the book; to see them here, with "
                f"composite and residuals: {fetch}."
            )
        elif self.large:
            notes.append("Spectra of so many pixels are left out.")
        if self.scene is not None and self.scene.A is None:
            notes.append("The scene has no reference abundances, so nothing tells how near maps are to them.")
        return notes

    def _shown(self, condition: Condition) -> dict[int, Record]:
        """Records by seed; that of the median with abundances published, stored here or by least squares."""
        return {
            seed: self._with_maps(record) if seed == condition.median else record
            for seed, record in condition.records.items()
        }

    def _with_maps(self, record: Record) -> Record:
        if "A" in record.arrays:
            return record
        for found in (published_map(record.key), self.store.find(record.key, local=True)):
            if found is not None and "A" in found.arrays:
                return replace(record, arrays={**record.arrays, "A": found.arrays["A"]})
        if self.scene is None or not record.asked["method"].endswith(_LEAST_SQUARES):
            return record
        scene = self._image(record)
        A = fclsu(scene.pixels, record.arrays["E"]).reshape(-1, scene.height, scene.width)
        return replace(record, arrays={**record.arrays, "A": A})

    def _image(self, record: Record) -> Scene:
        """The image that a run was given."""
        assert self.scene is not None
        return self.scene if record.scene.snr_db is None else scenes.load(record.scene, download=False)

    def _arrays(self, shown: Mapping[int, Record]) -> dict[str, Packed]:
        """Endmembers of every seed; abundances and residual of those that have maps."""
        arrays = {}
        for seed, record in sorted(shown.items()):
            arrays[f"E/{seed}"] = steps(record.arrays["E"], np.uint16)
            if "A" in record.arrays:
                arrays[f"A/{seed}"] = steps(record.arrays["A"], ends=(0, 1))
                if self.scene is not None:
                    arrays[f"residual/{seed}"] = steps(residual(self._image(record), record), np.uint16)
        return arrays


def residual(scene: Scene, record: Record) -> NDArray[np.float64]:
    """Root mean square over the bands of image minus ``E A``, shape ``(height, width)``, in reflectance."""
    E, A = record.arrays["E"], record.arrays["A"]
    model = np.tensordot(E.astype(np.float64), A, axes=1)
    return np.sqrt(((scene.Y - model) ** 2).mean(axis=0))


def _of(by_seed: Mapping[str, Mapping[str, Any]], score: str) -> dict[str, Any]:
    return {name: by_score[score] for name, by_score in by_seed.items()}


def _status(condition: Condition) -> dict[str, str]:
    return {str(seed): record.status.lower() for seed, record in condition.records.items()}
