"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from geosoil.simulate.study import build_study
from geosoil.workflow.run import RunResult, run

# A busy machine is no fault of the code.
settings.register_profile("geosoil", deadline=None)
settings.load_profile("geosoil")

GOLDEN = Path(__file__).parent / "golden"


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
    """Build the study of seed 2020 and run it, once for all tests."""
    folder = tmp_path_factory.mktemp("study") / "trhr"
    config = build_study(folder, seed=2020)
    return BuiltStudy(folder, config, run(config))
