"""Open MODIS layers from HDF-EOS2 files, GeoTIFFs and NetCDF copies as one stack."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import FileFormatError, InputError
from geosoil.io._memory import half_of_memory
from geosoil.io._modis_reading import each, lazy_stack, read_stack
from geosoil.io._modis_source import Source, open_source
from geosoil.io._modis_stack import Plan, check_budget, plan_stack
from geosoil.io._screening import Screening
from geosoil.io._window import NoOverlapError, check_bbox
from geosoil.io.checksums import check_inputs
from geosoil.io.granule_names import platform_of, short_name
from geosoil.io.modis_options import ModisOptions
from geosoil.io.quality_bits import Quality, QualityRule, check_quality
from geosoil.variables import VARIABLES

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_PURE_NUMBERS = ("", "ndvi", "evi", "reflectance", "ratio", "none", "n/a", "rank")
_UNITS = {
    "deg": "degree",
    "degrees": "degree",
    "kelvin": "K",
    "hrs": "h",
    "meters": "m",
    "bit field": "1",
}


def open_modis(
    paths: Paths,
    layer: str = "ndvi",
    *,
    bbox: tuple[float, float, float, float] | None = None,
    quality: Quality | QualityRule = "good",
    options: ModisOptions | None = None,
) -> xr.DataArray:
    """Open a layer of one or many MODIS files.

    Parameters
    ----------
    paths : path or iterable of paths
        HDF-EOS2 files (.hdf), GeoTIFFs made from them (AppEEARS) or NetCDF copies
        (OPeNDAP), of one product, collection and grid. The date comes from the name
        (AYYYYDDD, YYYY_DDD, doyYYYYDDD) or from the file's own metadata. Several
        tiles of one date become one mosaic.
    layer : str
        Short name ("ndvi", "evi", "vi_quality", "pixel_reliability", "lst_day_1km"),
        the name in the file, or GRID:LAYER where several grids have it.
    bbox : tuple = (W, S, E, N), optional
        Box in degrees; every cell that it touches is read. The native grid is kept:
        on a sinusoidal grid this is the window around the projected box.
    quality : {"good", "keep_snow", "all"} or QualityRule
        Cells kept by the layer "pixel reliability": good and marginal; snow and ice
        too; or all that were observed. Without that layer "VI Quality" is used;
        without both nothing is screened. A rule is applied to the bits of VI Quality.
    options : ModisOptions, optional
        Estimated cells (dropped whatever the quality, by default), checksums, lazy
        reading, budget of memory.

    Returns
    -------
    values : DataArray, dims (time, y, x)
        Scaled values in order of time, NaN where missing, y from north to south, CRS
        set. attrs: ``units``, ``long_name``, ``layer``, ``grid``, ``product``,
        ``content`` ("quantity", or "code" for ranks and bit fields), ``quality`` (the
        preset applied, or "none"), ``source_files``, ``collection`` and
        ``input_verified`` ("yes" where every file agrees with a checksum beside it).
        A single file without a date has the time NaT. Where Terra and Aqua are
        mixed, the coordinate ``platform`` names the satellite of each date.

    Raises
    ------
    MissingFileError
        If a file is absent.
    FileFormatError
        If a file is damaged, of another format or product, lacks the layer, or
        differs from the checksum beside it. All bad files are reported at once.
    GridMismatchError
        If the files lie on different grids, or a date lacks a tile; all are listed.
    InputError
        If an argument is wrong, the box lies outside, dates repeat, or the stack is
        larger than the budget of memory.

    Notes
    -----
    Order: fill and valid range on the stored numbers, then scaling. A ``scale_factor``
    above 1 divides, one below 1 multiplies. MOD13 and MYD13 are checked against the
    product's own scale [1]_, and NDVI outside -0.2 to 1 is refused. Tiles are placed
    by whole cells, without resampling; where two files of one date share cells, they
    must agree. Tiles that the box does not touch are left out.

    References
    ----------
    .. [1] Didan, K. and Barreto Munoz, A. (2019). MODIS Vegetation Index User's Guide
       (MOD13 series), version 3.10, Collection 6.1. University of Arizona.

    Examples
    --------
    >>> open_modis([])
    Traceback (most recent call last):
    ...
    geosoil.errors.InputError: No files were given. Give at least one MODIS file.
    """
    files = _files(paths)
    check_quality(quality)
    settings = options or ModisOptions()
    box = None if bbox is None else check_bbox(bbox)
    screening = Screening(quality, settings.estimated)

    def opened(path: Path) -> Source:
        verified = _verified(path, settings)
        source = open_source(path, layer, box=box, screening=screening)
        return dataclasses.replace(source, verified=verified)

    sources = _touched(each(files, opened, allowed=NoOverlapError))
    verified = all(source.verified for source in sources)
    plan = plan_stack(sources)
    stack = _values(plan, settings)
    times = np.array(
        [np.datetime64("NaT") if date is None else date for date in plan.dates],
        dtype="datetime64[ns]",
    )
    name = short_name(sources[0].attrs["layer"])
    values = xr.DataArray(
        stack,
        dims=("time", "y", "x"),
        coords={"time": pd.DatetimeIndex(times, name="time")},
        name=name,
        attrs=_attrs(sources, name) | {"input_verified": "yes" if verified else "no"},
    )
    # Labelling the values themselves would copy them three times.
    labels = plan.grid.georeference(cast("xr.DataArray", xr.Dataset()))
    values = values.assign_coords(labels.coords)
    platforms = _platforms(plan)
    if len(set(platforms)) > 1:
        values = values.assign_coords(platform=("time", platforms))
    values.encoding["grid_mapping"] = "spatial_ref"
    return values


def _files(paths: Paths) -> list[Path]:
    """Return the paths as a list without repetitions."""
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    files = list(dict.fromkeys(Path(path) for path in paths))
    if not files:
        message = "No files were given. Give at least one MODIS file."
        raise InputError(message)
    return files


def _verified(path: Path, options: ModisOptions) -> bool:
    """Compare a file with the checksum beside it, as the options say."""
    if options.checksums == "ignore":
        return False
    verified = check_inputs([path])
    if options.checksums == "require" and not verified:
        message = (
            f"'{path}' has no checksum beside it (FILE.xml, .cmr.xml, .cksum, .md5 or "
            ".sha256). Download one with it, or do not require checksums."
        )
        raise FileFormatError(message)
    return verified


def _touched(found: list[Source | Exception]) -> list[Source]:
    """Return the files that the box touches; raise where none is."""
    sources = [source for source in found if isinstance(source, Source)]
    outside = [str(error) for error in found if not isinstance(error, Source)]
    if not sources:
        lines = "\n".join(f"- {line}" for line in outside)
        several = f"None of {len(found)} files covers the bbox:\n{lines}"
        raise InputError(outside[0] if len(outside) == 1 else several)
    return sources


def _values(plan: Plan, options: ModisOptions) -> Any:  # noqa: ANN401
    """Read the stack now, or return an array that reads it when it is used."""
    if options.reading == "now":
        check_budget(plan, options.memory_budget, fields=plan.shape[0])
        return read_stack(plan)
    check_budget(plan, options.memory_budget, fields=1)
    budget = options.memory_budget or half_of_memory()
    return lazy_stack(plan, budget // 4)


def _platforms(plan: Plan) -> list[str]:
    """Return the satellite of each date."""
    names = [set[str]() for _ in plan.dates]
    for block in plan.blocks:
        for place in block.places:
            names[place].add(platform_of(block.source.product))
    return [", ".join(sorted(found)) for found in names]


def _attrs(sources: list[Source], name: str) -> dict[str, Any]:
    """Return the attributes of the stack."""
    first = sources[0]
    known = VARIABLES.get(name)
    units = first.attrs["units"].strip("\x00 ")
    plain = units.lower()
    attrs: dict[str, Any] = {
        "units": "1" if plain in _PURE_NUMBERS else _UNITS.get(plain, units),
        "long_name": first.attrs["long_name"].strip("\x00 ") or first.attrs["layer"],
    }
    if known:
        attrs = {"units": known.units, "long_name": known.long_name}
        if known.standard_name:
            attrs["standard_name"] = known.standard_name
    for key in ("layer", "grid", "corners", "content"):
        if key in first.attrs:
            attrs[key] = first.attrs[key]
    products = sorted({source.product for source in sources if source.product})
    attrs["product"] = ", ".join(products) or "unknown"
    attrs["quality"] = ", ".join(sorted({source.applied for source in sources}))
    collections = {source.collection for source in sources if source.collection}
    if collections:
        attrs["collection"] = ", ".join(sorted(collections))
    attrs["source_files"] = [source.path.name for source in sources]
    return attrs
