"""Dutilleul's modified t-test: r between two maps, neighbours taken into account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from geosoil.correlation.map_pair import ONE_AT_A_TIME, places_of
from geosoil.errors import InputError, MissingCRSError

MOST_POINTS = 50_000
"""Points up to which all pairs are visited: their number grows with the square."""

FEWEST_POINTS = 4

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
    coordinates: npt.ArrayLike | gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    n_classes: int | Literal["sturges"] = 13,
) -> DutilleulTest:
    """Test a correlation over space with an effective number of points.

    Parameters
    ----------
    x, y : array, shape (n,)
        Values at the points; pairs with a missing one are left out. Of maps, hand on
        the cells: ``x.to_numpy().ravel()``.
    coordinates : array, shape (n, 2), or GeoDataFrame or GeoSeries of n points
        x and y in a metric projection; longitude and latitude only as points with a
        geographic CRS, whose distances go straight through the sphere [m].
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
        If the lengths differ, a place is missing, fewer than 4 or more than 50 000
        pairs are valid, all points coincide, or n_classes cannot be.

    Notes
    -----
    Moran's I of each class of distance, with variances of divisor n, makes the
    correlation matrices Sx and Sy of the points: 1 on the diagonal, I_k for pairs of
    class k. With B = 1 - 11'/n,
    n_effective = 1 + tr(B Sx) tr(B Sy) / tr(B Sx B Sy). The traces are sums over the
    pairs, so that no matrix is stored. Points that coincide belong to the first class.

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
    upper = _class_bounds(places, n_classes)
    constant = [values.min() == values.max() for values in (first, second)]
    if any(constant):
        return _unanswered(len(first), upper, "xy"[constant.index(True)])
    z = np.stack([_standard(first), _standard(second)])
    count, sum_x, sum_y = _class_sums(places, z, upper)
    card = count.sum(axis=0)
    share = np.divide(1.0, card, out=np.zeros_like(card), where=card > 0)
    moran_x, moran_y = (z[0] @ sum_x) * share, (z[1] @ sum_y) * share
    r = min(1.0, max(-1.0, float(np.mean(z[0] * z[1]))))
    n_effective = _effective(count, card, moran_x, moran_y)
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
        class_pairs=(card / 2).astype(np.int64),
        moran_x=moran_x,
        moran_y=moran_y,
        reason="" if answerable else "few_effective",
    )


def _effective(
    count: FloatArray, card: FloatArray, moran_x: FloatArray, moran_y: FloatArray
) -> float:
    """Return 1 + tr(B Sx) tr(B Sy) / tr(B Sx B Sy) from sums over the classes."""
    n = len(count)
    rows_x, rows_y = 1 + count @ moran_x, 1 + count @ moran_y
    total_x, total_y = rows_x.sum(), rows_y.sum()
    both = n + np.sum(card * moran_x * moran_y)
    crossed = both - 2 / n * np.sum(rows_x * rows_y) + total_x * total_y / n**2
    return float(1 + (n - total_x / n) * (n - total_y / n) / crossed)


def _standard(values: FloatArray) -> FloatArray:
    """Return departures from the mean in standard deviations (divisor n)."""
    departures = values - values.mean()
    return np.asarray(departures / np.sqrt(np.mean(departures**2)))


def _class_sums(
    places: FloatArray, z: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Call the compiled kernel, loaded with the first use."""
    from geosoil.correlation import _kernels_local as kernels  # noqa: PLC0415  numba

    with ONE_AT_A_TIME:
        return kernels.class_sums(places.T.copy(), z, upper)


def _class_bounds(places: FloatArray, n_classes: int | str) -> FloatArray:
    """Return the upper bounds of classes of equal width."""
    from geosoil.correlation import _kernels_local as kernels  # noqa: PLC0415  numba

    with ONE_AT_A_TIME:
        longest = float(kernels.greatest_distance(places.T.copy()))
    if longest == 0:
        message = (
            f"All {len(places)} points lie on one place, so there are no distances. "
            "Give the coordinates of each point."
        )
        raise InputError(message)
    n = len(places)
    sturges = int(1.5 + 3.3 * np.log10(n * (n - 1) / 2))
    number = sturges if n_classes == "sturges" else int(n_classes)
    bounds = longest * np.arange(1, number + 1) / number
    bounds[-1] = longest
    return np.asarray(bounds)


def _valid(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    coordinates: Any,  # noqa: ANN401
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return values and places of the valid pairs; raise on what cannot be."""
    first = np.asarray(x, dtype=np.float64)
    second = np.asarray(y, dtype=np.float64)
    places = _places(coordinates)
    if first.ndim != 1 or first.shape != second.shape or len(first) != len(places):
        message = (
            f"x, y and coordinates are of the shapes {first.shape}, {second.shape} and "
            f"{places.shape[:1]}. Give one value of each at every point."
        )
        raise InputError(message)
    valid = np.isfinite(first) & np.isfinite(second)
    lost = int(np.count_nonzero(valid & ~np.isfinite(places).all(axis=1)))
    n = int(valid.sum())
    faults = []
    if lost:
        faults.append(f"{lost} of the valid pairs have no place")
    if n < FEWEST_POINTS:
        faults.append(f"{n} valid pairs, at least {FEWEST_POINTS} are needed")
    if n > MOST_POINTS:
        faults.append(
            f"{n} valid pairs have {n * (n - 1) / 2:.1e} distances, more than is "
            f"sensible; thin them to {MOST_POINTS} or fewer, for instance the rows and "
            f"columns of a map in steps of {int(np.ceil(np.sqrt(n / MOST_POINTS)))}"
        )
    if faults:
        message = f"Cannot make Dutilleul's test: {'; '.join(faults)}."
        raise InputError(message)
    return first[valid], second[valid], places[valid]


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
