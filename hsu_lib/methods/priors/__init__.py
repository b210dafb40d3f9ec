"""Untrained networks as priors: the structure of a network regularises one image."""
