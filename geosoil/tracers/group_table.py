"""Means, errors and water lines of every stratum in the layout of Tables 1 and 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.tracers.delta import d_excess
from geosoil.tracers.group_fractions import clustered_mean
from geosoil.tracers.groups import Group, check_columns, column_labels, sample_groups
from geosoil.tracers.line_table import CrossingInterval, group_lines
from geosoil.tracers.lines import LineMethod, WaterLine
from geosoil.tracers.parallels import average_parallels

FloatArray = npt.NDArray[np.float64]
Means = Literal["unweighted", "by_site"]

ALL = "all"
"""Name of the stratum of all samples."""

TABLE_STRATA: tuple[str, ...] = (
    ALL,
    "soil_layer",
    "elevation_band",
    "aspect",
    "vegetation",
)
"""Strata of Tables 1 and 2 of the paper."""

TABLE_1: tuple[str, ...] = ("d18O", "d2H", "d_excess")
"""Values of Table 1 of the paper."""

TABLE_2: tuple[str, ...] = ("slope", "intercept", "r_squared")
"""Values of Table 2 of the paper."""

NO_SAMPLE = "no sample in this group"
"""Reason: other periods or strata have samples, this combination has none."""


@dataclass(frozen=True, slots=True)
class LineChoice:
    """How the lines of groups are fitted and what they are crossed with."""

    lmwl: WaterLine
    """Local meteoric water line."""
    method: LineMethod = "ols"
    """Method of the fit, see `fit_water_line`."""
    precipitation_range: tuple[float, float] | None = None
    """d18O range of the observed precipitation [permil], see `intersect`."""
    interval: CrossingInterval = "fieller"
    """Interval of the crossing with the meteoric line."""
    means: Means = "unweighted"
    """Whether a group's mean is that of its samples, or of its sites' means."""


def group_table(
    samples: pd.DataFrame,
    by: Sequence[str] = TABLE_STRATA,
    *,
    line: LineChoice,
    period: str = "period",
    site: str = "site_id",
) -> pd.DataFrame:
    """Describe every stratum of every period in one tidy table.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with d18O, d2H [permil], ``period``, ``site`` and the
        columns of ``by`` (see `add_strata`). With a column ``parallel``, parallel
        measurements are averaged first (see `average_parallels`).
    by : sequence of str
        Strata, each crossed with the period; ``"all"`` is one stratum of every
        sample.
    line : LineChoice
        Meteoric line and method of the lines.
    period : str
        Column of the period.
    site : str
        Column of the unit of error: the site, whose layers are not independent.

    Returns
    -------
    table : DataFrame
        ``period``, ``by``, ``stratum``, then the columns of `crossed_groups`. Every
        stratum has a row in every period.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> samples = pd.DataFrame({
    ...     "period": ["June"] * 4, "site_id": ["a", "a", "b", "c"],
    ...     "vegetation": ["meadow", "meadow", "meadow", "forest"],
    ...     "d18O": [-10.0, -11.0, -12.0, -14.0], "d2H": [-80.0, -86.0, -90.0, -103.0],
    ... })
    >>> table = group_table(samples, ["all", "vegetation"], line=LineChoice(GMWL))
    >>> table[["stratum", "n", "n_sites"]].values.tolist()
    [['all', 4, 3], ['meadow', 3, 2], ['forest', 1, 1]]
    """
    strata = [name for name in by if name != ALL]
    check_columns(samples, [period, site, *strata], what="Samples")
    whole = _averaged(samples)
    parts = []
    for name in by:
        columns = [period] if name == ALL else [period, name]
        part = crossed_groups(whole, columns, line=line, site=site)
        labels = part.pop(name).to_numpy() if name != ALL else ALL
        part.insert(1, "by", name)
        part.insert(2, "stratum", labels)
        parts.append(part.rename(columns={period: "period"}))
    return pd.concat(parts, ignore_index=True)


def crossed_groups(
    samples: pd.DataFrame,
    by: Sequence[str],
    *,
    line: LineChoice,
    site: str = "site_id",
) -> pd.DataFrame:
    """Describe the groups that columns make when they are crossed.

    Parameters
    ----------
    samples : DataFrame
        As in `group_table`.
    by : sequence of str
        Columns that are crossed, such as ``["period", "vegetation"]``.
    line : LineChoice
        Meteoric line and method of the lines.
    site : str
        Column of the unit of error.

    Returns
    -------
    table : DataFrame
        Columns of ``by``; ``n`` and ``n_sites``; for d18O, d2H and d_excess the mean,
        the ``_sd`` of the samples and the ``_se`` of the mean (clustered by site,
        missing with one site); ``slope_site_error`` of an OLS line; and line, crossing,
        ``flags`` and ``reason`` as of `group_lines`. A combination without samples
        keeps a row with its reason.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    The variance of a mean is C / (C - 1) sum_c r_c^2 / n^2 with r_c the sum of the
    residuals of site c of C. ``slope_site_error`` is the same sandwich of the slope's
    influence (x - mean) e / Sxx, e the residual: soil layers, and parallel bottles,
    of one profile then do not count as independent.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22, doi:10.1093/biomet/73.1.13.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> samples = pd.DataFrame({
    ...     "period": ["June", "June", "August"], "site_id": ["a", "b", "c"],
    ...     "aspect": ["N", "S", "N"], "d18O": [-10.0, -11.0, -12.0],
    ...     "d2H": [-80.0, -86.0, -90.0],
    ... })
    >>> table = crossed_groups(samples, ["period", "aspect"], line=LineChoice(GMWL))
    >>> table["n"].tolist(), table["reason"].iloc[-1]
    ([1, 1, 1, 0], 'no sample in this group')
    """
    names = list(by)
    check_columns(samples, [*names, site], what="Samples")
    whole = _averaged(samples)
    groups = sample_groups(whole, names)
    lines = group_lines(
        whole,
        names,
        lmwl=line.lmwl,
        method=line.method,
        precipitation_range=line.precipitation_range,
        interval=line.interval,
    )
    values = _values(whole)
    sites = whole[site].to_numpy(dtype=object)
    errors = pd.DataFrame(
        [
            _errors(values[g.rows], sites[g.rows], _slope(lines, place, line.method))
            | _site_means(values[g.rows], sites[g.rows], line.means)
            for place, g in enumerate(groups)
        ],
        index=lines.index,
    )
    rest = lines.drop(columns=[c for c in lines if c in errors])
    table = pd.concat([rest, errors], axis=1)[_columns(names)]
    return _with_empty(table, whole, names, groups)


def paper_layout(
    table: pd.DataFrame, values: Sequence[str] = TABLE_2, *, digits: int = 2
) -> pd.DataFrame:
    """Lay a group table out as the paper prints it: strata down, periods across.

    Parameters
    ----------
    table : DataFrame
        Table of `group_table`.
    values : sequence of str
        Columns to print: :data:`TABLE_1` or :data:`TABLE_2`, or any others.
    digits : int
        Decimals.

    Returns
    -------
    wide : DataFrame
        Index (by, stratum), columns (period, value).

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["June", "August"], "by": "all",
    ...     "stratum": "all", "slope": [6.72, 6.66]})
    >>> paper_layout(table, ["slope"])["August"].values.tolist()
    [[6.66]]
    """
    keys = ["by", "stratum"]
    check_columns(table, ["period", *keys, *values], what="Group table")
    rows = pd.MultiIndex.from_frame(table[keys].drop_duplicates())
    parts = {
        label: part.set_index(keys)[list(values)].reindex(rows)
        for label, part in table.groupby("period", sort=False)
    }
    return pd.concat(parts, axis=1, names=["period"]).round(digits)


def _averaged(samples: pd.DataFrame) -> pd.DataFrame:
    return average_parallels(samples) if "parallel" in samples else samples


def _values(samples: pd.DataFrame) -> FloatArray:
    pair = samples[["d18O", "d2H"]].to_numpy(dtype=float)
    return np.column_stack([pair, d_excess(pair[:, 0], pair[:, 1])])


def _slope(
    lines: pd.DataFrame, place: int, method: LineMethod
) -> tuple[float, float] | None:
    """Slope and intercept of a row, for the methods that have a site error."""
    if method != "ols":
        return None
    row = lines.iloc[place]
    return float(row["slope"]), float(row["intercept"])


def _errors(
    values: FloatArray, sites: npt.NDArray[np.object_], line: tuple[float, float] | None
) -> dict[str, object]:
    """Sites and clustered standard errors of one group."""
    mean = clustered_mean(values, sites)
    variance = np.clip(np.diag(mean.covariance), 0.0, None)
    cells: dict[str, object] = {"n_sites": mean.n_clusters}
    for place, name in enumerate(TABLE_1):
        cells[f"{name}_se"] = float(np.sqrt(variance[place]))
    cells["slope_site_error"] = np.nan
    if line is not None and np.isfinite(line[0]):
        x, y = values[:, 0], values[:, 1]
        offset = x - mean.mean[0]
        influence = offset * (y - line[0] * x - line[1])
        pull = clustered_mean(influence[:, None], sites)
        whole = np.isfinite(influence)
        spread = float(np.square(offset[whole]).mean())
        cells["slope_site_error"] = float(np.sqrt(pull.covariance[0, 0])) / spread
    return cells


def _site_means(
    values: FloatArray, sites: npt.NDArray[np.object_], means: Means
) -> dict[str, object]:
    """Mean of the sites' means with its standard error, where that is asked for."""
    if means == "unweighted":
        return {}
    whole = np.isfinite(values).all(axis=1)
    profiles = pd.DataFrame(values[whole]).groupby(sites[whole], dropna=False).mean()
    mean = clustered_mean(profiles.to_numpy(dtype=float), np.arange(len(profiles)))
    cells: dict[str, object] = {}
    for place, name in enumerate(TABLE_1):
        cells[name] = float(mean.mean[place])
        variance = np.clip(mean.covariance[place, place], 0.0, None)
        cells[f"{name}_se"] = float(np.sqrt(variance))
    return cells


