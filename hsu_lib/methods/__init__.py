"""Published unmixing methods, one per file; `METHODS` lists them by name."""

from hsu_lib.methods.catalogue import METHODS, get
from hsu_lib.methods.method import Method

__all__ = ["METHODS", "Method", "get"]
