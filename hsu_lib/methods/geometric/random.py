r"""`random-fclsu`: pixels drawn at random, then FCLSU; what a method that looks for endmembers has to beat.

.. math:: E = [y_{i_1}, \dots, y_{i_p}] \quad\text{with every set } \{i_1, \dots, i_p\} \text{ equally likely}
"""

from __future__ import annotations

import numpy as np

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings
from hsu_lib.scene import Unmixing


def solve(problem: Problem, settings: Settings) -> Unmixing:
    """Different pixels, every set of them equally likely, then least squares."""
    Y = problem.scene.pixels
    drawn = np.random.default_rng(problem.seed).choice(Y.shape[1], problem.endmembers, replace=False)
    return with_endmembers(problem, Y[:, drawn])


RANDOM = Method(
    name="random-fclsu",
    summary="pixels drawn at random, then FCLSU: a line to compare with",
    kind="extraction",
    solve=solve,
    source="tutorial, exercise on the endmembers of FCLSU; drawn without replacement: ours",
)
