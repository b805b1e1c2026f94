"""Draws of the fractions of a study's strata, and means by samples, area and water."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geosoil.errors import GeosoilWarning
from geosoil.grids.classes_at_points import classes_at_points
from geosoil.grids.zones import cell_area
from geosoil.strata import OUTSIDE, classify
from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.fraction_drawing import Drawing
from geosoil.tracers.mixing_region_groups import mixing_region_groups
from geosoil.tracers.monte_carlo import monte_carlo_fractions
from geosoil.tracers.stratum_weights import (
    StratumWeights,
    side_by_side,
    weights_by_area,
    weights_by_n,
    weights_by_storage,
)
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import ALL, groups_of
from geosoil.workflow.study_answers import (
    averaged_unit,
    group_samples,
    periods_with_soil,
    study_answer,
)

N_DRAWS = 4000
EQUAL_AREA = "EPSG:6933"
"""System in which areas of polygons are true."""
ISOTOPES = ("d18O", "d2H")
"""Tracers of the mixing-space test; its answer is the same for d18O and d-excess."""
OTHERS = ("soil_layer", "basin")
"""Strata that are drawn beside those of section 3.3 of the paper."""
LAYERS = ("depth_top", "depth_bottom", "soil_moisture")


@dataclass(frozen=True, slots=True, eq=False)
class StudyDraws:
    """What the draws of a study tell."""

    summary: pd.DataFrame
    """Period, by, stratum, source: mean, sd and quantiles; ``answer``."""
    weighted: pd.DataFrame
    """Period, over (the strata averaged), weighting, source: mean, sd, quantiles."""
    region: pd.DataFrame
    """Period, by, stratum: how many samples lie within their sources."""


def study_draws(inputs: StudyInputs, soil: pd.DataFrame) -> StudyDraws:
    """Draw the fractions of every stratum and average them in several ways.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    soil : DataFrame
        Soil samples with strata and zero rules.

    Returns
    -------
    draws : StudyDraws
        Empty tables where evaporation is solved with the shares, whose errors are
        first order.
    """
    rng = np.random.default_rng(inputs.config.study.seed)
    soil = with_basin(inputs, soil)
    summaries: list[pd.DataFrame] = []
    means: list[pd.DataFrame] = []
    regions: list[pd.DataFrame] = []
    with warnings.catch_warnings():
        # The condition of the end members was told with the period's mean.
        warnings.simplefilter("ignore", GeosoilWarning)
        for period, chosen, fallen in periods_with_soil(inputs, soil):
            for group in (ALL, *groups_of(chosen), *_others(chosen)):
                answer = study_answer(inputs, period, fallen, group)
                inside = group_samples(averaged_unit(chosen, inputs), group)
                if answer.prior is not None or inside.empty:
                    continue
                by = ["period"] if group == ALL else ["period", group]
                region = mixing_region_groups(
                    inside, answer.end_members, by, rng=rng, tracers=ISOTOPES
                )
                regions.append(_with_stratum(region, group).assign(answer=answer.name))
                draws = monte_carlo_fractions(
                    inside,
                    answer.end_members,
                    by,
                    tracers=inputs.config.tracers.names,
                    drawing=Drawing(n_draws=N_DRAWS),
                    rng=rng,
                )
                summary = _with_stratum(draws.summary(), group)
                summaries.append(summary.assign(answer=answer.name))
                if group != ALL:
                    means.append(_means(draws, inputs, chosen, group))
    return StudyDraws(_joined(summaries), _joined(means), _joined(regions))


def with_basin(inputs: StudyInputs, soil: pd.DataFrame) -> pd.DataFrame:
    """Add the basin of the study region that each sample lies in.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study; the polygons of its region are basins where they have names.
    soil : DataFrame
        Soil samples with the index of the study's samples.

    Returns
    -------
    soil : DataFrame
        With ``basin``, missing outside; as it was where the region has one polygon or
        no column ``name``.
    """
    region = inputs.region
    if region is None or len(region) < 2 or "name" not in region:
        return soil
    found = classes_at_points(region, "name", inputs.samples.loc[soil.index])
    return soil.assign(basin=found["name"].to_numpy(dtype=object))


def _others(soil: pd.DataFrame) -> tuple[str, ...]:
    """Strata beside those of section 3.3 that the samples have labels for."""
    return tuple(name for name in OTHERS if name in soil and soil[name].notna().any())


def _with_stratum(table: pd.DataFrame, group: str) -> pd.DataFrame:
    """Copy of a table with the kind and the label of the stratum."""
    out = table.copy()
    stratum = ALL if group == ALL else out.pop(group)
    out.insert(1, "by", group)
    out.insert(2, "stratum", stratum)
    return out


def _means(
    draws: FractionDraws, inputs: StudyInputs, soil: pd.DataFrame, group: str
) -> pd.DataFrame:
    """Means over the strata of one kind, by each weight that is known."""
    weights: dict[str, StratumWeights] = {"samples": weights_by_n(draws.table)}
    area = stratum_areas(inputs, group)
    if area is not None:
        weights["area"] = weights_by_area(area, on=[group])
    if set(LAYERS) <= set(soil) and soil["soil_moisture"].notna().any():
        weights["storage"] = weights_by_storage(
            soil[soil[group].notna()], on=[group], area=weights.get("area")
        )
    table = side_by_side(draws, weights, by=["period"])
    table.insert(0, "over", group)
    return table


def stratum_areas(inputs: StudyInputs, group: str) -> pd.Series | None:
    """Measure the area of each stratum of the region.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    group : str
        "elevation_band", measured on the elevation raster; "basin", on the polygons
        of the region; or the name of a class layer.

    Returns
    -------
    area : Series or None
        Area [km2] by label, what lies in no class as "outside"; None without a raster.
    """
    if group == "elevation_band" and inputs.elevation is not None:
        edges = inputs.config.strata.edges()
        found = classify(inputs.elevation.to_numpy().ravel(), edges.elevation)
        labels = np.array([edges.labels.get(x, x) for x in found], dtype=object)
        own = edges.names(edges.elevation)
    elif group == "basin" and inputs.region is not None:
        shapes = inputs.region.to_crs(EQUAL_AREA)
        return shapes.area.groupby(shapes["name"], sort=False).sum() / 1e6
    elif group in inputs.layers:
        layer = inputs.layers[group]
        codes = layer.codes.to_numpy().ravel()
        known = np.isfinite(codes)
        labels = np.full(codes.shape, OUTSIDE, dtype=object)
        labels[known] = [layer.labels[int(code)] for code in codes[known]]
        own = list(layer.labels.values())
    else:
        return None
    area = cell_area(inputs.grid).where(inputs.mask, 0.0).to_numpy().ravel()
    sums = pd.Series(area).groupby(labels).sum()
    return sums.reindex([*own, OUTSIDE]).fillna(0.0)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
