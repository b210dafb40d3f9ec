"""What goes into an unmixing and what comes out: `Scene`, `SceneSpec`, `Unmixing`.

The mixing model everywhere is ``Y = E A + N``, with abundances that are not negative (ANC) and
sum to one in each pixel (ASC).
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]
#: Abundances ``(endmembers, pixels)`` to the spectra ``(bands, pixels)`` that a model makes of them.
Decoder = Callable[[NDArray], NDArray]
#: Endmembers whose least singular value is below this share of the largest are copies or mixtures.
_RANK = 1e-6


def real(values: ArrayLike, name: str) -> NDArray:
    """Values as an array of real numbers, nothing masked.

    Raises
    ------
    ValueError
        For complex numbers, texts, or a masked array with masked values, which numpy would turn into
        something else without a word.
    """
    array = np.asarray(values)
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name}: {np.ma.count_masked(values)} of {array.size} values are masked; "
            "remove those bands or fill those pixels first"
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected real numbers, got {array.dtype}")
    return array


def _frozen(values: ArrayLike, name: str, ndim: int, mask: NDArray[np.bool_] | None = None) -> Array:
    """A copy that nobody can change, finite where `mask` (of the last axes) counts, and NaN elsewhere."""
    array = real(values, name)
    # what owns its numbers and is read-only already, that of another scene for instance, is not copied
    shared = array.dtype == np.float32 and array.flags.c_contiguous and array.flags.owndata
    if not shared or array.flags.writeable or (mask is not None and not np.isnan(array[..., ~mask]).all()):
        with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused below
            array = np.array(array, dtype=np.float32, order="C")
        if mask is not None:
            array[..., ~mask] = np.nan
    if array.ndim != ndim:
        raise ValueError(f"{name}: expected {ndim} dimensions, got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name}: expected at least one value, got shape {array.shape}")
    bad = sum(int((~np.isfinite(part)).sum()) for part in array)  # a part at a time: images can be large
    if mask is not None:
        bad -= int((~mask).sum()) * (array.size // mask.size)
    if bad:
        raise ValueError(
            f"{name}: {bad} of {array.size} values are NaN or infinite; "
            "remove those bands or fill those pixels first"
        )
    array.flags.writeable = False
    return array


def _mask(values: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Mask of an image ``(bands, height, width)``, checked; None where every pixel counts."""
    if values is None:
        return None
    mask = np.array(values)
    if mask.dtype != bool or mask.shape != shape[1:]:
        raise ValueError(f"mask: expected {shape[1:]} Booleans, got {mask.shape} of {mask.dtype}")
    if not mask.any():
        raise ValueError("mask: no pixel is left that counts")
    mask.flags.writeable = False
    return None if mask.all() else mask


def _rank(E: NDArray) -> int:
    return int(np.linalg.matrix_rank(E.astype(np.float64), rtol=_RANK))


def _moved(georeference: Mapping[str, Any] | None, top: int, left: int) -> Mapping[str, Any] | None:
    """Georeference of a window; what the file says in its own words is of the whole image and goes."""
    if georeference is None:
        return None
    moved = {key: value for key, value in georeference.items() if key in ("crs", "transform")}
    if "transform" in moved:
        a, b, c, d, e, f = moved["transform"]
        moved["transform"] = (a, b, a * left + b * top + c, d, e, d * left + e * top + f)
    return moved


