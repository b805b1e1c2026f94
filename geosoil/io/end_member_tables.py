"""End-member tables: the mean composition of each source of water."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.io.short_tables import fault_absent, fault_remarks, fault_rows
from geosoil.io.table_labels import read_period, read_water
from geosoil.io.tables import ColumnTable, read_table
from geosoil.io.vocabulary import Column, words

_PERMIL = {"‰": 1.0, "permil": 1.0, "vsmow": 1.0, "‰vsmow": 1.0}
END_MEMBER_COLUMNS: tuple[Column, ...] = (
    Column("period", "label", words("month season 月份 时期")),
    Column("by", "id", words("groupkind stratumkind")),
    Column("stratum", "id", words("group")),
    Column("source", "id", words("endmember water watertype 端元 水源")),
    Column("state", "id"),
    Column("d18O", "number", words("18o delta18o d18omean"), _PERMIL, (-100.0, 50.0)),
    Column("d2H", "number", words("2h dd deltad d2hmean"), _PERMIL, (-600.0, 300.0)),
    Column("d18O_sd", "number", words("sdd18o d18ostd"), _PERMIL, (0.0, 50.0)),
    Column("d2H_sd", "number", words("sdd2h d2hstd"), _PERMIL, (0.0, 300.0)),
    Column("d18O_d2H_cov", "number", words("cov covariance")),
    Column("n", "number", words("count number samples"), valid=(0.0, 1e9)),
)
"""Columns of an end-member table; source, d18O and d2H are needed."""


def read_end_members(
    path: str | os.PathLike[str], *, tracers: Sequence[str] = ("d18O", "d2H")
) -> pd.DataFrame:
    r"""Read a table of end members: the mean composition of each source.

    Parameters
    ----------
    path : path
        Text table or workbook; columns source and the tracers are needed; period,
        by, stratum, state, d18O_sd, d2H_sd, d18O_d2H_cov [permil2] and n may be given.
    tracers : sequence of str
        Tracers that every row has; isotopes in permil. ``d_excess`` may be left to be
        computed from d18O and d2H. Columns that geosoil has no name for stay text.

    Returns
    -------
    end_members : DataFrame
        The columns found, in the order above; ``attrs["issues"]`` as of
        :func:`geosoil.io.samples.read_samples`.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If a needed column or value is missing, a number cannot be, a spread is
        negative, a covariance larger than its spreads allow, or a source stands twice
        in the same group; one message holds all faults.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "em.csv"
    ...     _ = file.write_text("source,d18O,d2H\nrain,-17,-122\nice,-12,-90\n")
    ...     read_end_members(file)["source"].tolist()
    ['precipitation', 'ground_ice']
    """
    file = Path(path)
    kind = "End-member table"
    table = read_table(file, kind=kind, vocabulary=END_MEMBER_COLUMNS)
    needed = ("source", *(t for t in tracers if t != "d_excess"))
    if "d_excess" in tracers and "d_excess" not in table.frame.columns:
        needed = tuple(dict.fromkeys((*needed, "d18O", "d2H")))
    fault_absent(table, needed)
    fault_remarks(table)
    frame = table.frame
    for name in needed:
        if name in frame.columns:
            fault_rows(table, frame[name].isna().to_numpy(), f"{name} is missing")
    for column in END_MEMBER_COLUMNS:
        if column.kind == "number" and column.name in frame.columns:
            low, high = column.valid
            values = frame[column.name].to_numpy(dtype=float)
            bad = (values < low) | (values > high)
            fault_rows(table, bad, f"{column.name} is outside {low:g} to {high:g}")
    _check_covariance(table)
    _check_unique(table)
    if frame.empty and not table.ledger.faults:
        table.ledger.faults.append("the table has no rows.")
    table.ledger.raise_faults(kind, file)
    frame = frame.copy()
    _translate(table, frame, "source", read_water)
    _translate(table, frame, "period", read_period)
    frame.attrs["issues"] = [dict(issue) for issue in table.ledger.issues]
    return frame


def _translate(
    table: ColumnTable,
    frame: pd.DataFrame,
    name: str,
    read: Callable[[str], str | None],
) -> None:
    """Put geosoil's words for the user's; words it does not know stay."""
    if name not in frame.columns:
        return
    written = [text if isinstance(text, str) else None for text in frame[name]]
    words_read = [(read(text) or text) if text else None for text in written]
    for row, text, word in zip(table.rows, written, words_read, strict=True):
        if text != word:
            table.ledger.add((row, name), text, word, f"word for {name}")
    frame[name] = pd.Series(words_read, dtype="str", index=frame.index)


def _check_covariance(table: ColumnTable) -> None:
    """Check that a covariance does not exceed the product of the spreads."""
    if not {"d18O_sd", "d2H_sd", "d18O_d2H_cov"} <= set(table.frame.columns):
        return
    frame = table.frame
    limit = (frame["d18O_sd"] * frame["d2H_sd"]).to_numpy(dtype=float)
    covariance = np.abs(frame["d18O_d2H_cov"].to_numpy(dtype=float))
    bad = covariance > limit * (1 + 1e-6) + 1e-9
    fault_rows(table, bad, "d18O_d2H_cov is larger than d18O_sd times d2H_sd")


def _check_unique(table: ColumnTable) -> None:
    names = ("period", "by", "stratum", "source", "state")
    keys = [name for name in names if name in table.frame.columns]
    if "source" not in keys or table.frame.empty:
        return
    again = table.frame.duplicated(keys, keep=False).to_numpy()
    fault_rows(table, again, f"the same {', '.join(keys)} stands more than once")
