"""Whether end members can be told apart by the tracers at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from geosoil.errors import MixingError
from geosoil.tracers.endmembers import EndMembers

FloatArray = npt.NDArray[np.float64]

ILL_CONDITIONED = 100.0
"""Condition number above which fractions hang on small differences."""
UNUSABLE = 1e4
"""Condition number above which no fractions are given."""


@dataclass(frozen=True, slots=True)
class MixingSpace:
    """Geometry of end members."""

    sources: tuple[str, ...]
    """Names of the sources."""
    tracers: tuple[str, ...]
    """Names of the tracers."""
    condition_number: float
    """Condition of the mixing matrix, tracers centred and scaled by the standard
    deviation of the end members' means."""
    ill_conditioned: bool
    """Whether the condition number is above 100."""


def check_mixing_space(
    end_members: EndMembers,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    force: bool = False,
) -> MixingSpace:
    """Check that end members of one stratum differ enough to be told apart.

    Parameters
    ----------
    end_members : EndMembers
        End members of one stratum.
    tracers : sequence of str
        Tracers to use.
    force : bool
        Let a condition number above 1e4 pass.

    Returns
    -------
    space : MixingSpace
        Condition number and whether it calls for caution.

    Raises
    ------
    MixingError
        With more sources than tracers + 1, equal or collinear end members, or a
        condition number above 1e4; the message names the sources.

    Notes
    -----
    The condition number is that of the matrix of Z' and a row of ones, where Z holds
    the end members less their mean, divided by their standard deviation. It does not
    change with the unit or the zero of a tracer.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"source": ["rain", "ice", "snow"],
    ...     "d18O": [-11.2, -14.9, -16.4], "d_excess": [9.5, -1.0, 12.8]})
    >>> ends = EndMembers.from_table(table)
    >>> space = check_mixing_space(ends, tracers=["d18O", "d_excess"])
    >>> round(space.condition_number, 2), space.ill_conditioned
    (1.23, False)
    """
    names, means = end_members.sources, end_members.means(tracers)
    if len(names) > len(tracers) + 1:
        message = (
            f"{len(names)} sources ({', '.join(names)}) need {len(names) - 1} "
            f"tracers; {len(tracers)} given ({', '.join(tracers)}). Drop a source or "
            "add a tracer; or ask for the range of each fraction (fraction_bounds, "
            "isosource) or for its distribution under a prior (bayes_fractions)."
        )
        raise MixingError(message)
    centred = means - means.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0) / max(len(names) - 1, 1))
    size = np.maximum(np.abs(means).max(axis=0, initial=0.0), 1e-300)
    varying = spread > 1e-12 * size
    scaled = np.where(varying, centred / np.where(varying, spread, 1.0), 0.0)
    _check_equal(names, scaled, tracers)
    singular = np.linalg.svd(np.c_[scaled, np.ones(len(names))], compute_uv=False)
    condition = float(singular[0] / max(singular[len(names) - 1], 1e-300))
    if condition > (1e12 if force else UNUSABLE):
        raise MixingError(_collinear(names, scaled, tracers, condition))
    return MixingSpace(names, tuple(tracers), condition, condition > ILL_CONDITIONED)


def _check_equal(
    names: tuple[str, ...], scaled: FloatArray, tracers: Sequence[str]
) -> None:
    equal = [
        f"{names[i]} and {names[j]}"
        for i, j in combinations(range(len(names)), 2)
        if np.abs(scaled[i] - scaled[j]).max() < 1e-9
    ]
    if equal:
        message = (
            f"Equal end members in {', '.join(tracers)}: {'; '.join(equal)}. "
            "Join them, or add a tracer that tells them apart."
        )
        raise MixingError(message)


def _collinear(
    names: tuple[str, ...],
    scaled: FloatArray,
    tracers: Sequence[str],
    condition: float,
) -> str:
    matrix = np.c_[scaled, np.ones(len(names))]
    vector = np.linalg.svd(matrix.T)[2][len(names) - 1]
    vector = vector / vector[np.flatnonzero(np.abs(vector) > 1e-9)[0]]
    terms = " ".join(
        f"{value:+.3g} {name}" for value, name in zip(vector, names, strict=True)
    )
    rank = int(np.linalg.matrix_rank(scaled, tol=1e-4 * np.abs(scaled).max()))
    return (
        f"Collinear end members {', '.join(names)} in {', '.join(tracers)}: rank "
        f"{rank}, {len(names) - 1} needed, condition number {condition:.3g}. Adding "
        f"({terms}) changes no mixture. Drop a source or add a tracer."
    )
