"""Class tables: what the codes of a class layer mean, how they group and look."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.errors import InputError, SampleTableError
from geosoil.io._sniff import sniff
from geosoil.io.short_tables import fault_absent, fault_remarks, fault_rows
from geosoil.io.tables import read_table
from geosoil.io.vocabulary import Column, words

_KIND = "Class table"
_CLASS_COLUMNS = (
    Column("code", "number", words("value class classcode id gridcode 编码 代码")),
    Column("label", "id", words("name classname description 名称 类型")),
    Column("group", "id", words("classgroup 分组")),
    Column("colour", "id", words("color rgb hex 颜色")),
)
_KEYS = tuple(column.name for column in _CLASS_COLUMNS)
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class LayerClass:
    """One class of a layer.

    Examples
    --------
    >>> LayerClass(1, "permafrost", colour="#6A9FC4").colour
    '#6a9fc4'
    """

    code: int
    """Number that stands for the class in the layer."""
    label: str
    """Its name."""
    group: str | None = None
    """Name of the classes that it is one of, where there are groups."""
    colour: str | None = None
    """Colour on maps, ``#rrggbb`` in small letters, where one is given."""

    def __post_init__(self) -> None:
        """Check the label and the colour."""
        if not self.label.strip():
            message = f"Class {self.code} has no label. Give it a name."
            raise InputError(message)
        if self.colour is not None:
            colour = self.colour.strip().lower()
            if not _COLOUR.fullmatch(colour):
                message = (
                    f"Class {self.code} has the colour '{self.colour}'. Give # and six "
                    "hexadecimal digits, such as '#6a9fc4'."
                )
                raise InputError(message)
            object.__setattr__(self, "colour", colour)


@dataclass(frozen=True, slots=True)
class ClassTable:
    """The classes of a layer in their order.

    Examples
    --------
    >>> table = ClassTable((LayerClass(1, "meadow", "grass"), LayerClass(3, "forest")))
    >>> table.labels, table.groups, table[3].label
    ({1: 'meadow', 3: 'forest'}, {1: 'grass'}, 'forest')
    """

    classes: tuple[LayerClass, ...]
    """The classes; each code stands once."""

    def __post_init__(self) -> None:
        """Check that there are classes and that each code stands once."""
        again = sorted({c for c in self.codes if self.codes.count(c) > 1})
        if again or not self.classes:
            what = f"the codes {again} more than once" if again else "no classes"
            message = f"The class table holds {what}. Give each class one row."
            raise InputError(message)

    def __getitem__(self, code: int) -> LayerClass:
        """Return the class of a code.

        Parameters
        ----------
        code : int
            Code of the class.

        Returns
        -------
        found : LayerClass
            The class.

        Raises
        ------
        InputError
            If the table does not hold the code.
        """
        for item in self.classes:
            if item.code == code:
                return item
        message = f"Code {code} is not in the class table; it holds {self.shown}."
        raise InputError(message)

    @property
    def codes(self) -> tuple[int, ...]:
        """Codes in the order of the table."""
        return tuple(item.code for item in self.classes)

    @property
    def labels(self) -> dict[int, str]:
        """Code to label."""
        return {item.code: item.label for item in self.classes}

    @property
    def groups(self) -> dict[int, str]:
        """Code to group, for the classes that have one."""
        return {item.code: item.group for item in self.classes if item.group}

    @property
    def colours(self) -> dict[int, str]:
        """Code to colour, for the classes that have one."""
        return {item.code: item.colour for item in self.classes if item.colour}

    @property
    def shown(self) -> str:
        """Codes and labels in words, the first twelve of them."""
        parts = [f"{item.code} ({item.label})" for item in self.classes[:_SHOWN]]
        more = len(self.classes) - _SHOWN
        return ", ".join(parts) + (f" and {more} more" if more > 0 else "")

    def with_colours(self, colours: Mapping[int, str]) -> ClassTable:
        """Give colours to the classes that have none.

        Parameters
        ----------
        colours : mapping of int to str
            Colours by code, ``#rrggbb``; codes that the table lacks are left out.

        Returns
        -------
        table : ClassTable
            The table, its own colours kept.

        Examples
        --------
        >>> table = ClassTable((LayerClass(1, "meadow"), LayerClass(2, "forest")))
        >>> table.with_colours({2: "#3f6b4a"}).colours
        {2: '#3f6b4a'}
        """
        return ClassTable(
            tuple(
                item if item.colour else replace(item, colour=colours.get(item.code))
                for item in self.classes
            )
        )

    def check_codes(self, codes: Iterable[int], *, what: str) -> None:
        """Raise unless every code is in the table.

        Parameters
        ----------
        codes : iterable of int
            Codes that a layer holds.
        what : str
            The layer, for the message.

        Raises
        ------
        InputError
            If codes are missing; the message names them all.
        """
        unknown = sorted(set(codes) - set(self.codes))
        if unknown:
            message = (
                f"{what} holds class codes {unknown} that its class table does not "
                f"name; it names {self.shown}. Add a row for each."
            )
            raise InputError(message)


