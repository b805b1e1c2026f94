"""Whether mixtures lie within their sources: exact hull and probability of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import MixingError
from geosoil.tracers import _kernels_hull, _kernels_mixing
from geosoil.tracers.concentration import refuse_concentrations
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MISSING, NO_SOURCE, SINGLE
from geosoil.tracers.mixing_space import check_mixing_space
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]

THRESHOLD = 0.05
"""Probability below which a mixture counts as outside."""
HULL = "hull"
"""Test: the end members span a region, and the mixture lies in it or not."""
DISTANCE = "distance"
"""Test: the end members span a line (or plane) of no width; the misfit is tested."""
NO_SPREAD = "no spread of end members: no probability"
"""Reason: no end member of the stratum has a spread."""


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """Arrays to fill, one entry a mixture."""

    inside: FloatArray
    distance: FloatArray
    probability: FloatArray
    nearest: FloatArray
    test: npt.NDArray[np.object_]
    words: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]

    @classmethod
    def empty(cls, n: int, n_tracers: int) -> _Answer:
        return cls(
            inside=np.full(n, np.nan),
            distance=np.full(n, np.nan),
            probability=np.full(n, np.nan),
            nearest=np.full((n, n_tracers), np.nan),
            test=np.full(n, "", dtype=object),
            words=np.full(n, "", dtype=object),
            reason=np.full(n, "", dtype=object),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """Mixtures of a stratum that have the same sources."""

    rows: IntArray
    compositions: FloatArray
    own: FloatArray
    sources: tuple[str, ...]
    means: FloatArray
    spread: FloatArray

    @property
    def spans_region(self) -> bool:
        return bool(len(self.sources) > self.means.shape[1])


def mixing_region(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    rng: np.random.Generator,
    tracers: Sequence[str] = ("d18O", "d2H"),
    by: Sequence[str] = (),
    n_draws: int = 1500,
) -> pd.DataFrame:
    """Test whether every mixture lies within the region that its sources span.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, as for `source_fractions`.
    end_members : EndMembers
        Sources, with the spread of single samples. Take `EndMembers.of_means` to
        test mean waters against the means of the sources.
    rng : Generator
        Source of random draws.
    tracers : sequence of str
        Tracers to use.
    by : sequence of str
        Columns of the mixtures to carry along.
    n_draws : int
        Draws of the end members.

    Returns
    -------
    region : DataFrame
        Index of the mixtures; columns of ``by``; ``test`` ("hull", or "distance"
        where the sources span no region, such as two sources in two tracers);
        ``inside`` (exact, missing where untested; for "distance": whether
        ``inside_probability`` is at least 0.05); ``inside_probability``; ``distance``
        to the region [standard deviations, see `source_fractions`];
        ``<tracer>_nearest``, its nearest point; ``outside_words``, beyond which side
        and how far, "" where inside; ``reason``, "" where tested in full.

    Raises
    ------
    MixingError
        If end members are equal or collinear, or a tracer alone has no spread; the
        message lists the sources and strata of all faults.

    Notes
    -----
    Exact: the mixture is a mean of the end members with no weight below zero. More
    sources than tracers + 1 are allowed. Probability: the share of ``n_draws``
    polygons, with corners from the sources' normal distributions, that hold the
    mixture; the mixture itself is taken as measured. Where the sources span no region
    it is the upper tail of chi2 at distance^2, with tracers - f + 1 degrees of
    freedom, f being the sources of the nearest point.

    References
    ----------
    Smith, Mazumder, Suttle and Power (2013), Methods Ecol. Evol. 4, 612-618,
    doi:10.1111/2041-210X.12048.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["rain", "ice", "snow"], "d18O": [-11.0, -15.0, -18.0],
    ...     "d2H": [-78.0, -121.0, -130.0], "d18O_sd": 0.5, "d2H_sd": 4.0}))
    >>> soil = pd.DataFrame({"d18O": [-14.0, -11.0], "d2H": [-106.0, -90.0]})
    >>> region = mixing_region(soil, ends, rng=np.random.default_rng(1))
    >>> region["inside"].tolist(), region["outside_words"].tolist()
    ([True, False], ['', 'beyond the rain-ice edge, by 2.1 SD'])
    """
    check_columns(mixtures, [*by, *end_members.by], what="Mixtures")
    refuse_concentrations(end_members, what="mixing_region")
    values = tracer_values(mixtures, tracers, what="Mixtures")
    own = tracer_covariances(mixtures, tracers, what="Mixtures")
    allowed = allowed_sources(mixtures, end_members.sources)
    answer = _Answer.empty(*values.shape)
    faults: list[str] = []
    for stratum, rows, words in _strata(mixtures, end_members, answer.reason):
        chosen = np.isin(end_members.sources, stratum.sources)
        for part, names in _same_sources(
            rows, (values, allowed & chosen), end_members.sources, answer.reason
        ):
            kept = stratum.keep(names)
            try:
                pattern = _pattern((part, values, own), kept, tracers)
            except MixingError as error:
                faults.append(f"{words}{error}")
                continue
            _test(pattern, answer, n_draws, rng)
    if faults:
        raise MixingError(" ".join(dict.fromkeys(faults)))
    return _table(mixtures, answer, tracers, by)


def _strata(
    mixtures: pd.DataFrame, end_members: EndMembers, reason: npt.NDArray[np.object_]
) -> Iterator[tuple[EndMembers, IntArray, str]]:
    for group in sample_groups(mixtures, end_members.by):
        try:
            stratum = end_members.select(**group.key)
        except MixingError as error:
            reason[group.rows] = str(error)
            continue
        words = ", ".join(f"{name} {label}" for name, label in group.key.items())
        yield stratum, group.rows, f"{words}: " if words else ""


def _same_sources(
    rows: IntArray,
    mixtures: tuple[FloatArray, BoolArray],
    sources: Sequence[str],
    reason: npt.NDArray[np.object_],
) -> Iterator[tuple[IntArray, list[str]]]:
    """Split the rows of a stratum by the sources that may take part."""
    values, allowed = mixtures
    sound = np.isfinite(values[rows]).all(axis=1)
    reason[rows[~sound]] = MISSING
    rows = rows[sound]
    number = allowed[rows].sum(axis=1)
    reason[rows[number == 0]] = NO_SOURCE
    reason[rows[number == 1]] = SINGLE
    rows = rows[number > 1]
    if not rows.size:
        return
    kinds, place = np.unique(allowed[rows], axis=0, return_inverse=True)
    for kind, present in enumerate(kinds):
        names = [name for name, here in zip(sources, present, strict=True) if here]
        yield rows[place.ravel() == kind], names


def _pattern(
    mixtures: tuple[IntArray, FloatArray, FloatArray],
    kept: EndMembers,
    tracers: Sequence[str],
) -> _Pattern:
    """Join mixtures and sources; check that these differ and have a spread."""
    rows, values, own = mixtures
    if len(kept.sources) <= len(tracers) + 1:
        check_mixing_space(kept, tracers=tracers)
    means, spread = kept.means(tracers), kept.covariances(tracers)
    away = means - means.mean(axis=0)
    rank = min(len(kept.sources) - 1, len(tracers))
    scale = np.maximum(np.abs(away).max(axis=0), 1e-300)
    if np.linalg.matrix_rank(away / scale, tol=1e-9) < rank:
        message = (
            f"End members {', '.join(kept.sources)} span no region in "
            f"{', '.join(tracers)}: they lie on one line. Add a tracer or a source."
        )
        raise MixingError(message)
    variance = np.diagonal(own[rows].mean(axis=0) + spread.mean(axis=0))
    lacking = [name for name, v in zip(tracers, variance, strict=True) if not v > 0]
    if lacking and len(lacking) < len(tracers):
        message = (
            f"No spread for tracer {', '.join(lacking)} of {', '.join(kept.sources)}, "
            f"though other tracers have one. Give {lacking[0]}_sd."
        )
        raise MixingError(message)
    return _Pattern(rows, values[rows], own[rows], kept.sources, means, spread)


def _test(
    pattern: _Pattern, answer: _Answer, n_draws: int, rng: np.random.Generator
) -> None:
    """Test the mixtures of one pattern and fill in their answers."""
    rows, means, points = pattern.rows, pattern.means, pattern.compositions
    known = bool(pattern.spread.any() or pattern.own.any())
    mixed = _kernels_mixing.mix_rows(
        points, pattern.own, means, pattern.spread, weighted=known
    )
    distance = np.sqrt(mixed.distance2) if known else np.full(len(rows), np.nan)
    if pattern.spans_region:
        inside = _kernels_hull.in_hulls(points, means[None])[0]
        distance = np.where(inside & known, 0.0, distance)
        answer.inside[rows] = inside
        answer.probability[rows] = _share_of_hulls(pattern, n_draws, rng)
        # A point of the region is its own nearest point, without rounding.
        nearest = np.where(inside[:, None], points, mixed.fractions @ means)
    else:
        used = (mixed.fractions > _kernels_hull.ROUNDING).sum(axis=1)
        probability = stats.chi2.sf(distance**2, means.shape[1] - used + 1)
        answer.probability[rows] = probability
        inside = probability >= THRESHOLD
        answer.inside[rows] = np.where(np.isnan(probability), np.nan, inside)
        nearest = mixed.fractions @ means
    answer.test[rows] = HULL if pattern.spans_region else DISTANCE
    answer.distance[rows] = distance
    answer.nearest[rows] = nearest
    answer.reason[rows] = _caution(pattern, known=known)
    for place in np.flatnonzero(~inside):
        far = float(distance[place])
        answer.words[rows[place]] = _side(pattern, mixed.fractions[place], far)


def _share_of_hulls(
    pattern: _Pattern, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """Give the share of drawn hulls that hold each mixture, NaN without spread."""
    if not pattern.spread.any():
        return np.full(len(pattern.rows), np.nan)
    noise = rng.standard_normal((n_draws, *pattern.means.shape))
    corners = _kernels_hull.normal_draws(pattern.means, pattern.spread, noise)
    return _kernels_hull.hull_counts(pattern.compositions, corners) / n_draws


def _caution(pattern: _Pattern, *, known: bool) -> str:
    if not pattern.spread.any():
        return NO_SPREAD if pattern.spans_region or not known else ""
    points = [
        name
        for name, spread in zip(pattern.sources, pattern.spread, strict=True)
        if not spread.any()
    ]
    return f"spread of {', '.join(points)} unknown: counts as none" if points else ""


def _side(pattern: _Pattern, fractions: FloatArray, distance: float) -> str:
    """Name the side of the region that a mixture lies beyond, and how far."""
    used = [
        name
        for name, share in zip(pattern.sources, fractions, strict=True)
        if share > _kernels_hull.ROUNDING
    ]
    far = f", by {distance:.1f} SD" if np.isfinite(distance) else ""
    if len(used) == 1:
        return f"beyond {used[0]}{far}"
    if len(used) == len(pattern.sources):
        return f"off the {'-'.join(used)} {'line' if len(used) == 2 else 'plane'}{far}"
    return f"beyond the {'-'.join(used)} {'edge' if len(used) == 2 else 'face'}{far}"


def _table(
    mixtures: pd.DataFrame,
    answer: _Answer,
    tracers: Sequence[str],
    by: Sequence[str],
) -> pd.DataFrame:
    columns: dict[str, Any] = {
        **{name: mixtures[name] for name in by},
        "test": answer.test,
        "inside": pd.Series(answer.inside, mixtures.index).astype("boolean"),
        "inside_probability": answer.probability,
        "distance": answer.distance,
        **{
            f"{tracer}_nearest": answer.nearest[:, place]
            for place, tracer in enumerate(tracers)
        },
        "outside_words": answer.words,
        "reason": answer.reason,
    }
    return pd.DataFrame(columns, index=mixtures.index)
