"""Shares of area by sign and significance of a correlation, zone by zone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.grids.zones import cell_area

SIGNS = {"positive": 1.0, "negative": -1.0}


def zone_shares(
    correlation: xr.Dataset,
    zones: xr.DataArray,
    *,
    labels: Mapping[int, str],
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Summarise a map of correlation over zones, by the area of its cells.

    Parameters
    ----------
    correlation : Dataset with dims (y, x)
        ``r``, NaN where there is none; where there are, ``p_value`` and
        ``significant``, which cells are after a false discovery rate.
    zones : DataArray of whole numbers with dims (y, x)
        Code of the zone of each cell, on the same grid.
    labels : mapping of code to label
        Zones to summarise; cells of other codes are left out.
    alpha : float
        Level at which single cells are significant.

    Returns
    -------
    table : DataFrame
        One row a zone, in the order of the labels: ``zone``; ``cells`` and
        ``area_km2`` of the zone; ``answered_km2``, where r is known, of which are the
        shares [1] ``share_positive``, ``share_negative``,
        ``share_significant_positive`` and ``_negative`` (p < alpha), and
        ``share_fdr_positive`` and ``_negative`` (after the false discovery rate);
        ``median_r`` over the answered cells. Shares and median are NaN where nothing is
        answered, shares of what the correlation has not also.

    Raises
    ------
    GridMismatchError
        If the zones lie on another grid.
    InputError
        If there is no ``r``, or the level cannot be.

    Notes
    -----
    An area, and not a number of cells: on longitude and latitude cells of the north
    are smaller. Zero counts as neither sign.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:3857")
    >>> r = grid.raster([[0.9, -0.2, np.nan]], name="r")
    >>> found = zone_shares(r.to_dataset(), grid.raster([[1, 1, 1]]), labels={1: "all"})
    >>> found[["zone", "cells", "share_positive", "median_r"]].values.tolist()
    [['all', 3, 0.5, 0.35]]
    """
    _check(correlation, zones, alpha)
    area = cell_area(Grid.of(correlation["r"])).to_numpy()
    codes = zones.transpose("y", "x").to_numpy()
    maps = correlation.transpose("y", "x")
    r = maps["r"].to_numpy()
    chosen = {"": np.isfinite(r)}
    if "p_value" in maps:
        chosen["significant_"] = maps["p_value"].to_numpy() < alpha
    if "significant" in maps:
        chosen["fdr_"] = maps["significant"].to_numpy().astype(bool)
    rows = []
    for code, label in labels.items():
        inside = codes == code
        answered = inside & np.isfinite(r)
        total = float(area[answered].sum())
        row: dict[str, object] = {
            "zone": label,
            "cells": int(inside.sum()),
            "area_km2": float(area[inside].sum()),
            "answered_km2": total,
            "median_r": float(np.median(r[answered])) if answered.any() else np.nan,
        }
        for level in ("", "significant_", "fdr_"):
            for sign, factor in SIGNS.items():
                share = np.nan
                if level in chosen and total > 0:
                    there = answered & chosen[level] & (factor * r > 0)
                    share = float(area[there].sum()) / total
                row[f"share_{level}{sign}"] = share
        rows.append(row)
    return pd.DataFrame(rows)


def _check(correlation: xr.Dataset, zones: xr.DataArray, alpha: float) -> None:
    """Raise on a dataset, zones or a level that cannot be."""
    if "r" not in correlation:
        message = (
            f"No variable 'r' among {', '.join(map(str, correlation.data_vars))}. Give "
            "the result of a correlation."
        )
        raise InputError(message)
    if not 0 < alpha < 1:
        message = f"Invalid alpha '{alpha}'. Give a level above 0 and below 1."
        raise InputError(message)
    if zones.dtype.kind not in "iub":
        message = (
            f"Zones '{zones.name}' are {zones.dtype}, no whole numbers. Give codes."
        )
        raise InputError(message)
    check_same_grid(
        Grid.of(correlation["r"]), Grid.of(zones), what="correlation and zones"
    )
