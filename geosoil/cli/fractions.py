"""The command on source fractions."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosoil.cli.main import echo_json, progress_printer
from geosoil.errors import GeosoilWarning, InputError

if TYPE_CHECKING:
    from geosoil.workflow.fraction_request import FractionRequest


def _names(
    ctx: click.Context, parameter: click.Parameter, words: str
) -> tuple[str, ...]:
    """Split names at commas."""
    del ctx, parameter
    return tuple(name.strip() for name in words.split(",") if name.strip())


@click.command()
@click.argument("samples", type=click.Path(path_type=Path), metavar="SAMPLES")
@click.option(
    "--mixture", default="soil", show_default=True, help="Water to be explained."
)
@click.option(
    "--sources",
    default="precipitation,ground_ice,snowmelt",
    show_default=True,
    callback=_names,
    help="Waters that mix.",
)
@click.option(
    "--tracers",
    default="d18O,d2H",
    show_default=True,
    callback=_names,
    help="Tracers that mix: d18O, d2H, d_excess or any columns of numbers.",
)
@click.option(
    "--evaporation",
    type=click.Choice(["none", "project", "model"]),
    default="none",
    show_default=True,
    help="none: mixtures as sampled. project: each led back to the meteoric line "
    "first. model: shares and evaporation solved together.",
)
@click.option(
    "--method",
    type=click.Choice(["exact", "gls", "bayes"]),
    default="gls",
    show_default=True,
    help="exact: sources = tracers + 1. gls: weights by the whole covariance. bayes: "
    "posterior, refused where it does not converge.",
)
@click.option(
    "--by",
    default="period",
    show_default=True,
    callback=_names,
    help="Columns that are crossed to make groups; '' for one group.",
)
@click.option(
    "--end-members",
    type=click.Path(path_type=Path),
    help="Table of means of the sources; without it they are the means of samples.",
)
@click.option(
    "--zero-rules",
    type=click.Path(path_type=Path),
    help="TOML of [[rule]]: source, period, below or above [m], or neither.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Settings: columns, strata, sources of each period, climate, [[end_member]].",
)
@click.option("--temperature", type=float, help="Evaporating surface [degC].")
@click.option("--humidity", type=float, help="Relative humidity at the surface, 0-1.")
@click.option(
    "--remaining",
    type=float,
    nargs=2,
    default=(0.80, 0.98),
    show_default=True,
    help="Limits of the share of water that evaporation left: an assumption.",
)
@click.option(
    "--policy",
    type=click.Choice(["keep", "exclude", "reassign"]),
    default="keep",
    show_default=True,
    help="What becomes of mixtures outside the mixing space.",
)
@click.option("--draws", default=4000, show_default=True, help="Number of draws.")
@click.option("--seed", default=2020, show_default=True, help="Seed of the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print machine-readable results.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder: CSV and figures."
)
@click.pass_context
def fractions(
    ctx: click.Context,
    /,
    samples: Path,
    as_json: bool,
    output: Path | None,
    **options: Any,  # noqa: ANN401  the options of the request, by name
) -> None:
    """Solve how much of each source the waters in SAMPLES hold.

    Prints the shares of each group with their intervals, how many samples lie outside
    the mixing space and what was assumed. Works for any waters and tracers.
    """
    from geosoil.workflow.fraction_report import fractions_of_table

    request = _request(samples, options)
    report = progress_printer(ctx.find_root())
    with warnings.catch_warnings(record=as_json) as caught:
        answer = fractions_of_table(request, output=output, progress=report)
    if as_json:
        words = [str(w.message) for w in caught or () if w.category is GeosoilWarning]
        echo_json("fractions", answer.results, [*words, *answer.tables.notes])
    else:
        click.echo(answer.text)


def _request(samples: Path, options: dict[str, Any]) -> FractionRequest:
    """Make the request; temperature and humidity go together."""
    from geosoil.tracers.fractionation import EvaporationClimate
    from geosoil.workflow.fraction_request import FractionRequest

    given = dict(options)
    weather = (given.pop("temperature"), given.pop("humidity"))
    if (weather[0] is None) != (weather[1] is None):
        message = "Evaporation needs both --temperature and --humidity."
        raise InputError(message)
    climate = None if weather[0] is None else EvaporationClimate(*weather)
    draws = given.pop("draws")
    return FractionRequest(samples=samples, climate=climate, n_draws=draws, **given)
