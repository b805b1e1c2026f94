"""Colours, markers, fonts and the picture file: what every figure has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from types import MappingProxyType
from typing import Any, Literal, cast

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geosoil.errors import InputError

PERMIL = "‰"
"""Sign for parts per thousand."""

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
"""Signs for negative numbers and for ranges."""

AXIS_LABELS: dict[str, str] = {
    "d18O": f"δ¹⁸O [{PERMIL} VSMOW]",
    "d2H": f"δ²H [{PERMIL} VSMOW]",
    "d_excess": f"d-excess [{PERMIL}]",
}
"""Words on the axes of isotope diagrams."""

SMALL, NORMAL, LARGE = 7.0, 8.0, 10.0
"""Font sizes [pt]: ticks and notes, labels and legends, the figure's title."""

INK = "#222222"
"""Colour of text and of the strongest lines."""

MISSING = "#e6e6e6"
"""Light grey of cells without a value."""


_RC = {
    "axes.axisbelow": True,
    "axes.labelsize": NORMAL,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.titlesize": NORMAL,
    "axes.titleweight": "bold",
    "figure.titlesize": LARGE,
    "font.family": ["DejaVu Sans"],
    "font.size": NORMAL,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.35,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.labelsize": SMALL,
    "ytick.major.size": 2.5,
    "ytick.major.width": 0.6,
}


PresetName = Literal["screen", "hess"]
"""Names of the presets, as settings and commands spell them."""

_CENTIMETRE = 1.0 / 2.54


@dataclass(frozen=True, slots=True)
class FigurePreset:
    """For whom figures are made: their widths, fonts, resolution and files.

    Examples
    --------
    >>> round(HESS.column * 2.54, 2), round(HESS.page * 2.54, 2)
    (8.3, 12.0)
    """

    name: PresetName
    """Its name."""
    column: float
    """Width of a figure in one column [inch]."""
    page: float
    """Width of a figure across the page, the widest there is [inch]."""
    font_size: float
    """Size of labels and legends; ticks and notes are 1 point smaller [pt]."""
    dpi: float
    """Dots per inch of the picture, and of the rasters in a vector file."""
    formats: tuple[Literal["png", "pdf"], ...]
    """Files of each figure."""
    titled: bool
    """Whether title and caption stand in the figure; a journal prints them below."""


SCREEN = FigurePreset("screen", 5.5, 9.0, NORMAL, 160.0, ("png",), titled=True)
"""For the report: readable when the page of a browser is as wide as the figure."""

HESS = FigurePreset(
    "hess",
    8.3 * _CENTIMETRE,
    12.0 * _CENTIMETRE,
    NORMAL,
    300.0,
    ("pdf", "png"),
    titled=False,
)
"""For journals of Copernicus: 8.3 or 12 cm wide, vectors and pictures."""

PRESETS = MappingProxyType({preset.name: preset for preset in (SCREEN, HESS)})
"""Presets by name."""


@dataclass(frozen=True, slots=True)
class WaterStyle:
    """How one kind of water is drawn."""

    label: str
    """Words for legends."""
    colour: str
    """Colour as #rrggbb, told apart by colour-blind readers."""
    marker: str
    """Matplotlib marker."""


WATER_STYLES: dict[str, WaterStyle] = {
    "soil": WaterStyle("soil water", "#d55e00", "o"),
    "precipitation": WaterStyle("precipitation", "#0072b2", "v"),
    "ground_ice": WaterStyle("ground ice", "#56b4e9", "s"),
    "snowmelt": WaterStyle("snowmelt", "#cc79a7", "*"),
    "river": WaterStyle("river water", "#009e73", "D"),
    "supra_permafrost": WaterStyle("supra-permafrost water", "#e69f00", "^"),
}
"""Style of each kind of water (colours of Okabe and Ito 2008)."""

_SPARE = ("#f0e442", "#999999", "#332288", "#882255")


def water_style(water: str, *, order: int = 0) -> WaterStyle:
    """Return how a kind of water, or a source of another name, is drawn.

    Parameters
    ----------
    water : str
        A kind of water, or any source name.
    order : int
        Place of an unknown source among the sources; picks its colour.

    Returns
    -------
    style : WaterStyle
        Label, colour and marker.

    Examples
    --------
    >>> water_style("ground_ice").label
    'ground ice'
    >>> water_style("deep_groundwater").label
    'deep groundwater'
    """
    known = WATER_STYLES.get(water)
    if known is not None:
        return known
    return WaterStyle(water.replace("_", " "), _SPARE[order % len(_SPARE)], "P")


@contextmanager
def house_style() -> Iterator[None]:
    """Set the fonts and lines of geosoil inside a ``with`` block, and only there.

    Yields
    ------
    None
        Matplotlib's settings are as before after the block.

    Examples
    --------
    >>> with house_style():
    ...     mpl.rcParams["font.size"]
    8.0
    """
    with mpl.rc_context(cast("Any", _RC)):
        yield


def render(
    figure: Figure, *, dpi: float = 200.0, text: Mapping[str, str] | None = None
) -> bytes:
    r"""Return a figure as the bytes of a PNG file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure to draw.
    dpi : float
        Dots per inch.
    text : mapping of str to str, optional
        Entries of the file's text chunks, such as Title or Source. "Software" is
        geosoil and its version unless given here.

    Returns
    -------
    picture : bytes
        The PNG file.

    Raises
    ------
    InputError
        If the resolution is not a positive number.

    Examples
    --------
    >>> picture = render(Figure((2.0, 1.0)), dpi=100, text={"Title": "empty"})
    >>> picture[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    if not dpi > 0:
        message = f"Invalid resolution {dpi} dpi. Give a positive number such as 200."
        raise InputError(message)
    metadata = {"Software": software(), **(text or {})}
    target = BytesIO()
    with house_style():
        FigureCanvasAgg(figure)
        figure.savefig(
            target, format="png", dpi=dpi, facecolor="white", metadata=metadata
        )
    return target.getvalue()


def software() -> str:
    """Return the name and version of this package.

    Returns
    -------
    words : str
        Such as "geosoil 1.0".

    Examples
    --------
    >>> software().split()[0]
    'geosoil'
    """
    try:
        return f"geosoil {version('geosoil')}"
    except PackageNotFoundError:
        return "geosoil"
