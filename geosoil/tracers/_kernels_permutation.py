"""Permutation of whole clusters among groups, and the statistics that go with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

TIE = 1e-9
"""Relative difference below which a permuted statistic ties with the observed."""


FEWEST_ARRANGEMENTS = 20
"""Fewest ways to arrange the sites that can give a p value of 5 %."""


class Chunks(NamedTuple):
    """Samples of one unit and one group, which move together."""

    of_sample: IntArray
    """Chunk of each sample, shape (n,)."""
    unit: IntArray
    """Unit of each chunk, shape (chunk,)."""
    label: IntArray
    """Group of each chunk, shape (chunk,)."""


class LineTests(NamedTuple):
    """F statistics of equal slopes, and of equal intercepts given a common slope."""

    slope: FloatArray
    intercept: FloatArray


def codes_of(labels: IntArray) -> IntArray:
    """Return clusters numbered from 0; each negative label is a cluster alone."""
    codes = labels.astype(np.intp)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.unique(codes, return_inverse=True)[1].astype(np.intp)


def chunks_of(units: IntArray, labels: IntArray) -> Chunks:
    """Split samples into chunks of one unit and one group."""
    span = int(labels.max(initial=0)) + 1
    found, place = np.unique(units * span + labels, return_inverse=True)
    return Chunks(
        place.astype(np.intp),
        (found // span).astype(np.intp),
        (found % span).astype(np.intp),
    )


def _whole(chunks: Chunks) -> npt.NDArray[np.bool_]:
    """Tell which chunks are all of their unit."""
    whole: npt.NDArray[np.bool_] = np.bincount(chunks.unit)[chunks.unit] == 1
    return whole


def log_arrangements(chunks: Chunks) -> float:
    """Logarithm of the number of different ways to give the chunks their labels."""
    whole = _whole(chunks)
    groups = np.bincount(chunks.label[whole])
    between = special.gammaln(groups.sum() + 1) - special.gammaln(groups + 1).sum()
    within = special.gammaln(np.bincount(chunks.unit) + 1).sum()
    return float(between + within)


def has_few_arrangements(chunks: Chunks) -> bool:
    """Tell whether no p value of 5 % can come of the arrangements."""
    return bool(log_arrangements(chunks) < np.log(FEWEST_ARRANGEMENTS) - 1e-9)


def permuted_labels(chunks: Chunks, n: int, rng: np.random.Generator) -> IntArray:
    """Permute labels among units of one group, and inside units of several.

    The result has shape (n, chunk); each group keeps its number of units.
    """
    labels = np.tile(chunks.label, (n, 1))
    whole = np.flatnonzero(_whole(chunks))
    labels[:, whole] = rng.permuted(labels[:, whole], axis=1)
    # Chunks are sorted by unit, so that those of one unit lie side by side.
    starts = np.flatnonzero(np.r_[True, np.diff(chunks.unit) > 0])
    ends = np.r_[starts[1:], chunks.unit.size]
    for start, end in zip(starts, ends, strict=True):
        if end - start > 1:
            labels[:, start:end] = rng.permuted(labels[:, start:end], axis=1)
    return labels


def line_moments(x: FloatArray, y: FloatArray, chunks: Chunks) -> FloatArray:
    """Return sums of 1, x, y, xx, xy and yy over each chunk, shape (chunk, 6)."""
    columns = (np.ones_like(x), x, y, x * x, x * y, y * y)
    size = chunks.unit.size
    sums = [np.bincount(chunks.of_sample, column, size) for column in columns]
    return np.column_stack(sums)


def centred_by_group(values: FloatArray, labels: IntArray) -> FloatArray:
    """Values less the mean of their group."""
    means = np.bincount(labels, values) / np.maximum(np.bincount(labels), 1)
    return np.asarray(values - means[labels], dtype=float)


def line_tests(moments: FloatArray, labels: IntArray, groups: int) -> LineTests:
    """Analysis of covariance for each row of ``labels``, shape (permutation, chunk)."""
    sums = np.stack(
        [(labels == group).astype(float) @ moments for group in range(groups)], axis=1
    )
    n = moments[:, 0].sum()
    spread = _centred(sums)
    parallel = _residual(spread.sum(axis=1))
    full = _residual(spread).sum(axis=1)
    one = _residual(_centred(sums.sum(axis=1)))
    between = groups - 1
    return LineTests(
        _f_ratio(parallel - full, between, full, n - 2 * groups),
        _f_ratio(one - parallel, between, parallel, n - groups - 1),
    )


def _centred(sums: FloatArray) -> FloatArray:
    """Return sums of squares xx, xy, yy about the means, on the last axis."""
    n, x, y, xx, xy, yy = np.moveaxis(sums, -1, 0)
    n = np.maximum(n, 1.0)
    return np.stack([xx - x * x / n, xy - x * y / n, yy - y * y / n], axis=-1)


def _residual(spread: FloatArray) -> FloatArray:
    xx, xy, yy = np.moveaxis(spread, -1, 0)
    explained = np.zeros_like(xx)
    np.divide(xy**2, xx, out=explained, where=xx > 1e-12)
    return np.asarray(np.maximum(yy - explained, 0.0), dtype=float)


def _f_ratio(
    extra: FloatArray, extra_freedom: float, residual: FloatArray, freedom: float
) -> FloatArray:
    above = np.maximum(extra, 0.0) / extra_freedom
    below = residual / freedom
    ratio = np.where(above > 0, np.inf, 0.0)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def chunk_distances(points: FloatArray, chunks: Chunks) -> FloatArray:
    """Return sums of Euclidean distances between chunks, shape (chunk, chunk)."""
    order = np.argsort(chunks.of_sample, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(chunks.of_sample[order]) > 0])
    real, imaginary = points[order].T
    place = real + 1j * imaginary
    rows = np.empty((starts.size, place.size))
    ends = np.r_[starts[1:], place.size]
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        rows[row] = np.abs(place[start:end, None] - place).sum(axis=0)
    return np.asarray(np.add.reduceat(rows, starts, axis=1), dtype=float)


def energy_distances(
    distances: FloatArray, sizes: FloatArray, labels: IntArray
) -> FloatArray:
    """Squared energy distance of groups 0 and 1, for each row of ``labels``."""
    first = (labels == 0).astype(float)
    n_first = first @ sizes
    n_second = sizes.sum() - n_first
    to_all = distances.sum(axis=1)
    inside = np.einsum("pc,pc->p", first @ distances, first)
    across = first @ to_all - inside
    other = to_all.sum() - inside - 2.0 * across
    return np.asarray(
        2.0 * across / (n_first * n_second) - inside / n_first**2 - other / n_second**2,
        dtype=float,
    )


def permutation_p(observed: float, permuted: FloatArray) -> float:
    """Share of statistics as large as the observed: (1 + #) / (1 + n)."""
    limit = observed if np.isinf(observed) else observed - TIE * abs(observed)
    return float((1 + np.sum(permuted >= limit)) / (1 + permuted.size))


def holm(p_values: FloatArray) -> FloatArray:
    """Holm's step-down adjustment; missing p values stay missing, and do not count."""
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    stepped = np.maximum.accumulate(p_values[order] * factors)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
