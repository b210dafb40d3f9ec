"""Factorisations of the image: endmembers and abundances together."""
