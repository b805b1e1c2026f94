"""Which interpolator predicts best, and whether the difference means anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import (
    CrossValidation,
    common_folds,
    cross_validate,
)
from geosoil.interpolation.validation_folds import FoldKind, Folds
from geosoil.interpolation.validation_predictors import Candidate, SampleMean
from geosoil.interpolation.validation_scores import normal_crps, score_predictions

FloatArray = npt.NDArray[np.float64]

Score = Literal["rmse", "crps"]

MEAN = "mean"
"""Name of the candidate that any map must beat."""
NO_DIFFERENCE = "no difference"


def compare_interpolators(
    candidates: Mapping[str, Candidate],
    points: Points,
    values: npt.ArrayLike,
    *,
    folds: FoldKind | Folds = "loo",
    measurement_variance: npt.ArrayLike | None = None,
    elevation: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Cross-validate several interpolators on the same folds and rank them.

    Parameters
    ----------
    candidates : mapping of str to Interpolator, ElevationKriging, SampleMean, callable
        Interpolators by name, as ``cross_validate`` takes them. ``"mean"``, the sample
        mean, is added where it is not named; give ``SampleMean(strata)`` under that
        name for the mean of each stratum.
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values.
    folds : {"loo", "kfold", "block", "site"} or Folds
        What is left out together; the same for all.
    measurement_variance : array, shape (n,), optional
        Variance of each measurement; goes to kriging and to callables alone.
    elevation : array, shape (n,), optional
        Elevation of the points [m], for ElevationKriging.

    Returns
    -------
    ranking : DataFrame
        As :func:`rank_validations` by RMSE.

    Raises
    ------
    InputError
        If no candidate is given, or one cannot be fitted to all of the data.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> x = np.arange(30.0) * 100.0
    >>> sites = np.column_stack([x, np.zeros(30)])
    >>> table = compare_interpolators({"idw": InverseDistance()}, sites, x**2)
    >>> table.index.tolist(), table["verdict"].tolist(), table["beats_mean"].tolist()
    (['idw', 'mean'], ['wins', 'worse'], ['yes', ''])
    """
    return rank_validations(
        validate_candidates(
            candidates,
            points,
            values,
            folds=folds,
            measurement_variance=measurement_variance,
            elevation=elevation,
        )
    )


def validate_candidates(
    candidates: Mapping[str, Candidate],
    points: Points,
    values: npt.ArrayLike,
    *,
    folds: FoldKind | Folds = "loo",
    measurement_variance: npt.ArrayLike | None = None,
    elevation: npt.ArrayLike | None = None,
) -> dict[str, CrossValidation]:
    """Cross-validate several interpolators, and the mean, on the same folds.

    Parameters
    ----------
    candidates, points, values, folds, measurement_variance, elevation
        As :func:`compare_interpolators` takes them.

    Returns
    -------
    validations : dict of str to CrossValidation
        One a candidate, in their order, the mean last where it was not named.

    Raises
    ------
    InputError
        If no candidate is given, or one cannot be fitted to all of the data.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [9.0, 0.0], [20.0, 0.0]]
    >>> found = validate_candidates({"mean": SampleMean()}, sites, [1.0, 2.0, 3.0])
    >>> found["mean"].table["predicted"].tolist()
    [2.5, 2.0, 1.5]
    """
    if not candidates:
        message = "No candidates to compare. Give one or more interpolators by name."
        raise InputError(message)
    drawn, block_size = common_folds(points, values, folds)
    kind: FoldKind = folds if isinstance(folds, str) else folds.kind
    validations = {}
    for name, candidate in ({MEAN: SampleMean()} | dict(candidates)).items():
        given = _takes_variance(candidate)
        found = cross_validate(
            candidate,
            points,
            values,
            folds=drawn,
            measurement_variance=measurement_variance if given else None,
            elevation=elevation,
        )
        validations[name] = replace(found, folds=kind, block_size=block_size)
    names = [*candidates, *({MEAN} - set(candidates))]
    return {name: validations[name] for name in names}


