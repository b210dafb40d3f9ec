"""Whether stored numbers are spectra, and an image, in the type and in the order that a header tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import option
from hsu_lib.scenes.own.cube import release
from hsu_lib.scenes.own.fill import is_fill
from hsu_lib.scenes.own.header import INTERLEAVES, TYPES, Header

#: Layouts as `read_image` has them, of interleaves.
LAYOUT = {"bsq": "bhw", "bil": "hbw", "bip": "hwb"}

_ENOUGH = 500  # numbers from which their type and order can be told
_SAMPLE = 1_000_000  # numbers that are looked at for their type
_SPECTRAL = 12  # bands from which spectra are smooth
_PLACES = 48  # lines, and samples, that are looked at for the interleave
_OTHER_SIGN = {"i2": "u2", "u2": "i2", "i4": "u4", "u4": "i4", "i8": "u8", "u8": "i8"}


def check_type(header: Header, values: NDArray) -> None:
    """Numbers that are spectra only in the other byte order, or with or without a sign, were written so."""
    if values.dtype.itemsize == 1 or values.size < _ENOUGH:
        return
    sample = np.array(values[:, :: max(1, values.size // _SAMPLE)])
    release(values)
    sample = sample[(sample != sample[:, :1, :1]).any(axis=(1, 2))]  # bands of one constant tell nothing
    if len(sample) < 2:
        return
    swapped = sample.byteswap()
    if sample.dtype.kind == "f":
        wrong, why = _ordinary(sample) < 0.5 and _ordinary(swapped) > 0.9, "are its numbers of ordinary size"
    else:
        told, other = _roughness(sample), _roughness(swapped)
        wrong, why = told > 0.1 and told > 3 * other, "are its spectra smooth"
    if wrong:
        raise header.wrong("byte order", f"{1 - int(header.text('byte order'))}: only so {why}")
    sign = _OTHER_SIGN.get(sample.dtype.str[1:])
    if sign is None or _wraps(sample) < 1e-4:
        return
    turned = sample.view(sample.dtype.str[0] + sign)
    small = sign[0] == "u" or np.abs(turned.astype(np.float64)).max() < 2.0 ** (8 * turned.itemsize - 2)
    if small and _wraps(turned) == 0:
        code = next(code for code, name in TYPES.items() if name == sign)
        raise header.wrong("data type", f"{code}: only so do its spectra not jump from end to end")


def check_interleave(header: Header, flat: NDArray, size: tuple[int, int, int], told: str) -> None:
    """Numbers that are smooth spectra only in another interleave were written in it.

    Either image and spectra are smooth only so; or the spectra are, and no image speaks for what is told.
    """
    if size[0] < _SPECTRAL or flat.size < _ENOUGH:
        return
    ignored = header.number("data ignore value")
    seen = {name: _texture(flat, size, name, () if ignored is None else (ignored,)) for name in INTERLEAVES}
    release(flat)
    spectral, spatial, between = seen.pop(told)
    for other, (smooth, even, apart) in sorted(seen.items(), key=lambda item: item[1][0]):
        both = max(spectral, spatial) > max(0.03, 3 * max(smooth, even))
        alone = spectral > max(0.1, 3 * smooth) and spatial > 0.7 * even
        if (both or alone) and apart > 0.2 * between:
            raise header.wrong(
                "interleave",
                f"{other}: only so are {'image and spectra' if both else 'its spectra'} smooth",
                f"correct the header, or give {option('layout', LAYOUT[other])} for {other}, "
                f"{option('layout', LAYOUT[told])} if {told} is right",
            )


def spectral_axis(values: NDArray) -> int | None:
    """The axis of a cube along which alone numbers are smooth, and differ, as along bands; None in doubt.

    Parameters
    ----------
    values
        Real numbers of three axes, in whatever order.
    """
    if min(values.shape) < 4:
        return None
    rng = np.random.default_rng(0)
    places = [np.sort(rng.permutation(count - 1)[:_PLACES]) for count in values.shape]
    held = values[np.ix_(*places)].astype(np.float64)
    if not np.isfinite(held).all():
        return None
    low, high = np.percentile(held, (1, 99))
    if low == high:
        return None
    steps, apart = [], []
    for axis in range(3):
        moved = [at + (number == axis) for number, at in enumerate(places)]
        steps.append(float(np.median(np.abs(values[np.ix_(*moved)] - held)) / (high - low)))
        others = tuple(other for other in range(3) if other != axis)
        apart.append(float(held.mean(axis=others).var()))
    first, second, _ = np.argsort(steps)
    found = 0 < 3 * steps[first] < steps[second] > 0.03 and apart[first] > 0.2 * max(apart)
    return int(first) if found and values.shape[first] >= _SPECTRAL else None


def _texture(
    flat: NDArray, size: tuple[int, int, int], interleave: str, fill: tuple[float, ...]
) -> tuple[float, float, float]:
    """Typical step from band to band, and from pixel to pixel, and share of the variance between bands.

    Steps are over the range. Of all bands of some lines and samples, and of the neighbours of these.
    """
    bands, lines, samples = size
    strides = {
        "bsq": (lines * samples, samples, 1),
        "bil": (samples, bands * samples, 1),
        "bip": (1, bands * samples, bands),
    }[interleave]
    rng = np.random.default_rng(0)
    places = [np.arange(bands), *(rng.permutation(count)[:_PLACES] for count in (lines, samples))]

    def taken(*steps: int) -> NDArray:
        moved = [np.minimum(at + step, n - 1) for at, step, n in zip(places, steps, size, strict=True)]
        first, second, third = np.ix_(*(at * stride for at, stride in zip(moved, strides, strict=True)))
        held = flat[first + second + third]
        return np.where(is_fill(held, fill), np.nan, held.astype(np.float64))

    held = taken(0, 0, 0)
    if not np.isfinite(held).all(axis=0).any():
        return 0.0, 0.0, 0.0
    low, high = np.nanpercentile(held, (1, 99))
    if low == high:
        return 0.0, 0.0, 0.0
    spectral, *spatial = (np.nanmedian(np.abs(taken(*step) - held)) for step in np.eye(3, dtype=int))
    held = held[:, np.isfinite(held).all(axis=0)]
    between = float(held.mean(axis=1).var() / held.var())
    return float(spectral / (high - low)), float(max(spatial) / (high - low)), between


def _ordinary(values: NDArray) -> float:
    """Share of numbers that are of a size that measured ones have, or none."""
    with np.errstate(invalid="ignore"):
        size = np.abs(values)
        return float((np.isnan(values) | (values == 0) | ((size > 1e-5) & (size < 1e6))).mean())


def _wraps(values: NDArray) -> float:
    """Share of steps from band to band over more than half of what the type holds; of extremes, none."""
    numbers = values.astype(np.float64)
    numbers[(values == values.min()) | (values == values.max())] = np.nan  # may be fill
    half = 2.0 ** (8 * values.dtype.itemsize - 1)
    with np.errstate(invalid="ignore"):
        return float((np.abs(np.diff(numbers, axis=0)) > half).mean())


def _roughness(values: NDArray) -> float:
    """Typical step from band to band, over the range of most values."""
    low, high = np.percentile(values, (1, 99))
    step = np.median(np.abs(np.diff(values.astype(np.float64), axis=0)))
    return float(step / (high - low)) if high > low else 0.0
