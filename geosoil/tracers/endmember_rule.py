"""The rule by which the samples of a source become its end members."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from geosoil.errors import InputError
from geosoil.tracers.endmember_matching import Match, Matching

LEVELS: tuple[tuple[str, ...], ...] = (("period", "elevation_band"), ("period",), ())
"""Levels that a rule tries when it names none, the finest first."""


@dataclass(frozen=True, slots=True)
class EndMemberRule:
    """How the samples of one source become its end member in each stratum.

    All fields take plain lists, numbers and text, so that a table of a TOML file
    makes a rule: ``EndMemberRule(**table)``.

    Raises
    ------
    InputError
        If a field is out of range; the message lists all of them.

    Examples
    --------
    >>> rule = EndMemberRule("precipitation", levels=[["period"], []])
    >>> rule.levels
    (('period',), ())
    """

    source: str
    """Name of the source."""
    levels: Sequence[Sequence[str]] = LEVELS
    """Stratum columns to match samples by, the finest level first; an empty level
    takes all samples of the source. The first with enough samples is used."""
    min_samples: int = 3
    """Samples with all tracers that a level needs."""
    match: Match = "month_of_year"
    """How ``period`` is matched: "month_of_year", by the calendar month of the
    samples' date whatever the year, by the label where there is no date; "period", by
    the label alone; "date_window", by the days before and of the mixtures' dates."""
    months_before: int = 0
    """Months before the mixtures' month that count too (month_of_year)."""
    window_days: float = 0.0
    """Days before the mixtures' first date that count too (date_window)."""
    amount: str | None = None
    """Column of precipitation amounts [mm] that weight the samples."""
    water: str | None = None
    """Label of the samples in column ``water``; by default the source's name."""
    where: Mapping[str, Sequence[Hashable]] = field(default_factory=dict)
    """Labels that samples must have in other columns: ``{"state": ["rain"]}``."""
    absent: Sequence[Mapping[str, Sequence[Hashable]]] = ()
    """Strata in which the source cannot be, such as
    ``[{"period": ["September"], "elevation_band": ["3000-3500"]}]``; it takes no part
    in a stratum that fits all columns of one of them."""
    spread: Literal["own", "pooled"] = "own"
    """Whose covariance a stratum has that holds fewer samples than ``min_samples`` or
    no more than tracers: its own, unknown with one sample, or that pooled within the
    source's strata."""

    def __post_init__(self) -> None:
        """Make the fields plain tuples and check them."""
        levels = tuple(tuple(level) for level in self.levels)
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "where", _plain(self.where))
        object.__setattr__(self, "absent", tuple(map(_plain, self.absent)))
        faults = [words for wrong, words in self._faults() if wrong]
        if faults:
            message = f"End-member rule of '{self.source}': {'; '.join(faults)}."
            raise InputError(message)

    def _faults(self) -> list[tuple[bool, str]]:
        by_month, by_date = self.match == "month_of_year", self.match == "date_window"
        timed = self.months_before != 0
        return [
            (not self.source, "source has no name"),
            (not self.levels, "levels is empty; give at least one, such as [[]]"),
            (len(set(self.levels)) < len(self.levels), "a level is given twice"),
            (not all(self.absent), "absent has a stratum without columns"),
            (self.min_samples < 1, f"min_samples is {self.min_samples}; 1 or more"),
            (
                self.match not in get_args(Match),
                f"match is '{self.match}'; choose {', '.join(get_args(Match))}",
            ),
            (
                not 0 <= self.months_before <= 11,
                f"months_before is {self.months_before}; 0 to 11",
            ),
            (
                timed and not by_month,
                f"months_before goes with match month_of_year, not {self.match}",
            ),
            (
                not self.window_days >= 0,
                f"window_days is {self.window_days}; 0 or more",
            ),
            (
                self.window_days > 0 and not by_date,
                f"window_days goes with match date_window, not {self.match}",
            ),
            (
                self.spread not in ("own", "pooled"),
                f"spread is '{self.spread}'; choose own, pooled",
            ),
        ]

    @property
    def matching(self) -> Matching:
        """How samples are matched in time."""
        return Matching(self.match, self.months_before, self.window_days)

    @property
    def columns(self) -> tuple[str, ...]:
        """Stratum columns that the rule names."""
        named = [column for level in self.levels for column in level]
        named += [column for stratum in self.absent for column in stratum]
        return tuple(dict.fromkeys(named))


def _plain(labels: Mapping[str, object]) -> dict[str, tuple[Hashable, ...]]:
    """Make the labels of columns tuples; one label may stand alone."""
    return {
        column: tuple(value) if isinstance(value, list | tuple) else (value,)
        for column, value in labels.items()
    }
