"""Public scenes, a file for each data set: what it is, how its files are read, what to beware of.

Each file ends with its ``SCENES``: what is known of a scene, and its reader.
"""

from hsu_lib.scenes.public import cuprite, dc, hysu, jasper, samson, sim, urban

SCENES = (
    *samson.SCENES,
    *jasper.SCENES,
    *urban.SCENES,
    *hysu.SCENES,
    *sim.SCENES,
    *dc.SCENES,
    *cuprite.SCENES,
)
