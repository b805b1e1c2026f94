"""What the command on correlations is asked for, checked as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from geosoil.correlation.blocks import Method
from geosoil.errors import InputError

Kind = Literal["time", "window", "weighted", "rain"]
Rule = Literal["coarser", "first", "second", "same"]
PairsTested = Literal["n", "n_effective", "exact"]

NEAREST = re.compile(r"^(\d+)$")
DISTANCE = re.compile(r"^(\d+(?:\.\d+)?)\s*(km|m)$")


@dataclass(frozen=True, slots=True)
class CorrelateRequest:
    """Two series, and how they are correlated.

    Examples
    --------
    >>> CorrelateRequest("soil.nc:swvl1", "ndvi_*.tif", window=9).kind
    'window'
    """

    x: str
    """Place of x, as in `geosoil.io.raster_series.open_series`."""
    y: str
    """Place of y."""
    controls: tuple[str, ...] = ()
    """Places of series held fixed."""
    method: str = "pearson"
    """pearson, spearman, kendall, or partial: Pearson with controls."""
    window: int | None = None
    """Side of a moving window in cells: correlation over space."""
    weighted: str | None = None
    """Bandwidth of geographically weighted correlation: a number of nearest cells, or
    a distance such as "50 km"."""
    rain: bool = False
    """Response of daily soil moisture x to daily precipitation y."""
    lags: tuple[int, ...] = (0,)
    """Steps by which y follows x; of several the best one is mapped."""
    detrend: bool = False
    """Whether each series loses its line over time."""
    deseason: bool = False
    """Whether each series loses the mean of each calendar month."""
    months: tuple[int, ...] = ()
    """Calendar months, each correlated by itself; all dates together without."""
    time: tuple[str, str] | None = None
    """First and last date."""
    bbox: tuple[float, float, float, float] | None = None
    """Box (W, S, E, N) in degrees."""
    min_pairs: int = 4
    """Fewest pairs that give an answer."""
    fdr: float = 0.1
    """False discovery rate of the map."""
    p_from: PairsTested = "n"
    """Pairs that p counts."""
    theil_sen: bool = False
    """Whether the median slope is mapped too."""
    bootstrap: int = 0
    """Draws of a bootstrap that gives the interval of r; 0: Fisher's."""
    seed: int = 2020
    """Seed of the bootstrap."""
    align: Rule = "coarser"
    """Onto which grid the series are brought."""
    scheduler: str | None = None
    """Address of a dask cluster; local threads without."""

    @property
    def kind(self) -> Kind:
        """Over time, in a window, geographically weighted, or response to rain."""
        if self.rain:
            return "rain"
        if self.window is not None:
            return "window"
        return "time" if self.weighted is None else "weighted"

    @property
    def statistic(self) -> Method:
        """Kind of coefficient."""
        found: dict[str, Method] = {
            "pearson": "pearson",
            "partial": "pearson",
            "spearman": "spearman",
            "kendall": "kendall",
        }
        return found[self.method]

    @property
    def bandwidth(self) -> tuple[float, bool]:
        """Bandwidth in cells or metres, and whether it is a number of cells."""
        words = self.weighted or ""
        if NEAREST.match(words):
            return float(words), True
        match = DISTANCE.match(words)
        if match is None:
            message = (
                f"Bandwidth '{words}' is not understood. Give a number of nearest "
                "cells (60) or a distance (50km)."
            )
            raise InputError(message)
        return float(match[1]) * (1000.0 if match[2] == "km" else 1.0), False


def check_request(request: CorrelateRequest) -> None:
    """Raise on options that cannot be or do not go together, all at once.

    Parameters
    ----------
    request : CorrelateRequest
        What is asked.

    Raises
    ------
    InputError
        With every fault found.

    Examples
    --------
    >>> check_request(CorrelateRequest("x.nc", "y.nc"))
    """
    faults = [*_in_range(request), *_together(request)]
    if request.weighted is not None:
        try:
            _ = request.bandwidth
        except InputError as error:
            faults.append(str(error).rstrip("."))
    if faults:
        message = f"Cannot correlate: {'; '.join(faults)}."
        raise InputError(message)


def _in_range(request: CorrelateRequest) -> list[str]:
    """Name settings outside their range."""
    known = ("pearson", "spearman", "kendall", "partial")
    checks = [
        (
            request.method in known,
            f"unknown method '{request.method}', known are: {', '.join(known)}",
        ),
        (0 < request.fdr < 1, f"--fdr is {request.fdr}, not between 0 and 1"),
        (
            all(1 <= month <= 12 for month in request.months),
            f"--months are {request.months}, give numbers from 1 to 12",
        ),
        (
            len(set(request.months)) == len(request.months),
            f"--months are {request.months}, give each month once",
        ),
        (bool(request.lags), "--lag names no lag"),
        (
            request.bootstrap == 0 or request.bootstrap >= 100,
            f"--bootstrap is {request.bootstrap}, give 100 draws or more",
        ),
    ]
    return [words for holds, words in checks if not holds]


def _together(request: CorrelateRequest) -> list[str]:
    """Name settings that do not go together."""
    kinds = {
        "--window": request.window is not None,
        "--gw": request.weighted is not None,
        "--rain-response": request.rain,
    }
    space = [name for name, given in kinds.items() if given]
    over_time = {
        "--lag": request.lags != (0,),
        "--detrend": request.detrend,
        "--deseason": request.deseason,
        "--control": bool(request.controls),
        "--p-from": request.p_from != "n",
        "--theil-sen": request.theil_sen,
        "--bootstrap": request.bootstrap > 0,
    }
    checks = [
        (len(space) < 2, f"{' and '.join(space)} exclude each other"),
        *(
            (not (space and given), f"{name} is over time, {space[:1]} is not")
            for name, given in over_time.items()
        ),
        (
            not (space and request.method in ("kendall", "partial")),
            f"method '{request.method}' is over time, {space[:1]} is not",
        ),
        (
            (request.method != "partial") or bool(request.controls),
            "method 'partial' needs a series to hold fixed: --control",
        ),
        (
            not (request.bootstrap and (request.controls or len(request.lags) > 1)),
            "--bootstrap takes no --control and no search of lags",
        ),
        (
            not (len(request.lags) > 1 and (request.controls or request.theil_sen)),
            "a search of lags takes no --control and no --theil-sen",
        ),
        (
            not (request.bootstrap and request.method == "kendall"),
            "--bootstrap is for pearson and spearman",
        ),
    ]
    return [words for holds, words in checks if not holds]
