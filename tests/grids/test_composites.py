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


def test_two_platforms_cover_a_day_once() -> None:
    starts = pd.DatetimeIndex(
        sorted([*season(2020, range(145, 193, 16)), *season(2020, range(153, 185, 16))])
    )
    raster = composites(starts)
    platforms = ["Terra" if (d - 1) % 16 == 0 else "Aqua" for d in starts.day_of_year]
    mixed = raster.assign_coords(platform=("time", platforms))
    with pytest.raises(InputError, match="coordinate 'platform'"):
        monthly_composite(raster)
    valid = np.ones(raster.shape, dtype=bool)
    valid[2, 0, 0] = valid[:, 0, 1] = valid[[1, 3], 1, 0] = False
    mixed = mixed.where(xr.DataArray(valid, dims=raster.dims))
    found = monthly_composite(mixed, min_coverage=0.2).sel(time="2020-06").squeeze()
    june = pd.date_range("2020-06-01", "2020-06-30")
    for row in range(GRID.shape[0]):
        for column in range(GRID.shape[1]):
            seen = np.zeros(30, dtype=bool)
            total = days = 0.0
            for start, value in zip(
                starts, mixed[:, row, column].to_numpy(), strict=True
            ):
                inside = (june >= start) & (june < start + pd.Timedelta(days=16))
                if np.isfinite(value):
                    seen |= inside
                    total, days = total + value * inside.sum(), days + inside.sum()
            share = float(found["coverage"][row, column])
            assert share == pytest.approx(seen.mean(), abs=1e-12)
            if share >= 0.2:
                mean = float(found["ndvi"][row, column])
                assert mean == pytest.approx(total / days, abs=1e-12)
            else:
                assert np.isnan(found["ndvi"][row, column])


def test_same_dates_of_two_platforms_are_averaged() -> None:
    starts = season(2020, range(145, 193, 8))
    one = composites(starts).assign_coords(platform=("time", ["Terra"] * len(starts)))
    two = composites(starts, seed=1).assign_coords(
        platform=("time", ["Aqua"] * len(starts))
    )
    both = xr.concat([one, two], dim="time")
    found = monthly_composite(both, length=8)
    apart = [monthly_composite(part, length=8) for part in (one, two)]
    expected = (apart[0]["ndvi"] + apart[1]["ndvi"]) / 2
    np.testing.assert_allclose(found["ndvi"], expected, atol=1e-14)
    np.testing.assert_allclose(found["coverage"], apart[0]["coverage"], atol=1e-14)


def test_each_cell_counts_in_the_month_of_its_own_day() -> None:
    starts = season(2020, range(145, 193, 16))
    raster = composites(starts)
    days = xr.full_like(raster, 0.0) + xr.DataArray(
        [150.0, 165.0, 180.0], dims="time", coords={"time": starts}
    )
    days[0, 0, 0] = 153  # 1 June; 150 is 29 May
    days[2, 0, 1] = 183  # 1 July; 180 is 28 June
    days[1, 1, 0] = np.nan
    found = monthly_composite(raster, day_of_year=days).sel(time="2020-06").squeeze()
    mean, coverage = found["ndvi"], found["coverage"]
    assert float(mean[0, 0]) == pytest.approx(float(raster[:, 0, 0].mean()), abs=1e-14)
    assert float(coverage[0, 0]) == 1.0  # 48 days, at most all of them
    assert float(mean[0, 1]) == pytest.approx(float(raster[1, 0, 1]), abs=1e-14)
    assert float(coverage[0, 1]) == pytest.approx(16 / 30)
    assert float(mean[1, 0]) == pytest.approx(float(raster[2, 1, 0]), abs=1e-14)
    assert float(mean[1, 1]) == pytest.approx(float(raster[1:, 1, 1].mean()), abs=1e-14)
    assert float(coverage[1, 1]) == 1.0


def test_days_after_new_year_belong_to_the_next_year() -> None:
    starts = pd.DatetimeIndex(["2019-12-27"])  # day 361: lasts to 8 January
    raster = composites(starts)
    days = xr.full_like(raster, 363.0)
    days[0, 0, 0] = 5
    found = monthly_composite(raster, day_of_year=days, min_coverage=0.1)
    december, january = (
        found["ndvi"].sel(time=month) for month in ("2019-12", "2020-01")
    )
    assert np.isnan(december[0, 0, 0])
    assert float(january[0, 0, 0]) == pytest.approx(float(raster[0, 0, 0]))
    assert np.isnan(january[0, 1, 1])
    assert float(december[0, 1, 1]) == pytest.approx(float(raster[0, 1, 1]))


def test_months_that_were_asked_for_come_out_or_are_named() -> None:
    raster = composites(season(2020, range(145, 289, 16)))
    found = monthly_composite(raster, months=["2020-08", "2020-06"])
    assert found["time"].dt.month.to_numpy().tolist() == [8, 6]
    with pytest.raises(
        InputError, match=r"Months without enough composites: 2020-05 \(26%\), 2021-01"
    ):
        monthly_composite(raster, months=["2020-05", "2020-06", "2021-01"])
    with pytest.raises(InputError, match="as '2020-06'"):
        monthly_composite(raster, months=["June"])
    with pytest.raises(InputError, match="day_of_year has the sizes"):
        monthly_composite(raster, day_of_year=raster[1:])
