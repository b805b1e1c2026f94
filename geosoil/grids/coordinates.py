"""Checks of positions: degrees.minutes, exchanged axes, elevation, region, copies."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import Geod
from scipy.spatial import cKDTree
from scipy.stats import binom

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray
from geosoil.grids.points import point_coordinates
from geosoil.grids.readings import (
    LONLAT,
    MOST_MINUTES,
    distance_outside,
    flat_north_up,
    from_degrees_minutes,
    ground_range,
    read_as,
)

_WGS84 = Geod(ellps="WGS84")
_EARTH_RADIUS = 6371.0
_SETS = ("kind", "water")
_NAMES = ("name", "site_id")


@dataclass(frozen=True, slots=True)
class CoordinateTolerance:
    """How far a position may stray before it is flagged."""

    elevation: float = 500.0
    """Distance of the stated elevation from the range of the 3 x 3 cells [m]."""
    region: float = 0.0
    """Distance outside the region [km]."""
    same_place: float = 0.1
    """Sites of a set closer than this under different names share a position [km]."""
    neighbour: float = 15.0
    """Sites of a set closer than this must differ in elevation as the ground does
    [km]."""
    gradient: float = 100.0
    """Without an elevation model, the steepest difference between neighbours
    [m/km]."""
    chance: float = 0.05
    """Degrees.minutes are suspected where decimal degrees would look like them with
    a smaller probability."""


_TOLERANCE = CoordinateTolerance()


def check_coordinates(
    points: gpd.GeoDataFrame | pd.DataFrame,
    *,
    elevation: xr.DataArray | None = None,
    region: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    by: str | None = None,
    tolerance: CoordinateTolerance = _TOLERANCE,
) -> pd.DataFrame:
    """Report what looks wrong in the positions of sites, without changing any.

    Parameters
    ----------
    points : GeoDataFrame of Points, or DataFrame with longitude and latitude
        Positions as printed, in decimal degrees if nothing is wrong. Used where
        present: ``name`` or ``site_id``, ``elevation`` [m].
    elevation : DataArray with dims (y, x), optional
        Elevation model with a CRS [m].
    region : GeoDataFrame or GeoSeries, optional
        Polygons, with a CRS, in which the sites should lie.
    by : str, optional
        Column of the sets whose positions were written in one way; ``kind`` or
        ``water`` where present, else all sites are one set.
    tolerance : CoordinateTolerance
        Bounds of the checks.

    Returns
    -------
    report : DataFrame
        One row a site (name and position), index of its first row: ``site``,
        ``set``; ``longitude``, ``latitude`` as printed and
        ``longitude_degrees_minutes``, ``latitude_degrees_minutes`` (NaN where a
        fraction is 60 minutes or more); ``elevation`` stated; ``ground`` and
        ``ground_degrees_minutes``, the model's elevation for either reading, with
        ``off`` and ``off_degrees_minutes``, how far the stated elevation lies from
        the range of the 3 x 3 cells there [m]; ``outside`` and
        ``outside_degrees_minutes``, distance from the region [km]; ``chance`` that
        decimal degrees would look so much like degrees.minutes by accident (of the
        set); ``flags``, comma-separated: degrees_minutes, swapped, elevation,
        outside_region, same_place, several_places, no_position; ``reason``.

    Raises
    ------
    InputError
        If there are no positions, or the column ``by`` is missing.
    MissingCRSError
        If the points as GeoDataFrame, the raster or the region have no CRS.

    Notes
    -----
    A fraction of a degree written as minutes is below .60. Of m different fractions
    in decimal degrees all are so with probability 0.6^m, which needs m >= 6 to fall
    below 5 %; whole degrees say nothing, and a coordinate with more than two
    decimals is held to be decimal. One fraction of .60 or more refutes the reading
    for its own site; where it occurs in a set, the other sites are suspected only if
    more of them fit than chance allows (binomial). A coarse elevation model
    smooths valleys: ``off`` supports a reading, it does not prove it.

    Examples
    --------
    >>> stations = pd.DataFrame({
    ...     "name": ["Zaduo", "Dari", "Maduo"],
    ...     "latitude": [32.53, 33.45, 34.55], "longitude": [95.17, 99.39, 98.13],
    ... })
    >>> report = check_coordinates(stations)
    >>> report["flags"].tolist(), round(float(report["chance"].iloc[0]), 3)
    (['degrees_minutes', 'degrees_minutes', 'degrees_minutes'], 0.047)
    >>> report["latitude_degrees_minutes"].round(3).tolist()
    [32.883, 33.75, 34.917]
    """
    sites = _sites(points, by)
    ground = None if elevation is None else flat_north_up(elevation)
    x, y = (sites[c].to_numpy(dtype=float) for c in ("longitude", "latitude"))
    stated = sites["elevation"].to_numpy(dtype=float)
    printed = read_as(x, y, stated, ground, region)
    minutes = read_as(*from_degrees_minutes(x, y), stated, ground, region)
    report = sites.assign(
        longitude_degrees_minutes=minutes.longitude,
        latitude_degrees_minutes=minutes.latitude,
        ground=printed.ground,
        ground_degrees_minutes=minutes.ground,
        off=printed.off,
        off_degrees_minutes=minutes.off,
        outside=printed.outside,
        outside_degrees_minutes=minutes.outside,
        chance=np.nan,
    )
    remarks: list[list[tuple[str, str]]] = [[] for _ in range(len(sites))]
    _remark_minutes(report, remarks, tolerance)
    _remark_swapped(report, remarks, ground, region)
    _remark_ground(report, remarks, tolerance)
    _remark_same_place(report, remarks, tolerance)
    report["flags"] = [
        ",".join(dict.fromkeys(f for f, _ in site if f)) for site in remarks
    ]
    report["reason"] = ["; ".join(words for _, words in site) for site in remarks]
    return report


def _sites(points: gpd.GeoDataFrame | pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Return one row a site: name, set, printed position, stated elevation."""
    if isinstance(points, gpd.GeoDataFrame):
        x, y = point_coordinates(points, LONLAT)
    elif {"longitude", "latitude"} <= set(points.columns):
        x, y = (points[c].to_numpy(dtype=float) for c in ("longitude", "latitude"))
    else:
        message = (
            "Coordinate check: no positions. Give a GeoDataFrame, or columns longitude "
            f"and latitude; columns found: {', '.join(map(str, points.columns))}."
        )
        raise InputError(message)
    if by is not None and by not in points.columns:
        found = ", ".join(map(str, points.columns))
        message = f"Coordinate check: no column '{by}'. Columns found: {found}."
        raise InputError(message)
    name = next((c for c in _NAMES if c in points.columns), None)
    sets = by or next((c for c in _SETS if c in points.columns), None)
    sites = pd.DataFrame(
        {
            "site": points.index.astype(str) if name is None else points[name],
            "set": "all" if sets is None else points[sets].astype(object),
            "longitude": x,
            "latitude": y,
            "elevation": points.get("elevation", np.nan),
        },
        index=points.index,
    )
    sites["set"] = sites["set"].fillna("")
    return sites.drop_duplicates(["site", "set", "longitude", "latitude"])


