"""The catalogue, the way of a public file to this machine, and what the real files hold."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scenes_helpers import real, served
from scipy.optimize import nnls

from hsu_lib import atomic, scenes
from hsu_lib.scene import SceneSpec
from hsu_lib.scenes import catalogue
from hsu_lib.scenes.noise import add_noise
from hsu_lib.scenes.public import download, jasper, samson, urban
from hsu_lib.scenes.public.download import PublicFile
from hsu_lib.scenes.public.zhu import image_of

ALL = [
    SceneSpec(name, reference) for name in scenes.names() for reference in scenes.describe(name).references
]


# --------------------------------------------------------------------------- catalogue


def test_the_first_scene_is_embedded():
    assert scenes.names()[0] == "lagoon"
    assert scenes.is_available("lagoon")
    assert scenes.fetch("lagoon") == {}


@pytest.mark.parametrize("name", scenes.names())
def test_entries_are_complete(name):
    info = scenes.describe(name)
    assert info.materials.keys() == info.references.keys()
    assert info.reference_files.keys() <= info.references.keys()
    assert set(info.all_files) <= set(download.registry())
    assert all((info.title, info.summary, info.unit, info.cautions, info.licence, info.citation))
    assert len(info.size) == 3


def test_every_registered_file_is_pinned_and_used():
    used = {file for name in scenes.names() for file in scenes.describe(name).all_files}
    assert used == set(download.registry())
    for file in download.registry().values():
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|git:[0-9a-f]{40}", file.checksum), file
        assert re.search(r"/[0-9a-f]{40}/", file.url), file
        assert file.url.startswith("https://")
        assert file.licence
        assert file.citation
        assert file.size or file.checksum.startswith("git:")


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'samsom'.*Did you mean samson\? Known scenes: lagoon, samson"):
        scenes.load("samsom")
    with pytest.raises(ValueError, match=r"no reference 'end9'; it has end4, end5, end6"):
        scenes.version(SceneSpec("urban", "end9"))


def test_versions_need_no_file(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a version must not look for files")

    monkeypatch.setattr(download, "find", refuse)
    versions = {spec: scenes.version(spec) for spec in ALL}
    # one for each definition and set of files: samson's end3-scaled is computed from those of end3
    infos = [(scenes.describe(spec.name), spec.reference) for spec in ALL]
    assert len(set(versions.values())) == len({(info.definition, info.needs(r)) for info, r in infos})
    assert scenes.version("samson") == scenes.version(
        SceneSpec("samson", "end3", snr_db=20, crop=(0, 0, 5, 4))
    )


def test_version_follows_checksum_and_definition(monkeypatch):
    before = scenes.version("jasper")
    changed = dict(download.registry())
    changed["jasper/end4.mat"] = replace(changed["jasper/end4.mat"], checksum="sha256:" + "0" * 64)
    with monkeypatch.context() as patch:
        patch.setattr(download, "registry", lambda: changed)
        assert scenes.version("jasper") != before
    with monkeypatch.context() as patch:
        patch.setitem(catalogue._SCENES, "jasper", replace(jasper.JASPER, definition=2))
        assert scenes.version("jasper") != before
    assert scenes.version("jasper") == before


def test_crop_comes_before_noise():
    whole = scenes.load("lagoon")
    window = whole.crop(3, 10, 7, 5)
    spec = SceneSpec("lagoon", crop=(3, 10, 7, 5), snr_db=20, noise_seed=4)
    noisy = scenes.load(spec)
    np.testing.assert_array_equal(noisy.Y, add_noise(window.Y, 20, 4))
    np.testing.assert_array_equal(noisy.A, window.A)
    assert noisy.name == "lagoon"
    assert noisy.reference == scenes.describe("lagoon").references["truth"]
    assert scenes.load(spec).fingerprint == noisy.fingerprint
    with pytest.raises(ValueError, match="does not lie in lagoon"):
        scenes.load(SceneSpec("lagoon", crop=(0, 0, 41, 5)))


def test_importing_scenes_is_light():
    heavy = ("torch", "pandas", "pooch", "h5py")
    code = f"import sys, hsu_lib.scenes; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# --------------------------------------------------------------------------- files on their way here

CONTENT, OTHER = b"the content of E.mat", b"the content of another E.mat"


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def git_blob(content):
    return "git:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A registry of three toy files on a local server, an empty archive, empty folders for data and cache."""
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / "E.mat").write_bytes(CONTENT)
    (site / "sub" / "E.mat").write_bytes(OTHER)
    for folder in ("data", "cache"):
        (tmp_path / folder).mkdir()
    monkeypatch.delenv("HSU_OFFLINE")
    monkeypatch.setenv("HSU_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HSU_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served(site) as (address, asked):
        files = (
            PublicFile(
                "one/E.mat", len(CONTENT), sha256(CONTENT), f"{address}/E.mat", "none stated", "nobody"
            ),
            PublicFile("two/E.mat", None, git_blob(OTHER), f"{address}/sub/E.mat", "none stated", "nobody"),
            PublicFile("three/F.mat", None, git_blob(b"F"), f"{address}/sub/E.mat", "none stated", "nobody"),
        )
        monkeypatch.setattr(download, "registry", lambda: {file.file: file for file in files})
        monkeypatch.setattr(download, "_ARCHIVE", f"{address}/archive/{{}}:{{}}")
        yield asked


def left_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_git_blob_id_is_that_of_git():
    hello = PublicFile("a/b", None, "git:ce013625030ba8dba906f756967f9e9ca394464a", "", "", "")
    assert hello.matches(b"hello\n")  # echo hello | git hash-object --stdin
    assert not hello.matches(b"hello")


def test_download_once_then_cache(web, tmp_path):
    for _ in range(2):
        assert download.read("one/E.mat") == CONTENT
        assert download.read("two/E.mat", progress=True) == OTHER
    assert web == ["/E.mat", "/sub/E.mat"]
    assert (tmp_path / "cache/one/E.mat").read_bytes() == CONTENT
    assert not left_in(tmp_path / "data")


@pytest.mark.parametrize("place", ["one/E.mat", "E.mat"])
def test_data_folder_comes_first(web, tmp_path, place):
    path = tmp_path / "data" / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    assert download.locate("one/E.mat") == (path, CONTENT)
    assert web == []


def test_in_a_flat_folder_the_checksum_tells_namesakes_apart(web, tmp_path, recwarn):
    (tmp_path / "data/E.mat").write_bytes(OTHER)  # that of "two"
    assert download.read("two/E.mat") == OTHER
    assert download.read("one/E.mat") == CONTENT
    assert web == ["/E.mat"]
    assert len(recwarn) == 0  # a namesake is no damage


@pytest.mark.parametrize("bad", [CONTENT[:-1], CONTENT[:-1] + b"!", b""])
def test_damaged_cache_is_fetched_again(web, tmp_path, bad):
    path = tmp_path / "cache/one/E.mat"
    path.parent.mkdir()
    path.write_bytes(bad)
    assert download.read("one/E.mat") == CONTENT
    assert path.read_bytes() == CONTENT
    assert web == ["/E.mat"]


def test_damaged_cache_is_removed_even_offline(web, tmp_path, monkeypatch):
    monkeypatch.setenv("HSU_OFFLINE", "1")
    path = tmp_path / "cache/one/E.mat"
    path.parent.mkdir()
    path.write_bytes(b"half")
    with pytest.raises(FileNotFoundError):
        download.read("one/E.mat")
    assert not path.exists()


def test_damaged_file_of_the_user_is_reported_and_kept(web, tmp_path, monkeypatch):
    path = tmp_path / "data/one/E.mat"
    path.parent.mkdir()
    path.write_bytes(b"half")
    with pytest.warns(UserWarning, match=r"data.one.E\.mat is damaged"):
        assert download.read("one/E.mat") == CONTENT
    assert path.read_bytes() == b"half"
    (tmp_path / "cache/one/E.mat").unlink()
    monkeypatch.setenv("HSU_OFFLINE", "1")
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(FileNotFoundError, match="is damaged on this machine"),
    ):
        download.read("one/E.mat")


