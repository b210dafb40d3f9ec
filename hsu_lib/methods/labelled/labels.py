"""What the methods of this family share: where their labelled pixels come from."""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.learning.labels import By, Labels, training_mask
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Scene


@dataclass(frozen=True)
class LabelSettings(Settings):
    """Where labelled pixels come from."""

    trained_on: str = sourced(
        "", "document 004, section Transfer Learning: a scene's name; empty for its own"
    )
    share: float = sourced(
        0.8,
        "document 004, section Datasets (Samson; Urban: 0.5); of the scene's own pixels",
        above=0,
        at_most=1,
    )
    split: By = sourced("pixels", "document 004, section Datasets; blocks: ours")
    block: int = sourced(10, "ours: side of a block, in pixels", at_least=1)

    def labels(self, scene: Scene, seed: int) -> Labels:
        """A part of the scene's own pixels, drawn by `seed`."""
        mask = training_mask(
            scene.height, scene.width, share=self.share, by=self.split, side=self.block, seed=seed
        )
        return Labels(scene, mask)
