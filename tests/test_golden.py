"""Golden numbers: what each method makes of one small scene, so that no change of results goes unseen.

``tests/golden/METHOD.json`` holds them, with the threads and the tolerances with which they are compared.
Where a method is changed on purpose, its version is raised and its numbers are taken anew::

    python -m pytest tests/test_golden.py --take-golden -k "[METHOD]"

That also measures the tolerances: how far the numbers move with two threads, and when the image is rounded
otherwise, as it is on another machine. Without ``-k`` it takes the numbers of all methods that need it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch
from toys import toy_library

from hsu_lib import metrics, scenes
from hsu_lib.methods import METHODS, get
from hsu_lib.runs import Run
from hsu_lib.runs.execution import examined
from hsu_lib.scene import Scene, SceneSpec

GOLDEN = Path(__file__).parent / "golden"
SCENE = SceneSpec("lagoon", crop=(16, 19, 24, 20))  # a fifth and more of each material
#: With most seeds some weight's first gradient is nearly zero, so that rounding decides its sign, and RMSprop
#: makes a full step of that: numbers move by 1e-3. Not with this one, in a hundred roundings of the image.
SEED = 5
SCORES = ("sad-endmembers", "rmse-abundances", "mse-reconstruction")
#: In histories, but no curves: which pixels are for testing, and how far from exact the constraints are.
NO_CURVES = ("test", "constraints")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads of torch inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def image(draw: int | None = None) -> Scene:
    """The scene; with a `draw`, rounded otherwise: up to half a unit in the last place is added first."""
    scene = scenes.load(SCENE)
    if draw is None:
        return scene
    unit = np.random.default_rng(draw).uniform(-1, 1, scene.Y.shape) * np.finfo(np.float32).eps / 2
    return replace(scene, Y=scene.Y * (1 + unit))


def projections(X: np.ndarray) -> list[float]:
    """Products with four random arrays: whatever changes in `X`, they change."""
    with_these = np.random.default_rng(0).standard_normal((4, X.size))
    return [digits(x) for x in with_these @ X.astype(np.float64).ravel() / np.sqrt(X.size)]


def digits(x: float) -> float:
    """Nine of them, which are as many as a float32 has."""
    return float(f"{x:.9g}")


def cases(name: str) -> dict[str, dict]:
    """Settings of the runs: the quick ones; then, where one is a choice of words or yes or no, each other.

    These train for one epoch: they show which way is taken, and rounding has less time to grow.
    """
    method, quick = get(name), dict(get(name).quick)
    configured = method.configure(**quick)
    once = quick | dict.fromkeys({"epochs", "first_epochs"} & quick.keys(), 1)
    found = {"quick": quick}
    for setting, kind in get_type_hints(method.settings).items():
        values = (True, False) if kind is bool else get_args(kind) if get_origin(kind) is Literal else ()
        others = [value for value in values if value != getattr(configured, setting)]
        found |= {f"{setting}={value}": once | {setting: value} for value in others}
    return found


def keys(name: str) -> dict[str, str]:
    """What is asked in each case: settings, scene, versions, also of the method that another starts from."""
    return {case: Run(name, SCENE, SEED, settings).key for case, settings in cases(name).items()}


def numbers(name: str, scene: Scene) -> dict[str, dict]:
    """Projections, scores, and where curves end, with the quick settings; projections in all other cases."""
    found = {}
    for case, settings in cases(name).items():
        method = get(name)
        labels = method.configure(**settings).labels(scene, SEED) if method.needs.labels else None
        library = toy_library(scene) if method.needs.library else None
        unmixing = method.unmix(scene, seed=SEED, labels=labels, library=library, **settings)
        unmixing = examined(unmixing, scene, labels) if labels else unmixing
        found[case] = {"E": projections(unmixing.E), "A": projections(unmixing.A)}
        if case == "quick":
            truth = metrics.Truth(library=library.spectra) if library else None
            scores, _ = metrics.score(unmixing, scene, truth)
            curves = {k: curve for k, curve in unmixing.history.items() if k not in NO_CURVES}
            found[case] |= {score: digits(scores[score]) for score in SCORES if score in scores}
            found[case] |= {f"history/{k}": digits(np.ravel(curve)[-1]) for k, curve in curves.items()}
    return found


def distance(new: float | list, old: float | list) -> float:
    """Largest difference, relative to the largest of the old numbers."""
    apart, size = np.abs(np.subtract(new, old)).max(), np.abs(old).max()
    return float(apart if apart == 0 else apart / size if size > 0 else np.inf)


def moved(new: dict, old: dict, tolerance: float) -> list[str]:
    """A line for each number that both have and that is elsewhere now."""
    return [
        f"{k}: was {old[k]}, is {new[k]}, differs by {distance(new[k], old[k]):.1g}"
        for k in sorted(new.keys() & old.keys())
        if not distance(new[k], old[k]) <= tolerance  # NaN is elsewhere, too
    ]


def tolerances(name: str, taken: dict[str, dict]) -> dict[str, float]:
    """For each case five times what rounding does to it, rounded up to a 1, 2 or 5, and no less than 1e-6."""
    steps = [float(f"{digit}e{power}") for power in range(-6, -2) for digit in (1, 2, 5)]
    with threads(2):
        others = [numbers(name, image())]
    others += [numbers(name, image(draw)) for draw in range(15)]
    found = {}
    for case, old in taken.items():
        apart = max(distance(other[case][k], old[k]) for other in others for k in old)
        if 5 * apart > steps[-1]:
            reason = f"{name}, {case}: rounding moves its numbers by {apart:.1g}; let `quick` train it less"
            pytest.fail(reason, pytrace=False)
        found[case] = next(step for step in steps if step >= 5 * apart)
    return found


def take(name: str) -> None:
    """Write the file of a method."""
    taken = numbers(name, image())
    content = {
        "method": name,
        "version": get(name).version,
        "keys": keys(name),
        "scene": str(SCENE),
        "seed": SEED,
        "settings": dict(get(name).quick),
        "threads": 1,
        "tolerances": tolerances(name, taken),
        "numbers": taken,
    }
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    lists_on_a_line = re.sub(r"\[[^]]+\]", lambda found: " ".join(found[0].split()), text)
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / f"{name}.json").write_text(lists_on_a_line + "\n")


def trouble(name: str) -> tuple[str, bool]:
    """What is wrong with a method's file, empty if nothing is; and whether its numbers may be taken anew."""
    file = GOLDEN / f"{name}.json"
    if not file.exists():
        return "has no golden numbers yet", True
    old = json.loads(file.read_text())
    if old["version"] != get(name).version:
        return f"is at version {get(name).version}, its golden numbers are of version {old['version']}", True
    if any(old["keys"].get(case, key) != key for case, key in keys(name).items()):
        return "is asked something else: its settings, the scene or what it starts from has changed", True
    new, lines = numbers(name, image()), []
    for case in sorted(new.keys() & old["numbers"].keys()):
        tolerance = old["tolerances"][case]
        found = moved(new[case], old["numbers"][case], tolerance)
        lines += [f"{case}: {line}, tolerance {tolerance:.0e}" for line in found]
    if lines:
        return "\n  ".join(["gives other numbers:", *lines]), False
    if {k: v.keys() for k, v in new.items()} != {k: v.keys() for k, v in old["numbers"].items()}:
        return "is asked for other numbers", True
    return "", True


