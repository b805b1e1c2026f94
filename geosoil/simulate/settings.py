"""The geosoil.toml of the built-in study."""

from __future__ import annotations

TEMPLATE = """\
# Settings of the built-in study of the Three-Rivers Headwater Region.
# EVERY sample, satellite and climate value of this study is SIMULATED (seed {seed})
# from the statistics published by Li et al. (2024, doi:10.5194/hess-28-719-2024).
# Real are: ETOPO5 elevations, the region's outline, rivers, lakes, MCD12C1 land cover.
# Paths are relative to this file.

[study]
name = "Three-Rivers Headwater Region, simulated"
simulated = true
region = "region/trhr_basins.geojson"
rivers = "region/rivers.geojson"
lakes = "region/lakes.geojson"
seed = {seed}

[samples]
path = "samples.csv"

[tracers]
names = ["d18O", "d_excess"]
method = "ols"                      # line fit of the LMWL and the evaporation lines
end_members = "end_members.csv"     # invented values; rain as fallen and as evaporated

[tracers.sources]                   # snow is gone after June
June = ["precipitation", "ground_ice", "snowmelt"]
August = ["precipitation", "ground_ice"]
September = ["precipitation", "ground_ice"]

# Weather of the evaporating soil and the share of its water that was left; invented.
[tracers.climate.June]
temperature = 8.0
humidity = 0.55
vapour = 0.88
remaining = [0.90, 0.99]

[tracers.climate.August]
temperature = 11.0
humidity = 0.65
vapour = 0.70
remaining = [0.90, 0.99]

[tracers.climate.September]
temperature = 7.0
humidity = 0.60
vapour = 0.94
remaining = [0.90, 0.99]

# Where a source cannot be (the paper, section 3.3), in metres above sea level.
[[rule]]
source = "snowmelt"
period = ["June"]
below = 4000

[[rule]]
source = "ground_ice"
period = ["August"]
below = 3500

[[rule]]
source = "ground_ice"
period = ["September"]
below = 4000

[grid]                              # cells of the MODIS climate modelling grid
bounds = [89.40, 31.55, 102.30, 36.30]
resolution = 0.05
crs = "EPSG:4326"

[ndvi]
monthly = "ndvi/MOD13C2*.hdf"
composites = "ndvi/MOD13C1*.hdf"
quality = "good"

[climate]
air_temperature = "climate/air_temperature.nc"
ground_temperature = "climate/ground_temperature.nc"
precipitation = "climate/precipitation.nc"
evapotranspiration = "climate/evapotranspiration.nc"
soil_moisture = "climate/soil_moisture.nc"

[layers]
elevation = "layers/elevation.tif"
permafrost = {{ path = "layers/permafrost.tif", table = "layers/permafrost.csv" }}
soil = {{ path = "layers/soil.tif", table = "layers/soil.csv" }}
vegetation = {{ path = "layers/vegetation.tif", table = "layers/vegetation.csv" }}

[correlation]                       # in time, pixel by pixel, one month of each year
y = "soil_moisture"
x = ["air_temperature", "ground_temperature", "precipitation", "evapotranspiration", \
"ndvi"]
months = [6, 8, 9]
method = "pearson"
min_pairs = 8

[interpolation]
method = "auto"                     # cross-validation chooses; or idw, kriging, ...
variogram = "exponential"
max_distance_km = 150               # farther from a site the maps are hatched
unsupported = "hatch"

[output]
folder = "{output}"
reference = "reference.csv"         # published and true shares, printed beside results
truth = "truth"                     # true shares of cells, read after the maps are made
"""


def study_settings(seed: int, output: str) -> str:
    """Return the settings of the built-in study.

    Parameters
    ----------
    seed : int
        Seed of the simulation.
    output : str
        Folder of the results, relative to the settings file.

    Returns
    -------
    text : str
        A complete geosoil.toml.

    Examples
    --------
    >>> "seed = 7" in study_settings(7, "maps")
    True
    """
    return TEMPLATE.format(seed=seed, output=output.replace("\\", "/"))
