"""Values at points: the exact cell, bilinear against terra, edges and reasons."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids import footprints as footprints_module
from geosoil.grids.grid import Grid
from geosoil.grids.point_cells import coordinate_precision
from geosoil.grids.points import values_at_points

PLACE = ["row", "column", "on_edge", "distance", "coordinate_precision", "reason"]
STUDY = Grid.from_bounds((89.40, 31.55, 102.30, 36.30), 0.05, "EPSG:4326")


def points(x: object, y: object, crs: object = "EPSG:4326") -> gpd.GeoSeries:
    return gpd.GeoSeries.from_xy(x, y, crs=crs)


def cell_numbers(grid: Grid) -> xr.DataArray:
    """Raster whose values are the numbers of its own cells."""
    numbers = np.arange(grid.shape[0] * grid.shape[1], dtype=float)
    return grid.raster(numbers.reshape(grid.shape), name="cell")


@pytest.fixture(scope="module")
def ndvi(golden: Path) -> xr.DataArray:
    """NDVI of the month that R's terra extracted from."""
    path = golden / "geo" / "raster_corr" / "input.nc"
    with xr.open_dataset(path) as dataset:
        raster = dataset["ndvi"].load().rename(lat="y", lon="x")
    return raster.rio.write_crs("EPSG:4326")


@pytest.mark.parametrize(("method", "column"), [("nearest", "near"), ("bilinear",) * 2])
def test_values_equal_those_of_terra(
    ndvi: xr.DataArray, golden: Path, method: str, column: str
) -> None:
    table = pd.read_csv(golden / "geo" / "raster_corr" / "R_extract_points.csv")
    sites = points(table["lon"], table["lat"])
    errors = []
    for step in range(ndvi.sizes["time"]):
        month = ndvi.isel(time=step, drop=True)
        found = values_at_points(month, sites, method=method)["ndvi"]
        errors.append(np.abs(found - table[column]).max())
    assert min(errors) < 1e-12