def _columns(by: list[str]) -> list[str]:
    means = [f"{name}{tail}" for name in TABLE_1 for tail in ("", "_sd", "_se")]
    line = ["slope", "slope_standard_error", "slope_site_error", "intercept"]
    line += ["intercept_standard_error", "r_squared", "initial_d18O", "initial_d2H"]
    line += ["initial_lower", "initial_upper", "flags", "reason"]
    return [*by, "n", "n_sites", *means, *line]


def _with_empty(
    table: pd.DataFrame, samples: pd.DataFrame, by: list[str], groups: list[Group]
) -> pd.DataFrame:
    """Add the combinations that have no sample, each in its place."""
    if not by:
        return table
    labels = [column_labels(samples, name) for name in by]
    found = {tuple(map(_plain, group.key.values())): group.key for group in groups}
    wanted = list(product(*labels))
    empty = [
        dict(zip(by, combination, strict=True))
        for combination in wanted
        if tuple(map(_plain, combination)) not in found
        and None not in map(_plain, combination)
    ]
    if not empty:
        return table
    rows = pd.DataFrame(empty).assign(n=0, n_sites=0, flags="", reason=NO_SAMPLE)
    numbers = {
        name: pd.Series(np.nan, index=rows.index, dtype=float)
        for name in table.columns
        if name not in rows
    }
    rows = rows.assign(**numbers)[list(table.columns)]
    both = pd.concat([table, rows], ignore_index=True)
    order = {tuple(map(_plain, key)): place for place, key in enumerate(wanted)}
    ranks = [
        order[tuple(map(_plain, key))]
        for key in both[by].astype(object).itertuples(index=False, name=None)
    ]
    return both.iloc[np.argsort(ranks, kind="stable")].reset_index(drop=True)


def _plain(label: object) -> object:
    """Label in which every missing value is equal."""
    return None if pd.isna(label) else label  # type: ignore[call-overload]
