"""Untrained networks as priors: the structure of a network regularises one image.

The network is fitted to this image alone, and what it puts out in the end are the abundances. Where a
reference is known, the history also has how far off they are after each step; nothing depends on it.

>>> from hsu_lib import methods, scenes
>>> from hsu_lib.scene import SceneSpec
>>> part = scenes.load(SceneSpec("lagoon", crop=(10, 10, 12, 16)))
>>> found = methods.get("undip").unmix(part, endmembers=4, iterations=30, filters=8)
>>> found.A.shape
(4, 12, 16)
>>> bool(found.history["loss"][-1] < found.history["loss"][0])
True
>>> found.history["mae-abundances"].shape
(30,)
"""
