"""What kriged balances say of fractions: means, spreads, quantiles, chances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray
from geosoil.interpolation._kernels_log_ratio import (
    NUMBERS,
    normal_rule,
    part_moments,
    parts_at,
    parts_of,
    pivot_matrix,
    stratified_uniforms,
)
from geosoil.interpolation.composition_options import LogRatioOptions

IntArray = npt.NDArray[np.int64]

MOST_EXACT = 3
"""Most balances whose mean fractions are integrated by a product rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Balances of one domain in the cells that it has a share of."""

    columns: IntArray
    """Places of its sources among all sources, shape (d,)."""
    cells: IntArray
    """Cells, as places in the raveled grid, shape (c,)."""
    share: FloatArray
    """Share of the domain in each cell, shape (c,)."""
    mean: FloatArray
    """Estimated balances, shape (c, d - 1)."""
    spread: FloatArray | None
    """Standard deviations of the balances, shape (c, d - 1)."""


def mixed_moments(
    fields: Sequence[Field], shape: tuple[int, int], options: LogRatioOptions
) -> tuple[FloatArray, FloatArray | None]:
    """Return the fractions of every cell, and their standard deviations.

    Parameters
    ----------
    fields : sequence of Field
        Domains with their shares.
    shape : tuple = (cells, sources)
        Shape of the answer.
    options : LogRatioOptions
        How balances become fractions.

    Returns
    -------
    fractions : array, shape (cells, sources)
        Sum to 1; NaN in cells without a domain.
    spread : array, shape (cells, sources), or None
        Standard deviations; None for the centre.
    """
    mean, known = np.zeros(shape), np.zeros(shape[0], dtype=bool)
    answers = [_moments(own, options) for own in fields]
    for own, (first, _) in zip(fields, answers, strict=True):
        known[own.cells] = True
        mean[np.ix_(own.cells, own.columns)] += own.share[:, None] * first
    mean /= np.where(known, mean.sum(axis=1), np.nan)[:, None]
    if options.back_transform == "centre":
        return mean, None
    variance = np.where(known[:, None], np.zeros(shape), np.nan)
    for own, (first, second) in zip(fields, answers, strict=True):
        total = np.square(mean[own.cells])
        total[:, own.columns] = second + np.square(
            first - mean[own.cells][:, own.columns]
        )
        variance[own.cells] += own.share[:, None] * total
    return mean, np.sqrt(variance)


def _moments(own: Field, options: LogRatioOptions) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the fractions of a domain."""
    count = len(own.columns)
    if count == 1:
        return np.ones((len(own.cells), 1)), np.zeros((len(own.cells), 1))
    basis = pivot_matrix(count)
    if own.spread is None or options.back_transform == "centre":
        return parts_of(own.mean, basis), np.zeros((len(own.cells), count))
    if options.back_transform == "mean" and count - 1 <= MOST_EXACT:
        return part_moments(own.mean, own.spread, normal_rule(count - 1), basis)
    nodes = ndtri(stratified_uniforms(options.n_draws, count - 1, options.seed))
    weights = np.full(options.n_draws, 1.0 / options.n_draws)
    return part_moments(own.mean, own.spread, (nodes, weights), basis)


def over_draws(
    fields: Sequence[Field],
    shape: tuple[int, int],
    summarise: Callable[[FloatArray], FloatArray],
    *,
    n_draws: int,
    seed: int,
) -> FloatArray:
    """Summarise draws of the fractions of every cell.

    Parameters
    ----------
    fields : sequence of Field
        Domains with their shares.
    shape : tuple = (cells, sources)
        Shape of the maps.
    summarise : callable
        Takes draws (sources, c, n_draws) of some cells and returns (q, sources, c).
    n_draws : int
        Draws of each cell.
    seed : int
        Seed of the draws.

    Returns
    -------
    summary : array, shape (q, sources, cells)
        NaN in cells without an answer.

    Raises
    ------
    InputError
        If a domain has no variance, or there are fewer than two draws.

    Notes
    -----
    The balances of a cell are independent normals. The standard normal draws are the
    same for all cells, one in each n-th part of the distribution: maps of quantiles are
    smooth and do not depend on how cells are taken together. One draw of all cells is
    no realisation of the field: neighbours vary together only as their means do.
    """
    if n_draws < 2:
        message = f"{n_draws} draws have no quantiles. Give 2 or more."
        raise InputError(message)
    if any(own.spread is None for own in fields):
        message = (
            "The interpolators of the balances have no variance, so there is nothing "
            "to draw from. Give a Kriging with its variance."
        )
        raise InputError(message)
    uniforms = stratified_uniforms(n_draws, shape[1], seed)
    nodes, choice = ndtri(uniforms[:-1]), uniforms[-1]
    step = max(1, NUMBERS // n_draws)
    pieces = []
    for start in range(0, shape[0], step):
        stop = min(start + step, shape[0])
        draws = np.full((shape[1], stop - start, n_draws), np.nan)
        taken = np.zeros(stop - start)
        for own in fields:
            part = slice(*np.searchsorted(own.cells, [start, stop]))
            _fill(draws, taken, own, part, (nodes, choice, start))
        pieces.append(summarise(draws))
    return np.concatenate(pieces, axis=-1)


def _fill(
    draws: FloatArray,
    taken: FloatArray,
    own: Field,
    part: slice,
    source: tuple[FloatArray, FloatArray, int],
) -> None:
    """Write the draws of a domain where its share of the cells begins."""
    nodes, choice, start = source
    rows = own.cells[part] - start
    if not len(rows) or own.spread is None:
        return
    count = len(own.columns)
    values = np.ones((1, len(rows), len(choice)))
    if count > 1:
        values = parts_at(
            own.mean[part], own.spread[part], nodes[: count - 1], pivot_matrix(count)
        )
    full = np.zeros((len(draws), len(rows), len(choice)))
    full[own.columns] = values
    begun = choice >= taken[rows][:, None]
    draws[:, rows] = np.where(begun, full, draws[:, rows])
    taken[rows] += own.share[part]


def quantiles_of(levels: Sequence[float]) -> Callable[[FloatArray], FloatArray]:
    """Return the summary that gives quantiles.

    Parameters
    ----------
    levels : sequence of float
        Probabilities from 0 to 1.

    Returns
    -------
    summarise : callable
        For :func:`over_draws`.

    Raises
    ------
    InputError
        If there is no level, or one lies outside 0 to 1.

    Examples
    --------
    >>> quantiles_of([0.5])(np.array([[[0.1, 0.2, 0.9]]])).tolist()
    [[[0.2]]]
    """
    given = np.asarray(levels, dtype=np.float64)
    if given.ndim != 1 or not len(given) or not ((given >= 0) & (given <= 1)).all():
        message = f"Invalid quantiles {levels}. Give probabilities from 0 to 1."
        raise InputError(message)

    def summarise(draws: FloatArray) -> FloatArray:
        return np.asarray(np.quantile(draws, given, axis=-1))

    return summarise


def chances_above(limits: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return the summary that gives the chance that a fraction is above a limit.

    Parameters
    ----------
    limits : array, shape (sources,)
        Limit of each source.

    Returns
    -------
    summarise : callable
        For :func:`over_draws`.

    Examples
    --------
    >>> chances_above(np.array([0.5]))(np.array([[[0.1, 0.6]]])).tolist()
    [[[0.5]]]
    """

    def summarise(draws: FloatArray) -> FloatArray:
        chance = (draws > limits[:, None, None]).mean(axis=-1)
        return np.where(np.isnan(draws).any(axis=-1), np.nan, chance)[None]

    return summarise
