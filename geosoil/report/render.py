"""Place a collected report on one self-contained page."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from geosoil.report.document import Cite, Heading, Number, Picture, Report, Table, Text
from geosoil.report.numbers import has_interval, print_value, walk
from geosoil.report.references import Reference, reference, reference_list

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""Signs that no page may hold."""


def render_report(report: Report) -> str:
    """Return a report as a page that needs nothing else.

    Parameters
    ----------
    report : Report
        Collected and numbered report.

    Returns
    -------
    page : str
        HTML: style and pictures inside, no script, a policy that forbids every
        request. Every text is escaped; every number is a ``data`` element whose
        ``value`` has all digits, in an element whose ``id`` is its key.

    Examples
    --------
    >>> page = render_report(Report("<i>mine</i>", "", "geosoil", ()))
    >>> "&lt;i&gt;mine&lt;/i&gt;" in page, "<script" in page
    (True, False)
    """
    environment = _environment()
    style = environment.get_template("style.css").render().strip()
    digest = hashlib.sha256(f"\n{style}\n".encode()).digest()
    parts = list(walk(report))
    pictures = [part for part in parts if isinstance(part, Picture)]
    page = environment.get_template("report.html.j2").render(
        report=report,
        style=style,
        style_digest=base64.b64encode(digest).decode("ascii"),
        pictures=pictures,
        references=_cited(parts),
    )
    return page + "\n"


def _cited(parts: list[object]) -> tuple[Reference, ...]:
    """List the works that are cited."""
    return reference_list(part.key for part in parts if isinstance(part, Cite))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    """Return the templates of the package, strict and escaping."""
    environment = Environment(
        autoescape=True,
        finalize=_clean,
        keep_trailing_newline=False,
        loader=PackageLoader("geosoil.report", "templates"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "kind": lambda part: type(part).__name__,
        "exact": repr,
        "printed": _printed,
        "bare": _bare,
        "percent": lambda share: f"{100.0 * share:.2f}%",
        "headings": lambda blocks: [b for b in blocks if isinstance(b, Heading)],
    }
    environment.tests |= {
        "known": math.isfinite,
        "bounded": has_interval,
        "number": _begins_with_number,
        "numeric": _is_numeric,
    }
    environment.globals["reference"] = reference
    return environment


def _printed(value: float, number: Number) -> str:
    """Print the value or a bound of a number."""
    return print_value(value, number.form, number.digits)


def _bare(value: float, number: Number) -> str:
    """Print a bound whose percent sign stands elsewhere."""
    return print_value(value, number.form, number.digits, "")


def _begins_with_number(cell: Text) -> bool:
    """Whether a cell is to be read as a number."""
    return bool(cell) and isinstance(cell[0], Number)


def _is_numeric(table: Table, column: int) -> bool:
    """Whether a column of a table is made of numbers."""
    found = [row[column] for row in table.rows if column >= table.heads]
    return any(_begins_with_number(cell) for cell in found)


def _clean(value: object) -> object:
    """Take out of a text what no page may hold."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)
    return value
