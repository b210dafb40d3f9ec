"""Factorisations of the image: endmembers and abundances together.

They start from endmembers that a geometric method picks, and lower an objective step by step; the history
has it after every step, and the status says whether that came to an end by itself.

>>> from hsu_lib import methods, scenes
>>> lagoon = scenes.load("lagoon")
>>> found = methods.get("palm").unmix(lagoon, endmembers=4, iterations=50)
>>> objective = found.history["objective"]
>>> bool((objective[1:] <= objective[:-1]).all()), found.status.name
(True, 'STOPPED')
>>> bool(found.A.min() >= 0), bool(abs(found.A.sum(axis=0) - 1).max() < 1e-5)
(True, True)
"""
