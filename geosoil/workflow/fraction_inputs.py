"""Open the tables that source fractions are asked of: mixtures and end members."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.config import StudyConfig, ZeroRuleSettings, read_config, read_zero_rules
from geosoil.errors import GeosoilWarning, InputError
from geosoil.interpolation.composition import ZeroRule
from geosoil.io.layers import read_end_members
from geosoil.tracers.endmember_rules import EndMemberRule, end_members_by_rules
from geosoil.tracers.endmembers import EndMembers
from geosoil.workflow.fraction_request import FractionRequest
from geosoil.workflow.lines import open_strata
from geosoil.workflow.waters import samples_of_water

ANY_HEIGHT = 0.0
"""Elevation that rules without limits are tried at: they do not look at it."""
DERIVED = {"d_excess": ("d18O", "d2H")}


@dataclass(frozen=True, slots=True, eq=False)
class FractionInputs:
    """Mixtures and end members of a request."""

    mixtures: pd.DataFrame
    """Samples of the mixture with strata and ``<source>_allowed``."""
    samples: pd.DataFrame
    """All samples."""
    end_members: EndMembers
    """Sources, as fallen where the table tells their state and evaporation is solved
    for, else as evaporated."""
    issues: pd.DataFrame
    """Changes made to the table of samples and doubts about it."""
    config: StudyConfig | None
    """Settings, where some were given."""
    evaporated: bool = False
    """Whether the table of end members tells rain as evaporated, which is used."""


def open_fractions(request: FractionRequest) -> FractionInputs:
    """Read samples, end members and zero rules of a request.

    Parameters
    ----------
    request : FractionRequest
        What is asked.

    Returns
    -------
    inputs : FractionInputs
        Mixtures and end members.

    Raises
    ------
    GeosoilError
        If a file cannot be read or lacks what the request names.

    Warns
    -----
    GeosoilWarning
        Where samples name no sites, or end members fall back to a coarser level.
    """
    config = read_config(request.config) if request.config is not None else None
    samples, issues = open_strata(request.samples, request.config)
    samples = with_numbers(samples, request.tracers, f"Samples '{request.samples}'")
    mixtures = _mixtures(samples, request)
    rules = _zero_rules(request, config)
    mixtures = _allow_sources(mixtures, rules)
    mixtures = _allow_by_period(mixtures, config, request.sources)
    if request.end_members is None:
        ends = _sampled(samples, mixtures, request, config)
        return FractionInputs(mixtures, samples, ends, issues, config)
    ends, evaporated = _given(request.end_members, request)
    return FractionInputs(mixtures, samples, ends, issues, config, evaporated)


def with_numbers(
    table: pd.DataFrame, tracers: Sequence[str], what: str
) -> pd.DataFrame:
    """Read the columns of tracers as numbers.

    Parameters
    ----------
    table : DataFrame
        Table whose unknown columns are text.
    tracers : sequence of str
        Tracers; their ``_sd`` and ``_concentration`` columns are read too.
    what : str
        Name of the table, for messages.

    Returns
    -------
    table : DataFrame
        Copy with numbers; an empty cell is missing.

    Raises
    ------
    InputError
        If a column is absent or holds text; all faults at once.

    Examples
    --------
    >>> table = pd.DataFrame({"Cl": ["3.5", ""]})
    >>> with_numbers(table, ["Cl"], "Table")["Cl"].tolist()
    [3.5, nan]
    """
    needed = [name for t in tracers for name in DERIVED.get(t, (t,))]
    needed = list(dict.fromkeys(needed))
    own = [t for t in tracers if t in table]
    absent = [t for t in needed if t not in table and t not in own]
    faults = [f"column {', '.join(absent)} is missing"] if absent else []
    out = table.copy()
    tails = ("", "_sd", "_concentration")
    for name in [f"{t}{tail}" for t in (*needed, *own) for tail in tails]:
        if name in out and not pd.api.types.is_numeric_dtype(out[name]):
            text = out[name].astype(object).where(out[name].notna(), "")
            text = text.map(lambda cell: str(cell).strip())
            numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
            wrong = (text != "") & numbers.isna()
            if wrong.any():
                faults.append(
                    f"column '{name}' has {int(wrong.sum())} cells that are no "
                    f"numbers, the first '{text[wrong].iloc[0]}'"
                )
            out[name] = numbers
    if faults:
        found = ", ".join(map(str, table.columns))
        message = f"{what}: {'; '.join(faults)}. Columns found: {found}."
        raise InputError(message)
    return out


def _mixtures(samples: pd.DataFrame, request: FractionRequest) -> pd.DataFrame:
    """Take the samples of the mixture, each with a site."""
    absent = [name for name in request.by if name not in samples]
    if absent:
        message = (
            f"The samples have no column {', '.join(absent)} to group by. Columns "
            f"found: {', '.join(map(str, samples.columns))}. Name one with --by."
        )
        raise InputError(message)
    mixtures = samples_of_water(samples, request.mixture, option="--mixture")
    for column in request.by:
        # A class without samples makes no group.
        mixtures[column] = mixtures[column].astype(object)
    return mixtures.reset_index(drop=True)


def _zero_rules(
    request: FractionRequest, config: StudyConfig | None
) -> tuple[ZeroRule, ...]:
    found: tuple[ZeroRuleSettings, ...] = config.rule if config is not None else ()
    if request.zero_rules is not None:
        found = read_zero_rules(request.zero_rules)
    unknown = {rule.source for rule in found} - set(request.sources)
    if unknown and request.zero_rules is not None:
        message = (
            f"Zero rules '{request.zero_rules}' name {', '.join(sorted(unknown))}, "
            f"which is none of the sources {', '.join(request.sources)}."
        )
        raise InputError(message)
    return tuple(
        ZeroRule(rule.source, rule.period, rule.below, rule.above)
        for rule in found
        if rule.source in request.sources
    )


def _allow_sources(mixtures: pd.DataFrame, rules: Sequence[ZeroRule]) -> pd.DataFrame:
    """Add which sources may take part in each mixture by the zero rules."""
    if rules and "period" not in mixtures:
        message = "Zero rules hold in periods, but the samples have no period or date."
        raise InputError(message)
    if any(rule.needs_elevation for rule in rules) and "elevation" not in mixtures:
        message = (
            "Zero rules have limits of elevation, but the samples have no column "
            "elevation [m]. Add it, or give rules without below and above."
        )
        raise InputError(message)
    blank = pd.Series(ANY_HEIGHT, index=mixtures.index)
    heights = np.asarray(mixtures.get("elevation", blank), dtype=np.float64)
    for rule in rules:
        if rule.needs_elevation and np.isnan(heights).any():
            words = (
                f"{int(np.isnan(heights).sum())} samples have no elevation: the zero "
                f"rule '{rule}' cannot be applied to them, so they keep the source."
            )
            warnings.warn(words, GeosoilWarning, stacklevel=3)
        column = f"{rule.source}_allowed"
        zero = rule.zero(heights) & mixtures["period"].isin(rule.period).to_numpy()
        before = mixtures[column].to_numpy(dtype=bool) if column in mixtures else True
        mixtures[column] = before & ~zero
    return mixtures


def _allow_by_period(
    mixtures: pd.DataFrame, config: StudyConfig | None, sources: Sequence[str]
) -> pd.DataFrame:
    """Leave out sources that the settings do not name for a period."""
    named = config.tracers.sources if config is not None else {}
    if not named or "period" not in mixtures:
        return mixtures
    for source in sources:
        without = [period for period, own in named.items() if source not in own]
        if without:
            column = f"{source}_allowed"
            before = (
                mixtures[column].to_numpy(dtype=bool) if column in mixtures else True
            )
            mixtures[column] = before & ~mixtures["period"].isin(without).to_numpy()
    return mixtures


def _given(path: Path, request: FractionRequest) -> tuple[EndMembers, bool]:
    """Take the end members of a table of means; tell whether rain has evaporated."""
    table = read_end_members(path, tracers=request.tracers)
    table = with_numbers(table, request.tracers, f"End-member table '{path}'")
    evaporated = "state" in table and request.evaporation == "none"
    if "state" in table:
        fallen = request.evaporation != "none"
        table = table[
            (table["state"] == "fallen") if fallen else (table["state"] != "fallen")
        ]
    strata = [name for name in request.by if name != "period"]
    table = _wide(table, strata)
    missing = [name for name in request.sources if name not in set(table["source"])]
    if missing:
        message = (
            f"End-member table '{path}' has no row for {', '.join(missing)}. Sources "
            f"found: {', '.join(dict.fromkeys(table['source']))}. Add the rows, or "
            "name other --sources."
        )
        raise InputError(message)
    return EndMembers.from_table(table).keep(request.sources), evaporated


def _wide(table: pd.DataFrame, strata: Sequence[str]) -> pd.DataFrame:
    """Turn columns by and stratum into one column of the stratum."""
    if "by" not in table:
        return table
    by = table["by"].astype(object).where(table["by"].notna(), "all")
    wanted = [name for name in strata if (by == name).any()]
    kept = table[by.isin(["all", *wanted[:1]])].copy()
    for name in wanted[:1]:
        kept[name] = kept["stratum"].astype(object).where(by[kept.index] == name, None)
    return kept.drop(columns=["by", "stratum", "state"], errors="ignore")


def _sampled(
    samples: pd.DataFrame,
    mixtures: pd.DataFrame,
    request: FractionRequest,
    config: StudyConfig | None,
) -> EndMembers:
    """Average the samples of the sources by the rules of the settings, or plain."""
    stated = {rule.source: rule for rule in (config.end_member if config else ())}
    levels = (("period",), ()) if "period" in mixtures else ((),)
    rules = [
        EndMemberRule(**stated[source].model_dump())
        if source in stated
        else EndMemberRule(source, levels=levels, amount=_amount(samples, source))
        for source in request.sources
    ]
    measured = [n for t in request.tracers for n in DERIVED.get(t, (t,))]
    return end_members_by_rules(
        samples, mixtures, rules, tracers=tuple(dict.fromkeys(measured))
    )


def _amount(samples: pd.DataFrame, source: str) -> str | None:
    """Column of amounts that weight a source's samples, where it has any."""
    if "precipitation" not in samples:
        return None
    own = samples.loc[samples["water"] == source, "precipitation"]
    return "precipitation" if bool((own > 0).any()) else None
