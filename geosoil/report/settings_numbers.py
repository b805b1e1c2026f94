"""Numbers of the settings, and the settings as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from geosoil.report.document import Code, Number, Table, Text
from geosoil.report.record import number_of

SETTINGS = "provenance.json settings"


def setting_number(
    values: Mapping[str, Any],
    name: str,
    key: str,
    *,
    unit: str = "1",
    digits: int = 2,
    percent: bool = False,
) -> Number:
    """Return a number of the settings.

    Parameters
    ----------
    values : mapping
        Part of the settings.
    name : str
        Name in that part.
    key : str
        Where the part stands, with dots.
    unit : str
        Unit.
    digits : int
        Decimals.
    percent : bool
        Whether it is a share to be printed in percent.

    Returns
    -------
    number : Number
        The setting; NaN where it is absent.

    Examples
    --------
    >>> setting_number({"fdr": 0.1}, "fdr", "correlation").source
    'provenance.json settings (correlation.fdr)'
    """
    return Number(
        name.replace("_", " "),
        number_of(values.get(name)),
        unit,
        key,
        f"{SETTINGS} ({key}.{name})",
        form="percent" if percent else "fixed",
        digits=0 if percent else digits,
    )


def settings_table(settings: Mapping[str, Any]) -> Table:
    """Return every setting as a table.

    Parameters
    ----------
    settings : mapping
        Nested plain values.

    Returns
    -------
    table : Table
        Key and value; what is empty is left out.

    Examples
    --------
    >>> settings_table({"grid": {"resolution": 0.05, "crs": None}}).rows[0][0]
    (Code(text='grid.resolution'),)
    """
    rows: list[tuple[Text, ...]] = []
    for key, value in _flat(settings, ""):
        if isinstance(value, int | float) and not isinstance(value, bool):
            source = f"{SETTINGS} ({key})"
            number = Number(key, float(value), "", "settings", source, form="short")
            cell: Text = (_exact(number),)
        else:
            cell = (Code(str(value)),)
        rows.append(((Code(key),), cell))
    return Table(("Every setting of the run.",), ("setting", "value"), tuple(rows))


def _exact(number: Number) -> Number:
    """Return the number printed with all its digits."""
    return Number(
        number.name,
        number.value,
        number.unit,
        number.group,
        number.source,
        form="short",
        digits=12,
    )


def _flat(value: Any, key: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  plain values of any kind
    """Yield every leaf of nested values with its key."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _flat(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if all(isinstance(item, str) for item in value):
            if value:
                yield key, ", ".join(value)
            return
        for place, item in enumerate(value):
            yield from _flat(item, f"{key}.{place}")
    elif value is not None and value != "":
        yield key, value
