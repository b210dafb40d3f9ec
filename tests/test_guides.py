"""What people are told beside the pages: every environment variable, and paths and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hsu_lib import cli

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_environment_variable_is_in_the_table():
    page = (ROOT / "book" / "rerun.md").read_text(encoding="utf-8").split("## Environment variables")[1]
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
