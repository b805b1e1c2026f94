"""Draw the figures of a study and write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from geosoil.config import config_hash
from geosoil.io._atomic import write_text
from geosoil.plotting.picture import Draw, FigureWords, figure_words
from geosoil.workflow.correlation import CorrelationResult
from geosoil.workflow.correlation_figures import correlation_figures
from geosoil.workflow.diagram_figures import diagram_figures
from geosoil.workflow.figure_writing import figure_preset, write_figure
from geosoil.workflow.fractions import FractionResult
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import FractionMaps
from geosoil.workflow.mapping_figures import mapping_figures
from geosoil.workflow.mapping_truth import TruthCheck
from geosoil.workflow.month_figures import month_figures
from geosoil.workflow.region_figures import open_sheet, region_figures
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
    """Draw and write the figures of a study in the formats of its preset.

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
        Files written: each figure in every format of the preset, and the words that
        its figures do not show.
    """
    preset = figure_preset(inputs.config)
    more = {"config_hash": config_hash(inputs.config)}
    paths: list[Path] = []
    words: dict[str, FigureWords] = {}
    for name, draw in study_figures(inputs, results):
        report(f"drawing {name}")
        figure = draw(preset)
        words[name] = figure_words(figure)
        paths += write_figure(figure, folder, name, preset=preset, more=more)
    if not preset.titled:
        paths.append(write_text(_captions(words), folder / "captions.txt"))
    return paths


def _captions(words: Mapping[str, FigureWords]) -> str:
    """Return the words of every figure, to be printed below it."""
    return "\n".join(
        "\n".join([name, *(part for part in astuple(own) if part), ""])
        for name, own in words.items()
    )


def study_figures(
    inputs: StudyInputs, results: StudyResults
) -> Iterator[tuple[str, Draw]]:
    """Name the figures of a study, and say how each is drawn.

    A theme that comes later, such as restoration, adds its generator here.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.

    Yields
    ------
    name, draw : str, callable
        Name of the file, and the function that draws the figure for a preset.
    """
    sheet = open_sheet(inputs)
    overlays, note = sheet.overlays, sheet.note
    yield from diagram_figures(inputs, results.fractions, note)
    yield from region_figures(inputs, sheet)
    yield from month_figures(inputs, sheet)
    yield from mapping_figures(inputs, results.maps, overlays, note)
    if results.correlation is not None:
        yield from correlation_figures(results.correlation, overlays, note)
