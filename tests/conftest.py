"""Fixtures that several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

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
