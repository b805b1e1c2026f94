"""Samples of a source averaged at the finest level that has enough of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.tracers.endmember_matching import DatedSamples, Target
from geosoil.tracers.endmember_rule import EndMemberRule
from geosoil.tracers.groups import sample_groups
from geosoil.tracers.source_means import (
    Moments,
    moments_row,
    sample_weights,
    weighted_moments,
)
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

ALL_SAMPLES = "all samples"
"""Name of the level that has no columns."""
UNKNOWN = "one sample: spread unknown"
"""Note of a stratum whose source has one sample and no pooled spread."""


class Level(NamedTuple):
    """The level at which a source is averaged in a stratum."""

    columns: Sequence[str]
    """Columns that samples were matched by."""
    rows: BoolArray
    """Samples that fit."""
    tried: list[tuple[str, int]]
    """Levels tried and the samples that each has."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceSamples:
    """Samples of one source with all that is needed to average them.

    Examples
    --------
    >>> samples = pd.DataFrame({"water": ["rain"] * 2, "Cl": [1.0, 3.0]})
    >>> rule = EndMemberRule("rain", levels=[[]], min_samples=1)
    >>> source = SourceSamples.read(samples, rule, ["Cl"])
    >>> source.best_level(Target({}, (), (), ())).rows.tolist()
    [True, True]
    """

    rule: EndMemberRule
    """Rule of the source."""
    dated: DatedSamples
    """Samples with their months."""
    compositions: FloatArray
    """Tracers, shape (n, tracer)."""
    weight: FloatArray
    """Weight of each sample, shape (n,)."""
    usable: BoolArray
    """Whether a sample has all tracers and a weight, shape (n,)."""

    @classmethod
    def read(
        cls, samples: pd.DataFrame, rule: EndMemberRule, tracers: Sequence[str]
    ) -> SourceSamples:
        """Take the samples that a rule is about."""
        kept = samples["water"].astype(object) == (rule.water or rule.source)
        for column, labels in rule.where.items():
            kept &= samples[column].astype(object).isin(labels)
        own = samples[kept.to_numpy(dtype=bool)]
        values = tracer_values(own, tracers, what="Samples")
        weight = sample_weights(own, rule.amount)
        usable = np.isfinite(values).all(axis=1) & (weight > 0)
        return cls(rule, DatedSamples.of(own), values, weight, usable)

    def best_level(self, target: Target) -> Level:
        """Give the first level with enough samples, else the one with the most."""
        best = Level((), np.zeros(len(self.compositions), dtype=bool), [])
        tried: list[tuple[str, int]] = []
        for level in self.rule.levels:
            rows = self.usable & self.dated.fit(target, level, self.rule.matching)
            tried.append((" x ".join(level) or ALL_SAMPLES, int(rows.sum())))
            if rows.sum() > best.rows.sum():
                best = Level(level, rows, list(tried))
            if rows.sum() >= self.rule.min_samples:
                break
        return best

    def pooled(self) -> tuple[FloatArray, float, int] | None:
        """Pool the covariance within strata: covariance, freedom, number of strata."""
        for level in self.rule.levels:
            parts = []
            labels = self.dated.strata(level)[self.usable].reset_index(drop=True)
            values, weight = self.compositions[self.usable], self.weight[self.usable]
            for group in sample_groups(labels, level):
                moments = weighted_moments(values[group.rows], weight[group.rows])
                if np.isfinite(moments.covariance).all():
                    parts.append((moments.n_effective - 1.0, moments.covariance))
            if parts:
                freedom = sum(part[0] for part in parts)
                total = np.sum([n * spread for n, spread in parts], axis=0)
                return total / freedom, freedom, len(parts)
        return None


def source_row(
    source: SourceSamples, target: Target, found: Level, tracers: Sequence[str]
) -> dict[str, object]:
    """Make the row of one source in one stratum of the table of end members.

    Parameters
    ----------
    source : SourceSamples
        Samples of the source.
    target : Target
        Stratum.
    found : Level
        Level to average at, with at least one sample.
    tracers : sequence of str
        Tracers to average.

    Returns
    -------
    row : dict
        Columns of `end_members_by_rules`, without those of the stratum.

    Examples
    --------
    >>> samples = pd.DataFrame({"water": ["rain"] * 2, "Cl": [1.0, 3.0]})
    >>> rule = EndMemberRule("rain", levels=[[]], min_samples=1)
    >>> source = SourceSamples.read(samples, rule, ["Cl"])
    >>> target = Target({}, (), (), ())
    >>> row = source_row(source, target, source.best_level(target), ["Cl"])
    >>> row["Cl"], row["Cl_se"], row["level"]
    (2.0, 1.0, 'all samples')
    """
    rule, dated, rows = source.rule, source.dated, found.rows
    n = int(rows.sum())
    moments = weighted_moments(source.compositions[rows], source.weight[rows])
    notes = [_fallback(found, rule)]
    if "period" in found.columns:
        matched = dated.matched_by(rows, target, rule.matching)
        told = dated.months_and_years(rows)
    else:
        matched, told = "", ", ".join(map(str, dated.years(rows)))
    if target.years and set(dated.years(rows)) - set(target.years):
        notes.append(f"{rule.source} of {told} stands for {target.words}")
    fit = dated.fit(target, found.columns, rule.matching)
    left = int((fit & ~source.usable).sum())
    if left:
        lacking = f"{' or '.join(tracers)}{' or amount' if rule.amount else ''}"
        plural = "" if left == 1 else "s"
        notes.append(f"{left} sample{plural} without {lacking} left out")
    moments, words = _spread(source, moments, n)
    row = moments_row(tracers, moments)
    for tracer, variance in zip(tracers, np.diag(moments.covariance), strict=True):
        row[f"{tracer}_se"] = float(np.sqrt(variance / moments.n_effective))
    return {
        "source": rule.source,
        **row,
        "spread_of": "sample",
        "n": n,
        "n_effective": moments.n_effective,
        "level": ", ".join(found.columns) or ALL_SAMPLES,
        "matched_by": matched,
        "years": ", ".join(map(str, dated.years(rows))),
        "note": "; ".join(filter(None, [*notes, words])),
    }


def _spread(source: SourceSamples, moments: Moments, n: int) -> tuple[Moments, str]:
    """Choose the covariance of a stratum, and say what was chosen."""
    few = n < source.rule.min_samples or n <= len(moments.mean)
    unknown = not np.isfinite(moments.covariance).all()
    pooled = source.pooled() if few and source.rule.spread == "pooled" else None
    if pooled is not None:
        spread, freedom, strata = pooled
        words = (
            f"spread pooled within {strata} strata of the source "
            f"({freedom:.3g} degrees of freedom)"
        )
        return moments._replace(covariance=spread), words
    asked = source.rule.spread == "pooled"
    more = ", and no stratum has two samples to pool" if asked else ""
    return moments, f"{UNKNOWN}{more}" if unknown else ""


def _fallback(found: Level, rule: EndMemberRule) -> str:
    used = " x ".join(found.columns) or ALL_SAMPLES
    number = int(found.rows.sum())
    if number < rule.min_samples:
        return f"{number} of {rule.min_samples} samples at the best level, {used}"
    steps = [
        f"{name} ({n}{'' if place else ' samples'})"
        for place, (name, n) in enumerate(found.tried[:-1])
    ]
    return f"fell back from {' and '.join(steps)} to {used} ({number})" if steps else ""
