"""Chapters run with parameters, errors that help, and pages that a browser shows without a flaw."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import browser
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from hsu_lib.publishing import build, chapters, folders, kernels, published, reference
from hsu_lib.publishing.manifest import Executed, Manifest

ROOT = Path(__file__).resolve().parent.parent

# --------------------------------------------------------------------------- a book of two chapters

ALPHA = """# %% [markdown]
# # Alpha
#
# See [beta](beta).

# %% tags=["parameters", "remove-cell"]
profile = "quick"
seeds = 2
rate = 0.5
scene = "lagoon"
alphas = [0, 1]

# %%
import os, sys
print([profile, seeds, rate, scene, alphas])

# %%
print({name: value for name, value in sorted(os.environ.items()) if name.startswith("HSU_")})

# %%
print(sys.executable, "PYTHONDONTWRITEBYTECODE" in os.environ)
if scene == "broken":
    raise RuntimeError("the scene is broken")
if scene == "deadly":
    os._exit(1)
if scene == "early":
    sys.exit()

# %%
if scene == "slow":
    open(os.environ["HSU_OUT"] + "/started", "w").close()
    import time
    time.sleep(60)
if scene == "late":
    from hsu_lib.publishing import pages
    pages.Page("alpha", profile)
    raise RuntimeError("nearly")
print("MARK", seeds)
"""

INDEX = """# %% [markdown]
# # Front

# %% tags=["parameters", "remove-cell"]
profile = "quick"
"""


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A small project of its own in place of this one."""
    root = tmp_path / "house"
    for folder in ("notebooks/profiles", "book/_static"):
        (root / folder).mkdir(parents=True)
    (root / "notebooks/alpha.py").write_text(ALPHA)
    (root / "notebooks/index.py").write_text(INDEX)
    (root / "notebooks/profiles/quick.yaml").write_text("# nothing\n")
    (root / "notebooks/profiles/desk.yaml").write_text("alpha:\n  seeds: 5\n  scene: samson\n")
    (root / "notebooks/profiles/mine.yaml").write_text("alpha:\n  sceen: samson\n")
    (root / "book/beta.md").write_text("# Beta\n\nBack to [alpha](alpha).\n")
    (root / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: alpha}, {file: beta}]\n")
    (root / "_config.yml").write_text(
        "title: T\nlogo: ''\nexecute: {execute_notebooks: 'off'}\nonly_build_toc_files: true\n"
    )
    monkeypatch.setattr("hsu_lib.paths.ROOT", root)
    monkeypatch.setenv("HSU_PUBLISHED", str(root / "book/results"))
    return root


def outputs(path):
    notebook = nbformat.read(path, as_version=4)
    return [out.text for cell in notebook.cells for out in cell.get("outputs", ()) if "text" in out]


def test_what_there_is(house):
    assert chapters.chapters() == ["alpha", "index"]
    assert chapters.profiles() == ["quick", "desk", "mine"]
    assert chapters.parameters("alpha") == {
        "profile": "quick",
        "seeds": 2,
        "rate": 0.5,
        "scene": "lagoon",
        "alphas": [0, 1],
    }
    assert chapters.profile_parameters("desk", "alpha") == {"profile": "desk", "seeds": 5, "scene": "samson"}
    assert chapters.profile_parameters("desk", "index") == {"profile": "desk"}


def test_without_chapters_the_error_says_what_to_do(house):
    shutil.rmtree(house / "notebooks")
    with pytest.raises(FileNotFoundError, match="clone the project"):
        chapters.chapters()


def test_best_profile_is_the_most_thorough_published_one(house):
    assert chapters.best_profile("alpha") == "quick"
    for profile in ("quick", "desk"):
        (house / f"book/results/{profile}/chapters").mkdir(parents=True)
        (house / f"book/results/{profile}/chapters/alpha.json").write_text("{}")
    assert chapters.best_profile("alpha") == "desk"
    assert chapters.best_profile("index") == "quick"


