"""Sites with source fractions, made ready for log-ratios: zeros told apart, named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.interpolation._kernels_log_ratio import closed_covariance, replace_zeros
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.log_ratios import (
    SUM_TOLERANCE,
    balance_variances,
    closure,
    composition_faults,
    ilr,
    named_rows,
)
from geosoil.interpolation.zero_rules import ZeroRule, check_heights, possible_sources

HALF_NORMAL = float(np.sqrt(2.0 / np.pi))
"""Mean of a normal of standard deviation 1 that is known to be 0 or more."""


@dataclass(frozen=True, slots=True, eq=False)
class SiteFractions:
    """Source fractions of sites, or their balances."""

    points: Points
    """Places of the sites: with their CRS set, or an array (n, 2) of metres."""
    raw: pd.DataFrame
    """One column a source: fractions that sum to 1; raw ones may lie outside 0..1."""
    elevation: FloatArray | None = None
    """Elevation of the sites [m]; needed by rules with a limit."""
    variance: pd.DataFrame | None = None
    """Variance of each fraction by the mixing's own error."""
    covariance: FloatArray | None = None
    """Covariance of the fractions of each site, shape (n, D, D), in place of variance;
    for log-ratios alone."""

    def part(self, chosen: BoolArray, sources: Sequence[str]) -> SiteFractions:
        """Return some of the sites with some of the sources.

        Parameters
        ----------
        chosen : array of bool, shape (n,)
            Sites to keep.
        sources : sequence of str
            Sources to keep.

        Returns
        -------
        sites : SiteFractions
            The part.
        """
        names = list(sources)
        columns = [list(self.raw.columns).index(name) for name in names]
        return SiteFractions(
            some_points(self.points, chosen),
            self.raw.loc[chosen, names].reset_index(drop=True),
            None if self.elevation is None else self.elevation[chosen],
            None
            if self.variance is None
            else self.variance.loc[chosen, names].reset_index(drop=True),
            None
            if self.covariance is None
            else self.covariance[chosen][:, columns][:, :, columns],
        )


Maker: TypeAlias = Callable[
    [SiteFractions], tuple[Mapping[str, Interpolator], pd.DataFrame | None]
]
"""Makes the interpolator of each column for the sites of a domain, and the variance
that is noise."""


@dataclass(frozen=True, slots=True, eq=False)
class PresentSites:
    """Sites whose fractions are above 0 where a source is present, else exactly 0."""

    sources: tuple[str, ...]
    """Names of the sources, in the order of the balances."""
    points: Points
    """Places."""
    parts: FloatArray
    """Fractions, zeros of rounding replaced, shape (n, D)."""
    present: BoolArray
    """Which source is present at each site, shape (n, D)."""
    excluded: BoolArray
    """Which source a rule excludes at each site, shape (n, D)."""
    covariance: FloatArray | None
    """Covariance of the fractions of each site, shape (n, D, D)."""
    elevation: FloatArray | None
    """Elevation of the sites [m]."""
    replaced: pd.DataFrame
    """One row a replaced zero: row, source, delta."""
    n_dropped: int
    """Sites left out: a fraction, or an elevation that a rule needs, is missing."""

    def balances(self, chosen: BoolArray, pattern: BoolArray) -> SiteFractions:
        """Return the balances of the sub-composition of some sources at some sites.

        Parameters
        ----------
        chosen : array of bool, shape (n,)
            Sites to keep; each has all the sources.
        pattern : array of bool, shape (D,)
            Two sources or more.

        Returns
        -------
        sites : SiteFractions
            Balances as ``raw``, named after the source that they set against all after
            it, and their first-order variances.

        Notes
        -----
        The ratios of some parts are the same in a composition and in its closed
        sub-composition, so that sites with more sources may take part.
        """
        columns = np.flatnonzero(pattern)
        parts = closure(self.parts[np.ix_(chosen, columns)])
        names = [self.sources[column] for column in columns[:-1]]
        variance = None
        if self.covariance is not None:
            total = self.parts[np.ix_(chosen, columns)].sum(axis=1)
            inner = self.covariance[chosen][:, columns][:, :, columns]
            inner = inner / np.square(total)[:, None, None]
            spread = balance_variances(parts, inner)
            variance = pd.DataFrame(spread, columns=names)
        return SiteFractions(
            some_points(self.points, chosen),
            pd.DataFrame(ilr(parts), columns=names),
            None if self.elevation is None else self.elevation[chosen],
            variance,
        )


