"""Methods that choose endmembers from a spectral library."""
