"""Figures of correlation: variables by months, or one result beside its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cartopy.crs as ccrs
import numpy as np
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.arrangement import Arranged, arranged
from geosoil.plotting.correlation_captions import (
    correlation_caption,
    discovery_rate,
    in_words,
    panel_remark,
    significant_cells,
)
from geosoil.plotting.furniture import draw_graticule
from geosoil.plotting.hatching import hatch_cells, hatch_handle
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    draw_raster,
    map_frame,
    overlay_handles,
)
from geosoil.plotting.maps import furnish
from geosoil.plotting.panel_table import (
    PanelTable,
    draw_panel_table,
    draw_table_bar,
    draw_table_legend,
    with_legend,
)
from geosoil.plotting.panels import outer_panels
from geosoil.plotting.projection import (
    Extent,
    finite_points,
    lonlat_bounds,
    map_extent,
    plain_raster,
    projection_for,
)
from geosoil.plotting.scales import KINDS, MapKind, colour_limits, colour_map
from geosoil.plotting.style import SCREEN, FigurePreset, house_style

MOST_COLUMNS = 4
"""Months beyond which the maps of one variable are broken into rows."""

FEWEST_DOWN = 2
"""Variables whose months stand one below the other on a narrow page."""

WIDEST, TALLEST = 4.0, 0.75
"""Bounds of width by height of a panel; a narrower ground gets room around it."""

WORLD = 120.0
"""Degrees of longitude or latitude beyond which a map shows degrees as they are, and
no scale bar, since one would be true nowhere else."""

_COMPANIONS = {
    "lag": MapKind("vik", "lag of y behind x [steps]", centre=0.0),
    "bandwidth": MapKind("batlow", "width of the weights [m]"),
    "n": MapKind("batlow", "number of pairs n [1]"),
    "q_value": MapKind("batlow", "q value, false discovery rate [1]", (0.0, 0.5)),
    "p_value": MapKind("batlow", "p value [1]", (0.0, 0.5)),
}
"""What may stand beside r, the most telling first."""


_WHOLE = ("lag", "n")
"""Of these only whole numbers are written at the colour bar."""


def figure_correlation_maps(
    panels: Mapping[tuple[str, str], xr.Dataset],
    *,
    overlays: Overlays | None = None,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose maps of correlation: a row a variable, a column a month, one scale.

    Parameters
    ----------
    panels : mapping of (variable, month) to Dataset
        Each with ``r`` (dims y, x; its CRS set), and where known ``n``,
        ``significant`` or ``q_value``, and the attributes that the caption tells
        (:func:`geosoil.plotting.correlation_captions.correlation_caption`). A pair
        that is missing leaves an empty panel.
    overlays : Overlays, optional
        Region, basins, rivers and lakes.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is made. On the narrow page of a journal the months of one
        or two variables stand one below the other.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure in an equal-area projection. Colours go from -1 to 1 about 0. Cells
        that are not significant are hatched; maps over space are not.

    Raises
    ------
    InputError
        If there is no panel, one has no ``r``, or nothing has a value.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> june = xr.Dataset({"r": grid.raster(np.full(grid.shape, 0.4))})
    >>> figure = figure_correlation_maps(
    ...     {("ndvi", "June"): june}, title="Soil moisture and NDVI"
    ... )
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['June', '']
    """
    _check_panels(panels)
    overlays = overlays or Overlays()
    names = list(dict.fromkeys(name for name, _ in panels))
    months = list(dict.fromkeys(month for _, month in panels))
    down = not preset.titled and len(names) <= FEWEST_DOWN < len(months)
    keys = [(name, month) for name in names for month in months]
    if down:
        keys = [(name, month) for month in months for name in names]
    results = [panels.get(key) for key in keys]
    handles = _handles(overlays, results)
    table = PanelTable(
        remarks=tuple(_remark(result, preset) for result in results),
        title=title,
        caption=correlation_caption(panels),
        note=note,
        letters=True,
        preset=preset,
        **_arranged(names, months, down=down),
    )
    table = with_legend(table, handles)
    planes = [None if result is None else _plane(result, "r") for result in results]
    with house_style():
        figure, axes = _open(planes, overlays, table)
        for panel, plane, result in zip(axes, planes, results, strict=True):
            _draw(panel, plane, KINDS["correlation"], (-1.0, 1.0))
            _hatch(panel, result)
            draw_overlays(panel, overlays)
        draw_table_bar(
            figure, table=table, kind=KINDS["correlation"], limits=(-1.0, 1.0)
        )
        draw_table_legend(figure, handles, table=table)
    return figure


