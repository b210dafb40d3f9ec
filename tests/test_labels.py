"""Splits into training and test pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import pure_pixel_scene

from hsu_lib.learning.labels import Labels, training_mask, validation_mask


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.floats(0.05, 1),
    st.sampled_from(["pixels", "blocks"]),
    st.integers(1, 12),
)
def test_the_share_is_kept_and_the_seed_decides(height, width, share, by, side):
    mask = training_mask(height, width, share=share, by=by, side=side, seed=3)
    assert mask.shape == (height, width)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, training_mask(height, width, share=share, by=by, side=side, seed=3))
    side = 1 if by == "pixels" else side
    blocks = mask[::side, ::side]
    assert blocks.sum() == max(round(share * blocks.size), 1)


def test_blocks_are_whole_and_pixels_are_scattered():
    mask = training_mask(20, 15, share=0.5, by="blocks", side=5, seed=1)
    for row in range(0, 20, 5):
        for column in range(0, 15, 5):
            block = mask[row : row + 5, column : column + 5]
            assert block.all() or not block.any()
    scattered = training_mask(20, 15, share=0.5, seed=1)

    # every test pixel of the one, and few of the other, touch only test pixels
    def inner(test):
        return (test[1:-1, 1:-1] & test[:-2, 1:-1] & test[2:, 1:-1] & test[1:-1, :-2] & test[1:-1, 2:]).mean()

    assert inner(~scattered) < 0.1 < inner(~mask)


def test_another_seed_gives_another_split_and_all_may_be_for_training():
    one, two = (training_mask(9, 7, share=0.5, seed=s) for s in (0, 1))
    assert (one != two).any()
    assert training_mask(9, 7, share=1.0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"share": 0}, "share"), ({"share": 1.5}, "share"), ({"side": 0}, "side"), ({"by": "rows"}, "split")],
)
def test_wrong_splits_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        training_mask(4, 4, **({"share": 0.5} | wrong))


@given(
    st.integers(4, 30),
    st.integers(4, 30),
    st.floats(0.05, 0.95),
    st.sampled_from(["pixels", "blocks"]),
    st.integers(0, 50),
)
def test_validation_pixels_are_a_share_of_the_training_pixels(height, width, share, by, seed):
    mask = training_mask(height, width, share=0.9, by=by, side=3, seed=seed)
    side = 1 if by == "pixels" else 3
    count = mask[::side, ::side].sum()
    if max(round(share * count), 1) >= count:
        with pytest.raises(ValueError, match="leave none"):
            validation_mask(mask, share=share, by=by, side=3, seed=seed)
        return
    held = validation_mask(mask, share=share, by=by, side=3, seed=seed)
    assert not (held & ~mask).any()
    assert held[::side, ::side].sum() == max(round(share * count), 1)
    np.testing.assert_array_equal(held, held[::side, ::side].repeat(side, 0).repeat(side, 1)[:height, :width])


def test_the_second_draw_does_not_know_the_first():
    """Both may draw from all pixels here; a fifth by each has a fifth of a fifth in common."""
    everything = training_mask(100, 100, share=1.0, seed=4)
    held = validation_mask(everything, share=0.2, seed=4)
    test = ~training_mask(100, 100, share=0.8, seed=4)
    assert abs((held & test).sum() - 400) < 60
    assert (held != validation_mask(everything, share=0.2, seed=5)).any()


def test_labels_held_out_are_what_scores_are_of():
    scene = pure_pixel_scene(8, 8)
    mask = training_mask(8, 8, share=0.5, seed=0)
    held = validation_mask(mask, share=0.25, seed=0)
    labels = Labels(scene, mask & ~held, held)
    np.testing.assert_array_equal(labels.kept_for_testing(scene), held)
    assert len(labels.spectra) == 24
    with pytest.raises(ValueError, match="both learnt from and held out"):
        Labels(scene, mask, held)
    with pytest.raises(ValueError, match="unmix that one"):
        labels.kept_for_testing(pure_pixel_scene(8, 8))
