"""Which interpolator wins, and where there is no difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from geosoil.errors import InputError
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import cross_validate
from geosoil.interpolation.validation_comparison import (
    compare_interpolators,
    paired_difference,
    rank_validations,
    validate_candidates,
)
from geosoil.interpolation.validation_folds import Folds
from geosoil.interpolation.validation_predictors import SampleMean
from geosoil.interpolation.variogram import Variogram

MODEL = Variogram("spherical", 0.05, 0.59, 897.0)


def test_the_right_drift_wins_on_the_meuse(meuse, sites) -> None:
    candidates = {
        "idw": InverseDistance(),
        "ordinary": Kriging(MODEL),
        "with distance": ElevationKriging(Variogram("spherical", 0.08, 0.15, 870.0)),
    }
    height = 1000 * np.sqrt(meuse["dist"])
    table = compare_interpolators(
        candidates, sites, meuse["log_zinc"], folds="block", elevation=height
    )
    assert table.index.tolist() == ["with distance", "ordinary", "idw", "mean"]
    assert table["rmse"].is_monotonic_increasing
    assert table["verdict"].iloc[-1] == "worse"
    assert table["beats_mean"].tolist() == ["yes", "yes", "yes", ""]
    assert (table["n"] == 155).all()
    assert table["difference"].iloc[0] == 0.0
    best, other = (
        cross_validate(
            candidates[name], sites, meuse["log_zinc"], folds="block", elevation=height
        )
        for name in ("with distance", "ordinary")
    )
    assert table.loc["ordinary", "rmse"] == pytest.approx(other.scores.rmse)
    gap = other.scores.rmse**2 - best.scores.rmse**2
    assert table.loc["ordinary", "difference"] == pytest.approx(gap)


def test_noise_has_no_winner() -> None:
    rng = np.random.default_rng(11)
    sites, values = rng.uniform(0, 1000, (60, 2)), rng.normal(size=60)
    candidates = {"mean": SampleMean(), "wide": InverseDistance(0.01)}
    table = compare_interpolators(candidates, sites, values)
    assert (table["verdict"] == "no difference").all()
    assert table.loc["wide", "beats_mean"] == "no difference"


def test_a_map_worse_than_the_mean_is_said_to_be() -> None:
    rng = np.random.default_rng(12)
    sites, values = rng.uniform(0, 1000, (90, 2)), rng.normal(size=90)
    table = compare_interpolators({"nearest": InverseDistance(20.0)}, sites, values)
    assert table.index.tolist() == ["mean", "nearest"]
    assert table["verdict"].tolist() == ["wins", "worse"]
    assert table.loc["nearest", "beats_mean"] == "no"


def test_the_mean_of_the_strata_wins_where_only_they_differ() -> None:
    rng = np.random.default_rng(13)
    strata = rng.choice(["low", "high"], 90)
    values = rng.normal(size=90) + 5 * (strata == "high")
    sites = rng.uniform(0, 1000, (90, 2))
    table = compare_interpolators(
        {"mean": SampleMean(strata), "idw": InverseDistance()}, sites, values
    )
    assert table.index[0] == "mean"
    assert table.loc["mean", "method"] == "mean of the stratum"
    assert table.loc["idw", "beats_mean"] == "no"


def test_the_error_of_single_rows_is_that_of_a_paired_test() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 40))
    mean, error = paired_difference(first, second, np.arange(40))
    test = stats.ttest_rel(first, second)
    assert mean / error == pytest.approx(test.statistic, rel=1e-12)


def test_rows_that_are_copies_of_each_other_add_no_certainty() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=(2, 40))
    folds = np.arange(40)
    alone = paired_difference(first, second, folds)
    copied = paired_difference(*(np.tile(x, 5) for x in (first, second, folds)))
    assert copied == pytest.approx(alone, rel=1e-12)
    assert np.isnan(paired_difference(first, second, np.zeros(40, dtype=int))[1])


def test_crps_ranks_those_with_a_variance_alone(meuse, sites) -> None:
    found = validate_candidates(
        {"idw": InverseDistance(), "ordinary": Kriging(MODEL)},
        sites,
        meuse["log_zinc"],
        folds="block",
    )
    table = rank_validations(found, score="crps")
    assert table.index.tolist() == ["ordinary", "mean", "idw"]
    assert table["verdict"].tolist() == ["wins", "worse", "no score"]
    assert np.isnan(table.loc["idw", "rmse"])
    assert table["n"].tolist() == [155, 155, 0]


def test_all_are_judged_on_the_rows_that_all_predicted(meuse, sites) -> None:
    table = compare_interpolators(
        {"near": InverseDistance(max_distance=100.0), "all": InverseDistance()},
        sites[:40],
        meuse["log_zinc"][:40],
    )
    assert table.loc["all", "n_predicted"] == 40
    assert table["n"].nunique() == 1
    assert table["n"].iloc[0] == table.loc["near", "n_predicted"] < 40


def test_the_measurement_variance_goes_to_kriging_alone(meuse, sites) -> None:
    found = validate_candidates(
        {"idw": InverseDistance(), "ordinary": Kriging(MODEL)},
        sites,
        meuse["log_zinc"],
        folds="block",
        measurement_variance=np.full(155, 0.1),
    )
    plain = cross_validate(Kriging(MODEL), sites, meuse["log_zinc"], folds="block")
    assert (found["ordinary"].table["variance"] > plain.table["variance"] + 0.1).any()
    assert found["idw"].table["variance"].isna().all()


def test_drawn_folds_are_the_same_for_all(meuse, sites) -> None:
    folds = Folds("kfold", n_folds=6, rng=np.random.default_rng(4))
    found = validate_candidates(
        {"idw": InverseDistance(), "ordinary": Kriging(MODEL)},
        sites,
        meuse["log_zinc"],
        folds=folds,
    )
    first, *others = (validation.table["fold"] for validation in found.values())
    assert first.nunique() == 6
    assert all(first.equals(other) for other in others)
    assert {validation.folds for validation in found.values()} == {"kfold"}


def test_nothing_predicted_leaves_no_rank_and_no_winner(meuse, sites) -> None:
    lonely = InverseDistance(max_distance=0.1)
    few = sites[:20], meuse["log_zinc"][:20]
    one = cross_validate(lonely, *few)
    table = rank_validations({"one": one, "two": one})
    assert table.index.tolist() == ["one", "two"]
    assert table["verdict"].tolist() == ["no score", "no score"]
    assert table["n"].tolist() == [0, 0]


def test_candidates_without_a_common_row_have_no_difference() -> None:
    xy = np.column_stack([np.arange(6.0), np.zeros(6)])
    values = [1.0, 2.0, 4.0, 3.0, 5.0, 9.0]
    first = cross_validate(SampleMean([*"aaabcd"]), xy, values)
    second = cross_validate(SampleMean([*"bcdaaa"]), xy, values)
    table = rank_validations({"first": first, "second": second})
    assert table["n_predicted"].tolist() == [3, 3]
    assert table["n"].tolist() == [0, 0]
    assert table["difference"].isna().all()
    assert table["verdict"].tolist() == ["no difference", "no difference"]


def test_bad_comparisons_are_refused(meuse, sites) -> None:
    z = meuse["log_zinc"]
    with pytest.raises(InputError, match="No candidates to compare"):
        compare_interpolators({}, sites, z)
    with pytest.raises(InputError, match="No cross-validations to rank"):
        rank_validations({})
    one = cross_validate(SampleMean(), sites, z)
    with pytest.raises(InputError, match="Unknown score 'best'"):
        rank_validations({"mean": one}, score="best")
    other = cross_validate(SampleMean(), sites, z, folds="block")
    with pytest.raises(InputError, match="folds of 'other' and 'mean' differ"):
        rank_validations({"mean": one, "other": other})
