"""Section 3.2 of the paper as numbers: lines compared, groups ranked, waters tied."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from geosoil.errors import GeosoilWarning
from geosoil.tracers.comparison import compare_lines
from geosoil.tracers.connection import hydraulic_connection
from geosoil.tracers.ranking import rank_by_lc_excess
from geosoil.workflow.fractions import FractionResult
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import groups_of, is_labelled

CONNECTED = ("soil", "supra_permafrost", "river")
"""Waters whose connection is told."""


def contrast_tables(
    inputs: StudyInputs, result: FractionResult
) -> dict[str, pd.DataFrame]:
    """Compare lines and waters, with whole sites as the unit.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    result : FractionResult
        Soil samples with their strata, and the meteoric line.

    Returns
    -------
    tables : dict of str to DataFrame
        ``line_comparison``: equality of slopes and intercepts over the strata;
        ``lc_excess_ranking`` and ``lc_excess_pairs``: strata of each period by their
        distance to the meteoric line; ``hydraulic_connection``: waters of each
        period. What the samples do not allow is absent.
    """
    seed = inputs.config.study.seed
    soil = result.samples
    comparisons, ranks, pairs = [], [], []
    with warnings.catch_warnings():
        # Groups that are too small keep a row with their reason.
        warnings.simplefilter("ignore", GeosoilWarning)
        for group in groups_of(soil):
            inside = soil[is_labelled(soil, group)]
            if inside[group].nunique() < 2:
                continue
            rng = np.random.default_rng(seed)
            tests = compare_lines(inside, [group], rng=rng).tests
            comparisons.append(tests.assign(by=group))
            ranking = rank_by_lc_excess(
                inside, [group], lmwl=result.lmwl, within=["period"]
            )
            ranks.append(ranking.groups.rename(columns={group: "stratum"}))
            ranks[-1] = ranks[-1].assign(by=group)
            pairs.append(ranking.pairs.assign(by=group))
    tables = {
        "line_comparison": comparisons,
        "lc_excess_ranking": ranks,
        "lc_excess_pairs": pairs,
    }
    found = {
        name: pd.concat(parts, ignore_index=True)
        for name, parts in tables.items()
        if parts
    }
    connection = _connection(inputs, seed)
    return (
        found if connection is None else {**found, "hydraulic_connection": connection}
    )


def _connection(inputs: StudyInputs, seed: int) -> pd.DataFrame | None:
    """Tell how waters connect in each period; None with fewer than two waters."""
    samples = pd.DataFrame(inputs.samples.drop(columns="geometry"))
    here = [water for water in CONNECTED if (samples["water"] == water).any()]
    if len(here) < 2 or "site_id" not in samples:
        return None
    chosen = samples[
        samples["water"].isin(here)
        & samples["period"].isin(inputs.config.tracers.sources)
    ]
    return hydraulic_connection(chosen, here, rng=np.random.default_rng(seed))
