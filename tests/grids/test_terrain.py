"""Slope and aspect: planes, true metres, holes, and a second opinion."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.terrain import cell_size, gradient, slope_aspect

UTM = Grid.from_bounds((400_000, 3_650_000, 560_000, 3_790_000), 5000, "EPSG:32647")
METRIC = Grid.from_bounds((500_000, 3_800_000, 500_700, 3_800_500), 100, "EPSG:32647")


def plane(grid, azimuth, steepness):
    """Elevation that falls towards an azimuth."""
    x, y = np.meshgrid(grid.x, grid.y)
    towards = x * np.sin(np.radians(azimuth)) + y * np.cos(np.radians(azimuth))
    return grid.raster(
        4000.0 - np.tan(np.radians(steepness)) * (towards - towards.min())
    )


@pytest.mark.parametrize("azimuth", [0, 45, 90, 135, 180, 225, 270, 315, 17.3])
@pytest.mark.parametrize("steepness", [0.5, 12.0, 60.0])
def test_a_plane_has_one_slope_and_faces_where_it_falls(azimuth, steepness):
    terrain = slope_aspect(plane(METRIC, azimuth, steepness))
    inner = (slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(terrain["slope"].values[inner], steepness, rtol=1e-7)
    turn = (terrain["aspect"].values[inner] - azimuth + 180.0) % 360.0 - 180.0
    np.testing.assert_allclose(turn, 0.0, atol=1e-6)


def test_the_outermost_cells_are_missing():
    slope = slope_aspect(plane(METRIC, 90, 10))["slope"].values
    edge = np.ones(METRIC.shape, dtype=bool)
    edge[1:-1, 1:-1] = False
    assert np.array_equal(np.isnan(slope), edge)


def test_flat_ground_has_no_aspect():
    terrain = slope_aspect(METRIC.raster(np.full(METRIC.shape, 4200.0)))
    assert np.all(terrain["slope"].values[1:-1, 1:-1] == 0.0)
    assert np.isnan(terrain["aspect"].values).all()


def test_a_hole_spoils_itself_and_its_neighbours_only():
    elevation = plane(METRIC, 200, 15)
    elevation[2, 3] = np.nan
    slope = slope_aspect(elevation)["slope"].values
    expected = np.ones(METRIC.shape, dtype=bool)
    expected[1:-1, 1:-1] = False
    expected[1:4, 2:5] = True
    assert np.array_equal(np.isnan(slope), expected)


@pytest.mark.parametrize("latitude", [-62.0, 0.0, 35.0, 71.0])
def test_degrees_are_turned_into_metres_of_the_ellipsoid(latitude):
    grid = Grid.from_bounds((95, latitude - 0.5, 96, latitude + 0.5), 0.1, "EPSG:4326")
    width, height = cell_size(grid)
    geod = Geod(ellps="WGS84")
    for row, north in enumerate(grid.y):
        # a geodesic leaves its parallel, by less than 1e-6 of so short a way
        _, _, across = geod.inv(95.0, north, 95.1, north)
        _, _, along = geod.inv(95.0, north - 0.05, 95.0, north + 0.05)
        assert width[row] == pytest.approx(across, rel=2e-6)
        assert height[row] == pytest.approx(along, rel=2e-6)


def test_eastward_and_northward_slopes_differ_at_35_north():
    grid = Grid.from_bounds((95, 34.5, 96, 35.5), 0.1, "EPSG:4326")
    x, y = np.meshgrid(grid.x, grid.y)
    east = slope_aspect(grid.raster(5000.0 * x))["slope"].values[5, 5]
    north = slope_aspect(grid.raster(5000.0 * y))["slope"].values[5, 5]
    geod = Geod(ellps="WGS84")
    metres_east = geod.inv(95.4, grid.y[5], 95.6, grid.y[5])[2] / 0.2
    metres_north = geod.inv(95, grid.y[5] - 0.1, 95, grid.y[5] + 0.1)[2] / 0.2
    assert np.tan(np.radians(east)) == pytest.approx(5000 / metres_east, rel=1e-5)
    assert np.tan(np.radians(north)) == pytest.approx(5000 / metres_north, rel=1e-5)
    assert east > 1.2 * north


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_turning_the_map_turns_the_aspect(seed):
    grid = Grid.from_bounds((0, 0, 600, 600), 100, "EPSG:32647")
    values = np.random.default_rng(seed).uniform(3000, 5000, grid.shape)
    first = slope_aspect(grid.raster(values))
    turned = slope_aspect(grid.raster(np.rot90(values)))
    np.testing.assert_allclose(
        turned["slope"].values, np.rot90(first["slope"].values), rtol=1e-12
    )
    turn = np.rot90(first["aspect"].values) - 90.0 - turned["aspect"].values
    turn = turn[1:-1, 1:-1]
    np.testing.assert_allclose((turn + 180.0) % 360.0 - 180.0, 0.0, atol=1e-9)


@pytest.mark.skipif(shutil.which("gdaldem") is None, reason="gdaldem is absent")
@pytest.mark.parametrize("kind", ["slope", "aspect"])
def test_gdaldem_finds_the_same(tmp_path, kind):
    values = np.random.default_rng(4).uniform(3000, 5000, METRIC.shape)
    source, target = tmp_path / "z.tif", tmp_path / "out.tif"
    with rasterio.open(
        source,
        "w",
        driver="GTiff",
        height=METRIC.shape[0],
        width=METRIC.shape[1],
        count=1,
        dtype="float64",
        crs="EPSG:32647",
        transform=METRIC.transform,
    ) as file:
        file.write(values, 1)
    subprocess.run(["gdaldem", kind, source, target, "-q"], check=True, timeout=60)
    with rasterio.open(target) as file:
        theirs = file.read(1)[1:-1, 1:-1]
    ours = slope_aspect(METRIC.raster(values))[kind].values[1:-1, 1:-1]
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)


def test_a_cube_or_a_strip_is_refused():
    with pytest.raises(InputError, match=r"one raster \(y, x\) of at least 3 x 3"):
        slope_aspect(plane(METRIC, 0, 5)[:2])
    with pytest.raises(InputError, match="dims"):
        slope_aspect(plane(METRIC, 0, 5).expand_dims("time"))


def test_elevation_without_crs_is_refused():
    bare = plane(METRIC, 0, 5).drop_vars("spatial_ref")
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        slope_aspect(bare)


def test_slope_and_aspect_of_a_real_model_are_those_of_gdaldem(golden):
    expected = np.load(golden / "geo" / "terrain" / "etopo5_utm47.npz")
    terrain = slope_aspect(UTM.raster(expected["elevation"]))
    for kind in ("slope", "aspect"):
        theirs = np.where(expected[kind] == -9999, np.nan, expected[kind])
        ours = terrain[kind].values
        assert np.array_equal(np.isnan(ours), np.isnan(theirs))
        np.testing.assert_allclose(ours, theirs, rtol=3e-6, atol=2e-5)


def test_a_cone_faces_away_from_its_top_with_one_slope():
    grid = Grid.from_bounds((-10_000, -10_000, 10_000, 10_000), 100, "EPSG:32647")
    x, y = np.meshgrid(grid.x, grid.y)
    distance = np.hypot(x, y)
    terrain = slope_aspect(grid.raster(6000.0 - 0.3 * distance))
    far = (distance > 5000) & np.isfinite(terrain["slope"].values)
    bearing = np.degrees(np.arctan2(x, y)) % 360
    turn = (terrain["aspect"].values - bearing + 180) % 360 - 180
    # Horn's differences leave a cone by (cell / distance)^2
    assert np.abs(turn[far]).max() < 0.01
    slope = np.degrees(np.arctan(0.3))
    assert np.abs(terrain["slope"].values[far] - slope).max() < 0.005


def hill(easting, northing):
    """A smooth hill, and its gradient, in metres around a place."""
    height = 1500.0 * np.exp(-((easting / 3e4) ** 2) - (northing / 2e4) ** 2)
    return (
        4000.0 + height,
        -2.0 * easting / 9e8 * height,
        -2.0 * northing / 4e8 * height,
    )


@pytest.mark.parametrize(
    ("crs", "step", "geometry", "degree"),
    [
        ("EPSG:4326", 0.005, "map", 0.06),
        ("+proj=aea +lat_1=25 +lat_2=47 +lon_0=105", 500.0, "ellipsoid", 0.06),
        ("EPSG:32645", 500.0, "ellipsoid", 0.06),
    ],
)
def test_a_hill_has_one_slope_and_aspect_on_every_map(crs, step, geometry, degree):
    # a map that is true in all directions near its centre is the independent reference
    local = CRS("+proj=aeqd +lat_0=35 +lon_0=92")
    there = Transformer.from_crs(local, crs, always_xy=True).transform(0.0, 0.0)
    west, south = (np.floor(v / step) * step - 60 * step for v in there)
    bounds = (west, south, west + 120 * step, south + 120 * step)
    grid = Grid.from_bounds(bounds, step, crs)
    back = Transformer.from_crs(crs, local, always_xy=True)
    height, p, q = hill(*back.transform(*np.meshgrid(grid.x, grid.y)))
    terrain = slope_aspect(grid.raster(height), geometry=geometry)
    steep = np.hypot(p, q) > 0.02
    steep &= np.isfinite(terrain["slope"].values)
    slope = np.degrees(np.arctan(np.hypot(p, q)))
    aspect = np.degrees(np.arctan2(-p, -q))
    assert steep.sum() > 500
    # north of the reference turns by up to 0.2 degrees within 30 km of its centre
    turn = (terrain["aspect"].values - aspect + 180) % 360 - 180
    assert np.abs(turn[steep]).max() < 0.35
    assert np.abs(terrain["slope"].values - slope)[steep].max() < degree


def test_the_top_of_an_albers_map_is_not_north():
    grid = Grid.from_bounds(
        (-1_010_000, 3_500_000, -1_000_000, 3_510_000),
        1000,
        CRS("+proj=aea +lat_1=25 +lat_2=47 +lon_0=105"),
    )
    up_the_map = plane(grid, 0, 10)
    assert slope_aspect(up_the_map)["aspect"].values[5, 5] == pytest.approx(0, abs=1e-9)
    true = slope_aspect(up_the_map, geometry="ellipsoid")["aspect"].values[5, 5]
    assert 352 < true < 355


def test_the_code_of_missing_cells_is_no_elevation():
    values = np.full(METRIC.shape, 4000, dtype=np.int16)
    values[0, 0] = -32768
    dem = METRIC.raster(values).assign_attrs(nodata=-32768)
    slope = slope_aspect(dem)["slope"].values
    assert np.isnan(slope[1, 1])
    assert (slope[1:-1, 2:-1] == 0).all()


def test_rows_from_south_to_north_are_turned_first():
    dem = plane(METRIC, 30, 20)
    eastward, northward, grid = gradient(dem.isel(y=slice(None, None, -1)))
    np.testing.assert_array_equal(eastward, gradient(dem)[0])
    np.testing.assert_array_equal(northward, gradient(dem)[1])
    assert grid == METRIC


def test_an_unknown_geometry_is_refused():
    with pytest.raises(InputError, match=r"'sphere'.*map, ellipsoid"):
        slope_aspect(plane(METRIC, 0, 5), geometry="sphere")
