"""Residual diagnostics and prediction fit against scipy and their identities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.emma import emma
from geosoil.tracers.emma_residuals import prediction_fit, residual_diagnostics

TRACERS = ["Ca", "Mg", "Na", "Cl"]


def mixtures(n: int = 30, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.gamma(3.0, 2.0, (n, 2)) @ rng.uniform(0.2, 2.0, (2, 4))
    return pd.DataFrame(values + rng.normal(0, 0.5, (n, 4)), columns=TRACERS)


def test_correlation_slope_and_p_are_those_of_scipy() -> None:
    rows = emma(mixtures(), tracers=TRACERS, n_components=2).residuals()
    found = residual_diagnostics(rows).set_index(["rank", "tracer"])
    assert len(found) == 12
    for key, part in rows.groupby(["rank", "tracer"]):
        line = stats.linregress(part["observed"], part["residual"])
        row = found.loc[key]
        assert row["r"] == pytest.approx(line.rvalue, abs=1e-10)
        assert row["slope"] == pytest.approx(line.slope, abs=1e-10)
        assert row["p_value"] == pytest.approx(line.pvalue, rel=1e-6, abs=1e-300)


def test_curvature_p_is_that_of_the_square_in_least_squares() -> None:
    rows = emma(mixtures(), tracers=TRACERS, n_components=1).residuals(1)
    found = residual_diagnostics(rows).set_index("tracer")
    for tracer, part in rows.groupby("tracer"):
        x, y = part["projected"].to_numpy(), part["residual"].to_numpy()
        design = np.c_[np.ones(len(x)), x, x**2]
        fit, rest = np.linalg.lstsq(design, y, rcond=None)[:2]
        scale = rest[0] / (len(x) - 3)
        error = np.sqrt(scale * np.linalg.inv(design.T @ design)[2, 2])
        p = 2 * stats.t.sf(abs(fit[2] / error), len(x) - 3)
        assert found.loc[tracer, "curvature_p_value"] == pytest.approx(p, rel=1e-6)


def test_a_bend_is_found_where_mixing_is_not_linear() -> None:
    """A tracer that precipitates out bends; the others stay straight."""
    rng = np.random.default_rng(3)
    share = rng.random(200)
    table = pd.DataFrame({name: share + rng.normal(0, 0.02, 200) for name in TRACERS})
    straight = emma(table, tracers=TRACERS, n_components=1).residuals(1)
    bent = table.assign(Cl=lambda t: t["Cl"] - 0.8 * t["Cl"] ** 2)
    curved = emma(bent, tracers=TRACERS, n_components=1).residuals(1)
    first = residual_diagnostics(straight).set_index("tracer")
    second = residual_diagnostics(curved).set_index("tracer")
    assert (first["curvature_p_value"] > 1e-3).all()
    assert second.loc["Cl", "curvature_p_value"] < 1e-20


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(6, 60))
def test_the_straight_pattern_is_the_share_of_variance_left(seed, n) -> None:
    table = mixtures(n, seed)
    found = residual_diagnostics(
        emma(table, tracers=TRACERS, n_components=1).residuals()
    )
    left = 1.0 - found["r_squared"]
    np.testing.assert_allclose(found["r"] ** 2, left, atol=1e-9)
    np.testing.assert_allclose(found["slope"], -left, atol=1e-9)
    np.testing.assert_allclose(found["relative_bias"], 0.0, atol=1e-9)


def test_the_two_relative_errors_differ_by_the_root_of_n() -> None:
    found = residual_diagnostics(
        emma(mixtures(), tracers=TRACERS, n_components=1).residuals()
    )
    np.testing.assert_allclose(
        found["rrmse_hooper"] * np.sqrt(found["n"]), found["rrmse_standard"]
    )
    means = mixtures().mean()
    np.testing.assert_allclose(
        found["rrmse_standard"], found["rmse"] / found["tracer"].map(means)
    )


def test_relative_errors_of_negative_deltas_are_positive() -> None:
    table = pd.DataFrame(
        {
            "rank": 1,
            "tracer": "d18O",
            "observed": [-12.0, -11.0, -10.0, -9.0],
            "projected": [-11.5, -11.0, -10.0, -9.0],
        }
    )
    row = residual_diagnostics(table).iloc[0]
    assert row["rrmse_standard"] == pytest.approx(0.25 / 10.5)
    assert row["relative_bias"] == pytest.approx(0.5 / 42.0)


def test_a_tracer_without_mean_has_no_relative_error() -> None:
    table = pd.DataFrame({"rank": 1, "tracer": "lc", "observed": [-1.0, -2.0, 1.0, 2]})
    row = residual_diagnostics(table.assign(projected=table["observed"] + 0.5)).iloc[0]
    assert np.isnan(row["rrmse_standard"])
    assert row["rmse"] == pytest.approx(0.5)


def test_rows_with_gaps_are_left_out_of_the_diagnostics() -> None:
    table = mixtures()
    holed = pd.concat([table, table.iloc[:2].assign(Ca=np.nan)], ignore_index=True)
    rows = emma(holed, tracers=TRACERS, n_components=1).residuals(1)
    assert rows["residual"].isna().sum() == 8
    whole = emma(table, tracers=TRACERS, n_components=1).residuals(1)
    pd.testing.assert_frame_equal(
        residual_diagnostics(rows), residual_diagnostics(whole)
    )


def test_all_components_leave_no_residual_and_say_so() -> None:
    found = residual_diagnostics(
        emma(mixtures(), tracers=TRACERS, n_components=1).residuals(4)
    )
    assert (found["reason"] == "no residual").all()
    assert found[["r", "slope", "p_value", "curvature_p_value"]].isna().all(axis=None)
    np.testing.assert_allclose(found["r_squared"], 1.0)


def test_few_residuals_say_so() -> None:
    table = pd.DataFrame(
        {"rank": 1, "tracer": "Ca", "observed": [1.0, 2, 3], "projected": [1.0, 2, 4]}
    )
    row = residual_diagnostics(table).iloc[0]
    assert (row["n"], row["reason"]) == (3, "fewer than four mixtures")
    assert np.isnan(row["rmse"])


def test_prediction_fit_is_that_of_scipy() -> None:
    rng = np.random.default_rng(1)
    observed = mixtures()
    predicted = 0.9 * observed + rng.normal(1.0, 0.3, observed.shape)
    predicted.iloc[4, 0] = np.nan
    found = prediction_fit(observed, predicted)
    assert found["n"].tolist() == [29, 30, 30, 30]
    for tracer in TRACERS:
        pair = np.c_[observed[tracer], predicted[tracer]]
        x, y = pair[np.isfinite(pair).all(axis=1)].T
        line = stats.linregress(x, y)
        row = found.loc[tracer]
        assert row["slope"] == pytest.approx(line.slope, abs=1e-10)
        assert row["intercept"] == pytest.approx(line.intercept, abs=1e-9)
        assert row["r_squared"] == pytest.approx(line.rvalue**2, abs=1e-10)
        assert row["bias"] == pytest.approx(np.mean(y - x), abs=1e-12)
        assert row["rmse"] == pytest.approx(np.sqrt(np.mean((y - x) ** 2)), abs=1e-12)
        wanted = 1 - np.sum((y - x) ** 2) / np.sum((x - x.mean()) ** 2)
        assert row["efficiency"] == pytest.approx(wanted, abs=1e-10)


def test_a_bias_lowers_the_efficiency_and_not_r_squared() -> None:
    observed = mixtures()
    found = prediction_fit(observed, observed + 3.0)
    np.testing.assert_allclose(found["r_squared"], 1.0)
    assert (found["efficiency"] < 0.9).all()


def test_prediction_fit_of_constant_or_few_values_is_missing() -> None:
    observed = pd.DataFrame({"Ca": [2.0, 2.0, 2.0], "Mg": [1.0, 2.0, np.nan]})
    found = prediction_fit(observed, observed + 1.0)
    assert found["n"].tolist() == [3, 2]
    assert found.drop(columns="n").isna().all(axis=None)


def test_tables_that_do_not_fit_are_refused() -> None:
    table = mixtures()
    with pytest.raises(InputError, match="differ in their index"):
        prediction_fit(table, table.iloc[::-1])
    with pytest.raises(InputError, match="missing column Ca"):
        prediction_fit(table.drop(columns="Ca"), table)
    with pytest.raises(InputError, match="missing column projected"):
        residual_diagnostics(pd.DataFrame(columns=["rank", "tracer", "observed"]))
