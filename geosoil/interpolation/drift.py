"""What values follow: coordinates and other quantities, as columns of a drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.drift_rasters import Rasters, named_rasters

Coordinates = Literal["linear", "quadratic"]
DriftPart: TypeAlias = Coordinates | Rasters
Drift: TypeAlias = DriftPart | Sequence[DriftPart] | None
"""Coordinates, rasters, or several of them together; None for a constant."""

COORDINATES: dict[str, tuple[str, ...]] = {
    "linear": ("x", "y"),
    "quadratic": ("x", "y", "x2", "xy", "y2"),
}
"""Columns of each drift in the coordinates."""

DEPENDENT = 1e-6
"""Share of its spread that others leave of a column, below which it depends on them."""


@dataclass(frozen=True, slots=True, eq=False)
class DriftSettings:
    """A drift as it was asked for.

    Examples
    --------
    >>> DriftSettings.of("linear").names
    ('x', 'y')
    """

    coordinates: Coordinates | None
    """Drift in the coordinates."""
    rasters: dict[str, xr.DataArray]
    """Rasters by name."""

    @classmethod
    def of(cls, drift: Drift) -> DriftSettings:
        """Sort out what was asked for.

        Parameters
        ----------
        drift : None, "linear", "quadratic", DataArray, mapping or a sequence of them
            As :class:`geosoil.interpolation.kriging.Kriging` takes it.

        Returns
        -------
        settings : DriftSettings
            Coordinates and rasters.

        Raises
        ------
        InputError
            If a word is unknown, or a raster cannot be a drift.
        MissingCRSError
            If a raster has no CRS.
        """
        one = isinstance(drift, str | xr.DataArray | xr.Dataset | Mapping)
        parts = [drift] if one else list(drift or ())
        words = [part for part in parts if isinstance(part, str)]
        odd = [word for word in words if word not in COORDINATES]
        if odd or len(words) > 1:
            message = (
                f"Unknown drift {', '.join(map(repr, odd or words))}. Give one of "
                f"{get_args(Coordinates)}, rasters, or both."
            )
            raise InputError(message)
        rasters: dict[str, xr.DataArray] = {}
        for part in parts:
            if not isinstance(part, str):
                rasters |= named_rasters(part)  # type: ignore[arg-type]  # checked there
        return cls(words[0] if words else None, rasters)  # type: ignore[arg-type]  # one of two

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns beside the constant."""
        return (*COORDINATES.get(self.coordinates or "", ()), *self.rasters)

    def title(self, external: Sequence[str]) -> str:
        """Return the name of the method of kriging.

        Parameters
        ----------
        external : sequence of str
            Names of the external drift in use.

        Returns
        -------
        title : str
            Ordinary, universal or external drift, with the names of the drift.

        Examples
        --------
        >>> DriftSettings.of("linear").title(["elevation"])
        'kriging with external drift (linear, elevation)'
        """
        own = [self.coordinates] if self.coordinates else []
        if external:
            return f"kriging with external drift ({', '.join([*own, *external])})"
        return f"universal kriging ({self.coordinates})" if own else "ordinary kriging"


def is_rasters(drift: object) -> bool:
    """Return whether a drift is given by rasters, and not by values.

    Parameters
    ----------
    drift : object
        What was given.

    Returns
    -------
    is_rasters : bool
        True for a DataArray with dims y and x, a Dataset and a mapping.

    Examples
    --------
    >>> is_rasters({"elevation": None}), is_rasters([4000.0])
    (True, False)
    """
    if isinstance(drift, xr.DataArray):
        return {"y", "x"} <= set(drift.dims)
    return isinstance(drift, xr.Dataset | Mapping)


