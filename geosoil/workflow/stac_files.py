"""Write the catalogue of a run's rasters as STAC, for those who search for maps."""

from __future__ import annotations

import calendar
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from geosoil import __version__
from geosoil.errors import GeosoilWarning
from geosoil.io.stac import CollectionWords, RasterItem, write_collection
from geosoil.workflow.catalogue import CatalogueEntry, catalogue
from geosoil.workflow.cube_time import month_number, period_times
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.map_style import CLASSES
from geosoil.workflow.simulated import SIMULATED_DATA, simulated_tag

FOLDER = "stac"
"""Folder of the catalogue within that of the results."""

FILES = (".gpkg", ".nc", ".qgz")
"""Endings of other results that the collection names."""

KEYWORDS = (
    "soil water",
    "water isotopes",
    "source fractions",
    "end-member mixing",
    "correlation",
)

_DATE = re.compile(r"\b(\d{4})-(\d{2})(?:-(\d{2}))?\b")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")

Times = tuple[datetime, datetime]


def write_stac(inputs: StudyInputs, paths: Iterable[Path], folder: Path) -> list[Path]:
    """Write a self-contained STAC collection of a run's rasters.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    paths : iterable of Path
        Files that the run wrote. Each GeoTIFF becomes an item; GeoPackages, NetCDF
        files and QGIS projects become assets of the collection.
    folder : Path
        Folder of the results.

    Returns
    -------
    paths : list of Path
        ``stac/collection.json`` and ``stac/items/<name>.json``; none where no raster
        has a time.

    Raises
    ------
    GeosoilError
        If a raster cannot be read or a file cannot be written.

    Warns
    -----
    GeosoilWarning
        If rasters are left out because neither they nor the samples tell a date,
        which STAC demands.

    Notes
    -----
    One raster is one item: those who look for a map search by title, unit and time,
    which belong to the raster, and every client lists items.
    """
    written = list(paths)
    styles = {path for path in written if path.suffix == ".qml"}
    items, undated = [], []
    for entry in catalogue(written):
        times = times_of(entry.period, inputs.samples)
        if times is None:
            undated.append(entry.path.name)
            continue
        items.append(_item(entry, times, inputs, styles))
    if undated:
        message = (
            f"{len(undated)} rasters are not in the STAC catalogue, which wants a date "
            f"for each: {', '.join(undated[:3])}{', ...' if undated[3:] else ''}. Give "
            "the samples dates."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=2)
    if not items:
        return []
    others = [path for path in written if path.suffix.lower() in FILES]
    return write_collection(_words(inputs), items, folder / FOLDER, files=others)


def times_of(period: str, samples: pd.DataFrame) -> Times | None:
    """Return the first and the last instant that words for a time mean.

    Parameters
    ----------
    period : str
        Such as "June", "June 2001-2020", "2020" or "2020-06-01 to 2020-06-30".
    samples : DataFrame
        Samples with period and date: they tell the years of a month without one, and
        all of the time where the words tell none.

    Returns
    -------
    times : tuple of datetime or None
        In UTC; None where neither words nor samples tell a year.

    Examples
    --------
    >>> [time.isoformat() for time in times_of("June 2001-2020", pd.DataFrame())]
    ['2001-06-01T00:00:00+00:00', '2020-06-30T23:59:59+00:00']
    """
    dates = [_days(*found) for found in _DATE.findall(period)]
    if dates:
        return min(first for first, _ in dates), max(last for _, last in dates)
    months = [name for name in calendar.month_name[1:] if name in period.split()]
    years = [int(year) for year in _YEAR.findall(period)]
    if not years:
        years = _sampled_years(months, samples)
    if not years:
        return None
    numbers = [month_number(name) for name in months] or [1, 12]
    first = _days(str(min(years)), str(min(numbers)), "")[0]
    return first, _days(str(max(years)), str(max(numbers)), "")[1]


def _days(year: str, month: str, day: str) -> Times:
    """First and last second of a day, or of a month."""
    last = int(day) if day else calendar.monthrange(int(year), int(month))[1]
    return (
        datetime(int(year), int(month), int(day or 1), tzinfo=UTC),
        datetime(int(year), int(month), last, 23, 59, 59, tzinfo=UTC),
    )


def _sampled_years(months: Sequence[str], samples: pd.DataFrame) -> list[int]:
    """Years in which the samples of months, or all samples, were taken."""
    if months:
        times = period_times(samples, tuple(months))
        return [year for ends in times.years for year in ends] if times else []
    if "date" not in samples:
        return []
    years = pd.to_datetime(samples["date"]).dt.year.dropna()
    return [int(years.min()), int(years.max())] if len(years) else []


def _item(
    entry: CatalogueEntry, times: Times, inputs: StudyInputs, styles: set[Path]
) -> RasterItem:
    """Say what STAC is told of one raster."""
    style = entry.path.with_suffix(".qml")
    simulated = inputs.config.study.simulated
    made = f" {entry.method[:1].upper()}{entry.method[1:]}." if entry.method else ""
    return RasterItem(
        path=entry.path,
        title=entry.title,
        description=f"{f'{SIMULATED_DATA}. ' if simulated else ''}{entry.title}.{made}",
        start=times[0],
        end=times[1],
        keywords=tuple(dict.fromkeys((*entry.group, entry.style))),
        lineage=entry.method,
        software={"geosoil": __version__},
        is_classes=entry.style == CLASSES,
        style=style if style in styles else None,
    )


def _words(inputs: StudyInputs) -> CollectionWords:
    """Say what the collection is."""
    study = inputs.config.study
    identity = re.sub(r"[^a-z0-9]+", "-", study.name.lower()).strip("-") or "study"
    return CollectionWords(
        id=identity[:64],
        title=study.name,
        description=f"{f'{SIMULATED_DATA}. ' if study.simulated else ''}Source "
        f"fractions of soil water and their correlations: {study.name}. Simulated: "
        f"{simulated_tag(study.simulated)}. Made by geosoil {__version__}. The terms "
        "of use are those of the study's data.",
        keywords=(*KEYWORDS, *(("simulated",) if study.simulated else ())),
    )
