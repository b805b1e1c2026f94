"""Commands on rasters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geosoil.cli.main import echo_json, progress_printer
from geosoil.errors import InputError


@click.command()
@click.argument(
    "files", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="FILE..."
)
@click.option("--layer", default="ndvi", show_default=True, help="Layer by name.")
@click.option(
    "--bbox",
    nargs=4,
    type=float,
    metavar="W S E N",
    help="Bounds in degrees; every touched cell is kept.",
)
@click.option(
    "--quality",
    type=click.Choice(["good", "keep_snow", "all", "custom"]),
    default="good",
    show_default=True,
    help="Which pixels of a vegetation index are kept; custom takes the five below.",
)
@click.option("--max-usefulness", type=int, default=15, help="Highest kept, 0-15.")
@click.option("--no-adjacent-clouds", is_flag=True, help="Drop cells beside clouds.")
@click.option("--no-mixed-clouds", is_flag=True, help="Drop cells of mixed clouds.")
@click.option("--no-snow", is_flag=True, help="Drop cells of possible snow or ice.")
@click.option("--no-shadow", is_flag=True, help="Drop cells of possible shadow.")
@click.option(
    "--month",
    "months",
    multiple=True,
    metavar="YYYY-MM",
    help="Average composites over this month; a second file has the share of its days "
    "that is covered. Repeatable.",
)
@click.option("--grid", type=float, help="Side of a target cell [unit of its CRS].")
@click.option(
    "--to-crs", "crs", help="System of the target, for instance EPSG:4326 for tiles."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="GeoTIFF."
)
@click.pass_context
def ndvi(
    ctx: click.Context,
    /,
    files: tuple[Path, ...],
    output: Path,
    grid: float | None,
    quality: str,
    **options: Any,  # noqa: ANN401  the options of the request, by name
) -> None:
    """Read a layer of MODIS FILES into one GeoTIFF, a band a date or month.

    Any layer can be named, as the file spells it, in short (ndvi, evi,
    pixel_reliability) or as GRID:LAYER.
    """
    from geosoil.workflow.ndvi import NdviRequest, custom_quality, ndvi_to_geotiff

    dropped = {
        name: options.pop(f"no_{name}")
        for name in ("adjacent_clouds", "mixed_clouds", "snow", "shadow")
    }
    rule = custom_quality(
        options.pop("max_usefulness"),
        dropped=[k for k, drop in dropped.items() if drop],
    )
    request = NdviRequest(
        quality=rule if quality == "custom" else quality, resolution=grid, **options
    )
    report = progress_printer(ctx.find_root())
    for path in ndvi_to_geotiff(list(files), output, request=request, progress=report):
        click.echo(path)


def _pairs(
    ctx: click.Context, parameter: click.Parameter, words: tuple[str, ...]
) -> dict[str, str]:
    """Split the words NAME=VALUE."""
    pairs: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name or not value:
            message = f"'{word}' is no NAME=VALUE, for instance 'ndvi=ndvi_june.tif'."
            raise click.BadParameter(message, ctx, parameter)
        if name in pairs:
            message = f"'{name}' is given twice."
            raise click.BadParameter(message, ctx, parameter)
        pairs[name] = value
    return pairs


@click.command()
@click.argument("samples", type=click.Path(path_type=Path), metavar="SAMPLES")
@click.option(
    "--raster",
    "rasters",
    multiple=True,
    callback=_pairs,
    metavar="NAME=PATH",
    help="Column and GeoTIFF, climate NetCDF, or pattern of MODIS files. Repeatable.",
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    callback=_pairs,
    metavar="NAME=PATH:COLUMN",
    help="Column, vector file of polygons and its column. Repeatable.",
)
@click.option(
    "--classes",
    multiple=True,
    callback=_pairs,
    metavar="NAME=TABLE",
    help="Class table (code, label) of a raster. Repeatable.",
)
@click.option(
    "--method",
    type=click.Choice(["nearest", "bilinear", "mean_touching", "footprint"]),
    default="nearest",
    show_default=True,
    help="How quantities are read: the cell that holds the point, between cells, the "
    "mean of the cells that it touches, or of a square.",
)
@click.option("--footprint", default=3, show_default=True, help="Side of the square.")
@click.option(
    "--columns", multiple=True, callback=_pairs, metavar="OWN=NAME", help="Repeatable."
)
@click.option("--crs", help="System of columns x and y, for instance EPSG:32646.")
@click.option("--json", "as_json", is_flag=True, help="Print machine-readable results.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="GeoPackage or CSV.",
)
@click.pass_context
def join(
    ctx: click.Context,
    /,
    samples: Path,
    output: Path,
    as_json: bool,
    classes: dict[str, str],
    **options: Any,  # noqa: ANN401  the options of the request, by name
) -> None:
    """Give every sample the value of rasters and layers at its place and date.

    One row a sample, none is lost: what has no value has its reason. Fields over time
    are read at the date of each sample.
    """
    from geosoil.workflow.join_table import JoinRequest, join_table

    tables = {name: Path(path) for name, path in classes.items()}
    request = JoinRequest(samples, classes=tables, **options)
    report = join_table(request, output, progress=progress_printer(ctx.find_root()))
    if as_json:
        echo_json("join", report.results, [])
    else:
        click.echo(report.text)


@click.command()
@click.argument("config", type=click.Path(path_type=Path), default="geosoil.toml")
@click.option("--json", "as_json", is_flag=True, help="Print machine-readable results.")
@click.pass_context
def layers(ctx: click.Context, config: Path, as_json: bool) -> None:
    """Describe every raster and layer that CONFIG names; compute nothing.

    Exits 1 where one cannot be used.
    """
    from geosoil.workflow.layer_table import layer_table

    report = layer_table(config, progress=progress_printer(ctx.find_root()))
    if as_json:
        echo_json("layers", report.results, [])
    else:
        click.echo(report.text)
    if report.faults:
        message = (
            f"{len(report.faults)} layers cannot be used; each fault stands above."
        )
        raise InputError(message)
