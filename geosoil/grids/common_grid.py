"""Two rasters on one grid, by a rule that is stated: as a rule on the coarser one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import xarray as xr

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.align import align
from geosoil.grids.common_ground import is_same_crs
from geosoil.grids.grid import SNAP, Grid, check_same_grid
from geosoil.grids.zones import cell_area

Rule = Literal["coarser", "first", "second", "same"]
RULES: tuple[Rule, ...] = get_args(Rule)

ALIKE = 0.01
"""Share by which the areas of cells may differ and still count as one size."""

LEAST_COVERAGE = 0.5
"""Share of a cell that finer cells with values must cover for a mean."""


@dataclass(frozen=True, slots=True, eq=False)
class CommonGrid:
    """Two rasters on one grid, and how they came there.

    Examples
    --------
    >>> grid = Grid.from_bounds((95, 33, 97, 34), 0.5, "EPSG:4326")
    >>> common_grid(grid.raster(np.eye(2, 4)), grid.raster(np.eye(2, 4))).words
    ()
    """

    first: xr.DataArray
    """First raster; ``attrs["support"]`` says what ground a value stands for."""
    second: xr.DataArray
    """Second raster."""
    grid: Grid
    """Grid of both."""
    words: tuple[str, ...]
    """What was done; nothing where both lay on one grid."""


def common_grid(
    x: xr.DataArray, y: xr.DataArray, *, rule: Rule = "coarser"
) -> CommonGrid:
    """Bring two rasters onto one grid.

    Parameters
    ----------
    x, y : DataArray with dims (y, x) or (time, y, x)
        Rasters of quantities with a CRS; NaN missing. Dask arrays that stay on their
        grid are not read.
    rule : {"coarser", "first", "second", "same"}
        The grid of the larger cells; that of x; that of y; or the same already.

    Returns
    -------
    common : CommonGrid
        Both on the grid.

    Raises
    ------
    MissingCRSError
        If a raster has no CRS.
    GridMismatchError
        If the rasters do not overlap, the rule is "same" and they differ, or it is
        "coarser" and cells of one size lie askew.
    InputError
        If the rule is unknown.

    Notes
    -----
    Finer cells are averaged by the exact area they share with a cell, which is missing
    where less than half of it is covered. On a finer grid a coarse cell would be
    counted once for each of the cells in it, and so would chance. With "first" and
    "second" a coarser raster gives each cell the value of the one that holds its
    centre, and the words say so.

    Examples
    --------
    >>> fine = Grid.from_bounds((95, 33, 97, 34), 0.5, "EPSG:4326")
    >>> coarse = Grid.from_bounds((95, 33, 97, 34), 1.0, "EPSG:4326")
    >>> ndvi = fine.raster([[0.1, 0.3, 0.5, 0.5], [0.1, 0.3, 0.5, 0.9]], name="ndvi")
    >>> rain = coarse.raster([[40.0, 60.0]], name="rain")
    >>> common = common_grid(ndvi, rain)
    >>> common.first.values.round(3).tolist(), common.first.attrs["support"]
    ([[0.2, 0.6]], 'cells of 0.5 degree averaged to 1 degree')
    """
    if rule not in RULES:
        message = f"Unknown rule '{rule}'. Known rules: {', '.join(RULES)}."
        raise InputError(message)
    grids = Grid.of(x), Grid.of(y)
    what = f"rasters '{x.name}' and '{y.name}'"
    if rule == "same":
        check_same_grid(*grids, what=what)
    if _is_same(*grids):
        return CommonGrid(_kept(x, grids[0]), _kept(y, grids[0]), grids[0], ())
    if rule == "coarser" and _on_one_lattice(*grids):
        return _cropped(x, y)
    target = _target(grids, rule, what)
    if rule == "coarser":
        target = _overlap(target, grids[1 if target is grids[0] else 0])
    placed = [
        _placed(one, grid, target) for one, grid in zip((x, y), grids, strict=True)
    ]
    words = tuple(
        f"{one.name}: {after.attrs['support']}"
        for one, after in zip((x, y), placed, strict=True)
        if after.attrs["support"] != _support(Grid.of(one))
    )
    return CommonGrid(placed[0], placed[1], target, words)


def _is_same(first: Grid, second: Grid) -> bool:
    """Return whether two grids are the same."""
    try:
        check_same_grid(first, second)
    except GridMismatchError:
        return False
    return True


def _on_one_lattice(first: Grid, second: Grid) -> bool:
    """Return whether the cells of one grid are cells of the other, further on."""
    if not is_same_crs(first, second):
        return False
    steps = np.array([first.transform.a, first.transform.e])
    others = np.array([second.transform.a, second.transform.e])
    origins = np.array(
        [
            second.transform.c - first.transform.c,
            second.transform.f - first.transform.f,
        ]
    )
    away = origins / steps
    return bool(
        (np.abs(steps - others) < SNAP * np.abs(steps) / max(first.shape)).all()
        and (np.abs(away - np.rint(away)) < SNAP).all()
    )


def _cropped(x: xr.DataArray, y: xr.DataArray) -> CommonGrid:
    """Cut both to the cells that they share."""
    first, second = Grid.of(x), Grid.of(y)
    target = _overlap(first, second)
    parts = [_placed(one, Grid.of(one), target) for one in (x, y)]
    words = (f"both cut to the cells that they share: {target}",)
    return CommonGrid(parts[0], parts[1], target, words)


def _target(grids: tuple[Grid, Grid], rule: Rule, what: str) -> Grid:
    """Return the grid that the rule names."""
    if rule != "coarser":
        return grids[0] if rule == "first" else grids[1]
    areas = [float(cell_area(grid).median()) for grid in grids]
    if abs(areas[0] / areas[1] - 1) < ALIKE:
        message = (
            f"The {what} have cells of one size that lie askew: ({grids[0]}) and "
            f"({grids[1]}). Name the grid of the answer: rule 'first' or 'second' "
            "(--align)."
        )
        raise GridMismatchError(message)
    return grids[0] if areas[0] > areas[1] else grids[1]


def _overlap(grid: Grid, other: Grid) -> Grid:
    """Return the part of a grid whose cells touch the bounds of another one."""
    if not is_same_crs(grid, other):
        return grid
    west, south, east, north = other.bounds
    step_x, step_y = grid.resolution
    left, top = grid.bounds[0], grid.bounds[3]
    columns = _touched(west - left, east - left, step_x, grid.shape[1])
    rows = _touched(top - north, top - south, step_y, grid.shape[0])
    if columns[0] >= columns[1] or rows[0] >= rows[1]:
        message = (
            f"The rasters do not overlap: ({grid}) and ({other}). Give rasters of the "
            "same ground."
        )
        raise GridMismatchError(message)
    shape = rows[1] - rows[0], columns[1] - columns[0]
    return grid.part(rows[0], columns[0], shape)


def _touched(low: float, high: float, step: float, size: int) -> tuple[int, int]:
    """Return the first cell that an interval touches, and the one after the last."""
    first = int(np.floor(low / step + SNAP))
    last = int(np.ceil(high / step - SNAP))
    return max(first, 0), min(last, size)


def _kept(raster: xr.DataArray, grid: Grid) -> xr.DataArray:
    """Return a raster with its support, and the very coordinates of the grid.

    Coordinates that differ in their last digit would part the rasters again.
    """
    placed = grid.georeference(raster.transpose(..., "y", "x"))
    return placed.assign_attrs({**raster.attrs, "support": _support(grid)})


def _placed(raster: xr.DataArray, own: Grid, target: Grid) -> xr.DataArray:
    """Bring a raster onto the target, and say what a value then stands for."""
    if _is_same(own, target):
        return _kept(raster, target)
    if _on_one_lattice(own, target):
        cut = align(raster, target, method="nearest")
        return cut.assign_attrs(support=_support(own))
    share = float(cell_area(own).median()) / float(cell_area(target).median())
    finer = share < 1 - ALIKE
    if finer:
        placed = align(
            raster, target, method="area_average", min_coverage=LEAST_COVERAGE
        )
        words = f"{_support(own).replace('cell', 'cells')} averaged to {_size(target)}"
    else:
        placed = align(raster, target, method="nearest")
        words = f"{_support(own)} that holds the centre of a cell of {_size(target)}"
    return placed.assign_attrs(support=words)


def _support(grid: Grid) -> str:
    """Say what ground a value stands for."""
    return f"cell of {_size(grid)}"


def _size(grid: Grid) -> str:
    """Say how large a cell is."""
    unit = "degree" if grid.crs.is_geographic else grid.crs.axis_info[0].unit_name
    step_x, step_y = grid.resolution
    size = (
        f"{step_x:.6g}"
        if abs(step_x / step_y - 1) < SNAP
        else (f"{step_x:.6g} x {step_y:.6g}")
    )
    return f"{size} {unit}"
