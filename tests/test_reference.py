"""The API: it names all that is public, has of each method what the catalogue has, builds without warning."""

from __future__ import annotations

import importlib
import re
import shutil
from dataclasses import dataclass, fields
from typing import Literal

import browser
import pytest
import yaml
from bs4 import BeautifulSoup

import hsu_lib
from hsu_lib import paths
from hsu_lib.methods import METHODS
from hsu_lib.methods.settings import Settings, sourced, takes
from hsu_lib.publishing import build, reference

BOOK = paths.ROOT / "book"
#: What a program may import from, each with its list of names.
ROOMS = ("hsu_lib", "hsu_lib.unmixing", "hsu_lib.scenes", "hsu_lib.metrics", "hsu_lib.methods")
#: Named in the words of a page: a mapping has no docstring of its own.
IN_WORDS = {"METHODS"}
#: What docstrings would leave on a page if it were not understood.
MARKUP = re.compile(r":(?:math|func|class|obj|py:\w+):|\.\. \w+::|^-{4,}$", re.MULTILINE)


def modules():
    """The module of each method, once."""
    return list(dict.fromkeys(map(reference.module_of, METHODS.values())))


def families():
    """The package of each method, once."""
    return list(dict.fromkeys(importlib.import_module(module.__package__) for module in modules()))


# --------------------------------------------------------------------------- what is on them


def test_every_method_is_on_the_page_of_its_family_with_its_settings():
    pages = reference.pages()
    for name, method in METHODS.items():
        text = pages[reference.page_of(method)]
        own = text.split(f"\n(method-{name})=\n## {name}\n")[1].split("\n(method-")[0]
        table = BeautifulSoup(own, "html.parser").find("table")
        rows = table.find_all("tr")[1:] if table else []
        told = [[cell.get_text() for cell in row.find_all("td")] for row in rows]
        assert [[row["setting"], str(row["default"]), row["source"]] for row in method.describe()] == [
            [setting, default, source] for setting, default, _, source in told
        ]
    assert sum(text.count("\n(method-") for text in pages.values()) == len(METHODS)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__.split(".")[-1])
def test_every_module_of_a_method_has_an_equation_and_names_its_methods(module):
    assert ".. math:: " in module.__doc__
    mine = [name for name, method in METHODS.items() if reference.module_of(method) is module]
    if not module.__doc__.startswith("The five methods"):
        assert all(f"`{name}`" in module.__doc__.splitlines()[0] for name in mine)


@pytest.mark.parametrize("family", families(), ids=lambda family: family.__name__.split(".")[-1])
def test_every_family_has_an_example_that_unmixes(family):
    """It is run as a doctest, as those of all docstrings are."""
    assert re.search(r"^>>> .*\.unmix\(|^\.\.\. .*\.unmix\(", family.__doc__, re.MULTILINE)


def test_families_are_the_folders_of_methods_and_in_the_contents():
    folders = {path.parent.name for path in (paths.ROOT / "hsu_lib/methods").glob("*/__init__.py")}
    assert set(reference.pages()) == {f"api_{folder}" for folder in folders}


@dataclass(frozen=True)
class Some(Settings):
    rate: float = sourced(0.5, "ours", above=0)
    sizes: tuple[int, ...] = sourced((3, 5), "ours", odd=True)
    start: Literal["near", "far"] = sourced("near", "ours")


def test_what_a_setting_takes_is_told():
    told = {"rate": "a number above 0", "sizes": "each an odd number", "start": "'near' or 'far'"}
    assert takes(Some) == told
    for method in METHODS.values():
        assert list(takes(method.settings)) == [of.name for of in fields(method.settings)]


def test_what_a_method_is_given_is_told():
    assert reference.given(METHODS["vca-fclsu"]) == "nothing"
    assert (
        reference.given(METHODS["undip"])
        == "what is known of the scene, for its history only; where the pixels lie"
    )


# --------------------------------------------------------------------------- as they are built


