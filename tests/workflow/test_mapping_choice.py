"""The method of a map is the one that predicts blocks left out best, or the mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.config import InterpolationSettings
from geosoil.errors import InputError
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import cross_validate
from geosoil.interpolation.validation_folds import Folds
from geosoil.interpolation.validation_predictors import SampleMean
from geosoil.workflow.mapping_choice import Choice, choose_method
from geosoil.workflow.mapping_sites import PeriodSites, domains_of
from tests.workflow.mapping_cases import (
    GRID,
    RULE,
    heights,
    random_places,
    sites_of,
    smooth_fraction,
    target,
)

AUTO = InterpolationSettings(block_km=20.0)


def chosen(sites: PeriodSites, settings: InterpolationSettings = AUTO) -> Choice:
    elevation = GRID.raster(target().ground)
    return choose_method(sites, domains_of(sites, GRID, elevation), settings)


def losses(choice: Choice) -> dict[str, float]:
    whole = choice.scores[choice.scores["source"] == "all"].set_index("method")
    return (whole["rmse"] ** 2).to_dict()


def test_a_structured_field_is_kriged() -> None:
    places = random_places(1, 100)
    choice = chosen(sites_of(smooth_fraction(*places), places))
    assert choice.method in ("kriging", "ilr")
    assert losses(choice)["kriging"] < 0.5 * losses(choice)["mean"]
    assert "predicts better than the mean" in choice.words


def test_a_field_of_elevation_is_kriged_with_drift() -> None:
    places = random_places(2, 40)
    noise = 0.02 * np.random.default_rng(2).normal(size=40)
    ice = 0.2 + 0.3 * (heights(places[0]) - 3000.0) / 1000.0 + noise
    wide = InterpolationSettings(block_km=60.0)
    choice = chosen(sites_of(ice, places), wide)
    assert choice.method == "kriging_drift"


@pytest.mark.slow
@settings(max_examples=3)
@given(seed=st.integers(0, 10_000))
def test_pure_noise_takes_the_mean_and_says_so_or_a_method_that_is_better(seed) -> None:
    places = random_places(seed, 60)
    ice = 0.3 + 0.5 * np.random.default_rng(seed).normal(size=60)
    choice = chosen(sites_of(ice, places, error=0.25))
    found = losses(choice)
    if choice.method == "mean":
        assert "method predicts blocks left out better" in choice.words
    else:
        assert found[choice.method] < found["mean"]
    assert choice.method != "ilr"
    assert "ilr is not taken" in choice.words
    row = choice.scores.set_index(["method", "source"]).loc[("ilr", "all")]
    better = -row["difference_to_mean"] > row["difference_se"]
    assert ("ilr predicts better than the mean" in choice.words) == better
    assert ("no method predicts" in choice.words) <= (not better)


def test_the_scores_are_those_of_the_cross_validation_of_each_source() -> None:
    places = random_places(3, 80)
    sites = sites_of(0.3 + 0.1 * smooth_fraction(*places), places, error=1e-4)
    choice = chosen(sites)
    folds = Folds("site", groups=choice.predictions["fold"][:80].to_numpy())
    table = choice.scores.set_index(["method", "source"])
    for place, source in enumerate(sites.sources):
        values = sites.raw[:, place]
        mean = cross_validate(SampleMean(), sites.xy, values, folds=folds)
        assert table.loc[("mean", source), "rmse"] == pytest.approx(
            mean.scores.rmse, rel=1e-10
        )
        model = choice.variograms["rain, ice"][source]
        kriged = cross_validate(
            Kriging(model.variogram),
            sites.xy,
            values,
            folds=folds,
            measurement_variance=np.full(80, model.noise),
        )
        assert table.loc[("kriging", source), "rmse"] == pytest.approx(
            kriged.scores.rmse, rel=1e-6
        )
        assert table.loc[("kriging", source), "msdr"] == pytest.approx(
            kriged.scores.msdr, rel=1e-6
        )


def test_sites_of_one_block_stay_together() -> None:
    places = random_places(4, 60)
    twice = tuple(np.r_[part, part[:20]] for part in places)
    sites = sites_of(np.full(80, 0.3) + 0.01 * np.arange(80) / 80, twice)
    table = chosen(sites).predictions
    ice = table[table["source"] == "ice"]["fold"].to_numpy()
    np.testing.assert_array_equal(ice[60:], ice[:20])


def test_each_domain_is_predicted_from_its_own_sites() -> None:
    places = random_places(5, 80)
    high = heights(places[0]) >= 3600.0
    snow = np.where(high, 0.2, 0.0)
    ice = np.where(high, 0.2, 0.6) + 0.01 * np.random.default_rng(5).normal(size=80)
    sites = sites_of(ice, places, snow=snow, rules=(RULE,))
    choice = chosen(sites, InterpolationSettings(method="mean", block_km=20.0))
    table = choice.predictions.pivot_table(
        index="site", columns="source", values="predicted"
    )
    low = table[~high]
    assert (low["snow"] == 0.0).all()
    np.testing.assert_allclose(low["ice"], 0.6, atol=0.02)
    np.testing.assert_allclose(table.sum(axis=1), 1.0, atol=1e-12)


def test_the_word_of_the_user_is_taken_and_what_is_better_is_named() -> None:
    places = random_places(1, 100)
    sites = sites_of(smooth_fraction(*places), places)
    choice = chosen(sites, InterpolationSettings(method="mean", block_km=20.0))
    assert choice.method == "mean"
    assert "predicts better in cross-validation" in choice.words
    level = sites_of(smooth_fraction(*places), (np.full(100, 105.0), places[1]))
    with pytest.raises(InputError, match="within 0 m of elevation"):
        chosen(level, InterpolationSettings(method="kriging_drift", block_km=20.0))


def test_sites_in_one_place_have_the_mean_and_no_score() -> None:
    level = (np.full(12, 105.0), np.full(12, 34.5))
    choice = chosen(sites_of(np.linspace(0.1, 0.3, 12), level), InterpolationSettings())
    assert choice.method == "mean"
    assert choice.words == "no block could be predicted from the others"