@pytest.mark.parametrize("name", list(METHODS))
def test_results_are_those_of_this_version(name, request):
    with threads(1):
        wrong, may_take = trouble(name)
        if wrong and may_take and request.config.getoption("--take-golden"):
            take(name)
            pytest.skip(f"{name}: numbers taken; look at their difference before you commit")
    if wrong:
        mend = "" if may_take else "mend the code, or raise the version and "
        command = f'python -m pytest tests/test_golden.py --take-golden -k "[{name}]"'
        pytest.fail(f"{name} {wrong}\n{mend}run `{command}` to take the new numbers", pytrace=False)


def test_no_numbers_without_a_method():
    assert {file.stem for file in GOLDEN.iterdir()} <= set(METHODS)


def test_a_number_that_moves_is_told():
    old = {"A": [1.0, -4.0], "loss": 0.5, "zero": 0.0}
    assert moved(old, old, 1e-6) == []
    assert moved(old | {"A": [1.0 + 3e-6, -4.0]}, old, 1e-6) == []  # relative to the largest of them
    for change in ({"A": [1.0 + 5e-6, -4.0]}, {"loss": 0.500001}, {"loss": np.nan}, {"zero": 1e-20}):
        (line,) = moved(old | change, old, 1e-6)
        assert line.startswith(next(iter(change)))
