"""Elevation of sites: values, holes, and models that do not reach."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.elevation_points import elevation_at_points
from geosoil.grids.grid import Grid

GRID = Grid.from_bounds((98.0, 34.0, 98.4, 34.2), 0.1, "EPSG:4326")
DEM = GRID.raster(np.array([[4000.0, 4100, 4200, 4300], [4400, 4500, 4600, 4700]]))


def sites(*places, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(places), crs="EPSG:4326")


def test_a_plane_is_read_exactly_between_its_cells():
    table = elevation_at_points(DEM, sites(Point(98.13, 34.1), Point(98.2, 34.12)))
    assert table["elevation"].tolist() == pytest.approx([4280.0, 4270.0])


def test_samples_beyond_the_model_are_named_with_its_bounds():
    points = sites(
        Point(98.1, 34.1), Point(97.0, 34.1), Point(98.1, 35.0), sample_id=list("abc")
    )
    words = (
        r"does not cover 2 of 3 samples: b \(97, 34.1\), c \(98.1, 35\)"
        r".*x 98.0 to 98.4 and y 34.0 to 34.2"
    )
    with pytest.raises(InputError, match=words):
        elevation_at_points(DEM, points)


def test_samples_beyond_the_model_stay_where_that_is_asked_for():
    table = elevation_at_points(DEM, sites(Point(97.0, 34.1)), outside="keep")
    assert np.isnan(table["elevation"]).all()
    assert table["reason"].tolist() == ["outside"]


def test_a_hole_and_an_empty_place_stay_missing():
    codes = DEM.astype(np.int16).assign_attrs(nodata=4000)
    points = sites(Point(98.02, 34.18), Point(), Point(98.25, 34.15))
    table = elevation_at_points(codes, points, method="nearest")
    np.testing.assert_array_equal(table["elevation"], [np.nan, np.nan, 4200.0])
    assert table["reason"].iloc[1] == "no position"


def test_a_model_or_points_without_crs_are_refused():
    with pytest.raises(MissingCRSError):
        elevation_at_points(DEM.drop_vars("spatial_ref"), sites(Point(98.1, 34.1)))
    with pytest.raises(MissingCRSError):
        elevation_at_points(DEM, gpd.GeoSeries([Point(98.1, 34.1)]))


def test_an_unknown_rule_is_refused():
    with pytest.raises(InputError, match=r"'drop'.*refuse, keep"):
        elevation_at_points(DEM, sites(Point(98.1, 34.1)), outside="drop")
