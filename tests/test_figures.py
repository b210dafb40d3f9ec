"""Plots show what they are given: data, units, one scale, one colour per material."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from toys import pure_pixel_scene

from hsu_lib.publishing import figures
from hsu_lib.scene import Scene


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_materials_keep_their_colour_whatever_their_case():
    assert figures.material_colour("Tree") == figures.material_colour("tree", 5)
    assert figures.material_colour("unobtainium", 1) != figures.material_colour("unobtainium", 2)


def test_spectra_break_where_bands_were_removed():
    E = np.arange(12.0).reshape(6, 2)
    ax = figures.spectra(E, plt.figure().subplots(), wavelengths=[400, 410, 420, 900, 910, 920])
    x, y = ax.lines[0].get_data()
    assert np.isnan(x[3])
    assert np.isnan(y[3])
    np.testing.assert_array_equal(np.delete(y, 3), E[:, 0])
    assert ax.get_xlabel() == "wavelength (nm)"
    assert figures.spectra(E, plt.figure().subplots()).get_xlabel() == "band index"


def test_maps_share_the_scale_from_zero_to_one():
    scene = pure_pixel_scene()
    figure = figures.map_panels(scene, {"half": scene.A / 2})
    images = [image for ax in figure.axes for image in ax.images]
    assert {image.get_clim() for image in images} == {(0, 1)}
    np.testing.assert_array_equal(images[0].get_array(), scene.A[0])
    np.testing.assert_array_equal(images[3].get_array(), scene.A[0] / 2)
    error = 100 * np.sqrt(np.mean((scene.A[0] / 2) ** 2))
    assert images[3].axes.get_xlabel() == f"RMSE {error:.0f} %"


@pytest.mark.parametrize(("endmembers", "rows"), [(2, 1), (6, 1), (7, 2), (12, 2)])
def test_scene_panels_show_every_map_in_rows_of_at_most_six(endmembers, rows):
    A = np.full((endmembers, 7, 5), 1 / endmembers)
    materials = [f"Mineral of number {k}" for k in range(endmembers)]
    scene = Scene(np.ones((4, 7, 5)), np.ones((4, endmembers)), A, materials)
    figure = figures.scene_panels(scene)
    composite, lines, *rest = figure.axes
    assert composite.images[0].get_array().shape == (7, 5, 3)
    assert len(lines.lines) == endmembers
    maps = [ax for ax in rest if ax.images]
    assert [ax.get_title().replace("\n", " ") for ax in maps] == materials
    assert len({ax.get_subplotspec().rowspan.start for ax in maps}) == rows
    assert all(ax.images or not ax.axison for ax in rest if ax.get_label() != "<colorbar>")


def test_scene_panels_of_an_image_alone_or_without_maps():
    Y = np.random.default_rng(0).random((4, 7, 15))
    assert len(figures.scene_panels(Scene(Y)).axes) == 2
    assert len(figures.scene_panels(Scene(Y, np.ones((4, 3)))).axes[1].lines) == 3


def test_maps_of_a_scene_without_reference_have_no_errors():
    scene = pure_pixel_scene()
    figure = figures.map_panels(replace(scene, A=None), {"half": scene.A / 2, "whole": scene.A})
    images = [image for ax in figure.axes for image in ax.images]
    assert len(images) == 2 * len(scene.A)
    np.testing.assert_array_equal(images[0].get_array(), scene.A[0] / 2)
    assert images[0].axes.get_title() == scene.materials[0]
    assert images[-1].axes.get_title() == images[0].axes.get_xlabel() == ""


def test_many_maps_stand_in_blocks_of_at_most_six():
    A = np.full((8, 7, 5), 1 / 8)
    scene = Scene(np.ones((4, 7, 5)), np.ones((4, 8)), A, [f"Mineral {k}" for k in range(8)])
    figure = figures.map_panels(scene, {"a": A, "b": A / 2}, top=0.5)
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == 3 * 8
    assert [ax.get_title() for ax in drawn if ax.get_title()] == list(scene.materials)
    assert len({ax.get_subplotspec().rowspan.start for ax in drawn}) == 2 * 3
    assert {ax.images[0].get_clim() for ax in drawn} == {(0, 0.5)}
    assert {ax.get_xlabel() for ax in drawn} == {"", "RMSE 0 %", "RMSE 6 %"}


def test_material_panels_draw_each_material_of_every_estimate():
    E = np.arange(1, 21, dtype=float).reshape(5, 4)
    figure = figures.material_panels({"LDVAE": 2 * E, "VCA": E[::-1]}, E, ["a", "b", "c", "d"])
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in panels] == ["a", "b", "c", "d"]
    ours, other, reference = panels[3].lines
    np.testing.assert_allclose(ours.get_ydata(), E[:, 3] / 20)
    np.testing.assert_allclose(other.get_ydata(), E[::-1, 3] / 20)
    assert (reference.get_linestyle(), reference.get_label()) == ("--", "reference")


def test_endmember_panels_draw_estimate_over_reference():
    scene = pure_pixel_scene()
    figure = figures.endmember_panels(scene, {"a": 2 * scene.E, "b": scene.E, "c": scene.E})
    *dashed, legend = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert (legend.get_label(), len(legend.get_xdata())) == ("reference", 0)
    solid = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    for one, two in zip(dashed, solid, strict=True):
        np.testing.assert_allclose(one.get_ydata(), two.get_ydata(), rtol=1e-6)
        assert one.get_color() == two.get_color()


def test_seed_dots_show_every_seed_and_the_mean():
    ax = figures.seed_dots({"x": [1.0, 2.0, 6.0]}, plt.figure().subplots(), reported={"x": 4.0})
    dots, bar, diamond = ax.lines
    np.testing.assert_array_equal(dots.get_xdata(), [1, 2, 6])
    np.testing.assert_array_equal(bar.get_xdata(), [3, 3])
    np.testing.assert_array_equal(np.ravel(diamond.get_xdata()), [4])


def test_seed_panels_mark_what_is_reported_where_it_is():
    values = {"mse": {"x": [1.0, 2.0], "y": [3.0, 4.0]}}
    figure = figures.seed_panels(
        {"one": values, "two": values}, {"mse": "MSE"}, reported={"one": {"mse": {"x": 1.5}}}
    )
    first, second = figure.axes
    diamonds = [line for line in first.lines if line.get_marker() == "D"]
    assert [np.ravel(line.get_xdata()).tolist() for line in diamonds] == [[1.5]]
    assert not [line for line in second.lines if line.get_marker() == "D"]


def test_curves_show_median_and_range():
    ax = figures.curves({"x": [[4.0, 2.0], [6.0, 1.0], [5.0, 3.0]]}, plt.figure().subplots())
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [5, 2])
    assert "2 epochs" in ax.lines[0].get_label()
    counted = figures.curves({"x": [[4.0, 2.0, 1.0]]}, plt.figure().subplots(), steps="it", counted=True)
    np.testing.assert_array_equal(counted.lines[0].get_xdata(), [1, 2, 3])
    assert (counted.get_xscale(), counted.get_xlabel()) == ("log", "it")
    assert counted.lines[0].get_label() == "x"
    some = figures.curves({"x": [[4.0, 2.0]]}, plt.figure().subplots(), counted=True, at=[1, 30])
    np.testing.assert_array_equal(some.lines[0].get_xdata(), [1, 30])
    end = figures.curves({"x": [[4.0, 2.0]]}, plt.figure().subplots(), counted=True, at=[20, 30])
    assert (some.get_xscale(), end.get_xscale()) == ("log", "linear")


def test_composite_keeps_hue():
    scene = pure_pixel_scene(bands=16)
    shown = figures.rgb(scene, plt.figure().subplots()).images[0].get_array()
    bands = scene.Y[[10, 6, 2]].transpose(1, 2, 0)
    inside = (shown > 0) & (shown < 1)
    gain = (bands[inside].max() - bands[inside].min()) / (shown[inside].max() - shown[inside].min())
    np.testing.assert_allclose(
        shown[inside] * gain - bands[inside], (shown[inside] * gain - bands[inside])[0], atol=1e-5
    )


def test_perturbation_panels_show_functions_copies_and_the_spread_over_pixels():
    rng = np.random.default_rng(0)
    spectrum, factors = np.linspace(1, 2, 7), rng.random((3, 7))
    pixels = rng.random((101, 7))
    left, middle, right = figures.perturbation_panels(spectrum, factors, factors * spectrum, pixels).axes
    np.testing.assert_array_equal([line.get_ydata() for line in left.lines], factors)
    np.testing.assert_array_equal([line.get_ydata() for line in middle.lines[:3]], factors * spectrum)
    np.testing.assert_array_equal(middle.lines[3].get_ydata(), spectrum)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), np.median(pixels, axis=0))
    inside = right.collections[0].get_paths()[0].vertices[:, 1]
    assert inside.max() == pytest.approx(np.percentile(pixels, 97.5, axis=0).max())


def test_dose_panels_show_seeds_means_and_what_is_reported():
    scores = {"s": {"ours": [[1.0, 3.0], [5.0, 7.0]], "other": [None, [2.0]]}}
    figure = figures.dose_panels([0, 1], scores, {"s": "score"}, xlabel="alpha", reported={"s": [None, 9.0]})
    dots, more, mean, other, _, diamond = figure.axes[0].lines
    np.testing.assert_array_equal(other.get_xydata(), [[1, 2]])
    np.testing.assert_array_equal(dots.get_xydata(), [[0, 1], [0, 3]])
    np.testing.assert_array_equal(more.get_xydata(), [[1, 5], [1, 7]])
    np.testing.assert_array_equal(mean.get_ydata(), [2, 6])
    np.testing.assert_array_equal(diamond.get_xydata(), [[1, 9]])


@pytest.mark.parametrize(("top", "texts"), [(60.0, {"2", "10", "50"}), (6e4, set())])
def test_few_decades_have_plain_numbers(top, texts):
    scores = {"s": {"ours": [[2.0], [top]]}}
    figure = figures.dose_panels([0, 1], scores, {"s": "score"}, xlabel="alpha", logarithmic=True)
    figure.canvas.draw()
    shown = {text.get_text() for text in figure.axes[0].get_yticklabels()}
    assert shown >= texts
    assert bool(texts) != any("10^" in text for text in shown)


def test_set_panels_draw_every_set_and_the_reference():
    scene = pure_pixel_scene()
    figure = figures.set_panels(scene, {"a": [scene.E, scene.E / 2], "b": [scene.E]})
    assert [len(ax.lines) for ax in figure.axes] == [3 * scene.endmembers, 2 * scene.endmembers]
    solid = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    np.testing.assert_allclose(solid[0].get_ydata(), scene.E[:, 0])
    np.testing.assert_allclose(solid[scene.endmembers].get_ydata(), scene.E[:, 0] / 2)


def test_latent_panels_draw_the_first_two_numbers_and_the_loss():
    z = np.arange(12.0).reshape(4, 3)
    left, right = figures.latent_panels({"a": z, "b": z[:, :1]}, {"a": [3.0, 1.0], "b": [2.0, 1.0]}).axes
    np.testing.assert_array_equal(left.lines[0].get_xydata(), z[:, :2])
    np.testing.assert_array_equal(left.lines[1].get_ydata(), np.zeros(4))
    np.testing.assert_array_equal(right.lines[0].get_ydata(), [3, 1])


def test_a_method_has_one_colour_on_every_plot():
    models = ["1 whole image", "2 patches", "3 simple", "4 simple, patches", "5 pixel-wise"]
    models += ["6 pixel-wise, patches", "7 pixel-wise, random patches", "VCA + FCLSU", "VAE"]
    together = figures.method_colours(models)
    assert len(set(together.values())) == len(models)
    assert all(figures.method_colours([name])[name] == together[name] for name in models)
    assert figures.method_colours([*models, *models]) == together
    many = figures.method_colours([f"alpha {k}" for k in range(20)])
    assert len(set(many.values())) == 8
    assert figures.method_colours(["VAE", "patches", "VAE"]) == figures.method_colours(["VAE", "patches"])


def test_choice_panels_show_every_seed_the_reported_figure_and_both_choices():
    weights, rng = [0.1, 1.0, 10.0], np.random.default_rng(0)
    scores = {
        "Samson": {"softplus": rng.uniform(0.1, 0.3, (3, 2)), "softmax": rng.uniform(0.1, 0.3, (3, 2))},
        "Cuprite": {"softplus": rng.uniform(0.1, 0.3, (3, 2))},
    }
    figure = figures.choice_panels(
        weights,
        scores,
        ylabel="RMSE of A on validation pixels",
        reported={"Samson": 0.3, "Cuprite": None},
        chosen={"Samson": {"by validation": ("softmax", 1.0), "nearest": ("softplus", 10.0)}},
    )
    samson, cuprite = figure.axes
    assert samson.get_xscale() == "log"
    dots, line, *_ = samson.lines
    np.testing.assert_array_equal(dots.get_xdata(), [0.1, 0.1, 1, 1, 10, 10])
    np.testing.assert_array_equal(dots.get_ydata(), scores["Samson"]["softplus"].ravel())
    np.testing.assert_allclose(line.get_ydata(), scores["Samson"]["softplus"].mean(axis=1))
    marks = {mark.get_label(): mark.get_xydata().ravel() for mark in samson.lines[-2:]}
    np.testing.assert_allclose(marks["by validation"], [1, scores["Samson"]["softmax"][1].mean()])
    np.testing.assert_allclose(marks["nearest"], [10, scores["Samson"]["softplus"][2].mean()])
    assert "reported" in [drawn.get_label() for drawn in samson.lines]
    assert "reported" not in [drawn.get_label() for drawn in cuprite.lines]
    assert cuprite.get_ylabel() == ""


def test_seeds_stand_beside_what_is_reported_where_it_is():
    values = {"cosine": {"one": [0.8, 0.9], "other": [0.7]}, "error": {"one": [0.1, 0.2], "other": [0.3]}}
    titles = {"cosine": "cosine of E", "error": "error of A"}
    reported = {"here": {"error": {"one": 0.15, "elsewhere": 1.0}}}
    figure = figures.seed_panels({"here": values, "there": values}, titles, reported=reported)
    diamonds = [[line for line in ax.lines if line.get_marker() == "D"] for ax in figure.axes]
    assert [len(marks) for marks in diamonds] == [0, 1, 0, 0]
    assert list(diamonds[1][0].get_xdata()) == [0.15]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["one", "other"]


def test_ends_are_drawn_over_starts_with_the_line_where_they_are_equal():
    starts = {"cosine": [0.9, 0.8]}
    ends = {"cosine": {"one": [0.95, 0.7], "other": [0.8, 0.8]}}
    (ax,) = figures.start_panels(starts, ends, {"cosine": "cosine of E"}).axes
    one, other, same = ax.lines
    assert list(one.get_xdata()) == list(other.get_xdata()) == [0.9, 0.8]
    assert (list(one.get_ydata()), list(other.get_ydata())) == ([0.95, 0.7], [0.8, 0.8])
    assert one.get_marker() != other.get_marker()
    assert list(same.get_xdata()) == list(same.get_ydata()) == [0.8, 0.9]


@pytest.mark.parametrize(
    ("x", "pieces"),
    [
        (np.linspace(400, 2500, 20), 1),
        (np.linspace(2500, 400, 20), 1),
        (np.r_[np.linspace(400, 1000, 20), np.linspace(950, 2500, 20)], 1),  # detectors overlap
        (np.r_[np.linspace(1300, 1000, 20), np.linspace(700, 400, 20)], 2),  # bands left out
        (np.full(20, 500.0), 1),
    ],
)
def test_spectra_are_drawn_whatever_the_order_of_their_bands(x, pieces):
    _, axes = figures.grid(1, 1)
    drawn = figures.spectra(np.ones((len(x), 1)), axes[0, 0], wavelengths=x).lines[0]
    gaps = np.isnan(drawn.get_xdata()).sum()
    assert gaps == pieces - 1
    steps = np.diff(drawn.get_xdata())
    steps = steps[np.isfinite(steps)]
    assert (steps >= 0).all() or (steps <= 0).all()


@pytest.mark.parametrize("wavelengths", [None, np.linspace(2500, 400, 12), np.linspace(1000, 2500, 12)])
def test_pixels_that_do_not_count_are_white(wavelengths):
    Y = pure_pixel_scene().Y.copy()
    mask = np.ones(Y.shape[1:], dtype=bool)
    mask[0, 0] = False
    Y[:, 0, 0] = 99
    _, axes = figures.grid(1, 1)
    shown = figures.rgb(Scene(Y, mask=mask, wavelengths=wavelengths), axes[0, 0]).images[0].get_array()
    assert (shown[0, 0] == 1).all()
    assert np.ptp(shown[1:], axis=2).max() > 0.1  # in colours
