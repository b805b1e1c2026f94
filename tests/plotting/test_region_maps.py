"""Maps of the region: classes with their legends, terrain, places, the locator."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.plotting.classes import MapClass
from geosoil.plotting.layers import Overlays
from geosoil.plotting.locator import REACH, draw_locator
from geosoil.plotting.places import Places, draw_places, places_in_frame
from geosoil.plotting.region_maps import (
    MOST_IN_A_PANEL,
    ClassMap,
    MapSheet,
    figure_class_maps,
    figure_terrain,
)
from geosoil.plotting.style import HESS, SCREEN, FigurePreset

GRID = Grid.from_bounds((89.4, 31.55, 102.4, 36.55), 0.5, "EPSG:4326")
NOTE = "SIMULATED data: no value on this figure was measured"
FROZEN = {
    1: MapClass("permafrost", "#6a9fc4"),
    2: MapClass("seasonally frozen ground", "#e3c77b"),
    9: MapClass("never there", "#000000"),
}
SOILS = {code: MapClass(f"mountain meadow soil {code}") for code in range(1, 8)}


def codes(n: int) -> ClassMap:
    """Classes 1 to n side by side, the first column without one."""
    values = np.tile(np.arange(GRID.shape[1]) % n + 1.0, (GRID.shape[0], 1))
    values[:, 0] = np.nan
    return ClassMap(GRID.raster(values), FROZEN if n == 2 else SOILS)


def points(*places: tuple[str, float, float]) -> gpd.GeoDataFrame:
    names, x, y = zip(*places, strict=True)
    return gpd.GeoDataFrame(
        {"name": names}, geometry=gpd.points_from_xy(x, y), crs="EPSG:4326"
    )


STATIONS = Places(points(("Maduo", 98.2, 34.9), ("Zaduo", 95.3, 32.9)), "stations")
LAND = gpd.GeoDataFrame(geometry=[shapely.box(60, 20, 120, 70)], crs="EPSG:4326")


@pytest.fixture
def sheet(overlays: Overlays) -> MapSheet:
    return MapSheet(overlays, (STATIONS,), LAND, NOTE)


def panels_of(figure: Figure) -> list:
    return [a for a in figure.axes if a.get_title(loc="left").startswith("(")]


def words(legend) -> list[str]:
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_each_layer_has_a_panel_and_a_legend_of_its_used_classes(
    overlays: Overlays, preset: FigurePreset, assert_readable
) -> None:
    sheet = MapSheet(overlays, (STATIONS,), LAND, NOTE, preset)
    layers = {"Frozen ground": codes(2), "Soil types": codes(7)}
    figure = figure_class_maps(layers, sheet=sheet, title="The region", caption="C")
    panels = panels_of(figure)
    assert [axes.get_title(loc="left") for axes in panels] == [
        "(a) Frozen ground",
        "(b) Soil types",
    ]
    frozen, soils, shared = figure.legends
    assert words(frozen) == ["permafrost", "seasonally frozen ground"]
    assert words(soils) == [one.label for one in SOILS.values()]
    assert words(shared) == [
        "region", "basins", "rivers", "lakes", "stations", "no value",
    ]  # fmt: skip
    assert figure.get_size_inches()[0] == pytest.approx(preset.page)
    assert (figure.get_suptitle() != "") is preset.titled
    assert_readable(figure)
    for axes, legend in zip(panels, figure.legends, strict=False):
        box, frame = legend.get_window_extent(), axes.get_window_extent()
        assert frame.x1 < box.x0
        assert box.x1 <= figure.bbox.x1
        assert box.y0 >= frame.y0 - 1.0


def test_the_panels_share_their_extent_and_no_ground_is_stretched(
    sheet: MapSheet,
) -> None:
    figure = figure_class_maps({"a": codes(2), "b": codes(7)}, sheet=sheet)
    one, other = panels_of(figure)
    assert one.get_xlim() == other.get_xlim()
    assert one.get_ylim() == other.get_ylim()
    width, height = figure.get_size_inches()
    box = one.get_position()
    (left, right), (bottom, top) = one.get_xlim(), one.get_ylim()
    assert (box.width * width) / (box.height * height) == pytest.approx(
        (right - left) / (top - bottom)
    )


def test_colours_are_those_of_the_classes_and_missing_cells_have_none() -> None:
    figure = figure_class_maps({"Frozen ground": codes(2)})
    (mesh,) = [c for c in figure.axes[0].collections if isinstance(c, QuadMesh)]
    drawn = mesh.get_array()
    assert np.ma.getmaskarray(drawn)[:, 0].all()
    np.testing.assert_allclose(
        mesh.cmap(mesh.norm(drawn[0, 2]))[:3], [0x6A / 255, 0x9F / 255, 0xC4 / 255]
    )


def test_the_rarer_of_many_classes_share_a_line() -> None:
    many = GRID.raster(
        np.minimum(np.arange(GRID.shape[1]) % 12, 20.0) * np.ones(GRID.shape)
    )
    figure = figure_class_maps({"Soil": ClassMap(many, {})})
    found = words(figure.legends[0])
    assert len(found) == MOST_IN_A_PANEL + 1
    assert found[-1] == "4 more classes"


def test_long_labels_are_broken_and_not_cut(assert_readable, overlays) -> None:
    long = {1: MapClass("temperate desert steppe of dwarf shrubs and low grasses")}
    sheet = MapSheet(overlays, preset=HESS)
    figure = figure_class_maps(
        {"Vegetation": ClassMap(codes(1).codes, long)}, sheet=sheet
    )
    assert_readable(figure)
    (label,) = words(figure.legends[0])
    assert "\n" in label


def test_the_locator_lies_beside_the_map_with_the_shortest_legend(
    sheet: MapSheet,
) -> None:
    figure = figure_class_maps({"a": codes(7), "b": codes(2)}, sheet=sheet)
    (locator,) = [a for a in figure.axes if a.get_label() == "locator"]
    second, own = panels_of(figure)[1].get_position(), locator.get_position()
    assert second.x1 < own.x0
    assert second.y0 <= own.y0
    assert own.y1 <= second.y1


def test_without_a_region_there_is_no_locator() -> None:
    figure = figure_class_maps({"a": codes(2)})
    assert [a.get_label() for a in figure.axes].count("locator") == 0


def test_the_locator_shows_the_region_at_its_place() -> None:
    here = gpd.GeoDataFrame(geometry=[shapely.box(90, 31, 102, 36)], crs="EPSG:4326")
    figure = Figure(figsize=(4.0, 4.0))
    axes = draw_locator(figure, (0.2, 0.2, 0.6, 0.6), here, land=LAND)
    assert axes.get_xlim() == (-REACH, REACH)
    region = axes.collections[1].get_paths()
    extents = [path.get_extents() for path in region]
    (shown,) = [e for e in extents if -REACH < e.x0 < REACH]
    assert (shown.x0, shown.x1, shown.y0, shown.y1) == (-6.0, 6.0, 31.0, 36.0)
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "60°E",
        "80°E",
        "100°E",
        "120°E",
    ]


def test_a_locator_across_the_date_line_shows_land_on_both_sides() -> None:
    fiji = gpd.GeoDataFrame(geometry=[shapely.box(176, -19, 180, -16)], crs="EPSG:4326")
    islands = gpd.GeoDataFrame(
        geometry=[shapely.box(-175, -20, -170, -10), shapely.box(160, -20, 170, -10)],
        crs="EPSG:4326",
    )
    axes = draw_locator(Figure(), (0.2, 0.2, 0.6, 0.6), fiji, land=islands)
    land = [path.get_extents() for path in axes.collections[0].get_paths()]
    inside = sorted(box.x0 for box in land if abs(box.x0) < REACH)
    assert inside == [-18.0, 7.0]


def test_terrain_is_lit_and_its_bar_is_not(overlays: Overlays, assert_readable) -> None:
    y = np.linspace(3000, 5500, GRID.shape[0])[:, None] * np.ones(GRID.shape)
    y[0, 0] = np.nan
    for preset in (SCREEN, HESS):
        sheet = MapSheet(overlays, (STATIONS,), None, NOTE, preset)
        figure = figure_terrain(GRID.raster(y), sheet=sheet, title="Terrain")
        assert_readable(figure)
        assert figure.axes[-1].get_xlabel() == "elevation [m]"
        (mesh,) = [c for c in figure.axes[0].collections if isinstance(c, QuadMesh)]
        assert mesh.get_array().shape == (*GRID.shape, 4)
        np.testing.assert_allclose(mesh.get_array()[0, 0, :3], 0xE6 / 255)
        written = [text.get_text() for text in figure.axes[0].texts]
        assert {"Maduo", "Zaduo", "N"} <= set(written)


def test_names_keep_clear_of_each_other_and_of_the_frame(overlays: Overlays) -> None:
    crowd = points(*((f"station {i}", 98.0 + 0.02 * i, 34.5) for i in range(8)))
    sheet = MapSheet(overlays, (Places(crowd, "stations"),))
    ground = GRID.raster(np.full(GRID.shape, 4000.0))
    figure = figure_terrain(ground, sheet=sheet)
    written = [t for t in figure.axes[0].texts if t.get_text().startswith("station")]
    assert 1 <= len(written) < 8
    boxes = [text.get_window_extent() for text in written]
    for order, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[order + 1 :])


def test_many_places_are_marked_without_names() -> None:
    figure = figure_terrain(GRID.raster(np.full(GRID.shape, 4000.0)))
    axes = figure.axes[0]
    before = len(axes.texts)
    many = points(*((f"s{i}", 91.0 + i / 2, 33.0) for i in range(13)))
    draw_places(axes, [Places(many, "stations")])
    assert len(axes.texts) == before
    assert len(axes.lines[-1].get_xdata()) == 13


def test_places_outside_of_the_frame_are_not_shown() -> None:
    figure = figure_terrain(GRID.raster(np.full(GRID.shape, 4000.0)))
    far = Places(points(("Beijing", 116.4, 39.9)), "far")
    assert places_in_frame(figure.axes[0], [far, STATIONS]) == [STATIONS]


def test_what_cannot_be_mapped_is_refused() -> None:
    with pytest.raises(InputError, match="No layers to map"):
        figure_class_maps({})
    with pytest.raises(InputError, match="Nothing to map"):
        figure_terrain(GRID.raster(np.full(GRID.shape, np.nan)))
    nowhere = codes(2).codes.drop_vars("spatial_ref")
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        figure_class_maps({"a": ClassMap(nowhere, {})})
