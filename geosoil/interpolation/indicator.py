"""Indicator kriging: the probability of a value below thresholds, or of a category."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import CRS

from geosoil.errors import GeosoilWarning, InputError
from geosoil.interpolation._kernels_indicator import (
    close_probabilities,
    mean_value,
    order_probabilities,
    rank_value,
)
from geosoil.interpolation.base import ALBERS, FloatArray, Interpolator, Points
from geosoil.interpolation.cokriging_system import CokrigingSystem, VariableData
from geosoil.interpolation.coregionalization_model import single_coregionalization
from geosoil.interpolation.indicator_levels import Levels
from geosoil.interpolation.indicator_settings import (
    check_variograms,
    corrections,
    in_words,
    one_or_several,
)
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.residuals import enough_places
from geosoil.interpolation.variogram import AnyVariogram, fit_variogram


class IndicatorKriging(Interpolator):
    """Krige the probability that a value is at most a threshold, or of a category.

    After :meth:`fit`: ``variograms_`` (one a level; None where the indicator is the
    same at all data), ``indicators_`` (n, k) and ``points_``.

    Parameters
    ----------
    variogram : Variogram, NestedVariogram, str, or a sequence of these
        One variogram for the indicators of all levels ("median indicator kriging"), or
        one a level. A name is a model to be fitted: to each level of a sequence, and
        else to the level whose share of the data is nearest to a half.
    thresholds : sequence of float, optional
        Rising thresholds.
    categories : sequence, optional
        All categories, two or more. Give these or thresholds.
    n_neighbors : int, optional
        Use the nearest data only; all by default.
    max_distance : float, optional
        Use data within this distance only [m]; NaN where there are none.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    SingularKrigingError
        From fit or estimate, if the covariances of the data have no unique inverse.
    InputError
        If settings cannot be, or more than 5000 data are to be used at once.

    Notes
    -----
    The indicators, 1 where a value is at most the threshold (or in the category) and 0
    elsewhere, are kriged with an unknown constant mean. The estimates may leave 0 to 1
    and, for thresholds, fall where they should rise. ``probability`` is corrected: for
    thresholds by the mean of an upward and a downward pass, for categories by cutting
    to 0 to 1 and dividing by the sum. ``raw_probability`` is as kriged; ``n_corrected``
    counts the numbers that differ, ``mean_correction`` says by how much. Many or large
    corrections tell of variograms that do not fit each other.

    ``estimate`` is the mean of the distribution that is linear between the lowest
    datum, the thresholds and the highest datum; for categories the number of the most
    probable one, as the attributes of CF flags say.

    An indicator that is the same at all data is not kriged: its probability is 0 or 1
    everywhere, and a warning says so.

    References
    ----------
    Journel (1983), Nonparametric estimation of spatial distributions, Journal of the
    International Association for Mathematical Geology 15, doi:10.1007/BF01031292.
    Deutsch and Journel (1998), GSLIB: Geostatistical Software Library and User's Guide,
    second edition, Oxford University Press.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> sites = [[0.0, 0.0], [1000.0, 0.0], [2000.0, 0.0]]
    >>> model = Variogram("spherical", 0.0, 0.25, 5000.0)
    >>> kriging = IndicatorKriging(model, thresholds=[1.5, 2.5])
    >>> answer = kriging.fit(sites, [1.0, 2.0, 3.0]).predict([[500.0, 0.0]])
    >>> answer.probability.values.round(3).ravel().tolist()
    [0.5, 1.0]
    >>> kriging.quantile(answer, 0.5).values.round(3).tolist()
    [1.5]
    """

    variograms_: tuple[AnyVariogram | None, ...]
    indicators_: FloatArray

    def __init__(
        self,
        variogram: AnyVariogram | str | Sequence[AnyVariogram | str],
        *,
        thresholds: Sequence[float] | npt.ArrayLike | None = None,
        categories: Sequence[Hashable] | npt.ArrayLike | None = None,
        n_neighbors: int | None = None,
        max_distance: float | None = None,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        self.levels = Levels.of(thresholds, categories)
        self.neighborhood = Neighborhood(n_neighbors, max_distance)
        self.variogram = one_or_several(variogram)
        several = isinstance(self.variogram, tuple)
        self.method = "indicator kriging" if several else "median indicator kriging"
        check_variograms(self.variogram, len(self.levels.names))

    def fit(
        self,
        points: Points,
        values: npt.ArrayLike,
        *,
        variance: npt.ArrayLike | None = None,
    ) -> IndicatorKriging:
        """Take the points and the values, or categories, whose indicators are kriged.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        values : array, shape (n,)
            A number or a category a place; missing ones are dropped. Numbers at one
            place are averaged; of several categories at one place the shares count.
        variance : None
            Not taken: an error of a value is none of its indicator.

        Returns
        -------
        self : IndicatorKriging
            The fitted interpolator.

        Raises
        ------
        InputError
            If there are fewer than 3 places, shapes differ, a category is unknown, or a
            variance is given.

        Warns
        -----
        GeosoilWarning
            If an indicator is the same at all data.
        """
        if variance is not None:
            message = (
                "Indicator kriging cannot use the variance of the measurements. Leave "
                "it out, or use Kriging."
            )
            raise InputError(message)
        self.crs_ = self._place_crs(points)
        places, self.indicators_ = self.levels.indicators(self._places(points), values)
        self._take(enough_places(places))
        self._prepare()
        return self

    def quantile(self, surface: xr.Dataset, q: float) -> xr.DataArray:
        """Return the value below which a share of the probability lies.

        Parameters
        ----------
        surface : Dataset
            What :meth:`predict` or :meth:`grid` of this fit returned.
        q : float
            The share, 0 to 1.

        Returns
        -------
        quantile : DataArray with the dims of the surface, without threshold
            Linear between the lowest datum, the thresholds and the highest datum.

        Raises
        ------
        InputError
            If the share lies outside 0 to 1, or the levels are categories.
        """
        self._check_fitted()
        if self.levels.kind == "category" or not 0 <= q <= 1:
            message = (
                f"No quantile {q} of {self.levels.kind} levels. Give thresholds, and a "
                "share within 0 and 1."
            )
            raise InputError(message)
        ordered = surface["probability"].transpose("threshold", ...)
        kept = ordered.isel(threshold=self._varied())
        found = rank_value(self._knots(), kept.to_numpy(), q)
        quantile = ordered.isel(threshold=0, drop=True).copy(data=found)
        quantile.attrs = {"long_name": f"quantile {q:g} by {self.method}"}
        return quantile.rename("quantile")

    def _prepare(self) -> None:
        """Fit the variograms if asked to, and factor the global systems."""
        varied = self._varied()
        constant = [name for k, name in enumerate(self.levels.names) if k not in varied]
        if constant:
            names = ", ".join(map(str, constant))
            message = (
                f"The indicators of {self.levels.kind} {names} are the same at all "
                "data: their probability is 0 or 1 everywhere."
            )
            warnings.warn(message, GeosoilWarning, stacklevel=3)
        self._solved: list[_SolvedLevels] = []
        chosen: list[AnyVariogram | None] = [None] * len(self.levels.names)
        if isinstance(self.variogram, tuple):
            for level in varied:
                own = self._fitted(self.variogram[level], level)
                self._solve(own, np.array([level]))
                chosen[level] = own
        elif len(varied):
            shares = self.indicators_[:, varied].mean(axis=0)
            median = int(varied[np.argmin(np.abs(shares - 0.5))])
            common = self._fitted(self.variogram, median)
            self._solve(common, varied)
            for level in varied:
                chosen[level] = common
        self.variograms_ = tuple(chosen)

    def _varied(self) -> npt.NDArray[np.int64]:
        """Return the numbers of the levels whose indicator is not constant."""
        return np.flatnonzero(np.ptp(self.indicators_, axis=0) > 0)

    def _fitted(self, variogram: AnyVariogram | str, level: int) -> AnyVariogram:
        """Return a variogram, fitted to the indicator of a level where it is a name."""
        if not isinstance(variogram, str):
            return variogram
        column = self.indicators_[:, level]
        fitted: AnyVariogram = fit_variogram(self.points_.xy, column, model=variogram)  # type: ignore[call-overload]  # checked there
        return fitted

    def _solve(self, variogram: AnyVariogram, levels: npt.NDArray[np.int64]) -> None:
        """Set up the system of levels with one variogram."""
        count = len(self.points_.xy)
        columns = self.indicators_[:, levels]
        means = columns.mean(axis=0)
        model = single_coregionalization(variogram, "indicator")
        data = VariableData(
            self.points_.xy,
            np.zeros(count, dtype=np.int64),
            columns - means,
            np.full(count, variogram.error / variogram.sill),
        )
        system = CokrigingSystem(
            model.scaled([1.0 / np.sqrt(variogram.sill)]),
            data,
            drift=np.ones((count, 1)),
            neighborhood=self.neighborhood,
        )
        self._solved.append(_SolvedLevels(levels, means, system))

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate all levels, numbered ``raw_0``, ``probability_0``, ..."""
        raw = np.full((len(self.levels.names), len(targets)), np.nan)
        constant = np.ptp(self.indicators_, axis=0) == 0
        raw[constant] = self.indicators_[0, constant][:, None]
        for solved in self._solved:
            for part, products in solved.system.blocks(targets, 0):
                found, _ = products.best(np.ones(1), 1.0)
                near = products.there[:, :1]
                answer = np.where(near, found + solved.means, np.nan)
                raw[solved.levels[:, None], part] = answer.T
        raw[:, ~np.isfinite(raw).all(axis=0)] = np.nan
        if self.levels.kind == "threshold":
            corrected = order_probabilities(raw)
            estimate = mean_value(self._knots(), corrected[self._varied()])
        else:
            corrected = close_probabilities(raw)
            known = np.isfinite(corrected).all(axis=0)
            most = np.argmax(np.where(known, corrected, 0.0), axis=0)
            estimate = np.where(known, most, np.nan)
        answers = {"estimate": estimate}
        for level in range(len(raw)):
            answers[f"probability_{level}"] = corrected[level]
            answers[f"raw_{level}"] = raw[level]
        return answers

    def _knots(self) -> FloatArray:
        """Return lowest datum, thresholds between the data, and highest datum."""
        values = self.points_.values
        limits = np.array(self.levels.names, dtype=np.float64)[self._varied()]
        return np.concatenate([[values.min()], limits, [values.max()]])

    def _describe(self, dataset: xr.Dataset) -> xr.Dataset:
        """Put the levels along one dim, and say what was corrected."""
        described = super()._describe(dataset)
        attrs, estimate = described.attrs, described["estimate"]
        kind, labels = self.levels.kind, self.levels.labels()
        index = xr.DataArray(labels, dims=kind, name=kind)
        parts = {}
        for name in ("probability", "raw"):
            layers = [described[f"{name}_{k}"] for k in range(len(index))]
            parts[name] = xr.concat(layers, dim=index)
        surface = xr.Dataset(
            {
                "probability": parts["probability"],
                "raw_probability": parts["raw"],
                "estimate": estimate,
            },
            attrs=attrs,
        )
        words = "value at most the threshold" if self._rises else "category"
        for name, how in (
            ("probability", "corrected"),
            ("raw_probability", "as kriged"),
        ):
            surface[name].attrs = {
                "units": "1",
                "long_name": f"probability of the {words}, {how}",
            }
        if not self._rises:
            surface["estimate"].attrs = {
                "long_name": "most probable category",
                "flag_values": list(range(len(index))),
                "flag_meanings": " ".join(
                    str(name).replace(" ", "_") for name in self.levels.names
                ),
            }
        surface.attrs.update(corrections(parts["probability"], parts["raw"]))
        return surface

    @property
    def _rises(self) -> bool:
        """Whether the levels are thresholds."""
        return self.levels.kind == "threshold"

    def _settings(self) -> dict[str, Any]:
        """Return the method with its variograms and neighbourhood."""
        known = [one for one in self.variograms_ if one is not None]
        different = list({id(one): one for one in known}.values())
        varied = self._varied()
        constant = [str(n) for k, n in enumerate(self.levels.names) if k not in varied]
        settings = {
            "method": self.method,
            "variograms": "; ".join(in_words(one) for one in different),
            "constant_levels": ", ".join(constant) or None,
            "n_neighbors": self.neighborhood.n_neighbors,
            "max_distance": self.neighborhood.max_distance,
        }
        return {key: value for key, value in settings.items() if value is not None}


@dataclass(frozen=True, slots=True, eq=False)
class _SolvedLevels:
    """Levels that share a variogram, and so their weights."""

    levels: npt.NDArray[np.int64]
    means: FloatArray
    system: CokrigingSystem
