"""Indicator kriging against gstat, kriging of indicators, and laws of probability."""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation._kernels_indicator import (
    close_probabilities,
    mean_value,
    order_probabilities,
    rank_value,
)
from geosoil.interpolation.indicator import IndicatorKriging
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Variogram, fit_variogram

MODEL = Variogram("spherical", 0.03, 0.15, 900.0)
LEVELS = [150.0, 250.0, 400.0, 700.0, 1000.0]


@pytest.fixture(scope="module")
def answers(golden: Path) -> Path:
    return golden / "geo" / "cokriging"


def test_probabilities_equal_gstat_raw_and_in_order(
    meuse: pd.DataFrame, sites: np.ndarray, answers: Path
) -> None:
    kriging = IndicatorKriging(MODEL, thresholds=LEVELS, n_neighbors=16)
    kriging.fit(sites, meuse["zinc"])
    for file, name in (("raw", "raw_probability"), ("order4", "probability")):
        table = pd.read_csv(answers / f"indicator_{file}.csv", skipinitialspace=True)
        found = kriging.predict(table[["x", "y"]].to_numpy(dtype=float))
        for level in LEVELS:
            np.testing.assert_allclose(
                found[name].sel(threshold=level),
                table[f"t{level:g}.pred"],
                rtol=0,
                atol=1e-12,
            )


@pytest.mark.parametrize("reach", [{}, {"n_neighbors": 9}, {"max_distance": 300.0}])
def test_raw_probabilities_are_kriged_indicators(
    meuse: pd.DataFrame, sites: np.ndarray, reach: dict
) -> None:
    places = sites[:40] + 60.0
    several = [
        Variogram("exponential", 0.02, 0.1 + 0.02 * k, 300.0 + 40.0 * k, error=0.01 * k)
        for k in range(5)
    ]
    for variogram, own in ((MODEL, [MODEL] * 5), (several, several)):
        kriging = IndicatorKriging(variogram, thresholds=LEVELS, **reach)
        found = kriging.fit(sites, meuse["zinc"]).predict(places)
        for model, level in zip(own, LEVELS, strict=True):
            below = (meuse["zinc"] <= level).to_numpy(dtype=float)
            wanted = Kriging(model, **reach).fit(sites, below).predict(places)
            np.testing.assert_allclose(
                found["raw_probability"].sel(threshold=level),
                wanted["estimate"],
                atol=1e-10,
            )


def plain_order(raw: np.ndarray) -> np.ndarray:
    """Correct one distribution as the book says it, number by number."""
    up, down = list(np.clip(raw, 0, 1)), list(np.clip(raw, 0, 1))
    for k in range(1, len(raw)):
        up[k] = max(up[k], up[k - 1])
    for k in reversed(range(len(raw) - 1)):
        down[k] = min(down[k], down[k + 1])
    return (np.array(up) + np.array(down)) / 2


RAW = hnp.arrays(
    float,
    st.tuples(st.integers(1, 6), st.integers(1, 5)),
    elements=st.floats(-0.5, 1.5),
)


