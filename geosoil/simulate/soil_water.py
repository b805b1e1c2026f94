"""Soil water made forward, rain to evaporation to bottle, and fitted to the paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.simulate.constraints import Groups, gaps
from geosoil.simulate.targets import PeriodTargets, read_meteoric_line
from geosoil.simulate.water_settings import MAX_EVAPORATION, WaterSettings

FloatArray = npt.NDArray[np.float64]

MEASUREMENT_SD = (0.2, 0.5)
"""Standard deviation of one measurement [permil d18O, permil d2H]."""

N_PARALLEL = 3
"""Parallel measurements of a soil layer."""

_MOST_ROUNDS, _PATIENCE = 300, 15
"""Rounds of linearisation, and rounds without a smaller gap before they end."""

_SCALES = (1.0, 0.5, 2.0)
"""How easily rain along the line, log-odds of evaporation and rain d2H may change."""


@dataclass(frozen=True, slots=True)
class PeriodSources:
    """The regional waters of one period."""

    rain: FloatArray
    """Rain as fallen, d18O and d2H, on the local meteoric water line."""
    ground_ice: FloatArray
    """Ground ice, d18O and d2H."""
    snowmelt: FloatArray
    """Snowmelt, d18O and d2H."""
    evaporation_slope: float
    """Slope of evaporation."""
    mean_evaporation: float
    """Mean enrichment of soil water by evaporation [permil d18O]."""
    meteoric_slope: float
    """Slope of the local meteoric water line."""


@dataclass(frozen=True, slots=True)
class SoilWater:
    """The simulated soil water of one period, one value a sample."""

    d18O: FloatArray
    """Measured delta-18O [permil]."""
    d2H: FloatArray
    """Measured delta-2H [permil]."""
    evaporation: FloatArray
    """Enrichment by evaporation [permil d18O]."""
    rain_shift: FloatArray
    """Own rain less regional rain, along the meteoric line [permil d18O]."""
    rain_scatter: FloatArray
    """Own rain less regional rain, off the meteoric line [permil d2H]."""


def period_sources(targets: PeriodTargets, settings: WaterSettings) -> PeriodSources:
    """Close the regional balance: find the rain and the evaporation of a period.

    Parameters
    ----------
    targets : PeriodTargets
        Published mean of all samples and the shares.
    settings : WaterSettings
        Ice, snow and the evaporation slope.

    Returns
    -------
    sources : PeriodSources
        Rain on the meteoric line and the mean evaporation.

    Raises
    ------
    InputError
        If no evaporation between 0.1 and 4 permil closes the balance.

    Notes
    -----
    m = f_P (x, a x + b) + f_I I + f_S S + E (1, s): two equations for x and E.

    Examples
    --------
    >>> from geosoil.simulate.targets import read_targets
    >>> settings = WaterSettings()
    >>> june = period_sources(read_targets(settings)["June"], settings)
    >>> june.rain.round(2).tolist(), round(june.mean_evaporation, 2)
    ([-12.26, -84.39], 1.12)
    """
    line = read_meteoric_line()
    ice = np.array(settings.ground_ice[targets.period].deltas)
    snow = np.array(settings.snowmelt.deltas)
    slope = settings.evaporation_slope[targets.period]
    f_rain, f_ice, f_snow = targets.shares
    rest = np.array(targets.mean) - f_ice * ice - f_snow * snow
    rest[1] -= f_rain * line.intercept
    matrix = np.array([[f_rain, 1.0], [f_rain * line.slope, slope]])
    x, evaporation = np.linalg.solve(matrix, rest)
    if not 0.1 <= evaporation <= 4.0:
        message = (
            f"End members of {targets.period} need a mean evaporation of "
            f"{evaporation:.2f} permil d18O to close the balance. It must lie between "
            "0.1 and 4: choose other ground ice, snowmelt or evaporation slope."
        )
        raise InputError(message)
    rain = np.array([x, line.slope * x + line.intercept])
    return PeriodSources(rain, ice, snow, slope, float(evaporation), line.slope)


def fit_soil_water(
    layers: pd.DataFrame,
    fractions: FloatArray,
    groups: Groups,
    sources: PeriodSources,
    *,
    rng: np.random.Generator,
) -> SoilWater:
    """Simulate soil water and change its rain and evaporation least to fit the groups.

    Parameters
    ----------
    layers : DataFrame
        One row a sample: site_id, layer, elevation, longitude.
    fractions : array, shape (n, 3)
        True fractions.
    groups : Groups
        Published statistics.
    sources : PeriodSources
        Regional waters.
    rng : Generator
        Source of randomness.

    Returns
    -------
    soil : SoilWater
        Deltas as measured (means of three parallels, not yet rounded) and their causes.

    Notes
    -----
    m_i = f_P P_i + f_I I + f_S S + E_i (1, s) + noise, P_i = P + u_i (1, a) + w_i (0,
    1), E = E_max / (1 + exp(-e)). Given the fractions, every published number is an
    equation c(z) = 0 on z = (u, e, w). Least change from the first draw z0, argmin
    |(z - z0)/scale| with c(z) = 0, is found by repeated linearisation.
    """
    first = _first_draw(layers, sources, rng=rng)
    noise = _balanced_noise(groups, rng=rng)
    scale = np.repeat(_SCALES, len(layers))
    state = best = first
    least, rounds = np.inf, 0
    for _ in range(_MOST_ROUNDS):
        gap, jacobian = _equations(state, fractions, groups, sources, noise)
        largest = float(np.abs(gap).max())
        if largest < 0.99 * least:
            best, least, rounds = state, largest, 0
        rounds += 1
        if rounds > _PATIENCE:
            break
        step = _least_change(gap, jacobian * scale, (first - state) / scale)
        state = state + scale * step * min(1.0, 0.5 / float(np.abs(step).max()))
    d18O, d2H = _forward(best, fractions, sources, noise)
    shift, odds, scatter = np.split(best, 3)
    return SoilWater(d18O, d2H, _evaporation(odds), shift, scatter)


def _least_change(
    gap: FloatArray, jacobian: FloatArray, goal: FloatArray
) -> FloatArray:
    """Step nearest to the goal that closes the linearised gaps."""
    # einsum, not @: a threaded BLAS takes twenty times as long on a busy machine.
    normal = np.einsum("ij,kj->ik", jacobian, jacobian) + 1e-7 * np.eye(gap.size)
    wanted = gap + np.einsum("ij,j->i", jacobian, goal)
    forces = np.linalg.solve(normal, wanted)
    step: FloatArray = goal - np.einsum("ij,i->j", jacobian, forces)
    return step


def _first_draw(
    layers: pd.DataFrame, sources: PeriodSources, *, rng: np.random.Generator
) -> FloatArray:
    """Isoscape, event scatter and evaporation before the paper is looked at."""
    site, _ = pd.factorize(layers["site_id"])
    n, n_sites = site.size, site.max() + 1
    height = layers["elevation"].to_numpy(dtype=float) - 4100.0
    east = layers["longitude"].to_numpy(dtype=float) - 97.5
    isoscape = -0.075 * height / 100.0 + 0.1 * east

    def clustered(sd: float, share: float) -> FloatArray:
        between = rng.standard_normal(n_sites)[site]
        within = rng.standard_normal(n)
        drawn: FloatArray = sd * (
            np.sqrt(share) * between + np.sqrt(1.0 - share) * within
        )
        return drawn

    shift = isoscape + clustered(2.0, 0.7)
    scatter = clustered(3.5, 0.6)
    profile = rng.gamma(1.6, 1.0 / 1.6, n_sites)[site]
    depth = np.array([1.3, 1.0, 0.8, 0.6])[layers["layer"].to_numpy()]
    evaporation = sources.mean_evaporation * profile * depth
    evaporation = evaporation * np.exp(0.2 * rng.standard_normal(n))
    share = np.clip(evaporation / MAX_EVAPORATION, 0.02, 0.95)
    return np.concatenate([shift, np.log(share / (1.0 - share)), scatter])


def _balanced_noise(groups: Groups, *, rng: np.random.Generator) -> FloatArray:
    """Noise of the parallels' mean that sums to 0 in every group, shape (2, n)."""
    sd = np.array(MEASUREMENT_SD)[:, None] / np.sqrt(N_PARALLEL)
    noise = sd * rng.standard_normal((2, groups.masks.shape[1]))
    basis, *_ = np.linalg.lstsq(groups.masks.T, noise.T, rcond=None)
    balanced: FloatArray = noise - (groups.masks.T @ basis).T
    return balanced


