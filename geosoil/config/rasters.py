"""Settings of grids, satellite, climate and class layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from geosoil.config.base import Settings


class GridSettings(Settings):
    """The grid of the maps."""

    bounds: tuple[float, float, float, float] = (89.40, 31.55, 102.30, 36.30)
    """Outer edges: west, south, east, north."""
    resolution: Annotated[float, Field(gt=0.0)] = 0.05
    """Side of a cell in units of the CRS."""
    crs: str = "EPSG:4326"
    """Coordinate reference system."""


class QualityRuleSettings(Settings):
    """Which cells of a vegetation index are kept, by their quality bits."""

    max_usefulness: Annotated[int, Field(ge=0, le=15)] = 15
    """Highest usefulness kept: 0 best, 12 lowest, 13 and more not useful."""
    modland: tuple[Annotated[int, Field(ge=0, le=2)], ...] = (0, 1, 2)
    """MODLAND values kept: 0 good, 1 check other QA, 2 most probably cloudy."""
    aerosols: tuple[Annotated[int, Field(ge=0, le=3)], ...] = (0, 1, 2, 3)
    """Aerosols kept: 0 climatology, 1 low, 2 intermediate, 3 high."""
    adjacent_clouds: bool = True
    """Whether cells beside clouds are kept."""
    mixed_clouds: bool = True
    """Whether cells of mixed clouds are kept."""
    snow: bool = True
    """Whether cells of possible snow or ice are kept."""
    shadow: bool = True
    """Whether cells of possible shadow are kept."""


class NdviSettings(Settings):
    """MODIS vegetation index files."""

    monthly: Path | None = None
    """Glob of monthly files (MOD13C2, MOD13A3), used for correlation."""
    composites: Path | None = None
    """Glob of 16-day files (MOD13C1, ...), joined to the samples by month."""
    quality: Literal["good", "keep_snow", "all", "custom"] = "good"
    """Which pixels are kept; "custom" takes the rule."""
    rule: QualityRuleSettings | None = None
    """Rule on the quality bits, for quality "custom"."""
    checksums: Literal["check", "require", "ignore"] = "check"
    """"check" compares files with the checksums beside them, "require" refuses files
    without one, "ignore" reads none."""

    @model_validator(mode="after")
    def _rule_for_custom(self) -> NdviSettings:
        if (self.quality == "custom") != (self.rule is not None):
            message = "quality 'custom' and a table [ndvi.rule] go together"
            raise ValueError(message)
        return self


class ClimateFile(Settings):
    """A climate variable; its path alone is enough where the file says all."""

    path: Path
    """CF NetCDF or GRIB file, or a pattern of files that follow each other."""
    crs: str | None = None
    """What its coordinates are, for a file that does not say so."""
    start: str | None = None
    """First month, as "1979-01", for a file that only counts its months."""


class LayerSettings(Settings):
    """One layer of classes, as a raster or polygons, with its class table."""

    path: Path
    """GeoTIFF of class codes, or GeoPackage, Shapefile or GeoJSON of polygons."""
    table: Path | None = None
    """CSV or TOML with code, label and, where wanted, group and colour."""
    column: str | None = None
    """Column of the polygons that holds the class."""
    layer: str | None = None
    """Layer of a GeoPackage that has several."""
    crs: str | None = None
    """What the coordinates of polygons are, for a file that does not say so."""
    encoding: str | None = None
    """Encoding of a Shapefile's texts, where it is guessed wrongly."""
    overlap: Literal["error", "first", "last"] = "error"
    """To which polygon ground belongs that two of different classes share."""
