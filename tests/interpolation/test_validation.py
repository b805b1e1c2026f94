"""Cross-validation against gstat, against refitting, and its own rules."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.validation import common_folds, cross_validate
from geosoil.interpolation.validation_folds import Folds
from geosoil.interpolation.validation_predictors import SampleMean
from geosoil.interpolation.variogram import Variogram

MODEL = Variogram("spherical", 0.05, 0.59, 897.0)
NAMES = {
    "ME": "mean_error",
    "RMSE": "rmse",
    "MAE": "mae",
    "MSDR": "msdr",
    "medSDR": "median_z2",
    "cor_obs_pred": "r_observed_predicted",
    "cor_pred_resid": "r_predicted_residual",
    "NSE": "nse",
}


def check_against_gstat(found, table: pd.DataFrame, metrics: pd.DataFrame) -> None:
    columns = {"var1.pred": "predicted", "var1.var": "variance", "z.pred": "predicted"}
    columns |= {"residual": "residual", "zscore": "z", "observed": "observed"}
    for theirs, ours in columns.items():
        if theirs in table:
            np.testing.assert_allclose(
                found.table[ours], table[theirs], rtol=1e-11, atol=1e-9
            )
    scores = asdict(found.scores)
    for theirs, ours in NAMES.items():
        if np.isfinite(metrics[theirs]):
            np.testing.assert_allclose(scores[ours], metrics[theirs], rtol=1e-9)


@pytest.fixture(scope="module")
def metrics(gstat: Path) -> pd.DataFrame:
    return pd.read_csv(gstat / "cv_metrics.csv", index_col="case")


def test_leaving_one_out_equals_gstat(meuse, sites, gstat, metrics) -> None:
    found = cross_validate(Kriging(MODEL), sites, meuse["log_zinc"])
    assert found.closed_form
    check_against_gstat(found, pd.read_csv(gstat / "loo_ok.csv"), metrics.loc["loo_ok"])


def test_leaving_fifths_out_equals_gstat(meuse, sites, gstat, metrics) -> None:
    table = pd.read_csv(gstat / "fold5_ok.csv")
    folds = Folds("site", groups=table["fold"])
    found = cross_validate(Kriging(MODEL), sites, meuse["log_zinc"], folds=folds)
    assert found.closed_form
    assert found.n_folds == 5
    check_against_gstat(found, table, metrics.loc["fold5_ok"])


def test_leaving_one_out_with_drift_equals_gstat(meuse, sites, gstat, metrics) -> None:
    model = Variogram("spherical", 0.07, 0.15, 700.0)
    # The square root of the distance takes the place of an elevation.
    found = cross_validate(
        ElevationKriging(model),
        sites,
        meuse["log_zinc"],
        elevation=1000 * np.sqrt(meuse["dist"]),
    )
    assert found.closed_form
    check_against_gstat(
        found, pd.read_csv(gstat / "loo_ked.csv"), metrics.loc["loo_ked"]
    )


def test_leaving_one_out_of_inverse_distance_equals_gstat(
    meuse, sites, gstat, metrics
) -> None:
    found = cross_validate(InverseDistance(), sites, meuse["zinc"])
    assert not found.closed_form
    assert np.isnan(found.scores.crps)
    assert found.scores.reasons["msdr"] == "the method gives no variance above 0"
    check_against_gstat(
        found, pd.read_csv(gstat / "loo_idw.csv"), metrics.loc["loo_idw"]
    )


def refitted(interpolator, sites, values, labels, **more) -> pd.DataFrame:
    """Fit to the other folds of about nine, outside of the code under test."""
    table = pd.DataFrame(index=range(len(values)), columns=["predicted", "variance"])
    noise, height = more.get("noise"), more.get("height")
    folds = np.unique(labels)
    for fold in folds[:: max(1, len(folds) // 9)]:
        train, test = labels != fold, labels == fold
        if height is None:
            extra = None if noise is None else noise[train]
            interpolator.fit(sites[train], values[train], variance=extra)
            answer = interpolator.predict(sites[test])
        else:
            interpolator.fit(sites[train], values[train], height[train])
            answer = interpolator.predict(sites[test], height[test])
        variance = answer["kriging_variance"].to_numpy()
        table.loc[test, "predicted"] = answer["estimate"].to_numpy()
        table.loc[test, "variance"] = variance + (0 if noise is None else noise[test])
    return table.astype(float)


def check_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    done = expected["predicted"].notna()
    assert done.sum() >= 9
    for name in expected:
        np.testing.assert_allclose(
            found.loc[done, name], expected.loc[done, name], rtol=0, atol=1e-9
        )


RULES = {
    "loo": Folds("loo"),
    "kfold": Folds("kfold", n_folds=7, rng=np.random.default_rng(3)),
    "block": Folds("block"),
    "small blocks": Folds("block", block_size=333.0),
    "site": Folds("site", groups=np.arange(155) // 4),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("noisy", [False, True])
def test_the_closed_form_equals_refitting(meuse, sites, rule: str, noisy: bool) -> None:
    values = meuse["log_zinc"].to_numpy()
    noise = np.linspace(0.01, 0.4, len(values)) if noisy else None
    found = cross_validate(
        Kriging(MODEL), sites, values, folds=RULES[rule], measurement_variance=noise
    )
    assert found.closed_form
    labels = found.table["fold"].to_numpy()
    expected = refitted(Kriging(MODEL), sites, values, labels, noise=noise)
    check_equal(found.table, expected)
    assert (found.table["reason"] == "").all()


@pytest.mark.parametrize("rule", RULES)
def test_the_closed_form_with_elevation_equals_refitting(
    meuse, sites, rule: str
) -> None:
    values = meuse["log_zinc"].to_numpy()
    height = 3000 + 1000 * meuse["dist"].to_numpy()
    kriging = ElevationKriging(Variogram("exponential", 0.02, 0.3, 400.0))
    found = cross_validate(kriging, sites, values, folds=RULES[rule], elevation=height)
    assert found.closed_form
    labels = found.table["fold"].to_numpy()
    expected = refitted(kriging, sites, values, labels, height=height)
    check_equal(found.table, expected)


def test_local_kriging_is_fitted_anew(meuse, sites) -> None:
    values = meuse["log_zinc"].to_numpy()[:25]
    local = cross_validate(Kriging(MODEL, n_neighbors=6), sites[:25], values)
    assert not local.closed_form
    kriging = Kriging(MODEL, n_neighbors=6)
    expected = refitted(kriging, sites[:25], values, np.arange(25))
    check_equal(local.table, expected)


class Slow(Kriging):
    """Kriging whose class the closed form does not know."""


@settings(max_examples=15)
@given(
    st.lists(st.integers(0, 5), min_size=6, max_size=12).filter(
        lambda x: len(set(x)) > 1
    ),
    st.integers(0, 2**32 - 1),
)
def test_any_folds_of_any_places_equal_refitting(groups, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Some rows share a place, and then a group.
    sites = rng.uniform(0, 2000, (len(groups), 2))
    sites[-1], groups[-1] = sites[0], groups[0]
    if len(set(groups)) < 2:
        groups[1] = groups[0] + 1
    values = rng.normal(100, 1, len(groups))
    noise = rng.uniform(0, 1, len(groups))
    options = {
        "folds": Folds("site", groups=groups),
        "measurement_variance": noise,
    }
    fast = cross_validate(Kriging(MODEL), sites, values, **options)
    slow = cross_validate(Slow(MODEL), sites, values, **options)
    assert fast.closed_form
    assert not slow.closed_form
    for name in ("predicted", "variance", "z"):
        np.testing.assert_allclose(fast.table[name], slow.table[name], atol=1e-8)


TURNED = Variogram("spherical", 0.05, 0.59, 897.0, anisotropy=Anisotropy(30.0, 0.5))
NOISY = Variogram("spherical", 0.05, 0.59, 897.0, error=0.02)


@pytest.mark.parametrize("rule", ["loo", "site"])
@pytest.mark.parametrize(
    ("variogram", "options"),
    [
        (TURNED, {}),
        (NOISY, {}),
        (MODEL, {"mean": 5.9}),
        (TURNED, {"drift": "linear"}),
        (NOISY, {"drift": "quadratic"}),
    ],
    ids=["direction", "error", "simple", "linear", "quadratic"],
)
def test_the_closed_form_of_each_setting_equals_refitting(
    meuse, sites, rule: str, variogram: Variogram, options
) -> None:
    sites, values = sites[::4], meuse["log_zinc"].to_numpy()[::4]
    folds = Folds("site", groups=np.arange(len(values)) // (1 if rule == "loo" else 5))
    noise = np.linspace(0.01, 0.4, len(values))
    data = {"folds": folds, "measurement_variance": noise}
    fast = cross_validate(Kriging(variogram, **options), sites, values, **data)
    slow = cross_validate(Slow(variogram, **options), sites, values, **data)
    assert fast.closed_form
    assert not slow.closed_form
    for name in ("predicted", "variance"):
        np.testing.assert_allclose(fast.table[name], slow.table[name], atol=1e-9)


def raster_of(meuse, gaps: bool = False):
    """Square roots of distances on a grid of the places' own surroundings."""
    grid = Grid.from_bounds((178000, 329000, 182000, 334000), 250, "EPSG:28992")
    tree = cKDTree(meuse[["x", "y"]])
    x, y = np.meshgrid(grid.x, grid.y)
    near = tree.query(np.column_stack([x.ravel(), y.ravel()]))[1]
    values = np.sqrt(meuse["dist"].to_numpy()[near]).reshape(grid.shape)
    if gaps:
        values[:, :6] = np.nan
    return grid.raster(values, name="sqrtdist")


