"""Unmixing of one's own images: what is known is given, what comes out is written where it belongs.

`hsu_lib.unmixing.command` is `hsu unmix`; for programs there is `unmix`, which takes arrays.
"""

from hsu_lib.unmixing.result import Result, read_result

__all__ = ["Result", "read_result"]
