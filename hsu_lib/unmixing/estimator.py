"""`hsu_lib.Unmixer`: unmixing as an estimator of scikit-learn, which has to be installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("hsu_lib.Unmixer needs scikit-learn: pip install 'hsu[sklearn]'") from error

from hsu_lib import methods
from hsu_lib.scene import Scene, Status
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.unmixing.counting import counted
from hsu_lib.unmixing.order import stable_order

_TYPES = (np.float64, np.float32)


class Unmixer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Endmembers of a table of spectra, and abundances in them.

    Parameters
    ----------
    n_components
        How many endmembers; None for as many as `hsu_lib.methods.rank.count_by` finds.
    method
        A name of ``hsu methods`` that finds endmembers and does not look at neighbours.
    settings
        Of the method, by name; None for its defaults.
    random_state
        Seed, generator or None, as scikit-learn has it.

    Attributes
    ----------
    components_
        Endmembers, shape ``(n_components, bands)``, those with short wavelengths first.
    reconstruction_err_
        Root mean square of spectra minus model, over all that it was fitted to.
    status_
        How the method ended, a sentence.
    n_features_in_
        Number of bands.

    Notes
    -----
    Rows are spectra here, ``(pixels, bands)``, as scikit-learn has samples; elsewhere in this library bands
    come first. `transform` finds abundances by fully constrained least squares whatever the method.

    Examples
    --------
    >>> X = np.array([[0.1, 0.8], [0.9, 0.2], [0.5, 0.5]])
    >>> Unmixer(n_components=2, random_state=0).fit_transform(X).round(3)
    array([[0. , 1. ],
           [1. , 0. ],
           [0.5, 0.5]])
    """

    def __init__(
        self,
        n_components: int | None = 2,
        *,
        method: str = "vca-fclsu",
        settings: dict[str, Any] | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.settings = settings
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Unmixer:
        """Find endmembers of spectra ``(pixels, bands)``; `y` is ignored."""
        spectra: NDArray = validate_data(self, X, dtype=_TYPES, ensure_min_samples=2, ensure_min_features=2)
        method = methods.get(self.method)
        needs = method.needs
        if needs.spatial or needs.endmembers or needs.labels or needs.library:
            raise ValueError(
                f"method: {method.name} needs more than spectra in rows; take such as vca-fclsu, nmf or palm"
            )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        scene = Scene(spectra.T[:, None], name="X")
        count = counted(scene).number if self.n_components is None else self.n_components
        found = method.unmix(scene, endmembers=count, seed=seed, **(self.settings or {}))
        if found.status is Status.DIVERGED:
            raise ValueError(found.status.value)
        E = found.E[:, stable_order(found.E)].astype(spectra.dtype)
        self.components_ = np.ascontiguousarray(E.T)
        self.status_ = found.status.value
        rest = self.inverse_transform(self._abundances(spectra)) - spectra
        self.reconstruction_err_ = float(np.sqrt(np.mean(rest**2)))
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Abundances of spectra ``(pixels, bands)``: not negative, rows that sum to one."""
        check_is_fitted(self)
        return self._abundances(validate_data(self, X, dtype=_TYPES, reset=False))

    def _abundances(self, X: NDArray) -> NDArray:
        return np.ascontiguousarray(fclsu(X.T, self.components_.T).T.astype(X.dtype))

    def inverse_transform(self, X: ArrayLike) -> NDArray:
        """Spectra ``(pixels, bands)`` of abundances ``(pixels, n_components)``."""
        check_is_fitted(self)
        return np.asarray(X) @ self.components_

    @property
    def _n_features_out(self) -> int:
        """For `get_feature_names_out`."""
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
