from .correlation.temporal import correlate as correlate
from .errors import ConfigError as ConfigError
from .errors import FileFormatError as FileFormatError
from .errors import GeosoilError as GeosoilError
from .errors import GeosoilWarning as GeosoilWarning
from .errors import GridMismatchError as GridMismatchError
from .errors import InputError as InputError
from .errors import MissingCRSError as MissingCRSError
from .errors import MissingFileError as MissingFileError
from .errors import MixingError as MixingError
from .errors import SampleTableError as SampleTableError
from .grids.align import align as align
from .grids.composites import monthly_composite as monthly_composite
from .grids.grid import Grid as Grid
from .grids.points import values_at_points as values_at_points
from .interpolation.composition import (
    CompositionInterpolator as CompositionInterpolator,
)
from .interpolation.composition import ZeroRule as ZeroRule
from .interpolation.idw import InverseDistance as InverseDistance
from .interpolation.kriging import Kriging as Kriging
from .interpolation.variogram import Variogram as Variogram
from .interpolation.variogram import fit_variogram as fit_variogram
from .io.climate import open_climate as open_climate
from .io.geotiff import read_geotiff as read_geotiff
from .io.geotiff import write_geotiff as write_geotiff
from .io.layers import read_end_members as read_end_members
from .io.modis import open_modis as open_modis
from .io.samples import read_samples as read_samples
from .io.samples import sample_issues as sample_issues
from .io.samples import write_samples as write_samples
from .tracers.delta import d_excess as d_excess
from .tracers.delta import lc_excess as lc_excess
from .tracers.endmembers import EndMembers as EndMembers
from .tracers.evaporation import evaporation_slope as evaporation_slope
from .tracers.evaporation import source_water as source_water
from .tracers.fractionation import EvaporationClimate as EvaporationClimate
from .tracers.group_fractions import fractions_of_means as fractions_of_means
from .tracers.intersection import Intersection as Intersection
from .tracers.intersection import intersect as intersect
from .tracers.lines import GMWL as GMWL
from .tracers.lines import WaterLine as WaterLine
from .tracers.lines import fit_water_line as fit_water_line
from .tracers.mixing import source_fractions as source_fractions
from .workflow.run import run as run

__version__: str
