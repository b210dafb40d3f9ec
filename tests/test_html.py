"""Text from data stays text: in HTML, in Markdown, and on the pages that are made of data."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from itertools import product

import jupytext
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from hsu_lib import claims, paths, scenes
from hsu_lib.claims import documents, rule
from hsu_lib.publishing import cards, html, pages
from hsu_lib.publishing.published import Manifest
from hsu_lib.runs.answers import Answer, Way

#: Everything that HTML or Markdown would take for more than text.
EVIL = """<script>alert(1)</script> a<b & "c" 'd' &amp; | *e* _f_ `g` $h$ {math}`i` {{j}} [k](l) ~~m~~"""
SIGNS = "<>&\"'|*_`$~^#%:=+-.()[]{}!\\@/ \t\n1ab"
CLAIM = {"statement": EVIL, "where": EVIL, "own_figures": EVIL}
MYST = create_md_parser(
    MdParserConfig(
        enable_extensions={
            "amsmath",
            "attrs_block",
            "attrs_inline",
            "colon_fence",
            "deflist",
            "dollarmath",
            "strikethrough",
            "substitution",
            "tasklist",
        }
    ),
    RendererHTML,
)
COMMONMARK = create_md_parser(MdParserConfig(commonmark_only=True), RendererHTML)
BOTH = pytest.mark.parametrize("parser", [MYST, COMMONMARK], ids=["myst", "commonmark"])


def seen(markup):
    """What a reader sees of HTML, in one line."""
    return " ".join(BeautifulSoup(markup, "html.parser").get_text().split())


def tags(markup):
    return {tag.name for tag in BeautifulSoup(markup, "html.parser").find_all()}


# --------------------------------------------------------------------------- Markdown


@BOTH
@given(text=st.text(SIGNS, min_size=1))
def test_verbatim_shows_exactly_the_text(parser, text):
    around = {"{}": {"p"}, "Said: {}, so.": {"p"}, "- {}": {"ul", "li", "p"}, "on\n{}": {"p"}}
    for form, expected in around.items():
        shown = parser.render(form.format(html.verbatim(text)))
        assert tags(shown) <= expected
        assert seen(shown) == " ".join(form.removeprefix("- ").format(text).split())


@BOTH
@given(text=st.text(SIGNS, min_size=1).map(str.strip).filter(bool))
def test_code_survives_backticks(parser, text):
    shown = parser.render(f"- {html.code(text)}: it")
    assert tags(shown) <= {"ul", "li", "p", "code"}
    assert seen(shown) == " ".join(f"{text}: it".split())


@BOTH
@given(text=st.text(SIGNS))
def test_prose_makes_nothing_but_code(parser, text):
    shown = parser.render(f"Said: {html.prose(text)}")
    assert tags(shown) <= {"p", "code"}


def test_prose_keeps_names_as_code():
    shown = MYST.render(html.prose("Made for `cuprite-window`, a*b*c"))
    assert "<code>cuprite-window</code>, a*b*c" in shown


# --------------------------------------------------------------------------- HTML


def test_templates_escape_what_they_are_given():
    blocks = {
        html.figure(EVIL, b"", alt=EVIL, caption=EVIL): 1,
        html.bars({EVIL: {"open": 2}}, caption=EVIL, what=EVIL, links={EVIL: "index.html"}): 3,
        html.heat(
            pd.DataFrame({EVIL: [0.1, None]}, [EVIL, "x"]), "mae-abundances", caption=EVIL, corner=EVIL
        ): 4,
        html.claim_list([html.Listed(EVIL, EVIL, "open", EVIL, *[EVIL] * 4)]): 2,
        cards.card(Answer(EVIL, None, (Way(EVIL, reason=EVIL),), EVIL), CLAIM): 5,
        html.movie(EVIL, b"", b"", alt=EVIL, caption=EVIL): 1,
        html.missing(EVIL, EVIL): 2,
        html.provenance(EVIL, EVIL): 2,
        html.table(pd.DataFrame({EVIL: [EVIL, "x"]}), caption=EVIL): 3,
        html.table(pd.DataFrame({"x": ["y"]}), caption="z", formats={"x": lambda _: EVIL}): 1,
        html.table(pd.DataFrame({"x": ["y"]}), caption="z", formats={"x": lambda _: html.badge(EVIL)}): 1,
        html.badge(EVIL): 1,
        html.link(EVIL, EVIL, EVIL): 1,
        html.named(EVIL, EVIL): 2,
    }
    for block, times in blocks.items():
        assert "script" not in tags(block)
        assert seen(block).lower().count(EVIL.lower()) == times, block
        for tag in BeautifulSoup(block, "html.parser").find_all(lambda tag: tag.name != "path"):
            for name, value in tag.attrs.items():
                assert name not in (
                    {"c"} if tag.name == "path" else {"c", "d"}
                )  # nothing escapes from between quotes
                if name in {"id", "alt"}:
                    assert value == EVIL


def test_a_link_leads_to_a_page_of_the_book_whatever_the_chapter_is_called():
    for chapter in ("javascript:alert(1)//", "//elsewhere.org/x", "../../up"):
        address = BeautifulSoup(html.link(chapter, "id", "text"), "html.parser").a["href"]
        assert not {":", "/"} & set(address)
    assert html.link("vae", "prim-vae", "text") == '<a href="vae.html#prim-vae">text</a>'


def test_templates_travel_with_the_package():
    settings = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())
    package = paths.ROOT / "hsu_lib"
    patterns = settings["tool"]["setuptools"]["package-data"]["hsu_lib"]
    carried = {path for pattern in patterns for path in package.glob(pattern)}
    templates = set((package / "publishing" / "templates").iterdir())
    assert templates
    assert templates <= carried


# --------------------------------------------------------------------------- pages made of data


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """Executes a chapter's cells here and gives what it displays, HTML and Markdown rendered alike."""
    monkeypatch.setenv("HSU_OUT", str(tmp_path / "chapters" / "it"))
    monkeypatch.setenv("HSU_STORE", str(tmp_path / "store"))
    shown = []

    def show(thing):
        shown.append(thing.data if isinstance(thing, pages.HTML) else MYST.render(thing.data))

    monkeypatch.setattr(pages, "display", show)

    def execute(name):
        notebook = jupytext.read(paths.notebooks() / f"{name}.py", fmt="py:percent")
        names = {}
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, name, "exec"), names)
        return "\n".join(shown)

    return execute


