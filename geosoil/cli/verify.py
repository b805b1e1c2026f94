"""Commands that hold the files of a run against its record."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from geosoil.cli.main import echo_json
from geosoil.cli.progress import progress_shown
from geosoil.cli.study import JSON_OPTION, geosoil_warnings, going_on
from geosoil.errors import GeosoilError

BASE_OPTION = click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="Folder of the settings file, which the names of inputs start at; looked for "
    "without it.",
)
OUTSIDE_OPTION = click.option(
    "--outside",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where a folder <outside-1>, <outside-2>, ... of the record lies; once for "
    "each, in their order.",
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--inputs", is_flag=True, help="Look for the inputs and compare them too."
)
@BASE_OPTION
@OUTSIDE_OPTION
@JSON_OPTION
def verify(
    folder: Path,
    inputs: bool,
    base: Path | None,
    outside: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare the files in FOLDER with the record of the run that wrote them.

    Every changed, missing or added file is named. Exit code 0: all files are byte by
    byte what was written; 1: some are not. Files of your own beside them do no harm.
    """
    from geosoil.workflow.verify import verify_folder

    found = verify_folder(folder, inputs=inputs, base=base, outside=outside)
    if as_json:
        echo_json("verify", [found.plain()], [])
    else:
        click.echo(found.text)
    if not found.is_whole:
        message = f"'{folder}' is not what the run wrote; run the study again."
        raise GeosoilError(message)


@click.command()
@click.argument("record", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the new results; without it the old one's name with _rerun.",
)
@BASE_OPTION
@OUTSIDE_OPTION
@JSON_OPTION
@click.pass_context
def rerun(
    ctx: click.Context,
    record: Path,
    output: Path | None,
    base: Path | None,
    outside: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Run a study again from RECORD, its provenance.json, and compare the files.

    The inputs must be those of the record. Exit code 0: every raster came out byte by
    byte the same; 1: some did not.
    """
    from geosoil.workflow.rerun import rerun as rerun_study

    with (
        warnings.catch_warnings(record=as_json) as caught,
        going_on(f"geosoil rerun {record}"),
        progress_shown(ctx.find_root()) as report,
    ):
        found = rerun_study(
            record, output=output, base=base, outside=outside, progress=report
        )
    if as_json:
        echo_json("rerun", [found.plain()], geosoil_warnings(caught))
    else:
        click.echo(found.text)
    if found.rasters_differ:
        message = f"{len(found.rasters_differ)} rasters are not those of the record."
        raise GeosoilError(message)
