"""Parts of a whole: how they are interpolated together, and how well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.composition import CompositionInterpolator
from geosoil.interpolation.composition_log_ratio import FEWEST
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.composition_sites import SiteFractions
from geosoil.interpolation.domains import DomainMap, map_by_domain
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import (
    CrossValidation,
    cross_validate,
)
from geosoil.interpolation.validation_folds import Folds
from geosoil.interpolation.validation_predictors import SampleMean
from geosoil.interpolation.validation_scores import score_predictions
from geosoil.interpolation.zero_rules import source_sets
from geosoil.workflow.interpolate_inputs import InterpolateInputs
from geosoil.workflow.interpolate_methods import (
    IN_WORDS,
    Maker,
    given_variogram,
    is_kriging,
)
from geosoil.workflow.interpolate_request import AUTO

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NO_DOMAIN = "too few points of the other folds with these sources"
"""Why a point is not predicted."""

ANEW = "the variograms of the log-ratios were fitted anew in each fold"


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """The parts of a whole at the points of a run."""

    makers: Mapping[str, Maker]
    """What makes the interpolator of each part."""

    @property
    def inputs(self) -> InterpolateInputs:
        """Points, rules and rasters."""
        return next(iter(self.makers.values())).inputs

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(self.makers)

    @property
    def fractions(self) -> pd.DataFrame:
        """Fractions of the points, one column a part."""
        inputs = self.inputs
        table = pd.DataFrame({name: inputs.values(name) for name in self.names})
        return table.set_index(inputs.points.index)

    @property
    def whole_shares(self) -> bool:
        """Whether no fraction is below 0, so that log-ratios can be taken."""
        return bool((self.fractions.to_numpy() >= 0).all())

    @property
    def _first(self) -> Maker:
        """Maker of the first part."""
        return next(iter(self.makers.values()))

    @property
    def period(self) -> str | None:
        """Period of the fractions."""
        return self._first.request.period

    def sites(self) -> SiteFractions:
        """Return the fractions of the points as the science takes them.

        Returns
        -------
        sites : SiteFractions
            In the order of the points.
        """
        inputs = self.inputs
        noise = None if inputs.noise is None else inputs.noise.reset_index(drop=True)
        points = inputs.points.reset_index(drop=True)
        fractions = self.fractions.reset_index(drop=True)
        return SiteFractions(points, fractions, inputs.heights, noise)

    def of_sites(self, sites: SiteFractions) -> dict[str, Maker]:
        """Return the makers of some parts at some of the points.

        Parameters
        ----------
        sites : SiteFractions
            The points, with the parts that are possible there.

        Returns
        -------
        makers : dict of str to Maker
            By part.
        """
        names = [str(name) for name in sites.raw.columns]
        points = gpd.GeoDataFrame(sites.raw, geometry=_geometry(sites))
        inputs = replace(
            self.inputs,
            points=points,
            noise=sites.variance,
            heights=sites.elevation,
            sites=None,
        )
        return {name: Maker(inputs, self._first.request, name) for name in names}

    def by_domain(self, method: str) -> DomainMap:
        """Interpolate part by part, each where it is possible, and close the sum.

        Parameters
        ----------
        method : str
            Method; not "ilr".

        Returns
        -------
        result : DomainMap
            A point at which a part cannot be says nothing of it elsewhere.
        """

        def make(
            part: SiteFractions,
        ) -> tuple[dict[str, Interpolator], pd.DataFrame | None]:
            each = {k: one.make(method) for k, one in self.of_sites(part).items()}
            return each, part.variance if is_kriging(method) else None

        inputs = self.inputs
        return map_by_domain(
            self.sites(),
            make,
            zero_rules=inputs.rules,
            grid=inputs.grid,
            period=self.period or "",
            elevation=inputs.rasters.elevation,
        )

    def log_ratios(self, chosen: BoolArray | None = None) -> CompositionInterpolator:
        """Fit log-ratios to all points, or to some of them.

        Parameters
        ----------
        chosen : array of bool, shape (n,), optional
            Points in use.

        Returns
        -------
        interpolator : CompositionInterpolator
            Fitted; each balance has a variogram of its own.
        """
        inputs, request = self.inputs, self._first.request
        used = np.ones(len(inputs.points), dtype=bool) if chosen is None else chosen
        noise, heights = inputs.noise, inputs.heights
        return CompositionInterpolator(
            self._balances(),
            inputs.rules,
            method="ilr",
            log_ratios=LogRatioOptions(delta=request.delta, seed=request.seed),
        ).fit(
            inputs.points[used],
            self.fractions[used],
            variance=None if noise is None else noise[used],
            elevation=None if heights is None else heights[used],
            period=self.period,
        )

    def _balances(self) -> Interpolator:
        """Return the kriging of balances."""
        words = self._first.request.variogram
        options = self._first.options("ilr")
        given = {key: value for key, value in options.items() if value is not None}
        if ":" in words:
            return Kriging(given_variogram(words), **given)
        return Kriging("spherical" if words == AUTO else words, **given)

    def allowed(self) -> BoolArray:
        """Say which part no rule excludes at each point.

        Returns
        -------
        allowed : array of bool, shape (n, parts)
            False where a rule makes it 0.
        """
        inputs = self.inputs
        allowed = np.ones((len(inputs.points), len(self.names)), dtype=bool)
        heights = np.full(len(inputs.points), np.nan)
        heights = heights if inputs.heights is None else inputs.heights
        for rule in inputs.rules:
            allowed[:, self.names.index(rule.source)] &= ~rule.zero(heights)
        return allowed


def _geometry(sites: SiteFractions) -> gpd.GeoSeries:
    """Return the places of sites, which a run always knows with their CRS."""
    return gpd.GeoSeries(sites.points.geometry)  # type: ignore[union-attr]  # no array


def domain_validations(
    whole: Whole, drawn: Folds, validate: Callable[[Maker, Folds], CrossValidation]
) -> dict[str, CrossValidation]:
    """Predict each part from the points of the other folds where the same is possible.

    Parameters
    ----------
    whole : Whole
        The parts.
    drawn : Folds
        Folds of kind "site", whose groups are what is left out together.
    validate : callable
        Cross-validates one part at the points of one domain.

    Returns
    -------
    found : dict of str to CrossValidation
        One a part, moved to the nearest possible composition as the map is; 0 where a
        rule says so. No prediction where a domain has too few points or folds.
    """
    inputs, allowed = whole.inputs, whole.allowed()
    labels = np.asarray(drawn.groups)
    predicted = np.where(allowed, np.nan, 0.0)
    variance = np.full(allowed.shape, np.nan)
    note, method = "", ""
    for pattern, chosen in source_sets(allowed):
        columns = np.flatnonzero(pattern)
        if len(columns) == 1:
            predicted[np.ix_(chosen, columns)] = 1.0
        several = len(np.unique(labels[chosen])) > 1
        if len(columns) < 2 or chosen.sum() < FEWEST or not several:
            continue
        own = Folds("site", groups=labels[chosen])
        names = [whole.names[column] for column in columns]
        part = whole.of_sites(whole.sites().part(chosen, names))
        for column, name in zip(columns.tolist(), names, strict=True):
            validation = validate(part[name], own)
            predicted[chosen, column] = validation.table["predicted"]
            variance[chosen, column] = validation.table["variance"]
            note, method = validation.note, validation.method
    closed = close_to_simplex(predicted, allowed=allowed)
    found = {}
    for column, name in enumerate(whole.names):
        base = cross_validate(
            SampleMean(), inputs.points, inputs.values(name), folds=drawn
        )
        table = base.table.assign(variance=variance[:, column], reason="")
        base = replace(base, table=table, note=note, method=method, closed_form=False)
        found[name] = _predicting(base, closed[:, column])
    return found


def _predicting(found: CrossValidation, predicted: FloatArray) -> CrossValidation:
    """Return a validation with other predictions, its variance kept."""
    table = found.table.copy()
    table["predicted"] = predicted
    table["residual"] = table["observed"] - predicted
    silent = np.isnan(predicted) & (table["reason"] == "")
    table.loc[silent, "reason"] = NO_DOMAIN
    sure = table["variance"] > 0
    table["z"] = table["residual"] / np.sqrt(table["variance"].where(sure))
    scores = score_predictions(table["observed"], table["predicted"], table["variance"])
    return replace(found, table=table, scores=scores)


def log_ratio_validations(
    like: Mapping[str, CrossValidation], whole: Whole
) -> dict[str, CrossValidation]:
    """Predict each point by log-ratios of the points of the other folds.

    Parameters
    ----------
    like : mapping of str to CrossValidation
        Validations of another method, whose folds are taken.
    whole : Whole
        The parts.

    Returns
    -------
    found : dict of str to CrossValidation
        One a part; the variance is that of the mean fraction.
    """
    first = next(iter(like.values()))
    folds = first.table["fold"].to_numpy()
    shape = (len(folds), len(whole.names))
    predicted, variance = np.full(shape, np.nan), np.full(shape, np.nan)
    reason = np.full(len(folds), "", dtype=object)
    for fold in np.unique(folds[folds >= 0]):
        test = folds == fold
        try:
            fitted = whole.log_ratios((folds >= 0) & ~test)
            predicted[test], variance[test] = _at_points(fitted, whole, test)
        except InputError as error:
            reason[test] = f"not fitted: {error}"
    reason[np.isnan(predicted[:, 0]) & (reason == "")] = "no answer"
    return {
        name: replace(
            _predicting(
                replace(
                    like[name],
                    table=like[name].table.assign(
                        variance=variance[:, i], reason=reason
                    ),
                ),
                predicted[:, i],
            ),
            method=IN_WORDS["ilr"],
            note=ANEW,
            closed_form=False,
        )
        for i, name in enumerate(whole.names)
    }


def _at_points(
    fitted: CompositionInterpolator, whole: Whole, chosen: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return fractions and variances at some of the points, shape (m, parts)."""
    inputs = whole.inputs
    heights = None if inputs.heights is None else inputs.heights[chosen]
    told = fitted.predict(inputs.points[chosen], elevation=heights)
    mean = np.stack([told[name].to_numpy() for name in whole.names], axis=1)
    spread = np.stack([told[f"{name}_sd"].to_numpy() for name in whole.names], axis=1)
    return mean, np.square(spread)
