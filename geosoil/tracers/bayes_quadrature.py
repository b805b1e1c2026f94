"""Posterior of few parameters on a grid, exact up to its spacing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.errors import MixingError
from geosoil.tracers._bayes_density import ratio_prior
from geosoil.tracers._kernels_bayes import Batch, Layout
from geosoil.tracers._kernels_bayes_mode import find_mode
from geosoil.tracers.bayes_scores import PriorScores
from geosoil.tracers.bayes_weights import (
    OVERSAMPLE,
    WeightedDraws,
    in_chunks,
    resample,
    systematic,
)

FloatArray = npt.NDArray[np.float64]

MOST_PARAMETERS = 5
"""Most parameters that a grid is laid over."""
DEPTH = 11.0
"""Fall of the log density below its top at which the grid ends."""
FINEST = 0.8
"""Smallest spacing [posterior standard deviations]."""
COARSEST = 2.5
"""Largest spacing; beyond it the ensemble is asked for."""
NODES = 12_000
"""Most nodes of a grid."""
COARSE_NODES = 8_000
"""Most nodes of the grid that finds where the posterior lies."""


class Grid(NamedTuple):
    """Nodes of a posterior of one group."""

    scores: PriorScores
    """Coordinates of the nodes."""
    nodes: FloatArray
    """Coordinates of each node, shape (parameter, node)."""
    mass: FloatArray
    """Probability of each node, shape (node,)."""
    edges: FloatArray
    """Edges of a cell, shape (parameter, edge): a cell is node + edges @ u, u within
    -0.5 and 0.5."""
    evidence: float
    """Log of the integral of the density."""


def posterior_grid(layout: Layout, batch: Batch, start: FloatArray) -> Grid:
    """Lay a grid over the posterior of one group, its caps left out.

    Parameters
    ----------
    layout : Layout
        Parameters; scales of the sources are left out.
    batch : Batch
        One group.
    start : array, shape (parameter,)
        State to climb to the mode from.

    Returns
    -------
    grid : Grid
        Nodes and their probabilities.

    Raises
    ------
    MixingError
        If the posterior needs more nodes than are affordable.

    Notes
    -----
    Fractions enter by the normal scores of their prior, so that no tail is long. Nodes
    are evenly spaced along the principal axes of the posterior, where the density lies
    above exp(-11) of its top. Evenly spaced sums of a smooth density that dies off on
    all sides converge faster than any power of the spacing.

    Examples
    --------
    >>> import pandas as pd
    >>> from geosoil.tracers.bayes_data import batch_of, group_tasks
    >>> from geosoil.tracers.bayes_model import MixingModel
    >>> from geosoil.tracers.endmembers import EndMembers
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.1, 0.1]}))
    >>> model = MixingModel(tracers=("Cl",))
    >>> tasks = group_tasks(pd.DataFrame({"Cl": [2.0, 4.0]}), ends, [], model)
    >>> batch = batch_of(tasks.tasks, model, tasks.residual_scale)
    >>> grid = posterior_grid(model.layout(2), batch, np.zeros(2))
    >>> round(float(grid.mass.sum()), 6)
    1.0
    """
    if len(start) > MOST_PARAMETERS:
        message = (
            f"Quadrature over {len(start)} parameters needs too many nodes: "
            f"{MOST_PARAMETERS} are the most. Use method='ensemble'."
        )
        raise MixingError(message)
    scores = PriorScores.of(layout, batch)
    first = scores.place(start[:, None])

    def density(place: FloatArray) -> FloatArray:
        return in_chunks(scores.density, place)

    def stacked(place: FloatArray) -> FloatArray:
        return density(place.reshape(len(place), -1)).reshape(place.shape[1:])

    mode, covariance = find_mode(stacked, first)
    region = _region(density, mode[:, 0], covariance[0])
    # Curvature at the mode misjudges skewed posteriors: turn to their own axes.
    region = _region(density, *_moments(region))
    nodes, spacing = _nodes(region)
    place = region.centre[:, None] + region.axes @ nodes
    logs = density(place)
    top = logs.max()
    mass = np.exp(logs - top)
    total = mass.sum()
    edges = region.axes * spacing
    cell = np.log(np.abs(np.linalg.det(edges)))
    evidence = float(top + np.log(total) + cell)
    return Grid(scores, place, mass / total, edges, evidence)


def grid_draws(
    grid: Grid,
    layout: Layout,
    batch: Batch,
    n_draws: int,
    rng: np.random.Generator,
) -> WeightedDraws:
    """Draw states from a grid, corrected within the cells by their weights.

    Parameters
    ----------
    grid : Grid
        Grid of the group.
    layout : Layout
        Parameters of the states wanted; the scales of sources, which the grid lacks,
        are drawn from their prior and weighted.
    batch : Batch
        The group, with its caps.
    n_draws : int
        Draws.
    rng : Generator
        Source of randomness.

    Returns
    -------
    draws : WeightedDraws
        States with equal weights.

    Raises
    ------
    MixingError
        If caps leave hardly any of the posterior.

    Notes
    -----
    Cells are drawn by their probability, a point evenly within each cell; the
    candidates, four for each draw, are resampled systematically by the density over
    that of the cell.

    Examples
    --------
    >>> import pandas as pd
    >>> from geosoil.tracers.bayes_data import batch_of, group_tasks
    >>> from geosoil.tracers.bayes_model import MixingModel
    >>> from geosoil.tracers.endmembers import EndMembers
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.1, 0.1]}))
    >>> model = MixingModel(tracers=("Cl",))
    >>> tasks = group_tasks(pd.DataFrame({"Cl": [2.0, 4.0]}), ends, [], model)
    >>> batch = batch_of(tasks.tasks, model, tasks.residual_scale)
    >>> layout, rng = model.layout(2), np.random.default_rng(1)
    >>> grid = posterior_grid(layout, batch, np.zeros(2))
    >>> grid_draws(grid, layout, batch, 100, rng).states.shape
    (100, 2)
    """
    for count in (OVERSAMPLE * n_draws, 16 * n_draws, 64 * n_draws):
        draws = _grid_candidates(grid, (layout, batch), (count, n_draws), rng)
        if draws.effective >= n_draws / 2:
            break
    return draws


def _grid_candidates(
    grid: Grid,
    problem: tuple[Layout, Batch],
    counts: tuple[int, int],
    rng: np.random.Generator,
) -> WeightedDraws:
    """Draw candidates from the cells and resample them."""
    (layout, batch), (count, n_draws) = problem, counts
    chosen = systematic(grid.mass, count, rng)
    inside = rng.random((grid.edges.shape[1], count)) - 0.5
    place = grid.nodes[:, chosen] + grid.edges @ inside
    states = grid.scores.states(place)
    # The chosen cell has the density mass / volume.
    known = np.log(grid.mass[chosen])
    weigh = in_chunks(grid.scores.density, place)
    capped = ratio_prior(states[: layout.n_sources - 1][:, None], batch)[0]
    weigh = np.where(np.isfinite(capped), weigh, -np.inf)
    return resample(states, weigh - known, (layout, batch), n_draws, rng)


def _axis_ends(
    density: Callable[[FloatArray], FloatArray], mode: FloatArray, axes: FloatArray
) -> FloatArray:
    """Lower and upper ends along each axis, shape (axis, 2)."""
    reach = np.concatenate([np.arange(0.5, 8.0, 0.5), np.arange(8.0, 41.0, 1.0)])
    size = len(mode)
    ends = np.zeros((size, 2))
    top = density(mode[:, None])[0]
    for axis in range(size):
        for side, sign in enumerate((-1.0, 1.0)):
            logs = density(mode[:, None] + sign * axes[:, [axis]] * reach)
            above = np.flatnonzero(logs > top - DEPTH)
            last = min(above.max(initial=0) + 1, len(reach) - 1)
            ends[axis, side] = sign * reach[last]
    return ends


class _Region(NamedTuple):
    """Box along some axes that holds the posterior."""

    centre: FloatArray
    axes: FloatArray
    ends: FloatArray
    logs: FloatArray
    """Log density at the nodes of a coarse tensor grid of the box."""


def _region(
    density: Callable[[FloatArray], FloatArray],
    centre: FloatArray,
    covariance: FloatArray,
) -> _Region:
    """Find the box, and the density on a coarse grid of it."""
    level, vectors = np.linalg.eigh(covariance)
    axes = vectors * np.sqrt(np.maximum(level, 1e-12))
    size = len(centre)
    count = int(np.clip(COARSE_NODES ** (1.0 / size), 4, 15))
    ends = _axis_ends(density, centre, axes)
    for _ in range(8):
        nodes = _tensor(ends, count)
        logs = density(centre[:, None] + axes @ nodes).reshape((count,) * size)
        low = logs.max() - DEPTH
        wide = False
        for axis in range(size):
            for side in (0, -1):
                if np.take(logs, side, axis=axis).max() > low:
                    ends[axis, side] *= 1.3
                    wide = True
        if not wide:
            break
    return _Region(centre, axes, ends, logs)


def _tensor(ends: FloatArray, count: int) -> FloatArray:
    """Nodes (axis, node) of a box."""
    lines = [np.linspace(low, high, count) for low, high in ends]
    return np.array(np.meshgrid(*lines, indexing="ij")).reshape(len(ends), -1)


def _moments(region: _Region) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance of the posterior on the coarse nodes."""
    nodes = _tensor(region.ends, region.logs.shape[0])
    mass = np.exp(region.logs.ravel() - region.logs.max())
    mass /= mass.sum()
    mean = nodes @ mass
    away = nodes - mean[:, None]
    covariance = (away * mass) @ away.T
    # A posterior that falls between the nodes seems to have no width.
    step = (region.ends[:, 1] - region.ends[:, 0]) / (region.logs.shape[0] - 1)
    covariance += np.diag((0.1 * step) ** 2)
    centre = region.centre + region.axes @ mean
    return centre, region.axes @ covariance @ region.axes.T


