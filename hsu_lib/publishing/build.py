"""The pages of the book, built from executed chapters by Jupyter Book."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from papermill.exceptions import strip_color

from hsu_lib import paths
from hsu_lib.publishing.chapters import TAIL, BookError, best_profile, chapters, run_chapter


def build(
    profile: str | None = None,
    *,
    recompute: bool = False,
    progress: bool = True,
    out: Path | None = None,
) -> Path:
    """Execute every chapter and build the book of them; any warning is an error.

    Parameters
    ----------
    profile
        Profile of every chapter; None takes each at its `best_profile`.
    recompute, progress
        As in `run_chapter`.
    out
        Folder for executed chapters, assembled sources and pages; by default ``_build``.

    Returns
    -------
    Path
        The front page, ``OUT/html/index.html``. The pages replace those of an earlier build only
        when all went well.

    Raises
    ------
    ValueError, BookError
        As in `run_chapter`; also a `BookError` with the warnings if the pages do not build cleanly.
    """
    out = (out or paths.built()).resolve()
    executed = [
        run_chapter(
            chapter,
            profile=profile or best_profile(chapter),
            out=out / "chapters" / chapter,
            recompute=recompute,
            progress=progress,
        )
        for chapter in chapters()
    ]
    start = time.monotonic()
    if progress:
        print(f"  {'pages':<24}", end="", flush=True)
    html = _pages(executed, out)
    if progress:
        print(f"{time.monotonic() - start:6.1f} s", flush=True)
    return html / "index.html"


def _pages(notebooks: Sequence[Path], out: Path) -> Path:
    source, html = out / "book", out / "html"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(paths.ROOT / "book", source, ignore=shutil.ignore_patterns("results", "reported", ".*"))
    for path in (paths.ROOT / "_config.yml", paths.ROOT / "_toc.yml"):
        shutil.copy(path, source)
    for path in notebooks:
        nbformat.write(_as_page(nbformat.read(path, as_version=4)), source / path.name)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(source)]
    command += ["-W", "-n", "--keep-going", "--all"]  # without --all, what other pages glue goes stale
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = strip_color(done.stdout + done.stderr).splitlines()
        telling = [line for line in lines if "WARNING" in line or "ERROR" in line]
        raise BookError("the pages did not build:\n" + "\n".join(telling[-TAIL:] or lines[-TAIL:]))
    shutil.copy(_mathjax(), source / "_build" / "html" / "_static")
    shutil.rmtree(html, ignore_errors=True)
    shutil.move(source / "_build" / "html", html)
    return html


def _as_page(notebook: NotebookNode) -> NotebookNode:
    """Notebook without papermill's own notes, and without its parameters if the profile is all of them."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags and cell.source.count("=") == 1:
            cell.metadata["tags"] = [*tags, "remove-cell"]
    return notebook


def _mathjax() -> Path:
    """MathJax in one file, from the package that brings it: equations need no network."""
    package = find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise BookError("sphinx-mathjax-offline is not installed: pip install -r requirements.txt")
    return Path(package.origin).parent / "static" / "mathjax" / "tex-svg.js"
