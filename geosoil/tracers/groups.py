"""Groups of samples: their keys in the paper's order and the rows of each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.strata import ASPECTS, PERIODS, VEGETATION

ORDERS: dict[str, tuple[str, ...]] = {
    "period": PERIODS,
    "aspect": ASPECTS,
    "vegetation": VEGETATION,
}
"""Columns whose labels have an order of their own."""


class Group(NamedTuple):
    """One group of samples."""

    key: dict[str, Hashable]
    """Label of each grouping column."""
    rows: npt.NDArray[np.intp]
    """Positions of the group's samples."""


def check_columns(table: pd.DataFrame, columns: Sequence[str], *, what: str) -> None:
    """Raise where columns are missing from a table.

    Parameters
    ----------
    table : DataFrame
        Table to look at.
    columns : sequence of str
        Columns that must be there.
    what : str
        Name of the table for the message.

    Raises
    ------
    InputError
        If a column is missing; the message lists all of them.

    Examples
    --------
    >>> check_columns(pd.DataFrame({"d18O": [1.0]}), ["d18O"], what="Samples")
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns))
        message = (
            f"{what}: missing column {', '.join(missing)}. Columns found: {found}. "
            "Rename or add the column."
        )
        raise InputError(message)


def sample_groups(samples: pd.DataFrame, by: Sequence[str]) -> list[Group]:
    """Return the groups of a table in a fixed order.

    Parameters
    ----------
    samples : DataFrame
        One row a sample.
    by : sequence of str
        Columns that make the groups; empty for one group of all samples.

    Returns
    -------
    groups : list of Group
        Sorted by label; period, aspect and vegetation keep the paper's order, a
        categorical column that of its categories. A missing label makes a group of
        its own, so that no sample is lost.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["September", "June", "June"]})
    >>> [(g.key["period"], g.rows.tolist()) for g in sample_groups(table, ["period"])]
    [('June', [1, 2]), ('September', [0])]
    """
    names = list(by)
    check_columns(samples, names, what="Samples")
    if not names:
        return [Group({}, np.arange(len(samples)))]
    plain = pd.DataFrame({name: samples[name].astype(object) for name in names})
    rows = plain.groupby(names, sort=False, dropna=False).indices
    groups = [
        Group(_key(names, label), np.sort(found)) for label, found in rows.items()
    ]
    orders = {name: _order(samples[name]) for name in names}
    return sorted(
        groups,
        key=lambda group: [
            _rank(orders[name], label) for name, label in group.key.items()
        ],
    )


def column_labels(samples: pd.DataFrame, column: str) -> list[Hashable]:
    """Return the labels that a column has or may have, in their order.

    Parameters
    ----------
    samples : DataFrame
        One row a sample.
    column : str
        Column of labels.

    Returns
    -------
    labels : list
        Labels found, and the categories of a categorical column even where no sample
        has them; a missing label comes last.

    Examples
    --------
    >>> column = pd.Categorical(["high"], categories=["low", "high"])
    >>> column_labels(pd.DataFrame({"band": column}), "band")
    ['low', 'high']
    """
    found = list(samples[column].astype(object).unique())
    order = _order(samples[column])
    if isinstance(samples[column].dtype, pd.CategoricalDtype):
        found += [label for label in order if label not in found]
    return sorted(found, key=lambda label: _rank(order, label))


def _order(column: pd.Series) -> tuple[Hashable, ...]:
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return tuple(kind.categories)
    return ORDERS.get(str(column.name), ())


def _key(names: list[str], label: Hashable) -> dict[str, Hashable]:
    labels = label if isinstance(label, tuple) else (label,)
    return dict(zip(names, labels, strict=True))


def _rank(order: tuple[Hashable, ...], label: Hashable) -> tuple[int, float, str]:
    if pd.isna(label):  # type: ignore[call-overload]
        return 3, 0.0, ""
    if label in order:
        return 0, float(order.index(label)), ""
    if isinstance(label, int | float):
        return 1, float(label), ""
    head = str(label).partition("-")[0]
    try:
        return 1, float(head), str(label)
    except ValueError:
        return 2, 0.0, str(label)
