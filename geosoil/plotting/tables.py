"""What figures ask of their tables: columns that are there, and periods in order."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterable, Sequence

import pandas as pd

from geosoil.errors import InputError
from geosoil.strata import (
    ASPECTS,
    DEPTH_EDGES,
    ELEVATION_EDGES,
    VEGETATION,
    class_labels,
)

_GROUP_ORDER = (
    *class_labels(ELEVATION_EDGES),
    *class_labels(DEPTH_EDGES),
    *VEGETATION,
    *ASPECTS,
)


def check_columns(columns: Sequence[object], needed: Sequence[str], what: str) -> None:
    """Raise when a table lacks columns that a figure needs.

    Parameters
    ----------
    columns : sequence of str
        Columns of the table.
    needed : sequence of str
        Columns the figure needs.
    what : str
        Words for the table.

    Raises
    ------
    InputError
        If one or more columns are missing; the message names them all.

    Examples
    --------
    >>> check_columns(["d18O", "d2H"], ["d18O"], "sample table")
    """
    missing = [name for name in needed if name not in columns]
    if missing:
        message = (
            f"The {what} lacks column(s) {', '.join(missing)}. It has "
            f"{', '.join(str(name) for name in columns)}. Add or rename the columns."
        )
        raise InputError(message)


def table_periods(table: pd.DataFrame, what: str) -> list[str]:
    """Return the periods of a table, in the order of the season.

    Parameters
    ----------
    table : DataFrame
        Table with the column ``period``.
    what : str
        Words for the table.

    Returns
    -------
    periods : list of str
        Months as in the year, then others by first appearance.

    Raises
    ------
    InputError
        If no row has a period.

    Examples
    --------
    >>> table_periods(pd.DataFrame({"period": ["August", "June", None]}), "table")
    ['June', 'August']
    """
    found = [str(period) for period in table["period"].dropna().unique()]
    if not found:
        message = f"No row of the {what} has a period. Fill the column 'period'."
        raise InputError(message)
    known = [month for month in month_name if month in found]
    return known + [period for period in found if period not in known]


def panel_periods(samples: pd.DataFrame) -> list[str]:
    """Return the periods that get a panel: those in which soil was sampled.

    Parameters
    ----------
    samples : DataFrame
        Columns ``water`` and ``period``.

    Returns
    -------
    periods : list of str
        Periods of soil water in the order of the season; without soil water, of
        every sample. Rain gathered in other months makes no panel of its own.

    Raises
    ------
    InputError
        If no sample has a period.

    Examples
    --------
    >>> waters, months = ["soil", "precipitation"], ["June", "May"]
    >>> panel_periods(pd.DataFrame({"water": waters, "period": months}))
    ['June']
    """
    soil = samples[(samples["water"] == "soil") & samples["period"].notna()]
    return table_periods(samples if soil.empty else soil, "sample table")


def rows_of(table: pd.DataFrame, period: str) -> pd.Series:
    """Say which rows belong in the panel of a period.

    Parameters
    ----------
    table : DataFrame
        Table with the column ``period``.
    period : str
        The panel's period.

    Returns
    -------
    rows : Series of bool
        True for rows of the period and for rows without a period.

    Examples
    --------
    >>> rows_of(pd.DataFrame({"period": ["August", "June", None]}), "June").tolist()
    [False, True, True]
    """
    return (table["period"] == period) | table["period"].isna()


def ordered_groups(groups: Iterable[object]) -> list[str]:
    """Return names of groups once each, in the order of the strata.

    Parameters
    ----------
    groups : iterable of str
        Names such as "meadow" or "3000-3500".

    Returns
    -------
    ordered : list of str
        Names of the strata first, others by first appearance.

    Examples
    --------
    >>> ordered_groups(["meadow", "other", "grassland", "meadow"])
    ['grassland', 'meadow', 'other']
    """
    found = list(dict.fromkeys(str(group) for group in groups))
    known = [group for group in _GROUP_ORDER if group in found]
    return known + [group for group in found if group not in known]
