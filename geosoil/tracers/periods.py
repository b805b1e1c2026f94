"""Sampling periods of dates, matched by calendar month over the years."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from geosoil.errors import InputError
from geosoil.strata import MONTHS


@dataclass(frozen=True, slots=True, eq=False)
class PeriodMatch:
    """Periods of samples and the years they were taken from."""

    period: pd.Series
    """Period of each sample, missing outside the periods' months."""
    years: dict[str, tuple[int, ...]]
    """Years of the samples of each period that has any."""
    words: str
    """What was matched, in one sentence."""


def match_period(dates: pd.Series, *, year: int | None = None) -> PeriodMatch:
    """Assign dates to periods by calendar month, whatever their year.

    Parameters
    ----------
    dates : Series of dates
        Dates of samples such as precipitation; text is read as ISO dates.
    year : int, optional
        Year of the mixtures that the samples are to explain; other years are named
        in the words.

    Returns
    -------
    match : PeriodMatch
        Periods June, August and September, years used, and a sentence that says so.

    Raises
    ------
    InputError
        If a value is no date.

    Examples
    --------
    >>> match = match_period(pd.Series(["2019-08-03", "2020-06-11", "2019-12-01"]),
    ...                      year=2020)
    >>> match.period.tolist()
    ['August', 'June', None]
    >>> match.words
    'June from 2020; August from 2019 (not 2020: matched by calendar month).'
    """
    times = pd.to_datetime(dates, errors="coerce")
    wrong = times.isna() & dates.notna()
    if wrong.any():
        message = (
            f"{int(wrong.sum())} values are no date, for instance "
            f"{dates[wrong].iloc[0]!r}. Write dates as 2020-06-11."
        )
        raise InputError(message)
    names = {month: name for name, month in MONTHS.items()}
    labels = [
        None if pd.isna(month) else names.get(int(month)) for month in times.dt.month
    ]
    period = pd.Series(labels, index=dates.index, dtype=object, name="period")
    years = {
        name: tuple(
            sorted({int(y) for y in times.dt.year[(period == name).to_numpy()]})
        )
        for name in MONTHS
    }
    years = {name: found for name, found in years.items() if found}
    parts = [_words(name, found, year) for name, found in years.items()]
    words = f"{'; '.join(parts)}." if parts else "No date lies in a period."
    return PeriodMatch(period, years, words)


def _words(name: str, years: tuple[int, ...], year: int | None) -> str:
    listed = " and ".join(map(str, years))
    if year is None or set(years) == {year}:
        return f"{name} from {listed}"
    only = "not only" if year in years else "not"
    return f"{name} from {listed} ({only} {year}: matched by calendar month)"
