"""Pieces of XML that styles and projects of QGIS have in common."""

from __future__ import annotations

import re
import warnings
from xml.etree import ElementTree as ET

from pyproj import CRS

VERSION = "3.22.16-Białowieża"
"""Version of QGIS whose syntax is written; later ones read it too."""

_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    r"""Return text without the characters that XML 1.0 has no way to write.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    text : str
        The same, with U+FFFD for what cannot stand in XML.

    Examples
    --------
    >>> xml_text("r < 0 & n > 3"), xml_text("a\x00b") == "a\ufffdb"
    ('r < 0 & n > 3', True)
    """
    return _FORBIDDEN.sub("\ufffd", text)


def element(
    parent: ET.Element | None, tag: str, text: str = "", **attributes: str
) -> ET.Element:
    """Make an element, within another where one is given.

    Parameters
    ----------
    parent : Element or None
        Element that gets it.
    tag : str
        Name.
    text : str
        Content.
    **attributes : str
        Attributes.

    Returns
    -------
    made : Element
        The element.

    Examples
    --------
    >>> ET.tostring(element(None, "title", "NDVI & more"), encoding="unicode")
    '<title>NDVI &amp; more</title>'
    """
    named = {key: xml_text(value) for key, value in attributes.items()}
    made = (
        ET.Element(tag, named) if parent is None else ET.SubElement(parent, tag, named)
    )
    made.text = xml_text(text) or None
    return made


def options(parent: ET.Element, values: dict[str, str]) -> ET.Element:
    """Add a map of options, as QGIS keeps settings of symbols.

    Parameters
    ----------
    parent : Element
        Element that gets them.
    values : dict of str to str
        Options.

    Returns
    -------
    made : Element
        The map.
    """
    made = element(parent, "Option", type="Map")
    for name, value in values.items():
        element(made, "Option", type="QString", name=name, value=value)
    return made


def add_crs(parent: ET.Element, crs: CRS) -> None:
    """Add a coordinate reference system.

    Parameters
    ----------
    parent : Element
        Element that gets it.
    crs : CRS
        The system; one without an EPSG code is known by its WKT.
    """
    authority = crs.to_authority(min_confidence=100)
    with warnings.catch_warnings():
        # Old readers take the PROJ string, which has no place for every detail.
        warnings.simplefilter("ignore", UserWarning)
        proj4 = crs.to_proj4()
    code = ":".join(authority) if authority else ""
    srs = element(parent, "spatialrefsys")
    element(srs, "wkt", crs.to_wkt("WKT2_2019"))
    element(srs, "proj4", proj4)
    element(srs, "srid", authority[1] if authority and authority[0] == "EPSG" else "0")
    element(srs, "authid", code)
    element(srs, "description", crs.name)
    element(srs, "geographicflag", str(crs.is_geographic).lower())


def add_extent(
    parent: ET.Element, tag: str, bounds: tuple[float, float, float, float]
) -> None:
    """Add bounds.

    Parameters
    ----------
    parent : Element
        Element that gets them.
    tag : str
        Name of the new element.
    bounds : tuple = (W, S, E, N)
        Bounds in units of the layer's system.
    """
    made = element(parent, tag)
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), bounds, strict=True):
        element(made, name, repr(float(value)))


def document(root: ET.Element) -> str:
    """Return a document of QGIS as text.

    Parameters
    ----------
    root : Element
        Its root.

    Returns
    -------
    text : str
        The document; the same root gives the same text.

    Examples
    --------
    >>> document(element(None, "qgis", version="3.22")).splitlines()[1]
    '<qgis version="3.22" />'
    """
    ET.indent(root, " ")
    return f"{_DOCTYPE}\n{ET.tostring(root, encoding='unicode')}\n"
