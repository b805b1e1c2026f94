"""The maps of a run in words: method, means, support, and what is uncertain."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geosoil.strata import ELEVATION_EDGES
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import FractionMaps, PeriodMap, share_above
from geosoil.workflow.mapping_means import OF_SITES, SUPPORTED, WHOLE
from geosoil.workflow.mapping_methods import WORDS
from geosoil.workflow.mapping_variants import AS_MAPPED


def map_words(inputs: StudyInputs, maps: FractionMaps) -> str:
    """Tell how the maps of a run were made and what they say.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    maps : FractionMaps
        Its maps.

    Returns
    -------
    text : str
        Lines for people; why there is no map where there is none.
    """
    skipped = "; ".join(f"{p}: {why}" for p, why in maps.skipped.items())
    if not maps.periods:
        return f"No source-fraction map. {skipped}" if skipped else ""
    text = ["Maps of source fractions"]
    if skipped:
        text.append(f"No map: {skipped}.")
    for period, one in maps.periods.items():
        text += _method(period, one)
    text += _structure(maps)
    text.append(
        "Means side by side, the maps weighted by area [%, 90 % interval; in brackets "
        "with each site's error taken for its own]"
    )
    for period, one in maps.periods.items():
        text += _means(period, one)
    text += [_support(period, one) for period, one in maps.periods.items()]
    text += _variants(maps)
    top = ELEVATION_EDGES[-1]
    above = share_above(inputs, top)
    if np.isfinite(above):
        text.append(
            f"{_percent(above)} % of the region lies above the {top:,.0f} m that were "
            "sampled: there the maps extrapolate, and a mean of the samples is not a "
            "mean of the region."
        )
    return "\n".join(text)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if np.isfinite(share) else "-"


def _plain(name: object) -> str:
    return str(name).replace("_", " ")


def _method(period: str, one: PeriodMap) -> list[str]:
    """Tell the method of a period and how it fared in cross-validation."""
    scores = one.choice.scores
    whole = scores[scores["source"] == "all"]
    words = ", ".join(
        f"{row['method']} {row['rmse']:.3g}" for _, row in whole.iterrows()
    )
    size = whole["block_km"].iloc[0]
    return [
        f"{period}: {WORDS[one.choice.method]}; {one.choice.words}.",
        f"  Blocks of {size:.0f} km left out ({whole['folds'].iloc[0]} blocks, "
        f"{whole['n'].iloc[0]} sites), root mean squared distance of the raw "
        f"fractions: {words}.",
    ]


def _structure(maps: FractionMaps) -> list[str]:
    """Say where kriging finds no structure, so that it krigs the mean."""
    table = maps.table("variograms")
    if table.empty:
        return []
    flat = table[(table["model"] == "nugget") & (table["method"] == "kriging")]
    if flat.empty:
        return []
    names = "; ".join(
        f"{period}: {_plain(', '.join(dict.fromkeys(rows['source'])))}"
        for period, rows in flat.groupby("period", sort=False)
    )
    return [
        f"No spatial structure between the sites ({names}): near sites are no more "
        "alike than far ones, so ordinary kriging gives one mean to each domain of the "
        "zero rules."
    ]


def _means(period: str, one: PeriodMap) -> list[str]:
    """Set the means of a period side by side."""
    text = []
    for kind in (*OF_SITES.values(), SUPPORTED, WHOLE):
        rows = one.means[one.means["mean_of"] == kind]
        if not np.isfinite(rows["fraction"].to_numpy(dtype=float)).all():
            continue
        cells = ", ".join(
            f"{_plain(row['source'])} {_percent(row['fraction'])}{_interval(row)}"
            for _, row in rows.iterrows()
        )
        size = rows["area_km2"].iloc[0]
        where = f" ({size:,.0f} km2)" if np.isfinite(size) else ""
        text.append(f"{period}, {kind}{where}: {cells}")
    return text


def _interval(row: pd.Series) -> str:
    """Write the interval of a map's mean, and its sd with independent errors."""
    if not np.isfinite(row["p05"]):
        return ""
    return (
        f" ({_percent(row['p05'])} to {_percent(row['p95'])}; sd "
        f"{100 * row['sd']:.0f} [{100 * row['sd_own_errors']:.0f}])"
    )


def _support(period: str, one: PeriodMap) -> str:
    """Tell the ground that the sites say nothing of, by reason."""
    table = one.support.set_index("reason")
    rows = table[(table["words"] != "") & (table["area_km2"] > 0)]
    lost = float(table["area_km2"]["unsupported"])
    held = float(table["share"]["supported"])
    words = "; ".join(
        f"{row['words']} {_percent(row['share'])} % ({row['area_km2']:,.0f} km2)"
        for _, row in rows.iterrows()
    )
    return (
        f"{period}: the sites support {_percent(held)} % of "
        f"the region; not {lost:,.0f} km2{': ' if words else ''}{words}"
    )


def _variants(maps: FractionMaps) -> list[str]:
    """Tell the region's mean without the rules and without a drift."""
    table = maps.table("variants")
    whole = table[table["elevation_band"] == "all"]
    if set(whole["variant"]) == {AS_MAPPED}:
        return []
    text = [
        "Zero rules and drift both use elevation; the whole region without each [%] "
        "(by elevation band: tables/fraction_variants.csv)"
    ]
    for (period, variant), rows in whole.groupby(["period", "variant"], sort=False):
        shares = ", ".join(
            f"{_plain(row['source'])} {_percent(row['fraction'])}"
            for _, row in rows.iterrows()
        )
        text.append(f"{period}, {variant} ({rows['method'].iloc[0]}): {shares}")
    return text
