"""A page of every part that chapters are made of, built by the book's own tools and looked at in Chromium."""

from __future__ import annotations

import io
import shutil
from itertools import cycle

import browser
import nbformat as nb
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hsu_lib import paths
from hsu_lib.claims import claims as all_claims
from hsu_lib.claims import rule
from hsu_lib.publishing import build, cards, html
from hsu_lib.publishing.outcomes import LOOKS
from hsu_lib.runs.answers import Answer, Comparison, Way

pytestmark = pytest.mark.slow

OUTCOMES = {
    rule.Verdict.REPRODUCED: rule.Outcome.HOLDS,
    rule.Verdict.SMALLER: rule.Outcome.SMALLER,
    rule.Verdict.ABSENT: rule.Outcome.ABSENT,
    rule.Verdict.REVERSED: rule.Outcome.REVERSED,
    rule.Verdict.DEPENDS: rule.Outcome.HOLDS,
    rule.Verdict.OPEN: rule.Outcome.OPEN,
    rule.Verdict.NOT_TESTABLE: None,
    None: None,
}
LONG = "the mean of eleven conditions, rate 0.0003, 320 epochs on urban-detection-window, reference end6"


def made_up() -> list[Answer]:
    """An answer to each claim, every outcome among them, some with extreme numbers and long words."""
    found = []
    for k, (claim, verdict) in enumerate(zip(all_claims().index[:40], cycle(OUTCOMES))):
        outcome = OUTCOMES[verdict]
        if outcome is None:
            found.append(Answer(claim, verdict, (), f"needs {LONG}"))
            continue
        mean = (0.05, -0.002, 30.0, -0.4)[k % 4]
        differences = tuple(mean * (1 + 0.1 * np.sin(np.arange(10))))
        made = Comparison(
            f"{LONG} better than {LONG}: mean squared error of A over its own best order",
            "better",
            0.01,
            False,
            0.01,
            tuple(range(100, 110)),
            differences,
            (),
            2 * mean if k % 3 else None,
            outcome,
            ("mse-abundances", "sad-endmembers", "rmse-abundances")[k % 3],
        )
        ways = (Way("samson", verdict, (made,) * 3), Way("samson, reference misicnet", reason=LONG))
        found.append(Answer(claim, verdict, ways))
    return found


