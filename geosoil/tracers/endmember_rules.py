"""End members of every stratum by rules that fall back to coarser levels and say so."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.endmember_levels import UNKNOWN, SourceSamples, source_row
from geosoil.tracers.endmember_matching import Target, wanted_strata
from geosoil.tracers.endmember_rule import EndMemberRule
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns
from geosoil.tracers.source_means import row_label

__all__ = ["EndMemberRule", "end_members_by_rules"]


def end_members_by_rules(
    samples: pd.DataFrame,
    targets: pd.DataFrame,
    rules: Sequence[EndMemberRule],
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
) -> EndMembers:
    """Take the end members of every stratum from samples, by a rule a source.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with ``water``, the tracers, the columns of the rules, and
        ``date`` or ``period``.
    targets : DataFrame
        Strata wanted: one row each, or the mixtures themselves, with the columns of
        the rules' levels, and ``date`` where known.
    rules : sequence of EndMemberRule
        One rule a source, in the order wanted.
    tracers : sequence of str
        Tracers to average.

    Returns
    -------
    end_members : EndMembers
        By the columns of the rules. The table has besides the means, ``<tracer>_sd``
        and ``<a>_<b>_cov`` (of single samples: ``spread_of`` is "sample"):
        ``<tracer>_se`` (of the mean, SD / sqrt(n_effective)), ``n``, ``n_effective``,
        ``level`` (columns used), ``matched_by``, ``years`` (of the samples used) and
        ``note`` (what calls for attention; "" where nothing does).

    Raises
    ------
    InputError
        If columns are missing, or two rules are for one source.
    MixingError
        If a source has no sample at any level; the message lists all sources and
        strata.

    Warns
    -----
    GeosoilWarning
        Where a source has fewer samples than asked for at every level, one sample
        (its spread is unknown and counts as none), or where a stratum has no label
        in a column that decides whether a source is absent: it is left out.

    Notes
    -----
    The level used is the first with ``min_samples`` samples, else the one with the
    most. A sample of another year than the mixtures stands for its calendar month,
    which ``note`` tells. The pooled covariance is sum (n_k - 1) S_k / sum (n_k - 1)
    over the strata of the finest level that has any with two samples; n_k is the
    effective number.

    Examples
    --------
    >>> samples = pd.DataFrame({
    ...     "water": ["rain"] * 3 + ["ice"] * 2,
    ...     "period": ["August"] * 3 + ["June"] * 2,
    ...     "date": ["2019-08-01", "2019-08-09", "2019-08-20", None, None],
    ...     "Cl": [1.0, 2.0, 3.0, 8.0, 9.0]})
    >>> targets = pd.DataFrame({"period": ["August"], "date": ["2020-08-15"]})
    >>> rules = [EndMemberRule("rain", levels=[["period"]]),
    ...          EndMemberRule("ice", levels=[["period"], []], min_samples=2)]
    >>> ends = end_members_by_rules(samples, targets, rules, tracers=["Cl"])
    >>> ends.table["level"].tolist()
    ['period', 'all samples']
    >>> for note in ends.table["note"]:
    ...     note
    'rain of August 2019 stands for August 2020'
    'fell back from period (0 samples) to all samples (2)'
    """
    by = _check_rules(samples, targets, rules)
    strata = wanted_strata(targets, by)
    strata = _clear_strata(strata, rules)
    rows: list[dict[str, object]] = []
    empty: list[str] = []
    few: list[str] = []
    sources = [SourceSamples.read(samples, rule, tracers) for rule in rules]
    for target in strata:
        for source in sources:
            if _fits_any(target, source.rule.absent):
                continue
            label = row_label(
                pd.Series({**target.key, "source": source.rule.source}), by
            )
            found = source.best_level(target)
            if not found.rows.any():
                empty.append(label)
                continue
            rows.append({**target.key, **source_row(source, target, found, tracers)})
            if found.rows.sum() < source.rule.min_samples:
                few.append(f"{label} has {found.rows.sum()}")
    if empty or not rows:
        raise MixingError(_nothing(empty, samples))
    _warn_few(few, rows, by)
    return EndMembers.from_table(pd.DataFrame(rows), by=by)


def _check_rules(
    samples: pd.DataFrame, targets: pd.DataFrame, rules: Sequence[EndMemberRule]
) -> tuple[str, ...]:
    """Check rules against the tables; return the columns that make the strata."""
    names = [rule.source for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not rules or twice:
        found = f"two for {', '.join(twice)}" if twice else "none"
        message = f"End-member rules: {found}. Give one rule a source."
        raise InputError(message)
    by = tuple(dict.fromkeys(column for rule in rules for column in rule.columns))
    levels = {column for rule in rules for level in rule.levels for column in level}
    needed = ["water", *sorted(levels - {"period"})]
    needed += [column for rule in rules for column in rule.where]
    needed += [rule.amount for rule in rules if rule.amount]
    if any(rule.match == "date_window" for rule in rules):
        needed.append("date")
    labelled = any(
        rule.match == "period" and any("period" in level for level in rule.levels)
        for rule in rules
    )
    timed = {"period", "date"} & set(samples.columns)
    if "period" in levels and (labelled or not timed):
        needed.append("period")
    check_columns(samples, list(dict.fromkeys(needed)), what="Samples")
    check_columns(targets, by, what="Targets")
    return by


def _clear_strata(strata: list[Target], rules: Sequence[EndMemberRule]) -> list[Target]:
    """Leave out strata whose missing label decides whether a source is absent."""
    clear, unclear = [], []
    for target in strata:
        doubtful = [
            f"{rule.source} ({', '.join(missing)} missing)"
            for rule in rules
            for stratum in rule.absent
            if (missing := _deciding_gaps(target, stratum))
        ]
        if doubtful:
            key = ", ".join(f"{name} {label}" for name, label in target.key.items())
            unclear.append(f"{key}: {', '.join(dict.fromkeys(doubtful))}")
        else:
            clear.append(target)
    if unclear:
        message = (
            "Strata left out, for a label is missing that decides whether a source is "
            f"absent: {'; '.join(unclear)}. Give the label."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=3)
    return clear


def _deciding_gaps(
    target: Target, stratum: Mapping[str, Sequence[Hashable]]
) -> list[str]:
    """List missing labels of a stratum that fits in all columns it has a label in."""
    missing = [name for name in stratum if pd.isna(target.key[name])]  # type: ignore[call-overload]
    known = {name: labels for name, labels in stratum.items() if name not in missing}
    return missing if _fits_any(target, [known]) else []


def _fits_any(
    target: Target, strata: Sequence[Mapping[str, Sequence[Hashable]]]
) -> bool:
    return any(
        all(target.key[column] in labels for column, labels in stratum.items())
        for stratum in strata
    )


def _nothing(empty: Sequence[str], samples: pd.DataFrame) -> str:
    if not empty:
        return "No end members: no stratum is wanted, or every source is absent in all."
    found = ", ".join(sorted(map(str, samples["water"].dropna().unique())))
    return (
        f"No usable sample at any level of {'; '.join(empty)}. Waters found: "
        f"{found or 'none'}. Add samples, add a coarser level such as [], or name the "
        "strata without the source in 'absent'."
    )


def _warn_few(
    few: Sequence[str], rows: Sequence[Mapping[str, object]], by: Sequence[str]
) -> None:
    """Warn of strata with fewer samples than asked for, and of unknown spreads."""
    if few:
        message = f"Fewer samples than asked for at every level: {'; '.join(few)}."
        warnings.warn(message, GeosoilWarning, stacklevel=3)
    single = [
        row_label(pd.Series(row), by) for row in rows if UNKNOWN in str(row["note"])
    ]
    if single:
        message = (
            f"One sample only for {'; '.join(single)}: the spread is unknown and "
            "counts as none. Pool it (spread = pooled) or add samples."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=3)
