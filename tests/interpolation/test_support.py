"""Where a map may speak: each rule by itself, together, and their areas."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from pyproj import Geod
from scipy.optimize import linprog

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area
from geosoil.interpolation.support import (
    REASONS,
    SupportRules,
    map_support,
    support_area,
)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return Grid.from_bounds((0, 0, 10_000, 8000), 1000, "EPSG:32647")


@pytest.fixture(scope="module")
def points() -> gpd.GeoSeries:
    rng = np.random.default_rng(3)
    return gpd.GeoSeries.from_xy(
        rng.uniform(0, 5000, 12), rng.uniform(0, 8000, 12), crs=32647
    )


def smooth(grid: Grid, seed: int) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    return grid.raster(rng.normal(size=grid.shape).cumsum(axis=0).cumsum(axis=1))


def test_distance_is_to_the_nearest_datum_also_from_degrees() -> None:
    grid = Grid.from_bounds((90, 32, 91, 33), 0.25, "EPSG:4326")
    points = gpd.GeoSeries.from_xy([90.1, 90.8], [32.2, 32.9], crs=4326)
    found = map_support(points, grid)["distance"]
    x, y = np.meshgrid(grid.x, grid.y)
    geod = Geod(ellps="WGS84")
    lengths = [
        geod.inv(x, y, np.full_like(x, p.x), np.full_like(y, p.y))[2] for p in points
    ]
    # The plane of an equal-area projection stretches some directions by a percent.
    np.testing.assert_allclose(found, np.min(lengths, axis=0) / 1000, rtol=0.02)
    assert found.attrs["units"] == "km"


def test_each_rule_sets_its_own_bit(grid: Grid, points: gpd.GeoSeries) -> None:
    height = grid.raster(np.broadcast_to(np.arange(10.0) * 100, grid.shape))
    spread = grid.raster(np.broadcast_to(np.linspace(0, 1, 10), grid.shape))
    rules = SupportRules(max_distance=2500.0, max_variance_share=0.8, sill=0.5)
    found = map_support(
        points, grid, elevation=height, kriging_variance=spread, rules=rules
    )
    reason = found["reason"].to_numpy()
    far = found["distance"].to_numpy() > 2.5
    columns = np.floor(points.x / 1000)
    beyond = (height < columns.min() * 100) | (height > columns.max() * 100)
    np.testing.assert_array_equal(reason & 1 > 0, far)
    np.testing.assert_array_equal(reason & 2 > 0, spread > 0.4)
    np.testing.assert_array_equal(reason & 4 > 0, beyond)
    assert set(np.unique(reason & 8)) == {0}
    assert far.any()
    assert beyond.any()


def test_no_rule_leaves_every_cell(grid: Grid, points: gpd.GeoSeries) -> None:
    found = map_support(points, grid)
    assert (found["reason"] == 0).all()
    assert found["reason"].dtype == np.uint8
    assert found["reason"].attrs["flag_meanings"].split() == list(REASONS)
    assert found["reason"].attrs["flag_masks"].tolist() == [1, 2, 4, 8, 16]


def in_hull(samples: np.ndarray, target: np.ndarray) -> bool:
    """Look for weights of 0 or more that sum to 1 and make the target."""
    system = np.vstack([samples.T, np.ones(len(samples))])
    answer = linprog(
        np.zeros(len(samples)), A_eq=system, b_eq=np.append(target, 1.0), bounds=(0, 1)
    )
    return answer.status == 0


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_hull_is_that_of_a_linear_program(
    grid: Grid, points: gpd.GeoSeries, count: int
) -> None:
    layers = xr.Dataset({f"c{i}": smooth(grid, i) for i in range(count)})
    reason = map_support(points, grid, covariates=layers)["reason"].to_numpy()
    space = np.stack([layers[f"c{i}"].to_numpy() for i in range(count)], axis=-1)
    rows, columns, _ = grid.cells(points.x, points.y)
    samples = space[rows, columns]
    expected = [
        [not in_hull(samples, space[row, column]) for column in range(10)]
        for row in range(8)
    ]
    np.testing.assert_array_equal(reason == 8, expected)
    assert (reason == 0).any()
    assert (reason == 8).any()


def test_one_covariate_has_its_range_for_a_hull(
    grid: Grid, points: gpd.GeoSeries
) -> None:
    layer = smooth(grid, 5)
    as_covariate = map_support(points, grid, covariates=xr.Dataset({"c": layer}))
    as_height = map_support(points, grid, elevation=layer)
    np.testing.assert_array_equal(as_covariate["reason"] == 8, as_height["reason"] == 4)


def test_the_unit_of_a_covariate_does_not_matter(
    grid: Grid, points: gpd.GeoSeries
) -> None:
    layers = xr.Dataset({f"c{i}": smooth(grid, i) for i in range(3)})
    scaled = layers.assign(c1=layers["c1"] * 1e6 + 3)
    first, second = (
        map_support(points, grid, covariates=given)["reason"]
        for given in (layers, scaled)
    )
    np.testing.assert_array_equal(first, second)


def test_the_cells_of_the_samples_are_supported(
    grid: Grid, points: gpd.GeoSeries
) -> None:
    layers = xr.Dataset({f"c{i}": smooth(grid, i) for i in range(4)})
    reason = map_support(points, grid, elevation=layers["c0"], covariates=layers)[
        "reason"
    ].to_numpy()
    rows, columns, _ = grid.cells(points.x, points.y)
    assert (reason[rows, columns] == 0).all()


def test_a_cell_that_cannot_be_judged_says_so(
    grid: Grid, points: gpd.GeoSeries
) -> None:
    height = smooth(grid, 1)
    height[0, 9] = np.nan
    layers = xr.Dataset({"c0": smooth(grid, 2), "c1": smooth(grid, 3)})
    layers["c1"][0, 8] = np.nan
    spread = grid.raster(np.zeros(grid.shape))
    spread[0, 7] = np.nan
    reason = map_support(
        points,
        grid,
        elevation=height,
        covariates=layers,
        kriging_variance=spread,
        rules=SupportRules(sill=1.0),
    )["reason"].to_numpy()
    assert ((reason & 16) > 0).sum() == 3
    assert (reason[0, 7:] & 16 > 0).all()
    assert reason[0, 9] & 4 == 0
    assert reason[0, 8] & 8 == 0


def test_areas_add_up_in_degrees_and_within_a_mask() -> None:
    grid = Grid.from_bounds((90, 32, 92, 34), 0.5, "EPSG:4326")
    points = gpd.GeoSeries.from_xy([90.2], [32.2], crs=4326)
    support = map_support(points, grid, rules=SupportRules(max_distance=120_000.0))
    mask = grid.raster(np.arange(16).reshape(4, 4) % 3 > 0)
    table = support_area(support, mask=mask)
    area = cell_area(grid).where(mask, 0.0)
    assert table.loc["all", "area_km2"] == pytest.approx(float(area.sum()))
    far = area.where(support["distance"] > 120.0, 0.0)
    assert table.loc["far_from_data", "area_km2"] == pytest.approx(float(far.sum()))
    others = ["variance_near_sill", "elevation_beyond_samples"]
    assert table.loc[others, "area_km2"].isna().all()
    assert table.loc["not_judged", "area_km2"] == 0.0
    parts = table.loc[["ok", "any"], "share"]
    assert parts.sum() == pytest.approx(1.0)
    assert 0 < parts["ok"] < 1


def test_bad_input_is_refused(grid: Grid, points: gpd.GeoSeries) -> None:
    layer = smooth(grid, 1)
    many = xr.Dataset({f"c{i}": layer for i in range(5)})
    flat = xr.Dataset({"c0": layer, "c1": 2 * layer})
    support = map_support(points, grid)
    nothing = grid.raster(np.zeros(grid.shape, dtype=bool))
    with pytest.raises(InputError, match="only beside the sill"):
        map_support(points, grid, kriging_variance=layer)
    with pytest.raises(InputError, match=r"5 covariates: c0, c1, c2, c3, c4\. Give"):
        map_support(points, grid, covariates=many)
    with pytest.raises(InputError, match="span no hull in 2 covariates"):
        map_support(points, grid, covariates=flat)
    with pytest.raises(InputError, match="No point lies on a cell with elevation"):
        map_support(points.translate(1e6), grid, elevation=layer)
    with pytest.raises(InputError, match="None of 1 points has a place"):
        map_support(gpd.GeoSeries([None], crs=32647), grid)
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        map_support(points.set_crs(None, allow_override=True), grid)
    with pytest.raises(GridMismatchError, match="elevation and support"):
        map_support(points, grid, elevation=layer[1:])
    with pytest.raises(InputError, match=r"max_distance is -1.*sill is 0"):
        SupportRules(max_distance=-1.0, sill=0.0)
    with pytest.raises(InputError, match="mask holds no cell"):
        support_area(support, mask=nothing)
