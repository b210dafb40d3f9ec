"""Maps where they belong: ENVI, GeoTIFF and NetCDF with the image's georeference, and a spectral library."""

from __future__ import annotations

import importlib.util
import io
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.unmixing.result import MADE_BY, Result

if TYPE_CHECKING:
    import xarray

EXTRA = "pip install 'hsu[formats]'"
#: Of each format, the packages that it needs beyond the library's own.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "envi": (),
    "geotiff": ("rasterio",),
    "netcdf": ("xarray", "h5netcdf"),
}
#: What is appended to the name of the result, in the order of what `contents` makes.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "envi": ("-maps.img", "-maps.hdr", "-endmembers.sli", "-endmembers.hdr"),
    "geotiff": ("-maps.tif", "-endmembers.sli", "-endmembers.hdr"),
    "netcdf": ("-maps.nc", "-endmembers.sli", "-endmembers.hdr"),
}


def check(form: str) -> None:
    """Refuse a format whose packages are not installed, before anything is computed.

    Raises
    ------
    InputError
        With what to install.
    """
    lacking = [package for package in NEEDS[form] if importlib.util.find_spec(package) is None]
    if lacking:
        raise InputError(f"{option('format', form)} needs {' and '.join(lacking)}: {EXTRA}")


def contents(result: Result, form: str) -> tuple[bytes, ...]:
    """Files of a format, in the order of its `ENDINGS`."""
    maps: Callable[[Result], tuple[bytes, ...]] = {"envi": _envi, "geotiff": _geotiff, "netcdf": _netcdf}[
        form
    ]
    return (*maps(result), *_library(result))


def _stack(result: Result) -> tuple[NDArray, list[str]]:
    """Abundances and residual as bands ``(bands, height, width)``, with their names."""
    names = [f"abundance of {name}" for name in result.materials]
    return np.concatenate([result.A, result.rmse[None]]).astype("<f4"), [
        *names,
        "residual (RMSE, reflectance)",
    ]


# --------------------------------------------------------------------------- ENVI


def _envi(result: Result) -> tuple[bytes, bytes]:
    values, names = _stack(result)
    bands, lines, samples = values.shape
    header = {
        "description": f"{{made by {MADE_BY}: {_plain(result.name)}, {result.about.get('method', '')}}}",
        "samples": samples,
        "lines": lines,
        "bands": bands,
        "header offset": 0,
        "file type": "ENVI Standard",
        "data type": 4,
        "interleave": "bsq",
        "byte order": 0,
        "data ignore value": "nan",
        "band names": _braces(names),
        **_place(result.georeference),
    }
    return values.tobytes(), _header(header)


def _library(result: Result) -> tuple[bytes, bytes]:
    """Endmembers as an ENVI spectral library."""
    bands, count = result.E.shape
    header: dict[str, Any] = {
        "description": f"{{made by {MADE_BY}: endmembers of {_plain(result.name)}}}",
        "samples": bands,
        "lines": count,
        "bands": 1,
        "header offset": 0,
        "file type": "ENVI Spectral Library",
        "data type": 4,
        "interleave": "bsq",
        "byte order": 0,
        "reflectance scale factor": 1,
        "spectra names": _braces(result.materials),
    }
    if result.wavelengths is not None:
        header["wavelength units"] = "Nanometers"
        header["wavelength"] = _braces([f"{value:.7g}" for value in result.wavelengths])
    return result.E.T.astype("<f4").tobytes(), _header(header)


def _header(fields: Mapping[str, Any]) -> bytes:
    return ("ENVI\n" + "".join(f"{name} = {value}\n" for name, value in fields.items())).encode()


def _plain(text: str) -> str:
    """Text without what means something in a header."""
    return " ".join(re.sub(r"[{},=;\r\n]+", " ", str(text)).split())


def _braces(items: Sequence[str]) -> str:
    return "{" + ", ".join(_plain(item) for item in items) + "}"


def _place(georeference: Mapping[str, Any] | None) -> dict[str, str]:
    """Fields of a header that say where the image lies: those of the input, else made of its transform."""
    if georeference is None:
        return {}
    own = ("map info", "coordinate system string", "projection info", "geo points", "x start", "y start")
    found = {}
    for name in own:
        if georeference.get(name):
            text = str(georeference[name])
            found[name] = text if name.endswith("start") else f"{{{text}}}"
    if "map info" not in found and georeference.get("transform"):
        found["map info"] = "{" + _map_info(georeference["transform"], georeference.get("crs")) + "}"
    if "coordinate system string" not in found and georeference.get("crs"):
        found["coordinate system string"] = "{" + _esri(str(georeference["crs"])) + "}"
    return found


def _map_info(transform: Sequence[float], crs: Any) -> str:
    """Tie point, size of a pixel and rotation, as ENVI has them."""
    a, b, x, d, e, y = transform
    width, height = math.hypot(a, d), math.hypot(b, e)
    rotation = math.degrees(math.atan2(d, a))
    parts = [_projection(crs), "1", "1", f"{x:.15g}", f"{y:.15g}", f"{width:.15g}", f"{height:.15g}"]
    zone = re.fullmatch(r"UTM (\d+) (North|South)", parts[0])
    if zone:
        parts = ["UTM", *parts[1:], zone[1], zone[2], "WGS-84", "units=Meters"]
    return ", ".join(parts + ([f"rotation={rotation:.10g}"] if abs(rotation) > 1e-9 else []))


def _projection(crs: Any) -> str:
    """``UTM 33 North``, ``Geographic Lat/Lon`` or ``Arbitrary``, by the text of a coordinate system."""
    text = str(crs or "")
    found = re.search(r"WGS[ _]?(?:19)?84[ _/]+UTM[ _]zone[ _](\d+)([NS])", text, re.I)
    if found:
        return f"UTM {found[1]} {'North' if found[2].upper() == 'N' else 'South'}"
    if re.match(r"\s*(GEOGCS|GEOGCRS)", text):
        return "Geographic Lat/Lon"
    return "Arbitrary"


