"""Where the sites of a period support a map, and how much ground they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.grids.grid import BoolArray, FloatArray
from geosoil.grids.zones import cell_area
from geosoil.interpolation.support import (
    REASONS,
    SupportRules,
    map_support,
)
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping_methods import Places, variances
from geosoil.workflow.mapping_sites import PeriodSites
from geosoil.workflow.mapping_surfaces import Patch

NOTHING = 32
"""Bit of cells for whose possible sources there are too few sites."""

WORDS = {
    "far_from_data": "farther from a site than [interpolation] max_distance_km",
    "variance_near_sill": "kriging variance near the sill: no site says anything",
    "elevation_beyond_samples": "lower or higher than the ground that was sampled",
    "covariates_outside_hull": "covariates outside of those at the sites",
    "not_judged": "no elevation or covariate to judge by",
    "too_few_sites": "too few sites with the same possible sources",
}
"""Words for the reasons."""


def period_support(
    inputs: StudyInputs, sites: PeriodSites, patches: list[Patch], method: str
) -> xr.DataArray:
    """Say for each cell of the region whether the sites support a value there.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    patches : list of Patch
        Weights of its domains.
    method : str
        Method of the map; the variance is held against the sill under kriging alone.

    Returns
    -------
    reason : DataArray of uint8 with dims y, x
        0 where the map may speak, else the sum of the bits of ``flag_masks``; outside
        of the region 255, the ``nodata``.
    """
    settings = inputs.config.interpolation
    share = None
    if method.startswith("kriging"):
        share = variance_share(sites, patches, inputs)
    reach = settings.max_distance_km
    rules = SupportRules(
        max_distance=None if reach is None else reach * 1000.0,
        max_variance_share=settings.max_variance_share,
        sill=1.0,
    )
    support = map_support(
        sites.points,
        inputs.grid,
        elevation=inputs.elevation,
        covariates=inputs.covariates,
        kriging_variance=share,
        rules=rules,
    )
    reason = support["reason"].copy()
    answered = np.zeros(inputs.grid.shape, dtype=bool)
    for patch in patches:
        answered.ravel()[patch.cells] = True
    codes = reason.to_numpy().copy()
    open_ = several(sites, inputs)
    # Where a rule leaves one source its fraction is 1: no site has to say so.
    codes[~open_] &= REASONS["not_judged"]
    codes[~answered & open_] |= NOTHING
    codes[~inputs.mask.to_numpy()] = 255
    reason.data = codes
    applied = f"{reason.attrs['rules_applied']} not_judged too_few_sites".split()
    masks = REASONS | {"too_few_sites": NOTHING}
    reason.attrs = {
        "long_name": "why the sites do not support a fraction (0: they do)",
        "units": "1",
        "flag_masks": np.array(list(masks.values()), dtype=np.uint8),
        "flag_meanings": " ".join(masks),
        "rules_applied": " ".join(dict.fromkeys(applied)),
        "nodata": 255,
    }
    return reason


def several(sites: PeriodSites, inputs: StudyInputs) -> BoolArray:
    """Say in which cells more than one source can be.

    Parameters
    ----------
    sites : PeriodSites
        Sites and rules of the period.
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    several : array of bool, shape (y, x)
        False where the rules leave one source alone.
    """
    count = np.full(inputs.grid.shape, len(sites.sources))
    for rule in sites.rules:
        if rule.source in sites.sources and inputs.elevation is not None:
            count = count - rule.zero(inputs.elevation.to_numpy())
    return np.asarray(count > 1)


def variance_share(
    sites: PeriodSites, patches: list[Patch], inputs: StudyInputs
) -> xr.DataArray | None:
    """Return the largest share of the sill that a source's kriging variance takes.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    patches : list of Patch
        Weights of its domains.
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    share : DataArray with dims y, x or None
        0 in cells that need no site; None where no source has a spatial structure,
        so that the variance is the same everywhere.
    """
    found = False
    share = np.zeros(inputs.grid.shape)
    for patch in patches:
        for name, model in patch.models.items():
            if model.variogram.model == "nugget":
                continue
            found = True
            weights = _rows(patch.weights[name], len(patch.cells))
            xy = sites.xy[patch.domain.sites]
            places = Places(patch.places.xy, patch.places.ground)
            total = sum(variances(model, weights, xy, places))
            ratio = total / model.variogram.sill
            here = share.ravel()
            here[patch.cells] = np.maximum(here[patch.cells], ratio)
    return inputs.grid.raster(share) if found else None


def _rows(weights: FloatArray, count: int) -> FloatArray:
    """Return weights with one row a cell."""
    return np.broadcast_to(weights, (count, weights.shape[1]))


def support_table(reason: xr.DataArray, inputs: StudyInputs) -> pd.DataFrame:
    """Add up the ground by what the sites say of it.

    Parameters
    ----------
    reason : DataArray
        As :func:`period_support` gives it.
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    table : DataFrame
        ``reason`` ("supported", each reason, "unsupported", "whole region"), its
        words, ``area_km2`` and ``share`` of the region; a rule that was not asked for
        has no row. A cell with two reasons counts in both.
    """
    inside = inputs.mask.to_numpy()
    area = np.where(inside, cell_area(inputs.grid).to_numpy(), 0.0)
    codes = np.where(inside, reason.to_numpy(), 0)
    applied = str(reason.attrs["rules_applied"]).split()
    bits = dict(zip(WORDS, reason.attrs["flag_masks"], strict=True))
    chosen = {"supported": codes == 0}
    chosen |= {name: (codes & bits[name]) > 0 for name in WORDS if name in applied}
    chosen |= {"unsupported": codes > 0, "whole region": inside}
    rows = [
        {
            "reason": name,
            "words": WORDS.get(name, ""),
            "area_km2": float(area[cells].sum()),
            "share": float(area[cells].sum() / area.sum()),
        }
        for name, cells in chosen.items()
    ]
    return pd.DataFrame(rows)
