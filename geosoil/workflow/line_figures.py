"""Draw the figures of the water lines of a table of samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.errors import GeosoilWarning
from geosoil.io._atomic import write_bytes
from geosoil.plotting.isotope_groups import figure_isotope_groups
from geosoil.plotting.isotopes import figure_dual_isotope
from geosoil.plotting.profiles import figure_depth_profiles
from geosoil.plotting.style import render
from geosoil.plotting.trajectories import figure_trajectories
from geosoil.tracers.group_table import ALL
from geosoil.tracers.lines import GMWL, LineMethod, WaterLine, fit_water_line
from geosoil.workflow.line_output import LineTables
from geosoil.workflow.simulated import simulated_note


def write_line_figures(tables: LineTables, folder: Path) -> tuple[Path, ...]:
    """Draw and write the figures of the lines.

    Parameters
    ----------
    tables : LineTables
        What to draw; without periods there is no figure.
    folder : Path
        Folder to write to.

    Returns
    -------
    paths : tuple of Path
        PNG files: ``dual_isotope``, ``lines_by_layer`` (as Fig 4 of the paper),
        ``lines_by_group`` (Fig 5), ``depth_profiles``, and ``trajectories`` where the
        slope of evaporation is known; those the columns allow.
    """
    if tables.strata is None:
        return ()
    return tuple(
        write_bytes(picture, folder / f"{name}.png")
        for name, picture in _figures(tables, tables.strata)
    )


def _figures(tables: LineTables, strata: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Draw each figure that the columns allow."""
    samples, lmwl, water = tables.samples, tables.lmwl, tables.water
    note = simulated_note(samples)
    own = samples[(samples["water"] == water) & samples["period"].notna()]
    words = water.replace("_", " ")
    kinds = set(strata["by"])
    figure = figure_dual_isotope(
        samples[samples["period"].isin(own["period"])],
        lmwl=lmwl,
        gmwl=GMWL,
        lines_by_period=_period_lines(strata, own, tables.method),
        title="Waters and their lines, with 95 % confidence bands",
        note=note,
    )
    yield "dual_isotope", render(figure)
    for name, rows in _group_figures(kinds):
        figure = figure_isotope_groups(
            own,
            strata,
            by=rows,
            lmwl=lmwl,
            title=f"{words.capitalize()} water and its lines by month",
            note=note,
        )
        yield name, render(figure)
    if "soil_layer" in kinds:
        layers = strata[strata["by"] == "soil_layer"]
        title = f"Mean {words} water by depth"
        yield (
            "depth_profiles",
            render(figure_depth_profiles(layers, title=title, note=note)),
        )
    if tables.slopes:
        figure = figure_trajectories(
            _site_means(own),
            lmwl=lmwl,
            slopes=tables.slopes,
            title=f"{words.capitalize()} water traced back to the meteoric line",
            note=note,
        )
        yield "trajectories", render(figure)


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
