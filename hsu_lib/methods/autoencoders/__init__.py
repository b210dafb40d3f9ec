"""Autoencoders that unmix by reconstruction, on the image itself or on images made for training."""
