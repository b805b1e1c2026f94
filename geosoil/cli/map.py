"""The command on one figure of one raster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geosoil.cli.main import progress_printer


@click.command()
@click.argument("raster", metavar="RASTER")
@click.option(
    "--band",
    metavar="N|NAME",
    help="Number from 1, description or date of the band; needed where there are "
    "several.",
)
@click.option(
    "--style",
    metavar="NAME",
    help="Colours and scale: fraction, correlation, sd, ndvi, elevation, p_value, "
    "classes, difference, plain and the climate variables; guessed without.",
)
@click.option("--title", help="Title; the words of the file without, '' for none.")
@click.option(
    "--region", metavar="FILE", help="Polygons that frame the map and are outlined."
)
@click.option(
    "--limits", nargs=2, type=float, metavar="LOW HIGH", help="Ends of the scale."
)
@click.option(
    "--preset",
    type=click.Choice(["screen", "hess"]),
    default="screen",
    show_default=True,
    help="screen: 18 cm, 200 dpi; hess: 8.3 cm, 12 cm where wider than high, 300 dpi.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Figure: FIG.png or FIG.pdf.",
)
@click.pass_context
def map(
    ctx: click.Context,
    /,
    output: Path,
    **options: Any,  # noqa: ANN401  the options of the request, by name
) -> None:
    """Draw one figure of a raster: a GeoTIFF, or FILE.nc:VARIABLE.

    Classes (bytes, with the table RASTER.csv beside it or a colour table) get a legend,
    all else a colour bar.
    """
    from geosoil.workflow.map_raster import MapRequest, map_raster

    progress = progress_printer(ctx.find_root())
    answer = map_raster(MapRequest(**options), output, progress=progress)
    click.echo(answer.text)
