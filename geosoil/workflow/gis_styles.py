"""How rasters look in a GIS: the colours, limits and words of the figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from geosoil.io.raster_header import RasterHeader, read_header, read_thinned
from geosoil.io.styles import (
    ClassColour,
    ClassStyle,
    ColourStop,
    RasterStyle,
    ScaleStyle,
    write_style,
)
from geosoil.plotting.scales import MapKind, colour_limits, colour_stops, round_step
from geosoil.workflow.catalogue import (
    FRACTIONS,
    SUFFIXES,
    CatalogueEntry,
    described,
    entry_of,
)
from geosoil.workflow.class_colours import NOTHING, free_colours
from geosoil.workflow.class_words import NO_REASON, class_names
from geosoil.workflow.map_style import CLASSES, DIFFERENCE, PLAIN, scale_of, unit_words

THRESHOLDS = (0.001, 0.01, 0.05, 0.1, 0.2, 1.0)
"""Upper ends of the classes of p and q values."""

SD_OF_FRACTIONS = (0.0, 0.5)
"""Scale of their standard deviations, that of the figures; none ever passes 0.5."""

MOST_CELLS = 200_000
"""Cells of a band that limits are taken from; larger bands are thinned."""

_SLACK = 1e-6

Rasters = Sequence[tuple[CatalogueEntry, RasterHeader]]


@dataclass(frozen=True, slots=True)
class Styled:
    """A raster and how it looks."""

    entry: CatalogueEntry
    """What it is."""
    header: RasterHeader
    """What its file says."""
    style: RasterStyle
    """Its colours and words."""


def write_styles(paths: Iterable[Path]) -> list[Path]:
    """Write a style beside each raster, with which QGIS opens it.

    Parameters
    ----------
    paths : iterable of Path
        Files; those that are no GeoTIFFs by name are passed over.

    Returns
    -------
    styles : list of Path
        One ``.qml`` file a raster, in their order. Rasters of one theme share their
        scale.

    Raises
    ------
    GeosoilError
        If a raster cannot be read or a style cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> r = grid.raster(np.full(grid.shape, 0.4), name="r")
    >>> with TemporaryDirectory() as folder:
    ...     [path.name for path in write_styles([write_geotiff(r, f"{folder}/r.tif")])]
    ['r.qml']
    """
    return [write_style(one.style, one.entry.path) for one in styled_rasters(paths)]


def styled_rasters(paths: Iterable[Path]) -> list[Styled]:
    """Read what each raster is, and choose its style.

    Parameters
    ----------
    paths : iterable of Path
        Files; those that are no GeoTIFFs by name are passed over.

    Returns
    -------
    styled : list of Styled
        One a raster, in their order.

    Raises
    ------
    GeosoilError
        If a raster cannot be read.
    """
    files = [path for path in map(Path, paths) if path.suffix.lower() in SUFFIXES]
    headers = [read_header(file) for file in files]
    rasters = [(entry_of(header), header) for header in headers]
    return [
        Styled(entry, header, style)
        for (entry, header), style in zip(rasters, raster_styles(rasters), strict=True)
    ]


def raster_styles(rasters: Rasters) -> list[RasterStyle]:
    """Return the style of each raster; those of one theme share their scale.

    Parameters
    ----------
    rasters : sequence of (CatalogueEntry, RasterHeader)
        Rasters that lie beside each other.

    Returns
    -------
    styles : list of ScaleStyle or ClassStyle
        One a raster, in their order.

    Raises
    ------
    GeosoilError
        If a raster cannot be read.

    Notes
    -----
    Limits and colours are those of the figures
    (:func:`geosoil.plotting.scales.colour_limits`). p and q values alone have
    classes of values instead of a ramp, since all that matters lies near 0.
    """
    themes: dict[tuple[str, ...], list[int]] = {}
    for order, (entry, header) in enumerate(rasters):
        themes.setdefault(_theme(entry, header), []).append(order)
    found: dict[int, RasterStyle] = {}
    for orders in themes.values():
        members = [rasters[order] for order in orders]
        styles = (
            _classes(members) if members[0][0].style == CLASSES else _scales(members)
        )
        found |= dict(zip(orders, styles, strict=True))
    return [found[order] for order in range(len(rasters))]


def _theme(entry: CatalogueEntry, header: RasterHeader) -> tuple[str, ...]:
    """Return what rasters with one scale have in common."""
    name = re.sub(r"_(estimate|simulated_mean|p\d\d)$", "", described(header).name)
    own = name if entry.style in (PLAIN, DIFFERENCE, "sd", CLASSES) else ""
    if entry.group[0] == FRACTIONS:
        own = ""
    return (entry.style, entry.group[0], entry.units, own)


def _scales(members: Rasters) -> list[RasterStyle]:
    """Return the styles of quantities that share a scale."""
    kinds = [_kind(entry, header) for entry, header in members]
    limits = kinds[0].limits or colour_limits(
        [read_thinned(entry.path, most_cells=MOST_CELLS) for entry, _ in members],
        kinds[0],
    )
    return [
        _scale(entry, kind, limits)
        for (entry, _), kind in zip(members, kinds, strict=True)
    ]


def _kind(entry: CatalogueEntry, header: RasterHeader) -> MapKind:
    """Return the colours of a quantity; sds of fractions as in their figures."""
    kind = scale_of(entry.style, described(header))
    fixed = entry.style == "sd" and entry.group[0] == FRACTIONS
    return replace(kind, limits=SD_OF_FRACTIONS) if fixed else kind


def _scale(
    entry: CatalogueEntry, kind: MapKind, limits: tuple[float, float]
) -> ScaleStyle:
    """Return the style of one quantity."""
    unit = unit_words(entry.units)
    if entry.style == "p_value":
        colours = [
            hue for _, hue in colour_stops(kind, limits, n_stops=len(THRESHOLDS))
        ]
        words = [f"≤ {value:g}" for value in THRESHOLDS[:-1]]
        words.append(f"> {THRESHOLDS[-2]:g}")
        stops = zip(THRESHOLDS, colours, words, strict=True)
        return ScaleStyle(
            tuple(ColourStop(*stop) for stop in stops), limits, "discrete"
        )
    ramp = colour_stops(kind, limits, n_stops=round_stops(limits))
    labelled = [
        ColourStop(value, hue, f"{value + 0.0:.6g} {unit}".strip())
        for value, hue in ramp
    ]
    return ScaleStyle(tuple(labelled), limits, "linear", unit)


def round_stops(limits: tuple[float, float]) -> int:
    """Return how many stops a scale needs so that they are round numbers.

    Parameters
    ----------
    limits : tuple = (smallest, largest)
        Ends of the scale, themselves round as those of the figures are.

    Returns
    -------
    n_stops : int
        10 to 51.

    Examples
    --------
    >>> round_stops((0.0, 1.0)), round_stops((0.0, 85.0))
    (11, 18)
    """
    span = limits[1] - limits[0]
    steps = [span / round_step(span / share) for share in (10.0, 20.0)]
    # Ends that were moved outward are whole multiples of one of the two.
    whole = [number for number in steps if abs(number - round(number)) < _SLACK]
    return round((whole or steps)[0]) + 1


def _classes(members: Rasters) -> list[RasterStyle]:
    """Return the styles of classes; a code looks the same on all of them."""
    held = [_codes(header) for _, header in members]
    union = sorted({code for codes in held for code in codes})
    free = free_colours(len(union))
    styles: list[RasterStyle] = []
    for codes, (_, header) in zip(held, members, strict=True):
        names = class_names(header.tags, codes)
        given = header.colours
        plain = {code: free[union.index(code)] for code in codes}
        if names.get(0) in NO_REASON:
            plain[0] = NOTHING
        styles.append(
            ClassStyle(
                tuple(
                    ClassColour(
                        code, names.get(code, str(code)), given.get(code, plain[code])
                    )
                    for code in codes
                )
            )
        )
    return styles


def _codes(header: RasterHeader) -> list[int]:
    """Return the codes that a raster holds."""
    cells = header.grid.shape[0] * header.grid.shape[1]
    values = read_thinned(header.path, most_cells=cells)
    return [int(code) for code in np.unique(values)]
