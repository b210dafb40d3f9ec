"""How long a run will take, from runs of the same method that are done."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from statistics import median
from typing import Any, NamedTuple

from hsu_lib import methods, scenes
from hsu_lib.runs.question import Run

_NUMBER = re.compile(r"(?:^|, )(\w+)=(\d+)(?=,|$)")
_LEARNT = re.compile(r"(?:^|, )trained_on=([^,]+)")
_WINDOW = re.compile(r"window of (\d+) x (\d+)")


class Estimate(NamedTuple):
    """Seconds of a run, and whether they were measured on the device in question."""

    seconds: float
    measured: bool


class Estimates:
    """Seconds by method: the median over known runs, scaled by the amount of training and of pixels.

    Runs on the device in question count, and only where there are none those on others; the same goes for
    the scene. What is observed while it is used counts before all.

    Parameters
    ----------
    rows
        Of known runs, as `hsu_lib.runs.store.Store.rows` gives them.
    device
        Its name in words, as in the rows; empty for any.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]] = (), device: str = "") -> None:
        # by method, then by how near the device is and by scene: seconds per amount, in ascending order
        self._rates: dict[str, dict[tuple[int, str], list[float]]] = {}
        for row in rows:
            numbers = {name: int(value) for name, value in _NUMBER.findall(row["settings"])}
            name = row["scene"].split(",")[0]
            if row["method"] in methods.METHODS and row["seconds"] > 0 and name in scenes.names():
                learnt, window = _LEARNT.search(row["settings"]), _WINDOW.search(row["scene"])
                if learnt and learnt[1] in scenes.names():
                    pixels = _pixels(learnt[1])
                else:
                    pixels = int(window[1]) * int(window[2]) if window else _pixels(name)
                here = bool(device) and row["device"].split(",")[0] == device.split(",")[0]
                work = amount(row["method"], numbers, pixels)
                self._note(row["method"], (1 if here else 0, name), row["seconds"] / work)

    def _note(self, method: str, place: tuple[int, str], rate: float) -> None:
        insort(self._rates.setdefault(method, {}).setdefault(place, []), rate)

    def observe(self, run: Run, seconds: float) -> None:
        """A run has taken so long, with all that goes with it."""
        self._note(run.method, (2, run.scene.name), seconds / _amount_of(run))

    def of(self, run: Run) -> Estimate | None:
        """Estimate of a run without what it starts from; None where nothing is known of its method."""
        rates = self._rates.get(run.method)
        if not rates:
            return None
        best = max((rank, name == run.scene.name) for rank, name in rates)
        chosen = [some for (rank, name), some in rates.items() if (rank, name == run.scene.name) == best]
        rate = _middle(chosen[0]) if len(chosen) == 1 else median(chain.from_iterable(chosen))
        return Estimate(rate * _amount_of(run), best[0] > 0)

    def seconds(self, run: Run) -> float | None:
        """Seconds of `of`."""
        found = self.of(run)
        return None if found is None else found.seconds


def _middle(ascending: Sequence[float]) -> float:
    """The median; no copy is sorted, since a long sweep asks for each of its runs."""
    count = len(ascending)
    return (ascending[(count - 1) // 2] + ascending[count // 2]) / 2


def _amount_of(run: Run) -> float:
    method = methods.get(run.method)
    settings = method.configure(**run.settings)
    names = (name for name in ("epochs", "images", "patches", "batch", "patch_size", "iterations", "filters"))
    numbers = {name: getattr(settings, name) for name in (*names, "patch") if hasattr(settings, name)}
    spec = run.training or run.scene
    return amount(run.method, numbers, spec.crop[2] * spec.crop[3] if spec.crop else _pixels(spec.name))


@cache
def _pixels(name: str) -> int:
    _, height, width = scenes.describe(name).size
    return height * width


def amount(method: str, settings: Mapping[str, int], pixels: int) -> float:
    """How much a method has to do, in a unit of its own: steps of training times what a step looks at.

    Parameters
    ----------
    settings
        Those that are whole numbers.
    pixels
        Of the scene, or of the one that is learnt from.
    """
    if "iterations" in settings:
        return settings["iterations"] * pixels * settings.get("filters", 1)
    epochs = settings.get("epochs", 1)
    if "patch_size" in settings:
        images, patches = settings.get("images", 1), settings["patches"]
        seen = min(settings["patch_size"] ** 2, pixels) if patches else pixels
        return epochs * images * max(patches, 1) * seen
    return epochs * pixels * settings.get("patch", 1) ** 2
