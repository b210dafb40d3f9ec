"""The pages of the book, built from executed chapters by Jupyter Book."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from papermill.exceptions import strip_color

from hsu_lib import paths
from hsu_lib.publishing import endpoints, explorer, folders, launch, reference
from hsu_lib.publishing.chapters import (
    MANIFEST,
    TAIL,
    BookError,
    best_profile,
    chapters,
    check_out,
    check_outside_pages,
    execute,
    values,
)
from hsu_lib.publishing.explorer import book
from hsu_lib.publishing.html import legend
from hsu_lib.publishing.manifest import Manifest

#: Where the page *Explore* has its scripts and data, among the pages.
_EXPLORER = "_static/explorer"

#: Jupyter Book in a process of its own, which ends when the pipe to ours does: when we are killed.
_JUPYTER_BOOK = """
import os, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
from jupyter_book.cli.main import main
main()
"""
#: Extensions of Jupyter Book that take no Sphinx newer than 7; what they add, the pages do without.
_NOT_PLAIN = ("jupyter_book", "sphinx_jupyterbook_latex")


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
        As in `hsu_lib.publishing.chapters.run_chapter`.
    out
        Folder for executed chapters and pages; by default ``_build``.

    Returns
    -------
    Path
        The front page, ``OUT/html/index.html``. The pages replace those of an earlier build only
        when all went well, and in one step.

    Raises
    ------
    ValueError, BookError
        As in `hsu_lib.publishing.chapters.run_chapter`; also a `BookError` with the warnings if the pages
        do not build cleanly, or with the reason why they could not be put in place.
    Busy
        If another process builds in this folder or executes a chapter in it.
    """
    out = (out or paths.built()).resolve()
    html = (out / "html").resolve()
    _check_pages(out, html)
    folders.recover(paths.published())
    profiles = {chapter: profile or best_profile(chapter) for chapter in chapters()}
    for chapter, chosen in profiles.items():  # mistakes are told before anything is made
        values(chapter, chosen)
        check_out(out / "chapters" / chapter, chapter)
    doing = f"hsu book --profile {profile}" if profile else "hsu book"
    with ExitStack() as stack:
        for folder in (out, *(out / "chapters" / chapter for chapter in profiles)):
            stack.enter_context(folders.held(folder, doing))
        executed = [
            execute(
                chapter,
                profile=chosen,
                out=out / "chapters" / chapter,
                recompute=recompute,
                progress=progress,
            )
            for chapter, chosen in profiles.items()
        ]
        start = time.monotonic()
        if progress:
            print(f"  {'pages':<30}", end="", flush=True)
        try:
            with folders.workplace(html.parent) as place:
                _pages(executed, html, place)
        except OSError as error:
            raise BookError(f"the pages could not be put into {html}: {error}") from error
    if progress:
        print(f"{time.monotonic() - start:6.1f} s", flush=True)
    return out / "html" / "index.html"


def build_plainly(python: Path) -> Path:
    """Build the pages of the chapters executed last with the plain Sphinx of another environment.

    The configuration is the one that Jupyter Book would hand to its own Sphinx, without two extensions. It
    shows whether the pages will stand on a Sphinx that Jupyter Book does not take yet. Nothing is executed.

    Parameters
    ----------
    python
        Interpreter, of our version, of an environment with Sphinx and the extensions that the configuration
        names.

    Returns
    -------
    Path
        The front page, ``_build/next/html/index.html``.

    Raises
    ------
    ValueError
        If there is no such interpreter.
    BookError
        If a chapter was not executed to its end, with what to do; or with the warnings, as in `build`.
    Busy
        As in `build`.
    """
    if not python.is_file():
        raise ValueError(f"no interpreter {python}: `make book-next` sets it up")
    html, names = paths.built().resolve() / "next" / "html", chapters()
    with ExitStack() as stack:
        for folder in (html.parent, *(paths.executed() / name for name in names)):
            stack.enter_context(folders.held(folder, "hsu book --sphinx"))
        waiting = [name for name in names if not _is_executed(paths.executed() / name)]
        if waiting:
            raise BookError(f"not executed to the end: {', '.join(waiting)}; `make book` first")
        with folders.workplace(html.parent) as place:
            _pages([paths.executed() / name / f"{name}.ipynb" for name in names], html, place, python)
    return html / "index.html"


def _is_executed(folder: Path) -> bool:
    path = folder / MANIFEST
    return path.is_file() and Manifest.read(path).executed is not None