def rank_validations(
    validations: Mapping[str, CrossValidation], *, score: Score = "rmse"
) -> pd.DataFrame:
    """Rank cross-validations made on the same folds, and say which differences count.

    Parameters
    ----------
    validations : mapping of str to CrossValidation
        Cross-validations by name; that named "mean" is the one to beat.
    score : {"rmse", "crps"}
        Score to rank by; "crps" judges the variance too.

    Returns
    -------
    ranking : DataFrame
        One row a candidate, the best first. ``n_predicted``, its own predictions;
        ``n``, those that all candidates made, on which ``mean_error``, ``rmse``,
        ``mae``, ``nse``, ``msdr``, ``picp90``, ``picp95`` and ``crps`` rest;
        ``difference``, its mean loss minus that of the best (squared error or CRPS),
        and ``difference_se``, the standard error of that; ``verdict``: "wins" where
        the best is better than every other by more than the standard error, "worse"
        where a candidate is, by as much, behind the best, "no difference" else;
        ``beats_mean``: "yes", "no" (the mean is better) or "no difference", "" where
        there is no mean to beat; ``note``, what a reader must know.

    Raises
    ------
    InputError
        If there are none, the score is unknown, or the folds differ.

    Notes
    -----
    The losses of two candidates are paired row by row, their differences d summed by
    fold: SE = sqrt(G / (G - 1) sum_g (sum_{i in g} (d_i - mean(d)))**2) / n with G
    folds. Rows of one fold may so be as alike as they like; leaving out one by one
    takes every place as independent, which makes the error too small where places
    resemble their neighbours. One standard error is a low bar: about one chance in
    three that a difference is passed without there being any.

    References
    ----------
    Diebold and Mariano (1995), Comparing predictive accuracy, Journal of Business and
    Economic Statistics 13, doi:10.1080/07350015.1995.10524599.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [9.0, 0.0], [20.0, 0.0]]
    >>> found = validate_candidates({"mean": SampleMean()}, sites, [1.0, 2.0, 3.0])
    >>> rank_validations(found)["verdict"].tolist()
    ['alone']
    """
    _check(validations, score)
    losses = {name: _losses(found, score) for name, found in validations.items()}
    scored = [name for name, loss in losses.items() if np.isfinite(loss).any()]
    every = next(iter(validations.values())).table["fold"].to_numpy()
    common = np.flatnonzero(
        np.logical_and.reduce([np.isfinite(losses[name]) for name in scored])
        if scored
        else np.zeros(len(every), dtype=bool)
    )
    folds = every[common]
    paired = {name: losses[name][common] for name in scored}
    order = sorted(scored, key=lambda name: float(paired[name].sum()))
    rows = {}
    for name in [*order, *(name for name in validations if name not in scored)]:
        found = validations[name]
        part = found.table.iloc[common if name in scored else []]
        rows[name] = _scores_row(found, part)
        difference = (np.nan, np.nan)
        if name in scored and len(folds):
            difference = paired_difference(paired[name], paired[order[0]], folds)
        rows[name] |= dict(
            zip(("difference", "difference_se"), difference, strict=True)
        )
        rows[name]["verdict"] = _verdict(difference) if name in scored else "no score"
        rows[name]["beats_mean"] = ""
        if name in scored and MEAN in scored and name != MEAN and len(folds):
            gain = paired_difference(paired[MEAN], paired[name], folds)
            rows[name]["beats_mean"] = _beats(gain)
        rows[name]["note"] = found.note
    ranking = pd.DataFrame.from_dict(rows, orient="index")
    if order:
        ranking.loc[order[0], "verdict"] = _first_verdict(ranking.loc[order[1:]])
    return ranking


def paired_difference(
    first: FloatArray, second: FloatArray, folds: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Return the mean of first - second and its standard error by folds.

    Parameters
    ----------
    first, second : array, shape (n,)
        Losses of two candidates, row by row.
    folds : array of int, shape (n,)
        Fold of each row.

    Returns
    -------
    difference, standard_error : float
        NaN where there are fewer than two folds.

    Examples
    --------
    >>> paired_difference(np.array([1.0, 3.0]), np.zeros(2), np.array([0, 1]))
    (2.0, 1.0)
    """
    difference = first - second
    mean = float(difference.mean())
    sums = pd.Series(difference - mean).groupby(folds).sum().to_numpy()
    count = len(sums)
    if count < 2:
        return mean, float("nan")
    error = np.sqrt(count / (count - 1) * np.sum(sums**2)) / len(difference)
    return mean, float(error)


def _takes_variance(candidate: Candidate) -> bool:
    """Return whether a candidate is given the variance of the measurements."""
    fixed = isinstance(candidate, Interpolator | ElevationKriging | SampleMean)
    return isinstance(candidate, Kriging) or not fixed


def _check(validations: Mapping[str, CrossValidation], score: str) -> None:
    """Raise unless the validations can be compared."""
    if not validations:
        message = "No cross-validations to rank. Give one or more by name."
        raise InputError(message)
    if score not in get_args(Score):
        message = f"Unknown score '{score}'. Give one of {get_args(Score)}."
        raise InputError(message)
    first_name, first = next(iter(validations.items()))
    for name, found in validations.items():
        both = found.table["fold"].to_numpy(), first.table["fold"].to_numpy()
        used = [folds >= 0 for folds in both]
        same = len(both[0]) == len(both[1])
        if not same or (both[0] != both[1])[used[0] & used[1]].any():
            message = (
                f"The folds of '{name}' and '{first_name}' differ. Make both with "
                "validate_candidates."
            )
            raise InputError(message)


def _losses(found: CrossValidation, score: Score) -> FloatArray:
    """Return the loss of each row; NaN where there is none."""
    residual = found.table["residual"].to_numpy()
    if score == "rmse":
        return residual**2
    variance = found.table["variance"].to_numpy()
    sure = variance > 0
    loss = np.full(len(residual), np.nan)
    loss[sure] = normal_crps(residual[sure], np.sqrt(variance[sure]))
    return loss


def _scores_row(found: CrossValidation, part: pd.DataFrame) -> dict[str, object]:
    """Return the scores of one candidate on the common rows."""
    scores = score_predictions(part["observed"], part["predicted"], part["variance"])
    wanted = ("n", "mean_error", "rmse", "mae", "nse", "msdr", "picp90", "picp95",
              "crps")  # fmt: skip
    given = asdict(scores)
    row = {"method": found.method, "n_predicted": found.scores.n}
    return row | {name: given[name] for name in wanted}


def _verdict(difference: tuple[float, float]) -> str:
    """Say whether a candidate is behind the best."""
    return "worse" if difference[0] > difference[1] else NO_DIFFERENCE


def _first_verdict(others: pd.DataFrame) -> str:
    """Say whether the best is better than all others."""
    if others.empty:
        return "alone"
    return "wins" if (others["verdict"] == "worse").all() else NO_DIFFERENCE


def _beats(gain: tuple[float, float]) -> str:
    """Say whether a candidate is better than the mean."""
    if gain[0] > gain[1]:
        return "yes"
    return "no" if -gain[0] > gain[1] else NO_DIFFERENCE
