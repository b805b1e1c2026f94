"""Tracers of waters: values and covariances of those chosen, derived ones included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers.groups import check_columns

FloatArray = npt.NDArray[np.float64]

DERIVED: dict[str, dict[str, float]] = {"d_excess": {"d2H": 1.0, "d18O": -8.0}}
"""Tracers that are sums of measured ones, with the factor of each."""


def tracer_basis(
    columns: Sequence[str], tracers: Sequence[str]
) -> tuple[list[str], FloatArray]:
    """Return the measured columns behind tracers and the matrix that makes them.

    Parameters
    ----------
    columns : sequence of str
        Columns of the table.
    tracers : sequence of str
        Tracers wanted. ``d_excess`` is computed where the table has d18O and d2H,
        and otherwise read from its own column.

    Returns
    -------
    measured : list of str
        Columns to read.
    matrix : array, shape (tracer, column)
        tracers = matrix @ measured.

    Raises
    ------
    MixingError
        If a tracer is given twice or can be computed from the others.

    Examples
    --------
    >>> tracer_basis(["d18O", "d2H"], ["d18O", "d_excess"])[1].tolist()
    [[1.0, 0.0], [-8.0, 1.0]]
    """
    recipes = []
    for tracer in tracers:
        recipe = DERIVED.get(tracer, {tracer: 1.0})
        recipes.append(recipe if set(recipe) <= set(columns) else {tracer: 1.0})
    measured = sorted({name for recipe in recipes for name in recipe})
    matrix = np.array(
        [[recipe.get(name, 0.0) for name in measured] for recipe in recipes]
    )
    if not recipes or np.linalg.matrix_rank(matrix) < len(recipes):
        message = (
            f"Tracers {', '.join(tracers) or 'none'} are not independent. "
            "d_excess is d2H - 8 d18O: give two of d18O, d2H and d_excess, each once."
        )
        raise MixingError(message)
    return measured, matrix


def tracer_values(
    table: pd.DataFrame, tracers: Sequence[str], *, what: str
) -> FloatArray:
    """Return the tracers of every row.

    Parameters
    ----------
    table : DataFrame
        One row a water.
    tracers : sequence of str
        Tracers wanted, see `tracer_basis`.
    what : str
        Name of the table for messages.

    Returns
    -------
    values : array, shape (n, tracer)
        Values; NaN where one is missing.

    Raises
    ------
    InputError
        If a column is missing or holds text.

    Examples
    --------
    >>> table = pd.DataFrame({"d18O": [-12.0], "d2H": [-90.0]})
    >>> tracer_values(table, ["d18O", "d_excess"], what="Mixtures").tolist()
    [[-12.0, 6.0]]
    """
    measured, matrix = tracer_basis(list(table.columns), tracers)
    check_columns(table, measured, what=what)
    values = _numbers(table, measured, what)
    if np.array_equal(matrix, np.eye(len(matrix))):
        # A missing or infinite tracer then leaves the others alone.
        return values
    columns = []
    for recipe in matrix:
        used = np.flatnonzero(recipe)
        parts = [recipe[place] * values[:, place] for place in used]
        columns.append(sum(parts[1:], parts[0]))
    return np.column_stack(columns)


def tracer_covariances(
    table: pd.DataFrame, tracers: Sequence[str], *, what: str
) -> FloatArray:
    """Return the covariance of the tracers of every row.

    Parameters
    ----------
    table : DataFrame
        One row a water, with columns ``<tracer>_sd`` and ``<a>_<b>_cov`` where they
        are known; an absent column or a missing value counts as zero.
    tracers : sequence of str
        Tracers wanted, see `tracer_basis`.
    what : str
        Name of the table for messages.

    Returns
    -------
    covariances : array, shape (n, tracer, tracer)
        Covariances.

    Raises
    ------
    InputError
        If a standard deviation is negative, or a covariance is larger than its
        standard deviations allow.

    Examples
    --------
    >>> table = pd.DataFrame({"d18O": [-12.0], "d2H": [-90.0], "d18O_sd": [0.2],
    ...                       "d2H_sd": [0.5]})
    >>> tracer_covariances(table, ["d18O", "d_excess"], what="Mixtures").round(2)
    array([[[ 0.04, -0.32],
            [-0.32,  2.81]]])
    """
    measured, matrix = tracer_basis(list(table.columns), tracers)
    size = len(measured)
    covariance = np.zeros((len(table), size, size))
    for i, first in enumerate(measured):
        sd = _optional(table, f"{first}_sd", what)
        if np.any(sd < 0):
            message = f"{what}: {first}_sd has {int(np.sum(sd < 0))} negative values."
            raise InputError(message)
        covariance[:, i, i] = sd**2
        for j, second in enumerate(measured[:i]):
            names = f"{second}_{first}_cov", f"{first}_{second}_cov"
            column = names[0] if names[0] in table.columns else names[1]
            both = _optional(table, column, what)
            covariance[:, i, j] = covariance[:, j, i] = both
    _check_definite(covariance, measured, what)
    full: FloatArray = matrix @ covariance @ matrix.T
    return full


def _optional(table: pd.DataFrame, column: str, what: str) -> FloatArray:
    if column not in table.columns:
        return np.zeros(len(table))
    return np.nan_to_num(_numbers(table, [column], what)[:, 0])


def _numbers(table: pd.DataFrame, columns: list[str], what: str) -> FloatArray:
    faults = []
    for column in columns:
        cells = table[column]
        wrong = cells.notna() & pd.to_numeric(cells, errors="coerce").isna()
        if wrong.any():
            faults.append(f"'{column}' holds {cells[wrong].iloc[0]!r}")
    if faults:
        message = f"{what}: not a number in column {'; '.join(faults)}."
        raise InputError(message)
    values = table[columns].to_numpy(dtype=float, na_value=np.nan)
    # An infinite value is no measurement, and would spoil what is computed from it.
    return np.where(np.isfinite(values), values, np.nan)


def _check_definite(covariance: FloatArray, names: list[str], what: str) -> None:
    for i, first in enumerate(names):
        for j, second in enumerate(names[:i]):
            limit = covariance[:, i, i] * covariance[:, j, j]
            bad = np.flatnonzero(covariance[:, i, j] ** 2 > limit * (1 + 1e-9))
            if bad.size:
                message = (
                    f"{what}: the covariance of {first} and {second} is larger than "
                    f"their standard deviations allow in {bad.size} rows, the first "
                    f"is row {bad[0]}. Give a covariance within the product of both."
                )
                raise InputError(message)
