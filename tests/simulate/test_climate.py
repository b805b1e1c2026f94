"""The simulated climate is likely, tied to the land, and written as CF asks."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from geosoil.errors import InputError
from geosoil.simulate.anomalies import (
    CLIMATE_GRID,
    LINKED,
    YEARS,
    climate_elevation,
    make_anomalies,
    planted_correlation,
)
from geosoil.simulate.climate import simulate_climate, write_climate
from geosoil.simulate.landscape import STUDY_GRID, make_landscape
from geosoil.variables import variable

NAMES = (*LINKED[:4], "soil_moisture")


@pytest.fixture(scope="module")
def land():
    return make_landscape(seed=2020)


@pytest.fixture(scope="module")
def anomalies(land):
    return make_anomalies(land, seed=2020)


@pytest.fixture(scope="module")
def fields(land, anomalies):
    return simulate_climate(land, anomalies)


@pytest.fixture(scope="module")
def folder(land, tmp_path_factory):
    folder = tmp_path_factory.mktemp("climate")
    write_climate(land, folder, seed=2020)
    return folder


@pytest.fixture(scope="module")
def region(land):
    padded = np.pad(land.region.values, ((0, 6), (0, 0)))
    return padded.reshape(48, 12, 129, 12).mean(axis=(1, 3)) > 0.5


def correlation(x, y):
    """Correlation over the first axis, ignoring gaps in either."""
    missing = np.isnan(x) | np.isnan(y)
    x, y = (np.ma.masked_array(v, missing) for v in (x, y))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    r = (x * y).mean(axis=0) / np.ma.sqrt((x**2).mean(axis=0) * (y**2).mean(axis=0))
    return r.filled(np.nan)


def read(folder, name):
    with netCDF4.Dataset(folder / f"{name}.nc") as file:
        return file[name][:].filled(np.nan)


SIGNS = [
    # variable, month, elevation from, to, sign of the paper's sentences
    ("air_temperature", 6, 3000, 4000, 1),
    ("air_temperature", 6, 4500, 6500, 1),
    ("air_temperature", 8, 3000, 6500, -1),
    ("air_temperature", 9, 4300, 6500, 1),
    ("air_temperature", 9, 2500, 3600, -1),
    ("ground_temperature", 6, 3000, 6500, 1),
    ("ground_temperature", 8, 3000, 6500, -1),
    ("ground_temperature", 9, 4300, 6500, 1),
    ("ground_temperature", 9, 2500, 3600, -1),
    ("precipitation", 6, 4300, 6500, -1),
    ("precipitation", 6, 2500, 3600, 1),
    ("precipitation", 8, 3000, 6500, -1),
    ("precipitation", 9, 3000, 4800, 1),
    ("precipitation", 9, 5450, 6500, -1),
    ("evapotranspiration", 6, 3000, 6500, -1),
    ("evapotranspiration", 8, 3000, 6500, -1),
    ("evapotranspiration", 9, 3000, 6500, -1),
]


@pytest.mark.parametrize("case", SIGNS, ids=str)
def test_soil_moisture_correlates_as_the_paper_says(land, folder, region, case):
    name, month, low, high, sign = case
    r = correlation(
        read(folder, "soil_moisture")[month - 1 :: 12],
        read(folder, name)[month - 1 :: 12],
    )
    elevation = climate_elevation(land)
    there = r[region & (elevation >= low) & (elevation < high)]
    assert sign * np.nanmean(there) > 0.15
    assert np.nanmean(sign * there > 0) > 0.7


@pytest.mark.parametrize("seed", [1, 77])
@pytest.mark.parametrize("name", LINKED)
def test_departures_correlate_as_planted_for_any_seed(land, name, seed):
    anomalies = make_anomalies(land, seed=seed)
    elevation = climate_elevation(land)
    for month in (6, 8, 9):
        r = correlation(
            anomalies.of_month("soil_moisture", month), anomalies.of_month(name, month)
        )
        planted = planted_correlation(name, month, elevation)
        assert r.mean() == pytest.approx(planted.mean(), abs=0.15)


def test_no_correlation_is_planted_in_winter(land, anomalies):
    elevation = climate_elevation(land)
    assert not planted_correlation("ndvi", 1, elevation).any()
    r = correlation(
        anomalies.of_month("soil_moisture", 1), anomalies.of_month("ndvi", 1)
    )
    assert abs(r.mean()) < 0.15


def test_an_unlinked_variable_is_refused():
    with pytest.raises(InputError, match="'snow' is not tied to soil moisture"):
        planted_correlation("snow", 6, np.array([4000.0]))


def test_departures_remember_last_month_and_resemble_their_surroundings(anomalies):
    moisture = anomalies.soil_moisture
    assert moisture.var() == pytest.approx(1.0, abs=0.1)
    assert np.mean(moisture[1:] * moisture[:-1]) == pytest.approx(0.5, abs=0.1)
    near = np.mean(moisture[:, :, 2:] * moisture[:, :, :-2])
    far = np.mean(moisture[:, :, 30:] * moisture[:, :, :-30])
    assert near > 0.85
    assert abs(far) < 0.1


def test_air_cools_by_the_lapse_rate(land, fields):
    elevation = climate_elevation(land)
    air = fields["air_temperature"].mean(axis=0)
    longitude, latitude = np.meshgrid(CLIMATE_GRID.x, CLIMATE_GRID.y)
    terms = np.column_stack(
        [np.ones(air.size), elevation.ravel(), longitude.ravel(), latitude.ravel()]
    )
    slope = np.linalg.lstsq(terms, air.ravel(), rcond=None)[0]
    assert 1000 * slope[1] == pytest.approx(-6.5, abs=0.3)


def test_annual_means_are_those_of_the_weather_stations(land, fields, region):
    elevation = climate_elevation(land)
    inhabited = region & (elevation > 3600) & (elevation < 4600)
    air = fields["air_temperature"].mean(axis=0)[inhabited]
    assert np.quantile(air, 0.05) > -5.38
    assert np.quantile(air, 0.95) < 4.14
    rain = 12 * fields["precipitation"].mean(axis=0)[region]
    assert rain.min() > 262.2 * 0.85
    assert rain.max() < 772.8 * 1.15


def test_the_seasons_are_those_of_the_plateau(fields, region):
    year = {
        name: field.reshape(20, 12, *CLIMATE_GRID.shape).mean(axis=0)[:, region].mean(1)
        for name, field in fields.items()
    }
    assert year["air_temperature"].argmax() == 6
    assert year["air_temperature"].argmin() == 0
    assert year["precipitation"][5:9].sum() > 0.7 * year["precipitation"].sum()
    assert year["evapotranspiration"].sum() < year["precipitation"].sum()
    assert np.all(year["ground_temperature"] > year["air_temperature"])
    assert year["soil_moisture"][0] < 0.6 * year["soil_moisture"][6]
    assert 0.15 < year["soil_moisture"][5:9].mean() < 0.3


@pytest.mark.parametrize("name", NAMES)
def test_files_hold_what_was_simulated_with_a_few_gaps(folder, fields, name):
    values = read(folder, name)
    assert values.shape == (240, 48, 129)
    gaps = np.isnan(values)
    assert 0.01 < gaps.mean() < 0.05
    np.testing.assert_allclose(values[~gaps], fields[name][~gaps], atol=0.06)
    lower, upper = variable(name).valid_range
    assert lower <= np.nanmin(values) <= np.nanmax(values) <= upper
    # gaps come in patches: most missing cells have a missing neighbour
    neighbours = gaps[:, :, :-2] | gaps[:, :, 2:]
    assert neighbours[gaps[:, :, 1:-1]].mean() > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_files_are_described_as_cf_asks(folder, name):
    with netCDF4.Dataset(folder / f"{name}.nc") as file:
        assert file.Conventions == "CF-1.11"
        assert file.source == "simulated"
        assert file.seed == 2020
        assert "imulated" in file.title
        data = file[name]
        assert data.dimensions == ("time", "lat", "lon")
        assert data.units == variable(name).units
        assert data.standard_name == variable(name).standard_name
        total = name in ("precipitation", "evapotranspiration")
        assert data.cell_methods == ("time: sum" if total else "time: mean")
        assert file[data.grid_mapping].grid_mapping_name == "latitude_longitude"
        assert data.filters()["fletcher32"]
        assert data.filters()["zlib"]
        dates = netCDF4.num2date(file["time"][:], file["time"].units)
        assert (dates[0].year, dates[0].month, dates[0].day) == (YEARS[0], 1, 1)
        assert (dates[-1].year, dates[-1].month) == (YEARS[-1], 12)
        bounds = file[file["time"].bounds][:]
        assert np.array_equal(bounds[1:, 0], bounds[:-1, 1])
        assert file["lat"][0] > file["lat"][-1]
        for axis in ("time", "lat", "lon"):
            assert file[axis].standard_name
            assert file[axis].axis


def test_each_climate_cell_holds_four_cells_of_the_modis_grid():
    x = STUDY_GRID.x.reshape(-1, 2).mean(axis=1)
    np.testing.assert_allclose(x, CLIMATE_GRID.x, atol=1e-9)
    y = STUDY_GRID.y[:94].reshape(-1, 2).mean(axis=1)
    np.testing.assert_allclose(y, CLIMATE_GRID.y[:47], atol=1e-9)


def test_the_seed_decides_the_files(land, folder, built_study, tmp_path):
    name = "precipitation"
    again = built_study.folder / "climate"
    assert np.array_equal(read(again, name), read(folder, name), equal_nan=True)
    write_climate(land, tmp_path, seed=3)
    assert not np.array_equal(read(tmp_path, name), read(folder, name), equal_nan=True)