def some_points(points: Points, chosen: BoolArray) -> Points:
    """Return some of the places.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places.
    chosen : array of bool, shape (n,)
        Places to keep.

    Returns
    -------
    points : GeoDataFrame, GeoSeries, or array
        The chosen ones, numbered anew.
    """
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        return points[chosen].reset_index(drop=True)
    return np.asarray(points, dtype=np.float64)[chosen]


def n_places(points: Points) -> int:
    """Count the different places.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places.

    Returns
    -------
    count : int
        Different positions.

    Examples
    --------
    >>> n_places([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    2
    """
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        xy = shapely.get_coordinates(points.geometry.to_numpy())
    else:
        xy = np.asarray(points, dtype=np.float64)
    return len(np.unique(xy[np.isfinite(xy).all(axis=1)], axis=0))


def present_sites(
    sites: SiteFractions,
    rules: Sequence[ZeroRule],
    *,
    period: str | None,
    delta: float | Mapping[str, float] | None,
    zeros: str,
) -> PresentSites:
    """Tell the zeros of sites apart, replace those of rounding, and check the rest.

    Parameters
    ----------
    sites : SiteFractions
        Fractions of 0 or more that sum to 1.
    rules : sequence of ZeroRule
        Where a source cannot be.
    period : str or None
        Period of the fractions, which chooses the rules.
    delta : float, mapping of source to float, or None
        What stands for a zero of rounding; None takes it from the variance.
    zeros : {"rounded", "absent"}
        What a zero is that no rule explains.

    Returns
    -------
    sites : PresentSites
        The sites without those that miss a fraction.

    Raises
    ------
    InputError
        If rows do not sum to 1, are below 0, have a source that a rule excludes, or a
        zero that nothing replaces; if rules name other sources. All faults at once.

    Notes
    -----
    The posterior of a fraction at 0 with the standard deviation s of the mixing is
    taken for a normal cut at 0; its mean, s sqrt(2 / pi), stands for the zero.

    Examples
    --------
    >>> raw = pd.DataFrame({"rain": [0.7, 1.0], "ice": [0.3, 0.0]})
    >>> sites = SiteFractions([[0.0, 0.0], [1.0, 0.0]], raw)
    >>> found = present_sites(sites, [], period=None, delta=0.01, zeros="rounded")
    >>> found.parts.tolist()
    [[0.7, 0.3], [0.99, 0.01]]
    """
    sources = tuple(map(str, sites.raw.columns))
    _check_rules(sources, rules, period)
    rules = [rule for rule in rules if period in rule.period]
    check_heights(rules, {"sites": sites.elevation})
    values = sites.raw.to_numpy(dtype=np.float64)
    possible = possible_sources(rules, sources, sites.elevation, (len(values),))
    kept = ~np.isnan(values).any(axis=1) & possible.any(axis=1)
    faults = composition_faults(values, list(sites.raw.index))
    labels, values, possible = list(sites.raw.index[kept]), values[kept], possible[kept]
    faults += _excluded(values, possible, labels)
    rounded = possible & (values == 0) & (zeros == "rounded")
    absent = (values == 0) & ~rounded
    covariance, wrong = _covariance(sites, kept, absent | ~possible, labels)
    stand_in, lacking = _stand_ins(sources, rounded, covariance, delta)
    faults += wrong
    faults += [f"{words} ({named_rows(where, labels)})" for words, where in lacking]
    _raise(sources, faults)
    parts = closure(np.where(possible, values, 0.0))
    parts = replace_zeros(parts, stand_in, rounded)
    return PresentSites(
        sources=sources,
        points=some_points(sites.points, kept),
        parts=parts,
        present=parts > 0,
        excluded=~possible,
        covariance=covariance,
        elevation=None if sites.elevation is None else sites.elevation[kept],
        replaced=_replaced(rounded, stand_in, sources, labels),
        n_dropped=int((~kept).sum()),
    )


def _replaced(
    rounded: BoolArray,
    stand_in: FloatArray,
    sources: Sequence[str],
    labels: Sequence[object],
) -> pd.DataFrame:
    """List the replaced zeros."""
    rows, columns = np.nonzero(rounded)
    return pd.DataFrame(
        {
            "row": [labels[row] for row in rows.tolist()],
            "source": [sources[column] for column in columns.tolist()],
            "delta": stand_in[rows, columns],
        }
    )


