"""Co-moments of pieces of time against a numpy twin and the whole series."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.correlation import _kernels_moments as kernels
from geosoil.correlation import moments
from geosoil.correlation.moments import merged_moments

NONE = np.empty((6, 0))


def numpy_twin(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Plain two-pass co-moments over the first axis, 0 where nothing is valid."""
    valid = np.isfinite(x) & np.isfinite(y)
    n = valid.sum(axis=0)
    a, b = (np.where(valid, series.astype(float), 0.0) for series in (x, y))
    mean_a, mean_b = (series.sum(axis=0) / np.maximum(n, 1) for series in (a, b))
    da, db = np.where(valid, a - mean_a, 0.0), np.where(valid, b - mean_b, 0.0)
    sums = [(p * q).sum(axis=0) for p, q in ((da, da), (db, db), (da, db))]
    return np.stack([n, mean_a, mean_b, *sums])


def gappy(steps: int, pixels: int, *, share: float = 0.3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(pixels)
    x = rng.normal(280.0, 8.0, (steps, pixels))
    y = rng.normal(size=(steps, pixels))
    for series in (x, y):
        series[rng.random(series.shape) < share] = np.nan
    x[:, 0] = np.nan
    return x, y


@pytest.mark.parametrize("pixels", [1, 255, 256, 257, 700])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_kernel_equals_its_numpy_twin(pixels: int, dtype: str) -> None:
    x, y = (series.astype(dtype) for series in gappy(9, pixels))
    found = kernels.co_moments(x, y, NONE)
    np.testing.assert_allclose(found, numpy_twin(x, y), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_pieces_one_after_the_other_are_the_whole(share: float) -> None:
    x, y = gappy(20, 300, share=share)
    found = NONE
    for part in (slice(0, 1), slice(1, 8), slice(8, 20)):
        found = kernels.co_moments(x[part], y[part], found)
    np.testing.assert_allclose(found, numpy_twin(x, y), rtol=1e-12, atol=1e-11)


def test_an_empty_piece_changes_nothing_to_the_digit() -> None:
    x, y = gappy(9, 300)
    before = kernels.co_moments(x, y, NONE)
    empty = np.full_like(x, np.nan)
    np.testing.assert_array_equal(kernels.co_moments(empty, y, before), before)
    after = kernels.co_moments(x, y, kernels.co_moments(empty, y, NONE))
    np.testing.assert_array_equal(after, before)


@given(st.floats(-1e6, 1e6), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_a_constant_has_no_sum_of_squares(value: float, steps: int) -> None:
    x = np.full((steps, 3), value)
    y = np.arange(steps * 3.0).reshape(steps, 3)
    found = kernels.co_moments(x, y, kernels.co_moments(x, y, NONE))
    assert (found[3] == 0).all()
    assert (found[1] == value).all()


def test_a_tiny_spread_on_a_large_mean_keeps_its_digits() -> None:
    parts = np.random.default_rng(5).integers(-8, 9, (2, 40, 30)) / 2.0**10
    found = kernels.co_moments(285.0 + parts[0], 1013.0 + parts[1], NONE)
    np.testing.assert_allclose(found[3:], numpy_twin(*parts)[3:], rtol=1e-10)


@pytest.mark.parametrize("piece_bytes", [1, 8 * 20 * 3, 2**24])
@pytest.mark.parametrize("lag", [-2, 0, 1])
def test_the_size_of_the_pieces_changes_only_the_rounding(
    monkeypatch: pytest.MonkeyPatch, piece_bytes: int, lag: int
) -> None:
    monkeypatch.setattr(moments, "PIECE_BYTES", piece_bytes)
    x, y = (
        xr.DataArray(a.reshape(14, 4, 5), dims=("time", "y", "x"))
        for a in gappy(14, 20)
    )
    lazy = merged_moments(x.chunk(time=2, y=3), y.chunk(time=5, x=2), lag=lag)
    first, second = (
        series[max(shift, 0) : 14 + min(shift, 0)].to_numpy()
        for series, shift in ((x, -lag), (y, lag))
    )
    assert lazy.dims == ("y", "x", moments.MOMENT)
    expected = np.moveaxis(numpy_twin(first, second), 0, -1)
    np.testing.assert_allclose(lazy, expected, rtol=1e-12, atol=1e-11)


def test_small_neighbours_are_one_task_and_large_chunks_stay_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = xr.DataArray(np.zeros((12, 10)), dims=("time", "x")).chunk(time=1)
    counted = []
    for size in (1, 4 * 80, 12 * 80):
        monkeypatch.setattr(moments, "PIECE_BYTES", size)
        graph = merged_moments(x, x + 1).data.dask
        names = [str(key[0]) for key in graph.to_dict() if isinstance(key, tuple)]
        counted.append(sum(name.startswith("co-moments") for name in names))
    assert counted == [12, 3, 1]


def test_dims_in_another_order_are_the_same_series() -> None:
    x, y = (
        xr.DataArray(a.reshape(8, 3, 5), dims=("time", "y", "x")) for a in gappy(8, 15)
    )
    plain = merged_moments(x.chunk(time=3), y.chunk(time=3))
    turned = merged_moments(
        x.chunk(time=3), y.transpose("x", "y", "time").chunk(time=3)
    )
    xr.testing.assert_equal(turned.compute(), plain.compute())
