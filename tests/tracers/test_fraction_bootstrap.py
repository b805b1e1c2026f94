"""Fractions of redrawn sites and source samples."""

# ruff: noqa: PD011 (values of draws, not of a table)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.fraction_bootstrap import SourceSamples, bootstrap_fractions
from geosoil.tracers.fraction_drawing import Drawing
from geosoil.tracers.group_fractions import fractions_of_means
from geosoil.tracers.mixing import source_fractions

PAIR = ["d18O", "d2H"]
SOURCES = ("precipitation", "ground_ice", "snowmelt")
MEANS = np.array([[-11.2, -80.1], [-14.9, -120.2], [-16.4, -118.4]])
FEW = Drawing(n_draws=500)


def seeded(number: int = 7) -> np.random.Generator:
    return np.random.default_rng(number)


def waters(seed: int = 0, n: int = 40, spread: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for source, mean in zip(SOURCES, MEANS, strict=True):
        values = mean + rng.normal(0, [spread, 6 * spread], (n, 2))
        table = pd.DataFrame(values, columns=PAIR).assign(water=source)
        parts.append(table.assign(event=np.arange(n) // 4))
    table = pd.concat(parts, ignore_index=True)
    rain = table["water"] == "precipitation"
    table["precipitation"] = np.where(rain, rng.gamma(1.0, 5.0, len(table)), np.nan)
    return table


def soil(seed: int = 0, sites: int = 30, spread: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed + 100)
    rows = []
    for aspect, shares in {"N": [0.6, 0.25, 0.15], "S": [0.5, 0.2, 0.3]}.items():
        for site in range(sites):
            own = np.array(shares) @ MEANS + rng.normal(0, [spread, 5 * spread])
            layers = own + rng.normal(0, spread, (rng.integers(1, 5), 2))
            rows += [(aspect, f"{aspect}{site}", *layer) for layer in layers]
    return pd.DataFrame(rows, columns=["aspect", "site_id", *PAIR])


def test_spread_of_draws_agrees_with_the_clustered_standard_error() -> None:
    sources = SourceSamples(waters(), SOURCES)
    draws = bootstrap_fractions(soil(), sources, ["aspect"], rng=seeded())
    table = fractions_of_means(soil(), sources.end_members(PAIR), ["aspect"])
    assert draws.table["n_sites"].tolist() == [30, 30]
    assert (draws.reason, draws.method, draws.n_draws) == (("", ""), "bootstrap", 2000)
    for place, source in enumerate(SOURCES):
        values = draws.values[:, :, place]
        sd = table[f"{source}_sd"].to_numpy()
        np.testing.assert_allclose(values.std(axis=0), sd, rtol=0.08)
        middle = values.mean(axis=0) - table[f"{source}_raw"].to_numpy()
        assert np.abs(middle / sd).max() < 0.12


def test_the_variance_of_drawn_means_is_that_of_the_mean() -> None:
    table = pd.DataFrame(
        {"water": ["a"] * 2 + ["b"] * 5, "Cl": [0.0, 0.0, *[10.0] * 5]}
    )
    soil = pd.DataFrame({"site_id": [1, 2, 3, 4], "Cl": [2.0, 3.0, 5.0, 6.0]})
    with_warning = SourceSamples(table, ("a", "b"))
    draws = bootstrap_fractions(
        soil, with_warning, [], tracers=["Cl"], rng=seeded(), drawing=Drawing(100_000)
    )
    variance = np.var([2.0, 3.0, 5.0, 6.0], ddof=1) / 4 / 100
    assert draws.values[:, 0, 1].var() == pytest.approx(variance, rel=0.02)
    assert draws.reason == ("only 2 of a to draw from",)


def test_every_draw_is_the_mean_of_whole_sites() -> None:
    table = pd.DataFrame({"water": ["a"] * 3 + ["b"] * 3, "Cl": [0.0] * 3 + [10.0] * 3})
    layers = {1: [1.0, 2.0], 2: [4.0], 3: [7.0, 8.0, 9.0]}
    rows = [(site, value) for site, values in layers.items() for value in values]
    soil = pd.DataFrame(rows, columns=["site_id", "Cl"])
    draws = bootstrap_fractions(
        soil, SourceSamples(table, ("a", "b")), [], tracers=["Cl"], rng=seeded()
    )
    possible = [
        np.mean(layers[i] + layers[j]) / 10 for i in layers for j in layers if i <= j
    ]
    found = np.unique(draws.values[:, 0, 1].round(9))
    np.testing.assert_allclose(found, np.unique(np.round(possible, 9)), atol=1e-9)


def test_draws_are_the_solver_applied_to_drawn_waters() -> None:
    samples = soil(spread=2.0, sites=4)
    exact = waters(spread=0.0, n=3)
    sources = SourceSamples(exact, SOURCES)
    draws = bootstrap_fractions(samples, sources, [], rng=seeded(), drawing=FEW)
    raw = bootstrap_fractions(
        samples, sources, [], rng=seeded(), drawing=Drawing(500, constraint="none")
    )
    drawn = pd.DataFrame(raw.values[:, 0] @ MEANS, columns=PAIR)
    ends = sources.end_members(PAIR)
    values = samples[PAIR].to_numpy()
    sums = pd.DataFrame(values - values.mean(axis=0)).groupby(samples["site_id"]).sum()
    spread = sums.T @ sums * len(sums) / (len(sums) - 1) / len(values) ** 2
    solved = source_fractions(drawn, ends, covariance=spread.to_numpy())
    assert (raw.values < -0.01).any()
    np.testing.assert_allclose(
        draws.values[:, 0], solved[list(SOURCES)].to_numpy(), atol=1e-9
    )


def test_amounts_weigh_the_drawn_means() -> None:
    table = waters(n=12)
    weighted = SourceSamples(table, SOURCES, amount="precipitation")
    draws = bootstrap_fractions(soil(), weighted, ["aspect"], rng=seeded())
    plain = bootstrap_fractions(
        soil(), SourceSamples(table, SOURCES), ["aspect"], rng=seeded()
    )
    answer = fractions_of_means(soil(), weighted.end_members(PAIR), ["aspect"])
    middle = np.median(draws.values, axis=0)
    near = np.abs(middle - answer[list(SOURCES)].to_numpy()).max()
    far = np.abs(middle - np.median(plain.values, axis=0)).max()
    assert near < 0.02 < far
    # Unequal weights make the mean of rain, and so its fraction, less certain.
    assert (draws.values.std(axis=0)[:, 0] > plain.values.std(axis=0)[:, 0]).all()


def test_whole_events_are_drawn_where_asked_for() -> None:
    rng = np.random.default_rng(3)
    table = waters(n=40, spread=0.05)
    shift = rng.normal(0, 0.5, 10)
    table["d18O"] += shift[table["event"]]
    table["d2H"] += 8 * shift[table["event"]]
    single = bootstrap_fractions(
        soil(spread=0.01), SourceSamples(table, SOURCES), ["aspect"], rng=seeded()
    )
    events = SourceSamples(table, SOURCES, cluster="event")
    whole = bootstrap_fractions(soil(spread=0.01), events, ["aspect"], rng=seeded())
    assert (whole.values.std(axis=0) > 1.4 * single.values.std(axis=0)).all()


def test_groups_share_their_end_members_and_strata_do_not() -> None:
    table = waters(n=6, spread=0.8)
    samples = soil(spread=0.01)
    draws = bootstrap_fractions(
        samples, SourceSamples(table, SOURCES), ["aspect"], rng=seeded()
    )
    assert np.corrcoef(draws.values[:, :, 0].T)[0, 1] > 0.8
    both = pd.concat([table.assign(aspect=aspect) for aspect in "NS"])
    sources = SourceSamples(both, SOURCES, by=("aspect",))
    draws = bootstrap_fractions(samples, sources, ["aspect"], rng=seeded())
    assert abs(np.corrcoef(draws.values[:, :, 0].T)[0, 1]) < 0.08


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_draws_lie_in_the_simplex_and_a_seed_gives_them_again(seed) -> None:
    samples = soil(seed, sites=4, spread=1.5)
    sources = SourceSamples(waters(seed, n=8, spread=0.5), SOURCES)
    first, again = (
        bootstrap_fractions(
            samples, sources, ["aspect"], rng=seeded(seed), drawing=Drawing(100)
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.values, again.values)
    assert (first.values >= 0).all()
    np.testing.assert_allclose(first.values.sum(axis=2), 1.0, atol=1e-12)


def test_the_order_of_samples_does_not_move_the_distribution() -> None:
    samples = soil()
    sources = SourceSamples(waters(), SOURCES)
    mixed = samples.sample(frac=1.0, random_state=1)
    first = bootstrap_fractions(samples, sources, ["aspect"], rng=seeded())
    second = bootstrap_fractions(mixed, sources, ["aspect"], rng=seeded())
    np.testing.assert_allclose(
        first.values.std(axis=0), second.values.std(axis=0), rtol=0.1
    )


def test_missing_values_are_left_out_like_absent_rows() -> None:
    samples = soil()
    holed = pd.concat([samples, samples.iloc[:3].assign(d2H=np.nan)])
    table = waters()
    extra = table.iloc[[0, 50]].assign(d18O=np.nan)
    first = bootstrap_fractions(
        samples, SourceSamples(table, SOURCES), ["aspect"], rng=seeded(), drawing=FEW
    )
    second = bootstrap_fractions(
        holed,
        SourceSamples(pd.concat([table, extra]), SOURCES),
        ["aspect"],
        rng=seeded(),
        drawing=FEW,
    )
    np.testing.assert_allclose(first.values, second.values, atol=1e-12)


def test_few_sites_have_no_draws_and_say_so() -> None:
    samples = soil()
    north = samples["aspect"] == "N"
    samples.loc[north, "site_id"] = np.where(samples.index[north] % 2, "one", "two")
    draws = bootstrap_fractions(
        samples, SourceSamples(waters(), SOURCES), ["aspect"], rng=seeded(), drawing=FEW
    )
    assert draws.reason == ("2 of 3 sites needed to draw from", "")
    assert np.isnan(draws.values[:, 0]).all()
    assert np.isfinite(draws.values[:, 1]).all()


def test_a_single_sample_of_a_source_is_told() -> None:
    table = waters().drop(index=range(41, 80))
    with pytest.warns(GeosoilWarning, match="One sample only for ground_ice"):
        draws = bootstrap_fractions(
            soil(), SourceSamples(table, SOURCES), ["aspect"], rng=seeded(), drawing=FEW
        )
    assert draws.reason == ("only 1 of ground_ice to draw from",) * 2


def test_bad_requests_are_refused() -> None:
    table = waters()
    with pytest.raises(MixingError, match="No usable sample of source river"):
        bootstrap_fractions(
            soil(), SourceSamples(table, ("river",)), [], rng=seeded(), drawing=FEW
        )
    with pytest.raises(InputError, match="missing column storm"):
        bootstrap_fractions(
            soil(), SourceSamples(table, SOURCES, cluster="storm"), [], rng=seeded()
        )
    with pytest.raises(InputError, match="missing column site_id"):
        bootstrap_fractions(
            soil().drop(columns="site_id"),
            SourceSamples(table, SOURCES),
            [],
            rng=seeded(),
        )
