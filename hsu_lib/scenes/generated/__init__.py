"""Scenes that we generate, a file for each kind; all are seeded, and their abundances are exact."""
