"""Ellipses of uncertainty of points in a plane of two tracers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from scipy import stats

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]
Spread = Literal["samples", "mean"]

ONE_SD = float(1.0 - np.exp(-0.5))
"""Confidence of the ellipse whose shadow on each axis is plus and minus one sd."""


class EllipseShape(NamedTuple):
    """Size and turn of an ellipse."""

    major: float
    """Long half axis."""
    minor: float
    """Short half axis."""
    angle: float
    """Turn of the long axis from the first tracer [degree], above -90 to 90."""


def confidence_radius(confidence: float, *, n_units: float | None = None) -> float:
    """Return how many standard deviations an ellipse reaches along its axes.

    Parameters
    ----------
    confidence : float
        Probability inside, above 0 and below 1.
    n_units : float, optional
        Independent units, such as sites, that the covariance was found from; None
        takes the covariance as known. It must be above 2.

    Returns
    -------
    radius : float
        Mahalanobis distance of the ellipse from its centre.

    Raises
    ------
    InputError
        If the confidence lies outside 0 to 1 or there are too few units.

    Notes
    -----
    The square root of the chi-squared quantile with 2 degrees of freedom, which is
    -2 ln(1 - p); with C units of Hotelling's 2 (C - 1) / (C - 2) F(2, C - 2).

    References
    ----------
    Hotelling (1931), Annals of Mathematical Statistics 2, 360-378,
    doi:10.1214/aoms/1177732979.

    Examples
    --------
    >>> round(confidence_radius(0.95), 4), round(confidence_radius(ONE_SD), 4)
    (2.4477, 1.0)
    """
    if not 0.0 < confidence < 1.0:
        message = f"Invalid confidence {confidence:g}: it is above 0 and below 1."
        raise InputError(message)
    if n_units is None:
        return float(np.sqrt(-2.0 * np.log1p(-confidence)))
    if not n_units > 2:
        message = f"{n_units:g} units give no ellipse of their mean; take 3 or more."
        raise InputError(message)
    quantile = float(stats.f.ppf(confidence, 2, n_units - 2))
    return float(np.sqrt(2.0 * (n_units - 1.0) / (n_units - 2.0) * quantile))


def ellipse_shape(covariance: npt.ArrayLike, *, radius: float = 1.0) -> EllipseShape:
    """Return the half axes and the turn of an ellipse of equal probability.

    Parameters
    ----------
    covariance : array, shape (2, 2)
        Covariance of the two tracers.
    radius : float
        Mahalanobis distance, see `confidence_radius`.

    Returns
    -------
    shape : EllipseShape
        In units of the tracers.

    Raises
    ------
    InputError
        If it is no covariance.

    Notes
    -----
    Half axes are the square roots of the eigenvalues times the radius; the turn is
    that of the first eigenvector.

    Examples
    --------
    >>> ellipse_shape([[4.0, 0.0], [0.0, 1.0]], radius=2.0)
    EllipseShape(major=4.0, minor=2.0, angle=0.0)
    """
    matrix = np.asarray(covariance, dtype=float)
    fits = matrix.shape == (2, 2) and bool(np.isfinite(matrix).all())
    if not fits or abs(matrix[0, 1] - matrix[1, 0]) > 1e-9 * np.abs(matrix).max():
        message = f"{matrix.tolist()} is no covariance of two tracers."
        raise InputError(message)
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-9 * max(values[1], 0.0) or values[1] < 0:
        message = (
            f"{matrix.tolist()} is no covariance: a spread is negative or the "
            "covariance too large for the spreads."
        )
        raise InputError(message)
    minor, major = radius * np.sqrt(np.clip(values, 0.0, None))
    x, y = vectors[:, 1]
    if x < 0 or (x == 0 and y < 0):
        x, y = -x, -y
    angle = float(np.degrees(np.arctan2(y, x))) + 0.0
    # -90 and 90 degrees are one axis; rounding must not choose the excluded one.
    angle = 90.0 if angle <= -90.0 else angle
    return EllipseShape(float(major), float(minor), angle)


def draw_ellipse(
    axes: Axes,
    mean: tuple[float, float],
    covariance: npt.ArrayLike,
    *,
    confidence: float = 0.95,
    n_units: float | None = None,
    style: Mapping[str, Any] | None = None,
) -> Ellipse:
    """Draw an ellipse of uncertainty around a point.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.
    mean : tuple = (x, y)
        The point, in the tracers' units.
    covariance : array, shape (2, 2)
        Covariance of the point; of single samples for an ellipse of samples.
    confidence : float
        Probability inside.
    n_units : float, optional
        Units that the covariance was found from, see `confidence_radius`.
    style : mapping, optional
        Settings of the patch, such as ``{"edgecolor": "k"}``.

    Returns
    -------
    ellipse : matplotlib.patches.Ellipse
        The patch, in the units of the axes.

    Raises
    ------
    InputError
        If the confidence or the covariance is none.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> covariance = [[0.25, 0.0], [0.0, 1.0]]
    >>> patch = draw_ellipse(Figure().subplots(), (-12.0, 6.0), covariance)
    >>> round(patch.width, 2), round(patch.height, 2), round(patch.angle)
    (4.9, 2.45, 90)
    """
    radius = confidence_radius(confidence, n_units=n_units)
    shape = ellipse_shape(covariance, radius=radius)
    look = {"facecolor": "none", "linewidth": 0.8, "zorder": 2.5, **(style or {})}
    ellipse = Ellipse(
        mean, 2.0 * shape.major, 2.0 * shape.minor, angle=shape.angle, **look
    )
    axes.add_patch(ellipse)
    return ellipse


def d_excess_covariance(
    d18O_variance: float, d2H_variance: float, covariance: float
) -> FloatArray:
    """Turn a covariance of d18O and d2H into one of d18O and d-excess.

    Parameters
    ----------
    d18O_variance, d2H_variance, covariance : float
        Variances and covariance of d18O and d2H [permil squared].

    Returns
    -------
    covariance : array, shape (2, 2)
        Of (d18O, d_excess).

    Notes
    -----
    d = y - 8 x is linear, hence exact: Var(d) = Var(y) + 64 Var(x) - 16 Cov(x, y) and
    Cov(x, d) = Cov(x, y) - 8 Var(x).

    Examples
    --------
    >>> d_excess_covariance(1.0, 64.0, 8.0).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    turn = np.array([[1.0, 0.0], [-8.0, 1.0]])
    matrix = np.array([[d18O_variance, covariance], [covariance, d2H_variance]])
    return np.asarray(turn @ matrix @ turn.T, dtype=float)


