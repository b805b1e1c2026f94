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

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.points import values_at_points

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
    assert table.columns.tolist() == ["cell", "on_edge", "reason"]


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
    pd.testing.assert_frame_equal(found, expected)


def test_times_and_variables_become_columns() -> None:
    times = pd.DatetimeIndex(["2020-06-01", "2020-08-01"])
    stack = xr.concat(
        [cell_numbers(STUDY), cell_numbers(STUDY) + 0.5],
        dim=pd.Index(times, name="time"),
    )
    dataset = xr.Dataset({"ndvi": stack, "elevation": cell_numbers(STUDY)})
    table = values_at_points(dataset, points([90.01], [33.01]))
    named = ["ndvi_2020-06-01", "ndvi_2020-08-01", "elevation"]
    assert table.columns.tolist() == [*named, "on_edge", "reason"]
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
    assert table["reason"].tolist() == ["partial", "", ""]
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
