"""The tables of a run as they were written, for its report."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from geosoil.errors import FileFormatError

TABLES = (
    "correlation_points",
    "correlation_space",
    "correlation_summary",
    "end_members_used",
    "fraction_means",
    "fraction_support",
    "fractions_draws",
    "fractions_groups",
    "fractions_regional",
    "fractions_samples",
    "hydraulic_connection",
    "interpolation_comparison",
    "joined_provenance",
    "mixing_region",
    "published_lines",
    "published_means",
    "region_basins",
    "region_classes",
    "region_places",
    "region_samples",
    "sample_issues",
    "sample_rows",
    "water_lines",
)
"""Tables that a report is made of."""

TEXTS = frozenset(
    {
        *("sample_id", "site_id", "water", "period", "by", "stratum", "source"),
        *("answer", "reason", "flags", "note", "method", "column", "found", "read_as"),
        *("rule", "severity", "basin", "layer", "label", "vegetation", "aspect"),
        *("soil_layer", "elevation_band", "x", "y", "month", "years", "words"),
        *("measured", "driver", "first", "second", "reasons", "mean_of", "kind"),
    }
)
"""Columns that hold text whatever it looks like."""


def is_of_run(path: Path, written: Collection[Path] | None) -> bool:
    """Return whether a file belongs to a run.

    Parameters
    ----------
    path : Path
        File that may exist.
    written : collection of Path or None
        Files of the run; None where any file in the folder is taken for one.

    Returns
    -------
    is_of_run : bool
        False for a file that does not exist.
    """
    return path.is_file() and (written is None or path in written)


NO_TABLE = b"\n"
"""What a table without rows and columns is in its file."""


def read_tables(
    folder: Path, *, written: Collection[Path] | None = None
) -> dict[str, pd.DataFrame]:
    """Read the tables of a run that a report is made of.

    Parameters
    ----------
    folder : Path
        Folder of the CSV files.
    written : collection of Path, optional
        Files of the run; others are passed over. All count without it.

    Returns
    -------
    tables : dict of str to DataFrame
        By name; absent and empty ones are left out. Numbers have all their digits;
        names such as "NA" or "001" stay text.

    Raises
    ------
    FileFormatError
        If a file is no table.
    """
    files = {name: folder / f"{name}.csv" for name in TABLES}
    return {
        name: _table(path)
        for name, path in files.items()
        if is_of_run(path, written) and path.read_bytes() != NO_TABLE
    }


def _table(path: Path) -> pd.DataFrame:
    """Read one table."""
    try:
        texts = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as error:
        message = f"'{path}' is no table of a run: {error}. Run the study again."
        raise FileFormatError(message) from error
    return texts.apply(_column, axis="index")


def _column(column: pd.Series) -> pd.Series:
    """Return the numbers of a column that holds only such, else its texts."""
    empty = column == ""
    if column.name in TEXTS:
        return column
    try:
        numbers = [float(text) if text else float("nan") for text in column]
    except ValueError:
        return column
    if bool(empty.all()):
        return column
    return pd.Series(numbers, index=column.index, dtype=float)
