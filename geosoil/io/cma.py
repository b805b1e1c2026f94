"""Daily station text of the China Meteorological Administration as a tidy table."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import FileFormatError, GeosoilWarning, InputError
from geosoil.io._sniff import check_kind
from geosoil.io.cma_codes import ELEMENTS, PHASES, UNKNOWN, decode

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

COLUMNS = (
    "station",
    "latitude",
    "longitude",
    "elevation",
    "elevation_estimated",
    "date",
    "variable",
    "value",
    "units",
    "quality",
    "flag",
    "phase",
    "reason",
)
"""Columns of the station table."""

_NAME = re.compile(r"SURF_CLI_CHN_MUL_DAY-([A-Z]{3})-\d{5}", re.IGNORECASE)
_FIXED = 7
"""Station, latitude, longitude, elevation, year, month, day."""
_SHOWN = 5
_ESTIMATED = 100_000
"""What is added to an estimated elevation [0.1 m]."""
_LOWEST = 2_000
"""Depth of the lowest station below the sea, and to spare [0.1 m]."""


def read_cma(paths: Paths) -> pd.DataFrame:
    """Read daily station text (SURF_CLI_CHN_MUL_DAY V3.0) into one tidy table.

    Parameters
    ----------
    paths : path or iterable of paths
        Files of any elements and months, under their own names
        ``SURF_CLI_CHN_MUL_DAY-PRE-13011-202006.TXT``: the name tells the element.

    Returns
    -------
    table : DataFrame
        One row a station, day and variable: ``station``, ``latitude`` and
        ``longitude`` [degree, from degrees and minutes], ``elevation`` [m] and
        ``elevation_estimated``, ``date``, ``variable``, ``value``, ``units`` (degC,
        mm, %, m s-1, h, hPa), ``quality`` (0 right, 1 suspect, 2 wrong, 4 custom, 7
        no task, 8 missing, 9 unchecked), ``flag`` (what the code says, "" where
        plain), ``phase`` of precipitation (rain, snow, mixed, trace, dew_frost,
        none), ``reason`` (why a value or place is missing or doubtful). Every value
        is kept, also those that the quality calls wrong.

    Raises
    ------
    MissingFileError
        If a file is absent.
    FileFormatError
        If a name does not tell the element, or lines are not of its form; all faults
        are told at once.
    InputError
        If two files contradict each other.

    Warns
    -----
    GeosoilWarning
        If the two halves of a day do not make its precipitation, a coordinate is not
        in degrees and minutes, or a number is not explained by the format.

    Notes
    -----
    Of the three columns of precipitation, 20-08, 08-20 and 20-20 local time, the
    third is the day's: ``precipitation``. Wind directions stay the file's codes.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> line = "56004 3413 9226 45331 2020 6 1 31015 30020 31035 0 0 0"
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "SURF_CLI_CHN_MUL_DAY-PRE-13011-202006.TXT"
    ...     _ = file.write_text(line)
    ...     table = read_cma(file)
    >>> table[["variable", "value", "phase"]].values.tolist()
    [['precipitation_20_08', 1.5, 'mixed'], ['precipitation_08_20', 2.0, 'snow'],
     ['precipitation', 3.5, 'mixed']]
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files = [Path(path) for path in given]
    if not files:
        message = "No file was given. Give at least one SURF_CLI_CHN_MUL_DAY text."
        raise InputError(message)
    tables, faults = [], []
    for file in files:
        try:
            tables.append(_read_file(file))
        except FileFormatError as fault:
            faults.append(str(fault))
    if faults:
        raise FileFormatError("\n".join(faults))
    table = _without_repeats(pd.concat(tables, ignore_index=True))
    _warn(table)
    for name in ("variable", "units", "flag", "phase"):
        table[name] = table[name].astype("category")
    return table


def _read_file(file: Path) -> pd.DataFrame:
    match = _NAME.search(file.name)
    element = match[1].upper() if match else ""
    if element not in ELEMENTS:
        message = (
            f"The name '{file.name}' does not tell the element. Keep the name as "
            "downloaded, SURF_CLI_CHN_MUL_DAY-<element>-<code>-<month>.TXT with one "
            f"of {', '.join(ELEMENTS)}."
        )
        raise FileFormatError(message)
    check_kind(file, "unknown", needed="station text")
    width = _FIXED + 2 * len(ELEMENTS[element])
    numbers = _numbers(file, width)
    columns = ELEMENTS[element]
    frame = _stations(numbers)
    parts = []
    for place, column in enumerate(columns):
        decoded = decode(numbers[:, _FIXED + place], column.kind)
        part = frame.assign(
            variable=column.variable,
            value=decoded.values,
            units=column.units,
            quality=numbers[:, _FIXED + len(columns) + place],
            flag=decoded.flags,
            phase=_phases(decoded.values, decoded.flags, column.kind),
        )
        part["reason"] = _reasons(part, numbers[:, _FIXED + place])
        parts.append(part)
    if element == "PRE":
        _check_halves(parts)
    table = pd.concat(parts, keys=range(len(parts)), names=["place", "row"])
    return table.sort_index(level=["row", "place"]).reset_index(drop=True)[[*COLUMNS]]


