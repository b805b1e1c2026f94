"""Fine terrain simulated on coarse elevation, whose block means it keeps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.ndimage import uniform_filter

from geosoil.simulate.noise import band_noise

FloatArray = npt.NDArray[np.float64]

WAVELENGTHS = (16.0, 9.0, 5.0, 2.8)
"""Distances from ridge to ridge of the octaves of relief [fine cells]."""
LOWEST_RELIEF, RELIEF_SHARE, HIGHEST_RELIEF = 25.0, 0.75, 330.0
"""Standard deviation of the relief [m]: floor, share of the regional one, ceiling."""


def simulate_relief(
    coarse: FloatArray, *, factor: int, rng: np.random.Generator
) -> FloatArray:
    """Simulate ridges and valleys inside the cells of a coarse elevation.

    Parameters
    ----------
    coarse : array, shape (rows, columns)
        Elevation of coarse cells [m].
    factor : int
        Number of fine cells along the side of a coarse cell.
    rng : Generator
        Source of randomness.

    Returns
    -------
    fine : array, shape (rows * factor, columns * factor)
        Elevation [m]; the mean of each block of factor x factor cells is the
        coarse cell's elevation. Where the coarse elevation varies more the
        simulated relief is stronger.

    Examples
    --------
    >>> coarse = np.array([[4000.0, 4200, 4100], [4300, 4700, 4400]] * 2)
    >>> fine = simulate_relief(coarse, factor=10, rng=np.random.default_rng(1))
    >>> means = block_mean(fine, factor=10)
    >>> float(np.abs(means - coarse).max()) < 1e-8
    True
    """
    spread = uniform_filter(coarse**2, 3) - uniform_filter(coarse, 3) ** 2
    strength = np.clip(
        RELIEF_SHARE * np.sqrt(np.maximum(spread, 0.0)), LOWEST_RELIEF, HIGHEST_RELIEF
    )
    across, along = (spline_matrix(n, factor=factor) for n in coarse.shape)
    ridges = _ridges(rng, (across.shape[0], along.shape[0]))
    rough = ridges * (across @ strength @ along.T)
    return rough + _mean_preserving(coarse - block_mean(rough, factor=factor), factor)


def block_mean(values: FloatArray, *, factor: int) -> FloatArray:
    """Average blocks of cells.

    Parameters
    ----------
    values : array, shape (rows, columns)
        Values; rows and columns are whole multiples of the factor.
    factor : int
        Number of cells along the side of a block.

    Returns
    -------
    means : array, shape (rows / factor, columns / factor)
        Mean of each block.

    Examples
    --------
    >>> block_mean(np.arange(16.0).reshape(4, 4), factor=2).tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    rows, columns = values.shape
    blocks = values.reshape(rows // factor, factor, columns // factor, factor)
    means: FloatArray = blocks.mean(axis=(1, 3))
    return means


def spline_matrix(n: int, *, factor: int) -> FloatArray:
    """Return the matrix that carries n cell values to the fine cells by a spline.

    Parameters
    ----------
    n : int
        Number of coarse cells along the axis.
    factor : int
        Number of fine cells in a coarse one.

    Returns
    -------
    matrix : array, shape (n * factor, n)
        Cubic spline through the centres of the coarse cells, at the fine centres.

    Examples
    --------
    >>> spline_matrix(5, factor=2).shape
    (10, 5)
    """
    fine = (np.arange(n * factor) + 0.5) / factor - 0.5
    return np.asarray(CubicSpline(np.arange(n), np.eye(n), bc_type="natural")(fine))


def _mean_preserving(coarse: FloatArray, factor: int) -> FloatArray:
    """Return the smooth surface whose block means are the coarse values."""
    across, along = (spline_matrix(n, factor=factor) for n in coarse.shape)
    rows, columns = (
        matrix.reshape(n, factor, n).mean(axis=1)
        for matrix, n in zip((across, along), coarse.shape, strict=True)
    )
    knots = np.linalg.solve(rows, np.linalg.solve(columns, coarse.T).T)
    surface: FloatArray = across @ knots @ along.T
    return surface


def _ridges(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Return sharp ridges and round valleys of unit variance over several octaves."""
    total = np.zeros(shape)
    variance = 0.0
    for order, wavelength in enumerate(WAVELENGTHS):
        noise = band_noise(rng, shape, wavelength=wavelength)
        amplitude = wavelength / WAVELENGTHS[0]
        if order < 2:
            # the mean of |noise| is sqrt(2/pi), its variance 1 - 2/pi
            noise = (np.sqrt(2 / np.pi) - np.abs(noise)) / np.sqrt(1 - 2 / np.pi)
        total += amplitude * noise
        variance += amplitude**2
    ridges: FloatArray = total / np.sqrt(variance)
    return ridges
