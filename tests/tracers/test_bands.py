"""Bands of lines against the textbook, the bootstrap and known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.bands import confidence_band, prediction_interval
from geosoil.tracers.lines import GMWL, WaterLine, fit_water_line
from geosoil.tracers.resampling import Resampling, bootstrap_line

BANDS = {0.0: confidence_band, 1.0: prediction_interval}


def rain(seed: int = 0, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(-13, 3, n)
    return x, 8 * x + 10 + rng.normal(0, 4, n)


@pytest.mark.parametrize("own", BANDS)
@given(st.integers(0, 500), st.floats(0.5, 0.99))
def test_bands_of_ols_are_the_textbooks(own, seed, confidence) -> None:
    x, y = rain(seed, 20)
    at = np.array([-25.0, x.mean(), -2.0])
    band = BANDS[own](fit_water_line(x, y), at, confidence=confidence)
    fit = stats.linregress(x, y)
    residual = y - fit.slope * x - fit.intercept
    scatter = np.sqrt(residual @ residual / 18)
    spread = 1 / 20 + (at - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    t = stats.t.ppf(0.5 + confidence / 2, 18)
    half = t * scatter * np.sqrt(own + spread)
    np.testing.assert_allclose(band.d2H, fit.intercept + fit.slope * at, rtol=1e-9)
    np.testing.assert_allclose(band.upper - band.d2H, half, rtol=1e-7)
    np.testing.assert_allclose(band.d2H - band.lower, half, rtol=1e-7)
    assert band.reason == ""


def test_ames_band_is_the_textbooks_with_96_rows(shared) -> None:
    path = shared / "golden" / "tracers" / "isowater_ames_precip.csv"
    table = pd.read_csv(path)
    line = fit_water_line(table["d18O"], table["d2H"])
    whole = table.dropna(subset=["d18O", "d2H"])
    mean, total = whole["d18O"].mean(), whole["d18O"].var() * 95
    band = prediction_interval(line, [0.0])
    half = stats.t.ppf(0.975, 94) * line.rmse * np.sqrt(1 + 1 / 96 + mean**2 / total)
    assert band.upper[0] - band.d2H[0] == pytest.approx(half, rel=1e-9)


def test_weighted_band_with_equal_amounts_is_the_plain_one() -> None:
    x, y = rain()
    weighted = fit_water_line(x, y, method="pwlsr", amount=np.full(60, 3.0))
    for make in BANDS.values():
        ours = make(weighted, [-20.0, -10.0])
        plain = make(fit_water_line(x, y), [-20.0, -10.0])
        np.testing.assert_allclose(ours.upper, plain.upper, rtol=1e-10)


@pytest.mark.parametrize("method", ["rma", "ma"])
def test_drawn_band_is_the_percentiles_of_the_drawn_lines(method) -> None:
    x, y = rain()
    lines = bootstrap_line(x, y, rng=np.random.default_rng(1), method=method)
    band = confidence_band(lines, [-20.0, -13.0], confidence=0.9)
    for place, at in enumerate([-20.0, -13.0]):
        drawn = lines.slopes * at + lines.intercepts
        low, high = np.quantile(drawn, [0.05, 0.95])
        assert (band.lower[place], band.upper[place]) == pytest.approx((low, high))
    wide = prediction_interval(lines, [-20.0, -13.0], confidence=0.9)
    assert (wide.upper > band.upper).all()
    assert (wide.lower < band.lower).all()


def test_drawn_and_closed_bands_agree_with_many_samples() -> None:
    x, y = rain(n=3000)
    at = [-20.0, -13.0, -5.0]
    lines = bootstrap_line(x, y, rng=np.random.default_rng(1))
    closed = fit_water_line(x, y)
    for make, share in ((confidence_band, 0.12), (prediction_interval, 0.002)):
        ours, theirs = make(lines, at), make(closed, at)
        width = theirs.upper - theirs.lower
        np.testing.assert_allclose(ours.upper - ours.lower, width, rtol=share)


def test_draws_without_a_line_do_not_spoil_the_band() -> None:
    x = np.array([-10.0] * 4 + [-14.0])
    y = np.array([-70.0, -71.0, -69.0, -70.5, -101.0])
    lines = bootstrap_line(x, y, rng=np.random.default_rng(0))
    assert lines.n_failed > 0
    assert np.isfinite(confidence_band(lines, [-12.0]).lower).all()


def test_lines_without_samples_say_why_they_have_no_band() -> None:
    exact = confidence_band(GMWL, [-10.0])
    assert (exact.lower[0], exact.upper[0], exact.reason) == (-70.0, -70.0, "")
    stated = confidence_band(WaterLine.stated(7.9, 12.43), [-10.0])
    assert np.isnan(stated.lower[0])
    assert stated.reason == "no standard errors"
    for line in (GMWL, WaterLine.stated(7.9, 12.43)):
        interval = prediction_interval(line, [-10.0])
        assert np.isnan(interval.upper[0])
        assert interval.reason == "no samples"
        assert np.isfinite(interval.d2H[0])


@pytest.mark.parametrize("make", BANDS.values())
def test_bad_bands_are_refused(make) -> None:
    x, y = rain()
    with pytest.raises(InputError, match=r"No closed form .* 'rma'"):
        make(fit_water_line(x, y, method="rma"), [-10.0])
    with pytest.raises(InputError, match="Invalid confidence 95"):
        make(GMWL, [-10.0], confidence=95)
    with pytest.raises(InputError, match="one-dimensional"):
        make(GMWL, -10.0)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ols", "rma"])
def test_intervals_hold_what_they_promise(method) -> None:
    rng = np.random.default_rng(5)
    line_hits, sample_hits, n = 0, 0, 800
    for _ in range(n):
        x = rng.normal(-13, 3, 40)
        y = 8 * x + 10 + rng.normal(0, 2, 40)
        line = fit_water_line(x, y)
        if method == "rma":
            plan = Resampling(n_draws=500)
            line = bootstrap_line(x, y, rng=rng, method="rma", resampling=plan)
        band = confidence_band(line, [-13.0], confidence=0.9)
        further = 8 * -16 + 10 + rng.normal(0, 2)
        interval = prediction_interval(line, [-16.0], confidence=0.9)
        line_hits += band.lower[0] <= -94.0 <= band.upper[0]
        sample_hits += interval.lower[0] <= further <= interval.upper[0]
    assert 0.86 <= line_hits / n <= 0.93
    assert 0.87 <= sample_hits / n <= 0.93
