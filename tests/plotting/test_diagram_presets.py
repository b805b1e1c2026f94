"""Diagrams for journals: no wider than the page, no title drawn, no text cut."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.validation import cross_validate
from geosoil.interpolation.variogram import Variogram, fit_variogram
from geosoil.plotting.emma import figure_emma_space, figure_hooper_residuals
from geosoil.plotting.fraction_checks import (
    figure_fraction_validation,
    figure_fraction_variants,
    figure_fraction_variograms,
)
from geosoil.plotting.picture import figure_words
from geosoil.plotting.posterior import figure_posterior_densities
from geosoil.plotting.posterior_matrix import figure_posterior_matrix
from geosoil.plotting.profiles import figure_depth_profiles
from geosoil.plotting.style import HESS
from geosoil.plotting.trajectories import figure_trajectories
from geosoil.plotting.validation import figure_cross_validation
from geosoil.plotting.variogram import figure_variogram
from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.emma import emma
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.lines import GMWL

RNG = np.random.default_rng(12)
PERIODS = ("June", "August", "September")
WORDS = {"title": "A diagram", "note": "SIMULATED data", "preset": HESS}


def cells(**columns: object) -> pd.DataFrame:
    """A row a source, period and place."""
    rows = [
        {"period": period, "source": source, "place": place}
        for period in PERIODS
        for source in ("precipitation", "ground_ice")
        for place in range(6)
    ]
    return pd.DataFrame(rows).assign(**columns)


def validation() -> Figure:
    table = cells(
        observed=RNG.normal(0.5, 2.0, 36), predicted=RNG.uniform(0.0, 1.0, 36)
    )
    words = "kriging of log-ratios with elevation\nRMSE 0.546, n 79"
    remarks = {(p, s): words for p in PERIODS for s in ("precipitation", "ground_ice")}
    return figure_fraction_validation(table, remarks=remarks, **WORDS)


def variants() -> Figure:
    bands = ["all", "3000-3500", "3500-4000", "4000-4500", "5100 and above", "outside"]
    table = cells(variant="as mapped", fraction=RNG.uniform(0.0, 1.0, 36))
    table["elevation_band"] = np.array(bands)[table["place"]]
    return figure_fraction_variants(table, **WORDS)


def variograms() -> Figure:
    x = np.arange(40.0) * 1000.0
    fitted = fit_variogram(np.column_stack([x, 0 * x]), np.sin(x / 5000.0))
    found = [(period, "ground_ice", "a, b", fitted, 0.0) for period in PERIODS]
    return figure_fraction_variograms(found, **WORDS)


def variogram() -> Figure:
    table = pd.DataFrame({"n": [9, 12], "distance": [400.0, 9e3], "gamma": [0.4, 0.9]})
    model = Variogram("spherical", 0.1, 0.8, 4000.0)
    return figure_variogram(table, model, units="‰²", **WORDS)


def cross_validation() -> Figure:
    sites = RNG.uniform(0.0, 1e5, (20, 2))
    found = cross_validate(InverseDistance(), sites, RNG.normal(-12.0, 2.0, 20))
    return figure_cross_validation(found, units="‰", **WORDS)


def draws() -> FractionDraws:
    table = pd.DataFrame({"period": PERIODS, "vegetation": "alpine meadow", "n": 9})
    values = RNG.dirichlet([8.0, 4.0, 2.0], size=(200, 3))
    sources = ("precipitation", "ground_ice", "snowmelt")
    return FractionDraws(table, sources, values, ("",) * 3, "bayes")


def space() -> tuple[pd.DataFrame, EndMembers]:
    soil = pd.DataFrame(
        {"Ca": [3.0, 4, 4, 5], "Mg": [4.0, 3, 5, 4], "Na": [3.0, 3, 2, 2]}
    )
    ends = pd.DataFrame(
        {"source": ["rain", "ice", "bog"], "Ca": [0.0, 9, 3], "Mg": [1.0, 2, 9]}
    ).assign(Na=[5.0, 2, 1])
    return soil, EndMembers.from_table(ends)


def emma_space() -> Figure:
    soil, ends = space()
    found = emma(soil, tracers=list(soil), n_components=2)
    return figure_emma_space(found, ends, **WORDS)


def hooper() -> Figure:
    soil, _ = space()
    found = emma(soil, tracers=list(soil))
    return figure_hooper_residuals(found.residuals(), **WORDS)


def profiles() -> Figure:
    rows = [
        {
            "period": period,
            "stratum": layer,
            "d18O": -12.0,
            "d2H": -90.0,
            "d_excess": 6.0,
            "d18O_se": 0.2,
            "d2H_se": 1.5,
            "d_excess_se": 0.4,
        }
        for period in PERIODS
        for layer in ("0-20", "20-40")
    ]
    return figure_depth_profiles(pd.DataFrame(rows), **WORDS)


def trajectories() -> Figure:
    rows = [
        {"period": period, "d18O": x, "d2H": 6.0 * x - 20.0}
        for period in PERIODS
        for x in RNG.normal(-10.0, 2.0, 9)
    ]
    slopes = {"June": 3.0, "August": 3.2}
    return figure_trajectories(pd.DataFrame(rows), lmwl=GMWL, slopes=slopes, **WORDS)


DIAGRAMS: dict[str, Callable[[], Figure]] = {
    "validation": validation,
    "variants": variants,
    "variograms": variograms,
    "variogram": variogram,
    "cross-validation": cross_validation,
    "densities": lambda: figure_posterior_densities(draws(), **WORDS),
    "matrix": lambda: figure_posterior_matrix(draws(), 0, **WORDS),
    "emma": emma_space,
    "hooper": hooper,
    "profiles": profiles,
    "trajectories": trajectories,
}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_diagrams_fit_the_page_of_a_journal(name, assert_readable):
    figure = DIAGRAMS[name]()
    assert figure.get_size_inches()[0] <= HESS.page + 1e-9
    assert figure.get_suptitle() == ""
    words = figure_words(figure)
    assert (words.title, words.note) == ("A diagram", "SIMULATED data")
    assert_readable(figure)


def test_a_variogram_takes_one_column_of_a_journal():
    assert variogram().get_size_inches()[0] == pytest.approx(HESS.column)


def test_a_period_without_a_slope_says_so_and_shows_its_waters():
    september = trajectories().axes[2]
    assert [text.get_text() for text in september.texts] == ["no slope of evaporation"]
    assert len(september.collections) == 1
