"""Tests of weights by samples, by area and by stored water."""

# ruff: noqa: PD011 (values of draws, not of a table)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.stratum_weights import (
    EQUAL_AREA,
    NO_AREA,
    StratumWeights,
    side_by_side,
    weights_by_area,
    weights_by_n,
    weights_by_storage,
)

NAN = np.nan


@pytest.fixture
def draws() -> FractionDraws:
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"band": ["low", "high"], "n": [30, 10]})
    values = rng.dirichlet([1.0, 1.0], (50, 2))
    return FractionDraws(table, ("rain", "ice"), values, ("", ""), "bayes")


def test_missing_moisture_gives_a_reason_and_no_weight(soil) -> None:
    weights = weights_by_storage(soil)
    np.testing.assert_allclose(weights.weights, [60, 40, 20, 80, NAN, 80, 80, NAN])
    assert weights.reason[3:5] == ("", "no soil moisture")
    assert weights.reason[7] == "no layer thickness"
    assert (weights.unit, weights.on) == ("mm", ())


def test_moisture_in_percent_and_layers_upside_down_are_refused(soil) -> None:
    soil.loc[0, "soil_moisture"] = 30.0
    soil.loc[2, "depth_bottom"] = 20
    with pytest.raises(InputError, match="not percent") as caught:
        weights_by_storage(soil)
    assert "bottom lies not below its top in rows 2" in str(caught.value)
    with pytest.raises(InputError, match="missing column soil_moisture"):
        weights_by_storage(soil.drop(columns="soil_moisture"))


def test_storage_times_area_is_a_volume(soil) -> None:
    area = weights_by_area(pd.Series({"low": 3.0, "high": 2.0}), on=["band"])
    weights = weights_by_storage(soil, ["band"], area=area)
    plain = weights_by_storage(soil, ["band"])
    assert weights.weights["low"] == pytest.approx(3.0 * plain.weights["low"])
    assert (weights.unit, weights.assumption) == ("mm km2", "")
    assert (plain.unit, plain.assumption) == ("mm", EQUAL_AREA)
    reason = dict(zip(weights.weights.index, weights.reason, strict=True))
    assert reason["low"] == ""
    assert reason["top"] == f"layers overlap; {NO_AREA}"


def test_area_by_some_of_the_columns_holds_for_all_of_them(soil) -> None:
    soil = soil[soil["band"].isin(["low", "high"])].assign(layer=soil["depth_top"])
    area = weights_by_area(pd.Series({"low": 3.0, "high": 2.0}), on=["band"])
    weights = weights_by_storage(soil, ["band", "layer"], area=area).weights
    assert weights["low", 20.0] == pytest.approx(3.0 * 20.0)
    assert weights["high", 0.0] == pytest.approx(2.0 * 80.0)


def test_area_that_does_not_fit_storage_is_refused(soil) -> None:
    area = weights_by_area(pd.Series({"low": 3.0}), on=["zone"])
    with pytest.raises(InputError, match="area on zone are no areas"):
        weights_by_storage(soil, ["band"], area=area)
    with pytest.raises(InputError, match="take no area"):
        weights_by_storage(soil, area=area)


def test_samples_are_counted_or_added_up(soil) -> None:
    counted = weights_by_n(soil, ["band"], n=None)
    assert counted.weights.to_dict() == {"low": 3, "high": 2, "top": 2, "flat": 1}
    table = pd.DataFrame({"band": ["low", "low", "high"], "n": [4.0, 5.0, NAN]})
    added = weights_by_n(table, ["band"])
    assert added.weights["low"] == 9.0
    assert dict(zip(added.weights.index, added.reason, strict=True))["high"] == "no n"
    assert weights_by_n(table).reason == ("", "", "no n")


def test_a_table_of_weights_tells_shares_of_what_is_known() -> None:
    area = weights_by_area(pd.Series({"a": 1.0, "b": 3.0, "c": NAN}), on=["band"])
    table = area.table()
    np.testing.assert_allclose(table["share"], [0.25, 0.75, NAN])
    assert table["reason"].tolist() == ["", "", NO_AREA]


def test_weights_that_are_none_are_refused() -> None:
    with pytest.raises(InputError, match="Invalid weights by area of low"):
        weights_by_area(pd.Series({"low": -1.0, "high": 1.0}), on=["band"])
    with pytest.raises(InputError, match="indexed by strata, each once"):
        weights_by_area(pd.Series([1.0, 2.0], index=["a", "a"]), on=["band"])
    with pytest.raises(InputError, match="1 labels a stratum; 2 are needed"):
        weights_by_area(pd.Series({"a": 1.0}), on=["band", "aspect"])
    with pytest.raises(InputError, match="0 reasons for 1 weights"):
        StratumWeights(pd.Series([1.0]), (), "n", "1", ())


def test_means_by_samples_area_and_storage_stand_side_by_side(draws, soil) -> None:
    soil = soil.fillna({"soil_moisture": 0.1})
    area = weights_by_area(pd.Series({"low": 1.0, "high": 3.0}), on=["band"])
    weights = {
        "samples": weights_by_n(draws.table),
        "area": area,
        "storage": weights_by_storage(soil, ["band"], area=area),
    }
    means = side_by_side(draws, weights)
    assert means["weighting"].drop_duplicates().tolist() == list(weights)
    assert means["words"].drop_duplicates().tolist() == [
        "share of samples",
        "share of area",
        "share of stored water",
    ]
    low, high = draws.values[:, 0, 0].mean(), draws.values[:, 1, 0].mean()
    rain = means[means["source"] == "rain"].set_index("weighting")
    assert rain.loc["samples", "mean"] == pytest.approx(0.75 * low + 0.25 * high)
    assert rain.loc["area", "mean"] == pytest.approx(0.25 * low + 0.75 * high)
    water = np.array([70.0 * 1.0, (80.0 + 20.0) * 3.0])
    share = water / water.sum()
    assert rain.loc["storage", "mean"] == pytest.approx(share @ [low, high])
    assert rain["covered"].tolist() == pytest.approx([1.0, 1.0, 1.0])
    np.testing.assert_allclose(means.groupby("weighting")["mean"].sum(), 1.0)
    assert {"sd", "q05", "q25", "q50", "q75", "q95"} <= set(means)


def test_one_kind_of_weight_is_not_called_another(draws) -> None:
    area = weights_by_area(pd.Series({"low": 1.0, "high": 3.0}), on=["band"])
    with pytest.raises(InputError, match="weights by area given as 'storage'"):
        side_by_side(draws, {"storage": area})
    own = side_by_side(draws, {"area of 2020": area})
    assert own["words"].unique().tolist() == ["share of area"]
    with pytest.raises(InputError, match="No weights"):
        side_by_side(draws, {})
