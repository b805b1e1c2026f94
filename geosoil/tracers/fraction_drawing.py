"""Solving the fractions of drawn waters: what Monte Carlo and bootstrap share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError
from geosoil.tracers import _kernels_mixing
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import Group
from geosoil.tracers.mixing import Constraint
from geosoil.tracers.mixing_solver import MixingAnswer, MixingTask
from geosoil.tracers.source_arrays import SourceArrays
from geosoil.tracers.uncertainty import tracer_shares

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

NO_SPREAD = "no spread of mixture or sources: nothing to draw"
"""Reason: neither the mixture nor its sources are known to vary."""
SINGULAR = "spread in one direction only: no weights"
"""Reason: the covariance of mixture and sources cannot be inverted."""

FEWEST_DRAWS = 100
"""Fewest draws that quantiles can be taken of."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How fractions are drawn.

    Raises
    ------
    InputError
        If there are fewer than 100 draws or the constraint is unknown.

    Examples
    --------
    >>> Drawing(n_draws=2000).cluster
    'site_id'
    """

    n_draws: int = 10_000
    """Number of draws."""
    cluster: str = "site_id"
    """Column of the unit of error of the mixtures, the site."""
    constraint: Constraint = "simplex"
    """Whether each drawn fraction is held within 0 and 1."""
    error: Literal["all", "shared"] = "all"
    """What is drawn of single mixtures: all that is uncertain, or only what they have
    in common, the error of the end members' means."""

    def __post_init__(self) -> None:
        """Check the choices."""
        faults = []
        if self.n_draws < FEWEST_DRAWS:
            faults.append(f"{self.n_draws} draws asked for. Give {FEWEST_DRAWS}.")
        if self.constraint not in ("simplex", "none"):
            faults.append(
                f"Unknown constraint '{self.constraint}'. Choose simplex or none."
            )
        if self.error not in ("all", "shared"):
            faults.append(f"Unknown error '{self.error}'. Choose all or shared.")
        if faults:
            raise InputError(" ".join(faults))


class MixingRow(NamedTuple):
    """One mixture and the sources that take part in it."""

    row: int
    """Row of the mixture."""
    places: IntArray
    """Places of its sources among all sources."""
    rows: IntArray
    """Rows of these sources in the table of end members."""
    amounts: FloatArray
    """Concentrations over those of the mixture at the point estimate, shape (source,
    tracer); 1 where all are equal."""
    factor: FloatArray
    """Whitener of the tracers at the point estimate, shape (tracer, tracer)."""


def mixing_rows(
    task: MixingTask,
    end_members: EndMembers,
    strata: Sequence[Group],
    answer: MixingAnswer,
) -> tuple[list[MixingRow], list[str]]:
    """Join each mixture that has an answer to its end members and weights.

    Parameters
    ----------
    task : MixingTask
        Mixtures.
    end_members : EndMembers
        Sources.
    strata : sequence of Group
        Mixtures of each stratum.
    answer : MixingAnswer
        Point estimates of the fractions.

    Returns
    -------
    rows : list of MixingRow
        Mixtures whose fractions can be drawn.
    reasons : list of str, length n
        Why a mixture that has a point estimate cannot be drawn; "" elsewhere.

    Notes
    -----
    The tracers weigh by the inverse of the mixture's covariance plus
    sum f_k^2 Sigma_k at the point estimate, the same in every draw. With unlike
    concentrations f_k is the share of the tracer, and what the mixture holds of a
    tracer's carrier is that of the point estimate too.

    Examples
    --------
    >>> import pandas as pd
    >>> from geosoil.tracers.mixing_solver import solve_mixtures
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.1, 0.1]}))
    >>> task = MixingTask(["Cl"], np.array([[3.0]]), np.zeros((1, 1, 1)),
    ...                   np.ones((1, 2), dtype=bool), "gls")
    >>> strata = [Group({}, np.array([0]))]
    >>> answer = solve_mixtures(task, ends, strata)
    >>> rows, _ = mixing_rows(task, ends, strata, answer)
    >>> rows[0].places.tolist()
    [0, 1]
    """
    arrays = SourceArrays.of(end_members, task)
    solved = np.asarray(np.isfinite(answer.fractions).all(axis=1))
    rows: list[MixingRow] = []
    reasons = [""] * len(solved)
    for group in strata:
        if not solved[group.rows].any():
            continue
        sources = arrays.rows(group.key)
        places, spread = arrays.places[sources], arrays.spread[sources]
        amount = arrays.concentrations[sources]
        for row in group.rows[solved[group.rows]]:
            taking = task.allowed[row, places]
            inside = answer.fractions[row, places[taking]]
            own = task.covariances[row if len(task.covariances) > 1 else 0]
            carried = inside @ amount[taking]
            factor, reasons[row] = _weights(
                own, spread[taking], tracer_shares(inside, amount[taking])
            )
            if not reasons[row]:
                part = int(row), places[taking], sources[taking]
                rows.append(MixingRow(*part, amount[taking] / carried, factor))
    return rows, reasons


def drawn_fractions(
    mixtures: FloatArray,
    sources: FloatArray,
    part: MixingRow,
    *,
    constraint: Constraint,
) -> FloatArray:
    """Solve the fractions of one mixture for every draw of the waters.

    Parameters
    ----------
    mixtures : array, shape (tracer, draw)
        Drawn mixtures.
    sources : array, shape (source, tracer, draw)
        Drawn sources.
    part : MixingRow
        Weights of the tracers and concentrations of the sources.
    constraint : {"simplex", "none"}
        Whether fractions are held within 0 and 1.

    Returns
    -------
    fractions : array, shape (draw, source)
        Fractions; they sum to one.

    Examples
    --------
    >>> mixtures, sources = np.array([[3.0, 0.0]]), np.array([[[1.0] * 2], [[9.0] * 2]])
    >>> both = np.arange(2)
    >>> part = MixingRow(0, both, both, np.ones((2, 1)), np.eye(1))
    >>> drawn_fractions(mixtures, sources, part, constraint="simplex").tolist()
    [[0.75, 0.25], [1.0, 0.0]]
    """
    n_sources, n_tracers, n_draws = sources.shape
    parts = []
    for start in range(0, n_draws, _kernels_mixing.CHUNK):
        chunk = slice(start, start + _kernels_mixing.CHUNK)
        away = part.amounts[:, :, None] * (sources[..., chunk] - mixtures[:, chunk])
        whitened = _kernels_mixing.times(part.factor[:, :, None], away)
        gram = _kernels_mixing.products(whitened)
        if constraint == "simplex":
            parts.append(_kernels_mixing.nearest(gram, n_tracers))
        else:
            whole = tuple(range(n_sources))
            parts.append(_kernels_mixing.face_fractions(gram, whole)[0])
    return np.concatenate(parts, axis=1).T


def _weights(
    own: FloatArray, spread: FloatArray, shares: FloatArray
) -> tuple[FloatArray, str]:
    """Whitener at given shares of the tracers, and why there is none."""
    scaled = spread * shares[:, :, None] * shares[:, None, :]
    total = (own + scaled.sum(axis=0))[:, :, None]
    if not total.any():
        return own, NO_SPREAD
    floor = 1e-9 * spread.mean(axis=0)
    factor = _kernels_mixing.whitener(total, floor)[:, :, 0]
    return factor, "" if np.isfinite(factor).all() else SINGULAR
