"""Styles of QGIS: well-formed, rising, exact, the same again."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.io.qgis_xml import xml_text
from geosoil.io.styles import (
    ClassColour,
    ClassStyle,
    ColourStop,
    ScaleStyle,
    style_document,
    write_style,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
STOP = ColourStop(0.0, "#ffffff", "0")


def scale(values: list[float], **kind: str) -> ScaleStyle:
    stops = tuple(ColourStop(value, "#00ff7f", f"{value:g}") for value in values)
    return ScaleStyle(stops, (values[0], values[-1]), **kind)  # type: ignore[arg-type]


@given(st.lists(NUMBERS, min_size=2, max_size=8, unique=True), st.text(), COLOURS)
def test_every_stop_is_written_exactly(
    values: list[float], label: str, colour: str
) -> None:
    values = sorted(values)
    assume(all(low < high for low, high in pairwise(values)))
    stops = tuple(ColourStop(value, colour, label) for value in values)
    style = ScaleStyle(stops, (values[0], values[-1]), "linear", label)
    root = ET.fromstring(style_document(style))
    items = root.findall(".//colorrampshader/item")
    assert [float(item.get("value", "")) for item in items] == values
    # XML reads a line end in an attribute as it was written, for it is escaped.
    assert {item.get("label") for item in items} == {xml_text(label)}
    assert {item.get("color") for item in items} == {colour}
    renderer = root.find(".//rasterrenderer")
    assert renderer is not None
    assert float(renderer.get("classificationMin", "")) == values[0]
    assert float(renderer.get("classificationMax", "")) == values[-1]


@given(st.dictionaries(st.integers(-300, 300), st.text(max_size=20), max_size=8))
def test_a_palette_lists_its_classes_and_no_other(names: dict[int, str]) -> None:
    style = ClassStyle(
        tuple(ClassColour(code, name, "#7fb86b") for code, name in names.items())
    )
    entries = ET.fromstring(style_document(style)).findall(".//paletteEntry")
    found = {int(one.get("value", "")): one.get("label") for one in entries}
    assert found == {code: xml_text(name) for code, name in names.items()}


@given(st.text())
def test_text_that_xml_can_hold_stays_as_it_is(text: str) -> None:
    safe = xml_text(text)
    assert len(safe) == len(text)
    assert xml_text(safe) == safe
    made = ET.Element("a", b=safe)
    assert ET.fromstring(ET.tostring(made, encoding="unicode")).get("b") == safe
    kept = all(letter in "\t\n\r" or " " <= letter <= "\ud7ff" for letter in text)
    if kept:
        assert safe == text


def test_missing_cells_are_clear_and_nothing_is_stretched_to_the_data() -> None:
    for style in (scale([0, 1]), ClassStyle((ClassColour(1, "a", "#7fb86b"),))):
        renderer = ET.fromstring(style_document(style)).find(".//rasterrenderer")
        assert renderer is not None
        assert renderer.get("nodataColor") == ""
        assert renderer.findtext("minMaxOrigin/limits") == "None"


def test_the_last_class_of_values_has_no_end() -> None:
    text = style_document(scale([0.01, 0.05, 1.0], kind="discrete"))
    shader = ET.fromstring(text).find(".//colorrampshader")
    assert shader is not None
    assert shader.get("colorRampType") == "DISCRETE"
    assert [item.get("value") for item in shader.findall("item")] == [
        "0.01",
        "0.05",
        "inf",
    ]


def test_the_ramp_of_the_legend_runs_from_0_to_1() -> None:
    text = style_document(scale([-4.0, -2.0, 0.0, 4.0]))
    stops = ET.fromstring(text).find(".//Option[@name='stops']")
    assert stops is not None
    assert [part.split(";")[0] for part in stops.get("value", "").split(":")] == [
        "0.25",
        "0.5",
    ]


@pytest.mark.parametrize(
    ("stops", "limits", "words"),
    [
        ((STOP,), (0.0, 1.0), "two or more"),
        ((STOP, STOP), (0.0, 1.0), "increase"),
        ((STOP, ColourStop(-1.0, "#ffffff", "")), (0.0, 1.0), "increase"),
        ((STOP, ColourStop(math.nan, "#ffffff", "")), (0.0, 1.0), "no number"),
        ((STOP, ColourStop(1.0, "#ffffff", "")), (1.0, 0.0), "increase"),
        ((STOP, ColourStop(1.0, "white", "")), (0.0, 1.0), "#6a9fc4"),
    ],
)
def test_a_scale_that_cannot_be_drawn_is_refused(
    stops: tuple[ColourStop, ...], limits: tuple[float, float], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        ScaleStyle(stops, limits)


def test_a_class_stands_once() -> None:
    one = ClassColour(3, "meadow", "#7fb86b")
    with pytest.raises(InputError, match=r"\[3\] more than once"):
        ClassStyle((one, one))


def test_a_style_lies_beside_its_raster_and_is_the_same_again(tmp_path: Path) -> None:
    style = scale([0.0, 0.5, 1.0])
    path = write_style(style, tmp_path / "fraction.June.tif")
    assert path == tmp_path / "fraction.June.qml"
    data = path.read_bytes()
    assert write_style(style, tmp_path / "fraction.June.tif").read_bytes() == data
    assert [file.name for file in tmp_path.iterdir()] == ["fraction.June.qml"]