def test_offline_error_names_address_and_place(web, tmp_path, monkeypatch):
    monkeypatch.setenv("HSU_OFFLINE", "1")
    with pytest.raises(FileNotFoundError) as error:
        download.read("one/E.mat")
    text = str(error.value)
    assert "HSU_OFFLINE" in text
    assert download.registry()["one/E.mat"].url in text
    assert str(tmp_path / "cache" / "one" / "E.mat") in text
    assert "HSU_DATA_DIR" in text
    with pytest.raises(FileNotFoundError, match="not asked for"):
        download.read("one/E.mat", download=False)
    assert web == []


def test_wrong_content_at_the_address_is_not_kept(web, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="is not the registered file"):
        download.read("three/F.mat")  # known by git's id
    (tmp_path / "site/E.mat").write_bytes(b"replaced by somebody")
    with pytest.raises(FileNotFoundError, match="download failed"):
        download.read("one/E.mat")  # known by SHA-256
    (tmp_path / "site/E.mat").unlink()
    with pytest.raises(FileNotFoundError, match="404"):
        download.read("one/E.mat")
    assert left_in(tmp_path / "cache") == []


def test_what_its_address_lost_comes_from_the_archive(web, tmp_path):
    archive = tmp_path / "site/archive"
    archive.mkdir()
    (tmp_path / "site/E.mat").write_bytes(b"replaced by somebody")
    (archive / sha256(CONTENT)).write_bytes(CONTENT)
    (tmp_path / "site/sub/E.mat").unlink()
    (archive / f"sha1_{git_blob(OTHER)}").write_bytes(OTHER)
    assert download.read("one/E.mat") == CONTENT
    assert download.read("two/E.mat") == OTHER
    assert web == ["/E.mat", f"/archive/{sha256(CONTENT)}", "/sub/E.mat", f"/archive/sha1_{git_blob(OTHER)}"]
    assert [path.read_bytes() for path in sorted(left_in(tmp_path / "cache"))] == [CONTENT, OTHER]


