"""Surfaces of a period: sites weighed for each cell, domain by domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geosoil.config import InterpolationSettings
from geosoil.grids.grid import BoolArray, FloatArray, Grid
from geosoil.interpolation.validation_folds import IntArray
from geosoil.workflow.mapping_coordinates import (
    coordinate_names,
    coordinates,
    fractions,
)
from geosoil.workflow.mapping_methods import (
    Models,
    Places,
    method_weights,
)
from geosoil.workflow.mapping_sites import Domain, PeriodSites, cell_places


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The cells that are asked for."""

    grid: Grid
    """Grid of the map."""
    inside: BoolArray
    """Which cells belong to the region, shape (y, x)."""
    ground: FloatArray
    """Elevation of the cells [m], shape (y, x); NaN where none is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Weights of one domain of a map."""

    domain: Domain
    """Sites and cells."""
    cells: IntArray
    """Numbers of its cells within the region, in the flat grid, shape (m,)."""
    places: Places
    """Their centres and elevations."""
    weights: Mapping[str, FloatArray]
    """Weights of the domain's sites, shape (m, n), by what is interpolated; one row,
    where all cells have the same."""
    models: Models
    """Models of what is interpolated."""
    method: str
    """The method."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is interpolated."""
        return coordinate_names(self.domain.sources, self.method)

    def own(self, sites: PeriodSites) -> list[int]:
        """Return the places of its sources among those of the period.

        Parameters
        ----------
        sites : PeriodSites
            Sites of the period.

        Returns
        -------
        places : list of int
            One a source.
        """
        return [sites.sources.index(source) for source in self.domain.sources]


def patches_of(
    sites: PeriodSites,
    domains: list[Domain],
    models: Mapping[str, Models],
    how: tuple[str, InterpolationSettings],
    target: Target,
) -> list[Patch]:
    """Weigh the sites of each domain for each of its cells in the region.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    domains : list of Domain
        Its domains.
    models : mapping of str to models
        By label of the domain; a domain without models has no patch.
    how : tuple of str and InterpolationSettings
        Method, one that is linear in the sites, and its settings.
    target : Target
        Cells of the region.

    Returns
    -------
    patches : list of Patch
        Domains in which several sources are possible and sites enough.
    """
    patches = []
    for domain in domains:
        cells = np.flatnonzero((domain.cells & target.inside).ravel()).astype(np.int64)
        if domain.label not in models or not len(cells):
            continue
        xy = cell_places(target.grid, domain.cells & target.inside)
        places = Places(xy, target.ground.ravel()[cells])
        same = _is_constant(how[0], models[domain.label])
        part = Places(xy[:1], places.ground[:1]) if same else places
        weights = method_weights(sites, domain.sites, models[domain.label], part, how)
        own = models[domain.label]
        patches.append(Patch(domain, cells, places, weights, own, how[0]))
    return patches


def _is_constant(method: str, models: Models) -> bool:
    """Say whether all cells of a domain have the same weights."""
    flat = all(model.variogram.sill == 0 for model in models.values())
    return method == "mean" or (flat and method in ("kriging", "ilr"))


def certain_values(
    sources: tuple[str, ...], domains: list[Domain], target: Target
) -> dict[str, FloatArray]:
    """Return the fractions that no site has to tell.

    Parameters
    ----------
    sources : tuple of str
        Sources of the period.
    domains : list of Domain
        Its domains.
    target : Target
        Cells of the region.

    Returns
    -------
    values : dict of str to array, shape (y, x)
        0 where a source cannot be, 1 where it is the only one, NaN elsewhere and
        outside of the region.
    """
    values = {source: np.full(target.grid.shape, np.nan) for source in sources}
    for domain in domains:
        here = domain.cells & target.inside
        for source in sources:
            if source not in domain.sources:
                values[source][here] = 0.0
            elif len(domain.sources) == 1:
                values[source][here] = 1.0
    return values


def estimate(
    sites: PeriodSites, domains: list[Domain], patches: list[Patch], target: Target
) -> dict[str, FloatArray]:
    """Return the estimated fractions: weighted raw fractions moved onto the simplex.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    domains : list of Domain
        Its domains.
    patches : list of Patch
        Weights of the domains.
    target : Target
        Cells of the region.

    Returns
    -------
    values : dict of str to array, shape (y, x)
        Fractions by source; they sum to 1, and are exactly 0 under a zero rule. NaN
        outside of the region and in a domain without sites enough.
    """
    values = certain_values(sites.sources, domains, target)
    answered = {patch.domain.label for patch in patches}
    for domain in domains:
        if len(domain.sources) > 1 and domain.label not in answered:
            for layer in values.values():
                layer[domain.cells] = np.nan
    for patch in patches:
        raw = sites.raw[patch.domain.sites][:, patch.own(sites)]
        data = coordinates(raw, patch.method)
        columns = [
            patch.weights[name] @ data[:, order]
            for order, name in enumerate(patch.names)
        ]
        closed = fractions(np.column_stack(columns), patch.method)
        for order, source in enumerate(patch.domain.sources):
            values[source].ravel()[patch.cells] = closed[:, order]
    return values
