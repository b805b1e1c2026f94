"""Symbols of points and polygons stand in the words of QGIS."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from geosoil.errors import InputError
from geosoil.io.vector_styles import (
    Marker,
    MarkerClass,
    MarkerRange,
    class_markers,
    outlines,
    range_markers,
    single_marker,
)

RED = Marker("#d55e00")


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)


def colours(root: ET.Element) -> list[str]:
    return [one.attrib["value"] for one in root.iterfind(".//Option[@name='color']")]


def test_each_class_has_its_own_symbol_and_words() -> None:
    root = parsed(
        class_markers(
            "water",
            [
                MarkerClass("soil", "soil & water <wet>", RED),
                MarkerClass("rain", "rain", Marker("#0072b2", "triangle", 180.0)),
            ],
        )
    )
    renderer = root.find("renderer-v2")
    assert renderer.attrib["type"] == "categorizedSymbol"
    assert renderer.attrib["attr"] == "water"
    found = [
        (one.attrib["value"], one.attrib["label"], one.attrib["symbol"])
        for one in renderer.iterfind("categories/category")
    ]
    assert found == [("soil", "soil & water <wet>", "0"), ("rain", "rain", "1")]
    assert [one.attrib["name"] for one in renderer.iterfind("symbols/symbol")] == [
        "0",
        "1",
    ]
    assert colours(root) == ["213,94,0,255", "0,114,178,255"]
    angles = [one.attrib["value"] for one in root.iterfind(".//Option[@name='angle']")]
    assert angles == ["0.0", "180.0"]


def test_ranges_keep_their_ends() -> None:
    ranges = [
        MarkerRange(0.0, 0.2, "0-0.2", RED),
        MarkerRange(0.2, 1.0, "0.2-1", Marker("#0072b2")),
    ]
    root = parsed(range_markers("fraction", ranges))
    found = [
        (float(one.attrib["lower"]), float(one.attrib["upper"]))
        for one in root.iterfind(".//range")
    ]
    assert found == [(0.0, 0.2), (0.2, 1.0)]


def test_single_symbols_and_outlines() -> None:
    assert parsed(single_marker(RED)).find("renderer-v2").attrib["type"] == (
        "singleSymbol"
    )
    root = parsed(outlines("#222222", width=0.6))
    options = {
        one.attrib["name"]: one.attrib["value"]
        for one in root.iterfind(".//Option[@name]")
    }
    assert options["style"] == "no"
    assert options["outline_color"] == "34,34,34,255"
    assert options["outline_width"] == "0.6"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: class_markers("water", []), "needs classes"),
        (lambda: class_markers("w", [MarkerClass("a", "a", RED)] * 2), "different"),
        (lambda: range_markers("x", []), "increase"),
        (lambda: range_markers("x", [MarkerRange(1.0, 1.0, "", RED)]), "increase"),
        (
            lambda: range_markers(
                "x", [MarkerRange(0.0, 2.0, "", RED), MarkerRange(1.0, 3.0, "", RED)]
            ),
            "increase",
        ),
        (lambda: single_marker(Marker("red")), "'red' is no colour"),
        (lambda: outlines("#22222G"), "is no colour"),
    ],
)
def test_symbols_that_cannot_be_drawn_are_refused(make, words) -> None:
    with pytest.raises(InputError, match=words):
        make()
