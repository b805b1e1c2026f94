"""What several tests of tracers share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

NAN = np.nan


@pytest.fixture
def soil() -> pd.DataFrame:
    """Soil layers of four bands: whole, without moisture, overlapping, no depths."""
    rows = [
        ("low", 0, 20, 0.30),
        ("low", 0, 20, 0.20),
        ("low", 20, 40, 0.10),
        ("high", 0, 20, 0.40),
        ("high", 20, 40, NAN),
        ("top", 0, 20, 0.40),
        ("top", 10, 30, 0.40),
        ("flat", NAN, NAN, 0.40),
    ]
    columns = ["band", "depth_top", "depth_bottom", "soil_moisture"]
    return pd.DataFrame(rows, columns=columns)
