"""Zones of a study on the grid of a correlation, and its shares of area in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.correlation.zone_shares import zone_shares
from geosoil.grids.align import align
from geosoil.grids.class_grid import classes_on_grid
from geosoil.grids.grid import Grid
from geosoil.grids.terrain_classes import elevation_bands
from geosoil.grids.zones import polygon_mask
from geosoil.strata import class_labels
from geosoil.workflow.inputs import StudyInputs

NO_CLASS = -9999
"""Code of cells without a class, as of classes drawn from polygons."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyZones:
    """Region and zones on one grid."""

    mask: xr.DataArray
    """Cells of the region."""
    codes: dict[str, xr.DataArray]
    """Code of the zone of each cell of the region, by the kind of zone."""
    labels: dict[str, dict[int, str]]
    """Label of each code, by the kind of zone."""


def study_zones(inputs: StudyInputs, grid: Grid) -> StudyZones:
    """Put the region and the zones of a study on a grid.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    grid : Grid
        Grid of a correlation.

    Returns
    -------
    zones : StudyZones
        "all"; elevation bands of the mean elevation of each cell; each layer of
        classes, by the class that covers most of the cell; basins, where the region
        has polygons of several names; those of one name are one basin.
    """
    mask = grid.raster(np.ones(grid.shape, dtype=bool), name="region")
    if inputs.region is not None:
        mask = polygon_mask(inputs.region, grid)
    whole = xr.ones_like(mask, dtype=np.int32)
    codes, labels = {"all": whole}, {"all": {1: "all"}}
    if inputs.elevation is not None:
        height = align(inputs.elevation, grid, method="area_average")
        edges = inputs.config.strata.elevation_edges
        codes["elevation_band"], labels["elevation_band"] = _bands(height, edges)
    for name, layer in inputs.layers.items():
        filled = layer.codes.fillna(NO_CLASS).astype(np.int32)
        filled.encoding.clear()
        placed = align(filled.assign_attrs(nodata=NO_CLASS), grid, method="area_mode")
        codes[name] = placed
        labels[name] = {int(code): label for code, label in layer.labels.items()}
    basins = _basins(inputs, grid)
    if basins is not None:
        codes["basin"], labels["basin"] = basins
    inside = {
        name: found.where(mask, NO_CLASS).astype(np.int32)
        for name, found in codes.items()
    }
    return StudyZones(mask, inside, labels)


def _bands(
    height: xr.DataArray, edges: tuple[float, ...]
) -> tuple[xr.DataArray, dict[int, str]]:
    """Return the elevation band of each cell, with one below and one above them all."""
    bands = elevation_bands(height, edges=edges).astype(np.int32)
    names = class_labels(edges)
    bands = bands.where(height >= edges[0], len(names) + 1)
    bands = bands.where(~(height >= edges[-1]), len(names) + 2)
    codes = bands.where(np.isfinite(height), 0).astype(np.int32)
    ends = {
        len(names) + 1: f"below {edges[0]:g}",
        len(names) + 2: f"{edges[-1]:g} and above",
    }
    return codes, dict(enumerate(names, start=1)) | ends


def _basins(
    inputs: StudyInputs, grid: Grid
) -> tuple[xr.DataArray, dict[int, str]] | None:
    """Return the basin of each cell, where the region has several named ones."""
    if inputs.region is None or "name" not in inputs.region:
        return None
    named = inputs.region[inputs.region["name"].notna()]
    numbers, names = pd.factorize(named["name"])
    if len(names) < 2:
        return None
    found = classes_on_grid(named.assign(code=numbers + 1), grid, overlap="first")
    labels = dict(enumerate(map(str, names), start=1))
    return found["code"].astype(np.int32), labels


def zone_table(
    maps: dict[tuple[str, str], xr.Dataset], zones: dict[str, StudyZones], y: str
) -> pd.DataFrame:
    """Summarise every map over every kind of zone.

    Parameters
    ----------
    maps : dict of (x, month name) to Dataset
        Correlations over time.
    zones : dict of x to StudyZones
        Zones on the grid of each variable's maps.
    y : str
        Variable that is explained.

    Returns
    -------
    table : DataFrame
        ``x``, ``y``, ``month``, ``by`` (the kind of zone) and the columns of
        `geosoil.correlation.zone_shares.zone_shares`; zones without a cell left out.
    """
    parts = []
    for (x, month), result in maps.items():
        for kind, codes in zones[x].codes.items():
            shares = zone_shares(
                result, codes, labels=zones[x].labels[kind], alpha=result.attrs["alpha"]
            )
            head = {"x": x, "y": y, "month": month, "by": kind}
            parts.append(shares[shares["cells"] > 0].assign(**head))
    table = pd.concat(parts, ignore_index=True)
    first = ["x", "y", "month", "by"]
    return table[[*first, *(name for name in table.columns if name not in first)]]
