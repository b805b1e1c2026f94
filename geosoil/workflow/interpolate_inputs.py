"""Open what the command on interpolation names: points, grid, rasters and rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS

from geosoil.config import read_zero_rules
from geosoil.errors import GeosoilError, InputError
from geosoil.grids.grid import Grid
from geosoil.grids.points import values_at_points
from geosoil.grids.zones import polygon_mask
from geosoil.interpolation.log_ratios import SUM_TOLERANCE
from geosoil.interpolation.zero_rules import ZeroRule
from geosoil.io.issues import name_rows
from geosoil.io.layers import read_polygons
from geosoil.io.point_table import PointColumns, nearest_names, read_point_table
from geosoil.workflow import simulated
from geosoil.workflow.faults import raise_all
from geosoil.workflow.interpolate_drift import OpenedRasters, open_rasters
from geosoil.workflow.interpolate_grid import Ground, target_grid
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_words import cell_words, few_words

FEWEST = 3
"""Fewest different places that are interpolated."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class InterpolateInputs:
    """Points with all that their interpolation needs, nothing missing."""

    points: gpd.GeoDataFrame
    """Rows in use, one column of values a quantity, by its name; index the row."""
    noise: pd.DataFrame | None
    """Variance of each value's measurement, same columns."""
    sites: npt.NDArray[np.object_] | None
    """Label of each point's site."""
    left_out: Mapping[str, int]
    """Rows of the table that are not used, by reason."""
    n_rows: int
    """Rows of the table."""
    heights: FloatArray | None
    """Elevation of each point for the rules [m]: of the table, else of the raster."""
    grid: Grid
    """Grid of the map."""
    mask: xr.DataArray
    """Cells of the region."""
    region: gpd.GeoDataFrame | None
    """The region."""
    rasters: OpenedRasters
    """Drift and elevation on the grid."""
    rules: tuple[ZeroRule, ...]
    """Where sources are zero, of the period."""
    files: tuple[Path, ...]
    """Files read."""
    words: tuple[str, ...]
    """What was done to the inputs."""
    simulated: bool = False
    """Whether any point in use says that it is simulated."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities."""
        kept = [str(name) for name in self.points.columns if name != "geometry"]
        return tuple(kept)

    def values(self, name: str) -> FloatArray:
        """Return the values of a quantity.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        values : array, shape (n,)
            One a point.
        """
        return self.points[name].to_numpy(dtype=np.float64)

    def variance(self, name: str) -> FloatArray | None:
        """Return the variances of a quantity's measurements.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        variance : array, shape (n,), or None
            One a point; None where none are given.
        """
        return None if self.noise is None else self.noise[name].to_numpy(dtype=float)


def open_inputs(
    request: InterpolateRequest, report: Callable[[str], None]
) -> InterpolateInputs:
    """Open every input of an interpolation.

    Parameters
    ----------
    request : InterpolateRequest
        What is asked, checked.
    report : callable
        Called with a line of words a stage.

    Returns
    -------
    inputs : InterpolateInputs
        The inputs.

    Raises
    ------
    GeosoilError
        If one cannot be used; what is found of all of them is told at once.
    """
    opened = _open_files(request, report)
    table, remarks, region, rules = opened
    chosen, left_out = _chosen(table, request)
    columns = [one.column for one in request.quantities]
    ground = Ground(chosen[_placed(chosen)], request.bbox, region)
    _check_metres(table.crs)
    words = None if request.grid is None else cell_words(request.grid)
    grid = target_grid(words, ground)
    rasters = open_rasters(request, grid, ground.points, report)
    used, more = _complete(chosen, request, rasters)
    left_out |= more
    _check_values(used, request, left_out)
    points = used[[*columns, "geometry"]].set_axis(
        [*(one.name for one in request.quantities), "geometry"], axis=1
    )
    files = [Path(request.points), *rasters.files]
    files += [Path(one) for one in (request.region, request.zero_rules) if one]
    if words is not None and words.raster is not None:
        files.append(words.raster)
    return InterpolateInputs(
        points=gpd.GeoDataFrame(points, geometry="geometry"),
        noise=_noise(used, request),
        sites=_sites(used, request),
        heights=_heights(used, rasters),
        left_out=left_out,
        n_rows=len(table),
        grid=grid,
        mask=_mask(region, grid),
        region=region,
        rasters=rasters,
        rules=rules,
        files=tuple(dict.fromkeys(files)),
        words=(*few_words(remarks), *rasters.words),
        simulated=bool(simulated.simulated_rows(used).any()),
    )