@pytest.fixture
def evil_documents(tmp_path, monkeypatch):
    """The documents' claims, settings and figures with text that must not be taken for markup."""
    folder = tmp_path / "reported"
    folder.mkdir()
    for path in paths.reported().glob("*.yaml"):
        shutil.copy(path, folder)
    for path in paths.reported().glob("*.csv"):
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        rows = rows.assign(
            **{column: rows[column] + EVIL for column in ("table", "dataset", "target", "note")}
        )
        rows.to_csv(folder / path.name, index=False)
    told = yaml.safe_load((paths.reported() / "claims.yaml").read_text())
    for row in told["claims"] + told["inconsistencies"]:
        texts = {"statement", "where", "figures", "reported"} & set(row)
        row |= {name: f"{EVIL} {row[name]}" for name in texts}
    (folder / "claims.yaml").write_text(yaml.safe_dump(told))
    settings = yaml.safe_load((paths.reported() / "settings.yaml").read_text())
    for source in claims.SOURCES:
        settings[source]["not_stated"] = [f"{EVIL} {item}" for item in settings[source]["not_stated"]]
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    caches = [value for value in vars(documents).values() if hasattr(value, "cache_clear")]
    monkeypatch.setattr(paths, "reported", lambda: folder)
    for cached in caches:
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


def harmless(page):
    assert "script" not in tags(page)
    assert not {"s", "em", "img", "math"} & tags(page)
    assert EVIL.split(" |")[0] in seen(page)
    assert seen(page).count("alert(1)") == seen(page).count(EVIL)


def test_the_front_page_escapes_claims_and_chapters(chapter, evil_documents, tmp_path):
    for k, (name, profile) in enumerate(product(("vae", EVIL), ("desk", EVIL))):
        way = Way(EVIL, rule.Verdict.REPRODUCED, (), (EVIL,))
        answer = Answer(claims.claims().index[k], rule.Verdict.REPRODUCED, (way,), EVIL)
        Manifest(name, profile, answers=[answer]).write(tmp_path / "chapters" / str(k) / "chapter.json")
    page = chapter("index")
    harmless(page)
    assert seen(page).count(EVIL) >= 4  # statements


def test_the_page_of_the_reported_escapes_the_documents(chapter, evil_documents):
    page = chapter("reported")
    harmless(page)
    rows = len(claims.claims()) + len(claims.inconsistencies())
    assert seen(page).count(EVIL) > 2 * rows


def test_the_page_of_scenes_escapes_the_catalogue(chapter, monkeypatch):
    describe = scenes.describe

    def evil(name):
        info = describe(name)
        usual = {info.usual: tuple(f"{EVIL} {material}" for material in info.materials[info.usual])}
        texts = ("title", "unit", "licence", "citation", "summary")
        words = {name: f"{EVIL} {getattr(info, name)}" for name in texts}
        return replace(info, materials=dict(info.materials) | usual, **words)

    monkeypatch.setattr(scenes, "describe", evil)
    monkeypatch.setattr(scenes, "is_available", lambda scene: str(scene) == "lagoon")
    page = chapter("scenes")
    assert "script" not in tags(page)
    assert not {"s", "em", "math"} & tags(page)
    assert seen(page).count(EVIL) > 2 * len(scenes.names())


def test_materials_with_dollars_are_drawn_as_they_are(monkeypatch):
    from hsu_lib.publishing import figures

    scene = scenes.load("lagoon")
    names = tuple(f"${material}$ \\frac" for material in scene.materials)
    figures.scene_panels(replace(scene, materials=names)).canvas.draw()
