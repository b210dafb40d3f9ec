"""Endmembers given or picked among the pixels, then least squares.

Each looks for corners of the cloud of pixels in its own way. One that divides pixels by their brightness, as
VCA does where there is little noise, takes what is left of dark water for a corner:

>>> from hsu_lib import methods, metrics, scenes
>>> lagoon = scenes.load("lagoon")
>>> for name in ("nfindr-fclsu", "vca-fclsu"):
...     found = methods.get(name).unmix(lagoon, endmembers=4, seed=0)
...     scores, aligned = metrics.score(found, lagoon)
...     print(f"{name}: abundances are {scores['rmse-abundances']:.0%} off")
nfindr-fclsu: abundances are 6% off
vca-fclsu: abundances are 31% off
"""
