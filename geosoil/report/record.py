"""What a run left behind: its tables, settings and files, as a report reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geosoil.report.document import Picture

DASH = "\N{EN DASH}"
BETWEEN = re.compile(r"(?<=\d)-(?=\d)")
"""Hyphen in a range of numbers."""

WORDS = {"supra_permafrost": "supra-permafrost water"}
"""Names that their letters do not tell."""

NDVI = re.compile(r"\bndvi\b")


@dataclass(frozen=True, slots=True)
class MapWords:
    """What the catalogue says of one raster."""

    file: str
    """Name of the file."""
    title: str
    """What it shows."""
    group: str
    """Where it belongs, such as "Source fractions, June"."""
    units: str
    """Unit."""
    method: str
    """How it was made."""


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """Tables, settings, pictures and rasters of a run."""

    tables: Mapping[str, pd.DataFrame]
    """Tables by name, without ".csv"."""
    settings: Mapping[str, Any]
    """Settings that were used, as nested plain values."""
    software: Mapping[str, str]
    """Versions by package."""
    inputs: Mapping[str, str]
    """SHA-256 of each input by name."""
    verified: bool
    """Whether every input agreed with a checksum beside it."""
    settings_digest: str
    """SHA-256 of the settings."""
    banner: str = ""
    """Words where the data are simulated; "" where not."""
    pictures: tuple[Picture, ...] = ()
    """Finished pictures in the order of the report."""
    maps: tuple[MapWords, ...] = ()
    """Rasters of the run."""
    colours: Mapping[str, str] = field(default_factory=dict)
    """Colour of each source."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Explanations by what they explain, for instance an answer."""

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.setting("study", "name", default="study"))

    def setting(self, *keys: str, default: object = None) -> Any:  # noqa: ANN401  of any kind
        """Return one setting, or the default where a level is absent.

        Parameters
        ----------
        *keys : str
            Levels of the settings, as "study", "name".
        default : object
            What is returned where there is none.

        Returns
        -------
        value : object
            The setting.
        """
        found: Any = self.settings
        for key in keys:
            if not isinstance(found, Mapping) or found.get(key) is None:
                return default
            found = found[key]
        return found

    def table(self, name: str, *columns: str) -> pd.DataFrame | None:
        """Return a table that has rows and the columns asked for, else None.

        Parameters
        ----------
        name : str
            Name of the table.
        *columns : str
            Columns that it must have.

        Returns
        -------
        table : DataFrame or None
            The table.
        """
        found = self.tables.get(name)
        if found is None or found.empty or not set(columns) <= set(found.columns):
            return None
        return found


def text_of(value: object) -> str:
    """Return a cell of a table as text; "" where it is missing.

    Parameters
    ----------
    value : object
        Value of a cell.

    Returns
    -------
    text : str
        Text.

    Examples
    --------
    >>> text_of(float("nan")), text_of("meadow"), text_of(2020.0)
    ('', 'meadow', '2020')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def number_of(value: object) -> float:
    """Return a cell of a table as a number; NaN where it is none.

    Parameters
    ----------
    value : object
        Value of a cell.

    Returns
    -------
    number : float
        Number.

    Examples
    --------
    >>> number_of(3), number_of("")
    (3.0, nan)
    """
    if isinstance(value, bool | str) or value is None:
        return math.nan
    return float(value)  # type: ignore[arg-type]  # a scalar of a numeric column


def in_words(name: object) -> str:
    """Return a name of the vocabulary as readers know it.

    Parameters
    ----------
    name : object
        Name such as "ground_ice".

    Returns
    -------
    words : str
        Name without underscores, ranges of numbers with a true dash.

    Examples
    --------
    >>> in_words("ground_ice"), in_words("ndvi"), in_words("0-20") == "0-20"
    ('ground ice', 'NDVI', False)
    """
    words = text_of(name)
    plain = NDVI.sub("NDVI", words.replace("_", " "))
    return WORDS.get(words, BETWEEN.sub(DASH, plain))
