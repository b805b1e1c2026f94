"""Faults of short tables in which every row counts: classes, end members."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geosoil.io.issues import name_rows
from geosoil.io.tables import ColumnTable

_NO_VALUES = ("remark", "footer", "summary row (mean, sum and the like), not a sample")


def fault_absent(table: ColumnTable, names: Sequence[str]) -> None:
    """Note a fault where needed columns are absent.

    Parameters
    ----------
    table : ColumnTable
        Table as read; its ledger takes the fault.
    names : sequence of str
        Columns that are needed.
    """
    absent = [name for name in names if name not in table.frame.columns]
    if absent:
        table.ledger.faults.append(
            f"needed column(s) {', '.join(absent)} not found. Columns found: "
            f"{', '.join(table.header)}."
        )


def fault_remarks(table: ColumnTable) -> None:
    """Note a fault for each row that has no values.

    Parameters
    ----------
    table : ColumnTable
        Table as read; its ledger takes the faults.
    """
    for issue in table.ledger.issues:
        rule = issue["rule"].partition(":")[0]
        if issue["read_as"] == "dropped" and rule in _NO_VALUES:
            table.ledger.faults.append(
                f"row {issue['row']} ('{issue['found']}') has no values. Complete or "
                "remove it."
            )


def fault_rows(table: ColumnTable, mask: npt.NDArray[np.bool_], why: str) -> None:
    """Note one fault that names the rows it is about.

    Parameters
    ----------
    table : ColumnTable
        Table as read; its ledger takes the fault.
    mask : array of bool, shape (rows,)
        Rows at fault; none gives no fault.
    why : str
        What is wrong with them.
    """
    if mask.any():
        rows = [table.rows[i] for i in np.flatnonzero(mask)]
        table.ledger.faults.append(f"{why} ({name_rows(rows)}).")
