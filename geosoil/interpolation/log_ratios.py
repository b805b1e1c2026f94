"""Log-ratio transforms of compositions: closure, pivot balances and their zeros."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.interpolation._kernels_log_ratio import (
    balance_variance,
    closed_covariance,
    parts_of,
    pivot_matrix,
    replace_zeros,
)

SUM_TOLERANCE = 1e-6
"""Farthest that the sum of a composition may be from 1."""
NAMED = 10
"""Most rows that a message names."""


def closure(parts: npt.ArrayLike) -> FloatArray:
    """Divide every composition by its sum.

    Parameters
    ----------
    parts : array, shape (..., D)
        Amounts of 0 or more.

    Returns
    -------
    closed : array, shape (..., D)
        Parts that sum to 1; NaN where an amount is missing.

    Raises
    ------
    InputError
        If an amount is below 0, or all amounts of a row are 0.

    References
    ----------
    Aitchison (1986), The Statistical Analysis of Compositional Data, Chapman and Hall,
    doi:10.1007/978-94-009-4109-0.

    Examples
    --------
    >>> closure([2.0, 1.0, 1.0]).tolist()
    [0.5, 0.25, 0.25]
    """
    values = _parts(parts)
    total = values.sum(axis=-1, keepdims=True)
    flat = values.reshape(-1, values.shape[-1])
    faults = [
        *_fault("{n} rows have parts below 0", (flat < 0).any(axis=1)),
        *_fault("{n} rows have no part above 0", (flat <= 0).all(axis=1)),
    ]
    _raise(faults, "close", "Give amounts of 0 or more.")
    return np.asarray(values / total)


def pivot_basis(n_parts: int) -> FloatArray:
    """Return the orthonormal basis of the pivot balances.

    Parameters
    ----------
    n_parts : int
        Number D of parts, 2 or more.

    Returns
    -------
    basis : array, shape (D, D - 1)
        Column i is the centred log-ratio of balance i: V of z = V' ln x and
        x = C(exp(V z)).

    Raises
    ------
    InputError
        If there are fewer than two parts.

    Examples
    --------
    >>> pivot_basis(3).round(3).tolist()
    [[0.816, 0.0], [-0.408, 0.707], [-0.408, -0.707]]
    """
    if n_parts < 2:
        message = f"A composition of {n_parts} parts has no balance. Give 2 or more."
        raise InputError(message)
    return pivot_matrix(n_parts)


def ilr(parts: npt.ArrayLike) -> FloatArray:
    """Transform compositions to pivot balances, their isometric log-ratios.

    Parameters
    ----------
    parts : array, shape (..., D)
        Parts above 0 that sum to 1.

    Returns
    -------
    balances : array, shape (..., D - 1)
        Balance of each part against the geometric mean of all parts after it; NaN
        where a part is missing.

    Raises
    ------
    InputError
        If parts are below 0 or 0, or do not sum to 1; all faults at once.

    Notes
    -----
    z_i = sqrt((D - i) / (D - i + 1)) ln(x_i / gm(x_{i+1}, ..., x_D)). Distances
    between balances are Aitchison distances between compositions.

    References
    ----------
    Egozcue, Pawlowsky-Glahn, Mateu-Figueras and Barcelo-Vidal (2003), Isometric
    logratio transformations for compositional data analysis, Mathematical Geology 35,
    doi:10.1023/A:1023818214614.

    Examples
    --------
    >>> ilr([0.5, 0.25, 0.25]).round(6).tolist()
    [0.565952, 0.0]
    """
    values = _parts(parts)
    flat = values.reshape(-1, values.shape[-1])
    faults = [
        *composition_faults(flat, range(len(flat))),
        *_fault("{n} rows have parts of 0", (flat == 0).any(axis=1)),
    ]
    mend = (
        "Close the parts; replace zeros of rounding by multiplicative_replacement, "
        "and leave sources that cannot be out. Never add a constant."
    )
    _raise(faults, "transform", mend)
    return np.asarray(np.log(values) @ pivot_basis(values.shape[-1]))


def inverse_ilr(balances: npt.ArrayLike) -> FloatArray:
    """Return the compositions of pivot balances.

    Parameters
    ----------
    balances : array, shape (..., D - 1)
        Balances as :func:`ilr` gives them.

    Returns
    -------
    parts : array, shape (..., D)
        Parts above 0 that sum to 1; NaN where a balance is missing.

    Raises
    ------
    InputError
        If there is no balance, or one is infinite.

    Notes
    -----
    x = C(exp(V z)) with V the :func:`pivot_basis` and C the :func:`closure`. The
    inverse of a mean of balances is the centre of compositions (their geometric mean,
    closed), not the arithmetic mean of the parts.

    Examples
    --------
    >>> inverse_ilr([0.0, 0.0]).round(6).tolist()
    [0.333333, 0.333333, 0.333333]
    """
    values = np.asarray(balances, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] == 0 or np.isinf(values).any():
        message = (
            f"Balances of shape {values.shape}, {int(np.isinf(values).sum())} of them "
            "infinite. Give finite numbers, the last axis one balance each."
        )
        raise InputError(message)
    return parts_of(values, pivot_matrix(values.shape[-1] + 1))


def multiplicative_replacement(
    parts: npt.ArrayLike, delta: npt.ArrayLike
) -> FloatArray:
    """Replace zeros of rounding by small parts, and keep the ratios of the others.

    Parameters
    ----------
    parts : array, shape (..., D)
        Parts of 0 or more that sum to 1.
    delta : float, array (D,), (n, 1) or (n, D)
        What stands for a zero: one number, one a part, or one a row; below the least
        amount that could be told from nothing.

    Returns
    -------
    replaced : array, shape (..., D)
        Parts above 0 that sum to 1.

    Raises
    ------
    InputError
        If parts are below 0 or do not sum to 1, or the replacements of a row are not
        above 0 or sum to 1 or more.

    Notes
    -----
    x_j = delta_j where the part is 0, else x_j (1 - sum of the row's deltas). Adding a
    constant to all parts and closing again would change the ratios of parts that were
    measured. A source that cannot be is no zero of rounding: leave it out instead.

    References
    ----------
    Martin-Fernandez, Barcelo-Vidal and Pawlowsky-Glahn (2003), Dealing with zeros and
    missing values in compositional data sets using nonparametric imputation,
    Mathematical Geology 35, doi:10.1023/A:1023866030544.

    Examples
    --------
    >>> multiplicative_replacement([0.6, 0.4, 0.0], 0.01).round(6).tolist()
    [0.594, 0.396, 0.01]
    """
    values = _parts(parts)
    try:
        stand_in = np.broadcast_to(np.asarray(delta, dtype=np.float64), values.shape)
    except ValueError:
        message = (
            f"Replacements of shape {np.shape(delta)} for parts of {values.shape}. "
            "Give one number, one a part, or a column of one a row."
        )
        raise InputError(message) from None
    zero = values == 0
    total = np.where(zero, stand_in, 0.0).sum(axis=-1)
    flat = values.reshape(-1, values.shape[-1])
    bad = (zero & ~(stand_in > 0)).reshape(flat.shape).any(axis=1)
    faults = [
        *composition_faults(flat, range(len(flat))),
        *_fault("{n} rows have replacements that are not above 0", bad),
        *_fault("{n} rows have replacements of 1 or more", (total >= 1).ravel()),
    ]
    _raise(faults, "replace zeros of", "Give small replacements above 0.")
    return replace_zeros(values, stand_in, zero)


def balance_variances(parts: npt.ArrayLike, variance: npt.ArrayLike) -> FloatArray:
    """Carry variances of parts to their pivot balances, to first order.

    Parameters
    ----------
    parts : array, shape (n, D)
        Parts above 0 that sum to 1.
    variance : array, shape (n, D) or (n, D, D)
        Variances of the parts, or their covariances.

    Returns
    -------
    variances : array, shape (n, D - 1)
        Variance of each balance.

    Raises
    ------
    InputError
        If a part is not above 0, or shapes do not fit.

    Notes
    -----
    var(z_i) = v_i' S v_i with S_jl = cov(x_j, x_l) / (x_j x_l) and v_i column i of the
    basis. Without covariances, those of two or three parts follow from the variances,
    since the sum of the parts has none; those of more parts are taken as 0. The
    covariances between balances are left out.

    Examples
    --------
    >>> balance_variances([[0.5, 0.5]], [[0.01, 0.01]]).round(6).tolist()
    [[0.08]]
    """
    values, given = _parts(parts), np.asarray(variance, dtype=np.float64)
    shapes = (values.shape, (*values.shape, values.shape[-1]))
    if values.ndim != 2 or given.shape not in shapes or not (values > 0).all():
        message = (
            f"Parts of shape {values.shape} with variances of shape {given.shape}. "
            "Give parts (n, D) above 0, and variances (n, D) or covariances (n, D, D)."
        )
        raise InputError(message)
    covariance = given if given.ndim == 3 else closed_covariance(given)
    return balance_variance(values, covariance, pivot_basis(values.shape[1]))


def composition_faults(values: FloatArray, labels: Sequence[object]) -> list[str]:
    """Say which rows are no compositions.

    Parameters
    ----------
    values : array, shape (n, D)
        Parts; rows with a NaN are passed over.
    labels : sequence, n
        Names of the rows.

    Returns
    -------
    faults : list of str
        One phrase a kind of fault, with the rows; empty where all is well.

    Examples
    --------
    >>> composition_faults(np.array([[0.5, 0.5], [-0.5, 1.6]]), ["a", "b"])
    ['1 rows do not sum to 1 (rows b)', '1 rows have parts below 0 (rows b)']
    """
    whole = np.isfinite(values).all(axis=1)
    off = whole & (np.abs(values.sum(axis=1) - 1.0) > SUM_TOLERANCE)
    below = whole & (values < 0).any(axis=1)
    endless = np.isinf(values).any(axis=1)
    return [
        *_fault("{n} rows do not sum to 1", off, labels),
        *_fault("{n} rows have parts below 0", below, labels),
        *_fault("{n} rows have infinite parts", endless, labels),
    ]


def named_rows(chosen: BoolArray, labels: Sequence[object]) -> str:
    """Name the chosen rows, the first ten of many.

    Parameters
    ----------
    chosen : array of bool, shape (n,)
        Rows to name.
    labels : sequence, n
        Names of the rows.

    Returns
    -------
    words : str
        Their names.

    Examples
    --------
    >>> named_rows(np.array([False, True]), ["a", "b"])
    'rows b'
    """
    rows = np.flatnonzero(chosen)
    words = "rows " + ", ".join(str(labels[row]) for row in rows[:NAMED])
    return words + ", ..." if len(rows) > NAMED else words


def _fault(
    words: str, chosen: npt.ArrayLike, labels: Sequence[object] | None = None
) -> list[str]:
    """Phrase a fault of some rows, or none."""
    where = np.asarray(chosen, dtype=np.bool_)
    count = int(where.sum())
    if not count:
        return []
    rows = named_rows(where, range(len(where)) if labels is None else labels)
    return [f"{words.format(n=count)} ({rows})"]


def _parts(parts: npt.ArrayLike) -> FloatArray:
    """Return parts as numbers, the last axis one part each."""
    values = np.asarray(parts, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] < 2:
        message = f"Parts of shape {values.shape}. Give (..., D), two parts or more."
        raise InputError(message)
    return values


def _raise(faults: Sequence[str], verb: str, mend: str) -> None:
    """Raise all faults at once."""
    if faults:
        message = f"Cannot {verb} the compositions: {'; '.join(faults)}. {mend}"
        raise InputError(message)
