"""Draw the fraction maps of a study and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator

from geosoil.plotting.fraction_checks import (
    figure_fraction_validation,
    figure_fraction_variants,
    figure_fraction_variograms,
)
from geosoil.plotting.fraction_maps import FractionMap, figure_fraction_maps
from geosoil.plotting.layers import Overlays
from geosoil.plotting.picture import Draw, Drawing
from geosoil.plotting.style import FigurePreset
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import FractionMaps, PeriodMap

METHODS = {
    "mean": "mean of the sites with these sources",
    "idw": "inverse distances",
    "kriging": "ordinary kriging",
    "kriging_drift": "kriging with elevation",
    "ilr": "kriging of log-ratios",
}
"""Short words for a method above a map."""

CAPTION = (
    "Standard deviation: one drawing of the end members for all sites, each site's own "
    "error, and what the interpolation leaves open."
)


def mapping_figures(
    inputs: StudyInputs, result: FractionMaps, overlays: Overlays, note: str | None
) -> Iterator[tuple[str, Draw]]:
    """Name the figures of the fraction maps, and how each is drawn.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    result : FractionMaps
        Its maps.
    overlays : Overlays
        Outlines and waters.
    note : str, optional
        Small text at the bottom.

    Yields
    ------
    name, draw : str, callable
        One figure a source; the cross-validation, the variograms, and the maps without
        zero rules and drift.
    """
    if not result.periods:
        return
    used = {name: one.sites.sources for name, one in result.periods.items()}
    for source in dict.fromkeys(s for own in used.values() for s in own):
        yield f"fraction_{source}", _Maps(result, source, overlays, note)
    yield "fraction_validation", lambda preset: _validation(result, note, preset)
    if not result.table("variograms").empty:
        yield "fraction_variograms", lambda preset: _variograms(result, note, preset)
    if inputs.elevation is not None:
        yield "fraction_variants", lambda preset: _variants(result, note, preset)


class _Maps:
    """Draws the maps of one source."""

    def __init__(
        self, result: FractionMaps, source: str, overlays: Overlays, note: str | None
    ) -> None:
        self.result, self.source = result, source
        self.overlays, self.note = overlays, note

    def __call__(self, preset: FigurePreset) -> Drawing:
        panels = {
            period: fraction_panel(one, self.source)
            for period, one in self.result.periods.items()
            if self.source in one.sites.sources
        }
        return figure_fraction_maps(
            panels,
            overlays=self.overlays,
            title=f"Share of {self.source.replace('_', ' ')} in soil water",
            caption=CAPTION,
            note=self.note,
            preset=preset,
        )


def fraction_panel(one: PeriodMap, source: str) -> FractionMap:
    """Return the map of one source in a period as it is drawn.

    Parameters
    ----------
    one : PeriodMap
        Map of the period.
    source : str
        Source.

    Returns
    -------
    panel : FractionMap
        Fractions, standard deviations, sites and unsupported cells.
    """
    support = one.maps["support"]
    bad = support.copy(data=(support.to_numpy() > 0) & (support.to_numpy() < 255))
    return FractionMap(
        one.maps[source],
        one.maps[f"{source}_sd"],
        one.sites.points,
        bad,
        METHODS[one.choice.method],
    )


def _validation(
    result: FractionMaps, note: str | None, preset: FigurePreset
) -> Drawing:
    """Predictions of sites by observed fractions."""
    scores = result.table("scores")
    chosen = scores[scores["chosen"] & (scores["source"] != "all")]
    remarks = {
        (str(row["period"]), str(row["source"])): f"{METHODS[row['method']]}\n"
        f"RMSE {row['rmse']:.3g}, n {row['n']}"
        for _, row in chosen.iterrows()
    }
    return figure_fraction_validation(
        result.table("predictions"),
        remarks=remarks,
        title="Source fractions predicted from other blocks; outside of 0 to 1: grey",
        note=note,
        preset=preset,
    )


def _variograms(
    result: FractionMaps, note: str | None, preset: FigurePreset
) -> Drawing:
    """Variograms of the fractions between sites."""
    found = [
        (period, source, label, model.variogram, model.noise)
        for period, one in result.periods.items()
        for label, models in one.choice.variograms.items()
        for source, model in models.items()
    ]
    title = "Variograms of raw source fractions, the error of the mixing included"
    return figure_fraction_variograms(found, title=title, note=note, preset=preset)


def _variants(result: FractionMaps, note: str | None, preset: FigurePreset) -> Drawing:
    """Means by elevation band with and without rules and drift."""
    title = (
        "Area-weighted means by elevation band [m], with and without rules and drift"
    )
    return figure_fraction_variants(
        result.table("variants"), title=title, note=note, preset=preset
    )
