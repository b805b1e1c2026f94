"""Answer how soil moisture responds to rain and dry days, cell by cell, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.correlation.rain_response import rain_response
from geosoil.errors import InputError
from geosoil.workflow.correlate_inputs import OpenedSeries, same_dates

RESPONSES = {
    "rain_response": ("{:+.2f} % a mm of rain", "n_events"),
    "dry_response": ("{:+.2f} % a day without rain", "n_dry_spells"),
    "trend_percent": ("{:+.2f} % of the mean a decade", "n_years"),
}
"""What is told, in which words, and the variable that counts what it is from."""


def rain_maps(opened: OpenedSeries) -> xr.Dataset:
    """Find the response of daily soil moisture to daily rain.

    Parameters
    ----------
    opened : OpenedSeries
        x is soil moisture and y precipitation [mm].

    Returns
    -------
    response : Dataset
        What `geosoil.correlation.rain_response.rain_response` gives.

    Raises
    ------
    InputError
        If the series are not daily or no cell has any answer.
    """
    common = same_dates(opened, None)
    moisture, rain = common.series[:2]
    found = rain_response(moisture, rain)
    dates = common.labels
    if not any(bool(np.isfinite(found[name]).any()) for name in RESPONSES):
        message = (
            f"No cell has enough events, dry spells or years from {dates[0]} to "
            f"{dates[-1]} to answer. Give a longer daily series."
        )
        raise InputError(message)
    return found.assign_attrs(
        {**found.attrs, "method": "response to rain", "kind": "over daily steps",
         "dates": f"{dates[0]} to {dates[-1]}"}
    )  # fmt: skip


def rain_row(response: xr.Dataset, opened: OpenedSeries) -> dict[str, object]:
    """Summarise a map of responses.

    Parameters
    ----------
    response : Dataset
        What :func:`rain_maps` gave.
    opened : OpenedSeries
        The series.

    Returns
    -------
    row : dict
        Names, and of each response the cells with an answer and median, 5 and 95 %
        quantiles over them.
    """
    x, y = opened.names
    row: dict[str, object] = {
        "x": x,
        "y": y,
        "method": response.attrs["method"],
        "kind": response.attrs["kind"],
        "dates": response.attrs["dates"],
        "support_x": opened.x.attrs.get("support", ""),
        "support_y": opened.y.attrs.get("support", ""),
    }
    for name, (_, count) in RESPONSES.items():
        values = response[name]
        row[f"cells_{name}"] = int(np.isfinite(values).sum())
        row[f"median_{name}"] = float(values.median())
        for share in (0.05, 0.95):
            row[f"q{100 * share:02.0f}_{name}"] = float(values.quantile(share))
        row[f"median_{count}"] = float(
            response[count].where(np.isfinite(values)).median()
        )
    return row


def rain_words(row: pd.Series) -> list[str]:
    """Tell people what was found.

    Parameters
    ----------
    row : Series
        What :func:`rain_row` gave.

    Returns
    -------
    lines : list of str
        A line a response.
    """
    lines = [f"{row['x']} and {row['y']}, {row['dates']}: median over cells"]
    for name, (words, count) in RESPONSES.items():
        if not row[f"cells_{name}"]:
            lines.append(f"  {name}: no cell has enough {count.removeprefix('n_')}.")
            continue
        lines.append(
            f"  {words.format(row[f'median_{name}'])} (5 to 95 % of cells "
            f"{row[f'q05_{name}']:+.2f} to {row[f'q95_{name}']:+.2f}; "
            f"{row[f'cells_{name}']} cells, median {row[f'median_{count}']:.0f} "
            f"{count.removeprefix('n_').replace('_', ' ')})"
        )
    return lines