def test_addresses_in_the_archive_are_those_of_its_interface():
    file = download.registry()["samson/end3.mat"]
    expected = file.checksum.removeprefix("sha256:")
    assert file.addresses == (
        file.url,
        f"https://archive.softwareheritage.org/api/1/content/sha256:{expected}/raw/",
    )


def test_what_a_killed_download_left_is_removed_by_the_next(web, tmp_path):
    folder = tmp_path / "cache" / "elsewhere"
    folder.mkdir()
    name = atomic.temporary(folder).name.replace(f"-{os.getpid()}-", "-4194304999-")  # no such process
    (folder / name).write_bytes(b"half")
    (folder / "E.mat").write_bytes(b"whole")
    (folder / "tmpab_12345").write_bytes(b"of an earlier version")
    os.utime(folder / "tmpab_12345", (0, 0))
    assert download.read("one/E.mat") == CONTENT
    assert sorted(p.name for p in left_in(tmp_path / "cache")) == ["E.mat", "E.mat"]


def test_no_connection_is_a_clear_error(web, monkeypatch):
    with served(".") as (gone, _):
        pass
    closed = {k: replace(f, url=f"{gone}/E.mat") for k, f in download.registry().items()}
    monkeypatch.setattr(download, "registry", lambda: closed)
    with pytest.raises(FileNotFoundError, match=r"its download failed(?s:.*)put it at"):
        download.read("one/E.mat")


def test_verify_and_table(web, tmp_path, monkeypatch):
    download.read("two/E.mat")
    (tmp_path / "data/one").mkdir()
    (tmp_path / "data/one/E.mat").write_bytes(b"half")
    states = {row.file: (row.state, row.where) for row in scenes.verify().itertuples()}
    assert states == {
        "one/E.mat": ("damaged", str(tmp_path / "data" / "one" / "E.mat")),
        "two/E.mat": ("ok", str(tmp_path / "cache" / "two" / "E.mat")),
        "three/F.mat": ("absent", ""),
    }
    info = replace(jasper.JASPER, name="toy", files=("one/E.mat",), reference_files={"other": ("two/E.mat",)})
    info = replace(info, references={"end4": "", "other": ""}, materials={"end4": ("a",), "other": ("b",)})
    monkeypatch.setattr(catalogue, "_SCENES", {"toy": info})
    assert scenes.table().set_index("name").loc["toy", "files"] == "to download"
    assert not scenes.is_available("toy")
    with pytest.warns(UserWarning, match="damaged"):
        where = scenes.fetch("toy", progress=False)
    assert where == {file: tmp_path / "cache" / file for file in ("one/E.mat", "two/E.mat")}
    assert scenes.is_available(SceneSpec("toy", "other"))
    row = scenes.table().set_index("name").loc["toy"]
    assert (row["files"], row["mb"]) == ("here", len(CONTENT) / 1e6)


