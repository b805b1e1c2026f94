"""Effective pairs against xskillscore, plain sums and simulated series with memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from geosoil.correlation.effective import effective_p, effective_pairs
from geosoil.correlation.temporal import Significance, correlate
from geosoil.errors import InputError

Pair = tuple[xr.DataArray, xr.DataArray]


def red_noise(
    rng: np.random.Generator, steps: int, pixels: int, phi: float
) -> np.ndarray:
    noise = rng.normal(size=(steps, pixels))
    series = np.empty_like(noise)
    series[0] = noise[0] / np.sqrt(1 - phi**2)
    for t in range(1, steps):
        series[t] = phi * series[t - 1] + noise[t]
    return series


def cube(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims=("time", "pixel"))


def lag_r(v: np.ndarray) -> float:
    a, b = v[:-1], v[1:]
    ok = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[ok], b[ok])[0, 1])


def test_golden_lag1_equals_the_reference(
    series: Pair, answers: dict[str, pd.DataFrame]
) -> None:
    found = correlate(*series, significance=Significance("n_effective"))
    table = answers["scipy"]
    # Cell (0, 1) has gaps, which the reference closes.
    whole = (table["n"] == 36).to_numpy() & (found.reason.to_numpy().ravel() == 0)
    np.testing.assert_allclose(
        found.n_effective.to_numpy().ravel()[whole],
        table["neff_raw"][whole],
        rtol=1e-12,
    )
    # Where |r| = 1 the reference has no p, and ours is 0.
    exact = np.abs(found.r.to_numpy().ravel()) == 1
    assert (found.p_value.to_numpy().ravel()[exact] == 0).all()
    whole &= table["p_pearson_eff_unfloored"].notna().to_numpy()
    np.testing.assert_allclose(
        found.p_value.to_numpy().ravel()[whole],
        table["p_pearson_eff_unfloored"][whole],
        rtol=1e-9,
        atol=1e-80,
    )


def test_gaps_are_kept_never_closed() -> None:
    rng = np.random.default_rng(1)
    x, y = (red_noise(rng, 60, 4, 0.6) for _ in range(2))
    x[rng.random(x.shape) < 0.2] = np.nan
    found = effective_pairs(cube(x), cube(y))
    for j in range(4):
        a = np.where(np.isfinite(y[:, j]), x[:, j], np.nan)
        b = np.where(np.isfinite(x[:, j]), y[:, j], np.nan)
        product, n = lag_r(a) * lag_r(b), np.isfinite(a).sum()
        expected = min(n, n * (1 - product) / (1 + product))
        assert float(found[j]) == pytest.approx(expected, rel=1e-12)


def test_dates_left_out_are_gaps_too() -> None:
    rng = np.random.default_rng(2)
    dates = pd.date_range("2001-01-01", periods=48, freq="MS")
    x, y = (cube(red_noise(rng, 48, 3, 0.7)).assign_coords(time=dates) for _ in "xy")
    kept = ~np.isin(np.arange(48), [5, 6, 20, 33])
    hole = x.where(xr.DataArray(kept, dims="time", coords={"time": dates}))
    for formula in ("lag1", "full"):
        short = effective_pairs(
            x.isel(time=kept),
            y.isel(time=kept),
            formula=formula,  # type: ignore[arg-type]
        )
        if formula == "lag1":
            expected = effective_pairs(hole, y)
            np.testing.assert_allclose(short, expected, rtol=1e-12)
        assert (short <= kept.sum()).all()


def test_full_formula_equals_plain_sums() -> None:
    rng = np.random.default_rng(3)
    x, y = (red_noise(rng, 50, 3, 0.5) for _ in range(2))
    x[7:9, 0] = np.nan
    found = effective_pairs(cube(x), cube(y), formula="full")
    for j in range(3):
        valid = np.isfinite(x[:, j])
        n = valid.sum()
        d = [np.where(valid, v[:, j] - v[valid, j].mean(), 0.0) for v in (x, y)]
        total = 0.0
        for lag in range(1, n // 5 + 1):
            m = (valid[:-lag] & valid[lag:]).sum()
            a, b = ((v[:-lag] * v[lag:]).sum() / m / ((v * v).sum() / n) for v in d)
            total += (n - lag) / n * a * b
        expected = np.clip(1 / (1 / n + 2 / n * total), 2, n)
        assert float(found[j]) == pytest.approx(expected, rel=1e-12)


def test_white_noise_loses_few_pairs_and_memory_many() -> None:
    rng = np.random.default_rng(4)
    found = [
        float(
            effective_pairs(
                *(cube(red_noise(rng, 100, 200, phi)) for _ in range(2))
            ).median()
        )
        for phi in (0.0, 0.8)
    ]
    assert found[0] > 95
    assert found[1] == pytest.approx(100 * (1 - 0.64) / (1 + 0.64), abs=4)


def test_lag_shifts_before_neighbours_are_looked_for() -> None:
    rng = np.random.default_rng(5)
    x, y = (cube(red_noise(rng, 40, 3, 0.6)) for _ in range(2))
    lagged = correlate(x, y, lag=2).n_effective
    direct = effective_pairs(x.isel(time=slice(0, -2)), y.isel(time=slice(2, None)))
    np.testing.assert_allclose(lagged, direct, rtol=1e-13)


@pytest.mark.parametrize(("chunk", "dims"), [(7, "time"), (2, "pixel")])
def test_chunks_do_not_change_it(chunk: int, dims: str) -> None:
    rng = np.random.default_rng(6)
    x, y = (red_noise(rng, 40, 5, 0.6) for _ in range(2))
    x[3:5, 1] = np.nan
    eager = correlate(cube(x), cube(y)).n_effective
    lazy = correlate(cube(x).chunk({dims: chunk}), cube(y).chunk({dims: chunk}))
    np.testing.assert_allclose(lazy.n_effective, eager, rtol=1e-10)


def test_p_of_a_broken_number_is_students() -> None:
    r, n = np.array([0.3, -0.9, 0.05]), np.array([7.4, 2.6, 30.5])
    t = r * np.sqrt((n - 2) / (1 - r**2))
    np.testing.assert_allclose(
        effective_p(r, n), 2 * stats.t.sf(np.abs(t), n - 2), rtol=1e-12
    )
    np.testing.assert_array_equal(effective_p([0.9, np.nan, 1.0], 2.0), [1, np.nan, 0])


def test_an_unknown_formula_is_refused() -> None:
    x = cube(np.zeros((9, 1)))
    with pytest.raises(InputError, match="Unknown formula 'ar1'"):
        effective_pairs(x, x, formula="ar1")  # type: ignore[arg-type]


def test_p_is_uniform_under_red_noise_without_relation() -> None:
    rng = np.random.default_rng(7)
    x, y = (cube(red_noise(rng, 240, 3000, 0.5)) for _ in range(2))
    honest = correlate(x, y, significance=Significance("n_effective")).p_value
    naive = correlate(x, y).p_value
    assert stats.kstest(honest, "uniform").pvalue > 0.01
    assert stats.kstest(naive, "uniform").pvalue < 1e-6
