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


def line_text(
    groups: pd.DataFrame,
    lmwl: WaterLine,
    by: Sequence[str],
    names: tuple[str, str, str],
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
    names : tuple of str
        Water of the groups, water of the meteoric line, method of the groups.

    Returns
    -------
    text : str
        One line a group under a heading, then reasons, flags and the artefact check.
    """
    water, rain, method = names
    origin = "Craig 1961" if not lmwl.n else f"{rain.replace('_', ' ')}, {lmwl.method}"
    text = [f"Meteoric water line ({origin}): {_equation(lmwl)}"]
    if lmwl.n:
        text[0] += f", R2 {lmwl.r_squared:.2f}, n {lmwl.n}"
    text += [f"Lines of {water.replace('_', ' ')} water ({method})"]
    labels = [_label(row, by) for _, row in groups.iterrows()]
    width = max(map(len, [*labels, "group"])) + 2
    text.append(
        f"{'group':<{width}}{'n':>5}{'sites':>6}{'slope':>8}{'± SE':>7}{'(sites)':>9}"
        f"{'intercept':>11}{'R2':>6}  d18O where it meets the meteoric line (95 %)"
    )
    for label, (_, row) in zip(labels, groups.iterrows(), strict=True):
        text.append(f"{label:<{width}}{_row(row)}")
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


def _row(row: pd.Series) -> str:
    head = f"{row['n']:>5}{row['n_sites']:>6}"
    if row["reason"]:
        return f"{head}  {row['reason']}"
    site = row["slope_site_error"]
    beside = f"({site:.2f})" if np.isfinite(site) else ""
    interval = "unbounded"
    if UNBOUNDED not in row["flags"]:
        known = np.isfinite(row["initial_lower"])
        bounds = f"{row['initial_lower']:.1f} to {row['initial_upper']:.1f}"
        interval = bounds if known else "no interval"
    others = [flag for flag in row["flags"].split("; ") if flag not in ("", UNBOUNDED)]
    flags = f"; {', '.join(others)}" if others else ""
    return (
        f"{head}{row['slope']:>8.2f}{row['slope_standard_error']:>7.2f}{beside:>9}"
        f"{row['intercept']:>11.2f}{row['r_squared']:>6.2f}  "
        f"{row['initial_d18O']:.1f} ({interval}){flags}"
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
    results: list[object] = [{key: _plain(value) for key, value in first.items()}]
    for _, row in groups.iterrows():
        bounded = bool(np.isfinite([row["initial_lower"], row["initial_upper"]]).all())
        cells = {str(key): _plain(value) for key, value in row.items()}
        results.append({"kind": "group", **cells, "bounded": bounded})
    return results


def _plain(value: object) -> object:
    """Value that JSON knows; missing and infinite ones are None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return None if value is pd.NA or value is pd.NaT else value


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
