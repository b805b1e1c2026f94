"""Matching of a user's column names and units to geosoil's vocabulary."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geosoil.io.issues import Ledger
from geosoil.io.vocabulary import SAMPLE_COLUMNS, Column, words

_SIGNS: Mapping[int, str] = {ord("δ"): "d", ord("Δ"): "d", ord("∂"): "d", 0x2212: "-"}
_OTHER_UNITS = frozenset(("k", "kelvin", "f", "°f", "inch", "in", "yd", "hm", "dm"))
_FORMATS = frozenset(
    words(
        "yyyy-mm-dd yyyymmdd yyyy/mm/dd dd/mm/yyyy mm/dd/yyyy text - id name no. date "
        "string unitless"
    )
) | {""}


@dataclass(frozen=True, slots=True)
class Match:
    """Which cell of a row is which column."""

    index: Mapping[str, int]
    """Position of each column that was found, by its geosoil name."""
    units: Mapping[str, str]
    """Unit written in the header, where there is one."""
    own: Mapping[str, int]
    """Position of the user's other columns, by their names."""


def plain_name(name: str) -> tuple[str, str]:
    """Reduce a column name to letters and digits, and split off its unit.

    Parameters
    ----------
    name : str
        Column name as written.

    Returns
    -------
    plain, unit : str
        Lower-case name without signs, spaces or unit; the unit, or "".

    Examples
    --------
    >>> plain_name("δ¹⁸O (‰)"), plain_name("elev_m"), plain_name("Depth to [cm]")
    (('d18o', '‰'), ('elev', 'm'), ('depthto', 'cm'))
    """
    text = unicodedata.normalize("NFKC", name).strip().strip("\ufeff'\"")
    text = text.translate(_SIGNS)
    brackets = re.findall(r"[(\[{<]([^)\]}>]*)[)\]}>]", text)
    unit = plain_unit(brackets[-1]) if brackets else ""
    text = re.sub(r"[(\[{<][^)\]}>]*[)\]}>]", " ", text)
    words = [word for word in re.split(r"[\s_,:/\\.]+", text) if word]
    while len(words) > 1 and is_unit(plain_unit(words[-1])):
        unit = unit or plain_unit(words[-1])
        words.pop()
    if words and words[-1].endswith("‰"):
        unit = unit or "‰"
    if words == ["DD"]:
        return "DD", unit
    return re.sub(r"[\W_]+", "", "".join(words)).casefold(), unit


def plain_unit(text: str) -> str:
    """Reduce a written unit to its plain form.

    Parameters
    ----------
    text : str
        Unit as written.

    Returns
    -------
    unit : str
        Lower case, without blanks, signs of division and full stops.

    Examples
    --------
    >>> plain_unit("m a.s.l."), plain_unit("cm3 cm-3"), plain_unit("‰, V-SMOW")
    ('masl', 'cm3cm-3', '‰vsmow')
    """
    text = unicodedata.normalize("NFKC", text.replace("℃", "°C")).casefold()
    text = text.replace("\u2212", "-").replace("v-smow", "vsmow")
    return re.sub(r"[\s,./^*'\"]+", "", text).strip("()[]{}")


def is_unit(unit: str) -> bool:
    """Tell whether a plain text is a unit that some column may have.

    Parameters
    ----------
    unit : str
        As :func:`plain_unit` writes it.

    Returns
    -------
    known : bool
        True for a unit, understood or not.
    """
    known = any(unit in column.units for column in SAMPLE_COLUMNS)
    return known or unit in _OTHER_UNITS


def is_unit_or_format(text: str) -> bool:
    """Tell whether a cell of a unit row is a unit, a date format or blank.

    Parameters
    ----------
    text : str
        Cell as written.

    Returns
    -------
    known : bool
        True where the cell can stand in a unit row.
    """
    return is_unit(plain_unit(text)) or text.strip("()[] ").casefold() in _FORMATS


def synonym_table(vocabulary: Sequence[Column]) -> dict[str, str]:
    """Return every plain name that is understood, and its column.

    Parameters
    ----------
    vocabulary : sequence of Column
        Columns a table may have.

    Returns
    -------
    table : dict
        Plain name to geosoil name.
    """
    table: dict[str, str] = {}
    for column in vocabulary:
        for name in (plain_name(column.name)[0], *column.synonyms):
            table.setdefault(name, column.name)
    return table


