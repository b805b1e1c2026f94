"""The files of a figure: its pictures and documents, and the words that they carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from matplotlib.figure import Figure

from geosoil.plotting.pdf import render_pdf
from geosoil.plotting.style import FigurePreset, render, software

Drawing: TypeAlias = Figure
"""A figure as drawing functions return it."""

Draw = Callable[[FigurePreset], Drawing]
"""Draws a figure for a preset."""


@dataclass(frozen=True, slots=True)
class FigureWords:
    """What a figure says beside its drawing; its files carry the words."""

    title: str = ""
    """Title, on one line."""
    caption: str = ""
    """Paragraphs that explain it."""
    note: str = ""
    """Note, for instance that the data are simulated."""


def name_figure(figure: Figure, title: str, caption: str = "") -> Figure:
    """Keep the words of a figure with it, also where the preset does not draw them.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure.
    title, caption : str
        Its words.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> figure_words(name_figure(Figure(), "Soil water", "Means of three months."))
    FigureWords(title='Soil water', caption='Means of three months.', note='')
    """
    figure.set_label("\n".join([" ".join(title.split()), caption]).strip("\n"))
    return figure


def figure_words(figure: Figure) -> FigureWords:
    """Return the words of a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure, named by :func:`name_figure` or with a title that is drawn.

    Returns
    -------
    words : FigureWords
        Title, caption and note.

    Examples
    --------
    >>> figure = Figure()
    >>> _ = figure.suptitle("Waters and" + chr(10) + "their lines")
    >>> figure_words(figure).title
    'Waters and their lines'
    """
    title, _, caption = str(figure.get_label()).partition("\n")
    note = [text.get_text() for text in figure.texts if text.get_gid() == "note"]
    drawn = " ".join(figure.get_suptitle().split())
    return FigureWords(title or drawn, caption, " ".join(" ".join(note).split()))


def figure_files(
    figure: Figure, *, preset: FigurePreset, more: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    r"""Return the files of a figure, the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure drawn for the preset.
    preset : FigurePreset
        Formats and resolution.
    more : mapping of str to str, optional
        Further words to be carried, for instance ``config_hash``.

    Returns
    -------
    files : dict of str to bytes
        Ending, such as "png", and the file. Each carries title, caption and note:
        PNG in text chunks, PDF in its document information. No file has a date.

    Examples
    --------
    >>> from geosoil.plotting.style import HESS
    >>> figure = name_figure(Figure((2.0, 1.0)), "Nothing")
    >>> {ending: file[:4] for ending, file in figure_files(figure, preset=HESS).items()}
    {'pdf': b'%PDF', 'png': b'\x89PNG'}
    """
    words = figure_words(figure)
    told = {"Title": words.title}
    further = dict(more or {})
    png = {"Description": words.caption, "Comment": words.note} | further
    pdf = {"Subject": " ".join(f"{words.caption} {words.note}".split())}
    pdf["Creator"] = software()
    pdf["Keywords"] = ", ".join(f"{key} {text}" for key, text in further.items())
    files: dict[str, bytes] = {}
    for ending in preset.formats:
        own = told | (png if ending == "png" else pdf)
        text = {key: value for key, value in own.items() if value}
        draw = render if ending == "png" else render_pdf
        files[ending] = draw(figure, dpi=preset.dpi, text=text)
    return files
