"""The gridded results of a study as labelled variables with CF attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.grids.composites import monthly_composite
from geosoil.grids.grid import Grid
from geosoil.plotting.correlation_captions import in_words
from geosoil.workflow.correlation import CorrelationResult
from geosoil.workflow.cube_time import (
    PeriodTimes,
    month_axis,
    month_number,
    period_times,
    time_axis,
)
from geosoil.workflow.inputs import StudyInputs, matching_files
from geosoil.workflow.mapping import FractionMaps, PeriodMap
from geosoil.workflow.series import open_study_ndvi

OF_FRACTIONS = {
    "": "fraction of {} in soil water",
    "_sd": "standard deviation of the fraction of {} in soil water",
    "_p05": "5 % quantile of the fraction of {} in soil water",
    "_p95": "95 % quantile of the fraction of {} in soil water",
}
"""Long names of what is told of a fraction."""

OVER_TIME = {
    "r": "correlation coefficient of {} and {} over the years",
    "p_value": "two-sided p value of the correlation of {} and {} over the years",
    "q_value": "smallest false discovery rate at which the correlation of {} and {} is "
    "significant",
    "n": "number of years with both {} and {}",
    "n_effective": "effective number of years with both {} and {}",
    "reason": "why there is no correlation of {} and {} over the years",
}
"""Long names of what is told of a correlation over time."""

IN_WINDOWS = {
    "r": "correlation coefficient of {} and {} in a moving window of one year",
    "n": "number of cells of a window with both {} and {}",
    "reason": "why there is no correlation of {} and {} in a window",
}
"""Long names of what is told of a correlation over space."""

SUPPORT = "fraction_support"

MISSING = -9999.0
"""Number of missing cells, as in the GeoTIFFs."""

_FLAGS = ("flag_values", "flag_masks", "flag_meanings")
_NO_FLAG = 255


def quantity(
    values: npt.NDArray[np.generic], dims: tuple[str, ...], attrs: Mapping[str, object]
) -> xr.DataArray:
    """Return a variable in single precision, its gaps stored as in the GeoTIFFs.

    Parameters
    ----------
    values : array
        Values, NaN where missing.
    dims : tuple of str
        Names of its axes.
    attrs : mapping
        Attributes.

    Returns
    -------
    variable : DataArray
        The variable.

    Examples
    --------
    >>> quantity(np.eye(2), ("y", "x"), {"units": "1"}).encoding["_FillValue"]
    np.float32(-9999.0)
    """
    variable = xr.DataArray(values.astype(np.float32), dims=dims, attrs=dict(attrs))
    variable.encoding["_FillValue"] = np.float32(MISSING)
    return variable


def flags(
    codes: npt.NDArray[np.generic], dims: tuple[str, ...], attrs: Mapping[str, object]
) -> xr.DataArray:
    """Return a variable of codes as bytes, 255 where missing.

    Parameters
    ----------
    codes : array
        Codes from 0 to 254, NaN where missing.
    dims : tuple of str
        Names of its axes.
    attrs : mapping
        Attributes; ``flag_values`` and ``flag_masks`` become bytes.

    Returns
    -------
    variable : DataArray
        The variable.

    Examples
    --------
    >>> codes = flags(np.array([1, np.nan]), ("x",), {"flag_values": [1]})
    >>> codes.attrs["flag_values"].dtype, codes.encoding["dtype"]
    (dtype('uint8'), 'uint8')
    """
    bytes_ = {
        key: np.asarray(value, dtype=np.uint8)
        for key, value in attrs.items()
        if key in _FLAGS[:2]
    }
    variable = xr.DataArray(
        codes.astype(np.float32), dims=dims, attrs={**attrs, **bytes_}
    )
    variable.encoding = {"dtype": "uint8", "_FillValue": np.uint8(_NO_FLAG)}
    return variable


def study_grid_layers(inputs: StudyInputs, maps: FractionMaps) -> xr.Dataset:
    """Return everything that lies on the study grid.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    maps : FractionMaps
        Maps of the source fractions.

    Returns
    -------
    layers : Dataset with dims y, x and time, or period where no sample has a date
        Fractions with sd, 5 and 95 % quantiles, their support, elevation and classes.
    """
    layers = _axes(inputs.grid)
    if maps.periods:
        layers = layers.merge(fraction_layers(inputs, maps))
    if inputs.elevation is not None:
        layers["elevation"] = quantity(
            inputs.elevation.to_numpy(),
            ("y", "x"),
            {
                "standard_name": "surface_altitude",
                "long_name": "mean elevation of the cell",
                "units": "m",
                "cell_methods": "area: mean",
            },
        )
    for name, layer in inputs.layers.items():
        codes = sorted(layer.labels)
        said = {
            "long_name": f"{name.replace('_', ' ')} class that covers most of the cell",
            "flag_values": codes,
            "flag_meanings": " ".join(flag_word(layer.labels[code]) for code in codes),
            "cell_methods": "area: mode",
        }
        layers[f"{name}_class"] = flags(layer.codes.to_numpy(), ("y", "x"), said)
    return layers


def _axes(grid: Grid) -> xr.Dataset:
    """Return a dataset that lies on a grid and holds nothing yet."""
    return grid.raster(np.broadcast_to(np.nan, grid.shape)).coords.to_dataset()


def flag_word(label: str) -> str:
    """Return a label as one word, as CF wants the meanings of flags.

    Parameters
    ----------
    label : str
        Label of a class.

    Returns
    -------
    word : str
        Letters, digits and ``_ - . + @``.

    Examples
    --------
    >>> flag_word("alpine meadow soil (wet)")
    'alpine_meadow_soil_wet'
    """
    return re.sub(r"[^\w.+@-]+", "_", label).strip("_") or "unnamed"


def fraction_layers(inputs: StudyInputs, maps: FractionMaps) -> xr.Dataset:
    """Return the source fractions of all periods.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    maps : FractionMaps
        Maps of one period or more.

    Returns
    -------
    layers : Dataset with dims time or period, y, x
        ``fraction_<source>``, its ``_sd``, ``_p05`` and ``_p95``, and
        ``fraction_support``; NaN where a source is none in a period.
    """
    times = period_times(inputs.samples, tuple(maps.periods))
    periods = times.periods if times else tuple(maps.periods)
    dim = "time" if times else "period"
    layers = time_axis(times) if times else xr.Dataset(coords={dim: list(periods)})
    chosen = [maps.periods[name] for name in periods]
    dims = (dim, "y", "x")
    sources = dict.fromkeys(name for one in chosen for name in one.sites.sources)
    for source in sources:
        name = f"fraction_{source}"
        beside = " ".join([*(f"{name}{end}" for end in OF_FRACTIONS if end), SUPPORT])
        for end, words in OF_FRACTIONS.items():
            said = {
                "long_name": words.format(source.replace("_", " ")),
                "units": "1",
                "cell_methods": _means(times, dim),
                "comment": _methods(periods, chosen),
            }
            if not end:
                said["ancillary_variables"] = beside
            values = [_layer(one, f"{source}{end}") for one in chosen]
            layers[f"{name}{end}"] = quantity(np.stack(values), dims, said)
    reasons = [one.maps["support"] for one in chosen]
    codes = np.stack([reason.to_numpy() for reason in reasons]).astype(np.float32)
    codes[codes == _NO_FLAG] = np.nan
    said = {key: reasons[0].attrs[key] for key in ("long_name", *_FLAGS[1:])}
    said["standard_name"] = "quality_flag"
    layers[SUPPORT] = flags(codes, dims, said)
    return layers


def _layer(one: PeriodMap, name: str) -> npt.NDArray[np.generic]:
    """Values of a layer; NaN where the period does not have its source."""
    if name in one.maps:
        return np.asarray(one.maps[name].to_numpy())
    return np.full(one.maps["support"].shape, np.nan)


def _means(times: PeriodTimes | None, dim: str) -> str:
    """Say what a fraction is the mean of."""
    if times is not None and times.is_climatology:
        return "time: mean within years time: mean over years (points of area)"
    return f"area: point {dim}: mean"


def _methods(periods: Iterable[str], chosen: Iterable[PeriodMap]) -> str:
    """Say by which method each period was mapped."""
    said = [
        f"{period}: {one.maps.attrs['method']}"
        for period, one in zip(periods, chosen, strict=True)
    ]
    return "; ".join(said)


def ndvi_layers(inputs: StudyInputs, maps: FractionMaps) -> list[xr.Dataset]:
    """Return the NDVI of the months of the fractions.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    maps : FractionMaps
        Maps of the source fractions.

    Returns
    -------
    layers : list of Dataset with dims time, y, x
        One, with ``ndvi``: the mean of the 16-day composites of each month by days of
        overlap, on their own grid. Empty without composites, or where the periods
        have no single year.
    """
    times = period_times(inputs.samples, tuple(maps.periods))
    pattern = inputs.config.ndvi.composites
    if pattern is None or times is None or times.is_climatology:
        return []
    files = matching_files(pattern, "ndvi.composites")
    found = monthly_composite(open_study_ndvi(inputs, files))["ndvi"]
    months = [
        np.datetime64(f"{years[0]:04d}-{month_number(name):02d}-01", "ns")
        for name, years in zip(times.periods, times.years, strict=True)
    ]
    monthly = found.reindex(time=months)
    grid = Grid.of(monthly)
    layers = _axes(grid)
    said = {
        "standard_name": "normalized_difference_vegetation_index",
        "long_name": "NDVI, mean of the 16-day composites by days of overlap",
        "units": "1",
        "cell_methods": "area: time: mean",
    }
    layers["ndvi"] = quantity(monthly.to_numpy(), ("time", "y", "x"), said)
    return [layers.merge(time_axis(times))]


def correlation_layers(found: CorrelationResult, y: str) -> list[xr.Dataset]:
    """Return the correlations of each variable, for every month, by their grids.

    Parameters
    ----------
    found : CorrelationResult
        Correlations of a study.
    y : str
        Variable that is explained.

    Returns
    -------
    parts : list of Dataset with dims month, y, x
        ``correlation_<x>_<y>_r`` and what belongs to it; one dataset a grid.
    """
    months = tuple(dict.fromkeys(month for _, month in found.maps))
    parts: dict[Grid, xr.Dataset] = {}
    for x in dict.fromkeys(name for name, _ in found.maps):
        grid = Grid.of(next(one for (name, _), one in found.maps.items() if name == x))
        if grid not in parts:
            parts[grid] = _axes(grid).merge(month_axis(months))
        place = parts[grid]
        for kind, words, maps in (
            ("", OVER_TIME, found.maps),
            ("window_", IN_WINDOWS, found.windows),
        ):
            own = {month: one for (name, month), one in maps.items() if name == x}
            stem = f"correlation_{x}_{y}_{kind}"
            for name in words if own else ():
                layers = [
                    own[month][name] if month in own else None for month in months
                ]
                said = _said(own, (stem, name), words)
                said["long_name"] = words[name].format(
                    *(in_words(one) for one in (x, y))
                )
                place[f"{stem}{name}"] = _of_months(layers, grid, said)
    return list(parts.values())


def _of_months(
    layers: list[xr.DataArray | None], grid: Grid, said: dict[str, object]
) -> xr.DataArray:
    """Stack the layers of months; a month without one is missing."""
    values = [
        np.full(grid.shape, np.nan) if one is None else one.to_numpy() for one in layers
    ]
    known = next(one for one in layers if one is not None)
    marks = {key: known.attrs[key] for key in _FLAGS if key in known.attrs}
    dims = ("month", "y", "x")
    if marks:
        return flags(np.stack(values), dims, {**said, **marks})
    return quantity(np.stack(values), dims, {**said, "units": "1"})


def _said(
    own: Mapping[str, xr.Dataset], name: tuple[str, str], words: Mapping[str, str]
) -> dict[str, object]:
    """Attributes of a layer of a correlation."""
    stem, layer = name
    said: dict[str, object] = {}
    if layer == "r":
        said["ancillary_variables"] = " ".join(
            f"{stem}{other}" for other in words if other != "r"
        )
    if layer == "q_value":
        said["p_star"] = np.array([one.attrs["p_star"] for one in own.values()])
    keys = ("method", "detrended", "years", "year", "window", "min_pairs", "fdr")
    for key in keys:
        values = dict.fromkeys(
            str(one.attrs[key]) for one in own.values() if key in one.attrs
        )
        if values:
            said[key] = ", ".join(values)
    return said
