"""Draw one figure of one raster."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from geosoil import __version__
from geosoil.errors import GeosoilError, InputError
from geosoil.io._atomic import write_bytes
from geosoil.io._sniff import sniff
from geosoil.io.layers import read_polygons
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.layers import Overlays
from geosoil.plotting.pdf import render_pdf
from geosoil.plotting.raster_map import (
    Preset,
    RasterPage,
    figure_classes,
    figure_quantity,
)
from geosoil.plotting.style import render
from geosoil.workflow.faults import raise_all
from geosoil.workflow.map_source import MapSource, open_source, split_name
from geosoil.workflow.map_style import (
    CLASSES,
    Described,
    check_style,
    guess_style,
    scale_of,
)
from geosoil.workflow.simulated import SIMULATED

SUFFIXES = (".png", ".pdf")
"""Kinds of figures that can be written."""

DPI: dict[Preset, float] = {"screen": 200.0, "hess": 300.0}
"""Dots per inch of each preset."""


@dataclass(frozen=True, slots=True)
class MapRequest:
    """What a user asks of one map."""

    raster: str
    """``FILE.tif`` or ``FILE.nc:VARIABLE``."""
    band: str | None = None
    """Number from 1, description or date; needed where there are several."""
    style: str | None = None
    """Name in :data:`geosoil.workflow.map_style.STYLES`; None guesses."""
    title: str | None = None
    """Title; None takes the words of the file."""
    region: str | None = None
    """File of polygons that frame the map and are outlined."""
    limits: tuple[float, float] | None = None
    """Ends of the colour scale; None takes those of the style or the data."""
    preset: Preset = "screen"
    """Size and resolution of the figure."""


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """The figure that was written."""

    path: Path
    """The file."""
    style: str
    """Style that was asked for or guessed."""
    text: str
    """What the command prints."""


def map_raster(
    request: MapRequest,
    output: Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> MapAnswer:
    """Draw one figure of one raster and write it, whole or not at all.

    Parameters
    ----------
    request : MapRequest
        What is asked.
    output : Path
        PNG or PDF file; one that is there is replaced.
    progress : callable, optional
        Called with a line a stage.

    Returns
    -------
    answer : MapAnswer
        The file, its style and words.

    Raises
    ------
    GeosoilError
        If a setting or file cannot be used, the band is not there, or no cell that
        the map shows has a value. Nothing is written then.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> r = grid.raster(np.full(grid.shape, 0.4), name="r")
    >>> with TemporaryDirectory() as folder:
    ...     file = write_geotiff(r, Path(folder) / "r.tif")
    ...     map_raster(MapRequest(str(file)), Path(folder) / "r.png").style
    'correlation'
    """
    report = progress or (lambda _: None)
    raise_all(_faults(request, output), what="settings of the map")
    region = _inputs(request)
    report(f"reading {request.raster}")
    source = open_source(request.raster, request.band, request.style, region)
    style = request.style or (
        CLASSES
        if source.classes is not None
        else guess_style(source.described, source.raster)
    )
    if source.classes is not None and request.limits is not None:
        message = (
            "A map of classes has no colour scale that --limits could set. Leave it "
            "out, or take another --style, such as plain."
        )
        raise InputError(message)
    report(f"drawing {output.name}")
    write_bytes(_draw(request, source, style, region, output.suffix.lower()), output)
    return MapAnswer(output, style, _account(request, source, style, output))


def _faults(request: MapRequest, output: Path) -> list[GeosoilError]:
    """Name every setting that cannot be used."""
    faults: list[GeosoilError] = [*check_style(request.style)]
    if output.suffix.lower() not in SUFFIXES:
        faults.append(
            InputError(
                f"The figure '{output}' has no ending that is known. Give -o a name "
                f"that ends in {' or '.join(SUFFIXES)}."
            )
        )
    low, high = request.limits or (0.0, 1.0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        faults.append(
            InputError(
                f"--limits are {low:g} and {high:g}. Give two numbers, the smaller "
                "first."
            )
        )
    if request.preset not in DPI:
        faults.append(
            InputError(f"Unknown --preset '{request.preset}'. Known: {', '.join(DPI)}.")
        )
    return faults


def _inputs(request: MapRequest) -> gpd.GeoDataFrame | None:
    """Look at every file that is named, and open the region."""
    faults: list[GeosoilError] = []
    region = None
    try:
        sniff(split_name(request.raster)[0])
    except GeosoilError as error:
        faults.append(error)
    try:
        region = read_polygons(request.region) if request.region else None
    except GeosoilError as error:
        faults.append(error)
    raise_all(faults)
    return region


def _draw(
    request: MapRequest,
    source: MapSource,
    style: str,
    region: gpd.GeoDataFrame | None,
    suffix: str,
) -> bytes:
    """Draw the figure as PNG or PDF."""
    title = _title(source.described) if request.title is None else request.title
    page = RasterPage(
        title=title,
        note=SIMULATED if source.simulated else None,
        overlays=Overlays(region=region),
        preset=request.preset,
    )
    if source.classes is not None:
        figure = figure_classes(source.raster, classes=source.classes, page=page)
    else:
        scale = scale_of(style, source.described)
        figure = figure_quantity(
            source.raster, kind=scale, limits=request.limits, page=page
        )
    dpi, text = DPI[request.preset], {"Title": title or request.raster}
    if suffix == ".pdf":
        creator = {"Creator": f"geosoil {__version__}"}
        return render_pdf(figure, dpi=dpi, text=text | creator)
    return render(figure, dpi=dpi, text=text)


def _title(described: Described) -> str:
    """Return the title of a map: the words of the band, else its name.

    The name goes before words that do not mention it.
    """
    name = in_words(described.name)
    words = described.description.replace("_", " ").strip()
    parts = [part.lower() for part in name.split() if len(part) > 2]
    unsaid = parts and not any(part in words.lower() for part in parts)
    title = (f"{name}: {words}" if unsaid else words) if words else name
    title = re.sub(r"\b(ndvi|dem)\b", lambda found: found[0].upper(), title.strip())
    # A symbol such as r or n keeps its letter.
    return title if title[1:2] in ("", " ") else title[0].upper() + title[1:]


def _account(request: MapRequest, source: MapSource, style: str, output: Path) -> str:
    """Tell what was drawn, how and where."""
    known = int(source.raster.count())
    how = "as asked" if request.style else "guessed from name, words and values"
    lines = [
        f"{output}: {_title(source.described)}",
        f"  style {style} ({how}), {known} of {source.raster.size} cells have a value",
    ]
    if source.simulated:
        lines.append(f"  {SIMULATED}")
    return "\n".join(lines)
