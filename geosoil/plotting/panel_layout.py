"""Where the parts of a table of map panels lie on paper, in inches."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase
from textwrap import fill, wrap

from geosoil.plotting.page import note_lines, title_lines
from geosoil.plotting.style import SCREEN, FigurePreset

_LEFT, _RIGHT, _WORDS, _GAP, _ROW_GAP = 0.45, 0.2, 0.22, 0.24, 0.1
_TIGHT_RIGHT, _TIGHT_GAP = 0.12, 0.19
_SUPTITLE, _TITLE_LINE, _TITLE, _TICKS = 0.26, 0.17, 0.24, 0.2
_BAR, _LEGEND, _LEGEND_LINE, _LINE, _NOTE, _EDGE = 0.5, 0.19, 0.155, 0.125, 0.17, 0.06
_HEADING, _CLOSER = 0.16, 0.03
_LETTER, _BOLD_LETTER, _TITLE_LETTER = 0.051, 0.08, 0.073
_HIGHEST, _JOURNAL_HIGHEST = 15.0, 7.0
"""Height of all panels on a screen and on the page of a journal."""


HYPHENED = {"evapotranspiration": "evapo-transpiration"}
"""Where long words may be broken."""


@dataclass(frozen=True, slots=True)
class PanelTable:
    """What surrounds a table of map panels.

    Examples
    --------
    >>> table = PanelTable(("June", "August", "", ""), columns=2, rows=("rain", "NDVI"))
    >>> table.n_rows, table.has_titles(0), table.has_titles(1)
    (2, True, False)
    """

    titles: tuple[str, ...]
    """Title of each panel, row by row; "" for none."""
    columns: int = 3
    """Number of columns."""
    rows: tuple[str, ...] = ()
    """Words left of each row, or above it where they do not fit there."""
    remarks: tuple[str, ...] = ()
    """Small words above the right end of each panel, row by row."""
    title: str = ""
    """Title of the figure."""
    caption: str = ""
    """Paragraphs below the panels; they are broken into lines."""
    note: str | None = None
    """Small text at the bottom, for instance that the data are simulated."""
    legend: bool = True
    """Whether a legend lies below the colour bar."""
    legend_rows: int = 1
    """Rows of that legend."""
    bar: bool = True
    """Whether there is room for a colour bar below the panels."""
    beside: float = 0.0
    """Room right of the panels, for bars or legends of rows [inch]."""
    letters: bool = False
    """Whether each panel is named by a letter, (a), (b) and so on."""
    wide: bool = False
    """Whether a single column takes the width of a page."""
    preset: FigurePreset = SCREEN
    """Widths; a preset without titles draws neither title nor caption."""

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return -(-len(self.titles) // self.columns)

    @property
    def width(self) -> float:
        """Width of the figure [inch]; a screen scrolls where columns are many."""
        if self.columns == 1 and not self.wide:
            return self.preset.column
        stretch = max(1.0, self.columns / 3.0) if self.preset.titled else 1.0
        return self.preset.page * stretch

    @property
    def drawn_title(self) -> str:
        """Title as it is drawn, in lines; "" where the preset draws none."""
        if not (self.title and self.preset.titled):
            return ""
        return title_lines(self.title, width=self.width)

    @property
    def drawn_caption(self) -> tuple[str, ...]:
        """Lines of the caption as it is drawn."""
        most = max(20, int((self.width - 0.2) / _LETTER))
        paragraphs = self.caption.splitlines() if self.preset.titled else []
        return tuple(line for words in paragraphs for line in wrap(words, most))

    @property
    def lettered(self) -> tuple[str, ...]:
        """Titles of the panels with their letters."""
        if not self.letters or len(self.titles) < 2:
            return self.titles
        return tuple(
            f"({ascii_lowercase[order % 26]}) {title}".strip()
            for order, title in enumerate(self.titles)
        )

    def has_titles(self, row: int) -> bool:
        """Say whether a panel of a row has a title or a remark.

        Parameters
        ----------
        row : int
            Row, from 0.

        Returns
        -------
        has_titles : bool
            Whether there is one.
        """
        part = slice(row * self.columns, (row + 1) * self.columns)
        return any(self.lettered[part]) or any(self.remarks[part])


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Places and sizes of a table of panels [inch]."""

    size: tuple[float, float]
    """Width and height of the figure."""
    panel: tuple[float, float]
    """Width and height of a panel."""
    lefts: tuple[float, ...]
    """Where each column begins, from the left edge."""
    tops: tuple[float, ...]
    """Where each row of panels begins, from the upper edge."""
    words: tuple[str, ...]
    """Words of the rows in lines."""
    upright: bool
    """Whether these words stand along their rows, else above them."""
    heads: tuple[float, ...]
    """Where the words above each row end, from the upper edge."""


