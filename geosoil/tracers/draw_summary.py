"""Numbers that tell of draws: mean, standard deviation, quantiles, differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers import _kernels_permutation as permutation

FloatArray = npt.NDArray[np.float64]

QUANTILES: tuple[float, ...] = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles that summaries give."""


def quantile_names(quantiles: Sequence[float]) -> list[str]:
    """Name the columns of quantiles.

    Parameters
    ----------
    quantiles : sequence of float
        Probabilities from 0 to 1.

    Returns
    -------
    names : list of str
        "q" and the percentage, which has two digits before the point.

    Raises
    ------
    InputError
        If a probability lies outside 0 to 1.

    Examples
    --------
    >>> quantile_names([0.05, 0.5, 0.975])
    ['q05', 'q50', 'q97.5']
    """
    wrong = [q for q in quantiles if not 0.0 <= q <= 1.0]
    if wrong:
        listed = ", ".join(f"{q:g}" for q in wrong)
        message = f"Invalid quantiles {listed}: a quantile is from 0 to 1, as 0.05."
        raise InputError(message)
    names = []
    for q in quantiles:
        percent = f"{round(100.0 * q, 8):g}"
        whole, point, rest = percent.partition(".")
        names.append(f"q{whole.zfill(2)}{point}{rest}")
    return names


def describe_draws(
    values: FloatArray,
    *,
    quantiles: Sequence[float] = QUANTILES,
    above: float | None = None,
) -> dict[str, FloatArray]:
    """Describe the draws of many quantities.

    Parameters
    ----------
    values : array, shape (draw, ...)
        Draws; a missing draw is left out.
    quantiles : sequence of float
        Probabilities of the quantiles.
    above : float, optional
        Also tell the share of draws above this value.

    Returns
    -------
    numbers : dict of str to array, shape (...)
        ``mean``; ``sd`` (with n - 1; NaN for one draw); a column a quantile, see
        `quantile_names`; ``prob_above`` if asked; ``n_draws`` that count. NaN where
        there is no draw.

    Raises
    ------
    InputError
        If a quantile lies outside 0 to 1.

    Examples
    --------
    >>> numbers = describe_draws(np.array([[0.1], [0.2], [0.6]]), quantiles=[0.5])
    >>> {name: cell.round(3).tolist() for name, cell in numbers.items()}
    {'mean': [0.3], 'sd': [0.265], 'q50': [0.2], 'n_draws': [3.0]}
    """
    names = quantile_names(quantiles)
    wide = values.reshape(len(values), int(np.prod(values.shape[1:])))
    found = np.isfinite(wide)
    count = found.sum(axis=0).astype(float)
    size = wide.shape[1]
    columns = ["mean", "sd", *names] + ([] if above is None else ["prob_above"])
    numbers = {name: np.full(size, np.nan) for name in columns}
    whole = np.flatnonzero((count == len(wide)) & (count > 0))
    holed = np.flatnonzero((count < len(wide)) & (count > 0))
    parts = [(whole, wide[:, whole])] if whole.size else []
    parts += [(np.array([j]), wide[found[:, j], j][:, None]) for j in holed]
    for place, drawn in parts:
        numbers["mean"][place] = drawn.mean(axis=0)
        if len(drawn) > 1:
            numbers["sd"][place] = drawn.std(axis=0, ddof=1)
        if names:
            cells = np.quantile(drawn, list(quantiles), axis=0)
            for name, cell in zip(names, cells, strict=True):
                numbers[name][place] = cell
        if above is not None:
            numbers["prob_above"][place] = (drawn > above).mean(axis=0)
    numbers["n_draws"] = count
    return {name: cell.reshape(values.shape[1:]) for name, cell in numbers.items()}


