"""Rain of strata without a gauge: isotopes of stations regressed on elevation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing_space import ILL_CONDITIONED
from geosoil.tracers.source_means import SampleMeans, source_means
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]

FEWEST = 4
"""Fewest stations; one more for each covariate after the first."""

WHAT = "Stations"

RAIN = "precipitation"


@dataclass(frozen=True, slots=True, eq=False)
class RainIsoscape:
    """Rain as a linear function of elevation and other covariates.

    Make it with `fit_rain_isoscape`.
    """

    tracers: tuple[str, ...]
    """Names of the tracers."""
    covariates: tuple[str, ...]
    """Columns that rain hangs on."""
    coefficients: FloatArray
    """Value at the mean of the stations, then change per unit of each covariate, shape
    (1 + covariate, tracer)."""
    standard_errors: FloatArray
    """Their standard errors, same shape."""
    residual_covariance: FloatArray
    """Covariance of single stations of mean weight about the fit, shape (tracer,
    tracer)."""
    n_stations: int
    """Stations used."""
    centre: FloatArray
    """Weighted mean of the covariates, shape (covariate,)."""
    limits: FloatArray
    """Least and largest covariates of the stations, shape (2, covariate)."""
    leverage: FloatArray
    """Inverse of the normal matrix at unit mean weight, shape (1 + covariate, 1 +
    covariate)."""

    @property
    def degrees_of_freedom(self) -> int:
        """Stations less coefficients."""
        return self.n_stations - len(self.coefficients)

    def predict(self, places: pd.DataFrame) -> pd.DataFrame:
        """Predict rain at places.

        Parameters
        ----------
        places : DataFrame
            One row a place, with the covariates.

        Returns
        -------
        rain : DataFrame
            Index of the places; tracers [permil]; ``<tracer>_sd`` and ``<a>_<b>_cov``
            of the prediction; ``reason``, which tells a missing covariate, and places
            outside the stations' range, where the value is an extrapolation.

        Raises
        ------
        InputError
            If a covariate is missing.

        Notes
        -----
        x'B with the covariance Sigma (1 + x'(X'WX)^-1 x): the error of the line and
        the scatter of one station about it.

        Examples
        --------
        >>> stations = pd.DataFrame({"elevation": [3200.0, 3600.0, 4000.0, 4400.0],
        ...     "d18O": [-10.0, -11.1, -12.1, -13.0]})
        >>> isoscape = fit_rain_isoscape(stations, tracers=["d18O"])
        >>> rain = isoscape.predict(pd.DataFrame({"elevation": [3800.0, 4600.0]}))
        >>> rain.round(2).values.tolist()[1]
        [-13.55, 0.1, "elevation 4600 outside stations' 3200 to 4400"]
        """
        check_columns(places, self.covariates, what="Places")
        values = places[list(self.covariates)].to_numpy(dtype=float, na_value=np.nan)
        design = np.column_stack([np.ones(len(values)), values - self.centre])
        mean = design @ self.coefficients
        factor = 1.0 + np.einsum("ni,ij,nj->n", design, self.leverage, design)
        table = pd.DataFrame(mean, columns=list(self.tracers), index=places.index)
        for i, first in enumerate(self.tracers):
            variance = np.maximum(self.residual_covariance[i, i], 0.0)
            table[f"{first}_sd"] = np.sqrt(variance * factor)
            for j in range(i):
                column = f"{self.tracers[j]}_{first}_cov"
                table[column] = self.residual_covariance[i, j] * factor
        table["reason"] = [self._reason(row) for row in values]
        return table

    def _reason(self, place: FloatArray) -> str:
        low, high = self.limits
        words = []
        for name, value, least, most in zip(
            self.covariates, place, low, high, strict=True
        ):
            if np.isnan(value):
                words.append(f"missing {name}")
            elif not least <= value <= most:
                words.append(
                    f"{name} {value:g} outside stations' {least:g} to {most:g}"
                )
        return "; ".join(words)


def station_means(
    samples: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("elevation",),
    tracers: Sequence[str] = ("d18O", "d2H"),
    station: str = "site_id",
    amount: str | None = None,
) -> pd.DataFrame:
    """Average the rain samples of each station.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with ``water``, the tracers, the station and the covariates;
        rows of other waters than precipitation are left out.
    covariates : sequence of str
        Columns kept, averaged.
    tracers : sequence of str
        Tracers to average.
    station : str
        Column of the station.
    amount : str, optional
        Column of precipitation amounts [mm] that weight the samples.

    Returns
    -------
    stations : DataFrame
        One row a station, as `source_means` gives them, with the covariates. Samples
        without a station are left out.

    Raises
    ------
    MixingError
        If there is no sample of precipitation.
    InputError
        If a column is missing.

    Warns
    -----
    GeosoilWarning
        Where a station has one sample.

    Examples
    --------
    >>> rain = pd.DataFrame({"water": "precipitation", "site_id": ["a", "a", "b", "b"],
    ...     "elevation": [3200.0, 3200.0, 4000.0, 4000.0], "Cl": [1.0, 3.0, 5.0, 6.0]})
    >>> station_means(rain, tracers=["Cl"])[["site_id", "elevation", "Cl", "n"]]
      site_id  elevation   Cl  n
    0       a     3200.0  2.0  2
    1       b     4000.0  5.5  2
    """
    check_columns(samples, ["water", station, *covariates], what="Samples")
    known = samples[samples[station].notna().to_numpy()]
    options = SampleMeans((station,), tuple(tracers), amount)
    means = source_means(known, [RAIN], options)
    rain = known[(known["water"] == RAIN).to_numpy(dtype=bool)]
    places = rain.groupby(station, observed=True)[list(covariates)].mean()
    return means.join(places, on=station)


def fit_rain_isoscape(
    stations: pd.DataFrame,
    *,
    covariates: Sequence[str] = ("elevation",),
    tracers: Sequence[str] = ("d18O", "d2H"),
    weight: str = "n",
) -> RainIsoscape:
    """Regress the mean rain of stations on elevation by weighted least squares.

    Parameters
    ----------
    stations : DataFrame
        One row a station, with tracers [permil] and covariates, for instance of
        `station_means`; rows that lack one are left out.
    covariates : sequence of str
        Columns that rain hangs on, such as ``("elevation", "latitude")``.
    tracers : sequence of str
        Tracers to regress.
    weight : str
        Column of weights; one each where the table has none.

    Returns
    -------
    isoscape : RainIsoscape
        Coefficients with standard errors, covariance of both tracers.

    Raises
    ------
    MixingError
        With fewer than four stations (one more for each further covariate), weights
        that are not above 0, or covariates that do not vary or go together.
    InputError
        If a column is missing.

    Notes
    -----
    B = (X'WX)^-1 X'WY for all tracers at once, Sigma = R'WR / (n - p), with weights of
    mean 1, so that the covariance of two tracers' predictions comes along. Four
    stations leave two degrees of freedom: the errors themselves are then uncertain by
    half. Stations near each other are not independent, and the lapse rate of a month
    holds for that month.

    References
    ----------
    Poage and Chamberlain (2001), Am. J. Sci. 301, 1-15, doi:10.2475/ajs.301.1.1.

    Examples
    --------
    >>> stations = pd.DataFrame({"elevation": [3200.0, 3600.0, 4000.0, 4400.0],
    ...     "d18O": [-10.0, -11.1, -12.1, -13.0]})
    >>> isoscape = fit_rain_isoscape(stations, tracers=["d18O"])
    >>> (isoscape.coefficients[1] * 100).round(2).tolist()
    [-0.25]
    """
    names = list(covariates)
    check_columns(stations, names, what=WHAT)
    places = stations[names].to_numpy(dtype=float, na_value=np.nan)
    values = tracer_values(stations, tracers, what=WHAT)
    weights = np.ones(len(stations))
    if weight in stations.columns:
        weights = stations[weight].to_numpy(dtype=float, na_value=np.nan)
    whole = np.isfinite(np.column_stack([places, values, weights])).all(axis=1)
    places, values, weights = places[whole], values[whole], weights[whole]
    _check_stations(places, weights, names)
    weights = weights / weights.mean()
    centre = np.asarray(np.average(places, axis=0, weights=weights))
    # Scaled, so that metres and degrees meet on one footing.
    size = np.sqrt(np.average((places - centre) ** 2, axis=0, weights=weights))
    design = np.column_stack([np.ones(len(places)), (places - centre) / size])
    root = np.sqrt(weights)[:, None]
    inverse = np.linalg.pinv(root * design)
    scale = np.r_[1.0, size]
    coefficients = inverse @ (root * values)
    residuals = root * (values - design @ coefficients)
    covariance = residuals.T @ residuals / (len(values) - design.shape[1])
    leverage = inverse @ inverse.T / np.outer(scale, scale)
    return RainIsoscape(
        tuple(tracers),
        tuple(names),
        coefficients / scale[:, None],
        np.sqrt(np.outer(np.diag(leverage), np.diag(covariance))),
        covariance,
        len(values),
        centre,
        np.array([places.min(axis=0), places.max(axis=0)]),
        leverage,
    )


def rain_by_stratum(
    stations: pd.DataFrame,
    targets: pd.DataFrame,
    *,
    by: Sequence[str] = ("elevation_band",),
    covariates: Sequence[str] = ("elevation",),
    tracers: Sequence[str] = ("d18O", "d2H"),
    weight: str = "n",
) -> pd.DataFrame:
    """Give the rain of each stratum, from stations, at its mean elevation.

    Parameters
    ----------
    stations : DataFrame
        One row a station, see `fit_rain_isoscape`.
    targets : DataFrame
        Places of the strata, such as soil sites, or one row a stratum: columns of
        ``by`` and covariates.
    by : sequence of str
        Columns that make the strata.
    covariates, tracers, weight
        As in `fit_rain_isoscape`.

    Returns
    -------
    rain : DataFrame
        One row a stratum, ready for `EndMembers.from_table` once rows without a value
        are dropped: columns of ``by``, ``source`` precipitation, covariates, tracers,
        ``<tracer>_sd``, ``<a>_<b>_cov``; ``n`` 1, for the spread is that of the
        stratum's mean rain and does not shrink by a number; ``n_stations``;
        ``extrapolated``; ``reason``.

    Raises
    ------
    MixingError
        As `fit_rain_isoscape` does.
    InputError
        If a column is missing.

    Notes
    -----
    The fit is shared by all strata: their errors go together, which a table of end
    members cannot hold. The spread is that of the mean rain of a place about the
    regression, not of single rains.

    Examples
    --------
    >>> stations = pd.DataFrame({"elevation": [3200.0, 3600.0, 4000.0, 4400.0],
    ...     "d18O": [-10.0, -11.1, -12.1, -13.0], "d2H": [-70.0, -79.0, -87.0, -95.0]})
    >>> soil = pd.DataFrame({"elevation_band": ["3500-4000", "4500-5100"],
    ...     "elevation": [3800.0, 4800.0]})
    >>> rain = rain_by_stratum(stations, soil)
    >>> rain[["elevation_band", "d18O", "extrapolated"]].round(2)
      elevation_band   d18O  extrapolated
    0      3500-4000 -11.55         False
    1      4500-5100 -14.05          True
    """
    check_columns(targets, [*by, *covariates], what="Targets")
    isoscape = fit_rain_isoscape(
        stations, covariates=covariates, tracers=tracers, weight=weight
    )
    names = list(covariates)
    groups = sample_groups(targets, by)
    strata = pd.DataFrame([group.key for group in groups], index=range(len(groups)))
    places = [targets.iloc[group.rows][names].mean() for group in groups]
    where = pd.DataFrame(places, columns=names).reset_index(drop=True)
    rain = isoscape.predict(where)
    outside = (where < isoscape.limits[0]) | (where > isoscape.limits[1])
    reason = rain.pop("reason")
    return pd.concat([strata.assign(source=RAIN), where, rain], axis=1).assign(
        n=1,
        n_stations=isoscape.n_stations,
        extrapolated=outside.any(axis=1),
        reason=reason,
    )


def _check_stations(places: FloatArray, weights: FloatArray, names: list[str]) -> None:
    """Raise where stations cannot carry a regression."""
    fewest = FEWEST + len(names) - 1
    if len(places) < fewest:
        message = (
            f"{len(places)} stations have rain and {', '.join(names)}; a regression on "
            f"{len(names)} of them needs {fewest} or more. Give one end member of "
            "precipitation for all strata instead."
        )
        raise MixingError(message)
    if np.any(weights <= 0):
        message = f"{int(np.sum(weights <= 0))} stations have a weight not above 0."
        raise MixingError(message)
    size = np.abs(places).max(axis=0)
    flat = [
        name
        for name, spread, large in zip(names, np.ptp(places, axis=0), size, strict=True)
        if spread <= 1e-9 * large
    ]
    if flat:
        message = (
            f"All {len(places)} stations have the same {', '.join(flat)}: no change "
            "with it can be found. Leave it out."
        )
        raise MixingError(message)
    scaled = (places - places.mean(axis=0)) / places.std(axis=0)
    condition = float(np.linalg.cond(scaled))
    if condition > ILL_CONDITIONED:
        message = (
            f"{' and '.join(names)} of the stations go together (condition number "
            f"{condition:.3g}): their changes cannot be told apart. Leave one out."
        )
        raise MixingError(message)
