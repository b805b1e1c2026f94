"""What each method of interpolation takes in memory while it works on a block."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
from dask.system import CPU_COUNT

from geosoil.interpolation import (
    drift_rasters,
    estimators,
    idw,
    kriging_fast,
    kriging_local,
    kriging_scaled,
    kriging_system,
    nearest,
    radial_basis,
    triangulation,
)
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.kriging_targets import WEIGHTS
from geosoil.interpolation.neighbors import TIES, Neighborhood

RASTER_BYTES = 200
"""Bytes that reading the raster of a drift at one place takes."""


@singledispatch
def working_bytes(interpolator: Interpolator, cells: int) -> int:
    """Return what an estimate takes beside its places and answers.

    Parameters
    ----------
    interpolator : Interpolator
        Fitted.
    cells : int
        Targets; every method works through many of them in blocks of its own.

    Returns
    -------
    size : int
        Bytes. For estimators of other packages, which do as they like, it is that of a
        Gaussian process: most take less.
    """
    del interpolator
    return 2**8 * min(cells, 2**16)


@working_bytes.register
def _(interpolator: nearest.NearestNeighbor, cells: int) -> int:
    del interpolator
    return 8 * 8 * (1 + TIES) * min(cells, nearest.BLOCK)


@working_bytes.register
def _(interpolator: triangulation.Triangulation, cells: int) -> int:
    del interpolator
    return 8 * 12 * min(cells, triangulation.BLOCK)


@working_bytes.register
def _(interpolator: idw.InverseDistance, cells: int) -> int:
    count = len(interpolator.points_.values)
    at_a_time = min(cells, max(1, idw.BLOCK // count))
    return 8 * 7 * at_a_time * _looked_at(interpolator.neighborhood, count)


@working_bytes.register
def _(interpolator: radial_basis.RadialBasis, cells: int) -> int:
    count = len(interpolator.points_.values)
    at_a_time = min(cells, radial_basis.BLOCK)
    if interpolator.neighborhood.is_global(count):
        return 8 * min(2**21, at_a_time * count) + 8 * 8 * at_a_time
    return 8 * 4 * at_a_time * _looked_at(interpolator.neighborhood, count)


@working_bytes.register
def _(interpolator: estimators.ScikitLearn, cells: int) -> int:
    features = 8 * (2 + len(interpolator.rasters)) * cells
    if interpolator.rasters:
        features += RASTER_BYTES * min(cells, drift_rasters.BLOCK)
    return features + _of_pairs(interpolator, cells)


@working_bytes.register
def _(interpolator: estimators.Verde, cells: int) -> int:
    return _of_pairs(interpolator, cells)


def _of_pairs(interpolator: Interpolator, cells: int) -> int:
    """Return what an estimator may make of the pairs that it is handed."""
    count = len(interpolator.points_.values)
    return 8 * 8 * count * min(cells, max(1, estimators.NUMBERS // count))


@working_bytes.register
def _(interpolator: Kriging, cells: int) -> int:
    count = len(interpolator.points_.values)
    columns = 1 + len(interpolator.drift_names_)
    places = 8 * (8 + 3 * columns) * cells
    if not isinstance(interpolator.drift, str | None):
        places += RASTER_BYTES * min(cells, drift_rasters.BLOCK)
    used = min(interpolator.neighborhood.n_neighbors or count, count)
    nodes = 1 if interpolator.block is None else len(WEIGHTS)
    if interpolator.system_ is not None:
        compiled = _is_compiled(interpolator, cells * count, kriging_scaled.PAIRS)
        copies = 2 if compiled else 4 if nodes == 1 else 7
        return places + 8 * copies * count * min(cells, kriging_system.BLOCK)
    work, most = cells * used**2, kriging_fast.MOST_NEIGHBORS
    if used <= most and _is_compiled(interpolator, work, kriging_fast.LOCAL_WORK):
        at_a_time = min(cells, kriging_fast.PART * CPU_COUNT)
        return places + 8 * 3 * used * at_a_time
    numbers = cells * used * max(used, nodes)
    return places + 8 * 6 * min(numbers, kriging_local.LOCAL_NUMBERS)


def _is_compiled(kriging: Kriging, work: int, limit: int) -> bool:
    """Return whether compiled kernels do the work, with fewer arrays."""
    plain = kriging.block is None and kriging.distance == "projected"
    known = kriging_scaled.scaled_variogram(kriging.variogram_, np.zeros(2)) is not None
    return plain and known and kriging_scaled.use_kernels(work, limit)


def _looked_at(neighborhood: Neighborhood, count: int) -> int:
    """Return how many of the data a target looks at."""
    wanted = neighborhood.n_neighbors
    return count if wanted is None else min(wanted + TIES, count)
