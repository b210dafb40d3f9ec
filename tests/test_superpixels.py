"""Regions of like spectra: what they are made of, and known segmentations."""

from __future__ import annotations

import numpy as np
import pytest
from scenes_helpers import real
from scipy import ndimage

from hsu_lib.solvers import superpixels
from hsu_lib.solvers.superpixels import partition_tree, region_means, slic, watershed


def checks(side=4, rows=3, columns=5, bands=6, noise=0.0, seed=0):
    """Squares of spectra of their own, and which square each pixel is in."""
    rng = np.random.default_rng(seed)
    squares = np.arange(rows * columns).reshape(rows, columns).repeat(side, axis=0).repeat(side, axis=1)
    Y = rng.random((bands, rows * columns))[:, squares]
    return Y + noise * rng.standard_normal(Y.shape), squares


def same(one, other):
    """Whether two label images have the same regions under other numbers."""
    both = len(np.unique(np.stack([one.ravel(), other.ravel()]), axis=1).T)
    return both == len(np.unique(one)) == len(np.unique(other))


def test_means_are_those_of_each_region():
    Y, labels = np.random.default_rng(0).random((3, 4, 5)), np.arange(20).reshape(4, 5) % 3
    expected = np.stack([Y[:, labels == k].mean(axis=1) for k in range(3)], axis=1)
    np.testing.assert_allclose(region_means(Y, labels), expected)


def test_squares_of_one_spectrum_each_are_found_whatever_finds_them():
    Y, squares = checks()
    assert same(slic(Y, 4, 1e-4), squares)
    assert same(partition_tree(Y, 15), squares)
    assert same(partition_tree(checks(noise=0.001)[0], 15), squares)


def test_without_contrast_superpixels_are_the_grid():
    labels = slic(np.ones((2, 8, 12)), 4, 1.0)
    assert same(labels, checks(4, 2, 3)[1])
    assert labels.max() == 5
    assert slic(np.zeros((2, 3, 3)), 4, 1.0).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("size", [1, 3, 7])
def test_superpixels_are_numbered_without_a_gap(size):
    Y, _ = checks(noise=0.5)
    labels = slic(Y, size, 0.01)
    assert np.unique(labels).tolist() == list(range(labels.max() + 1))
    assert labels.max() < -(-12 // size) * -(-20 // size)


def test_small_remains_join_a_neighbour_that_came_before():
    labels = np.array([[1, 1, 1, 2], [1, 3, 1, 2], [1, 1, 1, 2], [4, 4, 4, 4]])
    expected = np.array([[1, 1, 1, 2], [1, 1, 1, 2], [1, 1, 1, 2], [4, 4, 4, 4]])
    np.testing.assert_array_equal(superpixels._joined(labels, 2), expected)
    np.testing.assert_array_equal(superpixels._joined(labels, 1), labels)
    alone = np.array([[9, 1, 1], [1, 1, 1]])  # nothing came before the first pixel
    np.testing.assert_array_equal(superpixels._joined(alone, 2), alone)


def test_connected_parts_are_those_of_scipy():
    labels = np.random.default_rng(0).integers(0, 3, (9, 7))
    for corners in (False, True):
        parts = superpixels.connected(labels, corners=corners)
        around = np.ones((3, 3)) if corners else None
        count = sum(ndimage.label(labels == k, around)[1] for k in range(3))
        assert parts.max() + 1 == count
        assert np.unique(parts, return_index=True)[1].tolist() == sorted(
            np.unique(parts, return_index=True)[1]
        )
        for k in range(3):
            assert same(np.where(labels == k, parts, -1), ndimage.label(labels == k, around)[0] - 1)


def test_basins_of_two_valleys_meet_on_a_line():
    surface = np.abs(np.arange(-4, 5)) * -1.0 + np.zeros((5, 1))
    expected = np.array([[1, 1, 1, 1, 0, 2, 2, 2, 2]] * 5)
    np.testing.assert_array_equal(watershed(surface), expected)
    assert (watershed(np.zeros((3, 4))) == 1).all()  # a plain is one basin


def test_pixels_on_a_line_go_to_the_nearest_spectrum_or_the_nearest_sum():
    Y = np.array([[1.0, 1, 0.9, 0, 0], [0, 0, 0.1, 1.1, 1.1], [0, 0, 0.1, 0, 0]])[:, None]
    labels = np.array([[1, 1, 0, 2, 2]])
    assert superpixels._without_lines(Y, labels, by_sum=False).tolist() == [[1, 1, 1, 2, 2]]
    assert superpixels._without_lines(Y, labels, by_sum=True).tolist() == [[1, 1, 2, 2, 2]]


@pytest.mark.parametrize("regions", [1, 4, 15])
def test_a_tree_leaves_as_many_regions_as_are_asked_for(regions):
    Y, _ = checks(noise=0.1)
    labels = partition_tree(Y, regions)
    assert np.unique(labels).tolist() == list(range(regions))


def test_a_tree_merges_what_is_most_alike():
    spectra = np.deg2rad([0, 5, 40, 41, 90])
    Y = np.stack([np.cos(spectra), np.sin(spectra)])[:, None, :].repeat(4, axis=1).repeat(4, axis=2)
    whole = np.arange(5).repeat(4)
    for regions, merged in ((4, [0, 1, 2, 2, 4]), (3, [0, 0, 2, 2, 4]), (2, [0, 0, 0, 0, 4])):
        assert same(partition_tree(Y, regions)[0], np.array(merged)[whole])


def test_a_tree_merges_what_is_small_first():
    # the lone pixels differ more from their ground than the two grounds from each other
    Y = np.zeros((2, 12, 24))
    Y[:, :, :12], Y[:, :, 12:] = np.array([1, 0.3])[:, None, None], np.array([1, 0.35])[:, None, None]
    Y[:, 4:6, 4:6] = np.array([0.2, 1])[:, None, None]
    assert same(partition_tree(Y, 2), np.repeat([[0, 1]], 12, axis=0).repeat(12, axis=1))


@pytest.mark.real_data
def test_clean_squares_of_dc1_are_found():
    scene = real("dc1")
    labels = slic(scene.Y, 5, 1e-4)
    assert labels.max() == 224
    assert same(labels, np.arange(225).reshape(15, 15).repeat(5, axis=0).repeat(5, axis=1))
    Y = scene.Y.astype(np.float64)
    means = region_means(Y, labels)[:, labels]
    assert np.linalg.norm(means - Y) < 1e-6 * np.linalg.norm(Y)  # of the image in single precision
