"""Which answer the groups, sites and maps of a study rest on, and those answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geosoil.errors import GeosoilWarning
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_mixing import evaporated_fractions
from geosoil.tracers.evaporation_prior import EvaporationPrior, evaporation_prior
from geosoil.tracers.group_fractions import fractions_of_means
from geosoil.tracers.mixing import source_fractions
from geosoil.workflow.evaporation import evaporation_start
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import (
    ALL,
    chosen_preset,
    end_members_as_fallen,
    end_members_given,
    groups_of,
    is_labelled,
)
from geosoil.workflow.modelled import modelled_means

FALLEN = "rain as fallen"
GIVEN = "rain as evaporated"
CORRECTED = "evaporation corrected"
MODELLED = "evaporation modelled"
ANSWERS = (FALLEN, GIVEN, CORRECTED, MODELLED)
"""The answers, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to solve the groups of a period."""

    name: str
    """FALLEN, GIVEN or MODELLED."""
    end_members: EndMembers
    """Sources; as fallen where evaporation is solved for."""
    prior: EvaporationPrior | None
    """What is known of evaporation; None unless it is solved for."""

    def of_means(
        self, soil: pd.DataFrame, by: list[str], tracers: tuple[str, ...]
    ) -> pd.DataFrame:
        """Solve the fractions of groups' mean waters."""
        if self.prior is None:
            return fractions_of_means(soil, self.end_members, by, tracers=tracers)
        return modelled_means(
            soil, self.end_members, by, prior=self.prior, tracers=tracers
        )

    def of_each(self, soil: pd.DataFrame, tracers: tuple[str, ...]) -> pd.DataFrame:
        """Solve the fractions of every row on its own."""
        if self.prior is None:
            return source_fractions(soil, self.end_members, tracers=tracers)
        return evaporated_fractions(
            soil, self.end_members, prior=self.prior, tracers=tracers
        )


def study_prior(
    inputs: StudyInputs, period: str, fallen: EndMembers
) -> EvaporationPrior | None:
    """Derive what is known of a period's evaporation from its climate.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.
    fallen : EndMembers
        End members of the period; evaporation starts from its precipitation.

    Returns
    -------
    prior : EvaporationPrior or None
        None where the settings give no climate or there is no precipitation.
    """
    start = evaporation_start(inputs, period, fallen)
    if start is None:
        return None
    return evaporation_prior(
        start.climate,
        d18O=start.d18O,
        d2H=start.d2H,
        rng=np.random.default_rng(inputs.config.study.seed),
        remaining=inputs.config.tracers.climate[period].remaining,
    )


def periods_with_soil(
    inputs: StudyInputs, soil: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, EndMembers]]:
    """Give the periods of a study that have soil samples.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    soil : DataFrame
        Soil samples of all periods.

    Yields
    ------
    period, chosen, fallen : str, DataFrame, EndMembers
        Period, its samples, and its end members with rain as fallen.
    """
    for period in inputs.config.tracers.sources:
        chosen = soil[soil["period"] == period]
        if not chosen.empty:
            yield period, chosen, end_members_as_fallen(inputs, period)


def study_answer(
    inputs: StudyInputs, period: str, fallen: EndMembers, group: str
) -> Answer:
    """Choose how the groups of a period are solved.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    period : str
        Period.
    fallen : EndMembers
        End members of the period as sampled.
    group : str
        Stratum column, or ``"all"``.

    Returns
    -------
    answer : Answer
        The preset "paper" mixes uncorrected: rain as fallen. Else rain as evaporated
        where a table of end members is given. Else the preset "recommended" solves
        evaporation with the shares where a climate is given, and all other cases are
        rain as fallen.
    """
    chosen = chosen_preset(inputs.config)
    if chosen is not None and chosen.mixing == "uncorrected":
        return Answer(FALLEN, fallen, None)
    given = end_members_given(inputs, period, group)
    if given is not None:
        return Answer(GIVEN, given, None)
    prior = None if chosen is None else study_prior(inputs, period, fallen)
    return Answer(FALLEN if prior is None else MODELLED, fallen, prior)


