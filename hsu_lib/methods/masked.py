"""Images of which some pixels do not count: what a method is given of them, and its maps put back.

No method has to know of a mask: `Method.unmix` hands it the pixels that count, or, where neighbours matter,
the image with its holes filled, and the maps are NaN where nothing counts.

>>> from dataclasses import replace
>>> import numpy as np
>>> from hsu_lib import methods, scenes
>>> lagoon = scenes.load("lagoon")
>>> land = lagoon.A[lagoon.materials.index("water")] < 0.5
>>> found = methods.get("nfindr-fclsu").unmix(replace(lagoon, mask=land), endmembers=3)
>>> bool((np.isnan(found.A).all(axis=0) == ~land).all())
True
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError
from hsu_lib.learning.labels import Labels
from hsu_lib.metrics.truth import Reference, Truth
from hsu_lib.scene import Scene, Unmixing

#: Above this share of pixels that do not count, most neighbours that a method would see are made up.
MOST = 0.5


def compact(scene: Scene) -> Scene:
    """The pixels that count, in a row: an image of ``1 x n`` pixels without a mask."""
    if scene.mask is None:
        return scene
    return replace(
        scene,
        Y=scene.Y[:, scene.mask][:, None],
        A=None if scene.A is None else scene.A[:, scene.mask][:, None],
        mask=None,
        georeference=None,
    )


def filled(scene: Scene) -> Scene:
    """The image without a mask: what does not count is as the nearest pixel that does.

    So no edge appears that is none on the ground, and nothing lies outside the range of the data. It is for
    methods that look at neighbours; the pixels that were filled in are in no result.

    Raises
    ------
    InputError
        If more than half of the pixels do not count.
    """
    if scene.mask is None:
        return scene
    missing = scene.mask.size - scene.counting
    if missing > MOST * scene.mask.size:
        raise InputError(
            f"{missing} of {scene.mask.size} pixels of {scene.name} do not count, too many for a method that "
            "looks at neighbours: crop the image to where it has data, or take a method that does not, such "
            "as vca-fclsu"
        )
    rows, columns = _nearest(scene.mask)
    return replace(
        scene,
        Y=scene.Y[:, rows, columns],
        A=None if scene.A is None else scene.A[:, rows, columns],
        mask=None,
    )


def _nearest(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Row and column of the nearest pixel that counts, shape ``(2, height, width)``."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(~mask, return_distances=False, return_indices=True)


def put_back(result: Unmixing, mask: NDArray[np.bool_]) -> Unmixing:
    """Result of a `compact` or `filled` scene with maps of the whole image, NaN where no pixel counts."""
    A = np.full((result.A.shape[0], *mask.shape), np.nan, dtype=np.float32)
    whole = result.A.shape[1:] == mask.shape
    A[:, mask] = result.A[:, mask] if whole else result.A[:, 0]
    return replace(result, A=A, mask=mask)


def taken_out(result: Unmixing, mask: NDArray[np.bool_], *, spatial: bool) -> Unmixing:
    """Result for the whole image as one of its `filled` (spatial) or `compact` scene."""
    return replace(result, A=_cut(result.A, mask, spatial), mask=None)


def truth_within(truth: Truth, mask: NDArray[np.bool_], *, spatial: bool) -> Truth:
    """What is known of the whole image, of its `filled` (spatial) or `compact` scene."""
    clean = None if truth.clean is None else _cut(truth.clean, mask, spatial)
    references = {name: Reference(E, _cut(A, mask, spatial)) for name, (E, A) in truth.references.items()}
    return Truth(clean, references, truth.library)


def labels_within(labels: Labels, inner: Scene, *, spatial: bool) -> Labels:
    """The same pixels to learn from, in `inner`, the `filled` (spatial) or `compact` scene of the labels."""
    counts = labels.scene.mask
    if counts is None:
        return labels
    held = None if labels.validation is None else labels.validation & counts
    masks = (mask if spatial or mask is None else mask[counts][None] for mask in (labels.chosen, held))
    return Labels(inner, *masks)


def _cut(maps: NDArray, mask: NDArray[np.bool_], spatial: bool) -> NDArray:
    """Maps ``(n, height, width)`` of a `filled` (spatial) or `compact` scene; those of another size stay."""
    if maps.shape[1:] != mask.shape:
        return maps  # of another image: whoever takes it says so
    return maps[:, *_nearest(mask)] if spatial else maps[:, mask][:, None]
