"""The import law of the house, read from the source; a planted breach must fail it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "geosoil"

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "_compiled"}),
    frozenset({"variables"}),
    frozenset({"strata"}),
    frozenset({"tracers", "config"}),
    frozenset({"grids"}),
    frozenset({"io", "interpolation", "correlation"}),
    frozenset({"indicators", "simulate", "viewer", "report", "plotting"}),
    frozenset({"workflow"}),
    frozenset({"cli"}),
    frozenset({"__main__"}),
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
SCIENCE = {"tracers", "grids", "correlation", "interpolation", "indicators"}
ONLY_IN = {
    "matplotlib": {"plotting"},
    "cartopy": {"plotting"},
    "cmcrameri": {"plotting"},
    "click": {"cli"},
    "rich": {"cli"},
    "pyhdf": {"io", "simulate"},
}
IO_USERS = {"workflow", "simulate", "viewer"}
IO_MAY_IMPORT = "geosoil.grids.grid"
MODULE_LINES = 400
FUNCTION_LINES = 40


def module_name(path: Path, package: Path) -> str:
    """Dotted name of a module file."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> list[tuple[int, str]]:
    """Every absolute module name that a file imports, with its line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def breaches(package: Path) -> list[str]:
    """Every line in the package that breaks the import law."""
    faults = []
    for path in sorted(package.rglob("*.py")):
        own = module_name(path, package).split(".")
        for line, name in imports_of(path):
            fault = breach(own, name, path.name)
            if fault:
                faults.append(f"{path.relative_to(package.parent)}:{line} {fault}")
    return faults


def breach(own: list[str], name: str, file_name: str) -> str | None:
    """Say how one import of module ``own`` breaks the law, if it does."""
    if name.startswith("."):
        return "relative import; import modules by their full name"
    top = name.partition(".")[0]
    room = own[1] if len(own) > 1 else ""
    if file_name.startswith("_kernels"):
        allowed = {"numpy", "scipy", "math", "__future__", "collections", "typing"}
        if top not in allowed and not name.startswith("geosoil._compiled"):
            return f"a kernel imports {name}"
    if top in ONLY_IN and room not in ONLY_IN[top]:
        return f"{top} belongs to {sorted(ONLY_IN[top])}"
    if top == "pyhdf" and room == "io" and own[-1] != "_hdf4_worker":
        return "pyhdf is read in io/_hdf4_worker.py alone"
    if top != "geosoil" or not room:
        return None
    return room_breach(room, name)


def room_breach(room: str, name: str) -> str | None:
    """Say how an import inside the package breaks the floors, if it does."""
    target = name.split(".")[1]
    if target in ("__version__", room):
        return None
    if target not in FLOOR:
        return f"imports the face: {name}"
    rules = (
        (room in SCIENCE and target == "config", "science imports config"),
        (FLOOR[target] >= FLOOR[room], f"{room} imports {target}, which is not below"),
        (
            room == "io" and target in SCIENCE and not name.startswith(IO_MAY_IMPORT),
            "io imports science",
        ),
        (target == "io" and room not in IO_USERS, f"{room} imports io"),
    )
    return next((f"{words}: {name}" for broken, words in rules if broken), None)


def cycles(package: Path) -> list[str]:
    """Circles among the modules, imports inside functions counted."""
    modules = {module_name(path, package): path for path in package.rglob("*.py")}
    graph = {}
    for name, path in modules.items():
        targets = set()
        for _, imported in imports_of(path):
            owner = imported if imported in modules else imported.rpartition(".")[0]
            if owner in modules and owner not in (name, package.name):
                targets.add(owner)
        graph[name] = targets
    done: set[str] = set()
    circles = []

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            circles.append(" > ".join([*trail[trail.index(name) :], name]))
            return
        if name in done:
            return
        for target in sorted(graph[name]):
            visit(target, [*trail, name])
        done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return circles


def test_no_import_breaks_the_law() -> None:
    assert breaches(PACKAGE) == []


def test_no_circle_among_modules() -> None:
    assert cycles(PACKAGE) == []


def test_every_room_stands_on_a_floor() -> None:
    names = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert names | rooms <= set(FLOOR)
    assert not (names | rooms) & {"utils", "helpers", "common", "core"}


@pytest.mark.parametrize(
    ("file", "line", "words"),
    [
        (
            "tracers/lines.py",
            "from geosoil.io.samples import read_samples",
            "not below",
        ),
        ("io/modis.py", "from geosoil.tracers.delta import d_excess", "science"),
        ("grids/align.py", "import geosoil.config", "config"),
        ("correlation/_kernels.py", "import pandas", "kernel"),
        ("workflow/run.py", "import matplotlib.pyplot", "matplotlib"),
        ("io/modis.py", "from pyhdf.SD import SD", "_hdf4_worker"),
        ("report/render.py", "from geosoil.io.geotiff import read_geotiff", "io"),
        ("workflow/run.py", "from geosoil import correlate", "face"),
        ("workflow/run.py", "from . import figures", "relative"),
    ],
)
def test_a_planted_breach_is_found(
    tmp_path: Path, file: str, line: str, words: str
) -> None:
    planted = tmp_path / "geosoil" / file
    planted.parent.mkdir(parents=True)
    planted.write_text(f'"""A room."""\n\n{line}\n')
    faults = breaches(tmp_path / "geosoil")
    assert len(faults) == 1
    assert words in faults[0]


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    package = tmp_path / "geosoil"
    package.mkdir()
    (package / "a.py").write_text("import geosoil.b\n")
    (package / "b.py").write_text("def f():\n    import geosoil.a\n")
    assert cycles(package)


def test_modules_and_functions_are_small() -> None:
    faults = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MODULE_LINES:
            faults.append(f"{path.name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                doc = ast.get_docstring(node, clean=False)
                length = node.end_lineno - node.lineno + 1  # type: ignore[operator]
                length -= doc.count("\n") + 1 if doc else 0
                if length > FUNCTION_LINES + len(node.args.kwonlyargs) + 4:
                    faults.append(f"{path.name}:{node.lineno} {node.name} {length}")
    assert faults == []


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import geosoil", ["matplotlib", "cartopy", "numba", "rasterio", "xarray"]),
        (
            "import geosoil.cli.main",
            ["numba", "rasterio", "xarray", "matplotlib", "cartopy", "pandas"],
        ),
        ("import geosoil.correlation.temporal", ["numba", "matplotlib"]),
    ],
)
def test_imports_stay_light(statement: str, absent: list[str]) -> None:
    code = f"import sys; {statement}; print([m for m in {absent} if m in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
