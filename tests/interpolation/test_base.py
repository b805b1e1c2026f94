"""What holds for every interpolator: places, gaps, repeats, projections."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import ALBERS, Interpolator, merge_points, positions
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram

SMOOTH = Variogram("spherical", 0.2, 1.0, 400_000.0)
ALL = pytest.mark.parametrize(
    "make",
    [
        InverseDistance,
        lambda: InverseDistance(3.5, n_neighbors=4),
        lambda: Kriging(SMOOTH),
        lambda: Kriging(SMOOTH, n_neighbors=5),
        lambda: Kriging(SMOOTH, max_distance=2e6),
        lambda: InverseDistance(distance="wgs84"),
        lambda: Kriging(SMOOTH, distance="wgs84"),
        lambda: Kriging(SMOOTH, distance="wgs84", n_neighbors=5),
    ],
    ids=[
        "idw",
        "idw-local",
        "kriging",
        "kriging-local",
        "kriging-within",
        "idw-wgs84",
        "kriging-wgs84",
        "kriging-wgs84-local",
    ],
)
RNG = np.random.default_rng(7)
LONGITUDE, LATITUDE = RNG.uniform(90, 102, 30), RNG.uniform(32, 36, 30)
VALUES = RNG.normal(size=30)
POINTS = gpd.GeoSeries.from_xy(LONGITUDE, LATITUDE, crs="EPSG:4326")
GRID = Grid.from_bounds((89.4, 31.4, 102.4, 36.4), 0.5, "EPSG:4326")


@ALL
def test_every_interpolator_is_exact_at_its_data(make: type[Interpolator]) -> None:
    surface = make().fit(POINTS, VALUES).predict(POINTS)
    np.testing.assert_allclose(surface["estimate"], VALUES, rtol=0, atol=1e-11)
    if "kriging_variance" in surface:
        np.testing.assert_allclose(surface["kriging_variance"], 0.0, atol=1e-11)


@ALL
def test_equal_values_give_that_value_everywhere(make: type[Interpolator]) -> None:
    surface = make().fit(POINTS, np.full(30, 2.5)).grid(GRID)
    np.testing.assert_allclose(surface["estimate"], 2.5, rtol=0, atol=1e-12)


@ALL
def test_shift_scale_and_order_of_the_data_are_followed(
    make: type[Interpolator],
) -> None:
    plain = make().fit(POINTS, VALUES).grid(GRID)["estimate"]
    order = np.random.default_rng(0).permutation(30)
    moved = make().fit(POINTS[order], 10 - 3 * VALUES[order]).grid(GRID)["estimate"]
    np.testing.assert_allclose(moved, 10 - 3 * plain, rtol=0, atol=1e-10)


@ALL
def test_grid_and_points_give_the_same_answer(make: type[Interpolator]) -> None:
    surface = make().fit(POINTS, VALUES)
    x, y = np.meshgrid(GRID.x, GRID.y)
    centres = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs="EPSG:4326")
    mapped = surface.grid(GRID)
    assert Grid.of(mapped) == GRID
    assert mapped["estimate"].dims == ("y", "x")
    np.testing.assert_allclose(
        surface.predict(centres)["estimate"],
        mapped["estimate"].to_numpy().ravel(),
        rtol=0,
        atol=1e-12,
    )


@ALL
def test_gaps_are_dropped_and_counted(make: type[Interpolator]) -> None:
    places = gpd.GeoSeries([*POINTS, None, shapely.Point()], crs="EPSG:4326")
    values = np.append(VALUES, [1.0, 2.0])
    values[3] = np.nan
    surface = make().fit(places, values)
    assert surface.n_dropped_ == 3
    kept = np.delete(np.arange(30), 3)
    expected = make().fit(POINTS[kept], VALUES[kept]).grid(GRID)
    mapped = surface.grid(GRID)
    np.testing.assert_allclose(mapped["estimate"], expected["estimate"], atol=1e-12)
    assert (mapped.attrs["n_dropped"], mapped.attrs["n_points"]) == (3, 29)
    answer = surface.predict(places.iloc[29:])
    assert np.isnan(answer["estimate"]).to_numpy().tolist() == [False, True, True]


@ALL
def test_values_at_one_place_are_averaged_and_counted(make: type[Interpolator]) -> None:
    places = pd.concat([POINTS, POINTS[:2]], ignore_index=True)
    values = np.append(VALUES, VALUES[:2] + 2)
    surface = make().fit(places, values)
    merged = VALUES.copy()
    merged[:2] += 1
    assert surface.n_merged_ == 2
    np.testing.assert_allclose(
        surface.grid(GRID)["estimate"],
        make().fit(POINTS, merged).grid(GRID)["estimate"],
        atol=1e-12,
    )


@ALL
def test_one_point_is_enough(make: type[Interpolator]) -> None:
    surface = make().fit(POINTS[:1], [4.0]).grid(GRID)
    np.testing.assert_allclose(surface["estimate"], 4.0, atol=1e-12)


def test_distances_are_metres_and_not_degrees() -> None:
    # At 35 N a degree east is 91 km, a degree north 111 km.
    centre = gpd.GeoSeries.from_xy([97.0], [35.0], crs="EPSG:4326")
    east_and_north = gpd.GeoSeries.from_xy([98.0, 97.0], [35.0, 36.0], crs="EPSG:4326")
    answer = InverseDistance().fit(east_and_north, [1.0, 0.0]).predict(centre)
    geod = Geod(ellps="WGS84")
    _, _, distance = geod.inv([97, 97], [35, 35], [98, 97], [35, 36])
    weights = np.asarray(distance) ** -2.0
    expected = weights[0] / weights.sum()
    assert expected > 0.58
    assert float(answer["estimate"][0]) == pytest.approx(expected, abs=0.02)


def test_the_default_projection_keeps_areas() -> None:
    assert "aea" in ALBERS
    grid = Grid.from_bounds((89, 32, 102, 36), 1.0, "EPSG:4326")
    surface = InverseDistance().fit(POINTS, VALUES)
    boxes = gpd.GeoSeries(
        [shapely.box(x, y, x + 1, y + 1) for x, y in ((90, 32), (101, 35))]
    )
    areas = boxes.set_crs(grid.crs).to_crs(surface.crs_).area
    geod = Geod(ellps="WGS84")
    exact = [abs(geod.geometry_area_perimeter(box)[0]) for box in boxes]
    np.testing.assert_allclose(areas, exact, rtol=2e-3)


def test_projected_points_stay_in_their_crs() -> None:
    projected = POINTS.to_crs("EPSG:32647")
    surface = InverseDistance().fit(projected, VALUES)
    assert surface.crs_ == projected.crs
    own = np.column_stack([projected.x, projected.y])
    np.testing.assert_allclose(surface.points_.xy, own)
    assert np.isfinite(surface.grid(GRID)["estimate"]).all()


def test_the_index_of_the_points_labels_the_answer() -> None:
    surface = InverseDistance().fit(POINTS, VALUES)
    labelled = POINTS[:2].set_axis(["a", "b"])
    assert surface.predict(labelled)["point"].to_numpy().tolist() == ["a", "b"]


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_idw_stays_within_the_data(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy, values = rng.integers(0, 9, (count, 2)) * 100.0, rng.normal(size=count)
    surface = InverseDistance(rng.uniform(0.5, 30)).fit(xy, values)
    found = surface.predict(rng.uniform(-1e4, 1e4, (50, 2)))["estimate"]
    assert (found >= values.min() - 1e-12).all()
    assert (found <= values.max() + 1e-12).all()


def test_input_that_cannot_be_used_is_refused() -> None:
    idw = InverseDistance()
    with pytest.raises(InputError, match="is not fitted"):
        idw.grid(GRID)
    with pytest.raises(InputError, match="None of 2 points has a finite value"):
        idw.fit([[0, 0], [1, 1]], [np.nan, np.inf])
    with pytest.raises(InputError, match="None of 0 points"):
        idw.fit(np.empty((0, 2)), [])
    with pytest.raises(InputError, match=r"3 points, but values of shape \(2,\)"):
        idw.fit(np.zeros((3, 2)), [1, 2])
    with pytest.raises(InputError, match=r"Points of shape \(3, 3\)"):
        idw.fit(np.zeros((3, 3)), [1, 2, 3])
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        idw.fit(POINTS.set_crs(None, allow_override=True), VALUES)
    with pytest.raises(InputError, match="found Polygon"):
        idw.fit(POINTS.to_crs(32647).buffer(1), VALUES)
    with pytest.raises(InputError, match=r"Variances below 0.*points \[1\]"):
        Kriging(SMOOTH).fit([[0, 0], [1, 1]], [1, 2], variance=[0.1, -1])
    with pytest.raises(InputError, match="no projected CRS"):
        InverseDistance(projection="EPSG:4326")


def test_merged_points_know_how_many_they_were() -> None:
    merged = merge_points(np.array([[0.0, 0], [1, 0], [0, 0]]), [1.0, 2.0, 3.0])
    assert merged.counts is not None
    assert merged.counts.tolist() == [2.0, 1.0]


AXES = st.sampled_from([-0.0, 0.0, 1.0, -2.5]), st.sampled_from([0.0, -0.0, 3.0])


@given(st.lists(st.tuples(*AXES), min_size=1, max_size=12))
def test_places_are_merged_as_groups_of_a_table(
    places: list[tuple[float, float]],
) -> None:
    """The order is that of their first appearance; -0.0 and 0.0 are one place."""
    xy = np.array(places)
    values, variance = np.arange(len(xy)) * 1.5, np.arange(len(xy)) + 0.25
    found = merge_points(xy, values, variance=variance)
    table = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "value": values})
    groups = table.assign(variance=variance).groupby(["x", "y"], sort=False)
    np.testing.assert_array_equal(found.xy, [key for key, _ in groups])
    np.testing.assert_allclose(found.values, groups["value"].mean(), rtol=1e-15)
    expected = groups["variance"].sum() / groups.size() ** 2
    np.testing.assert_allclose(found.variance, expected, rtol=1e-15)
    assert found.n_merged == len(xy) - len(groups)


def test_bare_metres_and_degrees_do_not_meet() -> None:
    bare = InverseDistance().fit([[0.0, 0.0], [100.0, 0.0]], [1.0, 2.0])
    with pytest.raises(InputError, match="fitted to bare metres and the grid"):
        bare.grid(GRID)
    with pytest.raises(InputError, match="The fit was to bare metres"):
        bare.predict(POINTS)
    metric = Grid.from_bounds((0, 0, 100, 100), 50, "EPSG:32647")
    assert bare.grid(metric)["estimate"].shape == (2, 2)
    xy = positions(POINTS, InverseDistance().fit(POINTS, VALUES).crs_)
    fitted = InverseDistance().fit(POINTS, VALUES)
    np.testing.assert_array_equal(
        fitted.predict(xy)["estimate"], fitted.predict(POINTS)["estimate"]
    )
