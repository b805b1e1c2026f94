"""Which months and which year of its series a study maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from geosoil.plotting.region_maps import MapSheet
from geosoil.plotting.style import HESS, SCREEN, FigurePreset
from geosoil.workflow import month_figures as room
from geosoil.workflow.month_figures import month_figures, whole_years
from tests.workflow.figure_cases import GRID, inputs, series

CLIMATE = {"precipitation": {"path": "p.nc"}, "soil_moisture": {"path": "s.nc"}}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What is handed to the room that draws."""
    calls: list[dict] = []
    monkeypatch.setattr(
        room,
        "figure_month_maps",
        lambda planes, **rest: calls.append(rest | {"planes": planes}),
    )
    return calls


@pytest.fixture
def climate(monkeypatch: pytest.MonkeyPatch) -> dict[str, xr.DataArray]:
    known = {
        "precipitation": series("2018-01-01", 36),
        "soil_moisture": series("2017-01-01", 24),
    }
    monkeypatch.setattr(room, "open_study_climate", lambda _, name: known[name])
    return known


def test_a_study_without_series_has_no_figures_of_months() -> None:
    assert list(month_figures(inputs(), MapSheet())) == []


def test_the_last_year_that_the_series_share_is_shown(climate, drawn) -> None:
    figures = dict(month_figures(inputs(climate=CLIMATE), MapSheet()))
    assert list(figures) == ["climate_by_month"]
    figures["climate_by_month"](SCREEN)
    (call,) = drawn
    assert call["title"] == "Climate by month, 2018"
    months = ("June", "August", "September")
    assert list(call["planes"]) == [
        (name, month) for name in CLIMATE for month in months
    ]
    # The fields count their months, so each tells which one it is.
    values = {key: float(plane.max()) for key, plane in call["planes"].items()}
    assert [values["precipitation", month] for month in months] == [5, 7, 8]
    assert [values["soil_moisture", month] for month in months] == [17, 19, 20]
    assert call["kinds"]["precipitation"].label == "precipitation [mm month⁻¹]"


def test_the_settings_may_name_year_and_months(climate, drawn) -> None:
    wanted = {"year": 2020, "months": (7,)}
    study = inputs(climate=CLIMATE, correlation=wanted)
    dict(month_figures(study, MapSheet()))["climate_by_month"](SCREEN)
    assert list(drawn[0]["planes"]) == [("precipitation", "July")]
    study = inputs(climate=CLIMATE, correlation={"year": 1990})
    assert list(month_figures(study, MapSheet())) == []


def test_fields_are_shown_within_the_region_only(climate, drawn) -> None:
    dict(month_figures(inputs(climate=CLIMATE), MapSheet()))["climate_by_month"](SCREEN)
    shown = np.isfinite(drawn[0]["planes"]["precipitation", "June"]).to_numpy()
    inside = (GRID.x > 96.5) & (GRID.x < 98.5)
    assert not shown[:, ~inside].any()
    assert shown[:, inside].any()


@pytest.mark.parametrize("preset", [SCREEN, HESS])
def test_the_figure_is_drawn_for_each_preset(climate, preset: FigurePreset) -> None:
    study = inputs(climate=CLIMATE)
    figure = dict(month_figures(study, MapSheet()))["climate_by_month"](preset)
    assert figure.get_size_inches()[0] == pytest.approx(preset.page)
    titles = [axes.get_title(loc="left") for axes in figure.axes[:6]]
    assert titles == ["(a) June", "(b) August", "(c) September", "(d)", "(e)", "(f)"]


def test_several_fields_a_month_make_no_whole_year() -> None:
    one = series("2019-01-01", 12)
    twice = xr.concat([one, one.sel(time=slice("2019-06", "2019-06"))], "time")
    assert whole_years(one, (6, 8)) == [2019]
    assert whole_years(twice, (6, 8)) == []


def test_only_files_of_the_year_are_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drawn
) -> None:
    for year in (2019, 2020):
        for day in (153, 214, 245):
            (tmp_path / f"MOD13C2.A{year}{day}.061.hdf").touch()
    (tmp_path / "MOD13C2.A2021153.061.hdf").touch()
    opened: list[list[str]] = []

    def read(_: object, files: list[Path]) -> xr.DataArray:
        opened.append([file.name for file in files])
        year = files[0].name[9:13]
        return series(f"{year}-06-01", 4).assign_attrs(units="1")

    monkeypatch.setattr(room, "open_study_ndvi", read)
    for year, expected in ((None, "2020"), (2019, "2019")):
        study = inputs(
            ndvi={"monthly": tmp_path / "MOD13C2*.hdf"}, correlation={"year": year}
        )
        figures = dict(month_figures(study, MapSheet()))
        assert {name[9:13] for name in opened.pop()} == {expected}
        figures["ndvi_by_month"](SCREEN)
        assert drawn.pop()["title"] == f"Vegetation index by month, {expected}"


def test_files_whose_names_tell_no_date_are_all_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = [tmp_path / f"ndvi_{n}.hdf" for n in range(3)]
    for file in files:
        file.touch()
    opened: list[list[Path]] = []

    def read(_: object, given: list[Path]) -> xr.DataArray:
        opened.append(given)
        return series("2020-06-01", 4).assign_attrs(units="1")

    monkeypatch.setattr(room, "open_study_ndvi", read)
    study = inputs(ndvi={"monthly": tmp_path / "ndvi_*.hdf"})
    list(month_figures(study, MapSheet()))
    assert opened == [files]
