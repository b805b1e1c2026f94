"""Write the content of a raster as a cloud-optimised GeoTIFF and compare it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from pyproj import CRS, Transformer
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geosoil.grids.grid import Grid
from geosoil.io._bands import BLOCK, Content, Strip, strip_rows
from geosoil.io._statistics import Statistics

Colours = dict[int, tuple[int, int, int, int]]

_OPTIONS = {
    "compress": "deflate",
    "predictor": "yes",
    "blocksize": BLOCK,
    "bigtiff": "if_safer",
    "num_threads": min(4, os.cpu_count() or 1),
}


def write_cog(content: Content, part: Path, *, colours: Colours) -> str:
    """Write a file and read it again.

    Parameters
    ----------
    content : Content
        All that the file shall hold.
    part : Path
        File to write.
    colours : dict of int to (red, green, blue, alpha)
        Colour table; empty for none.

    Returns
    -------
    fault : str
        What went wrong, or in what the file differs from its content; "" if nothing.

    Notes
    -----
    The numbers are handed to GDAL strip by strip, so that beside the raster only one
    more copy, in the type of the file, is held in memory.
    """
    with rasterio.Env(GDAL_PAM_ENABLED="NO"):
        try:
            with rasterio.open("", "w", driver="MEM", **content.profile) as memory:
                statistics = _fill(memory, content)
                if colours:
                    memory.write_colormap(1, colours)
                _copy(memory, part, content)
            return _difference(content, statistics, part)
        except (RasterioError, OSError) as error:
            return str(error)


def _fill(memory: Any, content: Content) -> list[dict[str, str]]:  # noqa: ANN401
    """Hand numbers and words to a dataset in memory; return each band's statistics."""
    bands = [Statistics() for _ in content.descriptions]
    for strip in content.strips():
        memory.write(strip.numbers, strip.band, window=_window(strip))
        bands[strip.band - 1].add(strip.numbers, nodata=content.nodata)
    statistics = [band.metadata() for band in bands]
    memory.update_tags(**content.tags)
    for band, text in enumerate(content.descriptions, start=1):
        memory.set_band_description(band, text)
        memory.set_band_unit(band, content.units)
        memory.update_tags(band, **statistics[band - 1])
    return statistics


def _copy(memory: Any, part: Path, content: Content) -> None:  # noqa: ANN401
    """Let GDAL write the file."""
    try:
        rasterio.shutil.copy(
            memory,
            part,
            driver="COG",
            **_OPTIONS,
            **_overview_options(content),
        )
    except MemoryError:
        raise
    except Exception as error:
        # The errors of GDAL that arrive here have no public class of their own.
        raise RasterioError(str(error)) from error


def _overview_options(content: Content) -> dict[str, object]:
    """Return what GDAL is told of overviews."""
    levels = _levels(content.values.shape)
    if not levels:
        return {"overviews": "none"}
    return {"overview_count": levels, "overview_resampling": content.overviews}


def _levels(shape: Sequence[int]) -> int:
    """Count the halvings until a raster fits into a block, or is one cell wide."""
    short, long = sorted(shape[-2:])
    levels = 0
    while -(-long // 2**levels) > BLOCK and short // 2 ** (levels + 1) > 0:
        levels += 1
    return levels


def _window(strip: Strip) -> Window:
    """Return the place of a strip in the file."""
    height, width = strip.numbers.shape
    return Window(0, strip.rows.start, width, height)


def _difference(content: Content, statistics: list[dict[str, str]], part: Path) -> str:
    """Say in what a written file differs from what it should hold, "" if nothing."""
    wanted = {
        "size": content.values.shape,
        "type": {content.dtype.name},
        "transform": tuple(content.grid.transform),
        "nodata": {content.nodata},
        "band descriptions": content.descriptions,
        "units": {content.units},
        "tags": _words(content.tags),
        "statistics": statistics,
        "overviews": {_levels(content.values.shape)},
        "end": part.stat().st_size,
    }
    with rasterio.open(part, driver="GTiff") as file:
        found = _facts(file)
        wrong = [key for key, value in wanted.items() if found[key] != value]
        if not _same_place(file.crs, content.grid):
            wrong.append("CRS")
        if "size" not in wrong and not all(
            np.array_equal(file.read(strip.band, window=_window(strip)), strip.numbers)
            for strip in content.strips()
        ):
            wrong.append("values")
    for level in range(_levels(content.values.shape)):
        _read_through(part, level)
    return f"read again, it differs in {', '.join(wrong)}" if wrong else ""


def _facts(file: Any) -> dict[str, object]:  # noqa: ANN401
    """Return what an open file says of itself."""
    return {
        "size": (file.count, *file.shape),
        "type": set(file.dtypes),
        "transform": tuple(file.transform),
        "nodata": set(file.nodatavals),
        "band descriptions": tuple(text or "" for text in file.descriptions),
        "units": {text or "" for text in file.units},
        "tags": _words(file.tags()),
        "statistics": [file.tags(band) for band in file.indexes],
        "overviews": {len(file.overviews(band)) for band in file.indexes},
        "end": _end(file),
    }


def _end(file: Any) -> int:  # noqa: ANN401
    """Return where a cloud-optimised file ends: four bytes after its last block."""
    height, width = file.block_shapes[0]
    last = f"{(file.width - 1) // width}_{(file.height - 1) // height}"
    place, size = (
        int(file.get_tag_item(f"BLOCK_{key}_{last}", "TIFF", bidx=1) or 0)
        for key in ("OFFSET", "SIZE")
    )
    return place + size + 4


def _words(tags: dict[str, str]) -> dict[str, list[str]]:
    """Return tags by their words: XML keeps no other white space."""
    return {
        key: text.split()
        for key, text in tags.items()
        if text.split() and key != "AREA_OR_POINT"
    }


def _read_through(part: Path, level: int) -> None:
    """Read an overview, so that a damaged one raises."""
    with rasterio.open(part, driver="GTiff", overview_level=level) as file:
        for rows in strip_rows(file.shape):
            height = rows.stop - rows.start
            file.read(window=Window(0, rows.start, file.width, height))


def _same_place(crs: Any, grid: Grid) -> bool:  # noqa: ANN401
    """Whether a CRS puts the corners of a grid where the grid's own does."""
    if crs is None:
        return False
    found = CRS.from_wkt(crs.to_wkt())
    if found == grid.crs:
        return True
    west, south, east, north = grid.bounds
    corners = ([west, west, east, east], [south, north, south, north])
    first, second = (
        Transformer.from_crs(system, system.geodetic_crs, always_xy=True).transform(
            *corners
        )
        for system in (found, grid.crs)
    )
    return bool(np.allclose(first, second, rtol=0, atol=1e-9, equal_nan=True))