def test_loading_checks_and_reads_the_files(web, tmp_path, monkeypatch):
    monkeypatch.setitem(catalogue._SCENES, "jasper", replace(jasper.JASPER, files=("one/E.mat",)))
    monkeypatch.setitem(catalogue._READERS, "jasper", lambda reference, get: get("one/E.mat"))
    catalogue._whole.cache_clear()
    with pytest.raises(FileNotFoundError, match="not asked for"):
        scenes.load("jasper", download=False)
    with pytest.raises(TypeError):  # what the toy reader returned is bytes, no scene
        scenes.load("jasper")
    assert web == ["/E.mat"]


# --------------------------------------------------------------------------- readers


def test_matrix_pixels_run_down_the_columns():
    matrix = np.array([[1, 2, 3, 4, 5, 6]])  # MATLAB's reshape to 2 x 3 puts 1, 2 in the first column
    np.testing.assert_array_equal(image_of(matrix, 2, 3)[0], [[1, 3, 5], [2, 4, 6]])


def test_endmember_scales_are_found_again():
    rng = np.random.default_rng(0)
    E, A = rng.random((9, 3)), rng.random((3, 4, 5))
    Y = np.tensordot(E * [0.5, 2.0, 0.03], A, 1)
    np.testing.assert_allclose(samson.endmember_scales(Y, E, A), [0.5, 2.0, 0.03], rtol=1e-9)


@pytest.mark.parametrize("divisor", [1, 1000])
def test_urban_reader_follows_its_sibling(monkeypatch, divisor):
    counts = np.zeros((162, 94249), dtype=np.float32)
    counts[:, 1] = np.arange(162) * 5  # column-major: row 1, column 0
    truth = np.zeros((307, 307, 5))
    truth[1, 0, 3] = 1
    content = {"Y": counts / divisor, "GT": np.ones((5, 162)), "S_GT": truth}
    monkeypatch.setattr(urban, "read_mat", lambda name: content)
    scene = urban._urban("end5", lambda file: file)
    assert scene.Y.shape == scenes.describe("urban").size
    np.testing.assert_allclose(scene.Y[:, 1, 0], np.arange(162) * 0.005, rtol=1e-6)
    assert scene.A[3, 1, 0] == 1
    content["S_GT"] = truth.transpose(2, 0, 1)
    with pytest.raises(ValueError, match=r"expected S_GT of shape \(307, 307, 5\), found \(5, 307, 307\)"):
        urban._urban("end5", lambda file: file)


# --------------------------------------------------------------------------- the real files


def relative_error(scene, transposed=False):
    A = scene.A.transpose(0, 2, 1) if transposed else scene.A
    return np.linalg.norm(scene.Y - np.tensordot(scene.E, A, 1)) / np.linalg.norm(scene.Y)


@pytest.mark.real_data
@pytest.mark.parametrize("spec", ALL, ids=str)
def test_real_scenes_are_what_the_catalogue_says(spec):
    scene, info = real(spec.name, spec.reference), scenes.describe(spec.name)
    assert scene.Y.shape == info.size
    assert scene.materials == info.materials[spec.reference]
    assert scene.reference == info.references[spec.reference]
    assert scene.E.shape == (info.size[0], len(scene.materials))
    assert (scene.A is None) == (spec.name in ("hysu", "cuprite-window"))
    if scene.A is not None:
        assert scene.A.min() >= 0
        # those of dc1 are stored with four decimals
        np.testing.assert_allclose(scene.A.sum(axis=0), 1, atol=1.1e-4 if spec.name == "dc1" else 1e-5)
    # two bright materials light each other up: the bilinear model has no bound at 1
    assert -0.05 < scene.Y.min() < scene.Y.max() <= (1.2 if "bilinear" in spec.name else 1)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "reference", "expected"),
    [
        ("samson", "end3", 1.505),
        ("samson", "end3-scaled", 0.3135),
        ("samson", "misicnet", 0.0956),
        ("jasper", "end4", 0.1614),
        ("urban-detection-window", "end4", 0.357),
        ("urban-detection-window", "end5", 0.451),
        ("urban-detection-window", "end6", 0.448),
        ("urban-grass-window", "end4", 0.251),
        ("urban-grass-window", "end5", 0.368),
        ("urban-grass-window", "end6", 0.366),
        ("sim1", "truth", 0),
        ("sim2", "truth", 0),
    ],
)
def test_real_references_rebuild_their_images_as_well_as_documented(name, reference, expected):
    scene = real(name, reference)
    assert relative_error(scene) == pytest.approx(expected, abs=1e-3)
    if scene.height == scene.width:  # a square scene hides a swapped axis from the shapes, not from this
        assert relative_error(scene, transposed=True) > relative_error(scene) + 0.1


