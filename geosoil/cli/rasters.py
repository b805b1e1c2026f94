"""Commands on rasters."""

from __future__ import annotations

from pathlib import Path

import click

from geosoil.cli.main import progress_printer


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
    type=click.Choice(["good", "keep_snow", "all"]),
    default="good",
    show_default=True,
    help="Which pixels of a vegetation index are kept.",
)
@click.option("--grid", type=float, help="Side of a target cell [unit of the CRS].")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="GeoTIFF."
)
@click.pass_context
def ndvi(
    ctx: click.Context,
    files: tuple[Path, ...],
    layer: str,
    bbox: tuple[float, float, float, float] | None,
    quality: str,
    grid: float | None,
    output: Path,
) -> None:
    """Read a layer of MODIS FILES into one GeoTIFF, a band a date.

    Any layer can be named, as the file spells it, in short (ndvi, evi,
    pixel_reliability) or as GRID:LAYER.
    """
    from geosoil.workflow.ndvi import ndvi_to_geotiff

    path = ndvi_to_geotiff(
        list(files),
        output,
        layer=layer,
        bbox=bbox,
        quality=quality,
        resolution=grid,
        progress=progress_printer(ctx.find_root()),
    )
    click.echo(path)