def drift_values(
    drift: npt.ArrayLike | pd.DataFrame, count: int
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the values of a drift as columns, with their names.

    Parameters
    ----------
    drift : array, shape (n,) or (n, k), Series or DataFrame
        Values; NaN missing.
    count : int
        Number of points n.

    Returns
    -------
    columns : array, shape (n, k)
        The values.
    names : tuple of str
        Names of a Series or DataFrame, else "drift" or "drift 1", "drift 2", ...

    Raises
    ------
    InputError
        If there is not one row a point.

    Examples
    --------
    >>> drift_values([1.0, 2.0], 2)
    (array([[1.], [2.]]), ('drift',))
    """
    values = np.asarray(drift, dtype=np.float64)
    columns = values[:, None] if values.ndim == 1 else values
    if columns.ndim != 2 or len(columns) != count or columns.shape[1] == 0:
        message = (
            f"{count} points, but a drift of shape {values.shape}. Give one row for "
            "each point."
        )
        raise InputError(message)
    width = columns.shape[1]
    names = ["drift"] if width == 1 else [f"drift {i + 1}" for i in range(width)]
    if isinstance(drift, pd.DataFrame):
        names = [str(name) for name in drift.columns]
    elif isinstance(drift, pd.Series) and drift.name is not None:
        names = [str(drift.name)]
    return columns, tuple(names)


@dataclass(frozen=True, slots=True, eq=False)
class DriftBasis:
    """Columns of a drift, centred and scaled so that no system depends on their units.

    Examples
    --------
    >>> heights = np.array([[1.0], [2.0], [3.0], [6.0]])
    >>> basis = DriftBasis.of(None, np.zeros((4, 2)), heights, ("elevation",))
    >>> basis.columns(np.zeros((1, 2)), np.array([[8.0]])).tolist()
    [[1.0, 1.0]]
    """

    coordinates: Coordinates | None
    """Drift in the coordinates."""
    names: tuple[str, ...]
    """Names of the k columns beside the constant."""
    origin: FloatArray
    """Middle of the places, from which coordinates are counted, shape (2,)."""
    middle: FloatArray
    """Mean of each column, shape (k,)."""
    scale: FloatArray
    """Range of each column, shape (k,)."""

    @classmethod
    def of(
        cls,
        coordinates: Coordinates | None,
        xy: FloatArray,
        external: FloatArray,
        names: tuple[str, ...],
    ) -> DriftBasis:
        """Centre and scale the drift of data.

        Parameters
        ----------
        coordinates : {"linear", "quadratic"} or None
            Drift in the coordinates.
        xy : array, shape (n, 2)
            Places.
        external : array, shape (n, k)
            Other quantities, without gaps.
        names : tuple of str
            Their names.

        Returns
        -------
        basis : DriftBasis
            The columns of the coordinates, then the others.

        Raises
        ------
        InputError
            If a column is constant, columns depend on each other, or fewer places than
            columns + 2 are left; all faults at once.
        """
        names = (*COORDINATES.get(coordinates or "", ()), *names)
        zeros, ones = np.zeros(len(names)), np.ones(len(names))
        plain = cls(coordinates, names, xy.mean(axis=0), zeros, ones)
        raw = plain.raw(xy, external)
        scale = np.ptp(raw, axis=0) if names else ones
        _check_columns(raw, names)
        return cls(coordinates, names, plain.origin, raw.mean(axis=0), scale)

    def raw(self, xy: FloatArray, external: FloatArray) -> FloatArray:
        """Return the columns in their own units.

        Parameters
        ----------
        xy : array, shape (..., 2)
            Places.
        external : array, shape (..., k)
            Other quantities.

        Returns
        -------
        raw : array, shape (..., p - 1)
            Coordinates from the middle of the data, and the quantities.
        """
        if self.coordinates is None:
            return external
        x, y = np.moveaxis(xy - self.origin, -1, 0)
        own = [x, y] if self.coordinates == "linear" else [x, y, x * x, x * y, y * y]
        return np.concatenate([np.stack(own, axis=-1), external], axis=-1)

    def columns(self, xy: FloatArray, external: FloatArray) -> FloatArray:
        """Return the columns of a kriging system.

        Parameters
        ----------
        xy : array, shape (..., 2)
            Places.
        external : array, shape (..., k)
            Other quantities.

        Returns
        -------
        columns : array, shape (..., p)
            Ones, and each column centred and scaled.
        """
        scaled = (self.raw(xy, external) - self.middle) / self.scale
        return np.concatenate([np.ones((*scaled.shape[:-1], 1)), scaled], axis=-1)

    def in_units(
        self, coefficients: FloatArray, covariance: FloatArray, *, level: float
    ) -> pd.DataFrame:
        """Return coefficients of the scaled columns in the units of the covariates.

        Parameters
        ----------
        coefficients : array, shape (p,)
            Of the columns.
        covariance : array, shape (p, p)
            Their covariance.
        level : float
            What was taken off the values beforehand.

        Returns
        -------
        table : DataFrame with rows constant and the names
            ``coefficient`` and ``standard_error``.
        """
        back = np.diag(np.append(1.0, 1.0 / self.scale))
        back[0, 1:] = -self.middle / self.scale
        values = back @ coefficients
        values[0] += level
        spread = np.sqrt(np.diagonal(back @ covariance @ back.T))
        return pd.DataFrame(
            {"coefficient": values, "standard_error": spread},
            index=pd.Index(["constant", *self.names], name="drift"),
        )


def _check_columns(raw: FloatArray, names: tuple[str, ...]) -> None:
    """Raise unless columns of a drift and a constant are free of each other."""
    if not names:
        return
    faults = []
    count, needed = len(raw), len(names) + 3
    if count < needed:
        faults.append(
            f"{count} places for a constant and {len(names)} columns, {needed} are "
            "needed"
        )
    spread, size = np.ptp(raw, axis=0), np.abs(raw).max(axis=0)
    flat = ~(spread > 1e-12 * size)
    faults += [f"{names[i]} is constant" for i in np.flatnonzero(flat)]
    free = np.flatnonzero(~flat)
    scaled = (raw[:, free] - raw[:, free].mean(axis=0)) / spread[free]
    length = np.linalg.norm(scaled, axis=0)
    left = np.abs(np.diagonal(np.linalg.qr(scaled, mode="r")))
    # With fewer places than columns any column depends on others.
    dependent = left <= DEPENDENT * length[: len(left)]
    for rank in np.flatnonzero(dependent & (count >= needed)):
        before = ", ".join(names[i] for i in free[:rank])
        faults.append(f"{names[free[rank]]} depends on {before}")
    if faults:
        message = f"No drift can be told: {'; '.join(faults)}. Leave columns out."
        raise InputError(message)
