"""Means that do not count a crowd of samples in one corner as the whole region."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import xarray as xr
from pyproj import CRS

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area
from geosoil.interpolation.base import (
    ALBERS,
    FittedPoints,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)

N_SIZES = 24
"""Cell sizes tried between the spacing of the samples and their extent."""
N_ORIGINS = 8
"""Origins of the cells, whose weights are averaged."""


def declustered_mean(
    points: Points,
    values: npt.ArrayLike,
    *,
    cell_size: float | None = None,
    region: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    surface: xr.DataArray | None = None,
) -> pd.DataFrame:
    """Set the sample mean beside means that weigh samples by the ground they stand for.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values; rows without a value or a place are left out.
    cell_size : float, optional
        Side of the cells of cell declustering [m]; by default 24 sizes are tried and
        the lowest and the highest mean told.
    region : GeoDataFrame or GeoSeries of polygons, optional
        Limits of the Voronoi polygons; the convex hull of the places by default. Needs
        points with a CRS.
    surface : DataArray with dims y, x, optional
        Map of the same quantity with a CRS, for its mean by area.

    Returns
    -------
    means : DataFrame
        ``kind``: "sample mean", "place mean" (values at one place averaged first),
        "cell-declustered mean" or, over the sizes, "lowest" and "highest
        cell-declustered mean", "Voronoi-weighted mean", "area-weighted map mean";
        ``mean``; ``n``, values, places or cells in it; ``n_effective``,
        1 / sum(weight**2); ``cell_size`` [m]; ``reason``, why a mean is NaN.

    Raises
    ------
    InputError
        If the cell size is not above 0, shapes differ, no point is left, or a region
        is given for bare metres.
    MissingCRSError
        If points, region or surface have no CRS.

    Notes
    -----
    Cell declustering: a place among k in its cell, of m cells that hold any, has the
    weight 1 / (m k), averaged over eight origins of the cells. With cells as small as
    the spacing, or as large as the region, it is the place mean again. Where the
    crowded places have high values the lowest mean over the sizes is the usual choice,
    where they have low ones the highest (Journel 1983); which of them holds is for the
    reader to say. No such mean knows the ground where nothing was sampled.

    References
    ----------
    Journel (1983), Nonparametric estimation of spatial distributions, Mathematical
    Geology 15, doi:10.1007/BF01031292.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [900.0, 900.0]]
    >>> means = declustered_mean(sites, [8.0, 8.0, 8.0, 2.0], cell_size=100.0)
    >>> means.set_index("kind")["mean"].round(2).to_dict()["cell-declustered mean"]
    5.0
    """
    crs = metric_crs(points, CRS.from_user_input(ALBERS))
    xy = positions(points, crs)
    merged = merge_points(xy, values)
    used = np.isfinite(np.asarray(values, dtype=np.float64)) & np.isfinite(xy).all(1)
    sample = np.asarray(values, dtype=np.float64)[used]
    places = merged.values  # noqa: PD011  a plain array
    rows = [
        _row("sample mean", sample, np.full(len(sample), 1.0 / len(sample))),
        _row("place mean", places, np.full(len(places), 1.0 / len(places))),
        *_cell_rows(merged, cell_size),
        _voronoi_row(merged, _outline(region, crs)),
    ]
    if surface is not None:
        rows.append(_map_row(surface))
    columns = ["kind", "mean", "n", "n_effective", "cell_size", "reason"]
    return pd.DataFrame(rows, columns=columns)


def cell_weights(xy: FloatArray, cell_size: float) -> FloatArray:
    """Weigh places by how many share their cell.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Different places [m].
    cell_size : float
        Side of the cells [m].

    Returns
    -------
    weights : array, shape (n,)
        Weights that sum to 1: 1 / (m k) for a place among k in one of m cells that
        hold any, averaged over eight origins.

    Raises
    ------
    InputError
        If the cell size is not above 0.

    References
    ----------
    Journel (1983), Nonparametric estimation of spatial distributions, Mathematical
    Geology 15, doi:10.1007/BF01031292.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [1.0, 0.0], [900.0, 0.0]])
    >>> cell_weights(xy, 200.0).round(3).tolist()
    [0.25, 0.25, 0.5]
    """
    if not cell_size > 0:
        message = f"Invalid cell_size '{cell_size}'. Give metres above 0."
        raise InputError(message)
    weights = np.zeros(len(xy))
    for step in range(N_ORIGINS):
        # Origins on the diagonal of a cell, half a step from its corner.
        shift = cell_size * (step + 0.5) / N_ORIGINS
        cells = np.floor((xy - xy.min(axis=0) + shift) / cell_size)
        _, number, count = np.unique(
            cells, axis=0, return_inverse=True, return_counts=True
        )
        weights += 1.0 / (len(count) * count[number.ravel()])
    return weights / N_ORIGINS


def voronoi_weights(
    xy: FloatArray, outline: shapely.Geometry | None = None
) -> FloatArray:
    """Weigh places by the area that lies nearer to them than to any other.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Different places [m].
    outline : polygon, optional
        Ground to be shared out, in the same metres; the convex hull of the places by
        default, in which those on the rim are given too little.

    Returns
    -------
    weights : array, shape (n,)
        Weights that sum to 1; NaN where the outline has no area, as with places on
        one line.

    References
    ----------
    Isaaks and Srivastava (1989), An Introduction to Applied Geostatistics, Oxford
    University Press, chapter 10.

    Examples
    --------
    >>> xy = np.array([[1.0, 1.0], [3.0, 1.0], [6.0, 1.0]])
    >>> voronoi_weights(xy, shapely.box(0, 0, 10, 2)).round(3).tolist()
    [0.2, 0.25, 0.55]
    """
    sites = shapely.MultiPoint(xy)
    ground = sites.convex_hull if outline is None else outline
    if shapely.area(ground) == 0:
        return np.full(len(xy), np.nan)
    if len(xy) == 1:
        return np.ones(1)
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=ground))
    tree = shapely.STRtree(cells)
    owner, cell = tree.query(shapely.points(xy), predicate="within")
    areas = np.zeros(len(xy))
    areas[owner] = shapely.area(shapely.intersection(cells[cell], ground))
    weights: FloatArray = areas / areas.sum()
    return weights


def _row(
    kind: str,
    values: FloatArray,
    weights: FloatArray,
    *,
    cell_size: float = float("nan"),
    reason: str = "",
) -> dict[str, object]:
    """Return one mean with the number of values that it rests on."""
    return {
        "kind": kind,
        "mean": float(weights @ values),
        "n": len(values),
        "n_effective": float(1.0 / np.sum(weights**2)),
        "cell_size": cell_size,
        "reason": reason,
    }


def _cell_rows(
    merged: FittedPoints, cell_size: float | None
) -> list[dict[str, object]]:
    """Return the mean of one cell size, or the lowest and highest of several."""
    values, xy = merged.values, merged.xy  # noqa: PD011  a plain array
    if cell_size is not None:
        weights = cell_weights(xy, cell_size)
        return [_row("cell-declustered mean", values, weights, cell_size=cell_size)]
    extent = float(np.ptp(xy, axis=0).max())
    if extent == 0:
        sizes = np.array([1.0])
    else:
        sizes = np.geomspace(extent / (2.0 * np.sqrt(len(xy))), extent, N_SIZES)
    every = [cell_weights(xy, float(size)) for size in sizes]
    means = [float(weights @ values) for weights in every]
    found = {"lowest": int(np.argmin(means)), "highest": int(np.argmax(means))}
    return [
        _row(
            f"{word} cell-declustered mean",
            values,
            every[order],
            cell_size=float(sizes[order]),
        )
        for word, order in found.items()
    ]


def _outline(
    region: gpd.GeoDataFrame | gpd.GeoSeries | None, crs: CRS | None
) -> shapely.Geometry | None:
    """Return the region as one shape in the metres of the points."""
    if region is None:
        return None
    if crs is None:
        message = "The points are in bare metres, the region has a CRS. Give both one."
        raise InputError(message)
    if region.crs is None:
        message = "The region has no coordinate reference system. Use .set_crs."
        raise MissingCRSError(message)
    return shapely.union_all(region.geometry.to_crs(crs).to_numpy())


def _voronoi_row(
    merged: FittedPoints, outline: shapely.Geometry | None
) -> dict[str, object]:
    """Return the mean by Voronoi polygons."""
    weights = voronoi_weights(merged.xy, outline)
    reason = "" if np.isfinite(weights).all() else "the places enclose no area"
    values = merged.values  # noqa: PD011  a plain array
    return _row("Voronoi-weighted mean", values, weights, reason=reason)


def _map_row(surface: xr.DataArray) -> dict[str, object]:
    """Return the mean of a map by the area of its cells."""
    area = cell_area(Grid.of(surface)).to_numpy()
    values = surface.transpose("y", "x").to_numpy().astype(np.float64)
    there = np.isfinite(values)
    kind = "area-weighted map mean"
    if not there.any():
        nothing = np.full(1, np.nan)
        row = _row(kind, nothing, nothing, reason="the map holds no value")
        return row | {"n": 0}
    return _row(kind, values[there], area[there] / area[there].sum())
