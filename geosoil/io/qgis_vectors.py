"""Layers of a GeoPackage as QGIS keeps them in a project."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS

from geosoil.errors import FileFormatError
from geosoil.io.qgis_xml import add_crs, add_extent, element, options

Geometry = Literal["Point", "Line", "Polygon"]

STYLES = "layer_styles"
"""Table in which a GeoPackage keeps the symbols of its layers."""

_KINDS: tuple[tuple[str, Geometry], ...] = (
    ("Point", "Point"),
    ("Line", "Line"),
    ("Polygon", "Polygon"),
)
_INK = "34,34,34,255"
_SYMBOLS: dict[Geometry, tuple[str, str, dict[str, str]]] = {
    "Point": (
        "marker",
        "SimpleMarker",
        {
            "name": "circle",
            "color": "255,255,255,255",
            "outline_color": _INK,
            "outline_width": "0.3",
            "outline_width_unit": "MM",
            "size": "1.8",
            "size_unit": "MM",
        },
    ),
    "Line": (
        "line",
        "SimpleLine",
        {"line_color": "58,110,165,255", "line_width": "0.3", "line_width_unit": "MM"},
    ),
    "Polygon": (
        "fill",
        "SimpleFill",
        {
            "style": "no",
            "outline_color": _INK,
            "outline_style": "solid",
            "outline_width": "0.4",
            "outline_width_unit": "MM",
        },
    ),
}
"""Plain symbols for layers that bring none: white dots, blue lines, black outlines."""

_OWN = ("id", "datasource", "layername", "srs", "provider", "extent")


@dataclass(frozen=True, slots=True)
class VectorLayer:
    """A layer of a GeoPackage."""

    path: Path
    """The file."""
    name: str
    """Name in the file."""
    title: str
    """Name in the list of layers."""
    geometry: Geometry | None
    """Kind of shapes; None for a table."""
    crs: CRS | None
    """System of the shapes."""
    bounds: tuple[float, float, float, float] | None
    """Bounds (W, S, E, N); None where there is no shape."""
    style: str = ""
    """Symbols as QGIS writes them (QML); "" for plain ones."""
    abstract: str = ""
    """What it is, in the words of the file."""
    visible: bool = False
    """Whether it is drawn when the project opens."""

    @property
    def identifier(self) -> str:
        """Name by which a project knows the layer."""
        return "vector_" + re.sub(r"\W", "_", self.name, flags=re.ASCII)


def read_vector_layers(path: str | os.PathLike[str]) -> tuple[VectorLayer, ...]:
    """Read which layers a GeoPackage holds.

    Parameters
    ----------
    path : path
        A GeoPackage.

    Returns
    -------
    layers : tuple of VectorLayer
        In the order of the file, each with its own symbols; the table of the symbols
        is left out.

    Raises
    ------
    FileFormatError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> sites = gpd.GeoDataFrame({"n": [3]}, geometry=[Point(92, 34)], crs=4326)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.gpkg"
    ...     sites.to_file(file, layer="sites")
    ...     [(one.name, one.geometry) for one in read_vector_layers(file)]
    [('sites', 'Point')]
    """
    file = Path(path)
    try:
        found = [(str(name), kind) for name, kind in pyogrio.list_layers(file)]
        symbols = _symbols(file) if STYLES in dict(found) else {}
        return tuple(
            _layer(file, name, kind, symbols.get(name, ""))
            for name, kind in found
            if name != STYLES
        )
    except (DataSourceError, DataLayerError) as error:
        message = f"'{file}' cannot be read as a GeoPackage: {error}. Make it again."
        raise FileFormatError(message) from error


def _symbols(file: Path) -> dict[str, str]:
    """Return the symbols of each layer that are used unless the user says else."""
    table = pyogrio.read_dataframe(file, layer=STYLES, read_geometry=False)
    table = pd.DataFrame(table).sort_values("useAsDefault", kind="stable")
    pairs = zip(table["f_table_name"], table["styleQML"], strict=True)
    return {str(name): str(text) for name, text in pairs if isinstance(text, str)}


def _layer(file: Path, name: str, kind: object, style: str) -> VectorLayer:
    """Describe one layer."""
    about = pyogrio.read_info(file, layer=name, force_total_bounds=True)
    words = str((about["layer_metadata"] or {}).get("DESCRIPTION", ""))
    geometry = next((one for word, one in _KINDS if word in str(kind or "")), None)
    if geometry is None:
        return VectorLayer(file, name, _title(name), None, None, None, abstract=words)
    west, south, east, north = (float(v) for v in about["total_bounds"])
    return VectorLayer(
        file,
        name,
        _title(name),
        geometry,
        CRS.from_user_input(about["crs"]) if about["crs"] else None,
        (west, south, east, north) if west <= east else None,
        style,
        words,
    )


def _title(name: str) -> str:
    """Write the name of a layer for a list."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def add_vector(layers: ET.Element, layer: VectorLayer, place: str) -> None:
    """Add a layer to those of a project.

    Parameters
    ----------
    layers : Element
        Layers of the project.
    layer : VectorLayer
        The layer.
    place : str
        Where its file lies, seen from the project.
    """
    made = element(
        layers,
        "maplayer",
        type="vector",
        geometry=layer.geometry or "No geometry",
        hasScaleBasedVisibilityFlag="0",
        minScale="1e+08",
        maxScale="0",
    )
    if layer.bounds is not None:
        add_extent(made, "extent", layer.bounds)
    element(made, "id", layer.identifier)
    element(made, "datasource", f"{place}|layername={layer.name}")
    element(made, "title", layer.title)
    element(made, "abstract", layer.abstract)
    element(made, "layername", layer.title)
    if layer.crs is not None:
        add_crs(element(made, "srs"), layer.crs)
    element(made, "provider", "ogr", encoding="UTF-8")
    if layer.geometry is None:
        return
    _add_symbols(made, layer.style)
    if made.find("renderer-v2") is None:
        _add_plain(made, layer.geometry)


def _add_symbols(made: ET.Element, style: str) -> None:
    """Add the symbols that a layer brings, if QGIS could read them."""
    try:
        root = ET.fromstring(style)
    except ET.ParseError:
        return
    made.set("labelsEnabled", root.get("labelsEnabled", "0"))
    made.extend(part for part in root if part.tag not in _OWN)


def _add_plain(made: ET.Element, geometry: Geometry) -> None:
    """Add one plain symbol for all shapes."""
    kind, drawn, values = _SYMBOLS[geometry]
    renderer = element(made, "renderer-v2", type="singleSymbol", symbollevels="0")
    symbol = element(
        element(renderer, "symbols"),
        "symbol",
        name="0",
        type=kind,
        alpha="1",
        clip_to_extent="1",
    )
    layer = element(symbol, "layer", enabled="1", locked="0")
    layer.set("pass", "0")
    layer.set("class", drawn)
    options(layer, values)
