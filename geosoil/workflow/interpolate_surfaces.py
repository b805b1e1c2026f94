"""The surfaces of an interpolation: estimates, their spread and their quantiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.grid_memory import check_memory, predicted_memory
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.large_grids import interpolate_blocks
from geosoil.interpolation.simulation import conditional_simulation
from geosoil.workflow.compute import computing
from geosoil.workflow.interpolate_composition import Whole
from geosoil.workflow.interpolate_inputs import InterpolateInputs
from geosoil.workflow.interpolate_methods import Maker, is_kriging
from geosoil.workflow.interpolate_request import InterpolateRequest

FloatArray = npt.NDArray[np.float64]

LARGE = 10**6
"""Cells above which a surface is made block by block."""

QUANTILES = (0.05, 0.5, 0.95)
"""Quantiles that are mapped."""


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """What an interpolation gave."""

    estimates: xr.Dataset
    """One variable a quantity, empty outside of the region."""
    sds: xr.Dataset
    """Standard deviations by the same names; no variable where there are none."""
    others: xr.Dataset
    """Quantiles and chances, ``<name>_p05`` and so on."""
    interpolators: Mapping[str, Interpolator]
    """Fitted interpolator of each quantity; of each balance by log-ratios."""
    attrs: Mapping[str, object]
    """How the surfaces were made."""
    words: tuple[str, ...] = ()
    """What a reader must know of them."""


def make_surfaces(
    makers: Mapping[str, Maker],
    method: str,
    request: InterpolateRequest,
    report: Callable[[str], None],
) -> Surfaces:
    """Make the surfaces of all quantities.

    Parameters
    ----------
    makers : mapping of str to Maker
        What makes the interpolators.
    method : str
        Method.
    request : InterpolateRequest
        What is asked.
    report : callable
        Called with a line a stage; the memory is told before the work.

    Returns
    -------
    surfaces : Surfaces
        Masked to the region.

    Raises
    ------
    GeosoilError
        If the memory is not enough, a system is singular, or the cluster fails.
    """
    inputs = next(iter(makers.values())).inputs
    if request.composition:
        return _composition(Whole(makers), method, request, report)
    ((name, maker),) = makers.items()
    noise = inputs.variance(name) if is_kriging(method) else None
    interpolator = maker.make(method).fit(inputs.points, maker.values, variance=noise)
    need = predicted_memory(interpolator, inputs.grid)
    report(f"memory: {need}")
    check_memory(need, inputs.grid, limit=request.memory)
    report(f"interpolating {name} on {inputs.grid}")
    surface = _surface(interpolator, inputs.grid, request)
    return _of_one(name, surface, interpolator, (inputs, request))


def _surface(
    interpolator: Interpolator, grid: Grid, request: InterpolateRequest
) -> xr.Dataset:
    """Make one surface; in blocks where it is large or a cluster is named."""
    if request.scheduler is None and grid.shape[0] * grid.shape[1] <= LARGE:
        return interpolator.grid(grid)
    with computing(request.scheduler):
        blocks = interpolate_blocks(interpolator, grid, memory_limit=request.memory)
        return blocks.compute()


def _of_one(
    name: str,
    surface: xr.Dataset,
    interpolator: Interpolator,
    how: tuple[InterpolateInputs, InterpolateRequest],
) -> Surfaces:
    """Name the surface of one quantity, and mask it to the region."""
    inputs, request = how
    inside = _inside(surface, inputs)
    units = request.quantities[0].units
    estimate = inside["estimate"]
    sds, others = {}, {}
    if "kriging_variance" in inside:
        sd = inside["kriging_variance"] ** 0.5
        words = f"kriging standard deviation of {name}"
        sds[name] = sd.assign_attrs(long_name=words)
        if request.quantiles and not request.simulations:
            others = normal_quantiles(name, estimate, sd)
    if request.simulations and isinstance(interpolator, Kriging):
        others = _simulated(name, interpolator, inputs, request)
    for layer in (estimate, *sds.values(), *others.values()):
        if units:
            layer.attrs.setdefault("units", units)
    return Surfaces(
        _dataset({name: estimate}, inputs.grid),
        _dataset(sds, inputs.grid),
        _dataset(others, inputs.grid),
        {name: interpolator},
        dict(surface.attrs),
    )


def _simulated(
    name: str,
    kriging: Kriging,
    inputs: InterpolateInputs,
    request: InterpolateRequest,
) -> dict[str, xr.DataArray]:
    """Return what realisations say: mean, spread, quantiles and a chance."""
    drawn = conditional_simulation(
        kriging,
        inputs.grid,
        n_realizations=request.simulations,
        seed=request.seed,
        memory_limit=request.memory,
    )
    told = f"of {request.simulations} simulations of {name}"
    found = _summaries(drawn.to_numpy(), request.threshold, told)
    rasters = {}
    for key, (raster, words) in found.items():
        layer = inputs.grid.raster(raster).where(inputs.mask)
        rasters[f"{name}_{key}"] = layer.assign_attrs(long_name=words)
    if request.threshold is not None:
        rasters[f"{name}_chance_above"].attrs["units"] = "1"
    return rasters


def _summaries(
    values: FloatArray, threshold: float | None, told: str
) -> dict[str, tuple[FloatArray, str]]:
    """Summarise realisations (realization, y, x), each with its words."""
    deviation = values.std(axis=0, ddof=1)
    found = {
        "simulated_mean": (values.mean(axis=0), f"mean {told}"),
        "simulated_sd": (deviation, f"standard deviation {told}"),
    }
    levels = np.quantile(values, QUANTILES, axis=0)
    for share, level in zip(QUANTILES, levels, strict=True):
        words = f"{100 * share:.0f} % quantile {told}"
        found[f"p{100 * share:02.0f}"] = (level, words)
    if threshold is not None:
        above = (values > threshold).mean(axis=0)
        chance = np.where(np.isnan(deviation), np.nan, above)
        found["chance_above"] = (chance, f"share {told} above {threshold:g}")
    return found


def normal_quantiles(
    name: str, estimate: xr.DataArray, sd: xr.DataArray
) -> dict[str, xr.DataArray]:
    """Return quantiles of a normal distribution of the errors.

    Parameters
    ----------
    name : str
        Name of the quantity.
    estimate, sd : DataArray
        Its mean and standard deviation.

    Returns
    -------
    quantiles : dict of str to DataArray
        ``<name>_p05``, ``_p50`` and ``_p95``.

    Examples
    --------
    >>> one = xr.DataArray([1.0])
    >>> sorted(normal_quantiles("zinc", one, one))
    ['zinc_p05', 'zinc_p50', 'zinc_p95']
    """
    found = {}
    for share in QUANTILES:
        words = f"{100 * share:.0f} % quantile of {name}, normal errors"
        level = estimate + float(ndtri(share)) * sd
        found[f"{name}_p{100 * share:02.0f}"] = level.assign_attrs(long_name=words)
    return found


def _dataset(rasters: Mapping[str, xr.DataArray], grid: Grid) -> xr.Dataset:
    """Return rasters of one grid as one dataset."""
    return xr.Dataset(
        {name: grid.georeference(raster) for name, raster in rasters.items()}
    )


def _composition(
    whole: Whole,
    method: str,
    request: InterpolateRequest,
    report: Callable[[str], None],
) -> Surfaces:
    """Make the surfaces of the parts of a whole, which sum to 1."""
    _tell_memory(whole, method, request, report)
    report(f"interpolating {', '.join(whole.names)} on {whole.inputs.grid}")
    if method == "ilr":
        return _log_ratios(whole, request)
    found = whole.by_domain(method)
    domains = found.interpolators
    labels = list(dict.fromkeys(label for label, _ in domains))
    fitted = {
        name if len(labels) == 1 else f"{label}: {name}": one
        for (label, name), one in domains.items()
    }
    rules = "; ".join(str(rule) for rule in whole.inputs.rules)
    attrs = {
        "zero_rules": rules or "none",
        "description": "part by part at the points where the same sources are "
        "possible, then moved to the nearest composition (Euclidean)",
    }
    words = tuple(_domain_words(found.domains, every=len(found.domains) > 1))
    return _of_whole(found.surfaces, whole.inputs, (fitted, attrs, words))


def _log_ratios(whole: Whole, request: InterpolateRequest) -> Surfaces:
    """Make the surfaces by log-ratios, with quantiles where they are asked for."""
    inputs, names = whole.inputs, whole.names
    parts, height = whole.log_ratios(), inputs.rasters.elevation
    found = parts.grid(inputs.grid, elevation=height)
    words = _domain_words(parts.domains_, every=len(parts.domains_) > 1)
    if len(parts.replaced_):
        words.append(f"{len(parts.replaced_)} zeros of rounding replaced")
    how = (parts.interpolators_, found.attrs, tuple(words))
    surfaces = _of_whole(found, inputs, how)
    if not request.quantiles:
        return surfaces
    levels = parts.quantiles(inputs.grid, elevation=height, q=QUANTILES)
    others: dict[str, xr.DataArray] = {}
    for order, share in enumerate(QUANTILES):
        layer = _inside(levels.isel(quantile=order, drop=True), inputs)
        for name in names:
            told = f"{100 * share:.0f} % quantile of the fraction of {name}"
            others[f"{name}_p{100 * share:02.0f}"] = layer[name].assign_attrs(
                long_name=told, units="1"
            )
    return replace(surfaces, others=_dataset(others, inputs.grid))


def _of_whole(
    found: xr.Dataset,
    inputs: InterpolateInputs,
    how: tuple[Mapping[str, Interpolator], Mapping[Any, Any], tuple[str, ...]],
) -> Surfaces:
    """Name the surfaces of parts, and mask them to the region."""
    inside, names = _inside(found, inputs), inputs.names
    sds = {name: inside[f"{name}_sd"] for name in names if f"{name}_sd" in inside}
    fitted, attrs, words = how
    return Surfaces(
        _dataset({name: inside[name] for name in names}, inputs.grid),
        _dataset(sds, inputs.grid),
        xr.Dataset(),
        fitted,
        {str(key): value for key, value in attrs.items()},
        words,
    )


def _domain_words(domains: pd.DataFrame, *, every: bool) -> list[str]:
    """Say which sources are possible where, and where there is no answer."""
    return [
        f"{row['sources']}: {row['n_sites']} points, {row['n_cells']} cells"
        + (f", no answer: {row['reason']}" if row["reason"] else "")
        for row in domains.to_dict("records")
        if every or row["reason"]
    ]


def _tell_memory(
    whole: Whole,
    method: str,
    request: InterpolateRequest,
    report: Callable[[str], None],
) -> None:
    """Tell how much memory all parts take together; raise where it is not there."""
    inputs, (name, maker) = whole.inputs, next(iter(whole.makers.items()))
    one = maker.make("ok" if method == "ilr" else method)
    one.fit(inputs.points, inputs.values(name))
    need = predicted_memory(one, inputs.grid)
    need = replace(need, planes=need.planes * len(whole.names))
    report(f"memory: {need}")
    check_memory(need, inputs.grid, limit=request.memory)


def _inside(surfaces: xr.Dataset, inputs: InterpolateInputs) -> xr.Dataset:
    """Empty the cells outside of the region; attributes stay."""
    inside = surfaces.where(inputs.mask)
    for name in surfaces.data_vars:
        inside[name].attrs = surfaces[name].attrs
    return inside


def check_answered(surfaces: Surfaces, inputs: InterpolateInputs) -> None:
    """Raise where no cell has an estimate.

    Parameters
    ----------
    surfaces : Surfaces
        The surfaces.
    inputs : InterpolateInputs
        The inputs, for the message.

    Raises
    ------
    InputError
        If there is none.
    """
    first = surfaces.estimates[inputs.names[0]]
    if bool(np.isfinite(first).any()):
        return
    message = (
        f"No cell of the grid has an estimate ({inputs.grid}). Check that it lies near "
        "the points, that the drift covers it, or give a larger --max-distance."
    )
    raise InputError(message)