def match_columns(
    header: Sequence[str],
    vocabulary: Sequence[Column],
    columns: Mapping[str, str] | None,
    ledger: Ledger,
) -> Match:
    """Find the known columns in a header.

    Parameters
    ----------
    header : sequence of str
        Column names as written.
    vocabulary : sequence of Column
        Columns to look for.
    columns : mapping or None
        The user's own word: name in the file to geosoil name.
    ledger : Ledger
        Takes names that were understood by a synonym, and the faults.

    Returns
    -------
    match : Match
        Positions and units.
    """
    stated = _stated(header, vocabulary, columns or {}, ledger)
    table = synonym_table(vocabulary)
    places: dict[str, list[int]] = {}
    units: dict[str, str] = {}
    own: dict[str, int] = {}
    for position, written in enumerate(header):
        plain, unit = plain_name(written)
        name = stated.get(position)
        if name is None and plain in table and table[plain] not in stated.values():
            name = table[plain]
        if name is None:
            _add_own(own, written, position)
            continue
        places.setdefault(name, []).append(position)
        units.setdefault(name, unit)
    _exact_names_first(places, header, own)
    _note_names(places, header, stated, ledger)
    for name, positions in places.items():
        if len(positions) > 1:
            written = ", ".join(f"'{header[p]}' (column {p + 1})" for p in positions)
            ledger.faults.append(
                f"{written} all mean {name}. Rename or remove all but one, or say "
                "which one counts with columns=."
            )
    index = {name: positions[0] for name, positions in places.items()}
    return Match(index, units, own)


def _exact_names_first(
    places: dict[str, list[int]], header: Sequence[str], own: dict[str, int]
) -> None:
    """Where one of several candidates has geosoil's very name, keep only that one."""
    for name, positions in places.items():
        exact = [p for p in positions if header[p] == name]
        if len(exact) == 1 and len(positions) > 1:
            for position in positions:
                if position != exact[0]:
                    _add_own(own, header[position], position)
            places[name] = exact


def _note_names(
    places: Mapping[str, Sequence[int]],
    header: Sequence[str],
    stated: Mapping[int, str],
    ledger: Ledger,
) -> None:
    """Note every column that was understood by another name than geosoil's."""
    understood = [(p, name) for name, positions in places.items() for p in positions]
    for position, name in sorted(understood):
        if header[position] != name:
            rule = "columns=" if position in stated else "column name understood"
            ledger.add((0, name), header[position], name, rule, severity="note")


def _add_own(own: dict[str, int], written: str, position: int) -> None:
    name = written or f"column_{position + 1}"
    if name in own or name == "geometry":
        name = f"{name}_{position + 1}"
    own[name] = position


def _stated(
    header: Sequence[str],
    vocabulary: Sequence[Column],
    columns: Mapping[str, str],
    ledger: Ledger,
) -> dict[int, str]:
    known = [column.name for column in vocabulary]
    stated: dict[int, str] = {}
    for own, name in columns.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ledger.faults.append(
                f"columns= maps '{own}' to '{name}', which geosoil does not know."
                f"{hint} Known: {', '.join(known)}."
            )
        elif own.strip() not in header:
            near = difflib.get_close_matches(own, list(header), 1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ledger.faults.append(
                f"columns= names a column '{own}' that the table does not have.{hint} "
                f"Found: {', '.join(header)}."
            )
        else:
            stated[list(header).index(own.strip())] = name
    return stated


def unit_factor(column: Column, unit: str, ledger: Ledger) -> float:
    """Return the factor from a written unit to geosoil's, or note a fault.

    Parameters
    ----------
    column : Column
        The column.
    unit : str
        Plain unit; "" or words that are no unit give 1.
    ledger : Ledger
        Takes the conversion or the fault.

    Returns
    -------
    factor : float
        Number to multiply by.
    """
    if column.kind in ("id", "label", "date", "flag"):
        return 1.0
    factor = column.units.get(unit)
    if factor is None:
        if unit and is_unit(unit):
            known = ", ".join(column.units) or "no unit"
            ledger.faults.append(
                f"column '{column.name}' is given in '{unit}', which geosoil does not "
                f"convert. Use one of: {known}."
            )
        return 1.0
    if factor != 1.0:
        rule = f"unit {unit}: every value of the column was multiplied by {factor:g}"
        ledger.add((0, column.name), unit, f"times {factor:g}", rule)
    return factor
