"""Draw a study's maps of correlation: the paper's S1 to S4, and all in one figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
import xarray as xr

from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.correlation_maps import figure_correlation_maps
from geosoil.plotting.layers import Overlays
from geosoil.plotting.picture import Draw
from geosoil.plotting.style import DASH
from geosoil.workflow.correlation import CorrelationResult

Maps = Mapping[tuple[str, str], xr.Dataset]

TEMPERATURES = ("air_temperature", "ground_temperature")
"""Variables that share a figure, as in the paper's S1."""


def correlation_figures(
    result: CorrelationResult, overlays: Overlays, note: str | None
) -> Iterator[tuple[str, Draw]]:
    """Name the figures of a study's correlations and say how each is drawn.

    Parameters
    ----------
    result : CorrelationResult
        Correlations of the study.
    overlays : Overlays
        Outlines and waters.
    note : str or None
        Small text at the bottom.

    Yields
    ------
    name : str
        ``correlation_temperature_<y>`` where both temperatures are known,
        ``correlation_<x>_<y>`` of every other variable, ``correlation_all_<y>`` of
        several, all over time; ``correlation_window_all_<y>`` over space.
    draw : callable
        Draws it.
    """
    y = str(result.summary["y"].iloc[0])
    over_time = {key: found.assign_attrs(y=y) for key, found in result.maps.items()}
    names = list(dict.fromkeys(x for x, _ in over_time))
    for name, members in _groups(names).items():
        panels = {key: found for key, found in over_time.items() if key[0] in members}
        pair = f"{in_words(y)} with {' and '.join(in_words(x) for x in members)}"
        title = f"Correlation over time: {pair}, {_years(panels)}"
        yield f"correlation_{name}_{y}", _drawing(panels, overlays, title, note)
    if len(_groups(names)) > 1:
        title = (
            f"Correlation over time: {in_words(y)} and its drivers, {_years(over_time)}"
        )
        yield f"correlation_all_{y}", _drawing(over_time, overlays, title, note)
    windows = _windows(result.windows, result.space, y)
    if windows:
        years = dict.fromkeys(str(found.attrs["year"]) for found in windows.values())
        title = f"Correlation over space: {in_words(y)} and its drivers, "
        title += " and ".join(years)
        yield f"correlation_window_all_{y}", _drawing(windows, overlays, title, note)


def _groups(names: list[str]) -> dict[str, list[str]]:
    """Return the variables of each figure by its name."""
    if not set(TEMPERATURES) <= set(names):
        return {name: [name] for name in names}
    others = {name: [name] for name in names if name not in TEMPERATURES}
    return {"temperature": list(TEMPERATURES), **others}


def _years(panels: Maps) -> str:
    """Return the years of maps over time in words."""
    years = dict.fromkeys(str(found.attrs["years"]) for found in panels.values())
    return " and ".join(years).replace("-", DASH)


def _windows(
    maps: Maps, space: pd.DataFrame, y: str
) -> dict[tuple[str, str], xr.Dataset]:
    """Return the maps over space, each with what the table says of all cells."""
    told = {"r": "region_r", "p_value": "region_p_value"}
    told |= {name: name for name in ("support_x", "support_y")}
    columns = {name: attribute for name, attribute in told.items() if name in space}
    region = {
        (str(row["x"]), str(row["month"])): {
            attribute: row[name] for name, attribute in columns.items()
        }
        for _, row in space.iterrows()
    }
    return {
        key: found.assign_attrs({"y": y, **region.get(key, {})})
        for key, found in maps.items()
    }


def _drawing(panels: Maps, overlays: Overlays, title: str, note: str | None) -> Draw:
    """Say how maps of correlation are drawn."""
    return lambda preset: figure_correlation_maps(
        panels, overlays=overlays, title=title, note=note, preset=preset
    )
