"""What people are told beside the pages: every environment variable, and paths and commands that exist."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest
import test_methods

from hsu_lib import cli
from hsu_lib.methods import METHODS

ROOT = Path(__file__).resolve().parent.parent
RERUN = (ROOT / "book" / "rerun.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_environment_variable_is_in_the_table():
    page = RERUN.split("## Environment variables")[1]
    told = re.findall(r"^\| `(HSU_[A-Z_]+)` \|(?: [^|]+ \|){3}$", page, flags=re.MULTILINE)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "hsu_lib").rglob("*.py"))
    assert sorted(told) == sorted(set(re.findall(r"\bHSU_[A-Z_]+", code)))


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"(?:book|hsu_lib|notebooks)/[\w/.]*[\w/]", GUIDE)) - {"notebooks/NAME.py"}),
)
def test_the_guide_names_paths_that_exist(path):
    assert (ROOT / path).exists()


def test_the_guide_names_commands_that_exist():
    commands = {words.split()[1] for words in re.findall(r"^\$ (?:\w+=\S+ )*(hsu .+)$", GUIDE, re.MULTILINE)}
    assert commands
    assert commands <= set(cli.main.commands)
    for target in set(re.findall(r"^\$ make (\w+)", GUIDE, re.MULTILINE)):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


def code_of(text):
    """The first block of Python in a text, executed; its names."""
    (code, *_) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    module = types.ModuleType("example")
    sys.modules["example"] = module  # where its dataclasses look up their types
    exec(compile(code, "example", "exec"), module.__dict__)
    return vars(module)


def test_the_method_of_the_page_keeps_the_contract(monkeypatch):
    method = code_of(RERUN.split("## A method of your own")[1])["BRIGHT"]
    monkeypatch.setitem(METHODS, method.name, method)
    test_methods.test_shapes_constraints_and_finiteness(method.name)
    test_methods.test_same_seed_same_result_bit_for_bit(method.name)
    test_methods.test_one_pixel(method.name)
    test_methods.test_one_endmember(method.name)
    test_methods.test_wrong_requests_are_refused_with_the_reason(method.name)
    test_methods.test_nothing_but_what_is_declared_reaches_a_method(method.name)
    test_methods.test_a_method_that_is_not_spatial_sees_pixels_not_places(method.name)
    test_methods.test_results_do_not_depend_on_the_unit_of_the_image(method.name, 1e-6)
    assert method.describe()[0]["source"]
    with pytest.raises(ValueError, match="share: expected a number above 0 and at most 1, got 2"):
        method.configure(share=2)


def test_the_lines_of_the_readme_run(capsys):
    names = code_of(README)
    assert 0 < names["scores"]["sad-endmembers"] < 1
    assert "sad-endmembers" in capsys.readouterr().out
