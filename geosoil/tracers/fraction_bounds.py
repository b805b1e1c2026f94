"""Exact range of source fractions that explain a mixture within a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from geosoil.errors import MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.tolerance_box import (
    BoxedMixtures,
    boxed_mixtures,
    tolerances,
    too_narrow,
    widening,
)

FloatArray = npt.NDArray[np.float64]

BLOCK = 256
"""Mixtures that are bounded by one linear programme."""
FEASIBLE = 1e-7
"""Widening of the tolerance, in the sources' range, that is the solver's own."""
ROUNDING = 1e-12
"""Room for the rounding of sums, in the sources' range."""


def fraction_bounds(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    tolerance: float | Sequence[float],
) -> pd.DataFrame:
    """Find the smallest and the largest fraction that each source can have.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with the tracers, the columns of ``end_members.by`` and
        optionally ``<source>_allowed``.
    end_members : EndMembers
        Sources, of any number.
    tracers : sequence of str
        Tracers to use.
    tolerance : float or sequence of float
        Largest distance of a mixed water from the mixture, inclusive; one for all
        tracers, or one each [units of the tracer].

    Returns
    -------
    bounds : DataFrame
        One row a mixture and source: ``mixture`` (index label), ``source``,
        ``lower``, ``upper``, ``reason``. Where no fractions meet the tolerance the
        bounds are NaN, and the reason names the smallest tolerance, in the same
        proportions, that they meet.

    Raises
    ------
    InputError
        If a column is missing or the tolerance is not one.
    MixingError
        If sources carry their tracers in unlike concentrations, or the solver gives
        up.

    Notes
    -----
    min and max of f_k subject to |S'f - m| <= tolerance, sum f = 1, f >= 0, by linear
    programming. Mixtures are independent, so that one programme bounds a source in
    many of them. With as many sources as tracers + 1 and no tolerance both bounds are
    the exact fraction.

    References
    ----------
    Phillips and Gregg (2003), Oecologia 136, 261-269, doi:10.1007/s00442-003-1218-3,
    for the same set on a grid; Huangfu and Hall (2018), Math. Program. Comput. 10,
    119-142, doi:10.1007/s12532-017-0130-5, for the solver.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice", "snow"], "Cl": [1.0, 9.0, 5.0]}))
    >>> found = fraction_bounds(
    ...     pd.DataFrame({"Cl": [4.0]}), ends, tracers=["Cl"], tolerance=0.0)
    >>> found[["source", "lower", "upper"]].round(4).values.tolist()
    [['rain', 0.25, 0.625], ['ice', 0.0, 0.375], ['snow', 0.0, 0.75]]
    """
    limits = tolerances(tolerance, tracers)
    boxes, reasons = boxed_mixtures(mixtures, end_members, tracers)
    n, n_sources = len(mixtures), len(end_members.sources)
    bounds = np.full((2, n, n_sources), np.nan)
    for box in boxes:
        for start in range(0, len(box.rows), BLOCK):
            part = slice(start, start + BLOCK)
            block = box._replace(rows=box.rows[part], mixtures=box.mixtures[part])
            _bound_block(block, limits, list(tracers), (bounds, reasons))
    return pd.DataFrame(
        {
            "mixture": np.repeat(mixtures.index.to_numpy(), n_sources),
            "source": list(end_members.sources) * n,
            "lower": bounds[0].ravel(),
            "upper": bounds[1].ravel(),
            "reason": np.repeat(reasons, n_sources),
        }
    )


def _bound_block(
    block: BoxedMixtures,
    limits: FloatArray,
    tracers: list[str],
    into: tuple[FloatArray, npt.NDArray[np.object_]],
) -> None:
    """Write the bounds of mixtures that have some, and the reason of the others."""
    bounds, reasons = into
    excess = _least_excess(block, limits)
    step = widening(limits)
    found = excess * (step / _scale(block, limits)).max() <= FEASIBLE
    for row, value in zip(block.rows[~found], excess[~found], strict=True):
        reasons[row] = too_narrow(tracers, limits + value * step)
    if not found.any():
        return
    rows = block.rows[found]
    kept = block._replace(rows=rows, mixtures=block.mixtures[found])
    # A source that takes no part has fraction 0.
    bounds[:, rows] = 0.0
    inside = np.ix_(np.arange(2), rows, block.places)
    bounds[inside] = _bounds(kept, limits, excess[found])


def _scale(box: BoxedMixtures, limits: FloatArray) -> FloatArray:
    """Range of the sources, which makes the solver's tolerance mean the same."""
    span = np.ptp(box.sources, axis=0)
    return np.where(span > 0, span, widening(limits))


def _programme(
    box: BoxedMixtures, limits: FloatArray, goal: FloatArray, slack: FloatArray
) -> FloatArray:
    """Solve one programme for all mixtures; variables (n, K + extra) of each.

    ``goal`` holds the weights of one mixture's variables: its fractions and, where
    it is longer, the widening of the tolerance. ``slack`` (n, J) widens it as given.
    """
    n, (n_sources, n_tracers) = len(box.rows), box.sources.shape
    unit = _scale(box, limits)
    mixed = (box.sources / unit).T
    extra = np.tile((widening(limits) / unit)[:, None], len(goal) - n_sources)
    above, below = np.hstack([mixed, -extra]), np.hstack([-mixed, -extra])
    whole = np.r_[np.ones(n_sources), np.zeros(extra.shape[1])]
    target = box.mixtures / unit
    width = (limits + slack) / unit + ROUNDING
    each = sparse.eye_array(n, format="csr")
    upper = sparse.kron(each, np.vstack([above, below]), format="csr")
    equal = sparse.kron(each, whole[None], format="csr")
    found = linprog(
        np.tile(goal, n),
        A_ub=cast(FloatArray, upper),
        b_ub=np.hstack([target + width, width - target]).ravel(),
        A_eq=cast(FloatArray, equal),
        b_eq=np.ones(n),
        bounds=(0.0, None),
        method="highs",
    )
    if found.status != 0:
        message = (
            f"No bounds of the fractions of {n} mixtures from {n_sources} sources by "
            f"{n_tracers} tracers: {found.message} Check the tracers for huge values."
        )
        raise MixingError(message)
    return np.asarray(found.x, dtype=float).reshape(n, len(goal))


def _least_excess(box: BoxedMixtures, limits: FloatArray) -> FloatArray:
    """How often the widening must be added before there is an answer, shape (n,)."""
    goal = np.r_[np.zeros(len(box.places)), 1.0]
    none = np.zeros((len(box.rows), len(limits)))
    return _programme(box, limits, goal, none)[:, -1]


def _bounds(box: BoxedMixtures, limits: FloatArray, excess: FloatArray) -> FloatArray:
    """Smallest and largest fractions, shape (2, n, source)."""
    slack = excess[:, None] * widening(limits)
    bounds = np.empty((2, *excess.shape, len(box.places)))
    for place in range(len(box.places)):
        goal = np.zeros(len(box.places))
        goal[place] = 1.0
        for side, sign in enumerate((1.0, -1.0)):
            found = _programme(box, limits, sign * goal, slack)
            bounds[side, :, place] = found[:, place]
    return np.clip(bounds, 0.0, 1.0)