@dataclass(frozen=True, eq=False)
class Scene:
    """A hyperspectral image with, where they are known, its endmembers and abundances.

    Parameters
    ----------
    Y
        Image, shape ``(bands, height, width)``, in reflectance units (0 to about 1).
    E
        Reference endmembers, shape ``(bands, endmembers)``, or None.
    A
        Reference abundances, shape ``(endmembers, height, width)``, or None.
    materials
        One name per endmember; empty where there is no reference.
    wavelengths
        Band centres in nm, shape ``(bands,)``, or None where the source has none.
    name
        How the scene is called.
    reference
        One sentence: what `E` and `A` are and who made them. A "ground truth" is named for what it is.
    mask
        True where a pixel counts, shape ``(height, width)``; None where all do. Where it is False, `Y` and
        `A` are NaN and no method sees them.
    kept
        Which bands of the sensor, or of the file, the bands are, counted from 0, shape ``(bands,)``; None
        where all were kept.
    georeference
        Where the image lies: ``"transform"`` from column and row, counted from the upper left corner, to
        map coordinates, six numbers ``(a, b, c, d, e, f)`` with ``x = a column + b row + c`` and
        ``y = d column + e row + f``; ``"crs"``, the coordinate system as text; and what else the file says
        of it, under the file's names. None where nothing is known.
    read
        How a file was read: what was dropped, divided, masked or assumed, a sentence each.

    Raises
    ------
    ValueError
        If a shape does not fit the others, a value that counts is not finite, or no pixel counts.

    Notes
    -----
    Arrays are copied to float32 and made read-only, or shared where they are both already. Two scenes are
    the same if their `fingerprint` is.
    """

    Y: Array
    E: Array | None = None
    A: Array | None = None
    materials: tuple[str, ...] = ()
    wavelengths: Array | None = None
    name: str = "scene"
    reference: str = ""
    mask: NDArray[np.bool_] | None = None
    kept: NDArray[np.intp] | None = None
    georeference: Mapping[str, Any] | None = None
    read: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("mask", _mask(self.mask, np.shape(self.Y)))
        put("Y", _frozen(self.Y, "Y (bands, height, width)", 3, self.mask))
        put("materials", tuple(self.materials))
        bands, height, width = self.Y.shape
        if self.E is not None:
            put("E", _frozen(self.E, "E (bands, endmembers)", 2))
            if self.E.shape[0] != bands:
                raise ValueError(f"E has {self.E.shape[0]} bands, Y has {bands}")
        if self.A is not None:
            if np.ndim(self.A) == 3 and np.shape(self.A)[1:] != (height, width):
                raise ValueError(
                    f"A is {np.shape(self.A)[1:]} pixels, Y is {(height, width)} (height, width)"
                )
            put("A", _frozen(self.A, "A (endmembers, height, width)", 3, self.mask))
        if self.E is not None and self.A is not None and self.E.shape[1] != self.A.shape[0]:
            raise ValueError(f"E has {self.E.shape[1]} endmembers, A has {self.A.shape[0]}")
        if self.materials and self.endmembers not in (None, len(self.materials)):
            raise ValueError(f"{len(self.materials)} materials for {self.endmembers} endmembers")
        if self.wavelengths is not None:
            put("wavelengths", _frozen(self.wavelengths, "wavelengths (bands,)", 1))
            if self.wavelengths.shape[0] != bands:
                raise ValueError(f"{self.wavelengths.shape[0]} wavelengths for {bands} bands")
        if self.kept is not None:
            kept = np.array(self.kept, dtype=np.intp)
            kept.flags.writeable = False
            put("kept", kept)
            if kept.shape != (bands,) or kept.min() < 0:
                raise ValueError(f"kept: expected {bands} numbers of bands, from 0, got {kept}")
        put("read", tuple(self.read))

    @property
    def bands(self) -> int:
        """Number of bands."""
        return self.Y.shape[0]

    @property
    def height(self) -> int:
        """Number of pixel rows."""
        return self.Y.shape[1]

    @property
    def width(self) -> int:
        """Number of pixel columns."""
        return self.Y.shape[2]

    @property
    def endmembers(self) -> int | None:
        """Number of reference endmembers, or None where there is no reference."""
        if self.E is not None:
            return self.E.shape[1]
        return None if self.A is None else self.A.shape[0]

    @property
    def pixels(self) -> Array:
        """Image as a matrix, shape ``(bands, height * width)``, pixels in C (row-major) order."""
        return self.Y.reshape(self.bands, -1)

    @property
    def counting(self) -> int:
        """Number of pixels that count."""
        return self.height * self.width if self.mask is None else int(self.mask.sum())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content: image, mask, reference, materials and wavelengths, but not the name."""
        digest = hashlib.sha256()
        for array in (self.Y, self.E, self.A, self.wavelengths):
            digest.update(repr(None if array is None else array.shape).encode())
            if array is not None:
                digest.update(array.tobytes())
        digest.update(repr(self.materials).encode())
        if self.mask is not None:
            digest.update(np.packbits(self.mask).tobytes())
        return digest.hexdigest()

    def crop(self, top: int, left: int, height: int, width: int) -> Scene:
        """Window of the scene, its reference cut to the same pixels."""
        if (
            min(top, left) < 0
            or min(height, width) < 1
            or top + height > self.height
            or left + width > self.width
        ):
            raise ValueError(
                f"window of {height} x {width} at row {top}, column {left} does not lie in "
                f"{self.name} ({self.height} x {self.width})"
            )
        window = (slice(None), slice(top, top + height), slice(left, left + width))
        return replace(
            self,
            Y=self.Y[window],
            A=None if self.A is None else self.A[window],
            mask=None if self.mask is None else self.mask[window[1:]],
            georeference=_moved(self.georeference, top, left),
        )


@dataclass(frozen=True)
class SceneSpec:
    """A scene by name, with what is done to it: enough to make the same scene again anywhere.

    `hsu_lib.scenes.load` turns it into a `Scene`: the named scene, then the crop, then the noise.

    Parameters
    ----------
    name
        A name of `hsu_lib.scenes`, for instance ``"samson"``.
    reference
        Which published reference to take where a scene has several (``hsu data show NAME`` lists
        them); empty for the scene's usual one.
    snr_db
        Signal-to-noise ratio of added white Gaussian noise in dB; None adds none.
    crop
        ``(top, left, height, width)`` in pixels, or None for the whole scene.
    noise_seed
        Seed of the added noise.
    """

    name: str
    reference: str = ""
    snr_db: float | None = None
    crop: tuple[int, int, int, int] | None = None
    noise_seed: int = 0

    def __post_init__(self) -> None:
        if self.crop is not None:
            object.__setattr__(self, "crop", tuple(int(edge) for edge in self.crop))
        if self.snr_db is not None:
            object.__setattr__(self, "snr_db", float(self.snr_db))

    def __str__(self) -> str:
        parts = [self.name]
        if self.reference:
            parts.append(f"reference {self.reference}")
        if self.crop:
            parts.append("window of {2} x {3} at row {0}, column {1}".format(*self.crop))
        if self.snr_db is not None:
            parts.append(f"{self.snr_db:g} dB")
        return ", ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields, the defaults included."""
        fields = asdict(self)
        fields["crop"] = None if self.crop is None else list(self.crop)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SceneSpec:
        """Inverse of `to_dict`."""
        return cls(**fields)


