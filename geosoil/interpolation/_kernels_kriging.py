"""Covariances of many places, and kriging of each target from its own neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
StatusArray = npt.NDArray[np.int8]

SPHERICAL, EXPONENTIAL, GAUSSIAN, MATERN_3_2, MATERN_5_2 = range(5)
"""Codes of the likeness as a function of the scaled distance."""

OK, FEW, SINGULAR, DRIFT = range(4)
"""Status of a target: answered; too few data; covariances without a unique inverse;
a drift that the data at hand cannot tell."""

RANK = 1e-10
"""Share of its length below which a column of the drift depends on those before it."""

# Sums may be reordered and fused; NaN and infinity keep their meaning.
SUMS = {"contract", "reassoc", "nsz", "arcp"}
LOG2_E = 1.4426950408889634
LN_2_HIGH, LN_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# 1.5 * 2**52: a small number added to it is rounded to an integer in its low bits.
ROUNDING = 6755399441055744.0
# Below the one exp has no normal number; the other stands for all beyond it.
SMALLEST, FARTHEST = -708.0, 800.0


class Model(NamedTuple):
    """A sum of covariances whose distances are scaled by their ranges."""

    codes: IntArray
    """Kind of each structure, shape (s,)."""
    sills: FloatArray
    """Partial sill of each structure, shape (s,)."""
    nugget: float
    """Covariance that a place has with itself alone, beside the sills."""


class Data(NamedTuple):
    """What is known at the data."""

    places: FloatArray
    """Scaled places, shape (s, 2, n), for each structure its own."""
    values: FloatArray
    """Values, best counted from their mean, shape (n,)."""
    noise: FloatArray
    """Variance of each measurement, shape (n,)."""
    drift: FloatArray
    """Columns of the drift as rows, shape (p, n); p = 0 where the mean is known."""


class Targets(NamedTuple):
    """What is known at the targets."""

    places: FloatArray
    """Scaled places, shape (s, 2, m)."""
    drift: FloatArray
    """Columns of the drift as rows, shape (p, m)."""
    near: IntArray
    """Data that each target uses, rising, shape (m, k)."""
    counts: IntArray
    """How many of them there are, shape (m,)."""
    fewest: int
    """Data below which there is no answer."""


class Answers(NamedTuple):
    """What is found at the targets."""

    estimate: FloatArray
    """Estimates, shape (m,); NaN unless the status is OK."""
    variance: FloatArray
    """Kriging variances and the part of them that is due to the drift, shape (2, m);
    shape (2, 0) where they are not asked for."""
    status: StatusArray
    """Status of each target, shape (m,)."""


class _Work(NamedTuple):
    """The system of one set of neighbours, kept while targets share it."""

    ids: IntArray
    places: FloatArray
    lower: FloatArray
    drift: FloatArray
    """Whitened columns of the drift as orthonormal rows Q', shape (p, k)."""
    upper: FloatArray
    """R of the whitened drift L^-1 F = Q R, shape (p, p)."""
    along: FloatArray
    """Q' L^-1 z, shape (p,)."""
    residual: FloatArray
    """L^-1 (z - F b), shape (k,)."""
    near: FloatArray
    trend: FloatArray
    pairs: FloatArray
    """Squared distances, and covariances, of all pairs, shape (2, k (k + 1) / 2)."""


@njit(fastmath={"contract"})
def _exp(x: float) -> float:
    """Return exp(x) of x <= 0 to the last digit or two, in a form that vectorises."""
    turns = x * LOG2_E + ROUNDING
    whole = turns - ROUNDING
    rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW
    # Sum of rest**n / n! to n = 13, two terms a line.
    series = rest * (1.0 / 6227020800.0) + 1.0 / 479001600.0
    series = (series * rest + 1.0 / 39916800.0) * rest + 1.0 / 3628800.0
    series = (series * rest + 1.0 / 362880.0) * rest + 1.0 / 40320.0
    series = (series * rest + 1.0 / 5040.0) * rest + 1.0 / 720.0
    series = (series * rest + 1.0 / 120.0) * rest + 1.0 / 24.0
    series = (series * rest + 1.0 / 6.0) * rest + 0.5
    series = (series * rest + 1.0) * rest + 1.0
    bits = np.int64((np.float64(turns).view(np.int64) + 1023) << 52)
    return series * bits.view(np.float64) if x > SMALLEST else 0.0


