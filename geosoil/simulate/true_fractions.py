"""The true source fractions of every simulated soil sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.simulate.targets import STRATA, PeriodTargets
from geosoil.simulate.water_settings import SOURCES

FloatArray = npt.NDArray[np.float64]

TRUE_COLUMNS: tuple[str, ...] = tuple(f"true_{source}" for source in SOURCES)
"""Columns of the true fractions, in the order of SOURCES."""

_MOST_ICE, _MOST_MELT = 0.80, 0.95
"""Largest fraction of ground ice, and of ground ice and snowmelt together."""

_ICE_FACTORS: dict[str, dict[str, tuple[float, ...]]] = {
    "June": {
        "elevation_band": (0.6, 2.4, 1.0, 0.6),
        "vegetation": (0.75, 1.25, 0.45),
        "aspect": (1.5, 1.25, 0.6, 0.8),
    },
    "August": {
        "elevation_band": (0.0, 0.5, 1.0, 1.6),
        "vegetation": (0.7, 1.3, 0.0),
        "aspect": (1.5, 1.3, 0.5, 0.7),
    },
    "September": {
        "elevation_band": (0.0, 0.0, 1.0, 1.5),
        "vegetation": (0.6, 1.3, 0.8),
        "aspect": (1.3, 1.2, 0.0, 0.0),
    },
}
_SNOW_FACTORS: dict[str, tuple[float, ...]] = {
    "elevation_band": (0.0, 0.0, 1.0, 2.0),
    "vegetation": (1.7, 1.0, 0.5),
    "aspect": (1.5, 1.3, 0.5, 0.7),
}
_DEPTH_FACTORS = (0.85, 1.0, 1.1, 1.2)


def true_fractions(
    layers: pd.DataFrame, targets: PeriodTargets, *, rng: np.random.Generator
) -> FloatArray:
    """Draw the true fractions of a period's soil samples.

    Parameters
    ----------
    layers : DataFrame
        One row a sample: site_id, elevation_band, vegetation, aspect, layer.
    targets : PeriodTargets
        Gives the regional shares that the mean over the samples meets.
    rng : Generator
        Source of randomness between profiles.

    Returns
    -------
    fractions : array, shape (n, 3)
        Precipitation, ground ice and snowmelt; each row sums to 1.

    Notes
    -----
    f = c x band x vegetation x aspect x layer x profile, the constant c raked to the
    share. Zeros of section 3.3 are exact: no snowmelt below 4000 m nor after June; no
    ground ice below 3500 m and under forest in August, below 4000 m and on sunny
    slopes in September.

    Examples
    --------
    >>> from geosoil.simulate.targets import read_targets
    >>> from geosoil.simulate.water_settings import WaterSettings
    >>> august = read_targets(WaterSettings())["August"]
    >>> layers = pd.DataFrame({"site_id": ["a", "b"], "vegetation": "meadow",
    ...     "elevation_band": ["3000-3500", "4500-5100"], "aspect": "N", "layer": 0})
    >>> true_fractions(layers, august, rng=np.random.default_rng(1)).round(2)
    array([[1. , 0. , 0. ],
           [0.8, 0.2, 0. ]])
    """
    site, _ = pd.factorize(layers["site_id"])
    profile = np.exp(0.15 * rng.standard_normal(site.max() + 1))[site]
    profile = profile * np.array(_DEPTH_FACTORS)[layers["layer"].to_numpy()]
    _, ice_share, snow_share = targets.shares
    pattern = profile * _factor(layers, _ICE_FACTORS[targets.period])
    ice = np.round(_rake(pattern, ice_share, np.full(len(layers), _MOST_ICE)), 6)
    snow = np.zeros(len(layers))
    if snow_share > 0.0:
        pattern = profile * _factor(layers, _SNOW_FACTORS)
        snow = np.round(_rake(pattern, snow_share, _MOST_MELT - ice), 6)
    return np.column_stack([np.round(1.0 - ice - snow, 6), ice, snow])


def expected_fractions(
    ground: pd.DataFrame, truth: pd.DataFrame, period: str
) -> FloatArray:
    """Return the fractions that the maker of the samples expects on any ground.

    Parameters
    ----------
    ground : DataFrame
        elevation_band, vegetation and aspect of each place.
    truth : DataFrame
        True fractions of soil samples, with their strata.
    period : str
        June, August or September.

    Returns
    -------
    fractions : array, shape (n, 3)
        Precipitation, ground ice and snowmelt, the mean over the depths; NaN on ground
        of a kind that has no factor, such as desert.

    Notes
    -----
    f = c x band x vegetation x aspect as of the samples, the profiles' own factors at
    their mean, with the constant c by which the same factors give the samples' mean.

    Examples
    --------
    >>> row = {"elevation_band": "4500-5100", "vegetation": "meadow", "aspect": "N"}
    >>> truth = pd.DataFrame([row | {"period": "August", "true_ground_ice": 0.3,
    ...     "true_snowmelt": 0.0}])
    >>> ground = pd.DataFrame([row, row | {"vegetation": "forest"}])
    >>> expected_fractions(ground, truth, "August").round(6).tolist()
    [[0.7, 0.3, 0.0], [1.0, 0.0, 0.0]]
    """
    own = truth[truth["period"] == period]
    parts = []
    for source, factors in (
        ("ground_ice", _ICE_FACTORS[period]),
        ("snowmelt", _SNOW_FACTORS),
    ):
        constant = own[f"true_{source}"].mean() / _factor(own, factors).mean()
        parts.append(constant * _factor(ground, factors))
    ice = np.minimum(parts[0], _MOST_ICE)
    snow = np.minimum(parts[1], _MOST_MELT - ice)
    return np.column_stack([1.0 - ice - snow, ice, snow])


def _factor(layers: pd.DataFrame, factors: dict[str, tuple[float, ...]]) -> FloatArray:
    product = np.ones(len(layers))
    for stratum, values in factors.items():
        table = dict(zip(STRATA[stratum], values, strict=True))
        product = product * layers[stratum].map(table).to_numpy(dtype=float)
    return product


def _rake(pattern: FloatArray, share: float, most: FloatArray) -> FloatArray:
    """Scale a pattern so that its mean is the share and no value passes its bound."""
    values = pattern
    for _ in range(200):
        mean = values.mean()
        if mean == 0.0 or abs(mean - share) < 1e-9:
            break
        values = np.minimum(values * share / mean, most)
    return values


def broken_rules(layers: pd.DataFrame, period: str) -> list[str]:
    """Say which statements of section 3.3 the true fractions break.

    Parameters
    ----------
    layers : DataFrame
        One row a sample: strata and the columns TRUE_COLUMNS.
    period : str
        June, August or September.

    Returns
    -------
    broken : list of str
        The statements broken; empty when all hold.

    Examples
    --------
    >>> layers = pd.DataFrame({"elevation_band": ["3000-3500"], "aspect": ["N"],
    ...     "vegetation": ["meadow"], "true_precipitation": [0.9],
    ...     "true_ground_ice": [0.1], "true_snowmelt": [0.0]})
    >>> broken_rules(layers, "September")[0]
    'no ground ice below 4000 m'
    """
    ice, snow, rain = (
        {
            kind: [_mean(layers, kind, label, f"true_{source}") for label in labels]
            for kind, labels in STRATA.items()
            if kind != "soil_layer"
        }
        for source in ("ground_ice", "snowmelt", "precipitation")
    )
    rules = {"June": _june, "August": _august, "September": _september}[period]
    return [statement for statement, holds in rules(ice, snow, rain) if not holds]


def _mean(layers: pd.DataFrame, kind: str, label: str, column: str) -> float:
    rows = layers[kind] == label
    return float(layers.loc[rows, column].mean()) if rows.any() else float("nan")


Means = dict[str, list[float]]
Rules = list[tuple[str, bool]]


def _june(ice: Means, snow: Means, rain: Means) -> Rules:
    low, middle, high, top = ice["elevation_band"]
    snow_bands = snow["elevation_band"]
    shaded_ice, sunny_ice = ice["aspect"][:2], ice["aspect"][2:]
    shaded_snow, sunny_snow = snow["aspect"][:2], snow["aspect"][2:]
    return [
        ("no snowmelt below 4000 m", snow_bands[0] == snow_bands[1] == 0.0),
        ("snowmelt rises above 4000 m", 0.0 < snow_bands[2] < snow_bands[3]),
        ("ground ice is largest at 3500-4000 m", middle > max(low, high)),
        ("ground ice falls above 3500 m", middle > high > top),
        ("ground ice is highest in meadow", _is_largest(ice["vegetation"], 1)),
        ("snowmelt is highest in grassland", _is_largest(snow["vegetation"], 0)),
        ("forest is mainly precipitation", _is_largest(rain["vegetation"], 2)),
        ("ground ice is higher on shaded slopes", min(shaded_ice) > max(sunny_ice)),
        ("snowmelt is higher on shaded slopes", min(shaded_snow) > max(sunny_snow)),
    ]


def _august(ice: Means, snow: Means, _rain: Means) -> Rules:
    low, middle, high, top = ice["elevation_band"]
    grassland, meadow, forest = ice["vegetation"]
    return [
        ("no snowmelt", max(snow["elevation_band"]) == 0.0),
        ("no ground ice below 3500 m", low == 0.0),
        ("ground ice rises with altitude", low < middle < high < top),
        ("no ground ice under forest", forest == 0.0),
        ("meadow holds more ground ice than grassland", meadow > grassland),
        (
            "ground ice is higher on shaded slopes",
            min(ice["aspect"][:2]) > max(ice["aspect"][2:]),
        ),
    ]


def _september(ice: Means, snow: Means, _rain: Means) -> Rules:
    low, middle, high, top = ice["elevation_band"]
    grassland, meadow, _ = ice["vegetation"]
    return [
        ("no ground ice below 4000 m", low == middle == 0.0),
        ("no snowmelt", max(snow["elevation_band"]) == 0.0),
        ("some ground ice above 4000 m", min(high, top) > 0.0),
        ("ground ice on shaded slopes only", max(ice["aspect"][2:]) == 0.0),
        ("ground ice on both shaded slopes", min(ice["aspect"][:2]) > 0.0),
        ("meadow holds more ground ice than grassland", meadow > grassland),
    ]


def _is_largest(values: list[float], position: int) -> bool:
    return values[position] == max(values)
