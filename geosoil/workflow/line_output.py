"""Tell and write the water lines of a table of samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.io._atomic import write_csv
from geosoil.tracers.group_table import TABLE_1, TABLE_2, paper_layout
from geosoil.tracers.intersection import UNBOUNDED
from geosoil.tracers.lines import LineMethod, WaterLine
from geosoil.tracers.presets import Preset
from geosoil.workflow.plain_json import plain_value


@dataclass(frozen=True, slots=True, eq=False)
class LineTables:
    """Tables that are written and drawn."""

    lines: pd.DataFrame
    """Rows of `crossed_groups`."""
    strata: pd.DataFrame | None
    """Rows of `group_table`; None without periods."""
    samples: pd.DataFrame
    """All samples with their strata."""
    issues: pd.DataFrame
    """Changes made to the table of samples and doubts about it."""
    lmwl: WaterLine
    """Meteoric line."""
    water: str
    """Water of the groups."""
    method: LineMethod
    """Method of the groups' lines."""
    slopes: dict[str, float]
    """Slope of evaporation by period; empty without a climate."""


@dataclass(frozen=True, slots=True)
class LineWords:
    """Names that the account of the lines uses."""

    water: str
    """Water of the groups."""
    lmwl_from: str
    """Water of the meteoric line."""
    method: LineMethod
    """Method of the groups' lines."""
    led_by: str
    """"regression" or "craig_gordon": whose meeting with the meteoric line is told."""
    preset: Preset | None = None
    """Methods that belong together, where some were asked for."""


def line_text(
    groups: pd.DataFrame, lmwl: WaterLine, by: Sequence[str], names: LineWords
) -> str:
    """Tell the meteoric line and the line of each group.

    Parameters
    ----------
    groups : DataFrame
        Rows of `crossed_groups`.
    lmwl : WaterLine
        Meteoric line.
    by : sequence of str
        Columns that make the groups.
    names : LineWords
        Waters, methods and what leads back to the meteoric line.

    Returns
    -------
    text : str
        One line a group under a heading, then reasons, flags and the artefact check.
    """
    rain = names.lmwl_from.replace("_", " ")
    origin = f"{rain}, {lmwl.method}" if lmwl.n else "Craig 1961"
    text = [f"Preset {names.preset.name}: {names.preset.words}"] if names.preset else []
    text += [f"Meteoric water line ({origin}): {_equation(lmwl)}"]
    if lmwl.n:
        text[-1] += f", R2 {lmwl.r_squared:.2f}, n {lmwl.n}"
    text += [f"Lines of {names.water.replace('_', ' ')} water ({names.method})"]
    labels = [_label(row, by) for _, row in groups.iterrows()]
    width = max(map(len, [*labels, "group"])) + 2
    text.append(
        f"{'group':<{width}}{'n':>5}{'sites':>6}{'slope':>8}{'± SE':>7}{'(sites)':>9}"
        f"{'intercept':>11}{'R2':>6}  {_HEADS[names.led_by]}"
    )
    for label, (_, row) in zip(labels, groups.iterrows(), strict=True):
        text.append(f"{label:<{width}}{_row(row, names.led_by)}")
    if "artefact_words" in groups:
        text += ["", "Are these lines of evaporation? (Benettin et al. 2018)"]
        text += [
            f"{label}: {words}"
            for label, words in zip(labels, groups["artefact_words"], strict=True)
            if words
        ]
    return "\n".join(text)


def _equation(line: WaterLine) -> str:
    return (
        f"d2H = {_with_error(line.slope, line.slope_standard_error)} d18O "
        f"{'-' if line.intercept < 0 else '+'} "
        f"{_with_error(abs(line.intercept), line.intercept_standard_error)}"
    )


def _with_error(value: float, error: float) -> str:
    return f"{value:.2f} ± {error:.2f}" if error > 0 else f"{value:.2f}"


def _label(row: pd.Series, by: Sequence[str]) -> str:
    words = ["(none)" if pd.isna(row[name]) else str(row[name]) for name in by]
    return ", ".join(words) or "all"


