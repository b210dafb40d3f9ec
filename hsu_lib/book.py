"""The book: its chapters run with parameters (papermill), and its pages built (Jupyter Book).

A chapter is a py:percent file in ``notebooks/``; the cell tagged ``parameters`` holds its quick
values, and ``notebooks/profiles/*.yaml`` overrides them. Executed chapters and pages are made under
``_build/``. A running chapter finds in its environment ``HSU_PROFILE``, ``HSU_CHAPTER``,
``HSU_OUT`` (the folder for what it leaves behind) and ``HSU_RECOMPUTE`` (1 to replay nothing).
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
import yaml
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill import PapermillExecutionError, execute_notebook
from papermill.exceptions import strip_color
from traitlets.config import Config

from hsu_lib import paths
from hsu_lib.published import PROFILES

#: Lines of a failing chapter's traceback, or of a failing build, that an error message shows.
_TAIL = 25


class BookError(RuntimeError):
    """A chapter did not run to its end, or the pages did not build without a warning."""


# --------------------------------------------------------------------------- what there is


def chapters() -> list[str]:
    """Names of the chapters in the order they run: the index collects the others, so it is last."""
    names = sorted(path.stem for path in paths.notebooks().glob("*.py"))
    if not names:
        raise BookError(
            f"no chapters in {paths.notebooks()}: the book needs the project's files beside the library; "
            "clone the project and install it with `pip install --editable`"
        )
    return sorted(names, key="index".__eq__)


def profiles() -> list[str]:
    """Names of the profiles: the project's own from quick to thorough, then any that a user added."""
    found = {path.stem for path in (paths.notebooks() / "profiles").glob("*.yaml")}
    return [name for name in PROFILES if name in found] + sorted(found.difference(PROFILES))


def parameters(chapter: str) -> dict[str, Any]:
    """A chapter's parameters with their quick values, read from its cell tagged ``parameters``.

    Raises
    ------
    ValueError
        If there is no such chapter, or the cell holds anything but names given a plain value.
    """
    return _parameters(chapter, _source(chapter))


def profile_parameters(profile: str, chapter: str) -> dict[str, Any]:
    """What a profile sets for a chapter, ``profile`` itself included; the rest stays quick."""
    _known("profile", profile, profiles())
    settings = yaml.safe_load((paths.notebooks() / "profiles" / f"{profile}.yaml").read_text()) or {}
    return {**(settings.get(chapter) or {}), "profile": profile}


def best_profile(chapter: str) -> str:
    """Most thorough of the project's profiles with published results for the chapter; else quick."""
    _known("chapter", chapter, chapters())
    for profile in reversed(PROFILES):
        if (paths.published() / profile / "chapters" / f"{chapter}.json").is_file():
            return profile
    return PROFILES[0]


# --------------------------------------------------------------------------- running a chapter


