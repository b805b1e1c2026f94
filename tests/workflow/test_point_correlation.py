"""Probes against the drivers of their cells, as a run tables them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from geosoil.correlation.points import point_correlation
from geosoil.grids.grid import Grid
from geosoil.grids.sample_join import JoinedRaster, JoinResult, join_samples_to
from geosoil.strata import StrataEdges
from geosoil.workflow.point_correlation import COLUMNS, correlate_points

FINE = Grid.from_bounds((95.0, 33.0, 96.0, 34.0), 0.05, "EPSG:4326")
COARSE = Grid.from_bounds((95.0, 33.0, 96.0, 34.0), 0.1, "EPSG:4326")


@pytest.fixture(scope="module")
def joined() -> JoinResult:
    """Eighty profiles of two depths in two periods, joined to two grids."""
    rng = np.random.default_rng(11)
    x, y = rng.uniform(95.0, 96.0, 80), rng.uniform(33.0, 34.0, 80)
    ndvi = FINE.raster(rng.uniform(0.1, 0.7, FINE.shape))
    rain = COARSE.raster(rng.uniform(20, 90, COARSE.shape)).assign_attrs(units="mm")
    rows, columns, _ = COARSE.cells(x, y)
    wet = 0.1 + rain.to_numpy()[rows, columns] / 500 + rng.normal(0, 0.02, 80)
    table = {
        "sample_id": np.arange(160),
        "water": ["soil"] * 158 + ["river"] * 2,
        "period": np.tile(np.repeat(["June", "August"], 40), 2),
        "site_id": np.tile(np.arange(80), 2),
        "depth_top": np.repeat([0.0, 20.0], 80),
        "depth_bottom": np.repeat([20.0, 40.0], 80),
        "soil_moisture": np.tile(wet, 2) + rng.normal(0, 0.01, 160),
        "soil_temperature": np.where(np.arange(160) < 3, 5.0, np.nan),
    }
    place = gpd.points_from_xy(np.tile(x, 2), np.tile(y, 2))
    samples = gpd.GeoDataFrame(table, geometry=place, crs="EPSG:4326")
    samples.attrs["issues"] = []
    drivers = {"ndvi": ndvi, "precipitation_month": JoinedRaster(rain)}
    classes = {"soil_class": JoinedRaster(FINE.raster(np.ones(FINE.shape)))}
    return join_samples_to(samples, drivers | classes, grid=FINE)


@pytest.fixture(scope="module")
def table(joined: JoinResult) -> pd.DataFrame:
    return correlate_points(joined)


def test_every_period_layer_measurement_and_driver_has_a_row(
    table: pd.DataFrame,
) -> None:
    assert tuple(table.columns) == COLUMNS
    key = ["period", "soil_layer", "measured", "driver"]
    assert len(table) == 2 * 3 * 2 * 2
    assert not table[key].duplicated().any()
    assert list(table["soil_layer"].unique()) == ["all", "0-20", "20-40"]
    assert set(table["driver"]) == {"ndvi", "precipitation_month"}


def test_cells_are_those_of_the_drivers_own_grid(
    joined: JoinResult, table: pd.DataFrame
) -> None:
    samples = joined.table[joined.table["water"] == "soil"]
    for driver, grid in (("ndvi", FINE), ("precipitation_month", COARSE)):
        for period, part in samples.groupby("period"):
            cells = grid.cells(part.geometry.x, part.geometry.y)[:2]
            mine = table[(table["driver"] == driver) & (table["period"] == period)]
            mine = mine[mine["measured"] == "soil_moisture"].set_index("soil_layer")
            assert mine.loc["all", "n_cells"] == len(set(zip(*cells, strict=True)))
            assert mine.loc["all", "n_samples"] == len(part)
            assert mine.loc["all", "n_profiles"] == part["site_id"].nunique()
            means = part.assign(row=cells[0], column=cells[1])
            expected = point_correlation(
                means, "soil_moisture", driver, group="site_id"
            )
            for name in ("r", "p_value", "n_effective", "r_naive", "p_naive"):
                assert mine.loc["all", name] == getattr(expected, name)


def test_p_of_samples_is_smaller_than_that_of_cells(table: pd.DataFrame) -> None:
    rain = table[(table["driver"] == "precipitation_month") & (table["reason"] == "")]
    whole = rain[rain["soil_layer"] == "all"]
    assert len(whole) == 2
    assert (whole["r"] > 0.7).all()
    assert (whole["n_cells"] < whole["n_profiles"]).all()
    assert (whole["p_value"] > whole["p_naive"]).all()


def test_q_is_that_of_the_rows_that_were_tested(table: pd.DataFrame) -> None:
    tested = table[table["p_value"].notna()]
    assert 0 < len(tested) < len(table)
    expected = stats.false_discovery_control(tested["p_value"])
    np.testing.assert_allclose(tested["q_value"], expected, rtol=1e-12)
    assert table[table["p_value"].isna()]["q_value"].isna().all()


def test_few_cells_and_none_are_told_and_have_no_r(table: pd.DataFrame) -> None:
    warm = table[table["measured"] == "soil_temperature"]
    assert set(warm["reason"]) == {"few"}
    assert warm[["r", "p_value", "n_effective", "q_value"]].isna().all().all()
    assert set(warm["n_cells"]) == {3, 0}


def test_supports_are_told_in_words(table: pd.DataFrame) -> None:
    first = table.set_index(["driver", "soil_layer"])
    row = first.loc[("precipitation_month", "20-40")].iloc[0]
    assert row["measured_support"] == "probe at 20-40 cm, mean of the profile"
    assert row["driver_support"] == "cell of 0.1 x 0.1 degrees, sum of the month"
    other = first.loc[("ndvi", "all")].iloc[0]
    assert other["measured_support"] == "probe at 0-40 cm, mean of the profile"
    assert other["driver_support"] == "cell of 0.05 x 0.05 degrees, mean of the month"


def test_own_layers_and_ranks_are_taken(joined: JoinResult) -> None:
    edges = StrataEdges(depth=(0.0, 30.0, 60.0), labels={"0-30": "root zone"})
    found = correlate_points(joined, edges=edges, method="spearman")
    assert list(found["soil_layer"].unique()) == ["all", "root zone"]
    assert set(found["method"]) == {"spearman"}


def test_without_measurements_or_drivers_the_table_is_empty(joined: JoinResult) -> None:
    bare = joined.table.drop(columns=["soil_moisture", "soil_temperature"])
    found = correlate_points(JoinResult(bare, joined.provenance, joined.grids))
    assert (len(found), tuple(found.columns)) == (0, COLUMNS)
    assert len(correlate_points(JoinResult(joined.table, joined.provenance, {}))) == 0


def test_periods_and_depths_may_be_absent(joined: JoinResult) -> None:
    plain = joined.table.drop(columns=["period", "depth_top", "depth_bottom", "water"])
    found = correlate_points(JoinResult(plain, joined.provenance, joined.grids))
    assert set(found["period"]) == set(found["soil_layer"]) == {"all"}
    assert set(found["measured_support"]) == {"probe, mean of the profile"}
    assert found["n_samples"].max() == 160
