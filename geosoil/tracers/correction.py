"""Evaporation within mixing: what it does to the fractions, and when it is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers import _kernels_mixing
from geosoil.tracers.concentration import refuse_concentrations
from geosoil.tracers.delta import d_excess
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns
from geosoil.tracers.mixing_space import UNUSABLE, check_mixing_space
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]

TRACERS = ("d18O", "d2H")
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class EvaporationSensitivity:
    """How the fractions of one mixture hang on its evaporation E.

    E is the enrichment in d18O [permil]; d2H gains slope E. Fractions are in the order
    of ``sources``.
    """

    sources: tuple[str, ...]
    """Names of the sources."""
    slope: float
    """Slope of evaporation [permil per permil]."""
    fractions: tuple[float, ...]
    """Raw fractions without correction, E = 0; may lie outside 0 and 1."""
    derivative: tuple[float, ...]
    """Change of each fraction per permil of E."""
    shift_lower: float
    """Least E of 0 or above for which all fractions lie within 0 and 1; NaN if none."""
    shift_upper: float
    """Largest such E; infinity where there is no bound, NaN if there is no such E."""
    fractions_lower: tuple[float, ...]
    """Fractions at ``shift_lower``."""
    fractions_upper: tuple[float, ...]
    """Fractions at ``shift_upper``."""
    identifiable: bool
    """Whether fractions and E are determined together by the tracers."""
    words: str
    """The finding in one sentence."""
    shift: float = NAN
    """E, where identifiable [permil]."""
    shift_sd: float = NAN
    """First-order standard deviation of E [permil]."""
    solved: tuple[float, ...] = ()
    """Fractions solved together with E; empty where not identifiable."""
    solved_sd: tuple[float, ...] = ()
    """First-order standard deviations of these; NaN where no spread is given."""


def corrected_mixtures(
    mixtures: pd.DataFrame, *, shift: npt.ArrayLike, slope: npt.ArrayLike
) -> pd.DataFrame:
    """Take evaporation off mixtures.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with columns d18O and d2H [permil].
    shift : array, shape (n,), or float
        Evaporation E as enrichment in d18O [permil]; NaN makes the row missing.
    slope : array, shape (n,), or float
        Slope of evaporation [permil per permil].

    Returns
    -------
    corrected : DataFrame
        Copy with d18O, d2H and, where it was a column, d_excess before evaporation.

    Raises
    ------
    InputError
        If a shift is negative.

    Notes
    -----
    d18O - E; d2H - slope E.

    Examples
    --------
    >>> soil = pd.DataFrame({"d18O": [-12.0], "d2H": [-90.0]})
    >>> corrected_mixtures(soil, shift=1.5, slope=4.0).values.tolist()
    [[-13.5, -96.0]]
    """
    check_columns(mixtures, TRACERS, what="Mixtures")
    amount = np.asarray(shift, dtype=float)
    if np.any(amount < 0):
        message = (
            f"{int(np.sum(amount < 0))} negative shifts of evaporation, the lowest "
            f"{np.nanmin(amount):g}. Evaporation enriches: E is 0 or above."
        )
        raise InputError(message)
    oxygen = mixtures["d18O"].to_numpy(dtype=float) - amount
    hydrogen = mixtures["d2H"].to_numpy(dtype=float) - np.asarray(slope) * amount
    corrected = mixtures.assign(d18O=oxygen, d2H=hydrogen)
    if "d_excess" in mixtures.columns:
        corrected["d_excess"] = d_excess(oxygen, hydrogen)
    return corrected


def evaporation_sensitivity(
    mixture: Mapping[Hashable, object] | pd.Series,
    end_members: EndMembers,
    *,
    slope: float,
    slope_sd: float = 0.0,
) -> EvaporationSensitivity:
    """Tell how the fractions of a mixture hang on an unknown evaporation.

    Parameters
    ----------
    mixture : mapping or Series
        ``d18O``, ``d2H`` [permil]; optional ``d18O_sd``, ``d2H_sd``.
    end_members : EndMembers
        Sources of one stratum, as fallen.
    slope : float
        Slope of evaporation, see `evaporation_slope`.
    slope_sd : float
        Standard deviation of the slope.

    Returns
    -------
    sensitivity : EvaporationSensitivity
        Derivatives, the range of E that gives fractions within 0 and 1 with the
        fractions at its ends and, for two sources, E and the fractions solved
        together. With three sources E is not identifiable from two tracers.

    Raises
    ------
    MixingError
        If the end members have strata or cannot be told apart.
    InputError
        If the mixture lacks a tracer or the slope is not a number.

    Notes
    -----
    m - E (1, s) = S' f, so df/dE = -G (1, s) with G = df / dm (for two sources the
    weights of E = 0 are kept). For two sources m - s2 = f (s1 - s2) + E (1, s)
    gives both unknowns; first-order variances hold the mixture, the sources and,
    by E^2 var(s), the slope.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["precipitation", "ground_ice"],
    ...     "d18O": [-15.0, -14.0], "d2H": [-106.0, -108.0],
    ...     "d18O_sd": [0.3, 0.3], "d2H_sd": [2.0, 2.0]}))
    >>> water = {"d18O": -13.4, "d2H": -100.65}
    >>> answer = evaporation_sensitivity(water, ends, slope=3.7)
    >>> round(answer.shift, 2), [round(f, 2) for f in answer.solved]
    (1.5, [0.9, 0.1])
    """
    if end_members.by:
        message = f"Select one stratum of {', '.join(end_members.by)} first."
        raise MixingError(message)
    row = pd.DataFrame([dict(mixture)])
    point = tracer_values(row, TRACERS, what="Mixture")
    if not (np.isfinite(point).all() and np.isfinite(slope) and slope_sd >= 0):
        message = (
            f"Mixture {point[0].tolist()}, slope {slope} and slope_sd {slope_sd}: "
            "all must be numbers, the last 0 or above."
        )
        raise InputError(message)
    check_mixing_space(end_members, tracers=TRACERS)
    refuse_concentrations(end_members, what="evaporation_sensitivity")
    case = _Case(
        point[0],
        tracer_covariances(row, TRACERS, what="Mixture"),
        end_members.means(TRACERS),
        end_members.covariances(TRACERS),
        (slope, slope_sd),
    )
    ridge = _ridge(case, end_members.sources)
    if len(end_members.sources) == len(TRACERS):
        return _solve_shift(case, ridge)
    return replace(ridge, words=f"Evaporation is not identifiable: {ridge.words}")


@dataclass(frozen=True, slots=True)
class _Case:
    """Arrays of one mixture and its sources."""

    point: FloatArray
    own: FloatArray
    means: FloatArray
    spread: FloatArray
    slope: tuple[float, float]

    @property
    def direction(self) -> FloatArray:
        """Change of the tracers per permil of evaporation."""
        return np.array([1.0, self.slope[0]])


def _ridge(case: _Case, sources: tuple[str, ...]) -> EvaporationSensitivity:
    """Fractions as a straight line in E, and the part of it within the simplex."""
    weighted = bool(np.linalg.det(case.own[0] + case.spread.mean(axis=0)) > 0)
    found = _kernels_mixing.mix_rows(
        case.point[None], case.own, case.means, case.spread, weighted=weighted
    )
    raw, change = found.raw[0], -found.gain[0] @ case.direction
    falling, rising = change < -1e-12, change > 1e-12
    lower = max(0.0, float(np.max(-raw[rising] / change[rising], initial=0.0)))
    upper = float(np.min(raw[falling] / -change[falling], initial=np.inf))
    steady = ~(falling | rising)
    if lower > upper + 1e-12 or np.any(raw[steady] < -1e-12):
        lower = upper = NAN
    words = (
        f"{len(sources)} sources and E against {len(TRACERS)} tracers; E from "
        f"{lower:.2f} to {upper:.2f} permil gives fractions within 0 and 1."
    )
    if np.isnan(lower):
        words = (
            f"{len(sources)} sources and E against {len(TRACERS)} tracers; no E of 0 "
            "or above gives fractions within 0 and 1."
        )
    return EvaporationSensitivity(
        sources,
        case.slope[0],
        _tuple(raw),
        _tuple(change),
        lower,
        upper,
        _tuple(raw + change * lower),
        _tuple(raw + change * upper if falling.any() else raw),
        identifiable=False,
        words=words,
    )


def _solve_shift(case: _Case, ridge: EvaporationSensitivity) -> EvaporationSensitivity:
    """Solve two fractions and E together."""
    matrix = np.column_stack([case.means[0] - case.means[1], case.direction])
    condition = float(np.linalg.cond(matrix / np.linalg.norm(matrix, axis=0)))
    if condition > UNUSABLE:
        words = (
            "Evaporation is not identifiable: the two sources differ along the "
            "slope of evaporation itself."
        )
        return replace(ridge, words=words)
    inverse = np.linalg.inv(matrix)
    first, shift = inverse @ (case.point - case.means[1])
    fractions = np.array([first, 1.0 - first])
    total = case.own[0] + np.tensordot(fractions**2, case.spread, axes=1)
    variance = inverse @ total @ inverse.T
    variance += np.outer(inverse[:, 1], inverse[:, 1]) * (shift * case.slope[1]) ** 2
    sd = np.sqrt(np.diag(variance)) if total.any() else np.full(2, np.nan)
    fine = shift >= 0 and bool(np.all((fractions >= 0) & (fractions <= 1)))
    words = (
        f"Fractions and evaporation are just determined: E = {shift:.2f} permil"
        f"{'' if fine else ', which no mixture of these sources can have'}; the "
        "answer has no check left and hangs on the slope."
    )
    return replace(
        ridge,
        identifiable=True,
        words=words,
        shift=float(shift),
        shift_sd=float(sd[1]),
        solved=_tuple(fractions),
        solved_sd=(float(sd[0]), float(sd[0])),
    )


def _tuple(values: FloatArray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