def test_a_chapter_gets_profile_parameters_overrides_environment_and_interpreter(
    house, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("HSU_PROFILE", "before")
    out = tmp_path / "out"
    values = {"rate": 1, "alphas": [0.5]}
    path = chapters.run_chapter("alpha", profile="desk", parameters=values, out=out, recompute=True)
    assert path == out / "alpha.ipynb"
    parameters, environment, interpreter = outputs(path)[:3]
    assert parameters == "['desk', 5, 1.0, 'samson', [0.5]]\n"
    for part in (
        f"'HSU_OUT': '{out}'",
        "'HSU_RECOMPUTE': '1'",
        "'HSU_PROFILE': 'desk'",
        "'HSU_CHAPTER': 'alpha'",
    ):
        assert part in environment
    assert interpreter == f"{sys.executable} False\n"
    assert re.fullmatch(r"  alpha +desk +\d+\.\d s\n", capsys.readouterr().out)
    assert (os.environ["HSU_PROFILE"], os.environ["PYTHONDONTWRITEBYTECODE"]) == ("before", "1")
    assert "HSU_CHAPTER" not in os.environ


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"chapter": "alhpa"}, "unknown chapter: 'alhpa'; known, the closest first: alpha, index"),
        ({"profile": "dsk"}, "unknown profile: 'dsk'; known, the closest first: desk, quick, mine"),
        (
            {"parameters": {"seed": 3}},
            "unknown parameter of alpha: 'seed'; known, the closest first: seeds, scene, profile, rate",
        ),
        ({"profile": "mine"}, "unknown parameter of alpha: 'sceen'; known, the closest first: scene"),
        ({"parameters": {"seeds": "x"}}, "parameter seeds: expected a whole number like 2, got 'x'"),
        ({"parameters": {"seeds": True}}, "parameter seeds: expected int like 2, got bool True"),
    ],
)
def test_what_is_unknown_is_answered_with_what_is_known(house, tmp_path, call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        chapters.run_chapter(**{"chapter": "alpha", "out": tmp_path / "out"} | call)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("seeds = 2", 'expected one cell tagged `parameters` with a line `profile = "quick"`'),
        ("profile = 'quick'\nseeds = range(2)", r"got `seeds = range\(2\)`"),
    ],
)
def test_a_cell_of_parameters_that_cannot_be_injected_is_refused(house, cell, message):
    (house / "notebooks/alpha.py").write_text(f'# %% tags=["parameters"]\n{cell}\n')
    with pytest.raises(ValueError, match=message):
        chapters.parameters("alpha")


def test_a_failing_chapter_shows_its_cell_and_keeps_the_notebook(house, tmp_path, capsys):
    with pytest.raises(chapters.BookError) as caught:
        chapters.run_chapter("alpha", parameters={"scene": "broken"}, out=tmp_path / "out")
    message = str(caught.value)
    assert message.startswith("chapter alpha: RuntimeError in cell ")
    assert 'raise RuntimeError("the scene is broken")' in message
    assert message.endswith(f"The notebook up to there: {tmp_path / 'out/alpha.ipynb'}")
    assert "\x1b" not in message
    assert outputs(tmp_path / "out/alpha.ipynb")[0].startswith("['quick', 2")
    assert capsys.readouterr().out.endswith("failed\n")


def test_a_kernel_that_dies_is_told(house, tmp_path):
    with pytest.raises(chapters.BookError, match="its kernel died"):
        chapters.run_chapter("alpha", parameters={"scene": "deadly"}, out=tmp_path / "out", progress=False)


# --------------------------------------------------------------------------- to the end, or not


def left(out):
    return Manifest.read(out / "chapter.json")


def test_the_executor_notes_that_a_chapter_came_to_its_end(house, tmp_path):
    chapters.run_chapter("alpha", profile="desk", parameters={"rate": 1}, out=tmp_path / "out")
    found = left(tmp_path / "out")
    assert (found.chapter, found.profile) == ("alpha", "desk")
    assert found.executed.parameters == chapters.values("alpha", "desk", {"rate": 1})
    assert found.executed.source == chapters.source("alpha", "desk")
    before = found.executed.source
    (house / "notebooks/profiles/desk.yaml").write_text("alpha:\n  # more\n  {seeds: 5, scene: samson}\n")
    assert chapters.source("alpha", "desk") == before
    (house / "notebooks/profiles/desk.yaml").write_text("alpha:\n  seeds: 6\n  scene: samson\n")
    assert chapters.source("alpha", "desk") != before


