"""The command `hsu rank`: how many endmembers an image has by every estimator, with a scree plot."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from hsu_lib import scenes
from hsu_lib.atomic import write_atomically
from hsu_lib.errors import InputError, option
from hsu_lib.methods.rank import ESTIMATORS
from hsu_lib.publishing.scree import scree_panels
from hsu_lib.scene import Scene
from hsu_lib.scenes.own.image import open_part
from hsu_lib.scenes.own.reading import PLAIN, Reading
from hsu_lib.scenes.own.selection import WHOLE, Selection
from hsu_lib.unmixing.counting import Counted, counted
from hsu_lib.unmixing.outputs import check_place

_MADE_BY = "hsu rank"


def run(
    image: str,
    reading: Reading,
    selection: Selection,
    tell: Callable[[str], Any],
    *,
    out: Path | None = None,
    as_json: bool = False,
) -> Counted:
    """Tell how many endmembers each estimator finds and which number `hsu unmix` takes; draw eigenvalues.

    Parameters
    ----------
    image
        A file, or the name of a scene of the catalogue where there is no such file.
    reading, selection
        How a file is read, and which part of it is used.
    tell
        Takes a line.
    out
        Where the plot goes, as PNG or SVG; by default ``NAME-rank.png`` in the current folder.
    as_json
        One JSON object instead of lines.

    Raises
    ------
    InputError
        For anything that is wrong or in doubt about image, options or place.
    """
    out = _place(out or Path(f"{Path(image).stem}-rank.png"), Path(image))
    scene = _scene(image, reading, selection)
    found = counted(scene)
    marks = {ESTIMATORS[name].label: estimate.rank for name, estimate in found.found.items() if estimate.rank}
    pixels = scene.pixels if scene.mask is None else scene.Y[:, scene.mask]
    name = scene.name.encode(errors="replace").decode().replace("$", r"\$")  # no bytes and no formula
    figure = scree_panels({f"{name}: {scene.bands} bands, {scene.counting} pixels": (pixels, marks)})
    canvas = FigureCanvasSVG(figure) if out.suffix.lower() == ".svg" else FigureCanvasAgg(figure)
    metadata = {"Creator": _MADE_BY, "Date": None} if out.suffix.lower() == ".svg" else {"Software": _MADE_BY}
    file = io.BytesIO()
    canvas.print_figure(file, metadata=metadata, format=out.suffix[1:].lower())
    write_atomically(out, file.getvalue())
    if as_json:
        tell(json.dumps(_as_json(scene, found, out), indent=1))
        return found
    tell(f"{scene.name} ({scene.bands} bands, {scene.counting} pixels)")
    for note in scene.read:
        tell(f"- {note}")
    for line in _table(found):
        tell(line)
    if scene.endmembers is not None:
        tell(f"its reference has {scene.endmembers}")
    tell(f"hsu unmix without -p takes {found.number}: {found.why}")
    tell(str(out))
    return found


def _place(out: Path, image: Path) -> Path:
    """Where the plot goes, refused if it is no picture, cannot be written or is somebody else's."""
    if out.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"{option('out')}: expected a name that ends in .png or .svg, got {out}")
    check_place(out, [image])
    if out.exists() and _MADE_BY.encode() not in out.read_bytes()[:4000]:
        raise InputError(
            f"{out}: is there already, and no picture of {_MADE_BY}; give another {option('out')}"
        )
    return out


def _scene(image: str, reading: Reading, selection: Selection) -> Scene:
    path = Path(image).expanduser()
    if path.exists() or image not in scenes.names():
        if not path.exists() and not path.suffix:
            raise InputError(
                f"{image}: no such file, and no scene of that name; `hsu data list` has their names"
            )
        return open_part(path, reading, selection).scene()
    if selection != WHOLE or replace(reading, nodata=reading.nodata or None) != PLAIN:
        raise InputError(
            f"{image} is a scene of the catalogue, which is read as it is: options are for files"
        )
    return replace(scenes.load(image, progress=True), read=())


def _table(found: Counted) -> list[str]:
    """A line for each estimator, then what else there is to say of some."""
    lines, notes = ["estimator  finds  which is right if"], []
    for name, estimate in found.found.items():
        of, rank = ESTIMATORS[name], "-" if estimate.rank is None else estimate.rank
        lines.append(f"{of.label:9}  {rank:>5}  {of.assumes}")
        notes += [f"- {of.label} {estimate.note}"] if estimate.note else []
    return lines + notes


def _as_json(scene: Scene, found: Counted, out: Path) -> dict[str, Any]:
    return {
        "image": scene.name,
        "bands": scene.bands,
        "pixels": scene.counting,
        "read": scene.read,
        "reference": scene.endmembers,
        "estimators": [
            {
                "name": name,
                "rank": estimate.rank,
                "note": estimate.note,
                "assumes": ESTIMATORS[name].assumes,
                "source": ESTIMATORS[name].source,
            }
            for name, estimate in found.found.items()
        ],
        "taken": found.number,
        "why": found.why,
        "plot": str(out),
    }
