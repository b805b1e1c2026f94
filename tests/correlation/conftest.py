"""Golden series and answers of the room."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import xarray as xr


@pytest.fixture(scope="session")
def folder(golden: Path) -> Path:
    return golden / "geo" / "raster_corr"


@pytest.fixture(scope="session")
def series(folder: Path) -> tuple[xr.DataArray, xr.DataArray]:
    """Soil moisture and NDVI with gaps, constants, ties and short pixels."""
    with xr.open_dataset(folder / "input.nc") as dataset:
        loaded = dataset.load().rename(lat="y", lon="x")
    return loaded["sm"], loaded["ndvi"]


@pytest.fixture(scope="session")
def answers(folder: Path) -> dict[str, pd.DataFrame]:
    """What scipy and R say, one row a pixel."""
    return {
        name: pd.read_csv(folder / f"{name}_pixelwise.csv") for name in ("scipy", "R")
    }
