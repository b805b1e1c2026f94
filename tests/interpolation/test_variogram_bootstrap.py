"""How far fitted parameters stray, against a loop that draws and fits."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.variogram import (
    NestedVariogram,
    Variogram,
    fit_variogram,
)
from geosoil.interpolation.variogram_bootstrap import bootstrap_variogram
from geosoil.interpolation.variogram_models import VariogramError

TRUTH = Variogram("exponential", 0.1, 0.9, 150.0)


@pytest.fixture(scope="module")
def xy() -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 1000, (70, 2))


def test_the_table_equals_a_loop_of_draws_and_fits(xy: np.ndarray) -> None:
    table = bootstrap_variogram(
        xy, np.zeros(70), TRUTH, n_draws=30, rng=np.random.default_rng(3)
    )
    rng = np.random.default_rng(3)
    covariance = TRUTH.covariance_between(xy, xy) + 1e-10 * np.eye(70)
    lower = np.linalg.cholesky(covariance)
    fits = [
        fit_variogram(xy, lower @ rng.standard_normal(70), model="exponential")
        for _ in range(30)
    ]
    sills = [fit.sill for fit in fits]
    ranges = [fit.range_ for fit in fits if fit.model != "nugget"]
    assert table.loc["sill", "sd"] == pytest.approx(np.std(sills, ddof=1), rel=1e-6)
    assert table.loc["sill", "q95"] == pytest.approx(np.quantile(sills, 0.95), rel=1e-6)
    assert table.loc["range_", "n"] == len(ranges)
    assert table.loc["range_", "q50"] == pytest.approx(np.median(ranges), rel=1e-4)
    assert table.attrs == {"n_draws": 30, "n_flat": 30 - len(ranges)}
    assert table.loc["range_", "estimate"] == 150.0


def test_the_settings_of_the_fit_are_used_again(xy: np.ndarray) -> None:
    values = np.sin(xy[:, 0] / 100)
    bounds = {"nugget": (0.05, 0.05), "range_": (50.0, 400.0)}
    fitted = fit_variogram(xy, values, weights="n", bounds=bounds)
    table = bootstrap_variogram(
        xy, values, fitted, n_draws=20, rng=np.random.default_rng(1)
    )
    assert table.loc["nugget", "sd"] == pytest.approx(0.0, abs=1e-12)
    assert 50 <= table.loc["range_", "q05"] <= table.loc["range_", "q95"] <= 400


def test_more_places_leave_less_doubt() -> None:
    spread = []
    for count in (40, 300):
        xy = np.random.default_rng(2).uniform(0, 1000, (count, 2))
        table = bootstrap_variogram(
            xy, np.zeros(count), TRUTH, n_draws=25, rng=np.random.default_rng(4)
        )
        spread.append(table.loc["range_", "q95"] - table.loc["range_", "q05"])
    assert spread[1] < spread[0]


def test_without_structure_there_is_no_range(xy: np.ndarray) -> None:
    table = bootstrap_variogram(
        xy,
        np.zeros(70),
        Variogram("nugget", 1.0, 0.0, 1.0),
        n_draws=20,
        rng=np.random.default_rng(5),
    )
    assert table.attrs["n_flat"] == 20
    assert table.loc["range_", "n"] == 0
    assert np.isnan(table.loc["range_", ["sd", "q05", "q50", "q95"]]).all()
    assert table.loc["nugget", "q05"] < 1.0 < table.loc["nugget", "q95"]


@pytest.mark.slow
def test_two_structures_and_a_drift_are_drawn_as_they_were_fitted(
    xy: np.ndarray,
) -> None:
    nested = NestedVariogram((TRUTH, Variogram("exponential", 0.0, 1.0, 500.0)))
    table = bootstrap_variogram(
        xy, np.zeros(70), nested, n_draws=20, rng=np.random.default_rng(6), drift=xy
    )
    assert list(table.index)[1:5] == [
        "partial_sill_1",
        "range_1",
        "partial_sill_2",
        "range_2",
    ]
    # The plane takes the far structure's variance away.
    assert table.loc["sill", "q50"] < nested.sill


def test_what_cannot_be_drawn_is_refused(xy: np.ndarray) -> None:
    rng, values = np.random.default_rng(1), np.zeros(70)
    with pytest.raises(VariogramError, match="19 draws give no quantiles"):
        bootstrap_variogram(xy, values, TRUTH, n_draws=19, rng=rng)
    power = Variogram("power", 0.0, 1.0, 1.0)
    with pytest.raises(VariogramError, match="power variogram has no sill"):
        bootstrap_variogram(xy, values, power, rng=rng)
    periodic = Variogram("periodic", 0.0, 1.0, 300.0, anisotropy=Anisotropy(0.0, 0.9))
    with pytest.raises(VariogramError, match="not positive definite"):
        bootstrap_variogram(xy, values, periodic, rng=rng)
    mixed = NestedVariogram((TRUTH, Variogram("spherical", 0.0, 1.0, 500.0)))
    with pytest.raises(VariogramError, match="cannot be fitted again"):
        bootstrap_variogram(xy, values, mixed, rng=rng)
