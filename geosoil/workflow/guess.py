"""Guess a study from a user's own sample table: columns, waters, periods, grid."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geosoil.io.samples import read_samples, sample_issues
from geosoil.io.table_labels import MONTH_NAMES
from geosoil.workflow.simulated import simulated_rows

SOURCES: tuple[str, ...] = ("precipitation", "ground_ice", "snowmelt")
"""Waters that may be sources of soil water."""

RESOLUTION = 0.05
"""Side of a cell of the proposed grid [degree]: that of MOD13C1."""

_MARGIN = 0.1
_GROUPS = {
    "elevation": "elevation band",
    "vegetation": "vegetation",
    "aspect": "aspect",
    "depth_top": "soil layer",
}

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class StudyGuess:
    """What a sample table says about the study it belongs to."""

    samples: Path
    """The table."""
    columns: Mapping[str, str]
    """Own column name to geosoil name, where they differ."""
    n_samples: int
    """Rows of the table."""
    waters: Mapping[str, int]
    """Samples of each kind of water, the most frequent first."""
    periods: tuple[str, ...]
    """Periods of the soil water (of all samples without soil), in calendar order."""
    sources: Mapping[str, tuple[str, ...]]
    """Sources that were sampled in each period."""
    groups: tuple[str, ...]
    """Groups that the table allows means of."""
    bounds: Bounds | None
    """West, south, east, north of the proposed grid; None without coordinates."""
    remarks: Mapping[str, int]
    """Remarks of the reader by severity: note, change, warn, suspect."""
    simulated: bool = False
    """Whether a column `simulated` says so of every row."""

    @property
    def months(self) -> tuple[int, ...]:
        """Calendar months of the periods that are months."""
        known = [p for p in self.periods if p in MONTH_NAMES]
        return tuple(MONTH_NAMES.index(p) + 1 for p in known)


def guess_study(
    samples_path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None
) -> StudyGuess:
    """Read a sample table and guess the study from it.

    Parameters
    ----------
    samples_path : path
        The user's table.
    columns : mapping, optional
        Own column name to geosoil name, as for ``read_samples``.

    Returns
    -------
    guess : StudyGuess
        Columns, waters, periods, sources, groups and bounds.

    Raises
    ------
    MissingFileError, SampleTableError
        If the table cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> rows = ["id,type,date,d18O,d2H", "1,soil,2021-07-02,-12,-92",
    ...         "2,rain,2021-07-09,-14,-101"]
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.csv"
    ...     _ = file.write_text(chr(10).join(rows))
    ...     guess = guess_study(file)
    >>> guess.periods, dict(guess.sources)
    (('July',), {'July': ('precipitation',)})
    """
    path = Path(samples_path)
    samples = read_samples(path, columns=columns)
    issues = sample_issues(samples)
    matched = issues[issues["rule"].isin(["column name understood", "columns="])]
    periods = _periods(samples)
    waters: dict[str, int] = {}
    if "water" in samples.columns:
        counts = samples["water"].value_counts()
        waters = {str(name): int(count) for name, count in counts.items()}
    return StudyGuess(
        samples=path,
        columns=dict(zip(matched["found"], matched["read_as"], strict=True)),
        n_samples=len(samples),
        waters=waters,
        periods=periods,
        sources={period: _sources(samples, period) for period in periods},
        groups=tuple(
            words
            for name, words in _GROUPS.items()
            if name in samples.columns and samples[name].notna().any()
        ),
        bounds=_bounds(samples),
        simulated=bool(simulated_rows(samples).all()),
        remarks={str(k): int(v) for k, v in issues["severity"].value_counts().items()},
    )


def _periods(samples: gpd.GeoDataFrame) -> tuple[str, ...]:
    if "period" not in samples.columns:
        return ()
    rows = samples
    if "water" in samples.columns and (samples["water"] == "soil").any():
        rows = samples[samples["water"] == "soil"]
    found = [str(period) for period in rows["period"].dropna().unique()]
    months = [month for month in MONTH_NAMES if month in found]
    return (*months, *[period for period in found if period not in MONTH_NAMES])


def _sources(samples: gpd.GeoDataFrame, period: str) -> tuple[str, ...]:
    if "water" not in samples.columns:
        return ()
    here = samples.loc[samples["period"] == period, "water"]
    return tuple(source for source in SOURCES if (here == source).any())


def _bounds(samples: gpd.GeoDataFrame) -> Bounds | None:
    """Bounds of the samples, with a margin, on whole multiples of the resolution."""
    if not {"longitude", "latitude"} <= set(samples.columns):
        return None
    edges: list[float] = []
    for name, limit in (("longitude", 180.0), ("latitude", 90.0)):
        values: pd.Series[float] = samples[name].dropna()
        if values.empty:
            return None
        low = math.floor(round((values.min() - _MARGIN) / RESOLUTION, 6)) * RESOLUTION
        high = math.ceil(round((values.max() + _MARGIN) / RESOLUTION, 6)) * RESOLUTION
        edges += [max(round(low, 2), -limit), min(round(high, 2), limit)]
    return edges[0], edges[2], edges[1], edges[3]
