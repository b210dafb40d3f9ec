"""Where a reader can run a chapter without installing anything: Binder and Colab.

Both open notebooks of a branch that the workflow writes: the project, and its chapters as ``.ipynb`` beside
their text. Pages have buttons to them if it is known where that branch lies, in a repository on GitHub.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml

from hsu_lib import paths
from hsu_lib.publishing.citation import repository

#: The branch with the notebooks, written by ``.github/workflows/book.yml``.
BRANCH = "notebooks"
_ADDRESS = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+")

_INSTALL = """\
# On Colab: the project and what it needs, within two minutes. Elsewhere this does nothing.
import sys

if "google.colab" in sys.modules:
    %cd -q /content
    ![ -d project ] || git clone --quiet --depth 1 --branch BRANCH ADDRESS project
    %cd -q project
    %pip install --quiet --editable .[formats]
    sys.path.insert(0, "/content/project")
"""


def buttons(address: str) -> dict[str, Any]:
    """Options of the theme for buttons to Binder and Colab; none without an address.

    Parameters
    ----------
    address
        ``https://github.com/OWNER/NAME``, or empty.

    Raises
    ------
    ValueError
        If it is another one: neither button would lead anywhere.
    """
    if not address:
        return {}
    _checked(address)
    services = {"binderhub_url": "https://mybinder.org", "colab_url": "https://colab.research.google.com"}
    return {
        "repository_url": address,
        "repository_branch": BRANCH,
        "path_to_docs": "notebooks",
        "launch_buttons": {"notebook_interface": "jupyterlab", **services},
    }


def configure(path: Path) -> None:
    """Add `buttons` to a ``_config.yml``, if the address of the project is known."""
    if added := buttons(repository()):
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        # Jupyter Book's own keys for this are lost where the theme has options of its own
        options = told.setdefault("sphinx", {}).setdefault("config", {}).setdefault("html_theme_options", {})
        options |= added
        path.write_text(yaml.safe_dump(told), encoding="utf-8")


def write_notebooks(folder: Path) -> list[Path]:
    """Write every chapter as a notebook whose first cell installs the project on Colab.

    Parameters
    ----------
    folder
        Gets ``CHAPTER.ipynb``, not executed; made if it is not there.

    Returns
    -------
    list of Path
        The notebooks.

    Raises
    ------
    ValueError
        If the address of the project is not known, or is not on GitHub.
    FileNotFoundError
        If the library is installed without the project's files.
    """
    texts = sorted(paths.notebooks().glob("*.py"))
    if not (address := repository()):
        raise ValueError(
            "the address of the project is not known: set HSU_REPOSITORY, or repository-code in CITATION.cff"
        )
    install = _INSTALL.replace("BRANCH", BRANCH).replace("ADDRESS", _checked(address))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in texts:
        notebook = jupytext.read(path)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(install.rstrip(), id="install"))
        written.append(folder / f"{path.stem}.ipynb")
        jupytext.write(notebook, written[-1])
    return written


def _checked(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"address of the project: expected https://github.com/OWNER/NAME, got {address!r}")
    return address
