"""Maps by month: one variable above one bar, several with a bar to each row."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.layers import Overlays
from geosoil.plotting.month_maps import figure_month_maps
from geosoil.plotting.region_maps import MapSheet
from geosoil.plotting.scales import KINDS
from geosoil.plotting.style import HESS, SCREEN, FigurePreset

GRID = Grid.from_bounds((89.4, 31.55, 102.4, 36.55), 0.5, "EPSG:4326")
COARSE = Grid.from_bounds((89.4, 31.55, 102.4, 36.55), 1, "EPSG:4326")
NOTE = "SIMULATED data: no value on this figure was measured"
MONTHS = ("June", "August", "September")
CLIMATE = (
    "air_temperature",
    "precipitation",
    "evapotranspiration",
    "soil_moisture",
)


def plane(level: float, grid: Grid = GRID) -> xr.DataArray:
    rows, columns = grid.shape
    return grid.raster(
        level * np.linspace(0.5, 1.0, rows * columns).reshape(grid.shape)
    )


def table(names: tuple[str, ...]) -> dict[tuple[str, str], xr.DataArray]:
    return {
        (name, month): plane(10.0 * (row + 1) + column, COARSE if row else GRID)
        for row, name in enumerate(names)
        for column, month in enumerate(MONTHS)
    }


def panels_of(figure: Figure) -> list:
    return [a for a in figure.axes if a.get_title(loc="left").startswith("(")]


def bars_of(figure: Figure) -> list:
    return [a for a in figure.axes if a.get_label() == "colour bar"]


def limits_of(axes) -> tuple[float, float]:
    (mesh,) = [c for c in axes.collections if isinstance(c, QuadMesh)]
    return mesh.get_clim()


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_months_of_one_variable_share_one_bar(
    preset: FigurePreset, overlays: Overlays, assert_readable
) -> None:
    planes = {("ndvi", f"{m} 2020"): plane(0.5 + 0.1 * i) for i, m in enumerate(MONTHS)}
    sheet = MapSheet(overlays, note=NOTE, preset=preset)
    figure = figure_month_maps(planes, sheet=sheet, title="NDVI by month")
    panels = panels_of(figure)
    assert [axes.get_title(loc="left") for axes in panels] == [
        "(a) June 2020",
        "(b) August 2020",
        "(c) September 2020",
    ]
    (bar,) = bars_of(figure)
    assert bar.get_xlabel() == "NDVI [1]"
    assert {limits_of(axes) for axes in panels} == {(0.0, 1.0)}
    assert len({round(axes.get_position().x0, 9) for axes in panels}) == 1, "one column"
    assert figure.get_size_inches()[0] == pytest.approx(preset.column)
    assert_readable(figure)


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_each_of_several_variables_has_a_row_and_a_bar(
    preset: FigurePreset, overlays: Overlays, assert_readable
) -> None:
    sheet = MapSheet(overlays, note=NOTE, preset=preset)
    figure = figure_month_maps(table(CLIMATE), sheet=sheet, title="Climate")
    panels, bars = panels_of(figure), bars_of(figure)
    assert len(panels) == 12
    assert [bar.get_ylabel() for bar in bars] == ["°C", "mm", "mm", "m³ m⁻³"]
    for row, bar in enumerate(bars):
        own = panels[3 * row : 3 * row + 3]
        assert len({limits_of(axes) for axes in own}) == 1
        assert bar.get_ylim() == pytest.approx(limits_of(own[0]))
        frame, box = own[-1].get_position(), bar.get_position()
        assert frame.x1 < box.x0
        assert frame.y0 <= box.y0
        assert box.y1 <= frame.y1
    assert figure.get_size_inches()[0] == pytest.approx(preset.page)
    assert_readable(figure)
    written = " ".join(text.get_text() for text in figure.texts).replace("\n", "")
    assert "air temperature" in written.replace("airtemp", "air temp")
    assert "transpiration" in written


def test_only_outer_panels_write_degrees() -> None:
    panels = panels_of(figure_month_maps(table(CLIMATE)))
    assert [bool(a.get_yticklabels()) for a in panels] == [True, False, False] * 4
    assert [bool(a.get_xticklabels()) for a in panels] == [False] * 9 + [True] * 3


def test_a_month_that_is_missing_leaves_its_panel_grey() -> None:
    planes = table(CLIMATE[:2])
    del planes[CLIMATE[1], "August"]
    panel = panels_of(figure_month_maps(planes))[4]
    assert not [c for c in panel.collections if isinstance(c, QuadMesh)]


def test_a_scale_that_is_given_is_taken() -> None:
    kinds = {"ndvi": KINDS["p_value"]}
    figure = figure_month_maps({("ndvi", "June"): plane(0.5)}, kinds=kinds)
    assert bars_of(figure)[0].get_xlabel() == KINDS["p_value"].label


def test_no_field_is_an_error() -> None:
    with pytest.raises(InputError, match="No fields to map"):
        figure_month_maps({})
