"""The house stands: floors rest on floors below, folders have one home, and what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from hsu_lib import paths

#: The rooms by floor, from the ground; `hsu_lib/__init__.py` and the old names in `_moved.py` are outside.
FLOORS = (
    ("scene", "paths", "atomic", "errors", "words"),
    ("solvers",),
    ("scenes", "metrics", "learning", "claims"),
    ("methods",),
    ("runs",),
    ("publishing",),
    ("unmixing",),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
#: The book's folders, which only `paths.py` and what publishes may name.
FOLDERS = re.compile(r"(^|/)(book|notebooks|_build|_static)(/|$)")

#: Modules whose distribution has another name and is not installed here: peers of the benchmarks.
PEERS = {"spams": "spams-bin"}


def sources(*folders: str) -> list[Path]:
    """Python files of the project, without the old names."""
    found = [path for folder in folders for path in sorted((paths.ROOT / folder).rglob("*.py"))]
    assert found
    return [path for path in found if path.name != "_moved.py"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> list[str]:
    """Full names of the modules that a statement may import, wherever it stands."""
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"{module}.{name.name}" for name in names]
        case ast.Call(func=ast.Name(id="__import__") | ast.Attribute(attr="import_module"), args=[name, *_]):
            return [name.value] if isinstance(name, ast.Constant) else []
    return []


def room(path: Path) -> str:
    return path.relative_to(paths.ROOT / "hsu_lib").parts[0].removesuffix(".py")


@cache
def steps() -> list[tuple[str, str, str]]:
    """From which room to which other one, and where it is said."""
    found = []
    for path in sources("hsu_lib"):
        for node in ast.walk(tree(path)):
            for name in imported(node):
                package, *inner = name.split(".")
                if package == "hsu_lib" and inner and inner[0] != room(path):
                    found.append((room(path), inner[0], f"{path.relative_to(paths.ROOT)}:{node.lineno}"))
    return found


def test_every_room_has_a_floor():
    rooms = {room(path) for path in sources("hsu_lib")} - {"__init__"}
    assert len(FLOOR) == sum(map(len, FLOORS))
    assert rooms == set(FLOOR), "a new module or room of hsu_lib needs its floor in this file"


def test_nothing_imports_from_above():
    above = [
        f"{where}: {here} imports {there}"
        for here, there, where in steps()
        if here in FLOOR and there in FLOOR and FLOOR[there] > FLOOR[here]
    ]
    assert not above, "\n".join(above)


def test_the_package_itself_imports_no_room():
    assert [there for here, there, _ in steps() if here == "__init__" and there in FLOOR] == []


def test_imports_are_absolute():
    relative = [
        f"{path}:{node.lineno}"
        for path in sources("hsu_lib")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative, "the floors are read from full names:\n" + "\n".join(relative)


def test_rooms_of_one_floor_are_in_no_circle():
    arrows = {(here, there) for here, there, _ in steps() if FLOOR.get(here) == FLOOR.get(there, -1)}
    circle = circle_of(arrows)
    where = [f"{here} -> {there} at {at}" for here, there, at in steps() if {here, there} <= set(circle)]
    assert not circle, "\n".join(where)


def circle_of(arrows: set[tuple[str, str]]) -> list[str]:
    """What is left when whoever imports none that is left, or is imported by none, goes, again and again."""
    left = set(arrows)
    while free := {here for here, _ in left} ^ {there for _, there in left}:
        left = {arrow for arrow in left if not free & set(arrow)}
    return sorted({here for here, _ in left})


@pytest.mark.parametrize(
    ("arrows", "expected"),
    [({("a", "b"), ("b", "c")}, ""), ({("a", "b"), ("b", "a"), ("c", "a")}, "ab"), (set(), "")],
)
def test_circles_are_found(arrows, expected):
    assert "".join(circle_of(arrows)) == expected


def test_modules_of_a_room_are_in_no_circle():
    modules = {}
    for path in sources("hsu_lib"):
        parts = path.relative_to(paths.ROOT).with_suffix("").parts
        modules[".".join(parts).removesuffix(".__init__")] = path
    arrows = set()
    for name, path in modules.items():
        for node in tree(path).body:  # what runs at import; a function may import what imports its module
            for target in imported(node):
                found = target if target in modules else target.rpartition(".")[0]
                if found in modules and found != name:
                    arrows.add((name, found))
    assert circle_of(arrows) == []


# --------------------------------------------------------------------------- folders


def literals(module: ast.Module) -> list[tuple[str, int]]:
    """Strings that can be paths: neither documentation nor in an error or a line of help."""
    told = set()
    for node in ast.walk(module):
        match node:
            case ast.Expr(value=ast.Constant() as text):
                told.add(text)
            case ast.Raise() | ast.JoinedStr():
                told |= set(ast.walk(node))
    return [
        (node.value, node.lineno)
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told
    ]


def test_below_publishing_nothing_knows_the_folders_of_the_book():
    named = [
        f"{path.relative_to(paths.ROOT)}:{line}: {text!r}"
        for path in sources("hsu_lib")
        if FLOOR.get(room(path), 0) < FLOOR["publishing"] and room(path) != "paths"
        for text, line in literals(tree(path))
        if FOLDERS.search(text) and " " not in text
    ]
    assert not named, "paths.py is the home of:\n" + "\n".join(named)


def test_paths_are_told_from_messages():
    module = ast.parse(
        '"""In book/reported."""\nfolder = root / "book" / "reported"\n'
        'def f():\n    "See notebooks/x."\n    raise ValueError(f"not in book/{x}")\nplace = "_build/runs"'
    )
    assert {text for text, _ in literals(module) if FOLDERS.search(text)} == {"book", "_build/runs"}


# --------------------------------------------------------------------------- requirements


@cache
def declared() -> dict[str, set[str]]:
    """What pyproject.toml asks for: of the library alone, and with each extra."""
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"]} | project["optional-dependencies"]
    return {group: {distribution(entry) for entry in entries} for group, entries in groups.items()}


def distribution(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement).group()).lower()


def foreign(path: Path) -> dict[str, int]:
    """Top-level names that a file imports from elsewhere, with a line."""
    folder = paths.ROOT / path.relative_to(paths.ROOT).parts[0]
    # tests and benchmarks find modules in their own folder; the library finds none so
    near = {other.stem for other in folder.glob("*.py")} if folder.name != "hsu_lib" else set()
    found = {name.partition(".")[0]: node.lineno for node in ast.walk(tree(path)) for name in imported(node)}
    outside = set(found) - near - {"hsu_lib"} - sys.stdlib_module_names
    return {name: found[name] for name in outside}


def undeclared(files: list[Path], known: set[str]) -> list[str]:
    origins = packages_distributions()
    return [
        f"{path.relative_to(paths.ROOT)}:{line}: {name}"
        for path in files
        for name, line in foreign(path).items()
        if not {distribution(origin) for origin in origins.get(name, [PEERS.get(name, name)])} & known
    ]


#: The files that may import what only an extra installs.
FORMATS = (
    paths.ROOT / "hsu_lib" / "scenes" / "own" / "formats.py",
    paths.ROOT / "hsu_lib" / "unmixing" / "formats.py",
)
ESTIMATOR = paths.ROOT / "hsu_lib" / "unmixing" / "estimator.py"
CLUSTER = tuple(
    paths.ROOT / "hsu_lib" / "runs" / name for name in ("connection.py", "remote.py", "errands.py")
)
OPTIONAL = (*FORMATS, ESTIMATOR, *CLUSTER)


def test_what_the_library_imports_is_declared():
    below = [path for path in sources("hsu_lib") if room(path) != "publishing" and path not in OPTIONAL]
    missing = undeclared(below, declared()[""])
    assert not missing, "pyproject.toml, dependencies, lacks:\n" + "\n".join(missing)


def test_what_further_formats_import_is_declared():
    missing = undeclared(list(FORMATS), declared()[""] | declared()["formats"])
    assert not missing, "pyproject.toml, extra formats, lacks:\n" + "\n".join(missing)


def test_what_the_estimator_imports_is_declared():
    missing = undeclared([ESTIMATOR], declared()[""] | declared()["sklearn"])
    assert not missing, "pyproject.toml, extra sklearn, lacks:\n" + "\n".join(missing)


def test_what_runs_on_a_cluster_import_is_declared():
    missing = undeclared(list(CLUSTER), declared()[""] | declared()["cluster"])
    assert not missing, "pyproject.toml, extra cluster, lacks:\n" + "\n".join(missing)


def test_what_the_book_imports_is_declared():
    files = [path for path in sources("hsu_lib", "notebooks") if path not in OPTIONAL]
    missing = undeclared(files, declared()[""] | declared()["book"])
    assert not missing, "pyproject.toml, extra book, lacks:\n" + "\n".join(missing)


def test_what_the_tests_import_is_declared():
    missing = undeclared(sources("tests"), set().union(*declared().values()))
    assert not missing, "pyproject.toml, extra test, lacks:\n" + "\n".join(missing)


def test_what_the_benchmarks_import_is_declared():
    peers = (paths.ROOT / "benchmarks" / "requirements.txt").read_text().splitlines()
    known = {distribution(line) for line in peers if line[:1].isalpha()}
    known |= declared()[""] | declared()["cluster"]
    missing = undeclared(sources("benchmarks"), known)
    assert not missing, "benchmarks/requirements.txt lacks:\n" + "\n".join(missing)


def test_every_requirement_is_fixed():
    lines = (paths.ROOT / "requirements.txt").read_text().splitlines()
    fixed = {distribution(line) for line in lines}
    assert set().union(*declared().values()) <= fixed, "make requirements"
    assert all("==" in line for line in lines)


def test_actions_of_others_are_pinned_by_hash():
    workflows = sorted((paths.ROOT / ".github/workflows").glob("*.yml"))
    used = [line for path in workflows for line in path.read_text().splitlines() if "uses:" in line]
    assert len(workflows) == 3
    assert len(used) > 10
    for line in used:
        assert re.fullmatch(r"\s*(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
