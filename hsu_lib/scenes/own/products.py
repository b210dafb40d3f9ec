"""Products of imaging spectrometers in space, by their published structure; no real file was at hand.

PRISMA (ASI, HDF5), EMIT (NASA, NetCDF-4), EnMAP and DESIS (DLR, GeoTIFF with metadata in XML).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from hsu_lib.errors import InputError, brief
from hsu_lib.scenes.own.cube import Cube


def _is_prisma(file: Any) -> bool:
    return any(name.startswith("PRS_") for name in file.get("HDFEOS/SWATHS", ()))


def _prisma(path: Path, file: Any) -> Cube:
    """Level 2: cubes (lines, bands, samples) of two spectrometers, 0 to 65535 between two reflectances."""
    swaths = file["HDFEOS/SWATHS"]
    swath = next((name for name in swaths if re.fullmatch(r"PRS_L2\w?_HCO", name)), None)
    if swath is None:
        raise InputError(
            f"{path}: PRISMA swaths {', '.join(swaths)} hold no surface reflectance: take a product of "
            "level 2C or 2D"
        )
    fields = swaths[swath]["Data Fields"]
    parts, gains, offsets, centres, errors = [], [], [], [], []
    for sensor, key in (("VNIR", "Vnir"), ("SWIR", "Swir")):
        values = np.asarray(fields[f"{sensor}_Cube"]).transpose(1, 0, 2)
        low, high = (float(file.attrs[f"L2Scale{key}{end}"]) for end in ("Min", "Max"))
        listed = np.asarray(file.attrs[f"List_Cw_{key}"], dtype=np.float64).ravel()
        parts.append(values)
        centres.append(listed)
        gains.append(np.full(len(values), (high - low) / 65535))
        offsets.append(np.full(len(values), low))
        matrix = fields.get(f"{sensor}_PIXEL_L2_ERR_MATRIX")
        errors.append(0 if matrix is None else int(np.count_nonzero(matrix)))
    wavelengths = np.concatenate(centres)
    values = np.concatenate(parts)
    if len(wavelengths) != len(values):
        raise InputError(
            f"{path}: {len(wavelengths)} wavelengths for {len(values)} bands of a PRISMA product"
        )
    used = np.flatnonzero(wavelengths > 0)  # bands that the sensor does not use have 0
    order = used[np.argsort(wavelengths[used], kind="stable")]
    notes = ["PRISMA level 2", f"bands of both spectrometers in the order of their {len(order)} wavelengths"]
    if sum(errors):
        notes.append(f"{sum(errors)} values are marked in the product's error matrices, and were kept")
    return Cube(
        values[order],
        wavelengths=wavelengths[order],
        unit="nm",
        gains=np.concatenate(gains)[order],
        offsets=np.concatenate(offsets)[order],
        said="L2Scale attributes",
        notes=tuple(notes),
    )


def _is_emit(file: Any) -> bool:
    return "sensor_band_parameters" in file and ("reflectance" in file or "radiance" in file)


def _emit(path: Path, file: Any) -> Cube:
    """Level 2A: reflectance (downtrack, crosstrack, bands), bands of deep absorption marked not good."""
    if "reflectance" not in file:
        raise InputError(f"{path}: EMIT radiance is no reflectance: take the level 2A product (L2A_RFL)")
    held, about = file["reflectance"], file["sensor_band_parameters"]
    good = about.get("good_wavelengths")
    fill = np.ravel(held.attrs.get("_FillValue", -9999.0))
    return Cube(
        np.asarray(held).transpose(2, 0, 1),
        wavelengths=np.asarray(about["wavelengths"]),
        unit="nm",
        good=None if good is None else np.asarray(good) > 0,
        fill=tuple(float(value) for value in fill),
        said="good_wavelengths",
        notes=("EMIT level 2A, in the sensor's own rows and columns: not on its map",),
    )


#: Which HDF5 file is which product, and its reader.
PRODUCTS: tuple[tuple[Callable[[Any], bool], Callable[[Path, Any], Cube]], ...] = (
    (_is_prisma, _prisma),
    (_is_emit, _emit),
)


def with_metadata(path: Path, cube: Cube) -> Cube:
    """An EnMAP or DESIS image with wavelengths, gains and offsets of the ``...-METADATA.XML`` beside it."""
    match = re.fullmatch(r"(.+-)SPECTRAL_IMAGE\w*", path.stem, re.IGNORECASE)
    beside = {other.name.upper(): other for other in path.parent.iterdir()} if match else {}
    metadata = beside.get(f"{match[1]}METADATA.XML".upper()) if match else None
    if metadata is None:
        return cube
    try:
        found = ElementTree.parse(metadata).getroot().findall(".//bandCharacterisation/*")
        bands = [{part.tag.lower(): part.text or "" for part in band} | band.attrib for band in found]
        bands.sort(key=lambda band: int(band.get("number") or band.get("bandnumber") or 0))
        read = {
            key: np.array([float(band.get(key) or "nan") for band in bands])
            for key in ("wavelengthcenterofband", "gainofband", "offsetofband")
        }
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{metadata}: cannot be read, is it damaged? {brief(error)}") from error
    if len(bands) != len(cube.values):
        raise InputError(f"{metadata}: tells of {len(bands)} bands, {path.name} has {len(cube.values)}")
    known = {key: values for key, values in read.items() if np.isfinite(values).all()}
    return replace(
        cube,
        wavelengths=known.get("wavelengthcenterofband", cube.wavelengths),
        unit="nm",
        gains=known.get("gainofband", cube.gains),
        offsets=known.get("offsetofband", cube.offsets),
        fill=cube.fill or (-32768.0,),
        said=metadata.name,
        notes=(*cube.notes, "with the metadata beside it"),
    )


def gdal_linear(text: str, bands: int) -> dict[str, Any]:
    """Gains and offsets, as arguments of `Cube`, of the XML that GDAL keeps in a tag of a TIFF.

    Raises
    ------
    InputError
        If it has some that are no numbers of one of the bands.
    """
    found: dict[str, np.ndarray] = {}
    try:
        for item in ElementTree.fromstring(text).iter("Item"):
            name = {"scale": "gains", "offset": "offsets"}.get(item.get("role", "").lower())
            if name is not None:
                listed = found.setdefault(name, np.full(bands, 1.0 if name == "gains" else 0.0))
                listed[int(item.get("sample", "0"))] = float(item.text or "nan")
    except (ElementTree.ParseError, ValueError, IndexError) as error:
        raise InputError(f"GDAL_METADATA of a TIFF cannot be read: {brief(error)}; remove it") from error
    return found
