"""A period's map beside the same map without zero rules and without a drift."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping_choice import Choice
from geosoil.workflow.mapping_means import band_means
from geosoil.workflow.mapping_methods import Models, fit_models
from geosoil.workflow.mapping_sites import PeriodSites, domains_of, without_rules
from geosoil.workflow.mapping_surfaces import Target, estimate, patches_of

AS_MAPPED = "as mapped"
NO_RULES = "without zero rules"
NO_DRIFT = "without drift of elevation"
WITH_DRIFT = "with drift of elevation"


def compare_variants(
    inputs: StudyInputs,
    sites: PeriodSites,
    choice: Choice,
    values: dict[str, FloatArray],
    target: Target,
) -> pd.DataFrame:
    """Average by elevation band the map of a period and what it would be otherwise.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    choice : Choice
        Method of the map, and the models of all methods.
    values : dict of str to array, shape (y, x)
        Fractions of the map.
    target : Target
        Cells of the region.

    Returns
    -------
    means : DataFrame
        period, variant, method, elevation_band, source, fraction, area_km2, reason.

    Notes
    -----
    Zero rules and a drift both use elevation, so each could be what the map shows.
    Without rules the sites are mixed anew with all sources, and all of them speak in
    every cell.
    """
    maps: dict[str, tuple[str, dict[str, FloatArray]]] = {
        AS_MAPPED: (choice.method, values)
    }
    reasons: dict[str, str] = {}
    if sites.rules:
        try:
            free = _without_rules(inputs, sites, choice.method, target)
            maps[NO_RULES] = (choice.method, free)
        except InputError as error:
            maps[NO_RULES], reasons[NO_RULES] = (choice.method, {}), str(error)
    for variant, other in ((NO_DRIFT, "kriging"), (WITH_DRIFT, "kriging_drift")):
        if other in choice.candidates and other != choice.method:
            models = choice.candidates[other]
            surfaces = linear_surfaces(inputs, sites, (other, models), target)
            maps[variant] = (other, surfaces)
    parts = []
    nothing = np.full(target.grid.shape, np.nan)
    for variant, (method, surfaces) in maps.items():
        words = {"period": sites.period, "variant": variant, "method": method}
        layers = surfaces or dict.fromkeys(sites.sources, nothing)
        table = band_means(inputs, layers, words)
        parts.append(table.assign(reason=reasons.get(variant, "")))
    return pd.concat(parts, ignore_index=True)


def _without_rules(
    inputs: StudyInputs, sites: PeriodSites, method: str, target: Target
) -> dict[str, FloatArray]:
    """Map a period without its zero rules."""
    free = without_rules(inputs, sites)
    settings = inputs.config.interpolation
    kind = "kriging" if method == "idw" else method
    models = {
        domain.label: fit_models(free, domain, kind, settings)
        for domain in domains_of(free, inputs.grid, inputs.elevation)
    }
    return linear_surfaces(inputs, free, (method, models), target)


def linear_surfaces(
    inputs: StudyInputs,
    sites: PeriodSites,
    how: tuple[str, dict[str, Models]],
    target: Target,
) -> dict[str, FloatArray]:
    """Map a period by one method, without its uncertainty.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    how : tuple of str and dict
        The method, and its models by label of the domain.
    target : Target
        Cells of the region.

    Returns
    -------
    surfaces : dict of str to array, shape (y, x)
        Fractions by source.
    """
    method, models = how
    domains = domains_of(sites, inputs.grid, inputs.elevation)
    settings = inputs.config.interpolation
    patches = patches_of(sites, domains, models, (method, settings), target)
    return estimate(sites, domains, patches, target)
