"""What a report is made of: sections of text, numbers, tables and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

NAN = float("nan")

Form = Literal["fixed", "percent", "short", "term"]
"""How a number is printed: with a number of decimals; in percent; with a number of
digits and a power of ten where it is very small; or as a term of an equation, its sign
apart."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the report, which is also a row of its table of numbers."""

    name: str
    """What it is, for instance "fraction"."""
    value: float
    """The number itself; NaN where only its bounds are known."""
    unit: str = "1"
    """Unit of value and bounds."""
    group: str = ""
    """Whose number it is, for instance "June, precipitation"."""
    source: str = ""
    """File and column that it comes from."""
    lower: float = NAN
    """Lower end of its interval; NaN for none."""
    upper: float = NAN
    """Upper end of its interval; NaN for none."""
    form: Form = "fixed"
    """How it is printed."""
    digits: int = 2
    """Decimals, or digits with form "short"."""
    key: str = ""
    """Its anchor in the page; given by `geosoil.report.numbers.numbered`."""
    section: str = ""
    """Section that it stands in; given with the key."""


@dataclass(frozen=True, slots=True)
class Cite:
    """A citation, a link to the list of references."""

    key: str
    """Key in `geosoil.report.references.REFERENCES`."""


@dataclass(frozen=True, slots=True)
class Code:
    """A name as a computer writes it: a file, a column, a digest."""

    text: str
    """The name."""


Piece: TypeAlias = str | Number | Cite | Code
Text: TypeAlias = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text of one paragraph."""

    text: Text
    """Its pieces."""
    kind: Literal["plain", "note", "warning", "key"] = "plain"
    """How it stands out."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Heading of a part of a section."""

    title: str
    """Words."""
    anchor: str
    """Identifier for links."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows and columns with a caption."""

    caption: Text
    """What it shows."""
    columns: tuple[str, ...]
    """Heads of the columns."""
    rows: tuple[tuple[Text, ...], ...]
    """Cells of each row, as many as there are columns."""
    heads: int = 1
    """Cells of a row, from the left, that name it."""
    wide: bool = False
    """Whether it may need to be scrolled sideways."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A long list or table that opens when it is asked for."""

    summary: str
    """Words that stay visible."""
    blocks: tuple[Paragraph | Table, ...]
    """What opens."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture with its words."""

    name: str
    """Name of its file."""
    title: str
    """Title."""
    caption: str
    """What it shows."""
    alternative: str
    """What a reader who cannot see it is told."""
    data: str
    """The file in base64."""
    width: int
    """Width in dots."""
    height: int
    """Height in dots."""
    media_type: str = "image/png"
    """Kind of file."""
    paper: str = ""
    """Figure of the paper that it stands for."""
    anchor: str = ""
    """Identifier for links."""
    label: str = ""
    """Its number among the figures, as "Figure 3"."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart of shares."""

    label: str
    """What the share is of."""
    share: float
    """Length, 0 to 1; NaN where only the interval is known."""
    lower: float
    """Lower end of the interval."""
    upper: float
    """Upper end of the interval."""
    reference: float
    """Share to compare with; NaN for none."""
    colour: str
    """Colour as #rrggbb."""


@dataclass(frozen=True, slots=True)
class BarChart:
    """Shares with intervals, a group of bars a period."""

    title: str
    """What it shows, also for readers who cannot see it."""
    groups: tuple[tuple[str, tuple[Bar, ...]], ...]
    """Name and bars of each group."""
    reference: str = ""
    """What the reference marks are."""


Block: TypeAlias = Paragraph | Heading | Table | Listing | Picture | BarChart


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the report."""

    anchor: str
    """Identifier for links."""
    title: str
    """Heading."""
    blocks: tuple[Block, ...]
    """What stands in it."""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    title: str
    """Name of the study."""
    banner: str
    """Words in the banner; "" for none."""
    software: str
    """What made it."""
    sections: tuple[Section, ...]
    """Its sections."""