def _check_pages(out: Path, html: Path) -> None:
    """Refuse a place for pages that would do harm.

    Raises
    ------
    ValueError
        If it lies in the sources of the book, or is in use for something else.
    """
    check_outside_pages(out)
    sources = paths.ROOT / "book"
    if out.is_relative_to(sources):
        raise ValueError(f"{out} lies in the sources of the book, {sources}: choose another folder")
    ours = out == paths.built().resolve() or (html / folders.PAGES).exists()
    if html.is_file() or (html.is_dir() and not ours and any(html.iterdir())):
        raise ValueError(f"{html} was not built here: move it away, or choose another folder")


def _pages(notebooks: Sequence[Path], html: Path, place: Path, python: Path | None = None) -> None:
    """Build the pages in `place`, if `python` is given by its plain Sphinx, and put them where `html` is."""
    source = place / "book"
    shutil.copytree(paths.ROOT / "book", source, ignore=shutil.ignore_patterns("results", "reported", ".*"))
    for path in (paths.ROOT / "_config.yml", paths.ROOT / "_toc.yml"):
        shutil.copy(path, source)
    launch.configure(source / "_config.yml")
    (source / "outcomes.html").write_text(legend(), encoding="utf-8")  # which how-to-read.md shows
    if (source / "api_methods.md").exists():
        for name, text in reference.pages().items():
            (source / f"{name}.md").write_text(text, encoding="utf-8")
    explored = (source / "explore.md").exists()
    if explored:
        (source / "explorer.html").write_text(explorer.fragment(f"{_EXPLORER}/"), encoding="utf-8")
    cited = (source / "cite.md").exists()
    if cited:
        endpoints.write(source)
    for path in notebooks:
        nbformat.write(_as_page(nbformat.read(path, as_version=4)), source / path.name)
    if python is None:
        # without --all, what other pages glue goes stale
        _jupyter_book("build", source, "-W", "-n", "--keep-going", "--all")
    else:
        _plain_sphinx(source, python)
    new = source / "_build" / "html"
    shutil.copy(_mathjax(), new / "_static")
    if explored:  # Sphinx would load every script of _static on every page
        explorer.lay_out(new / _EXPLORER)
        book.export(new / _EXPLORER)
    for name in endpoints.FILES if cited else ():
        shutil.copy(source / name, new)
    built = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    _keep_others(html, new)
    (new / folders.PAGES).write_text("\n".join(built) + "\n")
    folders.replace(new, html)


def _jupyter_book(command: str, source: Path, *options: str) -> None:
    _run([sys.executable, "-c", _JUPYTER_BOOK, *command.split(), str(source), *options], source)


def _plain_sphinx(source: Path, python: Path) -> None:
    _jupyter_book("config sphinx", source)
    with (source / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(f"extensions = [name for name in extensions if name not in {_NOT_PLAIN}]\n")
        # after its own packages: the library, whose words are pages, and what that imports
        configuration.write(f"import site\nsite.addsitedir({sysconfig.get_path('purelib')!r})\n")
    options = ["-b", "html", "-W", "-n", "--keep-going"]
    _run([str(python), "-m", "sphinx", *options, str(source), str(source / "_build" / "html")], source)


def _run(command: Sequence[str], source: Path) -> None:
    """Run what builds the pages of `source`; its input ends when we do.

    Raises
    ------
    BookError
        With what it said, if it fails.
    """
    here, there = os.pipe()
    try:
        done = subprocess.run(command, stdin=here, capture_output=True, text=True)
    finally:
        os.close(here)
        os.close(there)
    if done.returncode != 0:
        lines = strip_color(done.stdout + done.stderr).replace(str(source), "book").splitlines()
        telling = [line for line in lines if "WARNING" in line or "ERROR" in line]
        raise BookError("the pages did not build:\n" + "\n".join(telling[-TAIL:] or lines[-TAIL:]))


def _keep_others(html: Path, new: Path) -> None:
    """Take over what somebody else put among the pages of the last build."""
    if not (html / folders.PAGES).exists():
        return
    ours = {folders.PAGES, *(html / folders.PAGES).read_text().splitlines()}
    for path in html.rglob("*"):
        name = path.relative_to(html)
        if path.is_file() and name.as_posix() not in ours:
            if (new / name).exists():
                raise BookError(f"{path} was not built here, and a page of this name is to be: move it away")
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, new / name)


def _as_page(notebook: NotebookNode) -> NotebookNode:
    """Notebook without papermill's own notes; its parameters come at the end, folded, if there are any."""
    notebook.metadata.pop("papermill", None)
    first, last = [], []
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "remove-cell" if cell.source.count("=") == 1 else "hide-input"]
            last.append(cell)
        else:
            first.append(cell)
    notebook.cells = [*first, *last]
    return notebook


def _mathjax() -> Path:
    """MathJax in one file, from the package that brings it: equations need no network."""
    package = find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise BookError("sphinx-mathjax-offline is not installed: pip install -r requirements.txt")
    return Path(package.origin).parent / "static" / "mathjax" / "tex-svg.js"