def _set_chance(report: pd.DataFrame) -> tuple[float, BoolArray, int, int]:
    """Return how likely a set of decimal degrees looks so, and which sites could be.

    The chance counts each different fraction once; with a fraction of .60 or more in
    the set it is the chance that so many sites are free of one.
    """
    x, y = (report[c].to_numpy(dtype=float) for c in ("longitude", "latitude"))
    fractions = np.round(np.abs([x, y]) - np.floor(np.abs([x, y])), 9)
    fine = np.abs(np.round(fractions, 2) - fractions) > 1e-6
    informative = np.isfinite(fractions) & (fractions > 0)
    high = informative & ((fractions >= MOST_MINUTES) | fine)
    could: BoolArray = np.any(informative, axis=0) & ~np.any(high, axis=0)
    different = {(i, v) for i in (0, 1) for v in np.unique(np.abs((x, y)[i])) if v % 1}
    n_high = int(high.sum())
    if n_high == 0:
        return 0.6 ** len(different), could, len(different), 0
    pairs = informative.any(axis=0)
    share = 0.6 ** float(informative[:, pairs].sum(axis=0).mean()) if pairs.any() else 1
    chance = float(binom.sf(could.sum() - 1, pairs.sum(), share))
    return chance, could, len(different), n_high


def _remark_minutes(
    report: pd.DataFrame,
    remarks: list[list[tuple[str, str]]],
    tolerance: CoordinateTolerance,
) -> None:
    """Suspect degrees.minutes by the fractions of a set, or by a site's elevation."""
    labels = report["set"].to_numpy()
    chances = np.full(len(report), np.nan)
    off = report["off"].to_numpy(dtype=float)
    gain = off - report["off_degrees_minutes"].to_numpy(dtype=float)
    bound = tolerance.elevation
    by_ground = (off > bound) & (gain > 0.5 * bound)
    for label in pd.unique(labels):
        rows = np.flatnonzero(labels == label)
        part = report.iloc[rows]
        chance, could, m, n_high = _set_chance(part)
        chances[rows] = chance
        sureness = "likely" if chance < 0.01 else "suspected"
        words = f"{_fractions(part, (chance, could, m, n_high))}{_support(part[could])}"
        for row, possible in zip(rows, could, strict=True):
            if possible and chance < tolerance.chance:
                reason = f"degrees.minutes {sureness}: {words}"
                remarks[row].append(("degrees_minutes", reason))
            elif by_ground[row]:
                reason = (
                    "degrees.minutes suspected by elevation alone: the stated "
                    f"elevation is {off[row]:.0f} m off the ground as printed, "
                    f"{off[row] - gain[row]:.0f} m as degrees.minutes"
                )
                remarks[row].append(("degrees_minutes", reason))
            elif possible and chance < 4 * tolerance.chance:
                reason = f"degrees.minutes possible, not proven: {words}"
                remarks[row].append(("", reason))
    report["chance"] = chances


