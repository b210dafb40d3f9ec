"""Chapters: their parameters, and their execution by papermill.

A chapter is a py:percent file in ``notebooks/``; the cell tagged ``parameters`` holds its quick
values, and ``notebooks/profiles/*.yaml`` overrides them. Executed chapters go to ``_build/chapters``. A
running chapter finds in its environment ``HSU_PROFILE``, ``HSU_CHAPTER``, ``HSU_OUT`` (the folder for what
it leaves behind) and ``HSU_RECOMPUTE`` (1 to replay nothing).
"""

from __future__ import annotations

import ast
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import yaml
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill import PapermillExecutionError, execute_notebook
from papermill.exceptions import strip_color
from traitlets.config import Config

from hsu_lib import paths
from hsu_lib.publishing.published import PROFILES

#: Lines of a failing chapter's traceback, or of a failing build, that an error message shows.
TAIL = 25


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
    source = error.source.splitlines()[:TAIL]
    traceback = strip_color("\n".join(error.traceback)).splitlines()[-TAIL:]
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
