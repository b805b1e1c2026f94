"""Draw the figures of the water lines of a table of samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.errors import GeosoilWarning
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.isotope_groups import figure_isotope_groups
from geosoil.plotting.isotopes import figure_dual_isotope
from geosoil.plotting.picture import Drawing
from geosoil.plotting.profiles import figure_depth_profiles
from geosoil.plotting.style import SCREEN, FigurePreset
from geosoil.plotting.trajectories import figure_trajectories
from geosoil.tracers.group_table import ALL
from geosoil.tracers.lines import LineMethod, WaterLine, fit_water_line
from geosoil.workflow.figure_writing import write_figure
from geosoil.workflow.line_output import LineTables
from geosoil.workflow.simulated import simulated_note


def write_line_figures(
    tables: LineTables, folder: Path, *, preset: FigurePreset = SCREEN
) -> tuple[Path, ...]:
    """Draw and write the figures of the lines.

    Parameters
    ----------
    tables : LineTables
        What to draw; without periods there is no figure.
    folder : Path
        Folder to write to.
    preset : FigurePreset
        For whom the figures are drawn.

    Returns
    -------
    paths : tuple of Path
        Files in the formats of the preset: ``dual_isotope``, ``lines_by_layer`` (as
        Fig 4 of the paper),
        ``lines_by_group`` (Fig 5), ``depth_profiles``, and ``trajectories`` where the
        slope of evaporation is known; those the columns allow.
    """
    if tables.strata is None:
        return ()
    paths: tuple[Path, ...] = ()
    for name, figure in _figures(tables, tables.strata, preset):
        paths += write_figure(figure, folder, name, preset=preset)
    return paths


def _figures(
    tables: LineTables, strata: pd.DataFrame, preset: FigurePreset
) -> Iterator[tuple[str, Drawing]]:
    """Draw each figure that the columns allow."""
    samples, lmwl, water = tables.samples, tables.lmwl, tables.water
    note = simulated_note(samples)
    own = samples[(samples["water"] == water) & samples["period"].notna()]
    words = water.replace("_", " ")
    kinds = set(strata["by"])
    figure = figure_dual_isotope(
        samples[samples["period"].isin(own["period"])],
        lmwl=lmwl,
        lines_by_period=_period_lines(strata, own, tables.method),
        title="Waters and their lines, with 95 % confidence bands",
        note=note,
        preset=preset,
    )
    yield "dual_isotope", figure
    for name, rows in _group_figures(kinds):
        figure = figure_isotope_groups(
            own,
            strata,
            by=rows,
            lmwl=lmwl,
            page=DiagramPage(
                f"{words.capitalize()} water and its lines by month", note, preset
            ),
        )
        yield name, figure
    if "soil_layer" in kinds:
        layers = strata[strata["by"] == "soil_layer"]
        title = f"Mean {words} water by depth"
        figure = figure_depth_profiles(layers, title=title, note=note, preset=preset)
        yield "depth_profiles", figure
    if tables.slopes:
        figure = figure_trajectories(
            _site_means(own),
            lmwl=lmwl,
            slopes=tables.slopes,
            title=f"{words.capitalize()} water traced back to the meteoric line",
            note=note,
            preset=preset,
        )
        yield "trajectories", figure


def _group_figures(kinds: set[str]) -> list[tuple[str, list[str]]]:
    """Name the figures of groups, and the kinds of strata each shows."""
    wanted = [
        ("lines_by_layer", ["soil_layer"]),
        ("lines_by_group", [ALL, "elevation_band", "vegetation"]),
    ]
    found = [(name, [row for row in rows if row in kinds]) for name, rows in wanted]
    return [(name, rows) for name, rows in found if rows]


def _period_lines(
    strata: pd.DataFrame, own: pd.DataFrame, method: LineMethod
) -> dict[str, WaterLine]:
    """Line of each period; a least-squares one with its errors, for the band."""
    lines = {}
    for _, row in strata[(strata["by"] == ALL) & (strata["reason"] == "")].iterrows():
        period = str(row["period"])
        rows = own[own["period"] == period]
        lines[period] = WaterLine.stated(float(row["slope"]), float(row["intercept"]))
        if method == "ols":
            with warnings.catch_warnings():
                # A weak line is told by the row's flag.
                warnings.simplefilter("ignore", GeosoilWarning)
                lines[period] = fit_water_line(rows["d18O"], rows["d2H"])
    return lines


def _site_means(own: pd.DataFrame) -> pd.DataFrame:
    """Mean water of each site and period."""
    whole = own[np.isfinite(own[["d18O", "d2H"]].astype(float)).all(axis=1)]
    keys = ["period", "site_id"] if "site_id" in whole else ["period", "sample_id"]
    return whole.groupby(keys, sort=False)[["d18O", "d2H"]].mean().reset_index()
