"""The finished figures of a run as a report takes them: order, words and dots."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from pathlib import Path

from geosoil.io.png_words import read_png
from geosoil.plotting.packed import packed_picture
from geosoil.report.document import Picture
from geosoil.workflow.report_tables import is_of_run

ORDER: tuple[tuple[str, str, str], ...] = (
    (r"region_.*(permafrost|soil|vegetation).*", "Fig. 1", "Maps of classes"),
    (r"region_.*|.*terrain.*|.*relief.*|.*basins.*", "", "Map of the region"),
    (r"sampling_sites", "Fig. 3", "Maps of the sampling sites"),
    (r"lines_by_layer", "Fig. 4", "Diagrams of δ²H against δ¹⁸O by soil layer"),
    (r"water_connections", "Fig. 5", "Diagrams of δ²H against δ¹⁸O of all waters"),
    (r"dual_isotope", "", "Diagram of δ²H against δ¹⁸O of all waters"),
    (r"end_elements", "Fig. 6", "Diagrams of d-excess against δ¹⁸O"),
    (r"mixing_diagram", "", "Diagrams of soil water between its sources"),
    (r"source_concept", "Fig. 7", "Concept diagrams of the shares of the sources"),
    (r"fractions_by_group", "", "Stacked bars of the shares of the sources"),
    (r"fraction_(?!validation|variograms|variants).*", "", "Maps of a source fraction"),
    (r"correlation_temperature_.*", "Fig. S1", "Maps of correlation"),
    (r"correlation_precipitation_.*", "Fig. S2", "Maps of correlation"),
    (r"correlation_evapotranspiration_.*", "Fig. S3", "Maps of correlation"),
    (r"correlation_ndvi_.*", "Fig. S4", "Maps of correlation"),
    (r"correlation_(?!all|window).*", "", "Maps of correlation"),
    (r"correlation_all_.*", "", "Maps of correlation"),
    (r"correlation_window_.*", "", "Maps of correlation in moving windows"),
    (r"ndvi_.*|climate_.*|.*_by_month", "", "Maps by month"),
    (r"fraction_validation", "", "Diagrams of predicted against observed fractions"),
    (r"fraction_variograms", "", "Variograms"),
    (r"fraction_variants", "", "Maps of variants of the source fractions"),
)
"""Patterns of names in the order of a report, the paper's figure, and what is seen."""


def report_pictures(
    folder: Path, *, paper: bool, written: Collection[Path] | None = None
) -> tuple[Picture, ...]:
    """Read the figures of a run in the order of a report, packed without loss.

    Parameters
    ----------
    folder : Path
        Folder of the PNG files; without it there are no figures.
    paper : bool
        Whether to name the figures of the paper that they stand for.
    written : collection of Path, optional
        Files of the run; others are passed over. All count without it.

    Returns
    -------
    pictures : tuple of Picture
        The paper's figures, then the supplement's, then checks, then others by name.

    Raises
    ------
    FileFormatError
        If a file is no whole PNG.
    """
    found = (path for path in folder.glob("*.png") if is_of_run(path, written))
    files = sorted(found, key=lambda path: (_place(path.stem), path.stem))
    return tuple(_picture(path, paper=paper) for path in files)


def _place(name: str) -> int:
    """Place of a figure in a report."""
    places = (n for n, (pattern, *_) in enumerate(ORDER) if re.fullmatch(pattern, name))
    return next(places, len(ORDER))


def _sentence(words: str) -> str:
    """Words on one line that end as a sentence does."""
    line = " ".join(words.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _picture(path: Path, *, paper: bool) -> Picture:
    """Read one figure with its words."""
    png, place = read_png(path), _place(path.stem)
    packed = packed_picture(png.data)
    known = ORDER[place] if place < len(ORDER) else ("", "", "Figure")
    title = png.words.get("Title", "") or path.stem.replace("_", " ").capitalize()
    parts = (png.words.get("Description", ""), png.words.get("Comment", ""))
    return Picture(
        name=path.name,
        title=title,
        caption=" ".join(_sentence(part) for part in parts if part.strip()),
        alternative=f"{known[2]}: {title}",
        data=base64.b64encode(packed.data).decode("ascii"),
        media_type=packed.media_type,
        width=png.width,
        height=png.height,
        paper=known[1] if paper else "",
    )
