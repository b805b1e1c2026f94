"""How good predictions were: errors, their spread, and whether the variance is true."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

NO_VARIANCE = "the method gives no variance above 0"

QUANTILES = {"picp90": 1.6448536269514722, "picp95": 1.959963984540054}
"""Half widths of central normal intervals, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of predictions; NaN with its reason where there is no honest number."""

    n: int
    """Predictions scored."""
    n_variance: int
    """Those with a variance above 0."""
    mean_error: float
    """ME: mean of observed - predicted; 0 is best."""
    rmse: float
    """Root of the mean squared error."""
    mae: float
    """Mean absolute error."""
    nse: float
    """Nash-Sutcliffe efficiency; 1 is best, 0 no better than the observed mean."""
    r_observed_predicted: float
    """Pearson's r of observed and predicted; 1 is best."""
    r_predicted_residual: float
    """Pearson's r of predicted and residual; 0 is best."""
    msdr: float
    """Mean of z**2, the squared residual over its variance; 1 is best."""
    median_z2: float
    """Median of z**2; 0.455 is best."""
    picp90: float
    """Share of the data within the central 90 % interval; 0.90 is best."""
    picp95: float
    """Share of the data within the central 95 % interval; 0.95 is best."""
    crps: float
    """Mean continuous ranked probability score of normal predictions; 0 is best."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why a score is NaN, by its name."""


def score_predictions(
    observed: npt.ArrayLike,
    predicted: npt.ArrayLike,
    variance: npt.ArrayLike | None = None,
) -> Scores:
    """Score predictions against what was observed.

    Parameters
    ----------
    observed, predicted : array, shape (n,)
        Values; pairs with a NaN are left out.
    variance : array, shape (n,), optional
        Variance of observed - predicted; NaN or 0 where there is none.

    Returns
    -------
    scores : Scores
        The scores.

    Raises
    ------
    InputError
        If shapes differ or a variance is negative.

    Notes
    -----
    With e = observed - predicted, s**2 the variance and z = e / s:
    ME = mean(e); RMSE = sqrt(mean(e**2)); MAE = mean(abs(e));
    NSE = 1 - sum(e**2) / sum((observed - mean(observed))**2) (Nash and Sutcliffe 1970);
    MSDR = mean(z**2) and median(z**2), 1 and 0.455 where errors are normal and s true
    (Webster and Oliver 2007); PICP = share of abs(z) up to 1.645 and
    1.960 (Shrestha and Solomatine 2006);
    CRPS = mean(s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi))) (Gneiting et al. 2005).

    References
    ----------
    Nash and Sutcliffe (1970), River flow forecasting through conceptual models,
    Journal of Hydrology 10, doi:10.1016/0022-1694(70)90255-6.
    Webster and Oliver (2007), Geostatistics for Environmental Scientists,
    doi:10.1002/9780470517277.
    Shrestha and Solomatine (2006), Machine learning approaches for estimation of
    prediction interval for the model output, Neural Networks 19,
    doi:10.1016/j.neunet.2006.01.012.
    Gneiting et al. (2005), Calibrated probabilistic forecasting using ensemble model
    output statistics and minimum CRPS estimation, Monthly Weather Review 133,
    doi:10.1175/MWR2904.1.

    Examples
    --------
    >>> scores = score_predictions([1.0, 2.0, 3.0], [1.0, 2.5, 2.5])
    >>> round(scores.rmse, 4), scores.nse, scores.reasons["crps"]
    (0.4082, 0.75, 'the method gives no variance above 0')
    """
    truth, guess, spread = _arrays(observed, predicted, variance)
    there = np.isfinite(truth) & np.isfinite(guess)
    truth, guess, spread = truth[there], guess[there], spread[there]
    error = truth - guess
    found: dict[str, float] = {}
    reasons: dict[str, str] = {}
    if error.size:
        found["mean_error"] = float(error.mean())
        found["rmse"] = float(np.sqrt(np.mean(error**2)))
        found["mae"] = float(np.abs(error).mean())
    else:
        reasons |= dict.fromkeys(("mean_error", "rmse", "mae"), "nothing was predicted")
    squares = float(np.sum((truth - truth.mean()) ** 2)) if error.size else 0.0
    if squares > 0:
        found["nse"] = 1.0 - float(np.sum(error**2)) / squares
    else:
        reasons["nse"] = "the observed values are equal"
    _correlate(found, reasons, "r_observed_predicted", (truth, guess))
    _correlate(found, reasons, "r_predicted_residual", (guess, error))
    sure = spread > 0
    names = ("msdr", "median_z2", *QUANTILES, "crps")
    if sure.any():
        found |= _spread_scores(error[sure], np.sqrt(spread[sure]))
    else:
        reasons |= dict.fromkeys(names, NO_VARIANCE)
    every = ("mean_error", "rmse", "mae", "nse", "r_observed_predicted",
             "r_predicted_residual", *names)  # fmt: skip
    complete = {name: found.get(name, np.nan) for name in every}
    return Scores(int(error.size), int(sure.sum()), **complete, reasons=reasons)


