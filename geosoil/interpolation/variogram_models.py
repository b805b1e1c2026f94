"""Shapes that a variogram may have, each by its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import gamma as gamma_function
from scipy.special import kv

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray

ModelName = Literal[
    "spherical",
    "exponential",
    "gaussian",
    "nugget",
    "matern",
    "matern_stein",
    "matern_gstools",
    "exponential_class",
    "circular",
    "pentaspherical",
    "linear",
    "bessel",
    "hole",
    "periodic",
    "power",
    "logarithmic",
]

ROUGHEST, SMOOTHEST = 0.05, 30.0
"""Smoothness of the Matern models that can be reckoned without loss of digits."""


class VariogramError(InputError):
    """A variogram, its anisotropy or the settings of its fit cannot be."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of rise and what is known of it."""

    function: Callable[[FloatArray, float], FloatArray]
    """Bounded: likeness (1 to 0) from h / a and the smoothness. Unbounded: growth
    from h and the range parameter."""
    bounded: bool = True
    """Whether it has a sill, and with it a covariance."""
    in_plane: bool = True
    """Whether it is a variogram in two dimensions (else along a line only)."""
    monotone: bool = True
    """Whether it never falls with distance."""
    smoothness: tuple[float, float] | None = None
    """Lowest and highest smoothness; None where the model has none."""


def _spherical(ratio: FloatArray, _: float) -> FloatArray:
    """Return 1 - 1.5 u + 0.5 u**3 within the range, 0 beyond."""
    near = np.minimum(ratio, 1.0)
    return 1.0 - near * (1.5 - 0.5 * near * near)


def _exponential(ratio: FloatArray, _: float) -> FloatArray:
    """Return exp(-u)."""
    return np.exp(-ratio)


def _gaussian(ratio: FloatArray, _: float) -> FloatArray:
    """Return exp(-u**2)."""
    return np.exp(-ratio * ratio)


def _nothing(ratio: FloatArray, _: float) -> FloatArray:
    """Return 0: no likeness at any distance."""
    return np.zeros_like(ratio)


def _matern(ratio: FloatArray, smoothness: float) -> FloatArray:
    """Return 2**(1-k) / Gamma(k) u**k K_k(u), in closed form where there is one."""
    if smoothness == 0.5:
        return np.exp(-ratio)
    if smoothness == 1.5:
        return (1.0 + ratio) * np.exp(-ratio)
    if smoothness == 2.5:
        return (1.0 + ratio + ratio * ratio / 3.0) * np.exp(-ratio)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        bessel = kv(smoothness, ratio)
        front = 2.0 ** (1.0 - smoothness) / gamma_function(smoothness)
        likeness = front * ratio**smoothness * bessel
    # The function of Bessel overflows where the likeness is 1 to the last digit.
    return np.where(np.isfinite(likeness), np.minimum(likeness, 1.0), 1.0)


def _matern_stein(ratio: FloatArray, smoothness: float) -> FloatArray:
    """Return the Matern likeness at 2 sqrt(k) u."""
    return _matern(2.0 * np.sqrt(smoothness) * ratio, smoothness)


def _matern_gstools(ratio: FloatArray, smoothness: float) -> FloatArray:
    """Return the Matern likeness at sqrt(k) u."""
    return _matern(np.sqrt(smoothness) * ratio, smoothness)


def _exponential_class(ratio: FloatArray, smoothness: float) -> FloatArray:
    """Return exp(-u**k)."""
    return np.exp(-(ratio**smoothness))


def _circular(ratio: FloatArray, _: float) -> FloatArray:
    """Return the share that two discs of diameter a have in common."""
    near = np.minimum(ratio, 1.0)
    return 1.0 - 2.0 / np.pi * (near * np.sqrt(1.0 - near * near) + np.arcsin(near))


def _pentaspherical(ratio: FloatArray, _: float) -> FloatArray:
    """Return 1 - 1.875 u + 1.25 u**3 - 0.375 u**5 within the range, 0 beyond."""
    near = np.minimum(ratio, 1.0)
    square = near * near
    return 1.0 - near * (1.875 - square * (1.25 - 0.375 * square))


def _linear(ratio: FloatArray, _: float) -> FloatArray:
    """Return 1 - u within the range, 0 beyond."""
    return 1.0 - np.minimum(ratio, 1.0)


def _bessel(ratio: FloatArray, _: float) -> FloatArray:
    """Return u K_1(u)."""
    with np.errstate(over="ignore", invalid="ignore"):
        likeness = ratio * kv(1.0, ratio)
    return np.where(np.isfinite(likeness), likeness, 1.0)


def _hole(ratio: FloatArray, _: float) -> FloatArray:
    """Return sin(u) / u."""
    return np.asarray(np.sinc(ratio / np.pi))


def _periodic(ratio: FloatArray, _: float) -> FloatArray:
    """Return cos(2 pi u)."""
    return np.cos(2.0 * np.pi * ratio)


def _power(distance: FloatArray, exponent: float) -> FloatArray:
    """Return h**a."""
    return distance**exponent


def _logarithmic(distance: FloatArray, offset: float) -> FloatArray:
    """Return log(h + a)."""
    return np.log(distance + offset)


_MATERN = (ROUGHEST, SMOOTHEST)

