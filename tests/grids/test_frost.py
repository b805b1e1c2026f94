"""Freezing and thawing indices, frost number, zones: closed forms and real rasters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.class_grid import values_by_class
from geosoil.grids.frost import (
    freezing_thawing_indices,
    frost_number,
    permafrost_zones,
)
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import read_geotiff
from geosoil.simulate import layers as simulated


def series(values, dates):
    return xr.DataArray(np.asarray(values, float), dims="time", coords={"time": dates})


def days(start, count):
    return pd.date_range(start, periods=count, freq="D")


def test_daily_degree_days_are_sums_of_days_on_either_side_of_zero():
    rng = np.random.default_rng(1)
    values = rng.normal(-2, 12, 365)
    indices = freezing_thawing_indices(series(values, days("2018-07-01", 365)))
    assert float(indices.freezing_index) == pytest.approx(-values[values < 0].sum())
    assert float(indices.thawing_index) == pytest.approx(values[values > 0].sum())


def test_a_leap_year_has_366_days_and_two_years_are_halved():
    cold = freezing_thawing_indices(series([-1.0] * 731, days("2020-01-01", 731)))
    assert float(cold.freezing_index) == pytest.approx(731 / 2)
    assert float(cold.thawing_index) == 0.0


def test_months_weigh_as_many_days_as_they_have():
    values = np.arange(-6.0, 6.0)
    dates = pd.date_range("2019-09-15", periods=12, freq="MS")
    lengths = [pd.Timestamp(date).days_in_month for date in dates]
    indices = freezing_thawing_indices(series(values, dates))
    expected = [v * n for v, n in zip(values, lengths, strict=True)]
    assert 29 in lengths
    assert float(indices.freezing_index) == -sum(v for v in expected if v < 0)
    assert float(indices.thawing_index) == sum(v for v in expected if v > 0)


def test_a_harmonic_year_has_the_indices_of_its_integral():
    mean, swing = -3.0, 12.0
    phase = 2 * np.pi * (np.arange(365) + 0.5) / 365
    values = mean + swing * np.cos(phase)
    indices = freezing_thawing_indices(series(values, days("2019-01-01", 365)))
    turn = np.arccos(-mean / swing)
    thaw = 365 / np.pi * (mean * turn + swing * np.sin(turn))
    assert float(indices.thawing_index) == pytest.approx(thaw, rel=1e-4)
    assert float(indices.freezing_index) == pytest.approx(thaw - 365 * mean, rel=1e-4)


@given(st.lists(st.floats(-60, 60), min_size=12, max_size=12))
def test_thaw_less_frost_is_the_sum_of_temperature(values):
    months = xr.DataArray(values, dims="month", coords={"month": range(1, 13)})
    indices = freezing_thawing_indices(months, dim="month")
    lengths = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    total = float(indices.thawing_index - indices.freezing_index)
    assert total == pytest.approx(float(np.dot(values, lengths)), abs=1e-8)


def test_a_missing_temperature_leaves_its_cell_without_an_index():
    values = np.full((12, 2), -1.0)
    values[3, 1] = np.nan
    months = xr.DataArray(values, dims=("month", "x"), coords={"month": range(1, 13)})
    frost = freezing_thawing_indices(months, dim="month").freezing_index
    np.testing.assert_array_equal(frost, [365.25, np.nan])
    gone = freezing_thawing_indices(months * np.nan, dim="month")
    assert np.isnan(gone.freezing_index).all()


@pytest.mark.parametrize(
    ("values", "dates", "words"),
    [
        ([-1.0] * 364, days("2019-01-01", 364), "no whole years"),
        ([-1.0] * 10, pd.date_range("2019-01-01", periods=10, freq="MS"), "10 months"),
        (
            [-1.0] * 365,
            days("2019-01-01", 366).delete(40),
            "2019-02-09.*before 2019-02-11",
        ),
        (
            [-1.0] * 46,
            pd.date_range("2019-01-01", periods=46, freq="8D"),
            "Months do not follow",
        ),
        ([280.0] * 365, days("2019-01-01", 365), "kelvin"),
        (
            [-1.0] * 48,
            pd.date_range("2019-01-01", periods=48, freq="h"),
            "Give daily means",
        ),
    ],
)
def test_temperatures_that_make_no_year_are_refused(values, dates, words):
    with pytest.raises(InputError, match=words):
        freezing_thawing_indices(series(values, dates))


def test_kelvin_is_refused_by_its_unit_and_a_strange_axis_by_name():
    months = xr.DataArray([250.0] * 12, dims="month", coords={"month": range(12)})
    with pytest.raises(InputError, match=r"'K'.*subtract 273\.15"):
        freezing_thawing_indices(months.assign_attrs(units="K"), dim="month")
    with pytest.raises(InputError, match="months 1 to 12"):
        freezing_thawing_indices(months * 0, dim="month")
    with pytest.raises(InputError, match="no dimension 'time'"):
        freezing_thawing_indices(months)


def test_the_frost_number_is_that_of_the_simulated_land():
    rng = np.random.default_rng(3)
    values = rng.normal(-3, 9, (12, 4, 5))
    months = xr.DataArray(
        values, dims=("month", "y", "x"), coords={"month": range(1, 13)}
    )
    indices = freezing_thawing_indices(months, dim="month")
    number = frost_number(indices.freezing_index, indices.thawing_index)
    np.testing.assert_allclose(number, simulated.frost_number(values), rtol=1e-12)


@given(st.floats(1, 5000), st.floats(1, 5000), st.floats(0.5, 1.5))
def test_permafrost_begins_where_the_factor_balances_frost_and_thaw(ddf, ddt, factor):
    number = float(
        frost_number(xr.DataArray(ddf), xr.DataArray(ddt), soil_factor=factor)
    )
    balance = np.sqrt(ddf / ddt)
    if abs(balance / factor - 1) > 1e-9:
        assert (number > 0.5) == (balance > factor)
    mirrored = frost_number(xr.DataArray(ddt), xr.DataArray(ddf))
    plain = frost_number(xr.DataArray(ddf), xr.DataArray(ddt))
    assert float(mirrored + plain) == pytest.approx(1.0, abs=1e-12)


def test_ground_that_never_freezes_or_never_thaws_has_0_or_1_and_neither_has_none():
    frost = xr.DataArray([0.0, 900.0, 0.0, np.nan])
    thaw = xr.DataArray([900.0, 0.0, 0.0, 900.0])
    np.testing.assert_array_equal(frost_number(frost, thaw), [0.0, 1.0, np.nan, np.nan])


def test_indices_that_cannot_be_are_refused():
    good = xr.DataArray([100.0, 200.0])
    with pytest.raises(
        InputError, match=r"freezing index cannot be as low as -200 .*2"
    ):
        frost_number(-good, good)
    with pytest.raises(
        InputError, match=r"thawing index cannot be as low as -3\.40282e\+38"
    ):
        frost_number(good, xr.DataArray([1.0, -3.4028234663852886e38]))
    with pytest.raises(InputError, match="soil factor cannot be as low as 0"):
        frost_number(good, good, soil_factor=0.0)


def test_indices_on_different_grids_are_refused():
    here = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:4326").raster(np.ones((2, 2)))
    there = Grid.from_bounds((1, 0, 3, 2), 1, "EPSG:4326").raster(np.ones((2, 2)))
    with pytest.raises(GridMismatchError, match=r"thawing index.*different coord"):
        frost_number(here, there)
    other = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:32647").raster(np.ones((2, 2)))
    with pytest.raises(GridMismatchError, match=r"EPSG:4326.*EPSG:32647"):
        frost_number(here, other)


def test_zones_own_their_lower_limit_and_two_classes_are_one_limit():
    number = xr.DataArray([0.0, np.nextafter(0.5, 0), 0.5, 0.6, 0.67, 1.0, np.nan])
    codes = permafrost_zones(number)
    assert codes.data.tolist() == [1, 1, 2, 3, 4, 4, 0]
    two = permafrost_zones(number, zones={"permafrost": 0.5})
    assert two.data.tolist() == [1, 1, 2, 2, 2, 2, 0]
    assert two.attrs["flag_meanings"] == "seasonally_frozen permafrost"
    assert two.attrs["flag_values"].tolist() == [1, 2]


@pytest.mark.parametrize("zones", [{}, {"a": 0.0}, {"a": 0.6, "b": 0.5}, {"a": 1.0}])
def test_limits_that_do_not_rise_are_refused(zones):
    with pytest.raises(InputError, match="rise within 0 to 1"):
        permafrost_zones(xr.DataArray([0.5]), zones=zones)


def test_frost_numbers_beyond_0_to_1_are_refused():
    with pytest.raises(InputError, match=r"found 0\.2 to 1\.2"):
        permafrost_zones(xr.DataArray([0.2, 1.2]))


def test_the_real_indices_give_the_frost_number_of_plain_numpy(shared):
    folder = shared / "data" / "permafrost"
    names = ("DDF_mean_annual", "DDT_mean_annual", "soil_cluster")
    paths = [folder / f"frostnumcop_{name}.tif" for name in names]
    raw = []
    for path in paths:
        with rasterio.open(path) as file:
            raw.append(file.read(1))
    ddf, ddt, cluster = raw
    gone = (ddf < -1e38) | (ddt < -1e38) | (cluster == 15)
    factors = {1: 0.8, 2: 0.9, 3: 1.0, 4: 1.1, 6: 1.2, 7: 1.3, 8: 1.4}
    factor = np.vectorize(lambda code: factors.get(code, np.nan))(cluster)
    frost = np.sqrt(np.where(gone, np.nan, ddf).astype(float))
    thaw = np.sqrt(np.where(gone, np.nan, ddt).astype(float))
    expected = frost / (frost + factor * thaw)
    codes = read_geotiff(paths[2], classes=True)
    number = frost_number(
        read_geotiff(paths[0]),
        read_geotiff(paths[1]),
        soil_factor=values_by_class(codes, factors),
    )
    np.testing.assert_allclose(number.values, expected, rtol=1e-12)
    plain = frost_number(read_geotiff(paths[0]), read_geotiff(paths[1]))
    frozen = permafrost_zones(plain, zones={"permafrost": 0.5}).data == 2
    known = (ddf > -1e38) & (ddt > -1e38)
    assert np.array_equal(frozen[known], (ddf >= ddt)[known])
    assert Grid.of(number).shape == (121, 192)