def table_layout(table: PanelTable, aspect: float) -> TableLayout:
    """Find where the parts of a table of panels lie.

    Parameters
    ----------
    table : PanelTable
        Panels and words.
    aspect : float
        Width of a panel by its height.

    Returns
    -------
    layout : TableLayout
        Places and sizes.

    Examples
    --------
    >>> layout = table_layout(PanelTable(("June", "August"), columns=2), 2.0)
    >>> layout.size[0], len(layout.lefts), len(layout.tops)
    (9.0, 2, 1)
    """
    words, upright, left = _row_words(table, aspect)
    panel_width, between = _panel_width(table, aspect, left)
    used = between + table.columns * panel_width
    spare = max(table.width - used, 0.0)
    width = max(used, SCREEN.column) if table.preset.titled else table.width
    # A journal's page keeps its width: narrow panels stand in its middle.
    first = left + (spare / 2.0 if not table.preset.titled else 0.0)
    gap = _gaps(table)[0]
    lefts = [first + column * (panel_width + gap) for column in range(table.columns)]
    panel = (panel_width, panel_width / aspect)
    tops, heads = _tops(table, panel, heading=bool(words) and not upright)
    height = tops[-1] + panel[1] + _TICKS + footer_room(table)
    return TableLayout(
        (width, height), panel, tuple(lefts), tops, words, upright, heads
    )


def _gaps(table: PanelTable) -> tuple[float, float]:
    """Return the room between columns and right of the last one."""
    if table.preset.titled:
        return _GAP, _RIGHT
    return _TIGHT_GAP, _TIGHT_RIGHT


def _panel_width(table: PanelTable, aspect: float, left: float) -> tuple[float, float]:
    """Return the width of a panel and of all that is no panel."""
    gap, right = _gaps(table)
    between = left + right + table.beside + (table.columns - 1) * gap
    highest = _HIGHEST if table.preset.titled else _JOURNAL_HIGHEST
    widest = highest / table.n_rows * aspect
    return min((table.width - between) / table.columns, widest), between


def _row_words(table: PanelTable, aspect: float) -> tuple[tuple[str, ...], bool, float]:
    """Break the words of the rows; say whether they stand, and the room left of it."""
    if not any(table.rows):
        return (), True, _LEFT
    panel_width, _ = _panel_width(table, aspect, _LEFT + _WORDS)
    most = max(6, int(panel_width / aspect / _BOLD_LETTER))
    words = tuple(
        fill(_hyphened(text, most), most, break_long_words=False) for text in table.rows
    )
    if any(len(line) > most for text in words for line in text.split("\n")):
        return table.rows, False, _LEFT
    lines = 1 + max(text.count("\n") for text in words)
    return words, True, _LEFT + _WORDS + (lines - 1) * _LINE


def _hyphened(text: str, most: int) -> str:
    """Put hyphens into known words that are longer than a line."""
    words = text.split()
    return " ".join(
        HYPHENED.get(word, word) if len(word) > most else word for word in words
    )