MODELS: dict[str, Shape] = {
    "spherical": Shape(_spherical),
    "exponential": Shape(_exponential),
    "gaussian": Shape(_gaussian),
    "nugget": Shape(_nothing),
    "matern": Shape(_matern, smoothness=_MATERN),
    "matern_stein": Shape(_matern_stein, smoothness=_MATERN),
    "matern_gstools": Shape(_matern_gstools, smoothness=_MATERN),
    "exponential_class": Shape(_exponential_class, smoothness=(ROUGHEST, 2.0)),
    "circular": Shape(_circular),
    "pentaspherical": Shape(_pentaspherical),
    "linear": Shape(_linear, in_plane=False),
    "bessel": Shape(_bessel),
    "hole": Shape(_hole, monotone=False),
    "periodic": Shape(_periodic, in_plane=False, monotone=False),
    "power": Shape(_power, bounded=False),
    "logarithmic": Shape(_logarithmic, bounded=False),
}
"""Every model by its name."""


def likeness(
    model: str, h: npt.ArrayLike, range_: float, *, smoothness: float | None = None
) -> FloatArray:
    """Return how alike values are at a distance: covariance over partial sill.

    Parameters
    ----------
    model : str
        One of ``MODELS`` with a sill.
    h : array
        Distances [m].
    range_ : float
        Range parameter a [m].
    smoothness : float, optional
        Smoothness k, of the models that have one.

    Returns
    -------
    likeness : array
        1 at h = 0, towards 0 with distance (through negative values in "hole" and
        "periodic").

    Raises
    ------
    VariogramError
        If the model is unknown or has no sill, and so no covariance.

    Notes
    -----
    With u = h / a: spherical 1 - 1.5 u + 0.5 u**3; exponential exp(-u); gaussian
    exp(-u**2); circular 1 - 2/pi (u sqrt(1 - u**2) + asin(u)); pentaspherical
    1 - 1.875 u + 1.25 u**3 - 0.375 u**5; linear 1 - u (these with u at most 1);
    bessel u K_1(u); hole sin(u) / u; periodic cos(2 pi u); exponential_class
    exp(-u**k). The Matern likeness M(v) = 2**(1-k) / Gamma(k) v**k K_k(v) has three
    parametrisations: "matern" v = u (gstat's Mat), "matern_stein" v = 2 sqrt(k) u
    (gstat's Ste), "matern_gstools" v = sqrt(k) u (GSTools). "linear" and "periodic"
    are variograms along a line only.

    References
    ----------
    Stein (1999), Interpolation of Spatial Data, doi:10.1007/978-1-4612-1494-6.
    Chiles and Delfiner (2012), Geostatistics, section 2.5,
    doi:10.1002/9781118136188.

    Examples
    --------
    >>> for name in ("matern", "matern_stein", "matern_gstools"):
    ...     print(name, likeness(name, 100.0, 300.0, smoothness=1.5).round(4))
    matern 0.9554
    matern_stein 0.8029
    matern_gstools 0.9362
    """
    shape = _known(model)
    if not shape.bounded:
        message = (
            f"The {model} variogram has no sill, so there is no covariance. Ask for "
            "gamma, or take a model with a sill."
        )
        raise VariogramError(message)
    ratio = np.asarray(h, dtype=np.float64) / range_
    return shape.function(ratio, np.nan if smoothness is None else smoothness)


def rise(
    model: str, h: npt.ArrayLike, range_: float, *, smoothness: float | None = None
) -> FloatArray:
    """Return the rise of a variogram of partial sill 1 without nugget.

    Parameters
    ----------
    model : str
        One of ``MODELS``.
    h : array
        Distances above 0 [m].
    range_ : float
        Range parameter a [m]; the exponent of "power".
    smoothness : float, optional
        Smoothness, of the models that have one.

    Returns
    -------
    rise : array
        1 - likeness; h**a of "power" (0 < a < 2) and log(h + a) of "logarithmic",
        which have no sill.

    Raises
    ------
    VariogramError
        If the model is unknown.

    Examples
    --------
    >>> rise("power", [4.0, 9.0], 0.5).tolist()
    [2.0, 3.0]
    """
    shape = _known(model)
    if shape.bounded:
        return 1.0 - likeness(model, h, range_, smoothness=smoothness)
    return shape.function(np.asarray(h, dtype=np.float64), range_)


def parameter_faults(model: str, range_: float, smoothness: float | None) -> list[str]:
    """Return what is wrong with the parameters of a shape.

    Parameters
    ----------
    model : str
        Name of the model.
    range_ : float
        Range parameter.
    smoothness : float or None
        Smoothness.

    Returns
    -------
    faults : list of str
        Words, one a fault; empty where all is well.

    Examples
    --------
    >>> parameter_faults("matern", 0.0, None)
    ['range_ is 0.0, it must be above 0', 'the matern model needs a smoothness']
    """
    if model not in MODELS:
        return [f"model '{model}' is none of {', '.join(MODELS)}"]
    faults = []
    if not (np.isfinite(range_) and range_ > 0):
        faults.append(f"range_ is {range_}, it must be above 0")
    if model == "power" and range_ >= 2:
        faults.append(f"range_ is {range_}, the exponent of power must be below 2")
    allowed = MODELS[model].smoothness
    if allowed is None and smoothness is not None:
        faults.append(f"smoothness is {smoothness}, the {model} model has none")
    if allowed is not None and smoothness is None:
        faults.append(f"the {model} model needs a smoothness")
    elif allowed is not None and not allowed[0] <= float(smoothness or 0) <= allowed[1]:
        faults.append(
            f"smoothness is {smoothness}, it must be {allowed[0]:g} to {allowed[1]:g}"
        )
    return faults


def _known(model: str) -> Shape:
    """Return a shape by its name; raise where there is none of it."""
    if model not in MODELS:
        message = f"Unknown model '{model}'. Give one of: {', '.join(MODELS)}."
        raise VariogramError(message)
    return MODELS[model]
