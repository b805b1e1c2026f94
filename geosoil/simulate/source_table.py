"""End members and true shares by period and stratum, as the study states them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.simulate.soil_samples import SoilPeriod
from geosoil.simulate.targets import STRATA, PeriodTargets
from geosoil.simulate.true_fractions import TRUE_COLUMNS
from geosoil.simulate.water_settings import SOURCES
from geosoil.strata import exposure

FloatArray = npt.NDArray[np.float64]

_EXPOSURES = ("shaded", "sunny")

_NOTES = {
    "events": "invented; amount-weighted mean of the events of this calendar month",
    "fallen": "invented; rain as fallen in this stratum, weighted by its fraction",
    "evaporated": "invented; rain after the stratum's mean evaporation",
    "sampled": "invented; mean of the samples of this period",
}


def rain_as_fallen(soil: SoilPeriod) -> FloatArray:
    """Return the period's rain, the mean over the soil samples' own rain.

    Parameters
    ----------
    soil : SoilPeriod
        Samples with their own rain and true fractions.

    Returns
    -------
    rain : array, shape (2,)
        d18O and d2H [permil], weighted by the fractions of precipitation.

    Examples
    --------
    >>> from geosoil.simulate.soil_water import PeriodSources
    >>> layers = pd.DataFrame({"rain_d18O": [-10.0, -12.0], "rain_d2H": [-70.0, -80.0],
    ...                        "true_precipitation": [1.0, 1.0]})
    >>> nothing = np.zeros(2)
    >>> sources = PeriodSources(nothing, nothing, nothing, 3.4, 1.1, 7.9)
    >>> rain_as_fallen(SoilPeriod(layers, sources)).tolist()
    [-11.0, -75.0]
    """
    rain = soil.layers[["rain_d18O", "rain_d2H"]].to_numpy()
    weights = soil.layers["true_precipitation"].to_numpy()
    mean: FloatArray = np.average(rain, axis=0, weights=weights)
    return mean


def end_member_table(
    soil: Mapping[str, SoilPeriod], waters: pd.DataFrame
) -> pd.DataFrame:
    """State the end members of every period and stratum.

    Parameters
    ----------
    soil : mapping of str to SoilPeriod
        Soil samples with their truth.
    waters : DataFrame
        Samples of precipitation, ground_ice and snowmelt.

    Returns
    -------
    end_members : DataFrame
        period, by, stratum, source, state (fallen, evaporated; sampled for ice and
        snow), d18O, d2H, their SDs and covariance, n, note, simulated.

    Notes
    -----
    With f the fractions of precipitation in a stratum, P_i a sample's own rain and
    E_i its evaporation: fallen = sum f_i P_i / sum f_i, evaporated = fallen +
    (mean E / mean f) (1, s). The stratum's mean soil water is then exactly the mixture
    of evaporated rain, ice and snow at the mean true fractions. SDs are those between
    events (all, fallen), between the samples' rains (other rows of precipitation) and
    between samples of ice and snow; n is the number behind them.
    """
    rows = [
        row
        for period, samples in soil.items()
        for row in _period_rows(period, samples, waters[waters["period"] == period])
    ]
    return pd.DataFrame(rows).assign(simulated=True)


def _period_rows(
    period: str, soil: SoilPeriod, waters: pd.DataFrame
) -> Iterator[dict[str, object]]:
    for by, stratum, layers in _groups(soil.layers):
        key = {"period": period, "by": by, "stratum": stratum}
        for row in _rain_rows(layers, soil.sources.evaporation_slope):
            measured = by == "all" and row["state"] == "fallen"
            events = _event_row(waters, rain_as_fallen(soil)) if measured else {}
            yield {**key, "source": "precipitation", **row, **events}
    key = {"period": period, "by": "all", "stratum": "all"}
    ends = {
        "ground_ice": soil.sources.ground_ice,
        "snowmelt": soil.sources.snowmelt,
    }
    for source, centre in ends.items():
        if (soil.layers[f"true_{source}"] > 0.0).any():
            deltas = waters.loc[waters["water"] == source, ["d18O", "d2H"]].to_numpy()
            statistics = _statistics(deltas, np.ones(len(deltas)), centre=centre)
            note = _NOTES["sampled"]
            yield (
                {**key, "source": source, "state": "sampled"}
                | statistics
                | {"note": note}
            )


def _rain_rows(
    layers: pd.DataFrame, evaporation_slope: float
) -> Iterator[dict[str, object]]:
    """Rain of a stratum as fallen and as evaporated."""
    weights = layers["true_precipitation"].to_numpy()
    fallen = layers[["rain_d18O", "rain_d2H"]].to_numpy()
    gain = (layers["evaporation"].to_numpy() / weights)[:, None]
    evaporated = fallen + gain * np.array([1.0, evaporation_slope])
    for state, rain in (("fallen", fallen), ("evaporated", evaporated)):
        yield {"state": state, **_statistics(rain, weights), "note": _NOTES[state]}


def _event_row(waters: pd.DataFrame, rain: FloatArray) -> dict[str, object]:
    """Rain of a period as its events show it."""
    events = waters[waters["water"] == "precipitation"]
    deltas = events[["d18O", "d2H"]].to_numpy()
    amount = events["precipitation"].to_numpy()
    return {**_statistics(deltas, amount, centre=rain), "note": _NOTES["events"]}


def _groups(layers: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Every stratum that has samples, all of them first."""
    yield "all", "all", layers
    for kind, labels in STRATA.items():
        for label in labels:
            rows = layers[layers[kind] == label]
            if len(rows):
                yield kind, label, rows
    facing = exposure(layers["aspect"])
    for label in _EXPOSURES:
        yield "exposure", label, layers[facing == label]


def _statistics(
    deltas: FloatArray, weights: FloatArray, *, centre: FloatArray | None = None
) -> dict[str, object]:
    """Weighted mean, SDs, covariance and number of waters."""
    share = weights / weights.sum()
    mean = share @ deltas
    gaps = deltas - mean
    n = len(deltas)
    covariance = (gaps * share[:, None]).T @ gaps * n / max(n - 1, 1)
    d18O, d2H = mean if centre is None else centre
    return {
        "d18O": round(float(d18O), 4),
        "d2H": round(float(d2H), 4),
        "d18O_sd": round(float(np.sqrt(covariance[0, 0])), 4),
        "d2H_sd": round(float(np.sqrt(covariance[1, 1])), 4),
        "d18O_d2H_cov": round(float(covariance[0, 1]), 4),
        "n": n,
    }


def reference_table(
    soil: Mapping[str, SoilPeriod], targets: Mapping[str, PeriodTargets]
) -> pd.DataFrame:
    """Set the published shares beside the simulated truth.

    Parameters
    ----------
    soil : mapping of str to SoilPeriod
        Soil samples with their truth.
    targets : mapping of str to PeriodTargets
        The shares asked for.

    Returns
    -------
    reference : DataFrame
        period, by, stratum, source, paper (missing but for all samples), truth (mean
        of the true fractions over the samples), n, simulated.
    """
    rows = [
        {
            "period": period,
            "by": by,
            "stratum": stratum,
            "source": source,
            "paper": share if by == "all" else np.nan,
            "truth": round(float(layers[column].mean()), 6),
            "n": len(layers),
        }
        for period, samples in soil.items()
        for by, stratum, layers in _groups(samples.layers)
        for source, column, share in zip(
            SOURCES, TRUE_COLUMNS, targets[period].shares, strict=True
        )
    ]
    return pd.DataFrame(rows).assign(simulated=True)
