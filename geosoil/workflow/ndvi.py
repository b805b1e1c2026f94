"""Read a layer of MODIS files and write it as one GeoTIFF, a band a date or month."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import xarray as xr

from geosoil import __version__
from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.align import Method, align
from geosoil.grids.composites import monthly_composite
from geosoil.grids.grid import SNAP, Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.io.modis import open_modis
from geosoil.io.quality_bits import Quality, QualityRule


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
    """Side of a target cell in units of the files' CRS. Quantities are averaged by
    area when cells get coarser; else the containing cell is taken. The target's edges
    are whole multiples of the side."""
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
    if asked.resolution is not None:
        report(f"resampling to cells of {asked.resolution:g}")
        values, how = _resampled(values, asked.resolution)
        method = how if coverage is None else f"{method}; {how}"
        if coverage is not None:
            coverage, _ = _resampled(coverage, asked.resolution)
    _warn_empty(values)
    report(f"writing {output}")
    tags = _tags(values, method)
    target = Path(output)
    written = [write_geotiff(values, target, tags=tags)]
    if coverage is not None:
        beside = target.with_name(f"{target.stem}_coverage{target.suffix}")
        written.append(write_geotiff(coverage, beside, tags=tags))
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


def _resampled(values: xr.DataArray, resolution: float) -> tuple[xr.DataArray, str]:
    """Bring a stack onto cells of another side; say how."""
    source = Grid.of(values)
    limit = max(
        source.bounds[2] - source.bounds[0], source.bounds[3] - source.bounds[1]
    )
    if not 0 < resolution <= limit:
        message = (
            f"Invalid resolution {resolution:g}. Give the side of a cell in units of "
            f"the files' CRS, above 0 and at most {limit:g}."
        )
        raise InputError(message)
    edges = [value / resolution for value in source.bounds]
    west, south = (math.floor(value + SNAP) for value in edges[:2])
    east, north = (math.ceil(value - SNAP) for value in edges[2:])
    bounds = (
        round(west * resolution, 10),
        round(south * resolution, 10),
        round(east * resolution, 10),
        round(north * resolution, 10),
    )
    target = Grid.from_bounds(bounds, resolution, source.crs.to_wkt())
    coarser = resolution > max(source.resolution) * (1 + SNAP)
    is_quantity = values.attrs["content"] == "quantity"
    # Cells of the sinusoidal grid lie askew: only exact overlap averages them right.
    method: Method = "area_average" if coarser and is_quantity else "nearest"
    return align(values, target, method=method).assign_attrs(values.attrs), method
