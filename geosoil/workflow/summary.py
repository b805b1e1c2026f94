"""What a run found, as text for people and as plain values for machines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.errors import ConfigError
from geosoil.strata import ELEVATION_EDGES
from geosoil.tracers.correction import EvaporationSensitivity
from geosoil.tracers.lines import WaterLine
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.fractions import FractionResult
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import share_above
from geosoil.workflow.mixtures import ALL
from geosoil.workflow.study_answers import CORRECTED, FALLEN, GIVEN, MODELLED

REASONS = {
    FALLEN: "the end members as sampled. Soil water has evaporated and lies below the "
    "meteoric line, so this answer takes evaporation for ground ice.",
    GIVEN: "end members of the given table, rain with the evaporation of its stratum. "
    "Right when that evaporation is known.",
    CORRECTED: "evaporation taken off along the Craig-Gordon slope. Two sources: share "
    "and evaporation are just determined. Three sources: not identifiable, "
    "only the range of possible shares is given.",
    MODELLED: "shares and evaporation solved together, the latter known beforehand "
    "from the climate and the share of water left ([tracers.climate] remaining). As "
    "good as that assumption; three sources cannot test it.",
}
"""Why each answer is what it is."""


def read_reference(path: Path | None) -> pd.DataFrame | None:
    """Read published and true shares, for printing only.

    Parameters
    ----------
    path : Path, optional
        CSV with columns period, by, stratum, source, paper, truth.

    Returns
    -------
    reference : DataFrame or None
        The regional rows; None without a path.

    Raises
    ------
    ConfigError
        If the file is absent or lacks a column.
    """
    if path is None:
        return None
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        message = f"Reference table '{path}' ([output] reference): {error}."
        raise ConfigError(message) from error
    missing = {"period", "source", "paper", "truth"} - set(table.columns)
    if missing:
        message = f"Reference table '{path}' lacks columns {sorted(missing)}."
        raise ConfigError(message)
    return table[table["by"] == ALL] if "by" in table else table


def summarise(
    inputs: StudyInputs, results: StudyResults, reference: pd.DataFrame | None
) -> dict[str, object]:
    """Return what a run found as plain values.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.
    reference : DataFrame, optional
        Published and true regional shares.

    Returns
    -------
    summary : dict
        Study, samples, lines, regional shares, maps and means, correlations.
    """
    fractions = results.fractions
    record: dict[str, object] = {
        "study": inputs.config.study.name,
        "simulated": inputs.config.study.simulated,
        "samples": inputs.samples["water"].value_counts().to_dict(),
        "changes_to_samples": len(inputs.samples.attrs.get("issues", [])),
        "lmwl": _line(fractions.lmwl),
        "evaporation_lines": _records(
            fractions.lines[fractions.lines["by"] == ALL],
            ["period", "n", "slope", "intercept", "r_squared", "initial_d18O"],
        ),
        "regional_fractions": _records(
            with_reference(fractions.regional, reference),
            [
                *("period", "answer", "source", "fraction", "sd", "lower", "upper"),
                *("reason", "paper", "truth"),
            ],
        ),
        **_maps(results),
        "share_of_area_above_sampled": share_above(inputs, ELEVATION_EDGES[-1]),
        "outside_mixing_space": outside_counts(fractions),
        "evaporation": {
            period: _evaporation(finding)
            for period, finding in fractions.sensitivities.items()
        },
    }
    if results.correlation is not None:
        record["correlation"] = _records(results.correlation.summary)
        record["correlation_over_space"] = _records(results.correlation.space)
    return record


def _maps(results: StudyResults) -> dict[str, object]:
    """Plain values of the maps: method, cross-validation, support, means, truth."""
    maps = results.maps
    record: dict[str, object] = {
        "fraction_maps": {
            period: {
                "method": one.choice.method,
                "choice": one.choice.words,
                "cross_validation": _records(one.choice.scores),
                "support": _records(one.support),
            }
            for period, one in maps.periods.items()
        },
        "fraction_means": _records(maps.table("means")),
        "no_fraction_map": maps.skipped,
    }
    if results.truth is not None:
        record["maps_against_truth"] = _records(results.truth.scores)
    return record


def _line(line: WaterLine) -> dict[str, object]:
    """Plain values of a water line."""
    names = ("slope", "intercept", "r_squared", "n", "method")
    return {name: getattr(line, name) for name in names}


def _evaporation(finding: EvaporationSensitivity) -> dict[str, object]:
    """Plain values of how a period hangs on evaporation."""
    return {
        "identifiable": finding.identifiable,
        "slope": finding.slope,
        "shift": finding.shift,
        "shift_range": [finding.shift_lower, finding.shift_upper],
        "derivative": dict(zip(finding.sources, finding.derivative, strict=True)),
    }


def with_reference(
    regional: pd.DataFrame, reference: pd.DataFrame | None
) -> pd.DataFrame:
    """Join published and true shares to the regional ones.

    Parameters
    ----------
    regional : DataFrame
        Columns period, source.
    reference : DataFrame, optional
        Columns period, source, paper, truth.

    Returns
    -------
    joined : DataFrame
        With columns paper and truth, NaN where unknown.
    """
    if reference is None:
        return regional.assign(paper=np.nan, truth=np.nan)
    known = reference[["period", "source", "paper", "truth"]]
    return regional.merge(known, on=["period", "source"], how="left")


def outside_counts(result: FractionResult) -> dict[str, dict[str, int]]:
    """Count the soil samples that no mixture of the end members can be.

    Parameters
    ----------
    result : FractionResult
        Solved study.

    Returns
    -------
    counts : dict
        By period: samples outside the mixing space, and all samples.
    """
    counts = {}
    for period, rows in result.samples.groupby("period", sort=False):
        outside = rows["reason"].str.contains("outside|misfit", regex=True)
        counts[str(period)] = {"outside": int(outside.sum()), "n": len(rows)}
    return counts


def _records(
    table: pd.DataFrame, columns: list[str] | None = None
) -> list[dict[str, object]]:
    """Rows of a table as plain values."""
    chosen = table if columns is None else table[[c for c in columns if c in table]]
    rows = chosen.astype(object).where(chosen.notna(), None).to_dict(orient="records")
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    """One value without numpy."""
    return value.item() if isinstance(value, np.generic) else value
