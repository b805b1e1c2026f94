"""Rules on the values of isotope tables: units, arithmetic, scatter, the LMWL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.tracers.delta import Line, lc_excess
from geosoil.tracers.quality_printed import FloatArray, PrintedWater, mends

BoolArray = npt.NDArray[np.bool_]
Severity = Literal["suspect", "warn", "note"]
"""suspect: probably a misprint; warn: odd, look at it; note: for information."""

WHOLE_TABLE = -1
"""Position of a finding that speaks of the whole table."""

_NORMAL = 1.4826
_WATER_D_EXCESS = (-60.0, 60.0)
_LEAST_ROWS = 8


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """How far a row may stray before it is flagged."""

    outlier: float = 6.0
    """Distance from the table's own line, in robust standard deviations."""
    above_lmwl: float = 3.0
    """Distance above the LMWL, in standard deviations."""
    precision: tuple[float, float] | None = None
    """Stated precision (SD) of d18O and d2H [permil]; columns d18O_sd and d2H_sd
    come first."""
    largest_precision: tuple[float, float] = (1.0, 5.0)
    """Larger standard deviations of a measurement are held for implausible."""
    significance: float = 1e-3
    """Chance at which a spread larger than stated is believed."""
    chance_copies: float = 0.015
    """Equal values are flagged where fewer than this share of rows has a twin by
    chance."""


_LIMITS = QualityLimits()
_DEFAULT_PRECISION = (0.2, 0.5)


class Finding(NamedTuple):
    """One remark on a row, or on the table."""

    position: int
    """Position of the row, or `WHOLE_TABLE`."""
    column: str
    """Column or columns it speaks of."""
    rule: str
    """Name of the rule."""
    found: str
    """What stands there."""
    expected: str
    """What would stand there, or the rule's bound; "" where unknown."""
    severity: Severity
    """How much it matters."""
    reason: str
    """Why, in words."""


@dataclass(frozen=True, slots=True)
class QualityTable:
    """A table made ready for the rules."""

    frame: pd.DataFrame
    """Columns by their geosoil names, numbers as numbers."""
    half: dict[str, FloatArray]
    """Half a unit of the last digit of d18O, d2H, d_excess."""
    lmwl: Line | None = None
    """Local meteoric water line."""
    limits: QualityLimits = field(default=_LIMITS)
    """Bounds of the rules."""

    def values(self, name: str) -> FloatArray:
        """Return a column as numbers, NaN where it is absent."""
        if name not in self.frame.columns:
            return np.full(len(self.frame), np.nan)
        return self.frame[name].to_numpy(dtype=float, na_value=np.nan)

    @property
    def pairs(self) -> BoolArray:
        """Rows that have both isotopes."""
        return np.isfinite(self.values("d18O")) & np.isfinite(self.values("d2H"))


def _largest(values: FloatArray) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if known.size else np.nan


def units_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag columns that hold fractions (-0.012) in place of permil (-12)."""
    large = {name: _largest(table.values(name)) for name in ("d18O", "d2H")}
    for name, other, bound in (("d18O", "d2H", 0.1), ("d2H", "d18O", 0.6)):
        other_bound = 0.6 if name == "d18O" else 0.1
        alike = 0 < large[other] <= other_bound or large[other] > 5
        if 0 < large[name] <= bound and alike:
            yield Finding(
                WHOLE_TABLE,
                name,
                "units",
                f"largest {large[name]:.4g}",
                f"largest {1000 * large[name]:.4g}",
                "suspect",
                f"all values of {name} lie within {large[name]:.4g} of zero: they look "
                "like fractions; permil are a thousand times as large",
            )


def swapped_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag columns d18O and d2H that are exchanged in most rows."""
    x, y = table.values("d18O"), table.values("d2H")
    low, high = _WATER_D_EXCESS
    excess, turned = y - 8 * x, x - 8 * y
    bad = table.pairs & (np.abs(excess) > 150) & (turned > low) & (turned < high)
    if bad.any() and bad.sum() > 0.5 * table.pairs.sum():
        yield Finding(
            WHOLE_TABLE,
            "d18O, d2H",
            "swapped",
            f"median d2H - 8 d18O = {np.median(excess[bad]):.0f}",
            f"{np.median(turned[bad]):.0f} with the columns exchanged",
            "suspect",
            f"in {int(bad.sum())} of {int(table.pairs.sum())} rows d18O and d2H make "
            "sense only when exchanged",
        )


