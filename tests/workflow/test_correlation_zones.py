"""Zones of a study on the grid of its correlations keep every class apart."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box

from geosoil.grids.grid import Grid
from geosoil.workflow.class_inputs import ClassLayer
from geosoil.workflow.correlation_zones import NO_CLASS, study_zones

GRID = Grid.from_bounds((90, 32, 90.6, 32.5), 0.1, "EPSG:4326")


def zones(region=None, layers=None):
    inputs = SimpleNamespace(
        region=region, elevation=None, layers=layers or {}, config=None
    )
    return study_zones(inputs, GRID)


def region(*names):
    parts = [box(90 + 0.2 * k, 32, 90.2 + 0.2 * k, 32.5) for k in range(len(names))]
    return gpd.GeoDataFrame({"name": list(names)}, geometry=parts, crs=4326)


@pytest.mark.parametrize("code", [0, 7, 255, 1001, 70_000])
def test_a_class_of_any_code_keeps_it_and_is_not_what_is_missing(code):
    values = np.full(GRID.shape, np.nan)
    values[:2] = code
    layer = ClassLayer(GRID.raster(values), {code: "soil"})
    found = zones(layers={"soil": layer}).codes["soil"].to_numpy()
    assert (found[:2] == code).all()
    assert (found[2:] == NO_CLASS).all()


def test_polygons_of_one_name_are_one_basin():
    found = zones(region("Yellow", "Yellow", "Yangtze"))
    assert found.labels["basin"] == {1: "Yellow", 2: "Yangtze"}
    codes = found.codes["basin"].to_numpy()
    assert (codes[:, :4] == 1).all()
    assert (codes[:, 4:] == 2).all()


def test_a_polygon_without_a_name_is_no_basin():
    found = zones(region("Yellow", None, "Yangtze"))
    assert found.labels["basin"] == {1: "Yellow", 2: "Yangtze"}
    assert (found.codes["basin"].to_numpy()[:, 2:4] == NO_CLASS).all()
    assert found.mask.all()


def test_a_region_of_one_name_has_no_basins():
    assert set(zones(region("Yellow", "Yellow")).codes) == {"all"}
    assert set(zones().codes) == {"all"}
