"""Interpolation in triangles, against planes, scipy and brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CloughTocher2DInterpolator, LinearNDInterpolator
from scipy.spatial import ConvexHull, Delaunay
from scipy.spatial.distance import cdist

from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.triangulation import Triangulation

seeds = st.integers(0, 2**32 - 1)
BOTH = pytest.mark.parametrize("method", ["linear", "cubic"])


def random_data(seed: int, count: int = 25) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform([1e5, 3.7e6], [4e5, 4e6], (count, 2)), rng.normal(size=count)


@BOTH
@settings(max_examples=8)
@given(seed=seeds, slopes=st.tuples(*[st.floats(-5, 5)] * 3))
def test_a_plane_is_reproduced(
    method: str, seed: int, slopes: tuple[float, float, float]
) -> None:
    xy, _ = random_data(seed)
    level, east, north = slopes

    def plane(places: np.ndarray) -> np.ndarray:
        return level + places @ [east / 1e5, north / 1e5]

    targets = np.random.default_rng(seed + 1).uniform([1e5, 3.7e6], [4e5, 4e6], (50, 2))
    surface = Triangulation(method).fit(xy, plane(xy))  # type: ignore[arg-type]
    found = surface.predict(targets)["estimate"].to_numpy()
    inside = np.isfinite(found)
    scale = 1e-10 * (1 + np.abs(plane(xy)).max())
    np.testing.assert_allclose(found[inside], plane(targets)[inside], atol=scale)


@settings(max_examples=20)
@given(seeds)
def test_linear_is_the_plane_through_the_corners_of_the_triangle(seed: int) -> None:
    xy, values = random_data(seed, 8)
    targets = np.random.default_rng(seed + 1).uniform([1e5, 3.7e6], [4e5, 4e6], (40, 2))
    expected = np.full(40, np.nan)
    for corners in Delaunay(xy - xy.mean(axis=0)).simplices:
        system = np.vstack([(xy[corners] - xy[0]).T / 1e5, np.ones(3)])
        right = np.vstack([(targets - xy[0]).T / 1e5, np.ones(40)])
        weights = np.linalg.solve(system, right)
        inside = (weights >= 0).all(axis=0)
        expected[inside] = values[corners] @ weights[:, inside]
    found = Triangulation().fit(xy, values).predict(targets)["estimate"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)


def test_both_equal_scipy_on_the_meuse(meuse: pd.DataFrame, sites: np.ndarray) -> None:
    values = meuse["log_zinc"].to_numpy()
    grid = Grid.from_bounds((178_500, 329_600, 181_500, 333_700), 100, "EPSG:28992")
    targets = np.column_stack([a.ravel() for a in np.meshgrid(grid.x, grid.y)])
    centre = sites.mean(axis=0)
    linear = LinearNDInterpolator(sites - centre, values)(targets - centre)
    found = Triangulation().fit(sites, values).grid(grid)["estimate"].to_numpy()
    np.testing.assert_allclose(found.ravel(), linear, rtol=0, atol=1e-9)
    # scipy ends its search at 1e-6; told to go on, it finds the same.
    smooth = CloughTocher2DInterpolator(
        (sites - centre) / 1000, values, tol=1e-13, maxiter=10_000
    )((targets - centre) / 1000)
    found = Triangulation("cubic").fit(sites, values).grid(grid)["estimate"].to_numpy()
    np.testing.assert_allclose(found.ravel(), smooth, rtol=0, atol=1e-9)


@settings(max_examples=20)
@given(seeds)
def test_linear_stays_within_the_corners_and_the_hull(seed: int) -> None:
    xy, values = random_data(seed)
    targets = np.random.default_rng(seed + 1).uniform([0, 3.6e6], [5e5, 4.1e6], (80, 2))
    answer = Triangulation().fit(xy, values).predict(targets)
    found = answer["estimate"].to_numpy()
    sides = ConvexHull(xy - xy[0]).equations
    depth = ((targets - xy[0]) @ sides[:, :2].T + sides[:, 2]).max(axis=1)
    clear = np.abs(depth) > 1e-6
    np.testing.assert_array_equal(np.isfinite(found[clear]), depth[clear] < 0)
    assert np.nanmin(found, initial=0) >= min(values.min(), 0) - 1e-12
    assert np.nanmax(found, initial=0) <= max(values.max(), 0) + 1e-12
    assert answer.attrs["n_outside_hull"] == np.isnan(found).sum()


@BOTH
@settings(max_examples=8)
@given(
    seed=seeds, unit=st.sampled_from([1e-3, 0.3048, 1e3]), moved=st.floats(-1e7, 1e7)
)
def test_neither_unit_nor_origin_of_the_places_matters(
    method: str, seed: int, unit: float, moved: float
) -> None:
    xy, values = random_data(seed)
    rng = np.random.default_rng(seed + 1)
    targets = rng.uniform([1e5, 3.7e6], [4e5, 4e6], (30, 2))
    plain = Triangulation(method).fit(xy, values)  # type: ignore[arg-type]
    other = Triangulation(method).fit(unit * (xy + moved), values)  # type: ignore[arg-type]
    found = other.predict(unit * (targets + moved))["estimate"]
    np.testing.assert_allclose(
        found, plain.predict(targets)["estimate"], rtol=0, atol=1e-6
    )


def test_cells_outside_the_hull_are_empty_and_counted() -> None:
    surface = Triangulation().fit([[0, 0], [125, 0], [0, 125]], [1.0, 2.0, 3.0])
    mapped = surface.grid(Grid.from_bounds((0, 0, 100, 100), 50, "EPSG:32647"))
    np.testing.assert_allclose(mapped["estimate"], [[2.4, np.nan], [1.6, 2.0]])
    assert mapped.attrs["n_outside_hull"] == 1
    assert mapped.attrs["method"] == "linear interpolation in Delaunay triangles"
    assert mapped["estimate"].attrs["comment"] == "NaN outside the hull of the data"


@pytest.mark.parametrize("spread", [0.0, 1e-5])
def test_places_on_one_line_are_refused(spread: float) -> None:
    along = np.linspace(0, 1e5, 9)
    xy = np.column_stack([along, 2 * along + spread * np.cos(np.arange(9))])
    with pytest.raises(InputError, match=r"all 9 places lie on one line.*Nearest"):
        Triangulation().fit(xy, along)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="needs 3 different places, found 2"):
        Triangulation().fit([[0, 0], [1, 0], [1, 0]], [1, 2, 3])
    with pytest.raises(InputError, match="Unknown method 'nearest'"):
        Triangulation("nearest")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Triangulation cannot use the variance"):
        Triangulation().fit([[0, 0], [1, 0], [0, 1]], [1, 2, 3], variance=[1, 1, 1])


def test_a_datum_that_triangles_cannot_tell_apart_is_named() -> None:
    xy = np.array([[0, 0], [1e6, 0], [0, 1e6], [3e5, 3e5], [3e5, 3e5 + 6e-11]])
    assert cdist(xy[3:4], xy[4:5]).item() > 0
    with pytest.warns(GeosoilWarning, match="1 data lie too close to another"):
        Triangulation().fit(xy, [1.0, 2.0, 3.0, 4.0, 5.0])
