from .correlation.bootstrap import bootstrap_interval as bootstrap_interval
from .correlation.daily import ResponseRules as ResponseRules
from .correlation.decadal_trend import decadal_trend as decadal_trend
from .correlation.dry_spells import dry_spell_response as dry_spell_response
from .correlation.dutilleul import dutilleul_test as dutilleul_test
from .correlation.effective import effective_pairs as effective_pairs
from .correlation.field_significance import field_significance as field_significance
from .correlation.lags import best_lag as best_lag
from .correlation.lee import lee_l as lee_l
from .correlation.local import weighted_correlation as weighted_correlation
from .correlation.points import PointCorrelation as PointCorrelation
from .correlation.points import point_correlation as point_correlation
from .correlation.preparation import anomalies as anomalies
from .correlation.preparation import detrend as detrend
from .correlation.preparation import regular_axis as regular_axis
from .correlation.rain_events import rain_event_response as rain_event_response
from .correlation.rain_response import rain_response as rain_response
from .correlation.temporal import Significance as Significance
from .correlation.temporal import correlate as correlate
from .correlation.window import window_correlation as window_correlation
from .correlation.window import window_p_values as window_p_values
from .correlation.zone_shares import zone_shares as zone_shares
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
from .grids.align import aligned_coverage as aligned_coverage
from .grids.class_grid import classes_on_grid as classes_on_grid
from .grids.classes_at_points import class_raster_at_points as class_raster_at_points
from .grids.classes_at_points import classes_at_points as classes_at_points
from .grids.common_grid import common_grid as common_grid
from .grids.common_ground import check_covers as check_covers
from .grids.common_times import common_times as common_times
from .grids.composites import monthly_composite as monthly_composite
from .grids.coordinates import check_coordinates as check_coordinates
from .grids.elevation_points import elevation_at_points as elevation_at_points
from .grids.frost import freezing_thawing_indices as freezing_thawing_indices
from .grids.frost import frost_number as frost_number
from .grids.frost import permafrost_zones as permafrost_zones
from .grids.gap_filling import fill_gaps as fill_gaps
from .grids.grid import Grid as Grid
from .grids.hillshade import hillshade as hillshade
from .grids.mosaic import mosaic as mosaic
from .grids.points import values_at_points as values_at_points
from .grids.sample_join import JoinedLayer as JoinedLayer
from .grids.sample_join import JoinedRaster as JoinedRaster
from .grids.sample_join import join_samples_to as join_samples_to
from .grids.smoothing import SavitzkyGolay as SavitzkyGolay
from .grids.smoothing import Whittaker as Whittaker
from .grids.smoothing import smooth_series as smooth_series
from .grids.stations import monthly_station_table as monthly_station_table
from .grids.terrain import slope_aspect as slope_aspect
from .grids.terrain_classes import aspect_sectors as aspect_sectors
from .grids.terrain_classes import elevation_bands as elevation_bands
from .grids.time_match import time_matched as time_matched
from .grids.zonal import zonal_statistics as zonal_statistics
from .interpolation.cokriging import Cokriging as Cokriging
from .interpolation.cokriging_collocated import (
    CollocatedCokriging as CollocatedCokriging,
)
from .interpolation.composition import (
    CompositionInterpolator as CompositionInterpolator,
)
from .interpolation.composition import ZeroRule as ZeroRule
from .interpolation.composition_options import LogRatioOptions as LogRatioOptions
from .interpolation.coregionalization import Coregionalization as Coregionalization
from .interpolation.coregionalization import (
    fit_coregionalization as fit_coregionalization,
)
from .interpolation.coregionalization_parts import (
    CoregionalStructure as CoregionalStructure,
)
from .interpolation.elevation_kriging import ElevationKriging as ElevationKriging
from .interpolation.estimators import ScikitLearn as ScikitLearn
from .interpolation.estimators import Verde as Verde
from .interpolation.grid_memory import MemoryNeed as MemoryNeed
from .interpolation.grid_memory import predicted_memory as predicted_memory
from .interpolation.idw import InverseDistance as InverseDistance
from .interpolation.indicator import IndicatorKriging as IndicatorKriging
from .interpolation.kriging import Kriging as Kriging
from .interpolation.large_grids import interpolate_blocks as interpolate_blocks
from .interpolation.log_ratios import closure as closure
from .interpolation.log_ratios import ilr as ilr
from .interpolation.log_ratios import inverse_ilr as inverse_ilr
from .interpolation.log_ratios import (
    multiplicative_replacement as multiplicative_replacement,
)
from .interpolation.log_ratios import pivot_basis as pivot_basis
from .interpolation.nearest import NearestNeighbor as NearestNeighbor
from .interpolation.radial_basis import RadialBasis as RadialBasis
from .interpolation.simulation import conditional_simulation as conditional_simulation
from .interpolation.simulation_composition import (
    simulate_composition as simulate_composition,
)
from .interpolation.simulation_settings import SimulationSettings as SimulationSettings
from .interpolation.simulation_streaming import simulate_summary as simulate_summary
from .interpolation.simulation_summary import RealizationSummary as RealizationSummary
from .interpolation.simulation_summary import (
    summarise_realizations as summarise_realizations,
)
from .interpolation.station_fields import station_fields as station_fields
from .interpolation.triangulation import Triangulation as Triangulation
from .interpolation.variogram import Variogram as Variogram
from .interpolation.variogram import fit_variogram as fit_variogram
from .io.checksums import verify_inputs as verify_inputs
from .io.class_layers import read_class_polygons as read_class_polygons
from .io.class_layers import read_class_raster as read_class_raster
from .io.class_tables import ClassTable as ClassTable
from .io.class_tables import read_classes as read_classes
from .io.climate import open_climate as open_climate
from .io.cma import read_cma as read_cma
from .io.end_member_tables import read_end_members as read_end_members
from .io.geopackage import write_geopackage as write_geopackage
from .io.geotiff import read_geotiff as read_geotiff
from .io.geotiff import write_geotiff as write_geotiff
from .io.geotiff_points import values_from_geotiff as values_from_geotiff
from .io.layers import read_lines as read_lines
from .io.layers import read_points as read_points
from .io.layers import read_polygons as read_polygons
from .io.lazy_climate import open_climate_lazily as open_climate_lazily
from .io.lazy_netcdf import open_netcdf_lazily as open_netcdf_lazily
from .io.modis import open_modis as open_modis
from .io.modis_options import ModisOptions as ModisOptions
from .io.netcdf import write_netcdf as write_netcdf
from .io.netcdf import write_netcdf_grids as write_netcdf_grids
from .io.quality_bits import QualityRule as QualityRule
from .io.quality_bits import decode_vi_quality as decode_vi_quality
from .io.raster_series import open_series as open_series
from .io.sample_writing import write_samples as write_samples
from .io.samples import read_samples as read_samples
from .io.samples import sample_issues as sample_issues
from .strata import StrataEdges as StrataEdges
from .strata import add_strata as add_strata
from .tracers.artefact import evaporation_line_artefact as evaporation_line_artefact
from .tracers.bands import confidence_band as confidence_band
from .tracers.bands import prediction_interval as prediction_interval
from .tracers.bayes import bayes_fractions as bayes_fractions
from .tracers.bayes_model import MixingModel as MixingModel
from .tracers.bayes_model import SamplerSettings as SamplerSettings
from .tracers.bayes_posterior import FractionPosterior as FractionPosterior
from .tracers.bayes_prior import FractionPrior as FractionPrior
from .tracers.blocks import block_labels as block_labels
from .tracers.comparison import compare_lines as compare_lines
from .tracers.connection import hydraulic_connection as hydraulic_connection
from .tracers.convergence import convergence_table as convergence_table
from .tracers.delta import Precision as Precision
from .tracers.delta import d_excess as d_excess
from .tracers.delta import excess_table as excess_table
from .tracers.delta import lc_excess as lc_excess
from .tracers.delta import lc_excess_star as lc_excess_star
from .tracers.delta import sw_excess as sw_excess
from .tracers.draws import FractionDraws as FractionDraws
from .tracers.emma import emma as emma
from .tracers.emma_rank import rank_table as rank_table
from .tracers.emma_screening import screen_end_members as screen_end_members
from .tracers.emma_space import Emma as Emma
from .tracers.endmember_rules import EndMemberRule as EndMemberRule
from .tracers.endmember_rules import end_members_by_rules as end_members_by_rules
from .tracers.endmembers import EndMembers as EndMembers
from .tracers.evaporated import evaporation_over_inflow as evaporation_over_inflow
from .tracers.evaporated import remaining_fraction as remaining_fraction
from .tracers.evaporation import evaporation_slope as evaporation_slope
from .tracers.evaporation import source_water as source_water
from .tracers.evaporation_mixing import evaporated_fractions as evaporated_fractions
from .tracers.evaporation_prior import EvaporationPrior as EvaporationPrior
from .tracers.evaporation_prior import evaporation_prior as evaporation_prior
from .tracers.evaporation_prior import (
    evaporation_prior_from_lc_excess as evaporation_prior_from_lc_excess,
)
from .tracers.evaporation_sources_mixing import (
    evaporated_end_members as evaporated_end_members,
)
from .tracers.fraction_bootstrap import SourceSamples as SourceSamples
from .tracers.fraction_bootstrap import bootstrap_fractions as bootstrap_fractions
from .tracers.fraction_bounds import fraction_bounds as fraction_bounds
from .tracers.fraction_drawing import Drawing as Drawing
from .tracers.fractionation import EvaporationClimate as EvaporationClimate
from .tracers.group_fractions import fractions_of_means as fractions_of_means
from .tracers.group_table import LineChoice as LineChoice
from .tracers.group_table import group_table as group_table
from .tracers.group_table import paper_layout as paper_layout
from .tracers.intersection import Intersection as Intersection
from .tracers.intersection import intersect as intersect
from .tracers.isosource import isosource as isosource
from .tracers.lines import GMWL as GMWL
from .tracers.lines import WaterLine as WaterLine
from .tracers.lines import York as York
from .tracers.lines import fit_water_line as fit_water_line
from .tracers.loo import compare_loo as compare_loo
from .tracers.loo import psis_loo as psis_loo
from .tracers.mixing import source_fractions as source_fractions
from .tracers.mixing_policy import apply_mixing_policy as apply_mixing_policy
from .tracers.mixing_region import mixing_region as mixing_region
from .tracers.mixing_region_groups import mixing_region_groups as mixing_region_groups
from .tracers.monte_carlo import monte_carlo_fractions as monte_carlo_fractions
from .tracers.parallels import average_parallels as average_parallels
from .tracers.posterior_check import predictive_check as predictive_check
from .tracers.presets import PRESETS as PRESETS
from .tracers.quality import check_quality as check_quality
from .tracers.rain_isoscape import rain_by_stratum as rain_by_stratum
from .tracers.ranking import rank_by_lc_excess as rank_by_lc_excess
from .tracers.resampling import Resampling as Resampling
from .tracers.resampling import bootstrap_line as bootstrap_line
from .tracers.resampling_table import bootstrap_lines as bootstrap_lines
from .tracers.single_tracer import single_tracer_fractions as single_tracer_fractions
from .tracers.source_draws import Projection as Projection
from .tracers.source_draws import source_water_draws as source_water_draws
from .tracers.source_posterior import source_posterior as source_posterior
from .tracers.stratum_weights import side_by_side as side_by_side
from .tracers.stratum_weights import weights_by_area as weights_by_area
from .tracers.stratum_weights import weights_by_n as weights_by_n
from .tracers.stratum_weights import weights_by_storage as weights_by_storage
from .tracers.uncertainty import fraction_variance_shares as fraction_variance_shares
from .workflow.plan import plan_run as plan_run
from .workflow.rerun import rerun as rerun
from .workflow.run import run as run
from .workflow.verify import verify_folder as verify_folder

__version__: str
from .interpolation.anisotropy import Anisotropy as Anisotropy
from .interpolation.declustering import declustered_mean as declustered_mean
from .interpolation.domains import DomainMap as DomainMap
from .interpolation.domains import SiteFractions as SiteFractions
from .interpolation.domains import map_by_domain as map_by_domain
from .interpolation.domains import noise_filtered_kriging as noise_filtered_kriging
from .interpolation.empirical import directional_variogram as directional_variogram
from .interpolation.empirical import empirical_variogram as empirical_variogram
from .interpolation.support import SupportRules as SupportRules
from .interpolation.support import map_support as map_support
from .interpolation.support import support_area as support_area
from .interpolation.validation import CrossValidation as CrossValidation
from .interpolation.validation import cross_validate as cross_validate
from .interpolation.validation_comparison import (
    compare_interpolators as compare_interpolators,
)
from .interpolation.validation_folds import Folds as Folds
from .interpolation.variogram import NestedVariogram as NestedVariogram
from .interpolation.variogram_bootstrap import (
    bootstrap_variogram as bootstrap_variogram,
)
from .interpolation.variogram_fit import VariogramFit as VariogramFit
