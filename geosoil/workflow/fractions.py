"""From samples to source fractions: water lines, then mixing in several ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geosoil.tracers.artefact import SlopeArtefact
from geosoil.tracers.correction import EvaporationSensitivity, evaporation_sensitivity
from geosoil.tracers.delta import d_excess, lc_excess
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.group_fractions import clustered_mean, fractions_of_means
from geosoil.tracers.group_table import LineChoice, crossed_groups
from geosoil.tracers.lines import LineMethod, WaterLine
from geosoil.workflow.evaporation import (
    NO_SOURCES,
    regression_artefact,
    source_waters,
    theory_slope,
)
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.meteoric import (
    meteoric_line,
    meteoric_method,
    plain_method,
    whole_samples,
)
from geosoil.workflow.mixtures import (
    ALL,
    chosen_preset,
    end_members_as_fallen,
    end_members_given,
    groups_of,
    soil_mixtures,
)
from geosoil.workflow.modelled import modelled_means
from geosoil.workflow.study_answers import (
    CORRECTED,
    FALLEN,
    GIVEN,
    MODELLED,
    averaged_unit,
    group_answers,
    group_samples,
    single_answers,
    study_prior,
)


@dataclass(frozen=True, slots=True)
class FractionResult:
    """Water lines and source fractions of a study."""

    lmwl: WaterLine
    """Local meteoric water line; the global one where precipitation is too scarce."""
    lines: pd.DataFrame
    """Evaporation lines of soil water: period, by, stratum and `crossed_groups`."""
    artefacts: dict[str, SlopeArtefact]
    """Regression slope against the Craig-Gordon slope, by period."""
    regional: pd.DataFrame
    """Period, answer, source, fraction, sd, lower, upper, reason."""
    groups: pd.DataFrame
    """Period, by, stratum, n, n_sites and fractions; the answer they rest on."""
    samples: pd.DataFrame
    """Soil samples with d_excess, lc_excess, strata and fractions."""
    sites: pd.DataFrame
    """Mean water of each profile with its fractions."""
    sensitivities: dict[str, EvaporationSensitivity]
    """How each period's mean hangs on evaporation."""
    sources: pd.DataFrame
    """Water before evaporation of each soil sample and each period's mean, led back
    along the Craig-Gordon slope."""
    end_members: pd.DataFrame
    """End members used: period, answer, source, means, spread, n."""


def solve_study(inputs: StudyInputs, report: Callable[[str], None]) -> FractionResult:
    """Fit the water lines and solve the source fractions of a study.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    report : callable
        Called with a line a stage.

    Returns
    -------
    result : FractionResult
        Lines, regional answers, groups, samples and sites.
    """
    report("fitting water lines")
    soil = soil_mixtures(inputs)
    lmwl = study_meteoric_line(inputs)
    soil["d_excess"] = d_excess(soil["d18O"], soil["d2H"])
    soil["lc_excess"] = lc_excess(soil["d18O"], soil["d2H"], lmwl)
    lines = _lines(inputs, soil, lmwl)
    regional, groups, used, sources = [], [], [], [NO_SOURCES]
    artefacts, sensitivities = {}, {}
    for period in inputs.config.tracers.sources:
        chosen = soil[soil["period"] == period]
        if chosen.empty:
            continue
        report(f"solving source fractions of {period}")
        fallen = end_members_as_fallen(inputs, period)
        regional.append(_mean(chosen, fallen, inputs).assign(answer=FALLEN))
        used.append(fallen.table.assign(period=period, answer=FALLEN))
        given = end_members_given(inputs, period, ALL)
        if given is not None:
            regional.append(_mean(chosen, given, inputs).assign(answer=GIVEN))
            used.append(given.table.assign(period=period, answer=GIVEN))
        artefact = regression_artefact(chosen, lmwl, inputs)
        artefacts.update({} if artefact is None else {period: artefact})
        slope = theory_slope(inputs, period, fallen)
        if slope is not None:
            finding = _sensitivity(chosen, fallen, slope)
            sensitivities[period] = finding
            regional.append(_corrected_rows(finding, period))
            regional.append(_modelled(chosen, fallen, inputs))
            sources.append(source_waters(chosen, lmwl, fallen, inputs))
        groups += group_answers(inputs, chosen, fallen)
    samples, sites = single_answers(inputs, soil)
    return FractionResult(
        lmwl,
        lines,
        artefacts,
        pd.concat(regional, ignore_index=True),
        pd.concat(groups, ignore_index=True),
        samples,
        sites,
        sensitivities,
        pd.concat(sources, ignore_index=True),
        pd.concat(used, ignore_index=True),
    )


def study_meteoric_line(inputs: StudyInputs) -> WaterLine:
    """Fit the local meteoric water line of a study to its precipitation.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    lmwl : WaterLine
        The line by the method of the settings, else of their preset.

    Warns
    -----
    GeosoilWarning
        Where fewer than three precipitation samples have both isotopes; the global
        line then stands in.
    """
    rain = inputs.samples[inputs.samples["water"] == "precipitation"]
    tracers = inputs.config.tracers
    method = meteoric_method(whole_samples(rain), tracers.method, tracers.preset)
    return meteoric_line(rain, method, water="precipitation")


