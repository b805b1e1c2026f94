"""Correlate two files of rasters: over time, or over space."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.correlation.bootstrap import bootstrap_interval
from geosoil.correlation.dutilleul import dutilleul_test
from geosoil.correlation.field_significance import with_discoveries
from geosoil.correlation.lags import best_lag
from geosoil.correlation.local import weighted_correlation
from geosoil.correlation.map_pair import REASONS
from geosoil.correlation.preparation import anomalies
from geosoil.correlation.temporal import STANDARD, Significance, correlate
from geosoil.correlation.window import window_correlation
from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.workflow.compute import computing, in_blocks
from geosoil.workflow.correlate_inputs import OpenedSeries, open_all, same_dates
from geosoil.workflow.correlate_output import write_correlation
from geosoil.workflow.correlate_rain import rain_maps, rain_row
from geosoil.workflow.correlate_request import CorrelateRequest, check_request
from geosoil.workflow.correlate_summary import summary_row, summary_text

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class CorrelateReport:
    """What a correlation gave and wrote."""

    maps: dict[str, xr.Dataset]
    """Results by the name of the month; one under "" where all dates go together."""
    summary: pd.DataFrame
    """One row a map."""
    text: str
    """What the command prints."""
    results: list[object]
    """One plain record a map."""
    paths: tuple[Path, ...]
    """Files written."""


def correlate_files(
    request: CorrelateRequest,
    folder: str | Path,
    *,
    progress: Report | None = None,
) -> CorrelateReport:
    """Correlate two series of rasters and write maps, a table and a figure.

    Parameters
    ----------
    request : CorrelateRequest
        The series, and how they are correlated.
    folder : path
        Folder to write to.
    progress : callable, optional
        Called with a line of words a stage.

    Returns
    -------
    report : CorrelateReport
        Maps, summary and the files written: a GeoTIFF for each statistic,
        ``correlation.nc`` with all of them, ``correlation_summary.csv``,
        ``correlation.png`` and ``provenance.json``.

    Raises
    ------
    GeosoilError
        If an input, an option or the cluster cannot be used, or no cell has an
        answer; nothing is written then.
    """
    report = progress or (lambda _: None)
    check_request(request)
    opened = open_all(request, report)
    _check_dates(opened, request)
    maps: dict[str, xr.Dataset] = {}
    with computing(request.scheduler):
        if request.kind == "rain":
            report("responses to rain and dry days")
            maps[""] = rain_maps(opened)
        else:
            maps = _all_months(opened, request, report)
    if request.kind == "rain":
        rows = [rain_row(maps[""], opened)]
    else:
        rows = [summary_row(found, opened, label) for label, found in maps.items()]
    summary = pd.DataFrame(rows)
    report("writing")
    paths = write_correlation(maps, summary, opened, request, Path(folder))
    text = summary_text(summary, Path(folder), opened.words)
    results: list[object] = list(summary.to_dict("records"))
    return CorrelateReport(maps, summary, text, results, paths)


def _all_months(
    opened: OpenedSeries, request: CorrelateRequest, report: Report
) -> dict[str, xr.Dataset]:
    """Correlate each month by itself, or all dates together."""
    maps = {}
    for month in request.months or (None,):
        label = "" if month is None else calendar.month_name[month]
        report(f"correlating {' and '.join(opened.names)} {label}".rstrip())
        maps[label] = _answer(opened, request, month)
    return maps


def _check_dates(opened: OpenedSeries, request: CorrelateRequest) -> None:
    """Raise where a correlation over time, or of months, meets a map without dates."""
    series = [opened.x, opened.y, *opened.controls]
    bare = [str(one.name) for one in series if "time" not in one.dims]
    needed = request.kind in ("time", "rain") or request.months or request.time
    if needed and bare:
        message = (
            f"{', '.join(bare)}: a single map without dates, and a correlation over "
            "time needs series. Give more dates, or correlate over space with "
            "--window or --gw."
        )
        raise InputError(message)


def _answer(
    opened: OpenedSeries, request: CorrelateRequest, month: int | None
) -> xr.Dataset:
    """Correlate all dates, or those of one month."""
    if request.kind == "time":
        found = _over_time(opened, request, month)
        _check_answered(found, month)
        return with_discoveries(found, rate=request.fdr)
    x, y, when = _two_maps(opened, month)
    found = _over_space(x, y, request)
    _check_answered(found, month)
    test = dutilleul_test(x.to_numpy(), y.to_numpy(), Grid.of(x))
    return found.assign_attrs(
        {**found.attrs, "dates": when, "region_r": test.r,
         "region_p_value": test.p_value, "region_n": test.n,
         "region_n_effective": test.n_effective}
    )  # fmt: skip


def _over_time(
    opened: OpenedSeries, request: CorrelateRequest, month: int | None
) -> xr.Dataset:
    """Correlate over the dates that the series share."""
    lagged = request.lags != (0,)
    common = same_dates(opened, None if lagged else month)
    x, y, *controls = common.series
    dates = common.labels
    if request.deseason:
        x, y, *controls = (anomalies(one) for one in (x, y, *controls))
    if lagged and month is not None:
        # Pairs start in the month; what follows them may lie in the next one.
        x = x.where(x["time"].dt.month == month)
    if request.scheduler:
        x, y, *controls = (in_blocks(one) for one in (x, y, *controls))
    found = _statistics(x, y, controls, request).compute()
    label = "" if month is None else f" of {calendar.month_name[month]}"
    return found.assign_attrs(
        {**found.attrs, "kind": f"over time, {dates.size} dates{label}",
         "dates": f"{dates[0]} to {dates[-1]}", "step": common.step}
    )  # fmt: skip


def _statistics(
    x: xr.DataArray,
    y: xr.DataArray,
    controls: list[xr.DataArray],
    request: CorrelateRequest,
) -> xr.Dataset:
    """Answer what is asked of series on one axis."""
    if len(request.lags) > 1:
        return best_lag(
            x,
            y,
            lags=request.lags,
            method=request.statistic,
            detrend=request.detrend,
            min_pairs=request.min_pairs,
        )
    found = correlate(
        x,
        y,
        method=request.statistic,
        controls=controls or None,
        lag=request.lags[0],
        detrend=request.detrend,
        min_pairs=request.min_pairs,
        statistics=(*STANDARD, "theil_sen_slope") if request.theil_sen else STANDARD,
        significance=Significance(p_from=request.p_from),
    )
    if request.bootstrap and request.statistic != "kendall":
        drawn = bootstrap_interval(
            x,
            y,
            method=request.statistic,
            n_draws=request.bootstrap,
            min_pairs=request.min_pairs,
            rng=np.random.default_rng(request.seed),
        )
        found = found.assign(r_lower=drawn["r_lower"], r_upper=drawn["r_upper"])
    return found


def _two_maps(
    opened: OpenedSeries, month: int | None
) -> tuple[xr.DataArray, xr.DataArray, str]:
    """Return one map of each series: the mean of the dates that both have a cell at."""
    if not opened.has_time:
        maps = [
            one.mean("time", keep_attrs=True) if "time" in one.dims else one
            for one in (opened.x, opened.y)
        ]
        return maps[0], maps[1], "maps without dates"
    common = same_dates(opened, month)
    x, y = common.series[:2]
    valid = np.isfinite(x) & np.isfinite(y)
    dates = common.labels
    words = f"{dates[0]}"
    if dates.size > 1:
        words = f"mean of {dates.size} dates, {dates[0]} to {dates[-1]}"
    means = [one.where(valid).mean("time", keep_attrs=True) for one in (x, y)]
    return means[0], means[1], words


def _over_space(
    x: xr.DataArray, y: xr.DataArray, request: CorrelateRequest
) -> xr.Dataset:
    """Correlate two maps around each cell."""
    method: Literal["pearson", "spearman"] = (
        "spearman" if request.statistic == "spearman" else "pearson"
    )
    if request.window is not None:
        found = window_correlation(
            x, y, size=request.window, method=method, min_pairs=request.min_pairs
        )
        words = f"over space, in a moving window of {request.window} cells"
    else:
        width, adaptive = request.bandwidth
        found = weighted_correlation(
            x, y, bandwidth=width, adaptive=adaptive, method=method
        )
        unit = "nearest cells" if adaptive else "m"
        words = f"over space, weighted by distance (bisquare, {width:g} {unit})"
    return found.assign_attrs({**found.attrs, "method": method, "kind": words})


def _check_answered(found: xr.Dataset, month: int | None) -> None:
    """Raise where no cell has an answer, and say why."""
    if bool(np.isfinite(found["r"]).any()):
        return
    words = ""
    if "reason" in found:
        codes, counts = np.unique(found["reason"].to_numpy(), return_counts=True)
        words = ": " + ", ".join(
            f"{REASONS[code]} in {count} cells"
            for code, count in zip(codes, counts, strict=True)
        )
    when = "" if month is None else f" of {calendar.month_name[month]}"
    message = (
        f"No cell has a correlation{when}{words}. Check that both series have values "
        "at the same dates and cells, or lower --min-pairs."
    )
    raise InputError(message)
