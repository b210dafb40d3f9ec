"""Kill publications and builds at random, and look at what is left.

To be run by hand; it takes a quarter of an hour, so it is no part of the tests. The project is one of two
chapters, made in a folder for temporary files. After each kill, what is published is that of before or that
of after, to the byte; the pages are all of one build; and in the end nothing is left over.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALPHA = """# %% [markdown]
# # Alpha
#
# See [beta](beta).

# %% tags=["parameters", "remove-cell"]
profile = "quick"
mark = 1
seeds = 40

# %%
from hsu_lib.publishing import pages
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec
page = pages.Page("alpha", profile)
lagoon = SceneSpec("lagoon", crop=(2, 3, 7, 5))
found = page.sweep(Run("vca-fclsu", lagoon, mark + seed) for seed in range(seeds))
page.mapped(found.records[:mark])
page.text(f"MARK {mark}")
"""
INDEX = """# %% [markdown]
# # Front

# %% tags=["parameters", "remove-cell"]
profile = "quick"
mark = 1

# %%
from hsu_lib.publishing import pages
page = pages.Page("index", profile)
page.text(f"MARK {mark}")
"""
TOC = "format: jb-book\nroot: index\nchapters: [{file: alpha}, {file: beta}]\n"
CONFIG = "title: T\nlogo: ''\nexecute: {execute_notebooks: 'off'}\nonly_build_toc_files: true\n"


def house(folder: Path) -> None:
    """A project of two chapters around a copy of the library."""
    (folder / "notebooks/profiles").mkdir(parents=True)
    (folder / "book/_static").mkdir(parents=True)
    shutil.copytree(ROOT / "hsu_lib", folder / "hsu_lib")
    for name, text in {
        "notebooks/alpha.py": ALPHA,
        "notebooks/index.py": INDEX,
        "notebooks/profiles/quick.yaml": "",
        "book/beta.md": "# Beta\n\nBack to [alpha](alpha).\n",
        "_toc.yml": TOC,
        "_config.yml": CONFIG,
    }.items():
        (folder / name).write_text(text)
    mark(folder, 1)


def mark(folder: Path, number: int) -> None:
    """Another profile: other seeds, another text on both pages."""
    text = f"alpha: {{mark: {number}}}\nindex: {{mark: {number}}}\n"
    (folder / "notebooks/profiles/desk.yaml").write_text(text)


def hsu(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "hsu_lib.cli", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def done(*arguments: str) -> str:
    process = hsu(*arguments)
    told, _ = process.communicate()
    assert process.returncode == 0, told
    return told


def content(folder: Path) -> dict[str, bytes]:
    paths = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".hsu")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def publications(folder: Path, times: int) -> None:
    from hsu_lib import paths
    from hsu_lib.publishing import published

    assert folder == paths.ROOT, "another copy of the library was imported"
    desk, chapters = folder / "book/results/desk", folder / "_build/chapters"
    whole, states = {}, {}
    for number in (1, 2):
        mark(folder, number)
        for chapter in ("alpha", "index"):
            done("run", chapter, "--profile", "desk")
        states[number] = folder / f"state-{number}"
        shutil.copytree(chapters, states[number])
        start = time.monotonic()
        published.publish("desk")
        lasts = time.monotonic() - start
        whole[number] = content(desk)
    assert whole[1] != whole[2]
    there, moved, waited = 2, 0, 0
    for _ in range(times):
        wanted = 3 - there
        mark(folder, wanted)
        shutil.rmtree(chapters)
        shutil.copytree(states[wanted], chapters)
        child = os.fork()
        if not child:
            published.publish("desk")
            os._exit(0)
        time.sleep(random.uniform(0, 1.6 * lasts))
        os.kill(child, signal.SIGKILL)
        waited += os.waitpid(child, 0)[1] == signal.SIGKILL
        found = content(desk)
        assert found in (whole[there], whole[wanted]), "published results are neither the old nor the new"
        if found == whole[wanted]:
            there, moved = wanted, moved + 1
    mark(folder, 3 - there)
    shutil.rmtree(chapters)
    shutil.copytree(states[3 - there], chapters)
    done("publish", "desk")
    assert content(desk) == whole[3 - there]
    left = sorted(path.name for path in desk.parent.iterdir())
    assert left == [".hsu", "desk"], left
    print(f"{times} publications of {lasts:.2f} s, {waited} killed, {moved} after the swap: always whole")


def builds(folder: Path, times: int) -> None:
    html = folder / "_build/html"
    mark(folder, 1)
    start = time.monotonic()
    done("book", "--profile", "desk")
    lasts = time.monotonic() - start
    there, moved, killed = 1, 0, 0
    for k in range(times):
        wanted = 3 - there
        mark(folder, wanted)
        process = hsu("book", "--profile", "desk")
        if k % 2:  # in the chapters or anywhere
            time.sleep(random.uniform(0, lasts))
        else:  # in the pages
            told = ""
            while "pages" not in told and process.poll() is None:
                told += process.stdout.read(1)
            time.sleep(random.uniform(0, 0.35 * lasts))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        names = set((html / ".hsu-pages").read_text().split("\n")) - {""}
        assert names | {".hsu-pages"} == set(content(html)), "pages are missing, or others are among them"
        marks = {number for number in (1, 2) for name in ("alpha", "index")
                 if f"MARK {number}" in (html / f"{name}.html").read_text()}  # fmt: skip
        assert len(marks) == 1, f"pages are of two builds: {marks}"
        if marks == {wanted}:
            there, moved = wanted, moved + 1
    time.sleep(2)  # a kernel looks once a second whether its parent lives
    done("book", "--profile", "desk")
    assert not list(folder.glob("_build/.making")), "something is left in _build"
    temporary = Path(tempfile.gettempdir())
    assert not list(temporary.glob("hsu-kernel-*")), "sockets are left"
    alive = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert str(folder.parent) not in alive, "a process is left"
    print(f"{times} builds of {lasts:.1f} s, {killed} killed, {moved} after the swap: never of two builds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--publications", type=int, default=50)
    parser.add_argument("--builds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    with tempfile.TemporaryDirectory(prefix="hsu-faults-") as made:
        folder = (Path(made) / "house").resolve()
        house(folder)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        for name in [name for name in os.environ if name.startswith("HSU_")]:
            del os.environ[name]
        (Path(made) / "tmp").mkdir()
        os.environ |= {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "TMPDIR": str(Path(made) / "tmp")}
        tempfile.tempdir = None
        publications(folder, chosen.publications)
        builds(folder, chosen.builds)


if __name__ == "__main__":
    main()
