"""Dutilleul's modified t-test: r between two maps, neighbours taken into account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from geosoil.correlation.dutilleul_grid import (
    ClassStatistics,
    PlaneCells,
    SphereCells,
    cells_of,
    moran_of,
)
from geosoil.correlation.map_pair import ONE_AT_A_TIME, places_of
from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid

MOST_POINTS = 50_000
"""Points up to which all pairs are visited: their number grows with the square."""

FEWEST_POINTS = 4

SLACK = 1e-9
"""Share of the largest distance by which one may exceed a bound and be on it: on
regular points many distances are bounds, and rounding must not part them."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DutilleulTest:
    """Pearson's r, and its p value with the number of points that the maps are worth.

    Examples
    --------
    >>> at = np.column_stack([np.arange(6.0), np.zeros(6)])
    >>> test = dutilleul_test([1, 2, 4, 3, 6, 5], [2, 1, 3, 5, 4, 6], at, n_classes=2)
    >>> round(test.r, 3), test.class_upper, test.class_pairs
    (0.657, array([2.5, 5. ]), array([9, 6]))
    """

    r: float
    """Pearson's correlation coefficient; NaN if a variable is constant."""
    p_value: float
    """Two-sided p value of the modified t-test; NaN if it cannot be made."""
    n: int
    """Pairs used."""
    n_effective: float
    """Pairs that independent points would need to say as much."""
    f_statistic: float
    """(n_effective - 2) r**2 / (1 - r**2), of F with 1 and degrees_of_freedom."""
    degrees_of_freedom: float
    """n_effective - 2."""
    class_upper: FloatArray
    """Upper bounds of the classes of distance [units of the coordinates, or m]."""
    class_pairs: npt.NDArray[np.int64]
    """Pairs of points in each class."""
    moran_x: FloatArray
    """Moran's I of x in each class; 0 in an empty class."""
    moran_y: FloatArray
    """Moran's I of y in each class; 0 in an empty class."""
    reason: str
    """Why p or r is missing: "", "constant_x", "constant_y" or "few_effective"."""


def dutilleul_test(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    coordinates: npt.ArrayLike | gpd.GeoDataFrame | gpd.GeoSeries | Grid,
    *,
    n_classes: int | Literal["sturges"] = 13,
) -> DutilleulTest:
    """Test a correlation over space with an effective number of points.

    Parameters
    ----------
    x, y : array, shape (n,), or the shape of the grid
        Values at the points, or maps; pairs with a missing one are left out.
    coordinates : array, shape (n, 2), or GeoDataFrame or GeoSeries, or Grid
        x and y in a metric projection; longitude and latitude only as points with a
        geographic CRS, whose distances go straight through the sphere [m]. Of maps,
        the :class:`~geosoil.grids.grid.Grid` of their cells, ``Grid.of(raster)``.
    n_classes : int or "sturges"
        Classes of equal width from 0 to the largest distance; "sturges" takes
        1.5 + 3.3 log10 of the number of pairs of points, cut to a whole number.

    Returns
    -------
    test : DutilleulTest
        r, p, effective number of points and Moran's I by distance.

    Raises
    ------
    MissingCRSError
        If points come in a GeoDataFrame or GeoSeries without a CRS.
    InputError
        If the shapes differ, a place is missing, fewer than 4 pairs, or more than
        50 000 points that are no grid, are valid, all points coincide, or n_classes
        cannot be.

    Notes
    -----
    Moran's I of each class of distance, with variances of divisor n, makes the
    correlation matrices Sx and Sy of the points: 1 on the diagonal, I_k for pairs of
    class k. With B = 1 - 11'/n,
    n_effective = 1 + tr(B Sx) tr(B Sy) / tr(B Sx B Sy), where
    tr(B Sx B Sy) = tr(Sx Sy) - 2/n (Sx 1).(Sy 1) + (1'Sx 1)(1'Sy 1) / n**2. The
    traces are sums over the pairs, so that no matrix is stored. Points that coincide
    belong to the first class, distances on a bound (within 1e-9 of the largest one)
    to the class below it.

    Points: n**2 / 2 distances, visited twice, and 24 n n_classes bytes. A grid gives
    the answer of its cells as points, by Fourier transforms. Projected: some ten of a
    map twice as high and wide, about 300 bytes a cell. Longitude and latitude: six
    transforms of a row of double length for each pair of rows, about 150 bytes a
    cell beside some 50 MB.

    References
    ----------
    Dutilleul (1993), Modifying the t test for assessing the correlation between two
    spatial processes, Biometrics 49, doi:10.2307/2532625.

    Examples
    --------
    >>> rows, columns = np.mgrid[0:8, 0:8]
    >>> x, y = np.sin(rows / 3.0).ravel(), (np.cos(columns) + rows / 4).ravel()
    >>> test = dutilleul_test(x, y, np.column_stack([columns.ravel(), rows.ravel()]))
    >>> test.n, round(test.n_effective, 1), round(test.r, 3), round(test.p_value, 3)
    (64, 9.2, 0.479, 0.187)
    """
    _check_classes(n_classes)
    first, second, places = _valid(x, y, coordinates)
    upper = _class_bounds(places, len(first), n_classes)
    constant = [values.min() == values.max() for values in (first, second)]
    if any(constant):
        return _unanswered(len(first), upper, "xy"[constant.index(True)])
    z = np.stack([_standard(first), _standard(second)])
    found = places.statistics(z, upper + SLACK * upper[-1])
    r = min(1.0, max(-1.0, float(np.mean(z[0] * z[1]))))
    n_effective = _effective(found)
    freedom = n_effective - 2
    square = (1 - r) * (1 + r)
    answerable = freedom > 0
    return DutilleulTest(
        r=r,
        p_value=float(betainc(freedom / 2, 0.5, square)) if answerable else np.nan,
        n=len(first),
        n_effective=n_effective,
        f_statistic=freedom * r**2 / square if square > 0 else np.inf,
        degrees_of_freedom=freedom,
        class_upper=upper,
        class_pairs=np.rint(found.pairs / 2).astype(np.int64),
        moran_x=found.moran[0],
        moran_y=found.moran[1],
        reason="" if answerable else "few_effective",
    )


