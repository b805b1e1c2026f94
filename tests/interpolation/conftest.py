"""The heavy metals of the Meuse, with what gstat made of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def gstat(golden: Path) -> Path:
    return golden / "geo" / "gstat_meuse"


@pytest.fixture(scope="session")
def meuse(gstat: Path) -> pd.DataFrame:
    """Samples with x and y in metres, zinc and its logarithm."""
    table = pd.read_csv(gstat / "meuse.csv")
    return table.assign(log_zinc=np.log(table["zinc"]))


@pytest.fixture(scope="session")
def sites(meuse: pd.DataFrame) -> np.ndarray:
    return meuse[["x", "y"]].to_numpy(dtype=float)
