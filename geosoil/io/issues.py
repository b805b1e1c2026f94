"""The ledger of a table: every value read otherwise than written, and every fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict

from geosoil.errors import SampleTableError

Severity = Literal["note", "change", "warn", "suspect"]
"""note: how the file was read; change: a value differs from what was written;
warn: kept as it stands, look at it; suspect: probably a mistake in the table."""

_SHOWN = 10


class Issue(TypedDict):
    """One line of the ledger, made of plain values."""

    row: int
    """Row in the file counted from 1; 0 speaks of the whole table."""
    column: str
    """Column, by its geosoil name or by its name in the file."""
    found: str
    """What the file holds."""
    read_as: str
    """What geosoil took it for."""
    rule: str
    """Why."""
    severity: str
    """One of note, change, warn, suspect."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was changed in a table, and what forbids its use."""

    issues: list[Issue] = field(default_factory=list)
    """Changes and remarks, in the order in which they were met."""
    faults: list[str] = field(default_factory=list)
    """Sentences that go into one error together."""

    def add(
        self,
        place: tuple[int, str],
        found: object,
        read_as: object,
        rule: str,
        *,
        severity: Severity = "change",
    ) -> None:
        """Note one change or remark.

        Parameters
        ----------
        place : tuple = (row, column)
            Row in the file counted from 1 (0: whole table) and column.
        found, read_as : object
            What stands there, and what it was taken for.
        rule : str
            Why.
        severity : {"change", "note", "warn", "suspect"}
            How much it matters.
        """
        row, column = place
        self.issues.append(
            Issue(
                row=int(row),
                column=column,
                found=str(found),
                read_as=str(read_as),
                rule=rule,
                severity=severity,
            )
        )

    def raise_faults(self, kind: str, path: Path) -> None:
        """Raise one error with all faults, if there are any.

        Parameters
        ----------
        kind : str
            What the file should have been, for instance ``"Sample table"``.
        path : Path
            The file.

        Raises
        ------
        SampleTableError
            If at least one fault was noted.
        """
        if not self.faults:
            return
        if len(self.faults) == 1:
            message = f"{kind} '{path.name}': {self.faults[0]}"
        else:
            lines = "".join(f"\n  {i}. {t}" for i, t in enumerate(self.faults, 1))
            message = f"{kind} '{path.name}' has {len(self.faults)} faults:{lines}"
        raise SampleTableError(message)


def name_rows(rows: Sequence[int]) -> str:
    """Name rows of a file in words, at most ten of them.

    Parameters
    ----------
    rows : sequence of int
        Rows counted from 1.

    Returns
    -------
    words : str
        For instance ``"rows 3, 4 and 9"``.

    Examples
    --------
    >>> name_rows([3]), name_rows([3, 4, 9])
    ('row 3', 'rows 3, 4 and 9')
    >>> name_rows(range(2, 20))
    'rows 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more'
    """
    shown = [str(row) for row in rows[:_SHOWN]]
    if len(rows) == 1:
        return f"row {shown[0]}"
    if len(rows) > _SHOWN:
        return f"rows {', '.join(shown)} and {len(rows) - _SHOWN} more"
    return f"rows {', '.join(shown[:-1])} and {shown[-1]}"
