"""Means of clustered samples against the truth, Monte Carlo areas and closed forms."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area
from geosoil.interpolation.declustering import (
    cell_weights,
    declustered_mean,
    voronoi_weights,
)


def clustered(seed: int, *, low: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sample a slope from 0 to 1, whose mean is 0.5, with a crowd at one end."""
    rng = np.random.default_rng(seed)
    evenly = rng.uniform(0, 1000, (60, 2))
    crowd = rng.uniform(0, 120, (120, 2)) + np.array([0 if low else 880, 400])
    xy = np.vstack([evenly, crowd])
    return xy, xy[:, 0] / 1000


@pytest.mark.parametrize("low", [True, False])
def test_declustered_means_are_nearer_to_the_truth(low: bool) -> None:
    xy, values = clustered(1, low=low)
    means = declustered_mean(xy, values).set_index("kind")["mean"]
    bias = (means - 0.5).abs()
    assert bias["sample mean"] > 0.2
    right = "highest" if low else "lowest"
    assert bias[f"{right} cell-declustered mean"] < 0.08
    assert bias["Voronoi-weighted mean"] < 0.05
    lowest, highest = (
        means[f"{word} cell-declustered mean"] for word in ("lowest", "highest")
    )
    assert lowest < highest


@given(st.integers(0, 2**32 - 1), st.floats(1.0, 1e5))
def test_cell_weights_sum_to_one(seed: int, size: float) -> None:
    xy = np.random.default_rng(seed).uniform(0, 1000, (30, 2))
    weights = cell_weights(xy, size)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0).all()


def test_tiny_and_huge_cells_give_equal_weights() -> None:
    xy = np.random.default_rng(0).uniform(0, 1000, (25, 2))
    np.testing.assert_allclose(cell_weights(xy, 1e-3), 1 / 25)
    # Half a step of the origin keeps all the places in one cell.
    np.testing.assert_allclose(cell_weights(xy, 1e6), 1 / 25)


def test_voronoi_weights_are_the_shares_of_random_ground() -> None:
    rng = np.random.default_rng(9)
    xy = rng.uniform(0, 1000, (12, 2))
    ground = shapely.box(-100, 0, 1000, 1500)
    weights = voronoi_weights(xy, ground)
    throws = rng.uniform([-100, 0], [1000, 1500], (200_000, 2))
    shares = np.bincount(cKDTree(xy).query(throws)[1], minlength=12) / 200_000
    np.testing.assert_allclose(weights, shares, atol=0.004)
    hull = voronoi_weights(xy)
    inside = shapely.contains_xy(shapely.convex_hull(shapely.multipoints(xy)), throws)
    shares = np.bincount(cKDTree(xy).query(throws[inside])[1], minlength=12)
    np.testing.assert_allclose(hull, shares / inside.sum(), atol=0.006)


def test_evenly_placed_samples_need_no_weights() -> None:
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    weights = voronoi_weights(
        np.column_stack([x.ravel(), y.ravel()]), shapely.box(-0.5, -0.5, 4.5, 4.5)
    )
    np.testing.assert_allclose(weights, 1 / 25)
    np.testing.assert_array_equal(
        voronoi_weights(np.zeros((1, 2)), shapely.box(0, 0, 1, 1)), [1.0]
    )


def test_places_on_a_line_have_no_voronoi_mean() -> None:
    sites = np.column_stack([np.arange(5.0), np.zeros(5)])
    means = declustered_mean(sites, np.arange(5.0)).set_index("kind")
    row = means.loc["Voronoi-weighted mean"]
    assert np.isnan(row["mean"])
    assert row["reason"] == "the places enclose no area"
    assert means["reason"].drop("Voronoi-weighted mean").eq("").all()


def test_every_mean_is_named_and_counts_what_it_rests_on() -> None:
    grid = Grid.from_bounds((90, 30, 91, 34), 1.0, "EPSG:4326")
    surface = grid.raster([[1.0], [2.0], [np.nan], [4.0]])
    places = gpd.GeoSeries.from_xy(
        [90.2, 90.2, 90.8, 90.5, 90.1], [30.2, 30.2, 33.0, 31.5, 32.0], crs=4326
    )
    region = gpd.GeoSeries([shapely.box(90, 30, 91, 34)], crs=4326)
    means = declustered_mean(
        places,
        [1.0, 3.0, 5.0, np.nan, 4.0],
        cell_size=50_000.0,
        region=region,
        surface=surface,
    ).set_index("kind")
    assert means.index.tolist() == [
        "sample mean",
        "place mean",
        "cell-declustered mean",
        "Voronoi-weighted mean",
        "area-weighted map mean",
    ]
    assert means["n"].tolist() == [4, 3, 3, 3, 3]
    assert means.loc["sample mean", "mean"] == 13 / 4
    assert means.loc["place mean", "mean"] == pytest.approx(11 / 3)
    area = cell_area(grid).to_numpy()[[0, 1, 3], 0]
    assert means.loc["area-weighted map mean", "mean"] == pytest.approx(
        np.average([1.0, 2.0, 4.0], weights=area)
    )
    assert (means["n_effective"] <= means["n"] + 1e-9).all()
    assert means.loc["cell-declustered mean", "cell_size"] == 50_000.0


def test_a_map_without_values_has_no_mean() -> None:
    grid = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:32647")
    surface = grid.raster(np.full((2, 2), np.nan))
    means = declustered_mean([[0.0, 0.0], [1.0, 2.0]], [1.0, 2.0], surface=surface)
    last = means.iloc[-1]
    assert np.isnan(last["mean"])
    assert (last["n"], last["reason"]) == (0, "the map holds no value")


def test_one_place_is_its_own_mean() -> None:
    means = declustered_mean([[3.0, 4.0], [3.0, 4.0]], [1.0, 2.0]).set_index("kind")
    told = means.drop("Voronoi-weighted mean")
    assert told["mean"].tolist() == [1.5] * 4


def test_bad_input_is_refused() -> None:
    sites = [[0.0, 0.0], [1.0, 0.0]]
    with pytest.raises(InputError, match=r"Invalid cell_size '0\.0'"):
        declustered_mean(sites, [1.0, 2.0], cell_size=0.0)
    region = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=32647)
    with pytest.raises(InputError, match="points are in bare metres"):
        declustered_mean(sites, [1.0, 2.0], region=region)
    places = gpd.GeoSeries.from_xy([0.0, 1.0], [0.0, 0.0], crs=32647)
    bare = region.set_crs(None, allow_override=True)
    with pytest.raises(MissingCRSError, match="region has no coordinate reference"):
        declustered_mean(places, [1.0, 2.0], region=bare)
