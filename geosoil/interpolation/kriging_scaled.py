"""Variograms in the form that compiled kernels take, and when these are worth it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_covariance import Covariances
from geosoil.interpolation.kriging_targets import Targets
from geosoil.interpolation.variogram_nested import AnyVariogram, NestedVariogram
from geosoil.interpolation.variogram_structures import Variogram

if TYPE_CHECKING:
    from geosoil.interpolation import _kernels_kriging

KERNELS = "geosoil.interpolation._kernels_kriging"

PAIRS = 4 * 10**8
"""Pairs of data and targets below which numpy is done before a compiler would be
loaded."""

CLOSED = {1.5: "MATERN_3_2", 2.5: "MATERN_5_2", 0.5: "EXPONENTIAL"}
"""Kernels of the Matern models, by their smoothness."""


def use_kernels(work: float, limit: float) -> bool:
    """Return whether compiled kernels are worth their loading.

    Parameters
    ----------
    work : float
        Size of the work.
    limit : float
        Size from which they are.

    Returns
    -------
    worth : bool
        True, too, once they are loaded.

    Examples
    --------
    >>> use_kernels(2.0, 1.0)
    True
    """
    return work >= limit or KERNELS in sys.modules


def load_kernels() -> None:
    """Load the compiled kernels, so that small work is left to them as well.

    Notes
    -----
    Numpy and the kernels differ in the last digits. Work whose results must not depend
    on what was computed before it in the same process loads the kernels first.

    Examples
    --------
    >>> load_kernels()
    >>> use_kernels(1.0, 2.0)
    True
    """
    from geosoil.interpolation import _kernels_kriging  # noqa: F401, PLC0415  numba


@dataclass(frozen=True, slots=True, eq=False)
class ScaledVariogram:
    """A variogram as a sum of structures whose distances are scaled to a range of 1."""

    codes: tuple[str, ...]
    """Names of the kernels, one a structure."""
    sills: FloatArray
    """Partial sills, shape (s,)."""
    nugget: float
    """Sum of the nuggets."""
    turns: FloatArray
    """What places are multiplied by, shape (s, 2, 2)."""
    origin: FloatArray
    """Place taken off beforehand, for the digits of the rest, shape (2,)."""

    def places(self, xy: FloatArray) -> FloatArray:
        """Return places in the scale of each structure.

        Parameters
        ----------
        xy : array, shape (n, 2)
            Places [m].

        Returns
        -------
        places : array, shape (s, 2, n)
            Along and across the axis, over the range.
        """
        # Element by element: equal places stay equal, whatever their row.
        x, y = (xy - self.origin).T
        along = self.turns[:, 0, :, None] * x
        return np.asarray(along + self.turns[:, 1, :, None] * y)

    def model(self) -> _kernels_kriging.Model:
        """Return what the kernels take.

        Returns
        -------
        model : Model
            Codes, sills and nugget.
        """
        from geosoil.interpolation import _kernels_kriging  # noqa: PLC0415  numba

        codes = [getattr(_kernels_kriging, name) for name in self.codes]
        return _kernels_kriging.Model(np.array(codes), self.sills, self.nugget)


def scaled_variogram(
    variogram: AnyVariogram, origin: FloatArray
) -> ScaledVariogram | None:
    """Return a variogram in the form that kernels take.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        Any variogram.
    origin : array, shape (2,)
        A place in the middle of the data [m].

    Returns
    -------
    scaled : ScaledVariogram or None
        None where a structure has no kernel.

    Examples
    --------
    >>> scaled = scaled_variogram(Variogram("gaussian", 0.1, 1.0, 500.0), np.zeros(2))
    >>> scaled.places(np.array([[1000.0, 0.0]])).tolist()
    [[[2.0], [0.0]]]
    >>> scaled_variogram(Variogram("hole", 0.1, 1.0, 500.0), np.zeros(2)) is None
    True
    """
    parts: tuple[Variogram, ...]
    if isinstance(variogram, NestedVariogram):
        parts = variogram.structures
    else:
        parts = (variogram,)
    kernels = [kernel for part in parts if (kernel := _kernel(part)) is not None]
    if len(kernels) < len(parts):
        return None
    turns = [
        _turn(part) * scale / (1.0 if part.model == "nugget" else part.range_)
        for part, (_, scale) in zip(parts, kernels, strict=True)
    ]
    sills = [0.0 if part.model == "nugget" else part.partial_sill for part in parts]
    return ScaledVariogram(
        codes=tuple(name for name, _ in kernels),
        sills=np.array(sills),
        nugget=float(variogram.nugget),
        turns=np.array(turns),
        origin=np.asarray(origin, dtype=np.float64),
    )


def _kernel(part: Variogram) -> tuple[str, float] | None:
    """Return the kernel of a structure, and what u = h / range is multiplied by."""
    if part.model in ("spherical", "exponential", "gaussian"):
        return part.model.upper(), 1.0
    if part.model == "nugget":
        return "EXPONENTIAL", 1.0
    smoothness = float(part.smoothness or 0.0)
    scales = {
        "matern": 1.0,
        "matern_stein": 2.0 * np.sqrt(smoothness),
        "matern_gstools": np.sqrt(smoothness),
    }
    if part.model in scales and smoothness in CLOSED:
        return CLOSED[smoothness], float(scales[part.model])
    return None


def _turn(part: Variogram) -> FloatArray:
    """Return the matrix of the reduced coordinates of a structure."""
    if part.anisotropy is None:
        return np.eye(2)
    return part.anisotropy.reduce(np.eye(2))


def scaled_for(
    covariances: Covariances, xy: FloatArray, targets: Targets
) -> ScaledVariogram | None:
    """Return the variogram in the form of the kernels, where these take the task.

    Parameters
    ----------
    covariances : Covariances
        The variogram and its distances.
    xy : array, shape (n, 2)
        Places of the data.
    targets : Targets
        Points or blocks.

    Returns
    -------
    scaled : ScaledVariogram or None
        None for blocks, distances on the ellipsoid, or a model without a kernel.
    """
    if targets.support is not None or covariances.distance != "projected":
        return None
    return scaled_variogram(covariances.variogram, xy.mean(axis=0))


def covariances_with(
    covariances: Covariances, xy: FloatArray, targets: Targets
) -> Callable[[Targets], FloatArray]:
    """Return what gives the covariances of data with parts of the targets.

    Parameters
    ----------
    covariances : Covariances
        The variogram and its distances.
    xy : array, shape (n, 2)
        Places of the data.
    targets : Targets
        All targets.

    Returns
    -------
    with_part : callable
        From some targets, m of them, to an array (n, m), whose place in memory the
        next call may take again.

    Examples
    --------
    >>> model = Covariances(Variogram("gaussian", 0.0, 1.0, 1.0), "projected")
    >>> targets = Targets(np.array([[1.0, 0.0], [0.0, 2.0]]))
    >>> with_part = covariances_with(model, np.zeros((1, 2)), targets)
    >>> with_part(targets).round(3).tolist()
    [[0.368, 0.018]]
    """
    scaled = scaled_for(covariances, xy, targets)
    if scaled is None or not use_kernels(len(xy) * len(targets.xy), PAIRS):
        return partial(covariances.with_targets, xy)
    from geosoil.interpolation._kernels_kriging import fill_covariances  # noqa: PLC0415

    model, places = scaled.model(), scaled.places(xy)
    room = np.empty(0)

    def filled(some: Targets) -> FloatArray:
        nonlocal room
        size = len(xy) * len(some.xy)
        if room.size < size:
            room = np.empty(size)
        near = room[:size].reshape(len(xy), len(some.xy))
        fill_covariances(model, places, scaled.places(some.xy), near)
        return near

    return filled
