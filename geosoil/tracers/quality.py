"""Quality of isotope tables: rules that flag rows, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.delta import Line
from geosoil.tracers.groups import check_columns
from geosoil.tracers.quality_copies import (
    duplicate_rule,
    parallel_rule,
    precision_rule,
)
from geosoil.tracers.quality_printed import half_units, printed_decimals
from geosoil.tracers.quality_rules import (
    WHOLE_TABLE,
    Finding,
    QualityLimits,
    QualityTable,
    above_lmwl_rule,
    identity_rule,
    outlier_rule,
    swapped_rule,
    units_rule,
)

RULES: dict[str, Callable[[QualityTable], Iterable[Finding]]] = {
    "units": units_rule,
    "swapped": swapped_rule,
    "identity": identity_rule,
    "outlier": outlier_rule,
    "above_lmwl": above_lmwl_rule,
    "duplicate": duplicate_rule,
    "precision": precision_rule,
    "parallel": parallel_rule,
}
"""The rules by name, in the order in which they run."""

COLUMNS = ("row", "column", "rule", "found", "expected", "severity", "reason")
"""Columns of a quality report."""

_LIMITS = QualityLimits()
_NUMBERS = ("d18O", "d2H", "d_excess", "d18O_sd", "d2H_sd")
_DELTAS = ("d18O", "d2H", "d_excess")
_WATER_RULES = ("identity", "outlier", "above_lmwl", "duplicate", "parallel")


def check_quality(
    table: pd.DataFrame,
    *,
    rules: Sequence[str] | None = None,
    lmwl: Line | None = None,
    digits: Mapping[str, int] | None = None,
    columns: Mapping[str, str] | None = None,
    limits: QualityLimits = _LIMITS,
) -> pd.DataFrame:
    """Flag what looks wrong in a table of isotope values, without changing it.

    Parameters
    ----------
    table : DataFrame
        One row a sample or a group mean, with columns d18O, d2H [permil]; used where
        present: d_excess, d18O_sd, d2H_sd [permil], sample_id, water, site_id, date,
        period, depth_top, depth_bottom. Numbers may be given as text, which keeps
        the final zeros of what was printed.
    rules : sequence of str, optional
        Names of :data:`RULES` to apply; all by default.
    lmwl : WaterLine, optional
        Local meteoric water line; without it no row is held to lie above it.
    digits : mapping of str to int, optional
        Decimals with which a column was printed, for instance ``{"d18O": 2}``; see
        `printed_decimals` for what is assumed without.
    columns : mapping of str to str, optional
        The table's own column for a geosoil name, such as
        ``{"d_excess": "dexcess_printed"}``.
    limits : QualityLimits
        Bounds of the rules.

    Returns
    -------
    report : DataFrame
        One row a finding, in the order of the table: ``row`` (index label; None for
        the whole table), ``column``, ``rule``, ``found``, ``expected``, ``severity``
        ("suspect": probably a misprint; "warn": odd; "note"), ``reason``.

    Raises
    ------
    InputError
        If a column or a rule is unknown, or a value is no number.

    Notes
    -----
    With a d_excess column any misprint in d18O, d2H or d_excess shows that changes
    d_excess - d2H + 8 d18O by more than the rounding, u_d/2 + u_2H/2 + 8 u_18O/2
    with u the unit of the last digit printed. Lost signs, exchanged columns and
    shifted decimal points are told by the change that mends the row. Without the
    column a misprint must carry the row beyond ``limits.outlier`` robust standard
    deviations of the line of the table's own waters: most changed digits do not.
    Where a whole column is in fractions, or the columns are exchanged, only that is
    said, since the rules on rows would flag them all.

    Examples
    --------
    >>> means = pd.DataFrame({
    ...     "d18O": [14.23, -12.42], "d2H": [-108.14, -92.72], "d_excess": [5.71, 6.61]
    ... })
    >>> report = check_quality(means)
    >>> report[["row", "column", "rule", "expected"]].to_numpy().tolist()
    [[0, 'd18O', 'lost_sign', '-14.23']]
    """
    chosen = list(RULES) if rules is None else list(rules)
    unknown = [name for name in chosen if name not in RULES]
    if unknown:
        message = f"Unknown rule {', '.join(unknown)}. Rules: {', '.join(RULES)}."
        raise InputError(message)
    ready = _prepare(table, columns or {}, digits or {}, lmwl, limits)
    findings: list[Finding] = []
    flagged: set[int] = set()
    for name, rule in RULES.items():
        broken = any(f.rule in ("units", "swapped") and _whole(f) for f in findings)
        if name not in chosen or (broken and name in _WATER_RULES):
            continue
        for finding in rule(ready):
            if name in ("outlier", "above_lmwl") and finding.position in flagged:
                continue
            findings.append(finding)
            flagged.add(finding.position)
    return _report(findings, table.index)


def _whole(finding: Finding) -> bool:
    return finding.position == WHOLE_TABLE


def _prepare(
    table: pd.DataFrame,
    columns: Mapping[str, str],
    digits: Mapping[str, int],
    lmwl: Line | None,
    limits: QualityLimits,
) -> QualityTable:
    """Rename the columns, read numbers given as text, count the digits."""
    needed = [columns.get(name, name) for name in ("d18O", "d2H")]
    check_columns(table, [*needed, *columns.values()], what="Quality check")
    taken = set(columns) | set(columns.values())
    kept = [name for name in table.columns if name not in taken]
    frame = table[kept].copy()
    for name, source in columns.items():
        frame[name] = table[source]
    half = {
        name: half_units(printed_decimals(frame[name], digits=digits.get(name)))
        for name in _DELTAS
        if name in frame.columns
    }
    half.setdefault("d_excess", half_units(printed_decimals(frame["d18O"])))
    for name in _NUMBERS:
        if name in frame.columns:
            frame[name] = _numbers(frame[name])
    return QualityTable(frame, half, lmwl, limits)


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as float; raise where a text is no number."""
    cells = column.where(column.astype(str).str.strip() != "")
    numbers = pd.to_numeric(cells, errors="coerce").astype(float)
    wrong = numbers.isna() & cells.notna()
    if wrong.any():
        shown = ", ".join(f"{v!r} (row {i})" for i, v in cells[wrong].head(10).items())
        message = (
            f"Quality check: column '{column.name}' has {int(wrong.sum())} value(s) "
            f"that are no numbers: {shown}. Read the table with geosoil.read_samples, "
            "or leave missing values empty."
        )
        raise InputError(message)
    return numbers


def _report(findings: list[Finding], index: pd.Index) -> pd.DataFrame:
    """Lay findings out in the order of the table, the whole table first."""
    ordered = sorted(findings, key=lambda finding: finding.position)
    rows = [
        (None if _whole(finding) else index[finding.position], *finding[1:])
        for finding in ordered
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