def figure_correlation(
    result: xr.Dataset,
    *,
    overlays: Overlays | None = None,
    title: str = "",
    note: str | None = None,
) -> Figure:
    """Compose a map of one correlation beside a map of what it rests on.

    Parameters
    ----------
    result : Dataset
        ``r`` (dims y, x; its CRS set), and where known ``lag``, ``bandwidth``, ``n``,
        ``q_value``, ``p_value`` or ``significant``, with the attributes that the
        caption tells.
    overlays : Overlays, optional
        Region, basins, rivers and lakes.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom.

    Returns
    -------
    figure : matplotlib.figure.Figure
        r, hatched as in :func:`figure_correlation_maps`; beside it the first of lag,
        bandwidth, n, q and p that differs between cells, or nothing.

    Raises
    ------
    InputError
        If there is no ``r``, or no cell has a value.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 300, 200), 10, "EPSG:32647")
    >>> r = grid.raster(np.linspace(-1, 1, 600).reshape(20, 30))
    >>> n = grid.raster(np.arange(600).reshape(20, 30) % 5 + 10)
    >>> figure = figure_correlation(xr.Dataset({"r": r, "n": n}), title="A field")
    >>> [axes.get_xlabel() for axes in figure.axes[2:]]
    ['correlation coefficient r [1]', 'number of pairs n [1]']
    """
    _check_panels({("the result", ""): result})
    overlays = overlays or Overlays()
    handles = _handles(overlays, [result])
    beside = _companion(result)
    shown = [("r", KINDS["correlation"])]
    shown += [(beside, _COMPANIONS[beside])] if beside else []
    table = PanelTable(
        tuple(kind.label.rpartition(" [")[0] for _, kind in shown),
        columns=len(shown),
        remarks=(panel_remark(result),),
        title=title,
        caption=correlation_caption({("x", ""): result}),
        note=note,
    )
    table = with_legend(table, handles)
    r = _plane(result, "r")
    planes = [_plane(result, name).where(r.notnull()) for name, _ in shown]
    with house_style():
        figure, axes = _open(planes, overlays, table)
        for panel, plane, (name, kind) in zip(axes, planes, shown, strict=True):
            limits = colour_limits([plane.to_numpy()], kind)
            beyond = bool((plane < limits[0]).any()), bool((plane > limits[1]).any())
            _draw(panel, plane, kind, limits)
            draw_overlays(panel, overlays)
            draw_table_bar(
                figure, table=table, kind=kind, limits=limits, beyond=beyond,
                under=[panel],
            )  # fmt: skip
            if name != "r":
                ticks = MaxNLocator(6, integer=name in _WHOLE)
                figure.axes[-1].xaxis.set_major_locator(ticks)
        _hatch(axes[0], result)
        draw_table_legend(figure, handles, table=table)
    return figure


def _remark(result: xr.Dataset | None, preset: FigurePreset) -> str:
    """Return the small words above a panel; on a narrow page without "region"."""
    words = "not computed" if result is None else panel_remark(result)
    return words if preset.titled else words.removeprefix("region: ")


def _arranged(names: list[str], months: list[str], *, down: bool) -> Arranged:
    """Say how variables and months stand in the table of panels."""
    words = [in_words(name) for name in names]
    if down:
        return arranged(words, months) if len(names) > 1 else arranged(months, [])
    found = arranged(months, words)
    if len(names) == 1 and len(months) > MOST_COLUMNS:
        return {**found, "columns": MOST_COLUMNS - 1, "rows": ()}
    return found


