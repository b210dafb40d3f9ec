"""Methods that learn from pixels with known abundances.

Unless other pixels are given as `labels`, they are a part of the scene's own, drawn by the seed; endmembers
come in the order of the labels. What a tenth of the pixels is worth:

>>> from hsu_lib import methods, metrics, scenes
>>> lagoon = scenes.load("lagoon")
>>> found = methods.get("labelled-fclsu").unmix(lagoon, share=0.1, seed=0)
>>> found.ordered
True
>>> scores, _ = metrics.score(found, lagoon)
>>> print(f"abundances are {scores['rmse-abundances']:.0%} off")
abundances are 3% off
"""