def test_the_closed_form_with_rasters_equals_refitting(meuse, sites) -> None:
    values = meuse["log_zinc"].to_numpy()
    places = gpd.GeoSeries.from_xy(*sites.T, crs="EPSG:28992")
    options = {"drift": ("linear", raster_of(meuse))}
    data = {"folds": Folds("site", groups=np.arange(len(values)) // 15)}
    fast = cross_validate(Kriging(MODEL, **options), places, values, **data)
    slow = cross_validate(Slow(MODEL, **options), places, values, **data)
    assert fast.closed_form
    assert not slow.closed_form
    assert fast.method == "kriging with external drift (linear, sqrtdist)"
    for name in ("predicted", "variance"):
        np.testing.assert_allclose(fast.table[name], slow.table[name], atol=1e-9)


def test_leaving_one_out_with_values_of_a_drift_equals_gstat(
    meuse, sites, gstat, metrics
) -> None:
    model = Variogram("spherical", 0.07, 0.15, 700.0)
    drift = pd.DataFrame({"sqrtdist": np.sqrt(meuse["dist"])})
    table = pd.read_csv(gstat / "loo_ked.csv")
    found = cross_validate(Kriging(model), sites, meuse["log_zinc"], drift=drift)
    assert found.closed_form
    assert found.method == "kriging with external drift (sqrtdist)"
    check_against_gstat(found, table, metrics.loc["loo_ked"])


def test_points_without_a_drift_are_not_used_and_say_so(meuse, sites) -> None:
    values = meuse["log_zinc"].to_numpy()
    places = gpd.GeoSeries.from_xy(*sites.T, crs="EPSG:28992")
    found = cross_validate(
        Kriging(MODEL, drift=raster_of(meuse, gaps=True)), places, values
    )
    lost = found.table["reason"] == "no drift"
    assert 0 < lost.sum() < 60
    assert found.scores.n == len(values) - lost.sum()
    given = np.where(lost, np.nan, 1.0 + np.arange(len(values)))
    other = cross_validate(Kriging(MODEL), places, values, drift=given)
    assert (other.table["reason"] == found.table["reason"]).all()


def test_a_callable_may_return_kriging_with_rasters(meuse, sites) -> None:
    raster = raster_of(meuse).rio.reproject("EPSG:4326")
    places = gpd.GeoSeries.from_xy(*sites[:9].T, crs="EPSG:28992")
    values = meuse["log_zinc"].to_numpy()[:9]
    made = cross_validate(lambda *_: Kriging(MODEL, drift=raster), places, values)
    plain = cross_validate(Kriging(MODEL, drift=raster), places, values)
    assert not made.closed_form
    np.testing.assert_allclose(
        made.table["predicted"], plain.table["predicted"], atol=1e-9
    )


def test_folds_without_which_no_drift_is_left_say_so() -> None:
    rng = np.random.default_rng(0)
    sites = rng.uniform(0, 1e4, (8, 2))
    drift = np.array([1.0] * 6 + [2.0] * 2)
    folds = Folds("site", groups=[*"abcdef", "top", "top"])
    found = cross_validate(
        Kriging(MODEL), sites, drift + rng.normal(size=8), folds=folds, drift=drift
    )
    assert found.table["reason"].iloc[-2:].str.contains("drift is constant").all()
    assert (found.table["reason"].iloc[:6] == "").all()
    few = Folds("site", groups=np.arange(5) // 2)
    found = cross_validate(
        Kriging(MODEL, drift="linear"), sites[:5], drift[:5], folds=few
    )
    assert found.closed_form
    assert found.table["reason"].str.contains("places for a constant and 2").all()


@pytest.mark.parametrize(
    "options",
    [{"block": 40.0}, {"min_neighbors": 3}, {"n_neighbors": 9, "drift": "linear"}],
)
def test_settings_beyond_the_closed_form_are_fitted_anew(meuse, sites, options) -> None:
    values = meuse["log_zinc"].to_numpy()[:18]
    found = cross_validate(Kriging(MODEL, **options), sites[:18], values)
    assert not found.closed_form
    check_equal(
        found.table,
        refitted(Kriging(MODEL, **options), sites[:18], values, np.arange(18)),
    )


def test_the_error_of_a_variogram_counts_as_variance_of_the_measurement(
    meuse, sites
) -> None:
    values = meuse["log_zinc"].to_numpy()
    by_model = cross_validate(Kriging(NOISY), sites, values)
    by_data = cross_validate(
        Kriging(MODEL), sites, values, measurement_variance=np.full(len(values), 0.02)
    )
    for name in ("predicted", "variance", "z"):
        np.testing.assert_allclose(by_model.table[name], by_data.table[name], atol=1e-9)


def test_kriging_without_variance_has_no_scores_of_spread(meuse, sites) -> None:
    kriging = Kriging(MODEL, outputs="estimate")
    found = cross_validate(kriging, sites, meuse["log_zinc"])
    assert found.closed_form
    assert found.table["variance"].isna().all()
    whole = cross_validate(Kriging(MODEL), sites, meuse["log_zinc"])
    np.testing.assert_array_equal(found.table["predicted"], whole.table["predicted"])


def test_geodesic_distances_are_kept_through_the_validation() -> None:
    rng = np.random.default_rng(5)
    degrees = gpd.GeoSeries.from_xy(
        rng.uniform(90, 95, 12), rng.uniform(32, 35, 12), crs=4326
    )
    values = rng.normal(size=12)
    model = Variogram("exponential", 0.1, 1.0, 90_000.0)
    kriging = Kriging(model, distance="wgs84")
    fast = cross_validate(kriging, degrees, values)
    slow = cross_validate(Slow(model, distance="wgs84"), degrees, values)
    alone = kriging.fit(degrees[1:], values[1:]).predict(degrees[:1])
    for found in (fast, slow):
        assert found.table["predicted"].iloc[0] == pytest.approx(
            alone["estimate"].item(), abs=1e-9
        )
    inverse = InverseDistance(distance="wgs84")
    found = cross_validate(inverse, degrees, values)
    alone = inverse.fit(degrees[1:], values[1:]).predict(degrees[:1])
    assert found.table["predicted"].iloc[0] == pytest.approx(
        alone["estimate"].item(), abs=1e-9
    )


def test_the_closed_form_knows_every_setting_of_kriging() -> None:
    neighborhood = {"n_neighbors", "max_distance", "min_neighbors"}
    drift = {"drift", "mean", "block"}
    settings = {
        Kriging: {"variogram", "distance", "outputs", "projection"}
        | neighborhood
        | drift,
        ElevationKriging: {"variogram", "projection"},
    }
    for kind, known in settings.items():
        # A new one must be told to validation_predictors first.
        assert set(inspect.signature(kind).parameters) == known


def test_rows_at_one_place_are_left_out_together(meuse, sites) -> None:
    values = meuse["log_zinc"].to_numpy()
    twice = np.vstack([sites, sites[:1]])
    found = cross_validate(Kriging(MODEL), twice, [*values, 9.0])
    assert found.table["fold"].iloc[0] == found.table["fold"].iloc[-1]
    alone = Kriging(MODEL).fit(sites[1:], values[1:]).predict(sites[:1])
    np.testing.assert_allclose(
        found.table["predicted"].iloc[[0, -1]], alone["estimate"].to_numpy()[[0, 0]]
    )
    assert found.table["residual"].iloc[-1] == pytest.approx(
        9.0 - alone["estimate"].item()
    )


def test_the_interpolator_of_the_caller_is_left_as_it_was(meuse, sites) -> None:
    mine = Kriging("spherical").fit(sites[:20], meuse["log_zinc"][:20])
    before = mine.points_
    found = cross_validate(mine, sites, meuse["log_zinc"])
    assert mine.points_ is before
    assert mine.variogram == "spherical"
    assert "fitted to all data" in found.note
    assert found.method == "ordinary kriging"


def test_a_callable_fits_its_variogram_in_each_fold(meuse, sites) -> None:
    values = meuse["log_zinc"].to_numpy()
    counts = []

    def make(places: np.ndarray, z: np.ndarray) -> Interpolator:
        counts.append(len(z))
        return Kriging("spherical")

    folds = Folds("kfold", n_folds=5, rng=np.random.default_rng(1))
    found = cross_validate(make, sites, values, folds=folds)
    assert sorted(set(counts)) == [124, 155]
    labels = found.table["fold"].to_numpy()
    expected = refitted(Kriging("spherical"), sites, values, labels)
    check_equal(found.table, expected)
    assert found.note == "the interpolator was made anew from the data of each fold"


def test_a_given_variogram_is_said_to_be_kept(meuse, sites) -> None:
    found = cross_validate(Kriging(MODEL), sites, meuse["log_zinc"])
    assert "was given and kept" in found.note
    inverse = InverseDistance()
    assert cross_validate(inverse, sites, meuse["log_zinc"], folds="block").note == ""


def test_rows_that_cannot_be_used_say_why_and_keep_their_index(meuse, sites) -> None:
    places = gpd.GeoSeries.from_xy(*sites.T, crs="EPSG:28992")
    places.index = [f"m{i}" for i in range(len(places))]
    places.iloc[3] = None
    values = meuse["log_zinc"].to_numpy().copy()
    values[5] = np.nan
    height = np.linspace(3000, 4000, len(values))
    height[7] = np.nan
    found = cross_validate(ElevationKriging(MODEL), places, values, elevation=height)
    assert found.table.index.equals(places.index)
    reasons = found.table["reason"]
    assert reasons[reasons != ""].to_dict() == {
        "m3": "no place",
        "m5": "no value",
        "m7": "no elevation",
    }
    assert found.table.loc[["m3", "m5", "m7"], "fold"].tolist() == [-1, -1, -1]
    assert found.scores.n == 152


def test_points_in_degrees_are_kriged_in_metres() -> None:
    rng = np.random.default_rng(5)
    degrees = gpd.GeoSeries.from_xy(
        rng.uniform(90, 95, 30), rng.uniform(32, 35, 30), crs=4326
    )
    values = rng.normal(size=30)
    model = Variogram("exponential", 0.1, 1.0, 90_000.0)
    found = cross_validate(Kriging(model), degrees, values)
    alone = Kriging(model).fit(degrees[1:], values[1:]).predict(degrees[:1])
    assert found.table["predicted"].iloc[0] == pytest.approx(alone["estimate"].item())


def test_far_places_have_no_prediction_and_a_reason(sites, meuse) -> None:
    near = InverseDistance(max_distance=100.0)
    found = cross_validate(near, sites[:40], meuse["zinc"][:40])
    lonely = found.table["reason"] == "no data near enough"
    assert 0 < lonely.sum() < 40
    assert found.table.loc[lonely, "predicted"].isna().all()
    assert found.scores.n == 40 - lonely.sum()


def test_folds_without_which_no_lapse_rate_is_left_say_so() -> None:
    rng = np.random.default_rng(0)
    sites, height = rng.uniform(0, 1e4, (8, 2)), np.array([3000.0] * 6 + [4000.0] * 2)
    folds = Folds("site", groups=[*"abcdef", "top", "top"])
    found = cross_validate(
        ElevationKriging(MODEL), sites, height / 100, folds=folds, elevation=height
    )
    assert found.closed_form
    last = found.table["reason"].iloc[-2:]
    assert last.str.contains("lie at 3000 m, no lapse rate").all()
    assert (found.table["reason"].iloc[:6] == "").all()


def test_equal_values_are_predicted_and_have_no_scores_of_spread() -> None:
    sites = np.random.default_rng(2).uniform(0, 1e4, (12, 2))
    found = cross_validate(Kriging("spherical"), sites, np.full(12, 3.0))
    np.testing.assert_allclose(found.table["predicted"], 3.0)
    assert (found.table["variance"] == 0).all()
    assert np.isnan(found.scores.msdr)
    assert np.isnan(found.scores.nse)
    assert found.table["z"].isna().all()


def test_the_mean_of_the_others_is_the_sample_mean_left_out() -> None:
    sites = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    found = cross_validate(SampleMean(), sites, [1.0, 2.0, 3.0, 6.0])
    assert found.table["predicted"].tolist() == [11 / 3, 10 / 3, 3.0, 2.0]
    assert found.table["variance"].iloc[3] == pytest.approx(1.0 * (1 + 1 / 3))


def test_the_mean_of_a_stratum_needs_two_others() -> None:
    sites = np.column_stack([np.arange(6.0), np.zeros(6)])
    strata = ["a", "a", "a", "b", "b", None]
    found = cross_validate(SampleMean(strata), sites, [1.0, 2.0, 3.0, 9.0, 8.0, 7.0])
    assert found.table["predicted"].iloc[:3].tolist() == [2.5, 2.0, 1.5]
    wanting = "no other fold has two values of this stratum"
    assert (found.table["reason"].iloc[3:] == wanting).all()
    assert found.method == "mean of the stratum"


def test_common_folds_are_the_folds_of_the_validation(meuse, sites) -> None:
    drawn, size = common_folds(sites, meuse["log_zinc"], "block")
    own = cross_validate(SampleMean(), sites, meuse["log_zinc"], folds="block")
    assert own.block_size == size
    assert own.folds == "block"
    np.testing.assert_array_equal(own.table["fold"], drawn.groups)


@pytest.mark.parametrize(
    ("interpolator", "options", "words"),
    [
        (Kriging(MODEL), {"folds": "leave"}, "kind 'leave' is none of"),
        (
            InverseDistance(),
            {"measurement_variance": np.ones(4)},
            "cannot use the variance",
        ),
        (
            ElevationKriging(MODEL),
            {"measurement_variance": np.ones(4), "elevation": np.ones(4)},
            "cannot use the variance",
        ),
        (ElevationKriging(MODEL), {}, "needs the elevation"),
        (Kriging(MODEL), {"elevation": [1.0]}, r"elevations of shape \(1,\)"),
        (Kriging(MODEL), {"measurement_variance": -np.ones(4)}, "below 0 or missing"),
        (lambda *_: 3, {}, "The callable made int, no Interpolator"),
        (SampleMean(["a"]), {}, r"strata of shape \(1,\)"),
        (InverseDistance(), {"drift": np.ones(4)}, "takes no drift"),
        (Kriging(MODEL), {"drift": np.ones(3)}, r"a drift of shape \(3,\)"),
    ],
)
def test_bad_input_is_refused(interpolator, options, words: str) -> None:
    sites = np.column_stack([np.arange(4.0) * 100, np.zeros(4)])
    with pytest.raises(InputError, match=words):
        cross_validate(interpolator, sites, [1.0, 2.0, 4.0, 3.0], **options)


def test_no_usable_point_is_refused() -> None:
    with pytest.raises(InputError, match="None of 2 points"):
        cross_validate(InverseDistance(), [[0.0, 0.0], [1.0, 0.0]], [np.nan, np.nan])


def test_places_too_close_for_the_model_are_named() -> None:
    sites = np.array([[0.0, 0.0], [1e-7, 0.0], [5.0, 9.0], [80.0, 9.0]])
    smooth = Variogram("gaussian", 0.0, 1.0, 1000.0)
    with pytest.raises(SingularKrigingError, match="singular"):
        cross_validate(Kriging(smooth), sites, [1.0, 2.0, 3.0, 4.0])
