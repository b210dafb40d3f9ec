"""What an unmixing of one's own image leaves: a `Result`, as a file, as a `Scene`, as labelled arrays."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError
from hsu_lib.scene import Array, Scene

#: By what a file of this command is told from others.
MADE_BY = "hsu unmix"
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class Result:
    """Endmembers and abundances of an image, with all that is needed to know what they are.

    Parameters
    ----------
    E
        Endmembers, shape ``(bands, endmembers)``, in reflectance.
    A
        Abundances, shape ``(endmembers, height, width)``; NaN where no pixel counts.
    rmse
        Root mean square over the bands of image minus model, shape ``(height, width)``, in reflectance.
    materials
        One name per endmember.
    status
        How the method ended, a sentence.
    warnings
        What is degenerate about it, a sentence each; see `hsu_lib.unmixing.diagnosis`.
    wavelengths, mask, kept, georeference
        As those of `Scene`.
    name
        Of the image.
    read
        How the image, and what was given beside it, were read, a sentence each.
    about
        Method, settings, seed, device, versions, files: JSON-ready.
    labels
        Names of the pixels' dimensions, ``"dims"``, and their ``"coords"``, of labelled arrays that were
        given; not kept in a file.
    """

    E: Array
    A: Array
    rmse: Array
    materials: tuple[str, ...]
    status: str = ""
    warnings: tuple[str, ...] = ()
    wavelengths: NDArray | None = None
    mask: NDArray[np.bool_] | None = None
    kept: NDArray[np.intp] | None = None
    georeference: Mapping[str, Any] | None = None
    name: str = "image"
    read: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] | None = None

    @property
    def endmembers(self) -> Any:
        """`E`, labelled with wavelengths and names where xarray is installed."""
        return self.to_xarray()["endmembers"] if _has_xarray() else self.E

    @property
    def abundances(self) -> Any:
        """`A`, labelled with names and coordinates where xarray is installed."""
        return self.to_xarray()["abundances"] if _has_xarray() else self._as_given(self.A)

    @property
    def residual(self) -> Any:
        """`rmse`, labelled with coordinates where xarray is installed."""
        return self.to_xarray()["residual"] if _has_xarray() else self._as_given(self.rmse)

    def _as_given(self, maps: Array) -> Array:
        """Maps of pixels in a row without the height of 1 that they have here."""
        in_a_row = self.labels is not None and len(self.labels["dims"]) == 1
        return maps[..., 0, :] if in_a_row else maps

    def scene(self) -> Scene:
        """The image as the model has it, ``E A``, with endmembers and abundances as its reference."""
        height, width = self.A.shape[1:]
        with np.errstate(invalid="ignore"):
            Y = (self.E @ self.A.reshape(len(self.A), -1)).reshape(-1, height, width)
        return Scene(
            Y,
            E=self.E,
            A=self.A,
            materials=self.materials,
            wavelengths=None if self.wavelengths is None else self.wavelengths.astype(np.float32),
            name=self.name,
            reference=f"model E A of an unmixing by {self.about.get('method', 'hand')}",
            mask=self.mask,
            kept=self.kept,
            georeference=self.georeference,
            read=self.read,
        )

    def to_xarray(self) -> Any:  # an xarray.Dataset, which may not be there
        """Labelled arrays: endmembers, abundances, residual; coordinates and coordinate system where known.

        Raises
        ------
        InputError
            If xarray is not installed.
        """
        from hsu_lib.unmixing.formats import dataset

        return dataset(self)

    def to_bytes(self) -> bytes:
        """Content of a ``.npz`` that `read_result` reads."""
        arrays: dict[str, Any] = {
            "E": self.E,
            "A": self.A,
            "residual": self.rmse,
            "materials": np.array(self.materials, dtype=np.str_),
            "about": np.array(self.to_json()),
        }
        if self.wavelengths is not None:
            arrays["wavelengths"] = self.wavelengths
        if self.kept is not None:
            arrays["bands"] = self.kept + 1
        if self.mask is not None:
            arrays["mask"] = self.mask
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    def to_json(self) -> str:
        """All of it that is no array."""
        said = {
            "made_by": MADE_BY,
            "format": _FORMAT,
            "name": self.name,
            "units": {"E": "reflectance", "A": "1", "residual": "reflectance", "wavelengths": "nm"},
            "status": self.status,
            "warnings": self.warnings,
            "read": self.read,
            "georeference": self.georeference,
            **self.about,
        }
        return json.dumps(said, indent=1, default=str)


def read_result(path: str | Path) -> Result:
    """Result of a ``.npz`` of `hsu unmix`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If it is none.
    """
    path = Path(path).expanduser()
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
        about = json.loads(str(held["about"]))
        if about.pop("made_by") != MADE_BY:
            raise KeyError("made_by")
        return Result(
            held["E"],
            held["A"],
            held["residual"],
            tuple(held["materials"].tolist()),
            wavelengths=held.get("wavelengths"),
            mask=held.get("mask"),
            kept=held["bands"] - 1 if "bands" in held else None,
            status=about.pop("status"),
            warnings=tuple(about.pop("warnings")),
            read=tuple(about.pop("read")),
            georeference=_place(about.pop("georeference")),
            name=about.pop("name"),
            about={key: value for key, value in about.items() if key not in ("format", "units")},
        )
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except Exception as error:
        raise InputError(f"{path}: is no result of {MADE_BY}, or damaged ({error})") from error


def _place(georeference: dict[str, Any] | None) -> dict[str, Any] | None:
    """As it was before JSON made lists of tuples."""
    if georeference is None:
        return None
    return {key: tuple(value) if isinstance(value, list) else value for key, value in georeference.items()}


def _has_xarray() -> bool:
    return importlib.util.find_spec("xarray") is not None
