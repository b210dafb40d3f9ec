"""The explorer: what is written for it, what its page does in a browser, and results of one's own."""

from __future__ import annotations

import dataclasses
import re
import shutil
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import browser
import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib import colormaps

from hsu_lib import methods, runs, scenes
from hsu_lib.claims.rule import Verdict
from hsu_lib.cli import main
from hsu_lib.publishing import explorer
from hsu_lib.publishing.explorer import answered, book, conditions, maps, names, packing, told
from hsu_lib.publishing.explorer.opening import opening
from hsu_lib.publishing.standings import own_runs
from hsu_lib.runs import Record, Run, Store
from hsu_lib.runs.amounts import amounts
from hsu_lib.runs.answers import Answer, Way
from hsu_lib.scene import SceneSpec
from hsu_lib.unmixing import read_result
from hsu_lib.unmixing.explore import explore

ASSETS = Path(explorer.__file__).parent / "assets"
METHODS = ("fclsu", "vca-fclsu", "sivm-fclsu")


@pytest.fixture(scope="module", autouse=True)
def _named_once():
    """What conditions are called is looked up once: it takes seconds, and is the same for all tests."""
    names = conditions._names(conditions.nothing_chosen)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "_names", lambda choices: names)
        yield


# --------------------------------------------------------------------------- data as scripts


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_steps_are_half_a_step_off_at_most_and_keep_what_is_not_finite(kind):
    x = np.random.default_rng(0).normal(size=(7, 5, 3))
    x[2, 1] = np.nan
    back = packing.steps(x, kind).values()
    half = (np.nanmax(x) - np.nanmin(x)) / (np.iinfo(kind).max - 1) / 2
    np.testing.assert_array_equal(np.isnan(back), np.isnan(x))
    assert np.nanmax(np.abs(back - x)) <= half * (1 + 1e-9)


def test_a_packet_of_several_scripts_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "MOST", 400)
    x = np.random.default_rng(1).random((5, 31))
    arrays = {
        "a/1": packing.steps(x[0]),
        "b": packing.steps(x, np.uint16),
        "constant": packing.steps([2.0] * 3),
    }
    files = packing.write(tmp_path, "some-name", packing.packet({"told": "“é”</script>"}, arrays))
    assert len(files) > 1
    assert all(path.stat().st_size < 500 for path in files)
    header, back = packing.read(tmp_path, "some-name")
    assert header == {"told": "“é”</script>"}
    for name, packed in arrays.items():
        np.testing.assert_array_equal(back[name].array, packed.array)
        assert back[name].ends == packed.ends
    assert back["constant"].values().tolist() == [2.0] * 3


def test_uplot_is_what_its_authors_published():
    told = dict(re.findall(r"\| `(\S+)` \|.*`([0-9a-f]{64})` \|", (ASSETS / "README.md").read_text()))
    assert set(told) == {path.name for path in ASSETS.glob("uPlot*")}
    for name, stated in told.items():
        assert sha256((ASSETS / name).read_bytes()).hexdigest() == stated


def test_our_script_asks_for_nothing_a_folder_cannot_give():
    script = (ASSETS / "explorer.js").read_text()
    assert len(script.splitlines()) < 600
    assert not re.search(
        r"\bfetch\(|XMLHttpRequest|^import |https?:", script.replace("http://www.w3.org/2000/svg", "")
    )


