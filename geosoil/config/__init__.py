"""The settings of a study: geosoil.toml read into frozen models."""

from geosoil.config.base import Settings
from geosoil.config.compute import ComputeSettings
from geosoil.config.interpolation import InterpolationSettings, MapMethod
from geosoil.config.portable import (
    PathNames,
    canonical_digest,
    config_hash,
    names_of,
    path_names,
    portable,
    portable_settings,
)
from geosoil.config.rasters import (
    ClimateFile,
    GridSettings,
    LayerSettings,
    NdviSettings,
    QualityRuleSettings,
)
from geosoil.config.reading import read_config, read_record, read_zero_rules
from geosoil.config.study import (
    CorrelationSettings,
    OutputSettings,
    StudyConfig,
    StudySettings,
)
from geosoil.config.tracers import (
    EndMemberSettings,
    PeriodClimate,
    SampleSettings,
    StrataSettings,
    TracerSettings,
    ZeroRuleFile,
    ZeroRuleSettings,
)

__all__ = [
    "ClimateFile",
    "ComputeSettings",
    "CorrelationSettings",
    "EndMemberSettings",
    "GridSettings",
    "InterpolationSettings",
    "LayerSettings",
    "MapMethod",
    "NdviSettings",
    "OutputSettings",
    "PathNames",
    "PeriodClimate",
    "QualityRuleSettings",
    "SampleSettings",
    "Settings",
    "StrataSettings",
    "StudyConfig",
    "StudySettings",
    "TracerSettings",
    "ZeroRuleFile",
    "ZeroRuleSettings",
    "canonical_digest",
    "config_hash",
    "names_of",
    "path_names",
    "portable",
    "portable_settings",
    "read_config",
    "read_record",
    "read_zero_rules",
]