@pytest.mark.slow
def test_every_two_decimal_point_lies_in_its_exact_cell_on_every_crop() -> None:
    whole = cell_numbers(STUDY)
    longitudes, latitudes = range(8940, 10230), range(3156, 3631)
    column = [
        (Fraction(c, 100) - Fraction(894, 10)) // Fraction(1, 20) for c in longitudes
    ]
    row = [(Fraction(363, 10) - Fraction(c, 100)) // Fraction(1, 20) for c in latitudes]
    x, y = np.meshgrid(np.array(longitudes) / 100, np.array(latitudes) / 100)
    sites = points(x.ravel(), y.ravel())
    j, i = (part.ravel() for part in np.meshgrid(column, row))
    j, i = j.astype(int), i.astype(int)
    crops = [(0, 95, 0, 258), (3, 90, 7, 200), (1, 40, 101, 258), (50, 95, 0, 33)]
    for top, bottom, left, right in crops:
        crop = whole.isel(y=slice(top, bottom), x=slice(left, right))
        found = values_at_points(crop, sites)
        inside = (top <= i) & (i < bottom) & (left <= j) & (j < right)
        expected = np.where(inside, i * 258 + j, np.nan)
        np.testing.assert_array_equal(found["cell"], expected)
        np.testing.assert_array_equal(found["reason"] == "outside", ~inside)
        on_edge = (np.round(x * 100) % 5 == 0) | (np.round(y * 100) % 5 == 0)
        np.testing.assert_array_equal(found["on_edge"], on_edge.ravel() & inside)


def test_rows_keep_order_and_index() -> None:
    sites = points([90.01, 95.01], [33.01, 34.01]).set_axis(["b", "a"])
    table = values_at_points(cell_numbers(STUDY), sites)
    assert table.index.tolist() == ["b", "a"]
    assert table.columns.tolist() == ["cell", *PLACE]


def test_an_upside_down_raster_gives_the_same_values() -> None:
    raster = cell_numbers(STUDY)
    sites = points([90.01, 95.05, 101.3], [33.01, 34.05, 31.6])
    expected = values_at_points(raster, sites)
    for turned in (
        raster.isel(y=slice(None, None, -1)),
        raster.isel(x=slice(None, None, -1)),
        raster.isel(y=slice(None, None, -1))
        .drop_vars("spatial_ref")
        .rio.write_crs(4326),
    ):
        pd.testing.assert_frame_equal(values_at_points(turned, sites), expected)


def test_points_are_brought_to_the_crs_of_the_raster() -> None:
    sites = points([90.01, 95.03], [33.01, 34.02])
    expected = values_at_points(cell_numbers(STUDY), sites)
    found = values_at_points(cell_numbers(STUDY), sites.to_crs("EPSG:32647"))
    assert expected["coordinate_precision"].tolist() == [0.01, 0.01]
    assert found["coordinate_precision"].tolist() == [1e-8, 1e-8]
    pd.testing.assert_frame_equal(
        *(table.drop(columns="coordinate_precision") for table in (found, expected))
    )


def test_times_and_variables_become_columns() -> None:
    times = pd.DatetimeIndex(["2020-06-01", "2020-08-01"])
    stack = xr.concat(
        [cell_numbers(STUDY), cell_numbers(STUDY) + 0.5],
        dim=pd.Index(times, name="time"),
    )
    dataset = xr.Dataset({"ndvi": stack, "elevation": cell_numbers(STUDY)})
    table = values_at_points(dataset, points([90.01], [33.01]))
    named = ["ndvi_2020-06-01", "ndvi_2020-08-01", "elevation"]
    assert table.columns.tolist() == [*named, *PLACE]
    assert table["ndvi_2020-08-01"][0] == table["elevation"][0] + 0.5


def test_points_without_a_value_keep_their_reason() -> None:
    sites = gpd.GeoSeries(
        [shapely.Point(80, 33), shapely.Point(), None, shapely.Point(90.01, 33.01)],
        crs="EPSG:4326",
    )
    table = values_at_points(cell_numbers(STUDY), sites)
    assert table["reason"].tolist() == ["outside", "no position", "no position", ""]
    assert table["cell"].isna().tolist() == [True, True, True, False]


def test_bilinear_is_exact_on_a_plane_and_flat_beyond_the_last_centre() -> None:
    x, y = np.meshgrid(STUDY.x, STUDY.y)
    plane = STUDY.raster(2 * x - 3 * y + 1, name="plane")
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(89.43, 102.27, 200), rng.uniform(31.58, 36.27, 200)
    table = values_at_points(plane, points(lon, lat), method="bilinear")
    np.testing.assert_allclose(table["plane"], 2 * lon - 3 * lat + 1, atol=1e-10)
    assert (table["reason"] == "").all()
    corner = values_at_points(plane, points([89.401], [36.299]), method="bilinear")
    assert corner["plane"][0] == pytest.approx(float(plane[0, 0]), abs=1e-12)
    assert corner["reason"][0] == "partial"


def test_bilinear_leaves_missing_cells_out() -> None:
    grid = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:4326")
    raster = grid.raster([[1.0, np.nan], [3.0, np.nan]], name="z")
    table = values_at_points(
        raster, points([1.0, 0.5, 1.5], [1.0, 1.0, 1.5]), method="bilinear"
    )
    assert table["z"].tolist()[:2] == [2.0, 2.0]
    assert table["reason"].tolist() == ["partial", "", "no data"]
    assert np.isnan(table["z"][2])


def test_dask_rasters_give_the_same_table() -> None:
    sites = points([90.01, 95.03], [33.01, 34.02])
    expected = values_at_points(cell_numbers(STUDY), sites)
    lazy = cell_numbers(STUDY).chunk({"y": 20, "x": 50})
    pd.testing.assert_frame_equal(values_at_points(lazy, sites), expected)


def test_what_cannot_be_read_is_refused() -> None:
    raster = cell_numbers(STUDY)
    with pytest.raises(MissingCRSError, match="points have no coordinate reference"):
        values_at_points(raster, points([90.0], [33.0], crs=None))
    with pytest.raises(MissingCRSError, match="has no coordinate"):
        values_at_points(raster.drop_vars("spatial_ref"), points([90.0], [33.0]))
    with pytest.raises(InputError, match="Unknown method 'cubic'"):
        values_at_points(raster, points([90.0], [33.0]), method="cubic")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"dims \('band', 'y', 'x'\)"):
        values_at_points(raster.expand_dims("band"), points([90.0], [33.0]))
    line = gpd.GeoSeries([shapely.LineString([(90, 33), (91, 33)])], crs="EPSG:4326")
    with pytest.raises(InputError, match="found LineString"):
        values_at_points(raster, line)