def tidy_draws(
    table: pd.DataFrame, sources: Sequence[str], numbers: dict[str, FloatArray]
) -> pd.DataFrame:
    """Lay numbers of rows and sources out with one line a row and source.

    Parameters
    ----------
    table : DataFrame
        Labels of the rows.
    sources : sequence of str
        Names of the sources.
    numbers : dict of str to array, shape (row, source)
        Output of `describe_draws`; those named ``n_`` are whole.

    Returns
    -------
    tidy : DataFrame
        Columns of ``table``, ``source``, the numbers; sources run fastest.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": ["June"]})
    >>> tidy_draws(rows, ["rain", "ice"], {"mean": np.array([[0.7, 0.3]])})
      period source  mean
    0   June   rain   0.7
    1   June    ice   0.3
    """
    size = len(sources)
    rows = np.repeat(np.arange(len(table)), size)
    tidy = table.iloc[rows].reset_index(drop=True)
    tidy["source"] = list(sources) * len(table)
    for name, cell in numbers.items():
        whole = name.startswith("n_")
        tidy[name] = cell.reshape(-1).astype(int if whole else float)
    return tidy


def pair_labels(
    table: pd.DataFrame, places: npt.NDArray[np.intp], within: Sequence[str] = ()
) -> pd.DataFrame:
    """Set the labels of two rows beside each other.

    Parameters
    ----------
    table : DataFrame
        Labels of the rows.
    places : array, shape (pair, 2)
        Positions of the rows.
    within : sequence of str
        Labels that both rows have in common.

    Returns
    -------
    labels : DataFrame
        Columns of ``within``; ``<column>_1`` and ``<column>_2`` of the others;
        ``row_1`` and ``row_2``.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": ["June"] * 2, "aspect": ["N", "S"]})
    >>> pair_labels(rows, np.array([[0, 1]]), ["period"]).values.tolist()
    [['June', 'N', 'S', 0, 1]]
    """
    labels = table.drop(columns=["reason", "method"], errors="ignore")
    columns: dict[str, object] = {
        name: labels[name].to_numpy(object)[places[:, 0]] for name in within
    }
    for name in labels.columns.difference(list(within), sort=False):
        cells = labels[name].to_numpy(object)
        for side in (0, 1):
            columns[f"{name}_{side + 1}"] = cells[places[:, side]]
    columns["row_1"], columns["row_2"] = places[:, 0], places[:, 1]
    return pd.DataFrame(columns)


def draw_p_value(differences: FloatArray) -> FloatArray:
    """Return the two-sided p value of a difference being 0, from its draws.

    Parameters
    ----------
    differences : array, shape (draw, ...)
        Draws of differences; a missing draw is left out.

    Returns
    -------
    p_value : array, shape (...)
        From 2 / (n + 1) to 1; NaN where there is no draw.

    Notes
    -----
    p = min(1, 2 (1 + min(#(d <= 0), #(d >= 0))) / (n + 1)). It tells how far 0 lies in
    the tail of the draws, which may come from a posterior or from propagated errors.

    Examples
    --------
    >>> draw_p_value(np.array([[0.1], [0.2], [0.3], [-0.1], [0.2]])).round(3).tolist()
    [0.667]
    """
    count = np.isfinite(differences).sum(axis=0)
    tail = np.minimum((differences <= 0).sum(axis=0), (differences >= 0).sum(axis=0))
    p_value = np.minimum(1.0, 2.0 * (1.0 + tail) / (count + 1.0))
    return np.asarray(np.where(count > 0, p_value, np.nan), dtype=float)


def adjusted_p_values(p_values: npt.ArrayLike) -> FloatArray:
    """Adjust p values for their number by Holm's step-down rule.

    Parameters
    ----------
    p_values : array, shape (n,)
        p values; missing ones stay missing and do not count.

    Returns
    -------
    p_holm : array, shape (n,)
        Adjusted p values.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> adjusted_p_values([0.01, 0.04, np.nan, 0.03]).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    return permutation.holm(np.asarray(p_values, dtype=float))
