"""Soil profiles of a period: how many of each vegetation, aspect, band and depth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.simulate.targets import STRATA, PeriodTargets

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_TOLERANCE = np.array([0.05, 0.15])
"""Tolerance of a group mean [permil d18O, permil d2H]."""

_PRIOR = {
    "vegetation": (0.25, 0.60, 0.15),
    "aspect": (0.30, 0.25, 0.25, 0.20),
    "soil_layer": (0.33, 0.29, 0.22, 0.16),
}
"""Shares of the samples that a field party would likely take."""

_BANDS_OF_VEGETATION = {
    "grassland": (0.12, 0.18, 0.40, 0.30),
    "meadow": (0.10, 0.22, 0.40, 0.28),
    "forest": (0.38, 0.55, 0.07, 0.0),
}
"""Shares of the elevation bands within a vegetation class."""


def profile_design(targets: PeriodTargets, *, rng: np.random.Generator) -> pd.DataFrame:
    """Design a period's soil profiles so that the published means can hold together.

    Parameters
    ----------
    targets : PeriodTargets
        Published means and counts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    profiles : DataFrame
        One row a profile: vegetation, aspect, elevation_band, n_layers.

    Notes
    -----
    The samples' shares w of a stratum must make the mean of the group means the mean
    of all samples, sum_g w_g m_g = m. Layers are chosen by enumeration, vegetation and
    aspect by steepest descent over single moves and swaps of profiles; bands are then
    spread evenly within vegetation and aspect so that no stratum hides another.

    Examples
    --------
    >>> from geosoil.simulate.targets import read_targets
    >>> from geosoil.simulate.water_settings import WaterSettings
    >>> june = read_targets(WaterSettings())["June"]
    >>> profiles = profile_design(june, rng=np.random.default_rng(1))
    >>> len(profiles), int(profiles["n_layers"].sum())
    (79, 226)
    """
    n_layers = rng.permutation(_layers_of_profiles(_layer_counts(targets)))
    profiles = pd.DataFrame({"n_layers": n_layers})
    for stratum in ("vegetation", "aspect"):
        codes = _assign(stratum, n_layers, targets, rng=rng)
        profiles[stratum] = np.array(STRATA[stratum], dtype=object)[codes]
    profiles["elevation_band"] = _spread_bands(profiles, rng=rng)
    return profiles


def layer_table(profiles: pd.DataFrame) -> pd.DataFrame:
    """Give every profile its layers of 20 cm from the surface.

    Parameters
    ----------
    profiles : DataFrame
        One row a profile with n_layers.

    Returns
    -------
    layers : DataFrame
        One row a layer: the profile's columns, soil_layer and layer (0 = top).

    Examples
    --------
    >>> layer_table(pd.DataFrame({"n_layers": [2]}))["soil_layer"].tolist()
    ['0-20', '20-40']
    """
    layers = profiles.loc[profiles.index.repeat(profiles["n_layers"])].copy()
    layers["layer"] = layers.groupby(level=0).cumcount()
    labels = np.array(STRATA["soil_layer"], dtype=object)
    layers["soil_layer"] = labels[layers["layer"].to_numpy()]
    return layers.drop(columns="n_layers").reset_index(drop=True)


def _gaps(stratum: str, targets: PeriodTargets) -> FloatArray:
    """Group means less the mean of all, in units of the tolerance, shape (k, 2)."""
    means = [targets.group_means[stratum, label] for label in STRATA[stratum]]
    gaps: FloatArray = (np.array(means) - np.array(targets.mean)) / _TOLERANCE
    return gaps


def _cost(counts: FloatArray, stratum: str, targets: PeriodTargets) -> FloatArray:
    """Misfit of sample counts, shape (..., k): closure first, likeliness second."""
    weights = counts / targets.n_samples
    closure = ((weights @ _gaps(stratum, targets)) ** 2).sum(axis=-1)
    likeliness = ((weights - np.array(_PRIOR[stratum])) ** 2).sum(axis=-1)
    cost: FloatArray = closure + 20.0 * likeliness
    return cost


def _layer_counts(targets: PeriodTargets) -> IntArray:
    """Return the samples of each layer, fewer with depth, that close the mean best."""
    top, total = targets.n_profiles, targets.n_samples
    second, third = (
        grid.ravel() for grid in np.meshgrid(np.arange(top + 1), np.arange(top + 1))
    )
    fourth = total - top - second - third
    falls = (second >= third) & (third >= fourth) & (fourth >= 1)
    counts = np.stack([np.full(second.size, top), second, third, fourth], axis=1)[falls]
    best: IntArray = counts[_cost(counts, "soil_layer", targets).argmin()]
    return best


def _layers_of_profiles(counts: IntArray) -> IntArray:
    """Return the number of layers of each profile from the samples of each layer."""
    profiles = np.arange(counts[0])
    layers: IntArray = (profiles[:, None] < counts[None, :]).sum(axis=1)
    return layers


def _assign(
    stratum: str,
    n_layers: IntArray,
    targets: PeriodTargets,
    *,
    rng: np.random.Generator,
) -> IntArray:
    """Class of each profile, from a random start by steepest descent."""
    prior = np.array(_PRIOR[stratum])
    codes = rng.choice(prior.size, n_layers.size, p=prior).astype(np.int64)
    codes[: prior.size] = np.arange(prior.size)
    best = np.inf
    for _ in range(200):
        counts = np.bincount(codes, n_layers, prior.size).astype(np.float64)
        profile, code, cost = _best_move(codes, counts, n_layers, stratum, targets)
        if cost >= best - 1e-9:
            break
        codes[profile], best = code, cost
    return codes


def _best_move(
    codes: IntArray,
    counts: FloatArray,
    n_layers: IntArray,
    stratum: str,
    targets: PeriodTargets,
) -> tuple[int, int, float]:
    """Profile, its new class and the cost of the best single move."""
    unit = np.eye(counts.size)
    change = (unit[None, :, :] - unit[codes][:, None, :]) * n_layers[:, None, None]
    cost = _cost(counts + change, stratum, targets)
    profile, code = np.unravel_index(cost.argmin(), cost.shape)
    return int(profile), int(code), float(cost[profile, code])


def _spread_bands(
    profiles: pd.DataFrame, *, rng: np.random.Generator
) -> npt.NDArray[np.object_]:
    """Elevation band of each profile, even within vegetation and aspect."""
    labels = np.array(STRATA["elevation_band"], dtype=object)
    bands = np.empty(len(profiles), dtype=object)
    for (vegetation, _), rows in profiles.groupby(["vegetation", "aspect"]):
        edges = np.cumsum(_BANDS_OF_VEGETATION[str(vegetation)])[:-1]
        places = (np.arange(len(rows)) + rng.random()) / len(rows)
        members = rng.permutation(rows.index.to_numpy())
        bands[members] = labels[np.searchsorted(edges, places, side="right")]
    return bands