def group_answers(
    inputs: StudyInputs, soil: pd.DataFrame, fallen: EndMembers
) -> list[pd.DataFrame]:
    """Solve the fractions of a period's strata, each with the rain of its own.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    soil : DataFrame
        Soil samples of one period.
    fallen : EndMembers
        End members of the period as sampled.

    Returns
    -------
    tables : list of DataFrame
        One a kind of group: period, by, stratum, n, n_sites, fractions, answer.
    """
    tables = []
    period = str(soil["period"].iloc[0])
    unit = averaged_unit(soil, inputs)
    for group in (ALL, *groups_of(soil)):
        inside = group_samples(unit, group)
        if inside.empty:
            continue
        by = ["period"] if group == ALL else ["period", group]
        answer = study_answer(inputs, period, fallen, group)
        table = answer.of_means(inside, by, inputs.config.tracers.names)
        stratum = ALL if group == ALL else table.pop(group)
        tables.append(table.assign(by=group, stratum=stratum, answer=answer.name))
    return tables


def group_samples(soil: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the samples that a kind of group is made of.

    Parameters
    ----------
    soil : DataFrame
        Soil samples.
    group : str
        Stratum column, or ``"all"``.

    Returns
    -------
    inside : DataFrame
        Samples with a label; for ``"all"`` every sample, without zero rules: they hold
        for places, not for the mean of a region.
    """
    if group == ALL:
        return soil.drop(columns=zero_columns(soil))
    return soil[is_labelled(soil, group)]


def zero_columns(soil: pd.DataFrame) -> list[str]:
    """Return the columns that say which sources a zero rule leaves to a sample.

    Parameters
    ----------
    soil : DataFrame
        Soil samples.

    Returns
    -------
    columns : list of str
        Names that end in ``_allowed``.
    """
    return [name for name in map(str, soil.columns) if name.endswith("_allowed")]


def single_answers(
    inputs: StudyInputs, soil: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Solve the fractions of every sample and of every profile's mean water.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    soil : DataFrame
        Soil samples of all periods.

    Returns
    -------
    samples, sites : DataFrame
        With ``fraction_<source>``, ``_sd``, ``_raw`` and ``reason``.
    """
    samples: list[pd.DataFrame] = []
    sites: list[pd.DataFrame] = []
    group = "elevation_band" if "elevation_band" in soil else ALL
    with warnings.catch_warnings():
        # The condition of the end members was told with the period's mean.
        warnings.simplefilter("ignore", GeosoilWarning)
        for period, chosen, fallen in periods_with_soil(inputs, soil):
            answer = study_answer(inputs, period, fallen, group)
            for table, out in ((chosen, samples), (profiles(chosen), sites)):
                solved = answer.of_each(table, inputs.config.tracers.names)
                out.append(table.join(_prefixed(solved, answer.end_members.sources)))
    return pd.concat(samples), pd.concat(sites, ignore_index=True)


def _prefixed(solved: pd.DataFrame, sources: tuple[str, ...]) -> pd.DataFrame:
    """Name fractions apart from the samples' amount of precipitation."""
    columns = [f"{source}{tail}" for source in sources for tail in ("", "_sd", "_raw")]
    kept = [*columns, *(c for c in ("chi2", "distance", "evaporation") if c in solved)]
    names = {name: f"fraction_{name}" for name in columns}
    return solved[[*kept, "reason"]].rename(columns=names)


def averaged_unit(soil: pd.DataFrame, inputs: StudyInputs) -> pd.DataFrame:
    """Return what a group's mean is taken over: samples, or with a preset profiles.

    Parameters
    ----------
    soil : DataFrame
        Soil samples of one period.
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    unit : DataFrame
        The samples, or the mean water of each profile where the preset averages
        profiles first.
    """
    chosen = chosen_preset(inputs.config)
    by_site = chosen is not None and chosen.means == "by_site"
    return profiles(soil) if by_site else soil


def profiles(soil: pd.DataFrame) -> pd.DataFrame:
    """Return the mean water of each profile, its layers weighing the same.

    Parameters
    ----------
    soil : DataFrame
        Soil samples of one period.

    Returns
    -------
    profiles : DataFrame
        One row a site: period, position, strata, zero rules, mean tracers,
        ``n_samples``.
    """
    first = ["period", "longitude", "latitude", "elevation", "elevation_band"]
    first += ["aspect", "vegetation", "basin", *zero_columns(soil)]
    how = {name: "first" for name in first if name in soil}
    how |= {"d18O": "mean", "d2H": "mean", "d_excess": "mean"}
    found = soil.groupby("site_id", sort=False, as_index=False).agg(how)
    counts = soil.groupby("site_id", sort=False).size().to_numpy()
    return found.assign(n_samples=counts)
