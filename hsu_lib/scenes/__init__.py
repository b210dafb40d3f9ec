"""Where scenes come from: public files, generators, and a user's own image."""

from hsu_lib.scenes.catalogue import (
    describe,
    fetch,
    is_available,
    library_of,
    load,
    names,
    table,
    verify,
    version,
)
from hsu_lib.scenes.generated.lagoon import lagoon
from hsu_lib.scenes.info import SceneInfo
from hsu_lib.scenes.own import OwnImage, open_image, read_image
from hsu_lib.scenes.public.hysu import hysu_targets

__all__ = [
    "OwnImage",
    "SceneInfo",
    "describe",
    "fetch",
    "hysu_targets",
    "is_available",
    "lagoon",
    "library_of",
    "load",
    "names",
    "open_image",
    "read_image",
    "table",
    "verify",
    "version",
]
