"""Hydraulic connection: how alike the waters of one period are in isotope space."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers import _kernels_permutation as kernels
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

FEWEST = 3
"""Fewest samples of a water that a comparison is made with."""

SLICES = 4096
"""Slices that the overlap of two ellipses is summed over."""


def hydraulic_connection(
    samples: pd.DataFrame,
    waters: Sequence[str] = ("soil", "supra_permafrost", "river"),
    *,
    rng: np.random.Generator,
    by: str | Sequence[str] = "period",
    n_permutations: int = 999,
    cluster: str = "site_id",
) -> pd.DataFrame:
    """Compare the waters of each period pair by pair in d18O-d2H space.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with d18O and d2H [permil], ``water``, ``by``, ``cluster``.
    waters : sequence of str
        Waters to compare, two or more.
    rng : Generator
        Source of the permutations.
    by : str or sequence of str
        Columns that make the periods.
    n_permutations : int
        Permutations of the test.
    cluster : str
        Column of the unit that is permuted whole, the site; a sample without a label
        is a site alone.

    Returns
    -------
    table : DataFrame
        One row a pair in each period that has any of the waters: columns of ``by``;
        ``first``, ``second``; samples ``n_first``, ``n_second``; sites
        ``n_sites_first``, ``n_sites_second``;
        ``energy_distance`` [pooled SD]; its ``p_value`` and ``p_holm``; ``overlap``
        (0 to 1); ``bhattacharyya`` (0 to 1); ``reason`` where a value is missing.

    Raises
    ------
    InputError
        If a column is missing, fewer than two different waters are named, none of them
        has a sample, or there are no permutations.

    Notes
    -----
    The samples of a pair are whitened by the covariance of both waters together, so
    that the result does not depend on units, and permutations leave it alone. Energy
    distance: D^2 = 2 E|X - Y| - E|X - X'| - E|Y - Y'|. Whole sites are permuted
    between the waters (inside a site that has both, its two waters are swapped);
    p = (1 + #) / (1 + n), Holm-adjusted within each period. A large p does not prove
    a connection; a small one and a small overlap speak against it. Overlap is the
    area of the intersection over that of the union of the two 95 % normal ellipses;
    the Bhattacharyya coefficient of two normal waters is exp(-B),
    B = (m1 - m2)' S^-1 (m1 - m2) / 8 + ln(|S| / sqrt(|S1| |S2|)) / 2,
    S = (S1 + S2) / 2.

    References
    ----------
    Szekely and Rizzo (2013), J. Stat. Plan. Inference 143, 1249-1272,
    doi:10.1016/j.jspi.2013.03.018; Jackson et al. (2011), J. Anim. Ecol. 80,
    595-602, doi:10.1111/j.1365-2656.2011.01806.x.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = np.r_[rng.normal(-12, 1, 20), rng.normal(-14, 1, 20)]
    >>> table = pd.DataFrame({"period": "June", "water": ["soil"] * 20 + ["river"] * 20,
    ...     "site_id": range(40), "d18O": x, "d2H": 8 * x + rng.normal(10, 2, 40)})
    >>> row = hydraulic_connection(table, ("soil", "river"), rng=rng).iloc[0]
    >>> row["first"], row["second"], bool(row["p_value"] < 0.05)
    ('soil', 'river', True)
    """
    names = [by] if isinstance(by, str) else list(by)
    check_columns(samples, ["water", cluster, *names], what="Samples")
    _check(waters, n_permutations)
    named = samples[samples["water"].isin(waters)]
    if named.empty:
        found = ", ".join(map(str, samples["water"].dropna().unique())) or "none"
        message = f"No sample of {', '.join(waters)}. Waters found: {found}."
        raise InputError(message)
    data = _Waters(
        tracer_values(named, ["d18O", "d2H"], what="Samples"),
        named["water"].astype(object).to_numpy(),
        kernels.codes_of(pd.factorize(named[cluster])[0]),
    )
    rows: list[dict[str, object]] = []
    for group in sample_groups(named, names):
        part = data.take(group.rows)
        answers = [
            part.compare(pair, rng, n_permutations) for pair in combinations(waters, 2)
        ]
        p_values = np.array([answer["p_value"] for answer in answers], dtype=float)
        for answer, adjusted in zip(answers, kernels.holm(p_values), strict=True):
            rows.append({**group.key, **answer, "p_holm": adjusted})
    return pd.DataFrame(rows, columns=[*names, *COLUMNS])


COLUMNS = (
    "first",
    "second",
    "n_first",
    "n_second",
    "n_sites_first",
    "n_sites_second",
    "energy_distance",
    "p_value",
    "p_holm",
    "overlap",
    "bhattacharyya",
    "reason",
)
"""Columns of the answer after those of the period."""


def ellipse_overlap(
    first: tuple[FloatArray, FloatArray],
    second: tuple[FloatArray, FloatArray],
    *,
    confidence: float = 0.95,
) -> float:
    """Return the overlap of two normal ellipses as a share of their common area.

    Parameters
    ----------
    first, second : tuple of array
        Mean, shape (2,), and covariance, shape (2, 2), of each normal distribution.
    confidence : float
        Share of the distribution inside its ellipse.

    Returns
    -------
    overlap : float
        Area of the intersection over the area of the union, 0 to 1.

    Notes
    -----
    Each ellipse is {v : (v - m)' S^-1 (v - m) <= q}, q the chi-squared quantile with
    two degrees of freedom. Slices of constant y cut both in intervals whose common
    length is summed; the error is about 1e-6.

    Examples
    --------
    >>> circle = np.zeros(2), np.eye(2)
    >>> wide = np.zeros(2), 4.0 * np.eye(2)
    >>> round(ellipse_overlap(circle, wide), 4)
    0.25
    """
    radius = float(np.sqrt(stats.chi2.ppf(confidence, 2)))
    reach = [radius * np.sqrt(cov[1, 1]) for _, cov in (first, second)]
    low = max(first[0][1] - reach[0], second[0][1] - reach[1])
    high = min(first[0][1] + reach[0], second[0][1] + reach[1])
    if low >= high:
        return 0.0
    # The cosine puts slices close where the ellipses end and their width drops fast.
    angle = (np.arange(SLICES) + 0.5) * np.pi / SLICES
    y = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(angle)
    step = 0.5 * (high - low) * np.sin(angle) * np.pi / SLICES
    cuts = [_slice(mean, cov, radius, y) for mean, cov in (first, second)]
    left = np.maximum(cuts[0][0], cuts[1][0])
    right = np.minimum(cuts[0][1], cuts[1][1])
    common = float(np.maximum(right - left, 0.0) @ step)
    areas = sum(
        np.pi * radius**2 * np.sqrt(np.linalg.det(cov)) for _, cov in (first, second)
    )
    return float(min(common / (areas - common), 1.0))


def _slice(
    mean: FloatArray, cov: FloatArray, radius: float, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Left and right end of an ellipse at each height."""
    dy = y - mean[1]
    centre = mean[0] + cov[0, 1] / cov[1, 1] * dy
    narrow = cov[0, 0] - cov[0, 1] ** 2 / cov[1, 1]
    square = narrow * np.maximum(radius**2 - dy**2 / cov[1, 1], 0.0)
    half = np.sqrt(square)
    return centre - half, centre + half


def _bhattacharyya(
    first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]
) -> float:
    shift = first[0] - second[0]
    middle = 0.5 * (first[1] + second[1])
    dets = [float(np.linalg.det(cov)) for cov in (middle, first[1], second[1])]
    distance = shift @ np.linalg.solve(middle, shift) / 8.0
    return float(np.exp(-distance) * (dets[1] * dets[2]) ** 0.25 / dets[0] ** 0.5)


def _check(waters: Sequence[str], n_permutations: int) -> None:
    if (
        isinstance(waters, str)
        or len(set(waters)) < 2
        or len(set(waters)) < len(waters)
    ):
        message = f"Waters to compare: {waters!r}. Name two or more, each once."
        raise InputError(message)
    if n_permutations < 1:
        message = f"Invalid n_permutations '{n_permutations}'. Must be 1 or more."
        raise InputError(message)


@dataclass(frozen=True, slots=True)
class _Waters:
    """Samples of one period."""

    values: FloatArray
    water: npt.NDArray[np.object_]
    site: IntArray

    def take(self, rows: IntArray) -> _Waters:
        return _Waters(self.values[rows], self.water[rows], self.site[rows])

    def compare(
        self, pair: tuple[str, str], rng: np.random.Generator, n: int
    ) -> dict[str, Hashable]:
        whole = np.isfinite(self.values).all(axis=1)
        rows = [np.flatnonzero(whole & (self.water == name)) for name in pair]
        answer: dict[str, Hashable] = {"first": pair[0], "second": pair[1]}
        for place, found in zip(("first", "second"), rows, strict=True):
            answer[f"n_{place}"] = found.size
            answer[f"n_sites_{place}"] = np.unique(self.site[found]).size
        blank = ("energy_distance", "p_value", "overlap", "bhattacharyya")
        answer |= dict.fromkeys(blank, np.nan)
        reason = _problem(pair, [self.values[found] for found in rows])
        if reason:
            return {**answer, "reason": reason}
        return answer | self._measures(rows, rng, n)

    def _measures(
        self, rows: list[IntArray], rng: np.random.Generator, n: int
    ) -> dict[str, Hashable]:
        points = _whitened(self.values[np.concatenate(rows)])
        size = rows[0].size
        labels = (np.arange(len(points)) >= size).astype(np.intp)
        normals = [
            (part.mean(axis=0), np.cov(part.T))
            for part in (points[:size], points[size:])
        ]
        chunks = kernels.chunks_of(self.site[np.concatenate(rows)], labels)
        distances = kernels.chunk_distances(points, chunks)
        sizes = np.bincount(chunks.of_sample).astype(float)
        observed = kernels.energy_distances(distances, sizes, chunks.label[None])[0]
        few = kernels.has_few_arrangements(chunks)
        p_value = np.nan
        if not few:
            labels = kernels.permuted_labels(chunks, n, rng)
            permuted = kernels.energy_distances(distances, sizes, labels)
            p_value = kernels.permutation_p(float(observed), permuted)
        return {
            "energy_distance": float(np.sqrt(max(observed, 0.0))),
            "p_value": p_value,
            "overlap": ellipse_overlap(*normals),
            "bhattacharyya": _bhattacharyya(*normals),
            "reason": "too few sites to permute" if few else "",
        }


def _problem(pair: tuple[str, str], values: list[FloatArray]) -> str:
    faults = []
    for name, part in zip(pair, values, strict=True):
        if len(part) < FEWEST:
            faults.append(f"{name}: {len(part)} samples, {FEWEST} needed")
            continue
        spread = np.linalg.svd(part - part.mean(axis=0), compute_uv=False)
        if spread[1] <= 1e-9 * max(spread[0], 1e-9):
            faults.append(f"{name}: samples lie on one point or line")
    return "; ".join(faults)


def _whitened(values: FloatArray) -> FloatArray:
    """Values with mean zero and unit covariance."""
    centred = values - values.mean(axis=0)
    factor = np.linalg.cholesky(np.cov(centred.T))
    return np.asarray(np.linalg.solve(factor, centred.T).T, dtype=float)
