"""Draw the diagrams of a study: the paper's Figs 4 to 7, and what they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from geosoil.plotting.concept import figure_source_concept
from geosoil.plotting.connections import figure_connections
from geosoil.plotting.contributions import figure_contributions
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.isotope_groups import figure_isotope_groups
from geosoil.plotting.isotopes import figure_dual_isotope
from geosoil.plotting.mixing import figure_mixing_diagram
from geosoil.plotting.picture import Draw, Drawing, figure_words, name_figure
from geosoil.plotting.style import FigurePreset
from geosoil.tracers.delta import d_excess
from geosoil.tracers.group_table import LineChoice, group_table
from geosoil.tracers.lines import WaterLine, fit_water_line
from geosoil.workflow.fractions import FractionResult, soil_method
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import ALL

LAYER = "soil_layer"
CONNECTED = (ALL, "elevation_band", "vegetation")
"""Columns of Fig 5 of the paper."""

WATERS = ("supra_permafrost", "river", "precipitation", "ground_ice", "snowmelt")
"""Waters that soil water is held against, where they were sampled."""

KINDS = {"elevation_band": "elevation"}
"""Words on figures for strata whose column has another name."""

MEANS = ["d18O", "d_excess", "d18O_se", "d2H_se", "d_excess_se", "n_sites"]

Compose = Callable[[DiagramPage], Drawing]


def diagram_figures(
    inputs: StudyInputs, fractions: FractionResult, note: str | None
) -> Iterator[tuple[str, Draw]]:
    """Name the diagrams of a study and say how each is drawn.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    fractions : FractionResult
        Its lines and source fractions.
    note : str or None
        Small text at the bottom.

    Yields
    ------
    name : str
        ``dual_isotope`` of all waters; ``lines_by_layer``, ``water_connections``,
        ``end_elements`` and ``source_concept`` as Figs 4 to 7 of the paper;
        ``mixing_diagram`` and ``fractions_by_group``, which tell more. What the
        samples do not allow is left out.
    draw : callable
        Draws it.
    """
    kinds = set(fractions.lines["by"])
    figures: list[tuple[str, str, Compose]] = [
        ("dual_isotope", _DUAL, partial(_dual_isotope, inputs, fractions)),
        ("water_connections", _CONNECTED, partial(_connections, inputs, fractions)),
        ("end_elements", _ELEMENTS, partial(_end_elements, fractions)),
        ("source_concept", _CONCEPT, partial(_concept, fractions)),
        ("mixing_diagram", _SPACE, partial(_mixing_diagram, fractions)),
        ("fractions_by_group", _BARS, partial(_fractions, fractions)),
    ]
    if LAYER in kinds:
        figures.insert(1, ("lines_by_layer", _LAYERS, partial(_layers, fractions)))
    for name, caption, compose in figures:
        yield name, _drawn(compose, DiagramPage(note=note, caption=caption))


def _drawn(compose: Compose, page: DiagramPage) -> Draw:
    """Say how a diagram is drawn for any preset."""

    def draw(preset: FigurePreset) -> Drawing:
        figure = compose(replace(page, preset=preset))
        return name_figure(figure, figure_words(figure).title, page.caption)

    return draw


_DUAL = (
    "Dual-isotope diagram of all waters with the evaporation line (LEL) of soil water, "
    "the local (LMWL) and the global meteoric water line (GMWL); bands are 95 % "
    "confidence bands of the lines."
)
_LAYERS = (
    "Soil water by soil layer, with the line of each layer and the evaporation line "
    "(LEL) of all soil samples."
)
_CONNECTED = (
    "Mean waters with bars of one standard error by site. Soil water by stratum with "
    "its evaporation lines (LEL, dashed) as far as the central 90 % of its samples "
    "reach; the frame leaves outlying samples (faint points) outside. The means of the "
    "other waters are those of all their samples of the month, events weighing the "
    "same."
)
_ELEMENTS = (
    "Mean soil water of all samples and by stratum between the mean waters of its "
    "sources, with bars of one standard error. The sources are those of the whole "
    "region; shares of strata may rest on sources of their own. Numbers are shares "
    "[%] of the source at their lines or ticks."
)
_CONCEPT = (
    "Contribution of each source to soil water. Numbers are percentages; a source that "
    "cannot take part in a stratum is left out."
)
_SPACE = (
    "Soil water between its sources, with the ellipses of samples and of means. The "
    "frame leaves outlying soil samples outside."
)
_BARS = (
    "Source fractions of soil water by stratum; a cross marks a source that cannot "
    "take part."
)


def _dual_isotope(
    inputs: StudyInputs, result: FractionResult, page: DiagramPage
) -> Drawing:
    """Draw all waters with the lines."""
    rows = result.lines[(result.lines["by"] == ALL) & (result.lines["reason"] == "")]
    soil = result.samples
    lines: dict[str, WaterLine] = {
        str(period): fit_water_line(
            soil.loc[soil["period"] == period, "d18O"],
            soil.loc[soil["period"] == period, "d2H"],
            method=soil_method(inputs),
        )
        for period in rows["period"]
    }
    return figure_dual_isotope(
        study_waters(inputs),
        lmwl=result.lmwl,
        lines_by_period=lines,
        title=f"Waters and their lines: {inputs.config.study.name}",
        note=page.note,
        preset=page.preset,
    )


def study_waters(inputs: StudyInputs) -> pd.DataFrame:
    """Return the samples of all waters of the study's periods.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    waters : DataFrame
        Without geometry.
    """
    periods = inputs.config.tracers.sources
    waters = inputs.samples[inputs.samples["period"].isin(periods)]
    return pd.DataFrame(waters.drop(columns="geometry"))


def _layers(result: FractionResult, page: DiagramPage) -> Drawing:
    """Draw soil water and its lines by soil layer, as Fig 4."""
    return figure_isotope_groups(
        result.samples,
        result.lines,
        by=[LAYER],
        lmwl=result.lmwl,
        page=replace(page, title="Soil water by soil layer and its lines"),
    )


def _connections(
    inputs: StudyInputs, result: FractionResult, page: DiagramPage
) -> Drawing:
    """Draw soil water beside the other waters, as Fig 5."""
    strata = result.lines[result.lines["by"].isin(CONNECTED)]
    return figure_connections(
        result.samples,
        strata,
        water_means(study_waters(inputs), result.lmwl),
        lmwl=result.lmwl,
        page=replace(page, title="Soil water and the waters it is connected with"),
    )


def water_means(waters: pd.DataFrame, lmwl: WaterLine) -> pd.DataFrame:
    """Describe the mean of each water but soil water, by period.

    Parameters
    ----------
    waters : DataFrame
        Samples of all waters with ``period``, ``d18O``, ``d2H`` [permil] and, where
        known, ``site_id``.
    lmwl : WaterLine
        Meteoric line.

    Returns
    -------
    means : DataFrame
        ``period``, ``by`` "water", ``stratum`` the water, and the columns of
        `geosoil.tracers.group_table.group_table`; means are arithmetic, their errors
        by site, in the order of :data:`WATERS`, others after them.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> table = pd.DataFrame({"water": "river", "period": "June",
    ...     "site_id": ["a", "b"], "d18O": [-12.0, -10.0], "d2H": [-86.0, -70.0]})
    >>> means = water_means(table, GMWL)
    >>> means[["stratum", "d18O", "d18O_se"]].values.tolist()
    [['river', -11.0, 1.0]]
    """
    kept = waters[(waters["water"] != "soil") & waters["period"].notna()]
    kept = kept.dropna(subset=["d18O", "d2H"]).copy()
    own = pd.Series([f"sample {row}" for row in range(len(kept))], index=kept.index)
    kept["site_id"] = kept["site_id"].fillna(own) if "site_id" in kept else own
    if kept.empty:
        names = ["period", "by", "stratum", "d18O", "d2H", "d18O_se", "d2H_se"]
        return pd.DataFrame({name: [] for name in names})
    means = group_table(kept, ["water"], line=LineChoice(lmwl))
    found = means[means["n"] > 0]
    places = {water: place for place, water in enumerate(WATERS)}
    order = found["stratum"].map(places).fillna(len(places))
    return found.iloc[np.argsort(order, kind="stable")]


def _strata_means(result: FractionResult) -> pd.DataFrame:
    """Return the means of soil water by stratum as mixing diagrams take them."""
    means = result.lines[result.lines["by"] != LAYER]
    means = means.rename(columns={"by": "kind", "stratum": "group"})
    means = means[means["d18O"].notna()].replace({"kind": KINDS})
    return means[["period", "kind", "group", *MEANS]]


def _end_elements(result: FractionResult, page: DiagramPage) -> Drawing:
    """Draw mean soil water between the sources of its answer, as Fig 6."""
    ends = _with_d_excess(result.end_members)
    told = result.groups.loc[result.groups["by"] == ALL]
    answers = dict(zip(told["period"], told["answer"], strict=True))
    parts = []
    for period, own in ends.groupby("period", sort=False):
        chosen = own[own["answer"] == answers.get(period)]
        parts.append(own[own["answer"] == own["answer"].iloc[0]])
        if not chosen.empty:
            parts[-1] = chosen
    return figure_contributions(
        _strata_means(result),
        end_members=pd.concat(parts, ignore_index=True),
        page=replace(page, title="Mean soil water between its sources"),
    )


def _with_d_excess(ends: pd.DataFrame) -> pd.DataFrame:
    """Add d-excess to end members that lack it."""
    if "d_excess" in ends:
        return ends
    return ends.assign(d_excess=d_excess(ends["d18O"], ends["d2H"]))


def _mixing_diagram(result: FractionResult, page: DiagramPage) -> Drawing:
    """Draw soil water between its sources, with the ellipses of means."""
    ends = _with_d_excess(result.end_members.rename(columns={"answer": "treatment"}))
    if {"d18O_sd", "d2H_sd", "d18O_d2H_cov"} <= set(ends):
        variance = ends["d2H_sd"] ** 2 + 64 * ends["d18O_sd"] ** 2
        ends["d_excess_sd"] = (variance - 16 * ends["d18O_d2H_cov"]).clip(0) ** 0.5
    return figure_mixing_diagram(
        result.samples,
        end_members=ends,
        group_means=_strata_means(result),
        title="Soil water between its sources",
        note=page.note,
        preset=page.preset,
    )


def group_shares(result: FractionResult) -> pd.DataFrame:
    """Return the shares of strata as figures of fractions take them.

    Parameters
    ----------
    result : FractionResult
        Fractions of a study.

    Returns
    -------
    fractions : DataFrame
        ``period``, ``kind``, ``group``, ``n``, and for each source its share and
        bounds; 0 where the source cannot take part.
    """
    table = result.groups.rename(columns={"by": "kind", "stratum": "group"})
    columns = ["period", "kind", "group", "n"]
    for source in result.end_members["source"].drop_duplicates():
        names = [source, f"{source}_lower", f"{source}_upper"]
        table = table.assign(**{name: table.get(name, 0.0) for name in names})
        table[names] = table[names].fillna(0.0)
        columns += names
    return table.replace({"kind": KINDS})[columns]


def _fractions(result: FractionResult, page: DiagramPage) -> Drawing:
    """Draw source fractions of groups as stacked bars."""
    answer = result.groups["answer"].iloc[0]
    return figure_fractions_by_group(
        group_shares(result),
        title=f"Sources of soil water ({answer}), 95 % interval",
        note=page.note,
        preset=page.preset,
    )


def _concept(result: FractionResult, page: DiagramPage) -> Drawing:
    """Draw the concept map of sources, as Fig 7."""
    answer = result.groups["answer"].iloc[0]
    title = f"Contribution of sources to soil water ({answer})"
    return figure_source_concept(group_shares(result), page=replace(page, title=title))
