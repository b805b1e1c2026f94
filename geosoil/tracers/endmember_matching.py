"""Which samples of a source stand for a stratum: by labels, months or dates."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.groups import sample_groups

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Match = Literal["month_of_year", "period", "date_window"]

MONTH_NAMES: tuple[str, ...] = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
"""Labels of periods that are calendar months."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stratum of mixtures that end members are wanted for."""

    key: dict[str, Hashable]
    """Label of each stratum column."""
    months: tuple[int, ...]
    """Calendar months of the stratum; empty where unknown."""
    dates: tuple[pd.Timestamp, ...]
    """First and last date of the mixtures; empty where unknown."""
    years: tuple[int, ...]
    """Years of the mixtures; empty where unknown."""

    @property
    def words(self) -> str:
        """Month and year, such as August 2020; the period's label without month."""
        names = [MONTH_NAMES[month - 1] for month in self.months]
        names = names or [str(self.key.get("period", "the mixtures"))]
        return " ".join(
            [_listed(names), *([_listed(self.years)] if self.years else [])]
        )


@dataclass(frozen=True, slots=True)
class Matching:
    """How the samples of a source are matched to the time of the mixtures."""

    match: Match = "month_of_year"
    """By calendar month whatever the year, by the label, or by the days before."""
    months_before: int = 0
    """Months before the mixtures' month that count too (``month_of_year``)."""
    window_days: float = 0.0
    """Days before the mixtures' first date that count too (``date_window``)."""


def dates_of(table: pd.DataFrame, *, what: str) -> pd.Series:
    """Return the dates of a table, missing where it has none.

    Parameters
    ----------
    table : DataFrame
        Table with or without a column ``date``; text is read as ISO dates.
    what : str
        Name of the table for messages.

    Returns
    -------
    dates : Series
        Days, in the table's order and with a fresh index.

    Raises
    ------
    InputError
        If a value is no date.

    Examples
    --------
    >>> dates_of(pd.DataFrame({"date": ["2019-08-03"]}), what="Samples").dt.month.item()
    8
    """
    if "date" not in table.columns:
        return pd.Series(pd.NaT, index=range(len(table)), dtype="datetime64[ns]")
    given = table["date"].reset_index(drop=True)
    dates = pd.to_datetime(given, format="ISO8601", errors="coerce")
    wrong = dates.isna() & given.notna()
    if wrong.any():
        message = (
            f"{what}: {int(wrong.sum())} values of 'date' are no date, for instance "
            f"{given[wrong].iloc[0]!r}. Write dates as 2020-06-11."
        )
        raise InputError(message)
    return dates.dt.normalize()


def month_of_label(label: Hashable) -> int | None:
    """Return the calendar month that a period is named after.

    Parameters
    ----------
    label : str or other
        Label of a period.

    Returns
    -------
    month : int or None
        1 to 12; None where the label is no month.

    Examples
    --------
    >>> month_of_label("August"), month_of_label("early")
    (8, None)
    """
    name = str(label).strip().capitalize()
    return MONTH_NAMES.index(name) + 1 if name in MONTH_NAMES else None


def wanted_strata(targets: pd.DataFrame, by: Sequence[str]) -> list[Target]:
    """Return the strata of a table with the months and dates of each.

    Parameters
    ----------
    targets : DataFrame
        One row a stratum or a mixture, with the columns of ``by`` and ``date`` where
        known.
    by : sequence of str
        Columns that make the strata.

    Returns
    -------
    strata : list of Target
        One for each combination of labels, in the order of `sample_groups`. A period
        named after a month has that month, others have those of their dates.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["August"], "date": ["2020-08-03"]})
    >>> wanted_strata(table, ["period"])[0].words
    'August 2020'
    """
    dates = dates_of(targets, what="Targets")
    strata = []
    for group in sample_groups(targets, by) if len(targets) else []:
        own = dates.iloc[group.rows].dropna()
        named = month_of_label(group.key.get("period"))
        months = [named] if named else sorted({int(m) for m in own.dt.month})
        years = tuple(sorted({int(year) for year in own.dt.year}))
        span = (own.min(), own.max()) if len(own) else ()
        strata.append(Target(group.key, tuple(months), span, years))
    return strata


