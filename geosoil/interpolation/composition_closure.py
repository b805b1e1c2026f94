"""Raw fractions interpolated source by source and moved onto the simplex."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.composition_places import Places
from geosoil.interpolation.composition_surfaces import fraction_surfaces
from geosoil.interpolation.log_ratios import SUM_TOLERANCE, named_rows
from geosoil.interpolation.zero_rules import ZeroRule, possible_sources

METHOD = "closure"


class ClosureMaps:
    """Sources interpolated each by itself, whose answers are closed at every place.

    Parameters
    ----------
    interpolator : Interpolator or mapping of source to Interpolator
        How each source is interpolated.
    zero_rules : sequence of ZeroRule
        Where a source is exactly 0.
    """

    interpolators: dict[str, Interpolator]
    """Fitted interpolator of each source."""

    def __init__(
        self,
        interpolator: Interpolator | Mapping[str, Interpolator],
        zero_rules: Sequence[ZeroRule],
    ) -> None:
        self.interpolator = interpolator
        self.zero_rules = tuple(zero_rules)

    def fit(
        self,
        points: Points,
        fractions: pd.DataFrame,
        variance: pd.DataFrame | FloatArray | None,
    ) -> ClosureMaps:
        """Fit each source to its raw fractions.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places.
        fractions : DataFrame, n rows
            One column a source; rows that miss a fraction are dropped.
        variance : DataFrame, n rows, or None
            Variance of each fraction.

        Returns
        -------
        self : ClosureMaps
            The fitted maps.

        Raises
        ------
        InputError
            If rows do not sum to 1, a rule or an interpolator names another source, or
            covariances are given in place of variances.
        """
        if variance is not None and not isinstance(variance, pd.DataFrame):
            message = "Covariances are for method='ilr'. Give a table of variances."
            raise InputError(message)
        self.sources = tuple(map(str, fractions.columns))
        values = fractions.to_numpy(dtype=np.float64)
        self._check(self.sources, values, fractions.index)
        gaps = ~np.isfinite(values).all(axis=1)
        values = np.where(gaps[:, None], np.nan, values)
        self.interpolators = {}
        for column, source in enumerate(self.sources):
            own = copy.copy(self._interpolator(source))
            noise = None if variance is None else variance[source].to_numpy()
            self.interpolators[source] = own.fit(
                points, values[:, column], variance=noise
            )
        return self

    def at(self, places: Places, period: str | None) -> xr.Dataset:
        """Tell the fractions of a period.

        Parameters
        ----------
        places : Cells or PointPlaces
            Where; their elevation is needed by rules with a limit.
        period : str or None
            Period, which chooses the zero rules.

        Returns
        -------
        fractions : Dataset with dims y, x or point
            One variable a source and, from kriging, ``<source>_sd``.

        Raises
        ------
        InputError
            If elevation is needed, or the rules leave no source.
        """
        zero, unknown = self._zeros(places, period)
        answers = [places.ask(self.interpolators[source]) for source in self.sources]
        raw = np.stack([answer["estimate"].to_numpy() for answer in answers], axis=-1)
        raw[unknown] = np.nan
        closed = close_to_simplex(raw, allowed=~zero)
        spread = None
        if all("kriging_variance" in answer for answer in answers):
            own = [np.sqrt(answer["kriging_variance"].to_numpy()) for answer in answers]
            spread = np.where(zero, 0.0, np.stack(own, axis=-1))
            spread = np.where(np.isnan(closed), np.nan, spread)
        surfaces = fraction_surfaces(places, self.sources, closed, spread)
        surfaces.attrs = self._settings(period, answers[0])
        return surfaces

    def _settings(self, period: str | None, answer: xr.Dataset) -> dict[str, object]:
        """Return the attributes that say how the surfaces were made."""
        rules = [str(rule) for rule in self.zero_rules if period in rule.period]
        return {
            **{k: v for k, v in answer.attrs.items() if k.startswith("n_")},
            "interpolation": answer.attrs["method"],
            "method": METHOD,
            "description": (
                "raw fractions interpolated source by source, zero rules applied, "
                "then projected onto the simplex (Euclidean)"
            ),
            "period": period or "none",
            "zero_rules": "; ".join(rules) or "none",
        }

    def _interpolator(self, source: str) -> Interpolator:
        """Return the unfitted interpolator of a source."""
        if isinstance(self.interpolator, Interpolator):
            return self.interpolator
        return self.interpolator[source]

    def _check(
        self, sources: tuple[str, ...], values: FloatArray, index: pd.Index
    ) -> None:
        """Raise on sums other than 1, and on names that are no source."""
        faults = []
        off = np.abs(values.sum(axis=1) - 1.0) > SUM_TOLERANCE
        if off.any():
            rows = named_rows(off, list(index))
            faults.append(f"{off.sum()} rows do not sum to 1 ({rows})")
        named = {rule.source for rule in self.zero_rules} - set(sources)
        if named:
            faults.append(f"zero rules name unknown sources {sorted(named)}")
        if isinstance(self.interpolator, Mapping):
            absent = sorted(set(sources) - set(self.interpolator))
            faults += [f"no interpolator for {absent}"] if absent else []
        if faults or not sources:
            message = (
                f"Cannot interpolate the fractions of {list(sources)}: "
                f"{'; '.join(faults) or 'no column'}."
            )
            raise InputError(message)

    def _zeros(self, places: Places, period: str | None) -> tuple[BoolArray, BoolArray]:
        """Return which source is zero where (..., source), and where none can say."""
        active = [rule for rule in self.zero_rules if period in rule.period]
        limited = [str(rule) for rule in active if rule.needs_elevation]
        if places.heights is None and limited:
            message = f"The zero rules need elevation: {'; '.join(limited)}."
            raise InputError(message)
        possible = possible_sources(active, self.sources, places.heights, places.shape)
        return ~possible, np.asarray(~possible.any(axis=-1))
