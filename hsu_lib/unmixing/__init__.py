"""Unmixing of one's own images: what is known is given, what comes out is written where it belongs.

`hsu_lib.unmixing.command` is `hsu unmix`; `unmix` is the same for arrays, and `Unmixer` (which needs
scikit-learn, `hsu_lib.unmixing.estimator`) for tables of spectra.
"""

from hsu_lib.unmixing.api import unmix
from hsu_lib.unmixing.model import Diverged
from hsu_lib.unmixing.result import Result, read_result

__all__ = ["Diverged", "Result", "read_result", "unmix"]
