"""The built-in study, built and run once for the tests of the workflow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from geosoil.simulate.study import build_study
from geosoil.workflow.run import RunResult, run


@dataclass(frozen=True, slots=True)
class BuiltStudy:
    """Where the study lies and what its run gave."""

    folder: Path
    config: Path
    result: RunResult


@pytest.fixture(scope="session")
def built_study(tmp_path_factory: pytest.TempPathFactory) -> BuiltStudy:
    """Build the study of seed 2020 and run it."""
    folder = tmp_path_factory.mktemp("study") / "trhr"
    config = build_study(folder, seed=2020)
    return BuiltStudy(folder, config, run(config))
