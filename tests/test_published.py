"""Manifests, publishing, the scorecard, and what a page shows."""

from __future__ import annotations

from hashlib import sha256

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hsu_lib import claims, runs
from hsu_lib.publishing import chapters, manifest, pages, published
from hsu_lib.publishing.folders import MARK
from hsu_lib.runs import Run
from hsu_lib.scene import SceneSpec

SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))
RUNS = [Run("ae-plain", SMALL, seed, {"epochs": 2, "filters": 4, "kernel": 3}) for seed in range(3)]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("STORE", "PUBLISHED"):
        monkeypatch.setenv(f"HSU_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("HSU_OUT", str(tmp_path / "chapters" / "patching"))
    return tmp_path


@pytest.fixture
def shown(monkeypatch):
    out = []
    monkeypatch.setattr(pages, "display", lambda thing: out.append(thing.data))
    return out


def judged(page):
    better = claims.compare("mse", "toy", [1, 1.1, 0.9], [2, 2, 2], better="lower")
    page.verdict(claims.judge("prim-patches-improve-abundances", [better], profile=page.manifest.profile))


def ended(page, **parameters):
    """What the executor notes once a chapter has run to its end."""
    chapter, profile = page.manifest.chapter, page.manifest.profile
    page.manifest.executed = manifest.Executed(
        chapters.values(chapter, profile, parameters),
        chapters.source(chapter, profile),
        records=published.fingerprint(page.manifest.keys),
        pictures={
            path.stem: sha256(path.read_bytes()).hexdigest() for path in page.out.glob("figures/*.webp")
        },
    )
    page.manifest.write(page.out / "chapter.json")


def everything(folder):
    """Every file in a folder, hidden ones too, but for the lock, and its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARK
    }


def test_publish_and_replay_elsewhere(folders, shown, monkeypatch):
    page = pages.Page("patching", "desk")
    page.sweep(RUNS)
    page.figure("scene", lambda: plt.subplots()[0], alt="a", caption="c", needs=["lagoon"])
    judged(page)
    ended(page)
    folder, size = published.publish("desk", source=folders / "chapters")
    assert size == sum(p.stat().st_size for p in (folders / "published").rglob("*") if p.is_file())
    assert (folder / "figures" / "patching-scene.webp").read_bytes()[:4] == b"RIFF"
    # another machine: nothing but the published folder
    monkeypatch.setenv("HSU_STORE", str(folders / "empty"))
    table, _ = pages.Page("patching", "desk").sweep(RUNS)
    assert table["replayed"].all()
    assert "3 replayed (published, profile desk)" in pages.provenance([table], "desk")
    assert published.manifests()[0].judgements[0].verdict is claims.Verdict.REPRODUCED


def test_publishing_drops_records_that_no_chapter_uses_any_more(folders, shown):
    for used in (RUNS, RUNS[:1]):
        page = pages.Page("patching", "desk")
        page.sweep(used)
        ended(page)
        folder, _ = published.publish("desk", source=folders / "chapters")
    assert {p.stem for p in (folder / "records").glob("*")} == {RUNS[0].key}


def test_publishing_what_was_not_run_is_refused(folders, shown):
    pages.Page("patching", "quick")
    with pytest.raises(LookupError, match="no chapter was executed with profile desk"):
        published.publish("desk", source=folders / "chapters")


def test_the_scorecard_lists_every_claim_once(folders, shown):
    page = pages.Page("patching", "quick")
    judged(page)
    card = published.scorecard(published.manifests(folders / "chapters"))
    assert len(card) == 113
    row = card.loc["prim-patches-improve-abundances"]
    assert (row["verdict"], row["seeds"], row["scenes"]) == ("reproduced", 3, "toy")
    assert row["low"] > 0
    assert (card["verdict"] == "not yet judged").sum() == 112


def test_a_picture_without_its_data_is_the_published_one(folders, shown, monkeypatch):
    page = pages.Page("patching", "desk")
    page.figure("scene", lambda: plt.subplots()[0], alt="a map", caption="c", needs=["samson"])
    monkeypatch.setattr(pages.scenes, "is_available", lambda scene: False)
    never = lambda: pytest.fail("there is no data to draw")  # noqa: E731
    page.figure("nothing", never, alt="a", caption="c", needs=["samson"])
    assert "hsu data fetch samson" in shown[-1]
    target = folders / "published" / "desk" / "figures"
    target.mkdir(parents=True, exist_ok=True)
    (target / "patching-scene.webp").write_bytes(b"picture")
    page.figure("scene", never, alt='a "map"', caption="c & d", needs=["samson"])
    assert "cGljdHVyZQ==" in shown[-1]  # the published bytes
    assert "Published picture" in shown[-1]
    assert "a &quot;map&quot;" in shown[-1]


def test_tables_escape_what_they_are_given(shown, folders):
    page = pages.Page("patching")
    page.table(
        pd.DataFrame({"a": ["<b>", None], "n": [0.123456, np.nan]}), caption="x < y", formats={"n": "{:.2f}"}
    )
    assert "&lt;b&gt;" in shown[-1]
    assert "x &lt; y" in shown[-1]
    assert ">0.12<" in shown[-1]
    assert "nan" not in shown[-1].lower()


def test_in_the_quick_profile_nothing_is_decided_unless_a_chapter_says_so(shown, folders):
    better = claims.compare("mse", "toy", [1, 1.1, 0.9], [2, 2, 2], better="lower")
    page = pages.Page("patching", "quick")
    page.judge("prim-patches-improve-abundances", [better], reason="Because.")
    page.judge("prim-arccos-corner-cases", [better], rehearsal=False)
    first, second = page.manifest.judgements
    assert (first.verdict, second.verdict) == (claims.Verdict.UNDECIDED, claims.Verdict.REPRODUCED)
    assert first.reason.startswith("Because. The quick profile")
    assert second.reason == ""
    page = pages.Page("patching", "desk")
    page.judge("prim-patches-improve-abundances", [better], reason="Because.")
    assert page.manifest.judgements[0].verdict is claims.Verdict.REPRODUCED
    assert page.manifest.judgements[0].reason == "Because."


def test_many_comparisons_stand_behind_a_line_that_counts_them(shown, folders):
    yes = claims.compare("mse", "toy", [1, 1.1, 0.9], [2, 2, 2], better="lower")
    no = claims.compare("mse", "toy", [2, 2.1, 1.9], [1, 1, 1], better="lower")
    page = pages.Page("patching", "desk")
    page.judge("prim-patches-improve-abundances", [yes, no])
    assert "<details>" not in shown[-1]
    page.judge("prim-patches-improve-abundances", [yes, (yes, no), no, yes])
    assert "<summary>5 comparisons: 3 hold, 2 fail</summary>" in shown[-1]


def test_a_verdict_tells_where_another_yardstick_would_decide_otherwise(shown, folders):
    yes = claims.compare("mse", "toy", [1, 1.1, 0.9], [2, 2, 2], better="lower")
    no = claims.compare("other", "toy", [2, 2.1, 1.9], [1, 1, 1], better="lower")
    page = pages.Page("patching", "desk")
    for other in ([yes, yes], [yes, no], []):
        page.judge(
            "prim-patches-improve-abundances", [yes], also={"by another ruler": other}, reason="Because."
        )
        judged = page.manifest.judgements[-1]
        assert judged.verdict is claims.Verdict.REPRODUCED  # the other does not decide
        assert judged.comparisons == (yes,)
        differs = no in other
        start = "By another ruler it would be contradicted. " if differs else ""
        assert judged.reason == f"{start}Because."
        assert ("By another ruler, 2 comparisons: 1 hold, 1 fail" in shown[-1]) is differs
        assert ("By another ruler, 2 comparisons: 2 hold" in shown[-1]) is (other == [yes, yes])


def test_a_moving_picture_loops_and_has_a_still(shown, folders):
    page, before = pages.Page("patching", "desk"), plt.get_fignums()

    def frames():
        for k in range(3):
            figure, ax = plt.subplots(figsize=(2, 1))
            ax.plot([0, k])
            yield figure

    page.movie("maps", frames(), alt="three <lines>", caption="c", seconds=0.1)
    with Image.open(page.out / "figures" / "maps.webp") as moving:
        assert (moving.n_frames, moving.info["loop"]) == (3, 0)
        moving.seek(2)
        last = np.asarray(moving.convert("RGB"), dtype=float)
    still = np.asarray(Image.open(page.out / "figures" / "maps.png").convert("RGB"), dtype=float)
    assert last.shape == still.shape
    assert np.abs(last - still).mean() < 5  # of 255: compressed
    assert 'media="(prefers-reduced-motion: reduce), print"' in shown[-1]
    assert 'alt="three &lt;lines&gt;"' in shown[-1]
    assert plt.get_fignums() == before


def test_what_stands_in_for_a_scene_is_told_with_its_size():
    assert pages.stands_in("urban", "urban", 40) == ""
    assert pages.stands_in("lagoon", "urban", 40) == "Judged on lagoon, because urban is not in this profile."
    told = pages.stands_in("urban-detection-window", "urban", 40)
    assert told.endswith("It has 8000 of its 94249 pixels; a patch of 40 x 40 is 20 % of them.")


def test_a_documents_table_stands_below_ours_by_method():
    printed = pd.DataFrame(
        {"ldvae": ["0.1", "0.2"], "vca": ["", "0.4"]}, index=pd.Index(["soil", "mean"], name="target")
    )
    table = pages.beside(printed, {"LDVAE": ["0.3", "0.5"]})
    assert table.to_dict("records") == [
        {"method": "LDVAE (ours)", "soil": "0.3", "mean": "0.5"},
        {"method": "ldvae (reported)", "soil": "0.1", "mean": "0.2"},
        {"method": "vca (reported)", "soil": "", "mean": "0.4"},
    ]
    with pytest.raises(ValueError, match="zip"):
        pages.beside(printed, {"LDVAE": ["0.3"]})


def test_maps_are_published_only_where_a_page_shows_them(folders, shown):
    page = pages.Page("patching", "desk")
    records = page.sweep(RUNS).records
    page.mapped(records[1:2])
    page.mapped(records[1:2])
    ended(page)
    folder, _ = published.publish("desk", source=folders / "chapters")
    kept = [runs.read_record(folder / "records" / f"{run.key}.json", "desk") for run in RUNS]
    assert ["A" in record.arrays for record in kept] == [False, True, False]
