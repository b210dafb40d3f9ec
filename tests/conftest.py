"""What every test gets: its own seeds, cache and run store; and the quick book, built once."""

from __future__ import annotations

import fcntl
import os
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# one thread: tests run side by side, and some fork, which a process with torch's threads does not survive
os.environ.setdefault("OMP_NUM_THREADS", "1")

# the same examples on every run: a failure can be repeated, and a green run stays green
settings.register_profile("hsu", derandomize=True, deadline=None)
settings.load_profile("hsu")


def pytest_addoption(parser):
    parser.addoption(
        "--take-golden", action="store_true", help="take golden numbers anew, see tests/test_golden.py"
    )
    parser.addoption(
        "--pages", type=Path, help="folder of a book that is built already, for tests of pages to look at"
    )


def scope(nodeid):
    """What shares a worker: the tests of the built pages, those of one chapter, else those of one file."""
    if "test_book.py::Test" in nodeid:
        return "pages"
    chapter = re.search(r"test_notebooks\.py::.*\[(\w+)\]", nodeid)
    return f"chapter {chapter[1]}" if chapter else nodeid.split("::")[0]


def pytest_collection_modifyitems(items):
    """The book is built first, for the tests of its pages; its chapters come last, and are shared out."""
    scopes = [scope(item.nodeid) for item in items]
    places = {
        of: (of != "pages", of.startswith(("chapter ", "tests/test_notebooks")), k)
        for k, of in reversed([*enumerate(scopes)])
    }
    items.sort(key=lambda item: places[scope(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests of one scope stay on one worker, and scopes in their order."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return scope(nodeid)

    config.option.loadscopereorder = False  # else by the number of tests
    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def _isolated(request, monkeypatch, tmp_path_factory):
    """No test sees the network, the user's runs or (unless marked ``real_data``) the user's cache."""
    monkeypatch.setenv("HSU_OFFLINE", "1")
    monkeypatch.setenv("HSU_STORE", str(tmp_path_factory.getbasetemp() / "runs" / request.node.name[:40]))
    for name in ("HSU_RECOMPUTE", "HSU_SCHEDULER"):
        monkeypatch.delenv(name, raising=False)
    if request.node.get_closest_marker("real_data") is None:
        monkeypatch.setenv("HSU_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def _seeded():
    """Global generators start alike; what a test changes in torch does not reach the next one."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - third-party code may draw from it
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    torch.manual_seed(0)
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)
    torch.use_deterministic_algorithms(deterministic)


@pytest.fixture(scope="session")
def quick_book(request, tmp_path_factory) -> Path:
    """Folder of the book, every chapter at quick, as a fresh clone without data builds it; or --pages."""
    if built := request.config.getoption("--pages"):
        return built.resolve()
    from hsu_lib.publishing import build

    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "book"
    with (out.parent / "book.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            out.mkdir()
            bare(patch, out)
            build.build("quick", out=out, progress=False)
    if not (out / "html/index.html").is_file():
        pytest.fail("the book could not be built; the test that began it says why")
    return out


def bare(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Environment of a machine that has no data, no cache and no runs but those in `folder`."""
    for name in [name for name in os.environ if name.startswith("HSU_")]:
        patch.delenv(name)
    patch.setenv("HSU_OFFLINE", "1")
    patch.setenv("HSU_CACHE_DIR", str(folder / "cache"))
    patch.setenv("HSU_STORE", str(folder / "runs"))


@pytest.fixture
def no_sitting(monkeypatch):
    """No times are published."""
    monkeypatch.setattr("hsu_lib.runs.answers.asking.counting", lambda: ())
