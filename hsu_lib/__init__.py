"""Hyperspectral unmixing, thin and importable: scenes, methods, metrics, runs and claims.

The mixing model is ``Y = E A + N`` with ``Y`` (bands, pixels), endmembers ``E``
(bands, endmembers) and abundances ``A`` (endmembers, pixels), ``A >= 0`` (ANC) and columns of
``A`` that sum to one (ASC). The library knows nothing of notebooks or of the book.
"""

__version__ = "0.1.0"

from hsu_lib import _moved

_moved.install()
