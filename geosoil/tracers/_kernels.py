"""Line fits and line crossings on plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ROUNDS = 200
"""Most iterations of the York fit; it settles in about ten."""


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
    if family == "ols":
        return m.xy / m.xx
    if family == "rma":
        return float(np.sign(m.xy)) * float(np.sqrt(m.yy / m.xx))
    difference = m.yy - m.xx
    return (difference + float(np.hypot(difference, 2.0 * m.xy))) / (2.0 * m.xy)


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
        m.xy**2 / (m.xx * m.yy) if m.yy > 0 else np.nan,
        float(np.sqrt(variance)),
    )


def york_line(
    x: FloatArray, y: FloatArray, x_weight: FloatArray, y_weight: FloatArray
) -> Line:
    """Fit a line with errors in both variables; weights are inverse variances."""
    n = x.size
    equal = np.full(n, 1.0 / n)
    m = moments(x, y, equal)
    slope = line_slope(m, "ols")
    for _ in range(ROUNDS):
        weight = x_weight * y_weight / (x_weight + slope**2 * y_weight)
        x_mean, y_mean = np.average(x, weights=weight), np.average(y, weights=weight)
        dx, dy = x - x_mean, y - y_mean
        shift = weight * (dx / y_weight + slope * dy / x_weight)
        last, slope = slope, float((weight * shift) @ dy / ((weight * shift) @ dx))
        if abs(slope - last) <= 1e-14 * abs(slope):
            break
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
        m.xy**2 / (m.xx * m.yy) if m.yy > 0 else np.nan,
        float(np.sqrt(residual @ residual / (n - 2))),
    )


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