def _evaporation(odds: FloatArray) -> FloatArray:
    evaporation: FloatArray = MAX_EVAPORATION / (1.0 + np.exp(-odds))
    return evaporation


def _forward(
    state: FloatArray, fractions: FloatArray, sources: PeriodSources, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Deltas of every sample, the noise of measurement included."""
    shift, odds, scatter = np.split(state, 3)
    evaporation, rain = _evaporation(odds), fractions[:, 0]
    waters = np.stack([sources.rain, sources.ground_ice, sources.snowmelt])
    mixed_d18O, mixed_d2H = (fractions @ waters).T
    d18O = mixed_d18O + rain * shift + evaporation + noise[0]
    own_rain = rain * (sources.meteoric_slope * shift + scatter)
    d2H = mixed_d2H + own_rain + sources.evaporation_slope * evaporation + noise[1]
    return d18O, d2H


def _equations(
    state: FloatArray,
    fractions: FloatArray,
    groups: Groups,
    sources: PeriodSources,
    noise: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Gaps and their Jacobian by the state; regional rain shift and scatter are 0."""
    shift, odds, scatter = np.split(state, 3)
    moments = gaps(*_forward(state, fractions, sources, noise), groups)
    evaporation, rain = _evaporation(odds), fractions[:, 0]
    by_odds = evaporation * (1.0 - evaporation / MAX_EVAPORATION)
    along = moments.by_d18O + sources.meteoric_slope * moments.by_d2H
    evaporative = moments.by_d18O + sources.evaporation_slope * moments.by_d2H
    jacobian = np.hstack([along * rain, evaporative * by_odds, moments.by_d2H * rain])
    share, nothing = rain / rain.sum(), np.zeros_like(rain)
    region = np.stack(
        [
            5.0 * np.concatenate([share, nothing, nothing]),
            2.0 * np.concatenate([nothing, nothing, share]),
        ]
    )
    gap = np.concatenate(
        [moments.gap, [5.0 * (share @ shift), 2.0 * (share @ scatter)]]
    )
    return gap, np.vstack([jacobian, region])
