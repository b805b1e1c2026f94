"""Read a layer of MODIS files and write it as one GeoTIFF, a band a date or month."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import xarray as xr
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geosoil import __version__
from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.align import Method, align
from geosoil.grids.composites import monthly_composite
from geosoil.grids.grid import SNAP, Grid
from geosoil.grids.zones import cell_area
from geosoil.io.geotiff import write_geotiff
from geosoil.io.modis import open_modis
from geosoil.io.quality_bits import Quality, QualityRule
from geosoil.workflow.gis_styles import write_styles

MOST_CELLS = 400_000_000
"""Cells of a target beyond which a unit has been mistaken."""


@dataclass(frozen=True, slots=True)
class NdviRequest:
    """What is asked of MODIS files.

    Examples
    --------
    >>> NdviRequest(months=("2020-06",)).layer
    'ndvi'
    """

    layer: str = "ndvi"
    """Layer, as in `geosoil.io.modis.open_modis`."""
    bbox: tuple[float, float, float, float] | None = None
    """Box (W, S, E, N) in degrees."""
    quality: str | QualityRule = "good"
    """Cells of a vegetation index that are kept: good, keep_snow, all, or a rule."""
    resolution: float | None = None
    """Side of a target cell in units of its system. Quantities are averaged by area
    when cells get coarser; else the containing cell is taken. The target's edges are
    whole multiples of the side."""
    crs: str | None = None
    """System of the target; that of the files without it."""
    months: tuple[str, ...] = ()
    """Calendar months, as "2020-06", that composites are averaged over; without them
    each date is a band."""


def ndvi_to_geotiff(
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    request: NdviRequest | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[Path, ...]:
    """Read a layer of MODIS files and write it as one GeoTIFF, a band a date or month.

    Parameters
    ----------
    paths : sequence of paths
        Files of one product: HDF-EOS2, GeoTIFF or NetCDF copies.
    output : path
        GeoTIFF to write.
    request : NdviRequest, optional
        Layer, box, quality, cells and months.
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    paths : tuple of Path
        The file written, with the tags ``layer``, ``product``, ``quality``, ``method``,
        ``source_files``, ``input_verified`` and ``geosoil_version``; with months also
        ``<name>_coverage.tif``, the share of each month that valid composites cover.
        Beside each lies its QGIS style, ``<name>.qml``.

    Raises
    ------
    GeosoilError
        If a file cannot be used, an argument is wrong or the output cannot be
        written; nothing is written then.
    """
    asked = request or NdviRequest()
    report = progress or _silent
    report(f"reading {len(paths)} {'file' if len(paths) == 1 else 'files'}")
    values = open_modis(
        paths, asked.layer, bbox=asked.bbox, quality=_quality(asked.quality)
    )
    method, coverage = "native grid", None
    if asked.months:
        report(f"averaging composites to {', '.join(asked.months)}")
        values, coverage = _monthly(values, asked.months)
        method = "mean over calendar months by days of overlap"
    if asked.crs is not None and asked.resolution is None:
        message = "Another system needs the side of a cell: give --grid with --to-crs."
        raise InputError(message)
    if asked.resolution is not None:
        report(f"resampling to cells of {asked.resolution:g}")
        values, how = _resampled(values, asked)
        method = how if coverage is None else f"{method}; {how}"
        if coverage is not None:
            coverage, _ = _resampled(coverage, asked)
    _warn_empty(values)
    report(f"writing {output}")
    tags = _tags(values, method)
    target = Path(output)
    written = [write_geotiff(values, target, tags=tags)]
    if coverage is not None:
        beside = target.with_name(f"{target.stem}_coverage{target.suffix}")
        written.append(write_geotiff(coverage, beside, tags=tags))
    write_styles(written)
    return tuple(written)


def custom_quality(max_usefulness: int, *, dropped: Collection[str]) -> QualityRule:
    """Make a rule of quality bits.

    Parameters
    ----------
    max_usefulness : int
        Highest usefulness kept, 0 to 15.
    dropped : collection of str
        Of adjacent_clouds, mixed_clouds, snow and shadow, whose cells are dropped.

    Returns
    -------
    rule : QualityRule
        The rule.

    Examples
    --------
    >>> custom_quality(2, dropped=["snow"]).snow
    False
    """
    return QualityRule(
        max_usefulness=max_usefulness,
        adjacent_clouds="adjacent_clouds" not in dropped,
        mixed_clouds="mixed_clouds" not in dropped,
        snow="snow" not in dropped,
        shadow="shadow" not in dropped,
    )


def _quality(asked: str | QualityRule) -> Quality | QualityRule:
    """Return a quality that the reader knows."""
    if isinstance(asked, QualityRule):
        return asked
    checked = [known for known in get_args(Quality) if known == asked]
    if not checked:
        message = f"Unknown quality '{asked}'. Give good, keep_snow, all or custom."
        raise InputError(message)
    found: Quality = checked[0]
    return found


def _monthly(
    values: xr.DataArray, months: tuple[str, ...]
) -> tuple[xr.DataArray, xr.DataArray]:
    """Mean over each month, and the share of its days that has valid composites."""
    if values.attrs["content"] != "quantity":
        message = (
            f"Layer '{values.attrs['layer']}' holds codes: a mean over a month has no "
            "meaning. Leave --month out."
        )
        raise InputError(message)
    monthly = monthly_composite(values, months=months)
    name = next(str(name) for name in monthly.data_vars if name != "coverage")
    kept = {**values.attrs, "content": "quantity"}
    found = monthly[name].assign_attrs({**kept, **monthly[name].attrs})
    return found, monthly["coverage"].assign_attrs(content="quantity")


def _warn_empty(values: xr.DataArray) -> None:
    """Warn where no cell has a value."""
    if not bool(values.notnull().any()):
        words = (
            f"No cell of layer '{values.attrs['layer']}' has a valid value here: all "
            "are fill, outside the valid range or screened by quality "
            f"'{values.attrs['quality']}'. Try another --bbox or --quality all."
        )
        warnings.warn(words, GeosoilWarning, stacklevel=3)


def _tags(values: xr.DataArray, method: str) -> dict[str, str]:
    """Return what the file says of its making."""
    return {
        "layer": values.attrs["layer"],
        "product": values.attrs["product"],
        "quality": values.attrs["quality"],
        "source_files": ", ".join(values.attrs["source_files"]),
        "input_verified": str(values.attrs.get("input_verified", "no")),
        "method": method,
        "software": f"geosoil {__version__}",
    }


def _silent(line: str) -> None:
    """Take a line of progress and say nothing."""
    del line


def _resampled(values: xr.DataArray, request: NdviRequest) -> tuple[xr.DataArray, str]:
    """Bring a stack onto cells of another side or system; say how."""
    target = _target(Grid.of(values), request)
    is_quantity = values.attrs["content"] == "quantity"
    method: Method = "nearest"
    # Cells of the sinusoidal grid lie askew: only exact overlap averages them right.
    if is_quantity and _is_coarser(Grid.of(values), target):
        method = "area_average"
    return align(values, target, method=method).assign_attrs(values.attrs), method


def _target(source: Grid, request: NdviRequest) -> Grid:
    """Grid of the result; its edges are whole multiples of the side of a cell."""
    crs = source.crs if request.crs is None else _system(request.crs)
    bounds = source.bounds
    if request.crs is not None:
        here = Transformer.from_crs(source.crs, crs, always_xy=True)
        bounds = here.transform_bounds(*source.bounds)
        if request.bbox is not None:
            there = Transformer.from_crs(4326, crs, always_xy=True)
            bounds = there.transform_bounds(*request.bbox)
    side = request.resolution
    limit = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    if side is None or not 0 < side <= limit:
        message = (
            f"Invalid resolution {side}. Give the side of a cell in units of "
            f"{crs.name}, above 0 and at most {limit:g}."
        )
        raise InputError(message)
    edges = [value / side for value in bounds]
    west, south = (math.floor(value + SNAP) for value in edges[:2])
    east, north = (math.ceil(value - SNAP) for value in edges[2:])
    cells = (east - west) * (north - south)
    if cells > MOST_CELLS:
        message = (
            f"Cells of {side:g} {crs.axis_info[0].unit_name} make {cells:,} cells of "
            f"{crs.name}. Give a larger side, or another system with --to-crs, for "
            "instance --to-crs EPSG:4326 --grid 0.05."
        )
        raise InputError(message)
    corners = (
        round(west * side, 10),
        round(south * side, 10),
        round(east * side, 10),
        round(north * side, 10),
    )
    return Grid.from_bounds(corners, side, crs.to_wkt())


def _system(name: str) -> CRS:
    """Coordinate reference system by its name."""
    try:
        return CRS.from_user_input(name)
    except CRSError as error:
        message = f"Unknown system '{name}'. Give for instance EPSG:4326."
        raise InputError(message) from error


def _is_coarser(source: Grid, target: Grid) -> bool:
    """Whether cells of the target are larger than those of the source."""
    if source.crs == target.crs:
        return max(target.resolution) > max(source.resolution) * (1 + SNAP)
    sizes = [
        float(cell_area(grid).mean())
        if grid.crs.is_geographic
        else math.prod(grid.resolution) / 1e6
        for grid in (source, target)
    ]
    return sizes[1] > sizes[0]
