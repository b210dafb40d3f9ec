"""Outcomes look the same everywhere and can be told apart by anybody; cards and plots show what decides."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from hsu_lib import paths
from hsu_lib.claims import rule
from hsu_lib.publishing import cards, html, pages, scores
from hsu_lib.publishing.outcomes import LOOKS, NOT_ANSWERED
from hsu_lib.runs import Record, Results, Run, asking
from hsu_lib.runs.answers import Answer, Comparison, Way
from hsu_lib.scene import SceneSpec

STYLE = (paths.ROOT / "book/_static/book.css").read_text()
#: What the theme puts behind a page.
THEMES = {"light": "#ffffff", "dark": "#121212"}
CLAIM = {"statement": "It helps.", "where": "table 1", "own_figures": "supports", "datasets": ["samson"]}
SEEDS = tuple(range(100, 110))


def comparison(mean=0.05, *, outcome=rule.Outcome.HOLDS, score="rmse-abundances", shape="better", **more):
    differences = tuple(mean + 0.01 * np.linspace(-1, 1, len(SEEDS)))
    given = {"effect": 0.02, "reported": True, "usual": 0.02, "left_out": (), "printed": 0.04} | more
    return Comparison(
        "a better than b", shape, seeds=SEEDS, differences=differences, outcome=outcome, score=score, **given
    )


def answer(*comparisons, verdict=rule.Verdict.REPRODUCED, claim="prim-alpha0-poor-endmembers"):
    return Answer(claim, verdict, (Way("samson", verdict, comparisons),))


def soup(markup):
    return BeautifulSoup(markup, "html.parser")


# --------------------------------------------------------------------------- outcomes


def test_every_outcome_has_a_look_of_its_own():
    assert set(LOOKS) == {verdict.value for verdict in rule.Verdict} | {NOT_ANSWERED}
    for part in ("path", "says", "name"):
        assert len({getattr(look, part) for look in LOOKS.values()}) == len(LOOKS)
    for look in LOOKS.values():
        assert html.badge(look.word).count(look.path) == 1
        assert look.says in html.legend()


def colours(theme):
    """Outcome to its colour in a theme, from the style sheet."""
    before = 'html[data-theme="dark"] ' if theme == "dark" else ""
    found = {}
    for look in LOOKS.values():
        rule = rf"^{re.escape(before)}\.hsu-{look.name} {{ --outcome: (#\w{{6}}); }}$"
        (found[look.word],) = re.findall(rule, STYLE, re.MULTILINE)
    return found


def linear(colour):
    share = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("theme", THEMES)
def test_every_outcome_can_be_read_in_both_themes(theme):
    """WCAG 2, level AA: a contrast of 4.5 to what is behind it."""
    light = {word: linear(colour) @ (0.2126, 0.7152, 0.0722) for word, colour in colours(theme).items()}
    behind = linear(THEMES[theme]) @ (0.2126, 0.7152, 0.0722)
    ratios = {w: (max(x, behind) + 0.05) / (min(x, behind) + 0.05) for w, x in light.items()}
    assert min(ratios.values()) >= 4.5, ratios


#: What those see who lack the cones for long or middle waves (Machado and others, 2009), in linear RGB.
BLIND = {
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", BLIND)
def test_what_speaks_for_against_and_neither_is_told_apart_by_all_eyes(theme, eye):
    seen = {word: lab(np.clip(BLIND[eye] @ linear(c), 0, 1)) for word, c in colours(theme).items()}
    sides = [[v.value for v in side] for side in (rule.FOR, rule.AGAINST, (rule.Verdict.OPEN,))]
    for one, other in combinations(sides, 2):
        assert min(np.linalg.norm(seen[a] - seen[b]) for a in one for b in other) > 10


def lab(rgb):
    """CIE L*a*b* of linear sRGB."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ rgb
    x, y, z = np.cbrt(xyz / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_what_the_guide_says_of_outcomes_is_computed_and_notes_lead_to_it():
    guide = (paths.ROOT / "book/how-to-read.md").read_text()
    assert ":file: outcomes.html" in guide  # which the build makes of `html.legend`
    for note in html.NOTES.values():
        assert f"({note.place})=" in guide
    assert "(card)=" in guide


# --------------------------------------------------------------------------- cards


def test_a_card_shows_every_seed_the_interval_the_band_and_what_is_reported():
    c = comparison()
    made = soup(cards.card(answer(c), CLAIM))
    assert made.article["id"] == "prim-alpha0-poor-endmembers"
    assert made.find(class_="verdict").get_text() == "reproduced"
    plot = made.find(class_="hsu-strip")
    assert plot.title.get_text().startswith("a better than b: reproduced.")
    assert len(plot.find_all(class_="hsu-dot")) == len(SEEDS)
    place = {name: float(plot.find(class_=f"hsu-{name}")["x1"].rstrip("%")) for name in ("zero", "line")}
    band = plot.find(class_="hsu-band")
    left, width = (float(band[name].rstrip("%")) for name in ("x", "width"))
    assert left < place["zero"] < left + width < place["line"]
    assert plot.find(class_="hsu-reported")
    assert "difference +5.00\xa0% [+4.45, +5.55]" in made.find(class_="hsu-figures").get_text()


def test_places_stay_within_the_picture():
    for mean, low_or_high in ((0.05, 0.04), (-3.0, 0.04), (1e-6, None)):
        for score in ("rmse-abundances", "sad-endmembers", "mse-abundances"):
            plot = cards._strip(comparison(mean, score=score, printed=low_or_high))
            places = [plot.zero, plot.low, plot.mean, plot.high, *(x for x, _ in plot.dots)]
            places += [plot.reported] * (low_or_high is not None)
            assert 3 <= min(places) <= max(places) <= 97
            assert plot.low <= plot.mean <= plot.high
            assert len({text for _, text in plot.ticks}) == len(plot.ticks)


@pytest.mark.parametrize(
    ("outcome", "verdict", "told"),
    [
        (rule.Outcome.REVERSED, rule.Verdict.REVERSED, "the other way round"),
        (rule.Outcome.ABSENT, rule.Verdict.ABSENT, "without an effect that counts"),
        (rule.Outcome.SMALLER, rule.Verdict.SMALLER, "below the smallest of interest"),
        (rule.Outcome.OPEN, rule.Verdict.OPEN, "10 seeds"),
    ],
)
def test_a_card_says_why_in_a_line(outcome, verdict, told):
    made = soup(cards.card(answer(comparison(outcome=outcome), comparison(), verdict=verdict), CLAIM))
    assert told in made.find(class_="hsu-reason").get_text()
    assert made.find(class_="hsu-reason").get_text().startswith("1 of 2 comparisons")


def test_a_card_says_that_only_a_part_could_be_asked():
    assert "only a part" in cards.card(answer(comparison(), verdict=rule.Verdict.OPEN), CLAIM)


def test_the_picture_of_a_ratio_has_factors_below_it():
    plot = cards._strip(comparison(0.4, relative=True, printed=None))
    assert "×1" in [text for _, text in plot.ticks]
    assert all(text.startswith("×") for _, text in plot.ticks)


def test_a_card_folds_all_ways_to_ask_and_tells_its_runs():
    ways = (
        Way("samson", rule.Verdict.REPRODUCED, (comparison(), comparison())),
        Way("urban", reason="3 of 20 runs are missing"),
    )
    made = {"device": "a machine", "commit": "abc", "date": "2026-11-26T19:23:11+00:00"}
    records = [Record({"method": "ae-plain", "seed": k}, {}, "CONVERGED", 1.0, made, {}) for k in SEEDS]
    found = Answer("prim-alpha0-poor-endmembers", rule.Verdict.REPRODUCED, ways)
    card = soup(cards.card(found, CLAIM, records=records, notes=["33 % of the training: scaled down"]))
    assert card.summary.get_text() == "2 comparisons in 2 ways to ask, 10 runs"
    told = card.details.get_text()
    assert "3 of 20 runs are missing." in told
    assert "10 on a machine; commit abc; 2026-11-26." in told
    assert "hsu sweep paper --claims prim-alpha0-poor-endmembers --seeds 100-109" in told
    assert card.find(class_="hsu-note")["href"] == "how-to-read.html#scaled-down"
    assert card.details.find("a", string="ae-plain")["href"] == "methods.html#ae-plain"


def test_a_page_notes_the_records_of_its_cards_once_and_that_less_was_trained(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setenv("HSU_OUT", str(tmp_path))
    monkeypatch.setattr(pages, "display", lambda thing: shown.append(thing.data))
    made = {"device": "a machine", "commit": "abc", "date": "2026-11-26", "threads": 1}
    asked = Run("simple-perturbation", SceneSpec("lagoon"), 100).asked()
    record = Record(asked, {}, "CONVERGED", 1.0, made, {})
    way = Way("samson", rule.Verdict.REPRODUCED, (comparison(),), keys=(record.key, "gone"))
    found = Answer("prim-alpha0-poor-endmembers", rule.Verdict.REPRODUCED, (way,))
    page = pages.Page("alpha", "paper")
    page.opening("**Yes.**", [found])
    page.card(found, find={record.key: record}.get)
    page.card(found, find=lambda key: pytest.fail("was read already"))
    page.cards([found], why={found.claim: "Because."})
    assert page.manifest.keys == [record.key]
    assert len(page.rows) == 1
    assert shown[0] == html.lead("**Yes.**")
    cards_shown = [soup(block) for block in shown if "hsu-card" in block]
    assert len(cards_shown) == 3
    assert cards_shown[0].find(class_="hsu-note").get_text() == "33 % of the training"
    assert shown.count(html.why(found.claim, "Because.")) == 1


def test_a_card_names_the_profile_that_decides_its_claim(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setenv("HSU_OUT", str(tmp_path))
    monkeypatch.setattr(pages, "display", lambda thing: shown.append(thing.data))
    page = pages.Page("minimum_volume", "desk")
    for claim in ("tutorial-misicnet-best-sim1-rmse", "tutorial-nmf-qmv-close-on-sim1"):
        page.card(answer(comparison(), claim=claim))
    assert "hsu sweep paper --claims tutorial-misicnet-best-sim1-rmse" in shown[0]
    assert "hsu sweep desk --claims tutorial-nmf-qmv-close-on-sim1" in shown[1]


def test_a_page_shows_the_runs_that_decide_and_others_only_where_these_are_not_all_there():
    def found(seeds):
        asked = [Run("sivm-fclsu", SceneSpec("lagoon"), seed).asked() for seed in seeds]
        records = [Record(each, {}, "CONVERGED", 1.0, {}, {}) for each in asked]
        return Results(pd.DataFrame([{"key": r.key, "seed": r.asked["seed"]} for r in records]), records)

    all_runs, earlier, claim = found([100, 101, 110]), found([0, 1, 2]), "prim-alpha0-poor-endmembers"
    used = tuple(record.key for record in all_runs.records[:2])
    for verdict, seeds, told in (
        (rule.Verdict.OPEN, [100, 101], "seeds 100-101"),
        (None, [0, 1, 2], "seeds 0-2, which decide nothing"),
    ):
        answer = Answer(claim, verdict, (Way("lagoon", verdict, keys=used),))
        asked = asking.Asked({claim: answer}, None, all_runs)
        shown, words = pages.deciding_or(asked, claim, earlier)
        assert [record.asked["seed"] for record in shown.records] == seeds
        assert words == told


# --------------------------------------------------------------------------- forest plot


def test_a_forest_has_a_line_per_claim_that_leads_to_its_card():
    found = [
        answer(comparison(0.5, printed=None), claim="prim-alpha1-best-endmembers"),
        answer(
            comparison(-0.03, outcome=rule.Outcome.REVERSED),
            verdict=rule.Verdict.REVERSED,
            claim="prim-alpha0-poor-endmembers",
        ),
        Answer("prim-samson-faster", None, (), "needs times"),
    ]
    made = soup(cards.forest(found[::-1]))
    lines = made.ol.find_all("li")[:-1]
    assert [line.a["href"] for line in lines] == [f"#{a.claim}" for a in found[:2]]
    assert lines[0].a.get_text(strip=True) == "alpha1 best endmembers"
    assert [bool(line.find(class_="hsu-reported")) for line in lines] == [False, True]
    assert [text.get_text() for text in made.find_all(class_="hsu-tick")] == ["−1", "0", "1", "10"]
    assert made.find(class_="hsu-rest").a["href"] == "#prim-samson-faster"
    assert [li.get_text(" ", strip=True) for li in made.find(class_="hsu-counts").find_all("li")] == [
        "1 reproduced",
        "1 reversed",
        "1 not yet answered",
    ]


def test_a_forest_of_nothing_is_only_a_caption():
    assert soup(cards.forest([])).ol is None


# --------------------------------------------------------------------------- bars, heat, scores


def test_bars_have_a_part_for_each_outcome_as_wide_as_its_number():
    made = soup(html.bars({"one": {"reproduced": 3, "open": 1}, "two": {"open": 2}}, caption="c"))
    parts = [[part["style"] for part in row.select(".hsu-bar > span")] for row in made.tbody.find_all("tr")]
    assert parts == [["flex-grow: 3", "flex-grow: 1"], ["flex-grow: 2"]]


def test_heat_marks_the_best_by_what_is_better():
    table = pd.DataFrame({"samson": [0.1, 0.2, None]}, index=["a", "b", "c"])
    best = {
        s: soup(html.heat(table, s, caption="c")).find(class_="hsu-best")
        for s in ("mae-abundances", "cos-abundances")
    }
    assert [cell.get_text() for cell in best.values()] == ["10.00\xa0%", "0.2000"]
    assert "–" in html.heat(table, "mae-abundances", caption="c")


def test_a_folded_table_is_a_line_that_opens_it():
    made = soup(html.table(pd.DataFrame({"a": [1]}), caption="Settings.", folded=True))
    assert made.details.summary.get_text() == "Settings."
    assert made.details.table


def test_the_unit_of_a_ratio_is_a_factor():
    assert scores.difference("mse-abundances", np.log(33.798), relative=True) == "×33.8"
    assert scores.size("mse-abundances", np.log(1.1), relative=True) == "×1.10"
    assert scores.value("mse-abundances", 1e-12) == "1.0e-12"
    assert scores.value("sre-abundances", 12.346) == "12.35\xa0dB"


def test_a_mean_is_a_dash_where_a_run_is_missing():
    table = pd.DataFrame({"scene": ["samson"], "label": ["a"], "seed": [100]})
    record = Record({}, {"mse-abundances": 0.25}, "OK", 1.0, {}, {})
    found = Results(table, [record])
    assert scores.mean(found, "samson", "a", "mse-abundances") == "0.2500"
    assert scores.mean(found, "samson", "a", "cos-abundances") == "–"
    assert scores.mean(found, "samson", "b", "mse-abundances") == "–"


def test_the_reading_that_comes_nearer_is_named():
    pairs = {"text": [(0.5, 0.4), (0.9, None)], "code": [(0.4, 0.2)]}
    told = pages.which_reading(pairs)
    assert "*Text*" in told
    assert "0.1000 (text) and 0.2000 (code)" in told
    assert "No reported figure" in pages.which_reading({"text": [(0.5, None)], "code": []})


def test_what_waits_for_runs_is_counted():
    done, missing = answer(comparison()), Answer("x", None, reason="3 of 20 runs are missing")
    assert pages.waiting([done, done]) == ""
    assert pages.waiting(iter([done, missing])).startswith("1 of 2 claims is not answered yet;")
    assert pages.waiting([missing, missing]).startswith("2 of 2 claims are ")


def test_what_is_shown_beside_may_have_noise_of_its_seed(monkeypatch, tmp_path):
    monkeypatch.setenv("HSU_OUT", str(tmp_path))
    page = pages.Page("metrics")
    monkeypatch.setattr(page, "sweep", list)
    clean, noisy = (
        page.beside(["SiVM + FCLSU"], where, seeds="1-2")
        for where in ("lagoon", SceneSpec("lagoon", snr_db=20.0))
    )
    assert [(run.seed, run.scene.snr_db, run.scene.noise_seed) for run in clean] == [
        (1, None, 0),
        (2, None, 0),
    ]
    assert [(run.seed, run.scene.snr_db, run.scene.noise_seed) for run in noisy] == [(1, 20, 1), (2, 20, 2)]


# --------------------------------------------------------------------------- in plain words


@pytest.mark.parametrize(
    ("verdict", "mean", "shape", "told"),
    [
        (rule.Verdict.REPRODUCED, 0.05, "better", "Yes: 10 of 10 seeds say so."),
        (rule.Verdict.REPRODUCED, -0.015, "not worse", "Yes: 7 of 10 seeds say so."),
        (rule.Verdict.REPRODUCED, 0.015, "equal", "Yes: 7 of 10 seeds say so."),
        (rule.Verdict.SMALLER, 0.002, "better", "Yes, by less than reported: 6 of 10 seeds say so."),
        (rule.Verdict.ABSENT, 0.0, "better", "No: the difference is too small to count in 10 of 10 seeds."),
        (rule.Verdict.REVERSED, -0.05, "better", "No: 10 of 10 seeds go the other way."),
        (rule.Verdict.OPEN, 0.0, "better", "Not decided: 5 of 10 seeds speak for it."),
        (rule.Verdict.NOT_TESTABLE, 0.0, "better", ""),
    ],
)
def test_an_answer_in_plain_words_counts_the_seeds(verdict, mean, shape, told):
    assert cards.plain(answer(comparison(mean, shape=shape), verdict=verdict)) == (told, "")


def test_of_several_comparisons_the_one_that_decides_is_named():
    holds, turned = comparison(), comparison(-0.05, outcome=rule.Outcome.REVERSED)
    told, of = cards.plain(answer(holds, turned, verdict=rule.Verdict.REVERSED))
    assert told == "No: of 2 comparisons 1 holds, 1 is the other way round."
    assert of == "10 of 10 seeds go the other way in this one: a better than b."


def test_another_way_to_ask_that_says_less_is_named_beside_a_yes():
    found = answer(comparison())
    other = Way("urban", rule.Verdict.OPEN, (comparison(0.0, outcome=rule.Outcome.OPEN),))
    told = cards.plain(replace(found, ways=(*found.ways, other)))
    assert told == ("Yes: 10 of 10 seeds say so, on samson.", "Urban: not decided.")


@pytest.mark.parametrize(("low", "high"), [(0.98, 1.07), (0.9, 30.0), (0.1, 400.0), (0.5, 2.1), (1e-9, 1e9)])
def test_ratios_are_marked_at_few_round_numbers_around_them(low, high):
    ratios = cards._ratios(low, high)
    assert ratios == sorted(set(ratios))
    assert 1.0 in ratios
    assert 2 <= len(ratios) <= 6
    assert (ratios[0] <= low and ratios[-1] >= high) or high > 1e6


def test_ways_that_disagree_are_told_one_by_one():
    found = answer(comparison(), verdict=rule.Verdict.DEPENDS)
    ways = [Way("at 20 dB", rule.Verdict.REVERSED), Way("at 10 dB", rule.Verdict.REPRODUCED), Way("at 5 dB")]
    told = cards.plain(replace(found, ways=(replace(found.ways[0], verdict=None), *ways)))
    ways = "At 20 dB: no, the other way round. At 10 dB: yes."
    assert told == ("Equally good ways to ask disagree.", ways)


def test_what_no_runs_decide_has_no_plain_words():
    assert cards.plain(Answer("prim-alpha0-poor-endmembers", rule.Verdict.REPRODUCED, ())) == ("", "")
