"""Styles of rasters for QGIS: a ``.qml`` file of the raster's own name beside it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

from geosoil.errors import InputError
from geosoil.io._atomic import write_text
from geosoil.io.qgis_xml import VERSION, document, element, options

_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class ColourStop:
    """A value of a colour scale."""

    value: float
    """Value; of classes of values the highest."""
    colour: str
    """Colour as #rrggbb."""
    label: str
    """Words for the legend."""


@dataclass(frozen=True, slots=True)
class ScaleStyle:
    """Colours of a quantity."""

    stops: tuple[ColourStop, ...]
    """Two or more stops by increasing value."""
    limits: tuple[float, float]
    """Ends of the scale."""
    kind: Literal["linear", "discrete"] = "linear"
    """Colours between the stops, or one colour for all values up to a stop."""
    unit: str = ""
    """Unit in words, behind the numbers of the legend."""

    def __post_init__(self) -> None:
        """Check values and colours."""
        values = [stop.value for stop in self.stops]
        ends = (*values, *self.limits)
        if any(not math.isfinite(value) for value in ends):
            message = f"A colour scale has a stop that is no number: {ends}."
            raise InputError(message)
        rising = all(low < high for low, high in pairwise(values))
        if len(values) < 2 or not rising or not self.limits[0] < self.limits[1]:
            message = (
                f"A colour scale has the stops {values} from {self.limits[0]:g} to "
                f"{self.limits[1]:g}. Give two or more that increase."
            )
            raise InputError(message)
        _check_colours([stop.colour for stop in self.stops])


@dataclass(frozen=True, slots=True)
class ClassColour:
    """A class of a raster."""

    code: int
    """Number of the class."""
    label: str
    """Its name."""
    colour: str
    """Colour as #rrggbb."""


@dataclass(frozen=True, slots=True)
class ClassStyle:
    """Colours of classes."""

    classes: tuple[ClassColour, ...]
    """Those that the raster holds, in the order of the legend."""

    def __post_init__(self) -> None:
        """Check codes and colours."""
        codes = [one.code for one in self.classes]
        again = sorted({code for code in codes if codes.count(code) > 1})
        if again:
            message = f"A style names the codes {again} more than once."
            raise InputError(message)
        _check_colours([one.colour for one in self.classes])


RasterStyle = ScaleStyle | ClassStyle


def write_style(style: RasterStyle, raster: str | os.PathLike[str]) -> Path:
    """Write the style of a raster beside it, whole or not at all.

    Parameters
    ----------
    style : ScaleStyle or ClassStyle
        Colours and words.
    raster : path
        The raster. QGIS applies the style whenever it opens the raster.

    Returns
    -------
    path : Path
        File written: the raster's name with the ending ``.qml``.

    Raises
    ------
    GeosoilError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> soil = ClassStyle((ClassColour(1, "meadow", "#7fb86b"),))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_style(soil, Path(folder) / "soil.tif").name
    'soil.qml'
    """
    return write_text(style_document(style), Path(raster).with_suffix(".qml"))


def style_document(style: RasterStyle) -> str:
    """Return the style of a raster as QGIS reads it.

    Parameters
    ----------
    style : ScaleStyle or ClassStyle
        Colours and words.

    Returns
    -------
    text : str
        XML.

    Examples
    --------
    >>> stops = (ColourStop(0, "#ffffff", "0 mm"), ColourStop(9, "#000080", "9 mm"))
    >>> 'classificationMax="9.0"' in style_document(ScaleStyle(stops, (0, 9)))
    True
    """
    root = element(
        None,
        "qgis",
        version=VERSION,
        styleCategories="Symbology|Rendering|LayerConfiguration",
        hasScaleBasedVisibilityFlag="0",
        minScale="1e+08",
        maxScale="0",
    )
    root.append(raster_pipe(style))
    element(root, "blendMode", "0")
    return document(root)


def raster_pipe(style: RasterStyle) -> ET.Element:
    """Return how QGIS draws a raster, for a style or a layer of a project.

    Parameters
    ----------
    style : ScaleStyle or ClassStyle
        Colours and words.

    Returns
    -------
    pipe : Element
        Renderer and resampling; missing cells are transparent.
    """
    pipe = ET.Element("pipe")
    provider = element(pipe, "provider")
    element(
        provider,
        "resampling",
        enabled="false",
        maxOversampling="2",
        zoomedInResamplingMethod="nearestNeighbour",
        zoomedOutResamplingMethod="nearestNeighbour",
    )
    if isinstance(style, ClassStyle):
        _add_classes(pipe, style)
    else:
        _add_scale(pipe, style)
    element(pipe, "brightnesscontrast", brightness="0", contrast="0", gamma="1")
    element(pipe, "huesaturation", colorizeOn="0", grayscaleMode="0", saturation="0")
    element(pipe, "rasterresampler", maxOversampling="2")
    element(pipe, "resamplingStage", "resamplingFilter")
    return pipe


