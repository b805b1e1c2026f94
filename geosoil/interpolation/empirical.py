"""Half the squared differences between values, averaged by classes of distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS
from scipy import stats
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    ALBERS,
    FittedPoints,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)

N_BINS = 15
BLOCK = 512


def empirical_variogram(
    points: Points,
    values: npt.ArrayLike,
    *,
    cutoff: float | None = None,
    n_bins: int = N_BINS,
    projection: str | CRS = ALBERS,
) -> pd.DataFrame:
    """Average half the squared differences of all pairs by classes of distance.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values; missing ones are left out, those at one place averaged.
    cutoff : float, optional
        Largest distance [m]; a third of the diagonal of the points' box by default.
    n_bins : int
        Number of classes of equal width; class k is (k w, (k + 1) w].
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    classes : DataFrame
        ``n`` pairs, mean ``distance`` [m] and ``gamma`` of each class with pairs.

    Raises
    ------
    InputError
        If fewer than 3 places are left.

    Notes
    -----
    gamma = sum((z_i - z_j)**2) / (2 n) (Matheron's estimator).

    Examples
    --------
    >>> sites = [[0.0, 0.0], [100.0, 0.0], [300.0, 0.0]]
    >>> table = empirical_variogram(sites, [1.0, 3.0, 4.0], cutoff=300.0, n_bins=2)
    >>> table.n.tolist(), table.gamma.tolist()
    ([1, 2], [2.0, 2.5])
    """
    crs = metric_crs(points, CRS.from_user_input(projection))
    fitted = enough_places(merge_points(positions(points, crs), values))
    return distance_classes(fitted, cutoff or default_cutoff(fitted.xy), n_bins)


def enough_places(points: FittedPoints) -> FittedPoints:
    """Return points that are enough for a variogram.

    Parameters
    ----------
    points : FittedPoints
        Places with values.

    Returns
    -------
    points : FittedPoints
        The same.

    Raises
    ------
    InputError
        If there are fewer than 3 places.
    """
    if len(points.values) < 3:
        message = (
            f"A variogram needs 3 places with values, found {len(points.values)} "
            f"({points.n_dropped} without a value, {points.n_merged} repeats)."
        )
        raise InputError(message)
    return points


def default_cutoff(xy: FloatArray) -> float:
    """Return a third of the diagonal of the box around places.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Places [m].

    Returns
    -------
    cutoff : float
        Distance [m].
    """
    return float(np.hypot(*np.ptp(xy, axis=0))) / 3


def distance_classes(points: FittedPoints, cutoff: float, n_bins: int) -> pd.DataFrame:
    """Sum pairs by class of distance, a block of points at a time.

    Parameters
    ----------
    points : FittedPoints
        Places with values.
    cutoff : float
        Largest distance [m].
    n_bins : int
        Number of classes.

    Returns
    -------
    classes : DataFrame
        As :func:`empirical_variogram` returns.

    Raises
    ------
    InputError
        If the cutoff or the number of classes is not above 0.
    """
    if not (cutoff > 0 and n_bins > 0):
        message = f"Invalid cutoff {cutoff} or n_bins {n_bins}. Give numbers above 0."
        raise InputError(message)
    width = cutoff / n_bins
    sums = np.zeros((3, n_bins))
    xy, z = points.xy, points.values  # noqa: PD011  a plain array
    count = len(z)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        distance = cdist(xy[rows], xy[start:])
        square = (z[rows, None] - z[None, start:]) ** 2
        once = np.arange(start, count)[None, :] > rows[:, None]
        used = once & (distance <= cutoff)
        bins = np.minimum(np.ceil(distance[used] / width).astype(int) - 1, n_bins - 1)
        for row, part in enumerate((None, distance[used], square[used])):
            sums[row] += np.bincount(bins, weights=part, minlength=n_bins)
    n, distances, squares = sums[:, sums[0] > 0]
    return pd.DataFrame(
        {"n": n.astype(int), "distance": distances / n, "gamma": squares / n / 2}
    )


def structure_p_value(points: FittedPoints, reach: float) -> float:
    """Return how likely near values are as alike as these by chance.

    Parameters
    ----------
    points : FittedPoints
        Places with values, not all equal.
    reach : float
        Distance over which the likeness may fade [m], usually the cutoff.

    Returns
    -------
    p : float
        One-sided p value of Moran's I.

    Notes
    -----
    I = n sum(w_ij z_i z_j) / (sum(w_ij) sum(z_i**2)) with weights exp(-6 h / reach),
    tested by its normal approximation. An F test of the fitted rise would not do: the
    classes share their points, and call noise structure in four cases of ten.

    References
    ----------
    Cliff and Ord (1981), Spatial Processes, Pion, section 1.5.

    Examples
    --------
    >>> x = np.arange(30.0)
    >>> points = merge_points(np.column_stack([x, x]), np.sin(x / 5))
    >>> structure_p_value(points, 10.0) < 1e-6
    True
    """
    xy, n = points.xy, len(points.xy)
    departures = points.values - points.values.mean()  # noqa: PD011  a plain array
    products = squares = 0.0
    sums = np.empty(n)
    for start in range(0, n, BLOCK):
        rows = np.arange(start, min(start + BLOCK, n))
        weights = np.exp(-6.0 * cdist(xy[rows], xy) / reach)
        weights[np.arange(len(rows)), rows] = 0.0
        products += departures[rows] @ weights @ departures
        squares += float((weights**2).sum())
        sums[rows] = weights.sum(axis=1)
    total = sums.sum()
    if total == 0:
        return 1.0
    statistic = n / total * products / (departures @ departures)
    expected = -1.0 / (n - 1)
    first, second = 2 * squares, 4 * float(sums @ sums)
    variance = (n * n * first - n * second + 3 * total**2) / ((n * n - 1) * total**2)
    spread = np.sqrt(max(variance - expected**2, np.finfo(float).tiny))
    return float(stats.norm.sf((statistic - expected) / spread))
