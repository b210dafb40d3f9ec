"""MATLAB files, of version 5 and 7.3: those of public scenes, and a user's own."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_mat(source: Path | bytes) -> dict[str, NDArray]:
    """Arrays of a MATLAB file, axes in MATLAB's order; version 7.3 is HDF5 and is read as such."""
    from scipy.io import loadmat

    def opened() -> Any:
        return BytesIO(source) if isinstance(source, bytes) else str(source)

    try:
        return {k: v for k, v in loadmat(opened()).items() if isinstance(v, np.ndarray)}
    except (NotImplementedError, ValueError) as error:  # scipy's answers to 7.3 and to bare HDF5
        import h5py

        try:
            with h5py.File(opened()) as file:  # HDF5 holds the axes reversed
                return {k: np.asarray(v).T for k, v in file.items() if isinstance(v, h5py.Dataset)}
        except OSError:
            raise error from None
