"""Source water of evaporated samples: the exact posterior by two-dimensional sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from geosoil.errors import InputError
from geosoil.tracers.evaporation import source_water
from geosoil.tracers.source_draws import Projection

FloatArray = npt.NDArray[np.float64]

NODES = 7
"""Gauss-Hermite nodes across the error of d18O."""

STEPS = 201
"""Steps along the evaporation shift."""

DEPTH = 25.0
"""Fall of the log posterior beyond which the shift is not followed."""

AT_END = 0.1
"""Probability next to the prior's end above which a row is called cut off."""

ROWS = 32
"""Samples solved at once: few enough for the processor's cache."""


NAMES = (
    *("d18O", "d18O_sd", "d18O_lower", "d18O_upper"),
    *("d2H", "d2H_sd", "d2H_lower", "d2H_upper"),
    *("shift", "shift_sd", "shift_lower", "shift_upper"),
    *("slope", "slope_sd"),
)
"""Columns of the posterior."""


@dataclass(frozen=True, slots=True)
class SourcePrior:
    """What is known of the shift and of the source before the sample is seen.

    Raises
    ------
    InputError
        If a law is unknown or its numbers make no law.

    Examples
    --------
    >>> SourcePrior("gamma", 2.0, 0.5).bounds()[0]
    0.0
    """

    shift: Literal["uniform", "gamma"] = "uniform"
    """Law of the evaporation shift in d18O."""
    first: float = 0.0
    """Lower end of the uniform law [permil], or shape of the gamma law."""
    second: float = 15.0
    """Upper end of the uniform law [permil], or rate of the gamma law."""
    d18O: float | None = None
    """Mean of the source's d18O [permil]; flat if not given."""
    d18O_sd: float | None = None
    """Standard deviation of the source's d18O [permil]."""
    water: Literal["single", "mean"] = "single"
    """Whether the source scatters about the line like a single sample or is a mean
    of many and as certain as the line itself."""

    def __post_init__(self) -> None:
        """Check the laws."""
        faults = []
        if self.shift not in ("uniform", "gamma"):
            faults.append("shift is uniform or gamma")
        if self.shift == "uniform" and not 0 <= self.first < self.second < np.inf:
            faults.append("a uniform shift has ends 0 <= first < second")
        if self.shift == "gamma" and not (self.first >= 1 and self.second > 0):
            faults.append("a gamma shift has a shape of 1 or more and a rate above 0")
        if (self.d18O is None) != (self.d18O_sd is None):
            faults.append("give d18O and d18O_sd together")
        if self.d18O_sd is not None and not self.d18O_sd > 0:
            faults.append("d18O_sd is above 0")
        if self.water not in ("single", "mean"):
            faults.append("water is single or mean")
        if faults:
            message = f"Invalid {self}: {'; '.join(faults)}."
            raise InputError(message)

    def bounds(self) -> tuple[float, float]:
        """Return the ends of the shift.

        Returns
        -------
        bounds : tuple = (low, high)
            Ends [permil]; all but 1e-9 of a gamma law.

        Examples
        --------
        >>> SourcePrior().bounds()
        (0.0, 15.0)
        """
        if self.shift == "uniform":
            return float(self.first), float(self.second)
        return 0.0, float(stats.gamma.isf(1e-9, self.first, scale=1 / self.second))

    def log_shift(self, shift: FloatArray) -> FloatArray:
        """Return the log density of the shift, up to a constant.

        Parameters
        ----------
        shift : array
            Shift within `bounds` [permil].

        Returns
        -------
        log_density : array
            Same shape.

        Examples
        --------
        >>> SourcePrior().log_shift(np.array([1.0, 3.0])).tolist()
        [0.0, 0.0]
        """
        if self.shift == "uniform":
            return np.zeros(shift.shape)
        positive = np.maximum(shift, 1e-12)
        log_density = (self.first - 1.0) * np.log(positive) - self.second * shift
        return np.asarray(log_density, dtype=float)