# --------------------------------------------------------------------------- the book's data


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A store with published records of two scenes: three methods, twelve seeds, maps of one seed each."""
    store = Store(tmp_path_factory.mktemp("local"), tmp_path_factory.mktemp("published"))
    asked = [
        run
        for name, snr in (("lagoon", None), ("lagoon", 20.0), ("lagoon-bilinear", None))
        for seed in (100, 101, 102)
        for run in own_runs(
            [SceneSpec(name, snr_db=snr, noise_seed=seed if snr else 0)], [seed], amounts("desk")
        )
        if run.method in METHODS
    ]
    asked.append(Run("vca-fclsu", SceneSpec("lagoon", crop=(0, 0, 7, 5)), 100))
    records = [runs.execute(run) for run in asked]
    runs.publish(records, store.published / "desk", [r.key for r in records if r.asked["seed"] == 101])
    return store, records


@pytest.fixture(scope="module")
def data(published, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorer") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSU_PUBLISHED", str(published[0].published))
        patch.setattr(answered, "manifests", lambda: [answers(published[1])])
        book.export(folder, store=published[0], embedded=())
    return folder


def answers(records):
    """A manifest that answers a claim by two methods on two images, and one by times alone."""
    keys = [
        of(records, *where).key
        for where in (
            ("lagoon-bilinear", "vca-fclsu"),
            ("lagoon, 20 dB", "sivm-fclsu"),
            ("lagoon, 20 dB", "vca-fclsu"),
        )
    ]
    shown = Answer("ldvae-state-of-the-art", Verdict.REPRODUCED, (Way("somewhere", keys=tuple(keys)),))
    return SimpleNamespace(chapter="ldvae", answers=[shown, Answer("prim-samson-faster", None, ())])


def test_a_claim_stands_for_the_state_that_shows_most_of_it(data):
    index, _ = packing.read(data, "index")
    _, stage = stage_of(data, "lagoon", 20.0)
    slugs = {c["method"]: c["slug"] for c in stage["conditions"]}
    state = {"scene": "lagoon", "noise": "20", "method": slugs["sivm-fclsu"], "other": slugs["vca-fclsu"]}
    (found,) = index["claims"].values()
    assert (found["state"], found["where"]) == (state, "Lagoon, noise of 20 dB")
    assert (found["chapter"], found["methods"]) == ("ldvae", ["sivm-fclsu", "vca-fclsu"])
    header, _ = packing.read(data, stage["file"])
    (claim,) = header["claims"]
    assert claim == {
        "claim": "ldvae-state-of-the-art",
        "conditions": sorted([state["method"], state["other"]]),
    }


def stage_of(folder, place, noise=None):
    index, _ = packing.read(folder, "index")
    (scene,) = [scene for scene in index["scenes"] if scene["place"] == place]
    (stage,) = [stage for stage in scene["stages"] if stage["noise"] == noise]
    return scene, stage


def test_every_condition_is_there_with_its_seeds_and_no_window(data):
    index, _ = packing.read(data, "index")
    assert [scene["place"] for scene in index["scenes"]] == ["lagoon", "lagoon-bilinear"]
    for scene in index["scenes"]:
        for stage in scene["stages"]:
            assert {c["method"] for c in stage["conditions"]} == set(METHODS)
            for c in stage["conditions"]:
                assert c["seeds"] == [100, 101, 102]
                assert c["fresh"]
                assert 101 in c["maps"]
                assert c["slug"] == conditions.slug(c["name"])


def of(records, scene, method, seed=101):
    (found,) = [
        r for r in records if (str(r.scene), r.asked["method"], r.asked["seed"]) == (scene, method, seed)
    ]
    return found


def test_what_is_written_is_what_was_found(data, published):
    record, seed = of(published[1], "lagoon, 20 dB", "vca-fclsu"), 101
    _, stage = stage_of(data, "lagoon", 20.0)
    (condition,) = [c for c in stage["conditions"] if c["method"] == "vca-fclsu"]
    _, arrays = packing.read(data, condition["file"])
    np.testing.assert_allclose(arrays[f"E/{seed}"].values(), record.arrays["E"], rtol=1 / 4096, atol=2e-5)
    np.testing.assert_allclose(arrays[f"A/{seed}"].values(), record.arrays["A"], atol=1 / 100)
    Y = scenes.load(record.scene).Y
    left = Y - np.einsum("be,ehw->bhw", record.arrays["E"], record.arrays["A"])
    np.testing.assert_allclose(
        arrays[f"residual/{seed}"].values(), np.sqrt((left**2).mean(axis=0)), atol=3e-3
    )
    header, about = packing.read(data, stage["file"])
    scored = header["scores"][condition["slug"]]["rmse-abundances"]
    assert scored["values"][1] == pytest.approx(record.scores["rmse-abundances"], rel=1e-4)
    assert scored["interval"][0] == pytest.approx(np.mean(scored["values"]), rel=1e-4)
    scene = scenes.load("lagoon")
    np.testing.assert_allclose(about["A"].values(), scene.A, atol=1 / 500)
    np.testing.assert_allclose(header["axis"]["x"], scene.wavelengths, atol=0.01)


def test_pixels_are_the_image_before_noise(data):
    scene, _ = stage_of(data, "lagoon", 20.0)
    _, arrays = packing.read(data, scene["pixels"])
    low, high = arrays["low"].values()[:, None], arrays["high"].values()[:, None]
    Y = scenes.load("lagoon").pixels
    np.testing.assert_allclose(low + arrays["Y"].values() * (high - low), Y, atol=np.ptp(Y) / 400)


def test_the_median_seed_is_that_of_the_middle_error(published):
    for condition in conditions.conditions(published[1]):
        errors = {seed: r.scores["rmse-abundances"] for seed, r in condition.records.items()}
        assert errors[condition.median] == np.median([*errors.values()])
    assert conditions.Condition(SceneSpec("lagoon"), "x", "vca-fclsu").median is None


def test_without_abundances_that_are_known_the_median_is_of_the_angle():
    def record(seed, angle):
        run = Run("vca-fclsu", SceneSpec("lagoon"), seed)
        return Record(run.asked(), {"sad-endmembers": angle}, "FINISHED", 1.0, {}, {})

    angles = {1: 0.9, 2: 0.1, 3: 0.2}
    found = conditions.Condition(
        SceneSpec("lagoon"), "x", "vca-fclsu", {s: record(s, a) for s, a in angles.items()}
    )
    assert (found.ranked, found.median) == ("sad-endmembers", 3)


def test_least_squares_make_the_maps_that_were_not_published(published):
    whole = {r.key: r for r in published[1]}
    found = list(Store(published[0].local, published[0].published).records())
    place = book.Place(
        [c for c in conditions.conditions(found) if c.place == "lagoon-bilinear"], published[0]
    )
    bare = [r for r in found if r.scene == SceneSpec("lagoon-bilinear") and "A" not in r.arrays]
    assert len(bare) == 6
    for record in bare:
        made = place._with_maps(record).arrays["A"]
        np.testing.assert_allclose(made, whole[record.key].arrays["A"], atol=2e-3)  # of rounded E


def test_without_the_scene_nothing_of_its_pixels_is_written(published, tmp_path, monkeypatch):
    monkeypatch.setattr(scenes, "is_available", lambda spec: False)
    monkeypatch.setattr(scenes, "load", lambda *_, **__: pytest.fail("a scene was loaded"))
    monkeypatch.setenv("HSU_PUBLISHED", str(published[0].published))
    book.export(tmp_path, store=published[0], embedded=())
    assert not list(tmp_path.glob("pixels-*"))
    for name in (path.stem for path in tmp_path.glob("*.js") if path.stem != "index"):
        header, arrays = packing.read(tmp_path, name)
        assert {array.split("/")[0] for array in arrays} <= {"E", "A"}
        if "summary" in header:
            assert not arrays
            assert "`hsu data fetch lagoon" in header["notes"][0]
        else:
            assert {array for array in arrays if array[0] == "A"} == {"A/101"}


def test_the_embedded_runs_are_made_and_shown(tmp_path, monkeypatch):
    store = Store(tmp_path / "local", tmp_path / "none")
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path / "none"))
    monkeypatch.setattr(book, "_SHORT", {"iterations": 3, "filters": 4})
    embedded = [run for run in book.embedded_runs() if run.seed == 0]
    assert {run.method for run in embedded} == {*METHODS, "snpa-fclsu", "undip"}
    book.export(tmp_path / "data", store=store, embedded=embedded)
    for noise, count in ((None, 5), (20.0, 4)):
        _, stage = stage_of(tmp_path / "data", "lagoon", noise)
        assert len(stage["conditions"]) == count
        assert all(c["maps"] == [0] and not c["fresh"] for c in stage["conditions"])


@pytest.fixture
def publishing(published, tmp_path, monkeypatch):
    """Published records without maps, and an empty local store."""
    bare = [r for r in published[1] if str(r.scene) == "lagoon"]
    runs.publish(bare, tmp_path / "published/desk", [])
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path / "published"))
    monkeypatch.setenv("HSU_STORE", str(tmp_path / "local"))
    return {c.method: c.records[c.median] for c in conditions.conditions(bare)}


def test_maps_of_the_median_seed_are_published_from_runs_made_again(publishing, tmp_path):
    told = []
    assert maps.publish_maps("desk", 0, told.append) == 0
    assert len(told) == 3
    assert maps.publish_maps("desk", 600, told.append) == 3
    for record in publishing.values():
        found = maps.published_map(record.key)
        np.testing.assert_allclose(found.arrays["A"], record.arrays["A"], atol=1 / 100)
    assert maps.publish_maps("desk", 600, told.append) == 0
    assert len(told) == 3
    book.export(tmp_path / "data", embedded=())
    _, stage = stage_of(tmp_path / "data", "lagoon")
    assert [c["maps"] for c in stage["conditions"]] == [[c["median"]] for c in stage["conditions"]]
    for path in (tmp_path / "published/desk/records").glob(f"{publishing['fclsu'].key}*"):
        path.unlink()  # its seeds are fewer now, and another is in the middle
    maps.publish_maps("desk", 0, told.append)
    assert maps.published_map(publishing["fclsu"].key) is None


def test_maps_of_a_run_with_another_error_and_too_many_bytes_are_not_published(publishing, monkeypatch):
    for record in publishing.values():
        Store().put(dataclasses.replace(record, scores={**record.scores, "rmse-abundances": 0.5}))
    told = []
    assert maps.publish_maps("desk", 0, told.append) == 0
    assert all("off the published one" in line for line in told)
    monkeypatch.setattr(maps, "MOST_BYTES", 0)
    assert maps.publish_maps("desk", 0, told.append) == 0
    assert "too large" in told[-1]


def test_maps_of_a_scene_without_abundances_are_known_by_their_endmembers(publishing, monkeypatch):
    told = []
    monkeypatch.setattr(maps, "_COMPARED", ("unheard-of",))
    assert maps.publish_maps("desk", 60, told.append) == 0
    assert told
    assert all("nothing published says" in line for line in told)
    monkeypatch.setattr(maps, "_COMPARED", ("unheard-of", "sad-endmembers"))
    assert maps.publish_maps("desk", 60, told.append) > 0


def test_an_address_names_a_state():
    assert explorer.address("samson:misicnet", noise=20.0, material="tree & soil") == (
        "explore.html#scene=samson:misicnet&noise=20.0&material=tree%20%26%20soil"
    )
    with pytest.raises(ValueError, match="got sed"):
        explorer.address("samson", sed=3)


# --------------------------------------------------------------------------- what it says


@pytest.mark.parametrize(
    ("method", "label", "name"),
    [
        ("undip", "", "UnDIP"),
        ("undip", "UnDIP of the tutorial", "UnDIP of the tutorial"),
        ("undip", "nadam 0.001", "UnDIP, nadam 0.001"),
        (
            "undip-configurable",
            "architecture 1",
            "Configurable U-Net in place of UnDIP's network, architecture 1",
        ),
        ("simple-perturbation-patches", "simple, patches", "Simple perturbations with patches"),
        ("simple-perturbation-patches", "alpha 0.1", "Simple perturbations with patches, alpha 0.1"),
        ("edaa", "EDAA, one start", "EDAA, one start"),
        ("sivm-fclsu", "SiVM of the tutorial + FCLSU", "SiVM of the tutorial + FCLSU"),
        ("labelled-fclsu", "labels + FCLSU", "labels + FCLSU"),
    ],
)
def test_a_name_tells_the_method_and_no_word_of_it_twice(method, label, name):
    assert names.named(method, label) == name


def test_what_was_given_beside_the_image_is_told_of_those_that_declare_it():
    for name, method in methods.METHODS.items():
        needs = method.needs
        assert bool(names.given(name, {})) == (needs.endmembers or needs.labels or needs.library)
        assert names.called(name)
    assert "80 %" in names.given("ldvae", {})
    assert "Cuprite" in names.given("ldvae", {"trained_on": "cuprite-synthetic"})
    assert names.given("fan", {"endmembers_from": "scene"}) == "the reference endmembers"


def condition(name, errors, *, method="vca-fclsu", first=100, **settings):
    asked = {"method": method, "settings": settings}
    made = {
        first + k: SimpleNamespace(scores={"rmse-abundances": error}, asked=asked)
        for k, error in enumerate(errors)
    }
    return conditions.Condition(SceneSpec("lagoon"), name, method, made, first >= 100)


def test_it_begins_with_methods_as_they_are_that_differ_most():
    usual = names.called
    some = [
        condition(usual("fclsu"), [0.01], method="fclsu"),
        condition("VCA + FCLSU, of a comparison", [0.02]),
        condition(usual("undip"), [0.03], method="undip", first=0),
        condition(usual("edaa"), [0.04], method="edaa"),
        condition(usual("vca-fclsu"), [0.1]),
        condition(usual("snpa-fclsu"), [0.2], method="snpa-fclsu"),
        condition(usual("sivm-fclsu"), [0.3], method="sivm-fclsu"),
    ]
    shown = {
        c.slug: np.full((2, 3, 3), error) for c, error in zip(some, (0, 0, 0, 0, 0.5, 0.4, 0.7), strict=True)
    }
    del shown[some[3].slug]
    assert opening(some, shown) == [some[4], some[6]]
    assert opening(some[2:4], shown) == [some[2], some[3]]
    assert opening(some[:1], {}) == some[:1]


def test_variants_are_told_apart_by_settings_and_an_earlier_one_leaves_the_name_to_the_fresh():
    some = [
        condition("UnDIP", [0.1], method="undip", iterations=3000),
        condition("UnDIP", [0.1], method="undip", iterations=1000, first=0),
    ]
    conditions.tell_apart(some)
    assert [c.name for c in some] == ["UnDIP", "UnDIP, iterations 1000"]
    some = [
        condition("LDVAE", [0.1], method="ldvae", abundance_weight=1),
        condition("LDVAE", [0.1], method="ldvae", abundance_weight=10),
        condition("LDVAE", [0.1], method="ldvae", abundance_weight=10, activation="softmax", first=0),
    ]
    conditions.tell_apart(some)
    assert [c.name for c in some] == [
        "LDVAE, abundance weight 1",
        "LDVAE, abundance weight 10",
        "LDVAE, abundance weight 10, activation softmax",
    ]


def test_whether_the_best_two_are_sure():
    some = [
        condition("near", [0.11, 0.12, 0.13]),
        condition("best", [0.10, 0.11, 0.12]),
        condition("far", [0.30, 0.31, 0.32]),
        condition("earlier", [0.01, 0.02], first=0),
        condition("alone", [0.0]),
    ]
    scored = {c.slug: told.seedwise(c)["rmse-abundances"] for c in some}
    assert told.sure(some, scored, "lower") == (
        "Best is best, then near: their intervals overlap, so these seeds do not tell which is better."
    )
    assert "Best is far, then near: their intervals do not overlap" in told.sure(some, scored, "higher")
    some.append(condition("helped", [0.05, 0.05], method="fclsu"))
    scored["helped"] = told.seedwise(some[-1])["rmse-abundances"]
    first, second = told.sure(some, scored, "lower").split(". ")
    assert first.startswith("Best is helped, then best: their intervals do not overlap")
    assert second.startswith("Of those given nothing but the image, best is best, then near")
    assert told.sure(some[:1], scored, "lower") == ""
    assert [told.note(some[k]) for k in (3, 4)] == ["2 earlier seeds", "1 seed"]


def test_bands_without_wavelengths_are_counted_from_one():
    assert packing.axis(3, None) == {"label": "band", "x": [1, 2, 3], "bands": [0, 1, 2]}


# --------------------------------------------------------------------------- results of one's own


@pytest.fixture
def results(tmp_path):
    scene = scenes.load("lagoon")
    np.savez(tmp_path / "image.npz", Y=scene.Y, wavelengths=scene.wavelengths)
    made = []
    for name, method in (("one", "sivm-fclsu"), ("two", "snpa-fclsu")):
        words = ["unmix", tmp_path / "image.npz", "-p", 4, "--layout", "bhw", "--method", method]
        result = CliRunner().invoke(main, [*map(str, words), "--out", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
        made.append(tmp_path / f"{name}.npz")
    return made


def test_results_of_ones_own_come_matched_on_a_page(results, tmp_path):
    page = explore(results, tmp_path / "out")
    assert "explorer.js" in page.read_text()
    assert {"explorer.js", "uPlot.iife.min.js", "uPlot-LICENSE"} <= {
        p.name for p in (tmp_path / "out/data").iterdir()
    }
    _, stage = stage_of(tmp_path / "out/data", "sivm-fclsu-one")
    (_, one), (_, two) = (packing.read(tmp_path / "out/data", c["file"]) for c in stage["conditions"])
    first, second = map(read_result, results)
    np.testing.assert_allclose(one["A/0"].values(), first.A, atol=1 / 500)
    np.testing.assert_allclose(one["residual/0"].values(), first.rmse, atol=1e-4)
    order = order_of(second.E, first.E)
    np.testing.assert_allclose(two["E/0"].values(), second.E[:, order], atol=1e-4)
    np.testing.assert_allclose(two["A/0"].values(), second.A[order], atol=1 / 500)


def order_of(E, ref):
    """The order with the least sum of angles, by trying all."""
    unit = [X / np.linalg.norm(X, axis=0) for X in (E, ref)]
    angles = np.arccos(np.clip(unit[0].T @ unit[1], -1, 1))
    return list(min(permutations(range(4)), key=lambda order: sum(angles[k, n] for n, k in enumerate(order))))


def test_a_page_of_ones_own_replaces_only_such_pages(results, tmp_path):
    out = tmp_path / "out"
    words = ["explore", str(results[0]), "--out", str(out), "--no-open"]
    for _ in range(2):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        assert done.output.strip() == str(out / "index.html")
    (out / "index.html").write_text("mine")
    done = CliRunner().invoke(main, words)
    assert done.exit_code != 0
    assert "no page of hsu explore; give another --out" in done.output
    assert (out / "index.html").read_text() == "mine"


def test_what_is_no_result_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", E=np.eye(2))
    done = CliRunner().invoke(main, ["explore", str(tmp_path / "other.npz"), "--no-open"])
    assert done.exit_code != 0
    assert "is no result of hsu unmix" in done.output


def test_of_a_large_image_some_rows_and_columns_are_shown(results, tmp_path, monkeypatch):
    monkeypatch.setattr("hsu_lib.unmixing.explore.MOST_PIXELS", 500)
    explore(results[:1], tmp_path / "out")
    _, stage = stage_of(tmp_path / "out/data", "sivm-fclsu-one")
    header, _ = packing.read(tmp_path / "out/data", stage["file"])
    assert header["size"] == [64, 20, 24]
    assert "one in 2 is shown" in " ".join(header["notes"])


# --------------------------------------------------------------------------- in the browser

HELP = """
  const $ = (part) => document.querySelector(`[data-part="${part}"]`);
  const root = document.querySelector(".hsu-explorer");
  const settled = async () => {
    do await new Promise((done) => setTimeout(done, 100)); while (root.hasAttribute("aria-busy"));
    await new Promise((done) => setTimeout(done, 300)); // the pixels of the scene come last
  };
  const choose = async (name, value) => {
    const select = root.querySelector(`select[name=${name}]`);
    select.value = value;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settled();
  };
  const state = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const texts = (place, what) => [...place.querySelectorAll(what)].map((element) => element.textContent);
  const shares = () => [...$("abundances").querySelectorAll("tbody tr")].map((row) => texts(row, "td"));
  const count = (what) => document.querySelectorAll(what).length;
  const pixels = (canvas) =>
    [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
  await settled();
"""


@pytest.fixture(scope="module")
def page(data):
    explorer.lay_out(data)
    page = data.parent / "index.html"
    page.write_text(explorer.page("data/", "Explore"))
    return page


def look(page, script, folder, state=""):
    address = f"{page.name}#{state}"
    found, console, elsewhere = browser.run(page.parent, HELP + script, folder, page=address)
    assert "error" not in found, found
    assert not console
    assert not elsewhere
    return found


@pytest.mark.slow
def test_a_state_is_read_from_the_address_chosen_and_written_back(page, tmp_path):
    found = look(
        page,
        """
          const found = { first: state(), title: $("about").textContent, maps: count("canvas[role]") };
          await choose("other", "sivm-fclsu");
          await choose("material", "water");
          found.second = state();
          found.one = count("canvas[role]");
          await choose("scene", "lagoon-bilinear");
          found.third = state();
          location.hash = "#scene=lagoon&noise=20&method=sivm-fclsu&other=none&pixel=3,4&seed=101";
          await settled();
          found.fourth = state();
          found.alone = count("canvas[role]");
          location.hash = "#scene=nowhere&method=magic";
          await settled();
          found.missed = $("missed").textContent;
          location.hash = "#claim=ldvae-state-of-the-art";
          await settled();
          found.claim = state();
          found.asked = $("asked").textContent;
          await choose("material", "water");
          found.asked_after = $("asked").textContent;
          history.replaceState(null, "", "?claim=ldvae-state-of-the-art"); // as cards link to it
          window.dispatchEvent(new HashChangeEvent("hashchange"));
          await settled();
          found.linked = state();
          found.linked_asked = $("asked").textContent;
          location.hash = "#claim=unheard-of";
          await settled();
          found.unheard = $("missed").textContent;
          await choose("scene", "lagoon");
          found.chosen = $("missed").textContent;
          location.hash = "#claim=ldvae-state-of-the-art";
          await settled();
          await choose("noise", "");
          found.left = state();
          found.left_asked = $("asked").textContent;
          await choose("other", state().method);
          found.same = $("answer").textContent;
          return found;
        """,
        tmp_path,
        "scene=lagoon&method=vca-fclsu",
    )
    assert found["first"].items() >= {"scene": "lagoon", "method": "vca-fclsu"}.items()
    assert found["title"].startswith("Lagoon")
    assert found["maps"] == 3 + 4 * 4  # composite and residuals; reference, two methods, difference
    assert found["second"].items() >= {"other": "sivm-fclsu", "material": "water"}.items()
    assert found["one"] == 3 + 4
    assert found["asked"].startswith("Runs on Lagoon")
    assert "LDVAE" in found["asked"]
    assert found["asked_after"] == found["asked"]
    assert found["left_asked"] == ""
    assert found["same"].startswith("A and B are the same.")
    assert (found["linked"], found["linked_asked"]) == (found["claim"], found["asked"])
    assert found["third"]["scene"] == "lagoon-bilinear"
    assert "material" not in found["third"]
    assert found["fourth"] == {
        "scene": "lagoon",
        "noise": "20",
        "method": "sivm-fclsu",
        "other": "none",
        "pixel": "3,4",
        "seed": "101",
    }
    assert found["alone"] == 2 + 4 * 3
    assert "scene “nowhere”, method “magic”" in found["missed"]
    runs = {"claim": "ldvae-state-of-the-art", "scene": "lagoon", "noise": "20", "method": "sivm-fclsu"}
    assert found["claim"].items() >= runs.items()  # the address can be passed on
    assert found["linked"].items() >= runs.items()
    assert "claim" not in found["left"]
    assert "claim “unheard-of”" in found["unheard"]
    assert found["chosen"] == ""


@pytest.mark.slow
def test_a_pixel_is_looked_at_by_pointing_clicking_keys_and_numbers(page, tmp_path, published):
    found = look(
        page,
        """
          const map = $("maps").querySelectorAll("canvas")[5];
          const at = (kind, row, column) => {
            const box = map.getBoundingClientRect();
            const clientX = box.left + ((column + 0.5) / 48) * box.width;
            const clientY = box.top + ((row + 0.5) / 40) * box.height;
            map.dispatchEvent(new PointerEvent(kind, { bubbles: true, clientX, clientY }));
          };
          const found = {};
          at("pointermove", 30, 10);
          found.pointed = [shares(), state().pixel ?? ""];
          found.crosses = new Set([...document.querySelectorAll(".hsu-cross")].map((c) => c.style.top)).size;
          at("click", 7, 31);
          found.clicked = [shares(), state().pixel];
          const press = (key, shiftKey = false) =>
            $("maps").dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
          press("ArrowDown");
          press("ArrowLeft");
          press("ArrowUp", true);
          found.keyed = state().pixel;
          const row = document.querySelector("input[name=row]");
          row.value = 99;
          row.dispatchEvent(new Event("change", { bubbles: true }));
          found.numbered = state().pixel;
          found.focusable = $("maps").tabIndex;
          return found;
        """,
        tmp_path,
        "scene=lagoon&method=vca-fclsu&other=sivm-fclsu&seed=101",
    )
    made = {
        r.asked["method"]: r
        for r in published[1]
        if r.scene == SceneSpec("lagoon") and r.asked["seed"] == 101
    }
    truth = scenes.load("lagoon").A
    for (rows, _), (row, column) in ((found["pointed"], (30, 10)), (found["clicked"], (7, 31))):
        shown = np.array(rows, dtype=float)
        wanted = [truth, made["vca-fclsu"].arrays["A"], made["sivm-fclsu"].arrays["A"]]
        np.testing.assert_allclose(shown, np.stack([A[:, row, column] for A in wanted], axis=1), atol=0.011)
    assert found["pointed"][1] == ""
    assert found["crosses"] == 1
    assert found["clicked"][1] == "7,31"
    assert found["keyed"] == "0,30"
    assert found["numbered"] == "39,30"
    assert found["focusable"] == 0


@pytest.mark.slow
def test_what_the_page_says_of_two_methods_is_true(page, tmp_path, published):
    found = look(
        page,
        """
          const found = { answer: $("answer").textContent };
          for (const fold of document.querySelectorAll("details")) { fold.open = true; }
          await settled();
          found.tables = [...document.querySelectorAll("details table")].map((table) =>
            [table.caption.textContent, table.tBodies[0].rows.length, table.tHead.rows[0].cells.length]);
          found.differences = texts($("maps-table"), "tbody td:nth-child(2)").slice(0, 4);
          $("maps-table").querySelector("button").click();
          found.pixel = state().pixel;
          found.alternatives = [...document.querySelectorAll("canvas[role=img]")].map((c) => c.ariaLabel);
          found.bare = count(".hsu-map canvas:not([aria-label]), .hsu-chart:not([aria-label])");
          found.charts = count(".uplot");
          found.dots = count("circle");
          found.means = texts($("scores"), ".hsu-mean-told").map(parseFloat);
          $("scores").querySelectorAll("li")[2].querySelectorAll("button")[0].click();
          await settled();
          found.chosen = state().method;
          found.order = texts($("scores"), ".hsu-choose div > span");
          found.notes = texts($("scores"), "small");
          found.sure = $("sure").textContent;
          found.ends = texts($("endmembers"), ".hsu-panel-title");
          return found;
        """,
        tmp_path,
        "scene=lagoon&method=vca-fclsu&other=sivm-fclsu&seed=101",
    )
    made = {
        r.asked["method"]: r
        for r in published[1]
        if r.scene == SceneSpec("lagoon") and r.asked["seed"] == 101
    }
    gap = made["vca-fclsu"].arrays["A"] - made["sivm-fclsu"].arrays["A"]
    by = np.sqrt((gap**2).mean(axis=(1, 2)))
    names = scenes.load("lagoon").materials
    told = [float(x) for x in re.findall(r"([\d.]+) %", found["answer"])]
    ninths = [
        np.sqrt((part**2).mean())
        for rows in np.split(gap, [14, 27], axis=1)
        for part in np.split(rows, [16, 32], axis=2)
    ]
    beyond = (np.abs(gap) > 0.1).any(axis=0).mean()
    wanted = [np.sqrt((gap**2).mean()), by.max(), by.min(), beyond, max(ninths)]
    np.testing.assert_allclose(told, 100 * np.array(wanted), atol=0.6)
    assert f"most in {names[by.argmax()]}" in found["answer"]
    np.testing.assert_allclose([float(told.split()[0]) for told in found["differences"]], 100 * by, atol=0.11)
    row, column = map(int, found["pixel"].split(","))
    assert abs(gap[0, row, column]) >= np.abs(gap[0]).max() - 0.01
    assert [t[1:] for t in found["tables"]] == [[12, 6], [64, 4], [64, 13], [3, 6]]
    assert not found["bare"]
    assert len(set(found["alternatives"])) == 19
    assert found["charts"] == 5
    assert found["dots"] == 9
    assert found["means"] == sorted(found["means"])
    assert found["chosen"] == conditions.slug(found["order"][2])
    assert [n for n in found["notes"] if "given" in n] == ["3 seeds, was given the reference endmembers"]
    assert found["sure"].startswith(f"Best is {found['order'][0]}, then {found['order'][1]}: their intervals")
    assert "Of those given nothing but the image, best is" in found["sure"]
    E, ref = made["sivm-fclsu"].arrays["E"][:, 0], scenes.load("lagoon").E[:, 0]
    angle = np.degrees(np.arccos(E @ ref / np.linalg.norm(E) / np.linalg.norm(ref)))
    degrees, times = map(float, re.search(r"B ([\d.]+)°, × ([\d.]+)", found["ends"][0]).groups())
    assert degrees == pytest.approx(angle, abs=0.06)
    assert times == pytest.approx(np.linalg.norm(E) / np.linalg.norm(ref), rel=0.06)


@pytest.mark.slow
def test_endmembers_of_every_seed_and_scores_of_one_material(page, tmp_path, published):
    found = look(
        page,
        """
          const found = { one: texts($("endmembers"), ".hsu-panel-title") };
          await choose("lines", "all");
          found.every = texts($("endmembers"), ".hsu-panel-title");
          found.lines = state().lines;
          await choose("lines", "");
          found.again = texts($("endmembers"), ".hsu-panel-title");
          await choose("score", "sad-endmembers");
          found.whole = [texts($("scores"), ".hsu-mean-told").map(parseFloat), $("sure").textContent];
          await choose("material", "water");
          found.water = [texts($("scores"), ".hsu-mean-told").map(parseFloat), $("sure").textContent];
          found.order = texts($("scores"), ".hsu-choose div > span");
          return found;
        """,
        tmp_path,
        "scene=lagoon&method=vca-fclsu&other=sivm-fclsu&seed=101",
    )
    made = [r for r in published[1] if r.asked["method"] == "vca-fclsu" and r.scene == SceneSpec("lagoon")]
    ref = scenes.load("lagoon").E
    E = np.stack([r.arrays["E"][:, 0] for r in made])
    angles = np.degrees(np.arccos(E @ ref[:, 0] / np.linalg.norm(E, axis=1) / np.linalg.norm(ref[:, 0])))
    ends = re.search(r"A ([\d.]+)°, ([\d.]+) to ([\d.]+)° over 3 seeds; B", found["every"][0])
    np.testing.assert_allclose(list(map(float, ends.groups()))[1:], [angles.min(), angles.max()], atol=0.06)
    assert found["lines"] == "all"
    assert found["again"] == found["one"]
    assert found["water"][1] == "Of water alone, as chosen above."
    assert found["whole"][1] != found["water"][1]
    shown = dict(zip(found["order"], found["water"][0], strict=True))
    of_water = [np.degrees(r.scores["sad-endmembers/water"]) for r in made]
    assert shown["VCA + FCLSU"] == pytest.approx(np.mean(of_water), rel=0.01)


@pytest.mark.slow
def test_maps_have_one_scale_and_the_colours_of_the_book(page, tmp_path):
    found = look(
        page,
        """
          const canvases = [...$("maps").querySelectorAll("canvas")];
          return { rgb: pixels(canvases[2]), size: [canvases[2].width, canvases[2].height],
            scales: $("scales").textContent };
        """,
        tmp_path,
        "scene=lagoon&method=vca-fclsu&other=none",
    )
    rgb = np.array(found["rgb"]).reshape(40, 48, 4)
    truth = scenes.load("lagoon").A[0]
    wanted = colormaps["viridis"](truth)[..., :3] * 255
    assert found["size"] == [48, 40]
    assert (rgb[..., 3] == 255).all()
    assert np.abs(rgb[..., :3] - wanted).max() < 20  # ten anchors instead of 256 colours, and 254 steps
    assert "abundance 0  1" in found["scales"]


@pytest.mark.slow
def test_nothing_scrolls_sideways_on_a_phone_in_both_themes(page, tmp_path):
    script = """
      const found = [];
      for (const theme of ["light", "dark"]) for (const state of ["", "&material=sand", "&other=none"]) {
        const frame = document.createElement("iframe");
        const src = `index.html#scene=lagoon&method=vca-fclsu${state}`;
        Object.assign(frame, { width: 390, height: 844, src });
        await new Promise((done) => { frame.onload = done; document.body.append(frame); });
        const here = frame.contentDocument, root = here.querySelector(".hsu-explorer");
        here.documentElement.dataset.theme = theme;
        do await new Promise((done) => setTimeout(done, 100)); while (root.hasAttribute("aria-busy"));
        for (const fold of here.querySelectorAll("details")) fold.open = true;
        await new Promise((done) => setTimeout(done, 300));
        found.push({
          theme, width: here.scrollingElement.scrollWidth,
          wide: [...root.querySelectorAll("*")].filter((e) => !e.closest(".hsu-table, svg"))
            .filter((e) => e.getBoundingClientRect().right > 390.5).map((e) => e.outerHTML.slice(0, 90)),
          small: [...root.querySelectorAll("select, button")]
            .filter((e) => e.getClientRects().length && e.offsetHeight < 24).length,
          paper: getComputedStyle(here.body).backgroundColor, rows: root.querySelectorAll(".hsu-row").length,
          all: root.querySelector('[data-part="to"] button').textContent,
        });
        frame.remove();
      }
      return found;
    """
    found, console, elsewhere = browser.run(page.parent, script, tmp_path, patiently=True)
    assert "error" not in found, found
    assert not console
    assert not elsewhere
    for screen in found:
        assert screen["width"] <= 390
        assert not screen["wide"], screen
        assert not screen["small"]
        assert screen["rows"] == 2  # image and residuals, and one material
        assert screen["all"] == "Show all 4 materials"
    assert len({screen["paper"] for screen in found}) == 2


@pytest.fixture
def bare(data, tmp_path):
    """The page with a dozen conditions without maps on the lagoon, and nothing on the bilinear one."""
    shutil.copytree(data, tmp_path / "data")
    explorer.lay_out(tmp_path / "data")
    index, _ = packing.read(data, "index")
    for scene in index["scenes"]:
        (stage,) = [stage for stage in scene["stages"] if stage["noise"] is None]
        header, arrays = packing.read(data, stage["file"])
        some = stage["conditions"]
        if scene["place"] == "lagoon":
            (one,) = [c for c in some if c["method"] == "sivm-fclsu"]
            one["maps"] = []
            _, theirs = packing.read(data, one["file"])
            kept = {name: array for name, array in theirs.items() if name[0] == "E"}
            packing.write(tmp_path / "data", one["file"], packing.packet({"status": {}}, kept))
            for k in range(10):
                some.append({**one, "slug": f"more-{k}", "name": f"more {k}"})
                header["scores"][f"more-{k}"] = header["scores"][one["slug"]]
        else:
            header["scores"], scene["pixels"] = {}, ""
            del arrays["A"], arrays["composite"]
            for c in some:
                c["maps"] = []
                packing.write(tmp_path / "data", c["file"], packing.packet({"status": {}}, {}))
        packing.write(tmp_path / "data", stage["file"], packing.packet(header, arrays))
    packing.write(tmp_path / "data", "index", packing.packet(index, {}))
    page = tmp_path / "index.html"
    page.write_text(explorer.page("data/", "Explore"))
    return page


@pytest.mark.slow
def test_what_is_not_there_is_told_or_left_out_and_long_lists_are_opened(bare, tmp_path):
    found = look(
        bare,
        """
          const heads = () => texts($("maps"), ".hsu-head-cell");
          const found = { without: [$("answer").textContent, $("to").textContent, heads()] };
          found.seeds = texts(document.querySelector("[name=seed]"), "option").slice(0, 2);
          await choose("other", "none");
          const drawn = [...$("drawn").querySelectorAll("button")];
          found.drawn = [$("drawn").textContent, $("methods").textContent];
          drawn[0].click();
          await settled();
          found.drawn.push($("drawn").textContent, document.querySelector("[name=method]").value);
          await choose("method", "sivm-fclsu");
          await choose("other", "vca-fclsu");
          found.rows = [$("scores").children.length, $("more").textContent];
          $("more").querySelector("button").click();
          found.rows.push($("scores").children.length, $("more").textContent);
          found.claims = [texts($("claims"), "li"), texts($("elsewhere"), "summary"),
            [...$("elsewhere").querySelectorAll("li a")].map((a) => a.getAttribute("href"))];
          await choose("scene", "lagoon-bilinear");
          found.sections = [...document.querySelectorAll("section")].map((s) => s.hidden);
          found.missed = $("missed").textContent;
          found.nothing = $("drawn").textContent;
          return found;
        """,
        tmp_path,
        "scene=lagoon&method=sivm-fclsu&other=vca-fclsu&material=all",
    )
    answer, to, heads = found["without"]
    assert "its maps are not published" in answer
    assert (
        "The difference A − B cannot be shown, for A has no maps here; shown is B − reference instead." in to
    )
    assert heads[-1] == "Difference B − reference"
    assert found["rows"] == [11, "11 of 13 are shown. Show all 13", 13, ""]
    (nothing,), _, links = found["claims"]
    assert nothing == "None of the claims uses these very runs."
    assert links == ["ldvae.html#ldvae-state-of-the-art", "#claim=ldvae-state-of-the-art"] * 2  # of A and B
    assert found["seeds"] == ["the median one", "100 (no maps of A and B)"]
    buttons, methods, without, chosen = found["drawn"]
    assert buttons.startswith("Maps here: ")
    assert "VCA + FCLSU" in buttons
    assert methods == "A is SiVM + FCLSU, simplex volume maximisation, then FCLSU."
    assert (without, chosen != "sivm-fclsu") == ("", True)
    assert found["nothing"] == "No maps of this image are published."
    # maps, where that stands; pixel, endmembers (the reference has some), every seed; the claim stays
    assert found["sections"] == [False, True, False, True, False]
    assert found["missed"] == ""


@pytest.mark.slow
def test_a_script_that_is_missing_is_told(page, tmp_path):
    copy = tmp_path / "index.html"
    copy.write_text(page.read_text())
    explorer.lay_out(tmp_path / "data")
    script = HELP + "return { missed: $('missed').textContent };"
    found, _, _ = browser.run(tmp_path, script, tmp_path, page="index.html")
    assert "index.js cannot be loaded" in found["missed"]


@pytest.mark.slow
def test_ones_own_page_opens_without_a_server(results, tmp_path):
    found = look(
        explore(results, tmp_path / "out"),
        """
          const hidden = [$("scores-part").hidden, $("claims-part").hidden];
          return { maps: count("canvas[role]"), hidden, missed: $("missed").textContent };
        """,
        tmp_path,
    )
    assert found == {"maps": 1 + 2 + 4 * 3, "hidden": [True, True], "missed": ""}
