"""Distances where likeness reaches farther in one direction than across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.variogram_models import VariogramError


@dataclass(frozen=True, slots=True)
class Anisotropy:
    """Direction in which likeness reaches farthest, and how much less it is across.

    Raises
    ------
    VariogramError
        If the angle is not finite or the ratio lies outside 0 (excluded) to 1.

    Notes
    -----
    u = dx sin(a) + dy cos(a) along the major axis, v = (dx cos(a) - dy sin(a)) / ratio
    across; the reduced distance is sqrt(u**2 + v**2), and the range is that of the
    major axis.

    Examples
    --------
    >>> anisotropy = Anisotropy(90.0, 0.5)
    >>> anisotropy.distance([100.0, 0.0], [0.0, 100.0]).round(6).tolist()
    [100.0, 200.0]
    """

    angle: float
    """Direction of the major axis [degrees clockwise from north]."""
    ratio: float
    """Range of the minor axis over that of the major axis, above 0 and at most 1."""

    def __post_init__(self) -> None:
        """Raise on numbers that cannot be."""
        faults = []
        if not np.isfinite(self.angle):
            faults.append(f"angle is {self.angle}, it must be a number of degrees")
        if not 0 < self.ratio <= 1:
            faults.append(
                f"ratio is {self.ratio}, minor over major range lies above 0 and at "
                "most at 1"
            )
        if faults:
            message = f"Invalid anisotropy: {'; '.join(faults)}."
            raise VariogramError(message)

    def reduce(self, xy: npt.ArrayLike) -> FloatArray:
        """Return places turned and stretched so that plain distances are reduced ones.

        Parameters
        ----------
        xy : array, shape (..., 2)
            Places or offsets, x to the east and y to the north [m].

        Returns
        -------
        uv : array, shape (..., 2)
            Along and across the major axis [m].
        """
        offsets = np.asarray(xy, dtype=np.float64)
        sine, cosine = np.sin(np.radians(self.angle)), np.cos(np.radians(self.angle))
        along = offsets[..., 0] * sine + offsets[..., 1] * cosine
        across = (offsets[..., 0] * cosine - offsets[..., 1] * sine) / self.ratio
        return np.stack([along, across], axis=-1)

    def distance(self, dx: npt.ArrayLike, dy: npt.ArrayLike) -> FloatArray:
        """Return the reduced distance of offsets.

        Parameters
        ----------
        dx, dy : array
            Offsets to the east and to the north [m].

        Returns
        -------
        distance : array
            Distance with the minor axis divided by the ratio [m].
        """
        east, north = np.broadcast_arrays(dx, dy)
        uv = self.reduce(np.stack([east, north], axis=-1))
        return np.hypot(uv[..., 0], uv[..., 1])
