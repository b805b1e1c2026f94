"""Bootstrap intervals against scipy, plain numpy with the same draws, and coverage."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, stats

from geosoil.correlation import bootstrap
from geosoil.correlation._kernels_bootstrap import quantiles
from geosoil.correlation.bootstrap import bootstrap_interval
from geosoil.correlation.resampling import block_length, resampling
from geosoil.correlation.temporal import correlate
from geosoil.errors import GridMismatchError, InputError

ENDS = ("r_lower", "r_upper")


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def over_time(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims=("time", "y", "x")[: np.ndim(values)])


def related(seed: int, shape: tuple[int, ...], *, digits: int = 9) -> list[np.ndarray]:
    x, noise = rng_of(seed).normal(size=(2, *shape))
    return [np.round(x, digits), np.round(0.5 * x + noise, digits)]


def plain_r(x: np.ndarray, y: np.ndarray, method: str) -> float:
    valid = np.isfinite(x) & np.isfinite(y)
    x, y = x[valid], y[valid]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.nan
    if method == "spearman":
        x, y = stats.rankdata(x), stats.rankdata(y)
    return float(np.corrcoef(x, y)[0, 1])


def plain_interval(
    x: np.ndarray,
    y: np.ndarray,
    draws: list[np.ndarray],
    block: int,
    how: tuple[str, str],
) -> np.ndarray:
    """Ends of a 90 % interval of one pixel, every step drawn by its number."""
    method, kind = how
    drawn = np.array([plain_r(x[d], y[d], method) for d in draws])
    drawn = drawn[np.isfinite(drawn)]
    levels = np.array([0.05, 0.95])
    if kind == "bca":
        whole = plain_r(x, y, method)
        left = []
        for start in range(0, len(x), block):
            out = np.arange(start, min(start + block, len(x)))
            if np.isfinite(x[out] + y[out]).any():
                rest = np.delete(np.arange(len(x)), out)
                left.append(plain_r(x[rest], y[rest], method))
        u = np.mean(left) - np.array(left)
        a = np.sum(u**3) / (6 * np.sum(u**2) ** 1.5)
        near = np.abs(drawn - whole) < 1e-12
        below = np.mean(np.where(near, 0.5, drawn < whole))
        z = stats.norm.ppf(below) + stats.norm.ppf(levels)
        levels = stats.norm.cdf(stats.norm.ppf(below) + z / (1 - a * z))
    return np.percentile(drawn, 100 * levels)


@pytest.mark.parametrize("kind", ["percentile", "bca"])
@pytest.mark.parametrize(
    ("method", "statistic"),
    [("pearson", stats.pearsonr), ("spearman", stats.spearmanr)],
)
def test_intervals_equal_scipy_with_the_same_draws(
    method: str, statistic: object, kind: str
) -> None:
    x, y = related(1, (25,), digits=1)
    expected = stats.bootstrap(
        (x, y),
        lambda a, b: statistic(a, b)[0],
        paired=True,
        vectorized=False,
        n_resamples=499,
        confidence_level=0.9,
        method=kind,
        rng=rng_of(2),
    ).confidence_interval
    found = bootstrap_interval(
        over_time(x),
        over_time(y),
        rng=rng_of(2),
        method=method,
        kind=kind,
        n_draws=499,
        confidence=0.9,
    )
    assert float(found.r_lower) == pytest.approx(expected.low, abs=1e-12)
    assert float(found.r_upper) == pytest.approx(expected.high, abs=1e-12)
    assert float(found.r) == pytest.approx(statistic(x, y)[0], abs=1e-14)


@pytest.mark.parametrize("block", [1, 3])
@pytest.mark.parametrize("kind", ["percentile", "bca"])
@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_maps_with_gaps_equal_plain_numpy(method: str, kind: str, block: int) -> None:
    x, y = related(3, (26, 2, 3), digits=1)
    x[rng_of(4).random(x.shape) < 0.15] = np.nan
    y[:7, 0, 0] = np.inf
    x[:, 1, 1] += 1e6
    y[5, 1, 2] = 1e9  # draws without this step are small beside it
    found = bootstrap_interval(
        over_time(x),
        over_time(y),
        rng=rng_of(5),
        method=method,
        kind=kind,
        block=block,
        n_draws=99,
        confidence=0.9,
    )
    weights = resampling(26, block, n_draws=99, rng=rng_of(5)).weights[:99]
    draws = [np.repeat(np.arange(26), w.astype(int)) for w in weights]
    assert found.n.dtype == np.int32
    for row, column in np.ndindex(2, 3):
        pair = x[:, row, column], y[:, row, column]
        expected = plain_interval(*pair, draws, block, (method, kind))
        got = [float(found[end][row, column]) for end in ENDS]
        tolerance = 1e-9 if (row, column) == (1, 1) else 1e-12
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
        assert found.n[row, column] == np.isfinite(pair[0] + pair[1]).sum()


def test_r_n_and_reason_are_those_of_correlate() -> None:
    x, y = related(6, (12, 1, 6))
    x[3:, 0, 1] = np.nan
    x[:, 0, 2] = 0.1
    y[:, 0, 3] = 0.1
    y[:, 0, 4] = np.nan
    found = bootstrap_interval(over_time(x), over_time(y), rng=rng_of(7), n_draws=99)
    expected = correlate(over_time(x), over_time(y))
    for name in ("r", "n", "reason"):
        np.testing.assert_array_equal(found[name], expected[name])
    assert found.reason.values.ravel().tolist() == [0, 1, 2, 3, 4, 0]
    for end in ENDS:
        np.testing.assert_array_equal(found[end].isnull(), found.reason != 0)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_a_series_that_most_draws_may_miss_has_r_and_no_interval(method: str) -> None:
    # (29/30)**30 of the draws, 36 %, miss the only step that differs.
    x = np.where(np.arange(30) == 4, 1.0, 0.1)
    y = rng_of(8).normal(size=30)
    for kind in ("percentile", "bca"):
        found = bootstrap_interval(
            over_time(x), over_time(y), rng=rng_of(9), method=method, kind=kind
        )
        assert int(found.reason) == 5
        assert found.reason.flag_meanings.split()[5] == "no_interval"
        assert np.isfinite(float(found.r))
        assert np.isnan([float(found[end]) for end in ENDS]).all()


def test_a_few_constant_draws_are_left_out() -> None:
    # (27/30)**30 of the draws, 4 %, miss all three steps that differ.
    x = np.where(np.arange(30) % 10 == 4, np.arange(30.0), 0.1)
    y = rng_of(10).normal(size=30)
    weights = resampling(30, 1, n_draws=999, rng=rng_of(11)).weights[:999]
    draws = [np.repeat(np.arange(30), w.astype(int)) for w in weights]
    drawn = np.array([plain_r(x[d], y[d], "pearson") for d in draws])
    assert 0 < np.isnan(drawn).sum() < 50
    found = bootstrap_interval(
        over_time(x), over_time(y), rng=rng_of(11), kind="percentile"
    )
    expected = np.nanpercentile(drawn, [2.5, 97.5])
    got = [float(found[end]) for end in ENDS]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


def test_a_line_is_certain() -> None:
    x = rng_of(12).normal(size=20)
    for method in ("pearson", "spearman"):
        found = bootstrap_interval(
            over_time(x), over_time(3 - 2 * x), rng=rng_of(13), method=method
        )
        for end in ENDS:
            assert float(found[end]) == pytest.approx(-1, abs=1e-14)


def test_chunks_strips_and_neighbours_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, y = (over_time(values) for values in related(14, (15, 4, 50)))
    x = x.where(rng_of(15).random(x.shape) > 0.1)

    def asked(first: xr.DataArray, second: xr.DataArray, method: str) -> xr.Dataset:
        return bootstrap_interval(
            first, second, rng=rng_of(16), method=method, n_draws=99
        )

    for method in ("pearson", "spearman"):
        whole = asked(x, y, method)
        lazy = asked(x.chunk(y=1, x=17), y.chunk(y=3), method)
        assert lazy.r_lower.chunks is not None
        xr.testing.assert_identical(lazy.compute(), whole)
        part = {"y": slice(2, 3), "x": slice(31, 44)}
        cut = asked(x.isel(part), y.isel(part), method)
        xr.testing.assert_identical(cut, whole.isel(part))
        monkeypatch.setattr(bootstrap, "STRIP_VALUES", 1)
        xr.testing.assert_identical(asked(x, y, method), whole)
        monkeypatch.undo()


@given(st.integers(0, 10**6), st.floats(0.01, 1e4), st.floats(-1e3, 1e3))
@settings(max_examples=15, deadline=None)
def test_units_change_nothing_and_ranks_know_only_order(
    seed: int, scale: float, shift: float
) -> None:
    x, y = (over_time(values) for values in related(seed, (12,)))
    asked = {"n_draws": 99, "kind": "percentile"}
    base = bootstrap_interval(x, y, rng=rng_of(1), **asked)
    other = bootstrap_interval(scale * x + shift, -y, rng=rng_of(1), **asked)
    assert float(other.r_lower) == pytest.approx(-float(base.r_upper), abs=1e-6)
    assert float(other.r_upper) == pytest.approx(-float(base.r_lower), abs=1e-6)
    asked = {"n_draws": 99, "method": "spearman"}
    base = bootstrap_interval(x, y, rng=rng_of(1), **asked)
    other = bootstrap_interval(np.exp(x), y**3, rng=rng_of(1), **asked)
    xr.testing.assert_equal(other, base)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6))
@settings(max_examples=50, deadline=None)
def test_draws_are_blocks_of_neighbours(steps: int, block: int, seed: int) -> None:
    block = min(block, steps)
    plan = resampling(steps, block, n_draws=7, rng=rng_of(seed))
    blocks = int(np.ceil(steps / block))
    assert plan.weights.shape == (7 + 1 + blocks, steps)
    np.testing.assert_array_equal(plan.weights[:8].sum(axis=1), steps)
    np.testing.assert_array_equal(plan.weights[7], 1)
    np.testing.assert_array_equal(plan.weights[8:].sum(axis=0), blocks - 1)
    firsts = rng_of(seed).integers(0, steps - block + 1, size=(7, blocks))
    for weights, starts in zip(plan.weights, firsts, strict=False):
        drawn = np.concatenate([np.arange(s, s + block) for s in starts])[:steps]
        np.testing.assert_array_equal(weights, np.bincount(drawn, minlength=steps))


def test_blocks_lie_on_the_regular_axis_and_keep_its_gaps() -> None:
    x, y = (over_time(values) for values in related(17, (30,)))
    x, y = (a.assign_coords(time=np.arange(2001, 2031)) for a in (x, y))
    gone = x.time.isin([2010, 2011, 2012, 2020])
    asked = {"block": "auto", "n_draws": 199}
    whole = bootstrap_interval(x.where(~gone), y, rng=rng_of(18), block=3, n_draws=199)
    short = bootstrap_interval(x[~gone], y[~gone], rng=rng_of(18), **asked)
    assert short.attrs["block"] == block_length(26) == 3
    xr.testing.assert_equal(short, whole)


def test_levels_are_quantiles_of_the_draws_that_have_r() -> None:
    draws = rng_of(19).normal(size=(40, 101)).round(1)
    draws[rng_of(20).random(draws.shape) < 0.03] = np.nan
    levels = rng_of(21).uniform(size=(2, 40))
    levels[:, :2] = [[0.0, 1.0], [1.0, 0.5]]
    found = quantiles(draws, levels)
    for pixel, row in enumerate(draws):
        expected = np.nanquantile(row, levels[:, pixel])
        np.testing.assert_allclose(found[:, pixel], expected, rtol=0, atol=1e-14)
    assert np.isnan(quantiles(draws, np.full((2, 40), np.nan))).all()


def test_the_answer_says_how_it_was_made() -> None:
    x, y = (over_time(values) for values in related(22, (9, 2, 2)))
    x = x.rename("rain").assign_coords(y=[2.0, 1.0], time=np.arange(9))
    found = bootstrap_interval(x, y.rename("ndvi"), rng=rng_of(23), n_draws=99)
    assert set(found.coords) == {"y"}
    assert found.r_lower.long_name.endswith("rain and ndvi")
    assert found.attrs == {
        "method": "pearson",
        "kind": "bca",
        "n_draws": 99,
        "block": 1,
        "confidence": 0.95,
        "min_pairs": 4,
    }


def test_settings_that_cannot_be_are_refused() -> None:
    x, y = (over_time(values) for values in related(24, (10, 2, 2)))
    rng = rng_of(25)
    with pytest.raises(InputError, match=r"'tau'.*'t'.*min_pairs is 2.*n_draws is 9"):
        bootstrap_interval(
            x, y, rng=rng, method="tau", kind="t", min_pairs=2, n_draws=9
        )
    with pytest.raises(InputError, match=r"confidence is 95, not between"):
        bootstrap_interval(x, y, rng=rng, confidence=95)
    with pytest.raises(InputError, match=r"n_draws is 199, and .* 0\.999 needs"):
        bootstrap_interval(x, y, rng=rng, n_draws=199, confidence=0.999)
    for block in (0, 6, 1.5):
        with pytest.raises(InputError, match=rf"block is {block}, with 10 steps.*to 5"):
            bootstrap_interval(x, y, rng=rng, block=block)
    with pytest.raises(InputError, match="3 steps of 'time' are fewer than min_pairs"):
        bootstrap_interval(x[:3], y[:3], rng=rng)
    with pytest.raises(InputError, match=r"\.chunk\(\{'time': -1\}\)"):
        bootstrap_interval(x.chunk(time=5), y, rng=rng)
    with pytest.raises(InputError, match="no 'date'"):
        bootstrap_interval(x, y, rng=rng, dim="date")
    with pytest.raises(GridMismatchError, match="differ in shape"):
        bootstrap_interval(x, y[:, :1], rng=rng)


def coverage(found: xr.Dataset, truth: float) -> float:
    return float(((found.r_lower <= truth) & (truth <= found.r_upper)).mean())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["percentile", "bca"])
def test_intervals_of_independent_pairs_cover_the_truth(kind: str) -> None:
    rng = rng_of(26)
    x, noise = rng.normal(size=(2, 30, 50, 80))
    y = 0.6 * x + 0.8 * noise
    found = bootstrap_interval(
        over_time(x), over_time(y), rng=rng, kind=kind, confidence=0.9
    )
    assert coverage(found, 0.6) == pytest.approx(0.88, abs=0.025)


@pytest.mark.slow
def test_blocks_widen_the_intervals_of_series_with_memory() -> None:
    rng = rng_of(27)
    noise = rng.normal(size=(2, 300, 30, 50))
    x, y = signal.lfilter([1.0], [1.0, -0.7], noise, axis=1)[:, 100:]
    alone, together = (
        coverage(
            bootstrap_interval(
                over_time(x),
                over_time(y),
                rng=rng_of(28),
                block=block,
                kind="percentile",
                confidence=0.9,
            ),
            0.0,
        )
        for block in (1, 10)
    )
    assert alone < 0.75
    assert 0.8 < together < 0.93
