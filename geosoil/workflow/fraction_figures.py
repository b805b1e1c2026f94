"""Draw the figures of a request of source fractions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from geosoil.io._atomic import write_bytes
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.mixing import figure_mixing_diagram
from geosoil.plotting.posterior import figure_posterior_densities
from geosoil.plotting.style import render
from geosoil.tracers.delta import d_excess
from geosoil.workflow.fraction_inputs import FractionInputs
from geosoil.workflow.fraction_request import FractionRequest
from geosoil.workflow.fraction_table import FractionTables
from geosoil.workflow.line_figures import simulated_note

PAIR = ("d18O", "d2H")
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
        PNG files: ``mixing_diagram`` (as Fig 6 of the paper) where d18O, d2H and
        periods are known, ``fractions_by_group`` (Fig 7) where there are periods, and
        ``fraction_densities`` where fractions were drawn.
    """
    return tuple(
        write_bytes(picture, folder / f"{name}.png")
        for name, picture in _figures(inputs, tables, request)
    )


def _figures(
    inputs: FractionInputs, tables: FractionTables, request: FractionRequest
) -> Iterator[tuple[str, bytes]]:
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
        )
        yield "mixing_diagram", render(figure)
    shares = _shares(tables.groups, request)
    if shares is not None:
        figure = figure_fractions_by_group(
            shares, title=f"Sources of {water} water", note=note
        )
        yield "fractions_by_group", render(figure)
    draws = tables.draws
    if draws is not None and 0 < int(draws.answered.sum()) <= MOST_DENSITIES:
        figure = figure_posterior_densities(
            draws.select(draws.answered),
            title=f"How sure the shares in {water} water are ({draws.method})".replace(
                "_", " "
            ),
            note=note,
        )
        yield "fraction_densities", render(figure)


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