def _open_files(
    request: InterpolateRequest, report: Callable[[str], None]
) -> tuple[
    gpd.GeoDataFrame, tuple[str, ...], gpd.GeoDataFrame | None, tuple[ZeroRule, ...]
]:
    """Read points, region and rules; tell the faults of all at once."""
    report(f"reading {request.points}")
    labels = [column for column, _ in request.filters]
    labels += ["period"] if request.period is not None else []
    labels += [request.site_column] if request.site_column else []
    numbers = [one.column for one in request.quantities] + [*request.noise_columns]
    asked = PointColumns(
        tuple(dict.fromkeys(numbers)),
        tuple(dict.fromkeys(labels)),
        request.crs,
        request.layer,
        ("elevation",) if request.zero_rules is not None else (),
        (simulated.COLUMN,),
    )
    faults: list[GeosoilError] = []
    table, remarks = gpd.GeoDataFrame(), tuple[str, ...]()
    region, rules = None, tuple[ZeroRule, ...]()
    try:
        table, remarks = read_point_table(request.points, asked)
    except GeosoilError as error:
        faults.append(error)
    try:
        region = None if request.region is None else read_polygons(request.region)
    except GeosoilError as error:
        faults.append(error)
    try:
        rules = _rules(request)
    except GeosoilError as error:
        faults.append(error)
    raise_all(faults)
    return table, remarks, region, rules


def _rules(request: InterpolateRequest) -> tuple[ZeroRule, ...]:
    """Return the zero rules of the period."""
    if request.zero_rules is None:
        return ()
    names = [one.name for one in request.quantities]
    found = read_zero_rules(request.zero_rules)
    strange = [rule.source for rule in found if rule.source not in names]
    if strange:
        message = (
            f"'{request.zero_rules}' has rules of {', '.join(dict.fromkeys(strange))}, "
            f"which is no column here. {nearest_names(strange[0], names)} Name the "
            "columns so: --column snowmelt=fraction_snow."
        )
        raise InputError(message)
    rules = [
        ZeroRule(rule.source, rule.period, rule.below, rule.above) for rule in found
    ]
    return tuple(rule for rule in rules if request.period in rule.period)


def _chosen(
    table: gpd.GeoDataFrame, request: InterpolateRequest
) -> tuple[gpd.GeoDataFrame, dict[str, int]]:
    """Return the rows of the period and of the filters, and count the others."""
    left_out: dict[str, int] = {}
    pairs = list(request.filters)
    pairs += [("period", request.period)] if request.period is not None else []
    for column, value in pairs:
        text = table[column].astype(object)
        same = text.map(lambda cell: str(cell).casefold()) == str(value).casefold()
        if not same.any():
            known = sorted({str(cell) for cell in text.dropna()})
            message = (
                f"'{request.points}' has no row with {column} '{value}'. "
                f"{nearest_names(str(value), known[:20]) if known else ''}"
            )
            raise InputError(message)
        if not same.all():
            left_out[f"{column} is not {value}"] = int((~same).sum())
        table = table[same]
    return table, left_out


