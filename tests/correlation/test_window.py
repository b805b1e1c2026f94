"""Moving windows against terra, R, scipy, a twin by brute force and symmetries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from geosoil.correlation.map_pair import REASONS
from geosoil.correlation.window import (
    window_correlation,
    window_p_values,
    window_weights,
)
from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid

Pair = tuple[np.ndarray, np.ndarray]
OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(len(REASONS))


def chart(values: np.ndarray, name: str = "x") -> xr.DataArray:
    return xr.DataArray(values, dims=("time", "y", "x")[-values.ndim :], name=name)


def gappy(
    shape: tuple[int, ...], *, seed: int, mean: float = 0.0, spread: float = 1.0
) -> Pair:
    """Two related maps with a trend, noise and a tenth missing in each, float32."""
    rng = np.random.default_rng(seed)
    base = ndimage.gaussian_filter(rng.normal(size=shape), 8) * 20
    x = base + 0.3 * rng.normal(size=shape)
    y = 0.6 * base + 0.5 * rng.normal(size=shape)
    maps = [(mean + spread * a).astype(np.float32) for a in (x, y)]
    for values in maps:
        values[rng.random(shape) < 0.1] = np.nan
    return maps[0], maps[1]


def windows(
    x: np.ndarray, y: np.ndarray, size: int
) -> list[tuple[tuple[int, int], np.ndarray, np.ndarray, np.ndarray]]:
    """Index, offsets and valid pairs of the window around every cell."""
    half = size // 2
    pieces = []
    for i, j in np.ndindex(*x.shape):
        rows = slice(max(0, i - half), i + half + 1)
        columns = slice(max(0, j - half), j + half + 1)
        a, b = x[rows, columns].astype(float), y[rows, columns].astype(float)
        valid = np.isfinite(a) & np.isfinite(b)
        at = np.argwhere(valid) + np.array([rows.start - i, columns.start - j])
        pieces.append(((i, j), at, a[valid], b[valid]))
    return pieces


def twin(
    x: np.ndarray, y: np.ndarray, size: int, least: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Two-pass r and n of square windows, one after the other."""
    r, n = np.full(x.shape, np.nan), np.zeros(x.shape, int)
    for index, _, a, b in windows(x, y, size):
        n[index] = len(a)
        if len(a) >= least and np.ptp(a) > 0 and np.ptp(b) > 0:
            u, v = a - a.mean(), b - b.mean()
            r[index] = (u @ v) / np.sqrt((u @ u) * (v @ v))
    return r, n


@pytest.fixture(scope="module")
def layers(folder: Path) -> tuple[xr.DataArray, xr.DataArray]:
    """Soil moisture and NDVI of one month, 10 x 12 cells."""
    return read(folder / "layers_t7_sm_ndvi.tif")


def read(path: Path) -> tuple[xr.DataArray, ...]:
    with rasterio.open(path) as source:
        bands = source.read(masked=True).filled(np.nan)
    return tuple(chart(band) for band in bands)


def test_squares_equal_terra_everywhere(layers: Pair, folder: Path) -> None:
    expected = read(folder / "terra_focalPairs_pearson_5_narm.tif")[0]
    found = window_correlation(*layers, size=5)
    np.testing.assert_allclose(found.r, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_inner_columns_equal_raster_corlocal(
    layers: Pair, folder: Path, size: int, method: str
) -> None:
    # The reference is wrong in the outer columns, and ranks before it pairs: only full
    # windows are compared.
    expected = read(folder / f"R_corLocal_{method}_{size}.tif")[0].to_numpy()
    found = window_correlation(*layers, size=size, method=method)
    half = size // 2
    full = (found.n == size**2).to_numpy()
    full[:, :half] = full[:, -half:] = False
    full[:half] = full[-half:] = False
    assert full.sum() > 20
    np.testing.assert_allclose(
        found.r.to_numpy()[full], expected[full], rtol=0, atol=1e-12
    )


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([3, 5, 9]), st.integers(9, 24))
def test_squares_equal_the_brute_force_twin(seed: int, size: int, rows: int) -> None:
    x, y = gappy((rows, 17), seed=seed)
    found = window_correlation(chart(x), chart(y), size=size)
    r, n = twin(x, y, size)
    np.testing.assert_array_equal(found.n, n)
    np.testing.assert_allclose(found.r, r, rtol=0, atol=1e-7)
    exact = window_correlation(
        chart(x.astype(float)), chart(y.astype(float)), size=size
    )
    np.testing.assert_allclose(exact.r, r, rtol=0, atol=1e-10)


