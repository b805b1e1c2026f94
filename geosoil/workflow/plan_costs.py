"""What a run costs, from what its size is: time, memory and bytes on disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StudySize:
    """The numbers that the costs of a study hang on."""

    samples: int
    """Water samples of all kinds."""
    soil_samples: int
    """Soil samples."""
    sites: dict[str, int]
    """Sites of each period that a map could be made of."""
    sources: dict[str, int]
    """Sources of each period."""
    cells: int
    """Cells of the region."""
    grid_cells: int
    """Cells of the grid, those outside of the region too."""
    draws: int
    """Draws that are carried through each map."""
    drivers: int
    """Variables that are correlated."""
    months: int
    """Months in which they are."""
    pair_cells: int
    """Cells of the region on the grid of the correlations."""
    ndvi_files: int
    """Files of vegetation indices."""
    input_bytes: int
    """Bytes of all inputs."""

    @property
    def layers(self) -> int:
        """Sources of all periods together."""
        return sum(self.sources.values())

    @property
    def figures(self) -> int:
        """About how many figures are drawn."""
        return 16 + max(self.sources.values(), default=0) + self.drivers


START = 2.5
"""Seconds for loading the libraries and opening the inputs."""
HASHING = 2e-9
"""Seconds a byte for digests of inputs, taken and compared."""
MIXING = 2.6e-3
"""Seconds a soil sample for lines and fractions."""
DRAWING = 4.5e-3
"""Seconds a soil sample for the draws of strata."""
COMPARING = 8e-3
"""Seconds a soil sample for comparing groups and correlating at points."""
NDVI_FILE = 0.02
"""Seconds for reading one file of vegetation indices, twice."""
MAP_BASE = 0.9
"""Seconds a period for choosing a method."""
MAP_CELL = 4e-8
"""Seconds for a cell, site and source of a map, all methods compared."""
MAP_DRAW = 2e-10
"""Seconds for a cell, site, source and draw of a map."""
RASTER = 0.01
"""Seconds for writing and reading again one raster."""
PAIR = 0.2
"""Seconds for a variable and month of correlation, small grids."""
PAIR_CELL = 1e-5
"""Seconds for a cell of a correlation."""
FIGURE = 0.7
"""Seconds for a figure."""
PACKAGE = 2.0
"""Seconds for the GeoPackage, the NetCDF and the words of the report."""
CATALOGUED = 0.015
"""Seconds for the style and the catalogue entry of a raster."""
PACKED = 0.15
"""Seconds for packing a figure into the report."""

LOADED = 6.0e8
"""Bytes of memory that the libraries take."""
CELL = 300.0
"""Bytes of memory for a cell of the grid, besides the layers of the maps."""
LAYER_CELL = 112.0
"""Bytes of memory for a cell and layer of the maps."""
DRAW_CELL = 8.0
"""Bytes of memory for a cell and draw of the source that is drawn."""

RASTER_BASE = 4.5e3
"""Bytes of an empty raster: header, tags, overviews."""
FRACTION_CELL = 0.6
"""Bytes of a cell of a fraction map, compressed."""
PAIR_BYTE = 2.6
"""Bytes of a cell of a correlation map, compressed."""
STORED_CELL = 1.5
"""Bytes of a cell and layer of the NetCDF of a period, compressed."""
TABLE_SAMPLE = 1.2e3
"""Bytes of all tables a sample."""
FIGURE_BYTES = 5.5e5
"""Bytes of a figure."""
PAGE_BYTES = 4.8e5
"""Bytes of the report a figure."""
PACKAGE_SAMPLE = 9.0e2
"""Bytes of the GeoPackage a sample."""
CATALOGUE_BYTES = 1.3e4
"""Bytes of style, project and catalogue a raster."""


def run_seconds(size: StudySize, rasters: int) -> dict[str, float]:
    """Estimate how long the stages of a run take on one processor.

    Parameters
    ----------
    size : StudySize
        Size of the study.
    rasters : int
        Rasters that are written.

    Returns
    -------
    seconds : dict of str to float
        By what is done. Measured on a machine of 2020s make; expect half to three
        times as much elsewhere.
    """
    maps = sum(
        MAP_BASE
        + size.cells * sites * size.sources[period] * (MAP_CELL + MAP_DRAW * size.draws)
        for period, sites in size.sites.items()
    )
    pairs = size.drivers * size.months
    return {
        "opening and digests": START + HASHING * size.input_bytes,
        "fractions": MIXING * size.soil_samples,
        "draws": DRAWING * size.soil_samples,
        "vegetation indices and joins": 1.0 + NDVI_FILE * size.ndvi_files,
        "maps": maps,
        "correlations": pairs * (PAIR + PAIR_CELL * size.pair_cells),
        "rasters": RASTER * rasters,
        "comparisons": COMPARING * size.soil_samples,
        "figures": FIGURE * size.figures,
        "report, styles and catalogue": PACKAGE
        + CATALOGUED * rasters
        + PACKED * size.figures,
    }


def run_memory(size: StudySize) -> float:
    """Estimate the most memory that a run takes.

    Parameters
    ----------
    size : StudySize
        Size of the study.

    Returns
    -------
    memory : float
        Bytes.
    """
    stored = LAYER_CELL * size.layers * size.grid_cells
    drawn = DRAW_CELL * size.draws * size.cells
    return LOADED + CELL * size.grid_cells + stored + drawn