def _esri(crs: str) -> str:
    """Coordinate system in the words of ESRI, which ENVI reads; as it is without rasterio."""
    if importlib.util.find_spec("rasterio") is None:
        return crs
    import rasterio

    try:
        return rasterio.crs.CRS.from_user_input(crs).to_wkt(version="WKT1_ESRI")
    except (rasterio.errors.RasterioError, ValueError):
        return crs


# --------------------------------------------------------------------------- GeoTIFF


def _geotiff(result: Result) -> tuple[bytes]:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    values, names = _stack(result)
    place = dict(result.georeference or {})
    transform = rasterio.Affine(*place["transform"]) if place.get("transform") else None
    profile = {
        "driver": "GTiff",
        "dtype": "float32",
        "nodata": math.nan,
        "compress": "deflate",
        "predictor": 3,
    }
    count, height, width = values.shape
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(
            count=count, height=height, width=width, transform=transform, crs=_crs(place), **profile
        ) as file:
            file.write(values)
            file.update_tags(TIFFTAG_SOFTWARE=MADE_BY, about=result.to_json())
            for number, name in enumerate(names, start=1):
                file.set_band_description(number, name)
        return (bytes(memory.getbuffer()),)


def _crs(place: Mapping[str, Any]) -> Any:
    """Coordinate system as rasterio has it, from its text or from ENVI's map info; None where unknown."""
    import rasterio

    if place.get("crs"):
        try:
            return rasterio.crs.CRS.from_wkt(str(place["crs"]), morph_from_esri_dialect=True)
        except rasterio.errors.RasterioError:
            pass
        try:
            return rasterio.crs.CRS.from_user_input(place["crs"])
        except (rasterio.errors.RasterioError, ValueError):
            pass
    parts = [part.strip().lower() for part in str(place.get("map info", "")).split(",")]
    if parts[0] == "utm" and len(parts) > 9 and parts[7].isdecimal() and "wgs" in parts[9]:
        return rasterio.crs.CRS.from_epsg((32600 if parts[8].startswith("n") else 32700) + int(parts[7]))
    if parts[0] == "geographic lat/lon" and len(parts) > 7 and "wgs" in parts[7]:
        return rasterio.crs.CRS.from_epsg(4326)
    return None


# --------------------------------------------------------------------------- labelled arrays


def _netcdf(result: Result) -> tuple[bytes]:
    file = io.BytesIO()
    dataset(result).to_netcdf(file, engine="h5netcdf")
    return (file.getvalue(),)


def dataset(result: Result) -> xarray.Dataset:
    """Labelled arrays, as `Result.to_xarray`; coordinates are those of pixel centres."""
    if importlib.util.find_spec("xarray") is None:
        raise InputError(f"labelled arrays need xarray: {EXTRA}")
    import xarray

    place = dict(result.georeference or {})
    coords: dict[str, Any] = {"endmember": list(result.materials)}
    if result.wavelengths is not None:
        coords["wavelength"] = ("band", result.wavelengths, {"units": "nm", "long_name": "wavelength"})
    bands = np.arange(len(result.E)) if result.kept is None else result.kept
    coords["band"] = ("band", bands + 1, {"long_name": "number of the band in the file, from 1"})
    height, width = result.rmse.shape
    transform, grid = place.get("transform"), {}
    if transform is not None and transform[1] == 0 == transform[3]:
        coords["x"] = ("x", transform[2] + transform[0] * (np.arange(width) + 0.5))
        coords["y"] = ("y", transform[5] + transform[4] * (np.arange(height) + 0.5))
    data: dict[str, Any] = {}
    if place.get("crs") or transform is not None:
        grid = {"grid_mapping": "spatial_ref"}
        told = _grid(place)
        data["spatial_ref"] = ((), 0, told)
    data["endmembers"] = (("band", "endmember"), result.E, {"units": "1", "long_name": "reflectance"})
    data["abundances"] = (("endmember", "y", "x"), result.A, {"units": "1", "long_name": "abundance", **grid})
    long_name = "root mean square over the bands of image minus model"
    data["residual"] = (("y", "x"), result.rmse, {"units": "1", "long_name": long_name, **grid})
    if result.mask is not None:
        meaning = {"long_name": "1 where a pixel counts", **grid}
        data["mask"] = (("y", "x"), result.mask.astype(np.int8), meaning)
    about = {"Conventions": "CF-1.8", "source": MADE_BY, "about": result.to_json()}
    return _relabelled(xarray.Dataset(data, coords=coords, attrs=about), result.labels)


def _relabelled(found: xarray.Dataset, labels: Mapping[str, Any] | None) -> xarray.Dataset:
    """Pixels under the names and coordinates that they were given with."""
    if labels is None:
        return found
    if len(labels["dims"]) == 1:
        found = found.isel(y=0)
    names = dict(zip(("y", "x")[-len(labels["dims"]) :], labels["dims"], strict=True))
    return found.rename(names).assign_coords(labels["coords"])


def _grid(place: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a grid mapping as CF and GDAL have them."""
    told: dict[str, Any] = {}
    if place.get("transform") is not None:
        a, b, c, d, e, f = place["transform"]
        told["GeoTransform"] = " ".join(f"{value:.15g}" for value in (c, a, b, f, d, e))
    text = str(place.get("crs") or "")
    if importlib.util.find_spec("rasterio") is not None and (crs := _crs(place)) is not None:
        text = crs.to_wkt()
    if text:
        told["crs_wkt"] = told["spatial_ref"] = text
    return told
