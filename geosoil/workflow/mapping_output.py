"""The maps of a period as labelled layers, and the files that they are written to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from geosoil import __version__
from geosoil.config import config_hash
from geosoil.grids.grid import FloatArray
from geosoil.io.class_sidecar import with_sidecars
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf
from geosoil.workflow.class_colours import flag_colours
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping_choice import Choice
from geosoil.workflow.mapping_draws import NAMES, Spread
from geosoil.workflow.mapping_methods import WORDS
from geosoil.workflow.mapping_sites import PeriodSites, site_answer
from geosoil.workflow.simulated import simulated_tag

LAYERS = {
    "sd": "standard deviation of the fraction of {}, mixing and interpolation",
    "sd_mixing": "standard deviation of the fraction of {} by the error of the mixing",
    "sd_interpolation": "standard deviation of the fraction of {} by what the "
    "interpolation leaves open",
    "mean": "mean of the draws of the fraction of {}",
    "p05": "5 % quantile of the fraction of {}",
    "p95": "95 % quantile of the fraction of {}",
}
"""Long names of the layers that stand beside a fraction."""

WRITTEN = ("sd", "p05", "p95")
"""Layers that have a GeoTIFF of their own; all are in the NetCDF."""

OF_SD = (
    "sd of the draws, each with one drawing of the end members for all sites, each "
    "site's own error and what the interpolation leaves open; sd**2 = sd_mixing**2 + "
    "sd_interpolation**2"
)


NOT_DRAWN = (
    "; the error of the evaporation that was assumed, common to all sites, is not in it"
)
"""What is added where evaporation is solved with the shares."""


def labelled_maps(
    inputs: StudyInputs,
    sites: PeriodSites,
    values: dict[str, FloatArray],
    spread: Spread,
    reason: xr.DataArray,
) -> xr.Dataset:
    """Label the layers of a period.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    values : dict of str to array, shape (y, x)
        Fractions, NaN outside of the region.
    spread : Spread
        What the draws tell; NaN where no site has to tell a fraction.
    reason : DataArray
        Why a cell is not supported.

    Returns
    -------
    maps : Dataset with dims y, x
        ``<source>``, ``<source>_sd`` and so on, and ``support``. With
        ``unsupported = "mask"`` cells without support are NaN.
    """
    grid = inputs.grid
    maps = xr.Dataset()
    hidden = np.zeros(grid.shape, dtype=bool)
    if inputs.config.interpolation.unsupported == "mask":
        hidden = reason.to_numpy() > 0
    for source in sites.sources:
        plain = source.replace("_", " ")
        fraction = np.where(hidden, np.nan, values[source])
        maps[source] = grid.raster(fraction)
        maps[source].attrs = {"units": "1", "long_name": f"fraction of {plain}"}
        for name in NAMES:
            layer = spread.layers[source][name]
            sure = 0.0 if name.startswith("sd") else fraction
            layer = np.where(np.isfinite(layer), layer, sure)
            maps[f"{source}_{name}"] = grid.raster(
                np.where(np.isfinite(fraction), layer, np.nan)
            )
            words = {"units": "1", "long_name": LAYERS[name].format(plain)}
            maps[f"{source}_{name}"].attrs = words
    maps["support"] = reason
    return maps


def describe(
    inputs: StudyInputs, sites: PeriodSites, choice: Choice
) -> dict[str, object]:
    """Return the words that every file of a period carries.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    choice : Choice
        Its method.

    Returns
    -------
    tags : dict
        Method, why it was taken, zero rules, uncertainty, period, data.
    """
    config = inputs.config
    modelled = site_answer(inputs, sites).prior is not None
    return {
        "period": sites.period,
        "method": f"{WORDS[choice.method]}, domain by domain, then projected onto the "
        "simplex",
        "choice": choice.words,
        "zero_rules": "; ".join(map(str, sites.rules)) or "none",
        "uncertainty": OF_SD + (NOT_DRAWN if modelled else ""),
        "n_sites": len(sites.xy),
        "n_draws": config.interpolation.n_draws,
        "source": f"{len(sites.xy)} sites of {config.samples.path.name}",
        "unsupported": config.interpolation.unsupported,
        "simulated": simulated_tag(config.study.simulated),
        "software": f"geosoil {__version__}",
        "config_hash": config_hash(config),
    }


def write_maps(maps: xr.Dataset, sources: tuple[str, ...], folder: Path) -> list[Path]:
    """Write the layers of a period.

    Parameters
    ----------
    maps : Dataset with dims y, x
        Labelled layers with their words.
    sources : tuple of str
        Sources.
    folder : Path
        Where the files go.

    Returns
    -------
    paths : list of Path
        ``fraction_<source>_<period>.tif``, ``..._sd_...``, ``..._p05_...``,
        ``..._p95_...``, ``fraction_support_<period>.tif`` with the names of its classes
        beside it and, with every layer in double precision, ``fractions_<period>.nc``.
    """
    period = maps.attrs["period"]
    paths = []
    for source in sources:
        for name in ("", *WRITTEN):
            layer = maps[f"{source}_{name}" if name else source]
            stem = f"fraction_{source}_{name}_" if name else f"fraction_{source}_"
            paths.append(
                write_geotiff(
                    layer.astype("float32"),
                    folder / f"{stem}{period}.tif",
                    description=f"{layer.attrs['long_name']} in soil water, {period}",
                    tags=maps.attrs,
                )
            )
    support = maps["support"]
    bits = zip(
        support.attrs["flag_masks"],
        support.attrs["flag_meanings"].split(),
        strict=True,
    )
    words = ", ".join(f"{bit} {name}" for bit, name in bits)
    paths.append(
        write_geotiff(
            support,
            folder / f"fraction_support_{period}.tif",
            description=f"why the sites support no fraction, {period}",
            tags={**_without_draws(maps.attrs), "bits": words},
            colours=flag_colours(support),
        )
    )
    paths += with_sidecars(paths[-1:])[1:]
    paths.append(write_netcdf(maps, folder / f"fractions_{period}.nc"))
    return paths


def _without_draws(attrs: dict[str, object]) -> dict[str, object]:
    """Return the words of a layer that no draw was made for."""
    return {k: v for k, v in attrs.items() if k not in ("uncertainty", "n_draws")}
