"""Smoothing equals scipy and the dense solve, and says what it did to each cell."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import savgol_filter

from geosoil.errors import InputError
from geosoil.grids._kernels_series import whittaker
from geosoil.grids.smoothing import SavitzkyGolay, Whittaker, smooth_series
from tests.grids.test_gap_filling import series


def dense(values, weights, smoothness, order):
    """Solve the full system of one series."""
    n = len(values)
    differences = np.diff(np.eye(n), n=order, axis=0)
    matrix = np.diag(weights) + smoothness * differences.T @ differences
    return np.linalg.solve(matrix, weights * values)


@given(
    n=st.integers(5, 60),
    order=st.sampled_from([1, 2, 3]),
    smoothness=st.floats(1e-3, 1e4),
    seed=st.integers(0, 10_000),
    missing=st.floats(0, 0.5),
)
def test_whittaker_equals_the_dense_solve(n, order, smoothness, seed, missing) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 3))
    weights = (rng.random((n, 3)) >= missing).astype(float)
    weights[:order] = 1.0
    found = whittaker(values, weights, smoothness, order)
    for column in range(3):
        expected = dense(values[:, column], weights[:, column], smoothness, order)
        differences = np.diff(np.eye(n), n=order, axis=0)
        matrix = np.diag(weights[:, column]) + smoothness * differences.T @ differences
        tolerance = 1e-14 * np.linalg.cond(matrix)
        np.testing.assert_allclose(
            found[:, column], expected, atol=max(tolerance, 1e-12) * 10
        )


def test_whittaker_without_gaps_is_the_textbook_smoother() -> None:
    values = np.random.default_rng(1).normal(size=46)
    found = smooth_series(series(values), Whittaker(smoothness=100.0), max_gap=32)
    expected = dense(values, np.ones(46), 100.0, 2)
    np.testing.assert_allclose(found["ndvi"], expected, atol=1e-12)
    assert (found["flag"] == 2).all()


@given(
    window=st.sampled_from([3, 5, 7, 9]),
    degree=st.integers(0, 4),
    seed=st.integers(0, 10_000),
)
def test_savitzky_golay_equals_scipy_on_series_without_gaps(
    window, degree, seed
) -> None:
    if degree >= window:
        return
    values = np.random.default_rng(seed).normal(size=22)
    found = smooth_series(
        series(values), SavitzkyGolay(window, degree), max_gap=32, time_is="middle"
    )
    expected = savgol_filter(values, window, degree, mode="interp")
    np.testing.assert_allclose(found["ndvi"], expected, atol=1e-11)


def test_savitzky_golay_with_gaps_is_the_least_squares_fit_of_what_is_there() -> None:
    rng = np.random.default_rng(2)
    days = np.cumsum(rng.integers(8, 17, 30)).astype(float)
    values = rng.normal(size=(30, 4))
    values[rng.random(values.shape) < 0.3] = np.nan
    raster = series(values, days, dims=("x",))
    found = smooth_series(raster, SavitzkyGolay(7, 2), max_gap=60, time_is="middle")
    compared = 0
    for i in range(30):
        start = min(max(i - 3, 0), 23)
        for column in range(4):
            if np.isnan(found["ndvi"][i, column]):
                continue
            part = values[start : start + 7, column]
            seen = np.isfinite(part)
            fit = np.polynomial.Polynomial.fit(
                days[start : start + 7][seen], part[seen], 2
            )
            assert float(found["ndvi"][i, column]) == pytest.approx(
                fit(days[i]), abs=1e-10
            )
            compared += 1
    assert compared > 90


@pytest.mark.parametrize("method", [SavitzkyGolay(5, 1), Whittaker(5.0)])
def test_nothing_is_given_beyond_the_longest_gap_and_every_cell_is_flagged(
    method,
) -> None:
    values = np.linspace(0.1, 0.9, 12)
    values[[0, 3, 6, 7, 8, 11]] = np.nan
    found = smooth_series(series(values), method, max_gap=40)
    flags = found["flag"].to_numpy().tolist()
    assert flags == [3, 2, 2, 1, 2, 2, 3, 3, 3, 2, 2, 3]
    np.testing.assert_array_equal(np.isnan(found["ndvi"]), found["flag"] == 3)
    # A straight line is left as it is by both.
    kept = found["flag"] != 3
    line = np.linspace(0.1, 0.9, 12)
    np.testing.assert_allclose(found["ndvi"][kept], line[kept], atol=0.02)


def test_a_line_passes_through_both_methods_exactly() -> None:
    line = np.linspace(0.1, 0.9, 15)
    gappy = line.copy()
    gappy[4:6] = np.nan
    for method in (SavitzkyGolay(7, 1), Whittaker(1000.0)):
        found = smooth_series(series(gappy), method, max_gap=50, time_is="middle")
        np.testing.assert_allclose(found["ndvi"], line, atol=1e-9)
        assert found["flag"].to_numpy().tolist().count(1) == 2


def test_series_with_too_few_values_stay_missing() -> None:
    values = np.full((9, 2), np.nan)
    values[4, 0] = 0.5
    for method in (SavitzkyGolay(5, 2), Whittaker(10.0)):
        found = smooth_series(series(values, dims=("x",)), method, max_gap=64)
        assert np.isnan(found["ndvi"]).all()
        assert (found["flag"] == 3).all()


def test_chunks_do_not_matter() -> None:
    values = np.random.default_rng(3).normal(size=(9, 3, 4))
    raster = series(values, dims=("y", "x"))
    expected = smooth_series(raster, Whittaker(), max_gap=32)
    lazy = smooth_series(raster.chunk({"time": 3, "x": 2}), Whittaker(), max_gap=32)
    xr.testing.assert_allclose(lazy.compute(), expected, rtol=1e-14)


def test_what_cannot_be_smoothed_is_refused() -> None:
    for window, degree in ((4, 2), (53, 2), (1, 0), (5, 5), (5, -1)):
        with pytest.raises(InputError, match="odd window"):
            SavitzkyGolay(window, degree)
    for smoothness, order in ((0, 2), (-1, 2), (np.inf, 2), (1, 4)):
        with pytest.raises(InputError, match="smoothness above 0"):
            Whittaker(smoothness, order)
    absent = series([1, 2, 3, 4, 5], [0, 16, 48, 64, 80])
    with pytest.raises(InputError, match=r"32 after date number 2.*reindex"):
        smooth_series(absent, Whittaker(), max_gap=32)
    with pytest.raises(InputError, match="longer than the series of 5"):
        smooth_series(absent, SavitzkyGolay(7, 2), max_gap=32)
    with pytest.raises(InputError, match="too few for differences"):
        smooth_series(absent[:2], Whittaker(), max_gap=32)