def _placed(table: gpd.GeoDataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows have a place; raise where none has."""
    there = ~(table.geometry.isna() | table.geometry.is_empty).to_numpy()
    if not there.any():
        message = f"None of {len(table)} rows has a place. Complete the coordinates."
        raise InputError(message)
    return np.asarray(there, dtype=bool)


def _check_metres(crs: CRS | None) -> None:
    """Raise where the unit of projected points is no metre."""
    system = CRS.from_user_input(crs)
    unit = system.axis_info[0].unit_name
    if system.is_projected and unit not in ("metre", "meter"):
        message = (
            f"The points are in {system.name}, whose unit is the {unit}. Distances "
            "are metres here: bring the points into a system in metres, or degrees."
        )
        raise InputError(message)


def _complete(
    table: gpd.GeoDataFrame, request: InterpolateRequest, rasters: OpenedRasters
) -> tuple[gpd.GeoDataFrame, dict[str, int]]:
    """Return the rows that lack nothing, and count the others by what they lack."""
    columns = [one.column for one in request.quantities]
    lacking = {
        "no place": ~_placed(table),
        "no value": ~np.isfinite(table[columns].to_numpy(dtype=float)).all(axis=1),
    }
    if request.noise_columns:
        noise = table[[*request.noise_columns]].to_numpy(dtype=float)
        lacking["no variance"] = ~np.isfinite(noise).all(axis=1)
    if request.site_column:
        lacking["no site"] = table[request.site_column].isna().to_numpy()
    if rasters.wide is not None:
        placed = table[~lacking["no place"]]
        bare = np.zeros(len(table), dtype=bool)
        read = values_at_points(rasters.wide, placed.geometry)
        wanting = read[[*rasters.wide.data_vars]].isna().any(axis=1).to_numpy()
        bare[~lacking["no place"]] = wanting
        lacking[f"no {' or '.join(map(str, rasters.wide.data_vars))}"] = bare
    counts: dict[str, int] = {}
    used = np.ones(len(table), dtype=bool)
    for reason, rows in lacking.items():
        lost = int((used & rows).sum())
        counts |= {reason: lost} if lost else {}
        used &= ~rows
    return table[used], counts


def _check_values(
    used: gpd.GeoDataFrame, request: InterpolateRequest, left_out: Mapping[str, int]
) -> None:
    """Raise where nothing can be interpolated."""
    places = used.geometry.to_wkb().nunique()
    why = ", ".join(f"{count} with {reason}" for reason, count in left_out.items())
    told = f" ({why} left out)" if why else ""
    if places < FEWEST:
        where = (
            "at one and the same place"
            if len(used) > 1 and places == 1
            else (f"at {places} places")
        )
        message = (
            f"'{request.points}' has {len(used)} points {where} with a value{told}; "
            f"{FEWEST} different places are needed."
        )
        raise InputError(message)
    columns = [one.column for one in request.quantities]
    values = used[columns].to_numpy(dtype=float)
    faults = []
    if (np.ptp(values, axis=0) == 0).all():
        faults.append(
            f"all {len(used)} values of {', '.join(columns)} are equal "
            f"({', '.join(f'{value:g}' for value in values[0])}): there is nothing to "
            "interpolate"
        )
    if request.composition:
        faults += _fraction_faults(used, values)
    for name in request.noise_columns:
        wrong = used[name].to_numpy(dtype=float) < 0
        if wrong.any():
            rows = name_rows(used.index[wrong].tolist())
            faults.append(f"column '{name}' is below 0 ({rows})")
    if faults:
        message = f"'{request.points}': {'; '.join(faults)}."
        raise InputError(message)


def _fraction_faults(used: gpd.GeoDataFrame, values: FloatArray) -> list[str]:
    """Say which rows of a composition do not sum to 1."""
    sums = values.sum(axis=1)
    off = np.abs(sums - 1.0) > SUM_TOLERANCE
    if not off.any():
        return []
    rows = name_rows(used.index[off].tolist())
    hint = ""
    if np.isclose(np.median(sums), 100.0, rtol=0.05):
        hint = "; percent, it seems: divide by 100"
    return [
        f"{int(off.sum())} rows do not sum to 1 ({rows}; sums {sums[off].min():.4g} to "
        f"{sums[off].max():.4g}{hint})"
    ]


def _noise(used: gpd.GeoDataFrame, request: InterpolateRequest) -> pd.DataFrame | None:
    """Return the variances of measurements, one column a quantity."""
    if not request.noise_columns:
        return None
    values = used[[*request.noise_columns]].to_numpy(dtype=float)
    names = [one.name for one in request.quantities]
    squared = values**2 if request.sd_columns else values
    return pd.DataFrame(squared, index=used.index, columns=names)


def _sites(
    used: gpd.GeoDataFrame, request: InterpolateRequest
) -> npt.NDArray[np.object_] | None:
    """Return the labels of sites, where they are asked for."""
    if request.site_column is None:
        return None
    return used[request.site_column].to_numpy(dtype=object)


def _heights(used: gpd.GeoDataFrame, rasters: OpenedRasters) -> FloatArray | None:
    """Return the elevation of the points: of the table, where it has one, else read."""
    if "elevation" in used and used["elevation"].notna().all():
        return used["elevation"].to_numpy(dtype=np.float64)
    if rasters.elevation is None:
        return None
    table = values_at_points(rasters.elevation.rename("height"), used.geometry)
    return table["height"].to_numpy(dtype=np.float64)


def _mask(region: gpd.GeoDataFrame | None, grid: Grid) -> xr.DataArray:
    """Return the cells of the region; all of them without one."""
    if region is None:
        return grid.raster(np.ones(grid.shape, dtype=bool), name="region")
    mask = polygon_mask(region, grid)
    if not bool(mask.any()):
        message = f"No cell of the grid has its centre in the region: {grid}."
        raise InputError(message)
    return mask
