"""What the methods of this family share: where their labelled pixels come from."""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.learning.labels import By, Labels, training_mask, validation_mask
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Scene


@dataclass(frozen=True)
class LabelSettings(Settings):
    """Where labelled pixels come from."""

    trained_on: str = sourced("", "LDVAE paper, section Transfer Learning: a scene's name; empty for its own")
    share: float = sourced(
        0.8,
        "LDVAE paper, section Datasets (Samson; Urban: 0.5); of the scene's own pixels",
        above=0,
        at_most=1,
    )
    split: By = sourced("pixels", "LDVAE paper, section Datasets; blocks: ours")
    block: int = sourced(10, "ours: side of a block, in pixels", at_least=1)
    holdout: float = sourced(
        0.0,
        "ours: share of the training pixels to choose settings by; scores are of these, of no test pixel",
        at_least=0,
        below=1,
        since="0.1.0",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.holdout and self.trained_on:
            raise ValueError(f"holdout: validation pixels are those of {self.trained_on}: unmix it, share 1")

    def labels(self, scene: Scene, seed: int) -> Labels:
        """A part of the scene's own pixels, drawn by `seed`; with `holdout`, without what is held out."""
        split, side = self.split, self.block
        mask = training_mask(scene.height, scene.width, share=self.share, by=split, side=side, seed=seed)
        if not self.holdout:
            return Labels(scene, mask)
        held = validation_mask(mask, share=self.holdout, by=split, side=side, seed=seed)
        return Labels(scene, mask & ~held, held)
