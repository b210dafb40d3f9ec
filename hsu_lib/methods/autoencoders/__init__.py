"""Autoencoders that unmix by reconstruction, on the image itself or on images made for training.

The bottleneck of the network has a number for each endmember, the abundances, and the decoder's weights are
the endmembers. How long one is trained is a setting like any other:

>>> from hsu_lib import methods, metrics, scenes
>>> lagoon = scenes.load("lagoon")
>>> found = methods.get("udas").unmix(lagoon, endmembers=4, seed=0, rounds=10)
>>> found.history["loss"].shape
(10,)
>>> scores, aligned = metrics.score(found, lagoon)
>>> print(f"abundances are {scores['rmse-abundances']:.0%} off")
abundances are 5% off
"""
