"""A user's own image: what its file says, from whatever format, becomes a `Scene` or is refused."""

from hsu_lib.scenes.own.image import read_image

__all__ = ["read_image"]