def row_covariance(row: Mapping[Hashable, Any], spread: Spread) -> FloatArray | None:
    """Read the covariance of d18O and d-excess from a row of a table.

    Parameters
    ----------
    row : mapping
        A row. Spread of samples: ``d18O_sd``, ``d2H_sd`` and ``d18O_d2H_cov``. Error
        of the mean: ``d18O_se``, ``d2H_se`` and ``d18O_d2H_se_cov``. In place of the
        covariance ``d_excess_sd`` or ``d_excess_se`` will do, which fixes it.
    spread : {"samples", "mean"}
        Which of the two.

    Returns
    -------
    covariance : array, shape (2, 2), or None
        None where the row does not tell it, or tells numbers that make no covariance.

    Notes
    -----
    Cov(x, y) = (Var(y) + 64 Var(x) - Var(d)) / 16.

    Examples
    --------
    >>> row = {"d18O_se": 1.0, "d2H_se": 8.0, "d_excess_se": 0.0}
    >>> row_covariance(row, "mean").tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    >>> row_covariance(row, "samples") is None
    True
    """
    tail, cross = ("sd", "cov") if spread == "samples" else ("se", "se_cov")
    x, y = _number(row, f"d18O_{tail}"), _number(row, f"d2H_{tail}")
    covariance = _number(row, f"d18O_d2H_{cross}")
    if np.isnan(covariance):
        excess = _number(row, f"d_excess_{tail}")
        covariance = (y**2 + 64.0 * x**2 - excess**2) / 16.0
    matrix = d_excess_covariance(x**2, y**2, covariance)
    if not np.isfinite(matrix).all():
        return None
    lowest, highest = np.linalg.eigvalsh(matrix)
    return matrix if lowest > -1e-6 * highest and highest > 0 else None


def mean_covariance(row: Mapping[Hashable, Any]) -> FloatArray | None:
    """Read the covariance of an end member's mean from its row.

    Parameters
    ----------
    row : mapping
        A row of a table of end members: either errors of the mean, see
        `row_covariance`, or the spread of samples with ``n_effective`` or ``n``.

    Returns
    -------
    covariance : array, shape (2, 2), or None
        None where the row does not tell it.

    Notes
    -----
    Covariance of samples over their number.

    Examples
    --------
    >>> row = {"d18O_sd": 2.0, "d2H_sd": 16.0, "d18O_d2H_cov": 32.0, "n": 16}
    >>> mean_covariance(row)[0, 0]
    np.float64(0.25)
    """
    told = row_covariance(row, "mean")
    if told is not None:
        return told
    samples = row_covariance(row, "samples")
    n = _number(row, "n_effective")
    n = _number(row, "n") if np.isnan(n) else n
    return samples / n if samples is not None and n > 0 else None


def row_units(row: Mapping[Hashable, Any]) -> float | None:
    """Return the number of independent units behind a row's covariance.

    Parameters
    ----------
    row : mapping
        A row of a table, with ``n_sites``, ``n_effective`` or ``n``.

    Returns
    -------
    n_units : float or None
        The first of them that the row tells; None where it tells none.

    Examples
    --------
    >>> row_units({"n": 226, "n_sites": 79}), row_units({"d18O": -12.0})
    (79.0, None)
    """
    for column in ("n_sites", "n_effective", "n"):
        value = _number(row, column)
        if np.isfinite(value):
            return value
    return None


def _number(row: Mapping[Hashable, Any], column: str) -> float:
    value = row.get(column)
    return np.nan if value is None else float(value)
