"""Settings of the maps of source fractions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from geosoil.config.base import Settings

MapMethod = Literal["mean", "idw", "kriging", "kriging_drift", "ilr"]
"""How fractions between the sites are found."""


class InterpolationSettings(Settings):
    """Maps of source fractions."""

    method: Literal["auto", "mean", "idw", "kriging", "kriging_drift", "ilr"] = "auto"
    """What makes the maps: the mean of the sites with the same possible sources,
    inverse distances, ordinary kriging, kriging with elevation as external drift, or
    kriging of log-ratios; "auto" takes what predicts best in cross-validation."""
    power: Annotated[float, Field(gt=0.0)] = 2.0
    """Power of inverse-distance weighting."""
    n_neighbors: Annotated[int, Field(ge=1)] | None = None
    """Nearest sites that inverse distances use; all without it. Kriging uses all."""
    variogram: Literal["spherical", "exponential", "gaussian"] = "exponential"
    """Variogram model of kriging."""
    block_km: Annotated[float, Field(gt=0.0)] | None = None
    """Side of the blocks that cross-validation leaves out [km]; without it the longest
    range of the variograms, at most a third of the sites' extent."""
    n_draws: Annotated[int, Field(ge=100)] = 200
    """Draws of the end members that are carried through each map."""
    unsupported: Literal["hatch", "mask"] = "hatch"
    """Whether cells that the sites say nothing of are hatched on figures, or left
    empty in the maps."""
    max_distance_km: Annotated[float, Field(gt=0.0)] | None = None
    """Farthest distance to a site that a map may speak at [km]; any without it."""
    max_variance_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Largest share of the sill that the kriging variance may take."""
    covariates: dict[str, Path] = Field(default_factory=dict, max_length=4)
    """GeoTIFFs of up to four quantities within whose range at the sites a map may
    speak."""

    @model_validator(mode="before")
    @classmethod
    def _one_method(cls, data: Any) -> Any:  # noqa: ANN401  as it stands in the file
        """Say what became of the list of methods of earlier versions."""
        if isinstance(data, dict) and "methods" in data:
            message = (
                "the key 'methods' is now 'method' and names one of auto, mean, idw, "
                'kriging, kriging_drift, ilr; with method = "auto" all are compared '
                "by cross-validation and the best one makes the maps"
            )
            raise ValueError(message)
        return data
