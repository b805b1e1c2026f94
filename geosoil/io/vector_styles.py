"""Styles of points and polygons for QGIS, as a GeoPackage keeps them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from geosoil.errors import InputError
from geosoil.io.qgis_xml import VERSION, document, element, options

Shape = Literal[
    "circle", "square", "diamond", "triangle", "star", "cross_fill", "pentagon"
]
"""Shapes of points that QGIS knows by these names."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_RIM = "#333333"


@dataclass(frozen=True, slots=True)
class Marker:
    """How a point is drawn.

    Examples
    --------
    >>> Marker("#0072b2", "triangle", angle=180.0).size
    2.4
    """

    colour: str
    """Colour as #rrggbb."""
    shape: Shape = "circle"
    """Shape."""
    angle: float = 0.0
    """Turn, clockwise [degree]."""
    size: float = 2.4
    """Width [mm]."""


@dataclass(frozen=True, slots=True)
class MarkerClass:
    """Points with one value of a column."""

    value: str
    """Value of the column."""
    label: str
    """Words for the legend."""
    marker: Marker
    """How they are drawn."""


@dataclass(frozen=True, slots=True)
class MarkerRange:
    """Points whose value lies in a range, without its lower end but for the first."""

    lower: float
    """Lower end."""
    upper: float
    """Upper end."""
    label: str
    """Words for the legend."""
    marker: Marker
    """How they are drawn."""


def class_markers(column: str, classes: Sequence[MarkerClass]) -> str:
    """Return a style that draws points by the classes of a column.

    Parameters
    ----------
    column : str
        Column of the classes.
    classes : sequence of MarkerClass
        One a class; points of other classes are not drawn.

    Returns
    -------
    text : str
        QGIS style document (QML).

    Raises
    ------
    InputError
        If there is no class, two have the same value, or a colour is none.

    Examples
    --------
    >>> rain = MarkerClass("precipitation", "rain", Marker("#0072b2"))
    >>> 'attr="water"' in class_markers("water", [rain])
    True
    """
    values = [one.value for one in classes]
    if not classes or len(set(values)) < len(values):
        message = f"A style by '{column}' needs classes of different values: {values}."
        raise InputError(message)
    root, renderer = _begin("categorizedSymbol", attr=column)
    listed = element(renderer, "categories")
    symbols = element(renderer, "symbols")
    for number, one in enumerate(classes):
        element(
            listed,
            "category",
            value=one.value,
            label=one.label,
            symbol=str(number),
            render="true",
            type="string",
        )
        _add_marker(symbols, str(number), one.marker)
    return document(root)


def range_markers(column: str, ranges: Sequence[MarkerRange]) -> str:
    """Return a style that draws points by the ranges of a column.

    Parameters
    ----------
    column : str
        Column of numbers.
    ranges : sequence of MarkerRange
        By increasing value.

    Returns
    -------
    text : str
        QGIS style document (QML).

    Raises
    ------
    InputError
        If there is no range, one is empty, they overlap, or a colour is none.

    Examples
    --------
    >>> low = MarkerRange(0.0, 0.5, "to 0.5", Marker("#011959"))
    >>> 'upper="0.5"' in range_markers("fraction_snowmelt", [low])
    True
    """
    ends = [end for one in ranges for end in (one.lower, one.upper)]
    if not ranges or ends != sorted(ends) or any(r.lower >= r.upper for r in ranges):
        message = f"A style by '{column}' needs ranges that increase: {ends}."
        raise InputError(message)
    root, renderer = _begin(
        "graduatedSymbol", attr=column, graduatedMethod="GraduatedColor"
    )
    listed = element(renderer, "ranges")
    symbols = element(renderer, "symbols")
    for number, one in enumerate(ranges):
        element(
            listed,
            "range",
            lower=repr(one.lower),
            upper=repr(one.upper),
            label=one.label,
            symbol=str(number),
            render="true",
        )
        _add_marker(symbols, str(number), one.marker)
    method = element(renderer, "classificationMethod", id="Custom")
    element(method, "symmetricMode", enabled="0", astride="0", symmetrypoint="0")
    element(
        method,
        "labelFormat",
        format="%1 - %2",
        labelprecision="2",
        trimtrailingzeroes="1",
    )
    return document(root)


def single_marker(marker: Marker) -> str:
    """Return a style that draws all points alike.

    Parameters
    ----------
    marker : Marker
        How they are drawn.

    Returns
    -------
    text : str
        QGIS style document (QML).

    Raises
    ------
    InputError
        If the colour is none.

    Examples
    --------
    >>> "213,94,0,255" in single_marker(Marker("#d55e00"))
    True
    """
    root, renderer = _begin("singleSymbol")
    _add_marker(element(renderer, "symbols"), "0", marker)
    return document(root)


def outlines(colour: str, *, width: float = 0.4) -> str:
    """Return a style that draws polygons as outlines without a filling.

    Parameters
    ----------
    colour : str
        Colour as #rrggbb.
    width : float
        Width of the lines [mm].

    Returns
    -------
    text : str
        QGIS style document (QML).

    Raises
    ------
    InputError
        If the colour is none.

    Examples
    --------
    >>> "SimpleFill" in outlines("#222222")
    True
    """
    root, renderer = _begin("singleSymbol")
    layer = _add_symbol(element(renderer, "symbols"), "0", ("fill", "SimpleFill"))
    options(
        layer,
        {
            "color": "0,0,0,0",
            "joinstyle": "round",
            "outline_color": _rgba(colour),
            "outline_style": "solid",
            "outline_width": repr(width),
            "outline_width_unit": "MM",
            "style": "no",
        },
    )
    return document(root)


def _begin(kind: str, **attributes: str) -> tuple[ET.Element, ET.Element]:
    """Begin a document with a renderer."""
    root = element(None, "qgis", version=VERSION, styleCategories="Symbology")
    renderer = element(
        root,
        "renderer-v2",
        type=kind,
        forceraster="0",
        symbollevels="0",
        enableorderby="0",
        referencescale="-1",
        **attributes,
    )
    return root, renderer


def _add_symbol(symbols: ET.Element, name: str, kind: tuple[str, str]) -> ET.Element:
    """Add a symbol of one layer, and return the layer."""
    symbol = element(
        symbols,
        "symbol",
        name=name,
        type=kind[0],
        alpha="1",
        clip_to_extent="1",
        force_rhr="0",
    )
    attributes = {"class": kind[1], "enabled": "1", "locked": "0", "pass": "0"}
    return ET.SubElement(symbol, "layer", attributes)


def _add_marker(symbols: ET.Element, name: str, marker: Marker) -> None:
    """Add a point's symbol."""
    layer = _add_symbol(symbols, name, ("marker", "SimpleMarker"))
    options(
        layer,
        {
            "angle": repr(marker.angle),
            "color": _rgba(marker.colour),
            "joinstyle": "round",
            "name": marker.shape,
            "outline_color": _rgba(_RIM),
            "outline_style": "solid",
            "outline_width": "0.1",
            "outline_width_unit": "MM",
            "scale_method": "diameter",
            "size": repr(marker.size),
            "size_unit": "MM",
        },
    )


def _rgba(colour: str) -> str:
    """Write a colour as QGIS does in symbols."""
    if not _COLOUR.fullmatch(colour):
        message = f"'{colour}' is no colour. Give # and six hexadecimal digits."
        raise InputError(message)
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"
