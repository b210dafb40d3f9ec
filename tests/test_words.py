"""What people type: values by the type that is wanted, and parameters of chapters that can only fail."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from hsu_lib.learning import devices
from hsu_lib.methods import METHODS
from hsu_lib.methods.settings import typed
from hsu_lib.publishing import chapters
from hsu_lib.words import pairs_of, seeds_of, value_of


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("1e-3", float, 0.001),
        ("1e3", int, 1000),
        ("100.0", int, 100),
        (" -7 ", int, -7),
        ("12345678901234567890", int, 12345678901234567890),
        ("yes", bool, True),
        ("FALSE", bool, False),
        ("5", tuple[int, ...], (5,)),
        ("[5, 1e1]", tuple[int, ...], (5, 10)),
        ("'adam'", Literal["adam", "sgd"], "adam"),
        ("", str, ""),
    ],
)
def test_texts_become_values(text, hint, value):
    found = value_of(text, hint, "x")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "hint", "told"),
    [
        ("2.5", int, "a whole number, got '2.5'"),
        ("", int, "a whole number, got nothing"),
        ("", tuple[int, ...], "a whole number, got nothing"),
        ("nan", float, "a number, got 'nan'"),
        ("1_0", float, "a number"),
        ("1e999", int, "a whole number"),
        ("2", bool, "true or false"),
        ("rmsprop", Literal["adam", "sgd"], "'adam' or 'sgd', got 'rmsprop'"),
    ],
)
def test_other_texts_are_refused(text, hint, told):
    with pytest.raises(ValueError, match="learning_rate: expected") as caught:
        value_of(text, hint, "learning_rate")
    assert told in str(caught.value)


def test_settings_of_every_method_are_read_back_from_text():
    for method in METHODS.values():
        defaults = {row["setting"]: row["default"] for row in method.describe()}
        texts = {
            name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            for name, value in defaults.items()
        }
        assert typed(method.settings, texts) == defaults


def test_pairs_and_seeds():
    assert pairs_of(("a=1", "b = x=y", "a=2"), "-s") == {"a": "2", "b": "x=y"}
    with pytest.raises(ValueError, match="-s: expected NAME=VALUE, got 'a'"):
        pairs_of(("a",), "-s")
    assert seeds_of("3,0-2,1", "seeds") == [3, 0, 1, 2]
    for text in ("", "5-3", "many", "-1", "1,,2", "0-99999999"):
        with pytest.raises(ValueError, match="seeds"):
            seeds_of(text, "seeds")


@pytest.mark.parametrize("name", ["gpu", "meta", "cuda:99", *([] if torch.cuda.is_available() else ["cuda"])])
def test_devices_that_are_not_there(name):
    with pytest.raises(ValueError, match=r"device: .*; take ") as caught:
        devices.checked(name)
    assert len(str(caught.value).splitlines()) == 1
    assert devices.checked("cpu") == "cpu"


@pytest.mark.parametrize(
    ("chapter", "given", "told"),
    [
        ("alignment", {"draws": "2.5"}, "a whole number like 100, got '2.5'"),
        ("alpha", {"seeds": "3-1"}, "'3-1' are no seeds"),
        ("alpha", {"seeds": "many"}, "seeds"),
        ("alpha", {"compute": "maybe"}, "true or false"),
    ],
)
def test_parameters_that_can_only_fail_are_refused(chapter, given, told):
    with pytest.raises(ValueError, match="parameter") as caught:
        chapters.values(chapter, "quick", given)
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_parameters_that_a_chapter_takes():
    assert chapters.values("alignment", "quick", {"draws": "1e1"})["draws"] == 10
    assert chapters.values("alpha", "quick", {"scene": "", "seeds": 2})["seeds"] == "2"
