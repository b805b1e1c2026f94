"""Source water with uncertainty: draws and the exact posterior beside references."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from geosoil.errors import InputError
from geosoil.tracers.delta import Precision
from geosoil.tracers.evaporation import source_water
from geosoil.tracers.lines import GMWL, WaterLine, fit_water_line
from geosoil.tracers.source_draws import Projection, source_water_draws
from geosoil.tracers.source_posterior import SourcePrior, source_posterior


def stated_line(numbers: list[float]) -> WaterLine:
    """Return a fitted line from slope, intercept, mean, sum of squares, rmse, n."""
    slope, intercept, mean, squares, rmse, n = numbers
    variance = rmse**2 / squares
    return WaterLine(
        slope=slope,
        intercept=intercept,
        slope_standard_error=variance**0.5,
        intercept_standard_error=(rmse**2 / n + mean**2 * variance) ** 0.5,
        covariance=-mean * variance,
        r_squared=0.97,
        rmse=rmse,
        n=int(n),
        n_effective=n,
        method="ols",
    )


@pytest.fixture(scope="module")
def lmwl() -> WaterLine:
    rng = np.random.default_rng(7)
    rain = rng.uniform(-25.0, -5.0, 120)
    return fit_water_line(rain, 7.9 * rain + 12.43 + rng.normal(0, 2.0, 120))


@pytest.mark.parametrize("number", range(4))
def test_posterior_is_that_of_the_reference_quadrature(shared: Path, number) -> None:
    path = shared / "golden" / "tracers" / "isowater_mwlsource.json"
    whole = json.loads(path.read_text())
    case, sample, tolerance = whole["cases"][number], whole["obs"], whole["tolerance"]
    expected = case["expected"]
    projection = Projection(
        stated_line(case["mwl"]),
        slope=whole["slope_prior"]["mean"],
        slope_sd=whole["slope_prior"]["sd"],
        precision=Precision(sample["sd_d18O"], sample["sd_d2H"]),
    )
    prior = SourcePrior(
        "gamma" if case["edist"] == "gamma" else "uniform",
        *case["eprior"],
        d18O=expected["o_cent"],
        d18O_sd=expected["o_var"] ** 0.5,
        water="single" if case["stype"] == 1 else "mean",
    )
    found = source_posterior(
        [sample["d18O"]], [sample["d2H"]], projection=projection, prior=prior
    ).iloc[0]
    assert found["reason"] == ""
    names = {"d18O": "source_d18O", "shift": "E", "d2H": "source_d2H", "slope": "S"}
    for name, theirs in names.items():
        answer = expected[theirs]
        assert found[name] == pytest.approx(answer["mean"], abs=tolerance["mean"])
        assert found[f"{name}_sd"] == pytest.approx(answer["sd"], abs=tolerance["sd"])
    for name in ("d18O", "shift", "d2H"):
        ends = expected[names[name]]["q"]
        for end, value in (("lower", ends[0]), ("upper", ends[2])):
            assert found[f"{name}_{end}"] == pytest.approx(
                value, abs=tolerance["quantile"]
            )


def test_posterior_is_that_of_brute_force_in_two_dimensions(lmwl: WaterLine) -> None:
    x, y, slope, slope_sd, sx, sy, r = -11.0, -88.0, 3.4, 0.5, 0.25, 0.8, 0.4

    shifts, sources = np.linspace(0, 6, 241), np.linspace(-17.5, -10.0, 801)
    shift, source = np.meshgrid(shifts, sources, indexing="ij")
    mean = -lmwl.covariance / lmwl.slope_standard_error**2
    scatter = lmwl.rmse**2 * (1 + 1 / lmwl.n)
    scatter = scatter + lmwl.slope_standard_error**2 * (source - mean) ** 2
    vertical = sy**2 + scatter + (slope_sd * shift) ** 2
    cross = r * sx * sy
    determinant = sx**2 * vertical - cross**2
    off_x = x - source - shift
    off_y = y - lmwl.slope * source - lmwl.intercept - slope * shift
    square = vertical * off_x**2 - 2 * cross * off_x * off_y + sx**2 * off_y**2
    grid = np.exp(-0.5 * square / determinant) / np.sqrt(determinant)
    total = integrate.trapezoid(integrate.trapezoid(grid, sources), shifts)
    of_shift = integrate.trapezoid(grid, sources) / total
    mean = integrate.trapezoid(of_shift * shifts, shifts)
    sd = integrate.trapezoid(of_shift * (shifts - mean) ** 2, shifts) ** 0.5
    of_source = integrate.trapezoid(grid.T, shifts) / total
    mean_source = integrate.trapezoid(of_source * sources, sources)
    found = source_posterior(
        [x],
        [y],
        projection=Projection(lmwl, slope, slope_sd, Precision(sx, sy, r)),
        prior=SourcePrior("uniform", 0.0, 6.0),
    ).iloc[0]
    assert found["shift"] == pytest.approx(mean, abs=2e-4)
    assert found["shift_sd"] == pytest.approx(sd, abs=2e-4)
    assert found["d18O"] == pytest.approx(mean_source, abs=2e-4)


def test_draws_and_posterior_agree_with_the_exact_way_far_from_the_line(
    lmwl: WaterLine,
) -> None:
    projection = Projection(lmwl, slope=4.0, precision=Precision(0.02, 0.05))
    x = np.array([-14.0, -12.0])
    y = lmwl.slope * x + lmwl.intercept - 20.0
    exact = source_water(x, y, line=lmwl, slope=4.0)
    drawn = source_water_draws(
        x, y, projection=projection, rng=np.random.default_rng(1)
    )
    posterior = source_posterior(
        x, y, projection=projection, prior=SourcePrior(water="mean")
    )
    np.testing.assert_array_equal(drawn["d18O"], exact["d18O"])
    np.testing.assert_allclose(posterior["d18O"], exact["d18O"], atol=0.02)
    np.testing.assert_allclose(posterior["d18O_sd"], drawn["d18O_sd"], rtol=0.08)
    np.testing.assert_allclose(posterior["d2H_sd"], drawn["d2H_sd"], rtol=0.08)
    np.testing.assert_allclose(
        posterior["shift_lower"], drawn["shift_lower"], atol=0.03
    )


def test_draws_have_the_spread_of_the_delta_method(lmwl: WaterLine) -> None:
    precision = Precision(0.1, 0.4)
    projection = Projection(lmwl, slope=3.5, slope_sd=0.1, precision=precision)
    x, shift = -11.0, 2.5
    source = x - shift
    y = lmwl.slope * source + lmwl.intercept + 3.5 * shift
    gap = lmwl.slope - 3.5
    of_line = (
        lmwl.intercept_standard_error**2
        + source**2 * lmwl.slope_standard_error**2
        + 2 * source * lmwl.covariance
    )
    measured = 0.4**2 + 3.5**2 * 0.1**2
    expected = np.sqrt(of_line + measured + (shift * 0.1) ** 2) / gap
    found = source_water_draws(
        [x], [y], projection=projection, rng=np.random.default_rng(2), n_draws=40_000
    ).iloc[0]
    assert found["d18O_sd"] == pytest.approx(expected, rel=0.03)
    assert found["share_above"] == 0.0
    assert found["d18O_upper"] - found["d18O_lower"] == pytest.approx(
        2 * 1.96 * expected, rel=0.05
    )


def test_intervals_hold_the_true_source_as_often_as_they_say() -> None:
    rng = np.random.default_rng(21)
    true = rng.uniform(-18.0, -12.0, 400)
    shift = rng.uniform(1.0, 4.0, 400)
    slope = 3.5
    d18O = true + shift + rng.normal(0, 0.2, 400)
    d2H = 7.9 * true + 12.43 + rng.normal(0, 2.0, 400) + slope * shift
    d2H += rng.normal(0, 0.5, 400)
    rain = rng.uniform(-25.0, -5.0, 2000)
    line = fit_water_line(rain, 7.9 * rain + 12.43 + rng.normal(0, 2.0, 2000))
    found = source_posterior(
        d18O, d2H, projection=Projection(line, slope, precision=Precision(0.2, 0.5))
    )
    held = (found["d18O_lower"] < true) & (true < found["d18O_upper"])
    assert 0.92 <= held.mean() <= 0.98


def test_rows_without_an_answer_keep_their_place_and_reason(lmwl: WaterLine) -> None:
    d18O = pd.Series([-12.0, np.nan, -12.0, -12.0, -12.0], index=list("abcde"))
    on_line = lmwl.slope * -12.0 + lmwl.intercept
    d2H = pd.Series([on_line - 10, -90, on_line - 10, on_line + 9, on_line - 10])
    d2H.index = d18O.index
    projection = Projection(lmwl, [4.0, 4.0, 8.5, 4.0, 7.7], [0.1, 0.1, 0.1, 0.1, 0.3])
    drawn = source_water_draws(
        d18O, d2H, projection=projection, rng=np.random.default_rng(1)
    )
    assert drawn["reason"].tolist() == [
        "",
        "missing tracer",
        "slope of evaporation not below the line's",
        "above the line",
        "slope of evaporation within error of the line's",
    ]
    assert drawn["d18O"].isna().tolist() == [False, True, True, False, True]
    assert drawn["d18O_sd"].isna().tolist() == [False, True, True, False, True]
    assert drawn.loc["d", "d18O"] == -12.0
    assert drawn.loc["d", "share_above"] > 0.99
    posterior = source_posterior(d18O, d2H, projection=projection)
    assert posterior.index.tolist() == list("abcde")
    assert posterior["reason"].tolist()[1:4] == drawn["reason"].tolist()[1:4]
    assert posterior["shift"].isna().tolist() == [False, True, True, False, False]
    assert posterior.loc["d", "shift"] < 1.0


def test_a_shift_that_its_prior_cuts_off_is_said_to_be(lmwl: WaterLine) -> None:
    y = lmwl.slope * -12.0 + lmwl.intercept - 30.0
    found = source_posterior(
        [-12.0],
        [y],
        projection=Projection(lmwl, slope=4.0),
        prior=SourcePrior("uniform", 0.0, 5.0),
    )
    assert found["reason"].tolist() == ["evaporation reaches the end of its prior"]


@settings(max_examples=25)
@given(
    st.floats(-20, -8),
    st.floats(1.0, 10.0),
    st.floats(2.0, 5.0),
    st.floats(0.02, 0.5),
    st.floats(0.05, 2.0),
)
def test_posterior_is_whole_and_ordered(x, shift, slope, sx, sy) -> None:
    line = stated_line([7.9, 12.43, -13.0, 4000.0, 3.0, 100])
    y = line.slope * (x - shift) + line.intercept + slope * shift
    found = source_posterior(
        [x], [y], projection=Projection(line, slope, 0.3, Precision(sx, sy))
    ).iloc[0]
    assert np.isfinite(found.drop("reason").to_numpy(float)).all()
    for name in ("d18O", "d2H", "shift"):
        low, middle, high = (found[f"{name}{end}"] for end in ("_lower", "", "_upper"))
        assert low < middle < high
    assert found["d18O"] + found["shift"] == pytest.approx(x, abs=4 * sx + 0.05)


def test_shifting_the_axis_shifts_the_answer() -> None:
    first = stated_line([7.9, 12.43, -13.0, 4000.0, 3.0, 100])
    second = stated_line([7.9, 12.43 - 7.9 * 2.0, -11.0, 4000.0, 3.0, 100])
    one, two = (
        source_posterior([x], [-92.0], projection=Projection(line, 4.0, 0.3))
        for line, x in ((first, -12.0), (second, -10.0))
    )
    assert two["d18O"].iloc[0] - one["d18O"].iloc[0] == pytest.approx(2.0, abs=1e-9)
    assert two["d2H"].iloc[0] == pytest.approx(one["d2H"].iloc[0], abs=1e-8)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"shift": "other"}, "uniform or gamma"),
        ({"first": 5.0, "second": 2.0}, "first < second"),
        ({"shift": "gamma", "first": 0.5}, "shape of 1 or more"),
        ({"d18O": -12.0}, "d18O and d18O_sd together"),
        ({"d18O": -12.0, "d18O_sd": 0.0}, "d18O_sd is above 0"),
        ({"water": "other"}, "single or mean"),
    ],
)
def test_impossible_priors_are_refused(numbers, words) -> None:
    with pytest.raises(InputError, match=words):
        SourcePrior(**numbers)


def test_projections_that_cannot_be_are_refused(lmwl: WaterLine) -> None:
    with pytest.raises(InputError, match="slope_sd"):
        Projection(lmwl, 4.0, slope_sd=-0.1)
    with pytest.raises(InputError, match="confidence"):
        Projection(lmwl, 4.0, confidence=1.0)
    with pytest.raises(InputError, match="no known errors"):
        source_posterior([-12.0], [-90.0], projection=Projection(GMWL, 4.0))
    with pytest.raises(InputError, match="d2H errors above 0"):
        source_posterior(
            [-12.0], [-90.0], projection=Projection(lmwl, 4.0, 0.0, Precision(0, 0))
        )
    with pytest.raises(InputError, match="10 draws"):
        source_water_draws(
            [-12.0],
            [-90.0],
            projection=Projection(lmwl, 4.0),
            rng=np.random.default_rng(1),
            n_draws=10,
        )