@pytest.mark.parametrize("scene", ["broken", "deadly", "early", "late"])
def test_a_chapter_that_did_not_come_to_its_end_does_not_say_so(house, tmp_path, scene):
    out = tmp_path / "out"
    Manifest("alpha", "quick", executed=Executed({}, "")).write(out / "chapter.json")  # of an earlier run
    with pytest.raises(chapters.BookError, match="chapter alpha: "):
        chapters.run_chapter("alpha", parameters={"scene": scene}, out=out, progress=False)
    assert left(out).executed is None


def test_a_profile_that_is_not_a_list_of_chapters_is_told(house):
    for text in ("alpha: [1", "alpha: 3", "- alpha"):
        (house / "notebooks/profiles/desk.yaml").write_text(text)
        with pytest.raises(ValueError, match=r"desk.yaml: expected chapters and, below each, NAME: VALUE"):
            chapters.profile_parameters("desk", "alpha")


def command(house, *arguments):
    """The command in a process of its own, with the small project in place of this one."""
    code = "import sys, pathlib; from hsu_lib import cli, paths; paths.ROOT = pathlib.Path(sys.argv.pop(1))"
    return subprocess.Popen(
        [sys.executable, "-c", f"{code}; cli.main()", str(house), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # tests that are started in the background ignore interruptions, and would hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_one_process_at_a_time_fills_a_folder_until_it_ends_or_is_killed(house):
    started = house / "_build/chapters/alpha/started"
    first = command(house, "run", "alpha", "-p", "scene=slow")
    try:
        while not started.exists():
            assert first.poll() is None, first.communicate()
            time.sleep(0.05)
        who = rf"in use by process {first.pid} on .*: hsu run alpha --profile quick, since "
        with pytest.raises(folders.Busy, match=who):
            chapters.run_chapter("alpha")
        with pytest.raises(folders.Busy, match=who):
            build.build()
    finally:
        first.kill()
        first.communicate()
    assert left(started.parent).executed is None
    assert outputs(chapters.run_chapter("alpha"))[0] == "['quick', 2, 0.5, 'lagoon', [0, 1]]\n"
    assert left(started.parent).executed


def test_ctrl_c_ends_a_chapter_that_is_at_work(house):
    started = house / "_build/chapters/alpha/started"
    first = command(house, "run", "alpha", "-p", "scene=slow")
    while not started.exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=20)
    assert first.returncode == 1
    assert "Aborted!" in told
    assert left(started.parent).executed is None


LINGER = """
# %%
kernel = get_ipython().kernel
answer = kernel.shell_handlers["kernel_info_request"]
async def linger(*arguments):
    await answer(*arguments)
    import time
    time.sleep(0.3)
kernel.shell_handlers["kernel_info_request"] = linger
"""


def test_a_kernel_at_its_end_is_not_interrupted(house, capfd):
    """It has answered that all is done, and has yet to return from that."""
    (house / "notebooks/alpha.py").write_text(ALPHA + LINGER)
    chapters.run_chapter("alpha", progress=False)
    assert "KeyboardInterrupt" not in capfd.readouterr().err


# --------------------------------------------------------------------------- folders of one's own


@pytest.mark.parametrize("name", ["alpha.ipynb", "chapter.json", "figures/mine.webp"])
def test_a_folder_with_files_of_somebody_else_is_refused(house, tmp_path, name):
    mine = tmp_path / "chapters/alpha" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    with pytest.raises(ValueError, match="was not made by executing a chapter: choose another folder"):
        chapters.run_chapter("alpha", out=tmp_path / "chapters/alpha")
    with pytest.raises(ValueError, match="was not made by executing a chapter: choose another folder"):
        build.build(out=tmp_path)
    assert [path for path in tmp_path.glob("chapters/**/*") if path.is_file()] == [mine]


def test_other_files_beside_a_chapter_do_not_matter(house, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "alpha.ipynb").write_text("of an earlier version, as its manifest says")
    Manifest("alpha", "quick").write(tmp_path / "chapter.json")
    chapters.run_chapter("alpha", out=tmp_path, progress=False)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_pages_go_neither_among_pages_nor_sources_nor_into_another_folder_html(house, tmp_path):
    (house / "_build/html").mkdir(parents=True)
    (tmp_path / "out/html").mkdir(parents=True)
    (tmp_path / "out/html/mine.html").touch()
    for out, message in (
        (house / "_build/html", "lies in the pages of a book"),
        (house / "_build/html/deep", "lies in the pages of a book"),
        (house / "book/out", "lies in the sources of the book"),
        (tmp_path / "out", "was not built here: move it away"),
    ):
        with pytest.raises(ValueError, match=message):
            build.build(out=out)
    with pytest.raises(ValueError, match="lies in the pages of a book"):
        chapters.run_chapter("alpha", out=house / "_build/html/alpha")
    assert sorted(path.name for path in (house / "_build").rglob("*")) == ["html"]


def test_a_folder_that_cannot_be_made_is_told(house, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot write to .*/file/out: Not a directory"):
        chapters.run_chapter("alpha", out=tmp_path / "file/out")


def test_a_long_folder_for_temporary_files_is_no_place_for_sockets(house, tmp_path, monkeypatch):
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    chapters.run_chapter("alpha", progress=False)
    monkeypatch.setattr(kernels, "_place", lambda: (str(long), False))  # nor is any other: ports then
    chapters.run_chapter("alpha", progress=False)
    assert not list(long.iterdir())


def test_sockets_of_killed_processes_are_swept(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("dead", "alive", "starting"):
        (tmp_path / f"hsu-kernel-{name}").mkdir()
    (tmp_path / "hsu-kernel-dead" / folders.MARK).touch()
    monkeypatch.setattr(kernels, "_place", lambda: (str(tmp_path), True))
    with folders.held(tmp_path / "hsu-kernel-alive", "running"), kernels.configured():
        assert len(list(tmp_path.iterdir())) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"hsu-kernel-alive", "hsu-kernel-starting"}


# --------------------------------------------------------------------------- pages


@pytest.fixture
def quickly(monkeypatch):
    """Pages without Jupyter Book: the notebooks as they are."""

    def made(command, source, *options):
        (source / "_build/html/_static").mkdir(parents=True)
        for path in source.glob("*.ipynb"):
            shutil.copy(path, source / "_build/html" / f"{path.stem}.html")

    monkeypatch.setattr(build, "_jupyter_book", made)


def test_new_pages_take_the_place_of_old_ones_in_one_step(house, quickly, monkeypatch):
    html = house / "_build/html"
    html.mkdir(parents=True)
    (html / "old.html").write_text("of an earlier version")
    (house / "_build/.making/killed/book").mkdir(parents=True)
    exchanged, seen = folders._exchanged, []

    def watched(new, old):
        seen.append((sorted(p.name for p in new.glob("*.html")), sorted(p.name for p in old.glob("*.html"))))
        return exchanged(new, old)

    monkeypatch.setattr(folders, "_exchanged", watched)
    build.build(progress=False)
    assert seen == [(["alpha.html", "index.html"], ["old.html"])]
    assert not (house / "_build/.making").exists()
    (html / "notes").mkdir()
    (html / "notes/mine.txt").write_text("mine")
    build.build("desk", progress=False)
    assert "MARK 5" in (html / "alpha.html").read_text()
    assert (html / "notes/mine.txt").read_text() == "mine"
    assert not list(html.rglob("html"))


def test_pages_that_cannot_be_put_in_place_are_told_and_the_old_ones_stay(house, quickly, monkeypatch):
    page = build.build(progress=False)
    before = page.read_text()

    def failing(new, old):
        raise OSError(errno.EBUSY, "Device or resource busy", str(old))

    monkeypatch.setattr(folders, "_exchanged", failing)
    with pytest.raises(chapters.BookError, match=r"could not be put into .*_build/html: .*busy"):
        build.build(progress=False)
    assert page.read_text() == before
    assert not (house / "_build/.making").exists()


def test_a_build_leaves_what_is_published(house, quickly):
    build.build("quick", progress=False)
    published.publish("quick")
    before = {path: path.read_bytes() for path in (house / "book/results/quick").rglob("*") if path.is_file()}
    assert len(before) == 3
    build.build(progress=False)
    assert before == {p: p.read_bytes() for p in (house / "book/results/quick").rglob("*") if p.is_file()}


@pytest.mark.slow
def test_a_warning_stops_the_build_and_the_good_pages_stay(house, tmp_path, capsys):
    page = build.build(out=tmp_path / "out")
    assert page == tmp_path / "out/html/index.html"
    good = page.read_text()
    assert re.search(r"alpha +quick .*\n +index +quick .*\n +pages .* s\n$", capsys.readouterr().out)
    (house / "book/beta.md").write_text("# Beta\n\nTo [nowhere](nowhere).\n")
    with pytest.raises(chapters.BookError, match=r"beta.md.*WARNING.*nowhere"):
        build.build(out=tmp_path / "out", progress=False)
    assert page.read_text() == good


def test_plain_sphinx_builds_what_was_executed_and_nothing_else(house):
    with pytest.raises(ValueError, match="`make book-next` sets it up"):
        build.build_plainly(house / "nowhere")
    chapters.run_chapter("index")
    with pytest.raises(chapters.BookError, match="not executed to the end: alpha; `make book` first"):
        build.build_plainly(Path(sys.executable))
    chapters.run_chapter("alpha")
    page = build.build_plainly(Path(sys.executable))  # its Sphinx takes what a newer one takes
    assert page == house / "_build/next/html/index.html"
    assert BeautifulSoup((page.parent / "alpha.html").read_text(), "html.parser").h1.get_text() == "Alpha"
    assert not (house / "_build/html").exists()
    good = page.read_text()
    (house / "book/beta.md").write_text("# Beta\n\nTo [nowhere](nowhere).\n")
    with pytest.raises(chapters.BookError, match=r"beta.md.*WARNING.*nowhere"):
        build.build_plainly(Path(sys.executable))
    assert page.read_text() == good


# --------------------------------------------------------------------------- this book's sources


def test_every_page_is_in_the_contents_and_every_entry_has_a_source():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = [entry for part in contents["parts"] for entry in part["chapters"]]
    entries += [inner for entry in entries for inner in entry.get("sections", ())]
    files = [entry["file"] for entry in entries] + [contents["root"]]
    written = [path.stem for path in (ROOT / "book").glob("*.md")]
    assert sorted(files) == sorted([*written, *chapters.chapters(), *reference.pages()])


@pytest.mark.parametrize("profile", chapters.profiles())
def test_profiles_name_only_chapters_and_parameters_that_exist(profile):
    settings = yaml.safe_load((ROOT / "notebooks/profiles" / f"{profile}.yaml").read_text()) or {}
    for chapter, values in settings.items():
        assert chapter in chapters.chapters()
        known = chapters.parameters(chapter)
        assert {name: type(value) for name, value in values.items()} == {
            name: type(known[name]) for name in values
        }


# --------------------------------------------------------------------------- this book's pages


@pytest.fixture(scope="session")
def html(quick_book):
    return quick_book / "html"


@pytest.fixture(scope="session")
def pages(html):
    """Every page by its file, parsed."""
    found = {path: BeautifulSoup(path.read_text(), "html.parser") for path in sorted(html.glob("*.html"))}
    assert len(found) >= len(chapters.chapters()) + len(list((ROOT / "book").glob("*.md")))
    return found


def addresses(soup):
    """What a page refers to: (tag, address)."""
    for tag in soup.find_all(True):
        for attribute in ("href", "src"):
            if tag.get(attribute) is not None:
                yield tag, tag[attribute]


@pytest.mark.slow
class TestPages:
    def test_every_internal_link_and_picture_is_there(self, html, pages):
        ids = {path: {tag["id"] for tag in soup.find_all(id=True)} for path, soup in pages.items()}
        broken = []
        for page, soup in pages.items():
            for tag, address in addresses(soup):
                parts = urlsplit(address)
                if parts.scheme or parts.netloc or address in ("", "#"):
                    continue
                file, fragment = urldefrag(address)
                if file.endswith("explore.html"):
                    fragment = ""  # a state, not a place
                target = (page.parent / unquote(urlsplit(file).path)).resolve() if file else page
                if not target.is_file() or (
                    fragment and target in ids and unquote(fragment) not in ids[target]
                ):
                    broken.append(f"{page.name}: <{tag.name}> {address}")
        assert not broken

    def test_nothing_is_loaded_from_elsewhere(self, html, pages):
        loaded = []
        for page, soup in pages.items():
            for tag, address in addresses(soup):
                if tag.name != "a" and urlsplit(address).scheme in ("http", "https"):
                    loaded.append(f"{page.name}: <{tag.name}> {address}")
            loaded += [f"{page.name}: {style}" for style in re.findall(r"url\(['\"]?https?:[^)]*", str(soup))]
        for sheet in html.rglob("*.css"):
            text = sheet.read_text(errors="replace")
            loaded += [
                f"{sheet.name}: {found}" for found in re.findall(r"(?:url\(|@import )['\"]?https?:\S*", text)
            ]
        assert not loaded

    def test_every_picture_has_a_text_alternative(self, pages):
        bare = [
            f"{page.name}: {str(image)[:80]}"
            for page, soup in pages.items()
            for image in soup.find_all("img")
            if not image.get("alt", "").strip() and image.get("aria-hidden") != "true"
        ]
        assert not bare

    def test_every_figure_has_a_caption_and_every_table_a_head(self, pages):
        poor = []
        for page, soup in pages.items():
            article = soup.find("article")
            for figure in article.find_all("figure") if article else ():
                caption = figure.find("figcaption")
                if caption is None or not caption.get_text(strip=True):
                    poor.append(f"{page.name}: figure {figure.get('id')}")
            for table in article.find_all("table") if article else ():
                if not table.find("th"):
                    poor.append(f"{page.name}: table {table.get_text()[:40]!r}")
        assert not poor

    def test_every_page_has_one_title_and_a_language(self, pages):
        for page, soup in pages.items():
            if page.name == "search.html":
                continue  # Sphinx's own
            assert soup.html.get("lang"), page.name
            assert len(soup.find("article").find_all("h1")) == 1, page.name

    def test_no_trace_of_this_machine(self, quick_book, pages):
        for page, soup in pages.items():
            assert str(ROOT) not in str(soup), page.name
            assert str(quick_book) not in str(soup), page.name


PROBE = """
  const found = [];
  for (const page of PAGES) for (const width of [390, 1280]) for (const theme of ["light", "dark"]) {
    localStorage.setItem("mode", theme);
    localStorage.setItem("theme", theme);
    const frame = document.createElement("iframe");
    frame.width = width; frame.height = 900; frame.src = page;
    await new Promise((done) => { frame.onload = done; document.body.append(frame); });
    const inside = frame.contentWindow, here = frame.contentDocument;
    if (inside.MathJax) await inside.MathJax.startup.promise;
    const article = here.querySelector("article");
    found.push({
      page, width, theme,
      themed: here.documentElement.dataset.theme,
      overflow: here.scrollingElement.scrollWidth - width,
      broken: [...here.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src.slice(0, 80)),
      formulas: here.querySelectorAll("span.math, div.math").length,
      drawn: here.querySelectorAll("mjx-container svg").length,
      failed: [...here.querySelectorAll("mjx-merror, [data-mml-node=merror]")].map((e) => e.textContent),
      text: article ? article.innerText.length : -1,
      verdict: here.querySelector(".hsu-forest li")?.getBoundingClientRect().bottom ?? 0,
      wide: [...here.querySelectorAll(".hsu-card, .hsu-forest")]
        .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.id),
    });
    frame.remove();
  }
  return found;
"""


@pytest.fixture(scope="session")
def seen(html, tmp_path_factory):
    """What Chromium sees of every page: (measurements, console lines, addresses asked for)."""
    names = [path.name for path in sorted(html.glob("*.html"))]
    return browser.run(html, PROBE.replace("PAGES", json.dumps(names)), tmp_path_factory.mktemp("chromium"))


@pytest.mark.slow
class TestInChromium:
    def test_no_error_on_the_console(self, seen):
        assert not seen[1]

    def test_no_request_leaves_the_machine(self, seen):
        assert not seen[2]

    def test_no_picture_is_missing_and_every_formula_is_drawn(self, seen):
        for page in seen[0]:
            assert not page["broken"], page
            assert not page["failed"], page
            assert page["drawn"] >= page["formulas"], page
        assert any(page["formulas"] for page in seen[0])

    def test_no_page_is_wider_than_its_window(self, seen):
        assert not [page for page in seen[0] if page["overflow"] > 0]

    def test_the_first_outcome_is_on_the_first_screen(self, seen):
        assert any(page["verdict"] for page in seen[0])
        assert not [page for page in seen[0] if page["width"] == 1280 and page["verdict"] > 900]

    def test_no_card_scrolls_sideways(self, seen):
        assert not [page for page in seen[0] if page["wide"]]

    def test_both_themes(self, seen):
        assert not [page for page in seen[0] if page["themed"] != page["theme"]]
