"""Detrending, anomalies, regular axes and the best lag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import signal

from geosoil.correlation.lags import best_lag
from geosoil.correlation.preparation import anomalies, detrend, regular_axis
from geosoil.correlation.temporal import correlate
from geosoil.errors import InputError

Pair = tuple[xr.DataArray, xr.DataArray]


def cube(values: np.ndarray, name: str = "x") -> xr.DataArray:
    times = pd.date_range("2001-01-01", periods=values.shape[0], freq="MS")
    dims = ("time", "y", "x")[: values.ndim]
    return xr.DataArray(values, dims=dims, coords={"time": times}, name=name)


def test_detrend_equals_scipy_without_gaps() -> None:
    values = np.random.default_rng(0).normal(280, 3, (20, 2, 3))
    found = detrend(cube(values).drop_vars("time"))
    np.testing.assert_allclose(found, signal.detrend(values, axis=0), atol=1e-11)


def test_detrend_leaves_a_line_with_gaps_flat() -> None:
    line = cube(3.0 + 0.25 * np.arange(12.0))
    days = (line.time - line.time[0]) / np.timedelta64(1, "D")
    found = detrend((2 * days + 5).where(np.arange(12) != 4))
    np.testing.assert_allclose(found.dropna("time"), 0.0, atol=1e-10)
    assert int(np.isnan(found).sum()) == 1


def test_golden_deseasonalised_r_is_cdos(series: Pair, folder: Path) -> None:
    with xr.open_dataset(folder / "cdo_timcor_deseasonalised.nc") as dataset:
        reference = dataset["sm"].load().to_numpy()[0]
    plain = correlate(*series)
    found = correlate(*(anomalies(part) for part in series)).r.to_numpy()
    whole = ((plain.reason == 0) & (plain.n == 36)).to_numpy()
    np.testing.assert_allclose(found[whole], reference[whole], rtol=0, atol=1e-12)


def test_anomalies_of_each_month_have_mean_zero_and_spread_one() -> None:
    values = cube(np.random.default_rng(1).normal(5, 2, (48, 2)))
    found = anomalies(values, spread="standard_deviation")
    months = found.groupby("time.month")
    np.testing.assert_allclose(months.mean(), 0.0, atol=1e-12)
    np.testing.assert_allclose(months.std(ddof=1), 1.0, atol=1e-12)
    assert set(found.coords) == set(values.coords)


def test_a_baseline_alone_gives_the_mean() -> None:
    values = cube(np.arange(24.0))
    found = anomalies(values, season="none", baseline=slice("2001", "2001"))
    np.testing.assert_array_equal(found, np.arange(24.0) - 5.5)


def test_seasons_without_dates_are_refused() -> None:
    bare = cube(np.zeros(4)).drop_vars("time")
    with pytest.raises(InputError, match="has no dates"):
        anomalies(bare)
    with pytest.raises(InputError, match="Unknown season 'week'"):
        anomalies(bare, season="week")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no 'year'"):
        detrend(bare, dim="year")


def test_months_of_unequal_length_are_no_gaps() -> None:
    whole = cube(np.arange(36.0))
    assert regular_axis(whole) is whole
    found = regular_axis(whole.isel(time=[0, 1, 2, 5, 6]))
    np.testing.assert_array_equal(np.isnan(found), [0, 0, 0, 1, 1, 0, 0])


def test_composites_that_start_anew_each_year_are_no_gaps() -> None:
    dates = [
        pd.Timestamp(year, 1, 1) + pd.Timedelta(days=16 * k)
        for year in range(2001, 2011)
        for k in range(23)
    ]
    series = xr.DataArray(np.zeros(230), dims="time", coords={"time": dates})
    assert regular_axis(series) is series


def test_a_lag_counts_steps_of_time_not_of_the_array() -> None:
    rng = np.random.default_rng(2)
    x = cube(rng.normal(size=(30, 1, 2)))
    y = x.shift(time=1)
    kept = [t for t in range(30) if t not in (7, 8, 19)]
    found = correlate(x.isel(time=kept), y.isel(time=kept), lag=1)
    np.testing.assert_allclose(found.r, 1.0, rtol=0, atol=1e-15)


def test_best_lag_finds_the_planted_one() -> None:
    rng = np.random.default_rng(3)
    x = cube(rng.normal(size=(60, 2, 2)))
    y = x.shift(time=3) + 0.3 * rng.normal(size=(60, 2, 2))
    found = best_lag(x, y, lags=range(7))
    assert (found.lag == 3).all()
    single = correlate(x, y, lag=3)
    np.testing.assert_array_equal(found.r, single.r)
    np.testing.assert_allclose(found.p_value, 7 * single.p_value)


def test_the_correction_pays_for_the_search() -> None:
    rng = np.random.default_rng(4)
    x, y = (cube(rng.normal(size=(40, 20, 25))) for _ in range(2))
    found = best_lag(x, y, lags=range(6))
    assert float((found.p_value_single < 0.05).mean()) > 0.2
    assert 0.02 < float((found.p_value < 0.05).mean()) < 0.07


def test_the_permutation_agrees_with_bonferroni_for_one_lag() -> None:
    rng = np.random.default_rng(5)
    x, y = (cube(rng.normal(size=(15, 1, 6))) for _ in range(2))
    found = best_lag(x, y, lags=[0], correction="permutation", n_draws=199, rng=rng)
    np.testing.assert_allclose(found.p_value, found.p_value_single, atol=0.12)


def test_pixels_without_answer_have_no_best_lag() -> None:
    values = np.random.default_rng(6).normal(size=(12, 1, 2))
    values[:, 0, 0] = np.nan
    found = best_lag(cube(values), cube(values), lags=[0, 1])
    assert np.isnan(found.lag[0, 0])
    assert np.isnan(found.p_value[0, 0])
    assert found.lag[0, 1] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lags": []}, "give each lag once"),
        ({"lags": [1, 1]}, "give each lag once"),
        ({"correction": "sidak"}, "unknown correction 'sidak'"),
        ({"correction": "permutation"}, "needs rng"),
    ],
)
def test_searches_that_cannot_be_are_refused(
    options: dict[str, object], words: str
) -> None:
    x = cube(np.zeros((9, 1, 1)))
    with pytest.raises(InputError, match=words):
        best_lag(x, x, **options)  # type: ignore[arg-type]
