"""Evaporation in a study: its climate, its slope, and what passes for its line."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.config import PeriodClimate
from geosoil.errors import InputError
from geosoil.tracers.artefact import SlopeArtefact, evaporation_line_artefact
from geosoil.tracers.delta import Precision
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation import evaporation_slope
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.group_fractions import clustered_mean
from geosoil.tracers.group_table import LineChoice, crossed_groups
from geosoil.tracers.lines import GMWL, WaterLine
from geosoil.tracers.slope_uncertainty import (
    ASSUMED_CLIMATE,
    ASSUMED_SPREAD,
    ASSUMED_WORDS,
    ClimateSpread,
    evaporation_slope_uncertainty,
)
from geosoil.tracers.source_draws import Projection, source_water_draws
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import chosen_preset


def climate_of(inputs: StudyInputs, period: str) -> EvaporationClimate | None:
    """Return the conditions of evaporation of a period.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.

    Returns
    -------
    climate : EvaporationClimate or None
        None where the settings give none.
    """
    weather = inputs.config.tracers.climate.get(period)
    return None if weather is None else climate_of_settings(weather)


def climate_of_settings(weather: PeriodClimate) -> EvaporationClimate:
    """Return the conditions of evaporation that settings state.

    Parameters
    ----------
    weather : PeriodClimate
        Table [tracers.climate.<period>] of the settings.

    Returns
    -------
    climate : EvaporationClimate
        The same for the science.
    """
    return EvaporationClimate(
        temperature=weather.temperature,
        humidity=weather.humidity,
        turbulence=weather.turbulence,
        vapour=weather.vapour,
    )


class EvaporationStart(NamedTuple):
    """Where the evaporation of a period begins."""

    climate: EvaporationClimate
    """Conditions of evaporation."""
    d18O: float
    """Of mean precipitation [permil]."""
    d2H: float
    """Of mean precipitation [permil]."""


def evaporation_start(
    inputs: StudyInputs, period: str, fallen: EndMembers
) -> EvaporationStart | None:
    """Return the climate and the rain that a period's evaporation starts from.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.
    fallen : EndMembers
        End members of the period.

    Returns
    -------
    start : EvaporationStart or None
        None where the settings give no climate or there is no precipitation.
    """
    climate = climate_of(inputs, period)
    if climate is None or "precipitation" not in fallen.sources:
        return None
    d18O, d2H = fallen.keep(["precipitation"]).means(["d18O", "d2H"])[0]
    return EvaporationStart(climate, float(d18O), float(d2H))


def theory_slope(inputs: StudyInputs, period: str, fallen: EndMembers) -> float | None:
    """Return the Craig-Gordon slope of a period's climate.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.
    fallen : EndMembers
        End members of the period; evaporation starts from its precipitation.

    Returns
    -------
    slope : float or None
        None where the settings give no climate or there is no precipitation.
    """
    start = evaporation_start(inputs, period, fallen)
    if start is None:
        return None
    return float(evaporation_slope(start.d18O, start.d2H, climate=start.climate))


def regression_artefact(
    soil: pd.DataFrame, lmwl: WaterLine, inputs: StudyInputs
) -> SlopeArtefact | None:
    """Compare a period's regression line with evaporation.

    Parameters
    ----------
    soil : DataFrame
        Soil samples of one period.
    lmwl : WaterLine
        Local meteoric water line.
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    finding : SlopeArtefact or None
        None without a line. Where no climate is stated a wide range is assumed.
    """
    stated = climate_of(inputs, str(soil["period"].iloc[0]))
    try:
        finding = evaporation_line_artefact(
            soil["d18O"],
            soil["d2H"],
            lmwl=lmwl,
            climate=ASSUMED_CLIMATE if stated is None else stated,
            spread=ASSUMED_SPREAD if stated is None else ClimateSpread(),
            rng=np.random.default_rng(inputs.config.study.seed),
        )
    except InputError:
        return None
    if stated is None:
        return replace(finding, words=f"{finding.words} ({ASSUMED_WORDS})")
    return finding


SOURCE_COLUMNS = [
    "period",
    "sample_id",
    "led_by",
    "evaporation_slope",
    "evaporation_slope_sd",
]
NO_SOURCES = pd.DataFrame({name: pd.Series(dtype=object) for name in SOURCE_COLUMNS})
"""A table of source waters without a row."""

MEASUREMENT = Precision(0.2, 0.5)
"""Usual errors of laser spectrometers [permil]."""

MEAN = "mean of the period"
"""Stands for a sample's name in the row of a period's mean water."""


def source_waters(
    soil: pd.DataFrame, lmwl: WaterLine, fallen: EndMembers, inputs: StudyInputs
) -> pd.DataFrame:
    """Lead a period's samples and their mean back to the meteoric line.

    Parameters
    ----------
    soil : DataFrame
        Soil samples of one period.
    lmwl : WaterLine
        Local meteoric water line.
    fallen : EndMembers
        End members of the period; evaporation starts from its precipitation.
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    sources : DataFrame
        One row a sample, then the mean with its site-clustered error: ``led_by``, the
        slope and the columns of `source_water_draws`. Empty without a slope.

    Notes
    -----
    The slope is that of evaporation under the period's climate, or with the preset
    "paper" that of the regression line through the samples.
    """
    period = str(soil["period"].iloc[0])
    rng = np.random.default_rng(inputs.config.study.seed)
    chosen = chosen_preset(inputs.config)
    led_by = "craig_gordon" if chosen is None else chosen.evaporation_line
    slope = _leading_slope(soil, fallen, inputs, led_by, rng)
    if slope is None:
        return NO_SOURCES
    values = soil[["d18O", "d2H"]].to_numpy(dtype=float)
    mean, own = _mean_with_error(values, soil["site_id"].to_numpy())
    parts = []
    for deltas, names, precision in (
        (values, soil["sample_id"].to_numpy(), MEASUREMENT),
        (mean, np.array([MEAN]), own),
    ):
        projection = Projection(lmwl, slope[0], slope[1], precision)
        found = source_water_draws(
            deltas[:, 0], deltas[:, 1], projection=projection, rng=rng, n_draws=1000
        )
        found.insert(0, "evaporation_slope_sd", slope[1])
        found.insert(0, "evaporation_slope", slope[0])
        found.insert(0, "led_by", led_by)
        found.insert(0, "sample_id", names)
        parts.append(found.assign(period=period))
    return pd.concat(parts, ignore_index=True)


def _leading_slope(
    soil: pd.DataFrame,
    fallen: EndMembers,
    inputs: StudyInputs,
    led_by: str,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """Return the slope that leads back, and its standard deviation."""
    if led_by == "regression":
        choice = LineChoice(GMWL)
        row = crossed_groups(soil, [], line=choice).iloc[0]
        if not np.isfinite(row["slope"]):
            return None
        errors = row[["slope_standard_error", "slope_site_error"]].to_numpy(dtype=float)
        return float(row["slope"]), float(np.fmax(*errors))
    climate = climate_of(inputs, str(soil["period"].iloc[0]))
    if climate is None or "precipitation" not in fallen.sources:
        return None
    rain = fallen.keep(["precipitation"]).means(["d18O", "d2H"])[0]
    slope = evaporation_slope_uncertainty(
        float(rain[0]), float(rain[1]), climate=climate, spread=ClimateSpread(), rng=rng
    )
    return slope.slope, slope.standard_deviation


def _mean_with_error(
    values: npt.NDArray[np.float64], sites: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], Precision]:
    """Mean water, shape (1, 2), with its site-clustered error."""
    mean = clustered_mean(values, sites)
    covariance = np.nan_to_num(mean.covariance)
    error = np.sqrt(np.diag(covariance))
    product = float(error.prod())
    correlation = float(covariance[0, 1]) / product if product else 0.0
    return mean.mean[None], Precision(float(error[0]), float(error[1]), correlation)