def identity_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag rows whose d_excess is not d2H - 8 d18O within the printed digits."""
    names = ("d18O", "d2H", "d_excess")
    x, y, d = (table.values(name) for name in names)
    rounding = table.half["d2H"] + 8 * table.half["d18O"] + table.half["d_excess"]
    misfit = np.abs(d - y + 8 * x)
    for position in np.flatnonzero(misfit > rounding):
        row = PrintedWater(
            {
                name: float(v[position])
                for name, v in zip(names, (x, y, d), strict=True)
            },
            {name: float(table.half[name][position]) for name in names},
        )
        if not row.agrees:
            yield _disagreement(int(position), row)


def _disagreement(position: int, row: PrintedWater) -> Finding:
    """Word a row that breaks the identity, with the misprint that would explain it."""
    x, y, d = (row.numbers[name] for name in ("d18O", "d2H", "d_excess"))
    found = mends(row)
    fault = (
        f"d2H - 8 d18O is {y - 8 * x:.6g} where d_excess is {d:.6g}: they differ by "
        f"{abs(row.misfit):.3g}, and rounding allows {row.tolerance:.2g}"
    )
    choices = " or ".join(f"{m.column} = {m.expected}" for m in found)
    if found and found[0].rule != "transposed":
        words = {
            "lost_sign": "with a sign turned",
            "swapped": "with d18O and d2H exchanged",
            "units": "as permil in place of fractions",
            "decimal": "with the decimal point shifted",
        }[found[0].rule]
        column = found[0].column if len(found) == 1 else "d18O, d2H, d_excess"
        printed = [row.numbers[name] for name in column.split(", ")]
        return Finding(
            position,
            column,
            found[0].rule,
            ", ".join(f"{value:.6g}" for value in printed),
            found[0].expected if len(found) == 1 else choices,
            "suspect",
            f"{fault}; {words} ({choices}) they agree",
        )
    hint = f"; two digits exchanged would mend it ({choices})" if found else ""
    return Finding(
        position,
        "d_excess",
        "identity",
        f"{d:.6g}",
        f"{y - 8 * x:.6g}",
        "suspect",
        f"{fault}; which of the three is wrong the row alone cannot tell{hint}",
    )


class RobustLine(NamedTuple):
    """The line most waters lie on, and their scatter about it."""

    slope: float
    intercept: float
    scatter: float
    middle: float
    width: float

    def score(self, x: float, y: float) -> float:
        """Distance of a water from the line [robust SD]."""
        return abs(y - self.slope * x - self.intercept) / self.scatter

    def reach(self, x: float) -> float:
        """Distance of d18O from the table's median [robust SD]."""
        return abs(x - self.middle) / self.width


def _spread(values: FloatArray) -> float:
    return _NORMAL * float(np.median(np.abs(values - np.median(values))))


def robust_line(x: FloatArray, y: FloatArray, rounding: float) -> RobustLine:
    """Fit by least squares to the rows within 3 robust SD, starting at slope 8.

    Few rows have no line of their own: the global meteoric water line stands in, with
    a scatter that holds nearly all natural waters.
    """
    if len(x) < _LEAST_ROWS:
        return RobustLine(8.0, 10.0, 12.0, float(np.median(x)), 5.0)
    slope, intercept = 8.0, float(np.median(y - 8 * x))
    for _ in range(10):
        residual = y - slope * x - intercept
        scatter = max(_spread(residual), rounding)
        kept = np.abs(residual - np.median(residual)) <= 3 * scatter
        if kept.sum() < 4 or np.ptp(x[kept]) == 0:
            break
        covariance = np.cov(x[kept], y[kept])
        slope = float(covariance[0, 1] / covariance[0, 0])
        intercept = float(np.mean(y[kept]) - slope * np.mean(x[kept]))
    scatter = max(_spread(y - slope * x - intercept), rounding)
    width = max(_spread(x), rounding / 8)
    return RobustLine(slope, intercept, scatter, float(np.median(x)), width)


