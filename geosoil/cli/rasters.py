"""Commands on rasters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosoil.cli.main import progress_printer

if TYPE_CHECKING:
    from geosoil.io.quality_bits import QualityRule


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
@click.option("--grid", type=float, help="Side of a target cell [unit of the CRS].")
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
    from geosoil.workflow.ndvi import NdviRequest, ndvi_to_geotiff

    rule = _rule(options)
    request = NdviRequest(
        quality=rule if quality == "custom" else quality, resolution=grid, **options
    )
    report = progress_printer(ctx.find_root())
    for path in ndvi_to_geotiff(list(files), output, request=request, progress=report):
        click.echo(path)


def _rule(options: dict[str, Any]) -> QualityRule:
    """Take the five options of a rule out of the options."""
    from geosoil.io.quality_bits import QualityRule

    return QualityRule(
        max_usefulness=options.pop("max_usefulness"),
        adjacent_clouds=not options.pop("no_adjacent_clouds"),
        mixed_clouds=not options.pop("no_mixed_clouds"),
        snow=not options.pop("no_snow"),
        shadow=not options.pop("no_shadow"),
    )
