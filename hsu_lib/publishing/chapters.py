"""Chapters: their parameters, and their execution by papermill.

A chapter is a py:percent file in ``notebooks/``; the cell tagged ``parameters`` holds its quick
values, and ``notebooks/profiles/*.yaml`` overrides them. Executed chapters go to ``_build/chapters``. A
running chapter finds in its environment ``HSU_PROFILE``, ``HSU_CHAPTER``, ``HSU_OUT`` (the folder for what
it leaves behind) and ``HSU_RECOMPUTE`` (1 to replay nothing).
"""

from __future__ import annotations

import ast
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

import jupytext
import yaml
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill import PapermillExecutionError, execute_notebook
from papermill.exceptions import strip_color

from hsu_lib import paths
from hsu_lib.publishing import folders, kernels
from hsu_lib.publishing.manifest import Damaged, Executed, Manifest
from hsu_lib.publishing.published import PROFILES, fingerprint
from hsu_lib.runs import DamagedRecord
from hsu_lib.runs.provenance import commit
from hsu_lib.words import seeds_of, value_of

#: What a chapter leaves beside its notebook.
MANIFEST = "chapter.json"
#: Chapters that collect what the others found.
_LAST = ("changes", "index")
#: Lines of a failing chapter's traceback, or of a failing build, that an error message shows.
TAIL = 25


class BookError(RuntimeError):
    """A chapter did not run to its end, or the pages did not build without a warning."""


# --------------------------------------------------------------------------- what there is


def chapters() -> list[str]:
    """Names of the chapters in the order they run: those that collect what others found come last."""
    names = sorted(path.stem for path in paths.notebooks().glob("*.py"))
    return sorted(names, key=lambda name: _LAST.index(name) if name in _LAST else -1)


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
    return _parameters(chapter, _notebook(_text(chapter)))


def profile_parameters(profile: str, chapter: str) -> dict[str, Any]:
    """What a profile sets for a chapter, ``profile`` itself included; the rest stays quick."""
    check_profile(profile)
    return _set_by(profile, chapter) | {"profile": profile}


def _set_by(profile: str, chapter: str) -> dict[str, Any]:
    path = paths.notebooks() / "profiles" / f"{profile}.yaml"
    try:
        return dict((yaml.safe_load(path.read_text()) or {}).get(chapter) or {})
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        told = " ".join(str(error).split())
        raise ValueError(f"{path}: expected chapters and, below each, NAME: VALUE; {told}") from error


def check_profile(profile: str) -> None:
    """Refuse a profile that there is not.

    Raises
    ------
    ValueError
        If it is unknown; says which are known.
    """
    _known("profile", profile, profiles())


