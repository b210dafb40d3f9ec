"""Names of modules before they had rooms: scripts that import them go on working, with a warning."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "abundances": "solvers.fclsu",
    "alignment": "metrics.alignment",
    "checkpoints": "learning.checkpoints",
    "denoising": "solvers.subspace",
    "dirichlet": "learning.dirichlet",
    "extraction": "solvers.extraction",
    "factorization": "solvers.factorization",
    "figures": "publishing.figures",
    "networks": "learning.networks",
    "noise": "scenes.noise",
    "pages": "publishing.pages",
    "perturbations": "learning.variability",
    "published": "publishing.published",
    "splits": "learning.labels",
    "scenes.download": "scenes.public.download",
    "sweep": "runs",
    "training": "learning.fit",
}


class _Alias(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        return ModuleSpec(fullname, self) if package == "hsu_lib" and name in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.partition(".")[2]
        warnings.warn(f"hsu_lib.{name} is now hsu_lib.{MOVED[name]}", DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = importlib.import_module(f"hsu_lib.{MOVED[name]}")


def install() -> None:
    """From here on the old names are found; real modules come first."""
    sys.meta_path.append(_Alias())
