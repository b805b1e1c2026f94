"""Correlate two variables of one month of one year over space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from geosoil.config.study import CorrelationSettings
from geosoil.correlation.dutilleul import DutilleulTest, dutilleul_test
from geosoil.correlation.field_significance import q_values
from geosoil.correlation.window import Method, window_correlation
from geosoil.errors import ConfigError
from geosoil.grids.grid import Grid
from geosoil.workflow.simulated import simulated_tag

FEWEST = 4
"""Cells below which no correlation over space is tested."""


@dataclass(frozen=True, slots=True, eq=False)
class SpaceMap:
    """Correlation over space of one pair, month and year."""

    window: xr.Dataset | None
    """r, n and reason in a moving window; None where there is none."""
    window_reason: str
    """Why there is no window; nothing where there is one."""
    method: str
    """pearson or spearman."""
    year: int
    """Year of the maps."""
    n_cells: int
    """Cells of the region with both values."""
    test: DutilleulTest | None
    """Dutilleul's test of all of them; None where they are fewer than 4."""
    support: tuple[str, str]
    """What ground a value of x and of y stands for."""
    simulated: str
    """Whether the data are simulated."""

    @property
    def r(self) -> float:
        """Correlation over all cells."""
        return np.nan if self.test is None else self.test.r

    @property
    def p_value(self) -> float:
        """Its p after Dutilleul."""
        return np.nan if self.test is None else self.test.p_value

    @property
    def n_effective(self) -> float:
        """Independent cells that they are worth."""
        return np.nan if self.test is None else self.test.n_effective

    def row(self) -> dict[str, object]:
        """Return what a table says of it."""
        row: dict[str, object] = {
            "kind": "over space",
            "method": self.method,
            "year": self.year,
            "n_cells": self.n_cells,
            "r": self.r,
            "p_value": self.p_value,
            "n_effective": self.n_effective,
            "reason": "few" if self.test is None else self.test.reason,
            "support_x": self.support[0],
            "support_y": self.support[1],
            "simulated": self.simulated,
        }
        return row | self._window_row()

    def _window_row(self) -> dict[str, object]:
        """Return what a table says of the windows."""
        names = ("window", "windows", "median_window_r", "share_positive_windows")
        values: tuple[float, ...] = (np.nan,) * len(names)
        if self.window is not None:
            r = self.window["r"]
            known = np.isfinite(r)
            values = (
                int(self.window.attrs["window"]),
                int(known.sum()),
                float(r.median()),
                float((r > 0).where(known).mean()),
            )
        row: dict[str, object] = dict(zip(names, values, strict=True))
        return row | {"window_reason": self.window_reason}


def correlate_in_space(
    x: xr.DataArray,
    y: xr.DataArray,
    settings: CorrelationSettings,
    mask: xr.DataArray,
    *,
    simulated: bool = False,
) -> SpaceMap:
    """Correlate two variables of one year over the cells of the region.

    Parameters
    ----------
    x, y : DataArray with dims time, y, x
        One field a year; the labels of time are the years.
    settings : CorrelationSettings
        Method, window and year.
    mask : DataArray of bool with dims y, x
        Cells of the region.
    simulated : bool
        Whether the data are simulated.

    Returns
    -------
    found : SpaceMap
        In windows, and over all cells.

    Raises
    ------
    ConfigError
        If the series do not share the year that the settings name.
    """
    years = x["time"].to_numpy().tolist()
    year = years[-1] if settings.year is None else settings.year
    if year not in years:
        message = (
            f"Settings [correlation] year is {year}, and '{x.name}' and '{y.name}' "
            f"share {years[0]} to {years[-1]}. Name one of these."
        )
        raise ConfigError(message)
    first, second = (one.sel(time=year, drop=True).where(mask) for one in (x, y))
    method: Method = "pearson" if settings.method == "pearson" else "spearman"
    window = None
    reason = _no_window(settings.window, mask)
    if not reason:
        found = window_correlation(
            first,
            second,
            size=settings.window,
            method=method,
            min_pairs=settings.min_pairs,
        )
        window = found.where(mask).assign_attrs(found.attrs, year=year)
    valid = np.isfinite(first) & np.isfinite(second)
    n_cells = int(valid.sum())
    return SpaceMap(
        window=window,
        window_reason=reason,
        method=method,
        year=year,
        n_cells=n_cells,
        test=None if n_cells < FEWEST else _whole(first, second, method),
        support=(x.attrs["support"], y.attrs["support"]),
        simulated=simulated_tag(simulated),
    )


def _no_window(size: int, mask: xr.DataArray) -> str:
    """Say why there is no window of a size on a map; nothing where there is one."""
    rows, columns = mask.sizes["y"], mask.sizes["x"]
    if size == 0:
        return "not asked for"
    if size > min(rows, columns):
        return f"the map of {rows} x {columns} cells is smaller than {size} cells"
    return ""


def _whole(first: xr.DataArray, second: xr.DataArray, method: Method) -> DutilleulTest:
    """Correlate all cells of two maps, with Dutilleul's test."""
    a, b = (one.to_numpy().astype(np.float64) for one in (first, second))
    missing = ~(np.isfinite(a) & np.isfinite(b))
    for values in (a, b):
        values[missing] = np.nan
        if method == "spearman":
            values[~missing] = rankdata(values[~missing])
    return dutilleul_test(a, b, Grid.of(first))


def space_table(spaces: dict[tuple[str, str], SpaceMap], y: str) -> pd.DataFrame:
    """Tell what was found over space, one row a pair and month.

    Parameters
    ----------
    spaces : dict of (x, month name) to SpaceMap
        What was found.
    y : str
        Variable that is explained.

    Returns
    -------
    table : DataFrame
        With ``q_value``, the p of all rows under control of the false discovery rate
        (Benjamini and Hochberg).
    """
    rows = [
        {"x": x, "y": y, "month": month, **found.row()}
        for (x, month), found in spaces.items()
    ]
    table = pd.DataFrame(rows)
    p = table["p_value"].to_numpy(dtype=float)
    known = np.isfinite(p)
    q = np.full(p.shape, np.nan)
    q[known] = q_values(p[known])
    place = list(table.columns).index("p_value") + 1
    table.insert(place, "q_value", q)
    return table
