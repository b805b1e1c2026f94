"""Lee's L: whether two maps have their high and low places in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.spatial import cKDTree

from geosoil.correlation.field_significance import field_significance
from geosoil.correlation.map_pair import (
    ONE_AT_A_TIME,
    check_same_map,
    positions,
    valid_pairs,
)
from geosoil.errors import InputError

Neighbours = Literal["queen", "rook"] | int

QUEEN = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))
ROOK = ((-1, 0), (0, -1), (0, 1), (1, 0))

REASONS = ("ok", "missing", "no_neighbours")
"""Meaning of the codes 0, 1, 2 in ``reason``."""

FEWEST_PAIRS = 4

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
MeanAround = Callable[[FloatArray], FloatArray]


def lee_l(
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    rng: np.random.Generator,
    n_permutations: int = 999,
    neighbours: Neighbours = "queen",
    alpha: float = 0.05,
) -> xr.Dataset:
    """Measure how far two maps vary together from place to place, as a whole and local.

    Parameters
    ----------
    x, y : DataArray with dims (y, x), or with one dim and coordinates x, y along it
        Maps on the same grid, or values at points; NaN missing.
    rng : Generator
        Source of the permutations.
    n_permutations : int
        How many; 0 leaves p and q values missing. With P permutations no p is below
        2 / (P + 1), so a large map asks for many before a cell passes the field test.
    neighbours : {"queen", "rook"} or int
        The eight or the four cells around a cell of a map; or that many nearest valid
        places, on a map or at points. Each neighbour has the same weight, and the
        weights of a cell sum to 1; the cell itself is not its own neighbour.
    alpha : float
        Level of the test of the whole field of local values.

    Returns
    -------
    lee : Dataset
        ``global_l`` and ``global_p_value``; with the dims of the maps ``local_l``,
        whose mean over the cells with neighbours is ``global_l``, ``p_value``,
        ``q_value``, ``significant``, ``n`` neighbours, and ``reason``: 0 ok,
        1 missing, 2 no_neighbours. Attributes: ``r``, Pearson's r of all pairs, and
        the settings.

    Raises
    ------
    GridMismatchError
        If the maps lie on different grids.
    InputError
        If a map is constant, has fewer than 4 pairs, or a setting cannot be.

    Notes
    -----
    With departures zx and zy from the means and W the mean over the neighbours,
    L = n / m * sum(W zx * W zy) / sqrt(sum(zx**2) sum(zy**2)), m the cells that have
    neighbours; the local value is n W zx W zy / sqrt(...).
    The pairs are permuted as wholes, so that r stays as it is: a small p says that
    their order in space makes L larger or smaller than the r of the pairs alone would.
    For a local value the cell keeps its pair, and its neighbours get those of others;
    all cells share the same draws. p is two-sided, 2 (1 + b) / (P + 1) with b the
    smaller count of permutations beyond.

    References
    ----------
    Lee (2001), Developing a bivariate spatial association measure: an integration of
    Pearson's r and Moran's I, Journal of Geographical Systems 3,
    doi:10.1007/s101090100064.

    Examples
    --------
    >>> rows, columns = np.mgrid[0:6, 0:6]
    >>> x = xr.DataArray(rows + 0.1 * columns, dims=("y", "x"))
    >>> found = lee_l(x, -x, rng=np.random.default_rng(1), n_permutations=99)
    >>> round(float(found.global_l), 3), round(float(found.global_p_value), 3)
    (-0.689, 0.02)
    """
    check_same_map(x, y)
    valid, first, second = valid_pairs(x, y)
    _check(x, (first, second), n_permutations, neighbours)
    pairs = np.stack([_standard(first), _standard(second)])
    mean_around, count = _neighbourhood(x, valid, neighbours)
    with_any = count > 0
    smooth = np.stack([mean_around(values) for values in pairs])
    local = np.where(with_any, smooth[0] * smooth[1], np.nan)
    p, global_p = np.full(len(first), np.nan), np.nan
    if n_permutations:
        global_p = _global_p(pairs, mean_around, with_any, rng, n_permutations)
        p = _local_p(pairs, count, np.where(with_any, local, 0.0), rng, n_permutations)
    reason = np.where(with_any, 0, REASONS.index("no_neighbours"))
    result = _on_map(x, valid, {
        "local_l": (local, np.nan),
        "p_value": (p, np.nan),
        "n": (count.astype(np.int32), 0),
        "reason": (reason.astype(np.int8), REASONS.index("missing")),
    })  # fmt: skip
    result["global_l"] = ((), float(local[with_any].mean()))
    result["global_p_value"] = ((), global_p)
    result.attrs = {
        "r": float(np.mean(pairs[0] * pairs[1])),
        "neighbours": neighbours,
        "n_permutations": n_permutations,
        "n": len(first),
    }
    return _describe(_with_field_test(result, alpha), x.name or "x", y.name or "y")


def _standard(values: FloatArray) -> FloatArray:
    """Return departures from the mean in standard deviations (divisor n)."""
    departures = values - values.mean()
    return np.asarray(departures / np.sqrt(np.mean(departures**2)))


def _neighbourhood(
    x: xr.DataArray, valid: npt.NDArray[np.bool_], neighbours: Neighbours
) -> tuple[MeanAround, IntArray]:
    """Return the mean over the neighbours of each valid place, and their number."""
    if isinstance(neighbours, int | np.integer):
        return _nearest(positions(x)[valid.ravel()], int(neighbours))
    steps = QUEEN if neighbours == "queen" else ROOK
    rows, columns = valid.shape
    padded = np.zeros((rows + 2, columns + 2))
    inside, summed = padded[1:-1, 1:-1], np.empty((rows, columns))
    shifted = [padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns] for i, j in steps]

    def total(values: FloatArray) -> FloatArray:
        inside[valid] = values
        summed[:] = 0
        for view in shifted:
            np.add(summed, view, out=summed)
        return np.asarray(summed[valid])

    count = total(np.ones(int(valid.sum()))).astype(np.int64)
    share = 1.0 / np.maximum(count, 1)
    return lambda values: total(values) * share, count


def _nearest(places: FloatArray, k: int) -> tuple[MeanAround, IntArray]:
    """Return the mean over the k nearest other places, and their number."""
    own = np.arange(len(places))[:, None]
    _, found = cKDTree(places).query(places, k=k + 1)
    # Among places that coincide, the first one found need not be the place itself.
    others = np.argsort(found == own, axis=1, kind="stable")[:, :k]
    listed = np.take_along_axis(found, np.sort(others, axis=1), axis=1)
    return (
        lambda values: np.asarray(values[listed].mean(axis=1)),
        np.full(len(places), k, dtype=np.int64),
    )


def _two_sided(above: npt.ArrayLike, below: npt.ArrayLike, draws: int) -> FloatArray:
    """Return p from the draws at least, and at most, as large as the value found."""
    fewer = np.minimum(above, below)
    return np.asarray(np.minimum(2.0 * (fewer + 1) / (draws + 1), 1.0))


def _global_p(
    pairs: FloatArray,
    mean_around: MeanAround,
    with_any: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    n_permutations: int,
) -> float:
    """Return p of the mean product under permutations of the pairs over the places."""

    def mean_product(values: FloatArray) -> float:
        product = mean_around(values[0]) * mean_around(values[1])
        return float(product[with_any].mean())

    found = mean_product(pairs)
    drawn = np.array(
        [
            mean_product(pairs[:, rng.permutation(pairs.shape[1])])
            for _ in range(n_permutations)
        ]
    )
    slack = 1e-12 * abs(found)
    above = np.count_nonzero(drawn >= found - slack)
    below = np.count_nonzero(drawn <= found + slack)
    return float(_two_sided(above, below, n_permutations))


def _local_p(
    pairs: FloatArray,
    count: IntArray,
    local: FloatArray,
    rng: np.random.Generator,
    n_permutations: int,
) -> FloatArray:
    """Return p of each local product under draws of its neighbours from all others."""
    from geosoil.correlation import _kernels_local as kernels  # noqa: PLC0415  numba

    others, most = pairs.shape[1] - 1, int(count.max())
    draws = np.stack(
        [
            rng.choice(others, size=most, replace=False, shuffle=True)
            for _ in range(n_permutations)
        ]
    )
    beyond = np.zeros((2, pairs.shape[1]), dtype=np.int64)
    with ONE_AT_A_TIME:
        kernels.permuted_extremes(pairs, count, draws, local, beyond)
    p = _two_sided(beyond[0], beyond[1], n_permutations)
    return np.where(count > 0, p, np.nan)


def _on_map(
    x: xr.DataArray,
    valid: npt.NDArray[np.bool_],
    fields: dict[str, tuple[npt.NDArray[np.generic], float]],
) -> xr.Dataset:
    """Lay values of the valid places on the map; the others get the second value."""
    result = xr.Dataset(coords=x.coords)
    for name, (values, absent) in fields.items():
        field = np.full(valid.shape, absent, values.dtype)
        field[valid] = values
        result[name] = (x.dims, field)
    return result


def _with_field_test(result: xr.Dataset, alpha: float) -> xr.Dataset:
    """Add q values and their verdict, where there are p values."""
    if result["p_value"].isnull().all():
        return result.assign(
            q_value=result["p_value"], significant=result["p_value"] >= 0
        )
    tested = field_significance(result["p_value"], alpha=alpha)
    result = result.assign(q_value=tested["q_value"], significant=tested["significant"])
    result.attrs |= {
        name: tested.attrs[name] for name in ("alpha", "alpha_fdr", "p_star", "rule")
    }
    return result


def _check(
    x: xr.DataArray,
    pairs: tuple[FloatArray, FloatArray],
    n_permutations: int,
    neighbours: Neighbours,
) -> None:
    """Raise on settings or maps that cannot be, listing every fault."""
    faults = []
    n = len(pairs[0])
    if isinstance(neighbours, int | np.integer):
        if not 1 <= neighbours < n:
            faults.append(f"neighbours is {neighbours}, it must be 1 to {n - 1}")
    elif neighbours not in ("queen", "rook"):
        faults.append(f"unknown neighbours '{neighbours}', known are: queen, rook")
    elif set(x.dims) != {"y", "x"}:
        faults.append(
            f"neighbours '{neighbours}' are those of a map (y, x), and the dims are "
            f"{x.dims}; give the number of nearest places"
        )
    if n_permutations < 0:
        faults.append(f"n_permutations is {n_permutations}, it cannot be negative")
    if n < FEWEST_PAIRS:
        faults.append(f"{n} valid pairs, at least {FEWEST_PAIRS} are needed")
    else:
        faults += [
            f"{role} is {values[0]:g} everywhere, a constant has no correlation"
            for role, values in zip("xy", pairs, strict=True)
            if values.min() == values.max()
        ]
    if faults:
        message = f"Cannot compute Lee's L: {'; '.join(faults)}."
        raise InputError(message)


def _describe(result: xr.Dataset, first: object, second: object) -> xr.Dataset:
    """Write what each variable is."""
    pair = f"{first} and {second}"
    words = {
        "global_l": f"Lee's L, {pair}",
        "global_p_value": f"two-sided p value of Lee's L, {pair}",
        "local_l": f"local Lee's L, {pair}",
        "p_value": f"two-sided p value of the local L, {pair}",
        "q_value": "smallest false discovery rate at which the cell is significant",
        "n": "number of neighbours",
    }
    for name, text in words.items():
        result[name].attrs = {"units": "1", "long_name": text}
    result["reason"].attrs = {
        "long_name": f"why there is no answer, {pair}",
        "flag_values": np.arange(len(REASONS), dtype=np.int8),
        "flag_meanings": " ".join(REASONS),
    }
    return result