def _lines(inputs: StudyInputs, soil: pd.DataFrame, lmwl: WaterLine) -> pd.DataFrame:
    """Evaporation lines by period, and by period within each group."""
    rain = inputs.samples.loc[inputs.samples["water"] == "precipitation", "d18O"]
    limits = (float(rain.min()), float(rain.max())) if rain.notna().any() else None
    line = LineChoice(lmwl, soil_method(inputs), limits)
    chosen = chosen_preset(inputs.config)
    if chosen is not None:
        interval, means = chosen.confidence_interval, chosen.means
        line = replace(line, interval=interval, means=means)
    tables = []
    for group in (ALL, *groups_of(soil), "soil_layer"):
        if group != ALL and group not in soil:
            continue
        by = ["period"] if group == ALL else ["period", group]
        table = crossed_groups(soil, by, line=line)
        stratum = ALL if group == ALL else table.pop(group)
        tables.append(table.assign(by=group, stratum=stratum))
    return pd.concat(tables, ignore_index=True)


def _mean(
    soil: pd.DataFrame, end_members: EndMembers, inputs: StudyInputs
) -> pd.DataFrame:
    """Fractions of a period's mean water, one row a source."""
    tracers = inputs.config.tracers.names
    whole = group_samples(averaged_unit(soil, inputs), ALL)
    wide = fractions_of_means(whole, end_members, ["period"], tracers=tracers)
    return _long(wide, end_members.sources, ["period", "n", "n_sites"])


def _modelled(
    soil: pd.DataFrame, fallen: EndMembers, inputs: StudyInputs
) -> pd.DataFrame:
    """Fractions of a period's mean water with its evaporation, one row a source."""
    prior = study_prior(inputs, str(soil["period"].iloc[0]), fallen)
    if prior is None:
        return pd.DataFrame()
    whole = group_samples(averaged_unit(soil, inputs), ALL)
    tracers = inputs.config.tracers.names
    wide = modelled_means(whole, fallen, ["period"], prior=prior, tracers=tracers)
    keep = ["period", "n", "n_sites", "evaporation", "evaporation_sd"]
    return _long(wide, fallen.sources, keep).assign(answer=MODELLED)


def _long(
    wide: pd.DataFrame, sources: tuple[str, ...], keep: list[str]
) -> pd.DataFrame:
    """One row a source from a table with columns by source."""
    parts = [
        wide[[*keep, "reason"]].assign(
            source=source,
            fraction=wide[source],
            sd=wide[f"{source}_sd"],
            lower=wide[f"{source}_lower"],
            upper=wide[f"{source}_upper"],
            raw=wide[f"{source}_raw"],
        )
        for source in sources
    ]
    return pd.concat(parts, ignore_index=True)


def _mean_water(soil: pd.DataFrame) -> dict[str, float]:
    """Mean isotopes of samples with the standard errors by site."""
    values = soil[["d18O", "d2H"]].to_numpy(dtype=float)
    mean = clustered_mean(values, soil["site_id"].to_numpy())
    error = np.sqrt(np.diag(np.nan_to_num(mean.covariance)))
    return {
        "d18O": float(mean.mean[0]),
        "d2H": float(mean.mean[1]),
        "d18O_sd": float(error[0]),
        "d2H_sd": float(error[1]),
        "d18O_d2H_cov": float(np.nan_to_num(mean.covariance)[0, 1]),
    }


def _sensitivity(
    soil: pd.DataFrame, fallen: EndMembers, slope: float
) -> EvaporationSensitivity:
    """How the period's mean water hangs on evaporation."""
    water = pd.Series(_mean_water(soil))
    return evaporation_sensitivity(water, fallen.of_means(), slope=slope)


def _corrected_rows(finding: EvaporationSensitivity, period: str) -> pd.DataFrame:
    """Fractions with evaporation taken off: solved, or their possible range."""
    rows = []
    for place, source in enumerate(finding.sources):
        ends = (finding.fractions_lower[place], finding.fractions_upper[place])
        row: dict[str, object] = {
            "period": period,
            "answer": CORRECTED,
            "source": source,
            "fraction": np.nan,
            "sd": np.nan,
            "raw": np.nan,
            "lower": min(ends),
            "upper": max(ends),
            "reason": "not identifiable: possible range only",
        }
        if finding.identifiable:
            raw, sd = finding.solved[place], finding.solved_sd[place]
            fraction = min(max(raw, 0.0), 1.0)
            row |= {
                "fraction": fraction,
                "raw": raw,
                "sd": sd,
                "lower": max(0.0, min(raw - 1.96 * sd, fraction)),
                "upper": min(1.0, max(raw + 1.96 * sd, fraction)),
                "reason": "" if 0 <= raw <= 1 else "outside mixing space",
            }
        rows.append(row)
    return pd.DataFrame(rows)


def soil_method(inputs: StudyInputs) -> LineMethod:
    """Return the line fit of soil water, which has no precipitation amounts.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    method : str
        The method of the settings without its weights; "ols" without one.
    """
    method = inputs.config.tracers.method
    return "ols" if method is None else plain_method(method)
