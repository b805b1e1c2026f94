"""The report of a run, from the folder of its results."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pandas as pd

from geosoil.config import canonical_digest
from geosoil.errors import FileFormatError, InputError, MissingFileError
from geosoil.io._atomic import write_csv, write_text
from geosoil.io.provenance import RECORD, read_record
from geosoil.io.spreadsheets import guarded_table
from geosoil.plotting.style import water_style
from geosoil.report.collect import collect_report
from geosoil.report.document import Report
from geosoil.report.methods import methods_text
from geosoil.report.numbers import all_numbers, number_table, plain_text
from geosoil.report.record import MapWords, RunRecord
from geosoil.report.render import render_report
from geosoil.workflow.catalogue import catalogue
from geosoil.workflow.plain_json import strict_json
from geosoil.workflow.report_figures import report_pictures
from geosoil.workflow.report_tables import is_of_run, read_tables
from geosoil.workflow.simulated import SIMULATED_PAGE
from geosoil.workflow.summary import REASONS

TEXT_COLUMNS = ("section", "name", "group", "unit", "printed", "source")
"""Columns of the table of numbers that hold texts."""

PAGE, NUMBERS, SUMMARY = "report.html", "report_numbers", "summary.json"
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A report that was written."""

    text: str
    """What the command prints: files, size, and the methods to paste."""
    paths: tuple[Path, ...]
    """The page and the table of its numbers."""


def write_report(
    folder: str | Path,
    record: Mapping[str, object],
    *,
    written: Iterable[Path] | None = None,
) -> list[Path]:
    """Write the report of a run into the folder of its results.

    Parameters
    ----------
    folder : path
        Folder of the results, with ``tables``, ``figures``, ``summary.json`` and the
        rasters.
    record : mapping
        Provenance of the run: ``software``, ``settings``, ``inputs``,
        ``input_verified``, ``config_hash``; what else it holds does not count.
    written : iterable of Path, optional
        Files of the run so far; what an earlier run left in the folder is not
        reported. All files count without it.

    Returns
    -------
    paths : list of Path
        ``report.html`` and ``tables/report_numbers.csv``, which holds every number of
        the page.

    Raises
    ------
    GeosoilError
        If a table or figure cannot be read or a file cannot be written.
    """
    place = Path(folder)
    own = None if written is None else set(written)
    report = collect_report(run_record(place, record, written=own))
    return _write(report, place / PAGE, place / "tables" / f"{NUMBERS}.csv")


def report_folder(
    folder: str | Path, *, output: str | Path | None = None
) -> StudyReport:
    """Write the report of a finished run anew.

    Parameters
    ----------
    folder : path
        Folder of the results.
    output : path, optional
        Page to write, the table of its numbers beside it as ``<name>_numbers.csv``;
        without it both are written into the folder, byte by byte as the run wrote them.

    Returns
    -------
    report : StudyReport
        Text and files.

    Raises
    ------
    MissingFileError
        If the folder or its ``provenance.json`` does not exist.
    InputError
        If nothing in the folder can be reported, or the output is no HTML file.
    """
    place = Path(folder)
    record, _ = read_record(_record_file(place))
    names = cast("dict[str, object]", record.get("outputs") or {})
    own = {place / name for name in names} or None
    found = run_record(place, record, written=own)
    report = collect_report(found)
    page, numbers = place / PAGE, place / "tables" / f"{NUMBERS}.csv"
    if output is not None:
        page = Path(output)
        if page.suffix.lower() not in (".html", ".htm"):
            message = f"'{page}' is no HTML file. Give a name that ends in .html."
            raise InputError(message)
        numbers = page.with_name(f"{page.stem}_numbers.csv")
    paths = _write(report, page, numbers)
    return StudyReport(_text(report, found, paths), tuple(paths))


def _record_file(folder: Path) -> Path:
    """Return the record of a run, or say that it is not there."""
    if not folder.is_dir():
        message = f"Folder '{folder}' does not exist. Name the folder of a run."
        raise MissingFileError(message)
    path = folder / RECORD
    if not path.is_file():
        message = (
            f"Folder '{folder}' holds no {RECORD}: it is not the folder of a run. Run "
            "'geosoil run' first, or name the folder that it wrote."
        )
        raise MissingFileError(message)
    return path


