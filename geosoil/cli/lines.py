"""The command on water lines."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from geosoil.cli.main import echo_json, progress_printer
from geosoil.errors import GeosoilWarning, InputError

METHODS = ("ols", "rma", "ma", "pwlsr", "pwrma", "pwma", "york", "theil_sen")


@click.command()
@click.argument("samples", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--water", default="soil", show_default=True, help="Water of the groups.")
@click.option(
    "--by",
    default="period",
    show_default=True,
    help="Columns that are crossed to make groups: period, vegetation, aspect, "
    "exposure, elevation_band, soil_layer or any other; '' for one group.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="Fit; pw... weights the meteoric line by amount, groups take the plain one. "
    "Default: the preset's, else ols.",
)
@click.option(
    "--preset",
    type=click.Choice(["paper", "recommended"]),
    help="Methods that belong together: as the paper did it, or led back along the "
    "slope of evaporation with every error carried along.",
)
@click.option(
    "--lmwl-from",
    default="precipitation",
    show_default=True,
    help="Water the meteoric line is fitted to.",
)
@click.option("--temperature", type=float, help="Evaporating surface [degC].")
@click.option("--humidity", type=float, help="Relative humidity at the surface, 0-1.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Settings: columns and [strata]."
)
@click.option("--json", "as_json", is_flag=True, help="Print machine-readable results.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder: CSV and figures."
)
@click.pass_context
def lines(
    ctx: click.Context,
    samples: Path,
    water: str,
    by: str,
    method: str | None,
    preset: str | None,
    lmwl_from: str,
    temperature: float | None,
    humidity: float | None,
    config: Path | None,
    as_json: bool,
    output: Path | None,
) -> None:
    """Fit water lines to groups of the samples in FILE.

    Prints the local meteoric water line; slope, standard error, R2, n and the
    crossing with the meteoric line of each group; and whether the lines can be lines
    of evaporation under --temperature and --humidity (a wide range without them).
    """
    from geosoil.tracers.fractionation import EvaporationClimate
    from geosoil.workflow.lines import LineRequest, known_method, water_lines

    climate = None
    if temperature is not None and humidity is not None:
        climate = EvaporationClimate(temperature, humidity)
    elif temperature is not None or humidity is not None:
        message = "The artefact check needs both --temperature and --humidity."
        raise InputError(message)
    groups = tuple(name.strip() for name in by.split(",") if name.strip())
    request = LineRequest(
        water=water,
        by=groups,
        method=None if method is None else known_method(method),
        lmwl_from=lmwl_from,
        climate=climate,
        config=config,
        preset=preset,
    )
    report = progress_printer(ctx.find_root())
    with warnings.catch_warnings(record=as_json) as caught:
        result = water_lines(samples, request, output=output, progress=report)
    if as_json:
        words = [str(w.message) for w in caught or () if w.category is GeosoilWarning]
        echo_json("lines", result.results, words)
    else:
        click.echo(result.text)