@njit(fastmath={"contract"})
def _add_structure(
    model: Model, s: int, squares: FloatArray, total: FloatArray
) -> None:
    """Add the covariances at squared scaled distances; the first brings the nugget."""
    code, sill = model.codes[s], model.sills[s]
    if s == 0:
        for i in range(total.size):
            total[i] = model.nugget if squares[i] == 0.0 else 0.0
    if code != GAUSSIAN:
        for i in range(total.size):
            squares[i] = np.sqrt(squares[i])
    if code == SPHERICAL:
        for i in range(total.size):
            u = min(squares[i], 1.0)
            total[i] += sill * (1.0 - u * (1.5 - 0.5 * u * u))
        return
    # One loop for all others, (1 + a u + b u**2) exp(-u): a compiler takes long here.
    a = 1.0 if code in (MATERN_3_2, MATERN_5_2) else 0.0
    b = 1.0 / 3.0 if code == MATERN_5_2 else 0.0
    for i in range(total.size):
        u = min(squares[i], FARTHEST)
        total[i] += sill * ((1.0 + u * (a + b * u)) * _exp(-u))


@njit(fastmath={"contract"})
def _covariances(
    model: Model, places: FloatArray, here: FloatArray, rooms: tuple[FloatArray, ...]
) -> None:
    """Write the covariances of places (s, 2, k) with one place (s, 2)."""
    squares, total = rooms
    for s in range(model.codes.size):
        x, y = places[s, 0, : total.size], places[s, 1, : total.size]
        for i in range(total.size):
            dx, dy = x[i] - here[s, 0], y[i] - here[s, 1]
            squares[i] = dx * dx + dy * dy
        _add_structure(model, s, squares, total)


@njit(nogil=True)
def fill_covariances(
    model: Model, data: FloatArray, targets: FloatArray, out: FloatArray
) -> None:
    """Write the covariances of data and targets.

    Parameters
    ----------
    model : Model
        The structures.
    data : array, shape (s, 2, n)
        Scaled places of the data.
    targets : array, shape (s, 2, m)
        Scaled places of the targets.
    out : array, shape (n, m)
        Where they are written.
    """
    squares = np.empty(out.shape[1])
    for i in range(out.shape[0]):
        _covariances(model, targets, data[:, :, i], (squares, out[i]))