def _excluded(
    values: FloatArray, possible: BoolArray, labels: Sequence[object]
) -> list[str]:
    """Name the rows that have a source which a rule excludes."""
    against = np.asarray((~possible & (np.abs(values) > SUM_TOLERANCE)).any(axis=1))
    if not against.any():
        return []
    words = f"{int(against.sum())} rows have a source that a rule excludes"
    return [f"{words} ({named_rows(against, labels)})"]


def _check_rules(
    sources: Sequence[str], rules: Sequence[ZeroRule], period: str | None
) -> None:
    """Raise on rules that name other sources, or whose period is not known."""
    named = sorted({rule.source for rule in rules} - set(sources))
    faults = [f"zero rules name unknown sources {named}"] if named else []
    if rules and period is None:
        faults.append("zero rules hold in some periods only, and no period is given")
    _raise(sources, faults)


def _covariance(
    sites: SiteFractions, kept: BoolArray, absent: BoolArray, labels: Sequence[object]
) -> tuple[FloatArray | None, list[str]]:
    """Return covariances of the kept sites, and what is wrong with them.

    A source that is absent has no variance, whatever is given: only so do the
    variances of the others tell their covariances.
    """
    size = sites.raw.shape[1]
    if sites.covariance is not None:
        found = np.asarray(sites.covariance, dtype=np.float64)
        if found.shape != (len(kept), size, size):
            shape = (len(kept), size, size)
            return None, [f"covariances of shape {found.shape} instead of {shape}"]
        found = np.where(absent[:, :, None] | absent[:, None, :], 0.0, found[kept])
    elif sites.variance is not None:
        unknown = sorted(set(map(str, sites.raw)) - set(map(str, sites.variance)))
        if unknown:
            return None, [f"no variance of {unknown}"]
        if len(sites.variance) != len(kept):
            return None, [f"{len(sites.variance)} variances for {len(kept)} rows"]
        ordered = sites.variance[list(sites.raw.columns)]
        own = np.where(absent, 0.0, ordered.to_numpy(dtype=np.float64)[kept])
        found = closed_covariance(own)
    else:
        return None, []
    own = np.diagonal(found, axis1=1, axis2=2)
    bad = ~np.asarray(np.isfinite(found).all(axis=(1, 2)) & (own >= 0).all(axis=1))
    if bad.any():
        words = f"{int(bad.sum())} rows have variances below 0 or missing"
        return found, [f"{words} ({named_rows(bad, labels)})"]
    return found, []


def _stand_ins(
    sources: Sequence[str],
    rounded: BoolArray,
    covariance: FloatArray | None,
    delta: float | Mapping[str, float] | None,
) -> tuple[FloatArray, list[tuple[str, BoolArray]]]:
    """Stand-ins for the zeros of rounding, and the rows where nothing can be one."""
    if isinstance(delta, Mapping):
        own = np.array([float(delta.get(source, np.nan)) for source in sources])
        stand_in = np.broadcast_to(own, rounded.shape)
    elif delta is not None:
        stand_in = np.full(rounded.shape, float(delta))
    elif covariance is not None:
        own = np.diagonal(covariance, axis1=1, axis2=2)
        stand_in = HALF_NORMAL * np.sqrt(np.maximum(own, 0.0))
    else:
        stand_in = np.zeros(rounded.shape)
    missing = np.asarray((rounded & ~(stand_in > 0)).any(axis=1))
    large = np.asarray(np.where(rounded, stand_in, 0.0).sum(axis=1) >= 1.0)
    faults = []
    if missing.any():
        words = (
            f"{int(missing.sum())} rows have zeros that no rule explains and nothing "
            "replaces; give delta, variances, a zero rule or presence='indicator'"
        )
        faults.append((words, missing))
    if large.any():
        words = f"{int(large.sum())} rows have replacements of zeros of 1 or more"
        faults.append((words, large))
    return stand_in, faults


def _raise(sources: Sequence[str], faults: Sequence[str]) -> None:
    """Raise all faults at once."""
    if faults or len(sources) < 2:
        words = "; ".join(faults) or "a composition has two columns or more"
        message = (
            f"Cannot take log-ratios of the fractions of {list(sources)}: {words}. "
            "Give fractions of 0 or more that sum to 1, such as those of the mixing "
            "that is constrained to the simplex."
        )
        raise InputError(message)
