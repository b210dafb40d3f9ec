"""The command `hsu explore`: results of one's own on a page that opens from a folder."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hsu_lib.errors import InputError, option
from hsu_lib.metrics import align
from hsu_lib.publishing import explorer
from hsu_lib.publishing.explorer.conditions import slug
from hsu_lib.publishing.explorer.packing import axis, packet, steps, write
from hsu_lib.publishing.figures import composite, material_colour
from hsu_lib.unmixing.result import Result, read_result

_MADE_BY = "hsu explore"
#: Of a larger image every second, third or further row and column is shown.
MOST_PIXELS = 500_000


def explore(paths: Sequence[Path], out: Path | None = None) -> Path:
    """Write a page that shows results; its address, ``OUT/index.html``.

    Results of one size, with as many bands and the same names of endmembers, can be seen side by side; the
    endmembers of further ones are matched to those of the first by spectral angle.

    Parameters
    ----------
    paths
        Files of `hsu unmix`.
    out
        Folder of the page; by default ``NAME-explorer`` in the current folder, after the first file.

    Raises
    ------
    FileNotFoundError, InputError
        As of `read_result`; an `InputError` too where `out` holds what this command did not make.
    """
    results = {path: read_result(path) for path in paths}
    out = Path(f"{paths[0].stem}-explorer") if out is None else out
    page, data = out / "index.html", out / "data"
    there = out.is_dir() and any(out.iterdir())
    if out.is_file() or (there and not (page.is_file() and _MADE_BY in page.read_text(encoding="utf-8"))):
        raise InputError(f"{out}: is there already, and no page of {_MADE_BY}; give another {option('out')}")
    shutil.rmtree(data, ignore_errors=True)
    explorer.lay_out(data)
    alike: dict[Any, dict[Path, Result]] = defaultdict(dict)
    for path, result in results.items():
        alike[result.A.shape, result.E.shape, result.materials][path] = result
    told = [_scene(data, f"image-{k}", some) for k, some in enumerate(alike.values())]
    write(data, "index", packet({"scenes": told, "scores": [], "looks": {}, "claims": {}}, {}))
    page.write_text(explorer.page("data/", f"{paths[0].stem}, by {_MADE_BY}"), encoding="utf-8")
    return page


def _scene(folder: Path, file: str, results: dict[Path, Result]) -> dict[str, Any]:
    """Packets of results that can be seen side by side; what the index tells of them."""
    first = next(iter(results.values()))
    _, height, width = first.A.shape
    every = int(np.ceil(np.sqrt(height * width / MOST_PIXELS)))
    names = _names(results)
    told = []
    for path, result in results.items():
        seed = int(result.about.get("seed", 0))
        order = align(result.E, first.E)
        arrays = {
            f"E/{seed}": steps(result.E[:, order], np.uint16),
            f"A/{seed}": steps(result.A[order, ::every, ::every], ends=(0, 1)),
            f"residual/{seed}": steps(result.rmse[::every, ::every], np.uint16),
        }
        name = f"{file}--{slug(names[path])}"
        write(folder, name, packet({"status": {}}, arrays))
        told.append(
            {
                "slug": slug(names[path]),
                "name": names[path],
                "method": str(result.about.get("method", "")),
                "called": str(result.about.get("method", "")),
                "given": "",
                "note": "",
                "fresh": False,
                "group": "",
                "seeds": [seed],
                "maps": [seed],
                "median": seed,
                "file": name,
            }
        )
    scene = first.scene()
    shown = composite(scene)[::every, ::every]
    header = {
        "summary": f"{height} x {width} pixels, {scene.bands} bands.",
        "reference": "",
        "size": (scene.bands, *shown.shape[:2]),
        "materials": first.materials,
        "colours": [material_colour(name, k) for k, name in enumerate(first.materials)],
        "axis": axis(scene.bands, first.wavelengths),
        "scores": {},
        "claims": [],
        "notes": _notes(results, names, every),
    }
    arrays = {"composite": steps(shown, ends=(0, 1))}
    write(folder, file, packet(header, arrays))
    opening = [condition["slug"] for condition in told[:2]]
    stage = {"noise": None, "file": file, "conditions": told, "first": opening}
    return {"place": slug(names[next(iter(results))]), "title": first.name, "pixels": "", "stages": [stage]}


def _names(results: dict[Path, Result]) -> dict[Path, str]:
    """Method and file of each; a number behind what would occur twice."""
    found: dict[Path, str] = {}
    for path, result in results.items():
        name = f"{result.about.get('method', 'unmixing')} ({path.stem})"
        count = sum(slug(other) == slug(name) for other in found.values())
        found[path] = f"{name} {count + 1}" if count else name
    return found


def _notes(results: dict[Path, Result], names: dict[Path, str], every: int) -> list[str]:
    notes = ["The composite is of endmembers times abundances: a result does not hold the image."]
    if len(results) > 1:
        notes.append("Endmembers are matched to those of the first result by spectral angle.")
    if every > 1:
        notes.append(f"Of rows and columns one in {every} is shown.")
    for path, result in results.items():
        notes += [f"{names[path]}: {text}" for text in (result.status, *result.warnings) if text]
    return notes
