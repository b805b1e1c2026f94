"""How realisations are made: seed, method, and what it can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from geosoil.errors import InputError
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.kriging_system import DENSE_LIMIT

Method = Literal["auto", "exact", "residual", "sequential"]

EXACT_LIMIT = 3000
"""Data and targets up to which "auto" is exact."""

BATCH = 2**22
"""Random numbers that are drawn in one turn."""


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """How realisations are made.

    Raises
    ------
    InputError
        If a setting cannot be; all faults at once.

    Examples
    --------
    >>> SimulationSettings(seed=1).method
    'auto'
    """

    seed: int
    """Seed of the random numbers, 0 or more."""
    n_neighbors: int = 32
    """Earlier places that each place of a path heeds."""
    method: Method = "auto"
    """Way of drawing."""
    stream: int = 0
    """Which of the independent streams of the seed is taken."""

    def __post_init__(self) -> None:
        """Raise on settings that cannot be."""
        faults = []
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer):
            faults.append(f"Invalid seed {self.seed!r}. Give a whole number.")
        elif self.seed < 0:
            faults.append(f"Invalid seed {self.seed}. Give 0 or more.")
        if self.n_neighbors < 1:
            faults.append(f"Invalid n_neighbors {self.n_neighbors}. Give 1 or more.")
        if self.method not in get_args(Method):
            faults.append(
                f"Unknown method '{self.method}'. Give one of {get_args(Method)}."
            )
        if faults:
            message = " ".join(faults)
            raise InputError(message)

    def generator(self, *key: int) -> np.random.Generator:
        """Return the generator of one purpose.

        Parameters
        ----------
        *key : int
            Number of a realisation; none for the path.

        Returns
        -------
        rng : Generator
            The same for the same seed, stream and key.
        """
        sequence = np.random.SeedSequence(self.seed, spawn_key=(self.stream, *key))
        return np.random.default_rng(sequence)


def chosen_method(kriging: Kriging, method: Method, n_places: int) -> Method:
    """Return the method that is taken; raise where one cannot take so many.

    Parameters
    ----------
    kriging : Kriging
        Fitted.
    method : {"auto", "exact", "residual", "sequential"}
        What was asked for.
    n_places : int
        Number of different places to be drawn.

    Returns
    -------
    method : str
        "auto" is exact for a few thousand places in all, else "residual", and
        "sequential" where there are too many data for one system.

    Raises
    ------
    InputError
        If one system of all data or places would be too large, with its size, or a
        path is to be walked on the ellipsoid.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> kriging = Kriging(Variogram("spherical", 0.0, 1.0, 5000.0)).fit(sites, [1, 3])
    >>> chosen_method(kriging, "auto", 10), chosen_method(kriging, "auto", 24510)
    ('exact', 'residual')
    """
    n_data = len(kriging.points_.xy)
    if method == "auto":
        method = "residual" if n_data <= DENSE_LIMIT else "sequential"
        method = "exact" if n_data + n_places <= EXACT_LIMIT else method
    faults = []
    most = max(n_data, n_places if method == "exact" else 0)
    if method != "sequential" and most > DENSE_LIMIT:
        faults.append(
            f"Method '{method}' needs a system of {most}: {8 * most**2 / 1e9:.1f} GB "
            f"a matrix, and {DENSE_LIMIT} are the most. Give method 'auto'."
        )
    if method != "exact" and kriging.distance == "wgs84":
        faults.append(
            f"Method '{method}' takes distances in a plane. Use distance 'projected', "
            f"or fewer than {EXACT_LIMIT} places in all."
        )
    if faults:
        message = " ".join(faults)
        raise InputError(message)
    return method


def check_kriging(kriging: Kriging) -> None:
    """Raise unless realisations can be drawn from a kriging; all faults at once.

    Parameters
    ----------
    kriging : Kriging
        Fitted.

    Raises
    ------
    InputError
        If it is not fitted, estimates blocks, or its variogram has no sill.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> model = Variogram("spherical", 0.0, 1.0, 5000.0)
    >>> check_kriging(Kriging(model).fit(sites, [1.0, 3.0]))
    """
    faults = []
    if kriging.block is not None:
        faults.append(
            f"The kriging is of blocks ({kriging.block!r}), realisations are of "
            "points. Leave block out and average realisations of a finer grid."
        )
    if np.isinf(kriging.data_.covariances.variogram.sill):
        faults.append(
            f"A {kriging.variogram_.model} variogram has no sill. Take one that has."
        )
    if faults:
        message = " ".join(faults)
        raise InputError(message)