def outlier_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag rows far from the line of the table's own waters."""
    x, y = table.values("d18O"), table.values("d2H")
    rounding = np.nan_to_num(8 * table.half["d18O"] + table.half["d2H"])
    water: npt.ArrayLike = table.frame.get("water", pd.Series("", table.frame.index))
    labels = pd.Series(np.asarray(water, dtype=object)).fillna("").to_numpy()
    for label in pd.unique(labels):
        rows = np.flatnonzero((labels == label) & table.pairs)
        if not len(rows):
            continue
        line = robust_line(x[rows], y[rows], max(float(rounding[rows].max()), 1e-6))
        score = np.abs(y[rows] - line.slope * x[rows] - line.intercept) / line.scatter
        far = np.abs(x[rows] - line.middle) / line.width
        odd = (score > table.limits.outlier) | (far > 2 * table.limits.outlier)
        for position in rows[odd]:
            finding = _odd_water(position, x[position], y[position], line)
            if score[rows == position][0] > table.limits.outlier or (
                finding.rule != "outlier"
            ):
                yield finding


def _odd_water(position: int, x: float, y: float, line: RobustLine) -> Finding:
    """Word a row far from the line, with the misprint that would explain it."""
    candidates = [
        ("lost_sign", "d18O", -x, y),
        ("lost_sign", "d2H", x, -y),
        ("lost_sign", "d18O, d2H", -x, -y),
        ("swapped", "d18O, d2H", y, x),
        ("units", "d18O, d2H", 1000 * x, 1000 * y),
        *(("decimal", "d18O", f * x, y) for f in (0.1, 10.0)),
        *(("decimal", "d2H", x, f * y) for f in (0.1, 10.0)),
    ]
    fault = (
        f"d2H lies {line.score(x, y):.1f} robust SD from the line most waters lie on "
        f"({line.slope:.2f} d18O {line.intercept:+.2f}, SD {line.scatter:.2f})"
    )
    for rule, column, new_x, new_y in candidates:
        usual = line.score(new_x, new_y) <= 3 and line.reach(new_x) <= 4
        if usual:
            found, expected = (
                {"d18O": f"{a:.6g}", "d2H": f"{b:.6g}"}.get(column, f"{a:.6g}, {b:.6g}")
                for a, b in ((x, y), (new_x, new_y))
            )
            reason = f"{fault}; with {column} = {expected} it would lie among them"
            return Finding(
                int(position), column, rule, found, expected, "suspect", reason
            )
    nearest = f"d2H near {line.slope * x + line.intercept:.4g}"
    found = f"{x:.6g}, {y:.6g}"
    return Finding(int(position), "d18O, d2H", "outlier", found, nearest, "warn", fault)


def above_lmwl_rule(table: QualityTable) -> Iterator[Finding]:
    """Flag waters above the LMWL, where evaporation cannot bring them."""
    if table.lmwl is None:
        return
    line = table.lmwl
    x_sd, y_sd = measurement_sd(table)
    scatter = np.nan_to_num(getattr(line, "rmse", 0.0))
    excess = lc_excess(table.values("d18O"), table.values("d2H"), line)
    deviation = np.sqrt(y_sd**2 + (line.slope * x_sd) ** 2 + scatter**2)
    bound = table.limits.above_lmwl * deviation
    for position in np.flatnonzero(excess > bound):
        yield Finding(
            int(position),
            "d18O, d2H",
            "above_lmwl",
            f"lc-excess {excess[position]:.2f}",
            f"at most {bound[position]:.2f}",
            "warn",
            f"the water lies {excess[position] / deviation[position]:.1f} SD above the "
            f"LMWL ({line.slope:.2f} d18O {line.intercept:+.2f}); evaporation moves "
            "water below it",
        )


def measurement_sd(table: QualityTable) -> tuple[FloatArray, FloatArray]:
    """Return the standard deviation of each measurement [permil]."""
    stated = table.limits.precision or _DEFAULT_PRECISION
    stated = (min(stated), max(stated))
    columns = (table.values("d18O_sd"), table.values("d2H_sd"))
    return tuple(  # type: ignore[return-value]
        np.where(column > 0, column, value)
        for column, value in zip(columns, stated, strict=True)
    )
