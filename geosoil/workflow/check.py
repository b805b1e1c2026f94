"""Check of a sample table: how it would be read, and what looks wrong in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd
import xarray as xr

from geosoil.errors import InputError, SampleTableError
from geosoil.grids.coordinates import check_coordinates
from geosoil.io._atomic import write_csv
from geosoil.io.geotiff import read_geotiff
from geosoil.io.sample_checks import ISOTOPES
from geosoil.io.samples import SampleReading, inspect_samples
from geosoil.io.spreadsheets import guarded_table
from geosoil.io.table_dates import DateOrder
from geosoil.tracers.quality import check_quality

_COLUMNS = ["row", "column", "found", "read_as", "rule", "severity"]
_ORDER = ("suspect", "warn", "change", "note")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What :func:`check_table` found; nothing was computed from the samples."""

    path: Path
    """The table."""
    n_samples: int
    """Samples that would be read; 0 where faults forbid it."""
    columns: tuple[str, ...]
    """Columns they would have."""
    issues: pd.DataFrame
    """Changes, remarks and suspicions: row, column, found, read_as, rule, severity."""
    faults: tuple[str, ...]
    """Why the table cannot be used; empty when it can."""

    @property
    def readable(self) -> bool:
        """Whether the table can be used as it stands."""
        return not self.faults

    def summary(self) -> pd.DataFrame:
        """Return the issues counted by severity, rule and column.

        Returns
        -------
        summary : DataFrame
            Columns severity, rule, column, count, row, found, read_as: the first row
            of the file and what stands there; most serious first.
        """
        names = ["severity", "rule", "column"]
        groups = self.issues.groupby(names, sort=False, as_index=False)
        table = groups.agg(
            count=("row", "size"),
            row=("row", "first"),
            found=("found", "first"),
            read_as=("read_as", "first"),
        )
        rank = table["severity"].map({name: i for i, name in enumerate(_ORDER)})
        return table.loc[rank.sort_values(kind="stable").index].reset_index(drop=True)

    def raise_faults(self) -> None:
        """Raise one error with all faults, if there are any.

        Raises
        ------
        SampleTableError
            If the table cannot be used.
        """
        if self.faults:
            message = self.faults[0]
            if self.path.name not in message:
                message = f"Sample table '{self.path.name}': {message}"
            if len(self.faults) > 1:
                lines = "".join(f"\n  {i}. {t}" for i, t in enumerate(self.faults, 1))
                head = f"Sample table '{self.path.name}' has {len(self.faults)} faults:"
                message = head + lines
            raise SampleTableError(message)


def check_table(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    dates: DateOrder | None = None,
    require: Sequence[str] = ISOTOPES,
    dem: str | os.PathLike[str] | None = None,
) -> CheckResult:
    r"""Tell how a sample table would be read, and which values look wrong.

    The changes of :func:`geosoil.io.samples.read_samples` stand beside the findings of
    :func:`geosoil.tracers.quality.check_quality`; nothing is corrected.

    Parameters
    ----------
    path, columns, crs, dates, require
        As for :func:`geosoil.io.samples.read_samples`.
    dem : path, optional
        Raster of elevations [m] that stated elevations are held against.

    Returns
    -------
    result : CheckResult
        Issues and faults.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FileFormatError, InputError
        If the raster cannot be read or covers no sample.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "soil.csv"
    ...     _ = path.write_text("id;d18O;d2H\n1;-12,5;-90,0\n")
    ...     result = check_table(path)
    >>> result.readable, result.n_samples
    (True, 1)
    >>> result.issues.loc[result.issues.column == "d18O", "read_as"].tolist()
    ['-12.5']
    """
    file = Path(path)
    ground = None if dem is None else read_geotiff(dem, classes=False)
    try:
        reading = inspect_samples(
            file, columns=columns, crs=crs, dates=dates, require=require
        )
    except SampleTableError as error:
        empty = pd.DataFrame(columns=_COLUMNS)
        return CheckResult(file, 0, (), empty, (str(error),))
    issues = pd.DataFrame(list(reading.issues), columns=_COLUMNS)
    if reading.samples is None:
        return CheckResult(file, 0, (), issues, reading.faults)
    found = [issues, _quality(reading, issues), _positions(reading, issues, ground)]
    issues = pd.concat([part for part in found if len(part)] or found[:1])
    issues = issues.reset_index(drop=True)
    names = tuple(str(name) for name in reading.samples.columns if name != "geometry")
    return CheckResult(file, len(reading.samples), names, issues, ())


