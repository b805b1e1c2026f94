"""Fractions of sources mapped by log-ratios, set of possible sources by set."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.composition_moments import Field, IntArray
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.composition_places import Places
from geosoil.interpolation.composition_sites import (
    Maker,
    PresentSites,
    SiteFractions,
    n_places,
    present_sites,
    some_points,
)
from geosoil.interpolation.zero_rules import ZeroRule, source_sets

FEWEST = 3
"""Fewest places of a domain that are interpolated."""


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """A set of possible sources with its fitted balances."""

    names: tuple[str, ...]
    """Its sources, in the order of the balances."""
    n_sites: int
    """Sites that speak in it."""
    reason: str
    """Why it has no map; "" where it has one."""
    interpolators: dict[str, Interpolator] = field(default_factory=dict)
    """Fitted interpolator of each balance, by the source that leads it."""

    @property
    def label(self) -> str:
        """Its sources in words."""
        return ", ".join(self.names)


class LogRatioMaps:
    """Balances of sites, interpolated domain by domain as they are asked for.

    Parameters
    ----------
    sites : PresentSites
        Sites with their zeros dealt with.
    make : callable
        Makes the interpolator of each balance from the sites of a domain.
    options : LogRatioOptions
        Settings.
    """

    def __init__(
        self, sites: PresentSites, make: Maker, options: LogRatioOptions
    ) -> None:
        self.sites = sites
        self.options = options
        self.domains: dict[tuple[bool, ...], Domain] = {}
        self._make = make
        for pattern, _ in source_sets(sites.present):
            self.domain(pattern)
        self.indicators = self._indicators()

    def domain(self, pattern: BoolArray) -> Domain:
        """Return the fitted domain of a set of sources.

        Parameters
        ----------
        pattern : array of bool, shape (D,)
            Which sources are possible.

        Returns
        -------
        domain : Domain
            Its interpolators, or why it has none.

        Raises
        ------
        InputError
            If its mean fractions are wanted and its interpolators have no variance.
        """
        key = tuple(bool(there) for there in pattern)
        if key not in self.domains:
            self.domains[key] = self._fitted(np.asarray(pattern))
        return self.domains[key]

    def _fitted(self, pattern: BoolArray) -> Domain:
        """Fit the balances of a set of sources."""
        sites, own = self.sites, self.options.sites == "own"
        agrees = sites.present == pattern if own else sites.present[:, pattern]
        chosen = np.asarray(agrees.all(axis=1))
        names = tuple(
            s for s, there in zip(sites.sources, pattern, strict=True) if there
        )
        count = int(chosen.sum())
        if len(names) == 1:
            return Domain(names, count, "")
        places = n_places(some_points(sites.points, chosen)) if count else 0
        if places < FEWEST:
            reason = f"{places} sites with these sources, {FEWEST} are needed"
            return Domain(names, count, reason)
        part = sites.balances(chosen, pattern)
        made, noise = self._make(part)
        fitted = {}
        for name in names[:-1]:
            if name not in made:
                message = f"No interpolator for the balance of '{name}' in {names}."
                raise InputError(message)
            error = None if noise is None else noise[name].to_numpy()
            fitted[name] = copy.copy(made[name]).fit(
                part.points, part.raw[name].to_numpy(), variance=error
            )
        self._check_spread(fitted, some_points(part.points, np.arange(count) == 0))
        return Domain(names, count, "", fitted)

    def _check_spread(self, fitted: Mapping[str, Interpolator], place: Points) -> None:
        """Raise if mean fractions are wanted of an interpolator without a variance."""
        if self.options.back_transform == "centre":
            return
        for name, interpolator in fitted.items():
            try:
                answer = interpolator.predict(place)
            except InputError:
                # Some tell cells of a grid alone: they are checked when they do.
                continue
            if "kriging_variance" not in answer:
                raise InputError(_without_variance(name, interpolator))

    def _indicators(self) -> dict[str, Interpolator]:
        """Fit the presence of each source that some sites have and others lack."""
        if self.options.presence == "rule":
            return {}
        interpolator = self.options.presence_interpolator
        if interpolator is None:
            message = "Give presence_interpolator for presence='indicator'."
            raise InputError(message)
        fitted = {}
        for column, source in enumerate(self.sites.sources):
            there = self.sites.present[:, column]
            asked = ~self.sites.excluded[:, column]
            if asked.any() and not there[asked].all():
                own = copy.copy(interpolator)
                fitted[source] = own.fit(
                    some_points(self.sites.points, asked), there[asked].astype(float)
                )
        return fitted

    def presence(self, places: Places) -> dict[str, FloatArray]:
        """Return the probability of presence of each source with an indicator.

        Parameters
        ----------
        places : Cells or PointPlaces
            Where.

        Returns
        -------
        probability : dict of str to array, shape of the places
            The interpolated indicator, cut to 0..1.
        """
        return {
            source: np.clip(places.ask(own)["estimate"].to_numpy(), 0.0, 1.0)
            for source, own in self.indicators.items()
        }

    def present_weights(
        self, weights: FloatArray, presence: Mapping[str, FloatArray]
    ) -> FloatArray:
        """Take out the sources that the indicators find absent.

        Parameters
        ----------
        weights : array, shape (*shape of the places, D)
            Weights by the rules.
        presence : dict of str to array, shape of the places
            Probabilities of presence.

        Returns
        -------
        weights : array, shape (*shape of the places, D)
            0 where a source is less probable than the threshold; where that would
            leave none, the most probable stays. All 0 where a probability is unknown.
        """
        if not presence:
            return weights
        chance = np.ones_like(weights)
        for source, probability in presence.items():
            chance[..., self.sites.sources.index(source)] = probability
        chance = np.where(weights > 0, chance, -1.0)
        best = chance >= chance.max(axis=-1, keepdims=True)
        kept = (chance >= self.options.threshold) & (weights > 0)
        kept = np.where(kept.any(axis=-1, keepdims=True), kept, best & (weights > 0))
        known = np.isfinite(chance).all(axis=-1, keepdims=True)
        return np.where(kept & known, weights, 0.0)

    def fields(self, places: Places, weights: FloatArray) -> list[Field]:
        """Interpolate the balances of every domain at the places.

        Parameters
        ----------
        places : Cells or PointPlaces
            Where.
        weights : array, shape (*shape of the places, D)
            How much of each source is possible, 0 to 1.

        Returns
        -------
        fields : list of Field
            Domains with an answer and a share of some cells. The shares of a cell sum
            to 1; cells whose own domain has no answer have none.
        """
        flat = weights.reshape(-1, weights.shape[-1])
        lost = np.zeros(len(flat), dtype=bool)
        for pattern, cells in source_sets(flat > 0):
            lost |= cells & bool(self.domain(pattern).reason)
        fields, total = [], np.zeros(len(flat))
        for pattern, share in _shares(flat):
            domain = self.domain(pattern)
            asked = np.flatnonzero((share > 0) & ~lost)
            if domain.reason or not len(asked):
                continue
            total[asked] += share[asked]
            mean, spread = _asked(domain, places, asked)
            if spread is None and self.options.back_transform != "centre":
                name, own = next(iter(domain.interpolators.items()))
                raise InputError(_without_variance(name, own))
            columns = np.flatnonzero(pattern)
            fields.append(Field(columns, asked, share[asked], mean, spread))
        return [
            Field(f.columns, f.cells, f.share / total[f.cells], f.mean, f.spread)
            for f in fields
        ]

    def table(self, weights: FloatArray, what: str) -> pd.DataFrame:
        """Describe the domains of some places.

        Parameters
        ----------
        weights : array, shape (*shape of the places, D)
            How much of each source is possible.
        what : str
            What the places are: cells or points.

        Returns
        -------
        domains : DataFrame
            One row a domain: sources, n_sites, n_cells or n_points, reason.
        """
        rows = []
        for pattern, where in source_sets(weights > 0):
            domain = self.domain(pattern)
            count = int(where.sum())
            rows.append((domain.label, domain.n_sites, count, domain.reason))
        return pd.DataFrame(rows, columns=["sources", "n_sites", f"n_{what}", "reason"])


def log_ratio_maps(
    sites: SiteFractions,
    make: Maker,
    *,
    rules: Sequence[ZeroRule],
    period: str | None,
    options: LogRatioOptions,
) -> LogRatioMaps:
    """Fit the balances of sites.

    Parameters
    ----------
    sites : SiteFractions
        Fractions of 0 or more that sum to 1.
    make : callable
        Makes the interpolator of each balance from the balances of a domain's sites,
        and says which of their variance is noise.
    rules : sequence of ZeroRule
        Where a source cannot be.
    period : str or None
        Period of the fractions, which chooses the rules.
    options : LogRatioOptions
        Settings.

    Returns
    -------
    maps : LogRatioMaps
        Fitted balances.

    Raises
    ------
    InputError
        If fractions, rules or interpolators do not fit.
    """
    zeros = "rounded" if options.presence == "rule" else "absent"
    ready = present_sites(sites, rules, period=period, delta=options.delta, zeros=zeros)
    return LogRatioMaps(ready, make, options)


def _shares(weights: FloatArray) -> list[tuple[BoolArray, FloatArray]]:
    """Split weights (cells, D) into sets of sources that hold a share of each cell.

    The set for u in 0 to 1 holds the sources with a weight above u: sources that fade
    in over the same elevations do so together, and the sets are nested.
    """
    top = weights.max(axis=1, keepdims=True)
    scaled = weights / np.where(top > 0, top, 1.0)
    order = np.argsort(-scaled, axis=1, kind="stable")
    ranks = np.argsort(order, axis=1, kind="stable")
    sorted_ = np.take_along_axis(scaled, order, axis=1)
    nothing = np.zeros((len(weights), 1))
    steps = sorted_ - np.concatenate([sorted_[:, 1:], nothing], axis=1)
    found: dict[tuple[bool, ...], FloatArray] = {}
    for rank in range(weights.shape[1]):
        members = ranks <= rank
        members[steps[:, rank] <= 0] = False
        for pattern, where in source_sets(members):
            share = found.setdefault(tuple(pattern.tolist()), np.zeros(len(weights)))
            share[where] = steps[where, rank]
    return [(np.array(pattern), share) for pattern, share in found.items()]


def _without_variance(name: str, interpolator: Interpolator) -> str:
    """Say that there is no mean fraction."""
    return (
        f"The interpolator of the balance of '{name}' ({interpolator.method}) has no "
        "variance, so there is no mean fraction. Give back_transform='centre', or a "
        "Kriging with its variance."
    )


def _asked(
    domain: Domain, places: Places, cells: IntArray
) -> tuple[FloatArray, FloatArray | None]:
    """Balances of a domain at some of the places and their standard deviations."""
    answers = [places.ask(own) for own in domain.interpolators.values()]
    if not answers:
        nothing = np.zeros((len(cells), 0))
        return nothing, nothing
    mean = [answer["estimate"].to_numpy().ravel()[cells] for answer in answers]
    if not all("kriging_variance" in answer for answer in answers):
        return np.stack(mean, axis=1), None
    variances = [a["kriging_variance"].to_numpy().ravel()[cells] for a in answers]
    return np.stack(mean, axis=1), np.sqrt(np.stack(variances, axis=1))
