"""Correlation of values measured at points with the raster cells that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.correlation.dutilleul import FEWEST_POINTS, dutilleul_test
from geosoil.correlation.significance import p_value
from geosoil.errors import InputError, MissingCRSError

PointMethod = Literal["pearson", "spearman"]
METHODS: tuple[PointMethod, ...] = get_args(PointMethod)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PointCorrelation:
    """Correlation over the distinct cells of points, and what the points alone say.

    Examples
    --------
    >>> sites = gpd.GeoDataFrame(
    ...     {"row": [0, 0, 1], "column": [0, 0, 0], "moisture": [0.2, 0.3, 0.4],
    ...      "rain": [50.0, 50.0, 80.0]},
    ...     geometry=gpd.points_from_xy([95.0, 95.1, 96], [33, 33, 33]), crs=4326)
    >>> found = point_correlation(sites, "moisture", "rain")
    >>> found.n_points, found.n_cells, found.reason
    (3, 2, 'few')
    """

    r: float
    """Correlation over the cells; NaN unless reason is "" or "few_effective"."""
    p_value: float
    """Two-sided p value of Dutilleul's test over the cells; NaN unless reason is ""."""
    n_effective: float
    """Cells that independent ones would need to say as much."""
    n_cells: int
    """Distinct cells: the pairs."""
    n_groups: int
    """Groups of points, as profiles; without groups the points."""
    n_points: int
    """Points with a cell and both values."""
    r_naive: float
    """Correlation over the points as if each were a pair of its own."""
    p_naive: float
    """Its p value with the number of points: what sharing cells, depths of a profile
    and neighbourhood would make of chance."""
    method: str
    """ "pearson" or "spearman"."""
    reason: str
    """Why p is missing: "" for fine, "few" cells (below 4), "constant_x",
    "constant_y" or "few_effective"."""


def point_correlation(
    points: gpd.GeoDataFrame,
    x: str,
    y: str,
    *,
    cell: Sequence[str] = ("row", "column"),
    group: str | None = None,
    method: PointMethod = "pearson",
) -> PointCorrelation:
    """Correlate two columns of points over the distinct cells of a raster.

    Parameters
    ----------
    points : GeoDataFrame of Points, length n
        One row a measurement, with a CRS.
    x, y : str
        Columns of numbers: a measured value, and what the raster holds there. Rows
        without either are left out.
    cell : sequence of str
        Columns that name the cell of each point on the grid of the raster; a missing
        or negative one is no cell, and its row is left out.
    group : str, optional
        Column of the groups whose rows belong to one place, as the depths of a
        profile: their mean counts as one point of its cell. A row without a group is
        its own. Without it every row is a point.
    method : {"pearson", "spearman"}
        Of the means of the cells, or of their ranks.

    Returns
    -------
    correlation : PointCorrelation
        r, p, the numbers of cells, groups and points, and r and p of the points alone.

    Raises
    ------
    MissingCRSError
        If the points have no CRS.
    InputError
        If a column is absent or no number, the method is unknown, or all points that
        count lie on one place.

    Notes
    -----
    All points of a cell have the same value of the raster, so that they are one pair:
    with m groups in cell c, x_c = 1/m sum over groups of the mean of the group, and
    alike y_c and the place of the pair. r is that of (x_c, y_c); p is Dutilleul's,
    with the effective number of the places
    (:func:`~geosoil.correlation.dutilleul.dutilleul_test`). Of ranks the test is the
    same on the mid-ranks of the cells, an approximation. With few cells the effective
    number is itself uncertain, and it may exceed the number of cells where neighbours
    are less alike than strangers.

    References
    ----------
    Dutilleul (1993), Modifying the t test for assessing the correlation between two
    spatial processes, Biometrics 49, doi:10.2307/2532625.

    Examples
    --------
    >>> rows, columns = (a.ravel() for a in np.mgrid[0:5, 0:5])
    >>> sites = gpd.GeoDataFrame(
    ...     {"row": rows, "column": columns, "rain": columns + rows % 3.0,
    ...      "moisture": 2 * columns + rows % 2},
    ...     geometry=gpd.points_from_xy(95 + columns / 10, 33 - rows / 10), crs=4326)
    >>> twice = pd.concat([sites, sites])
    >>> found = point_correlation(twice, "moisture", "rain")
    >>> found.n_points, found.n_cells, round(found.r, 3)
    (50, 25, 0.845)
    >>> found.p_value > found.p_naive
    True
    """
    _check(points, (x, y), tuple(cell), group, method)
    table = _valid(points, (x, y), tuple(cell), group)
    pairs = _cell_means(table)
    naive_r = _plain_r(table, method)
    found = PointCorrelation(
        r=np.nan,
        p_value=np.nan,
        n_effective=np.nan,
        n_cells=len(pairs),
        n_groups=table["group"].nunique(),
        n_points=len(table),
        r_naive=naive_r,
        p_naive=float(p_value(naive_r, len(table))),
        method=method,
        reason="few",
    )
    if len(pairs) < FEWEST_POINTS:
        return found
    places = gpd.GeoSeries.from_xy(pairs["east"], pairs["north"], crs=points.crs)
    first, second = (_ranked(pairs[name], method) for name in ("x", "y"))
    test = dutilleul_test(first, second, places)
    return replace(
        found,
        r=test.r,
        p_value=test.p_value,
        n_effective=test.n_effective,
        reason=test.reason,
    )


