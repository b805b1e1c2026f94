"""Prepare soil samples and end members for mixing: strata, zero rules, sources."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pandas as pd

from geosoil.config import StudyConfig
from geosoil.errors import ConfigError, GeosoilWarning
from geosoil.interpolation.composition import ZeroRule
from geosoil.strata import OUTSIDE, add_strata, exposure
from geosoil.tracers.endmember_rules import EndMemberRule, end_members_by_rules
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.presets import Preset, preset
from geosoil.workflow.inputs import StudyInputs

GROUPS: tuple[str, ...] = ("elevation_band", "vegetation", "aspect")
"""Strata whose source fractions are told, as in section 3.3 of the paper."""

ALL = "all"
"""Name of the group of all samples."""


def soil_mixtures(inputs: StudyInputs) -> pd.DataFrame:
    """Return the soil samples with their strata and allowed sources.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    soil : DataFrame
        Soil samples of the periods that have sources, with ``elevation_band``,
        ``soil_layer`` and ``exposure`` where they follow from the table, and
        ``<source>_allowed`` for each source under a zero rule.

    Raises
    ------
    ConfigError
        If no soil sample lies in a period with sources.
    """
    samples = pd.DataFrame(inputs.samples.drop(columns="geometry"))
    periods = tuple(inputs.config.tracers.sources)
    soil = samples[(samples["water"] == "soil") & samples["period"].isin(periods)]
    if soil.empty:
        message = (
            f"No soil sample lies in the periods {', '.join(periods) or '(none)'} of "
            "[tracers.sources]. Name the periods of your samples there: "
            f"{', '.join(map(str, samples['period'].dropna().unique()))}."
        )
        raise ConfigError(message)
    soil = soil.copy()
    if "site_id" not in soil:
        words = (
            "The samples have no column site_id: each counts as a site of its own. "
            "Layers of one profile are not independent, so errors come out too small."
        )
        warnings.warn(words, GeosoilWarning, stacklevel=2)
        soil["site_id"] = soil["sample_id"]
    soil = add_strata(soil, edges=inputs.config.strata.edges())
    for column in ("elevation_band", "soil_layer"):
        if column in soil:
            soil[column] = soil[column].astype(object)
    if "aspect" in soil:
        soil["exposure"] = exposure(soil["aspect"])
    return _allow_sources(soil, zero_rules(inputs.config))


def chosen_preset(config: StudyConfig) -> Preset | None:
    """Return the preset of the settings.

    Parameters
    ----------
    config : StudyConfig
        Settings.

    Returns
    -------
    preset : Preset or None
        None where none is chosen.
    """
    name = config.tracers.preset
    return None if name is None else preset(name)


def zero_rules(config: StudyConfig) -> tuple[ZeroRule, ...]:
    """Return the settings' zero rules.

    Parameters
    ----------
    config : StudyConfig
        Settings.

    Returns
    -------
    rules : tuple of ZeroRule
        Where and when a source cannot be.
    """
    return tuple(
        ZeroRule(rule.source, rule.period, rule.below, rule.above)
        for rule in config.rule
    )


def _allow_sources(soil: pd.DataFrame, rules: tuple[ZeroRule, ...]) -> pd.DataFrame:
    """Add which sources may take part in each sample by the zero rules."""
    if "elevation" not in soil:
        return soil
    heights = soil["elevation"].to_numpy(dtype=float)
    for rule in rules:
        column = f"{rule.source}_allowed"
        excluded = rule.zero(heights) & soil["period"].isin(rule.period).to_numpy()
        before = soil[column].to_numpy(dtype=bool) if column in soil else True
        soil[column] = before & ~excluded
    return soil


def groups_of(soil: pd.DataFrame) -> tuple[str, ...]:
    """Return the strata that the samples have labels for.

    Parameters
    ----------
    soil : DataFrame
        Soil samples, see `soil_mixtures`.

    Returns
    -------
    groups : tuple of str
        Some of :data:`GROUPS`.
    """
    return tuple(name for name in GROUPS if name in soil and soil[name].notna().any())


def end_members_as_fallen(inputs: StudyInputs, period: str) -> EndMembers:
    """Take a period's end members from the samples: rain as it fell.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period; precipitation of the same calendar month in any year belongs to it.

    Returns
    -------
    end_members : EndMembers
        Sample means; precipitation weighted by its amounts where the table has them.

    Warns
    -----
    GeosoilWarning
        Where a source was not sampled in the period and its samples of all periods
        stand in.

    Notes
    -----
    Where the settings have tables [[end_member]], their rules decide what stands in.
    """
    sources = inputs.config.tracers.sources[period]
    samples = pd.DataFrame(inputs.samples.drop(columns="geometry"))
    if inputs.config.end_member:
        return _by_rules(inputs, samples, period)
    chosen = []
    for source in sources:
        of_source = samples[samples["water"] == source]
        of_period = of_source[of_source["period"] == period]
        if of_period.empty and len(of_source):
            words = (
                f"No {source} was sampled in {period}: the mean of its "
                f"{len(of_source)} samples of all periods stands in."
            )
            warnings.warn(words, GeosoilWarning, stacklevel=2)
            of_period = of_source
        chosen.append(of_period)
    methods = chosen_preset(inputs.config)
    weighted = methods is None or methods.end_members == "amount_weighted"
    return EndMembers.from_samples(
        pd.concat(chosen),
        sources=sources,
        amount="precipitation" if weighted and "precipitation" in samples else None,
    )


def end_member_rule(
    inputs: StudyInputs, source: str, *, amount: str | None
) -> EndMemberRule:
    """Return the rule by which a source's samples become its end member.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    source : str
        Name of the source.
    amount : str or None
        Column of amounts for sources without a rule of their own.

    Returns
    -------
    rule : EndMemberRule
        That of the settings, else by period, else of all samples.
    """
    stated = {rule.source: rule for rule in inputs.config.end_member}
    if source in stated:
        return EndMemberRule(**stated[source].model_dump())
    return EndMemberRule(source, levels=(("period",), ()), amount=amount)


def _by_rules(inputs: StudyInputs, samples: pd.DataFrame, period: str) -> EndMembers:
    """End members of a period's mean by the rules of the settings."""
    methods = chosen_preset(inputs.config)
    weighted = methods is None or methods.end_members == "amount_weighted"
    amounts = weighted and "precipitation" in samples
    rules = []
    for source in inputs.config.tracers.sources[period]:
        is_rain = amounts and source == "precipitation"
        amount = "precipitation" if is_rain else None
        rules.append(end_member_rule(inputs, source, amount=amount))
    samples = add_strata(samples, edges=inputs.config.strata.edges())
    soil = samples[(samples["water"] == "soil") & (samples["period"] == period)]
    # One end member a period: finer levels belong to strata, not to its mean.
    rules = [_coarse(rule) for rule in rules]
    found = end_members_by_rules(samples, soil, rules)
    return found.select(**dict.fromkeys(found.by, period))