def test_bilinear_is_that_of_xarray(ndvi: xr.DataArray) -> None:
    field = ndvi.isel(time=6, drop=True)
    rng = np.random.default_rng(4)
    x, y = rng.uniform(95.06, 95.59, 300), rng.uniform(35.71, 36.14, 300)
    found = values_at_points(field, points(x, y), method="bilinear")["ndvi"]
    expected = field.interp(x=xr.DataArray(x), y=xr.DataArray(y))
    whole = np.isfinite(expected.to_numpy())
    assert whole.sum() > 200
    np.testing.assert_allclose(found[whole], expected[whole], rtol=0, atol=1e-11)


def test_touching_cells_are_one_two_or_four() -> None:
    grid = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:4326")
    raster = grid.raster([[1.0, 2.0], [4.0, 8.0]], name="z")
    sites = points([0.5, 1.0, 0.5, 1.0, 0.0], [1.5, 1.5, 1.0, 1.0, 1.0])
    table = values_at_points(raster, sites, method="mean_touching")
    assert table["z"].tolist() == [1.0, 1.5, 2.5, 3.75, 2.5]
    assert table["on_edge"].tolist() == [False, True, True, True, True]
    # a point on the outer edge touches cells that the raster does not have
    assert table["reason"].tolist() == ["", "", "", "", "partial"]


@pytest.mark.parametrize("footprint", [1, 3, 5])
def test_a_footprint_is_the_mean_around_the_cell(footprint: int) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=STUDY.shape)
    values[rng.random(STUDY.shape) < 0.3] = np.nan
    x, y = rng.uniform(89.4, 102.3, 150), rng.uniform(31.55, 36.3, 150)
    table = values_at_points(
        STUDY.raster(values, name="z"),
        points(x, y),
        method="footprint",
        footprint=footprint,
        min_valid=0.6,
    )
    padded = np.pad(values, 2, constant_values=np.nan)
    rows, columns, _ = STUDY.cells(x, y)
    reach = footprint // 2
    for k, (i, j) in enumerate(zip(rows + 2, columns + 2, strict=True)):
        around = padded[i - reach : i + reach + 1, j - reach : j + reach + 1]
        share = np.isfinite(around).mean()
        if share == 0:
            assert table["reason"][k] == "no data"
        elif share < 0.6:
            assert np.isnan(table["z"][k])
            assert table["reason"][k] == "few cells"
        else:
            assert table["z"][k] == pytest.approx(np.nanmean(around), abs=1e-12)
            assert table["reason"][k] == ("" if share == 1 else "partial")


def test_many_points_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    sites = points(np.linspace(89.5, 102.2, 100), np.linspace(31.6, 36.2, 100))
    whole = values_at_points(cell_numbers(STUDY), sites, method="footprint")
    monkeypatch.setattr(footprints_module, "BLOCK", 100)
    parts = values_at_points(cell_numbers(STUDY), sites, method="footprint")
    pd.testing.assert_frame_equal(parts, whole)


