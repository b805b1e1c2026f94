"""Composites to months: day weights, coverage, turn of the year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.composites import month_weights, monthly_composite
from geosoil.grids.grid import Grid

GRID = Grid.from_bounds((95, 33, 96, 34), 0.5, "EPSG:4326")


def season(year: int, days: range) -> pd.DatetimeIndex:
    """First days of composites by day of the year."""
    first = pd.Timestamp(year=year, month=1, day=1)
    return pd.DatetimeIndex([first + pd.Timedelta(days=day - 1) for day in days])


def composites(starts: pd.DatetimeIndex, seed: int = 0) -> xr.DataArray:
    values = np.random.default_rng(seed).normal(size=(len(starts), *GRID.shape))
    raster = xr.DataArray(
        values, dims=("time", "y", "x"), coords={"time": starts}, name="ndvi"
    )
    return GRID.georeference(raster).assign_attrs(units="1")


@pytest.mark.parametrize("platform", ["MOD", "MYD"])
def test_weights_equal_the_golden_table(golden: Path, platform: str) -> None:
    table = pd.read_csv(golden / "geo" / "modis" / "composite_month_weights_2020.csv")
    table = table[table["platform"] == platform]
    starts = pd.DatetimeIndex(sorted(table["start"].unique()))
    weights = month_weights(starts)
    for row in table.itertuples():
        month = pd.Timestamp(2020, row.month, 1)
        assert weights.loc[month, row.start] == pytest.approx(row.weight, abs=1e-15)


@given(st.integers(2000, 2030), st.sampled_from([1, 9]), st.sampled_from([8, 16]))
def test_every_day_of_every_month_is_counted_once(
    year: int, phase: int, length: int
) -> None:
    days = range(phase if length == 16 else 1, 366, length)
    starts = season(year, days).append(season(year + 1, days))
    covered = month_weights(starts, length=length).sum(axis=1)
    np.testing.assert_allclose(covered.iloc[1:-2], 1.0, atol=1e-12)


def test_the_last_composite_of_a_year_stops_before_the_first_of_the_next() -> None:
    terra = month_weights(season(2020, range(353, 354)))
    assert (terra * 31).round().to_numpy().ravel().tolist() == [14.0]
    aqua = month_weights(season(2019, range(361, 362)))
    assert (aqua * 31).round().to_numpy().ravel().tolist() == [5.0, 8.0]


def test_the_mean_weighs_each_composite_by_its_days() -> None:
    starts = season(2020, range(145, 289, 16))
    raster = composites(starts)
    found = monthly_composite(raster)
    months = found["time"].dt.strftime("%m").to_numpy().tolist()
    assert months == ["06", "07", "08", "09"]
    expected = (8 * raster[0] + 16 * raster[1] + 6 * raster[2]) / 30
    np.testing.assert_allclose(found["ndvi"][0], expected, atol=1e-15)
    np.testing.assert_allclose(found["coverage"], 1.0, atol=1e-15)
    assert found["ndvi"].attrs["units"] == "1"
    assert Grid.of(found) == GRID


def test_missing_values_lower_the_coverage_and_leave_the_mean() -> None:
    raster = composites(season(2020, range(145, 178, 16)))
    raster[1, 0, 0] = np.nan
    raster[2, 0, 0] = np.nan
    raster[0, 1, 1] = np.nan
    found = monthly_composite(raster).sel(time="2020-06").squeeze()
    assert float(found["coverage"][0, 0]) == pytest.approx(8 / 30)
    assert np.isnan(found["ndvi"][0, 0])
    assert float(found["coverage"][1, 1]) == pytest.approx(22 / 30)
    expected = (16 * raster[1, 1, 1] + 6 * raster[2, 1, 1]) / 22
    assert float(found["ndvi"][1, 1]) == pytest.approx(float(expected), abs=1e-15)
    lenient = monthly_composite(raster, min_coverage=0.2).sel(time="2020-06")
    assert float(lenient["ndvi"].squeeze()[0, 0]) == pytest.approx(
        float(raster[0, 0, 0]), abs=1e-15
    )


def test_order_and_chunks_do_not_matter() -> None:
    raster = composites(season(2020, range(145, 289, 16)))
    expected = monthly_composite(raster)
    xr.testing.assert_identical(monthly_composite(raster[::-1]), expected)
    lazy = monthly_composite(raster.chunk({"time": 2, "y": 1}))
    xr.testing.assert_allclose(lazy.compute(), expected, rtol=1e-14)


def test_composites_that_cannot_be_averaged_are_refused() -> None:
    raster = composites(season(2020, range(145, 178, 16)))
    with pytest.raises(InputError, match="need a dim 'time' of dates"):
        monthly_composite(raster.isel(time=0))
    with pytest.raises(InputError, match="2020-05-24 begin before"):
        monthly_composite(xr.concat([raster, raster[:1]], dim="time"))
    with pytest.raises(InputError, match="No month is covered to 50%"):
        monthly_composite(raster[:1])
    with pytest.raises(InputError, match=r"min_coverage 1\.5"):
        monthly_composite(raster, min_coverage=1.5)
