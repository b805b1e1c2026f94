"""Half the squared differences between values, averaged by classes of distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

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
    in_degrees,
)
from geosoil.interpolation.geodesic import WGS84, Distance, geodesic_distances
from geosoil.interpolation.residuals import places_with_drift, residual_points

Estimator = Literal["matheron", "cressie"]
Direction = tuple[float, float]

N_BINS = 15
BLOCK = 512


@dataclass(frozen=True, slots=True)
class DistanceClasses:
    """How pairs are gathered: reach, classes, estimator, direction."""

    cutoff: float
    """Largest distance [m]."""
    n_bins: int = N_BINS
    """Number of classes of equal width, where no width is given."""
    width: float | None = None
    """Width of a class [m]; the last one ends at the cutoff."""
    estimator: Estimator = "matheron"
    """Mean square, or Cressie's robust fourth power of the mean root."""
    direction: Direction | None = None
    """Direction and tolerance [degrees clockwise from north]; None for all pairs."""
    distance: Distance = "projected"
    """How distances are taken."""

    def __post_init__(self) -> None:
        """Raise on settings that leave no class."""
        faults = []
        if not self.cutoff > 0:
            faults.append(f"cutoff {self.cutoff} (must be above 0)")
        if not self.n_bins > 0:
            faults.append(f"n_bins {self.n_bins} (must be above 0)")
        if self.width is not None and not 0 < self.width <= self.cutoff:
            faults.append(f"width {self.width} (must be above 0, at most the cutoff)")
        if self.estimator not in get_args(Estimator):
            known = " or ".join(get_args(Estimator))
            faults.append(f"estimator '{self.estimator}' (must be {known})")
        if self.direction is not None and not 0 < self.direction[1] <= 90:
            faults.append(
                f"tolerance {self.direction[1]} (must be above 0, at most 90)"
            )
        if self.distance not in get_args(Distance):
            known = " or ".join(get_args(Distance))
            faults.append(f"distance '{self.distance}' (must be {known})")
        if self.distance == "wgs84" and self.direction is not None:
            faults.append("direction (needs a plane: distance 'projected')")
        if faults:
            message = f"Invalid {', '.join(faults)}."
            raise InputError(message)

    @property
    def step(self) -> float:
        """Width of a class [m]."""
        return self.cutoff / self.n_bins if self.width is None else self.width

    @property
    def count(self) -> int:
        """Number of classes."""
        if self.width is None:
            return self.n_bins
        return int(np.ceil(self.cutoff / self.width * (1 - 1e-12)))


