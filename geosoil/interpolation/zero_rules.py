"""Where and when a source of water cannot be, and which sources are left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.special import expit

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray, Grid, check_same_grid

STEEPNESS = 10.0
"""Slope of the logistic curve of a blend, in widths of the blend."""


@dataclass(frozen=True, slots=True)
class ZeroRule:
    """Where and when a source cannot be: its fraction is exactly 0 there.

    With neither ``below`` nor ``above`` the source is absent everywhere.

    Raises
    ------
    InputError
        If no period is named, or a limit is no finite number.

    Examples
    --------
    >>> rule = ZeroRule("snowmelt", ("June",), below=4000.0)
    >>> rule.zero(np.array([3900.0, 4000.0])).tolist()
    [True, False]
    """

    source: str
    """Name of the source."""
    period: tuple[str, ...]
    """Periods in which the rule holds."""
    below: float | None = None
    """Zero where the elevation is below this [m]."""
    above: float | None = None
    """Zero where the elevation is at or above this [m]: limits are half-open."""

    def __post_init__(self) -> None:
        """Take one period for a tuple of one; raise on what cannot be a rule."""
        given: str | Iterable[str] = self.period
        names = (given,) if isinstance(given, str) else tuple(given)
        object.__setattr__(self, "period", names)
        limits = [limit for limit in (self.below, self.above) if limit is not None]
        if not names or not np.isfinite(limits).all():
            message = (
                f"Invalid zero rule for '{self.source}': period {names}, below "
                f"{self.below}, above {self.above}. Name a period; limits are metres."
            )
            raise InputError(message)

    @property
    def needs_elevation(self) -> bool:
        """Whether the rule has a limit of elevation."""
        return self.below is not None or self.above is not None

    def zero(self, elevation: FloatArray) -> BoolArray:
        """Return where the rule makes the source zero.

        Parameters
        ----------
        elevation : array
            Elevation [m]; only its shape counts for a rule without limits.

        Returns
        -------
        zero : array of bool
            True where the source is absent.
        """
        if not self.needs_elevation:
            return np.ones(np.shape(elevation), dtype=bool)
        low = -np.inf if self.below is None else self.below
        high = np.inf if self.above is None else self.above
        return (elevation < low) | (elevation >= high)

    def weight(self, elevation: FloatArray, *, blend: float = 0.0) -> FloatArray:
        """Return how much of the source the rule lets through: 0 where it is absent.

        Parameters
        ----------
        elevation : array
            Elevation [m].
        blend : float
            Width of the blend on the possible side of each limit [m]; 0 for a step.

        Returns
        -------
        weight : array
            0 where the source is absent, rising to 1 over the blend.

        Notes
        -----
        The logistic curve s(t) = 1 / (1 + exp(-10 (t - 1/2))) of the share t of the
        blend that lies behind, scaled so that it is 0 at the limit and 1 at the end:
        the blend softens the step and the absence stays exact.

        Examples
        --------
        >>> rule = ZeroRule("snowmelt", ("June",), below=4000.0)
        >>> height = np.array([3990.0, 4000.0, 4050.0, 4100.0])
        >>> rule.weight(height, blend=100.0).tolist()
        [0.0, 0.0, 0.5, 1.0]
        """
        zero = self.zero(elevation)
        if not self.needs_elevation or blend <= 0:
            return np.where(zero, 0.0, 1.0)
        low = -np.inf if self.below is None else self.below
        high = np.inf if self.above is None else self.above
        share = np.clip(np.minimum(elevation - low, high - elevation) / blend, 0, 1)
        start, end = expit(-STEEPNESS / 2), expit(STEEPNESS / 2)
        risen = (expit(STEEPNESS * (share - 0.5)) - start) / (end - start)
        return np.where(zero, 0.0, risen)

    def __str__(self) -> str:
        """Say the rule in words."""
        limits = [
            f"{word} {limit:g} m"
            for word, limit in (("below", self.below), ("above", self.above))
            if limit is not None
        ]
        where = " or ".join(limits) or "everywhere"
        return f"{self.source} {where} in {', '.join(self.period)}"


def check_heights(
    rules: Sequence[ZeroRule], given: Mapping[str, FloatArray | None]
) -> None:
    """Raise when a rule needs an elevation that is not given.

    Parameters
    ----------
    rules : sequence of ZeroRule
        Rules in force.
    given : mapping of str to array or None
        Elevation of the sites, the cells and so on, by these names.

    Raises
    ------
    InputError
        If a rule has a limit and an elevation is None.

    Examples
    --------
    >>> check_heights([ZeroRule("snowmelt", ("August",))], {"cells": None})
    """
    limited = "; ".join(str(rule) for rule in rules if rule.needs_elevation)
    absent = [what for what, heights in given.items() if heights is None]
    if limited and absent:
        message = f"The zero rules need the elevation of {' and '.join(absent)}: "
        message += f"{limited}."
        raise InputError(message)


def cell_heights(grid: Grid, elevation: xr.DataArray | None) -> FloatArray | None:
    """Return the elevation of the cells as an array.

    Parameters
    ----------
    grid : Grid
        Grid on which it must lie.
    elevation : DataArray with dims y, x, or None
        Elevation [m].

    Returns
    -------
    heights : array, shape (y, x), or None
        Elevation [m]; None where none is given.

    Raises
    ------
    GridMismatchError
        If it lies on another grid.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:32647")
    >>> cell_heights(grid, grid.raster([[3000, 4000]])).tolist()
    [[3000.0, 4000.0]]
    """
    if elevation is None:
        return None
    check_same_grid(Grid.of(elevation), grid, what="elevation and fractions")
    return elevation.transpose("y", "x").to_numpy().astype(np.float64)


def possible_sources(
    rules: Sequence[ZeroRule],
    sources: Sequence[str],
    heights: FloatArray | None,
    shape: tuple[int, ...],
) -> BoolArray:
    """Say which source is possible where.

    Parameters
    ----------
    rules : sequence of ZeroRule
        Rules in force; each names one of the sources.
    sources : sequence of str
        All sources.
    heights : array or None
        Elevation of the places [m]; None where no rule needs it.
    shape : tuple of int
        Shape of the places.

    Returns
    -------
    possible : array of bool, shape (*shape, source)
        All False where a rule needs an elevation that is missing.

    Raises
    ------
    InputError
        If the rules leave no source somewhere.

    Examples
    --------
    >>> rules = [ZeroRule("ice", ("June",), below=4000.0)]
    >>> height = np.array([3900.0, 4100.0, np.nan])
    >>> possible_sources(rules, ["rain", "ice"], height, (3,)).tolist()
    [[True, False], [True, True], [False, False]]
    """
    return source_weights(rules, sources, heights, shape) > 0


def source_weights(
    rules: Sequence[ZeroRule],
    sources: Sequence[str],
    heights: FloatArray | None,
    shape: tuple[int, ...],
    *,
    blend: float = 0.0,
) -> FloatArray:
    """Say how much of each source the rules let through where.

    Parameters
    ----------
    rules, sources, heights, shape
        As of :func:`possible_sources`.
    blend : float
        Width over which a source fades in beyond a limit [m]; 0 for a step.

    Returns
    -------
    weights : array, shape (*shape, source)
        0 where a source is absent, up to 1 beyond the blend; all 0 where a rule needs
        an elevation that is missing.

    Raises
    ------
    InputError
        If the rules leave no source somewhere.

    Examples
    --------
    >>> rules = [ZeroRule("ice", ("June",), below=4000.0)]
    >>> height = np.array([3900.0, 4050.0])
    >>> source_weights(rules, ["rain", "ice"], height, (2,), blend=100.0).tolist()
    [[1.0, 0.0], [1.0, 0.5]]
    """
    height = np.zeros(shape) if heights is None else heights
    weights = np.ones((*shape, len(sources)))
    possible = np.ones(weights.shape, dtype=bool)
    for rule in rules:
        column = sources.index(rule.source)
        weights[..., column] *= rule.weight(height, blend=blend)
        possible[..., column] &= ~rule.zero(height)
    unknown = np.isnan(height) & any(rule.needs_elevation for rule in rules)
    empty = int((~possible.any(axis=-1) & ~unknown).sum())
    if empty:
        words = "; ".join(str(rule) for rule in rules)
        what = "cells" if len(shape) > 1 else "points"
        message = f"The zero rules leave no source in {empty} {what}: {words}."
        raise InputError(message)
    # A place exactly at the limits of all its sources keeps those it may have.
    faded = ~(weights > 0).any(axis=-1)
    weights[faded] = possible[faded]
    weights[unknown] = 0.0
    return weights


def checked_period(
    rules: Sequence[ZeroRule],
    asked: str | None,
    *,
    fitted: str | None,
    fixed: bool,
) -> str | None:
    """Return the period of a map.

    Parameters
    ----------
    rules : sequence of ZeroRule
        All rules.
    asked : str or None
        Period that is asked for.
    fitted : str or None
        Period of the fractions; the answer where none is asked for.
    fixed : bool
        Whether the rules of the fractions' own period are part of the fit.

    Returns
    -------
    period : str or None
        Period, which chooses the rules; None only where there are none.

    Raises
    ------
    InputError
        If there are rules and no period, or another than that of the fit.

    Examples
    --------
    >>> checked_period([], None, fitted="June", fixed=True)
    'June'
    """
    chosen = fitted if asked is None else asked
    if chosen is None and rules:
        message = "Name the period: the zero rules hold in some periods only."
        raise InputError(message)
    if fixed and rules and chosen != fitted:
        message = (
            f"The fractions are of {fitted}, the map is of {chosen}, and the "
            "zero rules differ. Fit the fractions of that period."
        )
        raise InputError(message)
    return chosen


def source_sets(possible: BoolArray) -> Iterator[tuple[BoolArray, BoolArray]]:
    """Go through the sets of possible sources.

    Parameters
    ----------
    possible : array of bool, shape (..., source)
        Which source is possible where.

    Yields
    ------
    pattern : array of bool, shape (source,)
        A set of sources, not empty.
    where : array of bool, shape (...)
        The places with just this set.

    Examples
    --------
    >>> possible = np.array([[True, False], [True, True], [False, False]])
    >>> [(p.tolist(), int(where.sum())) for p, where in source_sets(possible)]
    [([True, False], 1), ([True, True], 1)]
    """
    flat = possible.reshape(-1, possible.shape[-1])
    for pattern in np.unique(flat, axis=0):
        if pattern.any():
            yield pattern, (possible == pattern).all(axis=-1)
