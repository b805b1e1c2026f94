"""Commands that make, set up and run a study."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from geosoil.cli.main import echo_json, progress_printer
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

    report = progress_printer(ctx.find_root())
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
@JSON_OPTION
@click.pass_context
def run(ctx: click.Context, config: Path, output: Path | None, as_json: bool) -> None:
    """Run the study of CONFIG (default geosoil.toml)."""
    _run_and_print(ctx, config, output, as_json)


def _run_and_print(
    ctx: click.Context, config: Path, output: Path | None, as_json: bool
) -> None:
    """Run a study and print what was found."""
    from geosoil.workflow.run import run as run_study

    report = progress_printer(ctx.find_root())
    with warnings.catch_warnings(record=as_json) as caught:
        result = run_study(config, output=output, progress=report)
    if as_json:
        words = [str(w.message) for w in caught or () if w.category is GeosoilWarning]
        echo_json(str(ctx.info_name), [result.summary], words)
    else:
        click.echo(result.text)
