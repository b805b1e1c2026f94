"""Excess values, their errors, and regressions of d-excess, by worked cases."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.delta import (
    Precision,
    d_excess,
    excess_table,
    lc_excess,
    lc_excess_star,
    line_excess_sd,
    sw_excess,
)
from geosoil.tracers.excess_regression import (
    d_excess_regression,
    d_excess_regressions,
)
from geosoil.tracers.lines import WaterLine, fit_water_line


def test_excesses_of_the_papers_means(golden: Path) -> None:
    text = (golden / "tracers" / "lcexcess_and_backprojection.json").read_text()
    case = json.loads(text)
    table = pd.DataFrame(case["samples"])
    line = WaterLine.stated(*case["lmwl"])
    precision = Precision(case["sd"]["d18O"], case["sd"]["d2H"])
    assert precision.of_excess(7.9) == pytest.approx(case["S"], abs=1e-12)
    waters = table["d18O"], table["d2H"]
    star = lc_excess_star(*waters, line, precision=precision)
    np.testing.assert_allclose(d_excess(*waters), table["dexcess"], atol=1e-10)
    np.testing.assert_allclose(lc_excess(*waters, line), table["lc_excess"], atol=1e-10)
    np.testing.assert_allclose(star, table["lc_excess_star"], atol=1e-10)
    whole = excess_table(*waters, precision=precision, lmwl=line, soil_line=line)
    assert whole["evaporated"].all()
    np.testing.assert_allclose(whole["lc_excess_sd"], case["S"], atol=1e-12)
    np.testing.assert_allclose(whole["lc_excess_star_sd"], 1.0, atol=1e-12)
    np.testing.assert_array_equal(whole["sw_excess"], whole["lc_excess"])


def test_propagated_errors_are_those_of_draws() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(-12.0, 3.0, 60)
    line = fit_water_line(x, 7.9 * x + 12.0 + rng.normal(0, 3.0, 60))
    precision = Precision(0.3, 0.9, correlation=0.5)
    cross = 0.5 * 0.3 * 0.9
    errors = rng.multivariate_normal([0, 0], [[0.09, cross], [cross, 0.81]], 400_000)
    fits = rng.multivariate_normal(
        [line.slope, line.intercept],
        [
            [line.slope_standard_error**2, line.covariance],
            [line.covariance, line.intercept_standard_error**2],
        ],
        400_000,
    )
    drawn = (-90 + errors[:, 1]) - fits[:, 0] * (-11 + errors[:, 0]) - fits[:, 1]
    found = line_excess_sd([-11.0], line, precision=precision)
    assert found[0] == pytest.approx(drawn.std(), rel=0.01)
    plain = (errors[:, 1] - 8 * errors[:, 0]).std()
    assert precision.of_excess(8.0) == pytest.approx(plain, rel=0.01)


def test_soil_water_excess_is_zero_on_average_on_its_own_line() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(-12.0, 2.0, 50)
    y = 6.4 * x - 11.0 + rng.normal(0, 2.0, 50)
    soil = fit_water_line(x, y)
    assert sw_excess(x, y, soil).mean() == pytest.approx(0.0, abs=1e-9)


def test_missing_tracers_keep_their_row_and_reason() -> None:
    d18O = pd.Series([-12.0, np.nan], index=["a", "b"])
    table = excess_table(
        d18O,
        pd.Series([-90.0, -80.0], index=["a", "b"]),
        precision=Precision(0.2, 0.5),
        lmwl=WaterLine.stated(8.0, 10.0),
    )
    assert table.index.tolist() == ["a", "b"]
    assert table["reason"].tolist() == ["", "missing tracer"]
    assert table.loc["b"].drop(["reason", "evaporated"]).isna().all()
    assert not table.loc["b", "evaporated"]


def test_without_measurement_error_there_is_no_starred_excess() -> None:
    line = WaterLine.stated(8.0, 10.0)
    assert np.isnan(lc_excess_star([-12.0], [-90.0], line, precision=Precision(0, 0)))


def test_impossible_precision_is_refused_with_every_fault() -> None:
    with pytest.raises(InputError, match=r"d18O is negative; .*d2H.*; correlation 2"):
        Precision(-0.1, -0.5, correlation=2.0)


@given(st.integers(3, 40), st.integers(0, 10_000))
def test_d_excess_regression_is_the_water_line_less_eight(n, seed) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(-12, 3, n)
    y = 7.0 * x + rng.normal(0, 40.0, n)
    found, design = d_excess_regression(x, y), np.column_stack((x, np.ones(n)))
    slope, intercept = np.linalg.lstsq(design, y, rcond=None)[0]
    assert found.slope == pytest.approx(slope - 8.0, rel=1e-7, abs=1e-7)
    assert found.intercept == pytest.approx(intercept, rel=1e-7, abs=1e-6)
    at_mean = found.slope * found.mean_d18O + found.intercept
    assert at_mean == pytest.approx(found.mean_d_excess, abs=1e-9)


def test_d_excess_regression_has_the_errors_of_textbooks() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(-12, 3, 30), rng.normal(-90, 20, 30)
    found, expected = d_excess_regression(x, y), stats.linregress(x, y - 8 * x)
    assert found.slope_standard_error == pytest.approx(expected.stderr, rel=1e-9)
    assert found.intercept_standard_error == pytest.approx(
        expected.intercept_stderr, rel=1e-9
    )
    assert found.r_squared == pytest.approx(expected.rvalue**2, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)


def test_groups_without_a_regression_keep_their_row_with_a_reason() -> None:
    table = pd.DataFrame(
        {
            "vegetation": ["meadow"] * 4 + ["forest"] * 2 + ["scrub"] * 3,
            "d18O": [-10.0, -12, -14, np.nan, -10, -11, -9, -9, -9],
            "d2H": [-75.0, -88, -101, -90, -80, -88, -70, -71, -72],
        }
    )
    found = d_excess_regressions(table, by=["vegetation"]).set_index("vegetation")
    assert found["n"].tolist() == [3, 2, 3]
    assert found.loc["meadow", "slope"] == pytest.approx(-1.5)
    assert "2 samples found, 3 needed" in found.loc["forest", "reason"]
    assert "the same d18O" in found.loc["scrub", "reason"]
    assert found["slope"].isna().tolist() == [False, True, True]
    with pytest.raises(InputError, match="lacks the columns period"):
        d_excess_regressions(table, by=["period"])
