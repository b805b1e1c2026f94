"""Concentrations of the tracers in their sources, where these are not all the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.source_means import row_label
from geosoil.tracers.tracer_space import DERIVED

FloatArray = npt.NDArray[np.float64]

SUFFIX = "_concentration"
"""End of the columns that hold concentrations, after the tracer's name."""


def tracer_concentrations(
    end_members: EndMembers, tracers: Sequence[str]
) -> FloatArray:
    """Return how much of each tracer's carrier every end member holds.

    Parameters
    ----------
    end_members : EndMembers
        End members; the table may have columns ``<tracer>_concentration`` such as
        ``Sr_concentration``, in any unit, the same for all sources.
    tracers : sequence of str
        Tracers wanted. ``d_excess`` made of d18O and d2H has the concentration of
        these, which must be the same but for the unit.

    Returns
    -------
    concentrations : array, shape (row, tracer)
        Concentrations; 1 where the table has none.

    Raises
    ------
    MixingError
        If a concentration is missing or not above 0, belongs to no tracer of the
        table, or d18O and d2H differ in theirs and ``d_excess`` is asked for; the
        message lists all faults with source and stratum.

    Notes
    -----
    A tracer's unit cancels, so only the ratios between sources matter. Water isotopes
    are part of water itself: their concentrations are equal and need no column.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["rain", "ice"], "Sr": [0.709, 0.712],
    ...                       "Sr_concentration": [2.0, 60.0]})
    >>> tracer_concentrations(EndMembers.from_table(table), ["Sr"]).tolist()
    [[2.0], [60.0]]
    """
    table = end_members.table
    found = np.ones((len(table), len(tracers)))
    columns = concentration_columns(end_members)
    if not columns:
        return found
    faults = _astray(table, columns)
    for place, tracer in enumerate(tracers):
        recipe = DERIVED.get(tracer, {})
        made = bool(recipe) and set(recipe) <= set(table.columns)
        names = [*recipe] if made else [tracer]
        if made and f"{tracer}{SUFFIX}" in columns:
            names.append(tracer)
        values = [_read(end_members, f"{name}{SUFFIX}", faults) for name in names]
        found[:, place] = values[0]
        if not all(_proportional(values[0], value) for value in values[1:]):
            faults.append(
                f"{tracer} is made of {' and '.join(recipe)}, whose concentrations "
                f"differ between sources, so that {tracer} does not mix by itself. "
                f"Take {' and '.join(recipe)} as tracers."
            )
    if faults:
        message = "End members: " + "\n".join(dict.fromkeys(faults))
        raise MixingError(message)
    return found


def concentration_columns(end_members: EndMembers) -> list[str]:
    """Return the columns of concentrations that end members have.

    Parameters
    ----------
    end_members : EndMembers
        End members.

    Returns
    -------
    columns : list of str
        Columns that end in ``_concentration``; empty where mixing is plain.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["rain"], "Sr": [0.709],
    ...                       "Sr_concentration": [2.0]})
    >>> concentration_columns(EndMembers.from_table(table))
    ['Sr_concentration']
    """
    names = map(str, end_members.table.columns)
    return [name for name in names if name.endswith(SUFFIX)]


def refuse_concentrations(end_members: EndMembers, *, what: str) -> None:
    """Raise where end members have concentrations that a method does not take.

    Parameters
    ----------
    end_members : EndMembers
        Sources.
    what : str
        Name of the method, for the message.

    Raises
    ------
    MixingError
        If the table has a column of concentrations: without them the answer would be
        another.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain"], "Cl": [2.0]}))
    >>> refuse_concentrations(ends, what="evaporated_fractions")
    """
    found = concentration_columns(end_members)
    if found:
        message = (
            f"{what} takes no concentrations, but end members have the column "
            f"{', '.join(found)}. Use source_fractions or bayes_fractions, or drop the "
            "column where all concentrations are equal."
        )
        raise MixingError(message)


def _astray(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Find concentrations of what is no tracer of the table, such as misspelt ones."""
    known = {*map(str, table.columns), *DERIVED}
    return [
        f"column '{column}' belongs to no tracer of the table. Name it "
        f"<tracer>{SUFFIX} after a column of the table, or drop it."
        for column in columns
        if column.removesuffix(SUFFIX) not in known
    ]


def _read(end_members: EndMembers, column: str, faults: list[str]) -> FloatArray:
    table = end_members.table
    if column not in table.columns:
        return np.ones(len(table))
    values = pd.to_numeric(table[column], errors="coerce")
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    bad = ~(np.isfinite(numbers) & (numbers > 0))
    if bad.any():
        rows = table[bad].iterrows()
        names = "; ".join(
            f"{row_label(row, end_members.by)}: {row[column]}" for _, row in rows
        )
        faults.append(
            f"'{column}' must be a number above 0 for every source, which it is not "
            f"for {names}."
        )
    return np.where(bad, 1.0, numbers)


def _proportional(first: FloatArray, second: FloatArray) -> bool:
    ratio = first / second
    return bool(np.ptp(ratio) <= 1e-9 * ratio.max())
