"""What people are told beside the pages: every environment variable."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_environment_variable_is_in_the_table():
    page = (ROOT / "book" / "rerun.md").read_text(encoding="utf-8").split("## Environment variables")[1]
    told = re.findall(r"^\| `(HSU_[A-Z_]+)` \|(?: [^|]+ \|){3}$", page, flags=re.MULTILINE)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "hsu_lib").rglob("*.py"))
    assert sorted(told) == sorted(set(re.findall(r"\bHSU_[A-Z_]+", code)))
