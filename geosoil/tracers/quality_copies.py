"""Rules on repeated rows and measurements: copies, precision, parallel samples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import chi2

from geosoil.tracers.quality_printed import FloatArray
from geosoil.tracers.quality_rules import (
    WHOLE_TABLE,
    Finding,
    QualityLimits,
    QualityTable,
    Severity,
    measurement_sd,
    robust_line,
)


def duplicate_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag repeated sample ids, and equal values in rows of different name."""
    frame = table.frame
    if "sample_id" in frame.columns:
        ids = frame["sample_id"]
        again = (ids.duplicated(keep="first") & ids.notna()).to_numpy()
        for position in np.flatnonzero(again):
            found = str(ids.iloc[position])
            reason = f"sample_id {found} stands above in another row"
            yield Finding(
                int(position), "sample_id", "duplicate", found, "", "warn", reason
            )
    yield from _copies(table)


def _copies(table: QualityTable) -> Iterator[Finding]:
    """Flag equal (d18O, d2H) where the table's spread makes chance twins rare."""
    rows = np.flatnonzero(table.pairs)
    if len(rows) < 2:
        return
    keys = [name for name in ("d18O", "d2H", "d_excess") if name in table.frame]
    values = pd.DataFrame({name: table.values(name)[rows] for name in keys}, index=rows)
    twins = values[values.duplicated(keep=False)]
    if twins.empty:
        return
    chance = _chance_twins(table, values)
    if chance > table.limits.chance_copies:
        yield Finding(
            WHOLE_TABLE,
            "d18O, d2H",
            "duplicate",
            f"{len(twins)} rows",
            f"{chance * len(rows):.1f} rows by chance",
            "note",
            "rows with equal d18O and d2H are not flagged: with so few digits equal "
            "values are common by chance",
        )
        return
    labels = [str(label) for label in table.frame.index]
    expected = chance * len(rows)
    severity: Severity = "suspect" if 2 * expected < len(twins) else "note"
    for _, group in twins.groupby(keys, sort=False, dropna=False):
        places = group.index.to_numpy()
        x, y = group[["d18O", "d2H"]].to_numpy()[0]
        for position in places.tolist():
            other = labels[next(i for i in places.tolist() if i != position)]
            reason = (
                f"d18O and d2H are those of row {other} to the last digit; "
                f"{expected:.2g} rows of the table would have such a twin by chance, "
                f"{len(twins)} have"
            )
            found = f"{x:.6g}, {y:.6g}"
            yield Finding(
                position, "d18O, d2H", "duplicate", found, "", severity, reason
            )


def _chance_twins(table: QualityTable, values: pd.DataFrame) -> float:
    """Return the share of rows expected to have a twin by chance, for normal waters.

    A d_excess taken before rounding is one more number that twins must share; one
    that follows from the rounded numbers is not.
    """
    rows = values.index.to_numpy()
    x, y = values["d18O"].to_numpy(), values["d2H"].to_numpy()
    units = [2 * float(np.median(table.half[name][rows])) for name in ("d18O", "d2H")]
    line = robust_line(x, y, max(units[1], 1e-9))
    cell = units[0] / max(line.width, units[0]) * units[1] / line.scatter
    share = float((len(rows) - 1) * cell / (4 * np.pi))
    if "d_excess" not in values:
        return share
    d_unit = 2 * float(np.median(table.half["d_excess"][rows]))
    misfit = np.abs(values["d_excess"].to_numpy() - y + 8 * x)
    follows = not (misfit > 0.501 * d_unit).any()
    return share if follows else share * min(1.0, d_unit / (8 * units[0] + units[1]))