class Status(enum.Enum):
    """How a method ended; the value is the sentence that tells the user what to do next."""

    CONVERGED = "converged: the method met its own stopping rule"
    FINISHED = "finished: all planned steps were taken (the method has no stopping rule)"
    STOPPED = "stopped at its limit before converging: allow more iterations and compare"
    DEGENERATE = "degenerate: endmembers are copies or mixtures of each other, or zero; ask for fewer of them"
    DIVERGED = "the estimate is no longer finite: lower the learning rate or check the image's scale"


@dataclass(frozen=True, eq=False)
class Unmixing:
    """Estimated endmembers and abundances, with how they came about.

    Parameters
    ----------
    E
        Estimated endmembers, shape ``(bands, endmembers)``.
    A
        Estimated abundances, shape ``(endmembers, height, width)``.
    status
        How the method ended.
    history
        Named curves over the iterations or epochs, each of shape ``(steps,)``, for instance
        ``{"loss": ...}``.
    ordered
        Whether the endmembers are in the order of those that the method was given, or of its labels, so
        that no alignment is needed, and none is made.
    decoder
        What makes spectra of abundances, where that is not ``E A``.
    active
        Which spectrum of the library each endmember is, shape ``(endmembers,)``, rising; None without a
        library. All others have abundance 0 everywhere, so that the abundances of the whole library are
        known; there may be no endmember at all.
    mask
        True where a pixel took part, shape ``(height, width)``, as that of the scene; `A` is NaN elsewhere.
        None where all did.

    Notes
    -----
    What is not finite though it took part is DIVERGED, whatever the method says; endmembers whose rank is
    below their number are DEGENERATE, with a relative tolerance of 1e-6, unless they are a library's.
    """

    E: Array
    A: Array
    status: Status = Status.FINISHED
    history: Mapping[str, Array] = field(default_factory=dict)
    ordered: bool = False
    decoder: Decoder | None = None
    active: NDArray[np.intp] | None = None
    mask: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        for name, ndim in (("E", 2), ("A", 3)):
            array = np.array(real(getattr(self, name), name), dtype=np.float32, order="C")
            if array.ndim != ndim:
                raise ValueError(f"{name}: expected {ndim} dimensions, got shape {array.shape}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.E.shape[1] != self.A.shape[0]:
            raise ValueError(f"E has {self.E.shape[1]} endmembers, A has {self.A.shape[0]}")
        counted = self.A if self.mask is None else self.A[:, self.mask]
        if not (np.isfinite(self.E).all() and np.isfinite(counted).all()):
            object.__setattr__(self, "status", Status.DIVERGED)
        elif self.active is None and _rank(self.E) < self.E.shape[1]:
            object.__setattr__(self, "status", Status.DEGENERATE)
        history = {name: np.asarray(curve, dtype=np.float32) for name, curve in self.history.items()}
        object.__setattr__(self, "history", history)

    def permuted(self, order: ArrayLike) -> Unmixing:
        """Same unmixing with its endmembers in another order, shape of `order` ``(endmembers,)``."""
        order = np.asarray(order)
        active = None if self.active is None else self.active[order]
        return replace(self, E=self.E[:, order], A=self.A[order], active=active)
