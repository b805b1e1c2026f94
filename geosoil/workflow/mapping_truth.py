"""The maps of a simulated study beside its truth; nothing here goes back to a map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.config import StudyConfig
from geosoil.grids.grid import BoolArray, FloatArray, Grid, check_same_grid
from geosoil.grids.zones import cell_area
from geosoil.interpolation.support import map_support
from geosoil.io.geotiff import read_geotiff
from geosoil.strata import classify
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import FractionMaps, PeriodMap, study_target
from geosoil.workflow.mapping_variants import linear_surfaces

N_CLASSES = 4
"""Classes of the distance to the nearest site, each with as many cells."""


@dataclass(frozen=True, slots=True, eq=False)
class TruthCheck:
    """Maps held against the truth of a simulated study."""

    scores: pd.DataFrame
    """Period, method, source, elevation_band ("all"): area-weighted bias (map - truth)
    and rmse, over the cells whose truth is known; ``mapped``: the method that was
    chosen."""
    coverage: pd.DataFrame
    """Period, source, distance class: share of the cells whose truth lies between p05
    and p95 of the map (90 % is meant)."""


def truth_files(config: StudyConfig) -> list[Path]:
    """Return the files of true fractions that the settings name.

    Parameters
    ----------
    config : StudyConfig
        Settings.

    Returns
    -------
    files : list of Path
        Empty unless the study is simulated and has them.
    """
    folder = config.output.truth
    if folder is None or not config.study.simulated:
        return []
    return sorted(folder.glob("true_*.tif"))


def check_truth(inputs: StudyInputs, maps: FractionMaps) -> TruthCheck | None:
    """Hold the maps of a simulated study against its truth.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    maps : FractionMaps
        Maps, made and written already.

    Returns
    -------
    check : TruthCheck or None
        None where there is no truth.

    Raises
    ------
    GeosoilError
        If a file cannot be read or lies on another grid.
    """
    files = set(truth_files(inputs.config))
    folder = inputs.config.output.truth
    if not files or folder is None:
        return None
    scores: list[dict[str, object]] = []
    coverage: list[dict[str, object]] = []
    for period, one in maps.periods.items():
        truth = {
            source: _truth(folder / f"true_{source}_{period}.tif", inputs)
            for source in one.sites.sources
            if folder / f"true_{source}_{period}.tif" in files
        }
        scores += _scores(inputs, one, truth)
        coverage += _coverage(inputs, one, truth)
    return TruthCheck(pd.DataFrame(scores), pd.DataFrame(coverage))


def _truth(path: Path, inputs: StudyInputs) -> FloatArray:
    """Read true fractions of the cells of the region."""
    raster = read_geotiff(path, classes=False)
    check_same_grid(Grid.of(raster), inputs.grid, what="truth and maps")
    values: FloatArray = raster.to_numpy().astype(np.float64)
    return np.where(inputs.mask, values, np.nan)


def _scores(
    inputs: StudyInputs, one: PeriodMap, truth: dict[str, FloatArray]
) -> Iterator[dict[str, object]]:
    """Bias and root mean squared error of each method, by elevation band."""
    area = cell_area(inputs.grid).to_numpy()
    target, bands = study_target(inputs), _bands(inputs)
    for how in one.choice.candidates.items():
        surfaces = linear_surfaces(inputs, one.sites, how, target)
        method = how[0]
        for source, true in truth.items():
            error = surfaces[source] - true
            for band, cells in bands.items():
                held = cells & np.isfinite(error)
                if not held.any():
                    continue
                share = area[held] / area[held].sum()
                yield {
                    "period": one.sites.period,
                    "method": method,
                    "mapped": method == one.choice.method,
                    "source": source,
                    "elevation_band": band,
                    "cells": int(held.sum()),
                    "truth": float(share @ true[held]),
                    "bias": float(share @ error[held]),
                    "rmse": float(np.sqrt(share @ error[held] ** 2)),
                }


def _bands(inputs: StudyInputs) -> dict[str, BoolArray]:
    """Cells of each elevation band, and all."""
    bands = {"all": np.ones(inputs.grid.shape, dtype=bool)}
    if inputs.elevation is not None:
        edges = inputs.config.strata.edges()
        labels = classify(inputs.elevation.to_numpy().ravel(), edges.elevation)
        for label in edges.names(edges.elevation):
            named = np.array([edges.labels.get(x, x) == label for x in labels])
            bands[label] = named.reshape(inputs.grid.shape)
    return bands


def _coverage(
    inputs: StudyInputs, one: PeriodMap, truth: dict[str, FloatArray]
) -> Iterator[dict[str, object]]:
    """Share of the cells whose truth lies within the interval, by distance class."""
    distance = map_support(one.sites.points, inputs.grid)["distance"].to_numpy()
    for source, true in truth.items():
        low, high = (one.maps[f"{source}_{q}"].to_numpy() for q in ("p05", "p95"))
        # Where a rule leaves one answer there is nothing to cover.
        known = np.isfinite(true) & np.isfinite(low) & (high > low)
        if not known.any():
            continue
        limits = np.quantile(distance[known], np.linspace(0, 1, N_CLASSES + 1))
        inside = (true >= low - 1e-9) & (true <= high + 1e-9)
        for first, last in pairwise(limits):
            held = known & (distance >= first) & (distance <= last)
            yield {
                "period": one.sites.period,
                "source": source,
                "from_km": float(first),
                "to_km": float(last),
                "cells": int(held.sum()),
                "picp90": float(inside[held].mean()),
                "width": float((high - low)[held].mean()),
            }


def truth_words(check: TruthCheck | None) -> str:
    """Tell how far the maps of a simulated study are from its truth.

    Parameters
    ----------
    check : TruthCheck, optional
        Maps held against the truth.

    Returns
    -------
    text : str
        Lines for people; "" without a truth.
    """
    if check is None or check.scores.empty:
        return ""
    whole = check.scores[check.scores["elevation_band"] == "all"]
    text = [
        "The maps beside the simulated truth of cells (up to 5,100 m; read after the "
        "maps were made): root mean squared error [%], bias of the map that was written"
    ]
    for (period, source), rows in whole.groupby(["period", "source"], sort=False):
        words = ", ".join(
            f"{r['method']} {100 * r['rmse']:.0f}" for _, r in rows.iterrows()
        )
        mapped = rows[rows["mapped"]]
        bias = f"; bias {100 * mapped['bias'].iloc[0]:+.0f}" if len(mapped) else ""
        text.append(f"{period}, {str(source).replace('_', ' ')}: {words}{bias}")
    covered = check.coverage
    share = np.average(covered["picp90"], weights=covered["cells"])
    text.append(
        f"Truth within the maps' 90 % interval: {100 * share:.0f} % of cells "
        "(tables/maps_coverage.csv by distance to the nearest site)."
    )
    return "\n".join(text)
