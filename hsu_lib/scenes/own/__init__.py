"""A user's own image: what its file says, from whatever format, becomes a `Scene` or is refused.

A reader makes a `Cube` of a file: its numbers untouched, and what it says of them. `border` checks the one
against the other, the same for every format, and decides; an `OwnImage` is a scene at once or in blocks.
"""

from hsu_lib.scenes.own.image import open_image, read_image
from hsu_lib.scenes.own.opened import OwnImage

__all__ = ["OwnImage", "open_image", "read_image"]