def _renderer(
    pipe: ET.Element, kind: str, limits: tuple[str, str] | None
) -> ET.Element:
    """Add a renderer of the first band that never stretches to the data."""
    ends = {}
    if limits is not None:
        ends = {"classificationMin": limits[0], "classificationMax": limits[1]}
    made = element(
        pipe,
        "rasterrenderer",
        type=kind,
        band="1",
        opacity="1",
        alphaBand="-1",
        nodataColor="",
        **ends,
    )
    origin = element(made, "minMaxOrigin")
    element(origin, "limits", "None")
    element(origin, "extent", "WholeRaster")
    element(origin, "statAccuracy", "Exact")
    return made


def _add_classes(pipe: ET.Element, style: ClassStyle) -> None:
    """Add the colours of classes."""
    palette = element(_renderer(pipe, "paletted", None), "colorPalette")
    for one in style.classes:
        element(
            palette,
            "paletteEntry",
            value=str(one.code),
            label=one.label,
            color=one.colour,
            alpha="255",
        )


def _add_scale(pipe: ET.Element, style: ScaleStyle) -> None:
    """Add the colours of a quantity."""
    low, high = (repr(float(value)) for value in style.limits)
    renderer = _renderer(pipe, "singlebandpseudocolor", (low, high))
    shader = element(
        element(renderer, "rastershader"),
        "colorrampshader",
        colorRampType="INTERPOLATED" if style.kind == "linear" else "DISCRETE",
        classificationMode="1",
        clip="0",
        minimumValue=low,
        maximumValue=high,
        labelPrecision="6",
    )
    _add_ramp(shader, style)
    for order, stop in enumerate(style.stops, start=1):
        # The last class of values has no upper end.
        last = style.kind == "discrete" and order == len(style.stops)
        element(
            shader,
            "item",
            value="inf" if last else repr(float(stop.value)),
            label=stop.label,
            color=stop.colour,
            alpha="255",
        )
    _add_legend(shader, style)


def _add_ramp(shader: ET.Element, style: ScaleStyle) -> None:
    """Add the colours as a ramp from 0 to 1, from which QGIS draws the legend."""
    first, *between, last = style.stops
    low, high = style.limits
    places = [(stop.value - low) / (high - low) for stop in between]
    if style.kind == "discrete":
        places = [
            order / (len(style.stops) - 1) for order in range(1, len(between) + 1)
        ]
    ramp = element(shader, "colorramp", name="[source]", type="gradient")
    options(
        ramp,
        {
            "color1": _rgba(first.colour),
            "color2": _rgba(last.colour),
            "discrete": "0",
            "rampType": "gradient",
            "stops": ":".join(
                f"{place!r};{_rgba(stop.colour)}"
                for place, stop in zip(places, between, strict=True)
            ),
        },
    )


def _add_legend(shader: ET.Element, style: ScaleStyle) -> None:
    """Add how the legend writes its numbers."""
    legend = element(
        shader,
        "rampLegendSettings",
        useContinuousLegend="1" if style.kind == "linear" else "0",
        prefix="",
        suffix=f" {style.unit}" if style.unit else "",
        minimumLabel="",
        maximumLabel="",
        direction="0",
        orientation="2",
    )
    form = element(element(legend, "numericFormat", id="basic"), "Option", type="Map")
    for name, kind, value in (
        ("decimals", "int", "6"),
        ("rounding_type", "int", "0"),
        ("show_plus", "bool", "false"),
        ("show_thousand_separator", "bool", "false"),
        ("show_trailing_zeros", "bool", "false"),
    ):
        element(form, "Option", name=name, type=kind, value=value)


def _rgba(colour: str) -> str:
    """Write a colour as QGIS does in ramps and symbols."""
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"


def _check_colours(colours: Sequence[str]) -> None:
    """Refuse what is no colour."""
    wrong = [colour for colour in colours if not _COLOUR.fullmatch(colour)]
    if wrong:
        message = (
            f"A style has the colours {wrong}. Give # and six hexadecimal digits in "
            "small letters, such as '#6a9fc4'."
        )
        raise InputError(message)
