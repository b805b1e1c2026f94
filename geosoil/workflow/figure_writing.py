"""Write a figure in the formats of its preset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from geosoil.config import StudyConfig
from geosoil.io._atomic import write_bytes
from geosoil.plotting.picture import Drawing, figure_files
from geosoil.plotting.style import PRESETS, SCREEN, FigurePreset


def write_figure(
    figure: Drawing,
    folder: Path,
    name: str,
    *,
    preset: FigurePreset,
    more: Mapping[str, str] | None = None,
) -> tuple[Path, ...]:
    """Write a figure in every format of its preset.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure drawn for the preset.
    folder : Path
        Folder to write to.
    name : str
        Name of the files, without ending.
    preset : FigurePreset
        Formats and resolution.
    more : mapping of str to str, optional
        Further words that the files carry.

    Returns
    -------
    paths : tuple of Path
        Files written, in the order of the formats.
    """
    files = figure_files(figure, preset=preset, more=more)
    return tuple(
        write_bytes(file, folder / f"{name}.{ending}") for ending, file in files.items()
    )


def figure_preset(config: StudyConfig | None) -> FigurePreset:
    """Return for whom settings want their figures.

    Parameters
    ----------
    config : StudyConfig or None
        Settings.

    Returns
    -------
    preset : FigurePreset
        That of [output] figures; "screen" without settings.

    Examples
    --------
    >>> figure_preset(None).name
    'screen'
    """
    return SCREEN if config is None else PRESETS[config.output.figures]
