"""Tests of where things lie on a map."""

from __future__ import annotations

import cartopy.crs as ccrs
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.projection import (
    cell_corners,
    drawable,
    finite_points,
    lonlat_bounds,
    map_extent,
    map_projection,
    panel_width,
    plain_raster,
    projection_for,
)

STUDY = (89.4, 31.55, 102.3, 36.3)


def test_the_study_region_lies_in_albers_25_47_96():
    parameters = projection_for(STUDY).proj4_params
    assert parameters["proj"] == "aea"
    assert (parameters["lat_1"], parameters["lat_2"]) == (25, 47)
    assert parameters["lon_0"] == 96


@pytest.mark.parametrize(
    "bounds",
    [(-70.0, -30.0, -68.0, -27.0), (10.0, -5.0, 12.0, 5.0), (170, -40, 179, -30)],
)
def test_regions_elsewhere_lie_in_an_equal_area_projection_about_them(bounds):
    projection = projection_for(bounds)
    assert projection.proj4_params["proj"] == "laea"
    middle = (bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0
    place = projection.transform_point(*middle, ccrs.PlateCarree())
    np.testing.assert_allclose(place, (0.0, 0.0), atol=1e-6)


def test_corners_of_cells_lie_half_a_cell_from_their_centres(grid: Grid):
    projection = projection_for(STUDY)
    x, y = cell_corners(grid, projection)
    assert x.shape == (96, 259)
    corner = projection.transform_point(89.4, 36.3, ccrs.PlateCarree())
    np.testing.assert_allclose((x[0, 0], y[0, 0]), corner, atol=0.01)
    corner = projection.transform_point(102.3, 31.55, ccrs.PlateCarree())
    np.testing.assert_allclose((x[-1, -1], y[-1, -1]), corner, atol=0.01)


def test_all_cells_of_a_row_have_one_area(grid: Grid):
    x, y = cell_corners(grid, projection_for(STUDY))
    rings = np.stack(
        [
            np.stack([c[:-1, :-1], c[:-1, 1:], c[1:, 1:], c[1:, :-1]], axis=-1)
            for c in (x, y)
        ],
        axis=-1,
    )
    area = shapely.area(shapely.polygons(rings))
    np.testing.assert_allclose(
        area, np.broadcast_to(area[:, :1], area.shape), rtol=1e-6
    )
    assert np.all(np.diff(area[:, 0]) > 0), "cells are larger towards the equator"


def test_a_projected_raster_is_placed_by_its_own_crs():
    utm = Grid.from_bounds((300000, 3700000, 302000, 3701000), 1000, "EPSG:32647")
    x, y = cell_corners(utm, ccrs.UTM(47))
    np.testing.assert_allclose(x[0], [300000, 301000, 302000], atol=0.01)
    np.testing.assert_allclose(y[:, 0], [3701000, 3700000], atol=0.01)
    west, south, east, north = lonlat_bounds(utm.bounds, utm.crs)
    assert 96 < west < east < 102
    assert 33 < south < north < 34


def test_points_with_data_are_the_corners_of_cells_with_a_value(grid: Grid):
    values = np.full(grid.shape, np.nan)
    values[10, 20] = values[10, 21] = 1.0
    points = finite_points([grid.raster(values)], ccrs.PlateCarree())
    wanted = {(90.4, 35.8), (90.45, 35.8), (90.5, 35.8)}
    wanted |= {(longitude, 35.75) for longitude, _ in wanted}
    assert {(round(x, 6), round(y, 6)) for x, y in points} == wanted
    assert finite_points([], ccrs.PlateCarree()).shape == (0, 2)


def test_block_means_keep_known_values_and_their_place():
    fine = Grid.from_bounds((0, 0, 5, 5), 1, "EPSG:4326")
    values = np.arange(25.0).reshape(5, 5)
    values[:2, :2] = np.nan
    values[0, 2] = np.nan
    means, coarse = drawable(fine.raster(values), most_cells=3)
    wanted = [
        [np.nan, np.mean([3, 7, 8]), np.mean([4, 9])],
        [np.mean([10, 11, 15, 16]), np.mean([12, 13, 17, 18]), np.mean([14, 19])],
        [np.mean([20, 21]), np.mean([22, 23]), 24.0],
    ]
    np.testing.assert_allclose(means, wanted)
    assert coarse.bounds == (0.0, -1.0, 6.0, 5.0)
    same, grid = drawable(fine.raster(values), most_cells=5)
    np.testing.assert_array_equal(same, values)
    assert grid == fine


def test_the_frame_holds_the_region_before_the_data():
    region = gpd.GeoDataFrame(geometry=[shapely.box(90, 32, 100, 36)], crs="EPSG:4326")
    far = np.array([[9e6, 9e6]])
    extent = map_extent(far, region, ccrs.PlateCarree())
    np.testing.assert_allclose(extent, (89.75, 100.25, 31.75, 36.25))


def test_nothing_to_map_is_an_error():
    with pytest.raises(InputError, match="Nothing to map"):
        map_extent(np.empty((0, 2)), None, ccrs.PlateCarree())


def test_plain_axes_are_no_map_panel():
    with pytest.raises(InputError, match="no map panel"):
        map_projection(Figure().subplots())


def test_a_panel_shows_one_field_only():
    cube = xr.DataArray(np.zeros((2, 3, 4)), dims=("time", "y", "x"), name="r")
    with pytest.raises(InputError, match="'r' has the dims"):
        plain_raster(cube)
    with pytest.raises(InputError, match="one field"):
        plain_raster(xr.DataArray(np.zeros(3), dims="point"))
    turned = plain_raster(cube[:1].transpose("x", "y", "time"))
    assert turned.dims == ("y", "x")


def test_a_panels_width_is_in_inches():
    figure = Figure(figsize=(8.0, 3.0))
    assert panel_width(figure.add_axes((0.1, 0.1, 0.25, 0.5))) == pytest.approx(2.0)