@dataclass(frozen=True, slots=True, eq=False)
class DatedSamples:
    """Samples of one source with the month of each."""

    table: pd.DataFrame
    """One row a sample."""
    dates: pd.Series
    """Date of each sample, missing where unknown."""
    months: FloatArray
    """Calendar month of the date, else of the period's label; NaN where unknown."""

    @classmethod
    def of(cls, samples: pd.DataFrame) -> DatedSamples:
        """Read the dates and months of samples."""
        dates = dates_of(samples, what="Samples")
        months = dates.dt.month.to_numpy(dtype=float, na_value=np.nan)
        if "period" in samples.columns:
            named = [month_of_label(label) for label in samples["period"]]
            months = np.where(np.isnan(months), np.array(named, dtype=float), months)
        return cls(samples.reset_index(drop=True), dates, months)

    def fit(
        self, target: Target, level: Sequence[str], matching: Matching
    ) -> BoolArray:
        """Tell which samples fit a stratum in the columns of a level."""
        fits = np.ones(len(self.table), dtype=bool)
        for column in level:
            if column == "period":
                fits &= self._in_time(target, matching)
            else:
                fits &= self._labelled(column, target)
        return fits

    def strata(self, level: Sequence[str]) -> pd.DataFrame:
        """Return the labels of a level, periods by calendar month where known."""
        labels = self.table.reindex(columns=list(level)).astype(object)
        if "period" in level:
            known = ~np.isnan(self.months)
            labels.loc[known, "period"] = self.months[known]
        return labels

    def years(self, rows: BoolArray) -> tuple[int, ...]:
        """Return the years that samples were taken in."""
        return tuple(sorted({int(y) for y in self.dates[rows].dropna().dt.year}))

    def months_and_years(self, rows: BoolArray) -> str:
        """Name the months that samples were taken in, such as August 2019."""
        found = self.dates[rows].dropna()
        pairs = sorted({(int(date.year), int(date.month)) for date in found})
        return _listed([f"{MONTH_NAMES[month - 1]} {year}" for year, month in pairs])

    def matched_by(self, rows: BoolArray, target: Target, matching: Matching) -> str:
        """Say what matched samples in time."""
        if matching.match == "period":
            return "period label"
        if matching.match == "date_window":
            first, last = _window(target, matching)
            return f"dates {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        if not target.months:
            return "period label"
        dated = int((rows & self.dates.notna().to_numpy()).sum())
        parts = {"calendar month of date": dated}
        parts["period label"] = int(rows.sum()) - dated
        used = [f"{name} ({n})" for name, n in parts.items() if n]
        return ", ".join(used) if len(used) > 1 else used[0].partition(" (")[0]

    def _in_time(self, target: Target, matching: Matching) -> BoolArray:
        if matching.match == "date_window":
            if not target.dates:
                return np.zeros(len(self.table), dtype=bool)
            first, last = _window(target, matching)
            return self.dates.between(first, last).to_numpy(dtype=bool)
        if matching.match == "period" or not target.months:
            return self._labelled("period", target)
        wanted = {
            (month - back - 1) % 12 + 1
            for month in target.months
            for back in range(matching.months_before + 1)
        }
        known = ~np.isnan(self.months)
        return np.where(
            known, np.isin(self.months, list(wanted)), self._labelled("period", target)
        )

    def _labelled(self, column: str, target: Target) -> BoolArray:
        if column not in self.table.columns:
            return np.zeros(len(self.table), dtype=bool)
        labels = self.table[column].astype(object)
        return (labels == target.key[column]).to_numpy(dtype=bool)


def _window(target: Target, matching: Matching) -> tuple[pd.Timestamp, pd.Timestamp]:
    first, last = target.dates
    return first - pd.Timedelta(days=matching.window_days), last


def _listed(names: Sequence[object]) -> str:
    words = list(map(str, names))
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
