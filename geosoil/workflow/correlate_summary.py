"""What a map of correlation says as a whole, in a row of numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.correlation.zone_shares import zone_shares
from geosoil.workflow.correlate_inputs import OpenedSeries
from geosoil.workflow.correlate_rain import rain_words

REGION = ("region_r", "region_p_value", "region_n", "region_n_effective")
"""Correlation over all cells of a pair of maps, tested after Dutilleul."""


def summary_row(
    result: xr.Dataset, opened: OpenedSeries, month: str
) -> dict[str, object]:
    """Summarise a map of correlation.

    Parameters
    ----------
    result : Dataset
        What a correlation gave.
    opened : OpenedSeries
        The series.
    month : str
        Name of the month; "" for all dates.

    Returns
    -------
    row : dict
        Names, method, cells with an answer and without by reason, medians, and shares
        of the answered area by sign and significance.
    """
    x, y = opened.names
    row: dict[str, object] = {
        "x": x,
        "y": y,
        "month": month,
        "method": result.attrs.get("method", ""),
        "kind": result.attrs.get("kind", ""),
        "dates": result.attrs.get("dates", ""),
        "support_x": opened.x.attrs.get("support", ""),
        "support_y": opened.y.attrs.get("support", ""),
    }
    row |= _reasons(result)
    answered = np.isfinite(result["r"])
    for name in ("r", "n", "n_effective", "slope", "lag"):
        if name in result:
            values = result[name].where(answered)
            row[f"median_{name}"] = float(values.median())
    row |= _shares(result)
    if "p_value" in result:
        row["p_star"] = float(result.attrs.get("p_star", np.nan))
    return row | {key: result.attrs[key] for key in REGION if key in result.attrs}


def _reasons(result: xr.Dataset) -> dict[str, object]:
    """Count cells by whether and why they have no answer."""
    answered = int(np.isfinite(result["r"]).sum())
    row: dict[str, object] = {
        "cells": answered,
        "cells_without": int(result["r"].size) - answered,
    }
    if "reason" in result:
        words = str(result["reason"].attrs["flag_meanings"]).split()
        codes = result["reason"].to_numpy()
        for code, word in enumerate(words[1:], start=1):
            row[f"cells_{word}"] = int((codes == code).sum())
    return row


def _shares(result: xr.Dataset) -> dict[str, object]:
    """Return shares of the answered area by sign and significance."""
    whole = xr.zeros_like(result["r"], dtype=np.int32)
    table = zone_shares(result, whole, labels={0: "all"})
    kept = [str(name) for name in table.columns if str(name).startswith("share_")]
    return {name: float(table[name].iloc[0]) for name in ["area_km2", *kept]}


def summary_text(summary: pd.DataFrame, folder: Path, changes: Sequence[str]) -> str:
    """Tell people what was found.

    Parameters
    ----------
    summary : DataFrame
        One row a map.
    folder : Path
        Where results were written.
    changes : sequence of str
        What was done to the inputs.

    Returns
    -------
    text : str
        Several lines.
    """
    first = summary.iloc[0]
    lines = [
        f"{first['method']} of {first['x']} ({first['support_x']}) and "
        f"{first['y']} ({first['support_y']})"
    ]
    for _, row in summary.iterrows():
        lines += _row_words(row) if "median_r" in row else rain_words(row)
    lines += [f"- {change}" for change in changes]
    lines.append(f"Wrote {folder}: rasters, correlation.nc, table and figure.")
    return "\n".join(lines)


def _row_words(row: pd.Series) -> list[str]:
    """Tell one map."""
    head = f"{row['month'] or 'all dates'}: {row['kind']} ({row['dates']})"
    words = (
        f"  median r {row['median_r']:+.2f} in {row['cells']} cells, positive on "
        f"{100 * row['share_positive']:.0f} % of their area"
    )
    if pd.notna(row.get("share_fdr_positive", np.nan)):
        words += (
            f"; after FDR significant positive on {100 * row['share_fdr_positive']:.0f}"
            f" %, negative on {100 * row['share_fdr_negative']:.0f} %"
        )
    told = [head, words + "."]
    if "region_r" in row and pd.notna(row["region_r"]):
        told.append(
            f"  all cells together: r {row['region_r']:+.2f}, p "
            f"{row['region_p_value']:.2g} (Dutilleul: {row['region_n']:.0f} cells are "
            f"worth {row['region_n_effective']:.1f} independent ones)."
        )
    if row["cells_without"]:
        why = ", ".join(
            f"{name.removeprefix('cells_')} {row[name]:.0f}"
            for name in row.index
            if str(name).startswith("cells_")
            and name != "cells_without"
            and row[name] > 0
        )
        told.append(f"  {row['cells_without']} cells without an answer: {why}.")
    return told
