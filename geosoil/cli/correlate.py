"""The command on correlations of rasters."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import click

from geosoil.cli.main import echo_json, progress_printer
from geosoil.errors import GeosoilWarning, InputError


def _months(
    ctx: click.Context, parameter: click.Parameter, words: str | None
) -> tuple[int, ...]:
    """Read numbers of months, split at commas."""
    del ctx, parameter
    return _numbers(words or "", "--months", "6,8,9")


def _lags(
    ctx: click.Context, parameter: click.Parameter, words: str
) -> tuple[int, ...]:
    """Read a lag, several split at commas, or a range such as 0..6."""
    del ctx, parameter
    match = re.fullmatch(r"\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*", words)
    if match is None:
        return _numbers(words, "--lag", "0..6")
    first, last = int(match[1]), int(match[2])
    if first > last:
        message = f"--lag {words}: the first lag is the smaller one, as in 0..6."
        raise InputError(message)
    return tuple(range(first, last + 1))


def _numbers(words: str, option: str, example: str) -> tuple[int, ...]:
    """Read whole numbers split at commas."""
    try:
        return tuple(int(word) for word in words.split(",") if word.strip())
    except ValueError:
        message = f"{option} {words}: give whole numbers, for instance {example}."
        raise InputError(message) from None


@click.command()
@click.argument("x", metavar="X")
@click.argument("y", metavar="Y")
@click.option(
    "--method",
    type=click.Choice(["pearson", "spearman", "kendall", "partial"]),
    default="pearson",
    show_default=True,
    help="Kind of correlation; partial is Pearson's with --control held fixed.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    metavar="Z",
    help="Series held fixed. Repeatable.",
)
@click.option(
    "--window", type=int, help="Over space, in a moving window of so many cells (odd)."
)
@click.option(
    "--gw",
    "weighted",
    metavar="WIDTH",
    help="Over space, geographically weighted: so many nearest cells, or 50km.",
)
@click.option(
    "--rain-response",
    "rain",
    is_flag=True,
    help="X daily soil moisture, Y daily rain: % a mm, % a dry day, trend a decade.",
)
@click.option(
    "--lag",
    "lags",
    default="0",
    show_default=True,
    callback=_lags,
    metavar="STEPS",
    help="Steps by which Y follows X; of 0..6 the best one is mapped.",
)
@click.option("--detrend", is_flag=True, help="Take the line over time out of both.")
@click.option(
    "--deseason", is_flag=True, help="Take the mean of each calendar month out of both."
)
@click.option(
    "--months",
    callback=_months,
    metavar="6,8,9",
    help="Each of these months by itself, over the years.",
)
@click.option(
    "--time", nargs=2, metavar="FIRST LAST", help="Range of dates, as 2001-06 2020-09."
)
@click.option(
    "--bbox", nargs=4, type=float, metavar="W S E N", help="Bounds in degrees."
)
@click.option(
    "--align",
    type=click.Choice(["coarser", "first", "second", "same"]),
    default="coarser",
    show_default=True,
    help="Grid of the answer; same refuses grids that differ.",
)
@click.option(
    "--fdr", default=0.1, show_default=True, help="False discovery rate of the map."
)
@click.option(
    "--min-pairs", default=4, show_default=True, help="Fewest pairs of an answer."
)
@click.option(
    "--p-from",
    type=click.Choice(["n", "n_effective", "exact"]),
    default="n",
    show_default=True,
    help="Pairs that p counts: all, or those left by autocorrelation.",
)
@click.option("--theil-sen", is_flag=True, help="Map the median slope too.")
@click.option(
    "--bootstrap",
    default=0,
    metavar="DRAWS",
    help="Interval of r by a bootstrap instead of Fisher's.",
)
@click.option("--seed", default=2020, show_default=True, help="Seed of the bootstrap.")
@click.option("--scheduler", metavar="URL", help="Dask cluster, tcp://host:port.")
@click.option("--json", "as_json", is_flag=True, help="Print machine-readable results.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the results.",
)
@click.pass_context
def correlate(
    ctx: click.Context,
    /,
    x: str,
    y: str,
    output: Path,
    as_json: bool,
    **options: Any,  # noqa: ANN401  the options of the request, by name
) -> None:
    """Correlate two series of rasters, cell by cell.

    X and Y are file.nc:variable (also GRIB and Zarr), a GeoTIFF with a band a date, a
    pattern of dated GeoTIFFs or "MOD13C2*.hdf:ndvi"; quote patterns. Without --window
    or --gw the correlation is over time.
    """
    from geosoil.workflow.correlate import correlate_files
    from geosoil.workflow.correlate_request import CorrelateRequest

    request = CorrelateRequest(x, y, **options)
    progress = progress_printer(ctx.find_root())
    with warnings.catch_warnings(record=as_json) as caught:
        answer = correlate_files(request, output, progress=progress)
    if as_json:
        words = [str(w.message) for w in caught or () if w.category is GeosoilWarning]
        echo_json("correlate", answer.results, words)
    else:
        click.echo(answer.text)
