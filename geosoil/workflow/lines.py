"""Water lines of a table of samples: meteoric line, groups, the artefact check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from geosoil.config import StrataSettings, read_config
from geosoil.errors import InputError
from geosoil.io.samples import read_samples, sample_issues
from geosoil.strata import OUTSIDE, add_strata, exposure
from geosoil.tracers.artefact import slope_artefact
from geosoil.tracers.evaporation import evaporation_slope
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.group_table import (
    ALL,
    TABLE_STRATA,
    LineChoice,
    crossed_groups,
    group_table,
)
from geosoil.tracers.lines import LineMethod, WaterLine
from geosoil.tracers.presets import Preset, preset
from geosoil.tracers.slope_uncertainty import (
    ASSUMED_CLIMATE,
    ASSUMED_SPREAD,
    ASSUMED_WORDS,
    ClimateSpread,
    evaporation_slope_uncertainty,
)
from geosoil.workflow.evaporation import climate_of_settings
from geosoil.workflow.figure_writing import figure_preset
from geosoil.workflow.line_figures import write_line_figures
from geosoil.workflow.line_output import (
    LineTables,
    LineWords,
    line_results,
    line_text,
    write_line_tables,
)
from geosoil.workflow.line_sources import with_sources
from geosoil.workflow.meteoric import (
    meteoric_line,
    meteoric_method,
    plain_method,
    whole_samples,
)
from geosoil.workflow.waters import samples_of_water

Climates = Callable[[object], EvaporationClimate | None]
SEED = 2020
"""Seed of the draws of the climate, so that a table tells the same twice."""


@dataclass(frozen=True, slots=True)
class LineRequest:
    """What lines are asked of a table of samples."""

    water: str = "soil"
    """Water whose groups get lines."""
    by: tuple[str, ...] = ("period",)
    """Columns that are crossed to make the groups; empty for one group."""
    method: LineMethod | None = None
    """Method of the fits; a weighted one weights the meteoric line alone. Without it
    that of the preset, else "ols"."""
    lmwl_from: str = "precipitation"
    """Water the meteoric line is fitted to."""
    climate: EvaporationClimate | None = None
    """Conditions of evaporation in every period; without them those of the settings
    for each period, else a wide range is assumed."""
    config: Path | None = None
    """Settings whose [samples.columns] and [strata] are used."""
    preset: str | None = None
    """Methods that belong together, see `geosoil.tracers.presets`."""

    @property
    def group_method(self) -> LineMethod:
        """Method of the groups: amounts weight precipitation alone."""
        method: LineMethod = self.method or "ols"
        return method if self.water == self.lmwl_from else plain_method(method)

    @property
    def chosen(self) -> Preset | None:
        """The preset; None without one."""
        return None if self.preset is None else preset(self.preset)


@dataclass(frozen=True, slots=True, eq=False)
class LineReport:
    """Lines of a table and how they are told."""

    lmwl: WaterLine
    """Meteoric line; the global one where its water is too scarce."""
    groups: pd.DataFrame
    """Rows of `crossed_groups` with the artefact check."""
    strata: pd.DataFrame | None
    """Rows of `group_table`; None without periods."""
    text: str
    """What the command prints."""
    results: list[object]
    """The same as plain values: the meteoric line, then the groups."""
    paths: tuple[Path, ...]
    """Files written."""


def water_lines(
    path: str | Path,
    request: LineRequest,
    *,
    output: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> LineReport:
    """Read samples, fit the meteoric line and the lines of groups, and tell them.

    Parameters
    ----------
    path : str or Path
        Table of samples.
    request : LineRequest
        Water, groups and methods.
    output : str or Path, optional
        Folder for tables and figures; nothing is written without it.
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    report : LineReport
        Lines, words and the files written.

    Raises
    ------
    GeosoilError
        If the table cannot be read, lacks a column or holds none of the water.

    Warns
    -----
    GeosoilWarning
        Where the meteoric line's water has fewer than three samples (the global line
        then stands in), or sites are not told.
    """
    report = progress or _silent
    report(f"reading {path}")
    samples, issues = open_strata(path, request.config)
    climates = _climates(request)
    report("fitting water lines")
    rain = samples[samples["water"] == request.lmwl_from]
    method = meteoric_method(whole_samples(rain), request.method, request.preset)
    lmwl = meteoric_line(rain, method, water=request.lmwl_from)
    chosen = _chosen(samples, request)
    line = _choice(request, lmwl, _range(rain))
    groups = crossed_groups(chosen, request.by, line=line)
    rng = np.random.default_rng(SEED)
    groups = _with_artefacts(groups, rain, climates, rng)
    groups = with_sources(groups, lmwl, led_by=_led_by(request), rng=rng)
    has_periods = "period" in chosen and chosen["period"].notna().any()
    here = [name for name in TABLE_STRATA if name == ALL or name in chosen]
    strata = group_table(chosen, here, line=line) if has_periods else None
    paths: tuple[Path, ...] = ()
    if output is not None:
        slopes = _slopes(strata, rain, climates)
        tables = LineTables(
            groups, strata, samples, issues, lmwl, request.water, line.method, slopes
        )
        paths = write_line_tables(tables, Path(output))
        report("drawing figures")
        settings = read_config(request.config) if request.config is not None else None
        paths += write_line_figures(
            tables, Path(output), preset=figure_preset(settings)
        )
        report(f"wrote {len(paths)} files to {output}")
    words = LineWords(
        request.water, request.lmwl_from, line.method, _led_by(request), request.chosen
    )
    text = line_text(groups, lmwl, request.by, words)
    return LineReport(lmwl, groups, strata, text, line_results(groups, lmwl), paths)


def known_method(name: str) -> LineMethod:
    """Return a method of the fit by its name.

    Parameters
    ----------
    name : str
        Name as typed.

    Returns
    -------
    method : str
        The same name, known to be one of `LineMethod`.

    Raises
    ------
    InputError
        If there is no such method.

    Examples
    --------
    >>> known_method("rma")
    'rma'
    """
    found = [method for method in get_args(LineMethod) if method == name]
    if not found:
        known = ", ".join(get_args(LineMethod))
        message = f"Unknown line method '{name}'. Choose one of {known}."
        raise InputError(message)
    method: LineMethod = found[0]
    return method


def open_strata(
    path: str | Path, config: Path | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read samples and add the strata that follow from their columns.

    Parameters
    ----------
    path : str or Path
        Table of samples.
    config : Path, optional
        Settings whose [samples.columns] and [strata] are used.

    Returns
    -------
    samples : DataFrame
        Samples with ``elevation_band``, ``soil_layer`` and ``exposure`` where known.
    issues : DataFrame
        Changes made to the table and doubts about it.

    Raises
    ------
    GeosoilError
        If a file cannot be read.
    """
    settings = read_config(config) if config is not None else None
    columns = settings.samples.columns if settings is not None else {}
    strata = settings.strata if settings is not None else StrataSettings()
    table = read_samples(path, columns=columns or None)
    samples = add_strata(
        pd.DataFrame(table.drop(columns="geometry")), edges=strata.edges()
    )
    if "aspect" in samples:
        samples["exposure"] = exposure(samples["aspect"])
    return samples, sample_issues(table)


