"""Precipitation events of five stations whose lines and means are the published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.simulate.climatology import annual_temperature
from geosoil.simulate.inputs import read_stations
from geosoil.simulate.targets import Line
from geosoil.strata import MONTHS

FloatArray = npt.NDArray[np.float64]

# Invented: (year, month), number of events, mean amount [mm], mean d18O [permil].
# The d18O of June, August and September is replaced by the forward model's rain.
_MONTHS: tuple[tuple[int, int, int, float, float], ...] = (
    (2019, 6, 45, 5.5, -12.0),
    (2019, 7, 50, 6.0, -13.8),
    (2019, 8, 48, 6.0, -15.0),
    (2019, 9, 40, 5.0, -14.6),
    (2019, 10, 18, 3.0, -16.5),
    (2019, 11, 8, 1.6, -18.5),
    (2019, 12, 5, 1.2, -20.5),
    (2020, 1, 6, 1.2, -20.0),
    (2020, 2, 7, 1.4, -18.5),
    (2020, 3, 12, 1.8, -15.5),
    (2020, 4, 18, 2.4, -12.0),
    (2020, 5, 28, 4.0, -10.5),
    (2020, 6, 42, 5.5, -12.4),
    (2020, 7, 48, 6.0, -13.6),
)


def simulate_events(
    fallen: Mapping[str, FloatArray], line: Line, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Simulate 375 precipitation events, June 2019 to July 2020.

    Parameters
    ----------
    fallen : mapping of str to array, shape (2,)
        Rain of each period, d18O and d2H [permil]: the amount-weighted mean of the
        events of that calendar month, whatever the year.
    line : Line
        Local meteoric water line that all events together must give by OLS.
    rng : Generator
        Source of randomness.

    Returns
    -------
    events : DataFrame
        site_id, period (missing outside June, August, September), date, longitude,
        latitude, elevation, d18O, d2H, precipitation [mm], air_temperature [degC].

    Notes
    -----
    d18O = month + altitude (-0.15 per 100 m) + amount (-0.04 per mm) + scatter, each
    period shifted to its mean. d2H = a d18O + b + e: the first draw of e is changed
    least so that its sum, its product with d18O and its amount-weighted period means
    are as wanted, and scaled to R2. Soil was sampled in 2020 but precipitation from
    June 2019 to July 2020, so August and September rain is that of 2019.

    Examples
    --------
    >>> line = Line(7.9, 12.43, 0.97)
    >>> rain = {name: np.array([-14.0, -98.17]) for name in MONTHS}
    >>> events = simulate_events(rain, line, rng=np.random.default_rng(1))
    >>> np.polyfit(events["d18O"], events["d2H"], 1).round(2).tolist()
    [7.9, 12.43]
    """
    events = _calendar(rng=rng)
    amount = events["precipitation"].to_numpy()
    height = (events["elevation"] - events["elevation"].mean()).to_numpy() / 100.0
    d18O = events.pop("month_d18O").to_numpy() - 0.15 * height
    d18O = d18O - 0.04 * (amount - amount.mean())
    d18O = d18O + 3.6 * rng.standard_normal(len(events))
    periods = events["period"].to_numpy()
    for period, rain in fallen.items():
        rows = periods == period
        d18O[rows] += rain[0] - np.average(d18O[rows], weights=amount[rows])
    d18O = np.round(d18O, 2)
    weights = np.array([np.where(periods == p, amount, 0.0) for p in fallen])
    weights /= weights.sum(axis=1, keepdims=True)
    on_line = line.slope * (weights @ d18O) + line.intercept
    wanted = np.array([rain[1] for rain in fallen.values()]) - on_line
    residual = _residual(d18O, line, weights, wanted, rng=rng)
    d2H = np.round(line.slope * d18O + line.intercept + residual, 2)
    return events.assign(d18O=d18O, d2H=d2H)


def _residual(
    d18O: FloatArray,
    line: Line,
    weights: FloatArray,
    wanted: FloatArray,
    *,
    rng: np.random.Generator,
) -> FloatArray:
    """Scatter about the line that keeps OLS slope, intercept, R2 and period means."""
    rules = np.vstack([np.ones_like(d18O), d18O - d18O.mean(), weights])
    inverse = np.linalg.pinv(rules)
    needed = inverse @ np.concatenate([[0.0, 0.0], wanted])
    free = rng.standard_normal(d18O.size)
    free = free - inverse @ (rules @ free)
    explained = line.slope**2 * ((d18O - d18O.mean()) ** 2).sum()
    total = explained * (1.0 - line.r_squared) / line.r_squared
    scale = np.sqrt(max(total - needed @ needed, 0.0) / (free @ free))
    residual: FloatArray = needed + scale * free
    return residual


def _calendar(*, rng: np.random.Generator) -> pd.DataFrame:
    """Station, date, amount and temperature of every event, in order of date."""
    stations = read_stations()
    names = {month: name for name, month in MONTHS.items()}
    rows = []
    for year, month, n, mean_amount, d18O in _MONTHS:
        days = (dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(1)).day
        turn = rng.permutation(len(stations))[np.arange(n) % len(stations)]
        for station in np.unique(turn):
            count = int((turn == station).sum())
            place = stations.iloc[int(station)]
            for day in rng.choice(days, count, replace=False):
                amount = max(0.2, rng.gamma(0.9, mean_amount / 0.9))
                rows.append(
                    {
                        "site_id": str(place["name"]),
                        "period": names.get(month),
                        "date": dt.date(year, month, int(day) + 1),
                        "longitude": float(place["longitude"]),
                        "latitude": float(place["latitude"]),
                        "elevation": float(place["elevation"]),
                        "precipitation": round(amount, 1),
                        "month_d18O": d18O,
                    }
                )
    events = pd.DataFrame(rows).sort_values(["date", "site_id"], ignore_index=True)
    return events.assign(air_temperature=_temperature(events, rng=rng))


def _temperature(events: pd.DataFrame, *, rng: np.random.Generator) -> FloatArray:
    """Air temperature on the day of each event [degC]."""
    year = annual_temperature(
        events["longitude"].to_numpy(),
        events["latitude"].to_numpy(),
        events["elevation"].to_numpy(),
    )
    month = np.array([date.month + date.day / 31.0 for date in events["date"]])
    season = -11.0 * np.cos(2.0 * np.pi * (month - 1.5) / 12.0)
    scatter = 2.0 * rng.standard_normal(len(events))
    temperature: FloatArray = np.round(year + season + scatter, 1)
    return temperature
