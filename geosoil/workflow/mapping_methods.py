"""The methods of fraction maps: what each one fits, and the weights that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from geosoil.config import InterpolationSettings
from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.interpolation.linear_weights import (
    field_variance,
    inverse_distance_weights,
    kriging_weights,
)
from geosoil.interpolation.validation_folds import place_numbers
from geosoil.interpolation.variogram import AnyVariogram, Variogram, fit_variogram
from geosoil.workflow.mapping_coordinates import (
    coordinate_names,
    coordinate_variances,
    coordinates,
)
from geosoil.workflow.mapping_sites import Domain, PeriodSites

FEWEST = 3
"""Fewest sites of a domain that are interpolated."""
FEWEST_WITH_DRIFT = 5
"""Fewest sites of a domain in which an effect of elevation can be told."""
LEAST_SPREAD = 50.0
"""Range of the sites' elevations below which there is no effect of elevation [m]."""

METHODS = ("mean", "idw", "kriging", "kriging_drift", "ilr")
"""Methods, the simplest first; each weighs what it interpolates of the sites."""

WORDS = {
    "mean": "the mean of the sites with the same possible sources",
    "idw": "inverse-distance weighting",
    "kriging": "ordinary kriging that filters the error of the mixing",
    "kriging_drift": "kriging with elevation as external drift that filters the error "
    "of the mixing",
    "ilr": "ordinary kriging of log-ratios that filters the error of the mixing, "
    "turned back to the centre",
}
"""Words for the methods of the settings."""


@dataclass(frozen=True, slots=True)
class SourceModel:
    """How a source varies between the sites of a domain."""

    variogram: AnyVariogram
    """Variogram of what is not error."""
    noise: float
    """Variance of the error of a site, filtered by the estimate."""


Models = Mapping[str, SourceModel]
"""Model of each thing that is interpolated in a domain, most often its sources."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where a map is asked for."""

    xy: FloatArray
    """Places in metres, shape (m, 2)."""
    ground: FloatArray
    """Elevation of the places [m], shape (m,)."""


def fit_models(
    sites: PeriodSites, domain: Domain, method: str, settings: InterpolationSettings
) -> Models:
    """Fit what a method needs to know of each source of a domain.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    domain : Domain
        The domain.
    method : str
        One of :data:`METHODS`.
    settings : InterpolationSettings
        Variogram model.

    Returns
    -------
    models : dict of str to SourceModel
        By what the method interpolates. Inverse distances take the variogram of
        ordinary kriging, for their variance alone.

    Raises
    ------
    InputError
        If the sites are too few, or of one elevation under a drift.

    Notes
    -----
    The raw fractions scatter by what differs between sites and by the error of the
    mixing. The nugget holds both; the part that the mean variance of the mixing
    explains is taken for error, the same at each site: weights by the sites' own
    variances would favour small fractions.
    """
    check_sites(sites, domain, method)
    models = {}
    points = sites.points[domain.sites]
    drift = sites.ground[domain.sites] if method == "kriging_drift" else None
    own = [sites.sources.index(source) for source in domain.sources]
    raw = sites.raw[domain.sites][:, own]
    known = sites.error_variance[domain.sites][:, own]
    columns = coordinates(raw, method)
    errors = coordinate_variances(raw, known, method).mean(axis=0)
    for order, name in enumerate(coordinate_names(domain.sources, method)):
        values = columns[:, order]
        if method == "mean":
            level = float(np.var(values, ddof=1))
            fitted: AnyVariogram = Variogram("nugget", level, 0.0, 1.0)
        else:
            fitted = fit_variogram(
                points, values, model=settings.variogram, drift=drift
            )
        error = min(float(errors[order]), fitted.nugget)
        quiet = replace(fitted, nugget=fitted.nugget - error)  # type: ignore[arg-type]  # it has one structure
        models[name] = SourceModel(quiet, error)
    return models


def check_sites(sites: PeriodSites, domain: Domain, method: str) -> None:
    """Raise where a domain has too few sites for a method.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    domain : Domain
        The domain.
    method : str
        The method.

    Raises
    ------
    InputError
        If there are too few sites, or they lie at one elevation under a drift.
    """
    count = int(domain.sites.sum())
    fault = ""
    if count < FEWEST:
        fault = f"{count} sites with these sources, {FEWEST} are needed"
    elif method == "kriging_drift":
        height = sites.ground[domain.sites]
        known = np.isfinite(height)
        if not known.all():
            fault = f"{int((~known).sum())} sites lie on no cell with an elevation"
        elif count < FEWEST_WITH_DRIFT:
            fault = f"{count} sites, {FEWEST_WITH_DRIFT} are needed with a drift"
        elif np.ptp(height) < LEAST_SPREAD:
            fault = f"all sites lie within {np.ptp(height):.0f} m of elevation"
    if fault:
        message = f"No map of {domain.label} by {method}: {fault}."
        raise InputError(message)


def method_weights(
    sites: PeriodSites,
    chosen: BoolArray,
    models: Models,
    places: Places,
    how: tuple[str, InterpolationSettings],
) -> dict[str, FloatArray]:
    """Return the weight of each site in the estimate at each place.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    chosen : array of bool, shape (n,)
        Sites that the estimate is made of.
    models : dict of str to SourceModel
        Models of the sources.
    places : Places
        Where the estimate is asked for.
    how : tuple of str and InterpolationSettings
        Method, and its settings.

    Returns
    -------
    weights : dict of str to array, shape (m, sites)
        By source.
    """
    method, settings = how
    xy = sites.xy[chosen]
    if method == "mean":
        level = np.full((len(places.xy), len(xy)), 1.0 / len(xy))
        return dict.fromkeys(models, level)
    if method == "idw":
        weights = inverse_distance_weights(
            xy, places.xy, power=settings.power, n_neighbors=settings.n_neighbors
        )
        return dict.fromkeys(models, weights)
    # Sites at one place are one datum, the mean of theirs.
    numbers = place_numbers(xy)
    first = np.unique(numbers, return_index=True)[1]
    count = np.bincount(numbers)
    drift = None
    if method == "kriging_drift":
        drift = (sites.ground[chosen][first], places.ground)
    found = {
        name: kriging_weights(
            model.variogram,
            xy[first],
            places.xy,
            noise=model.noise / count,
            drift=drift,
        )
        for name, model in models.items()
    }
    return {name: own[:, numbers] / count[numbers] for name, own in found.items()}


def variances(
    model: SourceModel, weights: FloatArray, xy: FloatArray, places: Places
) -> tuple[FloatArray, FloatArray]:
    """Return what is open at each place: of the field, and by the sites' own error.

    Parameters
    ----------
    model : SourceModel
        Model of the source.
    weights : array, shape (m, n)
        Weights of the sites.
    xy : array, shape (n, 2)
        Places of the sites [m].
    places : Places
        Where the estimate stands.

    Returns
    -------
    field, error : array, shape (m,)
        Their sum is the kriging variance.
    """
    field = field_variance(model.variogram, weights, xy, places.xy)
    return field, model.noise * np.sum(weights**2, axis=1)
