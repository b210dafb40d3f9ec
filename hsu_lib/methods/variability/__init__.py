"""Methods in which the spectrum of a material varies from pixel to pixel.

Where only the brightness varies, with slopes or shade, one number more for each pixel is enough:

>>> import numpy as np
>>> from hsu_lib import methods, metrics, scenes
>>> from hsu_lib.scene import Scene
>>> rng = np.random.default_rng(0)
>>> E = scenes.load("lagoon").E[:, 1:]  # vegetation, sand, soil
>>> A = rng.dirichlet([0.3, 0.3, 0.3], (30, 30)).transpose(2, 0, 1)
>>> light = rng.uniform(0.5, 1, (30, 30))
>>> slope = Scene(light * np.einsum("bk,khw->bhw", E, A), E=E, A=A)
>>> for name in ("vca-fclsu", "sclsu"):
...     scores, _ = metrics.score(methods.get(name).unmix(slope, endmembers=3, seed=0), slope)
...     print(f"{name}: abundances are {scores['rmse-abundances']:.0%} off")
vca-fclsu: abundances are 24% off
sclsu: abundances are 5% off
"""
