"""Correlation over time against scipy, R, cdo, a numpy twin and its own symmetries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from geosoil.correlation.temporal import REASONS, correlate
from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.grid import Grid

Pair = tuple[xr.DataArray, xr.DataArray]


def gappy(shape: tuple[int, ...], *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two correlated cubes with a tenth of the values missing in each."""
    rng = np.random.default_rng(seed)
    x = rng.normal(280.0, 8.0, shape)
    y = 0.05 * (x - 280) + rng.normal(size=shape)
    x[rng.random(shape) < 0.1] = np.nan
    y[rng.random(shape) < 0.1] = np.nan
    return x, y


def cube(values: np.ndarray, name: str = "x") -> xr.DataArray:
    times = pd.date_range("2001-01-01", periods=values.shape[0], freq="MS")
    dims = ("time", "y", "x")[: values.ndim]
    return xr.DataArray(values, dims=dims, coords={"time": times}, name=name)


def numpy_twin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plain two-pass r over the first axis, and the number of pairs."""
    valid = np.isfinite(x) & np.isfinite(y)
    n = valid.sum(axis=0)
    dx, dy = np.where(valid, x, 0.0), np.where(valid, y, 0.0)
    dx = np.where(valid, dx - dx.sum(axis=0) / n, 0.0)
    dy = np.where(valid, dy - dy.sum(axis=0) / n, 0.0)
    spread = np.sqrt((dx**2).sum(axis=0) * (dy**2).sum(axis=0))
    return (dx * dy).sum(axis=0) / spread, n


@pytest.mark.parametrize("reference", ["scipy", "R"])
def test_pixels_equal_the_reference(
    series: Pair, answers: dict[str, pd.DataFrame], reference: str
) -> None:
    found = correlate(*series, min_pairs=3)
    table = answers[reference]
    np.testing.assert_array_equal(found.n.to_numpy().ravel(), table["n"])
    np.testing.assert_allclose(
        found.r.to_numpy().ravel(), table["pearson"], rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(
        found.p_value.to_numpy().ravel(), table["p_pearson"], rtol=1e-7, atol=1e-200
    )


def test_special_pixels_have_their_reason(series: Pair) -> None:
    found = correlate(*series, min_pairs=3)
    meanings = found.reason.attrs["flag_meanings"].split()
    reason = [meanings[code] for code in found.reason.to_numpy()[0, :5]]
    assert reason == ["all_missing", "ok", "constant_x", "few", "ok"]
    assert meanings == list(REASONS)
    np.testing.assert_array_equal(found.reason.attrs["flag_values"], range(5))
    np.testing.assert_allclose(found.r[2, 2:4], [1.0, -1.0], rtol=0, atol=1e-15)
    assert (found.p_value[2, 2:4] < 1e-200).all()
    assert correlate(series[1], series[0]).reason[0, 2] == REASONS.index("constant_y")


def test_three_pairs_are_answered_only_if_asked_for(series: Pair) -> None:
    default, forced = correlate(*series), correlate(*series, min_pairs=3)
    assert int(default.n[0, 4]) == 3
    assert np.isnan(default.r[0, 4])
    assert default.reason[0, 4] == REASONS.index("few")
    assert np.isfinite(forced.r[0, 4])


def test_an_exact_line_gives_p_zero() -> None:
    x = cube(np.arange(8.0))
    found = correlate(x, -2 * x)
    assert float(found.r) == -1.0
    assert float(found.p_value) == 0.0


def test_lagged_r_equals_cdo(series: Pair, folder: Path) -> None:
    x, y = series
    with xr.open_dataset(folder / "cdo_timcor_lag1.nc") as dataset:
        reference = dataset["sm"].load().to_numpy()[0]
    leads = [
        np.nanmax(np.abs(correlate(x, y, lag=lag).r.to_numpy() - reference)[1:])
        for lag in (1, -1)
    ]
    assert min(leads) < 1e-6


@pytest.mark.parametrize("lag", [-3, -1, 0, 2])
def test_lag_pairs_x_with_later_y(lag: int) -> None:
    a, b = gappy((20, 2, 3), seed=1)
    shifted = cube(b).shift(time=-lag).to_numpy()
    expected, n = numpy_twin(a, shifted)
    found = correlate(cube(a), cube(b), lag=lag)
    np.testing.assert_allclose(found.r, expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(found.n, n)


@pytest.mark.parametrize("pixels", [1, 511, 512, 513, 1400])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernel_equals_its_numpy_twin(pixels: int, dtype: str) -> None:
    a, b = (part.astype(dtype) for part in gappy((23, 1, pixels), seed=pixels))
    expected, n = numpy_twin(a.astype(float), b.astype(float))
    found = correlate(cube(a), cube(b))
    np.testing.assert_allclose(found.r, expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(found.n, n)
    assert found.r.dtype == np.float64


def test_each_pixel_equals_a_scipy_loop() -> None:
    a, b = gappy((12, 4, 5), seed=3)
    found = correlate(cube(a), cube(b))
    for i, j in np.ndindex(4, 5):
        valid = np.isfinite(a[:, i, j]) & np.isfinite(b[:, i, j])
        r, p = stats.pearsonr(a[valid, i, j], b[valid, i, j])
        assert float(found.r[i, j]) == pytest.approx(r, abs=1e-14)
        assert float(found.p_value[i, j]) == pytest.approx(p, rel=1e-9)


def test_integers_are_correlated_as_they_are() -> None:
    a = np.array([3, 1, 4, 1, 5, 9], dtype=np.int16)
    b = np.array([2, 7, 1, 8, 2, 8], dtype=np.uint8)
    found = correlate(cube(a), cube(b))
    assert float(found.r) == pytest.approx(stats.pearsonr(a, b).statistic, abs=1e-15)


def test_kelvin_with_a_tiny_spread_keeps_its_digits() -> None:
    rng = np.random.default_rng(5)
    dx, dy = rng.integers(-8, 9, (2, 40, 1, 30)) / 2.0**10
    expected, _ = numpy_twin(dx, dy)
    found = correlate(cube(285.0 + dx), cube(1013.0 + dy))
    np.testing.assert_allclose(found.r, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_squares_beyond_float64_do_not_lose_r(scale: float) -> None:
    a, b = gappy((15, 1, 4), seed=8)
    expected = correlate(cube(a), cube(b)).r
    found = correlate(cube(a * scale), cube(b))
    np.testing.assert_allclose(found.r, expected, rtol=0, atol=1e-12)
    assert (found.reason == 0).all()


def test_infinite_values_count_as_missing() -> None:
    a, b = gappy((15, 1, 4), seed=9)
    expected = correlate(cube(a), cube(b))
    found = correlate(cube(np.where(np.isnan(a), np.inf, a)), cube(b))
    xr.testing.assert_equal(found, expected)


series_values = arrays(
    np.float64,
    12,
    elements=st.one_of(st.integers(-50, 50).map(float), st.just(np.nan)),
)


@given(series_values, series_values, st.sampled_from([-4.0, -0.5, 0.25, 8.0]))
@settings(max_examples=60, deadline=None)
def test_r_ignores_shift_and_scale(a: np.ndarray, b: np.ndarray, scale: float) -> None:
    plain = correlate(cube(a), cube(b))
    moved = correlate(cube(scale * a + 32), cube(b))
    np.testing.assert_allclose(
        moved.r, np.sign(scale) * plain.r, rtol=0, atol=1e-14, equal_nan=True
    )
    assert int(moved.n) == int(plain.n)
    assert int(moved.reason) == int(plain.reason)


@given(series_values, series_values, st.permutations(range(12)))
@settings(max_examples=60, deadline=None)
def test_r_is_symmetric_and_ignores_the_order_of_pairs(
    a: np.ndarray, b: np.ndarray, order: list[int]
) -> None:
    plain = correlate(cube(a), cube(b))
    turned = correlate(cube(b[order]), cube(a[order]))
    np.testing.assert_allclose(turned.r, plain.r, rtol=0, atol=1e-14, equal_nan=True)
    assert int(turned.n) == int(plain.n)


@given(series_values, series_values)
@settings(max_examples=60, deadline=None)
def test_the_reason_says_when_there_is_no_r(a: np.ndarray, b: np.ndarray) -> None:
    found = correlate(cube(a), cube(b))
    valid = np.isfinite(a) & np.isfinite(b)
    assert int(found.n) == valid.sum()
    assert np.isfinite(found.r) == (int(found.reason) == 0)
    assert np.isnan(found.p_value) == np.isnan(found.r)
    if valid.sum() == 0:
        assert REASONS[int(found.reason)] == "all_missing"
    elif valid.sum() < 4:
        assert REASONS[int(found.reason)] == "few"
    elif np.ptp(a[valid]) == 0:
        assert REASONS[int(found.reason)] == "constant_x"
    elif np.ptp(b[valid]) == 0:
        assert REASONS[int(found.reason)] == "constant_y"
    else:
        assert abs(float(found.r)) <= 1
        assert 0 <= float(found.p_value) <= 1


@given(series_values, series_values, st.integers(0, 11))
@settings(max_examples=40, deadline=None)
def test_a_value_without_partner_changes_nothing(
    a: np.ndarray, b: np.ndarray, step: int
) -> None:
    assume(np.isnan(b[step]))
    changed = a.copy()
    changed[step] = 1e6
    xr.testing.assert_identical(
        correlate(cube(a), cube(b)), correlate(cube(changed), cube(b))
    )


@pytest.mark.parametrize("chunks", [{"y": 3}, {"y": 2, "x": 5}, {"time": 5, "x": 4}])
def test_dask_chunks_do_not_change_the_answer(chunks: dict[str, int]) -> None:
    a, b = gappy((14, 7, 11), seed=4)
    lazy = correlate(cube(a).chunk(chunks), cube(b).chunk(chunks), lag=1)
    assert lazy.r.chunks is not None
    eager = correlate(cube(a), cube(b), lag=1)
    # Pieces of time are merged, and so rounded, in another order.
    xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-13, atol=1e-14)
    if "time" not in chunks:
        xr.testing.assert_identical(lazy.compute(), eager)


def test_memory_layout_does_not_change_the_answer() -> None:
    a, b = gappy((14, 7, 11), seed=6)
    pixel_major = cube(a).transpose("y", "x", "time").copy()
    pixel_major.values = np.ascontiguousarray(pixel_major.to_numpy())
    xr.testing.assert_equal(
        correlate(pixel_major, cube(b)), correlate(cube(a), cube(b))
    )


def test_crs_and_words_come_along() -> None:
    grid = Grid.from_bounds((95, 33, 96, 34), 0.5, "EPSG:4326")
    a, b = gappy((9, 2, 2), seed=2)
    x = grid.georeference(cube(a, "soil_moisture"))
    y = grid.georeference(cube(b, "ndvi"))
    found = correlate(x, y, lag=2)
    assert Grid.of(found) == grid
    assert found.r.attrs["long_name"].endswith("soil_moisture and ndvi")
    assert found.p_value.attrs["method"] == "pearson"
    assert found.attrs == {"method": "pearson", "lag": 2, "min_pairs": 4}
    assert "time" not in found.coords


def test_series_of_different_times_are_refused_with_the_dates() -> None:
    x = cube(np.ones((6, 2, 2)), "soil_moisture")
    y = x.isel(time=slice(1, None)).rename("ndvi")
    with pytest.raises(InputError, match=r"only in x 'soil_moisture': 2001-01-01"):
        correlate(x, y)


def test_different_grids_are_refused_by_name() -> None:
    a = np.ones((6, 2, 2))
    grids = [
        Grid.from_bounds((west, 33, west + 1, 34), 0.5, "EPSG:4326")
        for west in (95, 96)
    ]
    x, y = (
        grid.georeference(cube(a, name))
        for grid, name in zip(grids, ("rain", "ndvi"), strict=True)
    )
    with pytest.raises(GridMismatchError, match="'rain' and 'ndvi' lie on different"):
        correlate(x, y)
    with pytest.raises(GridMismatchError, match="differ in shape"):
        correlate(cube(a), cube(a[:, :1]))
    with pytest.raises(MissingCRSError, match="'bare' has no coordinate reference"):
        correlate(x, cube(a, "bare"))
    without_crs = cube(a).assign_coords(y=[1.0, 0.0], x=[0.0, 1.0])
    with pytest.raises(GridMismatchError, match="different coordinates 'y'"):
        correlate(without_crs, without_crs.assign_coords(y=[2.0, 1.0]))


def test_float_noise_in_coordinates_is_the_same_grid() -> None:
    a = np.random.default_rng(0).normal(size=(6, 2, 2))
    x = cube(a).assign_coords(y=[1.0, 0.0], x=[0.0, 1.0])
    found = correlate(x, x.assign_coords(y=[1.0 + 1e-12, 1e-12]))
    assert found.sizes == {"y": 2, "x": 2}
    np.testing.assert_allclose(found.r, 1.0, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "kendal"}, "unknown method 'kendal'"),
        ({"dim": "year"}, "no 'year'"),
        ({"min_pairs": 2}, "fewest that can be is 3"),
        ({"lag": 4}, "not testable"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    options: dict[str, object], words: str
) -> None:
    x = cube(np.ones((6, 2, 2)))
    with pytest.raises(InputError, match=words):
        correlate(x, x, **options)  # type: ignore[arg-type]


def test_three_months_are_not_testable() -> None:
    x = cube(np.random.default_rng(0).normal(size=(3, 2, 2)))
    with pytest.raises(InputError, match="leave 3 pairs, fewer than min_pairs = 4"):
        correlate(x, x)
    assert (correlate(x, x, min_pairs=3).reason == 0).all()


def test_numba_is_loaded_with_the_first_use_only() -> None:
    code = (
        "import sys, geosoil.correlation.temporal as t; "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
