"""Means of a period's fractions side by side: of samples, declustered, and by area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.grids.zones import cell_area
from geosoil.interpolation.declustering import declustered_mean
from geosoil.strata import classify
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping_draws import LIMITS, Spread
from geosoil.workflow.mapping_sites import PeriodSites

SUPPORTED = "map, supported cells"
WHOLE = "map, whole region"
OF_SITES = {
    "sample mean": "mean of the sites",
    "lowest cell-declustered mean": "declustered mean, lowest",
    "highest cell-declustered mean": "declustered mean, highest",
    "Voronoi-weighted mean": "declustered mean, Voronoi",
}
"""Means of the raw fractions of the sites, and how they are called here."""


@dataclass(frozen=True, slots=True, eq=False)
class Areas:
    """Weights of the cells in the means of a map."""

    names: tuple[str, ...]
    """Names of the means."""
    weights: FloatArray
    """Weights, shape (area, y, x); each sums to 1, or to 0 where no cell is in it."""
    km2: tuple[float, ...]
    """Size of each area [km2]."""


def map_areas(inputs: StudyInputs, answered: BoolArray, reason: FloatArray) -> Areas:
    """Weigh the cells of the region, and those that the sites support.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    answered : array of bool, shape (y, x)
        Cells of the region with a fraction.
    reason : array, shape (y, x)
        0 where the map may speak.

    Returns
    -------
    areas : Areas
        "map, supported cells" and "map, whole region".
    """
    area = cell_area(inputs.grid).to_numpy()
    chosen = {SUPPORTED: answered & (reason == 0), WHOLE: answered}
    sums = {name: float(area[cells].sum()) for name, cells in chosen.items()}
    layers = [
        np.where(cells, area, 0.0) / (sums[name] or 1.0)
        for name, cells in chosen.items()
    ]
    return Areas(tuple(chosen), np.stack(layers), tuple(sums.values()))


def period_means(
    inputs: StudyInputs,
    sites: PeriodSites,
    surfaces: dict[str, FloatArray],
    areas: Areas,
    drawn: dict[str, FloatArray],
) -> pd.DataFrame:
    """Set the means of a period side by side.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    surfaces : dict of str to array, shape (y, x)
        Fractions of the map.
    areas : Areas
        Weights of the cells.
    drawn : dict of str to array, shape (area, draw, source)
        Means of the draws, see :func:`mean_draws`.

    Returns
    -------
    means : DataFrame
        One row a mean and source: period, mean_of, source, fraction, p05, p95, sd;
        sd_own_errors, which it would be if no error were common to the sites;
        area_km2, n, n_effective, reason.
    """
    rows: list[dict[str, object]] = []
    for place, source in enumerate(sites.sources):
        found = declustered_mean(
            sites.points, sites.raw[:, place], region=inputs.region
        )
        found = found[found["kind"].isin(OF_SITES)]
        for _, row in found.iterrows():
            rows.append(
                {
                    "mean_of": OF_SITES[row["kind"]],
                    "source": source,
                    "fraction": row["mean"],
                    "n": row["n"],
                    "n_effective": row["n_effective"],
                    "reason": row["reason"],
                }
            )
        for order, name in enumerate(areas.names):
            rows.append(
                {"mean_of": name, "source": source, "area_km2": areas.km2[order]}
                | _map_row(surfaces[source], areas.weights[order])
                | _drawn_row(drawn, order, place)
            )
    table = pd.DataFrame(rows)
    table.insert(0, "period", sites.period)
    table["reason"] = table["reason"].fillna("")
    kinds = [*OF_SITES.values(), SUPPORTED, WHOLE]
    table["rank"] = table["mean_of"].map(kinds.index)
    table = table.sort_values("rank", kind="stable").drop(columns="rank")
    return table.reset_index(drop=True)


def _map_row(surface: FloatArray, weights: FloatArray) -> dict[str, object]:
    """Mean of a map over the cells of an area."""
    held = weights > 0
    if not held.any():
        return {"fraction": np.nan, "n": 0, "reason": "no cell has a fraction here"}
    mean = float(np.sum(surface[held] * weights[held]))
    return {"fraction": mean, "n": int(held.sum())}


def _drawn_row(
    drawn: dict[str, FloatArray], order: int, place: int
) -> dict[str, object]:
    """Quantiles and spread of the draws of a mean."""
    values = drawn["all"][order, :, place]
    if not np.isfinite(values).all():
        return {}
    low, high = np.quantile(values, LIMITS)
    alone = float(drawn["own"][order, :, place].std())
    return {
        "p05": float(low),
        "p95": float(high),
        "sd": float(values.std()),
        "sd_own_errors": alone,
    }


def mean_draws(
    sites: PeriodSites,
    spread: Spread,
    certain: dict[str, FloatArray],
    areas: Areas,
) -> dict[str, FloatArray]:
    """Complete the draws of the means of a map by what no site has to tell.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    spread : Spread
        Draws of the maps.
    certain : dict of str to array, shape (y, x)
        Fractions that no site has to tell, NaN elsewhere.
    areas : Areas
        Weights of the cells.

    Returns
    -------
    drawn : dict of str to array, shape (area, draw, source)
        "all" and "own" as in :class:`Spread`; NaN in an area without cells.
    """
    found = {name: total.copy() for name, total in spread.totals.items()}
    for order, weights in enumerate(areas.weights):
        for total in found.values():
            total[order] += [np.nansum(weights * certain[s]) for s in sites.sources]
            if not weights.any():
                total[order] = np.nan
    return found


def band_means(
    inputs: StudyInputs, surfaces: dict[str, FloatArray], words: dict[str, str]
) -> pd.DataFrame:
    """Average a map by area over elevation bands and over the region.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    surfaces : dict of str to array, shape (y, x)
        Fractions by source; NaN outside of the region.
    words : dict
        Columns that name the map, put first.

    Returns
    -------
    means : DataFrame
        ``elevation_band`` ("all" for the region), ``source``, ``fraction``,
        ``area_km2``.
    """
    area = cell_area(inputs.grid).to_numpy()
    bands = {"all": np.ones(inputs.grid.shape, dtype=bool)}
    if inputs.elevation is not None:
        edges = inputs.config.strata.edges()
        labels = classify(inputs.elevation.to_numpy().ravel(), edges.elevation)
        for label in dict.fromkeys([*edges.names(edges.elevation)]):
            named = np.array([edges.labels.get(x, x) == label for x in labels])
            bands[label] = named.reshape(inputs.grid.shape)
        inside = np.logical_or.reduce(list(bands.values())[1:])
        height = inputs.elevation.to_numpy()
        bands[f"{edges.elevation[-1]:g} and above"] = ~inside & (
            height >= edges.elevation[-1]
        )
    rows = []
    for band, cells in bands.items():
        for source, layer in surfaces.items():
            held = cells & np.isfinite(layer)
            size = float(area[held].sum())
            mean = float(np.sum(layer[held] * area[held]) / size) if size else np.nan
            own = {"elevation_band": band, "source": source, "fraction": mean}
            rows.append(words | own | {"area_km2": size})
    return pd.DataFrame(rows)
