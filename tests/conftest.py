"""Fixtures that several rooms share."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from geosoil.workflow.run import RunResult

# Workers share the cores already: threads of linear algebra would wait for each
# other. The number is read when numpy is loaded, so nothing here loads it before.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A busy machine is no fault of the code. Most of what 100 examples find is found
# by 40; where more are needed the test says so.
settings.register_profile("geosoil", deadline=None, max_examples=40)
settings.load_profile("geosoil")

GOLDEN = Path(__file__).parent / "golden"


collect_ignore = ["io/qgis_check.py"]
"""Scripts that other programs' own Python runs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process build the study while the others test what needs none.

    Files keep together; the largest of each kind come first.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def needs_study(file: Path) -> bool:
        names = (getattr(item, "fixturenames", ()) for item in files[file])
        return any("built_study" in own for own in names)

    order = sorted(files, key=lambda file: -len(files[file]))
    study = [file for file in order if needs_study(file)]
    others = [file for file in order if file not in set(study)]
    items[:] = [item for file in study[:1] + others + study[1:] for item in files[file]]


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder of expected answers kept with the tests."""
    return GOLDEN


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real files kept beside the project; skip where it is absent."""
    default = Path(__file__).parents[1] / ".." / "shared"
    folder = Path(os.environ.get("GEOSOIL_SHARED", default)).resolve()
    if not (folder / "data").is_dir():
        pytest.skip("the folder of shared real files is absent")
    return folder


@dataclass(frozen=True, slots=True)
class BuiltStudy:
    """Where the built-in study lies and what its run gave."""

    folder: Path
    config: Path
    result: RunResult


@pytest.fixture(scope="session")
def built_study(tmp_path_factory: pytest.TempPathFactory) -> BuiltStudy:
    """Build the study of seed 2020 and run it, once for all tests.

    Processes of one test run share what the first of them built. Each works on a
    copy of its own, so that what a test writes there disturbs no other process.
    """
    base = tmp_path_factory.getbasetemp()
    shared_base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    built = _built_once(shared_base / "built_study")
    folder = tmp_path_factory.mktemp("study") / "trhr"
    shutil.copytree(built.folder, folder)
    return _moved(built, folder)


def _built_once(room: Path) -> BuiltStudy:
    """Build the study in a folder, or wait for the process that builds it."""
    from geosoil.simulate.study import build_study
    from geosoil.workflow.run import run

    room.mkdir(exist_ok=True)
    record = room / "study.pickle"
    with (room / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.is_file():
            config = build_study(room / "trhr", seed=2020)
            built = BuiltStudy(config.parent, config, run(config))
            record.write_bytes(pickle.dumps(built))
    return pickle.loads(record.read_bytes())


def _moved(built: BuiltStudy, folder: Path) -> BuiltStudy:
    """Tell where a copy of the study lies."""
    home = built.folder.resolve()

    def there(path: Path) -> Path:
        return folder / path.resolve().relative_to(home)

    result = replace(
        built.result,
        folder=there(built.result.folder),
        paths=tuple(there(path) for path in built.result.paths),
    )
    return BuiltStudy(folder, there(built.config), result)
