"""Endmembers that vary from pixel to pixel."""
