"""Evaporation within mixing: derivatives, bounds, and what is identifiable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError, MixingError
from geosoil.tracers.correction import corrected_mixtures, evaporation_sensitivity
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions

# Invented end members of the built-in study in June, and its all-sample mean.
JUNE = pd.DataFrame(
    {
        "source": ["precipitation", "ground_ice", "snowmelt"],
        "d18O": [-12.26, -14.5, -17.5],
        "d2H": [7.9 * -12.26 + 12.43, 8 * -14.5 + 3.0, 8 * -17.5 + 12.0],
        "d18O_sd": [0.3, 0.4, 0.5],
        "d2H_sd": [2.5, 3.0, 4.0],
    }
)
ENDS = EndMembers.from_table(JUNE)
MEANS = JUNE[["d18O", "d2H"]].to_numpy()
TRUTH = np.array([0.72, 0.20, 0.08])


def evaporated(shares: np.ndarray, means: np.ndarray, shift: float, slope: float):
    d18O, d2H = shares @ means + shift * np.array([1.0, slope])
    return {"d18O": d18O, "d2H": d2H}


def test_june_shares_change_by_nearly_a_half_per_permil() -> None:
    answer = evaporation_sensitivity(
        evaporated(TRUTH, MEANS, 1.12, 3.4), ENDS, slope=3.4
    )
    change = dict(zip(answer.sources, answer.derivative, strict=True))
    assert sum(answer.derivative) == pytest.approx(0.0, abs=1e-12)
    assert -0.5 < change["ground_ice"] < -0.4
    assert not answer.identifiable
    assert "not identifiable" in answer.words
    assert np.isnan(answer.shift)
    assert answer.solved == ()
    uncorrected = dict(zip(answer.sources, answer.fractions, strict=True))
    assert uncorrected["ground_ice"] > 0.6
    assert answer.shift_lower <= 1.12 <= answer.shift_upper


def test_derivative_is_the_change_of_the_corrected_mixture() -> None:
    water = evaporated(TRUTH, MEANS, 1.12, 3.4)
    answer = evaporation_sensitivity(water, ENDS, slope=3.4)
    raw = [f"{name}_raw" for name in answer.sources]
    for shift in (0.5, 1.12):
        less = corrected_mixtures(pd.DataFrame([water]), shift=shift, slope=3.4)
        found = source_fractions(less, ENDS)[raw].to_numpy()[0]
        line = np.array(answer.fractions) + shift * np.array(answer.derivative)
        np.testing.assert_allclose(found, line, atol=1e-10)
    np.testing.assert_allclose(found, TRUTH, atol=1e-10)


@given(st.floats(0, 3), st.floats(2.5, 4.5), st.integers(0, 1000))
def test_ends_of_the_range_touch_the_border(shift, slope, seed) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(3) * 2)
    water = evaporated(shares, MEANS, shift, slope)
    answer = evaporation_sensitivity(water, ENDS, slope=slope)
    assert answer.shift_lower - 1e-9 <= shift <= answer.shift_upper + 1e-9
    for ends in (answer.fractions_lower, answer.fractions_upper):
        assert min(ends) >= -1e-9
        assert sum(ends) == pytest.approx(1.0, abs=1e-9)
    assert min(answer.fractions_upper) == pytest.approx(0.0, abs=1e-9)
    touches = min(answer.fractions_lower) == pytest.approx(0.0, abs=1e-9)
    assert answer.shift_lower == 0 or touches


def test_no_evaporation_may_fit_at_all() -> None:
    answer = evaporation_sensitivity({"d18O": -25.0, "d2H": -150.0}, ENDS, slope=3.4)
    assert np.isnan(answer.shift_lower)
    assert "no E of 0 or above" in answer.words


@given(st.floats(0, 1), st.floats(0, 3), st.floats(2.5, 4.5))
def test_two_sources_and_evaporation_are_solved_together(share, shift, slope) -> None:
    ends = ENDS.keep(["precipitation", "ground_ice"])
    water = evaporated(np.array([share, 1 - share]), MEANS[:2], shift, slope)
    answer = evaporation_sensitivity(water, ends, slope=slope)
    assert answer.identifiable
    assert answer.shift == pytest.approx(shift, abs=1e-9)
    assert answer.solved == pytest.approx((share, 1 - share), abs=1e-9)


def test_solved_errors_agree_with_monte_carlo() -> None:
    rng = np.random.default_rng(5)
    ends = EndMembers.from_table(
        JUNE.iloc[:2].assign(d18O_sd=[0.03, 0.04], d2H_sd=[0.25, 0.3])
    )
    water = evaporated(np.array([0.8, 0.2]), MEANS[:2], 1.5, 3.4)
    answer = evaporation_sensitivity(
        {**water, "d18O_sd": 0.02, "d2H_sd": 0.1}, ends, slope=3.4, slope_sd=0.05
    )
    draws = []
    for _ in range(5000):
        first = MEANS[0] + rng.normal(0, [0.03, 0.25])
        second = MEANS[1] + rng.normal(0, [0.04, 0.3])
        mixture = np.array([water["d18O"], water["d2H"]]) + rng.normal(0, [0.02, 0.1])
        matrix = np.column_stack([first - second, [1.0, rng.normal(3.4, 0.05)]])
        draws.append(np.linalg.solve(matrix, mixture - second))
    share_sd, shift_sd = np.std(draws, axis=0)
    assert answer.solved_sd[0] == pytest.approx(share_sd, rel=0.04)
    assert answer.solved_sd[1] == answer.solved_sd[0]
    assert answer.shift_sd == pytest.approx(shift_sd, rel=0.04)


def test_impossible_solution_is_said_to_be_so() -> None:
    ends = ENDS.keep(["precipitation", "ground_ice"])
    water = evaporated(np.array([1.4, -0.4]), MEANS[:2], 1.0, 3.4)
    answer = evaporation_sensitivity(water, ends, slope=3.4)
    assert answer.identifiable
    assert "which no mixture of these sources can have" in answer.words


def test_sources_along_the_slope_of_evaporation_are_not_identifiable() -> None:
    table = pd.DataFrame(
        {"source": ["a", "b"], "d18O": [-10.0, -14.0], "d2H": [-70.0, -84.0]}
    )
    answer = evaporation_sensitivity(
        {"d18O": -11.0, "d2H": -73.5}, EndMembers.from_table(table), slope=3.5
    )
    assert not answer.identifiable
    assert "differ along the slope" in answer.words


def test_without_spread_the_solution_has_no_error() -> None:
    table = JUNE.iloc[:2][["source", "d18O", "d2H"]]
    water = evaporated(np.array([0.8, 0.2]), MEANS[:2], 1.5, 3.4)
    answer = evaporation_sensitivity(water, EndMembers.from_table(table), slope=3.4)
    assert answer.solved == pytest.approx((0.8, 0.2), abs=1e-9)
    assert np.isnan(answer.solved_sd).all()


def test_correction_takes_evaporation_off_and_renews_d_excess() -> None:
    soil = pd.DataFrame(
        {"d18O": [-12.0, -11.0], "d2H": [-90.0, -84.0], "d_excess": [6.0, 4.0]},
        index=["a", "b"],
    )
    found = corrected_mixtures(soil, shift=[1.0, np.nan], slope=4.0)
    assert found.loc["a"].tolist() == [-13.0, -94.0, 10.0]
    assert found.loc["b"].isna().all()
    assert soil.loc["a", "d18O"] == -12.0
    with pytest.raises(InputError, match=r"1 negative shifts .* lowest -2"):
        corrected_mixtures(soil, shift=[-2.0, np.nan], slope=4.0)


def test_bad_requests_for_sensitivity_are_refused() -> None:
    water = {"d18O": -12.0, "d2H": -90.0}
    with pytest.raises(InputError, match="missing column d2H"):
        evaporation_sensitivity({"d18O": -12.0}, ENDS, slope=3.4)
    with pytest.raises(InputError, match="slope nan"):
        evaporation_sensitivity(water, ENDS, slope=np.nan)
    strata = EndMembers.from_table(JUNE.assign(period="June"))
    with pytest.raises(MixingError, match="Select one stratum of period"):
        evaporation_sensitivity(water, strata, slope=3.4)