def values(chapter: str, profile: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All parameters of a chapter with their values: its own, the profile's, and those given.

    Raises
    ------
    ValueError
        If a chapter, profile or parameter is unknown, or a value has the wrong type.
    """
    return _values(chapter, _text(chapter), profile, given)


def source(chapter: str, profile: str) -> str:
    """SHA-256 of a chapter's text and of what the profile sets for it."""
    return _source(_text(chapter), profile_parameters(profile, chapter))


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
    Busy
        If another process fills the folder.
    """
    out = (out or paths.executed() / chapter).resolve()
    values(chapter, profile, parameters)  # a mistake is told before anything is made
    check_out(out, chapter)
    with folders.held(out, f"hsu run {chapter} --profile {profile}"):
        return execute(
            chapter, profile=profile, parameters=parameters, out=out, recompute=recompute, progress=progress
        )


def check_out(out: Path, chapter: str) -> None:
    """Refuse a folder in which executing a chapter would do harm.

    Raises
    ------
    ValueError
        If it holds files that would be replaced and were not made here, or lies in the pages of a book.
    """
    check_outside_pages(out)
    if out.is_relative_to(paths.executed().resolve()) or (out / folders.MARK).exists():
        return
    taken = [name for name in (f"{chapter}.ipynb", MANIFEST, "figures") if (out / name).exists()]
    with suppress(Damaged, OSError):
        taken = taken if Manifest.read(out / MANIFEST).chapter != chapter else []
    if taken:
        raise ValueError(f"{out / taken[0]} was not made by executing a chapter: choose another folder")


def check_outside_pages(out: Path) -> None:
    """Refuse a folder in the pages of a book: the next build would take it away.

    Raises
    ------
    ValueError
        If it is one of pages, or lies in one.
    """
    for folder in (out, *out.parents):
        if (folder / folders.PAGES).exists() or folder == (paths.built() / "html").resolve():
            raise ValueError(f"{out} lies in the pages of a book, {folder}: choose another folder")


def execute(
    chapter: str,
    *,
    profile: str,
    parameters: Mapping[str, Any] | None = None,
    out: Path,
    recompute: bool = False,
    progress: bool = True,
) -> Path:
    """`run_chapter` in a folder that this process `hsu_lib.publishing.folders.held`."""
    text = _text(chapter)
    given = _values(chapter, text, profile, parameters)
    done = Executed(given, _source(text, profile_parameters(profile, chapter)), commit())
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
        print(f"  {chapter:<21}{profile:<8}", end="", flush=True)
    try:
        folders.recover(paths.published())
        Manifest(chapter, profile).write(out / MANIFEST)  # from here to the end, one that does not count
        before = _pictures(out)
        with kernels.environment(environment), kernels.configured() as config:
            notebook = execute_notebook(
                _notebook(text),
                str(path),
                given,
                kernel_name="python3",
                progress_bar=False,
                config=config,
                stderr_file=sys.stderr if progress and sys.stderr.isatty() else None,
            )
        code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        if any(cell.execution_count is None for cell in code):
            raise BookError("it ended before its last cell")
        _end(done, out, before)
    except (PapermillExecutionError, DeadKernelError, BookError, Damaged, OSError) as error:
        if progress:
            print("failed", flush=True)
        where = f"\nThe notebook up to there: {path}" if path.exists() else ""
        raise BookError(f"chapter {chapter}: {_what(error)}{where}") from error
    if progress:
        print(f"{time.monotonic() - start:6.1f} s", flush=True)
    return path


def _end(done: Executed, out: Path, before: Mapping[str, int]) -> None:
    """Note in its manifest that the chapter ran to its end, and with what."""
    manifest = Manifest.read(out / MANIFEST)
    for picture, changed in _pictures(out).items():
        if picture in manifest.pictures and before.get(picture) != changed:
            digest = sha256((out / "figures" / f"{picture}.webp").read_bytes()).hexdigest()
            done = replace(done, pictures={**done.pictures, picture: digest})
    with suppress(LookupError, DamagedRecord):  # told when it is to be published
        done = replace(done, records=fingerprint(manifest.keys))
    manifest.executed = done
    manifest.write(out / MANIFEST)


def _pictures(out: Path) -> dict[str, int]:
    """When each picture in the folder of an executed chapter was drawn."""
    return {path.stem: path.stat().st_mtime_ns for path in (out / "figures").glob("*.webp")}


def _text(chapter: str) -> str:
    _known("chapter", chapter, chapters())
    return (paths.notebooks() / f"{chapter}.py").read_text()


def _notebook(text: str) -> NotebookNode:
    notebook = jupytext.reads(text, fmt="py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def _values(chapter: str, text: str, profile: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    defaults = _parameters(chapter, _notebook(text))
    values = dict(defaults)
    for settings in (profile_parameters(profile, chapter), given or {}):
        for name, value in settings.items():
            _known(f"parameter of {chapter}", name, list(defaults))
            values[name] = _like(defaults[name], value, name)
    if isinstance(values.get("seeds"), str):
        seeds_of(values["seeds"], f"parameter seeds of {chapter}")
    return values | {"profile": profile}


def _source(text: str, settings: Mapping[str, Any]) -> str:
    return sha256(f"{text}\n{json.dumps(settings, sort_keys=True, default=str)}".encode()).hexdigest()


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
    """The value, if it is of the default's type; a whole number may stand for a real one.

    A text is read as the command line has it: ``"1e3"`` is a whole number where one is wanted.
    """
    if isinstance(value, str) and type(default) in (bool, int, float):
        try:
            return value_of(value, type(default), f"parameter {name}")
        except ValueError as error:
            raise ValueError(str(error).replace(", got", f" like {default!r}, got", 1)) from None
    if type(default) is float and type(value) is int:
        return float(value)
    if type(default) is str and type(value) is int:
        return str(value)
    if default is not None and type(value) is not type(default):
        raise ValueError(
            f"parameter {name}: expected {type(default).__name__} like {default!r}, "
            f"got {type(value).__name__} {value!r}"
        )
    return value


def _what(error: Exception) -> str:
    """What stopped a chapter: the cell and the end of its traceback."""
    if isinstance(error, DeadKernelError):
        return f"its kernel died, perhaps out of memory ({error})"
    if isinstance(error, OSError):
        return f"cannot read or write: {error.filename or ''} {error.strerror or error}"
    if not isinstance(error, PapermillExecutionError):
        return str(error)
    source = error.source.splitlines()[:TAIL]
    traceback = strip_color("\n".join(error.traceback)).splitlines()[-TAIL:]
    shown = "\n".join(f"    {line}" for line in [*source, "", *traceback])
    return f"{error.ename} in cell {error.exec_count}\n{shown}"
