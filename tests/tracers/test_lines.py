"""Water lines against published and independent answers."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize, stats

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers.delta import d_excess, lc_excess
from geosoil.tracers.line_table import group_lines
from geosoil.tracers.lines import GMWL, WaterLine, York, fit_water_line

NAMES = {
    "ols": "OLS",
    "rma": "RMA",
    "ma": "MA",
    "pwlsr": "PWOLS",
    "pwrma": "PWRMA",
    "pwma": "PWMA",
}
values = hnp.arrays(
    float, st.integers(5, 30), elements=st.floats(-30, 0, width=32), unique=True
)


def read(golden: Path, name: str) -> dict:
    return json.loads((golden / "tracers" / f"{name}.json").read_text())


@pytest.mark.parametrize("method", NAMES)
def test_six_methods_agree_with_the_cape_town_exercise(golden: Path, method) -> None:
    table = pd.read_csv(golden / "tracers" / "lmwl_uct2010.csv")
    expected = read(golden, "lmwl_uct2010")["expected"][NAMES[method]]
    amount = table["precip_mm"] if method.startswith("pw") else None
    line = fit_water_line(table["d18O"], table["d2H"], method=method, amount=amount)
    found = {
        "slope": line.slope,
        "intercept": line.intercept,
        "se_slope": line.slope_standard_error,
        "se_intercept": line.intercept_standard_error,
        "cov_slope_intercept": line.covariance,
        "r2": line.r_squared,
        "rmse": line.rmse,
        "n": line.n,
    }
    for key, value in found.items():
        assert value == pytest.approx(expected[key], rel=1e-9), key
    assert line.method == method


def test_the_published_rma_line_is_found(golden: Path) -> None:
    table = pd.read_csv(golden / "tracers" / "lmwl_uct2010.csv")
    published = read(golden, "lmwl_uct2010")["published"]
    line = fit_water_line(table["d18O"], table["d2H"], method="rma")
    assert line.slope == pytest.approx(published["RMA_slope"], abs=0.01)
    assert line.intercept == pytest.approx(published["RMA_intercept"], abs=0.01)


def test_kish_number_is_below_n_for_unequal_amounts(golden: Path) -> None:
    table = pd.read_csv(golden / "tracers" / "lmwl_uct2010.csv")
    rain = table["precip_mm"]
    line = fit_water_line(table["d18O"], table["d2H"], method="pwlsr", amount=rain)
    assert line.n_effective == pytest.approx(rain.sum() ** 2 / (rain**2).sum())
    assert line.n_effective < line.n == 12


def test_york_agrees_with_pearson_data(golden: Path) -> None:
    case = read(golden, "eiv_pearson_york")
    sd = [np.array(case[name], dtype=float) ** -0.5 for name in ("wx", "wy")]
    x, y = np.array(case["x"]), np.array(case["y"])
    line = fit_water_line(x, y, method="york", d18O_sd=sd[0], d2H_sd=sd[1])
    assert line.slope == pytest.approx(case["expected"]["slope"], abs=1e-6)
    assert line.intercept == pytest.approx(case["expected"]["intercept"], abs=1e-5)

    chi2 = np.sum(
        (y - line.slope * x - line.intercept) ** 2
        / (sd[1] ** 2 + line.slope**2 * sd[0] ** 2)
    )
    assert chi2 == pytest.approx(case["expected"]["chi2"], rel=1e-9)
    # York et al. (2004) print 0.0580 and 0.295.
    assert line.slope_standard_error == pytest.approx(0.0580, abs=5e-5)
    assert line.intercept_standard_error == pytest.approx(0.295, abs=5e-4)


def york_misfit(
    slope: float, x: np.ndarray, y: np.ndarray, errors: tuple[np.ndarray, ...]
) -> tuple[float, float]:
    """Least misfit and intercept of a line of this slope, errors correlated."""
    sx, sy, r = errors
    weight = 1 / (sy**2 + slope**2 * sx**2 - 2 * slope * r * sx * sy)
    intercept = np.average(y - slope * x, weights=weight)
    return float(weight @ (y - slope * x - intercept) ** 2), float(intercept)


@pytest.mark.parametrize("seed", range(5))
def test_york_with_correlated_errors_has_the_least_misfit(seed) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    errors = rng.uniform(0.1, 0.6, n), rng.uniform(0.5, 3, n), rng.uniform(-0.9, 0.9, n)
    truth = rng.normal(-12, 4, n)
    first, other = rng.normal(size=(2, n))
    x = truth + errors[0] * first
    mixed = errors[2] * first + np.sqrt(1 - errors[2] ** 2) * other
    y = 8 * truth + 10 + errors[1] * mixed
    line = fit_water_line(
        x, y, method=York(errors[2]), d18O_sd=errors[0], d2H_sd=errors[1]
    )
    best = optimize.minimize_scalar(
        lambda slope: york_misfit(slope, x, y, errors)[0],
        bounds=(6, 10),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert line.slope == pytest.approx(best.x, abs=1e-6)
    assert line.intercept == pytest.approx(
        york_misfit(line.slope, x, y, errors)[1], abs=1e-9
    )
    assert line.method == "york"
    assert abs(line.slope - 8) < 4 * line.slope_standard_error


def test_no_correlation_is_plain_york() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(-12, 3, 40)
    y = 7.9 * x + 12 + rng.normal(0, 3, 40)
    sd = {"d18O_sd": 0.3, "d2H_sd": 2.0}
    assert fit_water_line(x, y, method=York(), **sd) == fit_water_line(
        x, y, method="york", **sd
    )


@pytest.mark.slow
def test_york_errors_cover_the_truth_where_errors_go_together() -> None:
    rng = np.random.default_rng(6)
    hits, n = 0, 1500
    truth = rng.normal(-12, 3, 25)
    for _ in range(n):
        first, other = rng.normal(size=(2, 25))
        x = truth + 0.5 * first
        y = 8 * truth + 10 + 2.0 * (0.8 * first + 0.6 * other)
        line = fit_water_line(x, y, method=York(0.8), d18O_sd=0.5, d2H_sd=2.0)
        hits += abs(line.slope - 8) <= 1.645 * line.slope_standard_error
    assert 0.88 <= hits / n <= 0.92


@given(values, st.integers(0, 1000))
def test_theil_sen_is_scipys(d18O, seed) -> None:
    if np.ptp(d18O) < 1:
        return
    rng = np.random.default_rng(seed)
    x = np.round(d18O, int(rng.integers(0, 3)))
    y = np.round(7 * x - 5 + rng.normal(0, 1, x.size), int(rng.integers(0, 3)))
    if np.ptp(x) == 0:
        return
    theirs = stats.theilslopes(y, x, alpha=0.95, method="separate")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        ours = fit_water_line(x, y, method="theil_sen")
    assert ours.slope == pytest.approx(theirs.slope, rel=1e-12, abs=1e-12)
    assert ours.intercept == pytest.approx(theirs.intercept, rel=1e-9, abs=1e-9)
    width = (theirs.high_slope - theirs.low_slope) / (2 * stats.norm.ppf(0.975))
    assert ours.slope_standard_error == pytest.approx(width, rel=1e-9, abs=1e-12)
    assert np.isnan(ours.intercept_standard_error)


def test_theil_sen_does_not_heed_a_lost_sign() -> None:
    rng = np.random.default_rng(9)
    x = rng.normal(-13, 3, 60)
    y = 8 * x + 10 + rng.normal(0, 1, 60)
    y[:6] *= -1.0
    with pytest.warns(GeosoilWarning, match="weak"):
        plain = fit_water_line(x, y)
    with pytest.warns(GeosoilWarning, match="weak"):
        robust = fit_water_line(x, y, method="theil_sen")
    assert abs(robust.slope - 8) < 0.5 < abs(plain.slope - 8)


def test_theil_sen_of_a_great_many_samples_is_refused() -> None:
    x = np.linspace(-20, -5, 10_001)
    with pytest.raises(InputError, match="10001 samples given, 10000 at most"):
        fit_water_line(x, 8 * x, method="theil_sen")


@pytest.mark.parametrize("method", ["ols", "rma", "ma"])
def test_ames_lines_count_rows_after_the_missing_are_dropped(shared, method) -> None:
    folder = shared / "golden" / "tracers"
    case = json.loads((folder / "isowater_ames_mwl.json").read_text())
    table = pd.read_csv(folder / "isowater_ames_precip.csv")
    line = fit_water_line(table["d18O"], table["d2H"], method=method)
    expected = case["lines"][method.upper()]
    assert len(table) == 98
    assert (line.n, line.n_missing) == (case["correct"]["n"], 2)
    found = {
        "slope": line.slope,
        "intercept": line.intercept,
        "se_slope": line.slope_standard_error,
        "se_intercept": line.intercept_standard_error,
        "cov_slope_intercept": line.covariance,
        "r2": line.r_squared,
        "rmse": line.rmse,
    }
    for key, value in found.items():
        assert value == pytest.approx(expected[key], abs=case["tolerance"]), key
    if method == "rma":
        peer = case["isowater_mwl"]
        assert line.slope == pytest.approx(peer["slope"], abs=1e-10)
        assert line.intercept == pytest.approx(peer["intercept"], abs=1e-10)
        assert line.rmse == pytest.approx(case["correct"]["rmse"], abs=1e-8)
        lakes = pd.read_csv(folder / "isowater_ames_lakes.csv")
        excess = lc_excess(lakes["d18O"], lakes["d2H"], line)
        np.testing.assert_allclose(excess, case["lakes_lcexcess"], atol=1e-8)


def test_york_with_exact_d18O_is_ols() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(-12, 3, 40)
    y = 7.9 * x + 12 + rng.normal(0, 3, 40)
    york = fit_water_line(x, y, method="york", d18O_sd=1e-9, d2H_sd=3.0)
    ols = fit_water_line(x, y)
    assert york.slope == pytest.approx(ols.slope, rel=1e-8)
    assert york.intercept == pytest.approx(ols.intercept, rel=1e-8)


@given(values, st.integers(0, 1000))
def test_ols_is_linregress(d18O, seed) -> None:
    if np.ptp(d18O) < 1:
        return
    d2H = 7 * d18O - 5 + np.random.default_rng(seed).normal(0, 1, d18O.size)
    theirs = stats.linregress(d18O, d2H)
    if theirs.rvalue < 0.8:
        return
    ours = fit_water_line(d18O, d2H)
    assert ours.slope == pytest.approx(theirs.slope, rel=1e-8)
    assert ours.intercept == pytest.approx(theirs.intercept, rel=1e-7, abs=1e-7)
    assert ours.slope_standard_error == pytest.approx(theirs.stderr, rel=1e-6)
    assert ours.intercept_standard_error == pytest.approx(
        theirs.intercept_stderr, rel=1e-6
    )


@given(values, st.sampled_from(["ols", "rma", "ma"]), st.integers(0, 1000))
def test_line_does_not_know_the_order_of_samples(d18O, method, seed) -> None:
    if np.ptp(d18O) < 1:
        return
    rng = np.random.default_rng(seed)
    d2H = 7 * d18O - 5
    order = rng.permutation(d18O.size)
    first = fit_water_line(d18O, d2H, method=method)
    second = fit_water_line(d18O[order], d2H[order], method=method)
    assert first.slope == pytest.approx(7.0, rel=1e-9)
    assert second.slope == pytest.approx(first.slope, rel=1e-9)


@given(values, st.integers(0, 1000))
def test_rma_swaps_with_the_axes(d18O, seed) -> None:
    if np.ptp(d18O) < 1:
        return
    d2H = 7 * d18O + np.random.default_rng(seed).normal(0, 1, d18O.size)
    if np.corrcoef(d18O, d2H)[0, 1] < 0.8:
        return
    forth = fit_water_line(d18O, d2H, method="rma")
    back = fit_water_line(d2H, d18O, method="rma")
    assert forth.slope * back.slope == pytest.approx(1.0, rel=1e-9)


def test_equal_amounts_weigh_nothing() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(-12, 3, 25)
    y = 8 * x + 10 + rng.normal(0, 2, 25)
    plain = fit_water_line(x, y)
    weighted = fit_water_line(x, y, method="pwlsr", amount=np.full(25, 7.5))
    assert weighted.slope == pytest.approx(plain.slope, rel=1e-12)
    assert weighted.rmse == pytest.approx(plain.rmse, rel=1e-12)
    assert weighted.n_effective == pytest.approx(25)


def test_missing_rows_and_dry_days_are_dropped_and_not_counted() -> None:
    d18O = [-10.0, -12.0, -14.0, -16.0, np.nan, -18.0, -20.0]
    d2H = [-70.0, -87.0, -101.0, -118.0, -99.0, 500.0, 500.0]
    amount = [1.0, 2.0, 3.0, 4.0, 5.0, 0.0, np.nan]
    line = fit_water_line(d18O, d2H, method="pwlsr", amount=amount)
    plain = fit_water_line(d18O[:4], d2H[:4], method="pwlsr", amount=amount[:4])
    assert line == plain
    assert line.n == 4
    assert (line.n_missing, line.n_unweighted) == (1, 2)
    assert (plain.n_missing, plain.n_unweighted) == (0, 0)
    with pytest.raises(InputError, match=r"2 samples found.*2 have an amount of zero"):
        fit_water_line(d18O[:4], d2H[:4], method="pwma", amount=[1.0, 0.0, 0.0, 2.0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"d18O": [-10.0, -11.0], "d2H": [-70.0, -78.0]}, "2 samples found, 3 needed"),
        ({"d18O": [-10.0] * 4, "d2H": [-70.0, -78.0, -60.0, -1.0]}, "same d18O"),
        ({"method": "lasso"}, "Unknown line method 'lasso'. Choose one of ols"),
        ({"method": "pwlsr"}, "needs the precipitation amount"),
        ({"amount": [1.0, 1.0, 1.0]}, "takes no amount"),
        ({"method": "pwma", "amount": [1.0, -2.0, 1.0]}, "1 negative .* row 1"),
        ({"method": "pwma", "amount": [1.0, 2.0]}, "2 amounts for 3 samples"),
        ({"method": "york"}, "needs d18O_sd and d2H_sd"),
        ({"method": "york", "d18O_sd": 0.1, "d2H_sd": [1.0, 0.0, 1.0]}, "1 samples"),
        ({"d2H": [1.0, 2.0]}, "one length"),
        ({"d18O_sd": 0.1}, "Method 'ols' takes no standard deviations"),
        (
            {"method": "york", "d18O_sd": [0.1, 0.1], "d2H_sd": 1.0},
            r"d18O_sd has shape \(2,\) for 3 samples",
        ),
        (
            {"method": York([0.0, 1.0, np.nan]), "d18O_sd": 0.1, "d2H_sd": 1.0},
            "2 samples have an error correlation",
        ),
        ({"method": "rma", "d2H": [-80.0, -81.0, -80.0]}, "slope has no sign"),
    ],
)
def test_bad_line_input_says_what_is_wrong(arguments, words) -> None:
    given_arguments = {
        "d18O": [-10.0, -11.0, -12.0],
        "d2H": [-70.0, -78.0, -86.0],
        **arguments,
    }
    x, y = given_arguments.pop("d18O"), given_arguments.pop("d2H")
    with pytest.raises(InputError, match=words):
        fit_water_line(x, y, **given_arguments)


def test_weak_line_is_told() -> None:
    rng = np.random.default_rng(5)
    with pytest.warns(GeosoilWarning, match="weak"):
        fit_water_line(rng.normal(size=50), rng.normal(size=50))
    with pytest.warns(GeosoilWarning, match="r\\^2 = nan"):
        fit_water_line(rng.normal(size=50), np.full(50, -80.0))


def test_excesses_are_offsets_from_their_lines(golden: Path) -> None:
    case = read(golden, "lcexcess_and_backprojection")
    table = pd.DataFrame(case["samples"])
    line = WaterLine.stated(*case["lmwl"])
    found = lc_excess(table["d18O"], table["d2H"], line)
    np.testing.assert_allclose(found, table["lc_excess"], atol=1e-10)
    found = d_excess(table["d18O"], table["d2H"])
    np.testing.assert_allclose(found, table["dexcess"], atol=1e-10)
    zero = lc_excess(table["d18O"], 8 * table["d18O"] + 10, GMWL)
    np.testing.assert_allclose(zero, 0.0, atol=1e-12)


def test_group_table_keeps_every_group_in_the_papers_order() -> None:
    rng = np.random.default_rng(2)
    samples = pd.DataFrame(
        {
            "period": ["September"] * 6 + ["June"] * 6 + ["August"] * 2 + [None],
            "d18O": rng.normal(-13, 2, 15),
        }
    )
    samples["d2H"] = 6.5 * samples["d18O"] - 10
    samples.loc[0, "d2H"] = np.nan
    table = group_lines(samples, ["period"], lmwl=GMWL)
    assert table["period"].tolist()[:3] == ["June", "August", "September"]
    assert table["n"].tolist() == [6, 2, 5, 1]
    assert table["slope"].round(9).tolist()[0] == 6.5
    assert table["reason"].tolist()[0] == ""
    assert "2 samples found" in table["reason"].tolist()[1]
    assert np.isnan(table["slope"].tolist()[1])
    june = samples[samples["period"] == "June"]
    assert table["d18O"].iloc[0] == pytest.approx(june["d18O"].mean())
    assert table["d18O_sd"].iloc[0] == pytest.approx(june["d18O"].std())
    assert table["initial_d18O"].iloc[0] == pytest.approx(-20 / 1.5)
    shuffled = group_lines(
        samples.sample(frac=1, random_state=1), ["period"], lmwl=GMWL
    )
    pd.testing.assert_frame_equal(table, shuffled)


def test_group_table_flags_rather_than_drops() -> None:
    samples = pd.DataFrame(
        {
            "aspect": ["N"] * 8,
            "d18O": [-10.0, -11.0, -12.0, -13.0, -14.0, -15.0, -16.0, -17.0],
            "d2H": [-70.0, -80.0, -84.0, -95.0, -101.0, -112.0, -115.0, -127.0],
        }
    )
    table = group_lines(
        samples, ["aspect"], lmwl=GMWL, precipitation_range=(-30.0, 0.0)
    )
    assert "slopes do not differ" in table["flags"].iloc[0]
    with pytest.raises(InputError, match="missing column slope_class"):
        group_lines(samples, ["slope_class"], lmwl=GMWL)
    with pytest.raises(InputError, match="missing column precipitation"):
        group_lines(samples, ["aspect"], lmwl=GMWL, method="pwrma")


def test_no_grouping_column_gives_one_row() -> None:
    samples = pd.DataFrame({"d18O": [-1.0, -2.0, -3.0], "d2H": [0.0, -7.0, -16.0]})
    assert group_lines(samples, [], lmwl=GMWL)["n"].tolist() == [3]
