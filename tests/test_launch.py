"""Where the book can be run by others: buttons, notebooks, Binder, containers; and how it is cited."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import jupytext
import nbformat
import pytest
import yaml

import hsu_lib
from hsu_lib import paths
from hsu_lib.publishing import build, citation, launch
from hsu_lib.publishing.chapters import chapters
from hsu_lib.publishing.manifest import Manifest

ADDRESS = "https://github.com/someone/unmixing"
#: What only the book needs, and Colab has not.
NOT_ON_COLAB = ("jupytext", "papermill", "nbformat", "nbclient", "jupyter_book", "bs4", "rasterio")


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setenv("HSU_REPOSITORY", f"{ADDRESS}.git/")


@pytest.fixture
def unknown(monkeypatch):
    monkeypatch.setenv("HSU_REPOSITORY", "")
    monkeypatch.setattr(citation, "citation", dict)


# --------------------------------------------------------------------------- buttons and notebooks


def test_chapters_of_a_book_of_known_address_have_buttons(known, tmp_path):
    """With this book's own configuration, in which other options of the theme stand."""
    shutil.copy(paths.ROOT / "_config.yml", tmp_path)
    shutil.copytree(paths.ROOT / "book/_static", tmp_path / "_static")
    (tmp_path / "references.bib").write_text("")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: alpha}]\n")
    (tmp_path / "index.md").write_text("# Front\n")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_markdown_cell("# Alpha")]
    nbformat.write(
        nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "alpha.ipynb"
    )
    launch.configure(tmp_path / "_config.yml")
    build._jupyter_book("build", tmp_path, "-W", "-n", "--keep-going")
    page = (tmp_path / "_build/html/alpha.html").read_text()
    name = ADDRESS.removeprefix("https://github.com/")
    for link in (
        f"https://mybinder.org/v2/gh/{name}/notebooks?urlpath=lab/tree/notebooks/alpha.ipynb",
        f"https://colab.research.google.com/github/{name}/blob/notebooks/notebooks/alpha.ipynb",
    ):
        assert f'href="{link}"' in page
    assert "Hyperspectral unmixing, asked again" in page
    assert "mybinder" not in (tmp_path / "_build/html/index.html").read_text()


