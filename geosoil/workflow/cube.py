"""Write all gridded results of a run as one CF NetCDF file."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geosoil import __version__
from geosoil.config import config_hash
from geosoil.errors import GridMismatchError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io.netcdf import write_netcdf_grids
from geosoil.workflow.cube_layers import (
    correlation_layers,
    ndvi_layers,
    study_grid_layers,
)
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.simulated import SIMULATED_DATA, simulated_tag

FILE = "cube.nc"
"""Name of the file."""

REFERENCES = (
    "source fractions: Phillips and Gregg (2001), doi:10.1007/s004420000578; "
    "false discovery rate: Wilks (2016), doi:10.1175/BAMS-D-15-00267.1; "
    "effective number of pairs over space: Dutilleul (1993), doi:10.2307/2532625"
)
"""Where the methods come from."""


def write_cube(inputs: StudyInputs, results: StudyResults, folder: Path) -> Path:
    """Write every gridded result of a run as one file that follows CF-1.11.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.
    folder : Path
        Folder of the results.

    Returns
    -------
    path : Path
        ``cube.nc``: on the study grid (y, x) the source fractions with sd and 5 and
        95 % quantiles by month, their support, elevation, classes and NDVI; on the
        grid of each pair of series (y_correlation, x_correlation) the correlations
        by calendar month with p, q, n and effective n.

    Raises
    ------
    GeosoilError
        If the file cannot be written, or differs when read again.

    Notes
    -----
    Fractions have a time: the middle of their month, with its bounds. Correlations are
    over the same month of many years, for which CF has no cell method; they stand
    along a plain axis of calendar months, and their attribute ``years`` says which.
    """
    grids = _by_grid(inputs, results)
    return write_netcdf_grids(grids, folder / FILE, attrs=_attributes(inputs))


def _by_grid(inputs: StudyInputs, results: StudyResults) -> dict[str, xr.Dataset]:
    """Return the layers of each grid, by the name that its axes get."""
    grids = {"": study_grid_layers(inputs, results.maps)}
    known = [(inputs.grid, "")]
    parts = [("ndvi", part) for part in ndvi_layers(inputs, results.maps)]
    if results.correlation is not None:
        y = inputs.config.correlation.y
        found = correlation_layers(results.correlation, y)
        for number, part in enumerate(found, 1):
            name = "correlation" if number == 1 else f"correlation_{number}"
            parts.append((name, part))
    for name, part in parts:
        grid = Grid.of(part)
        own = next((other for one, other in known if _same(one, grid)), None)
        if own is None:
            known.append((grid, name))
            grids[name] = part
        else:
            axes = {axis: grids[own][axis] for axis in ("y", "x", "spatial_ref")}
            grids[own] = grids[own].merge(
                part.assign_coords(axes), join="exact", compat="equals"
            )
    return grids


def _same(first: Grid, second: Grid) -> bool:
    """Whether two grids are the same within a millionth of a cell."""
    try:
        check_same_grid(first, second)
    except GridMismatchError:
        return False
    return True


def _attributes(inputs: StudyInputs) -> dict[str, object]:
    """Global attributes of the file, without a clock."""
    config = inputs.config
    simulated = config.study.simulated
    words = f"{SIMULATED_DATA}. " if simulated else ""
    return {
        "title": f"Sources of soil water and their relations: {config.study.name}",
        "source": f"{'simulated' if simulated else 'measured'} water samples "
        f"({config.samples.path.name}), interpolated; correlation of gridded series",
        "history": f"geosoil {__version__}: geosoil run",
        "references": REFERENCES,
        "comment": f"{words}Fractions of sources that a period does not have are "
        "missing. Cells that the sites do not support are marked in fraction_support.",
        "simulated": simulated_tag(simulated),
        "software": f"geosoil {__version__}",
        "config_hash": config_hash(config),
        "seed": config.study.seed,
    }