def normal_crps(error: FloatArray, sd: FloatArray) -> FloatArray:
    """Return the continuous ranked probability score of normal predictions.

    Parameters
    ----------
    error : array, shape (n,)
        Observed minus predicted.
    sd : array, shape (n,)
        Standard deviation of the prediction, above 0.

    Returns
    -------
    crps : array, shape (n,)
        Score in units of the values; 0 is best.

    Notes
    -----
    s (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)), z = error / s.

    References
    ----------
    Gneiting et al. (2005), Monthly Weather Review 133, doi:10.1175/MWR2904.1.

    Examples
    --------
    >>> normal_crps(np.array([0.0]), np.array([1.0])).round(6).tolist()
    [0.233695]
    """
    z = error / sd
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    crps: FloatArray = sd * (
        z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi)
    )
    return crps


def _arrays(
    observed: npt.ArrayLike, predicted: npt.ArrayLike, variance: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the three as arrays of one shape, the variance NaN where not given."""
    truth = np.asarray(observed, dtype=np.float64)
    guess = np.asarray(predicted, dtype=np.float64)
    spread = np.full(truth.shape, np.nan)
    if variance is not None:
        spread = np.asarray(variance, dtype=np.float64)
    if not truth.shape == guess.shape == spread.shape or truth.ndim != 1:
        message = (
            f"Observed {truth.shape}, predicted {guess.shape} and variance "
            f"{spread.shape} must be of one shape (n,)."
        )
        raise InputError(message)
    if (spread < 0).any():
        rows = np.flatnonzero(spread < 0).tolist()
        message = f"Variances below 0 in rows {rows}. Give 0 or more."
        raise InputError(message)
    return truth, guess, spread


def _correlate(
    found: dict[str, float],
    reasons: dict[str, str],
    name: str,
    pair: tuple[FloatArray, FloatArray],
) -> None:
    """Add Pearson's r of a pair, or the reason why there is none."""
    first, second = pair
    if first.size < 3:
        reasons[name] = f"{first.size} predictions, 3 are needed"
        return
    # What is left of equal values is rounding, which correlates with anything.
    limits = [1e-12 * max(1e-300, float(np.abs(part).max())) for part in pair]
    if any(np.ptp(part) <= limit for part, limit in zip(pair, limits, strict=True)):
        reasons[name] = "the values of one side are equal"
        return
    found[name] = float(np.corrcoef(first, second)[0, 1])


def _spread_scores(error: FloatArray, sd: FloatArray) -> dict[str, float]:
    """Return the scores that judge the variance."""
    z = error / sd
    answers = {"msdr": float(np.mean(z**2)), "median_z2": float(np.median(z**2))}
    for name, width in QUANTILES.items():
        answers[name] = float(np.mean(np.abs(z) <= width))
    answers["crps"] = float(normal_crps(error, sd).mean())
    return answers