def _tops(
    table: PanelTable, panel: tuple[float, float], *, heading: bool
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return how far below the upper edge rows of panels and their titles start."""
    title = table.drawn_title
    top = _SUPTITLE + _TITLE_LINE * title.count("\n") if title else _EDGE
    tops, heads = [], []
    for row in range(table.n_rows):
        top += _HEADING if heading and table.rows[row] else 0.0
        heads.append(top + _CLOSER)
        lines = len(title_rows(table, row, panel[0]))
        top += _TITLE + (lines - 1) * _LINE if table.has_titles(row) else _ROW_GAP
        tops.append(top)
        top += panel[1]
    return tuple(tops), tuple(heads)


def title_rows(table: PanelTable, row: int, width: float) -> tuple[str, ...]:
    """Return which lines stand above a row of panels.

    Parameters
    ----------
    table : PanelTable
        Panels and words.
    row : int
        Row, from 0.
    width : float
        Width of a panel [inch].

    Returns
    -------
    lines : tuple of str
        "both" where titles and remarks share the one line; else a "title" for each
        line of titles and a "remark" for each line of remarks.

    Examples
    --------
    >>> table = PanelTable(("June",), columns=1, remarks=("mean of the sites",))
    >>> title_rows(table, 0, 3.0), title_rows(table, 0, 1.0)
    (('both',), ('title', 'remark'))
    """
    part = slice(row * table.columns, (row + 1) * table.columns)
    titles = table.lettered[part]
    remarks = [*table.remarks[part], *[""] * len(titles)][: len(titles)]
    needed = [
        _TITLE_LETTER * len(title) + _LETTER * len(remark) + 0.1 * bool(remark)
        for title, remark in zip(titles, remarks, strict=True)
    ]
    if max(needed) <= width:
        return ("both",)
    upper = max(title_text(title, width).count("\n") + 1 for title in titles)
    lower = max(len(remark_text(remark, width).splitlines()) for remark in remarks)
    return ("title",) * upper + ("remark",) * lower


def title_text(title: str, width: float) -> str:
    """Break the title of a panel into lines.

    Parameters
    ----------
    title : str
        Title.
    width : float
        Width of the panel [inch].

    Returns
    -------
    text : str
        The same words in lines.

    Examples
    --------
    >>> title_text("standard deviation", 1.0).splitlines()
    ['standard', 'deviation']
    """
    return fill(title, max(6, int(width / _TITLE_LETTER)))


def remark_text(remark: str, width: float) -> str:
    """Break the small words above a panel into lines.

    Parameters
    ----------
    remark : str
        Words.
    width : float
        Width of the panel [inch].

    Returns
    -------
    text : str
        The same words in lines.

    Examples
    --------
    >>> remark_text("mean of the sites", 0.5).splitlines()
    ['mean of', 'the sites']
    """
    return fill(remark, max(8, int(width / _LETTER)))


def note_room(table: PanelTable) -> float:
    """Return the room of the note at the bottom [inch].

    Parameters
    ----------
    table : PanelTable
        Panels and words.

    Returns
    -------
    room : float
        Room with the margin below it.

    Examples
    --------
    >>> note_room(PanelTable(("June",)))
    0.06
    """
    lines = len(note_lines(table.note, width=table.width))
    return _EDGE + (_NOTE + (lines - 1) * _LINE if lines else 0.0)


def legend_bottom(table: PanelTable) -> float:
    """Return the room below the legend [inch].

    Parameters
    ----------
    table : PanelTable
        Panels and words.

    Returns
    -------
    room : float
        Room for note and caption.

    Examples
    --------
    >>> legend_bottom(PanelTable(("June",), note="simulated")) > 0.2
    True
    """
    lines = len(table.drawn_caption)
    return note_room(table) + (_LINE * lines + 0.05 if lines else 0.0)


def footer_room(table: PanelTable) -> float:
    """Return the room below the panels' ticks [inch].

    Parameters
    ----------
    table : PanelTable
        Panels and words.

    Returns
    -------
    room : float
        Room for bar, legend, caption and note.

    Examples
    --------
    >>> footer_room(PanelTable(("June",), legend=False))
    0.56
    """
    legend = _LEGEND + (table.legend_rows - 1) * _LEGEND_LINE if table.legend else 0.0
    bar = _BAR if table.bar else 0.06
    return bar + legend + legend_bottom(table)
