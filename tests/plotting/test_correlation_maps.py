"""Tests of figures of correlation: layout, hatching, captions, odd grounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import shapely
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from geosoil.correlation.field_significance import field_significance
from geosoil.correlation.temporal import correlate
from geosoil.correlation.window import window_correlation
from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.plotting.correlation_captions import (
    correlation_caption,
    discovery_rate,
    panel_remark,
    significant_cells,
)
from geosoil.plotting.correlation_maps import (
    figure_correlation,
    figure_correlation_maps,
)
from geosoil.plotting.hatching import FINEST, hatch_cells
from geosoil.plotting.panel_table import PanelTable, draw_panel_table
from geosoil.plotting.panels import MapFrame, map_panels
from geosoil.plotting.picture import figure_words
from geosoil.plotting.projection import cell_corners, projection_for
from geosoil.plotting.style import DASH, HESS

NOTE = "SIMULATED data: no value on this figure was measured"
MONTHS = ("June", "August", "September")
DRIVERS = (
    "air_temperature",
    "ground_temperature",
    "precipitation",
    "evapotranspiration",
    "ndvi",
)
COARSE = Grid.from_bounds((89.4, 31.5, 102.3, 36.3), 0.3, "EPSG:4326")
RULE = "Benjamini-Hochberg, false discovery rate = 2 alpha (Wilks 2016)"


def over_time(phase: float = 0.0, grid: Grid = COARSE) -> xr.Dataset:
    x, y = np.meshgrid(np.linspace(0, 6, grid.shape[1]), np.linspace(0, 4, len(grid.y)))
    r = np.sin(x + phase) * np.cos(y)
    r[0] = np.nan
    n = np.full(grid.shape, 20)
    n[0], n[1, 0], n[2, 0] = 3, 14, 15
    found = {"r": r, "n": n, "q_value": np.clip(1.2 - 1.4 * np.abs(r), 0, 1)}
    result = xr.Dataset({name: grid.raster(value) for name, value in found.items()})
    return result.assign_attrs(
        method="pearson", years="2001-2020", fdr=0.1, rule=RULE, p_star=0.0312
    )


def over_space() -> xr.Dataset:
    result = over_time()
    result.attrs = {"method": "spearman", "window": 9, "year": 2020, "q": "none"}
    return result.assign_attrs(region_r=0.4123, region_p_value=0.0002)


def table_of(drivers=DRIVERS, months=MONTHS) -> dict[tuple[str, str], xr.Dataset]:
    return {
        (x, month): over_time(i + j)
        for i, x in enumerate(drivers)
        for j, month in enumerate(months)
    }


def panels_of(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.get_label() != "colour bar"]


def bars_of(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.get_label() == "colour bar"]


def mesh_of(axes) -> QuadMesh | None:
    return next((c for c in axes.collections if isinstance(c, QuadMesh)), None)


def hatches_of(axes) -> list[PathPatch]:
    return [p for p in axes.patches if isinstance(p, PathPatch) and p.get_hatch()]


def caption_of(figure: Figure) -> str:
    (text,) = (text for text in figure.texts if text.get_gid() == "caption")
    return text.get_text().replace("\n", " ")


@pytest.fixture(scope="module")
def figure_of_all() -> Figure:
    return figure_correlation_maps(table_of(), title="Drivers", note="simulated")


def test_rows_are_variables_and_columns_are_months(figure_of_all):
    panels = panels_of(figure_of_all)
    assert len(panels) == 15
    titles = [axes.get_title(loc="left") for axes in panels]
    letters = [f"({letter})" for letter in "abcdefghijklmno"]
    named = [f"{a} {b}" for a, b in zip(letters, MONTHS, strict=False)]
    assert titles == [*named, *letters[3:]]
    words = [text.get_text() for text in figure_of_all.texts if text.get_rotation()]
    assert [word.replace("\n", " ") for word in words] == [
        "air temperature",
        "ground temperature",
        "precipitation",
        "evapo- transpiration",
        "NDVI",
    ]
    places = [axes.get_position() for axes in panels]
    assert len({round(box.x0, 6) for box in places}) == 3
    assert len({round(box.y0, 6) for box in places}) == 5
    assert places[3].y0 < places[0].y0
    assert places[1].x0 > places[0].x0


def test_all_panels_share_one_scale_from_minus_one_to_one(figure_of_all):
    meshes = [mesh_of(axes) for axes in panels_of(figure_of_all)]
    assert {mesh.get_clim() for mesh in meshes} == {(-1.0, 1.0)}
    (bar,) = bars_of(figure_of_all)
    assert bar.get_xlim() == (-1.0, 1.0)
    middle = np.array(meshes[0].cmap(0.5)[:3])
    assert middle.min() > 0.85, "no correlation is pale"


def test_values_stay_with_their_variable_and_month(figure_of_all):
    panels = panels_of(figure_of_all)
    for axes, result in zip(panels, table_of().values(), strict=True):
        drawn = mesh_of(axes).get_array()
        expected = result["r"].to_numpy()
        np.testing.assert_array_equal(np.ma.getmaskarray(drawn), np.isnan(expected))
        np.testing.assert_allclose(
            drawn.compressed(), expected[~np.isnan(expected)], rtol=1e-12
        )


def test_cells_that_are_not_significant_after_fdr_are_hatched():
    table = {("ndvi", month): over_time(i) for i, month in enumerate(MONTHS)}
    figure = figure_correlation_maps(table)
    x, y = cell_corners(COARSE, panels_of(figure)[0].projection)
    rings = [[c[:-1, :-1], c[:-1, 1:], c[1:, 1:], c[1:, :-1]] for c in (x, y)]
    cells = shapely.polygons(np.moveaxis(np.array(rings), (0, 1), (-1, -2)))
    for axes, result in zip(panels_of(figure), table.values(), strict=True):
        (patch,) = hatches_of(axes)
        hatched = shapely.union_all(
            [shapely.Polygon(ring) for ring in patch.get_path().to_polygons()]
        )
        weak = (result["q_value"] > 0.1).to_numpy() & np.isfinite(result["r"].values)
        assert hatched.area == pytest.approx(shapely.area(cells[weak]).sum())
        assert hatched.contains(shapely.centroid(cells[weak])).all()
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["not significant after FDR (q > 0.1)"]


def test_what_a_result_calls_significant_counts_before_its_q_values():
    result = over_time()
    result["significant"] = result["r"] > 0.5
    np.testing.assert_array_equal(significant_cells(result), result["r"] > 0.5)
    result["significant"] = result["significant"].where(result["r"] > 0)
    assert significant_cells(result).dtype == bool, "a masked map of booleans is one"


def test_results_of_the_library_need_no_hand():
    rng = np.random.default_rng(3)
    dims = ("time", "y", "x")
    grid = Grid.from_bounds((0, 0, 300, 200), 10, "EPSG:32647")
    cell = grid.raster(np.zeros(grid.shape))
    x, y = (xr.DataArray(rng.normal(size=(12, 20, 30)), dims=dims) for _ in "xy")
    x, y = (cell + one.assign_coords(time=range(2001, 2013)) for one in (x, x + y))
    found = correlate(x.transpose(*dims), y.transpose(*dims))
    field = field_significance(found["p_value"])
    whole = found.merge(field[["significant"]]).assign_attrs(
        {**found.attrs, "fdr": field.attrs["alpha_fdr"], "p_star": field.p_star}
    )
    figure = figure_correlation(whole)
    assert "Pearson's r over time, cell by cell; n = 12 pairs in every" in caption_of(
        figure
    )
    (patch,) = hatches_of(figure.axes[0])
    assert len(patch.get_path().to_polygons()) > 0
    first, second = (one.isel(time=0, drop=True) for one in (x, y))
    figure = figure_correlation(window_correlation(first, second, size=5))
    assert "over space, in a moving window of 5 by 5 cells" in caption_of(figure)


def test_without_tests_nothing_is_hatched_and_no_legend_says_so():
    bare = over_time()[["r"]].assign_attrs(method="kendall", years="2001-2020")
    figure = figure_correlation_maps({("ndvi", "June"): bare})
    assert hatches_of(figure.axes[0]) == []
    assert figure.legends == []
    assert "Significant" not in caption_of(figure)


def test_maps_over_space_are_not_hatched_and_tell_the_whole_region():
    figure = figure_correlation_maps({("ndvi", "June"): over_space()})
    assert hatches_of(figure.axes[0]) == []
    assert figure.axes[0].get_title(loc="right") == "region: r = +0.41, p < 0.001"
    caption = caption_of(figure)
    assert "Spearman's rho over space, in a moving window of 9 by 9 cells, 2020" in (
        caption
    )
    assert "n = 20 cells (median; 14 to 20)" in caption
    assert "Over space no cell is marked" in caption
    assert "Dutilleul" in caption


def test_the_caption_tells_method_years_pairs_and_significance(figure_of_all):
    caption = caption_of(figure_of_all)
    # n = 3 of the first row does not count: it has no r.
    assert caption.startswith(
        f"Pearson's r over time, cell by cell, 2001{DASH}2020; n = 20 pairs (median; "
        "14 to 20). Significant: q at most 0.1, the false discovery rate of each map "
        "(Benjamini-Hochberg); p* is the largest significant p value."
    )


def test_settings_that_change_the_meaning_are_told():
    result = over_time().assign_attrs(
        lag=2, detrended="linear", controls=1, p_from="n_effective"
    )
    words = correlation_caption({("x", ""): result})
    assert "2 steps after x, both detrended, controls held fixed: 1" in words
    assert "p takes the effective number of pairs" in words
    plain = correlation_caption({("x", ""): over_time().assign_attrs(detrended="no")})
    assert "detrended" not in plain


def test_a_kind_in_words_is_kept_where_all_panels_agree():
    result = over_time().assign_attrs(kind="over time, 200 dates of June")
    words = correlation_caption({("x", "June"): result})
    assert words.startswith("Pearson's r over time, 200 dates of June; n")
    other = over_time().assign_attrs(kind="over time, 190 dates of August")
    words = correlation_caption({("x", "June"): result, ("x", "August"): other})
    assert words.startswith(f"Pearson's r over time, cell by cell, 2001{DASH}2020; n")


def test_both_kinds_side_by_side_are_told_apart():
    words = correlation_caption({("x", "a"): over_time(), ("x", "b"): over_space()})
    first, second, *_ = words.splitlines()
    assert first.startswith("Pearson's r over time")
    assert second.startswith("Spearman's rho over space")


def test_the_support_of_each_variable_is_told():
    cell, mean = "cell of 0.1 degree", "cells of 0.05 degree averaged to 0.1 degree"
    told = {"support_y": cell, "y": "soil_moisture"}
    table = {
        (name, "June"): over_time().assign_attrs(support_x=words, **told)
        for name, words in (("precipitation", cell), ("snow", cell), ("ndvi", mean))
    }
    assert correlation_caption(table).splitlines()[-1] == (
        f"Support of precipitation, snow: {cell}; NDVI: {mean}; soil moisture: {cell}."
    )


def test_remarks_tell_p_star_or_that_nothing_is_significant():
    result = over_time()
    assert panel_remark(result) == "p* = 0.031"
    assert panel_remark(result.assign(q_value=result["r"] * 0 + 1)) == (
        "no cell significant"
    )
    assert panel_remark(result.where(False)) == "no answer"
    del result.attrs["p_star"]
    tested = result.assign(p_value=result["q_value"] / 2)
    largest = np.max(tested["p_value"].values[tested["q_value"].values <= 0.1])
    assert panel_remark(tested) == f"p* = {largest:.2g}"
    untested = over_space().assign_attrs(region_p_value=np.nan)
    assert panel_remark(untested) == "region: r = +0.41, p unknown"


@pytest.mark.parametrize(
    ("attrs", "rate"),
    [
        ({}, 0.1),
        ({"fdr": 0.05, "alpha": 0.2}, 0.05),
        ({"alpha": 0.05, "rule": RULE}, 0.1),
        ({"alpha": 0.05, "rule": "Benjamini-Yekutieli, rate = alpha"}, 0.05),
        (field_significance(xr.DataArray([0.01]), alpha=0.02).attrs, 0.04),
    ],
)
def test_the_rate_is_read_from_what_the_map_says(attrs, rate):
    assert discovery_rate(xr.Dataset(attrs=attrs)) == pytest.approx(rate)


def test_panels_without_a_result_or_an_answer_say_so():
    table = table_of(DRIVERS[:2], MONTHS[:2])
    del table["air_temperature", "August"]
    table["ground_temperature", "June"] = over_time().where(False)
    panels = panels_of(figure_correlation_maps(table))
    remarks = [axes.get_title(loc="right") for axes in panels]
    assert remarks == ["p* = 0.031", "not computed", "no answer", "p* = 0.031"]
    assert mesh_of(panels[1]) is None
    assert hatches_of(panels[2]) == []


def test_only_the_first_panel_has_scale_bar_and_arrow_and_only_edges_have_degrees(
    figure_of_all,
):
    panels = panels_of(figure_of_all)
    words = [[text.get_text() for text in axes.texts] for axes in panels]
    assert "N" in words[0]
    assert any(text.endswith("km") for text in words[0])
    assert words[1:] == [[]] * 14
    assert [bool(axes.get_yticklabels()) for axes in panels] == [True, False, False] * 5
    bottom = [bool(axes.get_xticklabels()) for axes in panels]
    assert bottom == [False] * 12 + [True] * 3


@pytest.mark.parametrize(
    ("drivers", "months"),
    [(1, 1), (1, 3), (1, 5), (2, 5)],
)
def test_texts_are_readable_at_every_size(overlays, assert_readable, drivers, months):
    names = [*MONTHS, "October", "November", "December", "January"][:months]
    figure = figure_correlation_maps(
        table_of(DRIVERS[:drivers], names),
        overlays=overlays,
        title="Correlation over time: soil moisture with its drivers, 2001 to 2020",
        note=NOTE,
    )
    assert_readable(figure)
    assert figure.get_size_inches().max() < 17.0


@pytest.mark.parametrize("drivers", [1, 2, 5])
def test_a_journals_figure_is_readable_at_its_width(overlays, assert_readable, drivers):
    figure = figure_correlation_maps(
        table_of(DRIVERS[:drivers]),
        overlays=overlays,
        title="T",
        note=NOTE,
        preset=HESS,
    )
    assert_readable(figure)
    width = figure.get_size_inches()[0] * 2.54
    assert width == pytest.approx(8.3 if drivers == 1 else 12.0)
    assert figure.get_suptitle() == ""
    assert figure_words(figure).title == "T"
    assert figure_words(figure).caption.startswith("Pearson's r over time")


def test_on_a_narrow_page_the_months_of_two_variables_stand_one_below_the_other():
    figure = figure_correlation_maps(table_of(DRIVERS[:2]), preset=HESS)
    panels = panels_of(figure)
    titles = [axes.get_title(loc="left") for axes in panels]
    assert titles == [
        "(a) air temperature",
        "(b) ground temperature",
        *(f"({letter})" for letter in "cdef"),
    ]
    words = [text.get_text() for text in figure.texts if text.get_rotation()]
    assert words == list(MONTHS)
    expected = [(name, month) for month in MONTHS for name in DRIVERS[:2]]
    for axes, key in zip(panels, expected, strict=True):
        values = table_of(DRIVERS[:2])[key]["r"].to_numpy()
        np.testing.assert_allclose(
            mesh_of(axes).get_array().compressed(), values[np.isfinite(values)]
        )


def test_long_words_of_a_row_are_broken_to_fit_it(assert_readable):
    name = "volumetric_soil_moisture_of_the_root_zone_and_rain"
    table = {(name, month): over_time() for month in MONTHS}
    figure = figure_correlation_maps(table, title="A title close to the words")
    assert_readable(figure)
    (words,) = (text for text in figure.texts if text.get_rotation())
    assert words.get_text().replace("\n", " ") == name.replace("_", " ")
    box, panel = words.get_window_extent(), figure.axes[0].get_window_extent()
    assert box.height < panel.height


def test_texts_of_the_whole_table_are_readable(figure_of_all, assert_readable):
    assert_readable(figure_of_all)


def field(bounds, resolution, crs) -> xr.Dataset:
    return over_time(grid=Grid.from_bounds(bounds, resolution, crs))


GROUNDS: dict[str, Callable[[], xr.Dataset]] = {
    "plot": lambda: field((400000, 3700000, 400300, 3700200), 10, "EPSG:32647"),
    "narrow": lambda: field((400000, 3700000, 400100, 3701000), 10, "EPSG:32647"),
    "strip": lambda: field((90, 34, 100, 34.5), 0.1, "EPSG:4326"),
    "south": lambda: field((-70, -30, -60, -20), 0.5, "EPSG:4326"),
    "world": lambda: field((-180, -60, 180, 90), 3, "EPSG:4326"),
    "world from 0": lambda: field((0, -90, 360, 90), 3, "EPSG:4326"),
}


@pytest.mark.parametrize("ground", GROUNDS)
def test_any_ground_is_drawn_whole_and_readable(assert_readable, ground):
    figure = figure_correlation(GROUNDS[ground](), title="Anywhere", note="a note")
    assert_readable(figure)
    width, height = figure.get_size_inches()
    assert max(width, height) < 17.0
    for axes in panels_of(figure):
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        corners = np.nan_to_num(mesh_of(axes).get_coordinates()).reshape(-1, 2)
        assert np.isfinite(corners).all()
        drawn = corners[len(corners) // 2]
        assert left < drawn[0] < right
        assert bottom < drawn[1] < top
        box = axes.get_position()
        shape = (box.width * width) / (box.height * height)
        assert shape == pytest.approx((right - left) / (top - bottom), rel=1e-6)


@pytest.mark.parametrize(
    ("added", "label"),
    [
        (["lag", "n", "q_value"], "lag of y behind x [steps]"),
        (["n", "bandwidth"], "width of the weights [m]"),
        (["n", "q_value", "p_value"], "number of pairs n [1]"),
        (["q_value", "p_value"], "q value, false discovery rate [1]"),
        (["p_value"], "p value [1]"),
        ([], None),
    ],
)
def test_beside_r_stands_the_most_telling_number(added, label):
    result = over_time()
    result["lag"] = result["r"].round()
    result["bandwidth"] = 1e5 * (1 + result["r"])
    result["p_value"] = result["q_value"] / 2
    figure = figure_correlation(result[["r", *added]])
    labels = [axes.get_xlabel() for axes in bars_of(figure)]
    expected = ["correlation coefficient r [1]"] + ([label] if label else [])
    assert labels == expected
    assert len(panels_of(figure)) == len(expected)


def test_a_number_that_is_the_same_everywhere_is_no_map():
    result = over_time()
    result["n"] = result["n"] * 0 + 20
    labels = [axes.get_xlabel() for axes in bars_of(figure_correlation(result))]
    assert labels[1] == "q value, false discovery rate [1]"


def test_what_has_no_r_is_left_out_of_the_map_beside_it():
    second = panels_of(figure_correlation(over_time()))[1]
    drawn = mesh_of(second).get_array()
    assert np.ma.getmaskarray(drawn)[0].all()
    assert drawn.min() == 14


def test_a_colour_bar_lies_under_its_map():
    figure = figure_correlation(over_time())
    for axes, bar in zip(panels_of(figure), bars_of(figure), strict=True):
        panel, box = axes.get_position(), bar.get_position(original=True)
        assert (panel.x0 + panel.x1) / 2 == pytest.approx((box.x0 + box.x1) / 2)
        assert box.y1 < panel.y0


def test_results_that_cannot_be_mapped_are_refused():
    with pytest.raises(InputError, match="No correlation to map"):
        figure_correlation_maps({})
    bare = over_time()[["n"]]
    with pytest.raises(InputError, match=r"ndvi June has \['n'\].*snow May"):
        figure_correlation_maps({("ndvi", "June"): bare, ("snow", "May"): bare})
    with pytest.raises(InputError, match="No 'r' in the correlation"):
        figure_correlation(bare)
    with pytest.raises(InputError, match="Nothing to map"):
        figure_correlation(over_time().where(False))
    nowhere = xr.Dataset({"r": (("y", "x"), np.eye(3))})
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        figure_correlation(nowhere)
    with pytest.raises(InputError, match="No panels"):
        draw_panel_table(
            (0.0, 1.0, 0.0, 1.0), projection_for((0, 0, 1, 1)), table=PanelTable(())
        )


def test_marks_finer_than_strokes_are_drawn_by_blocks_of_half():
    grid = Grid.from_bounds((0, 0, 3 * FINEST, 4), 1, "EPSG:3857")
    marked = grid.raster(np.arange(3 * FINEST) % 3 < 2 * np.ones((4, 1)))
    extent = (0.0, 1.0, 0.0, 1.0)
    projection = projection_for((0.0, 0.0, 0.1, 0.1))
    _, (axes,) = map_panels(1, extent, projection, frame=MapFrame())
    hatch_cells(axes, marked)
    (patch,) = hatches_of(axes)
    assert len(patch.get_path().to_polygons()) <= 4, "one run a row of blocks"
