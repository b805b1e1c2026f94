"""Draw the figures of a request of source fractions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.mixing import figure_mixing_diagram
from geosoil.plotting.picture import Drawing
from geosoil.plotting.posterior import figure_posterior_densities
from geosoil.plotting.posterior_matrix import figure_posterior_matrix
from geosoil.plotting.style import FigurePreset
from geosoil.tracers.bayes_prior import FractionPrior
from geosoil.tracers.delta import d_excess
from geosoil.tracers.draws import FractionDraws
from geosoil.workflow.figure_writing import figure_preset, write_figure
from geosoil.workflow.fraction_inputs import FractionInputs
from geosoil.workflow.fraction_request import FractionRequest
from geosoil.workflow.fraction_table import FractionTables
from geosoil.workflow.simulated import simulated_note

PAIR = ("d18O", "d2H")
MOST_MATRICES = 6
MOST_DENSITIES = 40
"""Groups beyond which densities are too small to read."""


def write_fraction_figures(
    inputs: FractionInputs,
    tables: FractionTables,
    request: FractionRequest,
    folder: Path,
) -> tuple[Path, ...]:
    """Draw and write the figures of a request.

    Parameters
    ----------
    inputs : FractionInputs
        Mixtures and end members.
    tables : FractionTables
        Answers.
    request : FractionRequest
        What was asked.
    folder : Path
        Folder to write to.

    Returns
    -------
    paths : tuple of Path
        Files in the formats that the settings want: ``mixing_diagram`` (as Fig 6 of
        the paper) where d18O, d2H and periods are known, ``fractions_by_group``
        (Fig 7) where there are periods, ``fraction_densities`` where fractions were
        drawn, with the prior of a posterior, and ``fraction_matrix_<group>`` of a few
        groups' posteriors.
    """
    preset = figure_preset(inputs.config)
    paths: tuple[Path, ...] = ()
    for name, figure in _figures(inputs, tables, request, preset):
        paths += write_figure(figure, folder, name, preset=preset)
    return paths


def _figures(
    inputs: FractionInputs,
    tables: FractionTables,
    request: FractionRequest,
    preset: FigurePreset,
) -> Iterator[tuple[str, Drawing]]:
    """Draw each figure that the request allows."""
    note = simulated_note(inputs.samples)
    water = request.mixture.replace("_", " ")
    mixtures = tables.policy.mixtures
    members = _members(inputs, mixtures)
    if members is not None:
        figure = figure_mixing_diagram(
            mixtures.assign(
                water="soil", d_excess=d_excess(mixtures["d18O"], mixtures["d2H"])
            ),
            end_members=members,
            title=f"{water.capitalize()} water between its sources",
            note=note,
            preset=preset,
        )
        yield "mixing_diagram", figure
    shares = _shares(tables.groups, request)
    if shares is not None:
        figure = figure_fractions_by_group(
            shares, title=f"Sources of {water} water", note=note, preset=preset
        )
        yield "fractions_by_group", figure
    if tables.draws is not None:
        page = DiagramPage(note=note, preset=preset)
        yield from _drawn(tables.draws, request, tables, page)


def _drawn(
    draws: FractionDraws,
    request: FractionRequest,
    tables: FractionTables,
    page: DiagramPage,
) -> Iterator[tuple[str, Drawing]]:
    """Draw how sure the shares are, and the pairs of a posterior."""
    water = request.mixture.replace("_", " ")
    told = draws.select(draws.answered)
    prior = _prior(told, request) if tables.posteriors else None
    if 0 < len(told.table) <= MOST_DENSITIES:
        figure = figure_posterior_densities(
            told,
            prior=prior,
            title=f"How sure the shares in {water} water are ({draws.method})".replace(
                "_", " "
            ),
            note=page.note,
            preset=page.preset,
        )
        yield "fraction_densities", figure
    if tables.posteriors and len(told.table) <= MOST_MATRICES:
        for row in range(len(told.table)):
            if int((told.values[:, row].std(axis=0) > 0).sum()) < 2:  # noqa: PD011
                continue
            labels = ", ".join(str(told.table[name].iloc[row]) for name in request.by)
            words = f"Shares in {water} water, draw by draw: {labels or 'all'}"
            figure = figure_posterior_matrix(
                told, row, title=words, note=page.note, preset=page.preset
            )
            yield f"fraction_matrix_{row + 1}", figure


def _prior(draws: FractionDraws, request: FractionRequest) -> FractionDraws:
    """Draws of each group's prior over the sources that may take part in it."""
    rng = np.random.default_rng(request.seed)
    values = np.zeros_like(draws.values)
    for row in range(len(draws.table)):
        known = np.flatnonzero(draws.values[:, row].any(axis=0))  # noqa: PD011
        names = [draws.sources[place] for place in known]
        found = FractionPrior().prior_draws(names, rng, n_draws=draws.n_draws)
        values[:, row, known] = found
    return replace(draws, values=values)


def _members(inputs: FractionInputs, mixtures: pd.DataFrame) -> pd.DataFrame | None:
    """End members of each period, with the tracers that the diagram shows."""
    table = inputs.end_members.table
    if not set(PAIR) <= set(table) or not {"period", *PAIR} <= set(mixtures):
        return None
    strata = [name for name in inputs.end_members.by if name != "period"]
    if strata:
        table = table[table[strata].isna().all(axis=1)]
    parts = []
    for period in mixtures["period"].dropna().unique():
        own = table
        if "period" in table:
            own = table[table["period"].isin([period]) | table["period"].isna()]
        rows = mixtures["period"] == period
        kept = [
            source
            for source in own["source"]
            if f"{source}_allowed" not in mixtures
            or bool(mixtures.loc[rows, f"{source}_allowed"].any())
        ]
        parts.append(own[own["source"].isin(kept)].assign(period=period))
    found = pd.concat(parts, ignore_index=True) if parts else table.iloc[:0]
    if found.empty:
        return None
    return found.assign(d_excess=d_excess(found["d18O"], found["d2H"]))


def _shares(groups: pd.DataFrame, request: FractionRequest) -> pd.DataFrame | None:
    """Fractions of groups as the bars take them."""
    if "period" not in groups:
        return None
    rest = [name for name in request.by if name != "period"]
    kind = " x ".join(rest) if rest else "all"
    label = (
        groups[rest].astype(str).agg(", ".join, axis=1)
        if rest
        else pd.Series("all", index=groups.index)
    )
    keep = ["period", "n"]
    keep += [
        f"{source}{tail}"
        for source in request.sources
        for tail in ("", "_lower", "_upper")
        if f"{source}{tail}" in groups
    ]
    return groups[keep].assign(kind=kind, group=label)
