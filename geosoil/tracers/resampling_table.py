"""Bootstrap of the water lines of many groups of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.line_samples import WEIGHTED
from geosoil.tracers.lines import LineMethod, check_method
from geosoil.tracers.resampling import (
    METHODS,
    BootstrapLines,
    Resampling,
    bootstrap_line,
    unit_labels,
)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupedBootstrap:
    """Bootstrap of the lines of many groups."""

    table: pd.DataFrame
    """One row a group: its labels, n, n_units, slope, intercept, their standard
    errors and intervals, covariance, n_failed and reason (empty where fine)."""
    slopes: FloatArray
    """Slopes of the draws, shape (groups, n_draws); NaN where there is no line."""
    intercepts: FloatArray
    """Intercepts of the draws, shape (groups, n_draws) [permil]."""


def bootstrap_lines(
    samples: pd.DataFrame,
    groups: Sequence[str],
    *,
    rng: np.random.Generator,
    method: LineMethod = "ols",
    resampling: Resampling | None = None,
) -> GroupedBootstrap:
    """Bootstrap the water line of each group of a table.

    Parameters
    ----------
    samples : DataFrame
        One row a sample with columns ``d18O`` and ``d2H`` [permil, VSMOW], and
        ``precipitation`` [mm] for the weighted methods.
    groups : sequence of str
        Columns that make the groups; empty for all samples together.
    rng : Generator
        Source of chance.
    method : {"ols", "rma", "ma", "pwlsr", "pwrma", "pwma"}
        Method of the fit.
    resampling : Resampling, optional
        Units, one label a row of the table such as ``samples["site_id"]`` (by
        default single samples), number of draws and confidence.

    Returns
    -------
    lines : GroupedBootstrap
        A row a group in a fixed order; a group without an answer has its reason.

    Raises
    ------
    InputError
        If a column is missing, the labels do not fit, or the method is unknown.

    Notes
    -----
    Units are drawn anew within each group, so that lines of two groups that share
    sites come out as if independent.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({"period": ["June"] * 40 + ["August"] * 2})
    >>> table["d18O"] = rng.normal(-13.0, 3.0, 42)
    >>> table["d2H"] = 7.0 * table["d18O"] - 2.0 + rng.normal(0.0, 2.0, 42)
    >>> lines = bootstrap_lines(table, ["period"], rng=rng)
    >>> lines.table["n"].tolist(), (lines.table["reason"] == "").tolist()
    ([40, 2], [True, False])
    """
    check_method(method, METHODS)
    plan = Resampling() if resampling is None else resampling
    weighted = ["precipitation"] if method in WEIGHTED else []
    check_columns(samples, ["d18O", "d2H", *weighted], what="Samples")
    columns = {
        name: samples[name].to_numpy(dtype=float) for name in ["d18O", "d2H", *weighted]
    }
    labels = unit_labels(plan.by, len(samples))
    found = sample_groups(samples, groups)
    slopes = np.full((len(found), plan.n_draws), np.nan)
    intercepts = np.full_like(slopes, np.nan)
    rows = []
    for place, group in enumerate(found):
        own = {name: values[group.rows] for name, values in columns.items()}
        by = None if labels is None else labels[group.rows]
        try:
            lines = bootstrap_line(
                own["d18O"],
                own["d2H"],
                rng=rng,
                method=method,
                amount=own.get("precipitation"),
                resampling=replace(plan, by=by),
            )
        except InputError as error:
            n = int(np.isfinite(own["d18O"] + own["d2H"]).sum())
            rows.append({**group.key, "n": n, "reason": str(error)})
            continue
        slopes[place], intercepts[place] = lines.slopes, lines.intercepts
        rows.append({**group.key, **_cells(lines), "reason": ""})
    table = pd.DataFrame(rows).reindex(columns=[*groups, *COLUMNS, "reason"])
    return GroupedBootstrap(table, slopes, intercepts)


COLUMNS = (
    "n",
    "n_units",
    "n_failed",
    "slope",
    "slope_standard_error",
    "slope_lower",
    "slope_upper",
    "intercept",
    "intercept_standard_error",
    "intercept_lower",
    "intercept_upper",
    "covariance",
)
"""Columns of a grouped bootstrap, after the labels and before the reason."""


def _cells(lines: BootstrapLines) -> dict[str, object]:
    return {
        "n": lines.line.n,
        "n_units": lines.n_units,
        "n_failed": lines.n_failed,
        "slope": lines.line.slope,
        "slope_standard_error": lines.line.slope_standard_error,
        "slope_lower": lines.slope_interval[0],
        "slope_upper": lines.slope_interval[1],
        "intercept": lines.line.intercept,
        "intercept_standard_error": lines.line.intercept_standard_error,
        "intercept_lower": lines.intercept_interval[0],
        "intercept_upper": lines.intercept_interval[1],
        "covariance": lines.line.covariance,
    }
