"""Commands that make, set up and run a study."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from geosoil.cli.main import echo_json
from geosoil.cli.progress import progress_shown
from geosoil.errors import GeosoilWarning

JSON_OPTION = click.option(
    "--json", "as_json", is_flag=True, help="Print machine-readable results."
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default="trhr-demo")
@click.option("--seed", default=2020, show_default=True, help="Seed of the simulation.")
@JSON_OPTION
@click.pass_context
def demo(ctx: click.Context, folder: Path, seed: int, as_json: bool) -> None:
    """Make the built-in SIMULATED study in FOLDER and run it.

    Writes inputs and geosoil.toml to FOLDER (default trhr-demo) and results to
    FOLDER/maps. All samples, satellite and climate values in it are simulated.
    """
    from geosoil.simulate.study import build_study

    with progress_shown(ctx.find_root()) as report:
        config = build_study(folder, seed=seed, output="maps", progress=report)
    _run_and_print(ctx, config, None, as_json)


@click.command()
@click.argument("samples", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("geosoil.toml"),
    show_default=True,
    help="Settings file to write.",
)
def init(samples: Path, output: Path) -> None:
    """Guess columns, months and sources of SAMPLES and write a geosoil.toml."""
    from geosoil.workflow.init import describe, write_study

    guess = write_study(samples, output)
    click.echo(describe(guess))
    click.echo(f"Wrote {output}. Read it, then: geosoil run {output}")


@click.command()
@click.argument("config", type=click.Path(path_type=Path), default=Path("geosoil.toml"))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the results; the settings' own without it.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check the inputs and print what a run would read, write and need; write "
    "nothing.",
)
@JSON_OPTION
@click.pass_context
def run(
    ctx: click.Context,
    config: Path,
    output: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run the study of CONFIG (default geosoil.toml).

    A run that was interrupted goes on from what it had finished when the same command
    is given again, and gives the same files byte by byte.
    """
    if dry_run:
        _print_plan(config, output, as_json)
    else:
        _run_and_print(ctx, config, output, as_json)


def _print_plan(config: Path, output: Path | None, as_json: bool) -> None:
    """Print what a run would do."""
    from geosoil.workflow.plan import plan_run

    with warnings.catch_warnings(record=as_json) as caught:
        plan = plan_run(config, output=output)
    if as_json:
        echo_json("run", [plan.plain()], geosoil_warnings(caught))
    else:
        click.echo(plan.text)


def _run_and_print(
    ctx: click.Context, config: Path, output: Path | None, as_json: bool
) -> None:
    """Run a study and print what was found."""
    from geosoil.workflow.run import run as run_study

    with (
        warnings.catch_warnings(record=as_json) as caught,
        going_on(f"geosoil run {config}" + (f" -o {output}" if output else "")),
        progress_shown(ctx.find_root()) as report,
    ):
        result = run_study(config, output=output, progress=report)
    if as_json:
        name = str(ctx.info_name)
        echo_json(name, [result.summary], geosoil_warnings(caught))
    else:
        click.echo(result.text)


def geosoil_warnings(caught: list[warnings.WarningMessage] | None) -> list[str]:
    """Return the words of geosoil's own warnings.

    Parameters
    ----------
    caught : list of WarningMessage, optional
        Warnings that were recorded.

    Returns
    -------
    words : list of str
        Of each.
    """
    return [str(w.message) for w in caught or () if w.category is GeosoilWarning]


@contextmanager
def going_on(command: str) -> Iterator[None]:
    """Tell how to go on where the user interrupts a run.

    Parameters
    ----------
    command : str
        What starts the run again.

    Yields
    ------
    None
        While the run is under way.
    """
    try:
        yield
    except KeyboardInterrupt:
        click.echo(
            "What is finished is kept: the same command goes on from there.\n"
            f"  {command}",
            err=True,
        )
        raise
