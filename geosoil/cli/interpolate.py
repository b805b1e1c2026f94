"""The command on interpolation of points."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from geosoil.cli.main import echo_json, progress_printer
from geosoil.errors import GeosoilWarning


@click.command()
@click.argument("points", metavar="POINTS")
@click.option(
    "--column",
    "columns",
    multiple=True,
    required=True,
    metavar="[NAME=]COLUMN",
    help="Column of values, and what the result is called. Repeat for a composition.",
)
@click.option(
    "--method",
    type=click.Choice(
        ["auto", "idw", "ok", "ked", "sk", "uk", "nearest", "linear", "tps", "ilr"]
    ),
    default="auto",
    show_default=True,
    help="auto compares the mean, idw, ok and, with --drift, ked in cross-validation "
    "and takes the best; ilr kriges the log-ratios of a composition.",
)
@click.option(
    "--drift",
    "drifts",
    multiple=True,
    metavar="[NAME=]RASTER",
    help="GeoTIFF that the values follow, as elevation=dem.tif. Repeatable.",
)
@click.option(
    "--composition", is_flag=True, help="The columns are parts that sum to 1."
)
@click.option(
    "--zero-rules", metavar="FILE", help="TOML: where and when a source is 0."
)
@click.option(
    "--delta",
    type=float,
    metavar="SHARE",
    help="What stands for a zero of rounding in log-ratios, as 0.01.",
)
@click.option(
    "--elevation", metavar="DEM", help="Elevation for --zero-rules and for support."
)
@click.option("--period", metavar="NAME", help="Rows of this period alone.")
@click.option(
    "--where", multiple=True, metavar="COLUMN=VALUE", help="Such rows. Repeatable."
)
@click.option("--layer", metavar="NAME", help="Layer of a file with several.")
@click.option("--crs", help="System of columns x and y, for instance EPSG:32646.")
@click.option(
    "--grid",
    metavar="0.05|1km|RASTER",
    help="Side of a cell in degrees or with a unit, or a GeoTIFF whose grid is taken; "
    "about 20,000 cells without.",
)
@click.option(
    "--bbox", nargs=4, type=float, metavar="W S E N", help="Bounds in degrees."
)
@click.option("--region", metavar="FILE", help="Polygons outside of which it is empty.")
@click.option(
    "--variogram",
    default="spherical",
    show_default=True,
    metavar="MODEL",
    help="Model that is fitted, auto for the best of four, or "
    "MODEL:NUGGET,PARTIAL_SILL,RANGE in metres.",
)
@click.option("--n-neighbors", type=int, help="Nearest data of a cell; all without.")
@click.option("--max-distance", metavar="50km", help="Farthest data of a cell.")
@click.option("--power", default=2.0, show_default=True, help="Exponent of idw.")
@click.option("--mean", type=float, help="Known mean of sk; the samples' without.")
@click.option("--block", metavar="SIDE", help="Krige means of blocks: 1km, or cell.")
@click.option(
    "--variance-column",
    "variance_columns",
    multiple=True,
    metavar="COLUMN",
    help="Variance of each measurement; one for each --column.",
)
@click.option(
    "--sd-column",
    "sd_columns",
    multiple=True,
    metavar="COLUMN",
    help="Its standard deviation instead.",
)
@click.option(
    "--cv",
    type=click.Choice(["none", "loo", "block", "site", "kfold"]),
    default="block",
    show_default=True,
    help="What cross-validation leaves out together.",
)
@click.option("--site-column", metavar="COLUMN", help="Labels for --cv site.")
@click.option("--quantiles", is_flag=True, help="Map the 5, 50 and 95 % quantiles.")
@click.option(
    "--simulations",
    default=0,
    metavar="N",
    help="Realisations of conditional simulation; quantiles come from them.",
)
@click.option("--threshold", type=float, help="Map the chance of passing it.")
@click.option("--seed", default=2020, show_default=True, help="Of folds, simulations.")
@click.option(
    "--mask/--hatch",
    default=False,
    help="Leave cells that the samples do not support empty, or hatch them (default).",
)
@click.option(
    "--support-distance",
    metavar="50km",
    help="Distance to data beyond which a cell is not supported; --max-distance "
    "without.",
)
@click.option(
    "--memory-limit", default="4GiB", show_default=True, help="Most memory of the work."
)
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
def interpolate(
    ctx: click.Context,
    /,
    points: str,
    output: Path,
    as_json: bool,
    **options: Any,  # noqa: ANN401  the options of the request, by name
) -> None:
    """Interpolate values at points to a map with its uncertainty.

    POINTS is a table (CSV, workbook, Parquet) with longitude and latitude, or x and y
    and --crs, or a layer of points (GeoPackage, GeoJSON, Shapefile).
    """
    from geosoil.workflow.interpolate import interpolate_points
    from geosoil.workflow.interpolate_request import InterpolateRequest

    request = InterpolateRequest(points, **options)
    progress = progress_printer(ctx.find_root())
    with warnings.catch_warnings(record=as_json) as caught:
        answer = interpolate_points(request, output, progress=progress)
    if as_json:
        words = [str(w.message) for w in caught or () if w.category is GeosoilWarning]
        echo_json("interpolate", answer.results, words)
    else:
        click.echo(answer.text)