def _chosen(samples: pd.DataFrame, request: LineRequest) -> pd.DataFrame:
    """Take the samples of the water that is asked for, each with a site."""
    chosen = samples_of_water(samples, request.water, option="--water")
    for column in ("elevation_band", "soil_layer"):
        # The samples of one water alone say whether any lies outside the classes.
        if column in chosen and not (chosen[column] == OUTSIDE).any():
            kept = [c for c in chosen[column].cat.categories if c != OUTSIDE]
            chosen[column] = chosen[column].cat.set_categories(kept)
    return chosen


def _choice(
    request: LineRequest, lmwl: WaterLine, reach: tuple[float, float] | None
) -> LineChoice:
    """How groups are fitted, crossed and averaged."""
    choice = LineChoice(lmwl, request.group_method, reach)
    if request.chosen is None:
        return choice
    return replace(
        choice,
        interval=request.chosen.confidence_interval,
        means=request.chosen.means,
    )


def _led_by(request: LineRequest) -> str:
    """Return what leads a group's mean water back to the meteoric line."""
    return "regression" if request.chosen is None else request.chosen.evaporation_line


def _climates(request: LineRequest) -> Climates:
    """Give the conditions of evaporation of a period: stated for all, or settings'."""
    if request.climate is not None or request.config is None:
        return lambda _: request.climate
    weather = read_config(request.config).tracers.climate

    def of_period(period: object) -> EvaporationClimate | None:
        found = weather.get(str(period))
        return None if found is None else climate_of_settings(found)

    return of_period