def _check(
    points: gpd.GeoDataFrame,
    values: tuple[str, str],
    cell: tuple[str, ...],
    group: str | None,
    method: str,
) -> None:
    """Raise on columns or a method that cannot be, all at once."""
    if points.crs is None:
        message = (
            "The points have no coordinate reference system. Set it with .set_crs, "
            "for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    wanted = (*values, *cell, *(() if group is None else (group,)))
    absent = [name for name in wanted if name not in points]
    faults = [f"no column {', '.join(absent)}"] if absent else []
    faults += [
        f"column '{name}' holds no numbers"
        for name in values
        if name in points and not pd.api.types.is_numeric_dtype(points[name])
    ]
    if method not in METHODS:
        faults.append(f"unknown method '{method}', known are: {', '.join(METHODS)}")
    if not cell:
        faults.append("no column names the cell; give at least one")
    if faults:
        message = (
            f"Cannot correlate '{values[0]}' with '{values[1]}' over cells: "
            f"{'; '.join(faults)}."
        )
        raise InputError(message)


def _valid(
    points: gpd.GeoDataFrame,
    values: tuple[str, str],
    cell: tuple[str, ...],
    group: str | None,
) -> pd.DataFrame:
    """Return x, y, place, cell and group of the rows that count."""
    cells = pd.DataFrame({name: points[name].to_numpy() for name in cell})
    known = cells.notna().all(axis=1).to_numpy()
    for name in cells.select_dtypes("number"):
        known = known & (cells[name] >= 0).to_numpy()
    table = pd.DataFrame(
        {
            "x": points[values[0]].to_numpy(dtype=float, na_value=np.nan),
            "y": points[values[1]].to_numpy(dtype=float, na_value=np.nan),
            "east": points.geometry.x.to_numpy(),
            "north": points.geometry.y.to_numpy(),
            "cell": cells.groupby(list(cell), dropna=False).ngroup(),
        }
    )
    own = np.arange(len(points))
    if group is not None:
        codes, _ = pd.factorize(points[group])
        own = np.where(codes >= 0, codes, len(points) + own)
    table["group"] = own
    numbers = table[["x", "y", "east", "north"]].to_numpy()
    return table.loc[np.flatnonzero(known & np.isfinite(numbers).all(axis=1))]


def _cell_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the means of the groups of each cell."""
    names = ["x", "y", "east", "north"]
    labels = table[["cell", "group"]].to_numpy()
    both, of_row = np.unique(labels, axis=0, return_inverse=True)
    _, of_group = np.unique(both[:, 0], return_inverse=True)
    by_group = _means(table[names].to_numpy(), of_row)
    return pd.DataFrame(_means(by_group, of_group), columns=names)


def _means(values: FloatArray, labels: npt.NDArray[np.intp]) -> FloatArray:
    """Return the means of rows by their labels 0, 1 ..., shape (labels, columns)."""
    if not len(values):
        return values
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    counts = np.diff(np.append(starts, len(values)))
    rows = values[order]
    # Equal values must stay equal: rounding would part ties and vary a constant.
    low = np.minimum.reduceat(rows, starts, axis=0)
    over = np.add.reduceat(rows - np.repeat(low, counts, axis=0), starts, axis=0)
    return np.asarray(low + over / counts[:, None], dtype=np.float64)


def _ranked(values: pd.Series, method: PointMethod) -> FloatArray:
    """Return values, or their mid-ranks for Spearman's rho."""
    numbers = values.to_numpy(dtype=float)
    return np.asarray(stats.rankdata(numbers)) if method == "spearman" else numbers


def _plain_r(table: pd.DataFrame, method: PointMethod) -> float:
    """Return r over the rows; NaN for fewer than 3 or a constant."""
    first, second = (_ranked(table[name], method) for name in ("x", "y"))
    if len(table) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.clip(np.corrcoef(first, second)[0, 1], -1.0, 1.0))
