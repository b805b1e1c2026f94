"""Write what an interpolation gave: rasters, NetCDF, tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geosoil import __version__
from geosoil.interpolation.kriging import Kriging
from geosoil.io._atomic import write_bytes, write_csv, write_text
from geosoil.io.class_sidecar import with_sidecars
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf
from geosoil.workflow.class_colours import flag_colours
from geosoil.workflow.gis_styles import write_styles
from geosoil.workflow.interpolate_figures import draw_figures
from geosoil.workflow.interpolate_methods import IN_WORDS
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_summary import Results
from geosoil.workflow.plain_json import strict_json
from geosoil.workflow.records import write_command_record
from geosoil.workflow.simulated import simulated_tag

Layer = tuple[str, xr.DataArray, str]

OUTSIDE = 255
"""Code of the raster of support outside of the region."""


def write_interpolation(
    results: Results,
    summary: pd.DataFrame,
    request: InterpolateRequest,
    folder: Path,
) -> tuple[Path, ...]:
    """Write every result of an interpolation.

    Parameters
    ----------
    results : Results
        What was found.
    summary : DataFrame
        One row a quantity.
    request : InterpolateRequest
        What was asked.
    folder : Path
        Where files go.

    Returns
    -------
    paths : tuple of Path
        Files written. The figures are drawn before the first of them.
    """
    figures = draw_figures(results, request)
    tags = _tags(results, request)
    paths = [
        write_geotiff(
            layer,
            folder / f"{stem}.tif",
            description=words,
            tags=tags,
            colours=flag_colours(layer),
        )
        for stem, layer, words in _layers(results)
    ]
    paths += write_styles(paths)
    title = f"{', '.join(results.inputs.names)} by {tags['method']}"
    content = _one_dataset(results)
    attrs = {**tags, "title": title}
    paths.append(write_netcdf(content, folder / "interpolation.nc", attrs=attrs))
    paths += [
        write_csv(table, folder / f"{stem}.csv")
        for stem, table in _tables(results, summary)
    ]
    paths.append(
        write_text(strict_json(summary.to_dict("records")), folder / "summary.json")
    )
    paths += [write_bytes(data, folder / f"{name}.png") for name, data in figures]
    paths = with_sidecars(paths)
    record = write_command_record(asdict(request), results.inputs.files, paths, folder)
    paths.append(record)
    return tuple(paths)


def _layers(results: Results) -> Iterator[Layer]:
    """Yield each raster with the stem of its file and its description."""
    surfaces = results.surfaces
    for name in results.inputs.names:
        yield f"{name}_estimate", surfaces.estimates[name], f"estimate of {name}"
        if name in surfaces.sds:
            words = f"standard deviation of {name}"
            yield f"{name}_sd", surfaces.sds[name], words
    for other in map(str, surfaces.others.data_vars):
        layer = surfaces.others[other]
        yield other, layer, str(layer.attrs.get("long_name", other))
    reason = results.judgement.support["reason"]
    inside = results.inputs.mask.to_numpy()
    codes = np.where(inside, reason.to_numpy(), OUTSIDE).astype(np.uint8)
    reason = reason.copy(data=codes).assign_attrs(nodata=OUTSIDE)
    yield _support_stem(results), reason, str(reason.attrs["long_name"])


def _support_stem(results: Results) -> str:
    """Return the name of the raster of support; one for all parts of a whole."""
    names = results.inputs.names
    return f"{names[0]}_support" if len(names) == 1 else "support"


def _one_dataset(results: Results) -> xr.Dataset:
    """Return all rasters as one dataset."""
    surfaces, judgement = results.surfaces, results.judgement
    layers: dict[str, xr.DataArray] = {}
    for name in results.inputs.names:
        layers[name] = surfaces.estimates[name]
        if name in surfaces.sds:
            layers[f"{name}_sd"] = surfaces.sds[name]
    layers |= {str(n): surfaces.others[n] for n in surfaces.others.data_vars}
    layers["support"] = judgement.support["reason"]
    layers["distance_to_data"] = judgement.support["distance"]
    return xr.Dataset(layers)


def _tags(results: Results, request: InterpolateRequest) -> dict[str, object]:
    """Return what every file says of its making."""
    choice, inputs = results.choice, results.inputs
    made = {
        key: value
        for key, value in results.surfaces.attrs.items()
        if key != "method" and isinstance(value, str | int | float)
    }
    words = str(results.surfaces.attrs.get("method", ""))
    method = IN_WORDS.get(choice.method, choice.method)
    return {
        **made,
        "method": method if words in ("", method) else f"{method}; {words}",
        "chosen_by": "; ".join(choice.words) or "the user",
        "columns": ", ".join(one.column for one in request.quantities),
        "period": request.period or "",
        "seed": request.seed,
        "support_flags": str(
            results.judgement.support["reason"].attrs["flag_meanings"]
        ),
        "rules_applied": str(
            results.judgement.support["reason"].attrs["rules_applied"]
        ),
        "simulated": simulated_tag(inputs.simulated),
        "inputs": ", ".join(file.name for file in inputs.files[:20]),
        "software": f"geosoil {__version__}",
    }


def _tables(
    results: Results, summary: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with the stem of its file."""
    choice, judgement = results.choice, results.judgement
    yield "interpolation_summary", summary
    variograms = variogram_table(results)
    if not variograms.empty:
        yield "variogram", variograms
    if choice.validations:
        yield (
            "cross_validation",
            pd.concat(
                [
                    found.table.rename_axis("row").reset_index().assign(quantity=name)
                    for name, found in choice.validations.items()
                ],
                ignore_index=True,
            ),
        )
        yield "cross_validation_scores", choice.ranking
    yield "means", judgement.means
    yield "support", judgement.areas.rename_axis("reason").reset_index()


def variogram_table(results: Results) -> pd.DataFrame:
    """Return the empirical variograms with the model beside them.

    Parameters
    ----------
    results : Results
        What was found.

    Returns
    -------
    table : DataFrame
        ``quantity``, ``n``, ``distance`` [m], ``gamma``, ``model_gamma`` and the
        parameters of the model; empty where nothing was kriged.
    """
    tables = []
    for name, fitted in results.surfaces.interpolators.items():
        if not isinstance(fitted, Kriging):
            continue
        variogram = fitted.variogram_
        classes = pd.DataFrame({"n": [], "distance": [], "gamma": []})
        if variogram.fit is not None:
            classes = variogram.fit.classes
        table = classes.assign(
            model_gamma=variogram.gamma(classes["distance"].to_numpy()),
            model=variogram.model,
            nugget=variogram.nugget,
            sill=variogram.sill,
            range_m=getattr(variogram, "range_", np.nan),
            flag=variogram.flag,
        )
        table.insert(0, "quantity", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
