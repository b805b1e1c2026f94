"""Estimators of other packages, by objects of the same interface and by the real."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.grid import Grid
from geosoil.grids.points import values_at_points
from geosoil.interpolation.estimators import ScikitLearn, Verde
from geosoil.interpolation.validation import cross_validate
from geosoil.interpolation.validation_folds import Folds

RNG = np.random.default_rng(12)
XY = RNG.uniform(0, 1e5, (40, 2))
VALUES = np.sin(XY[:, 0] / 3e4) + XY[:, 1] / 1e5
TARGETS = RNG.uniform(0, 1e5, (30, 2))


class Plane:
    """Least squares, with the interface of scikit-learn."""

    def __init__(self) -> None:
        self.fits = 0

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> Plane:
        self.fits += 1
        root = np.ones(len(y)) if sample_weight is None else np.sqrt(sample_weight)
        terms = np.column_stack([np.ones(len(y)), X]) * root[:, None]
        self.slopes = np.linalg.lstsq(terms, y * root, rcond=None)[0]
        return self

    def predict(self, X: np.ndarray, return_std: bool = False) -> Any:
        assert np.isfinite(X).all()
        mean = np.column_stack([np.ones(len(X)), X]) @ self.slopes
        return (mean, 0.5 + X[:, 0] / 1e5) if return_std else mean


class Gridder:
    """The nearest value, with the interface of verde."""

    def fit(self, coordinates: Any, data: Any, weights: Any = None) -> Gridder:
        self.xy, self.data, self.weights = np.column_stack(coordinates), data, weights
        return self

    def predict(self, coordinates: Any) -> np.ndarray:
        distances = cdist(np.column_stack(coordinates), self.xy)
        return np.asarray(self.data)[distances.argmin(axis=1)]


def plane(xy: np.ndarray) -> np.ndarray:
    return np.asarray(2 + xy @ [1e-5, -3e-5])


def test_an_estimator_of_planes_reproduces_a_plane() -> None:
    surface = ScikitLearn(Plane()).fit(XY, plane(XY))
    answer = surface.predict(TARGETS)
    np.testing.assert_allclose(answer["estimate"], plane(TARGETS), rtol=0, atol=1e-10)
    assert answer.attrs["method"] == "scikit-learn (Plane)"
    assert "kriging_variance" not in answer


def test_a_gridder_is_handed_x_and_y() -> None:
    answer = Verde(Gridder()).fit(XY, VALUES).predict(TARGETS)
    expected = VALUES[cdist(TARGETS, XY).argmin(axis=1)]
    np.testing.assert_array_equal(answer["estimate"], expected)
    assert answer.attrs["method"] == "verde (Gridder)"


def test_the_objects_handed_in_are_left_as_they_are() -> None:
    estimator, gridder = Plane(), Gridder()
    surface = ScikitLearn(estimator)
    for _ in range(2):
        assert surface.fit(XY, VALUES).estimator_.fits == 1  # type: ignore[attr-defined]
    Verde(gridder).fit(XY, VALUES)
    assert estimator.fits == 0
    assert not hasattr(gridder, "xy")


def test_the_variance_is_the_square_of_the_standard_deviation() -> None:
    surface = ScikitLearn(Plane(), outputs="estimate and variance").fit(XY, VALUES)
    answer = surface.predict(np.vstack([TARGETS, [[np.nan, 0.0]]]))
    expected = np.append((0.5 + TARGETS[:, 0] / 1e5) ** 2, np.nan)
    np.testing.assert_allclose(answer["kriging_variance"], expected, rtol=1e-14)
    assert np.isnan(answer["estimate"].to_numpy()).nonzero()[0].tolist() == [30]


def test_the_variance_of_measurements_becomes_a_weight() -> None:
    variance = RNG.uniform(0.1, 2.0, 40)
    found = ScikitLearn(Plane()).fit(XY, VALUES, variance=variance)
    expected = Plane().fit(XY, VALUES, 1 / variance).predict(TARGETS)
    np.testing.assert_allclose(found.predict(TARGETS)["estimate"], expected, rtol=1e-12)
    surface = Verde(Gridder())
    surface.fit(XY, VALUES, variance=variance)
    np.testing.assert_allclose(surface.gridder_.weights, 1 / variance, rtol=1e-15)
    variance[3] = 0.0
    with pytest.raises(InputError, match="1 variances are 0"):
        surface.fit(XY, VALUES, variance=variance)

    class Plain(Plane):
        def fit(self, X: np.ndarray, y: np.ndarray) -> Plain:  # type: ignore[override]
            return super().fit(X, y)

    class Even(Gridder):
        def fit(self, coordinates: Any, data: Any) -> Even:  # type: ignore[override]
            return super().fit(coordinates, data)

    with pytest.raises(InputError, match=r"Even cannot use .* its fit has no weights"):
        Verde(Even()).fit(XY, VALUES, variance=np.ones(40))
    with pytest.raises(InputError, match=r"Plain cannot use the variance.*sample_wei"):
        ScikitLearn(Plain()).fit(XY, VALUES, variance=np.ones(40))


def test_objects_of_another_interface_are_refused() -> None:
    with pytest.raises(InputError, match=r"found a class\. Give Plane\(\)"):
        ScikitLearn(Plane)
    with pytest.raises(InputError, match="'float' without fit and predict"):
        Verde(3.0)
    with pytest.raises(InputError, match=r"Gridder takes coordinates.* Use Verde"):
        ScikitLearn(Gridder())
    with pytest.raises(InputError, match=r"Plane takes X.* Use ScikitLearn"):
        Verde(Plane())
    with pytest.raises(InputError, match="Unknown outputs 'all'"):
        ScikitLearn(Plane(), outputs="all")  # type: ignore[arg-type]

    class Silent(Plane):
        def predict(self, X: np.ndarray) -> Any:  # type: ignore[override]
            return np.zeros((len(X), 2))

    with pytest.raises(InputError, match="Silent knows no variance"):
        ScikitLearn(Silent(), outputs="estimate and variance")
    with pytest.raises(InputError, match=r"Silent predicts .* shape \(30, 2\) for 30"):
        ScikitLearn(Silent()).fit(XY, VALUES).predict(TARGETS)


def test_the_estimator_that_refuses_the_data_is_named() -> None:
    class Picky(Plane):
        def fit(self, X: np.ndarray, y: np.ndarray) -> Picky:  # type: ignore[override]
            message = f"{len(X)} of {len(y)} are too few"
            raise ValueError(message)

    with pytest.raises(
        InputError, match=r"Picky cannot be fitted.*: 40 of 40 are too few"
    ):
        ScikitLearn(Picky()).fit(XY, VALUES)


GRID = Grid.from_bounds((90, 32, 94, 35), 0.25, "EPSG:4326")
HEIGHT = GRID.raster(
    4000 + 300 * np.sin(np.add.outer(GRID.y, GRID.x)), name="elevation"
)
PLACES = gpd.GeoSeries.from_xy(
    RNG.uniform(90.2, 93.8, 40), RNG.uniform(32.2, 34.8, 40), crs="EPSG:4326"
)


def test_rasters_are_further_columns() -> None:
    heights = values_at_points(HEIGHT, PLACES, method="bilinear")["elevation"]
    values = 3 + 0.01 * heights.to_numpy()
    surface = ScikitLearn(Plane(), drift=HEIGHT).fit(PLACES, values)
    mapped = surface.grid(GRID)
    np.testing.assert_allclose(mapped["estimate"], 3 + 0.01 * HEIGHT, rtol=1e-9)
    assert mapped.attrs["drift"] == "elevation"
    assert surface.estimator_.slopes.shape == (4,)
    alone = ScikitLearn(Plane(), drift=HEIGHT, features="drift").fit(PLACES, values)
    np.testing.assert_allclose(alone.estimator_.slopes, [3, 0.01], rtol=1e-9)
    rule = Folds("site", groups=np.arange(40) % 4)
    answer = cross_validate(surface, PLACES, values, folds=rule).table
    np.testing.assert_allclose(answer["predicted"], values, rtol=1e-8)


def test_places_without_a_drift_are_left_out_and_named() -> None:
    holed = HEIGHT.where((HEIGHT["x"] > 90.5) | (HEIGHT["y"] > 32.5))
    values = np.arange(42.0)
    odd = gpd.GeoSeries.from_xy([90.1, 99.0], [32.1, 32.0], crs="EPSG:4326")
    places = pd.concat([PLACES, odd], ignore_index=True)
    inside = np.isfinite(values_at_points(holed, places)["elevation"]).to_numpy()
    assert 2 <= (~inside).sum() < 10
    surface = ScikitLearn(Plane(), drift=holed)
    with pytest.warns(GeosoilWarning, match=r"of 42 points .* left out: .*40, 41\."):
        surface.fit(places, values)
    expected = ScikitLearn(Plane(), drift=holed).fit(places[inside], values[inside])
    mapped = surface.grid(GRID)["estimate"]
    missing = np.isnan(holed)
    assert missing.sum() == 4
    np.testing.assert_array_equal(np.isnan(mapped), missing)
    np.testing.assert_allclose(mapped, expected.grid(GRID)["estimate"], rtol=1e-12)
    assert surface.n_dropped_ == (~inside).sum()
    far = gpd.GeoSeries.from_xy([10.0, 11.0], [50.0, 50.0], crs="EPSG:4326")
    with pytest.raises(InputError, match=r"None is left\. Give a drift that covers"):
        surface.fit(far, [1.0, 2.0])
    with pytest.raises(InputError, match="Features of the drift alone need one"):
        ScikitLearn(Plane(), features="drift")
    with pytest.raises(InputError, match=r"Unknown features 'x'.*Unknown outputs 'y'"):
        ScikitLearn(Plane(), features="x", outputs="y")  # type: ignore[arg-type]


def test_a_gaussian_process_of_scikit_learn_is_simple_kriging() -> None:
    gaussian_process = pytest.importorskip("sklearn.gaussian_process")
    process = gaussian_process.GaussianProcessRegressor(
        gaussian_process.kernels.Matern(3e4, nu=0.5), alpha=0.05, optimizer=None
    )
    surface = ScikitLearn(process, outputs="estimate and variance").fit(XY, VALUES)
    answer = surface.predict(TARGETS)
    covariance = np.exp(-cdist(XY, XY) / 3e4) + 0.05 * np.eye(40)
    near = np.exp(-cdist(XY, TARGETS) / 3e4)
    weights = np.linalg.solve(covariance, near)
    np.testing.assert_allclose(answer["estimate"], weights.T @ VALUES, atol=1e-10)
    np.testing.assert_allclose(
        answer["kriging_variance"], 1 - (near * weights).sum(axis=0), atol=1e-10
    )


def test_neighbours_of_scikit_learn_are_exact_at_the_data() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    model = neighbors.KNeighborsRegressor(n_neighbors=4, weights="distance")
    surface = ScikitLearn(model).fit(XY, VALUES)
    np.testing.assert_allclose(surface.predict(XY)["estimate"], VALUES, rtol=1e-12)
    expected = model.fit(XY, VALUES).predict(TARGETS)
    np.testing.assert_array_equal(surface.predict(TARGETS)["estimate"], expected)


def test_a_spline_of_verde_is_its_own_answer() -> None:
    verde = pytest.importorskip("verde")
    gridder = verde.Chain([("trend", verde.Trend(1)), ("spline", verde.Spline())])
    found = Verde(gridder).fit(XY, VALUES).predict(TARGETS)["estimate"]
    expected = gridder.fit(tuple(XY.T), VALUES).predict(tuple(TARGETS.T))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    variance = np.linspace(0.5, 1.5, 40)
    damped = Verde(verde.Spline(damping=1e-3)).fit(XY, VALUES, variance=variance)
    theirs = verde.Spline(damping=1e-3).fit(tuple(XY.T), VALUES, weights=1 / variance)
    np.testing.assert_allclose(
        damped.predict(TARGETS)["estimate"],
        theirs.predict(tuple(TARGETS.T)),
        rtol=1e-10,
    )