def _check_panels(panels: Mapping[tuple[str, str], xr.Dataset]) -> None:
    """Raise when there is no panel, or one has no r."""
    if not panels:
        message = "No correlation to map. Give one or more, by variable and month."
        raise InputError(message)
    bare = [key for key, result in panels.items() if "r" not in result]
    if bare:
        words = "; ".join(
            f"{' '.join(key).strip()} has {list(map(str, panels[key].data_vars))}"
            for key in bare
        )
        message = (
            f"No 'r' in the correlation to map: {words}. Give results of "
            "geosoil.correlate, geosoil.window_correlation or alike."
        )
        raise InputError(message)


def _plane(result: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable of a result as a map with the CRS of the result."""
    plane = plain_raster(result[name])
    if plane.rio.crs is None and result.rio.crs is not None:
        plane = plane.rio.write_crs(result.rio.crs)
    return plane


def _companion(result: xr.Dataset) -> str:
    """Return the variable that is shown beside r; "" for none."""
    answered = result["r"].notnull()
    for name in _COMPANIONS:
        if name in result and result[name].dims == result["r"].dims:
            values = np.asarray(result[name].where(answered), dtype=float)
            values = values[np.isfinite(values)]
            if values.size and values.min() < values.max():
                return name
    return ""


def _hatch(axes: Axes, result: xr.Dataset | None) -> None:
    """Hatch the cells that are not significant, where that is known."""
    significant = None if result is None else significant_cells(result)
    if result is not None and significant is not None:
        r = _plane(result, "r")
        weak = np.isfinite(r.to_numpy()) & ~plain_raster(significant).to_numpy()
        hatch_cells(axes, r.copy(data=weak))


def _handles(
    overlays: Overlays, results: Sequence[xr.Dataset | None]
) -> tuple[Artist, ...]:
    """Return the legend of layers and strokes."""
    handles = overlay_handles(overlays)
    tested = [r for r in results if r is not None and significant_cells(r) is not None]
    if tested:
        rates = dict.fromkeys(f"{discovery_rate(result):g}" for result in tested)
        rate = " or ".join(rates)
        handles.append(hatch_handle(f"not significant after FDR (q > {rate})"))
    return tuple(handles)


def _open(
    planes: Sequence[xr.DataArray | None], overlays: Overlays, table: PanelTable
) -> tuple[Figure, list[Axes]]:
    """Make the figure with graticules; of less than a world, with scale and north."""
    given = [plane for plane in planes if plane is not None]
    first = Grid.of(given[0])
    projection = _projection(lonlat_bounds(first.bounds, first.crs))
    points = finite_points(given, projection)
    extent = _shaped(map_extent(points, map_frame(overlays), projection))
    figure, axes = draw_panel_table(extent, projection, table=table)
    if isinstance(projection, ccrs.PlateCarree):
        for panel, (left, bottom) in zip(axes, outer_panels(axes), strict=True):
            draw_graticule(panel, left=left, bottom=bottom)
    else:
        furnish(axes, points)
    return figure, axes


def _projection(bounds: Extent) -> Any:  # noqa: ANN401  cartopy has no types
    """Return an equal-area projection, for much of the world plain degrees."""
    west, south, east, north = bounds
    if max(east - west, north - south) > WORLD:
        return ccrs.PlateCarree(central_longitude=(west + east) / 2.0)
    return projection_for(bounds)


def _shaped(extent: Extent) -> Extent:
    """Widen a frame that is much longer one way than the other."""
    left, right, bottom, top = extent
    width, height = right - left, top - bottom
    across = max(TALLEST * height - width, 0.0) / 2.0
    along = max(width / WIDEST - height, 0.0) / 2.0
    return left - across, right + across, bottom - along, top + along


def _draw(
    axes: Axes, plane: xr.DataArray | None, kind: MapKind, limits: tuple[float, float]
) -> None:
    """Draw a raster, where there is one."""
    if plane is not None:
        draw_raster(axes, plane, colours=colour_map(kind.palette), limits=limits)