def _range(rain: pd.DataFrame) -> tuple[float, float] | None:
    d18O = rain["d18O"].dropna()
    return (float(d18O.min()), float(d18O.max())) if len(d18O) else None


def _with_artefacts(
    groups: pd.DataFrame,
    rain: pd.DataFrame,
    climates: Climates,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Add the slope of evaporation and what it says of each line."""
    rows = []
    for _, row in groups.iterrows():
        stated = climates(row.get("period"))
        climate = ASSUMED_CLIMATE if stated is None else stated
        spread = ASSUMED_SPREAD if stated is None else ClimateSpread()
        remark = f" ({ASSUMED_WORDS})" if stated is None else ""
        start = _start(row, rain)
        theory = float(evaporation_slope(*start, climate=climate))
        cells: dict[str, object] = {
            "evaporation_slope": theory,
            "evaporation_slope_sd": np.nan,
            "artefact": None,
            "artefact_words": "",
        }
        if np.isfinite(row["slope"]) and np.isfinite(theory):
            uncertain = evaporation_slope_uncertainty(
                *start, climate=climate, spread=spread, rng=rng
            )
            finding = slope_artefact(
                _row_line(row),
                theory,
                theory_standard_error=uncertain.standard_deviation,
            )
            cells["evaporation_slope_sd"] = uncertain.standard_deviation
            cells["artefact"] = bool(finding.artefact)
            cells["artefact_words"] = finding.words + remark
        rows.append(cells)
    return pd.concat([groups, pd.DataFrame(rows, index=groups.index)], axis=1)


def _slopes(
    strata: pd.DataFrame | None, rain: pd.DataFrame, climates: Climates
) -> dict[str, float]:
    """Slope of evaporation of each period; empty without a climate."""
    if strata is None:
        return {}
    found = {}
    for _, row in strata[strata["by"] == ALL].iterrows():
        climate = climates(row["period"])
        if climate is not None:
            slope = evaporation_slope(*_start(row, rain), climate=climate)
            found[str(row["period"])] = float(slope)
    return {period: slope for period, slope in found.items() if np.isfinite(slope)}


def _start(row: pd.Series, rain: pd.DataFrame) -> tuple[float, float]:
    """Water before evaporation: the period's mean rain, else all rain, else the row."""
    whole = whole_samples(rain)
    own = whole[whole["period"] == row.get("period")] if "period" in whole else whole
    for part in (own, whole):
        if len(part):
            return float(part["d18O"].mean()), float(part["d2H"].mean())
    return float(row["d18O"]), float(row["d2H"])


def _row_line(row: pd.Series) -> WaterLine:
    """Line of a row, with the larger of its two slope errors: few sites tell little."""
    line = WaterLine.stated(float(row["slope"]), float(row["intercept"]))
    error = np.fmax(row["slope_standard_error"], row["slope_site_error"])
    return replace(line, slope_standard_error=float(error), n=int(row["n"]))


def _silent(words: str) -> None:
    """Report nothing."""
    del words
