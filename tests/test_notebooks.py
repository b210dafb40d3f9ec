"""Every chapter runs, says what it must, and runs again to the same settings, shapes and verdicts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from conftest import bare

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.py"))


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


@pytest.fixture(params=CHAPTERS)
def executed(request, quick_book):
    """A chapter's name and its executed notebook."""
    return request.param, quick_book / "chapters" / request.param / f"{request.param}.ipynb"


def test_every_cell_ran_in_order_and_none_failed(executed):
    _, path = executed
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [out for cell in code for out in cell.outputs if out.output_type == "error"]


def test_no_warning_was_printed(executed):
    _, path = executed
    notebook = nbformat.read(path, as_version=4)
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert not [out.text for out in outputs if out.get("name") == "stderr" and "Warning" in out.text]


def test_the_parameters_shown_are_those_used(executed):
    from hsu_lib.publishing import chapters

    chapter, path = executed
    notebook = nbformat.read(path, as_version=4)
    (cell,) = tagged(notebook, "injected-parameters")
    values = {}
    exec(cell.source, values)
    del values["__builtins__"]
    assert values == chapters.parameters(chapter)
    assert values["profile"] == "quick"


def test_a_chapter_leaves_its_manifest_and_says_where_its_numbers_come_from(executed):
    chapter, path = executed
    manifest = json.loads((path.parent / "chapter.json").read_text())
    assert (manifest["chapter"], manifest["profile"]) == (chapter, "quick")
    if chapter != "index":  # it has no numbers of its own
        assert "Where these numbers come from: profile quick" in path.read_text()


def test_nbval_finds_the_marked_cells_unchanged(executed, tmp_path):
    chapter, path = executed
    assert tagged(nbformat.read(path, as_version=4), "nbval-check-output"), "nothing is marked to be compared"
    with pytest.MonkeyPatch.context() as patch:
        # a store of its own: every number is computed a second time
        bare(patch, tmp_path)
        patch.setenv("HSU_PROFILE", "quick")
        patch.setenv("HSU_CHAPTER", chapter)
        # the index collects what its neighbours left, so it stays beside them
        patch.setenv("HSU_OUT", str(path.parent if chapter == "index" else tmp_path / chapter))
        done = run_pytest("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", str(path))
    assert done.returncode == 0, done.stdout[-4000:]
    assert f"{chapter}.ipynb" in done.stdout


def test_the_examples_on_own_images_find_what_was_put_in(quick_book):
    """With known spectra noise alone is left; pixels picked from the image are not quite pure."""
    notebook = nbformat.read(quick_book / "chapters/own_image/own_image.ipynb", as_version=4)
    (cell,) = tagged(notebook, "nbval-check-output")
    line = r"^(\S+): (\d+) pixels left out, ([\d.]+)\u00a0% off; converged"
    told = {name: (int(left), float(off)) for name, left, off in re.findall(line, cell.outputs[0].text, re.M)}
    assert {name: left for name, (left, _) in told.items()} == {"field": 240, "camera": 0, "maps/coast": 0}
    assert max(told["field"][1], told["camera"][1]) < 8
    assert told["maps/coast"][1] < 4


def test_a_chapter_takes_other_noise_levels_and_amounts_of_training(tmp_path, monkeypatch):
    bare(monkeypatch, tmp_path)
    asked = [f"-p{item}" for item in ("noise_levels=40,15", "iterations=2", "filters=2", "seeds=3")]
    run = [sys.executable, "-m", "hsu_lib.cli", "run", "undip_noise", *asked, "--out", str(tmp_path / "out")]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    page = (tmp_path / "out" / "undip_noise.ipynb").read_text()
    assert "40 dB" in page
    assert "15 dB" in page


def test_nbval_notices_another_output(quick_book, tmp_path):
    """The check above can fail: an altered output is found."""
    notebook = nbformat.read(quick_book / "chapters/metrics/metrics.ipynb", as_version=4)
    first = tagged(notebook, "nbval-check-output")[0]
    keep = notebook.cells[: notebook.cells.index(first) + 1]
    first.outputs[0].text = "lagoon: another size\n"
    notebook.cells = keep
    nbformat.write(notebook, tmp_path / "altered.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        bare(patch, tmp_path)
        patch.setenv("HSU_OUT", str(tmp_path))
        done = run_pytest("--nbval-lax", "--nbval-current-env", str(tmp_path / "altered.ipynb"))
    assert done.returncode == 1
    assert "another size" in done.stdout


def test_plain_papermill_runs_the_converted_notebook(tmp_path):
    jupytext.write(jupytext.read(ROOT / "notebooks/alignment.py"), tmp_path / "alignment.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        bare(patch, tmp_path)
        patch.setenv("HSU_OUT", str(tmp_path / "out"))
        command = [sys.executable, "-m", "papermill", "alignment.ipynb", "done.ipynb", "-p", "draws", "7"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Of 7 estimates" in (tmp_path / "done.ipynb").read_text()


def run_pytest(*arguments):
    """Pytest in a process of its own, without this session's options, plugins or workers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["--rootdir", str(Path(arguments[-1]).parent), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment)