@pytest.mark.parametrize("size", [5, 21])
@pytest.mark.parametrize(
    ("mean", "spread"),
    [(0.0, 1.0), (4500.0, 800.0), (285.0, 5.0), (285.0, 0.3), (101325.0, 300.0)],
)
def test_squares_lose_no_digits_on_any_field(
    mean: float, spread: float, size: int
) -> None:
    # Larger than a tile in both directions.
    x, y = gappy((150, 260), seed=1, mean=mean, spread=spread)
    found = window_correlation(chart(x), chart(y), size=size)
    valid = np.isfinite(x) & np.isfinite(y)
    n, far = valid.astype(float), size // 2

    def total(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, far).astype(np.longdouble)
        view = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
        return view.sum(axis=(2, 3))

    # Extended precision, around each map's middle.
    a = np.where(valid, x.astype(np.longdouble) - mean, 0)
    b = np.where(valid, y.astype(np.longdouble) - mean, 0)
    n = total(n)
    u, v = total(a), total(b)
    spread_x, spread_y = total(a * a) - u * u / n, total(b * b) - v * v / n
    expected = (total(a * b) - u * v / n) / np.sqrt(spread_x * spread_y)
    assert found.r.dtype == np.float32
    np.testing.assert_allclose(found.r, expected.astype(float), rtol=0, atol=1e-7)


def test_a_spike_spoils_no_window_that_does_not_hold_it() -> None:
    x, y = gappy((60, 60), seed=2)
    spiked = x.copy()
    spiked[30, 30] = 3e7
    found = window_correlation(chart(spiked), chart(y), size=5)
    clean = window_correlation(chart(x), chart(y), size=5)
    away = np.ones((60, 60), bool)
    away[28:33, 28:33] = False
    np.testing.assert_allclose(
        found.r.to_numpy()[away], clean.r.to_numpy()[away], rtol=0, atol=1e-7
    )


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_r_survives_values_whose_squares_do_not(scale: float) -> None:
    x, y = (a.astype(float) for a in gappy((12, 12), seed=3))
    found = window_correlation(chart(x * scale), chart(y), size=3)
    np.testing.assert_allclose(found.r, twin(x, y, 3)[0], rtol=0, atol=1e-12)


def test_every_empty_answer_has_its_reason() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 12, 40))
    x[:, :8] = np.nan
    x[1, 1] = 1.0
    x[:, 14:20] = 285.15
    y[:, 24:30] = 0.1
    x[:, 34:] = y[:, 34:] = 7.0
    found = window_correlation(chart(x), chart(y), size=3)
    row = found.reason[6].to_numpy()
    assert row[3] == ALL_MISSING
    assert found.reason[1, 1] == FEW
    assert (row[15:19] == CONSTANT_X).all()
    assert (row[25:29] == CONSTANT_Y).all()
    assert (row[36:] == CONSTANT_X).all()
    assert (row[10:13] == OK).all()
    np.testing.assert_array_equal(np.isfinite(found.r), found.reason == OK)
    assert found.reason.attrs["flag_meanings"].split() == list(REASONS)
    for other in ("spearman", "pearson"):
        shaped = window_correlation(
            chart(x), chart(y), size=3, method=other, shape="circle"
        )
        np.testing.assert_array_equal(shaped.reason, found.reason)


def test_a_constant_kelvin_map_is_constant_and_not_minus_one() -> None:
    x = np.full((30, 30), 285.15, np.float32)
    y = gappy((30, 30), seed=5)[1]
    found = window_correlation(chart(x), chart(y), size=7)
    assert (found.reason == CONSTANT_X).all()
    assert np.isnan(found.r).all()


