"""Cross-validate what the command may use, and take the best or the user's word."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import GeosoilWarning, InputError
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.validation import (
    FITTED,
    GIVEN,
    CrossValidation,
    common_folds,
)
from geosoil.interpolation.validation_comparison import (
    MEAN,
    paired_difference,
    rank_validations,
    validate_candidates,
)
from geosoil.interpolation.validation_folds import Folds
from geosoil.interpolation.validation_predictors import Candidate, SampleMean
from geosoil.workflow.interpolate_composition import (
    Whole,
    domain_validations,
    log_ratio_validations,
)
from geosoil.workflow.interpolate_drift import ELEVATIONS
from geosoil.workflow.interpolate_inputs import InterpolateInputs
from geosoil.workflow.interpolate_methods import IN_WORDS, Maker
from geosoil.workflow.interpolate_request import AUTO, InterpolateRequest

FloatArray = npt.NDArray[np.float64]

REGRESSION = "regression kriging"
"""Candidate that equals kriging with external drift where all is known."""

FOLDS = 10
"""Random folds of --cv kfold."""

ROUNDING = 1e-9
"""Part of the mean's error below which a gain is rounding."""

Validations = dict[str, dict[str, CrossValidation]]
"""By candidate and quantity."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The method that is used, and what speaks for it."""

    method: str
    """Method of the map."""
    ranking: pd.DataFrame
    """One row a quantity and candidate, the best first; empty without validation."""
    validations: Mapping[str, CrossValidation]
    """Cross-validation of the method, by quantity."""
    words: tuple[str, ...]
    """What is told of it."""


def choose(
    makers: Mapping[str, Maker],
    request: InterpolateRequest,
    report: Callable[[str], None],
) -> Choice:
    """Compare the candidates in cross-validation.

    Parameters
    ----------
    makers : mapping of str to Maker
        What makes the interpolators of each quantity.
    request : InterpolateRequest
        What is asked.
    report : callable
        Called with a line a quantity.

    Returns
    -------
    choice : Choice
        The method of the request. Where it is "auto": the one of the smallest mean
        squared error over all quantities, but the mean of the places where that is
        better than it by no more than one standard error of their difference.

    Raises
    ------
    InputError
        If the folds cannot be made, or a candidate cannot be fitted to all data.
    """
    if request.cv == "none":
        return Choice(request.method, pd.DataFrame(), {}, ())
    folds, words = _folds(makers, request)
    found = _validations(makers, request, folds, report)
    ranking = _ranking(found, tuple(makers))
    method: str = request.method
    if method == AUTO:
        method, told = _best(_pooled(found))
        words = (*words, told)
    return Choice(method, ranking, found[method], words)


def _validations(
    makers: Mapping[str, Maker],
    request: InterpolateRequest,
    folds: Folds,
    report: Callable[[str], None],
) -> Validations:
    """Cross-validate every candidate of every quantity."""
    first = next(iter(makers.values()))
    names = _candidates(first.inputs, request)
    if request.composition:
        return _of_parts(Whole(makers), [*names, MEAN], (request, folds), report)
    report(f"cross-validating {', '.join(names) or MEAN} of {first.name}")
    found = _validated(first, names, folds)
    kept = FITTED if ":" not in request.variogram else GIVEN
    return {
        candidate: {
            first.name: replace(one, note=kept if one.note == GIVEN else one.note)
        }
        for candidate, one in found.items()
    }


def _of_parts(
    whole: Whole,
    names: list[str],
    how: tuple[InterpolateRequest, Folds],
    report: Callable[[str], None],
) -> Validations:
    """Cross-validate the candidates of a composition, domain by domain."""
    request, folds = how
    inputs, first = whole.inputs, whole.names[0]
    drawn, size = common_folds(inputs.points, inputs.values(first), folds)
    found: Validations = {}
    for candidate in names:
        report(f"cross-validating {candidate} of {', '.join(whole.names)}")
        asked = [] if candidate == MEAN else [candidate]

        def validate(
            maker: Maker, own: Folds, key: str = candidate, names: list[str] = asked
        ) -> CrossValidation:
            return _validated(maker, names, own)[key]

        try:
            parts = domain_validations(whole, drawn, validate)
        except InputError as error:
            if request.method != AUTO or candidate == MEAN:
                raise
            words = f"{IN_WORDS.get(candidate, candidate)} is not compared: {error}"
            warnings.warn(words, GeosoilWarning, stacklevel=2)
            continue
        found[candidate] = {
            name: replace(one, folds=folds.kind, block_size=size)
            for name, one in parts.items()
        }
    if request.method in ("ilr", AUTO):
        report("cross-validating log-ratios")
        found |= _log_ratios(found[MEAN], whole, request)
    return found


def _log_ratios(
    like: Mapping[str, CrossValidation], whole: Whole, request: InterpolateRequest
) -> Validations:
    """Cross-validate log-ratios; a run that chooses goes on where they cannot be."""
    try:
        if request.method == AUTO and not whole.whole_shares:
            message = "some fractions are below 0."
            raise InputError(message)
        whole.log_ratios()
    except InputError as error:
        if request.method != AUTO:
            raise
        words = f"Log-ratios are not compared: {error}"
        warnings.warn(words, GeosoilWarning, stacklevel=2)
        return {}
    return {"ilr": log_ratio_validations(like, whole)}


