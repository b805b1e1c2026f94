"""The command on the report of a run."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Page to write, FILE.html, with FILE_numbers.csv beside it; without it "
    "DIR/report.html and DIR/tables/report_numbers.csv.",
)
def report(folder: Path, show: bool, output: Path | None) -> None:
    """Write the report of a run: one page that needs no network, and its numbers.

    DIR is the folder that 'geosoil run' wrote. Prints the methods paragraph, ready to
    paste.
    """
    from geosoil.workflow.study_report import report_folder

    written = report_folder(folder, output=output)
    click.echo(written.text)
    if show:
        webbrowser.open(written.paths[0].resolve().as_uri())