def run_chapter(
    chapter: str,
    *,
    profile: str = "quick",
    parameters: Mapping[str, Any] | None = None,
    out: Path | None = None,
    recompute: bool = False,
    progress: bool = True,
) -> Path:
    """Execute a chapter and write it, with its outputs, to ``OUT/CHAPTER.ipynb``.

    Parameters
    ----------
    chapter, profile
        Names of `chapters` and `profiles`.
    parameters
        Values that override the profile's, by the names of `parameters`.
    out
        Folder of the executed notebook and of everything that the chapter leaves behind; by default
        ``_build/chapters/CHAPTER``.
    recompute
        Whether to run everything afresh instead of replaying stored records.
    progress
        Whether to print a line with the seconds, and on a terminal the chapter's own progress bars.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    ValueError
        If a chapter, profile or parameter is unknown, or a value has the wrong type.
    BookError
        If a cell fails. The notebook up to that cell is kept, and the message says where.
    """
    notebook = _source(chapter)
    defaults = _parameters(chapter, notebook)
    values = dict(defaults)
    for given in (profile_parameters(profile, chapter), dict(parameters or {})):
        for name, value in given.items():
            _known(f"parameter of {chapter}", name, list(defaults))
            values[name] = _like(defaults[name], value, name)
    values["profile"] = profile
    out = (out or paths.executed() / chapter).resolve()
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{chapter}.ipynb"
    environment = {
        "HSU_PROFILE": profile,
        "HSU_CHAPTER": chapter,
        "HSU_OUT": str(out),
        "HSU_RECOMPUTE": "1" if recompute else "0",
        # the kernel is this interpreter's, whatever the user or the machine has installed elsewhere
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PATH": None,
        # torch's threads sleep while they wait: on a machine with other work, spinning is five times slower
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        "PYTHONWARNINGS": "ignore:IProgress not found",  # progress bars of text are what is wanted
        "PYTHONDONTWRITEBYTECODE": None,  # without bytecode every kernel compiles torch anew: 5 s
    }
    start = time.monotonic()
    if progress:
        print(f"  {chapter:<20}{profile:<8}", end="", flush=True)
    try:
        with _environment(environment), TemporaryDirectory(prefix="hsu-") as sockets:
            execute_notebook(
                notebook,
                str(path),
                values,
                kernel_name="python3",
                progress_bar=False,
                config=_kernel(sockets),
                stderr_file=sys.stderr if progress and sys.stderr.isatty() else None,
            )
    except (PapermillExecutionError, DeadKernelError) as error:
        if progress:
            print("failed", flush=True)
        raise BookError(f"chapter {chapter}: {_what(error)}\nThe notebook up to there: {path}") from error
    if progress:
        print(f"{time.monotonic() - start:6.1f} s", flush=True)
    return path


def _source(chapter: str) -> NotebookNode:
    _known("chapter", chapter, chapters())
    notebook = jupytext.read(paths.notebooks() / f"{chapter}.py", fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def _parameters(chapter: str, notebook: NotebookNode) -> dict[str, Any]:
    cells = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    values = {}
    for statement in ast.parse("\n".join(cells)).body:
        try:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    values[name] = ast.literal_eval(value)
                case _:
                    raise ValueError
        except ValueError:
            raise ValueError(
                f"chapter {chapter}: expected lines like `seeds = 2` in the cell tagged `parameters`, "
                f"got `{ast.unparse(statement)}`"
            ) from None
    if len(cells) != 1 or "profile" not in values:
        raise ValueError(
            f'chapter {chapter}: expected one cell tagged `parameters` with a line `profile = "quick"`, '
            f"found {len(cells)} such cells, which set {', '.join(values) or 'nothing'}"
        )
    return values


def _known(kind: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        close = get_close_matches(name, names, n=len(names), cutoff=0.5)
        listed = ", ".join([*close, *(other for other in names if other not in close)])
        raise ValueError(f"unknown {kind}: {name!r}; known, the closest first: {listed}")


def _like(default: Any, value: Any, name: str) -> Any:
    """The value, if it is of the default's type; a whole number may stand for a real one."""
    if type(default) is float and type(value) is int:
        return float(value)
    if default is not None and type(value) is not type(default):
        raise ValueError(
            f"parameter {name}: expected {type(default).__name__} like {default!r}, "
            f"got {type(value).__name__} {value!r}"
        )
    return value


def _kernel(sockets: str) -> Config:
    """Sockets in a folder instead of TCP ports, about which every kernel prints a warning."""
    tcp = sys.platform == "win32"
    return Config({} if tcp else {"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}})


def _what(error: Exception) -> str:
    """What stopped a chapter: the cell and the end of its traceback."""
    if not isinstance(error, PapermillExecutionError):
        return f"its kernel died, perhaps out of memory ({error})"
    source = error.source.splitlines()[:_TAIL]
    traceback = strip_color("\n".join(error.traceback)).splitlines()[-_TAIL:]
    shown = "\n".join(f"    {line}" for line in [*source, "", *traceback])
    return f"{error.ename} in cell {error.exec_count}\n{shown}"


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Environment variables for the time of a block; None removes one."""
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


# --------------------------------------------------------------------------- building the pages


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
        raise BookError("the pages did not build:\n" + "\n".join(telling[-_TAIL:] or lines[-_TAIL:]))
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
