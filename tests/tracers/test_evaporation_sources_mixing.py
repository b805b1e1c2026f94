"""A source given as evaporated: moments, strata and what its number is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.evaporation_sources_mixing import evaporated_end_members
from geosoil.tracers.mixing import source_fractions

TABLE = pd.DataFrame(
    {
        "source": ["precipitation", "ground_ice"],
        "d18O": [-12.0, -15.0],
        "d2H": [-86.0, -117.0],
        "d18O_sd": [0.3, 0.4],
        "d2H_sd": [2.4, 3.0],
        "d18O_d2H_cov": [0.6, 1.0],
        "n": [20, 8],
    }
)
ENDS = EndMembers.from_table(TABLE)
PRIOR = EvaporationPrior(3.6, 0.5, shift=0.8, shift_sd=0.7)
PAIR = ["d18O", "d2H"]


def drawn_rain(n: int = 400_000) -> np.ndarray:
    """Single evaporated rains, E cut at 0."""
    rng = np.random.default_rng(4)
    rain = rng.multivariate_normal([-12.0, -86.0], [[0.09, 0.6], [0.6, 5.76]], n)
    shift = rng.normal(0.8, 0.7, 2 * n)
    shift = shift[shift >= 0][:n]
    slope = rng.normal(3.6, 0.5, n)
    return rain[: len(shift)] + np.column_stack([shift, slope[: len(shift)] * shift])


def test_moments_are_those_of_drawn_evaporated_rain() -> None:
    ends = evaporated_end_members(ENDS, PRIOR)
    drawn = drawn_rain()
    np.testing.assert_allclose(ends.means(PAIR)[0], drawn.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(
        ends.covariances(PAIR)[0], np.cov(drawn, rowvar=False), rtol=0.02
    )
    np.testing.assert_array_equal(ends.means(PAIR)[1], [-15.0, -117.0])
    np.testing.assert_array_equal(ends.covariances(PAIR)[1], ENDS.covariances(PAIR)[1])


@pytest.mark.parametrize("form", ["d_excess only", "all three"])
def test_d_excess_of_the_table_follows(form) -> None:
    turn = np.array([[1.0, 0.0], [-8.0, 1.0]])
    spread = turn @ ENDS.covariances(PAIR) @ turn.T
    table = TABLE.assign(
        d_excess=TABLE["d2H"] - 8 * TABLE["d18O"],
        d_excess_sd=np.sqrt(spread[:, 1, 1]),
        d18O_d_excess_cov=spread[:, 0, 1],
    )
    if form == "d_excess only":
        table = table.drop(columns=["d2H", "d2H_sd", "d18O_d2H_cov"])
    found = evaporated_end_members(EndMembers.from_table(table), PRIOR)
    wanted = evaporated_end_members(ENDS, PRIOR)
    tracers = ["d18O", "d_excess"]
    np.testing.assert_allclose(found.means(tracers), wanted.means(tracers))
    np.testing.assert_allclose(found.covariances(tracers), wanted.covariances(tracers))
    assert found.table["d_excess"][0] == pytest.approx(wanted.means(["d_excess"])[0, 0])


def test_error_of_evaporation_does_not_shrink_with_the_number_of_samples() -> None:
    of_mean = evaporated_end_members(ENDS, PRIOR).of_means().covariances(PAIR)[0]
    amount, sd = PRIOR.moments
    direction = np.array([1.0, 3.6])
    full = ENDS.of_means().covariances(PAIR)[0] + sd**2 * np.outer(direction, direction)
    full[1, 1] += (amount**2 + sd**2) * 0.25
    assert np.all(np.diag(of_mean) >= np.diag(full) - 1e-12)
    assert of_mean[0, 0] <= full[0, 0] * 1.1
    assert evaporated_end_members(ENDS, PRIOR).counts()[1] == 8
    alone = EndMembers.from_table(TABLE.drop(columns="n"))
    assert "n_effective" not in evaporated_end_members(alone, PRIOR).table


def test_mixtures_of_evaporated_rain_get_their_shares_back() -> None:
    exact = EvaporationPrior(3.6, shift=2.0, shift_sd=1e-6)
    soil = pd.DataFrame([0.7 * np.array([-10.0, -78.8]) + 0.3 * np.array([-15, -117])])
    soil.columns = PAIR
    ends = evaporated_end_members(ENDS, exact)
    found = source_fractions(soil, ends)
    assert found["precipitation"][0] == pytest.approx(0.7, abs=1e-5)


def test_each_stratum_takes_its_own_prior() -> None:
    rain = pd.DataFrame(
        {
            "source": "precipitation",
            "period": ["June", "August"],
            "d18O": [-12.0, -10.0],
            "d2H": [-86.0, -70.0],
        }
    )
    ice = TABLE[["source", "d18O", "d2H"]].iloc[[1]]
    table = pd.concat([rain, ice], ignore_index=True)
    ends = EndMembers.from_table(table, by=["period"])
    priors = {
        "June": EvaporationPrior(3.0, shift=1.0, shift_sd=1e-6),
        "August": EvaporationPrior(4.0, shift=2.0, shift_sd=1e-6),
    }
    found = evaporated_end_members(ends, priors)
    assert found.by == ("period",)
    june, august = (found.select(period=name).means(PAIR) for name in priors)
    np.testing.assert_allclose(june, [[-11.0, -83.0], [-15.0, -117.0]])
    np.testing.assert_allclose(august, [[-8.0, -62.0], [-15.0, -117.0]])
    with pytest.raises(MixingError, match=r"precipitation \(period August\)"):
        evaporated_end_members(ends, {"June": priors["June"]})


def test_rain_for_any_period_is_split_by_the_priors() -> None:
    priors = {
        "June": EvaporationPrior(3.0, shift=1.0, shift_sd=1e-6),
        "August": EvaporationPrior(4.0, shift=2.0, shift_sd=1e-6),
    }
    found = evaporated_end_members(ENDS, priors)
    assert found.by == ("period",)
    assert len(found.table) == 3
    np.testing.assert_allclose(
        found.select(period="August").means(PAIR), [[-10.0, -78.0], [-15.0, -117.0]]
    )


def test_bad_requests_are_refused() -> None:
    with pytest.raises(MixingError, match="Unknown source snow"):
        evaporated_end_members(ENDS, PRIOR, source="snow")
    with pytest.raises(InputError, match="nothing is said of the amount"):
        evaporated_end_members(ENDS, EvaporationPrior(3.6))
    salt = EndMembers.from_table(pd.DataFrame({"source": ["precipitation"], "Cl": [1]}))
    with pytest.raises(MixingError, match="nothing evaporates"):
        evaporated_end_members(salt, PRIOR)
