"""What kriging does with its data: the system of all, or one for each target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.spatial import cKDTree

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import FloatArray, Interpolator
from geosoil.interpolation.drift import DriftBasis, DriftSettings
from geosoil.interpolation.external_drift import ExternalDrift
from geosoil.interpolation.geodesic import GlobeTree
from geosoil.interpolation.kriging_answers import Answers
from geosoil.interpolation.kriging_covariance import Covariances
from geosoil.interpolation.kriging_fast import answer_quickly
from geosoil.interpolation.kriging_local import Nearby, answer_nearby
from geosoil.interpolation.kriging_settings import (
    NAMES,
    Outputs,
    variogram_settings,
)
from geosoil.interpolation.kriging_system import (
    OK,
    SINGULAR,
    KrigingData,
    KrigingSystem,
    StatusArray,
    answer_system,
    singular_error,
    solve_system,
)
from geosoil.interpolation.kriging_targets import (
    Cells,
    Rectangles,
    Support,
    Targets,
    target_columns,
)
from geosoil.interpolation.kriging_variogram import (
    has_no_variance,
    noise_of,
    variogram_of,
)
from geosoil.interpolation.neighbors import Neighborhood, Tree
from geosoil.interpolation.variogram import AnyVariogram, Variogram

SLAB = 2**15
"""Targets that are prepared at a time."""


class KrigingSolver(Interpolator):
    """Solve the systems of :class:`geosoil.interpolation.kriging.Kriging`.

    Targets are answered by ``_global`` where one system of all data serves them, else
    by ``_local``.
    """

    variogram: AnyVariogram | str
    mean: float | None
    outputs: Outputs
    neighborhood: Neighborhood
    variogram_: AnyVariogram
    system_: KrigingSystem | None
    drift_names_: tuple[str, ...]
    drift_coefficients_: pd.DataFrame
    drift_origin_: tuple[float, float]
    n_without_drift_: int

    tree_: Tree

    _asked: DriftSettings
    _external: ExternalDrift
    _drift_values: FloatArray
    _sides: tuple[float, float] | Literal["cell"] | None

    @property
    def needs_crs(self) -> bool:
        """Whether places mean nothing to it without their CRS."""
        return self.distance == "wgs84" or bool(self._asked.rasters)

    def title(self, external: Sequence[str]) -> str:
        """Return the name of the method with the names of its drift.

        Parameters
        ----------
        external : sequence of str
            Names of the external drift.

        Returns
        -------
        title : str
            Simple, ordinary or universal kriging, or kriging with external drift.
        """
        known = self.mean is not None
        return "simple kriging" if known else self._asked.title(external)

    def _prepare(self) -> None:
        """Fit the variogram if asked to, and factor the system of all data."""
        points, names = self.points_, self._external.names
        self.method = self.title(names)
        self._basis, columns = None, np.empty((len(points.xy), 0))
        if self.mean is None:
            self._basis = DriftBasis.of(
                self._asked.coordinates, points.xy, self._drift_values, names
            )
            columns = self._basis.columns(points.xy, self._drift_values)
        plane = self.distance == "projected"
        self.variogram_ = variogram_of(
            self.variogram, points, columns, None if plane else self.projection
        )
        noise = noise_of(points, self.variogram_.error)
        nothing = has_no_variance(self.variogram_, noise)
        model = Variogram("nugget", 1.0, 0.0, 1.0) if nothing else self.variogram_
        self._unit = 0.0 if nothing else 1.0
        # Counted from a level near them, large values keep their digits.
        z = points.values  # noqa: PD011  a plain array
        self._level = float(z.mean()) if self.mean is None else self.mean
        covariances = Covariances(model, self.distance)
        self._data = KrigingData(
            points.xy, z - self._level, noise, columns, covariances
        )
        self.tree_ = cKDTree(points.xy) if plane else GlobeTree(points.xy)
        self._factor()

    def _factor(self) -> None:
        """Factor the covariances of all data once; estimates then cost O(n) each."""
        basis, self.system_ = self._basis, None
        # What an earlier fit of this object left is no answer of this one.
        for name in ("drift_coefficients_", "drift_origin_"):
            self.__dict__.pop(name, None)
        self.drift_names_ = () if basis is None else basis.names
        if not self.neighborhood.is_global(len(self._data.xy)):
            return
        self.system_ = solve_system(self._data)
        if basis is not None:
            spread = self.system_.coefficient_covariance() * self._unit
            self.drift_coefficients_ = basis.in_units(
                self.system_.coefficients, spread, level=self._level
            )
            self.drift_origin_ = float(basis.origin[0]), float(basis.origin[1])

    @property
    def data_(self) -> KrigingData:
        """Data with their errors and drift, as systems take them, and the model."""
        self._check_fitted()
        return self._data

    @property
    def level_(self) -> float:
        """Level that the values of ``data_`` count from; a known mean is it."""
        return self._level

    def whole_system(self) -> KrigingSystem:
        """Return the system of all data.

        Returns
        -------
        system : KrigingSystem
            Factors and solutions.

        Raises
        ------
        InputError
            If it is not fitted, or each target is answered from data of its own.
        """
        self._check_fitted()
        if self.system_ is None:
            message = (
                "Each target has its own neighbours, there is no system of all data. "
                "Leave n_neighbors and max_distance out."
            )
            raise InputError(message)
        return self.system_

    def _estimate(
        self,
        targets: FloatArray,
        external: FloatArray | None = None,
        support: Support | None = None,
    ) -> Answers:
        """Estimate targets (m, 2); NaN without a position, a drift or data."""
        if external is None:
            external = self._external.at(None, targets, self.crs_)
        placed, told = (
            np.all(np.isfinite(part), axis=1) for part in (targets, external)
        )
        names, whole = NAMES[self.outputs], Targets(targets, support)
        rows = np.full((len(names), len(targets)), np.nan)
        status = np.full(len(targets), OK, dtype=np.int8)
        # In slabs, so that nothing but the answers has the size of the map.
        for start in range(0, len(targets), SLAB):
            usable = start + np.flatnonzero((placed & told)[start : start + SLAB])
            chosen = whole.part(usable)
            columns = target_columns(self._basis, chosen, external[usable])
            solve = self._local if self.system_ is None else self._global
            found, status[usable] = solve(chosen, columns)
            rows[:, usable] = found[: len(names)]
        variogram = self._data.covariances.variogram
        if (status == SINGULAR).any():
            raise singular_error(variogram)
        rows[0] += self._level
        rows[1:] *= self._unit
        answers = Answers(names, rows, sill=variogram.sill)
        if self._external.names:
            answers.notes["n_targets_without_drift"] = int((placed & ~told).sum())
        if self.system_ is None:
            answers.count(status)
        return answers

    def _global(
        self, targets: Targets, target_drift: FloatArray
    ) -> tuple[FloatArray, StatusArray]:
        """Return answers (outputs or more, m) from all data, and their status."""
        outputs = len(NAMES[self.outputs])
        answers = answer_system(self.whole_system(), targets, target_drift, outputs)
        return answers, np.full(len(targets.xy), OK, dtype=np.int8)

    def _local(
        self, targets: Targets, target_drift: FloatArray
    ) -> tuple[FloatArray, StatusArray]:
        """Return answers (outputs or more, m), each from its neighbours, and status."""
        nearby = Nearby(self.neighborhood, self.tree_)
        found = answer_quickly(
            self._data, nearby, targets, target_drift, outputs=self.outputs
        )
        return found or answer_nearby(self._data, nearby, targets, target_drift)

    def _support(self, grid: Grid | None) -> Support | None:
        """Return the blocks over which is averaged; None for points."""
        if self._sides is None:
            return None
        if not isinstance(self._sides, str):
            return Rectangles(self._sides, self.distance)
        if grid is None:
            message = (
                "Block 'cell' is that of a grid. Give a side in metres for points."
            )
            raise InputError(message)
        return Cells(grid, self.crs_)

    def _noted(self, dataset: xr.Dataset, notes: dict[str, Any]) -> xr.Dataset:
        """Describe a surface and say why targets have no answer."""
        described = self._describe(dataset)
        if "drift_variance" in described:
            words = "variance of the drift, part of the kriging variance"
            described["drift_variance"].attrs["long_name"] = words
        return described.assign_attrs(notes)

    def _settings(self) -> dict[str, Any]:
        """Return the method with variogram, drift, block and neighbourhood."""
        sides = self._sides
        settings: dict[str, Any] = {
            "method": self.method,
            **variogram_settings(self.variogram_),
            **self.neighborhood.settings(),
            "mean": self.mean,
            "drift": ", ".join(self.drift_names_) or None,
            "block": list(sides) if isinstance(sides, tuple) else sides,
            "distance": None if self.distance == "projected" else self.distance,
            "n_points_without_drift": self.n_without_drift_ or None,
        }
        if self.drift_names_ and self.system_ is not None:
            table = self.drift_coefficients_
            settings["drift_coefficients"] = table["coefficient"].tolist()
            settings["drift_standard_errors"] = table["standard_error"].tolist()
        return {key: value for key, value in settings.items() if value is not None}
