"""What scores and histories compare with: a scene's clean image, its reference, and FCLSU on that image."""

from __future__ import annotations

import numpy as np

from hsu_lib.known import Known, Reference
from hsu_lib.scene import Scene
from hsu_lib.solvers.extraction import sivm
from hsu_lib.solvers.fclsu import fclsu


def known(clean: Scene, *, noisy: bool) -> Known:
    """What is known of a scene.

    Parameters
    ----------
    clean
        The scene before noise was added.
    noisy
        Whether noise is added to it.

    Returns
    -------
    Known
        With the clean image if noise is added. The references are the scene's own, ``"reference"``, and
        ``"fclsu"``: endmembers by SiVM from the clean image and abundances by FCLSU, the ground truth of
        document 001.
    """
    references = dict(Known.of(clean).references)
    if clean.endmembers is not None and np.isfinite(clean.pixels).all():
        E = sivm(clean.pixels, clean.endmembers).E
        A = fclsu(clean.pixels, E).reshape(-1, clean.height, clean.width)
        references["fclsu"] = Reference(E.astype(np.float32), A.astype(np.float32))
    return Known(clean.Y if noisy else None, references)