@given(raw=RAW)
def test_ordered_probabilities_rise_within_0_and_1(raw: np.ndarray) -> None:
    found = order_probabilities(raw)
    assert (np.diff(found, axis=0) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(order_probabilities(found), found)
    for column in range(raw.shape[1]):
        wanted = plain_order(raw[:, column])
        np.testing.assert_array_equal(found[:, column], wanted)


@given(raw=RAW)
def test_closed_probabilities_sum_to_1(raw: np.ndarray) -> None:
    found = close_probabilities(raw)
    empty = (raw <= 0).all(axis=0)
    assert np.isnan(found[:, empty]).all()
    kept = found[:, ~empty]
    np.testing.assert_allclose(kept.sum(axis=0), 1.0, atol=1e-12)
    assert (kept >= 0).all()
    for column in np.flatnonzero(~empty):
        cut = np.clip(raw[:, column], 0, 1)
        np.testing.assert_allclose(found[:, column], cut / cut.sum(), rtol=1e-12)


@given(
    raw=hnp.arrays(float, (4, 3), elements=st.floats(0.0, 1.0)),
    widths=st.lists(st.floats(0.1, 9.0), min_size=5, max_size=5),
    low=st.floats(-50.0, 50.0),
)
@settings(max_examples=25)
def test_quantiles_invert_the_distribution_and_the_mean_is_their_integral(
    raw: np.ndarray, widths: list[float], low: float
) -> None:
    probabilities = np.sort(raw, axis=0)
    knots = low + np.concatenate([[0.0], np.cumsum(widths)])
    means = mean_value(knots, probabilities)
    for column in range(3):
        steps = np.concatenate([[0.0], probabilities[:, column], [1.0]])
        one = probabilities[:, column : column + 1]
        for q in (0.0, 0.05, 0.31, 0.5, 0.77, 1.0):
            value = float(rank_value(knots, one, q)[0])
            assert np.interp(value, knots, steps) == pytest.approx(q, abs=1e-9)
        middles = (steps[:-1] + steps[1:]) / 2
        values = [float(rank_value(knots, one, q)[0]) for q in middles]
        # Between two steps the quantile is linear, so its middle is its mean.
        area = float(np.diff(steps) @ values)
        assert float(means[column]) == pytest.approx(area, abs=1e-9)


def test_estimate_and_quantiles_come_from_the_corrected_distribution(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    kriging = IndicatorKriging(MODEL, thresholds=LEVELS).fit(sites, meuse["zinc"])
    found = kriging.predict(sites[:30] + 60.0)
    knots = np.array([meuse["zinc"].min(), *LEVELS, meuse["zinc"].max()])
    for q in (0.05, 0.5, 0.95):
        quantile = kriging.quantile(found, q)
        assert quantile.dims == ("point",)
        for row in range(30):
            steps = [0.0, *found["probability"][:, row].to_numpy(), 1.0]
            k = int(np.searchsorted(steps, q, side="left"))
            share = (q - steps[k - 1]) / (steps[k] - steps[k - 1])
            wanted = knots[k - 1] + share * (knots[k] - knots[k - 1])
            assert float(quantile[row]) == pytest.approx(wanted, rel=1e-9)
    middle = np.diff(knots)[:, None] * 0.5 + knots[:-1, None]
    whole = np.vstack([np.zeros(30), found["probability"], np.ones(30)])
    wanted = (np.diff(whole, axis=0) * middle).sum(axis=0)
    np.testing.assert_allclose(found["estimate"], wanted, rtol=1e-10)


def test_corrections_are_counted_and_measured(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    kriging = IndicatorKriging(MODEL, thresholds=LEVELS).fit(sites, meuse["zinc"])
    found = kriging.predict(sites + 60.0)
    change = np.abs(found["probability"] - found["raw_probability"]).to_numpy()
    changed = change[change > 1e-9]
    assert len(changed) > 0
    assert found.attrs["n_corrected"] == len(changed)
    assert found.attrs["n_probabilities"] == 5 * len(sites)
    assert found.attrs["mean_correction"] == pytest.approx(changed.mean())
    assert found.attrs["largest_correction"] == pytest.approx(changed.max())


def test_at_the_data_the_probability_is_the_indicator(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    kriging = IndicatorKriging(MODEL, thresholds=LEVELS).fit(sites, meuse["zinc"])
    found = kriging.predict(sites)
    wanted = meuse["zinc"].to_numpy()[None, :] <= np.array(LEVELS)[:, None]
    np.testing.assert_allclose(found["probability"], wanted, atol=1e-9)


def test_one_model_name_is_fitted_to_the_indicator_nearest_the_median(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    kriging = IndicatorKriging("spherical", thresholds=LEVELS).fit(sites, meuse["zinc"])
    shares = [(meuse["zinc"] <= level).mean() for level in LEVELS]
    median = int(np.argmin(np.abs(np.array(shares) - 0.5)))
    below = (meuse["zinc"] <= LEVELS[median]).to_numpy(dtype=float)
    wanted = fit_variogram(sites, below)
    assert kriging.variograms_ == (wanted,) * 5
    assert kriging.predict(sites[:2]).attrs["method"] == "median indicator kriging"
    each = IndicatorKriging(["spherical"] * 5, thresholds=LEVELS)
    each.fit(sites, meuse["zinc"])
    assert each.variograms_[median] == wanted
    assert len({one.range_ for one in each.variograms_}) > 1
    assert each.predict(sites[:2]).attrs["method"] == "indicator kriging"


def test_categories_sum_to_1_and_each_is_kriging_of_its_presence(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    words = meuse["soil"].map({1: "sand", 2: "loam", 3: "clay"})
    names = ["sand", "loam", "clay"]
    kriging = IndicatorKriging(MODEL, categories=names).fit(sites, words)
    grid = Grid.from_bounds((178500, 329500, 181500, 333700), 300, "EPSG:28992")
    found = kriging.grid(grid)
    assert found["probability"].dims == ("category", "y", "x")
    np.testing.assert_allclose(found["probability"].sum("category"), 1.0, atol=1e-12)
    assert float(found["probability"].min()) >= 0
    for name in names:
        own = Kriging(MODEL).fit(sites, (words == name).to_numpy(dtype=float))
        np.testing.assert_allclose(
            found["raw_probability"].sel(category=name),
            own.grid(grid)["estimate"],
            atol=1e-10,
        )
    most = np.array(names)[found["estimate"].to_numpy().astype(int)]
    wanted = found["probability"].idxmax("category").to_numpy()
    np.testing.assert_array_equal(most, wanted)
    assert found["estimate"].attrs["flag_meanings"] == "sand loam clay"
    with pytest.raises(InputError, match="No quantile"):
        kriging.quantile(found, 0.5)


def test_presence_of_one_of_two_categories_is_one_minus_the_other() -> None:
    rng = np.random.default_rng(1)
    xy = rng.uniform(0, 1000, (40, 2))
    there = xy[:, 0] > 500
    kriging = IndicatorKriging(MODEL, categories=[False, True]).fit(xy, there)
    found = kriging.predict(rng.uniform(0, 1000, (20, 2)))
    total = found["probability"].sel(category=True) + found["probability"].sel(
        category=False
    )
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_repeats_are_means_of_numbers_and_shares_of_categories() -> None:
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [300.0, 0.0], [600.0, 0.0]])
    numbers = IndicatorKriging(MODEL, thresholds=[1.5]).fit(xy, [1.0, 3.0, 1.0, 5.0])
    assert numbers.indicators_.tolist() == [[0.0], [1.0], [0.0]]
    assert numbers.n_merged_ == 1
    words = IndicatorKriging(MODEL, categories=["a", "b"])
    words.fit(np.vstack([xy, [[0.0, 90.0]]]), ["a", "b", None, "b", "a"])
    assert words.indicators_[:1].tolist() == [[0.5, 0.5]]
    assert words.n_dropped_ == 1


def test_a_level_that_is_the_same_at_all_data_is_certain_and_said(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    kriging = IndicatorKriging(MODEL, thresholds=[10.0, *LEVELS, 5000.0])
    with pytest.warns(GeosoilWarning, match=r"threshold 10\.0, 5000\.0 are the same"):
        kriging.fit(sites, meuse["zinc"])
    assert kriging.variograms_[0] is kriging.variograms_[-1] is None
    found = kriging.predict(sites[:20] + 60.0)
    np.testing.assert_array_equal(found["probability"][0], 0.0)
    np.testing.assert_array_equal(found["probability"][-1], 1.0)
    assert found.attrs["constant_levels"] == "10.0, 5000.0"
    inner = IndicatorKriging(MODEL, thresholds=LEVELS).fit(sites, meuse["zinc"])
    plain = inner.predict(sites[:20] + 60.0)
    np.testing.assert_allclose(found["estimate"], plain["estimate"], rtol=1e-12)
    np.testing.assert_allclose(
        kriging.quantile(found, 0.3), inner.quantile(plain, 0.3), rtol=1e-12
    )


def test_all_levels_may_be_certain() -> None:
    xy = np.random.default_rng(2).uniform(0, 1000, (9, 2))
    kriging = IndicatorKriging("spherical", categories=["a", "b"])
    with pytest.warns(GeosoilWarning, match="category a, b are the same"):
        kriging.fit(xy, ["b"] * 9)
    found = kriging.predict(xy + 5.0)
    np.testing.assert_array_equal(found["probability"].sel(category="b"), 1.0)
    np.testing.assert_array_equal(found["estimate"], 1.0)


def test_there_is_no_answer_far_from_all_data() -> None:
    xy = np.array([[0.0, 0.0], [50.0, 0.0], [90.0, 0.0]])
    kriging = IndicatorKriging(MODEL, thresholds=[1.5, 9.0], max_distance=100.0)
    with pytest.warns(GeosoilWarning, match=r"threshold 9\.0"):
        kriging.fit(xy, [1.0, 2.0, 3.0])
    found = kriging.predict([[25.0, 0.0], [900.0, 0.0], [np.nan, 0.0]])
    for name in ("estimate", "probability", "raw_probability"):
        gaps = np.isnan(found[name]).to_numpy()
        assert gaps.reshape(-1, 3).tolist() == [[False, True, True]] * (gaps.size // 3)
    assert np.isnan(kriging.quantile(found, 0.5)).to_numpy().tolist()[1:] == [True] * 2


def test_points_in_degrees_keep_their_index_and_the_grid_its_crs() -> None:
    rng = np.random.default_rng(3)
    lonlat = rng.uniform([95.0, 33.0], [96.0, 34.0], (30, 2))
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*lonlat.T),
        crs="EPSG:4326",
        index=[f"s{k}" for k in range(30)],
    )
    model = Variogram("spherical", 0.03, 0.2, 9e4)
    kriging = IndicatorKriging(model, thresholds=[33.3, 33.6]).fit(points, lonlat[:, 1])
    assert kriging.predict(points)["point"].to_numpy()[0] == "s0"
    grid = Grid.from_bounds((95.0, 33.0, 96.0, 34.0), 0.25, "EPSG:4326")
    surface = kriging.grid(grid)
    assert surface["probability"].dims == ("threshold", "y", "x")
    assert surface["probability"].rio.crs == grid.crs
    assert kriging.quantile(surface, 0.9).rio.crs == grid.crs
    x, y = np.meshgrid(grid.x, grid.y)
    centres = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs="EPSG:4326")
    np.testing.assert_allclose(
        surface["probability"].to_numpy().reshape(2, -1),
        kriging.predict(centres)["probability"],
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "either thresholds or categories"),
        ({"thresholds": [1.0], "categories": [1, 2]}, "either thresholds or"),
        ({"thresholds": [2.0, 1.0]}, "finite, rising"),
        ({"thresholds": [1.0, np.nan]}, "finite, rising"),
        ({"thresholds": []}, "finite, rising"),
        ({"categories": ["a"]}, "two or more, none twice"),
        ({"categories": ["a", "b", "a"]}, "two or more, none twice"),
        ({"thresholds": [1.0], "n_neighbors": 0}, "n_neighbors"),
    ],
)
def test_levels_that_cannot_be_are_named(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        IndicatorKriging(MODEL, **options)


def test_variograms_that_cannot_be_are_named_all_at_once() -> None:
    odd = ["sphere", Variogram("power", 0.0, 1.0, 1.0)]
    with pytest.raises(InputError, match="2 variograms for 3 levels") as caught:
        IndicatorKriging(odd, thresholds=[1.0, 2.0, 3.0])
    assert "'sphere' is no model with a sill" in str(caught.value)
    assert "a power variogram with a sill of inf" in str(caught.value)


def test_bad_values_are_named() -> None:
    xy = np.random.default_rng(4).uniform(0, 100, (5, 2))
    kriging = IndicatorKriging(MODEL, thresholds=[1.0])
    with pytest.raises(InputError, match="needs 3 places"):
        kriging.fit(xy[:2], [1.0, 2.0])
    with pytest.raises(InputError, match="5 points, but values of shape"):
        kriging.fit(xy, [1.0, 2.0])
    with pytest.raises(InputError, match="cannot use the variance"):
        kriging.fit(xy, np.arange(5), variance=np.ones(5))
    with pytest.raises(InputError, match="not fitted"):
        kriging.predict(xy)
    words = IndicatorKriging(MODEL, categories=[1, 2])
    with pytest.raises(InputError, match=r"Unknown categories 3, x\. Known are 1, 2"):
        words.fit(xy, [1, 2, 3, "x", None])
    with pytest.raises(InputError, match="None of 5 points"):
        words.fit(xy, [None] * 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        kriging.fit(xy, np.arange(5))
    with pytest.raises(InputError, match=r"No quantile 1\.2"):
        kriging.quantile(kriging.predict(xy), 1.2)
