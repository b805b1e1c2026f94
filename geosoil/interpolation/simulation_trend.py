"""What the data say of a trend: its coefficients as a normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_system import RANK, KrigingData, KrigingSystem
from geosoil.interpolation.simulation_path import multigrid_path
from geosoil.interpolation.simulation_walk import Walk, without_nugget


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """Coefficients of a trend after the data were seen, a flat prior assumed.

    References
    ----------
    Kitanidis (1986), Parameter uncertainty in estimation of spatial functions, Water
    Resources Research 22, doi:10.1029/WR022i004p00499.
    """

    coefficients: FloatArray
    """Generalised least squares, shape (p,)."""
    root: FloatArray
    """Root of their covariance root @ root.T, shape (p, p)."""

    @classmethod
    def of_system(cls, system: KrigingSystem) -> Trend:
        """Take the trend of one system of all data.

        Parameters
        ----------
        system : KrigingSystem
            The factored data.

        Returns
        -------
        trend : Trend
            No coefficients where the mean is known.
        """
        inverse = solve_triangular(system.upper, np.eye(len(system.upper)))
        return cls(system.coefficients, np.asarray(inverse, dtype=np.float64))

    @classmethod
    def along_path(cls, data: KrigingData, *, n_neighbors: int) -> Trend:
        """Estimate a trend from more data than one system takes.

        Parameters
        ----------
        data : KrigingData
            The data.
        n_neighbors : int
            Neighbours that each datum is made independent of.

        Returns
        -------
        trend : Trend
            Its coefficients, to the approximation of the neighbourhoods.

        Raises
        ------
        InputError
            If the columns of the trend depend on each other at the data.
        """
        model, count = data.covariances.variogram, data.drift.shape[1]
        path = multigrid_path(data.xy, np.random.default_rng(0))
        walk = Walk.of(
            without_nugget(model),
            np.empty((0, 2)),
            data.xy[path],
            noise=data.noise[path] + model.nugget,
            n_neighbors=n_neighbors,
        )
        white = walk.whiten(np.column_stack([data.drift, data.values])[path])
        orthogonal, upper = qr(white[:, :count], mode="economic")
        length = np.linalg.norm(white[:, :count], axis=0)
        if not (np.abs(np.diagonal(upper)) > RANK * length).all():
            message = (
                f"The {count} columns of the trend depend on each other at "
                f"{len(white)} data. Leave columns out."
            )
            raise InputError(message)
        return cls(
            solve_triangular(upper, orthogonal.T @ white[:, count]),
            solve_triangular(upper, np.eye(count)),
        )
