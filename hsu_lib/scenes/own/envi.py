"""ENVI images: a header in text, and the numbers beside it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from hsu_lib.scenes.own.stored import Stored


def header_of(path: Path) -> Path | None:
    """Header of an ENVI image, given either of the two files; None where no header lies beside the image."""
    if path.suffix.lower() == ".hdr":
        return path
    beside = (path.with_suffix(".hdr"), path.with_name(path.name + ".hdr"))
    return next((header for header in beside if header.is_file()), None)


def read_envi(path: Path, header: Path) -> Stored:
    """Image of a header, without the bands that it calls bad; wavelengths in nm."""
    from spectral.io import envi
    from spectral.io.spyfile import SpyException, SpyFile

    try:
        image = envi.open(str(header), None if path == header else str(path))
        if not isinstance(image, SpyFile):
            raise ValueError(f"{path}: an ENVI spectral library is no image")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NaN: we refuse it ourselves, and say where it is
            values = np.asarray(image.load(scale=False, dtype=image.dtype))
    except envi.EnviDataFileNotFoundError as error:
        raise FileNotFoundError(f"{header}: its image does not lie beside it") from error
    except (envi.EnviException, SpyException, OSError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read as ENVI, is it damaged? {error}") from error
    metadata, notes = image.metadata, ["ENVI image"]
    keep = np.ones(values.shape[2], dtype=bool)
    if "bbl" in metadata:
        keep = np.array(metadata["bbl"], dtype=float) > 0
        notes.append(f"{(~keep).sum()} bands left out that the header calls bad")
    values = values[:, :, keep]
    if "data ignore value" in metadata:
        ignored = int((values == float(metadata["data ignore value"])).any(axis=2).sum())
        if ignored:
            raise ValueError(
                f"{path}: {ignored} pixels hold the header's data ignore value, "
                f"{metadata['data ignore value']}; crop the image to where it has data"
            )
    companions = {}
    if image.bands.centers:
        centres = np.array(image.bands.centers, dtype=float)[keep]
        # no sensor of reflected light has a band below 100 nm: such numbers are micrometres
        companions["wavelengths"] = centres * 1000 if centres.max() < 100 else centres
    factor = metadata.get("reflectance scale factor")
    scale = None if factor is None else float(factor)
    return Stored(values, "hwb", scale=scale, companions=companions, notes=tuple(notes))
