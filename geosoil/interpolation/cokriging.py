"""Cokriging: one variable from its own values and those of related variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    ALBERS,
    FittedPoints,
    FloatArray,
    Interpolator,
    Points,
)
from geosoil.interpolation.cokriging_data import (
    check_names,
    common_crs,
    named_columns,
    one_table,
    stacked,
    variable_points,
)
from geosoil.interpolation.cokriging_system import CokrigingSystem
from geosoil.interpolation.coregionalization import (
    Coregionalization,
    fit_coregionalization,
)
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.variogram_models import MODELS, VariogramError


class Cokriging(Interpolator):
    """Krige one variable with the help of others that were measured with it or apart.

    After :meth:`fit`: ``variables_`` (data of each variable by name),
    ``coregionalization_``, and ``points_``, the data of the target.

    Parameters
    ----------
    coregionalization : Coregionalization or str
        How the variables vary together, or the name of a model to be fitted to each
        set of data.
    target : str
        Variable that is estimated.
    mean : mapping of str to float, optional
        Known mean of every variable: simple cokriging. Unknown by default: ordinary
        cokriging.
    n_neighbors : int, optional
        Use this many of the nearest data of each variable; all by default.
    max_distance : float, optional
        Use data within this distance only [m]; NaN where the target has none (simple
        cokriging: where no variable has any).
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    SingularKrigingError
        From fit or estimate, if the covariances of the data have no unique inverse.
    InputError
        If more than 5000 data are to be used at once, or the model has no sill.

    Notes
    -----
    With C the covariances of all data z (their measurement variance added to the
    diagonal), c those with the target and F one column of 0 and 1 a variable: the
    estimate is c'C^-1 (z - F m) + m_target with m = (F'C^-1 F)^-1 F'C^-1 z. So the
    weights of the target's data sum to 1 and those of every other variable to 0. The
    variance is C(0) - c'C^-1 c + g'(F'C^-1 F)^-1 g with g = f - F'C^-1 c and f the
    column of the target. The variables need not be measured at the same places. Where
    they are, and every variogram and cross variogram is a multiple of one and the same,
    the others have no weight: the answer is that of kriging.

    References
    ----------
    Myers (1982), Matrix formulation of co-kriging, Mathematical Geology 14,
    doi:10.1007/BF01032887.
    Wackernagel (2003), Multivariate Geostatistics, doi:10.1007/978-3-662-05294-5.

    Examples
    --------
    >>> from geosoil.interpolation.coregionalization_parts import CoregionalStructure
    >>> together = CoregionalStructure([[1.0, 0.9], [0.9, 1.0]], "spherical", 5000.0)
    >>> model = Coregionalization(("ice", "soil"), np.zeros((2, 2)), (together,))
    >>> sites = [[0.0, 0.0], [1000.0, 0.0], [2000.0, 0.0]]
    >>> table = pd.DataFrame({"ice": [1.0, np.nan, 3.0], "soil": [0.0, 2.0, 0.0]})
    >>> answer = Cokriging(model, target="ice").fit(sites, table).predict(sites)
    >>> answer.estimate.values.round(3).tolist()
    [1.0, 3.8, 3.0]
    >>> answer.kriging_variance.values.round(3).tolist()
    [0.0, 0.06, 0.0]
    """

    variables_: dict[str, FittedPoints]
    coregionalization_: Coregionalization

    def __init__(
        self,
        coregionalization: Coregionalization | str,
        *,
        target: str,
        mean: Mapping[str, float] | None = None,
        n_neighbors: int | None = None,
        max_distance: float | None = None,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        if isinstance(coregionalization, Coregionalization):
            coregionalization.index(target)
        elif coregionalization not in MODELS:
            message = (
                f"Unknown model '{coregionalization}'. Give a Coregionalization, or "
                f"one of: {', '.join(MODELS)}."
            )
            raise VariogramError(message)
        self.coregionalization = coregionalization
        self.target = target
        self.mean = mean
        self.method = "ordinary cokriging" if mean is None else "simple cokriging"
        self.neighborhood = Neighborhood(n_neighbors, max_distance)

    def fit(
        self,
        points: Points | Mapping[str, Points],
        values: npt.ArrayLike | pd.DataFrame | Mapping[str, npt.ArrayLike],
        *,
        variance: npt.ArrayLike
        | pd.DataFrame
        | Mapping[str, npt.ArrayLike]
        | None = None,
    ) -> Cokriging:
        """Take the places and values of all variables.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, array (n, 2), or mapping of these
            Places of all variables, or those of each by name.
        values : DataFrame or mapping of str to array
            Values of each variable at its places; NaN where it was not measured. Values
            of a variable at one place are averaged.
        variance : DataFrame or mapping of str to array, optional
            Variance of each value's measurement, of the variables that have one.

        Returns
        -------
        self : Cokriging
            The fitted interpolator.

        Raises
        ------
        InputError
            If names, shapes or CRS do not match, a variance is negative or missing, or
            a variable has no value.
        """
        columns = named_columns(values, "values")
        noise = {} if variance is None else named_columns(variance, "variances")
        given = self.coregionalization
        names = tuple(columns) if isinstance(given, str) else given.names
        means = {} if self.mean is None else dict(self.mean)
        parts: dict[str, Collection[str]] = {
            "values": columns,
            "variances": noise,
            "means": means,
        }
        if isinstance(points, Mapping):
            parts["points"] = points
        check_names(names, parts, self.target)
        absent = [name for name in names if name not in means]
        if means and absent:
            message = f"No mean of {', '.join(absent)}. Give one for each variable."
            raise InputError(message)
        self.crs_, points = common_crs(points, self.projection)
        ordered = {name: columns[name] for name in names}
        self.variables_ = variable_points(points, ordered, noise, self.crs_)
        self.points_ = self.variables_[self.target]
        self.n_dropped_ = self.points_.n_dropped
        self.n_merged_ = self.points_.n_merged
        self._prepare()
        return self

    def _prepare(self) -> None:
        """Fit the coregionalization if asked to, and factor the global system."""
        model = self.coregionalization
        if isinstance(model, str):
            model = fit_coregionalization(*one_table(self.variables_), model=model)  # type: ignore[arg-type]  # checked there
        self.coregionalization_ = model
        self._number = model.index(self.target)
        heights = np.diagonal(model.sills)
        if not (heights > 0).all():
            flat = [model.names[k] for k in np.flatnonzero(~(heights > 0))]
            message = f"{', '.join(flat)} have a sill of 0. Leave them out."
            raise InputError(message)
        self._scale = np.sqrt(heights)
        means = np.array(
            [
                part.values.mean() if self.mean is None else self.mean[name]  # noqa: PD011  a plain array
                for name, part in self.variables_.items()
            ]
        )
        self._centre = float(means[self._number])
        data = stacked(self.variables_, means)
        unit = self._scale[data.variable]
        columns = data.columns / unit[:, None]
        kinds = 0 if self.mean is not None else len(model.names)
        self._system = CokrigingSystem(
            model.scaled(1.0 / self._scale),
            replace(data, columns=columns, noise=data.noise / unit**2),
            drift=(data.variable[:, None] == np.arange(kinds)).astype(np.float64),
            neighborhood=self.neighborhood,
        )

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block; NaN where a target has no position or no data."""
        estimates, variances = np.full((2, len(targets)), np.nan)
        number, scale = self._number, self._scale[self._number]
        ordinary = self.mean is None
        kinds = len(self._scale) if ordinary else 0
        wanted = (np.arange(kinds) == number).astype(np.float64)
        for part, products in self._system.blocks(targets, number):
            estimate, variance = products.best(wanted, 1.0)
            there = products.there
            near = there[:, number] if ordinary else there.any(axis=1)
            filled = estimate[:, 0] * scale + self._centre
            estimates[part] = np.where(near, filled, np.nan)
            spread = np.maximum(variance, 0.0) * scale**2
            variances[part] = np.where(near, spread, np.nan)
        return {"estimate": estimates, "kriging_variance": variances}

    def _settings(self) -> dict[str, Any]:
        """Return the method with variables, coregionalization and neighbourhood."""
        model = self.coregionalization_
        counts = [f"{name} {len(p.values)}" for name, p in self.variables_.items()]
        row = model.correlation[self._number]
        pairs = zip(model.names, row, strict=True)
        settings = {
            "method": self.method,
            "target": self.target,
            "variables": ", ".join(counts),
            "coregionalization": str(model),
            "correlations": ", ".join(f"{name} {r:.3g}" for name, r in pairs),
            "coregionalization_flag": model.flag or None,
            "n_neighbors": self.neighborhood.n_neighbors,
            "max_distance": self.neighborhood.max_distance,
        }
        return {key: value for key, value in settings.items() if value is not None}