def test_a_book_of_unknown_address_has_none(unknown, tmp_path):
    (tmp_path / "_config.yml").write_text("title: T\n")
    launch.configure(tmp_path / "_config.yml")
    assert (tmp_path / "_config.yml").read_text() == "title: T\n"
    with pytest.raises(ValueError, match="set HSU_REPOSITORY"):
        launch.write_notebooks(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_address_that_no_button_can_open_is_refused(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"expected https://github.com/OWNER/NAME, got 'git@host:x'"):
        launch.buttons("git@host:x")
    monkeypatch.setenv("HSU_REPOSITORY", "https://github.com/only")
    with pytest.raises(ValueError, match="OWNER/NAME"):
        launch.write_notebooks(tmp_path)


def test_every_chapter_is_a_notebook_that_installs_itself(known, tmp_path):
    written = launch.write_notebooks(tmp_path / "out")
    assert [path.stem for path in written] == sorted(chapters())
    for path in written:
        first, *rest = nbformat.read(path, as_version=4).cells
        assert f"git clone --quiet --depth 1 --branch notebooks {ADDRESS} project" in first.source
        text = jupytext.read(paths.notebooks() / f"{path.stem}.py").cells
        assert [cell.source for cell in rest] == [cell.source for cell in text]


def test_the_first_cell_does_nothing_elsewhere(known, tmp_path):
    (path, *_) = launch.write_notebooks(tmp_path)
    code = nbformat.read(path, as_version=4).cells[0].source
    run = "import sys; from IPython.core.interactiveshell import InteractiveShell as Shell; "
    run += "assert Shell.instance().run_cell(sys.argv[1]).success"
    done = subprocess.run([sys.executable, "-c", run, code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert {entry.suffix for entry in tmp_path.iterdir()} == {".ipynb"}


def test_chapters_import_nothing_that_colab_lacks_and_the_library_does_not_bring():
    lines = {
        line
        for path in paths.notebooks().glob("*.py")
        for line in re.findall(r"^(?:from hsu_lib\S* import \w.*|import hsu_lib.*)$", path.read_text(), re.M)
    }
    assert len(lines) > 30
    code = f"import sys\nsys.modules.update(dict.fromkeys({NOT_ON_COLAB}))\n" + "\n".join(sorted(lines))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": "."}
    )
    assert done.returncode == 0, done.stderr


# --------------------------------------------------------------------------- files that others read


def test_binder_takes_every_version_of_the_book_and_converts_the_chapters():
    lines = (paths.ROOT / ".binder/requirements.txt").read_text().splitlines()
    (listed,) = [line.split()[1] for line in lines if line.startswith("--requirement")]
    assert (paths.ROOT / ".binder" / listed).resolve() == paths.ROOT / "requirements.txt"
    assert os.access(paths.ROOT / ".binder/postBuild", os.X_OK)
    assert "jupytext --to ipynb notebooks/*.py" in (paths.ROOT / ".binder/postBuild").read_text()
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    asked = (paths.ROOT / ".binder/runtime.txt").read_text().strip().removeprefix("python-")
    assert asked >= project["requires-python"].removeprefix(">=")


def test_containers_set_up_what_the_makefile_does():
    makefile = (paths.ROOT / "Makefile").read_text()
    docker = (paths.ROOT / "Dockerfile").read_text()
    told = json.loads((paths.ROOT / ".devcontainer/devcontainer.json").read_text())
    for target in re.findall(r"make (\S+)", told["postCreateCommand"]):
        assert re.search(rf"^{target}:", makefile, re.M)
    assert "RUN make .venv/.ready" in docker
    assert "READY := .venv/.ready" in makefile
    kept_out = (paths.ROOT / ".dockerignore").read_text().split()
    assert {"_build", ".venv", ".git"} <= set(kept_out)


def test_what_a_check_would_look_at_is_there():
    text = (paths.ROOT / "codecheck.yml").read_text()
    assert text.startswith("---\n")
    told = yaml.safe_load(text)
    fields = citation.citation()
    assert told["paper"]["title"] == fields["title"]
    assert [author["name"] for author in told["paper"]["authors"]] == citation.authors(fields)
    assert len(told["manifest"]) > 10
    for entry in told["manifest"]:
        path = paths.ROOT / entry["file"]
        assert path.is_file(), path
        if path.parent.name == "chapters":
            assert Manifest.read(path).answers, path


def test_the_citation_is_of_this_version_and_these_documents():
    fields = citation.citation()
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    assert fields["version"] == project["version"] == hsu_lib.__version__
    assert fields["license"] == project["license"]
    stated = (paths.ROOT / "book/references.bib").read_text().split("% Methods")[0]
    plain = re.sub(r"[{}]|\s+(?=\s)", "", re.sub(r"\s+", " ", stated)).lower()
    assert len(fields["references"]) == stated.count("@misc")
    for document in fields["references"]:
        assert document["title"].lower() in plain


def test_references_name_persons_groups_and_places():
    fields = {
        "title": "T",
        "version": "2.0",
        "date-released": "2027-01-02",
        "authors": [
            {"family-names": "Lux", "given-names": "Ada"},
            {"name": "Group"},
            {"family-names": "Nox"},
        ],
    }
    assert citation.sentence(fields) == "Ada Lux, Group and Nox (2027). *T*. Version 2.0."
    assert citation.sentence(fields, ADDRESS).endswith(f"Version 2.0. <{ADDRESS}>")
    entry = citation.bibtex({**fields, "doi": "10.1/x"}, ADDRESS)
    assert "author = {Lux, Ada and {Group} and Nox}," in entry
    assert "url = {https://doi.org/10.1/x}" in entry
