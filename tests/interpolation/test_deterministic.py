"""What holds for every interpolator beside kriging."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geosoil.grids.grid import Grid
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.deterministic import PlaceUnit, answer_in_blocks
from geosoil.interpolation.estimators import ScikitLearn, Verde
from geosoil.interpolation.nearest import NearestNeighbor
from geosoil.interpolation.radial_basis import RadialBasis
from geosoil.interpolation.triangulation import Triangulation
from geosoil.interpolation.validation import cross_validate
from geosoil.interpolation.validation_folds import Folds

Make = Callable[[], Interpolator]


class Mean:
    """The simplest estimator."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.mean = y[: len(X)].mean()

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.full(len(X), self.mean)


class NearestGridder:
    """The simplest gridder that is exact at its data."""

    def fit(
        self, coordinates: tuple[np.ndarray, ...], data: np.ndarray, weights: Any = None
    ) -> None:
        assert weights is None
        self.nearest = NearestNeighbor().fit(np.column_stack(coordinates), data)

    def predict(self, coordinates: tuple[np.ndarray, ...]) -> np.ndarray:
        found = self.nearest.predict(np.column_stack(coordinates))
        return found["estimate"].to_numpy()


MAKERS: dict[str, Make] = {
    "nearest": NearestNeighbor,
    "linear": Triangulation,
    "cubic": lambda: Triangulation("cubic"),
    "spline": RadialBasis,
    "smooth": lambda: RadialBasis(smoothing=0.1),
    "spline-local": lambda: RadialBasis(n_neighbors=10),
    "gaussian": lambda: RadialBasis("gaussian", epsilon=1 / 60_000),
    "estimator": lambda: ScikitLearn(Mean()),
    "gridder": lambda: Verde(NearestGridder()),
}
ALL = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
EXACT = pytest.mark.parametrize(
    "make",
    [make for name, make in MAKERS.items() if name not in ("smooth", "estimator")],
    ids=[name for name in MAKERS if name not in ("smooth", "estimator")],
)
RNG = np.random.default_rng(7)
LONGITUDE, LATITUDE = RNG.uniform(90, 102, 40), RNG.uniform(32, 36, 40)
VALUES = np.sin(LONGITUDE) + 0.3 * LATITUDE + RNG.normal(0, 0.1, 40)
POINTS = gpd.GeoSeries.from_xy(LONGITUDE, LATITUDE, crs="EPSG:4326")
GRID = Grid.from_bounds((89.4, 31.4, 102.4, 36.4), 0.5, "EPSG:4326")


@EXACT
def test_without_smoothing_the_data_are_met(make: Make) -> None:
    found = make().fit(POINTS, VALUES).predict(POINTS)["estimate"]
    np.testing.assert_allclose(found, VALUES, rtol=0, atol=1e-9)


@ALL
def test_equal_values_give_that_value(make: Make) -> None:
    found = make().fit(POINTS, np.full(40, 2.5)).grid(GRID)["estimate"].to_numpy()
    inside = np.isfinite(found)
    assert inside.sum() > 100
    np.testing.assert_allclose(found[inside], 2.5, rtol=0, atol=1e-12)


@ALL
def test_shift_scale_and_order_of_the_data_are_followed(make: Make) -> None:
    plain = make().fit(POINTS, VALUES).grid(GRID)["estimate"]
    order = np.random.default_rng(0).permutation(40)
    moved = make().fit(POINTS[order], 10 - 3 * VALUES[order]).grid(GRID)["estimate"]
    np.testing.assert_allclose(moved, 10 - 3 * plain, rtol=0, atol=1e-8)


@ALL
def test_grid_and_points_give_the_same_answer(make: Make) -> None:
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
def test_gaps_are_dropped_and_repeats_averaged(make: Make) -> None:
    places = gpd.GeoSeries([*POINTS, None, shapely.Point(), POINTS[0]], crs="EPSG:4326")
    values = np.append(VALUES, [1.0, 2.0, VALUES[0] + 2])
    values[3] = np.nan
    surface = make().fit(places, values)
    assert (surface.n_dropped_, surface.n_merged_) == (3, 1)
    kept, merged = np.delete(np.arange(40), 3), VALUES.copy()
    merged[0] += 1
    expected = make().fit(POINTS[kept], merged[kept]).grid(GRID)["estimate"]
    mapped = surface.grid(GRID)
    np.testing.assert_allclose(mapped["estimate"], expected, rtol=0, atol=1e-12)
    assert (mapped.attrs["n_dropped"], mapped.attrs["n_points"]) == (3, 39)
    answer = surface.predict(places.iloc[39:42])["estimate"].to_numpy()
    assert np.isnan(answer[1:]).all()


@ALL
def test_what_was_fitted_travels_between_processes(make: Make) -> None:
    surface = make().fit(POINTS, VALUES)
    there = pickle.loads(pickle.dumps(surface))
    assert there.grid(GRID).identical(surface.grid(GRID))
    fresh = pickle.loads(pickle.dumps(make()))
    assert fresh.fit(POINTS, VALUES).grid(GRID).identical(surface.grid(GRID))


@ALL
def test_data_left_out_are_predicted_from_the_others(make: Make) -> None:
    rule = Folds("kfold", n_folds=4, rng=np.random.default_rng(1))
    found = cross_validate(make(), POINTS, VALUES, folds=rule)
    table = found.table
    for fold in range(4):
        test = (table["fold"] == fold).to_numpy()
        surface = make().fit(POINTS[~test], VALUES[~test])
        np.testing.assert_allclose(
            table["predicted"][test],
            surface.predict(POINTS[test])["estimate"],
            rtol=0,
            atol=1e-12,
        )
    outside = table["predicted"].isna()
    assert outside.any() == isinstance(make(), Triangulation)
    assert (table["reason"][outside] == "no data near enough").all()
    assert found.method == make().method


def test_the_unit_of_places_takes_their_own_unit_away() -> None:
    rng = np.random.default_rng(3)
    xy = rng.uniform(0, 1e5, (9, 2))
    scaled = PlaceUnit.of(xy).scaled(xy)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(np.square(scaled).sum(axis=1).mean(), 1, rtol=1e-14)
    moved = 1e-3 * (xy + 7e5)
    np.testing.assert_allclose(PlaceUnit.of(moved).scaled(moved), scaled, atol=1e-12)
    assert PlaceUnit.of(xy[:1]).length == 1.0


def test_blocks_of_any_size_give_one_answer() -> None:
    targets = np.arange(14.0).reshape(7, 2)
    targets[4, 1] = np.nan

    def answers(step: int) -> np.ndarray:
        return answer_in_blocks(targets, lambda xy: xy.T, step=step, outputs=2)

    whole = answers(9)
    assert np.isnan(whole[:, 4]).all()
    kept = np.delete(np.arange(7), 4)
    np.testing.assert_array_equal(whole[:, kept], targets[kept].T)
    for step in (1, 2, 3, 7):
        np.testing.assert_array_equal(answers(step), whole)
