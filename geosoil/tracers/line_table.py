"""Water lines of groups of samples in one tidy table, one row a group."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers.delta import d_excess
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.intersection import UNBOUNDED, Intersection, intersect
from geosoil.tracers.lines import (
    WEAK,
    WEIGHTED,
    LineMethod,
    WaterLine,
    fit_water_line,
)

FloatArray = npt.NDArray[np.float64]
CrossingInterval = Literal["fieller", "none"]

NO_LINE = WaterLine.stated(float("nan"), float("nan"))
"""Line of a group that has none."""


def group_lines(
    samples: pd.DataFrame,
    by: Sequence[str],
    *,
    lmwl: WaterLine,
    method: LineMethod = "ols",
    precipitation_range: tuple[float, float] | None = None,
    interval: CrossingInterval = "fieller",
) -> pd.DataFrame:
    """Fit a water line to each group of samples and cross it with the LMWL.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with columns d18O, d2H [permil] and those of ``by``; the
        weighted methods need ``precipitation`` [mm].
    by : sequence of str
        Columns that make the groups, such as ``["period", "vegetation"]``; empty
        for one row over all samples.
    lmwl : WaterLine
        Local meteoric water line.
    method : {"ols", "rma", "ma", "pwlsr", "pwrma", "pwma", "york", "theil_sen"}
        Method of the fit, see `fit_water_line`; "york" needs ``d18O_sd`` and
        ``d2H_sd`` [permil].
    precipitation_range : tuple = (lowest, highest), optional
        d18O range of the observed precipitation [permil], see `intersect`.
    interval : {"fieller", "none"}
        Interval of the crossing; "none" leaves its bounds missing.

    Returns
    -------
    table : DataFrame
        Group columns; ``n`` (samples with both isotopes); mean and standard
        deviation of d18O, d2H and d_excess; slope, intercept, their standard
        errors, r_squared; the crossing ``initial_d18O``, ``initial_d2H`` with
        ``initial_lower``, ``initial_upper`` (95 % Fieller); ``flags``; ``reason``
        ("" where the group has a line). A group without a line keeps its row.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> table = pd.DataFrame({
    ...     "period": ["June"] * 4 + ["August"],
    ...     "d18O": [-10.0, -11.0, -12.0, -14.0, -9.0],
    ...     "d2H": [-80.0, -86.0, -90.0, -103.0, -70.0],
    ... })
    >>> lines = group_lines(table, ["period"], lmwl=GMWL)
    >>> lines["period"].tolist(), lines["n"].tolist(), lines["slope"].round(2).tolist()
    (['June', 'August'], [4, 1], [5.69, nan])
    >>> lines["reason"].iloc[1]
    'No ols line: 1 samples found, 3 needed for a line. Join groups or add samples.'
    """
    needed = ["d18O", "d2H", *_extra(method)]
    check_columns(samples, needed, what="Samples")
    values = samples[needed].to_numpy(dtype=float)
    rows: list[dict[str, object]] = []
    for group in sample_groups(samples, by):
        inside = values[group.rows]
        line, reason = _line(inside, method)
        crossing = intersect(lmwl, line, precipitation_range=precipitation_range)
        rows.append(
            {
                **group.key,
                **_means(inside),
                **_line_columns(line),
                **_crossing_columns(crossing, line, reason, interval),
                "reason": reason,
            }
        )
    return pd.DataFrame(rows)


def _extra(method: LineMethod) -> list[str]:
    """Columns that a method needs beside the isotopes."""
    if method in WEIGHTED:
        return ["precipitation"]
    return ["d18O_sd", "d2H_sd"] if method == "york" else []


def _line(values: FloatArray, method: LineMethod) -> tuple[WaterLine, str]:
    amount = values[:, 2] if method in WEIGHTED else None
    sd = values[:, 2:4].T if method == "york" else (None, None)
    try:
        with warnings.catch_warnings():
            # A weak line is told by the row's flag.
            warnings.simplefilter("ignore", GeosoilWarning)
            line = fit_water_line(
                values[:, 0],
                values[:, 1],
                method=method,
                amount=amount,
                d18O_sd=sd[0],
                d2H_sd=sd[1],
            )
    except InputError as error:
        return NO_LINE, str(error)
    return line, ""


def _means(values: FloatArray) -> dict[str, object]:
    whole = values[np.isfinite(values[:, :2]).all(axis=1)]
    columns = {
        "d18O": whole[:, 0],
        "d2H": whole[:, 1],
        "d_excess": d_excess(whole[:, 0], whole[:, 1]),
    }
    cells: dict[str, object] = {"n": len(whole)}
    for name, column in columns.items():
        cells[name] = float(column.mean()) if column.size else np.nan
        cells[f"{name}_sd"] = float(column.std(ddof=1)) if column.size > 1 else np.nan
    return cells


def _line_columns(line: WaterLine) -> dict[str, object]:
    names = (
        "slope",
        "intercept",
        "slope_standard_error",
        "intercept_standard_error",
        "r_squared",
    )
    return {name: getattr(line, name) for name in names}


def _crossing_columns(
    crossing: Intersection, line: WaterLine, reason: str, interval: CrossingInterval
) -> dict[str, object]:
    weak = ("weak line",) if line.r_squared < WEAK**2 else ()
    flags = () if reason else crossing.flags + weak
    bounds = (crossing.lower, crossing.upper)
    if interval == "none":
        bounds = (float("nan"), float("nan"))
        flags = tuple(flag for flag in flags if flag != UNBOUNDED)
    return {
        "initial_d18O": crossing.d18O,
        "initial_d2H": crossing.d2H,
        "initial_lower": bounds[0],
        "initial_upper": bounds[1],
        "flags": "; ".join(flags),
    }
