"""The true source fractions of the cells of the study grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.io.geotiff import write_geotiff
from geosoil.simulate.landscape import STUDY_GRID, Landscape
from geosoil.simulate.sites import survey_ground
from geosoil.simulate.true_fractions import expected_fractions
from geosoil.simulate.water_settings import SOURCES
from geosoil.strata import ELEVATION_EDGES, classify

FOLDER = "truth"
"""Folder of the true fractions in a study."""

LEAST_SHARE = 0.25
"""Share of a cell that must be ground of a kind that was sampled."""


def write_true_surfaces(
    landscape: Landscape, truth: pd.DataFrame, folder: str | Path, *, seed: int
) -> list[Path]:
    """Write the true fractions of each cell and period.

    Parameters
    ----------
    landscape : Landscape
        The land.
    truth : DataFrame
        True fractions of the soil samples.
    folder : path
        Folder to write to.
    seed : int
        Seed of the simulation, kept in the files' tags.

    Returns
    -------
    paths : list of Path
        ``true_<source>_<period>.tif`` for each source that occurs in a period: means
        over the ground from 3000 to 5100 m under grassland, meadow and forest, NaN
        where that is less than a quarter of a cell. No higher ground was simulated.
    """
    cells = survey_ground(landscape).cells
    height = cells["elevation"].to_numpy()
    cells = cells.assign(elevation_band=classify(height, ELEVATION_EDGES))
    row = np.floor((STUDY_GRID.bounds[3] - cells["latitude"]) / 0.05 + 1e-9)
    column = np.floor((cells["longitude"] - STUDY_GRID.bounds[0]) / 0.05 + 1e-9)
    place = (row * STUDY_GRID.shape[1] + column).to_numpy(dtype=np.int64)
    paths = []
    for period in truth["period"].drop_duplicates():
        values = expected_fractions(cells, truth, str(period))
        for order, source in enumerate(SOURCES):
            if truth.loc[truth["period"] == period, f"true_{source}"].eq(0.0).all():
                continue
            known = np.isfinite(values).all(axis=1)
            size = STUDY_GRID.shape[0] * STUDY_GRID.shape[1]
            count = np.bincount(place[known], minlength=size)
            total = np.bincount(place[known], values[known, order], minlength=size)
            mean = np.full(size, np.nan)
            enough = count >= LEAST_SHARE * 36
            mean[enough] = total[enough] / count[enough]
            raster = STUDY_GRID.raster(mean.reshape(STUDY_GRID.shape))
            words = f"true fraction of {source.replace('_', ' ')} in soil water"
            raster.attrs = {"units": "1", "long_name": f"{words}, {period} (simulated)"}
            paths.append(
                write_geotiff(
                    raster,
                    Path(folder) / f"true_{source}_{period}.tif",
                    tags={"source": "simulated", "simulated": "yes", "seed": seed},
                )
            )
    return paths
