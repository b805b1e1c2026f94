"""The printed account of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.plotting.correlation_captions import in_words
from geosoil.workflow.evaporation import MEAN
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping_truth import truth_words
from geosoil.workflow.mapping_words import map_words
from geosoil.workflow.mixtures import ALL
from geosoil.workflow.study_answers import ANSWERS, CORRECTED
from geosoil.workflow.summary import REASONS, outside_counts, with_reference


def account(
    inputs: StudyInputs,
    results: StudyResults,
    reference: pd.DataFrame | None,
    folder: Path,
) -> str:
    """Tell what a run found and where its files are.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.
    reference : DataFrame, optional
        Published and true regional shares.
    folder : Path
        Folder of the results.

    Returns
    -------
    text : str
        Lines of at most about 100 characters.
    """
    parts = [
        _heading(inputs),
        _lines(results),
        _regional(results, reference),
        _weights(results),
        map_words(inputs, results.maps),
        truth_words(results.truth),
        _outside(results),
        _correlations(results),
        _files(results, folder),
    ]
    return "\n\n".join(part for part in parts if part)


def _heading(inputs: StudyInputs) -> str:
    """Name the study and count its samples."""
    config = inputs.config
    counts = inputs.samples["water"].value_counts()
    words = ", ".join(f"{count} {name}" for name, count in counts.items())
    lines = [config.study.name]
    if config.study.simulated:
        lines.append("SIMULATED study: no value below was measured.")
    lines.append(f"{len(inputs.samples)} samples: {words.replace('_', ' ')}.")
    issues = inputs.samples.attrs.get("issues", [])
    if issues:
        lines.append(
            f"{len(issues)} changes to and doubts about the sample table: see "
            "tables/sample_issues.csv."
        )
    return "\n".join(lines)


def _lines(results: StudyResults) -> str:
    """Tell the meteoric line, the evaporation lines and whether they are ones."""
    fractions = results.fractions
    lmwl = fractions.lmwl
    text = [
        f"Meteoric water line ({lmwl.method}): d2H = {lmwl.slope:.2f} d18O "
        f"{lmwl.intercept:+.2f}, R2 {lmwl.r_squared:.2f}, n {lmwl.n}"
    ]
    rows = fractions.lines[fractions.lines["by"] == ALL]
    for _, row in rows.iterrows():
        period = str(row["period"])
        if row["reason"]:
            text.append(f"{period}: {row['reason']}")
            continue
        text.append(
            f"{period}: soil-water line d2H = {row['slope']:.2f} d18O "
            f"{row['intercept']:+.2f}, R2 {row['r_squared']:.2f}, n {row['n']}; meets "
            f"the meteoric line at d18O {row['initial_d18O']:.1f}{_interval(row)}"
        )
        if period in fractions.artefacts:
            text.append(f"  {fractions.artefacts[period].words}")
        text += _source(fractions.sources, period)
    return "\n".join(text)


def _interval(row: pd.Series) -> str:
    """Interval of a crossing; nothing where none was asked for."""
    if np.isnan(row["initial_lower"]):
        return ""
    return f" ({row['initial_lower']:.1f} to {row['initial_upper']:.1f})"


def _source(sources: pd.DataFrame, period: str) -> list[str]:
    """Tell the water that the mean is led back to, and by which slope."""
    rows = sources[(sources["period"] == period) & (sources["sample_id"] == MEAN)]
    if rows.empty:
        return []
    row = rows.iloc[0]
    if not np.isfinite(row["d18O"]):
        return [f"  No source along that slope: {row['reason']}."]
    path = "evaporation" if row["led_by"] == "craig_gordon" else "the regression line"
    return [
        f"  Led back along {path} (slope {row['evaporation_slope']:.2f} +- "
        f"{row['evaporation_slope_sd']:.2f}) the mean soil water began at d18O "
        f"{row['d18O']:.1f} ({row['d18O_lower']:.1f} to {row['d18O_upper']:.1f})."
    ]


def _regional(results: StudyResults, reference: pd.DataFrame | None) -> str:
    """Set the three answers beside the published and the true shares."""
    table = with_reference(results.fractions.regional, reference)
    answers = [answer for answer in ANSWERS if answer in set(table["answer"])]
    header = f"{'period':<10}{'source':<15}"
    if reference is not None:
        header += f"{'paper':>7}{'truth':>7}"
    header += "".join(f"{answer:>24}" for answer in answers)
    text = ["Sources of soil water, mean of the samples [%, 95 % interval]", header]
    for (period, source), rows in table.groupby(["period", "source"], sort=False):
        line = f"{period:<10}{str(source).replace('_', ' '):<15}"
        if reference is not None:
            line += f"{_percent(rows['paper'].iloc[0]):>7}"
            line += f"{_percent(rows['truth'].iloc[0], 1):>7}"
        for answer in answers:
            line += f"{_cell(rows[rows['answer'] == answer]):>24}"
        text.append(line)
    if table["reason"].str.contains("outside").any():
        text.append("* outside the mixing space; the nearest possible shares are given")
    below = ", ".join(
        f"{-rows['lc_excess'].mean():.1f} ({period})"
        for period, rows in results.fractions.samples.groupby("period", sort=False)
    )
    text.append(f"Soil water lies below the meteoric line by {below} permil d2H.")
    text += [f"- {answer}: {REASONS[answer]}" for answer in answers]
    for period, finding in results.fractions.sensitivities.items():
        slopes = ", ".join(
            f"{name.replace('_', ' ')} {100 * change:+.0f} %"
            for name, change in zip(finding.sources, finding.derivative, strict=True)
        )
        text.append(f"  {period}, per permil of evaporation: {slopes}. {finding.words}")
    return "\n".join(text)


def _cell(rows: pd.DataFrame) -> str:
    """One answer: the share with its interval, or the range alone."""
    if rows.empty:
        return ""
    row = rows.iloc[0]
    interval = f"{_percent(row['lower'])} to {_percent(row['upper'])}"
    if not np.isfinite(row["fraction"]):
        known = row["answer"] == CORRECTED and np.isfinite(row["lower"])
        return f"range {interval}" if known else "no answer"
    outside = "*" if "outside" in str(row["reason"]) else ""
    return f"{_percent(row['fraction'])}{outside} ({interval})"


def _percent(share: float, digits: int = 0) -> str:
    """Write a share in percent."""
    return f"{100 * share:.{digits}f}" if np.isfinite(share) else "-"


def _weights(results: StudyResults) -> str:
    """Set means over the elevation bands by samples, area and water side by side."""
    table = results.draws.weighted
    if table.empty:
        return ""
    over = "elevation_band" if "elevation_band" in set(table["over"]) else ""
    bands = table[table["over"] == (over or table["over"].iloc[0])]
    name = str(bands["over"].iloc[0]).replace("_", " ")
    text = [f"Means over the strata of {name}, by what they are a share of [%, 90 %]"]
    for (period, words), rows in bands.groupby(["period", "words"], sort=False):
        shares = ", ".join(
            f"{row['source'].replace('_', ' ')} {_percent(row['mean'])} "
            f"({_percent(row['q05'])} to {_percent(row['q95'])})"
            for _, row in rows.iterrows()
        )
        covered = rows["covered"].iloc[0]
        part = f"; strata without samples hold {_percent(1 - covered)} %"
        text.append(f"{period}, {words}: {shares}{part if covered < 0.995 else ''}")
    return "\n".join(text)


def _outside(results: StudyResults) -> str:
    """Count samples outside the mixing space."""
    counts = outside_counts(results.fractions)
    words = ", ".join(
        f"{period} {count['outside']} of {count['n']}"
        for period, count in counts.items()
    )
    return (
        f"Soil samples outside the mixing space: {words}. A single sample's share is "
        "uncertain by tens of percent; trust means of groups "
        "(tables/fractions_groups.csv)."
    )


def _correlations(results: StudyResults) -> str:
    """Tell the correlations of each variable and month."""
    if results.correlation is None:
        return ""
    table = results.correlation.summary
    first = table.iloc[0]
    text = [
        f"{first['method'].capitalize()} correlation of {_plain(first['y'])} over "
        f"time, cell by cell, {first['years']}: median r (share of the area r > 0; "
        "p < 0.05 either sign; significant after false-discovery control)"
    ]
    for x, rows in table.groupby("x", sort=False):
        cells = "; ".join(
            f"{row['month']} {row['median_r']:+.2f} "
            f"({_percent(row['share_positive'])} %; "
            f"{_percent(_both_signs(row, 'significant'))} %; "
            f"{_percent(_both_signs(row, 'fdr'))} %)"
            if row["cells"]
            else f"{row['month']} in no cell"
            for _, row in rows.iterrows()
        )
        text.append(f"{_plain(x)} ({rows['support_x'].iloc[0]}): {cells}")
    text += _against_the_rest(results.correlation.zones)
    return "\n".join([*text, *_over_space(results.correlation.space)])


def _against_the_rest(zones: pd.DataFrame) -> list[str]:
    """Name the elevation bands whose sign is not that of most of the region."""
    whole = zones[zones["by"] == "all"].set_index(["x", "month"])["share_positive"]
    bands = zones[(zones["by"] == "elevation_band") & zones["share_positive"].notna()]
    found = []
    for _, row in bands.iterrows():
        most = whole[row["x"], row["month"]] > 0.5
        if (row["share_positive"] > 0.5) != most:
            sign = "negative" if most else "positive"
            found.append(
                f"{_plain(row['x'])}, {row['month']}: {sign} on "
                f"{_percent(row[f'share_{sign}'])} % at {row['zone']} "
                f"({_percent(row[f'share_fdr_{sign}'])} % significant; "
                f"cells: {row['cells']})"
            )
    if not found:
        return []
    return ["Elevation bands [m] of the other sign than most of the region:", *found]


def _over_space(space: pd.DataFrame) -> list[str]:
    """Tell the correlation over the cells of the region."""
    years = ", ".join(map(str, dict.fromkeys(space["year"])))
    text = [
        f"Over space in {years}, all cells of the region: r (p after Dutilleul, "
        "neighbours taken into account)"
    ]
    for x, rows in space.groupby("x", sort=False):
        cells = "; ".join(
            f"{row['month']} {row['r']:+.2f} ({row['p_value']:.2g})"
            if row["reason"] == ""
            else f"{row['month']} not tested ({row['reason']})"
            for _, row in rows.iterrows()
        )
        text.append(f"{_plain(x)}: {cells}")
    return text


def _plain(name: object) -> str:
    """Name of a variable in words."""
    return in_words(str(name))


def _both_signs(row: pd.Series, level: str) -> float:
    """Share of the area that is significant at a level, whatever the sign."""
    return float(row[[f"share_{level}_positive", f"share_{level}_negative"]].sum())


def _files(results: StudyResults, folder: Path) -> str:
    """Tell where the files are."""
    text = [f"Results in {folder}"]
    if results.maps.periods:
        text.append(
            "  fraction_<source>_<period>.tif, ..._<sd|p05|p95>_<period>.tif, "
            "fraction_support_<period>.tif, fractions_<period>.nc"
        )
    if results.correlation is not None:
        text.append(
            "  correlation_<x>_<y>_<month>_<r|p_value|q_value|n|n_effective>.tif over "
            "time, ..._window_<r|n>.tif over space"
        )
    text += [
        "  report.html: all of it on one page; geosoil.qgz: all maps in QGIS",
        "  results.gpkg  cube.nc  stac/  tables/*.csv  figures/  summary.json  "
        "provenance.json",
    ]
    return "\n".join(text)