def _fractions(part: pd.DataFrame, found: tuple[float, BoolArray, int, int]) -> str:
    """Return what the fractions of a set say, in words."""
    chance, could, m, n_high = found
    if n_high:
        return (
            f"{n_high} of {m} fractions in the set are .60 or more or finer than "
            f"minutes, yet {int(could.sum())} of {len(part)} sites could be "
            f"degrees.minutes (chance {chance:.2g})"
        )
    return (
        f"all {m} different fractions of the set lie below .60 (chance {chance:.2g} "
        "for decimal degrees)"
    )


def _support(part: pd.DataFrame) -> str:
    """Return what the elevations say for either reading, in words."""
    off = part[["off", "off_degrees_minutes"]].dropna()
    if off.empty:
        return ""
    printed, minutes = off.mean()
    closer = int((off["off_degrees_minutes"] < off["off"]).sum())
    farther = int((off["off_degrees_minutes"] > off["off"]).sum())
    return (
        f"; stated elevations are on average {printed:.0f} m off the ground as "
        f"printed, {minutes:.0f} m as degrees.minutes (closer at {closer}, farther at "
        f"{farther} of {len(off)} sites)"
    )


def _remark_swapped(
    report: pd.DataFrame,
    remarks: list[list[tuple[str, str]]],
    elevation: xr.DataArray | None,
    region: gpd.GeoDataFrame | gpd.GeoSeries | None,
) -> None:
    """Flag missing positions, and those that make sense only when exchanged."""
    x, y = (report[c].to_numpy(dtype=float) for c in ("longitude", "latitude"))
    lost = ~(np.isfinite(x) & np.isfinite(y))
    impossible = (np.abs(y) > 90) & (np.abs(x) <= 90) & (np.abs(y) <= 180)
    turned = distance_outside(y, x, region)
    ground, _, _ = ground_range(x, y, elevation)
    ground_turned, _, _ = ground_range(y, x, elevation)
    for row in range(len(report)):
        if lost[row]:
            remarks[row].append(("no_position", "longitude or latitude is missing"))
        elif impossible[row]:
            words = f"latitude {y[row]:g} is beyond 90, longitude {x[row]:g} would do"
            remarks[row].append(("swapped", f"exchanged? {words}"))
        elif turned[row] == 0 and report["outside"].iloc[row] > 0:
            words = "the site lies in the region only with the two exchanged"
            remarks[row].append(("swapped", words))
        elif np.isnan(ground[row]) and np.isfinite(ground_turned[row]):
            words = "the site lies on the elevation model only with the two exchanged"
            remarks[row].append(("swapped", words))