def _candidates(inputs: InterpolateInputs, request: InterpolateRequest) -> list[str]:
    """Return the names of what is compared part by part, the mean left out."""
    if request.method != AUTO:
        return [] if request.method in ("ilr", MEAN) else [request.method]
    names = ["idw", "ok"]
    if inputs.rasters.wide is not None:
        names.append("ked")
        if _is_elevation(inputs) and inputs.noise is None:
            names.append(REGRESSION)
    return names


def _is_elevation(inputs: InterpolateInputs) -> bool:
    """Say whether the drift is the elevation alone."""
    wide = inputs.rasters.wide
    names = [] if wide is None else [str(name) for name in wide.data_vars]
    return len(names) == 1 and names[0].lower() in ELEVATIONS


def _folds(
    makers: Mapping[str, Maker], request: InterpolateRequest
) -> tuple[Folds, tuple[str, ...]]:
    """Return what is left out together; places one by one where blocks are none."""
    inputs = next(iter(makers.values())).inputs
    kind = "loo" if request.cv == "none" else request.cv
    places = inputs.points.geometry.to_wkb().nunique()
    folds = Folds(
        kind,
        n_folds=min(FOLDS, places),
        groups=inputs.sites,
        rng=np.random.default_rng(request.seed) if kind == "kfold" else None,
    )
    if kind != "block":
        return folds, ()
    try:
        sizes = [
            common_folds(inputs.points, maker.values, folds)[1] or 0.0
            for maker in makers.values()
        ]
    except InputError:
        words = f"the {places} places fall in one block: each is left out by itself"
        return Folds("loo"), (words,)
    # One side for all quantities, so that their errors can be added up.
    return replace(folds, block_size=max(sizes)), ()


def _validated(
    maker: Maker, names: list[str], folds: Folds
) -> dict[str, CrossValidation]:
    """Cross-validate the candidates of one quantity, and the mean."""
    inputs = maker.inputs
    candidates: dict[str, Candidate] = {}
    height = None
    for name in names:
        if name == REGRESSION:
            candidates[name] = ElevationKriging(maker.variogram("ked"))
            height = maker.drift("ked")
        else:
            candidates[name] = maker.for_validation(name)
    return validate_candidates(
        candidates or {MEAN: SampleMean()},
        inputs.points,
        maker.values,
        folds=folds,
        measurement_variance=inputs.variance(maker.name),
        elevation=None if height is None else height[:, 0],
    )


def _ranking(found: Validations, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the scores of every candidate, quantity by quantity."""
    tables = []
    for name in names:
        own = {candidate: each[name] for candidate, each in found.items()}
        table = rank_validations(own).rename_axis("candidate").reset_index()
        table.insert(0, "quantity", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _pooled(found: Validations) -> pd.DataFrame:
    """Return the root mean squared error of each candidate over all quantities.

    The squared residuals of a point are averaged over the quantities; ``gain`` is how
    much lower they are than those of the mean, ``gain_se`` its standard error by folds.
    """
    losses = {
        candidate: np.mean(
            [one.table["residual"].to_numpy() ** 2 for one in each.values()], axis=0
        )
        for candidate, each in found.items()
    }
    able = {name: loss for name, loss in losses.items() if np.isfinite(loss).any()}
    common = np.logical_and.reduce([np.isfinite(loss) for loss in able.values()])
    if MEAN not in able or not common.any():
        message = (
            "No point was predicted by all candidates in cross-validation. Give a "
            "larger --max-distance, or a --method by name."
        )
        raise InputError(message)
    folds = next(iter(found[MEAN].values())).table["fold"].to_numpy()[common]
    rows = {}
    for name, loss in able.items():
        gain, error = paired_difference(able[MEAN][common], loss[common], folds)
        rmse = float(np.sqrt(loss[common].mean()))
        rows[name] = {"rmse": rmse, "gain": gain, "gain_se": error}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.sort_values("rmse", kind="stable")


def _best(pooled: pd.DataFrame) -> tuple[str, str]:
    """Return the method that is taken, in words too."""
    rows = pooled.to_dict("index")
    name = str(pooled.index[0])
    if name == REGRESSION:
        # What sets it apart from kriging with external drift is rounding.
        name = "ked"
    best, mean = rows[name], rows[MEAN]
    others = ", ".join(
        f"{other} {row['rmse']:.4g}" for other, row in rows.items() if other != name
    )
    if name == MEAN:
        words = f"nothing predicts better than {IN_WORDS[MEAN]}"
        return (
            MEAN,
            f"{words}: RMSE {best['rmse']:.4g} ({others}); the map is that mean",
        )
    known = IN_WORDS.get(name, name)
    percent = 100 * (1 - best["rmse"] / mean["rmse"]) if mean["rmse"] > 0 else 0.0
    told = f"RMSE {best['rmse']:.4g} ({others}), {percent:.2g} % below that of the mean"
    if best["gain"] <= max(best["gain_se"], ROUNDING * mean["rmse"] ** 2):
        return MEAN, (
            f"nothing predicts better than {IN_WORDS[MEAN]} by more than a standard "
            f"error; the map is that mean. The lowest error has {known}: {told}; "
            f"--method {name} takes it"
        )
    return name, f"{known} predicts best: {told}"
