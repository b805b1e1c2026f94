"""Mixtures that sources need to meet within a tolerance, gathered by their sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers.concentration import (
    concentration_columns,
    tracer_concentrations,
)
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MISSING, NO_SOURCE, SINGLE
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


class BoxedMixtures(NamedTuple):
    """Mixtures that have the same sources."""

    rows: IntArray
    """Rows of the mixtures, shape (n,)."""
    places: IntArray
    """Places of their sources among all sources, shape (source,)."""
    mixtures: FloatArray
    """Tracers of the mixtures, shape (n, tracer)."""
    sources: FloatArray
    """Tracers of the sources, shape (source, tracer)."""


def boxed_mixtures(
    mixtures: pd.DataFrame, end_members: EndMembers, tracers: Sequence[str]
) -> tuple[list[BoxedMixtures], npt.NDArray[np.object_]]:
    """Join mixtures to the sources that may take part in them.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with the tracers, the columns of ``end_members.by`` and
        optionally ``<source>_allowed``.
    end_members : EndMembers
        Sources; there may be more of them than tracers can tell apart.
    tracers : sequence of str
        Tracers to use.

    Returns
    -------
    boxes : list of BoxedMixtures
        Mixtures that can be answered, by their sources.
    reasons : array of str, shape (n,)
        Why a mixture cannot be answered; "" where it can.

    Raises
    ------
    InputError
        If a column is missing.
    MixingError
        If sources carry their tracers in unlike concentrations.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0]}))
    >>> boxes, reasons = boxed_mixtures(
    ...     pd.DataFrame({"Cl": [3.0, np.nan]}), ends, ["Cl"])
    >>> boxes[0].rows.tolist(), reasons.tolist()
    ([0], ['', 'missing tracer'])
    """
    check_columns(mixtures, end_members.by, what="Mixtures")
    amount = tracer_concentrations(end_members, tracers)
    if np.ptp(amount, axis=0).max(initial=0.0) > 1e-12 * amount.max():
        columns = ", ".join(concentration_columns(end_members))
        message = (
            f"End members have unlike concentrations ({columns}): the range of "
            "fractions is known for waters that mix tracer by tracer alone. Leave out "
            "these columns, or solve with source_fractions."
        )
        raise MixingError(message)
    values = tracer_values(mixtures, tracers, what="Mixtures")
    allowed = allowed_sources(mixtures, end_members.sources)
    reasons = np.full(len(mixtures), "", dtype=object)
    boxes = []
    for group in sample_groups(mixtures, end_members.by) if len(mixtures) else []:
        try:
            stratum = end_members.select(**group.key)
        except MixingError as error:
            reasons[group.rows] = str(error)
            continue
        if len(stratum.sources) < 2:
            reasons[group.rows] = SINGLE
            continue
        present = np.isin(end_members.sources, stratum.sources)
        taking = allowed[group.rows] & present
        reasons[group.rows[~taking.any(axis=1)]] = NO_SOURCE
        missing = ~np.isfinite(values[group.rows]).all(axis=1)
        reasons[group.rows[missing]] = MISSING
        for kind in np.unique(taking, axis=0):
            rows = group.rows[(taking == kind).all(axis=1) & ~missing]
            places = np.flatnonzero(kind)
            if rows.size and places.size:
                kept = stratum.keep([end_members.sources[k] for k in places])
                means = kept.means(tracers)
                boxes.append(BoxedMixtures(rows, places, values[rows], means))
    return boxes, reasons


def tolerances(
    tolerance: float | Sequence[float], tracers: Sequence[str]
) -> FloatArray:
    """Give each tracer its tolerance.

    Parameters
    ----------
    tolerance : float or sequence of float
        One for all tracers, or one each in their order [units of the tracer].
    tracers : sequence of str
        Tracers.

    Returns
    -------
    tolerances : array, shape (tracer,)
        Tolerances.

    Raises
    ------
    InputError
        If there is not one a tracer, or one is negative or not finite.

    Examples
    --------
    >>> tolerances(0.1, ["d18O", "d2H"]).tolist()
    [0.1, 0.1]
    """
    values = np.atleast_1d(np.asarray(tolerance, dtype=float))
    if values.shape not in ((1,), (len(tracers),)):
        message = (
            f"Tolerance has the shape {values.shape} for tracers {', '.join(tracers)}. "
            "Give one number for all, or one each."
        )
        raise InputError(message)
    if not (np.isfinite(values) & (values >= 0)).all():
        message = f"Invalid tolerance {values.tolist()}. It is a number of 0 or above."
        raise InputError(message)
    return np.broadcast_to(values, (len(tracers),)).copy()


def widening(tolerance: FloatArray) -> FloatArray:
    """Say how tolerances grow together where they are too narrow.

    Parameters
    ----------
    tolerance : array, shape (tracer,)
        Tolerances.

    Returns
    -------
    step : array, shape (tracer,)
        The tolerances themselves; the largest, or 1, where one is zero.

    Examples
    --------
    >>> widening(np.array([0.1, 0.5])).tolist(), widening(np.zeros(2)).tolist()
    ([0.1, 0.5], [1.0, 1.0])
    """
    largest = float(tolerance.max()) or 1.0
    return np.where(tolerance > 0, tolerance, largest)


def too_narrow(tracers: Sequence[str], needed: FloatArray) -> str:
    """Say that no fractions meet the mixture, and which tolerance would do.

    Parameters
    ----------
    tracers : sequence of str
        Tracers.
    needed : array, shape (tracer,)
        Smallest tolerances that have an answer.

    Returns
    -------
    reason : str
        Reason with the tolerances, rounded up to 4 digits.

    Examples
    --------
    >>> too_narrow(["d18O"], np.array([0.23451]))
    'no fractions within tolerance; d18O 0.2346 would do'
    """
    digits = 3 - np.floor(np.log10(np.maximum(needed, 1e-12)))
    # What is a round number but for its last bit is not rounded up.
    up = np.ceil(needed * 10.0**digits * (1.0 - 1e-12)) / 10.0**digits
    words = [f"{name} {value:.4g}" for name, value in zip(tracers, up, strict=True)]
    return f"no fractions within tolerance; {', '.join(words)} would do"
