"""The sites of a period that its maps are made of, and where which source can be."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import CRS, Transformer

from geosoil.errors import GeosoilWarning
from geosoil.grids.grid import BoolArray, FloatArray, Grid
from geosoil.grids.points import values_at_points
from geosoil.interpolation.base import ALBERS, positions
from geosoil.interpolation.composition import ZeroRule
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_drawing import Drawing
from geosoil.tracers.monte_carlo import monte_carlo_fractions
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import ALL, end_members_as_fallen, zero_rules
from geosoil.workflow.study_answers import Answer, study_answer, zero_columns

FEWEST_SITES = 10
"""Fewest sites of a period that are interpolated."""


@dataclass(frozen=True, slots=True, eq=False)
class PeriodSites:
    """Sites of one period, the cells to be mapped, and the rules between them."""

    period: str
    """Period."""
    sources: tuple[str, ...]
    """Sources of the period."""
    table: pd.DataFrame
    """The sites as they were solved: position, elevation, tracers, fractions."""
    points: gpd.GeoDataFrame
    """Their places in degrees."""
    raw: FloatArray
    """Raw fractions, shape (n, source): they sum to 1, but may lie outside 0 to 1."""
    error_variance: FloatArray
    """Variances of the raw fractions by the mixing, shape (n, source)."""
    rules: tuple[ZeroRule, ...]
    """Zero rules of the period."""
    xy: FloatArray
    """Places of the sites, shape (n, 2), in metres of an equal-area projection."""
    height: FloatArray
    """Elevation of each site [m], shape (n,); NaN where the table has none."""
    ground: FloatArray
    """Elevation of each site's cell [m], shape (n,); NaN where none is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """Sites and cells at which the same sources can be."""

    sources: tuple[str, ...]
    """The sources that no rule excludes."""
    sites: BoolArray
    """Which sites lie in it, shape (n,)."""
    cells: BoolArray
    """Which cells lie in it, shape (y, x)."""

    @property
    def label(self) -> str:
        """Sources as one text."""
        return ", ".join(self.sources)


def period_sites(
    inputs: StudyInputs, period: str, solved: pd.DataFrame
) -> PeriodSites | str:
    """Gather the sites of a period that can be mapped.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.
    solved : DataFrame
        One row a site: longitude, latitude, elevation, ``fraction_<source>_raw`` and
        ``fraction_<source>_sd``.

    Returns
    -------
    sites : PeriodSites or str
        The sites; or why the period has no map.
    """
    sources = inputs.config.tracers.sources[period]
    points = _usable(solved, sources)
    if len(points) < FEWEST_SITES:
        return (
            f"{len(points)} sites with coordinates and fractions; "
            f"{FEWEST_SITES} are needed for a map"
        )
    raw, sd = (
        points[[f"fraction_{source}_{what}" for source in sources]].to_numpy(float)
        for what in ("raw", "sd")
    )
    height, ground = np.full((2, len(points)), np.nan)
    if "elevation" in points:
        height = points["elevation"].to_numpy(dtype=float)
    if inputs.elevation is not None:
        found = values_at_points(inputs.elevation.rename("value"), points.geometry)
        ground = found["value"].to_numpy(dtype=float)
    return PeriodSites(
        period,
        tuple(sources),
        pd.DataFrame(points.drop(columns="geometry")),
        points,
        raw,
        np.nan_to_num(sd**2),
        rules_of(inputs, period),
        positions(points, CRS.from_user_input(ALBERS)),
        height,
        ground,
    )


def _usable(sites: pd.DataFrame, sources: Sequence[str]) -> gpd.GeoDataFrame:
    """Sites that have a place and all fractions, as points."""
    needed = ["longitude", "latitude"]
    needed += [f"fraction_{source}_raw" for source in sources]
    if not set(needed) <= set(sites.columns):
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    whole = sites[np.isfinite(sites[needed].to_numpy(dtype=float)).all(axis=1)]
    points = gpd.points_from_xy(whole["longitude"], whole["latitude"], crs=4326)
    return gpd.GeoDataFrame(whole.reset_index(drop=True), geometry=points)


def rules_of(inputs: StudyInputs, period: str) -> tuple[ZeroRule, ...]:
    """Return the zero rules of a period.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.

    Returns
    -------
    rules : tuple of ZeroRule
        None where there is no elevation to apply them to.
    """
    if inputs.elevation is None or "elevation" not in inputs.samples:
        return ()
    return tuple(r for r in zero_rules(inputs.config) if period in r.period)


def domains_of(
    sites: PeriodSites, grid: Grid, elevation: xr.DataArray | None
) -> list[Domain]:
    """Divide sites and cells by which sources can be there.

    Parameters
    ----------
    sites : PeriodSites
        Sites and rules of a period.
    grid : Grid
        Grid of the map.
    elevation : DataArray with dims y, x, optional
        Elevation [m] on the grid.

    Returns
    -------
    domains : list of Domain
        Cells without an elevation lie in none where a rule has a limit.
    """
    height = np.full(grid.shape, np.nan)
    if elevation is not None:
        height = elevation.transpose("y", "x").to_numpy().astype(np.float64)
    of_cells, of_sites = (_possible(sites, where) for where in (height, sites.height))
    found = []
    for pattern in np.unique(of_cells.reshape(-1, len(sites.sources)), axis=0):
        if pattern.any():
            names = [
                s for s, there in zip(sites.sources, pattern, strict=True) if there
            ]
            cells = (of_cells == pattern).all(axis=-1)
            found.append(
                Domain(tuple(names), (of_sites == pattern).all(axis=-1), cells)
            )
    return found


