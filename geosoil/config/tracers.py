"""Settings of samples, their classes, tracers and end members."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from geosoil.config.base import Fraction, Settings
from geosoil.strata import DEPTH_EDGES, ELEVATION_EDGES, StrataEdges


class SampleSettings(Settings):
    """The table of water samples."""

    path: Path
    """CSV, TSV, Excel, GeoPackage or Parquet file."""
    columns: dict[str, str] = Field(default_factory=dict)
    """The user's column names to geosoil's."""
    crs: str | None = None
    """Coordinate reference system of columns x and y, where there are such."""
    dates: Literal["dayfirst", "monthfirst"] | None = None
    """How dates such as 06/08/2020 are read; without it they are refused."""


class StrataSettings(Settings):
    """Classes of elevation and depth."""

    elevation_edges: tuple[float, ...] = ELEVATION_EDGES
    """Edges of the elevation bands [m], rising."""
    depth_edges: tuple[float, ...] = DEPTH_EDGES
    """Edges of the soil layers [cm], rising."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Own names of classes: ``"0-20" = "topsoil"``."""

    @model_validator(mode="after")
    def _sound(self) -> StrataSettings:
        self.edges()
        return self

    def edges(self) -> StrataEdges:
        """Return the classes as the science rooms take them.

        Returns
        -------
        edges : StrataEdges
            Edges and labels.
        """
        return StrataEdges(self.elevation_edges, self.depth_edges, self.labels)


class PeriodClimate(Settings):
    """Weather that drives evaporation in one period."""

    temperature: Annotated[float, Field(ge=0.0, le=60.0)]
    """Temperature of the evaporating soil surface [degC]."""
    humidity: Annotated[float, Field(gt=0.0, lt=1.0)]
    """Relative humidity at the surface temperature, 0-1."""
    vapour: Annotated[float, Field(ge=0.0, le=1.0)] = 1.0
    """Share of equilibrium between the air's vapour and the rain."""
    turbulence: Annotated[float, Field(ge=0.5, le=1.0)] = 0.75
    """Exponent n of the kinetic term: 0.5 open water, 1 dry soil."""
    remaining: tuple[Fraction, Fraction] = (0.80, 0.98)
    """Limits of the share of soil water that evaporation has left, for the amount of
    evaporation in mixing: an assumption that the answer hangs on; state your own."""

    @model_validator(mode="after")
    def _rising(self) -> PeriodClimate:
        low, high = self.remaining
        if not 0.0 < low < high:
            message = "'remaining' is two rising shares, such as [0.8, 0.98]"
            raise ValueError(message)
        return self


class TracerSettings(Settings):
    """Water lines and end-member mixing."""

    names: tuple[str, ...] = ("d18O", "d_excess")
    """Tracers that mix."""
    preset: Literal["paper", "recommended"] | None = None
    """Methods that belong together, see `geosoil.tracers.presets`."""
    method: Literal["ols", "rma", "ma", "pwlsr", "pwrma", "pwma"] | None = None
    """Line fit of the meteoric and evaporation lines; the preset's, else "ols"."""
    sources: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Sources of each period."""
    end_members: Path | None = None
    """Table of end members; without it they are the means of the samples."""
    climate: dict[str, PeriodClimate] = Field(default_factory=dict)
    """Weather of each period, for the Craig-Gordon slope."""


class EndMemberSettings(Settings):
    """How the samples of one source become its end member, see `EndMemberRule`."""

    source: str
    """Name of the source."""
    levels: tuple[tuple[str, ...], ...] = (("period",), ())
    """Columns to match samples by, the finest level first."""
    min_samples: Annotated[int, Field(ge=1)] = 3
    """Samples that a level needs."""
    match: Literal["month_of_year", "period", "date_window"] = "month_of_year"
    """How the period is matched; "month_of_year" takes any year."""
    months_before: Annotated[int, Field(ge=0, le=11)] = 0
    """Earlier months that count too."""
    window_days: Annotated[float, Field(ge=0.0)] = 0.0
    """Earlier days that count too, with match "date_window"."""
    amount: str | None = None
    """Column of amounts that weight the samples."""
    water: str | None = None
    """Label in column water, where it is not the source's name."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Labels that the samples have in other columns."""
    absent: tuple[dict[str, tuple[str, ...]], ...] = ()
    """Strata where the source cannot be."""
    spread: Literal["own", "pooled"] = "own"
    """Whose covariance a stratum with few samples has."""


class ZeroRuleSettings(Settings):
    """Where a source cannot be: by elevation, or in the whole period without limits."""

    source: str
    """Source that is exactly zero there."""
    period: tuple[str, ...]
    """Periods in which the rule holds."""
    below: float | None = None
    """The source is zero below this elevation [m]."""
    above: float | None = None
    """The source is zero at and above this elevation [m]."""


class ZeroRuleFile(Settings):
    """A file of zero rules."""

    rule: Annotated[tuple[ZeroRuleSettings, ...], Field(min_length=1)]
    """Tables [[rule]]."""
