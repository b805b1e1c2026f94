"""Write what a correlation of two files gave: rasters, NetCDF, table and figure."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geosoil import __version__
from geosoil.io._atomic import write_bytes, write_csv
from geosoil.io.class_sidecar import with_sidecars
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.correlation_maps import (
    figure_correlation,
    figure_correlation_maps,
)
from geosoil.plotting.style import render
from geosoil.workflow.class_colours import flag_colours
from geosoil.workflow.correlate_inputs import OpenedSeries
from geosoil.workflow.correlate_request import CorrelateRequest
from geosoil.workflow.gis_styles import write_styles
from geosoil.workflow.records import write_command_record

INFIX = {"time": "", "window": "_window", "weighted": "_gw", "rain": ""}
"""What the names of files say of the kind of correlation."""

Maps = Mapping[str, xr.Dataset]


def write_correlation(
    maps: Maps,
    summary: pd.DataFrame,
    opened: OpenedSeries,
    request: CorrelateRequest,
    folder: Path,
) -> tuple[Path, ...]:
    """Write every result of a correlation.

    Parameters
    ----------
    maps : mapping of month to Dataset
        Results; "" for all dates together.
    summary : DataFrame
        One row a map.
    opened : OpenedSeries
        The series, for names and support.
    request : CorrelateRequest
        What was asked.
    folder : Path
        Where files go.

    Returns
    -------
    paths : tuple of Path
        Files written.
    """
    paths = [
        write_geotiff(
            layer, path, description=words, tags=tags, colours=flag_colours(layer)
        )
        for layer, path, words, tags in _layers(maps, opened, request, folder)
    ]
    paths += write_styles(paths)
    title = f"{request.method} correlation of {' and '.join(opened.names)}"
    content = _one_dataset(maps)
    paths.append(
        write_netcdf(content, folder / "correlation.nc", attrs=_tags(opened, title))
    )
    paths.append(write_csv(summary, folder / "correlation_summary.csv"))
    if request.kind != "rain":
        paths.append(write_bytes(_figure(maps, opened), folder / "correlation.png"))
    paths = with_sidecars(paths)
    record = write_command_record(asdict(request), opened.files, paths, folder)
    paths.append(record)
    return tuple(paths)


def _layers(
    maps: Maps, opened: OpenedSeries, request: CorrelateRequest, folder: Path
) -> Iterator[tuple[xr.DataArray, Path, str, dict[str, object]]]:
    """Each raster with its file, description and tags."""
    x, y = opened.names
    for month, result in maps.items():
        when = f"_{month}" if month else ""
        what = "response" if request.kind == "rain" else "correlation"
        stem = f"{what}_{x}_{y}{when}{INFIX[request.kind]}"
        for name in map(str, result.data_vars):
            layer = result[name]
            if layer.dims != ("y", "x") or name == "significant":
                continue
            if name.endswith("reason"):
                layer = layer.astype(np.uint8)
            words = f"{layer.attrs.get('long_name', name)} {month}".strip()
            kind = str(result.attrs.get("kind", ""))
            tags = _tags(opened, f"{result.attrs.get('method', '')} {kind}".strip())
            tags |= {key: result.attrs[key] for key in _TAGGED if key in result.attrs}
            tags |= {"period": month} if month else {}
            yield layer, folder / f"{stem}_{name}.tif", words, tags


_TAGGED = ("dates", "lag", "min_pairs", "detrended", "controls", "window", "fdr",
           "p_star", "rule", "p_from", "lags_tried", "correction",
           "flag_meanings")  # fmt: skip
"""Attributes of a result that its rasters carry as tags."""


def _tags(opened: OpenedSeries, method: str) -> dict[str, object]:
    """Return what every file says of its making."""
    return {
        "method": method,
        "variables": ", ".join(opened.names),
        "support_x": opened.x.attrs.get("support", ""),
        "support_y": opened.y.attrs.get("support", ""),
        "inputs": ", ".join(file.name for file in opened.files[:20]),
        "software": f"geosoil {__version__}",
    }


def _one_dataset(maps: Maps) -> xr.Dataset:
    """Return the results of all months in one dataset."""
    if len(maps) == 1:
        return next(iter(maps.values()))
    numbers = [list(calendar.month_name).index(name) for name in maps]
    return xr.concat(
        list(maps.values()),
        xr.DataArray(numbers, dims="month", name="month"),
        combine_attrs="drop_conflicts",
    )


def _figure(maps: Maps, opened: OpenedSeries) -> bytes:
    """Draw the map, or the maps of the months side by side."""
    pair = " and ".join(in_words(name) for name in opened.names)
    first = next(iter(maps.values()))
    title = f"Correlation of {pair}"
    note = str(first.attrs.get("dates", ""))
    if len(maps) == 1:
        return render(figure_correlation(first, title=title, note=note))
    panels = {(pair, month): found for month, found in maps.items()}
    return render(figure_correlation_maps(panels, title=title, note=note))