def listed(entries):
    """Names of all pages under entries of the contents."""
    for entry in entries:
        yield entry["file"]
        yield from listed(entry.get("sections", ()))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of the API, built as the book's are, with a stub for each page that they lead to."""
    source = tmp_path_factory.mktemp("reference") / "book"
    source.mkdir()
    shutil.copy(paths.ROOT / "_config.yml", source)
    for name in ("_static", "references.bib"):
        origin = BOOK / name
        (shutil.copytree if origin.is_dir() else shutil.copy)(origin, source / name)
    parts = yaml.safe_load((paths.ROOT / "_toc.yml").read_text())["parts"]
    (ours,) = (part for part in parts if part["caption"] == "Reference")
    api = list(listed(ours["chapters"]))
    texts = reference.pages()
    texts |= {name: (BOOK / f"{name}.md").read_text() for name in api if name not in texts}
    others = {name for part in parts for name in listed(part["chapters"])} - set(api)
    led = {name for text in texts.values() for name in re.findall(r"\]\((\w+)\)", text)} & others
    texts |= {name: f"# {name}\n" for name in ("index", *led)}
    for name, text in texts.items():
        (source / f"{name}.md").write_text(text)
    rest = {"caption": "Rest", "chapters": [{"file": name} for name in sorted(led)]}
    contents = {"format": "jb-book", "root": "index", "parts": [ours, rest]}
    (source / "_toc.yml").write_text(yaml.safe_dump(contents))
    build._jupyter_book("build", source, "-W", "-n", "--keep-going")  # which refuses a warning
    html = source / "_build/html"
    shutil.copy(build._mathjax(), html / "_static")
    return html, api


@pytest.fixture(scope="module")
def soups(built):
    html, api = built
    return {name: BeautifulSoup((html / f"{name}.html").read_text(), "html.parser") for name in api}


@pytest.mark.slow
def test_every_public_name_is_on_a_page(soups):
    told = {tag["id"].rpartition(".")[2] for soup in soups.values() for tag in soup.find_all("dt", id=True)}
    words = " ".join(soup.find("article").get_text() for soup in soups.values())
    for room in ROOMS:
        names = importlib.import_module(room).__all__
        assert names
        assert set(names) - told <= IN_WORDS, room
    assert all(f"methods.{name}" in words for name in IN_WORDS)
    assert set(hsu_lib.__all__) == set(hsu_lib._PLACES)


@pytest.mark.slow
def test_every_method_has_a_section_and_its_name_in_a_docstring_leads_there(soups):
    for name, method in METHODS.items():
        section = soups[reference.page_of(method)].find(id=name)
        assert section.find(re.compile("^h[1-3]$")).get_text().startswith(name)
    links = {a["href"] for soup in soups.values() for a in soup.select("article a.reference.internal[href]")}
    assert {"api_priors.html#misicnet", "api_factorization.html#min-simplex"} & links
    assert any(link.endswith("#hsu_lib.scene.Scene") for link in links)


@pytest.mark.slow
def test_names_are_explained_and_no_markup_is_left(soups):
    for name, soup in soups.items():
        for text in soup.find("article").find_all(["p", "dd", "li"]):
            assert not MARKUP.search(text.get_text()), (name, text.get_text()[:200])
        for defined in soup.select("dl.py:not(.attribute) > dt[id]"):  # those of an enumeration show values
            assert defined.find_next_sibling("dd").get_text(strip=True), (name, defined["id"])


PROBE = """
  const found = [];
  for (const name of ["mode", "theme"]) localStorage.setItem(name, "light");
  for (const page of PAGES) for (const width of [390, 1280]) {
    const frame = document.createElement("iframe");
    frame.width = width; frame.height = 900; frame.src = page;
    await new Promise((done) => { frame.onload = done; document.body.append(frame); });
    const here = frame.contentDocument;
    if (frame.contentWindow.MathJax) await frame.contentWindow.MathJax.startup.promise;
    found.push({
      page, width,
      overflow: here.scrollingElement.scrollWidth - width,
      formulas: here.querySelectorAll("span.math, div.math").length,
      drawn: here.querySelectorAll("mjx-container svg").length,
      failed: [...here.querySelectorAll("mjx-merror, [data-mml-node=merror]")].map((e) => e.textContent),
    });
    frame.remove();
  }
  return found;
"""


@pytest.mark.slow
def test_every_equation_is_drawn_and_no_page_is_too_wide(built, tmp_path):
    html, api = built
    script = PROBE.replace("PAGES", str([f"{name}.html" for name in api]))
    seen, console, elsewhere = browser.run(html, script, tmp_path)
    assert not console
    assert not elsewhere
    for page in seen:
        assert not page["failed"], page
        assert page["drawn"] >= page["formulas"], page
        assert page["overflow"] <= 0, page
    assert all(page["formulas"] for page in seen if page["page"].removesuffix(".html") in reference.pages())
