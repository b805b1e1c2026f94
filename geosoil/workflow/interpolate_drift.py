"""Rasters that values follow, and elevation, brought onto the grid of a map."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import xarray as xr

from geosoil.errors import GeosoilError, InputError
from geosoil.grids.align import align
from geosoil.grids.grid import SNAP, Grid, check_same_grid
from geosoil.grids.resampling import Method
from geosoil.grids.zones import cell_area
from geosoil.io._window import bounds_in_degrees
from geosoil.io.geotiff import read_geotiff
from geosoil.workflow.faults import raise_all
from geosoil.workflow.interpolate_grid import wide_grid
from geosoil.workflow.interpolate_request import InterpolateRequest

ELEVATIONS = ("elevation", "dem", "elev", "altitude", "height")
"""Names of a drift that is the elevation."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRasters:
    """Drift and elevation on the grid of a map."""

    wide: xr.Dataset | None
    """Drift on the cells of the grid and around, so that it holds the points."""
    drift: xr.Dataset | None
    """Drift on the grid."""
    elevation: xr.DataArray | None
    """Elevation on the grid [m]."""
    files: tuple[Path, ...]
    """Files read."""
    words: tuple[str, ...]
    """What was done to them."""

    @property
    def covariates(self) -> xr.Dataset | None:
        """The drift without the elevation; None where nothing is left."""
        if self.drift is None:
            return None
        names = [n for n in self.drift.data_vars if str(n).lower() not in ELEVATIONS]
        return self.drift[names] if names else None


def open_rasters(
    request: InterpolateRequest,
    grid: Grid,
    points: gpd.GeoDataFrame,
    report: Callable[[str], None],
) -> OpenedRasters:
    """Read the drift and the elevation, and bring them onto the grid.

    Parameters
    ----------
    request : InterpolateRequest
        What is asked.
    grid : Grid
        Grid of the map.
    points : GeoDataFrame
        Points with places.
    report : callable
        Called with a line a raster.

    Returns
    -------
    rasters : OpenedRasters
        Averages by area where cells grow, between cells where they shrink.

    Raises
    ------
    GeosoilError
        If rasters cannot be used; all of them are told at once.
    """
    paths = request.drift_paths
    heights = {} if request.elevation is None else {"elevation": request.elevation}
    if not paths and not heights:
        return OpenedRasters(None, None, None, (), ())
    wide, (row, column) = wide_grid(grid, points)
    placed: dict[str, xr.DataArray] = {}
    faults: list[GeosoilError] = []
    words = []
    wanted = {**paths, **{name: Path(path) for name, path in heights.items()}}
    for name, path in wanted.items():
        report(f"reading {path}")
        try:
            raster, how = _on_grid(path, wide)
            placed[name] = raster.rename(name)
            words.append(f"{name} ({path.name}): {how}")
        except GeosoilError as error:
            faults.append(error)
    raise_all(faults, what="rasters")
    rows, columns = grid.shape
    part = {"y": slice(row, row + rows), "x": slice(column, column + columns)}
    here = {
        name: grid.georeference(raster.isel(part)).rename(name)
        for name, raster in placed.items()
    }
    for raster in here.values():
        check_same_grid(Grid.of(raster), grid, what="drift and map")
    height = next((here[n] for n in here if n.lower() in ELEVATIONS), None)
    return OpenedRasters(
        _dataset(placed, paths),
        _dataset(here, paths),
        height,
        tuple(wanted.values()),
        tuple(words),
    )


def _dataset(
    rasters: dict[str, xr.DataArray], names: dict[str, Path]
) -> xr.Dataset | None:
    """Return the rasters of some names as one dataset; None for none."""
    return xr.Dataset({name: rasters[name] for name in names}) if names else None


def _on_grid(path: Path, grid: Grid) -> tuple[xr.DataArray, str]:
    """Read a raster around a grid and bring it there; say how."""
    raster = read_geotiff(path, classes=False, bbox=bounds_in_degrees(grid))
    if raster.dims != ("y", "x"):
        message = (
            f"'{path}' has several bands ({dict(raster.sizes)}); a drift is one band. "
            "Take one out, for instance with gdal_translate -b 1."
        )
        raise InputError(message)
    source = Grid.of(raster)
    try:
        check_same_grid(source, grid)
    except InputError:
        method = _method(source, grid)
        how = {
            "area_average": "averages of its cells by area",
            "bilinear": "between the centres of its cells",
        }[method]
        return align(raster.astype(float), grid, method=method), how
    return raster.astype(float), "its own cells"


def _method(source: Grid, grid: Grid) -> Method:
    """Average where cells of the grid are larger than those of the raster."""
    sizes = [
        float(cell_area(one).mean())
        if one.crs.is_geographic
        else math.prod(one.resolution) / 1e6
        for one in (source, grid)
    ]
    return "area_average" if sizes[1] > sizes[0] * (1 + SNAP) else "bilinear"