def _possible(sites: PeriodSites, height: FloatArray) -> BoolArray:
    """Which source is possible where, shape (..., source); none without a height."""
    possible = np.ones((*height.shape, len(sites.sources)), dtype=bool)
    for rule in sites.rules:
        if rule.source in sites.sources:
            place = sites.sources.index(rule.source)
            possible[..., place] &= ~rule.zero(height)
    if any(rule.needs_elevation for rule in sites.rules):
        possible[np.isnan(height)] = False
    return possible


def without_rules(inputs: StudyInputs, sites: PeriodSites) -> PeriodSites:
    """Solve the sites of a period anew with every source possible everywhere.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites and rules of a period.

    Returns
    -------
    sites : PeriodSites
        The same places without rules; those that cannot be solved so are left out.
    """
    free = sites.table.drop(columns=zero_columns(sites.table))
    kept = [name for name in free if not str(name).startswith("fraction_")]
    answer = site_answer(inputs, sites)
    with warnings.catch_warnings():
        # The condition of the end members was told with the period's mean.
        warnings.simplefilter("ignore", GeosoilWarning)
        solved = answer.of_each(free[kept], inputs.config.tracers.names)
    tails = ("_raw", "_sd")
    parts = {
        f"fraction_{s}{t}": solved[f"{s}{t}"] for s in sites.sources for t in tails
    }
    again = period_sites(inputs, sites.period, free[kept].assign(**parts))
    return sites if isinstance(again, str) else replace(again, rules=())


def drawn_fractions_of_sites(
    inputs: StudyInputs, sites: PeriodSites, rng: np.random.Generator
) -> FloatArray:
    """Draw the end members, once a draw for all sites, and mix every site with them.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of a period.
    rng : Generator
        Source of chance.

    Returns
    -------
    drawn : array, shape (draw, site, source)
        Raw fractions; the error of the end members' means is common to all sites of a
        draw. A site without an answer in a draw keeps its own.

    Notes
    -----
    Where evaporation is solved with the shares, every draw is solved anew with the
    evaporation that was assumed: the error of that assumption is not drawn.
    """
    answer, n_draws = site_answer(inputs, sites), inputs.config.interpolation.n_draws
    names = inputs.config.tracers.names
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        if answer.prior is None:
            drawing = Drawing(n_draws=n_draws, constraint="none", error="shared")
            values = monte_carlo_fractions(
                sites.table,
                answer.end_members,
                None,
                tracers=names,
                drawing=drawing,
                rng=rng,
            )
            order = [values.sources.index(source) for source in sites.sources]
            drawn = values.values[:, :, order]  # noqa: PD011  a plain array
        else:
            drawn = _solved_anew(answer, sites, names, (n_draws, rng))
    whole = np.isfinite(drawn).all(axis=2, keepdims=True)
    return np.where(whole, drawn, sites.raw)


def site_answer(inputs: StudyInputs, sites: PeriodSites) -> Answer:
    """Return the answer that the sites of a period were solved with.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.

    Returns
    -------
    answer : Answer
        End members by elevation band where the sites have one.
    """
    group = "elevation_band" if "elevation_band" in sites.table else ALL
    fallen = end_members_as_fallen(inputs, sites.period)
    return study_answer(inputs, sites.period, fallen, group)


def _solved_anew(
    answer: Answer,
    sites: PeriodSites,
    names: tuple[str, ...],
    chance: tuple[int, np.random.Generator],
) -> FloatArray:
    """Solve the sites with drawn end members where evaporation is solved with them."""
    n_draws, rng = chance
    given = answer.end_members
    isotopes = ["d18O", "d2H"]
    spread = given.covariances(isotopes) / given.counts()[:, None, None]
    means = given.means(isotopes)
    drawn = np.full((n_draws, len(sites.table), len(sites.sources)), np.nan)
    columns = [f"{source}_raw" for source in sites.sources]
    kept = [c for c in sites.table if not str(c).startswith("fraction_")]
    for draw in range(n_draws):
        away = np.stack([rng.multivariate_normal((0.0, 0.0), own) for own in spread])
        table = given.table.assign(**dict(zip(isotopes, (means + away).T, strict=True)))
        if "d_excess" in table:
            table["d_excess"] = table["d2H"] - 8.0 * table["d18O"]
        ends = EndMembers(table, given.by)
        solved = replace(answer, end_members=ends).of_each(sites.table[kept], names)
        drawn[draw] = solved[columns].to_numpy(dtype=np.float64)
    return drawn


def cell_places(grid: Grid, cells: BoolArray) -> FloatArray:
    """Return the centres of cells in the metres of the sites.

    Parameters
    ----------
    grid : Grid
        Grid of the map.
    cells : array of bool, shape (y, x)
        Cells wanted.

    Returns
    -------
    xy : array, shape (m, 2)
        Centres [m], row by row.

    Examples
    --------
    >>> grid = Grid.from_bounds((104.9, 34.9, 105.1, 35.1), 0.2, "EPSG:4326")
    >>> cell_places(grid, np.array([[True]])).round(-3).tolist()[0][0]
    0.0
    """
    x, y = np.meshgrid(grid.x, grid.y)
    transformer = Transformer.from_crs(grid.crs, ALBERS, always_xy=True)
    return np.column_stack(transformer.transform(x[cells], y[cells]))
