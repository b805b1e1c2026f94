"""Which of the methods compared makes the maps, and in which words it is told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geosoil.config import InterpolationSettings
from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray
from geosoil.interpolation.validation_comparison import paired_difference
from geosoil.interpolation.validation_folds import IntArray
from geosoil.workflow.mapping_coordinates import LOG_RATIOS


def compare_losses(losses: dict[str, FloatArray], labels: IntArray) -> pd.DataFrame:
    """Return the mean loss of each method, and how much it exceeds that of the mean.

    Parameters
    ----------
    losses : dict of array, shape (n,)
        Squared error of each site, by method; "mean" among them.
    labels : array of int, shape (n,)
        Block of each site.

    Returns
    -------
    compared : DataFrame
        One row a method: ``loss, difference, difference_se``, NaN without sites.
    """
    rows = {}
    for name, loss in losses.items():
        row = {"loss": float(loss.mean()) if len(loss) else np.nan}
        difference = (np.nan, np.nan)
        if len(loss):
            difference = paired_difference(loss, losses["mean"], labels)
        row["difference"], row["difference_se"] = difference
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def take_method(
    compared: pd.DataFrame, settings: InterpolationSettings, reasons: dict[str, str]
) -> tuple[str, str]:
    """Take a method, and say why.

    Parameters
    ----------
    compared : DataFrame
        Losses of the methods, see :func:`compare_losses`.
    settings : InterpolationSettings
        Method wanted, or "auto".
    reasons : dict of str to str
        Methods that are left aside, and why.

    Returns
    -------
    method : str
        Its name.
    words : str
        Why it was taken, and what is better and was not.

    Raises
    ------
    InputError
        If the method wanted cannot be had.
    """
    if settings.method != "auto":
        return _wanted(settings.method, compared, reasons)
    order = compared["loss"].drop(index=[m for m in reasons if m in compared.index])
    # A pure nugget krigs the mean but for the rounding: the simplest one is meant.
    equal = order <= order.min() * (1.0 + 1e-9)
    best = str(order.index[equal.to_numpy().argmax()])
    gain, error = -compared["difference"][best], compared["difference_se"][best]
    beaten = best != "mean" and bool(gain > error)
    if order.isna().all():
        return "mean", "no block could be predicted from the others"
    apart = _left_aside(compared, reasons)
    if not beaten:
        others = "other " if _is_better(compared, LOG_RATIOS, reasons) else ""
        words = f"no {others}method predicts blocks left out better"
        if best != "mean":
            words += (
                f" by more than one standard error ({best}: squared error lower by "
                f"{gain:.3g} +- {error:.2g})"
            )
        return "mean", words + apart
    return best, (
        f"{best} predicts better than the mean of the domain: squared error lower by "
        f"{gain:.3g} +- {error:.2g}{apart}"
    )


def _is_better(compared: pd.DataFrame, method: str, reasons: dict[str, str]) -> bool:
    """Say whether a method left aside beats the mean by more than its error."""
    if method not in reasons or method not in compared.index:
        return False
    gain, error = -compared["difference"][method], compared["difference_se"][method]
    return bool(gain > error)


def _left_aside(compared: pd.DataFrame, reasons: dict[str, str]) -> str:
    """Tell of log-ratios that are not taken, whatever they predict."""
    if LOG_RATIOS not in reasons:
        return ""
    words = f"; {reasons[LOG_RATIOS]}"
    if _is_better(compared, LOG_RATIOS, reasons):
        difference = float(compared["difference"][LOG_RATIOS])
        error = float(compared["difference_se"][LOG_RATIOS])
        words += (
            f" (in cross-validation {LOG_RATIOS} predicts better than the mean: "
            f"squared error lower by {-difference:.3g} +- {error:.2g})"
        )
    return words


def _wanted(
    method: str, compared: pd.DataFrame, reasons: dict[str, str]
) -> tuple[str, str]:
    """Return the method of the settings, and whether another predicts better."""
    if method not in compared.index:
        message = reasons.get(method, f"The method '{method}' is not known here.")
        raise InputError(message)
    words = f"{method} as the settings ask"
    best = str(compared["loss"].fillna(np.inf).idxmin())
    own, least = compared["loss"][[method, best]]
    if own > least * (1.0 + 1e-9):
        words += (
            f"; {best} predicts better in cross-validation (mean squared error "
            f"{least:.3g} against {own:.3g})"
        )
    return method, words
