"""Draw the figures of a study and write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geosoil.io._atomic import write_bytes
from geosoil.io.layers import read_lines, read_polygons
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.isotopes import figure_dual_isotope
from geosoil.plotting.layers import Overlays
from geosoil.plotting.mixing import figure_mixing_diagram
from geosoil.plotting.sites import figure_sampling_sites
from geosoil.plotting.style import render
from geosoil.tracers.delta import d_excess
from geosoil.tracers.lines import GMWL, fit_water_line
from geosoil.workflow.correlation import CorrelationResult
from geosoil.workflow.correlation_figures import Draw, correlation_figures
from geosoil.workflow.fractions import FractionResult, soil_method
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import FractionMaps
from geosoil.workflow.mapping_figures import mapping_figures
from geosoil.workflow.mapping_truth import TruthCheck
from geosoil.workflow.mixtures import ALL
from geosoil.workflow.simulated import SIMULATED
from geosoil.workflow.study_draws import StudyDraws


@dataclass(frozen=True, slots=True)
class StudyResults:
    """What a run computed."""

    fractions: FractionResult
    """Lines and source fractions."""
    draws: StudyDraws
    """Draws of the strata's shares and their means by samples, area and water."""
    maps: FractionMaps
    """Interpolated source fractions."""
    correlation: CorrelationResult | None
    """Pixelwise correlations, where the settings name series."""
    truth: TruthCheck | None = None
    """The maps of a simulated study beside its truth, where the settings name it."""


def write_figures(
    inputs: StudyInputs,
    results: StudyResults,
    folder: Path,
    report: Callable[[str], None],
) -> list[Path]:
    """Draw and write one figure of each kind.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.
    folder : Path
        Folder of the figures.
    report : callable
        Called with a line a figure.

    Returns
    -------
    paths : list of Path
        PNG files written.
    """
    paths = []
    for name, draw in _figures(inputs, results):
        report(f"drawing {name}")
        paths.append(write_bytes(draw(), folder / f"{name}.png"))
    return paths


def open_overlays(inputs: StudyInputs) -> Overlays:
    """Open the outlines and waters that maps show.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    overlays : Overlays
        Region, its parts, rivers and lakes; what the settings do not name is absent.
    """
    study = inputs.config.study
    region = inputs.region
    return Overlays(
        region=region,
        basins=region if region is not None and len(region) > 1 else None,
        rivers=read_lines(study.rivers) if study.rivers else None,
        lakes=read_polygons(study.lakes) if study.lakes else None,
    )


def _figures(inputs: StudyInputs, results: StudyResults) -> Iterator[tuple[str, Draw]]:
    """Name of each figure of the study and how it is drawn."""
    overlays = open_overlays(inputs)
    note = SIMULATED if inputs.config.study.simulated else None
    fractions = results.fractions
    yield "dual_isotope", lambda: _dual_isotope(inputs, fractions, note)
    yield "mixing_diagram", lambda: _mixing_diagram(fractions, note)
    yield "fractions_by_group", lambda: _fractions(fractions, note)
    if inputs.elevation is not None and inputs.samples.geometry.notna().any():
        yield "sampling_sites", lambda: _sites(inputs, overlays, note)
    yield from mapping_figures(inputs, results.maps, overlays, note)
    if results.correlation is not None:
        yield from correlation_figures(results.correlation, overlays, note)


def _dual_isotope(
    inputs: StudyInputs, result: FractionResult, note: str | None
) -> bytes:
    """Dual-isotope diagram of all waters with the lines."""
    rows = result.lines[(result.lines["by"] == ALL) & (result.lines["reason"] == "")]
    soil = result.samples
    lines = {
        str(period): fit_water_line(
            soil.loc[soil["period"] == period, "d18O"],
            soil.loc[soil["period"] == period, "d2H"],
            method=soil_method(inputs),
        )
        for period in rows["period"]
    }
    periods = inputs.config.tracers.sources
    waters = inputs.samples[inputs.samples["period"].isin(periods)]
    figure = figure_dual_isotope(
        pd.DataFrame(waters.drop(columns="geometry")),
        lmwl=result.lmwl,
        gmwl=GMWL,
        lines_by_period=lines,
        title=f"Waters and their lines: {inputs.config.study.name}",
        note=note,
    )
    return render(figure)


def _mixing_diagram(result: FractionResult, note: str | None) -> bytes:
    """Soil water between its sources, with group means."""
    ends = result.end_members.rename(columns={"answer": "treatment"})
    if "d_excess" not in ends:
        ends["d_excess"] = d_excess(ends["d18O"], ends["d2H"])
    if {"d18O_sd", "d2H_sd", "d18O_d2H_cov"} <= set(ends):
        variance = ends["d2H_sd"] ** 2 + 64 * ends["d18O_sd"] ** 2
        ends["d_excess_sd"] = (variance - 16 * ends["d18O_d2H_cov"]).clip(0) ** 0.5
    means = result.lines[result.lines["by"] != "soil_layer"]
    means = means.rename(columns={"by": "kind", "stratum": "group"})
    means = means[means["d18O"].notna()].replace({"kind": KINDS})
    figure = figure_mixing_diagram(
        result.samples,
        end_members=ends,
        group_means=means[["period", "kind", "group", *MEANS]],
        title="Soil water between its sources",
        note=note,
    )
    return render(figure)


MEANS = ["d18O", "d_excess", "d18O_se", "d2H_se", "d_excess_se", "n_sites"]
KINDS = {"elevation_band": "elevation"}
"""Words on figures for strata whose column has another name."""


def _fractions(result: FractionResult, note: str | None) -> bytes:
    """Source fractions of groups as stacked bars."""
    table = result.groups.rename(columns={"by": "kind", "stratum": "group"})
    sources = list(result.end_members["source"].drop_duplicates())
    columns = ["period", "kind", "group", "n"]
    for source in sources:
        names = [source, f"{source}_lower", f"{source}_upper"]
        table = table.assign(**{name: table.get(name, 0.0) for name in names})
        table[names] = table[names].fillna(0.0)
        columns += names
    answer = result.groups["answer"].iloc[0]
    figure = figure_fractions_by_group(
        table.replace({"kind": KINDS})[columns],
        title=f"Sources of soil water ({answer}), 95 % interval",
        note=note,
    )
    return render(figure)


def _sites(inputs: StudyInputs, overlays: Overlays, note: str | None) -> bytes:
    """Map the sampling sites over elevation."""
    samples = inputs.samples
    wanted = samples["period"].isin(inputs.config.tracers.sources)
    located = samples[wanted & samples.geometry.notna() & ~samples.geometry.is_empty]
    if inputs.elevation is None:  # pragma: no cover  the caller has looked
        return b""
    figure = figure_sampling_sites(
        located,
        elevation=inputs.elevation,
        overlays=overlays,
        title="Sampling sites",
        note=note,
    )
    return render(figure)
