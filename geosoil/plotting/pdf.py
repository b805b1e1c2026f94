"""Figures as PDF files that journals take."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.style import house_style


def render_pdf(
    figure: Figure, *, dpi: float = 300.0, text: Mapping[str, str] | None = None
) -> bytes:
    r"""Return a figure as the bytes of a PDF file, the same for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure to draw.
    dpi : float
        Dots per inch of its rasters; text and lines stay vectors.
    text : mapping of str to str, optional
        Entries of the document, such as Title or Creator.

    Returns
    -------
    document : bytes
        The PDF file, fonts embedded; without a date.

    Raises
    ------
    InputError
        If the resolution is not a positive number.

    Examples
    --------
    >>> render_pdf(Figure((2.0, 1.0)), text={"Title": "empty"})[:5]
    b'%PDF-'
    """
    if not dpi > 0:
        message = f"Invalid resolution {dpi} dpi. Give a positive number such as 300."
        raise InputError(message)
    metadata: dict[str, Any] = {**(text or {}), "CreationDate": None}
    target = BytesIO()
    with house_style(), mpl.rc_context({"pdf.fonttype": 42}):
        FigureCanvasPdf(figure)
        figure.savefig(
            target, format="pdf", dpi=dpi, facecolor="white", metadata=metadata
        )
    return target.getvalue()