def precision_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag precisions that are not positive, implausible, or exchanged."""
    stated = table.limits.precision
    if stated is not None and stated[0] > stated[1]:
        yield Finding(
            WHOLE_TABLE,
            "d18O_sd, d2H_sd",
            "precision",
            f"{stated[0]:g}, {stated[1]:g}",
            f"{stated[1]:g}, {stated[0]:g}",
            "suspect",
            "the stated precision of d18O is wider than that of d2H, while d2H spreads "
            "some eight times as far: they look exchanged",
        )
    x_sd, y_sd = table.values("d18O_sd"), table.values("d2H_sd")
    for name, values, most in zip(
        ("d18O_sd", "d2H_sd"),
        (x_sd, y_sd),
        table.limits.largest_precision,
        strict=True,
    ):
        for position in np.flatnonzero((values <= 0) | (values > most)):
            found = f"{values[position]:.6g}"
            reason = f"a precision of {found} permil is not possible or not plausible"
            bound = f"above 0, at most {most:g}"
            yield Finding(
                int(position), name, "precision", found, bound, "warn", reason
            )
    yield from _exchanged_precision(x_sd, y_sd)


def _exchanged_precision(x_sd: FloatArray, y_sd: FloatArray) -> Iterator[Finding]:
    wrong = np.flatnonzero((x_sd > y_sd) & (y_sd > 0))
    if not len(wrong):
        return
    known = np.isfinite(x_sd) & np.isfinite(y_sd)
    whole = len(wrong) > 0.5 * known.sum()
    reason = "the precision of d18O is wider than that of d2H: they look exchanged"
    if whole:
        reason += f", in {len(wrong)} of {int(known.sum())} rows"
    for position in wrong[:1] if whole else wrong:
        yield Finding(
            WHOLE_TABLE if whole else int(position),
            "d18O_sd, d2H_sd",
            "precision",
            f"{x_sd[position]:.6g}, {y_sd[position]:.6g}",
            f"{y_sd[position]:.6g}, {x_sd[position]:.6g}",
            "suspect",
            reason,
        )


_SAME_WATER = ("site_id", "water", "depth_top", "depth_bottom")


def parallel_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag parallel samples that spread further than the precision and each other."""
    groups = _parallels(table)
    if groups is None:
        return
    for name, sd in zip(("d18O", "d2H"), measurement_sd(table), strict=True):
        column = pd.Series(table.values(name), table.frame.index)
        spread = column.groupby(groups).agg(["var", "count", "min", "max"])
        spread = spread[spread["count"] >= 2]
        if spread.empty:
            continue
        stated = float(np.nanmedian(sd))
        yield from _pooled_spread(name, spread, stated, table.limits)
        free = spread["count"].to_numpy() - 1.0
        variance = spread["var"].to_numpy()
        typical = float(np.median(variance / chi2.ppf(0.5, free) * free))
        usual = max(typical, stated**2)
        chance = chi2.sf(variance * free / usual, free)
        wide = chance < table.limits.significance / len(spread)
        for group, (_, n, low, high) in zip(
            spread.index[wide], spread[wide].to_numpy(), strict=True
        ):
            reason = (
                f"{int(n)} parallel samples of one site, time and depth spread over "
                f"{high - low:.3g} permil in {name}"
            )
            yield Finding(
                int(np.flatnonzero((groups == group).to_numpy())[0]),
                name,
                "parallel",
                f"{low:.6g} to {high:.6g}",
                f"SD near {np.sqrt(usual):.3g}",
                "warn",
                reason,
            )


def _pooled_spread(
    name: str, spread: pd.DataFrame, stated: float, limits: QualityLimits
) -> Iterator[Finding]:
    """Say where all parallel samples together spread more than the precision."""
    free = spread["count"].to_numpy() - 1.0
    pooled = float((spread["var"].to_numpy() * free).sum() / free.sum())
    if chi2.sf(pooled * free.sum() / stated**2, free.sum()) < limits.significance:
        yield Finding(
            WHOLE_TABLE,
            name,
            "parallel",
            f"SD {np.sqrt(pooled):.3g}",
            f"SD {stated:.3g}",
            "note",
            f"parallel samples ({len(spread)} sets) spread {np.sqrt(pooled):.3g} "
            f"permil in {name}, more than the precision of {stated:.3g}: use the "
            "spread as the error of one sample",
        )


def _parallels(table: QualityTable) -> pd.Series | None:
    """Return a number for each set of parallel samples, NaN where a row has none."""
    frame = table.frame
    time = [name for name in ("date", "period") if name in frame.columns]
    if "site_id" not in frame.columns or not time:
        return None
    keys = [name for name in _SAME_WATER if name in frame.columns] + time
    numbers = frame.groupby(keys, dropna=False, sort=False).ngroup().astype(float)
    certain = pd.Series(False, frame.index)
    for name in ("date", "depth_top"):
        if name in frame.columns:
            certain |= frame[name].notna()
    return numbers.where(certain & frame["site_id"].notna())
