"""The command that checks a table of samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from geosoil.cli.main import echo_json

if TYPE_CHECKING:
    import pandas as pd

    from geosoil.workflow.check import CheckResult

_LONG = 30
_PIPED_WIDTH = 160


def _pairs(
    ctx: click.Context, parameter: click.Parameter, words: tuple[str, ...]
) -> dict[str, str]:
    """Split the words own=name."""
    pairs = {}
    for word in words:
        own, mark, name = word.rpartition("=")
        if not mark or not own or not name:
            message = f"'{word}' is no own=name, for instance 'iso 1=d18O'."
            raise click.BadParameter(message, ctx, parameter)
        pairs[own] = name
    return pairs


@click.command()
@click.argument("samples", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--columns",
    multiple=True,
    callback=_pairs,
    metavar="OWN=NAME",
    help="Your column and geosoil's name for it; 'sheet!own' in workbooks. Repeatable.",
)
@click.option("--crs", help="System of columns x and y, for instance EPSG:32646.")
@click.option(
    "--dates",
    type=click.Choice(["dayfirst", "monthfirst"]),
    help="How to read dates such as 06/08/2020.",
)
@click.option(
    "--require",
    multiple=True,
    default=("d18O", "d2H"),
    show_default=True,
    help="Column that must be there. Repeatable.",
)
@click.option(
    "--dem",
    type=click.Path(path_type=Path),
    help="GeoTIFF of elevations [m] to hold the stated elevations against.",
)
@click.option("--all", "every", is_flag=True, help="Print every change, not a summary.")
@click.option("--json", "as_json", is_flag=True, help="Print machine-readable results.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="CSV of all changes."
)
def check(
    samples: Path,
    columns: dict[str, str],
    crs: str | None,
    dates: Literal["dayfirst", "monthfirst"] | None,
    require: tuple[str, ...],
    dem: Path | None,
    every: bool,
    as_json: bool,
    output: Path | None,
) -> None:
    """Show how FILE would be read, what looks wrong in it, and compute nothing.

    Prints each value that is read otherwise than it is written, with its row and the
    reason; a long list is counted by rule. Exits 1 where the table cannot be used.
    """
    from geosoil.workflow.check import check_table, write_fixes

    result = check_table(
        samples, columns=columns, crs=crs, dates=dates, require=require, dem=dem
    )
    written = write_fixes(result, output) if output else None
    if as_json:
        echo_json("check", [_record(result)], [])
    else:
        _print(result, every=every)
        if written:
            click.echo(f"Wrote {written}.")
    result.raise_faults()


def _record(result: CheckResult) -> dict[str, object]:
    return {
        "path": str(result.path),
        "readable": result.readable,
        "n_samples": result.n_samples,
        "columns": list(result.columns),
        "faults": list(result.faults),
        "issues": result.issues.to_dict("records"),
    }


def _print(result: CheckResult, *, every: bool) -> None:
    issues = result.issues
    names = ["row", "column", "found", "read_as", "rule", "severity"]
    heads = ["row", "column", "found", "read as", "why", "kind"]
    if not every and len(issues) > _LONG:
        issues = result.summary()
        names = ["count", "row", *names[1:]]
        heads = ["count", "first row", *heads[1:]]
    if not issues.empty:
        _print_table(issues, names, heads)
    if result.readable:
        said = "nothing" if result.issues.empty else f"{len(result.issues)} remarks"
        click.echo(
            f"{result.path.name}: {result.n_samples} samples can be read; {said}. "
            f"Columns: {', '.join(result.columns)}."
        )


def _print_table(issues: pd.DataFrame, names: list[str], heads: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED_WIDTH)
    table = Table()
    for head in heads:
        table.add_column(head, overflow="fold")
    for record in issues.to_dict("records"):
        cells = [record[name] for name in names]
        row = ["" if cell == 0 else str(cell) for cell in cells]
        table.add_row(*[Text(text) for text in row])
    console.print(table)
