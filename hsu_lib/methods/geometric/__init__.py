"""Endmembers given or picked among the pixels, then least squares."""