@pytest.mark.parametrize("shape", ["square", "circle"])
def test_spearman_equals_scipy_in_every_window(shape: str) -> None:
    x, y = gappy((11, 13), seed=6)
    x, y = np.round(x), np.round(y * 2)
    found = window_correlation(
        chart(x), chart(y), size=5, method="spearman", shape=shape
    )
    for index, at, a, b in windows(x, y, 5):
        near = (at**2).sum(axis=1) <= (2.5**2 if shape == "circle" else np.inf)
        assert found.n[index] == near.sum()
        if found.reason[index] == OK:
            expected = stats.spearmanr(a[near], b[near]).statistic
            assert float(found.r[index]) == pytest.approx(expected, abs=1e-7)
    assert (found.reason == OK).mean() > 0.9


def test_sorted_ranks_equal_counted_ranks() -> None:
    from geosoil.correlation import _kernels_pairs as kernels

    rng = np.random.default_rng(7)
    values = np.round(rng.normal(size=kernels.COUNTED + 50), 1)
    expected = 2 * stats.rankdata(values)
    kernels.rank_in_place(values)
    np.testing.assert_array_equal(values, expected)


def test_gaussian_windows_are_the_weighted_correlation() -> None:
    x, y = (a.astype(float) for a in gappy((11, 12), seed=8))
    found = window_correlation(chart(x), chart(y), size=7, shape="gaussian")
    for index, at, a, b in windows(x, y, 7):
        weights = np.exp(-(at**2).sum(axis=1) / (2 * (7 / 6) ** 2))
        c = np.cov(a, b, aweights=weights, ddof=0)
        expected = c[0, 1] / np.sqrt(c[0, 0] * c[1, 1])
        assert float(found.r[index]) == pytest.approx(expected, abs=1e-12)
        effective = weights.sum() ** 2 / (weights**2).sum()
        assert float(found.n_effective[index]) == pytest.approx(effective, rel=1e-12)


def test_a_circle_of_five_cells_leaves_out_the_corners() -> None:
    expected = np.ones((5, 5))
    expected[::4, ::4] = 0
    np.testing.assert_array_equal(window_weights(5, "circle"), expected)