_HEADS = {
    "regression": "d18O where it meets the meteoric line (95 %)",
    "craig_gordon": "d18O of the mean led back along evaporation (95 %)",
}


def _row(row: pd.Series, led_by: str) -> str:
    head = f"{row['n']:>5}{row['n_sites']:>6}"
    if row["reason"]:
        return f"{head}  {row['reason']}"
    site = row["slope_site_error"]
    beside = f"({site:.2f})" if np.isfinite(site) else ""
    told = _crossing(row) if led_by == "regression" else _led_back(row)
    return (
        f"{head}{row['slope']:>8.2f}{row['slope_standard_error']:>7.2f}{beside:>9}"
        f"{row['intercept']:>11.2f}{row['r_squared']:>6.2f}  {told}"
    )


def _crossing(row: pd.Series) -> str:
    """Where the regression line meets the meteoric line."""
    interval = "unbounded"
    if UNBOUNDED not in row["flags"]:
        known = np.isfinite(row["initial_lower"])
        bounds = f"{row['initial_lower']:.1f} to {row['initial_upper']:.1f}"
        interval = bounds if known else "no interval"
    others = [flag for flag in row["flags"].split("; ") if flag not in ("", UNBOUNDED)]
    flags = f"; {', '.join(others)}" if others else ""
    return f"{row['initial_d18O']:.1f} ({interval}){flags}"


def _led_back(row: pd.Series) -> str:
    """Where the mean water began by the slope of evaporation."""
    if not np.isfinite(row["source_d18O"]):
        return f"no source: {row['source_reason']}"
    known = np.isfinite(row["source_lower"])
    bounds = f"{row['source_lower']:.1f} to {row['source_upper']:.1f}"
    words = f"; {row['source_reason']}" if row["source_reason"] else ""
    return (
        f"{row['source_d18O']:.1f} ({bounds if known else 'no interval'}) by slope "
        f"{row['evaporation_slope']:.2f}{words}"
    )


def line_results(groups: pd.DataFrame, lmwl: WaterLine) -> list[object]:
    """Return the lines as plain values for machines.

    Parameters
    ----------
    groups : DataFrame
        Rows of `crossed_groups`.
    lmwl : WaterLine
        Meteoric line.

    Returns
    -------
    results : list of dict
        The meteoric line with ``kind`` "meteoric line", then each group with ``kind``
        "group" and ``bounded``; an infinite bound is missing.
    """
    first: dict[str, object] = {"kind": "meteoric line", **asdict(lmwl)}
    results: list[object] = [{key: plain_value(value) for key, value in first.items()}]
    for _, row in groups.iterrows():
        bounded = bool(np.isfinite([row["initial_lower"], row["initial_upper"]]).all())
        cells = {str(key): plain_value(value) for key, value in row.items()}
        results.append({"kind": "group", **cells, "bounded": bounded})
    return results


def write_line_tables(tables: LineTables, folder: Path) -> tuple[Path, ...]:
    """Write the tables of the lines.

    Parameters
    ----------
    tables : LineTables
        What to write.
    folder : Path
        Folder to write to.

    Returns
    -------
    paths : tuple of Path
        Files written: ``lines.csv``, ``sample_issues.csv`` and, with periods,
        ``group_table.csv``, ``table_1.csv`` and ``table_2.csv`` in the paper's layout.
    """
    written = {"lines": tables.lines, "sample_issues": tables.issues}
    if tables.strata is not None:
        written["group_table"] = tables.strata
        for name, values in (("table_1", TABLE_1), ("table_2", TABLE_2)):
            written[name] = _flat(paper_layout(tables.strata, values))
    paths = [
        write_csv(table, folder / f"{name}.csv") for name, table in written.items()
    ]
    return tuple(paths)


def _flat(wide: pd.DataFrame) -> pd.DataFrame:
    """Wide table whose columns have one name each, such as slope_June."""
    names = [f"{label[1]}_{label[0]}" for label in wide.columns.to_flat_index()]
    return wide.set_axis(names, axis=1).reset_index()
