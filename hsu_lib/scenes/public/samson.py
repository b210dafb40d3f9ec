"""Samson: a coast of rock, trees and water, with three references."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.public.zhu import ZHU, image_of

_MATERIALS = ("rock", "tree", "water")


def endmember_scales(Y: NDArray, E: NDArray, A: NDArray) -> NDArray:
    """Factors d ``(endmembers,)`` that bring ``E diag(d) A`` closest to `Y` in least squares.

    The normal equations of d are ``((E'E) * (AA')) d = diag(E' Y A')``, * element by element.
    """
    pixels, abundances = Y.reshape(len(Y), -1), A.reshape(len(A), -1)
    gram = (E.T @ E) * (abundances @ abundances.T)
    return np.linalg.solve(gram, np.einsum("ln,ln->n", E, pixels @ abundances.T))


def _samson(reference: str, get: Get) -> Scene:
    # V is an integer count over 1402, its largest: the image is stored scaled to a maximum of 1
    Y = image_of(read_mat(get("samson/samson_1.mat"))["V"], 95, 95)
    header = get("samson/samson_1.img.hdr").decode("ascii")
    wavelengths = header.split("wavelength = {")[1].split("}")[0].split(",")
    if reference == "misicnet":
        # its endmembers already stand in the order rock, tree, water (spectral angle to end3)
        E = read_mat(get("samson/misicnet_E.mat"))["E"]
        A = read_mat(get("samson/misicnet_A_true.mat"))["A_true"].transpose(2, 0, 1)
        A = A.clip(min=0)  # rounding: -3e-17
    else:
        end3 = read_mat(get("samson/end3.mat"))
        E, A = end3["M"], image_of(end3["A"], 95, 95)
        if reference == "end3-scaled":
            E = E * endmember_scales(Y, E, A)
    return Scene(Y, E, A, _MATERIALS, np.array(wavelengths, dtype=float))


SAMSON = SceneInfo(
    name="samson",
    title="Samson",
    summary="95 x 95 pixels of a coast, 156 bands from 401 to 899 nm: rock, trees and water.",
    kind="public",
    size=(156, 95, 95),
    references={
        "end3": (
            "Reference of Zhu (2017): endmembers chosen by hand, each scaled to a maximum of 1, "
            "and the abundances that constrained least squares gives for them; together they do not add up "
            "to the image"
        ),
        "end3-scaled": (
            "Reference of Zhu (2017), its three endmembers rescaled by us, in least squares, to the image's "
            "unit"
        ),
        "misicnet": (
            "Reference that Rasti et al. (2022) distribute with MiSiCNet: three pixels of the image, rock "
            "(61, 80), tree (5, 55) and water (33, 11) by row and column from 0, and FCLSU with them"
        ),
    },
    materials=dict.fromkeys(("end3", "end3-scaled", "misicnet"), _MATERIALS),
    unit="counts / 1402, the largest count (as stored)",
    cautions=(
        "With end3 the relative reconstruction error is 1.51, rescaled 0.314, with misicnet 0.096; the "
        "abundances of the two correlate with 0.92, 0.92 and 0.83 only. Wavelengths from the ENVI header of "
        "a copy (400.9 to 899.1 nm); papers usually quote 401 to 889 nm."
    ),
    licence="none stated (image, end3); Apache-2.0 (misicnet)",
    citation=ZHU,
    page="https://github.com/maxkochanoff/Hyperspectral-Images-Unmixing",
    definition=1,
    files=("samson/samson_1.mat", "samson/samson_1.img.hdr"),
    reference_files={
        "end3": ("samson/end3.mat",),
        "end3-scaled": ("samson/end3.mat",),
        "misicnet": ("samson/misicnet_E.mat", "samson/misicnet_A_true.mat"),
    },
)

SCENES = ((SAMSON, _samson),)
