"""Every statistic of a temporal correlation against scipy, R and cdo."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from geosoil.correlation.blocks import SMALL
from geosoil.correlation.intervals import fisher_interval, fisher_widths
from geosoil.correlation.plain import pearson as plain_pearson
from geosoil.correlation.significance import p_value
from geosoil.correlation.small_sample import kendall_table, spearman_exact_p
from geosoil.correlation.temporal import STATISTICS, Significance, correlate
from geosoil.errors import InputError

Pair = tuple[xr.DataArray, xr.DataArray]
Tables = dict[str, pd.DataFrame]


def cube(values: np.ndarray, name: str = "x") -> xr.DataArray:
    times = pd.date_range("2001-01-01", periods=values.shape[0], freq="MS")
    dims = ("time", "y", "x")[: values.ndim]
    return xr.DataArray(values, dims=dims, coords={"time": times}, name=name)


def tied(shape: tuple[int, ...], *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two related cubes of few whole values with a tenth missing in each."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 9, shape).astype(float)
    y = np.rint(0.5 * x + rng.normal(0, 2, shape))
    x[rng.random(shape) < 0.1] = np.nan
    y[rng.random(shape) < 0.1] = np.nan
    return x, y


def flat(found: xr.DataArray) -> np.ndarray:
    return found.to_numpy().ravel()


@pytest.fixture(scope="module")
def temperature(folder: Path) -> xr.DataArray:
    with xr.open_dataset(folder / "input.nc") as dataset:
        return dataset["temp"].load().rename(lat="y", lon="x")


@pytest.mark.parametrize(
    ("method", "r", "p"),
    [("spearman", "spearman", "p_spearman"), ("kendall", "tau_b", "p_tau_b")],
)
def test_golden_rank_correlations_are_scipys(
    series: Pair, answers: Tables, method: str, r: str, p: str
) -> None:
    found = correlate(*series, method=method, min_pairs=3)  # type: ignore[arg-type]
    table = answers["scipy"]
    np.testing.assert_allclose(flat(found.r), table[r], rtol=0, atol=1e-14)
    np.testing.assert_allclose(flat(found.p_value), table[p], rtol=1e-9, atol=1e-14)
    np.testing.assert_array_equal(found.n.to_numpy().ravel(), table["n"])


@pytest.mark.parametrize("method", ["spearman", "kendall"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("steps", [7, 23, 60, 300])
def test_ranks_with_ties_and_gaps_equal_a_scipy_loop(
    method: str, dtype: str, steps: int
) -> None:
    a, b = tied((steps, 4, 9), seed=steps)
    b[:, 0, :5] = np.random.default_rng(1).permuted(
        np.arange(steps * 5.0).reshape(steps, 5), axis=0
    )
    a[:, 0, :4] = np.random.default_rng(2).normal(size=(steps, 4))
    a, b = a.astype(dtype), b.astype(dtype)
    found = correlate(cube(a), cube(b), method=method, min_pairs=3)  # type: ignore[arg-type]
    reference = stats.spearmanr if method == "spearman" else stats.kendalltau
    for i, j in np.ndindex(4, 9):
        valid = np.isfinite(a[:, i, j]) & np.isfinite(b[:, i, j])
        if valid.sum() < 3:
            assert int(found.reason[i, j]) == 1
            continue
        r, p = reference(a[valid, i, j], b[valid, i, j])
        assert float(found.r[i, j]) == pytest.approx(r, abs=1e-14)
        assert float(found.p_value[i, j]) == pytest.approx(p, rel=1e-9, abs=1e-14)


def test_rank_pixels_have_their_reasons(series: Pair) -> None:
    expected = correlate(*series, min_pairs=3).reason
    for method in ("spearman", "kendall"):
        found = correlate(*series, method=method, min_pairs=3)  # type: ignore[arg-type]
        xr.testing.assert_equal(found.reason, expected)
        np.testing.assert_array_equal(found.r[2, 2:4], [1.0, -1.0])


short_series = arrays(
    np.float64, 9, elements=st.one_of(st.integers(-4, 4).map(float), st.just(np.nan))
)


@given(short_series, short_series, st.sampled_from(["spearman", "kendall"]))
@settings(max_examples=60, deadline=None)
def test_ranks_ignore_any_rising_function(
    a: np.ndarray, b: np.ndarray, method: str
) -> None:
    plain = correlate(cube(a), cube(b), method=method, statistics=())  # type: ignore[arg-type]
    bent = correlate(cube(np.exp(a)), cube(b**3), method=method, statistics=())  # type: ignore[arg-type]
    turned = correlate(cube(-b), cube(a), method=method, statistics=())  # type: ignore[arg-type]
    assert plain.r.equals(bent.r)
    assert plain.p_value.equals(bent.p_value)
    np.testing.assert_allclose(turned.r, -plain.r, rtol=0, atol=1e-15)


def test_exact_spearman_p_counts_all_orders() -> None:
    for n in (3, 5, 7):
        ranks = np.arange(n)
        null = np.array(
            [stats.pearsonr(ranks, order)[0] for order in permutations(range(n))]
        )
        for rho in np.unique(null.round(12)):
            share = np.mean(np.abs(null) >= abs(rho) - 1e-9)
            assert spearman_exact_p(rho, n) == pytest.approx(share, abs=1e-12)


def test_exact_p_is_taken_for_few_untied_pairs_only() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 7, 1, 3))
    a[1, 0, 1] = a[0, 0, 1]
    exact = correlate(
        cube(a), cube(b), method="spearman", significance=Significance("exact")
    )
    usual = correlate(cube(a), cube(b), method="spearman")
    assert float(exact.p_value[0, 1]) == float(usual.p_value[0, 1])
    for j in (0, 2):
        r = float(usual.r[0, j])
        assert float(exact.p_value[0, j]) == float(spearman_exact_p(r, 7))


def test_three_pairs_of_one_order_have_an_exact_p_of_one_third() -> None:
    x = cube(np.array([1.0, 2.0, 4.0]))
    found = correlate(
        x, x**2, method="spearman", min_pairs=3, significance=Significance("exact")
    )
    assert float(found.p_value) == pytest.approx(1 / 3)


def test_the_kendall_table_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 5, 12, 33):
        x, y = np.arange(n), rng.permutation(n)
        tau, p = stats.kendalltau(x, y, method="exact")
        fewer = round(n * (n - 1) / 4 * (1 - abs(tau)))
        assert kendall_table()[n, fewer] == pytest.approx(p, abs=1e-14)


def test_golden_interval_slope_and_median_slope(series: Pair, answers: Tables) -> None:
    found = correlate(*series, min_pairs=3, statistics=STATISTICS)
    scipys, rs = answers["scipy"], answers["R"]
    four = (scipys["n"] >= 4).to_numpy()
    for ours, theirs in (("r_lower", "ci95_lo"), ("r_upper", "ci95_hi")):
        np.testing.assert_allclose(
            flat(found[ours])[four], scipys[theirs][four], rtol=0, atol=1e-12
        )
    for ours, reference in (
        ("slope", rs["slope"]),
        ("intercept", rs["intercept"]),
        ("theil_sen_slope", scipys["theilsen_slope"]),
    ):
        known = reference.notna().to_numpy() & (flat(found["reason"]) == 0)
        np.testing.assert_allclose(
            flat(found[ours])[known], reference[known], rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize(("level", "name"), [(0.9, "ci90"), (0.99, "ci99")])
def test_the_interval_has_any_level(
    series: Pair, answers: Tables, level: float, name: str
) -> None:
    found = correlate(*series, significance=Significance(confidence=level))
    known = flat(found["reason"]) == 0
    for ours, theirs in (("r_lower", "lo"), ("r_upper", "hi")):
        reference = answers["scipy"][f"{name}_{theirs}"]
        np.testing.assert_allclose(
            flat(found[ours])[known], reference[known], rtol=0, atol=1e-12
        )


def test_three_pairs_leave_the_interval_open() -> None:
    lower, upper = fisher_interval([0.5, 1.0], [3, 3])
    np.testing.assert_array_equal(lower, [-1.0, 1.0])
    np.testing.assert_array_equal(upper, [1.0, 1.0])
    assert fisher_widths(3)[3] == pytest.approx(1.0)


def test_golden_slope_over_time_is_cdos_trend(series: Pair, folder: Path) -> None:
    ndvi = series[1]
    steps = xr.zeros_like(ndvi) + xr.DataArray(
        np.arange(ndvi.sizes["time"], dtype=float), dims="time"
    )
    found = correlate(steps.assign_coords(ndvi.coords), ndvi)
    for ours, theirs in (("slope", "b"), ("intercept", "a")):
        with xr.open_dataset(folder / f"cdo_trend_{theirs}_ndvi.nc") as dataset:
            reference = dataset["ndvi"].load().to_numpy()[0]
        ok = found.reason.to_numpy() == 0
        np.testing.assert_allclose(found[ours].to_numpy()[ok], reference[ok], rtol=1e-9)


def test_golden_partial_correlation_is_rs(
    series: Pair, temperature: xr.DataArray, answers: Tables
) -> None:
    found = correlate(*series, controls=temperature)
    known = flat(found.reason) == 0
    table = answers["R"][known]
    np.testing.assert_allclose(flat(found.r)[known], table["partial"], atol=1e-12)
    np.testing.assert_allclose(
        flat(found.p_value)[known], table["p_partial"], rtol=1e-7, atol=1e-200
    )
    ranked = correlate(*series, controls=temperature, method="spearman")
    np.testing.assert_allclose(
        flat(ranked.r)[known], table["partial_spearman"], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("n_controls", [1, 2, 3])
def test_partial_correlation_is_that_of_the_residuals(n_controls: int) -> None:
    rng = np.random.default_rng(n_controls)
    z = rng.normal(size=(n_controls, 20, 2, 3))
    x = 280 + z.sum(0) + rng.normal(size=z.shape[1:])
    y = z[0] - 0.4 * x + rng.normal(size=x.shape)
    x[3, 0, 0] = z[0, 5, 1, 1] = np.nan
    controls = [cube(part, f"z{k}") for k, part in enumerate(z)]
    found = correlate(cube(x), cube(y), controls=controls)
    for i, j in np.ndindex(2, 3):
        valid = np.isfinite(x[:, i, j] + z[:, :, i, j].sum(0))
        design = np.column_stack([np.ones(valid.sum()), z[:, valid, i, j].T])
        a, b = (
            v - design @ np.linalg.lstsq(design, v, rcond=None)[0]
            for v in (x[valid, i, j], y[valid, i, j])
        )
        whole = np.column_stack([design, x[valid, i, j]])
        line = np.linalg.lstsq(whole, y[valid, i, j], rcond=None)[0]
        r = stats.pearsonr(a, b)[0]
        t = r * np.sqrt((valid.sum() - 2 - n_controls) / (1 - r * r))
        p = 2 * stats.t.sf(abs(t), valid.sum() - 2 - n_controls)
        assert float(found.r[i, j]) == pytest.approx(r, abs=1e-12)
        assert float(found.p_value[i, j]) == pytest.approx(p, rel=1e-9)
        assert float(found.slope[i, j]) == pytest.approx(line[-1], rel=1e-9)
        assert float(found.intercept[i, j]) == pytest.approx(line[0], rel=1e-8)


def test_a_series_that_the_control_explains_is_constant() -> None:
    x = cube(np.random.default_rng(0).normal(size=(12, 1, 2)))
    found = correlate(x, x**2, controls=3 * x - 280)
    assert (found.reason == 2).all()
    assert np.isnan(found.r).all()


def test_a_control_given_twice_changes_r_not_at_all() -> None:
    z, x, y = (cube(v) for v in np.random.default_rng(6).normal(size=(3, 15, 1, 4)))
    one = correlate(x, y, controls=z)
    two = correlate(x, y, controls=[z, 2 * z + 1], min_pairs=3)
    np.testing.assert_allclose(one.r, two.r, rtol=0, atol=1e-12)


def test_whole_weights_count_steps_as_often() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(280, 5, (2, 12, 2, 2))
    times = rng.integers(0, 4, 12)
    found = correlate(cube(a), cube(b), weights=cube(times.astype(float)))
    repeated = correlate(
        *(xr.DataArray(np.repeat(v, times, 0), dims=("time", "y", "x")) for v in (a, b))
    )
    np.testing.assert_allclose(found.r, repeated.r, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.slope, repeated.slope, rtol=1e-11)
    assert (found.n == (times > 0).sum()).all()


def test_equal_weights_change_nothing() -> None:
    a, b = tied((15, 2, 3), seed=5)
    plain = correlate(cube(a), cube(b))
    found = correlate(cube(a), cube(b), weights=cube(np.full(15, 0.2)))
    for name in ("r", "p_value", "slope", "intercept", "r_lower", "n_effective"):
        np.testing.assert_allclose(found[name], plain[name], rtol=1e-8, atol=1e-12)


def test_golden_detrended_r_is_cdos(series: Pair, folder: Path) -> None:
    with xr.open_dataset(folder / "cdo_timcor_detrended.nc") as dataset:
        reference = dataset["sm"].load().to_numpy()[0]
    # cdo counts steps, not days, and numbers its constants: no gaps, whole series.
    x, y = (part.drop_vars("time") for part in series)
    found = correlate(x, y, detrend=True)
    whole = (found.reason == 0) & (found.n == 36)
    np.testing.assert_allclose(
        found.r.to_numpy()[whole], reference[whole.to_numpy()], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_detrended_r_is_that_of_residuals_over_the_pairs(method: str) -> None:
    rng = np.random.default_rng(8)
    t = np.arange(18.0)
    x, y = rng.normal(size=(2, 18, 1, 2)) + 0.3 * t[:, None, None]
    x[4, 0, 0] = np.nan
    found = correlate(
        cube(x).drop_vars("time"),
        cube(y).drop_vars("time"),
        detrend=True,
        method=method,  # type: ignore[arg-type]
    )
    reference = {
        "pearson": stats.pearsonr,
        "spearman": stats.spearmanr,
        "kendall": stats.kendalltau,
    }[method]
    for j in range(2):
        valid = np.isfinite(x[:, 0, j])
        a, b = (
            v[valid, 0, j]
            - np.polyval(np.polyfit(t[valid], v[valid, 0, j], 1), t[valid])
            for v in (x, y)
        )
        assert float(found.r[0, j]) == pytest.approx(reference(a, b)[0], abs=1e-12)


def test_two_trends_without_relation_are_told_apart() -> None:
    rng = np.random.default_rng(2)
    trend = np.linspace(0, 20, 40)[:, None, None]
    x, y = (cube(trend + rng.normal(size=(40, 10, 10))) for _ in range(2))
    assert float((correlate(x, y).p_value < 0.05).mean()) == 1.0
    assert float((correlate(x, y, detrend=True).p_value < 0.05).mean()) < 0.15


@pytest.mark.parametrize("lined", [True, False])
def test_numpy_and_the_compiler_give_one_answer(lined: bool) -> None:
    from geosoil.correlation import _kernels
    from geosoil.correlation.significance import student_p

    a, b = tied((16, 5, 40), seed=1)
    a[:, 0, 0], b[:, 0, 1], a[:, 0, 2] = 3.3, 0.1, np.nan
    b[3:, 0, 3] = np.nan
    a[:, 1, :5] = 280 + a[:, 1, :5] * 2.0**-30
    x, y = a.reshape(16, -1), b.reshape(16, -1)
    widths = fisher_widths(16) if lined else None
    plain = plain_pearson(x, y, 4, widths)
    compiled = _kernels.unanswered(x.shape[1], lined=lined)
    table = np.empty(0) if widths is None else widths
    for part in ((0, 70), (70, 200)):
        _kernels.pearson(x, y, part, 4, table, compiled)
    assert x.size < SMALL
    np.testing.assert_allclose(plain[0], compiled[0], rtol=0, atol=1e-14)
    p = student_p(compiled.r, compiled.n, 16)
    np.testing.assert_allclose(plain[1], p, rtol=1e-6, atol=1e-13)
    np.testing.assert_array_equal(plain[2], compiled.n)
    np.testing.assert_array_equal(plain[3], compiled.reason)
    np.testing.assert_allclose(plain[4], compiled.line, rtol=1e-9, atol=1e-12)


def test_the_series_of_p_is_the_beta_function_for_all_degrees_at_once() -> None:
    """Degrees of freedom from below 1 to 498 in one call, over several strips."""
    from geosoil.correlation import _kernels_student

    rng = np.random.default_rng(4)
    pairs = rng.integers(0, 501, size=9001).astype(np.int32)
    r = np.concatenate([rng.uniform(-1, 1, 8993), [0, 0.5, -0.5, 1, -1, 1, np.nan, 1]])
    pairs[-8:] = [3, 4, 5, 3, 4, 60, 9, 2]
    found = np.empty(r.size)
    terms = _kernels_student.series(500)
    _kernels_student.student_p(r, pairs, 2, terms, found)
    np.testing.assert_allclose(found, p_value(r, pairs), rtol=0, atol=1e-14)
    assert np.isnan(found[pairs < 3]).all()


def test_the_smallest_p_keep_their_digits() -> None:
    """Down to the end of the range of float64, for few pairs and for many."""
    from geosoil.correlation.significance import student_p

    rng = np.random.default_rng(7)
    pairs = rng.integers(3, 1000, size=20_000).astype(np.int32)
    r = rng.uniform(-1, 1, pairs.size)
    r[:3000] = 1 - 10.0 ** rng.uniform(-16, -1, 3000)
    exact = p_value(r, pairs)
    tail = (exact < 1e-8) & (exact > 1e-300)
    assert tail.sum() > 5000
    found = student_p(r, pairs, 1000)
    np.testing.assert_allclose(found[tail], exact[tail], rtol=1e-12)
    assert (found[exact == 0] <= 1e-300).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "kendall", "controls": "z"}, "Kendall's tau takes no controls"),
        ({"method": "spearman", "weights": "w"}, "'spearman' takes no weights"),
        ({"weights": "negative"}, "lowest weight is -1"),
        ({"statistics": ("slop",)}, "unknown statistic 'slop'"),
        ({"significance": Significance("exact")}, "exact p is known for plain"),
        ({"significance": Significance(confidence=95)}, "confidence is 95"),
        ({"significance": Significance(formula="ar1")}, "unknown formula 'ar1'"),  # type: ignore[arg-type]
        ({"controls": "z", "min_pairs": 8}, "min_pairs = 8 and 1 held fixed"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    options: dict[str, object], words: str
) -> None:
    x = cube(np.random.default_rng(0).normal(size=(8, 2, 2)))
    series = {"z": x**2, "w": cube(np.ones(8)), "negative": cube(-np.ones(8))}
    given = {
        k: series.get(v, v) if isinstance(v, str) else v for k, v in options.items()
    }
    with pytest.raises(InputError, match=words):
        correlate(x, x**3, **given)  # type: ignore[arg-type]


def test_the_refusal_of_three_months_names_the_alternatives() -> None:
    x = cube(np.random.default_rng(0).normal(size=(3, 2, 2)))
    with pytest.raises(InputError, match="not testable") as caught:
        correlate(x, x)
    for way in ("daily or 8-day", "window_correlation", "min_pairs=3", "0.997"):
        assert way in str(caught.value)


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_ranks_ask_for_one_chunk_of_time(method: str) -> None:
    a, b = tied((14, 4, 6), seed=4)
    x, y = (cube(v).chunk({"time": 5}) for v in (a, b))
    with pytest.raises(InputError, match=r"chunk\(\{'time': -1\}\)"):
        correlate(x, y, method=method)  # type: ignore[arg-type]
    whole = [v.chunk({"time": -1, "y": 2}) for v in (x, y)]
    lazy = correlate(*whole, method=method)  # type: ignore[arg-type]
    assert lazy.r.chunks is not None
    eager = correlate(cube(a), cube(b), method=method)  # type: ignore[arg-type]
    xr.testing.assert_identical(lazy.compute(), eager)


@pytest.mark.parametrize("lag", [-2, 0, 3])
@pytest.mark.parametrize("chunk", [1, 5, 9])
def test_pieces_of_time_merge_to_the_whole(lag: int, chunk: int) -> None:
    a, b = tied((17, 5, 6), seed=9)
    a[:, 0, 0], b[:, 0, 1], a[:, 0, 2], b[4:, 0, 3] = 285.1, 0.1, np.nan, np.nan
    a[:9, 1, 1] = np.nan
    a += 285.15
    lazy = correlate(
        cube(a).chunk({"time": chunk, "x": 4}), cube(b).chunk({"time": 4}), lag=lag
    )
    eager = correlate(cube(a), cube(b), lag=lag)
    xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(lazy.reason, eager.reason)
