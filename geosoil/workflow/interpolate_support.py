"""Where an interpolated map may speak, and means that weigh its ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.interpolation.declustering import declustered_mean
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.support import (
    MOST_COVARIATES,
    REASONS,
    SupportRules,
    map_support,
    support_area,
)
from geosoil.workflow.interpolate_inputs import InterpolateInputs
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_surfaces import Surfaces

IN_WORDS = {
    "far_from_data": "far from data",
    "variance_near_sill": "kriging variance near the sill",
    "elevation_beyond_samples": "elevation beyond the samples",
    "covariates_outside_hull": "covariates outside the samples' hull",
    "not_judged": "no elevation, covariate or variance",
}
"""Reasons in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the samples support of the maps, and their means."""

    support: xr.Dataset
    """``reason`` and ``distance``."""
    areas: pd.DataFrame
    """Area and share by reason."""
    means: pd.DataFrame
    """Sample mean, declustered means and mean of the map, by quantity."""
    cells_without: int = 0
    """Cells of the region that have no estimate at all."""
    words: tuple[str, ...] = ()
    """What is told of them."""

    @property
    def unsupported(self) -> xr.DataArray:
        """Cells that the samples do not support."""
        return self.support["reason"] != 0

    def reasons(self) -> dict[str, float]:
        """Return the shares of the area that each reason takes.

        Returns
        -------
        shares : dict of str to float
            By reason; those that take nothing are left out.
        """
        shares = {name: self.share(name) for name in REASONS}
        return {name: share for name, share in shares.items() if share > 0}

    def share(self, name: str) -> float:
        """Return the share of the area that has a reason.

        Parameters
        ----------
        name : str
            A reason, "any", "ok" or "all".

        Returns
        -------
        share : float
            0 to 1; NaN where it was not judged.
        """
        return float(self.areas["share"].to_numpy()[self.areas.index.get_loc(name)])

    def km2(self, name: str) -> float:
        """Return the area that has a reason.

        Parameters
        ----------
        name : str
            A reason, "any", "ok" or "all".

        Returns
        -------
        area : float
            Area [km2]; NaN where it was not judged.
        """
        return float(self.areas["area_km2"].to_numpy()[self.areas.index.get_loc(name)])


def area_words(area: float) -> str:
    """Write an area with as many digits as it is known by.

    Parameters
    ----------
    area : float
        Area [km2].

    Returns
    -------
    words : str
        Thousands set off by commas.

    Examples
    --------
    >>> area_words(122034.2), area_words(4.0241)
    ('122,034', '4.02')
    """
    return f"{area:,.0f}" if area >= 100 else f"{area:.3g}"


def judge(
    surfaces: Surfaces, inputs: InterpolateInputs, request: InterpolateRequest
) -> Judgement:
    """Say where the maps may speak, and set their means beside those of the samples.

    Parameters
    ----------
    surfaces : Surfaces
        The maps.
    inputs : InterpolateInputs
        Points, grid and rasters.
    request : InterpolateRequest
        What is asked.

    Returns
    -------
    judgement : Judgement
        Distances where they are asked for, the variance of kriging, the elevation and
        the covariates where they are given.

    Raises
    ------
    InputError
        If the samples span no hull in the covariates.
    """
    covariates = inputs.rasters.covariates
    words: tuple[str, ...] = ()
    if covariates is not None and len(covariates.data_vars) > MOST_COVARIATES:
        count = len(covariates.data_vars)
        words = (f"{count} covariates are too many to judge their hull: left out",)
        covariates = None
    variance, sill = _variance(surfaces, inputs)
    rules = SupportRules(max_distance=request.support_reach, sill=sill)
    support = map_support(
        inputs.points,
        inputs.grid,
        elevation=inputs.rasters.elevation,
        covariates=covariates,
        kriging_variance=variance,
        rules=rules,
    )
    areas = support_area(support, mask=inputs.mask)
    means = pd.concat(
        [_means(name, surfaces, inputs) for name in inputs.names], ignore_index=True
    )
    first = surfaces.estimates[inputs.names[0]]
    without = int(inputs.mask.sum()) - int(np.isfinite(first).sum())
    return Judgement(support, areas, means, without, words)


def _variance(
    surfaces: Surfaces, inputs: InterpolateInputs
) -> tuple[xr.DataArray | None, float | None]:
    """Return the kriging variance and the sill beside which it is judged.

    With a drift that is the variance of the values, not that of their residuals.
    Of a composition there is none: the spread of its parts is that of shares, which
    has no sill.
    """
    name = inputs.names[0]
    fitted = surfaces.interpolators.get(name)
    if len(inputs.names) > 1 or not isinstance(fitted, Kriging):
        return None, None
    sill = float(fitted.variogram_.sill)
    if fitted.drift_names_:
        # The sill of residuals says nothing of what the drift explains.
        sill = max(sill, float(np.var(fitted.points_.values, ddof=1)))
    if not (np.isfinite(sill) and sill > 0):
        return None, None
    return surfaces.sds[name] ** 2, sill


def _means(name: str, surfaces: Surfaces, inputs: InterpolateInputs) -> pd.DataFrame:
    """Return the means of one quantity."""
    table = declustered_mean(
        inputs.points,
        inputs.values(name),
        region=inputs.region,
        surface=surfaces.estimates[name],
    )
    table.insert(0, "quantity", name)
    return table


def masked(surfaces: Surfaces, judgement: Judgement) -> Surfaces:
    """Return the surfaces with unsupported cells left empty.

    Parameters
    ----------
    surfaces : Surfaces
        The maps.
    judgement : Judgement
        What the samples support.

    Returns
    -------
    surfaces : Surfaces
        The same maps, empty there.
    """
    supported = ~judgement.unsupported

    def kept(rasters: xr.Dataset) -> xr.Dataset:
        found = rasters.where(supported)
        for name in rasters.data_vars:
            found[name].attrs = rasters[name].attrs
        return found

    return Surfaces(
        kept(surfaces.estimates),
        kept(surfaces.sds),
        kept(surfaces.others),
        surfaces.interpolators,
        surfaces.attrs,
        surfaces.words,
    )