def read_classes(path: str | os.PathLike[str]) -> ClassTable:
    r"""Read a class table.

    Parameters
    ----------
    path : path
        TOML with one ``[[class]]`` a class, or a text table or workbook with one row
        a class; with ``code`` and ``label``, and ``group`` and ``colour``
        (``#rrggbb``) where known.

    Returns
    -------
    table : ClassTable
        The classes in the order of the file.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If it is no table, a column or key is missing or unknown, a code is no whole
        number or occurs twice, a label is empty, or a colour is none; one message
        holds all faults.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "classes.toml"
    ...     _ = file.write_text(
    ...         '[[class]]\ncode = 1\nlabel = "permafrost"\ncolour = "#6a9fc4"\n'
    ...     )
    ...     read_classes(file).colours
    {1: '#6a9fc4'}
    """
    file = Path(path)
    if file.suffix.lower() == ".toml":
        return _read_toml(file)
    table = read_table(file, kind=_KIND, vocabulary=_CLASS_COLUMNS)
    faults = table.ledger.faults
    fault_absent(table, ("code", "label"))
    fault_remarks(table)
    frame = table.frame
    if {"code", "label"} <= set(frame.columns):
        codes = frame["code"].to_numpy(dtype=float)
        fault_rows(table, ~np.isfinite(codes), "code is missing")
        fault_rows(table, np.isfinite(codes) & (codes % 1 != 0), "code is not whole")
        fault_rows(table, np.abs(codes) >= 2**31, "code is beyond 32 bits")
        again = frame["code"].duplicated(keep=False).to_numpy() & np.isfinite(codes)
        fault_rows(table, again, "the same code stands more than once")
        fault_rows(table, frame["label"].isna().to_numpy(), "label is empty")
    if "colour" in frame.columns:
        colours = frame["colour"].str.strip().str.lower()
        wrong = ~colours.isna() & ~colours.str.fullmatch(_COLOUR.pattern).eq(True)
        why = "colour is not # and six hexadecimal digits, such as #6a9fc4"
        fault_rows(table, wrong.to_numpy(dtype=bool), why)
    if not faults and frame.empty:
        faults.append("the table has no rows.")
    table.ledger.raise_faults(_KIND, file)
    return ClassTable(tuple(_row_class(row) for row in frame.to_dict("records")))


def read_class_table(path: str | os.PathLike[str]) -> dict[int, str]:
    r"""Read the labels of the codes of a class raster or layer.

    Parameters
    ----------
    path : path
        Class table as of :func:`read_classes`.

    Returns
    -------
    labels : dict
        Code to label, in the order of the file.

    Raises
    ------
    MissingFileError, SampleTableError
        As for :func:`read_classes`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "classes.csv"
    ...     _ = file.write_text("code,label\n1,permafrost\n2,seasonally frozen\n")
    ...     read_class_table(file)
    {1: 'permafrost', 2: 'seasonally frozen'}
    """
    return read_classes(path).labels


def _row_class(row: Mapping[Hashable, str | float | None]) -> LayerClass:
    """Return the class that one checked row of a table holds."""
    texts = {key: str(row[key]).strip() for key in _KEYS if not pd.isna(row.get(key))}
    return LayerClass(
        int(float(texts["code"])),
        texts["label"],
        texts.get("group") or None,
        texts.get("colour") or None,
    )


def _read_toml(file: Path) -> ClassTable:
    sniff(file)
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{_KIND} '{file.name}' is no valid TOML: {error}."
        raise SampleTableError(message) from error
    entries = data.get("class")
    strange = sorted(set(data) - {"class"})
    if strange or not isinstance(entries, list) or not entries:
        found = f"found {', '.join(strange)}" if strange else "found none"
        message = (
            f"{_KIND} '{file.name}' must hold [[class]] entries and nothing else; "
            f"{found}."
        )
        raise SampleTableError(message)
    faults = [
        f"class {number}: {fault}."
        for number, entry in enumerate(entries, 1)
        for fault in _entry_faults(entry)
    ]
    codes = [entry.get("code") for entry in entries if isinstance(entry, dict)]
    again = sorted({c for c in codes if type(c) is int and codes.count(c) > 1})
    if again:
        faults.append(f"codes {again} stand more than once.")
    if faults:
        message = f"{_KIND} '{file.name}' has faults: {' '.join(faults)}"
        raise SampleTableError(message)
    return ClassTable(tuple(LayerClass(**entry) for entry in entries))


def _entry_faults(entry: object) -> list[str]:
    """Return what is wrong with one entry of a TOML class table."""
    if not isinstance(entry, dict):
        return ["it is no table of keys"]
    faults = []
    strange = sorted(set(entry) - set(_KEYS))
    if strange:
        faults.append(f"unknown key {', '.join(strange)} (known: {', '.join(_KEYS)})")
    code = entry.get("code")
    if type(code) is not int or abs(code) >= 2**31:
        faults.append(f"code must be a whole number, found {code!r}")
    texts = {key: entry[key] for key in _KEYS[1:] if key in entry}
    faults += [
        f"{key} must be a text that is not empty, found {value!r}"
        for key, value in texts.items()
        if not isinstance(value, str) or not value.strip()
    ]
    if "label" not in texts:
        faults.append("label is missing")
    colour = texts.get("colour")
    if isinstance(colour, str) and not _COLOUR.fullmatch(colour.strip().lower()):
        faults.append(f"colour {colour!r} is not # and six hexadecimal digits")
    return faults