@njit(fastmath=SUMS)
def _dot(a: FloatArray, b: FloatArray) -> float:
    """Return the sum of products."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit(fastmath=SUMS)
def _factor(lower: FloatArray, count: int) -> bool:
    """Factor the lower triangle in place; False where its inverse is not unique."""
    smallest, largest = np.inf, 0.0
    for j in range(count):
        square = lower[j, j] - _dot(lower[j, :j], lower[j, :j])
        smallest, largest = min(smallest, square), max(largest, square)
        # Written so that a NaN is not regular.
        if not square > 0.0:
            return False
        lower[j, j] = np.sqrt(square)
        share = 1.0 / lower[j, j]
        for i in range(j + 1, count):
            lower[i, j] = (lower[i, j] - _dot(lower[i, :j], lower[j, :j])) * share
    return bool(smallest > 10.0 * np.finfo(np.float64).eps * count * largest)


@njit(fastmath=SUMS)
def _forward(lower: FloatArray, x: FloatArray) -> None:
    """Replace x by L^-1 x."""
    for i in range(x.size):
        x[i] = (x[i] - _dot(lower[i, :i], x[:i])) / lower[i, i]


@njit(fastmath=SUMS)
def _orthogonal(drift: FloatArray, upper: FloatArray, count: int) -> bool:
    """Make rows orthonormal in place (Gram and Schmidt, twice); False if dependent."""
    for a in range(drift.shape[0]):
        row = drift[a, :count]
        before = np.sqrt(_dot(row, row))
        for b in range(a):
            upper[b, a] = 0.0
        for _ in range(2):
            for b in range(a):
                share = _dot(drift[b, :count], row)
                upper[b, a] += share
                for i in range(count):
                    row[i] -= share * drift[b, i]
        after = np.sqrt(_dot(row, row))
        if not after > RANK * before:
            return False
        upper[a, a] = after
        for i in range(count):
            row[i] /= after
    return True


@njit(fastmath={"contract"})
def _gather(model: Model, data: Data, work: _Work, count: int) -> None:
    """Write places and covariances of the data ``work.ids``, all pairs at once."""
    pairs = count * (count - 1) // 2
    squares, total = work.pairs[0, :pairs], work.pairs[1, :pairs]
    for s in range(model.codes.size):
        x, y, start = work.places[s, 0], work.places[s, 1], 0
        for i in range(count):
            x[i], y[i] = data.places[s, 0, work.ids[i]], data.places[s, 1, work.ids[i]]
            for j in range(i):
                dx, dy = x[j] - x[i], y[j] - y[i]
                squares[start + j] = dx * dx + dy * dy
            start += i
        _add_structure(model, s, squares, total)
    for i in range(count):
        for j in range(i):
            work.lower[i, j] = total[i * (i - 1) // 2 + j]
        work.lower[i, i] = model.sills.sum() + model.nugget + data.noise[work.ids[i]]


@njit()
def _prepare(model: Model, data: Data, work: _Work, count: int) -> int:
    """Factor the system of the data ``work.ids``; return its status."""
    _gather(model, data, work, count)
    if not _factor(work.lower, count):
        return SINGULAR
    if data.drift.shape[0] > count:
        return DRIFT
    values = work.residual[:count]
    for i in range(count):
        values[i] = data.values[work.ids[i]]
        for a in range(data.drift.shape[0]):
            work.drift[a, i] = data.drift[a, work.ids[i]]
    _forward(work.lower, values)
    for a in range(data.drift.shape[0]):
        _forward(work.lower, work.drift[a, :count])
    if not _orthogonal(work.drift, work.upper, count):
        return DRIFT
    for a in range(data.drift.shape[0]):
        work.along[a] = _dot(work.drift[a, :count], values)
        for i in range(count):
            values[i] -= work.along[a] * work.drift[a, i]
    return OK


@njit()
def _answer(
    model: Model, targets: Targets, answers: Answers, work: _Work, t: int
) -> None:
    """Estimate one target from a system that is ready."""
    count = targets.counts[t]
    near, squares = work.near[:count], work.pairs[0, :count]
    _covariances(model, work.places, targets.places[:, :, t], (squares, near))
    _forward(work.lower, near)
    estimate = _dot(near, work.residual[:count])
    # With R'x = f, the trend f'b is x'(Q' L^-1 z).
    for a in range(work.trend.size):
        x = targets.drift[a, t]
        for b in range(a):
            x -= work.upper[b, a] * work.trend[b]
        work.trend[a] = x / work.upper[a, a]
        estimate += work.trend[a] * work.along[a]
    answers.estimate[t] = estimate
    if answers.variance.size == 0:
        return
    drift = 0.0
    for a in range(work.trend.size):
        gap = work.trend[a] - _dot(work.drift[a, :count], near)
        drift += gap * gap
    sill = model.sills.sum() + model.nugget
    answers.variance[0, t] = sill - _dot(near, near) + drift
    answers.variance[1, t] = drift


@njit(nogil=True)
def _krige(
    model: Model, data: Data, targets: Targets, answers: Answers, reuse: int
) -> None:
    """Answer targets in their order; a set of data that stays is factored once."""
    s, p, k = model.codes.size, data.drift.shape[0], targets.near.shape[1]
    work = _Work(
        ids=np.full(k, -1),
        places=np.empty((s, 2, k)),
        lower=np.empty((k, k)),
        drift=np.empty((p, k)),
        upper=np.empty((p, p)),
        along=np.empty(p),
        residual=np.empty(k),
        near=np.empty(k),
        trend=np.empty(p),
        pairs=np.empty((2, k * (k + 1) // 2)),
    )
    held, status = -1, FEW
    for t in range(targets.counts.size):
        count = targets.counts[t]
        changes = int(not reuse or count != held)
        for i in range(count):
            changes += targets.near[t, i] != work.ids[i]
            work.ids[i] = targets.near[t, i]
        if changes:
            held, status = count, FEW
            if count >= max(targets.fewest, 1):
                status = _prepare(model, data, work, count)
        answers.status[t] = status
        if status == OK:
            _answer(model, targets, answers, work, t)


def krige_local(
    model: Model, data: Data, targets: Targets, *, outputs: str, reuse: bool = True
) -> Answers:
    """Krige each target from its own data.

    Parameters
    ----------
    model : Model
        The structures.
    data : Data
        Scaled places, values, noise and drift of all data.
    targets : Targets
        Scaled places, drift and neighbours of the targets.
    outputs : str
        "estimate" alone, or anything with variances.
    reuse : bool
        Whether a set of data is factored once for targets in a row: to the same bits.

    Returns
    -------
    answers : Answers
        Estimates and variances, with the status of each target.

    Notes
    -----
    With C = L L' the covariances of the k data at hand, noise on their diagonal, F
    their drift, z their values, c and f covariances and drift of the target:
    L^-1 F = Q R, x = R'^-1 f, v = L^-1 c; the estimate is
    x'(Q' L^-1 z) + v' L^-1 (z - F b) and the variance C(0) - v'v + |x - Q'v|**2.

    References
    ----------
    Chiles and Delfiner (2012), Geostatistics, chapter 3, doi:10.1002/9781118136188.

    Examples
    --------
    >>> model = Model(np.array([GAUSSIAN]), np.array([1.0]), 0.0)
    >>> x = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    >>> data = Data(x, np.array([1.0, 3.0]), np.zeros(2), np.ones((1, 2)))
    >>> everything = np.array([[0, 1], [0, 1]])
    >>> targets = Targets(x, np.ones((1, 2)), everything, np.array([2, 2]), 1)
    >>> krige_local(model, data, targets, outputs="estimate").estimate.round(9).tolist()
    [1.0, 3.0]
    """
    m = targets.counts.size
    wanted = 0 if outputs == "estimate" else m
    variance = np.full((2, wanted), np.nan)
    answers = Answers(np.full(m, np.nan), variance, np.zeros(m, dtype=np.int8))
    _krige(model, data, targets, answers, int(reuse))
    return answers
