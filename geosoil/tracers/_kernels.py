"""Line fits, their resampling and line crossings on plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

ROUNDS = 200
"""Most iterations of the York fit; it settles in about ten."""

SETTLED = 1e-9
"""Relative change of York's slope above which the last iteration did not settle."""

TWO_SIDED_95 = 1.959963984540054
"""Normal quantile of a two-sided interval of 95 %."""

CHUNK = 4_000_000
"""Most drawn units held in memory at a time."""


class Moments(NamedTuple):
    """Weighted means and mean squares of two variables about their means."""

    x: float
    y: float
    xx: float
    yy: float
    xy: float


class Line(NamedTuple):
    """Coefficients of a straight line with their variances."""

    slope: float
    intercept: float
    slope_variance: float
    intercept_variance: float
    covariance: float
    r_squared: float
    rmse: float


def moments(x: FloatArray, y: FloatArray, weight: FloatArray) -> Moments:
    """Weighted moments; ``weight`` sums to one."""
    x_mean, y_mean = float(weight @ x), float(weight @ y)
    dx, dy = x - x_mean, y - y_mean
    return Moments(
        x_mean,
        y_mean,
        float(weight @ (dx * dx)),
        float(weight @ (dy * dy)),
        float(weight @ (dx * dy)),
    )


def line_slope(m: Moments, family: str) -> float:
    """Slope by ordinary ("ols"), reduced major ("rma") or major ("ma") axis."""
    return float(slopes(np.array(m.xx), np.array(m.yy), np.array(m.xy), family))


def slopes(xx: FloatArray, yy: FloatArray, xy: FloatArray, family: str) -> FloatArray:
    """Slopes from arrays of mean squares and products about the means."""
    if family == "ols":
        return xy / xx
    if family == "rma":
        return np.sign(xy) * np.sqrt(yy / xx)
    difference = yy - xx
    return (difference + np.hypot(difference, 2.0 * xy)) / (2.0 * xy)


def r_squared(m: Moments) -> float:
    """Squared correlation; NaN where y is constant but for rounding."""
    return m.xy**2 / (m.xx * m.yy) if m.yy > 1e-28 * m.y**2 else float("nan")


def fit_line(x: FloatArray, y: FloatArray, weight: FloatArray, family: str) -> Line:
    """Fit y = slope x + intercept; variances from the residuals about the line."""
    n = x.size
    m = moments(x, y, weight)
    slope = line_slope(m, family)
    intercept = m.y - slope * m.x
    residual = y - slope * x - intercept
    variance = n * float(weight @ (residual * residual)) / (n - 2)
    slope_variance = variance / (n * m.xx)
    return Line(
        slope,
        intercept,
        slope_variance,
        slope_variance * float(weight @ (x * x)),
        -m.x * slope_variance,
        r_squared(m),
        float(np.sqrt(variance)),
    )


def york_line(
    x: FloatArray,
    y: FloatArray,
    precision: tuple[FloatArray, FloatArray],
    correlation: FloatArray,
) -> Line:
    """Fit a line with errors in both variables; NaN slope where it did not settle.

    ``precision`` holds the inverse variances of x and y, ``correlation`` that of
    the two errors of each row.
    """
    x_weight, y_weight = precision
    n = x.size
    root = np.sqrt(x_weight * y_weight)
    m = moments(x, y, np.full(n, 1.0 / n))
    slope = line_slope(m, "ols")
    for _ in range(ROUNDS):
        weight = root**2 / (
            x_weight + slope**2 * y_weight - 2.0 * slope * correlation * root
        )
        x_mean, y_mean = np.average(x, weights=weight), np.average(y, weights=weight)
        dx, dy = x - x_mean, y - y_mean
        shift = weight * (
            dx / y_weight
            + slope * dy / x_weight
            - (slope * dx + dy) * correlation / root
        )
        last, slope = slope, float((weight * shift) @ dy / ((weight * shift) @ dx))
        if abs(slope - last) <= 1e-14 * abs(slope):
            break
    if not abs(slope - last) <= SETTLED * abs(slope):
        slope = float("nan")
    intercept = float(y_mean - slope * x_mean)
    adjusted = x_mean + shift
    centre = float(np.average(adjusted, weights=weight))
    slope_variance = 1.0 / float(weight @ (adjusted - centre) ** 2)
    residual = y - slope * x - intercept
    return Line(
        slope,
        intercept,
        slope_variance,
        1.0 / float(weight.sum()) + centre**2 * slope_variance,
        -centre * slope_variance,
        r_squared(m),
        float(np.sqrt(residual @ residual / (n - 2))),
    )