def test_the_distance_to_the_centre_is_that_of_the_geodesic() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.uniform(89.4, 102.3, 200), rng.uniform(31.55, 36.3, 200)
    table = values_at_points(cell_numbers(STUDY), points(x, y))
    centre_x, centre_y = STUDY.x[table["column"]], STUDY.y[table["row"]]
    expected = Geod(ellps="WGS84").inv(x, y, centre_x, centre_y)[2] / 1000
    np.testing.assert_allclose(table["distance"], expected, rtol=1e-3, atol=1e-6)
    assert table["distance"].max() < 3.7
    metric = Grid.from_bounds((0, 0, 3000, 3000), 1000, "EPSG:32647")
    site = points([1100], [1900], crs="EPSG:32647")
    found = values_at_points(cell_numbers(metric), site)["distance"]
    assert found[0] == pytest.approx(np.hypot(0.4, 0.4))


def test_the_precision_is_the_last_decimal_as_printed() -> None:
    x, y = [95.0, 95.5, 95.01, 95.123, 1 / 3, 102.30], [33, 33, 33, 33.1, 33, 36.29]
    table = values_at_points(cell_numbers(STUDY), points(x, y))
    expected = [1, 0.1, 0.01, 0.001, 1e-8, 0.01]
    assert table["coordinate_precision"].tolist() == expected


@given(st.integers(8940, 10229), st.integers(3156, 3630), st.integers(0, 3))
def test_decimals_are_counted_right(x: int, y: int, decimals: int) -> None:
    pair = round(x / 100, decimals), round(y / 100, decimals)
    found = coordinate_precision(points([pair[0]], [pair[1]]))[0]
    needed = next(d for d in range(4) if pair == (round(pair[0], d), round(pair[1], d)))
    assert found == 10.0**-needed


def test_samples_of_one_cell_are_counted_once() -> None:
    sites = points([90.01, 90.02, 90.04, 95.0, 80.0], [33.01, 33.02, 33.03, 34.0, 33.0])
    table = values_at_points(cell_numbers(STUDY), sites)
    assert table.attrs["n_distinct_cells"] == 2
    assert table["row"].tolist()[-1] == -1


def test_numbers_that_stand_for_nothing_are_missing() -> None:
    grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:4326")
    sites = points([0.5, 1.5, 2.5], [0.5] * 3)
    codes = grid.raster(np.array([[1, 255, 2]], dtype=np.uint8), name="z")
    table = values_at_points(codes.assign_attrs(nodata=255), sites)
    np.testing.assert_array_equal(table["z"], [1, np.nan, 2])
    assert table["reason"].tolist() == ["", "no data", ""]
    raw = grid.raster([[0.5, -9999.0, 0.7]], name="z").assign_attrs(_FillValue=-9999.0)
    half = values_at_points(raw, points([1.0], [0.5]), method="bilinear")
    assert half["z"].tolist() == [0.5]


def test_reasons_tell_gaps_in_some_columns() -> None:
    grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    dataset = xr.Dataset(
        {"a": grid.raster([[1.0, np.nan]]), "b": grid.raster([[1.0, 2.0]])}
    )
    table = values_at_points(dataset, points([0.5, 1.5], [0.5, 0.5]))
    assert table["reason"].tolist() == ["", "gaps"]


def test_settings_that_make_no_sense_are_refused() -> None:
    raster, site = cell_numbers(STUDY), points([90.0], [33.0])
    for footprint in (0, 2, -1):
        with pytest.raises(InputError, match=f"Invalid footprint {footprint}"):
            values_at_points(raster, site, method="footprint", footprint=footprint)
    with pytest.raises(InputError, match=r"Invalid min_valid 1\.5"):
        values_at_points(raster, site, min_valid=1.5)
    codes = STUDY.raster(np.ones(STUDY.shape, dtype=np.int16), name="kind")
    with pytest.raises(InputError, match=r"'kind' \(int16\) holds classes, which 'bil"):
        values_at_points(codes, site, method="bilinear")
    with pytest.raises(InputError, match="called distance, row"):
        values_at_points(xr.Dataset({"row": raster, "distance": raster}), site)