def _effective(found: ClassStatistics) -> float:
    """Return 1 + tr(B Sx) tr(B Sy) / tr(B Sx B Sy) from sums over the classes."""
    rows_x, rows_y = found.rows
    n = rows_x.size
    total_x, total_y = rows_x.sum(), rows_y.sum()
    both = n + np.sum(found.pairs * found.moran[0] * found.moran[1])
    crossed = both - 2 / n * np.sum(rows_x * rows_y) + total_x * total_y / n**2
    return float(1 + (n - total_x / n) * (n - total_y / n) / crossed)


def _standard(values: FloatArray) -> FloatArray:
    """Return departures from the mean in standard deviations (divisor n)."""
    departures = values - values.mean()
    return np.asarray(departures / np.sqrt(np.mean(departures**2)))


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Points whose pairs are visited one by one."""

    places: FloatArray
    """In space, shape (n, 3)."""

    def longest(self) -> float:
        """Return the largest distance of two points."""
        from geosoil.correlation import _kernels_local as kernels  # noqa: PLC0415

        with ONE_AT_A_TIME:
            return float(kernels.greatest_distance(self.places.T.copy()))

    def statistics(self, z: FloatArray, limits: FloatArray) -> ClassStatistics:
        """Sum the pairs by class of distance, as the cells of a grid do."""
        from geosoil.correlation import _kernels_local as kernels  # noqa: PLC0415

        with ONE_AT_A_TIME:
            count, sum_x, sum_y = kernels.class_sums(self.places.T.copy(), z, limits)
        pairs = count.sum(axis=0)
        moran = moran_of(np.stack([z[0] @ sum_x, z[1] @ sum_y]), pairs)
        return ClassStatistics(pairs, moran, 1 + moran @ count.T)


_Space = _Points | PlaneCells | SphereCells


def _class_bounds(places: _Space, n: int, n_classes: int | str) -> FloatArray:
    """Return the upper bounds of classes of equal width."""
    longest = places.longest()
    if longest == 0:
        message = (
            f"All {n} points lie on one place, so there are no distances. "
            "Give the coordinates of each point."
        )
        raise InputError(message)
    sturges = int(1.5 + 3.3 * np.log10(n * (n - 1) / 2))
    number = sturges if n_classes == "sturges" else int(n_classes)
    bounds = longest * np.arange(1, number + 1) / number
    bounds[-1] = longest
    return np.asarray(bounds)


def _valid(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    coordinates: Any,  # noqa: ANN401
) -> tuple[FloatArray, FloatArray, _Space]:
    """Return values and places of the valid pairs; raise on what cannot be."""
    first = np.asarray(x, dtype=np.float64)
    second = np.asarray(y, dtype=np.float64)
    if isinstance(coordinates, Grid):
        _check_shapes(first, second, coordinates.shape, "cell of the grid")
        valid = np.isfinite(first) & np.isfinite(second)
        _check_number(int(valid.sum()), 0, np.inf)
        return first[valid], second[valid], cells_of(valid, coordinates)
    places = _places(coordinates)
    _check_shapes(first, second, places.shape[:1], "point")
    valid = np.isfinite(first) & np.isfinite(second)
    lost = int(np.count_nonzero(valid & ~np.isfinite(places).all(axis=1)))
    _check_number(int(valid.sum()), lost, MOST_POINTS)
    return first[valid], second[valid], _Points(places[valid])


def _check_shapes(
    first: FloatArray, second: FloatArray, shape: tuple[int, ...], what: str
) -> None:
    """Raise unless there is one value of each at every place."""
    if not first.shape == second.shape == shape:
        message = (
            f"x, y and coordinates are of the shapes {first.shape}, {second.shape} and "
            f"{shape}. Give one value of each at every {what}."
        )
        raise InputError(message)


def _check_number(n: int, lost: int, most: float) -> None:
    """Raise on too few or too many valid pairs, or on pairs without a place."""
    faults = []
    if lost:
        faults.append(f"{lost} of the valid pairs have no place")
    if n < FEWEST_POINTS:
        faults.append(f"{n} valid pairs, at least {FEWEST_POINTS} are needed")
    if n > most:
        faults.append(
            f"{n} valid pairs have {n * (n - 1) / 2:.1e} distances, more than is "
            "sensible; of maps hand on the whole rasters with "
            "coordinates=geosoil.Grid.of(raster), which has no such limit, and thin "
            f"other points to {MOST_POINTS} or fewer, for instance one in "
            f"{int(np.ceil(n / MOST_POINTS))}"
        )
    if faults:
        message = f"Cannot make Dutilleul's test: {'; '.join(faults)}."
        raise InputError(message)


def _places(coordinates: Any) -> FloatArray:  # noqa: ANN401
    """Return points in space from an array or from points with a CRS."""
    if isinstance(coordinates, gpd.GeoDataFrame | gpd.GeoSeries):
        if coordinates.crs is None:
            message = (
                "The points have no coordinate reference system. Set it with "
                ".set_crs, for instance 'EPSG:4326'."
            )
            raise MissingCRSError(message)
        points = coordinates.geometry
        return places_of(points.x, points.y, bool(coordinates.crs.is_geographic))
    array = np.asarray(coordinates, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        message = (
            f"Coordinates have the shape {array.shape}. Give x and y of each point, "
            "shape (n, 2)."
        )
        raise InputError(message)
    return places_of(array[:, 0], array[:, 1], False)


def _check_classes(n_classes: int | str) -> None:
    """Raise unless the number of classes can be."""
    if n_classes == "sturges":
        return
    if not isinstance(n_classes, int | np.integer) or n_classes < 1:
        message = (
            f"Invalid n_classes '{n_classes}'. Give a whole number from 1 or 'sturges'."
        )
        raise InputError(message)


def _unanswered(n: int, upper: FloatArray, role: str) -> DutilleulTest:
    """Return the answer to a variable that is the same everywhere."""
    missing = np.full(len(upper), np.nan)
    return DutilleulTest(
        r=np.nan,
        p_value=np.nan,
        n=n,
        n_effective=np.nan,
        f_statistic=np.nan,
        degrees_of_freedom=np.nan,
        class_upper=upper,
        class_pairs=np.zeros(len(upper), dtype=np.int64),
        moran_x=missing,
        moran_y=missing,
        reason=f"constant_{role}",
    )