def _numbers(file: Path, width: int) -> npt.NDArray[np.int64]:
    """Read whole numbers, ``width`` a line; raise with the first bad lines."""
    try:
        frame = pd.read_csv(file, sep=r"\s+", header=None, dtype=np.int64)
        if frame.shape[1] == width:
            return frame.to_numpy()
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError):
        pass
    faults = []
    text = file.read_bytes().decode("ascii", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        odd = [word for word in words if not re.fullmatch(r"[+-]?\d+", word)]
        if odd:
            faults.append(f"line {number}: '{odd[0]}' is no whole number")
        elif len(words) != width:
            faults.append(f"line {number}: {len(words)} numbers")
    more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    message = (
        f"'{file}' is not as its name says, {width} whole numbers a line: "
        f"{'; '.join(faults[:_SHOWN]) or 'it has no lines'}{more}."
    )
    raise FileFormatError(message)


def _stations(numbers: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Station, place, date of each line, and a reason where one cannot be read."""
    latitude, north = _degrees(numbers[:, 1], 90, "latitude")
    longitude, east = _degrees(numbers[:, 2], 180, "longitude")
    estimated = numbers[:, 3] >= _ESTIMATED - _LOWEST
    days = pd.DataFrame(numbers[:, 4:7], columns=["year", "month", "day"])
    date = pd.to_datetime(days, errors="coerce")
    undated = np.where(date.isna(), "no such date", "")
    place = [_joined(parts) for parts in zip(north, east, undated, strict=True)]
    return pd.DataFrame(
        {
            "station": numbers[:, 0].astype(str).astype(object),
            "latitude": latitude,
            "longitude": longitude,
            "elevation": (numbers[:, 3] - np.where(estimated, _ESTIMATED, 0)) / 10.0,
            "elevation_estimated": estimated,
            "date": date,
            "place": place,
        }
    )


def _degrees(
    numbers: npt.NDArray[np.int64], limit: int, name: str
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Decode degrees and minutes run together, DDMM; NaN where they cannot be that."""
    degrees, minutes = np.divmod(np.abs(numbers), 100)
    value = np.sign(numbers) * (degrees + minutes / 60.0)
    bad = (minutes >= 60) | (np.abs(value) > limit)
    words = [
        f"{name} {number} is not in degrees and minutes" if wrong else ""
        for number, wrong in zip(numbers.tolist(), bad.tolist(), strict=True)
    ]
    return np.where(bad, np.nan, value), words


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)


def _phases(
    values: npt.NDArray[np.float64], flags: npt.NDArray[np.object_], kind: str
) -> list[str]:
    """Phase of precipitation; "none" on a dry day, "" without a value."""
    if kind != "rain":
        return [""] * len(flags)
    phases = [PHASES.get(flag, "") for flag in flags.tolist()]
    dry = (values == 0) & (flags == "")
    return [
        "none" if still else phase for phase, still in zip(phases, dry, strict=True)
    ]


def _reasons(
    part: pd.DataFrame, numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.object_]:
    """Say for each row why its value or its place is missing."""
    words = part["place"].to_numpy(dtype=object, copy=True)
    flags = part["flag"].to_numpy(dtype=object)
    for row in np.flatnonzero(flags != ""):
        flag, value = flags[row], ""
        if flag in ("missing", "blank"):
            value = f"{flag} in the file"
        elif flag == "frozen":
            value = "the pan was frozen"
        elif flag == "several":
            value = f"code {numbers[row]}: several directions"
        elif flag == UNKNOWN:
            value = f"{numbers[row]} is no value and no code of the format"
        words[row] = _joined((value, words[row]))
    return words


def _check_halves(parts: list[pd.DataFrame]) -> None:
    """Note where the two halves of a day do not make its precipitation."""
    night, day, whole = (part["value"].to_numpy() for part in parts)
    reasons = parts[2]["reason"].to_numpy(dtype=object, copy=True)
    for row in np.flatnonzero(np.abs(night + day - whole) > 0.05):
        words = f"halves {night[row]:g} + {day[row]:g} mm are not {whole[row]:g} mm"
        reasons[row] = _joined((reasons[row], words))
    parts[2]["reason"] = reasons


def _without_repeats(table: pd.DataFrame) -> pd.DataFrame:
    """Drop rows given twice; raise where two files contradict each other."""
    table = table.drop_duplicates(ignore_index=True)
    key = ["station", "date", "variable"]
    twice = table.duplicated(key, keep=False) & table["date"].notna()
    if twice.any():
        rows = table.loc[twice, key].drop_duplicates()
        listed = [
            f"{row.station} on {row.date:%Y-%m-%d} ({row.variable})"
            for row in rows.head(_SHOWN).itertuples()
        ]
        message = (
            f"{len(rows)} values are given twice and differently: "
            f"{', '.join(listed)}. Leave out one of the files."
        )
        raise InputError(message)
    return table


def _warn(table: pd.DataFrame) -> None:
    """Warn once for each kind of doubt, with the first rows of it."""
    for pattern, words in (
        ("halves", "The halves of the day do not make the precipitation"),
        ("degrees and minutes", "Positions are not in degrees and minutes"),
        ("no such date", "Dates do not exist"),
        ("no code", "Numbers are neither values nor codes of the format"),
    ):
        found = table[table["reason"].str.contains(pattern, regex=False)]
        if found.empty:
            continue
        dates = found["date"].dt.strftime(" %Y-%m-%d").fillna("")
        listed = (found["station"] + dates + ": " + found["reason"]).head(_SHOWN)
        message = f"{words} in {len(found)} rows, for instance {'; '.join(listed)}."
        warnings.warn(message, GeosoilWarning, stacklevel=3)
