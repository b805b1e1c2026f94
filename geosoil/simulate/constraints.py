"""Published group statistics as equations on simulated deltas, with gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.simulate.targets import STRATA, PeriodTargets

FloatArray = npt.NDArray[np.float64]

_WEIGHTS = {"d18O": 3.0, "d2H": 1.0, "slope": 4.0, "r_squared": 6.0, "intercept": 1.0}
"""How strongly a gap counts, about inverse to its tolerance."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Sample groups with the statistics published for them."""

    masks: FloatArray
    """1 where a sample belongs to the group, shape (groups, n)."""
    means: FloatArray
    """Published mean d18O and d2H, NaN where none, shape (groups, 2)."""
    lines: FloatArray
    """Slope, intercept, R2, NaN where not held, shape (groups, 3)."""
    names: tuple[tuple[str, str], ...]
    """(stratum, label) of each group."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Weighted gaps of the groups to their targets, and how they change."""

    gap: FloatArray
    """Weighted gaps, shape (constraints,)."""
    by_d18O: FloatArray
    """Derivative by each sample's d18O, shape (constraints, n)."""
    by_d2H: FloatArray
    """Derivative by each sample's d2H, shape (constraints, n)."""


def published_groups(layers: pd.DataFrame, targets: PeriodTargets) -> Groups:
    """Collect a period's groups of samples and what is published for them.

    Parameters
    ----------
    layers : DataFrame
        One row a sample with the strata's labels.
    targets : PeriodTargets
        Published means and lines.

    Returns
    -------
    groups : Groups
        All samples first, then every label of every stratum.

    Notes
    -----
    An intercept is held for elevation bands alone: of the other groups the mean is
    published, and mean and slope fix the line.

    Examples
    --------
    >>> from geosoil.simulate.targets import read_targets
    >>> from geosoil.simulate.water_settings import WaterSettings
    >>> layers = pd.DataFrame({"elevation_band": ["3000-3500"], "aspect": ["N"],
    ...     "vegetation": ["meadow"], "soil_layer": ["0-20"]})
    >>> june = read_targets(WaterSettings())["June"]
    >>> published_groups(layers, june).masks.shape
    (16, 1)
    """
    nothing = (np.nan, np.nan)
    names = [("all", "all")]
    masks: list[FloatArray] = [np.ones(len(layers))]
    means, lines = [targets.mean], [(np.nan, np.nan, np.nan)]
    for kind, labels in STRATA.items():
        for label in labels:
            line = targets.lines.get((kind, label))
            names.append((kind, label))
            masks.append((layers[kind] == label).to_numpy().astype(np.float64))
            means.append(targets.group_means.get((kind, label), nothing))
            lines.append(
                (np.nan, np.nan, np.nan)
                if line is None
                else (
                    line.slope,
                    line.intercept if kind == "elevation_band" else np.nan,
                    line.r_squared,
                )
            )
    return Groups(np.array(masks), np.array(means), np.array(lines), tuple(names))


def group_statistics(d18O: FloatArray, d2H: FloatArray, groups: Groups) -> FloatArray:
    """Return mean d18O, mean d2H, slope, intercept and R2 of every group.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Deltas of the samples [permil].
    groups : Groups
        Which sample belongs where.

    Returns
    -------
    statistics : array, shape (groups, 5)
        NaN for a group without samples.

    Examples
    --------
    >>> all_samples = Groups(np.ones((1, 3)), np.ones((1, 2)), np.ones((1, 3)), ())
    >>> line = np.array([-14.0, -12.0, -10.0])
    >>> group_statistics(line, 8.0 * line + 10.0, all_samples).round(6).tolist()
    [[-12.0, -86.0, 8.0, 10.0, 1.0]]
    """
    rows = [
        _statistics(d18O[mask > 0.0], d2H[mask > 0.0]) if mask.any() else [np.nan] * 5
        for mask in groups.masks
    ]
    return np.array(rows)


def _statistics(d18O: FloatArray, d2H: FloatArray) -> list[float]:
    covariance = np.cov(d18O, d2H)
    slope = covariance[0, 1] / covariance[0, 0]
    r_squared = slope * covariance[0, 1] / covariance[1, 1]
    intercept = d2H.mean() - slope * d18O.mean()
    return [d18O.mean(), d2H.mean(), slope, intercept, r_squared]


def gaps(d18O: FloatArray, d2H: FloatArray, groups: Groups) -> Moments:
    """Return the weighted gaps to the published statistics and their gradients.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Deltas of the samples [permil].
    groups : Groups
        Groups and their targets.

    Returns
    -------
    moments : Moments
        One row for each statistic that is published.

    Notes
    -----
    With p = S_xy, q = S_xx, r = S_yy of a group of n samples and dx_i = (x_i - x)/n,
    dy_i likewise: slope a = p/q has da/dx_i = dy_i/q - 2 a dx_i/q, da/dy_i = dx_i/q;
    R2 = p^2/(q r) has dR2/dx_i = 2 R2 (dy_i/p - dx_i/q), dR2/dy_i = 2 R2 (dx_i/p -
    dy_i/r). The intercept row holds the mean on the published line.

    Examples
    --------
    >>> groups = Groups(np.ones((1, 3)), np.array([[-12.0, -86.0]]),
    ...                 np.array([[8.0, np.nan, 1.0]]), (("all", "all"),))
    >>> line = np.array([-14.0, -12.0, -10.0])
    >>> bool(np.allclose(gaps(line, 8.0 * line + 10.0, groups).gap, 0.0))
    True
    """
    share = groups.masks / np.maximum(groups.masks.sum(axis=1, keepdims=True), 1.0)
    x, y = share @ d18O, share @ d2H
    dx, dy = share * (d18O - x[:, None]), share * (d2H - y[:, None])
    q, p, r = dx @ d18O, dx @ d2H, dy @ d2H
    q, p, r = (np.where(v == 0.0, 1.0, v)[:, None] for v in (q, p, r))
    slope, nothing = p / q, np.zeros_like(share)
    r_squared = slope * p / r
    known_slope, known_intercept, known_r_squared = groups.lines.T
    rows = [
        ("d18O", x - groups.means[:, 0], share, nothing),
        ("d2H", y - groups.means[:, 1], nothing, share),
        (
            "slope",
            slope[:, 0] - known_slope,
            dy / q - 2.0 * slope * dx / q,
            dx / q,
        ),
        (
            "r_squared",
            r_squared[:, 0] - known_r_squared,
            2.0 * r_squared * (dy / p - dx / q),
            2.0 * r_squared * (dx / p - dy / r),
        ),
        (
            "intercept",
            y - known_slope * x - known_intercept,
            -known_slope[:, None] * share,
            share,
        ),
    ]
    return _published_rows(rows, groups)


def _published_rows(
    rows: list[tuple[str, FloatArray, FloatArray, FloatArray]], groups: Groups
) -> Moments:
    """Stack the rows whose target is published, weighted."""
    filled = groups.masks.any(axis=1)
    gap, by_d18O, by_d2H = [], [], []
    for name, value, gradient_d18O, gradient_d2H in rows:
        known = np.isfinite(value) & filled
        weight = _WEIGHTS[name]
        gap.append(weight * value[known])
        by_d18O.append(weight * gradient_d18O[known])
        by_d2H.append(weight * gradient_d2H[known])
    return Moments(np.concatenate(gap), np.vstack(by_d18O), np.vstack(by_d2H))