def theil_sen_line(x: FloatArray, y: FloatArray) -> Line:
    """Median of the slopes of all pairs; errors of the intercept stay unknown."""
    n = x.size
    pairs = _pair_slopes(x, y)
    variance = (_tie_term(np.array([n])) - _ties(x) - _ties(y)) / 18.0
    spread = float(np.sqrt(max(variance, 0.0)))
    half = TWO_SIDED_95 * spread
    upper = min(round((pairs.size + half) / 2.0), pairs.size - 1)
    lower = max(round((pairs.size - half) / 2.0) - 1, 0)
    slope = float(np.median(pairs))
    low, high = np.partition(pairs, [lower, upper])[[lower, upper]]
    intercept = float(np.median(y) - slope * np.median(x))
    m = moments(x, y, np.full(n, 1.0 / n))
    residual = y - slope * x - intercept
    return Line(
        slope,
        intercept,
        float((high - low) / (2.0 * TWO_SIDED_95)) ** 2 if variance > 0 else np.nan,
        np.nan,
        np.nan,
        r_squared(m),
        float(np.sqrt(residual @ residual / (n - 2))),
    )


def _pair_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Slopes of all pairs of points whose x differ."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    found = np.empty(x.size * (x.size - 1) // 2)
    start = 0
    for step in range(1, x.size):
        rise, run = y[step:] - y[:-step], x[step:] - x[:-step]
        slope = rise[run > 0] / run[run > 0]
        found[start : start + slope.size] = slope
        start += slope.size
    return found[:start]


def _ties(values: FloatArray) -> float:
    return _tie_term(np.unique(values, return_counts=True)[1])


def _tie_term(counts: IntArray) -> float:
    return float((counts * (counts - 1) * (2 * counts + 5)).sum())


def unit_sums(
    x: FloatArray, y: FloatArray, weight: FloatArray, unit: IntArray
) -> FloatArray:
    """Weighted sums 1, x, y, xx, yy, xy of each unit of rows, shape (units, 6)."""
    terms = (np.ones_like(x), x, y, x * x, y * y, x * y)
    return np.stack(
        [np.bincount(unit, weights=weight * term) for term in terms], axis=1
    )


def resampled_lines(
    sums: FloatArray, family: str, n_draws: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Slopes and intercepts of lines through units drawn with replacement.

    ``sums`` comes from `unit_sums`, of values about a nearby origin; a draw through
    which there is no line gives NaN.
    """
    size = sums.shape[0]
    total = np.empty((n_draws, sums.shape[1]))
    step = max(1, CHUNK // size)
    for start in range(0, n_draws, step):
        rows = min(step, n_draws - start)
        drawn = rng.integers(0, size, (rows, size))
        drawn += size * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(drawn.ravel(), minlength=rows * size)
        total[start : start + rows] = counts.reshape(rows, size) @ sums
    mean = total[:, 1:] / total[:, :1]
    x, y = mean[:, 0], mean[:, 1]
    xx, yy, xy = mean[:, 2] - x * x, mean[:, 3] - y * y, mean[:, 4] - x * y
    scale = sums[:, 3].sum() / sums[:, 0].sum()
    known = (xx > 1e-12 * scale) & ((family == "ols") | (np.abs(xy) > 1e-14 * scale))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(known, slopes(xx, np.maximum(yy, 0.0), xy, family), np.nan)
    return slope, y - slope * x


def crossings(
    difference: tuple[FloatArray, FloatArray], slope_sign: float, centre: float
) -> FloatArray:
    """Crossings of drawn lines; infinite where the slopes differ the other way.

    ``difference`` is (slope, intercept) of line two minus line one, ``centre`` the x
    where their distance is best known. A draw whose slopes differ with the other sign
    crosses beyond infinity, on the side to which the lines first drew near.
    """
    slope, intercept = difference
    distance = intercept + slope * centre
    with np.errstate(divide="ignore", invalid="ignore"):
        x = centre - distance / slope
    beyond = slope * slope_sign <= 0
    return np.where(beyond, np.copysign(np.inf, -slope_sign * distance), x)


def fieller_bounds(
    difference: tuple[float, float], variance: tuple[float, float, float], t: float
) -> tuple[float, float]:
    """Bounds of x where two lines may cross, or infinities where there are none.

    ``difference`` is (slope, intercept) of line two minus line one; ``variance``
    is (slope, intercept, covariance) summed over both lines.
    """
    slope, intercept = difference
    square = slope**2 - t**2 * variance[0]
    if square <= 0:
        return -np.inf, np.inf
    half = slope * intercept - t**2 * variance[2]
    constant = intercept**2 - t**2 * variance[1]
    root = float(np.sqrt(max(half**2 - square * constant, 0.0)))
    return (-half - root) / square, (-half + root) / square