def _write(report: Report, page: Path, numbers: Path) -> list[Path]:
    """Write the page and the table of its numbers."""
    return [
        write_text(render_report(report), page),
        write_csv(guarded_table(number_table(report), TEXT_COLUMNS), numbers),
    ]


def _text(report: Report, record: RunRecord, paths: list[Path]) -> str:
    """Tell what was written, and the methods to paste."""
    size = paths[0].stat().st_size / MEGABYTE
    lines = [
        f"Wrote {paths[0]} ({size:.1f} MB, {len(record.pictures)} figures) and "
        f"{paths[1]} ({len(all_numbers(report))} numbers)."
    ]
    if report.banner:
        lines.append(report.banner)
    methods = "\n\n".join(plain_text(text) for text in methods_text(record))
    return "\n".join([*lines, "", "Methods, ready to paste:", "", methods])


def run_record(
    folder: Path,
    record: Mapping[str, object],
    *,
    written: Collection[Path] | None = None,
) -> RunRecord:
    """Read what a run left behind.

    Parameters
    ----------
    folder : Path
        Folder of the results.
    record : mapping
        Its provenance.
    written : collection of Path, optional
        Files of the run; others in the folder are passed over. All count without it.

    Returns
    -------
    record : RunRecord
        Tables, settings, pictures and rasters.

    Raises
    ------
    InputError
        If the folder holds no table of a run.
    FileFormatError
        If ``summary.json`` is damaged.
    """
    # The record of a run that has just ended and the one read later must look alike.
    plain = cast("dict[str, Any]", json.loads(strict_json(dict(record))))
    tables = read_tables(folder / "tables", written=written)
    summary = _summary(folder / SUMMARY)
    if not tables and not summary:
        message = f"Folder '{folder}' holds no tables of a run to report."
        raise InputError(message)
    tables |= _summary_tables(summary)
    settings = plain.get("settings") or {}
    simulated = bool(summary.get("simulated"))
    return RunRecord(
        tables=tables,
        settings=settings,
        software=plain.get("software") or {},
        inputs=_digests(plain.get("inputs") or {}),
        verified=bool(plain.get("input_verified")),
        settings_digest=plain.get("config_hash") or canonical_digest(settings),
        banner=SIMULATED_PAGE if simulated else "",
        pictures=report_pictures(
            folder / "figures", paper="published_means" in tables, written=written
        ),
        maps=_maps(folder, written),
        colours=_colours(settings),
        words=REASONS,
    )


def _summary(path: Path) -> dict[str, Any]:
    """Read the plain values of a run; empty without the file."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"'{path}' is damaged: {error}. Run the study again."
        raise FileFormatError(message) from error
    return found if isinstance(found, dict) else {}


def _summary_tables(summary: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return what the summary alone tells: the meteoric line, and why each method."""
    found = {}
    if isinstance(summary.get("lmwl"), dict):
        found["meteoric_line"] = pd.DataFrame([summary["lmwl"]])
    maps = summary.get("fraction_maps")
    if isinstance(maps, dict) and maps:
        rows = [{"period": p, "choice": own.get("choice")} for p, own in maps.items()]
        found["map_choices"] = pd.DataFrame(rows)
    return found


def _digests(inputs: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of each input by its name."""
    return {
        name: str(entry["sha256"] if isinstance(entry, dict) else entry)
        for name, entry in sorted(inputs.items())
    }


def _maps(folder: Path, written: Collection[Path] | None) -> tuple[MapWords, ...]:
    """Words of the rasters of a run."""
    files = sorted(p for p in folder.glob("*.tif") if is_of_run(p, written))
    entries = catalogue(files)
    found = (
        MapWords(
            file=entry.path.name,
            title=entry.title,
            group=", ".join(entry.group),
            units=entry.units,
            method=entry.method,
        )
        for entry in entries
    )
    return tuple(sorted(found, key=lambda words: (words.group, words.file)))


def _colours(settings: Mapping[str, Any]) -> dict[str, str]:
    """Colour of each source of the settings."""
    tracers = settings.get("tracers") or {}
    names = [n for own in (tracers.get("sources") or {}).values() for n in own]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return {name: water_style(name, order=n).colour for name, n in order.items()}
