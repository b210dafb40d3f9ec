"""The library without the project's files beside it, as a wheel installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner
from toys import pure_pixel_scene

from hsu_lib import paths
from hsu_lib.claims import documents, questions, registration, systems
from hsu_lib.cli import main
from hsu_lib.runs import campaign


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from what git would give: no data, no notebooks, no environment beside it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("hsu_lib", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).symlink_to(paths.ROOT / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(out), str(source)], check=True, capture_output=True)
    (found,) = out.glob("*.whl")
    return found


@pytest.mark.slow
def test_it_holds_the_library_and_no_data(wheel):
    names = [Path(name) for name in ZipFile(wheel).namelist()]
    assert {name.parts[0].split("-")[0] for name in names} <= {"hsu_lib", "hsu"}
    there = {path.relative_to(paths.ROOT) for path in (paths.ROOT / "hsu_lib").rglob("*") if path.is_file()}
    assert {name for name in names if name.parts[0] == "hsu_lib"} == {
        path for path in there if "__pycache__" not in path.parts
    }


@pytest.mark.slow
def test_an_image_is_unmixed_without_the_project(wheel, tmp_path):
    with ZipFile(wheel) as held:
        held.extractall(tmp_path / "site")
    np.savez(tmp_path / "image.npz", Y=pure_pixel_scene(9, 7).Y)

    def hsu(*words):
        code = "import hsu_lib, sys; print(hsu_lib.__file__); from hsu_lib.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
            capture_output=True,
            text=True,
        )

    done = hsu("unmix", "image.npz", "--layout", "bhw", "-p", "3", "--out", "result")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "site") in done.stdout
    assert (tmp_path / "result.npz").exists()
    refused = hsu("scorecard")
    assert refused.returncode == 1
    assert "clone the project" in refused.stderr


@pytest.mark.parametrize(
    "words",
    [
        *["scorecard", "answers", "plan", "sweep", "register", "run patching", "book", "publish desk"],
        *["publish --crate all.zip", "notebooks out"],
    ],
)
def test_what_needs_the_project_says_so(words, tmp_path, monkeypatch):
    for module in (documents, questions, registration, systems, campaign):  # what was read is forgotten
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, words.split())
    assert done.exit_code == 1, done.output
    assert "clone the project" in done.output
    assert not list(tmp_path.iterdir())


def test_runs_are_kept_where_one_works(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    assert paths.built() == tmp_path / "_build"
