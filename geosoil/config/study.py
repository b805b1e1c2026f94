"""All settings of one study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from geosoil.config.base import Settings
from geosoil.config.compute import ComputeSettings
from geosoil.config.interpolation import InterpolationSettings
from geosoil.config.rasters import (
    ClimateFile,
    GridSettings,
    LayerSettings,
    NdviSettings,
)
from geosoil.config.tracers import (
    EndMemberSettings,
    SampleSettings,
    StrataSettings,
    TracerSettings,
    ZeroRuleSettings,
)


class StudySettings(Settings):
    """What the study is."""

    name: str = "study"
    """Words for titles and tags."""
    simulated: bool = False
    """Whether the data are simulated; every output then says so."""
    region: Path | None = None
    """Polygons of the study region; maps are masked to them."""
    rivers: Path | None = None
    """Lines drawn on maps."""
    lakes: Path | None = None
    """Polygons drawn on maps."""
    seed: int = 2020
    """Seed of everything random."""


class CorrelationSettings(Settings):
    """Correlation cell by cell, over time and over space."""

    y: str = "soil_moisture"
    """Variable that is explained."""
    x: tuple[str, ...] = (
        "air_temperature",
        "ground_temperature",
        "precipitation",
        "evapotranspiration",
        "ndvi",
    )
    """Variables it is correlated with."""
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = (6, 8, 9)
    """Calendar months; each is correlated over the years."""
    method: Literal["pearson", "spearman", "kendall"] = "pearson"
    """Statistic over time; over space Kendall's tau gives way to Spearman's rho."""
    detrend: bool = False
    """Whether each series loses its line over the years."""
    min_pairs: Annotated[int, Field(ge=3)] = 4
    """Fewest pairs that give an answer."""
    fdr: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    """False discovery rate of a map; by Wilks (2016) 0.1 gives the map a level of
    about 5 %."""
    window: Annotated[int, Field(ge=0)] = 9
    """Side of the moving window over space in cells, odd; 0 for none."""
    year: int | None = None
    """Year of the maps over space; the last that the series share without it."""

    @field_validator("window")
    @classmethod
    def _odd(cls, window: int) -> int:
        if window and (window < 3 or window % 2 == 0):
            message = "give an odd number of cells from 3, or 0 for no window"
            raise ValueError(message)
        return window


class OutputSettings(Settings):
    """Where results go and what they are printed beside."""

    folder: Path = Path("maps")
    """Folder of the results."""
    figures: Literal["screen", "hess"] = "screen"
    """For whom the figures are made: "screen" writes PNG files for the report, "hess"
    PDF and PNG files, 8.3 or 12 cm wide, for journals of Copernicus."""
    reference: Path | None = None
    """Published (and true) shares, read only to be printed beside the results."""
    truth: Path | None = None
    """Folder of true fractions of a simulated study, true_<source>_<period>.tif, read
    only after the maps are written, to be held against them."""


class StudyConfig(Settings):
    """All settings of one study."""

    study: StudySettings = StudySettings()
    samples: SampleSettings
    strata: StrataSettings = StrataSettings()
    tracers: TracerSettings = TracerSettings()
    end_member: tuple[EndMemberSettings, ...] = ()
    rule: tuple[ZeroRuleSettings, ...] = ()
    grid: GridSettings = GridSettings()
    ndvi: NdviSettings = NdviSettings()
    climate: dict[str, ClimateFile] = Field(default_factory=dict)
    layers: dict[str, LayerSettings] = Field(default_factory=dict)
    elevation: Path | None = None
    correlation: CorrelationSettings = CorrelationSettings()
    interpolation: InterpolationSettings = InterpolationSettings()
    output: OutputSettings = OutputSettings()
    compute: ComputeSettings = ComputeSettings()
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The file that the settings were read from; None for those of a script."""
        return self._file

    def placed(self, file: Path) -> StudyConfig:
        """Return a copy that knows the file it was read from.

        Parameters
        ----------
        file : Path
            Settings file, absolute.

        Returns
        -------
        config : StudyConfig
            The same settings.
        """
        copy = self.model_copy()
        copy._file = file
        return copy

    @field_validator("climate", mode="before")
    @classmethod
    def _paths_alone(cls, data: Any) -> Any:  # noqa: ANN401  as it stands in the file
        """Accept a path where nothing else is to be said of a climate file."""
        if not isinstance(data, dict):
            return data
        return {
            name: {"path": value} if isinstance(value, str) else value
            for name, value in data.items()
        }

    @model_validator(mode="before")
    @classmethod
    def _split_elevation(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Accept ``elevation`` inside [layers], where users look for it."""
        layers = data.get("layers")
        if isinstance(layers, dict) and isinstance(layers.get("elevation"), str):
            rest = {key: value for key, value in layers.items() if key != "elevation"}
            return {**data, "layers": rest, "elevation": layers["elevation"]}
        return data
