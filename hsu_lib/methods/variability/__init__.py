"""Methods in which the spectrum of a material varies from pixel to pixel."""
