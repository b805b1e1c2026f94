"""Checks of a sample table: what forbids its use, and what looks wrong in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.io.issues import name_rows
from geosoil.io.tables import ColumnTable
from geosoil.io.vocabulary import SAMPLE_COLUMNS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_WATER_D_EXCESS = (-60.0, 60.0)
_FAR_D_EXCESS = 80.0
_FEW = 0.1


ISOTOPES = ("d18O", "d2H")
"""Columns that a sample table needs, unless the user asks for less."""


def check_samples(table: ColumnTable, *, require: Sequence[str] = ISOTOPES) -> None:
    """Note all faults and suspicions of a sample table in its ledger.

    Parameters
    ----------
    table : ColumnTable
        The table as read; its ledger is filled.
    require : sequence of str
        Columns that must be there.
    """
    _check_needed(table, require)
    if table.header and table.frame.empty and not table.ledger.faults:
        table.ledger.faults.append("the table has a header but no rows of samples.")
    swapped = _check_swapped_coordinates(table)
    _check_ranges(table, skip=("latitude", "longitude") if swapped else ())
    _check_layers(table)
    _check_duplicates(table)
    _check_missing_deltas(table)
    both = set(ISOTOPES) <= set(table.frame.columns) and not table.frame.empty
    if both and not _check_fractions(table) and not _check_swapped_deltas(table):
        _check_lost_signs(table)


def _rows(table: ColumnTable, mask: BoolArray) -> list[int]:
    return [table.rows[i] for i in np.flatnonzero(mask)]


def _check_needed(table: ColumnTable, require: Sequence[str]) -> None:
    known = {c.name: c for c in SAMPLE_COLUMNS}
    for name in require:
        if name not in known:
            table.ledger.faults.append(
                f"require= names '{name}', which geosoil does not know. Known: "
                f"{', '.join(known)}."
            )
        elif name not in table.frame.columns:
            also = ", ".join(known[name].synonyms[:4])
            unit = " [permil]" if name in ISOTOPES else ""
            other = [o for o in ISOTOPES if o != name and o in table.frame.columns]
            alone = name in ISOTOPES and other
            one = f' To read it without, use require=("{other[0]}",).' if alone else ""
            table.ledger.faults.append(
                f"no column '{name}'{unit} was found (looked for {name}, {also} and "
                f"the like). Columns found: {', '.join(table.header)}. Say which "
                f'column it is with columns={{"your name": "{name}"}}.{one}'
            )


def _check_swapped_coordinates(table: ColumnTable) -> bool:
    frame = table.frame
    if not {"latitude", "longitude"} <= set(frame.columns):
        return False
    latitude = frame["latitude"].to_numpy(dtype=float)
    longitude = frame["longitude"].to_numpy(dtype=float)
    outside = np.abs(latitude) > 90
    if not outside.any():
        return False
    fits = (np.abs(latitude) <= 180) & (np.abs(longitude) <= 90)
    if not fits[outside].all():
        return False
    table.ledger.faults.append(
        f"latitude lies beyond 90 degrees ({name_rows(_rows(table, outside))}; the "
        f"first is {latitude[outside][0]:g}), and would fit if latitude and longitude "
        "were exchanged. If they are, exchange the two column names; geosoil does not "
        "do it by itself."
    )
    return True


def _check_ranges(table: ColumnTable, *, skip: tuple[str, ...]) -> None:
    for column in SAMPLE_COLUMNS:
        if column.name not in table.frame.columns or column.name in skip:
            continue
        if column.kind not in ("number", "latitude", "longitude"):
            continue
        values = table.frame[column.name].to_numpy(dtype=float)
        low, high = column.valid
        bad = (values < low) | (values > high)
        if bad.any():
            first = values[bad][0]
            table.ledger.faults.append(
                f"column '{column.name}' has {int(bad.sum())} value(s) outside {low:g} "
                f"to {high:g} ({name_rows(_rows(table, bad))}; the first is "
                f"{first:g}). Correct them, or leave them empty."
            )


def _check_layers(table: ColumnTable) -> None:
    if not {"depth_top", "depth_bottom"} <= set(table.frame.columns):
        return
    turned = (table.frame["depth_top"] > table.frame["depth_bottom"]).to_numpy()
    if turned.any():
        table.ledger.faults.append(
            f"depth_top lies below depth_bottom ({name_rows(_rows(table, turned))}). "
            "Depths are centimetres below the surface, the top first."
        )


def _check_duplicates(table: ColumnTable) -> None:
    frame, ledger = table.frame, table.ledger
    if frame.empty:
        return
    whole = frame.duplicated(keep="first").to_numpy()
    for row in _rows(table, whole):
        rule = "the same row stands above; it is kept and counts twice"
        ledger.add((row, ""), "row repeated", "kept", rule, severity="warn")
    if "sample_id" not in frame.columns:
        return
    named = frame["sample_id"].notna()
    again = (frame.duplicated("sample_id", keep="first") & named).to_numpy() & ~whole
    for index in np.flatnonzero(again):
        found = frame["sample_id"].iloc[index]
        rule = "sample_id stands above with other values; both rows are kept"
        place = (table.rows[index], "sample_id")
        ledger.add(place, found, found, rule, severity="warn")


def _check_missing_deltas(table: ColumnTable) -> None:
    present = [name for name in ISOTOPES if name in table.frame.columns]
    if table.frame.empty or not present:
        return
    missing = table.frame[present].isna()
    if missing.to_numpy().all():
        named = " and ".join(f"'{name}'" for name in present)
        noun, verb = ("columns", "hold") if len(present) > 1 else ("column", "holds")
        table.ledger.faults.append(f"{noun} {named} {verb} no number at all.")
    for index in np.flatnonzero(missing.any(axis=1).to_numpy()):
        which = " and ".join(str(c) for c in missing.columns[missing.iloc[index]])
        rule = f"{which} missing: the row is kept, but takes no part in mixing"
        place = (table.rows[index], which)
        table.ledger.add(place, "", "missing", rule, severity="note")


def _deltas(table: ColumnTable) -> tuple[FloatArray, FloatArray]:
    d18O = table.frame["d18O"].to_numpy(dtype=float)
    return d18O, table.frame["d2H"].to_numpy(dtype=float)


def _largest(values: FloatArray) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if known.size else np.nan


def _check_fractions(table: ColumnTable) -> bool:
    """Fractions (-0.012) in place of permil (-12)."""
    d18O, d2H = _deltas(table)
    small18, small2 = 0 < _largest(d18O) <= 0.1, 0 < _largest(d2H) <= 0.6
    large18, large2 = _largest(d18O) > 5, _largest(d2H) > 10
    columns = []
    if small18 and (small2 or large2):
        columns.append("d18O")
    if small2 and (small18 or large18):
        columns.append("d2H")
    for name in columns:
        largest = _largest(table.frame[name].to_numpy(dtype=float))
        table.ledger.faults.append(
            f"column '{name}' looks like fractions: its largest value is {largest:g}. "
            "Give delta values in permil (multiply by 1000)."
        )
    return bool(columns)


def _check_swapped_deltas(table: ColumnTable) -> bool:
    """Columns d18O and d2H exchanged, for the whole table or for single rows."""
    d18O, d2H = _deltas(table)
    both = np.isfinite(d18O) & np.isfinite(d2H)
    excess, turned = d2H - 8 * d18O, d18O - 8 * d2H
    low, high = _WATER_D_EXCESS
    bad = both & (np.abs(excess) > 150) & (turned > low) & (turned < high)
    if not bad.any():
        return False
    if bad.sum() > 0.5 * both.sum():
        table.ledger.faults.append(
            f"columns 'd18O' and 'd2H' look exchanged: in {int(bad.sum())} of "
            f"{int(both.sum())} rows d2H - 8 d18O is far from any water "
            f"({name_rows(_rows(table, bad))}; the first gives "
            f"{excess[bad][0]:.0f} permil, exchanged {turned[bad][0]:.0f}). Exchange "
            "the two column names if they are; geosoil does not do it by itself."
        )
        return True
    for index in np.flatnonzero(bad):
        rule = "d18O and d2H look exchanged in this row; kept as written"
        found = f"{d18O[index]:g}, {d2H[index]:g}"
        place = (table.rows[index], "d18O, d2H")
        table.ledger.add(place, found, found, rule, severity="suspect")
    return False


def _check_lost_signs(table: ColumnTable) -> None:
    """Note a delta of unusual sign where turning it gives a usual water."""
    d18O, d2H = _deltas(table)
    excess = d2H - 8 * d18O
    for name, values, turned in (
        ("d18O", d18O, d2H + 8 * d18O),
        ("d2H", d2H, -d2H - 8 * d18O),
    ):
        typical = float(np.sign(pd.Series(values).median()))
        unlike = np.sign(values) == -typical
        if unlike.sum() > max(1.0, _FEW * np.isfinite(values).sum()):
            continue
        bad = (np.abs(excess) > _FAR_D_EXCESS) & unlike
        bad &= (turned > -40) & (turned < 40)
        for index in np.flatnonzero(bad):
            rule = (
                f"sign lost? d2H - 8 d18O is {excess[index]:.0f} permil, and "
                f"{turned[index]:.0f} with the other sign; kept as written"
            )
            place = (table.rows[index], name)
            found = f"{values[index]:g}"
            table.ledger.add(place, found, found, rule, severity="suspect")
