"""Styles of rasters: those of the figures, shared by the rasters of a theme."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.io.geotiff import read_geotiff, write_geotiff
from geosoil.io.styles import ClassStyle, ScaleStyle
from geosoil.plotting.fraction_maps import SD
from geosoil.plotting.scales import KINDS, colour_limits, colour_stops
from geosoil.workflow.gis_styles import (
    SD_OF_FRACTIONS,
    THRESHOLDS,
    Styled,
    round_stops,
    styled_rasters,
    write_styles,
)
from tests.workflow.gis_cases import (
    CASES,
    GRID,
    write_all,
    write_case,
    write_ndvi,
    write_reason,
    write_support,
)


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Styled]:
    paths = write_all(tmp_path_factory.mktemp("styled"))
    return {one.entry.path.stem: one for one in styled_rasters(paths)}


def scale(one: Styled) -> ScaleStyle:
    assert isinstance(one.style, ScaleStyle)
    return one.style


def classes(one: Styled) -> ClassStyle:
    assert isinstance(one.style, ClassStyle)
    return one.style


def test_colours_and_limits_are_those_of_the_figures(styled: dict[str, Styled]) -> None:
    for stem, kind in (
        ("correlation_ndvi_soil_moisture_June_r", "correlation"),
        ("ndvi", "ndvi"),
        ("elevation", "elevation"),
    ):
        values = read_geotiff(styled[stem].entry.path).to_numpy()
        style = scale(styled[stem])
        assert style.limits == colour_limits([values], kind)
        wanted = colour_stops(kind, style.limits, n_stops=len(style.stops))
        assert [(stop.value, stop.colour) for stop in style.stops] == wanted


def test_fractions_are_batlow_and_their_spread_is_lajolla(
    styled: dict[str, Styled],
) -> None:
    mean = scale(styled["fraction_ground_ice_June"])
    spread = scale(styled["fraction_ground_ice_sd_June"])
    assert [stop.colour for stop in mean.stops] == [
        hue for _, hue in colour_stops("fraction", (0, 1), n_stops=len(mean.stops))
    ]
    assert [stop.colour for stop in spread.stops] == [
        hue for _, hue in colour_stops("sd", (0, 1), n_stops=11)
    ]
    assert KINDS["fraction"].palette == "batlow"
    assert KINDS["sd"].palette == "lajolla_r"
    assert spread.limits == SD_OF_FRACTIONS == SD.limits


def test_rasters_of_one_theme_share_their_scale(styled: dict[str, Styled]) -> None:
    maps = [styled[f"fraction_ground_ice_{name}June"] for name in ("", "p05_")]
    values = [read_geotiff(one.entry.path).to_numpy() for one in maps]
    assert scale(maps[0]).limits == scale(maps[1]).limits
    assert scale(maps[0]).limits == colour_limits(values, "fraction")
    stem = "correlation_ndvi_soil_moisture_June"
    pairs, effective = (
        scale(styled[f"{stem}_{name}"]) for name in ("n", "n_effective")
    )
    assert pairs.limits == effective.limits == (0.0, 20.0)
    # Pairs over space are others, and so is their number.
    assert scale(styled[f"{stem}_window_n"]).limits[1] > 80.0


def test_p_and_q_values_have_classes_of_values(styled: dict[str, Styled]) -> None:
    for name in ("p_value", "q_value"):
        style = scale(styled[f"correlation_ndvi_soil_moisture_June_{name}"])
        assert style.kind == "discrete"
        assert tuple(stop.value for stop in style.stops) == THRESHOLDS
        assert [stop.label for stop in style.stops][-2:] == ["≤ 0.2", "> 0.2"]
        assert len({stop.colour for stop in style.stops}) == len(THRESHOLDS)


def test_the_legend_names_the_unit(styled: dict[str, Styled]) -> None:
    style = scale(styled["elevation"])
    assert style.unit == "m"
    assert all(stop.label.endswith(" m") for stop in style.stops)
    fraction = scale(styled["fraction_ground_ice_June"])
    assert fraction.unit == ""
    assert [float(stop.label) for stop in fraction.stops] == pytest.approx(
        [stop.value for stop in fraction.stops], rel=1e-5
    )


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5))
def test_the_numbers_of_a_legend_are_round(values: list[float]) -> None:
    limits = colour_limits([values], "elevation")
    n_stops = round_stops(limits)
    assert 10 <= n_stops <= 51
    stops = np.linspace(*limits, n_stops)
    step = stops[1] - stops[0]
    digits = step / 10.0 ** np.floor(np.log10(step) + 1e-6)
    assert min(abs(digits - np.array([1, 2, 5]))) < 1e-4


def test_a_legend_of_classes_names_only_those_that_occur(tmp_path: Path) -> None:
    (one,) = styled_rasters([write_support(tmp_path)])
    assert [(each.code, each.label) for each in classes(one).classes] == [
        (0, "none of these"),
        (1, "far from data"),
        (5, "far from data; elevation beyond samples"),
    ]
    (other,) = styled_rasters([write_reason(tmp_path)])
    assert [each.label for each in classes(other).classes] == [
        "ok",
        "few",
        "all missing",
    ]


def test_a_code_has_one_colour_on_all_rasters_of_a_run(tmp_path: Path) -> None:
    paths = []
    for name, codes in (("June", (0, 5)), ("August", (0, 1, 4, 5))):
        (tmp_path / name).mkdir()
        paths.append(write_support(tmp_path / name, codes))
    first, second = (
        {each.code: each.colour for each in classes(one).classes}
        for one in styled_rasters(paths)
    )
    assert first.items() <= second.items()
    assert len(set(second.values())) == 4


def test_a_colour_table_goes_before_free_colours(tmp_path: Path) -> None:
    cells = np.resize(np.array([1, 3], dtype=np.uint8), GRID.shape)
    raster = GRID.raster(cells, name="soil")
    raster.attrs = {"flag_values": [1, 3], "flag_meanings": "meadow steppe"}
    path = tmp_path / "soil.tif"
    write_geotiff(raster, path, colours={1: "#7fb86b", 3: "#caa472"})
    (one,) = styled_rasters([path])
    assert [(each.label, each.colour) for each in classes(one).classes] == [
        ("meadow", "#7fb86b"),
        ("steppe", "#caa472"),
    ]


def test_a_raster_without_a_value_has_a_style(tmp_path: Path) -> None:
    nothing = GRID.raster(np.full(GRID.shape, np.nan), name="depth")
    empty = GRID.raster(np.full(GRID.shape, 255, dtype=np.uint8), name="support")
    empty.attrs["nodata"] = 255
    paths = [
        write_geotiff(nothing, tmp_path / "a.tif"),
        write_geotiff(empty, tmp_path / "b.tif"),
    ]
    quantity, support = styled_rasters(paths)
    assert scale(quantity).limits == (0.0, 1.0)
    assert classes(support).classes == ()


def test_a_constant_raster_has_a_style_that_rises(tmp_path: Path) -> None:
    for value in (0.0, 1e-30, -7.5, 3e38):
        case = replace(CASES[0], name="depth", words="depth", ends=(value, value))
        (one,) = styled_rasters([write_case(case, tmp_path)])
        assert scale(one).limits[0] < scale(one).limits[1]


def test_styles_are_written_beside_the_rasters_and_are_the_same_again(
    tmp_path: Path,
) -> None:
    paths = write_all(tmp_path)
    styles = write_styles([*paths, tmp_path / "note.txt"])
    assert styles == [path.with_suffix(".qml") for path in paths]
    first = [path.read_bytes() for path in styles]
    assert [path.read_bytes() for path in write_styles(paths)] == first
    for text in first:
        assert ET.fromstring(text).find("pipe/rasterrenderer") is not None
        assert str(tmp_path).encode() not in text


def test_a_series_is_drawn_by_its_first_date(tmp_path: Path) -> None:
    (style,) = write_styles([write_ndvi(tmp_path)])
    renderer = ET.parse(style).find("pipe/rasterrenderer")
    assert renderer is not None
    assert renderer.get("band") == "1"