def _quality(reading: SampleReading, issues: pd.DataFrame) -> pd.DataFrame:
    """Find with the quality rules what the reader has not told already."""
    samples = reading.samples
    if samples is None or not set(ISOTOPES) <= set(samples.columns):
        return issues.iloc[:0]
    plain = pd.DataFrame(samples.drop(columns="geometry"))
    plain.attrs = {}
    found = check_quality(plain)
    told = issues[issues["severity"].isin(("suspect", "warn"))]
    known = set(zip(told["row"], told["column"], strict=True))
    records = []
    for finding in found.to_dict("records"):
        label = finding["row"]
        row = 0 if pd.isna(label) else reading.rows[int(cast("int", label))]
        column = str(finding["column"])
        if (row, column) in known or ("duplicate" in str(finding["rule"]) and row):
            continue
        records.append(
            {
                "row": row,
                "column": column,
                "found": str(finding["found"]),
                "read_as": str(finding["found"]),
                "rule": f"{finding['rule']}: {finding['reason']}",
                "severity": str(finding["severity"]),
            }
        )
    return pd.DataFrame(records, columns=_COLUMNS).astype(issues.dtypes.to_dict())


def _positions(
    reading: SampleReading, issues: pd.DataFrame, ground: xr.DataArray | None
) -> pd.DataFrame:
    """Find positions that look wrong: degrees and minutes, swapped, off the ground."""
    samples = reading.samples
    if samples is None or samples.geometry.is_empty.all():
        return issues.iloc[:0]
    report = check_coordinates(samples, elevation=ground)
    if ground is not None and report["ground"].isna().all():
        message = (
            f"The elevation model covers none of the {len(samples)} samples: they lie "
            f"within {tuple(samples.total_bounds.round(3).tolist())} degrees. Give a "
            "raster of their area, or leave --dem out."
        )
        raise InputError(message)
    records = [
        {
            "row": reading.rows[int(cast("int", label))],
            "column": "longitude",
            "found": f"{site['longitude']:g} {site['latitude']:g}",
            "read_as": f"{site['longitude']:g} {site['latitude']:g}",
            "rule": f"position: {site['reason']}",
            "severity": "warn",
        }
        for label, site in report[report["flags"] != ""].iterrows()
    ]
    return pd.DataFrame(records, columns=_COLUMNS).astype(issues.dtypes.to_dict())


def write_fixes(result: CheckResult, path: str | os.PathLike[str]) -> Path:
    r"""Write all issues as a CSV table beside which a table can be mended.

    Parameters
    ----------
    result : CheckResult
        What was found.
    path : path
        File to write; not the table itself.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    InputError
        If the path is the table's own.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table = Path(folder) / "soil.csv"
    ...     _ = table.write_text("id,d18O,d2H\n1,-12,-90\n")
    ...     path = write_fixes(check_table(table), Path(folder) / "fixes.csv")
    ...     print(path.read_text().splitlines()[0])
    row,column,found,read_as,rule,severity
    """
    target = Path(path)
    if target.exists() and target.samefile(result.path):
        message = (
            f"'{target}' is the table that was checked; it is never written to. Give "
            "another name."
        )
        raise InputError(message)
    issues = guarded_table(result.issues, ("column", "found", "read_as"))
    return write_csv(issues, target)
