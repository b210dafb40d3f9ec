"""Methods that choose endmembers from a spectral library.

No number of endmembers is given: the result has those spectra of the library that some pixel has, and
`active` says which they are. This one has the four materials of the scene and twenty minerals:

>>> from hsu_lib import methods, scenes
>>> library = scenes.library_of("lagoon")
>>> len(library.names)
24
>>> lagoon = scenes.load("lagoon")
>>> found = methods.get("sunsal").unmix(lagoon, library=library, weight=0.01)
>>> [library.names[k] for k, A in zip(found.active, found.A) if A.mean() > 0.05]
['water', 'vegetation', 'sand', 'soil']
"""