@pytest.mark.real_data
def test_samson_references():
    usual, scaled, misicnet = (real("samson", r) for r in scenes.describe("samson").references)
    np.testing.assert_allclose(usual.E.max(axis=0), [1, 1, 0.99904], atol=1e-5)
    factors = scaled.E.max(axis=0) / usual.E.max(axis=0)
    np.testing.assert_allclose(factors, [0.4426, 0.5169, 0.0333], atol=5e-5)
    units = [E / np.linalg.norm(E, axis=0) for E in (usual.E, misicnet.E)]
    np.testing.assert_array_equal((units[0].T @ units[1]).argmax(axis=1), [0, 1, 2])
    np.testing.assert_array_equal(usual.Y, misicnet.Y)
    assert usual.wavelengths[[0, -1]] == pytest.approx([400.94, 899.07], abs=0.01)
    counts = usual.Y.astype(float) * 1402
    np.testing.assert_allclose(counts, counts.round(), atol=1e-3)


@pytest.mark.real_data
def test_jasper_scale():
    scene = real("jasper")
    assert scene.Y.max() == 1
    at_5000 = replace(scene, Y=scene.Y * jasper.JASPER_SCALE / 5000)
    assert relative_error(at_5000) == pytest.approx(0.175, abs=1e-3)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("urban-detection-window", {"dirt": 15, "asphalt": 13, "grass": 2, "roof": 1}),
        ("urban-grass-window", None),
    ],
)
def test_library_spectra_occur_in_the_windows_where_they_are_pure(name, classes):
    from hsu_lib.scenes.library import urban_library

    scene, full = real(name, "end6"), real("urban-semireal")
    library = urban_library(lambda file: download.read(file, download=False))
    assert library.spectra.shape == (162, 651)
    places = {column.tobytes(): k for k, column in enumerate((scene.pixels * 1000).round().astype(int).T)}
    abundances = scene.A.reshape(6, -1)
    found = {}
    for spectrum, label in zip((library.spectra * 1000).round().astype(int).T, library.labels, strict=True):
        pixel = places.get(spectrum.tobytes())
        if pixel is not None:
            found.setdefault(library.classes[label], []).append(abundances[label, pixel])
    assert library.classes == ("asphalt", "grass", "tree", "roof", "metal", "dirt")
    assert [m.split()[0] for m in full.materials] == list(library.classes)
    if classes is None:
        assert sum(map(len, found.values())) == 7
    else:
        assert {material: len(values) for material, values in found.items()} == classes
        assert all(np.mean(values) > 0.98 for values in found.values())


@pytest.mark.real_data
def test_hysu_areas_are_those_of_the_laid_out_targets():
    scene = real("hysu")
    targets = scenes.hysu_targets(download=False)
    assert targets.masks.shape == (5, 5, 86, 123)
    np.testing.assert_allclose(targets.areas, [9, 4, 1, 0.25, 0.0625])
    assert targets.materials == scene.materials[:5]
    # sum-to-one non-negative least squares, the sum as a heavy extra equation
    weight = 100.0
    system = np.vstack([scene.E, np.full(6, weight)]).astype(float)
    A = np.zeros((6, scene.height, scene.width))
    for row, column in zip(*np.nonzero(targets.masks.any(axis=(0, 1))), strict=True):
        A[:, row, column] = nnls(system, np.append(scene.Y[:, row, column], weight).astype(float))[0]
    expected = [  # from the notes on these files; the fifth size is below a sixth of a pixel's area
        [8.70, 3.78, 0.93, 0.17, 0.03],
        [8.36, 3.82, 0.79, 0.29, 0.06],
        [8.84, 4.10, 1.01, 0.20, 0.05],
        [8.87, 3.88, 0.92, 0.20, 0.05],
        [8.55, 3.57, 0.89, 0.20, 0.17],
    ]
    np.testing.assert_allclose(targets.measured(A), expected, atol=0.015)
    assert scene.A is None
    assert scene.wavelengths[[0, -1]] == pytest.approx([417.4, 902.8], abs=1)


@pytest.mark.real_data
def test_whole_urban_holds_the_windows():
    whole = real("urban", "end6")
    window = real("urban-detection-window", "end6")
    np.testing.assert_allclose(whole.Y[:, 0:80, 187:287], window.Y, atol=1e-3)
    np.testing.assert_allclose(whole.A[:, 0:80, 187:287], window.A, atol=1e-5)
