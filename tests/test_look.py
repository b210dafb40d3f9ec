"""The first look at an image, and what the command line says of images that are in doubt."""

from __future__ import annotations

import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.io import loadmat, savemat
from toys import pure_pixel_scene

from hsu_lib.cli import main
from hsu_lib.scenes.own.look import look


def hsu(*words, code=0, env=None):
    result = CliRunner().invoke(main, [str(word) for word in words], env=env)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def field(tmp_path, monkeypatch):
    """A ``.mat`` of integers with an undeclared border, wavelengths beside it."""
    monkeypatch.chdir(tmp_path)
    counts = np.round(pure_pixel_scene(20, 15).Y * 1e4).astype(np.int16)
    counts[:, :2] = -9999
    savemat("field.mat", {"s": {"cube": counts.transpose(1, 2, 0), "wavelength": np.linspace(2.5, 0.4, 12)}})
    return tmp_path / "field.mat"


def test_look_prints_and_draws(field):
    told = hsu("look", field)
    assert "12 bands, 20 x 15 pixels" in told
    assert "-9999 in 30 pixels" in told
    assert "hsu unmix would refuse it: " in told
    assert "--nodata -9999" in told
    told = hsu("look", field, "--nodata", -9999)
    assert "400 to 2500 nm" in told
    assert "30 of 300 pixels masked" in told
    assert "divided by 10000, which is a guess" in told
    assert "refuse" not in told
    assert Image.open("field-look.png").size[0] <= 1000


def test_what_is_told_to_settle_fill_does(field):
    """The options are run as they are printed."""
    counts = loadmat("field.mat")["s"]["cube"][0, 0]
    counts[:, -1] = 0
    savemat("field.mat", {"cube": counts})
    refusal = hsu("look", field)
    options = re.findall(r"--nodata (\S+)", refusal)
    assert options == ["-9999,0", "none"]
    for given, masked in zip(options, ("48 of 300 pixels masked", "pixels that count  300"), strict=True):
        told = hsu("look", field, "--nodata", given, "--scale", 10_000)
        assert masked in told
        assert "refuse" not in told


def test_look_replaces_nothing_of_others(field):
    other = field.with_name("field-look.png")
    other.write_bytes(b"mine")
    assert "no picture of hsu look; give another --out" in hsu("look", field, code=1)
    assert other.read_bytes() == b"mine"
    hsu("look", field, "--out", "new.png")
    hsu("look", field, "--out", "new.png")


@pytest.mark.parametrize("shape", [(1, 1080), (324, 1), (3000, 2), (1, 1)])
def test_pictures_are_of_bounded_size(tmp_path, monkeypatch, shape):
    monkeypatch.chdir(tmp_path)
    np.save("field.npy", np.random.default_rng(0).uniform(0.1, 0.9, (6, *shape)))
    hsu("look", "field.npy", "--layout", "bhw")
    assert max(Image.open("field-look.png").size) <= 1000


def test_a_large_image_is_looked_at_by_a_part(tmp_path):
    Y = np.random.default_rng(0).uniform(0.1, 0.9, (3, 2000, 500)).astype(np.float32)
    np.save(tmp_path / "field.npy", Y)
    found = look(tmp_path / "field.npy", layout="bhw")
    np.testing.assert_array_equal(found.small.Y, Y[:, ::3, ::3])


def test_unmix_takes_the_options(field):
    assert "Give --nodata -9999 to leave these pixels out" in hsu("unmix", field, "-p", 3, code=1)
    out = hsu("unmix", field, "-p", 3, "--nodata", -9999, "--variable", "s.cube", "--out", "r.npz")
    assert "30 of 300 pixels masked" in out
    with np.load("r.npz") as result:
        assert np.isnan(result["A"][:, :2]).all()
        assert np.isfinite(result["A"][:, 2:]).all()


def test_errors_are_one_line_unless_asked_for(tmp_path, field):
    savemat("two.mat", {"a": np.ones((4, 5, 6)), "b": np.ones((4, 5, 6))})
    told = hsu("unmix", "two.mat", "-p", 2, code=1)
    assert "give --variable one of a, b as the image; it holds a (4, 5, 6) float64, b" in told
    assert len(told.splitlines()) == 1
    assert "Traceback" not in told
    result = CliRunner().invoke(main, ["unmix", "two.mat", "-p", "2"], env={"HSU_TRACEBACK": "1"})
    assert result.exc_info[0].__name__ == "InputError"


def test_what_nobody_thought_of_is_one_line_too(field, monkeypatch):
    def broken(*_, **__):
        raise TypeError("unexpected\nin two lines")

    monkeypatch.setattr("hsu_lib.publishing.look.look", broken)
    told = hsu("look", field, code=1)
    assert "TypeError: unexpected in two lines (HSU_TRACEBACK=1 shows where)" in told
