"""Which maps of correlation a study draws, and what each one shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.grids.grid import Grid
from geosoil.plotting.layers import Overlays
from geosoil.plotting.picture import Draw
from geosoil.plotting.style import DASH, HESS, SCREEN, FigurePreset
from geosoil.workflow import correlation_figures as room
from geosoil.workflow.correlation import CorrelationResult

GRID = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
MONTHS = ("June", "August")


def over_time() -> xr.Dataset:
    r = GRID.raster(np.linspace(-1, 1, 60).reshape(GRID.shape))
    found = xr.Dataset({"r": r, "n": r * 0 + 20, "significant": r > 0})
    return found.assign_attrs(method="pearson", years="2001-2020", fdr=0.1)


def result_of(*names: str, windows: bool = True) -> CorrelationResult:
    keys = [(x, month) for x in names for month in MONTHS]
    rows = [{"x": x, "y": "soil_moisture", "month": month} for x, month in keys]
    window = over_time()[["r", "n"]]
    window = window.assign_attrs(method="pearson", window=9, year=2020)
    space = pd.DataFrame(rows).assign(
        r=np.linspace(-0.5, 0.5, len(rows)), p_value=0.04, support_x="cell of 1 degree"
    )
    return CorrelationResult(
        maps={key: over_time() for key in keys},
        windows=dict.fromkeys(keys, window) if windows else {},
        summary=pd.DataFrame(rows),
        space=space,
        zones=pd.DataFrame(),
        paths=(),
    )


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[dict, dict]]]:
    """What is handed to the room that draws."""
    calls: list[tuple[dict, dict]] = []
    monkeypatch.setattr(
        room,
        "figure_correlation_maps",
        lambda panels, **rest: calls.append((panels, rest)),
    )
    return calls


def figures(result: CorrelationResult) -> dict[str, Draw]:
    return dict(room.correlation_figures(result, Overlays(), "SIMULATED"))


def test_the_temperatures_share_a_figure_and_others_have_their_own() -> None:
    names = ("air_temperature", "ndvi", "ground_temperature", "rain")
    assert list(figures(result_of(*names))) == [
        "correlation_temperature_soil_moisture",
        "correlation_ndvi_soil_moisture",
        "correlation_rain_soil_moisture",
        "correlation_all_soil_moisture",
        "correlation_window_all_soil_moisture",
    ]


def test_one_temperature_keeps_its_name_and_one_figure_is_not_drawn_twice() -> None:
    result = result_of("air_temperature", windows=False)
    assert list(figures(result)) == ["correlation_air_temperature_soil_moisture"]


def test_each_figure_holds_its_maps_and_names_its_kind(drawn) -> None:
    result = result_of("air_temperature", "ground_temperature", "ndvi")
    for draw in figures(result).values():
        draw(SCREEN)
    held = [list(dict.fromkeys(x for x, _ in panels)) for panels, _ in drawn]
    both = ["air_temperature", "ground_temperature"]
    assert held == [both, ["ndvi"], [*both, "ndvi"], [*both, "ndvi"]]
    assert [rest["title"] for _, rest in drawn] == [
        "Correlation over time: soil moisture with air temperature and ground "
        f"temperature, 2001{DASH}2020",
        f"Correlation over time: soil moisture with NDVI, 2001{DASH}2020",
        f"Correlation over time: soil moisture and its drivers, 2001{DASH}2020",
        "Correlation over space: soil moisture and its drivers, 2020",
    ]
    assert {rest["note"] for _, rest in drawn} == {"SIMULATED"}


def test_maps_over_space_carry_r_and_p_of_the_whole_region(drawn) -> None:
    result = result_of("rain", "ndvi")
    figures(result)["correlation_window_all_soil_moisture"](HESS)
    ((panels, rest),) = drawn
    assert rest["preset"] is HESS
    for row in result.space.to_dict("records"):
        attrs = panels[row["x"], row["month"]].attrs
        assert attrs["region_r"] == row["r"]
        assert attrs["region_p_value"] == 0.04
        assert attrs["support_x"] == "cell of 1 degree"
        assert attrs["y"] == "soil_moisture"
    assert "region_r" not in result.windows["rain", "June"].attrs, "left as it was"


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_a_figure_is_drawn_for_each_preset(preset: FigurePreset) -> None:
    draw = figures(result_of("rain"))["correlation_rain_soil_moisture"]
    assert draw(preset).get_size_inches()[0] in (preset.column, preset.page)
