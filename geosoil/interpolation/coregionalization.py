"""Fits of a linear model of coregionalisation to several variables at points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation import coregionalization_model
from geosoil.interpolation.base import ALBERS, FittedPoints, FloatArray, Points
from geosoil.interpolation.coregionalization_pairs import (
    PairArrays,
    VariablePlaces,
    pair_classes,
    variable_places,
)
from geosoil.interpolation.coregionalization_parts import (
    CoregionalizationFit,
    CoregionalStructure,
)
from geosoil.interpolation.coregionalization_sills import SillMatrices, fit_sills
from geosoil.interpolation.empirical import (
    N_BINS,
    DistanceClasses,
    default_cutoff,
    structure_p_value,
)
from geosoil.interpolation.variogram_fit import FitSettings
from geosoil.interpolation.variogram_models import MODELS, ModelName, rise
from geosoil.interpolation.variogram_search import (
    search_box,
    search_line,
    search_spans,
)

Coregionalization = coregionalization_model.Coregionalization

COARSE = 8
"""Ranges tried of each of two structures before the search is refined."""

SEARCH_TOLERANCE = 1e-6
"""Change of the matrices at which their rounds end while ranges are searched."""

SIGNIFICANCE = 0.05
REACHED = 0.95
"""Share of its sill at the cutoff below which a structure is said to rise still."""


def fit_coregionalization(  # noqa: PLR0913  the face of the room
    points: Points,
    values: pd.DataFrame,
    *,
    model: ModelName = "spherical",
    n_structures: Literal[1, 2] = 1,
    ranges: Sequence[float] | None = None,
    smoothness: float | None = None,
    cutoff: float | None = None,
    n_bins: int = N_BINS,
    projection: str | CRS = ALBERS,
) -> Coregionalization:
    """Fit a linear model of coregionalisation to several variables at points.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : DataFrame, n rows
        One column a variable; NaN where it was not measured. Values at one place are
        averaged.
    model : str
        Kind of the rise of every structure.
    n_structures : {1, 2}
        Number of structures beside the nugget.
    ranges : sequence of float, optional
        Range parameter of each structure [m]; searched by default.
    smoothness : float, optional
        Smoothness of the models that have one.
    cutoff : float, optional
        Largest distance [m]; a third of the diagonal of the points' box by default.
    n_bins : int
        Number of classes of distance.
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    model : Coregionalization
        The fit with its report in ``fit``; ``flag`` says what a reader must know: a
        matrix that was kept positive semi-definite, two variables that were never
        measured together (their cross sills are 0), a variance that still rises.

    Raises
    ------
    InputError
        If a setting cannot be (all at once), a variable has fewer than 3 values or
        equal ones, or no two places lie within the cutoff.

    Notes
    -----
    Least squares over the classes of all variograms and cross variograms, each variable
    in its standard deviations, with weights N / h**2. For given ranges the matrices are
    exact (:func:`geosoil.interpolation.coregionalization_sills.fit_sills`), the ranges
    are searched. Where no matrix has to be kept positive semi-definite, the sills of
    each pair are those of gstat's fit.lmc with the same ranges.

    References
    ----------
    Goulard and Voltz (1992), Linear coregionalization model: Tools for estimation and
    choice of cross-variogram matrix, Mathematical Geology 24, doi:10.1007/BF00893750.

    Examples
    --------
    >>> x = np.arange(60.0) * 100.0
    >>> sites = np.column_stack([x, np.zeros(60)])
    >>> table = pd.DataFrame({"a": np.sin(x / 1000), "b": 2 - 3 * np.sin(x / 1000)})
    >>> fitted = fit_coregionalization(sites, table, ranges=[2000.0])
    >>> fitted.correlation.round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    settings = FitSettings(
        model=model, n_bins=n_bins, structures=n_structures, smoothness=smoothness
    )
    _check_ranges(ranges, n_structures, model)
    places = variable_places(points, values, projection)
    reach = default_cutoff(places.xy) if cutoff is None else cutoff
    table = pair_classes(places, DistanceClasses(reach, n_bins))
    if table.empty:
        message = (
            f"No two places lie within the cutoff of {reach:g} m. Give a longer one."
        )
        raise InputError(message)
    job = _Job(places, PairArrays.of(table, places), settings, reach)
    found, searched = _ranges(job) if ranges is None else (np.sort(ranges), True)
    sills = fit_sills(job.arrays, job.rises(found))
    flags = _notes(job, found, sills, searched)
    report = CoregionalizationFit(
        cutoff=reach,
        n_points=places.counts(),
        classes=table,
        sse=sills.squares,
        lowest_eigenvalues=sills.lowest,
        rounds=sills.rounds,
        converged=sills.converged and searched,
        flags=tuple(flags),
    )
    return _built(job, found, sills.matrices, report)


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What a fit works on."""

    places: VariablePlaces
    arrays: PairArrays
    settings: FitSettings
    cutoff: float

    def rises(self, ranges: FloatArray) -> FloatArray:
        """Return the rise of nugget and structures at all distances."""
        h, model = self.arrays.distance, self.settings.model
        smoothness = self.settings.given_smoothness
        parts = [rise(model, h, a, smoothness=smoothness) for a in ranges]
        return np.stack([np.ones_like(h), *parts])


def _check_ranges(
    ranges: Sequence[float] | None, n_structures: int, model: str
) -> None:
    """Raise on ranges and models that give no covariance."""
    faults = []
    if not MODELS[model].bounded or model == "nugget":
        faults.append(f"model '{model}' has no structure with a sill")
    if ranges is not None:
        given = np.asarray(ranges, dtype=np.float64)
        good = given.shape == (n_structures,) and np.isfinite(given).all()
        if not (good and (given > 0).all()):
            faults.append(
                f"ranges {ranges} for {n_structures} structures, give one above 0 each"
            )
    if faults:
        message = f"Invalid coregionalization: {'; '.join(faults)}."
        raise InputError(message)


def _ranges(job: _Job) -> tuple[FloatArray, bool]:
    """Return the ranges with the least squares, and whether the search ended."""
    nearest = job.arrays.distance[job.arrays.weights > 0].min()
    spans = search_spans(job.settings, float(nearest), job.cutoff)

    def loss(theta: FloatArray) -> float:
        rises = job.rises(np.exp(theta))
        return fit_sills(job.arrays, rises, tolerance=SEARCH_TOLERANCE).squares

    if len(spans) == 1:
        best, ended = search_line(loss, spans)
    else:
        best, ended = search_box(loss, spans, coarse=COARSE)
    return np.sort(np.exp(best)), ended


def _built(
    job: _Job, ranges: FloatArray, matrices: FloatArray, report: CoregionalizationFit
) -> Coregionalization:
    """Return the model in the units of the variables."""
    spread = job.places.spread
    nugget, *parts = matrices * np.outer(spread, spread)
    structures = tuple(
        CoregionalStructure(
            part, job.settings.model, float(range_), job.settings.given_smoothness
        )
        for part, range_ in zip(parts, ranges, strict=True)
    )
    flag = "; ".join(report.flags)
    return Coregionalization(job.places.names, nugget, structures, flag, report)


def _notes(
    job: _Job, ranges: FloatArray, sills: SillMatrices, searched: bool
) -> list[str]:
    """Return what a reader must know about a fit."""
    names, notes = job.places.names, []
    labels = ["the nugget", *(f"the structure of {a:g} m" for a in ranges)]
    for label, lowest in zip(labels, sills.lowest, strict=True):
        if sills.rounds and lowest < 0:
            notes.append(
                f"{label} was kept positive semi-definite (least squares alone: "
                f"eigenvalue {lowest:.2g})"
            )
    for i, j in np.argwhere(~np.triu(job.arrays.known)):
        if i < j:
            notes.append(
                f"'{names[i]}' and '{names[j]}' were never measured at the same "
                "places, their cross sills are 0"
            )
    smoothness = job.settings.given_smoothness
    for a in ranges:
        if rise(job.settings.model, job.cutoff, a, smoothness=smoothness) < REACHED:
            notes.append(f"the structure of {a:g} m still rises at the cutoff")
    notes += _chance_notes(job)
    if not (searched and sills.converged):
        notes.append("the search did not converge")
    return notes


def _chance_notes(job: _Job) -> list[str]:
    """Name the variables whose near values are no more alike than chance makes them."""
    notes = []
    for name, column in zip(job.places.names, job.places.columns.T, strict=True):
        known = np.isfinite(column)
        points = FittedPoints(job.places.xy[known], column[known], None, 0, 0)
        chance = structure_p_value(points, job.cutoff)
        if chance > SIGNIFICANCE:
            notes.append(
                f"near values of '{name}' are no more alike than chance makes them "
                f"(p = {chance:.2g})"
            )
    return notes
