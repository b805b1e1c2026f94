"""What end members, sites and interpolation leave open in a map, by draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from geosoil.grids.grid import FloatArray
from geosoil.interpolation.linear_weights import mean_variance
from geosoil.interpolation.validation_folds import IntArray
from geosoil.workflow.mapping_coordinates import coordinates, fractions
from geosoil.workflow.mapping_methods import Places, variances
from geosoil.workflow.mapping_sites import PeriodSites
from geosoil.workflow.mapping_surfaces import Patch, Target

CELLS = 1000
"""Cells whose draws are held at a time."""
STAND_INS = 400
"""Cells that stand for an area where its mean variance is taken."""
LIMITS = (0.05, 0.95)
"""Quantiles of the draws that are mapped."""


@dataclass(slots=True, eq=False)
class Spread:
    """What the draws tell of a map, gathered block by block."""

    layers: dict[str, dict[str, FloatArray]]
    """``mean``, ``sd``, ``sd_mixing``, ``sd_interpolation``, ``p05`` and ``p95`` by
    source, each of shape (y, x)."""
    totals: dict[str, FloatArray] = field(default_factory=dict)
    """Area-weighted sums of the draws, shape (area, draw, source): "all" with every
    error, "own" with the error of each site alone."""


NAMES = ("mean", "sd", "sd_mixing", "sd_interpolation", "p05", "p95")


def draw_surfaces(
    sites: PeriodSites,
    patches: list[Patch],
    drawn: FloatArray,
    target: Target,
    *,
    areas: FloatArray,
    rng: np.random.Generator,
) -> Spread:
    """Carry drawn end members, errors of sites and of interpolation through a map.

    Parameters
    ----------
    sites : PeriodSites
        Sites of the period.
    patches : list of Patch
        Weights of its domains.
    drawn : array, shape (draw, site, source)
        Raw fractions with the end members of each draw.
    target : Target
        Cells of the region.
    areas : array, shape (area, y, x)
        Weights of the cells in each mean that is wanted; each sums to 1.
    rng : Generator
        Source of chance.

    Returns
    -------
    spread : Spread
        Layers and means of the draws.

    Notes
    -----
    In draw k the sites hold z_k + e_k: z_k is mixed with the end members of that draw,
    the same for all sites, and e_k is each site's own error with the variance that
    kriging filters. The map of the draw is W (z_k + e_k) with the weights W of the
    map itself; what the interpolation leaves open, C(0) - 2 w'c + w'C w, is drawn
    twice on top, then the surface is moved onto the simplex. With f1 and f2 the two
    maps of a draw, the variance within draws is mean((f1 - f2)**2) / 2, that of the
    interpolation, and by the law of total variance the rest of the variance of all
    draws is that of the mixing. In the means of areas one number a draw stands for
    what the interpolation leaves open, with the variance of the mean of the last area:
    cells near each other err alike, and far from each other the errors average out.
    """
    layers = {
        source: {name: np.full(target.grid.shape, np.nan) for name in NAMES}
        for source in sites.sources
    }
    size = (len(areas), len(drawn), len(sites.sources))
    spread = Spread(layers, {"all": np.zeros(size), "own": np.zeros(size)})
    flat = areas.reshape(len(areas), -1)
    for patch in patches:
        _draw_patch(sites, patch, (drawn, flat, rng), spread)
    return spread


def _draw_patch(
    sites: PeriodSites,
    patch: Patch,
    given: tuple[FloatArray, FloatArray, np.random.Generator],
    spread: Spread,
) -> None:
    """Carry the draws through the map of one domain."""
    drawn, areas, rng = given
    own, method = patch.own(sites), patch.method
    data = coordinates(sites.raw[patch.domain.sites][:, own], method)
    common = coordinates(drawn[:, patch.domain.sites][..., own], method)
    root = _root(data)
    error = rng.standard_normal(common.shape) @ root.T
    error *= np.sqrt([patch.models[name].noise for name in patch.names])
    shift = rng.standard_normal((len(drawn), len(patch.names))) @ root.T
    shift *= [_open_mean_sd(sites, patch, n, areas[-1]) for n in patch.names]
    for rows, cells in _blocks(patch):
        weights = [patch.weights[name][rows] for name in patch.names]
        maps = _weighted(weights, common + error)
        open_ = _field_sd(sites, patch, rows)
        pair = _pair(maps, open_, (root, method, rng))
        _keep(spread, patch, cells, pair)
        alone = _weighted(weights, data + error)
        shares = areas[:, cells]
        if len(weights[0]) == 1:
            shares = shares.sum(axis=1, keepdims=True)
        for name, values in (("all", maps), ("own", alone)):
            closed = fractions(values + shift, method)
            spread.totals[name][..., own] += np.tensordot(shares, closed, 1)


def _root(raw: FloatArray) -> FloatArray:
    """Return a root of the correlation of the columns of data."""
    spread = raw.std(axis=0)
    scaled = (raw - raw.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    size, vectors = np.linalg.eigh(scaled.T @ scaled / len(raw))
    root: FloatArray = vectors * np.sqrt(np.maximum(size, 0.0))
    return root


def _blocks(patch: Patch) -> Iterator[tuple[slice, IntArray]]:
    """Rows of the weights and the cells they stand for, some at a time."""
    first = next(iter(patch.weights.values()))
    if len(first) == 1:
        yield slice(0, 1), patch.cells
        return
    for start in range(0, len(patch.cells), CELLS):
        rows = slice(start, start + CELLS)
        yield rows, patch.cells[rows]


def _weighted(weights: list[FloatArray], drawn: FloatArray) -> FloatArray:
    """Weigh drawn sites (draw, site, coordinate) to cells (cell, draw, coordinate)."""
    layers = [own @ drawn[..., order].T for order, own in enumerate(weights)]
    return np.stack(layers, axis=-1)


def _field_sd(sites: PeriodSites, patch: Patch, rows: slice) -> FloatArray:
    """Return the sd of what interpolation leaves open, shape (cell, coordinate)."""
    places = Places(patch.places.xy[rows], patch.places.ground[rows])
    xy = sites.xy[patch.domain.sites]
    parts = [
        variances(patch.models[name], patch.weights[name][rows], xy, places)[0]
        for name in patch.names
    ]
    return np.sqrt(np.stack(parts, axis=-1))


def _pair(
    maps: FloatArray,
    open_: FloatArray,
    how: tuple[FloatArray, str, np.random.Generator],
) -> tuple[FloatArray, FloatArray]:
    """Two maps a draw (cell, draw, source), with what interpolation leaves open."""
    root, method, rng = how
    if not open_.any():
        closed = fractions(maps, method)
        return closed, closed
    away = [rng.standard_normal(maps.shape) @ root.T for _ in range(2)]
    first, second = (fractions(maps + open_[:, None] * one, method) for one in away)
    return first, second


def _keep(
    spread: Spread,
    patch: Patch,
    cells: IntArray,
    pair: tuple[FloatArray, FloatArray],
) -> None:
    """Write what a block of draws tells into the layers."""
    both = np.concatenate(pair, axis=1)
    total = both.var(axis=1)
    within = np.minimum(np.mean((pair[0] - pair[1]) ** 2, axis=1) / 2.0, total)
    low, high = np.quantile(both, LIMITS, axis=1)
    found = {
        "mean": both.mean(axis=1),
        "sd": np.sqrt(total),
        "sd_mixing": np.sqrt(total - within),
        "sd_interpolation": np.sqrt(within),
        "p05": low,
        "p95": high,
    }
    for order, source in enumerate(patch.domain.sources):
        for name, values in found.items():
            spread.layers[source][name].ravel()[cells] = values[:, order]


def _open_mean_sd(
    sites: PeriodSites, patch: Patch, name: str, area: FloatArray
) -> float:
    """Return the sd of what interpolation leaves open in the mean over a domain.

    Some hundreds of cells, evenly taken, stand for the area.
    """
    share = area[patch.cells]
    held = np.flatnonzero(share > 0)
    if not len(held):
        return 0.0
    weights = patch.weights[name]
    own = weights[0] if len(weights) == 1 else share @ weights / share.sum()
    chosen = held[:: max(1, len(held) // STAND_INS)]
    part = share[chosen] / share[chosen].sum()
    xy = sites.xy[patch.domain.sites]
    model = patch.models[name].variogram
    variance = mean_variance(model, (own, part), xy, patch.places.xy[chosen])
    return float(np.sqrt(variance))
