"""Block kriging against loops over the points of Gauss and Legendre."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import NestedVariogram, Variogram

MODEL = Variogram("spherical", 0.05, 0.59, 897.0)
TURNED = Variogram(
    "exponential", 0.1, 1.0, 400.0, anisotropy=Anisotropy(30.0, 0.4), error=0.2
)
NESTED = NestedVariogram((MODEL, Variogram("gaussian", 0.02, 0.4, 300.0)))

# Abramowitz and Stegun (1964), table 25.4, n = 4.
NODES = (-0.861136311594053, -0.339981043584856, 0.339981043584856, 0.861136311594053)
WEIGHTS = (0.347854845137454, 0.652145154862546, 0.652145154862546, 0.347854845137454)


def nodes_of(
    middle: np.ndarray, width: float, height: float
) -> list[tuple[float, np.ndarray]]:
    return [
        (wx * wy / 4, middle + np.array([ax * width, ay * height]) / 2)
        for ax, wx in zip(NODES, WEIGHTS, strict=True)
        for ay, wy in zip(NODES, WEIGHTS, strict=True)
    ]


def brute_force(
    model: Variogram, data: tuple[np.ndarray, ...], nodes: list, drift: str | None
) -> tuple[float, float]:
    """Solve the bordered system of one block, number by number."""
    xy, z, noise = data
    n = len(z)

    def c(a: np.ndarray, b: np.ndarray) -> float:
        return float(model.covariance_of(a[0] - b[0], a[1] - b[1]))

    def columns(place: np.ndarray) -> list[float]:
        x, y = place / 1000
        return [1.0, x, y, x * x, x * y, y * y] if drift else [1.0]

    p = len(columns(xy[0]))
    system, right = np.zeros((n + p, n + p)), np.zeros(n + p)
    for i in range(n):
        for j in range(n):
            system[i, j] = c(xy[i], xy[j]) + (noise[i] + model.error) * (i == j)
        system[n:, i] = system[i, n:] = columns(xy[i])
        right[i] = sum(w * c(xy[i], u) for w, u in nodes)
    right[n:] = sum(w * np.array(columns(u)) for w, u in nodes)
    weights = np.linalg.solve(system, right)
    within = sum(
        w * v * (c(u, q) - model.nugget * (i == j))
        for i, (w, u) in enumerate(nodes)
        for j, (v, q) in enumerate(nodes)
    )
    return float(weights[:n] @ z), float(within - weights @ right)


@pytest.mark.parametrize(
    "model", [MODEL, TURNED, NESTED], ids=["plain", "turned", "nested"]
)
@pytest.mark.parametrize("drift", [None, "quadratic"])
@pytest.mark.parametrize("n_neighbors", [None, 9])
def test_a_block_is_the_sum_over_its_points(
    model: Variogram, drift: str | None, n_neighbors: int | None
) -> None:
    rng = np.random.default_rng(5)
    xy, z, noise = rng.uniform(0, 1000, (14, 2)), rng.normal(size=14), rng.random(14)
    targets = rng.uniform(0, 1000, (3, 2))
    surface = Kriging(model, block=(120.0, 60.0), drift=drift, n_neighbors=n_neighbors)  # type: ignore[arg-type]
    found = surface.fit(xy, z, variance=noise).predict(targets)
    for i, target in enumerate(targets):
        apart = np.hypot(*(xy - target).T)
        near = np.argsort(apart)[: n_neighbors or 14]
        estimate, variance = brute_force(
            model, (xy[near], z[near], noise[near]), nodes_of(target, 120, 60), drift
        )
        assert float(found["estimate"][i]) == pytest.approx(estimate, abs=1e-10)
        assert float(found["kriging_variance"][i]) == pytest.approx(variance, abs=1e-10)
    assert found.attrs["block"] == [120.0, 60.0]


def test_a_datum_in_a_point_of_the_block_brings_its_nugget() -> None:
    model = Variogram("spherical", 0.3, 0.7, 500.0)
    w, node = nodes_of(np.zeros(2), 100, 100)[5]
    xy, z = np.array([node, [300.0, 0.0], [0.0, 400.0]]), np.array([3.0, 1.0, 2.0])
    surface = Kriging(model, block=100.0).fit(surface_sites(xy), z)
    found = surface.predict([[0.0, 0.0]])
    exact = nodes_of(np.zeros(2), 100, 100)
    exact[5] = (w, surface_sites(xy)[0])
    estimate, variance = brute_force(
        model, (surface_sites(xy), z, np.zeros(3)), exact, None
    )
    assert float(found["estimate"][0]) == pytest.approx(estimate, abs=1e-10)
    assert float(found["kriging_variance"][0]) == pytest.approx(variance, abs=1e-10)


def surface_sites(xy: np.ndarray) -> np.ndarray:
    """Return places whose first is a point of the block to the last bit."""
    from geosoil.interpolation.kriging_targets import NODES as OWN

    exact = xy.copy()
    exact[0] = OWN[np.argmin(np.hypot(*(OWN * 100 - xy[0]).T))] * 100
    return exact


def test_a_tiny_block_is_a_point_without_its_nugget() -> None:
    rng = np.random.default_rng(6)
    xy, z = rng.uniform(0, 1000, (30, 2)), rng.normal(size=30)
    targets = rng.uniform(0, 1000, (9, 2))
    for options in ({}, {"drift": "quadratic"}, {"mean": 1.0}, {"n_neighbors": 12}):
        point = Kriging(MODEL, **options).fit(xy, z).predict(targets)  # type: ignore[arg-type]
        block = Kriging(MODEL, block=1e-6, **options).fit(xy, z).predict(targets)  # type: ignore[arg-type]
        np.testing.assert_allclose(block["estimate"], point["estimate"], atol=1e-8)
        np.testing.assert_allclose(
            block["kriging_variance"], point["kriging_variance"] - 0.05, atol=1e-7
        )


def test_a_block_is_near_the_mean_of_many_points() -> None:
    rng = np.random.default_rng(7)
    smooth = Variogram("gaussian", 0.0, 1.0, 500.0)
    xy, z = rng.uniform(0, 1000, (12, 2)), rng.normal(size=12)
    block = Kriging(smooth, block=200.0).fit(xy, z).predict([[500.0, 500.0]])
    line = 400 + 200 * (np.arange(40) + 0.5) / 40
    x, y = np.meshgrid(line, line)
    points = Kriging(smooth).fit(xy, z).predict(np.column_stack([x.ravel(), y.ravel()]))
    mean = float(points["estimate"].mean())
    assert float(block["estimate"][0]) == pytest.approx(mean, abs=1e-4)
    assert float(block["kriging_variance"][0]) < float(
        points["kriging_variance"].mean()
    )


def test_the_cells_of_a_grid_are_blocks_of_their_size() -> None:
    rng = np.random.default_rng(8)
    xy, z = rng.uniform(0, 1000, (15, 2)), rng.normal(size=15)
    metres = Grid.from_bounds((0, 0, 1000, 800), 100, "EPSG:32647")
    places = gpd.GeoSeries.from_xy(*xy.T, crs="EPSG:32647")
    for points in (places, xy):
        for options in ({"drift": "linear"}, {"n_neighbors": 7}):
            cells = Kriging(MODEL, block="cell", **options).fit(points, z).grid(metres)  # type: ignore[arg-type]
            sides = Kriging(MODEL, block=100.0, **options).fit(points, z).grid(metres)  # type: ignore[arg-type]
            for name in ("estimate", "kriging_variance"):
                np.testing.assert_allclose(cells[name], sides[name], atol=1e-9)
    assert cells.attrs["block"] == "cell"


def test_cells_in_degrees_shrink_to_the_north() -> None:
    rng = np.random.default_rng(9)
    points = gpd.GeoSeries.from_xy(
        rng.uniform(90, 95, 12), rng.uniform(30, 50, 12), crs="EPSG:4326"
    )
    z, model = rng.normal(size=12), Variogram("spherical", 0.0, 1.0, 9e5)
    grid = Grid.from_bounds((90, 30, 91, 50), 1.0, "EPSG:4326")
    for distance in ("projected", "wgs84"):
        kriging = Kriging(model, block="cell", mean=0.0, distance=distance)  # type: ignore[arg-type]
        far = kriging.fit(points.translate(xoff=60), z).grid(grid)
        # Far from all data the variance is the covariance within the cell.
        within = far["kriging_variance"].to_numpy()[:, 0]
        assert (np.diff(within) < 0).all()
        assert 0.85 < within.min() < within.max() < 0.95
    metric = Kriging(model, block=5e4, distance="wgs84").fit(points, z)
    flat = Kriging(model, block=5e4).fit(points, z)
    np.testing.assert_allclose(
        metric.grid(grid)["estimate"], flat.grid(grid)["estimate"], atol=0.05
    )


def test_blocks_that_cannot_be_are_refused() -> None:
    for odd in (0, -3.0, "pixel", (1.0, 2.0, 3.0), (1.0, np.nan), np.inf):
        with pytest.raises(InputError, match="Invalid block"):
            Kriging(MODEL, block=odd)  # type: ignore[arg-type]
    cells = Kriging(MODEL, block="cell").fit([[0.0, 0.0], [9.0, 0.0]], [1, 2])
    with pytest.raises(InputError, match="Block 'cell' is that of a grid"):
        cells.predict([[0.0, 0.0]])