def _remark_ground(
    report: pd.DataFrame,
    remarks: list[list[tuple[str, str]]],
    tolerance: CoordinateTolerance,
) -> None:
    """Flag elevations off the ground, and sites outside the region."""
    columns = ("elevation", "ground", "off", "off_degrees_minutes")
    stated, ground, off, off_minutes = (
        report[name].to_numpy(dtype=float) for name in columns
    )
    outside, outside_minutes = (
        report[name].to_numpy(dtype=float)
        for name in ("outside", "outside_degrees_minutes")
    )
    for row in np.flatnonzero(off > tolerance.elevation):
        words = (
            f"stated elevation {stated[row]:.0f} m is {off[row]:.0f} m off the range "
            f"of the ground nearby ({ground[row]:.0f} m at the site)"
        )
        if np.isfinite(off_minutes[row]):
            words += f"; {off_minutes[row]:.0f} m as degrees.minutes"
        remarks[row].append(("elevation", words))
    for row in np.flatnonzero(outside > tolerance.region):
        words = f"{outside[row]:.3g} km outside the region"
        if np.isfinite(outside_minutes[row]):
            words += f" ({outside_minutes[row]:.3g} as degrees.minutes)"
        remarks[row].append(("outside_region", words))


def _remark_same_place(
    report: pd.DataFrame,
    remarks: list[list[tuple[str, str]]],
    tolerance: CoordinateTolerance,
) -> None:
    """Flag names that share a position, and positions that share a name."""
    x, y = (report[c].to_numpy(dtype=float) for c in ("longitude", "latitude"))
    placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (np.abs(y) <= 90))
    if len(placed) < 2:
        return
    angles = np.radians([x[placed], y[placed]])
    ring = np.cos(angles[1])
    sphere = np.stack(
        [ring * np.cos(angles[0]), ring * np.sin(angles[0]), np.sin(angles[1])], axis=1
    )
    reach = max(tolerance.neighbour, tolerance.same_place) / _EARTH_RADIUS * 1.01
    names, sets = report["site"].to_numpy(), report["set"].to_numpy()
    for a, b in sorted(cKDTree(sphere).query_pairs(reach)):
        i, j = int(placed[a]), int(placed[b])
        if names[i] == names[j] or sets[i] != sets[j]:
            continue
        distance = _WGS84.inv(x[i], y[i], x[j], y[j])[2] / 1000
        words = _same_place(report.iloc[i], report.iloc[j], distance, tolerance)
        if words:
            remarks[i].append(
                ("same_place", f"{distance:.1f} km from {names[j]}{words}")
            )
            remarks[j].append(
                ("same_place", f"{distance:.1f} km from {names[i]}{words}")
            )
    counts = report.groupby("site", dropna=True)["site"].transform("size")
    for row in np.flatnonzero((counts > 1).to_numpy()):
        words = f"{names[row]} stands at {int(counts.iloc[row])} positions"
        remarks[row].append(("several_places", words))


def _same_place(
    first: pd.Series, second: pd.Series, distance: float, tolerance: CoordinateTolerance
) -> str:
    """Return why two near sites are suspect together, "" where they are not."""
    if distance <= tolerance.same_place:
        return ", under another name"
    difference = float(first["elevation"] - second["elevation"])
    ground = float(first["ground"] - second["ground"])
    stated, apart = abs(difference), abs(difference - ground)
    limit = tolerance.elevation
    if np.isfinite(ground):
        strange = apart > limit and max(first["off"], second["off"]) > limit
    else:
        strange = stated > max(limit, tolerance.gradient * distance)
    if distance <= tolerance.neighbour and strange:
        return (
            f", yet their stated elevations differ by {stated:.0f} m "
            "as the ground there cannot: one may carry the other's position"
        )
    return ""
