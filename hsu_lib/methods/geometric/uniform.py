r"""`uniform`: the same share of every endmember in every pixel, the trivial answer that others have to beat.

.. math:: A = \tfrac1p \mathbf 1 \mathbf 1^\top, \qquad E = \bar y\, \mathbf 1^\top
"""

from __future__ import annotations

import numpy as np

from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings
from hsu_lib.scene import Status, Unmixing


def solve(problem: Problem, settings: Settings) -> Unmixing:
    """Abundances of one over their number, endmembers all the mean spectrum.

    With these abundances only the mean of the endmembers matters to the fit, and the mean spectrum is the
    best. That they are all the same says that nothing was told apart, and so does the status, degenerate, of
    more than one.
    """
    Y = problem.scene.pixels
    mean = Y.mean(axis=1, keepdims=True, dtype=np.float64)
    A = np.full((problem.endmembers, Y.shape[1]), 1 / problem.endmembers)
    return Unmixing(mean.repeat(problem.endmembers, axis=1), problem.maps(A), Status.FINISHED)


UNIFORM = Method(
    name="uniform",
    summary="equal abundances everywhere, endmembers the mean spectrum: a line to compare with",
    kind="blind",
    solve=solve,
    source="ours: the answer of who has not looked",
)
