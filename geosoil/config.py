"""The settings of a study: geosoil.toml read into frozen models."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from geosoil.errors import ConfigError, MissingFileError
from geosoil.strata import DEPTH_EDGES, ELEVATION_EDGES, StrataEdges

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Model = TypeVar("Model", bound="Settings")


class Settings(BaseModel):
    """Base of every table of geosoil.toml: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class SampleSettings(Settings):
    """The table of water samples."""

    path: Path
    """CSV, TSV, Excel, GeoPackage or Parquet file."""
    columns: dict[str, str] = {}
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
    labels: dict[str, str] = {}
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
    sources: dict[str, tuple[str, ...]] = {}
    """Sources of each period."""
    end_members: Path | None = None
    """Table of end members; without it they are the means of the samples."""
    climate: dict[str, PeriodClimate] = {}
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
    where: dict[str, tuple[str, ...]] = {}
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


class GridSettings(Settings):
    """The grid of the maps."""

    bounds: tuple[float, float, float, float] = (89.40, 31.55, 102.30, 36.30)
    """Outer edges: west, south, east, north."""
    resolution: Annotated[float, Field(gt=0.0)] = 0.05
    """Side of a cell in units of the CRS."""
    crs: str = "EPSG:4326"
    """Coordinate reference system."""


class NdviSettings(Settings):
    """MODIS vegetation index files."""

    monthly: Path | None = None
    """Glob of monthly files (MOD13C2, MOD13A3), used for correlation."""
    composites: Path | None = None
    """Glob of 16-day files (MOD13C1, ...), joined to the samples by month."""
    quality: Literal["good", "keep_snow", "all"] = "good"
    """Which pixels are kept."""


class LayerSettings(Settings):
    """One layer of classes, as a raster with its class table."""

    path: Path
    """GeoTIFF of class codes."""
    table: Path | None = None
    """CSV with columns code, label."""


class CorrelationSettings(Settings):
    """Pixelwise temporal correlation."""

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
    method: Literal["pearson"] = "pearson"
    """Statistic."""
    min_pairs: Annotated[int, Field(ge=3)] = 4
    """Fewest pairs that give an answer."""


class InterpolationSettings(Settings):
    """Maps of source fractions."""

    methods: tuple[Literal["idw", "kriging"], ...] = ("idw", "kriging")
    """Interpolators; the last one writes the maps, all write tables and layers."""
    power: Annotated[float, Field(gt=0.0)] = 2.0
    """Power of inverse-distance weighting."""
    n_neighbors: Annotated[int, Field(ge=1)] | None = None
    """Nearest sites used; all without it."""
    variogram: Literal["spherical", "exponential", "gaussian"] = "exponential"
    """Variogram model of kriging."""


class OutputSettings(Settings):
    """Where results go and what they are printed beside."""

    folder: Path = Path("maps")
    """Folder of the results."""
    reference: Path | None = None
    """Published (and true) shares, read only to be printed beside the results."""


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
    climate: dict[str, Path] = {}
    layers: dict[str, LayerSettings] = {}
    elevation: Path | None = None
    correlation: CorrelationSettings = CorrelationSettings()
    interpolation: InterpolationSettings = InterpolationSettings()
    output: OutputSettings = OutputSettings()

    @model_validator(mode="before")
    @classmethod
    def _split_elevation(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Accept ``elevation`` inside [layers], where users look for it."""
        layers = data.get("layers")
        if isinstance(layers, dict) and isinstance(layers.get("elevation"), str):
            rest = {key: value for key, value in layers.items() if key != "elevation"}
            return {**data, "layers": rest, "elevation": layers["elevation"]}
        return data


def read_config(path: str | Path) -> StudyConfig:
    """Read and check a geosoil.toml; paths in it are relative to the file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    config : StudyConfig
        Frozen settings with absolute paths.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    ConfigError
        If it is no TOML or breaks a rule; every fault is listed, an unknown key
        with the nearest known one.
    """
    file = Path(path)
    config = _read_settings(file, StudyConfig, "Write one with 'geosoil init SAMPLES'")
    absolute: StudyConfig = _absolute(config, file.resolve().parent)
    return absolute


def read_zero_rules(path: str | Path) -> tuple[ZeroRuleSettings, ...]:
    """Read and check a file of zero rules.

    Parameters
    ----------
    path : str or Path
        TOML file of tables ``[[rule]]`` with source, period, below, above.

    Returns
    -------
    rules : tuple of ZeroRuleSettings
        The rules.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    ConfigError
        If it is no TOML or breaks a rule; every fault is listed.
    """
    hint = "Write one with tables [[rule]]: source, period, below or above"
    return _read_settings(Path(path), ZeroRuleFile, hint).rule


def _read_settings(file: Path, model: type[Model], hint: str) -> Model:
    """Read a TOML file into a settings model; tell every fault."""
    if not file.is_file():
        message = f"There is no settings file '{file}'. {hint}, or name another."
        raise MissingFileError(message)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"Settings file '{file}' is no valid TOML: {error}."
        raise ConfigError(message) from error
    try:
        return model.model_validate(data)
    except ValidationError as error:
        told = [_words(fault, model) for fault in error.errors()]
        faults = "\n".join(f"  - {words}" for words in told)
        message = (
            f"Settings file '{file}' has {error.error_count()} fault(s):\n{faults}"
        )
        raise ConfigError(message) from error


def _words(fault: Any, model: type[Settings]) -> str:  # noqa: ANN401  ErrorDetails
    """One pydantic fault in words, with the nearest known key."""
    where = ".".join(str(part) for part in fault["loc"]) or "file"
    if fault["type"] == "extra_forbidden":
        known = _known_keys(fault["loc"][:-1], model)
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else f" Known: {', '.join(known)}."
        return f"unknown key '{where}'.{hint}"
    if fault["type"] == "missing":
        return f"'{where}' is missing. Add it."
    return f"'{where}': {fault['msg']}; found {fault['input']!r}."


def _known_keys(trail: tuple[str | int, ...], root: type[Settings]) -> list[str]:
    """Keys that are allowed in the table at a place of the file."""
    model: Any = root
    for part in trail:
        if isinstance(part, int) or not hasattr(model, "model_fields"):
            continue
        field = model.model_fields.get(str(part))
        model = _inner_model(field.annotation) if field else model
    return list(getattr(model, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:  # noqa: ANN401  a typing construct
    """Return the settings class named by dict[str, LayerSettings] and the like."""
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Settings):
            return candidate
    return annotation


def _absolute(value: Any, folder: Path) -> Any:  # noqa: ANN401  any settings value
    """Copy of settings in which every relative path starts at the folder."""
    if isinstance(value, Path):
        return Path(os.path.normpath(folder / value))
    if isinstance(value, Settings):
        names = type(value).model_fields
        changed = {name: _absolute(getattr(value, name), folder) for name in names}
        return value.model_copy(update=changed)
    if isinstance(value, dict):
        return {key: _absolute(item, folder) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_absolute(item, folder) for item in value)
    return value
