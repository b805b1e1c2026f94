"""Source water of evaporated samples with its uncertainty, by random draws."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.delta import Precision
from geosoil.tracers.evaporation import source_water
from geosoil.tracers.lines import WaterLine

FloatArray = npt.NDArray[np.float64]

CROSSING = 0.01
"""Share of draws with an evaporation slope not below the line's that refuses a row."""

CELLS = 2_000_000
"""Draws kept in memory at once."""

DRAWN = (
    *("d18O_sd", "d18O_lower", "d18O_upper"),
    *("d2H_sd", "d2H_lower", "d2H_upper"),
    *("shift_sd", "shift_lower", "shift_upper"),
    "share_above",
)
"""What is told of the draws of every sample."""


@dataclass(frozen=True, slots=True)
class Projection:
    """How samples are projected back to the meteoric water line, with all errors.

    Raises
    ------
    InputError
        If a deviation is negative or the confidence lies outside 0 to 1.

    Examples
    --------
    >>> Projection(WaterLine.stated(7.9, 12.43), slope=3.2, slope_sd=0.4).confidence
    0.95
    """

    line: WaterLine
    """Local meteoric water line; errors that are unknown (NaN) count as 0."""
    slope: npt.ArrayLike
    """Slope of evaporation, one number or one a sample."""
    slope_sd: npt.ArrayLike = 0.0
    """Standard deviation of the slope; one climate, hence shared by all samples."""
    precision: Precision = field(default_factory=lambda: Precision(0.2, 0.5))
    """Errors of the measurements [permil]."""
    confidence: float = 0.95
    """Probability inside the intervals."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if np.any(np.asarray(self.slope_sd, dtype=float) < 0):
            message = f"Invalid slope_sd {self.slope_sd}: it is 0 or above."
            raise InputError(message)
        if not 0 < self.confidence < 1:
            message = f"Invalid confidence {self.confidence:g}: it is within 0 to 1."
            raise InputError(message)

    @property
    def tails(self) -> tuple[float, float]:
        """Probabilities below the lower and the upper end of an interval.

        Examples
        --------
        >>> line = WaterLine.stated(8.0, 10.0)
        >>> [round(tail, 3) for tail in Projection(line, slope=4.0).tails]
        [0.025, 0.975]
        """
        return (1 - self.confidence) / 2, (1 + self.confidence) / 2

    def line_covariance(self) -> FloatArray:
        """Return the covariance of the line's slope and intercept.

        Returns
        -------
        covariance : array, shape (2, 2)
            Zero where the line's errors are unknown.

        Examples
        --------
        >>> line = WaterLine.stated(8.0, 10.0)
        >>> Projection(line, slope=4.0).line_covariance().tolist()
        [[0.0, 0.0], [0.0, 0.0]]
        """
        line = self.line
        cross = line.covariance
        return np.nan_to_num(
            [
                [line.slope_standard_error**2, cross],
                [cross, line.intercept_standard_error**2],
            ]
        )


def source_water_draws(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    projection: Projection,
    rng: np.random.Generator,
    n_draws: int = 2000,
) -> pd.DataFrame:
    """Project samples back to the meteoric water line with draws of all errors.

    Parameters
    ----------
    d18O, d2H : array or Series, shape (n,)
        Samples [permil].
    projection : Projection
        Line, slope of evaporation and their errors.
    rng : Generator
        Source of randomness.
    n_draws : int
        Draws of each sample.

    Returns
    -------
    source : DataFrame
        ``d18O``, ``d2H``, ``shift``: the exact projection [permil]; for each of them
        ``_sd``, ``_lower``, ``_upper`` over the draws; ``share_above``: share of
        draws above the line, which stay uncorrected; ``reason``, "" where fine. The
        index of a Series is kept.

    Raises
    ------
    InputError
        With fewer than 100 draws.

    Notes
    -----
    Every draw takes one line (slope and intercept covary) and one evaporation slope
    for all samples, and measurement errors of each sample; then x0 = x - E,
    y0 = y - S E, E = max(0, -lc / (a - S)). A sample whose slope of evaporation lies
    at or above the line's in more than 1 % of the draws has no answer; below that
    such draws are left out.

    References
    ----------
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> projection = Projection(WaterLine.stated(7.9, 12.43), slope=4.0, slope_sd=0.3)
    >>> source = source_water_draws(
    ...     [-12.0], [-89.78], projection=projection, rng=np.random.default_rng(1)
    ... )
    >>> source[["d18O", "d18O_sd"]].round(1).values.tolist()
    [[-13.9, 0.3]]
    """
    if n_draws < 100:
        message = f"{n_draws} draws give no interval. Take 100 or more."
        raise InputError(message)
    x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    steepness = np.broadcast_to(np.asarray(projection.slope, dtype=float), x.shape)
    spread = np.broadcast_to(np.asarray(projection.slope_sd, dtype=float), x.shape)
    table = source_water(d18O, d2H, line=projection.line, slope=steepness)
    lines = _lines(projection, n_draws, rng)
    common = rng.standard_normal(n_draws)
    crossing = _crossing(projection, steepness, spread)
    doubtful = np.isin(table["reason"], ("", "above the line")) & (crossing > CROSSING)
    table.loc[doubtful, ["d18O", "d2H", "shift"]] = np.nan
    table.loc[doubtful, "reason"] = "slope of evaporation within error of the line's"
    noise = _noise(projection.precision, x.shape)
    columns = np.full((len(DRAWN), x.size), np.nan)
    rows = np.flatnonzero(np.isfinite(table["d18O"].to_numpy(float)))
    step = max(1, CELLS // n_draws)
    for first in range(0, rows.size, step):
        part = rows[first : first + step]
        errors = _measurement(noise[:, part], projection, n_draws, rng)
        slopes = steepness[part, None] + spread[part, None] * common
        drawn = _project(
            x[part, None] + errors[0], y[part, None] + errors[1], lines, slopes
        )
        columns[:, part] = _summary(*drawn, projection.tails)
    reason = table.pop("reason")
    for name, values in zip(DRAWN, columns, strict=True):
        table[name] = values
    table["reason"] = reason
    return table


def _project(
    x: FloatArray, y: FloatArray, lines: FloatArray, slopes: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    gap = lines[0] - slopes
    below = lines[0] * x + lines[1] - y
    shift = np.full(below.shape, np.nan)
    np.divide(below, gap, out=shift, where=gap > 1e-9)
    corrected = np.maximum(shift, 0.0)
    return x - corrected, y - slopes * corrected, shift


def _summary(
    d18O: FloatArray, d2H: FloatArray, shift: FloatArray, tails: tuple[float, float]
) -> FloatArray:
    valid = np.isfinite(shift)
    rows = []
    for values in (d18O, d2H, np.maximum(shift, 0.0)):
        if valid.all():
            sd, ends = values.std(axis=1), np.quantile(values, tails, axis=1)
        else:
            sd, ends = np.nanstd(values, axis=1), np.nanquantile(values, tails, axis=1)
        rows += [sd, *ends]
    count = np.maximum(valid.sum(axis=1), 1)
    return np.array([*rows, (shift < 0).sum(axis=1) / count])


def _lines(
    projection: Projection, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    mean = [projection.line.slope, projection.line.intercept]
    values, vectors = np.linalg.eigh(projection.line_covariance())
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    drawn = np.asarray(mean)[:, None] + root @ rng.standard_normal((2, n_draws))
    return np.asarray(drawn, dtype=float)


def _crossing(
    projection: Projection, slope: FloatArray, spread: FloatArray
) -> FloatArray:
    gap = projection.line.slope - slope
    error = np.hypot(spread, np.nan_to_num(projection.line.slope_standard_error))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(error > 0, gap / error, np.copysign(np.inf, gap))
    return np.asarray(stats.norm.sf(z))


def _noise(precision: Precision, shape: tuple[int, ...]) -> FloatArray:
    return np.array(
        [
            np.broadcast_to(np.asarray(sd, dtype=float), shape)
            for sd in (precision.d18O, precision.d2H)
        ]
    )


def _measurement(
    sd: FloatArray, projection: Projection, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    drawn = rng.standard_normal((2, sd.shape[1], n_draws))
    r = projection.precision.correlation
    drawn[1] = r * drawn[0] + np.sqrt(1 - r**2) * drawn[1]
    return np.asarray(drawn * sd[:, :, None])