def source_posterior(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    projection: Projection,
    prior: SourcePrior | None = None,
) -> pd.DataFrame:
    """Return the posterior of source water and evaporation of every sample.

    Parameters
    ----------
    d18O, d2H : array or Series, shape (n,)
        Samples [permil].
    projection : Projection
        Fitted meteoric line, slope of evaporation, errors and confidence.
    prior : SourcePrior, optional
        By default a shift of 0 to 15 permil, all alike, and any source.

    Returns
    -------
    source : DataFrame
        Posterior means ``d18O``, ``d2H``, ``shift``, ``slope`` with ``_sd``, and but
        for the slope ``_lower`` and ``_upper``; ``reason``: "" where fine. A sample
        "above the line" is answered all the same: the source scatters about the line
        and the shift is small. The index of a Series is kept.

    Raises
    ------
    InputError
        If the errors of the line are unknown.

    Notes
    -----
    With source (x0, y0), shift E and slope S: y0 ~ N(a x0 + b, rmse^2 (c + (x0 -
    xm)^2 / SSx)), c = 1 + 1 / n for a single water and 1 / n for a mean; S ~ N; the
    sample ~ N2(x0 + E, y0 + S E). y0 and S integrate out in closed form; the error
    of d18O by adaptive Gauss-Hermite nodes; E over a grid that follows each sample's
    posterior. No Markov chain is needed.

    References
    ----------
    Bowen et al. (2018), Oecologia 187, 927-940, doi:10.1007/s00442-018-4192-5.

    Examples
    --------
    >>> from geosoil.tracers.lines import fit_water_line
    >>> rain = np.linspace(-20.0, -5.0, 40)
    >>> wave = 3.0 * np.sin(np.arange(40.0))
    >>> lmwl = fit_water_line(rain, 8.0 * rain + 10.0 + wave)
    >>> source = source_posterior(
    ...     [-10.0], [-80.0], projection=Projection(lmwl, slope=4.0, slope_sd=0.3)
    ... )
    >>> source[["d18O", "shift"]].round(1).values.tolist()
    [[-12.6, 2.6]]
    """
    prior = SourcePrior() if prior is None else prior
    _check_line(projection)
    slope = np.broadcast_to(np.asarray(projection.slope, dtype=float), np.shape(d18O))
    exact = source_water(d18O, d2H, line=projection.line, slope=slope)
    reason = exact["reason"].to_numpy(dtype=object).copy()
    rows = np.flatnonzero(np.isin(reason, ("", "above the line")))
    columns = np.full((len(NAMES), len(exact)), np.nan)
    ended = np.zeros(len(exact), dtype=bool)
    data = _columns(d18O, d2H, projection)
    for first in range(0, rows.size, ROWS):
        part = rows[first : first + ROWS]
        columns[:, part], ended[part] = _Model(data[:, part], projection, prior).solve()
    reason[ended & (reason == "")] = "evaporation reaches the end of its prior"
    table = pd.DataFrame(dict(zip(NAMES, columns, strict=True)), index=exact.index)
    table["reason"] = reason
    return table


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Weights and conditional moments at every shift and error of d18O."""

    log_weight: FloatArray
    source: FloatArray
    d2H: FloatArray
    d2H_variance: FloatArray
    slope: FloatArray
    slope_variance: FloatArray


class _Model:
    """The posterior of some samples, each a column of the data."""

    def __init__(
        self, data: FloatArray, projection: Projection, prior: SourcePrior
    ) -> None:
        self.x, self.y, self.slope, self.slope_sd, sx, self.sy = data[:, :, None]
        self.sx = np.maximum(sx, 1e-6)
        self.line, self.prior = projection.line, prior
        self.tails = projection.tails
        self.correlation = projection.precision.correlation

    def solve(self) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Return one row a name of `NAMES`, and whether the prior cuts the shift."""
        shift = self.grid()
        nodes = self.nodes(shift)
        log_weight = special.logsumexp(nodes.log_weight, axis=-1)
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        weight[:, [0, -1]] *= 0.5
        weight /= weight.sum(axis=1, keepdims=True)
        within = np.exp(nodes.log_weight - log_weight[..., None])
        zero = np.zeros(nodes.source.shape)
        source = _collapse(within, nodes.source, zero)
        hydrogen = _collapse(within, nodes.d2H, nodes.d2H_variance)
        slope = _collapse(within, nodes.slope, nodes.slope_variance)
        rows = []
        for mean, variance in (source, hydrogen):
            rows += [*_moments(weight, mean, variance)]
            rows += [_mixture_quantile(weight, mean, variance, p) for p in self.tails]
        rows += [*_moments(weight, shift, np.zeros(shift.shape))]
        rows += [_grid_quantile(weight, shift, p) for p in self.tails]
        rows += [*_moments(weight, *slope)]
        low, high = self.prior.bounds()
        last = np.where(shift > high - 0.02 * (high - low), weight, 0.0).sum(axis=1)
        return np.array(rows), last > AT_END

    def grid(self) -> FloatArray:
        """Return shifts that follow where each posterior has weight."""
        low, high = self.prior.bounds()
        gap = self.line.slope - self.slope
        below = self.line.slope * self.x + self.line.intercept - self.y
        centre = np.clip(below / gap, low, high)
        scatter = np.sqrt(self.scatter(self.x - centre)) + self.sy
        width = (scatter + self.line.slope * self.sx + self.slope_sd * centre) / gap
        near = np.clip(centre + width * np.linspace(-6.0, 6.0, 97), low, high)
        wide = np.broadcast_to(np.linspace(low, high, 129), (near.shape[0], 129))
        coarse = np.sort(np.concatenate((near, wide), axis=1), axis=1)
        log_weight = special.logsumexp(self.nodes(coarse).log_weight, axis=-1)
        followed = log_weight > log_weight.max(axis=1, keepdims=True) - DEPTH
        first = np.maximum(followed.argmax(axis=1) - 1, 0)
        last = coarse.shape[1] - followed[:, ::-1].argmax(axis=1)
        last = np.minimum(last, coarse.shape[1] - 1)
        row = np.arange(coarse.shape[0])
        start, end = coarse[row, first], coarse[row, last]
        end = np.maximum(end, start + 1e-9)
        return np.linspace(start, end, STEPS, axis=1)

    def scatter(self, source: FloatArray) -> FloatArray:
        """Return the variance of the source's d2H about the line."""
        line = self.line
        share = 1.0 / line.n + (1.0 if self.prior.water == "single" else 0.0)
        variance = np.full(source.shape, line.rmse**2 * share)
        if line.slope_standard_error > 0:
            mean = -line.covariance / line.slope_standard_error**2
            variance += line.slope_standard_error**2 * (source - mean) ** 2
        return variance

    def nodes(self, shift: FloatArray) -> _Nodes:
        """Return weights and moments, shape (rows, shifts, nodes)."""
        tilt = self.line.slope - self.correlation * self.sy / self.sx
        own = self.sy**2 * (1.0 - self.correlation**2)
        start = self.x - shift
        left = self.y - self.line.slope * start - self.line.intercept
        left = left - self.slope * shift
        rough = self.scatter(start) + (self.slope_sd * shift) ** 2 + own
        precision = self.sx**-2 + tilt**2 / rough
        centre = -tilt * left / rough
        if self.prior.d18O is not None and self.prior.d18O_sd is not None:
            precision = precision + self.prior.d18O_sd**-2
            centre = centre + (start - self.prior.d18O) * self.prior.d18O_sd**-2
        position, log_node = _hermite()
        width = precision**-0.5
        error = (centre / precision)[..., None] + width[..., None] * position
        source = start[..., None] - error
        residual = left[..., None] + tilt[..., None] * error
        scatter = self.scatter(source)
        of_slope = ((self.slope_sd * shift) ** 2)[..., None]
        variance = scatter + of_slope + own[..., None]
        log_weight = log_node + np.log(width)[..., None] - 0.5 * np.log(variance)
        log_weight -= 0.5 * residual**2 / variance
        log_weight -= 0.5 * (error / self.sx[..., None]) ** 2
        log_weight += self.prior.log_shift(shift)[..., None]
        if self.prior.d18O is not None and self.prior.d18O_sd is not None:
            log_weight -= 0.5 * ((source - self.prior.d18O) / self.prior.d18O_sd) ** 2
        gain, pull = scatter / variance, self.slope_sd[..., None] ** 2
        lever = pull * shift[..., None] / variance
        return _Nodes(
            log_weight,
            source,
            self.line.slope * source + self.line.intercept + gain * residual,
            scatter * (1.0 - gain),
            self.slope[..., None] + lever * residual,
            pull * (1.0 - lever * shift[..., None]),
        )