def _nodes(region: _Region) -> tuple[FloatArray, FloatArray]:
    """Nodes (axis, node) where the density is worth it, and the spacings."""
    ends, logs = region.ends, region.logs
    width = ends[:, 1] - ends[:, 0]
    low = logs.max() - DEPTH
    # Finest spacing that keeps within the nodes allowed.
    volume = float((logs > low).mean()) * width.prod()
    spacing = max((volume / NODES) ** (1.0 / len(ends)), FINEST)
    if spacing > COARSEST:
        message = (
            f"Quadrature over {len(ends)} parameters needs too many nodes. Use "
            "method='ensemble', or covariance='diagonal'."
        )
        raise MixingError(message)
    counts = np.ceil(width / spacing).astype(int) + 1
    fine = np.maximum(logs, low - DEPTH)
    for axis, n in enumerate(counts):
        fine = _refine(fine, axis, int(n))
    # Straight lines between coarse nodes run below a density that is bowed up.
    bow = ((width / (logs.shape[0] - 1)) ** 2).sum() / 8.0
    kept = np.nonzero(fine > low - min(bow, DEPTH / 2.0))
    lines = [
        np.linspace(low, high, n) for (low, high), n in zip(ends, counts, strict=True)
    ]
    nodes = np.array([line[place] for line, place in zip(lines, kept, strict=True)])
    return nodes, np.array([line[1] - line[0] for line in lines])


def _refine(values: FloatArray, axis: int, count: int) -> FloatArray:
    """Interpolate along one axis to ``count`` even places."""
    size = values.shape[axis]
    place = np.linspace(0.0, size - 1.0, count)
    below = np.minimum(place.astype(int), size - 2)
    share = (place - below).reshape(
        [-1 if i == axis else 1 for i in range(values.ndim)]
    )
    lower = np.take(values, below, axis=axis)
    upper = np.take(values, below + 1, axis=axis)
    return np.asarray(lower + share * (upper - lower))
