"""What becomes of mixtures outside their sources: kept, excluded or reassigned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing_region import THRESHOLD
from geosoil.tracers.tracer_space import DERIVED, tracer_basis, tracer_values

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Policy = Literal["keep", "exclude", "reassign"]

INSIDE, OUTSIDE, UNTESTED = "inside", "outside", "untested"


@dataclass(frozen=True, slots=True, eq=False)
class MixingPolicyResult:
    """Mixtures after a policy; none is lost.

    Examples
    --------
    >>> table = pd.DataFrame({"Cl": [1.0]})
    >>> MixingPolicyResult(table, table.iloc[:0], pd.DataFrame(), "keep").policy
    'keep'
    """

    mixtures: pd.DataFrame
    """Mixtures to go on with: their own columns, ``mixing_region`` ("inside",
    "outside" or "untested"), ``inside_probability``, ``outside_words``,
    ``region_reason``; reassigned ones also ``<tracer>_shift``."""
    excluded: pd.DataFrame
    """Mixtures taken out, with the same columns; empty but for "exclude"."""
    counts: pd.DataFrame
    """One row a group: ``n``, ``n_inside``, ``n_outside``, ``n_untested``,
    ``n_kept``, ``n_excluded``, ``n_reassigned``, ``why``."""
    policy: Policy
    """What was done with mixtures outside."""


def apply_mixing_policy(
    mixtures: pd.DataFrame,
    region: pd.DataFrame,
    *,
    policy: Policy = "keep",
    threshold: float = THRESHOLD,
    by: Sequence[str] = (),
) -> MixingPolicyResult:
    """Keep, exclude or reassign the mixtures that lie outside their sources.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture.
    region : DataFrame
        Answer of `mixing_region` for these mixtures, in their order.
    policy : {"keep", "exclude", "reassign"}
        Keep marks them; exclude takes them out; reassign moves them to the nearest
        point of the region and records by how much.
    threshold : float
        A mixture is outside where ``inside_probability`` is below; where that is
        missing, the exact test decides. One that could not be tested stays.
    by : sequence of str
        Columns of the mixtures to count by.

    Returns
    -------
    result : MixingPolicyResult
        Mixtures, excluded mixtures and counts.

    Raises
    ------
    InputError
        If the policy is unknown, the threshold no probability, the tables differ in
        their index, a column is missing, or the tracers do not tell how to move.

    Notes
    -----
    The nearest point is that of the least distance in standard deviations,
    sum f_k mean_k with the fractions of `source_fractions`. The difference
    (nearest - measured) stands in ``<tracer>_shift``; subtract it for the measured
    value. A mixture within the exact region has no shift even where its probability
    is below the threshold; it counts as kept.

    Examples
    --------
    >>> soil = pd.DataFrame({"Cl": [0.5, 4.0]})
    >>> region = pd.DataFrame({"inside": [False, True], "Cl_nearest": [1.0, 4.0],
    ...     "inside_probability": [0.01, 1.0], "outside_words": ["beyond rain", ""],
    ...     "reason": ""})
    >>> result = apply_mixing_policy(soil, region, policy="reassign")
    >>> result.mixtures[["Cl", "Cl_shift"]].values.tolist()
    [[1.0, 0.5], [4.0, 0.0]]
    >>> result.counts[["n", "n_reassigned", "why"]].values.tolist()
    [[2, 1, 'beyond rain (1)']]
    """
    _check(mixtures, region, policy, threshold)
    check_columns(mixtures, by, what="Mixtures")
    state = _state(region, threshold)
    outside = state == OUTSIDE
    marked = mixtures.assign(
        mixing_region=state,
        inside_probability=region["inside_probability"],
        outside_words=region["outside_words"],
        region_reason=region["reason"],
    )
    kept = np.ones(len(mixtures), dtype=bool)
    moved = np.zeros(len(mixtures), dtype=bool)
    if policy == "exclude":
        kept = ~outside
    elif policy == "reassign":
        marked, moved = _reassigned(marked, region, outside)
    rows = []
    for group in sample_groups(mixtures, by):
        own = group.rows
        counted = {
            name: int((state[own] == name).sum())
            for name in (INSIDE, OUTSIDE, UNTESTED)
        }
        rows.append(
            {
                **group.key,
                "n": len(own),
                **{f"n_{name}": number for name, number in counted.items()},
                "n_kept": int((kept & ~moved)[own].sum()),
                "n_excluded": int((~kept)[own].sum()),
                "n_reassigned": int(moved[own].sum()),
                "why": _why(region.iloc[own], state[own]),
            }
        )
    return MixingPolicyResult(marked[kept], marked[~kept], pd.DataFrame(rows), policy)


def _check(
    mixtures: pd.DataFrame, region: pd.DataFrame, policy: str, threshold: float
) -> None:
    if policy not in get_args(Policy):
        message = f"Unknown policy '{policy}'. Choose {', '.join(get_args(Policy))}."
        raise InputError(message)
    if not 0 <= threshold <= 1:
        message = f"Invalid threshold {threshold}: a probability from 0 to 1 is needed."
        raise InputError(message)
    needed = ["inside", "inside_probability", "outside_words", "reason"]
    check_columns(region, needed, what="Mixing region")
    if not mixtures.index.equals(region.index):
        message = (
            f"The mixing region has {len(region)} rows, the mixtures {len(mixtures)}, "
            "or their indices differ. Test the mixtures that the policy is for."
        )
        raise InputError(message)


def _state(region: pd.DataFrame, threshold: float) -> npt.NDArray[np.object_]:
    """Tell which mixtures are inside, outside or untested."""
    probability = region["inside_probability"].to_numpy(dtype=float, na_value=np.nan)
    exact = region["inside"].astype("boolean").to_numpy(dtype=float, na_value=np.nan)
    inside = np.where(np.isnan(probability), exact > 0, probability >= threshold)
    state = np.where(inside, INSIDE, OUTSIDE).astype(object)
    state[np.isnan(probability) & np.isnan(exact)] = UNTESTED
    return state


def _reassigned(
    marked: pd.DataFrame, region: pd.DataFrame, outside: BoolArray
) -> tuple[pd.DataFrame, BoolArray]:
    """Move mixtures to the nearest point; tell which moved."""
    names = [str(column) for column in region.columns]
    tracers = [
        name.removesuffix("_nearest") for name in names if name.endswith("_nearest")
    ]
    nearest = region[[f"{tracer}_nearest" for tracer in tracers]].to_numpy(dtype=float)
    measured, matrix = tracer_basis(list(marked.columns), tracers)
    if len(measured) != len(tracers):
        message = (
            f"Tracer {', '.join(tracers)} does not tell how {', '.join(measured)} move "
            f"to the region. Test the region in {', '.join(measured)}."
        )
        raise InputError(message)
    away = nearest - tracer_values(marked, tracers, what="Mixtures")
    shift = np.where(outside[:, None], np.linalg.solve(matrix, away.T).T, 0.0)
    table = marked.copy()
    for place, column in enumerate(measured):
        table[column] = table[column].astype(float) + shift[:, place]
        table[f"{column}_shift"] = shift[:, place]
    for derived, recipe in DERIVED.items():
        if derived in table.columns and set(recipe) <= set(measured):
            moves = sum(
                factor * table[f"{name}_shift"] for name, factor in recipe.items()
            )
            table[derived] = table[derived].astype(float) + moves
    return table, (shift != 0).any(axis=1)


def _why(region: pd.DataFrame, state: npt.NDArray[np.object_]) -> str:
    """Count the sides that mixtures lie beyond and the reasons of those untested."""
    sides = region["outside_words"].astype(str).str.partition(",")[0]
    sides = sides.where(sides != "", "inside, but improbable")
    words = np.where(state == OUTSIDE, sides, region["reason"].astype(str))
    told = pd.Series(words)[state != INSIDE].value_counts(sort=True)
    return "; ".join(f"{words} ({number})" for words, number in told.items())
