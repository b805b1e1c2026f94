"""Simulated NDVI in the form of the MODIS products MOD13C1 and MOD13C2."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geosoil.io._atomic import write_bytes
from geosoil.simulate._hdfeos import (
    MONTHLY,
    SHAPE,
    SIXTEEN_DAYS,
    Product,
    grid_file,
    grid_template,
)
from geosoil.simulate.anomalies import YEARS, Anomalies, make_anomalies
from geosoil.simulate.greenness import mean_ndvi, seasonal_ndvi
from geosoil.simulate.landscape import BOUNDS, STUDY_GRID, Landscape
from geosoil.simulate.relief import spline_matrix
from geosoil.simulate.sky import Surface, observe

FloatArray = npt.NDArray[np.float64]

COMPOSITES = tuple(range(145, 274, 16))
"""Days of the year 2020 on which the 16-day composites of the season begin."""
SEASON_YEAR = 2020
MONTHS = (6, 8, 9)
"""Calendar months of the monthly product."""
SPREAD = 0.13
"""Relative standard deviation of NDVI from year to year."""
ROWS = slice(round((90 - BOUNDS[3]) * 20), round((90 - BOUNDS[1]) * 20))
COLUMNS = slice(round((180 + BOUNDS[0]) * 20), round((180 + BOUNDS[2]) * 20))
FILLS = ((np.int16, -3000), (np.uint16, 65535), (np.int8, -1))


@dataclass(frozen=True, slots=True)
class Granule:
    """One file: its product and the days it stands for."""

    product: Product
    start: dt.date
    middle: dt.date
    stream: int
    """Number that makes its noise its own."""

    @property
    def name(self) -> str:
        """File name in the form that the archive uses."""
        stamp = f"A{self.start:%Y%j}.061.{self.start.year}999000000"
        return f"{self.product.name}.{stamp}.hdf"


def write_ndvi(
    landscape: Landscape,
    folder: str | Path,
    *,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Simulate and write the NDVI files of the study.

    Parameters
    ----------
    landscape : Landscape
        The land: vegetation, elevation, region.
    folder : path
        Folder to write to; made when absent.
    seed : int
        Seed of the simulation; with the seed of the climate, NDVI is tied to its
        soil moisture as :func:`geosoil.simulate.anomalies.planted_correlation` says.
    progress : callable, optional
        Called with one line of words a product.

    Returns
    -------
    paths : list of Path
        Nine 16-day composites of 2020 (MOD13C1, 24 May to 14 October) and 60 months
        (MOD13C2, June, August and September of 2001 to 2020): HDF-EOS2 files of
        3600 x 7200 cells with NDVI, VI Quality and pixel reliability. Only cells
        inside the region hold data.

    Raises
    ------
    GeosoilError
        If a file cannot be written.
    """
    report = progress or (lambda _: None)
    anomalies = make_anomalies(landscape, seed=seed)
    surface = Surface.of(landscape)
    season = mean_ndvi(landscape)
    comment = f"Simulated by geosoil (seed {seed}); not observed by any satellite."
    paths = []
    for product in (SIXTEEN_DAYS, MONTHLY):
        granules = [g for g in granules_of_study() if g.product is product]
        report(f"writing {len(granules)} {product.name} files")
        template = grid_template(product, rows=ROWS, comment=comment)
        for granule in granules:
            rng = np.random.default_rng([seed, 113, granule.stream])
            departure = _departure(anomalies, granule)
            truth = seasonal_ndvi(season, granule.middle.timetuple().tm_yday)
            truth = truth * (1.0 + SPREAD * departure)
            observed = observe(
                truth,
                surface,
                month=granule.middle.month,
                rng=rng,
                days=16 if product is SIXTEEN_DAYS else 30,
            )
            content = grid_file(template, _global_rows(observed))
            paths.append(write_bytes(content, Path(folder) / granule.name))
    return paths


def granules_of_study() -> Iterator[Granule]:
    """List the files of the study.

    Yields
    ------
    granule : Granule
        Composites first, then months, each in the order of time.

    Examples
    --------
    >>> next(granules_of_study()).name
    'MOD13C1.A2020145.061.2020999000000.hdf'
    >>> len(list(granules_of_study()))
    69
    """
    new_year = dt.date(SEASON_YEAR, 1, 1)
    for number, day in enumerate(COMPOSITES):
        start = new_year + dt.timedelta(days=day - 1)
        yield Granule(SIXTEEN_DAYS, start, start + dt.timedelta(days=8), number)
    for year in YEARS:
        for month in MONTHS:
            start = dt.date(year, month, 1)
            yield Granule(MONTHLY, start, start.replace(day=15), 100 * year + month)


def _departure(anomalies: Anomalies, granule: Granule) -> FloatArray:
    """Return the departure of NDVI on the study grid, between mid-months in time."""
    since = 12 * (granule.middle.year - YEARS[0]) + granule.middle.month - 1
    shift = (granule.middle.day - 15) / 30.5
    first = since if shift >= 0 else since - 1
    fields = anomalies.linked["ndvi"]
    weight = shift % 1.0
    coarse = fields[first]
    if weight:
        coarse = (1.0 - weight) * coarse + weight * fields[first + 1]
    across, along = (spline_matrix(n, factor=2) for n in coarse.shape)
    fine: FloatArray = across @ coarse @ along.T
    return fine[: STUDY_GRID.shape[0]]


def _global_rows(
    layers: tuple[npt.NDArray[np.generic], ...],
) -> tuple[npt.NDArray[np.generic], ...]:
    """Place the study grid in the full width of its rows."""
    placed = []
    for (kind, fill), values in zip(FILLS, layers, strict=True):
        rows = np.full((ROWS.stop - ROWS.start, SHAPE[1]), fill, kind)
        rows[:, COLUMNS] = values
        placed.append(rows)
    return tuple(placed)
