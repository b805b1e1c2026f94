"""Tests of the water that soil layers hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.tracers.soil_storage import layer_storage, stratum_storage

NAN = np.nan


@given(st.floats(0.0, 1.0), st.floats(0.0, 100.0), st.floats(1.0, 50.0))
def test_storage_of_a_layer_is_depth_of_water(moisture, top, thickness) -> None:
    soil = pd.DataFrame(
        {
            "depth_top": [top],
            "depth_bottom": [top + thickness],
            "soil_moisture": [moisture],
        }
    )
    storage = layer_storage(soil)["storage"].item()
    metres = (soil["depth_bottom"] - soil["depth_top"]).item() / 100.0 * moisture
    assert storage == pytest.approx(1000.0 * metres)


def test_storage_of_a_stratum_is_the_sum_over_its_layers(soil) -> None:
    storage = stratum_storage(soil, ["band"]).set_index("band")
    assert storage.loc["low", "storage"] == pytest.approx(200 * 0.25 + 200 * 0.10)
    assert storage.loc["high", "reason"] == "no soil moisture in 20-40 cm"
    assert storage.loc["top", "reason"] == "layers overlap"
    assert storage.loc["flat", "reason"] == "no layer thickness"
    assert storage["storage"].isna().sum() == 3


def test_more_samples_of_a_layer_do_not_make_more_water(soil) -> None:
    low = soil[soil["band"] == "low"]
    once = stratum_storage(low, ["band"])["storage"]
    twice = stratum_storage(pd.concat([low, low, low.iloc[2:]]), ["band"])["storage"]
    np.testing.assert_allclose(once, twice)


def test_a_sample_without_moisture_beside_others_is_told_of(soil) -> None:
    soil.loc[1, "soil_moisture"] = NAN
    low = stratum_storage(soil[soil["band"] == "low"], ["band"]).iloc[0]
    assert low["storage"] == pytest.approx(200 * 0.30 + 200 * 0.10)
    assert low["reason"] == "1 of 3 samples with no soil moisture"