def cell(kind: str, data: str) -> nb.NotebookNode:
    shown = nb.v4.new_output("display_data", data={kind: str(data)})
    metadata = {"tags": ["remove-input"]}
    return nb.v4.new_code_cell("0", outputs=[shown], execution_count=1, metadata=metadata)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Folder of a book with the page ``sample.html``."""
    root = tmp_path_factory.mktemp("screen")
    found, claims = made_up(), all_claims()
    picture = io.BytesIO()
    Image.new("RGB", (900, 300), "white").save(picture, "WEBP")
    table = pd.DataFrame(np.arange(60.0).reshape(6, 10) / 100, index=[f"a method {k}" for k in range(6)])
    counts = {"Self-supervised perturbations": dict.fromkeys(LOOKS, 3), "UnDIP": {"open": 1}}
    listed = [
        html.Listed(a.claim, claims["statement"][a.claim], a.word, "sample", "000", "samson urban", "all")
        for a in found
    ]
    shown = [
        cell("text/markdown", html.lead("**Patches help**, alpha does not.")),
        cell("text/html", cards.forest(found)),
        *(
            cell("text/html", cards.card(a, claims.loc[a.claim].to_dict(), notes=["first look"]))
            for a in found
        ),
        cell("text/markdown", html.why(found[0].claim, "Because of *this*.")),
        cell("text/html", html.bars(counts, caption="Claims.")),
        cell("text/html", html.heat(table, "rmse-abundances", caption="Errors.")),
        cell("text/html", html.claim_list(listed)),
        cell("text/html", html.figure("white", picture.getvalue(), alt="Nothing", caption="White.")),
    ]
    (root / "book").mkdir()
    shutil.copytree(paths.ROOT / "book/_static", root / "book/_static")
    for name in ("_config.yml", "book/references.bib"):
        shutil.copy(paths.ROOT / name, root / name)
    (root / "book/how-to-read.md").write_text(
        "(card)=\n# Guide\n\n```{raw} html\n:file: outcomes.html\n```\n"
    )
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nchapters: [{file: sample}, {file: how-to-read}]\n"
    )
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for name, cells in (("index", []), ("sample", shown)):
        title = nb.v4.new_markdown_cell(
            f"# {name.capitalize()}\n\nA question of three lines, as chapters have."
        )
        nb.write(nb.v4.new_notebook(cells=[title, *cells], metadata=kernel), root / f"{name}.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "ROOT", root)
        build._pages([root / "index.ipynb", root / "sample.ipynb"], root / "html", root / "place")
    return root / "html"


SCRIPT = """
  const show = async (address, width, height, theme = "light") => {
    localStorage.setItem("mode", theme);
    localStorage.setItem("theme", theme);
    const frame = document.createElement("iframe");
    Object.assign(frame, { width, height, src: address });
    await new Promise((done) => { frame.onload = done; document.body.append(frame); });
    return frame;
  };
  const found = { screens: [] };
  for (const page of ["sample.html", "how-to-read.html"])
    for (const [width, height] of [[1280, 900], [390, 844]]) for (const theme of ["light", "dark"]) {
      const frame = await show(page, width, height, theme);
      const here = frame.contentDocument;
      for (const fold of here.querySelectorAll("details")) fold.open = true;
      found.screens.push({
        page, width, theme,
        page_width: here.scrollingElement.scrollWidth,
        wide: [...here.querySelectorAll(".hsu-card, .hsu-card *, .hsu-forest, .hsu-bars")]
          .filter((e) => !(e instanceof frame.contentWindow.SVGElement) && !e.closest(".hsu-unseen"))
          .filter((e) => e.getBoundingClientRect().right > width).map((e) => e.outerHTML.slice(0, 120)),
        broken: [...here.images].filter((e) => e.complete && !e.naturalWidth).length,
        first: here.querySelector(".hsu-forest ol li")?.getBoundingClientRect().bottom ?? 0,
        signs: [...here.querySelectorAll(".hsu-sign")].map((e) => e.getBoundingClientRect().width),
      });
      frame.remove();
    }
  const frame = await show("sample.html#outcome=open", 1280, 900), here = frame.contentDocument;
  const visible = () => [...here.querySelectorAll(".hsu-claims li")].filter((e) => !e.hidden).length;
  const outcome = here.querySelector("select[name=outcome]");
  found.filtered = [outcome.value, visible()];
  outcome.value = "reversed";
  outcome.dispatchEvent(new Event("change", { bubbles: true }));
  found.chosen = [frame.contentWindow.location.hash, visible()];
  const picture = here.querySelector("figure.hsu img"), box = here.querySelector(".hsu-lightbox");
  picture.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
  const focused = box.contains(here.activeElement);
  found.enlarged = [box.open, box.querySelector("img").alt, focused, picture.tabIndex];
  box.querySelector("button").click();
  found.closed = !box.open;
  return found;
"""


@pytest.fixture(scope="module")
def seen(page, tmp_path_factory):
    found, console, elsewhere = browser.run(page, SCRIPT, tmp_path_factory.mktemp("chromium"))
    assert "error" not in found, found
    assert not console
    assert not elsewhere
    return found


def test_the_first_outcome_is_on_the_first_screen(seen):
    first = {s["theme"]: s["first"] for s in seen["screens"] if s["first"] and s["width"] == 1280}
    assert set(first) == {"light", "dark"}
    assert max(first.values()) <= 900


def test_nothing_scrolls_sideways_and_no_picture_is_broken(seen):
    for screen in seen["screens"]:
        assert screen["page_width"] <= screen["width"], screen
        assert not screen["wide"], screen
        assert not screen["broken"], screen


def test_symbols_are_large_enough_to_be_told_apart(seen):
    assert all(13 <= size <= 20 for screen in seen["screens"] for size in screen["signs"])


def test_claims_are_filtered_by_the_address_and_by_selects(seen):
    words = [answer.word for answer in made_up()]
    assert seen["filtered"] == ["open", words.count("open")]
    assert seen["chosen"] == ["#outcome=reversed", words.count("reversed")]


def test_a_picture_opens_by_the_keyboard_and_closes(seen):
    assert seen["enlarged"] == [True, "Nothing", True, 0]
    assert seen["closed"]


def test_the_guide_has_every_outcome(page):
    guide = (page / "how-to-read.html").read_text()
    assert all(look.path in guide and look.says in guide for look in LOOKS.values())