def _coarse(rule: EndMemberRule) -> EndMemberRule:
    """Rule without the levels that are finer than a period."""
    levels = [level for level in rule.levels if set(level) <= {"period"}]
    absent = [part for part in rule.absent if set(part) <= {"period"}]
    return replace(rule, levels=levels or [[]], absent=absent)


def end_members_given(
    inputs: StudyInputs, period: str, group: str
) -> EndMembers | None:
    """Take a period's end members from the table of the settings.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.
    group : str
        Stratum column whose rows are wanted beside those of all samples; ``"all"``
        for the latter alone.

    Returns
    -------
    end_members : EndMembers or None
        Rain as evaporated where the table tells it apart; strata by ``group``. None
        without a table.

    Raises
    ------
    ConfigError
        If the table lacks a source of the period.
    """
    table = inputs.end_members
    if table is None:
        return None
    if "period" in table:
        table = table[table["period"].isin([period]) | _empty(table["period"])]
    if "state" in table:
        table = table[table["state"] != "fallen"]
    if "by" in table:
        table = table[table["by"].isin([group, ALL]) | _empty(table["by"])]
    sources = inputs.config.tracers.sources[period]
    missing = [source for source in sources if source not in set(table["source"])]
    if missing:
        message = (
            f"End-member table '{inputs.config.tracers.end_members}' has no row for "
            f"{', '.join(missing)} in {period}. Add it, or take the source out of "
            "[tracers.sources]."
        )
        raise ConfigError(message)
    columns = [c for c in ("period", "by", "stratum", "state") if c in table]
    plain = table.drop(columns=columns)
    strata: list[str] = []
    if group != ALL and "by" in table:
        strata = [group]
        own = (table["by"] == group).to_numpy()
        plain[group] = table["stratum"].astype(object).where(own, None)
    return EndMembers.from_table(plain, by=strata).keep(sources)


def _empty(column: pd.Series) -> pd.Series:
    """Rows without a label."""
    empty: pd.Series = column.isna() | (column == "")
    return empty


def is_labelled(soil: pd.DataFrame, group: str) -> pd.Series:
    """Return which samples lie in a class of a group.

    Parameters
    ----------
    soil : DataFrame
        Soil samples.
    group : str
        Stratum column.

    Returns
    -------
    labelled : Series of bool
        False where the label is missing or "outside".
    """
    labelled: pd.Series = soil[group].notna() & (soil[group] != OUTSIDE)
    return labelled