@settings(max_examples=20)
@given(
    st.integers(0, 10**6),
    st.floats(0.01, 100),
    st.floats(-1e3, 1e3),
    st.sampled_from(["square", "circle", "gaussian"]),
)
def test_r_ignores_units_and_follows_signs_and_flips(
    seed: int, factor: float, shift: float, shape: str
) -> None:
    x, y = (a.astype(float) for a in gappy((9, 14), seed=seed))
    base = window_correlation(chart(x), chart(y), size=5, shape=shape).r
    other = window_correlation(
        chart(y), chart(shift - factor * x), size=5, shape=shape
    ).r
    np.testing.assert_allclose(other, -base, rtol=0, atol=1e-7)
    flipped = window_correlation(
        chart(x[::-1, ::-1]), chart(y[::-1, ::-1]), size=5, shape=shape
    ).r
    np.testing.assert_allclose(flipped[::-1, ::-1], base, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", ["square", "gaussian"])
def test_a_stack_and_its_dask_chunks_equal_the_single_maps(shape: str) -> None:
    x, y = gappy((3, 20, 22), seed=9)
    stack = window_correlation(chart(x), chart(y), size=5, shape=shape)
    chunks = {"time": 1, "y": 7, "x": 22}
    lazy = window_correlation(
        chart(x).chunk(chunks),
        chart(y).transpose("x", "time", "y").chunk(chunks),
        size=5,
        shape=shape,
    )
    assert lazy.r.chunks is not None
    xr.testing.assert_identical(lazy.compute(), stack)
    for k in range(3):
        single = window_correlation(chart(x[k]), chart(y[k]), size=5, shape=shape)
        np.testing.assert_array_equal(stack.r[k], single.r)
        np.testing.assert_array_equal(stack.reason[k], single.reason)


def test_p_values_are_those_of_student_with_the_pairs_of_the_window() -> None:
    x, y = (a.astype(float) for a in gappy((9, 9), seed=10))
    found = window_correlation(chart(x), chart(y), size=3)
    p = window_p_values(found)
    for index, _, a, b in windows(x, y, 3):
        if found.reason[index] == OK:
            expected = stats.pearsonr(a, b).pvalue
            assert float(p[index]) == pytest.approx(expected, rel=1e-8)
        else:
            assert np.isnan(p[index])


def test_p_values_of_gaussian_windows_take_the_effective_pairs() -> None:
    x, y = (a.astype(float) for a in gappy((9, 9), seed=10))
    x[:, :3] = np.nan
    found = window_correlation(chart(x), chart(y), size=5, shape="gaussian")
    p = window_p_values(found).to_numpy()
    r, n = found.r.to_numpy(), found.n_effective.to_numpy()
    enough = n >= 3
    assert 40 < enough.sum() < 81
    t = r[enough] * np.sqrt((n[enough] - 2) / (1 - r[enough] ** 2))
    expected = 2 * stats.t.sf(abs(t), n[enough] - 2)
    np.testing.assert_allclose(p[enough], expected, rtol=1e-8)
    assert np.isnan(p[~enough]).all()


def test_maps_and_settings_are_written_into_the_answer() -> None:
    grid = Grid.from_bounds((95, 33, 95.5, 33.5), 0.05, "EPSG:4326")
    x, y = gappy((10, 10), seed=11)
    found = window_correlation(
        grid.raster(x, name="sm"), grid.raster(y, name="ndvi"), size=5
    )
    assert Grid.of(found) == grid
    assert found.attrs == {
        "method": "pearson",
        "window": 5,
        "shape": "square",
        "min_pairs": 4,
    }
    assert "sm and ndvi" in found.r.attrs["long_name"]


@pytest.mark.parametrize("size", [4, 1, 0, -3, 13, 5.0])
def test_a_window_that_cannot_be_is_refused(size: int) -> None:
    x = chart(np.zeros((12, 14)))
    with pytest.raises(InputError, match=f"size is {size}"):
        window_correlation(x, x, size=size)


def test_every_fault_of_the_settings_is_named() -> None:
    x = chart(np.zeros((12, 14)))
    with pytest.raises(InputError, match=r"'kendall'.*'hexagon'.*min_pairs is 2"):
        window_correlation(x, x, size=3, method="kendall", shape="hexagon", min_pairs=2)
    with pytest.raises(InputError, match="min_pairs is 10, a window has 9"):
        window_correlation(x, x, size=3, min_pairs=10)
    line = xr.DataArray(np.zeros(5), dims="time", name="t")
    with pytest.raises(InputError, match="no \\['x', 'y'\\]"):
        window_correlation(line, line, size=3)


def test_different_grids_are_refused() -> None:
    first, second = (
        Grid.from_bounds((west, 33, west + 0.5, 33.5), 0.05, "EPSG:4326").raster(
            np.zeros((10, 10))
        )
        for west in (95, 96)
    )
    with pytest.raises(GridMismatchError):
        window_correlation(first, second, size=3)
    with pytest.raises(GridMismatchError, match="align"):
        window_correlation(first, first[:5], size=3)


@pytest.mark.slow
def test_a_wide_window_needs_little_more_memory_than_its_answers() -> None:
    import subprocess
    import sys

    code = """
import numpy as np, xarray as xr
from geosoil.correlation.window import window_correlation
small = xr.DataArray(np.random.rand(200, 300).astype("f4"), dims=("y", "x"))
window_correlation(small, small**2, size=21)
rng = np.random.default_rng(0)
x, y = (
    xr.DataArray(rng.random((1800, 3600), dtype="f4"), dims=("y", "x"))
    for _ in range(2)
)
def status(key):
    with open("/proc/self/status") as lines:
        return next(int(l.split()[1]) for l in lines if l.startswith(key)) / 1024
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = status("VmRSS")
found = window_correlation(x, y, size=21)
print(status("VmHWM") - before, found.nbytes / 2**20)
"""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak of a process is read from /proc")
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    peak, outputs = (float(word) for word in answer.stdout.split())
    assert peak <= outputs + 32