def _hermite() -> tuple[FloatArray, FloatArray]:
    position, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return position, np.log(weight) + 0.5 * position**2


def _check_line(projection: Projection) -> None:
    line = projection.line
    if not (np.isfinite(line.rmse) and line.n > 0 and np.isfinite(line.covariance)):
        message = (
            f"The meteoric line ({line.method}) has no known errors, which the "
            "posterior needs. Fit it to samples, or use source_water_draws."
        )
        raise InputError(message)
    precision = projection.precision
    if np.any(np.asarray(precision.d2H) <= 0) or abs(precision.correlation) >= 1:
        message = "The posterior needs d2H errors above 0 and a correlation within 1."
        raise InputError(message)


def _columns(
    d18O: npt.ArrayLike, d2H: npt.ArrayLike, projection: Projection
) -> FloatArray:
    precision = projection.precision
    values = (
        *(d18O, d2H, projection.slope, projection.slope_sd),
        *(precision.d18O, precision.d2H),
    )
    shape = np.shape(d18O)
    return np.array(
        [np.broadcast_to(np.asarray(value, dtype=float), shape) for value in values]
    )


def _collapse(
    weight: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    centre = (weight * mean).sum(axis=-1)
    off = mean - centre[..., None]
    return centre, (weight * (variance + off**2)).sum(axis=-1)


def _moments(
    weight: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    centre = (weight * mean).sum(axis=1)
    off = mean - centre[:, None]
    return centre, np.sqrt((weight * (variance + off**2)).sum(axis=1))


def _grid_quantile(weight: FloatArray, grid: FloatArray, share: float) -> FloatArray:
    middle = np.cumsum(weight, axis=1) - 0.5 * weight
    return np.array(
        [np.interp(share, row, at) for row, at in zip(middle, grid, strict=True)]
    )


def _mixture_quantile(
    weight: FloatArray, mean: FloatArray, variance: FloatArray, share: float
) -> FloatArray:
    sd = np.sqrt(np.maximum(variance, 1e-18))
    low = (mean - 6.0 * sd).min(axis=1)
    high = (mean + 6.0 * sd).max(axis=1)
    for _ in range(32):
        middle = 0.5 * (low + high)
        below = (weight * special.ndtr((middle[:, None] - mean) / sd)).sum(axis=1)
        low = np.where(below < share, middle, low)
        high = np.where(below < share, high, middle)
    return np.asarray(0.5 * (low + high))