def empirical_variogram(  # noqa: PLR0913  the face of the room
    points: Points,
    values: npt.ArrayLike,
    *,
    cutoff: float | None = None,
    n_bins: int = N_BINS,
    width: float | None = None,
    estimator: Estimator = "matheron",
    direction: Direction | None = None,
    drift: npt.ArrayLike | None = None,
    distance: Distance = "projected",
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
        Number of classes of equal width w; class k is (k w, (k + 1) w].
    width : float, optional
        Width w of a class [m], in place of ``n_bins``.
    estimator : {"matheron", "cressie"}
        The mean square, or a robust one that single outliers move little.
    direction : (float, float), optional
        Angle [degrees clockwise from north] and tolerance to both sides: pairs along
        this line only.
    drift : array, shape (n,) or (n, k), optional
        Quantities that the values follow: the variogram is that of the residuals of
        ordinary least squares on them and a constant.
    distance : {"projected", "wgs84"}
        Whether distances are taken in the projection, or along the ellipsoid; bare
        arrays are then longitude and latitude [degrees].
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    classes : DataFrame
        ``n`` pairs, mean ``distance`` [m] and ``gamma`` of each class with pairs.

    Raises
    ------
    InputError
        If fewer than 3 places are left, a setting cannot be, or the columns of the
        drift depend on each other.

    Notes
    -----
    Matheron: gamma = sum((z_i - z_j)**2) / (2 n). Cressie: gamma =
    mean(abs(z_i - z_j)**0.5)**4 / (2 (0.457 + 0.494 / n)). The defaults are those of
    gstat.

    References
    ----------
    Cressie and Hawkins (1980), Robust estimation of the variogram, Mathematical
    Geology 12, doi:10.1007/BF01035243.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [100.0, 0.0], [300.0, 0.0]]
    >>> table = empirical_variogram(sites, [1.0, 3.0, 4.0], cutoff=300.0, n_bins=2)
    >>> table.n.tolist(), table.gamma.tolist()
    ([1, 2], [2.0, 2.5])
    """
    plane = distance != "wgs84"
    if not plane:
        points, projection = in_degrees(points), WGS84
    fitted, columns = places_with_drift(points, values, drift, projection=projection)
    reach = default_cutoff(fitted.xy, distance) if cutoff is None else cutoff
    classes = DistanceClasses(reach, n_bins, width, estimator, direction, distance)
    return distance_classes(residual_points(fitted, columns), classes)


def directional_variogram(  # noqa: PLR0913  the face of the room
    points: Points,
    values: npt.ArrayLike,
    *,
    angles: Sequence[float] = (0.0, 45.0, 90.0, 135.0),
    cutoff: float | None = None,
    n_bins: int = N_BINS,
    estimator: Estimator = "matheron",
    drift: npt.ArrayLike | None = None,
    projection: str | CRS = ALBERS,
) -> pd.DataFrame:
    """Average half the squared differences separately by direction.

    Parameters
    ----------
    points, values, cutoff, n_bins, estimator, drift, projection
        As in :func:`empirical_variogram`.
    angles : sequence of float
        Directions [degrees clockwise from north]; each takes pairs within 90 degrees
        over the number of directions to both sides.

    Returns
    -------
    classes : DataFrame
        ``n``, ``distance`` [m], ``gamma`` and ``direction`` [degrees].

    Raises
    ------
    InputError
        If there is no angle, and as in :func:`empirical_variogram`.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]]
    >>> table = directional_variogram(sites, [1.0, 3.0, 4.0], cutoff=120.0, n_bins=1)
    >>> table[["direction", "gamma"]].values.tolist()
    [[0.0, 4.5], [90.0, 2.0]]
    """
    if not len(angles):
        message = "No angles. Give one direction or more, in degrees from north."
        raise InputError(message)
    fitted, columns = places_with_drift(points, values, drift, projection=projection)
    reach = default_cutoff(fitted.xy) if cutoff is None else cutoff
    every = DistanceClasses(reach, n_bins, estimator=estimator)
    residuals = residual_points(fitted, columns)
    tables = []
    for angle in angles:
        along = replace(every, direction=(float(angle), 90.0 / len(angles)))
        tables.append(distance_classes(residuals, along).assign(direction=float(angle)))
    filled = [table for table in tables if len(table)]
    return pd.concat(filled or tables[:1], ignore_index=True)


def default_cutoff(xy: FloatArray, distance: Distance = "projected") -> float:
    """Return a third of the diagonal of the box around places.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Places [m], or longitude and latitude [degrees].
    distance : {"projected", "wgs84"}
        How distances are taken.

    Returns
    -------
    cutoff : float
        Distance [m].
    """
    if distance == "wgs84":
        return float(geodesic_distances(xy.min(axis=0), xy.max(axis=0))) / 3
    return float(np.hypot(*np.ptp(xy, axis=0))) / 3


def distance_classes(points: FittedPoints, classes: DistanceClasses) -> pd.DataFrame:
    """Sum pairs by class of distance, a block of points at a time.

    Parameters
    ----------
    points : FittedPoints
        Places with values.
    classes : DistanceClasses
        How pairs are gathered.

    Returns
    -------
    table : DataFrame
        As :func:`empirical_variogram` returns.
    """
    robust = classes.estimator == "cressie"
    sums = np.zeros((3, classes.count))
    xy, z = points.xy, points.values  # noqa: PD011  a plain array
    count = len(z)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        if classes.distance == "wgs84":
            distance = geodesic_distances(xy[rows][:, None, :], xy[start:])
        else:
            distance = cdist(xy[rows], xy[start:])
        difference = z[rows, None] - z[None, start:]
        unlike = np.sqrt(np.abs(difference)) if robust else difference**2
        once = np.arange(start, count)[None, :] > rows[:, None]
        used = once & (distance <= classes.cutoff)
        if classes.direction is not None:
            used &= _along(xy[rows], xy[start:], distance, classes.direction)
        bins = np.ceil(distance[used] / classes.step).astype(int) - 1
        bins = np.minimum(bins, classes.count - 1)
        for row, part in enumerate((None, distance[used], unlike[used])):
            sums[row] += np.bincount(bins, weights=part, minlength=classes.count)
    n, distances, unlikes = sums[:, sums[0] > 0]
    gamma = unlikes / n / 2
    if robust:
        gamma = (unlikes / n) ** 4 / (0.457 + 0.494 / n) / 2
    return pd.DataFrame({"n": n.astype(int), "distance": distances / n, "gamma": gamma})


def _along(
    first: FloatArray, second: FloatArray, distance: FloatArray, direction: Direction
) -> npt.NDArray[np.bool_]:
    """Return which pairs lie along a direction, either way, within its tolerance."""
    angle, tolerance = np.radians(direction)
    axis = np.array([np.sin(angle), np.cos(angle)])
    along = np.abs((first @ axis)[:, None] - (second @ axis)[None, :])
    # Rounding of the projections must not drop a pair on the edge of the tolerance.
    slack = 1e-12 * float(np.abs(second).max(initial=1.0))
    return np.asarray(along >= distance * np.cos(tolerance) - slack)


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
    >>> from geosoil.interpolation.base import merge_points
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
