"""Random fields that vary smoothly over space and over time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], *, length: float
) -> FloatArray:
    r"""Draw Gaussian fields with a Gaussian correlation over the last two axes.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    shape : tuple of int
        Shape of the result; fields along leading axes are independent.
    length : float
        Correlation length [cells].

    Returns
    -------
    noise : array
        Fields of mean 0 and variance 1.

    Notes
    -----
    White noise is filtered in the frequency domain so that the correlation at the
    distance h is :math:`\exp(-h^2 / (2 L^2))` with L the length.

    Examples
    --------
    >>> field = smooth_noise(np.random.default_rng(1), (40, 60), length=5)
    >>> field.shape
    (40, 60)
    """
    if length <= 0:
        message = f"Invalid correlation length {length}. Give a number of cells > 0."
        raise InputError(message)
    # A field made by a discrete transform is periodic: draw more, keep a part.
    padded = _padded_shape(shape, pad=3 * length)
    squared = _squared_frequency(padded)
    return _filtered(rng, shape, padded, np.exp(-squared * (np.pi * length) ** 2))


def band_noise(
    rng: np.random.Generator, shape: tuple[int, ...], *, wavelength: float
) -> FloatArray:
    """Draw Gaussian fields whose hills are about one wavelength apart.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    shape : tuple of int
        Shape of the result; fields along leading axes are independent.
    wavelength : float
        Distance from hill to hill [cells], at least 2.

    Returns
    -------
    noise : array
        Fields of mean 0 and variance 1.

    Examples
    --------
    >>> band_noise(np.random.default_rng(1), (40, 60), wavelength=8).shape
    (40, 60)
    """
    if wavelength < 2:
        message = f"Invalid wavelength {wavelength}. Give 2 cells or more."
        raise InputError(message)
    padded = _padded_shape(shape, pad=2 * wavelength)
    squared = _squared_frequency(padded)
    with np.errstate(divide="ignore"):
        octaves = 0.5 * np.log2(squared) + np.log2(wavelength)
    return _filtered(rng, shape, padded, np.exp(-2.0 * octaves**2))


def persistent(fields: FloatArray, *, memory: float) -> FloatArray:
    """Make each field remember the one before it.

    Parameters
    ----------
    fields : array, shape (n, ...)
        Independent fields of variance 1.
    memory : float
        Correlation from one field to the next, 0 <= memory < 1.

    Returns
    -------
    fields : array, shape (n, ...)
        First-order autoregressive fields of variance 1.

    Examples
    --------
    >>> steps = np.random.default_rng(1).standard_normal((2000, 1))
    >>> series = persistent(steps, memory=0.6)[:, 0]
    >>> round(float(np.corrcoef(series[1:], series[:-1])[0, 1]), 1)
    0.6
    """
    if not 0 <= memory < 1:
        message = f"Invalid memory {memory}. Give a number with 0 <= memory < 1."
        raise InputError(message)
    result = np.array(fields, dtype=np.float64)
    fresh = np.sqrt(1.0 - memory**2)
    for step in range(1, len(result)):
        result[step] = memory * result[step - 1] + fresh * result[step]
    return result


def _padded_shape(shape: tuple[int, ...], *, pad: float) -> tuple[int, int]:
    """Return the size of the plane in which the noise is drawn."""
    rows, columns = (
        int(fft.next_fast_len(n + round(pad), real=True)) for n in shape[-2:]
    )
    return rows, columns


def _squared_frequency(shape: tuple[int, int]) -> FloatArray:
    """Return the squared frequency of each coefficient [cycles per cell]."""
    rows = fft.fftfreq(shape[0])[:, np.newaxis]
    columns = fft.rfftfreq(shape[1])[np.newaxis, :]
    squared: FloatArray = rows**2 + columns**2
    return squared


def _filtered(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    padded: tuple[int, int],
    response: FloatArray,
) -> FloatArray:
    """Filter white noise and scale it to unit variance."""
    white = rng.standard_normal((*shape[:-2], *padded), dtype=np.float32)
    twice = np.full(response.shape[1], 2.0)
    twice[0] = 1.0
    if padded[1] % 2 == 0:
        twice[-1] = 1.0
    gain = 1.0 / np.sqrt((response**2 * twice).sum() / (padded[0] * padded[1]))
    spectrum = fft.rfft2(white, axes=(-2, -1)) * (gain * response).astype(np.float32)
    field = fft.irfft2(spectrum, s=padded, axes=(-2, -1))
    kept: FloatArray = field[..., : shape[-2], : shape[-1]].astype(np.float64)
    return kept
