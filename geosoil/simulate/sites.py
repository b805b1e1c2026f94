"""Where the samples are taken: along valleys and tracks, dense in the east."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import minimum_filter

from geosoil.errors import InputError
from geosoil.simulate.landscape import VEGETATION_CODES, Landscape
from geosoil.strata import ELEVATION_EDGES, aspect_sector, classify

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_TRACKS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((91.9, 33.3), (92.43, 34.22), (93.6, 35.4)),
    ((92.43, 34.22), (95.6, 33.85), (97.2, 33.0)),
    ((95.28, 32.88), (96.5, 32.2), (97.2, 33.0)),
    ((97.2, 33.0), (97.2, 33.9), (98.22, 34.92), (99.9, 35.6)),
    ((98.22, 34.92), (99.65, 33.75), (100.25, 34.47), (101.5, 33.45)),
    ((100.25, 34.47), (100.6, 35.25), (101.5, 34.9)),
)
"""Invented tracks between the stations, as longitude and latitude of their bends."""

_VALLEY_CELLS = 21
"""Side of the window in which a cell's height above the valley is taken."""

_CELL_COLUMNS = ["longitude", "latitude", "elevation", "slope", "aspect_degrees"]


@dataclass(frozen=True, slots=True)
class Ground:
    """The cells in which a field party may work."""

    cells: pd.DataFrame
    """One row a cell: place, terrain, labels, above_valley [m], access (weight)."""
    strata: dict[tuple[str, str], IntArray]
    """Rows of the sloping cells of each (elevation band, aspect)."""
    size: tuple[float, float]
    """Width and height of a cell [degree]."""


def survey_ground(landscape: Landscape) -> Ground:
    """List the cells between 3000 and 5100 m inside the region.

    Parameters
    ----------
    landscape : Landscape
        Terrain, vegetation and region.

    Returns
    -------
    ground : Ground
        The cells with their labels and how easily a party gets there.

    Notes
    -----
    access = exp(-d/25 km) + 0.08 near tracks at distance d, times 0.04 west of 94 E
    rising to 1 at 98 E. With the valleys (see :func:`place_profiles`) this plants the
    bias that real sites have: low ground, near roads, in the east.

    Examples
    --------
    >>> import xarray as xr
    >>> places = {"y": [34.0, 33.99], "x": [98.0, 98.01]}
    >>> land = xr.DataArray([[3600.0, 3700.0], [3800.0, 5200.0]], places, ("y", "x"))
    >>> meadow = xr.full_like(land, 2, dtype="uint8")
    >>> landscape = Landscape(land, 0 * land + 5, 0 * land, meadow, land > 0)
    >>> ground = survey_ground(landscape)
    >>> ground.cells["elevation"].tolist()
    [3600.0, 3700.0, 3800.0]
    """
    elevation = landscape.elevation.to_numpy().astype(float)
    valley = minimum_filter(elevation, size=_VALLEY_CELLS, mode="nearest")
    inside = landscape.region.to_numpy() & (elevation >= ELEVATION_EDGES[0])
    rows, columns = np.nonzero(inside & (elevation < ELEVATION_EDGES[-1]))
    x, y = landscape.elevation["x"].to_numpy(), landscape.elevation["y"].to_numpy()
    slope = landscape.slope.to_numpy()[rows, columns].astype(float)
    degrees = landscape.aspect.to_numpy()[rows, columns].astype(float)
    codes = landscape.vegetation.to_numpy()[rows, columns]
    classes = np.array([VEGETATION_CODES[code] for code in sorted(VEGETATION_CODES)])
    cells = pd.DataFrame(
        {
            "longitude": x[columns],
            "latitude": y[rows],
            "elevation": elevation[rows, columns],
            "slope": slope,
            "aspect_degrees": degrees,
            "vegetation": classes.astype(object)[codes],
            "above_valley": (elevation - valley)[rows, columns],
            "access": _access(x[columns], y[rows]),
        }
    )
    labels = pd.DataFrame(
        {
            "band": classify(cells["elevation"].to_numpy(), ELEVATION_EDGES),
            "aspect": aspect_sector(degrees, slope),
        }
    )
    cells["aspect"] = labels["aspect"]
    strata = {
        (str(band), str(facing)): group.index.to_numpy()
        for (band, facing), group in labels.groupby(["band", "aspect"])
    }
    return Ground(cells, strata, (abs(float(x[1] - x[0])), abs(float(y[1] - y[0]))))


def _access(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """How easily a party gets to a place, 0 to about 1."""
    distance = np.full(longitude.shape, np.inf)
    scale = np.array([111.2 * np.cos(np.radians(34.0)), 111.2])
    points = np.stack([longitude, latitude], axis=1) * scale
    for track in _TRACKS:
        for start, end in pairwise(np.array(track) * scale):
            along = end - start
            part = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
            gap = points - start - part[:, None] * along
            distance = np.minimum(distance, np.hypot(gap[:, 0], gap[:, 1]))
    east = np.clip((longitude - 94.0) / 4.0, 0.0, 1.0)
    access: FloatArray = (np.exp(-distance / 25.0) + 0.08) * (0.04 + 0.96 * east)
    return access


def place_profiles(
    profiles: pd.DataFrame,
    ground: Ground,
    *,
    taken: frozenset[int],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Place soil profiles in cells whose band, aspect and vegetation they name.

    Parameters
    ----------
    profiles : DataFrame
        One row a profile: elevation_band, aspect, vegetation.
    ground : Ground
        The cells to choose from.
    taken : frozenset of int
        Rows of ``ground.cells`` that hold a profile already.
    rng : Generator
        Source of randomness.

    Returns
    -------
    placed : DataFrame
        The profiles with longitude, latitude, elevation, slope, aspect_degrees and
        cell (row of ``ground.cells``).

    Raises
    ------
    InputError
        If a band and aspect have fewer cells than profiles.

    Notes
    -----
    Cells are drawn without return with weights access x exp(-h/120 m), h the height
    above the valley. Band and aspect always agree with the terrain. Where the map
    shows too few cells of a vegetation class, the others of that band and aspect
    serve: the label is then what the party noted at the pit, not what a cell of 30
    arc seconds shows.

    Examples
    --------
    >>> import xarray as xr
    >>> places = {"y": [34.0, 33.99], "x": [98.0, 98.01]}
    >>> land = xr.DataArray([[3600.0, 3700.0], [3800.0, 5200.0]], places, ("y", "x"))
    >>> meadow = xr.full_like(land, 2, dtype="uint8")
    >>> landscape = Landscape(land, 0 * land + 5, 0 * land, meadow, land > 0)
    >>> ground = survey_ground(landscape)
    >>> profiles = pd.DataFrame({"elevation_band": ["3500-4000"], "aspect": ["N"],
    ...                          "vegetation": ["meadow"]})
    >>> rng = np.random.default_rng(1)
    >>> placed = place_profiles(profiles, ground, taken=frozenset(), rng=rng)
    >>> placed["elevation"].iloc[0] in (3600, 3700, 3800)
    True
    """
    weight = _weight(ground, valley_height=120.0)
    weight[list(taken)] = 0.0
    vegetation = ground.cells["vegetation"].to_numpy()
    chosen = np.empty(len(profiles), dtype=np.int64)
    for key, members in profiles.groupby(["elevation_band", "aspect", "vegetation"]):
        band, aspect, label = (str(part) for part in key)
        cells = ground.strata.get((band, aspect), np.empty(0, dtype=np.int64))
        match = cells[(vegetation[cells] == label) & (weight[cells] > 0.0)]
        rows = np.flatnonzero(profiles.index.isin(members.index))
        first = _draw(match, weight, min(len(match), len(rows)), rng=rng)
        weight[first] = 0.0
        others = cells[weight[cells] > 0.0]
        if others.size < len(rows) - first.size:
            message = (
                f"The landscape has {others.size + first.size} free cells at {band} m "
                f"on {aspect} slopes, but {len(rows)} profiles of {label} are to be "
                "placed there. Simulate another landscape (another seed)."
            )
            raise InputError(message)
        rest = _draw(others, weight, len(rows) - first.size, rng=rng)
        weight[rest] = 0.0
        chosen[rows] = np.concatenate([first, rest])
    return _at_cells(profiles, ground, chosen, rng=rng)


def place_waters(
    n: int,
    ground: Ground,
    *,
    between: tuple[float, float],
    valley_height: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Place sites of other waters within an elevation range.

    Parameters
    ----------
    n : int
        Number of sites.
    ground : Ground
        The cells to choose from.
    between : tuple = (lower, upper)
        Elevation range [m], half-open.
    valley_height : float
        Height above the valley over which sites become rare [m]: small for rivers.
    rng : Generator
        Source of randomness.

    Returns
    -------
    sites : DataFrame
        One row a site: longitude, latitude, elevation, slope, aspect_degrees, aspect,
        vegetation, cell.

    Raises
    ------
    InputError
        If the range holds fewer cells than sites.

    Examples
    --------
    >>> import xarray as xr
    >>> places = {"y": [34.0, 33.99], "x": [98.0, 98.01]}
    >>> land = xr.DataArray([[3600.0, 3700.0], [3800.0, 5200.0]], places, ("y", "x"))
    >>> meadow = xr.full_like(land, 2, dtype="uint8")
    >>> landscape = Landscape(land, 0 * land + 5, 0 * land, meadow, land > 0)
    >>> sites = place_waters(1, survey_ground(landscape), between=(3750, 4500),
    ...                      valley_height=30.0, rng=np.random.default_rng(1))
    >>> sites["elevation"].tolist()
    [3800.0]
    """
    weight = _weight(ground, valley_height=valley_height)
    elevation = ground.cells["elevation"].to_numpy()
    cells = np.flatnonzero((elevation >= between[0]) & (elevation < between[1]))
    if cells.size < n:
        message = (
            f"The landscape has {cells.size} cells at {between[0]:g}-{between[1]:g} m, "
            f"but {n} sites are to be placed there. Simulate another landscape."
        )
        raise InputError(message)
    chosen = _draw(cells, weight, n, rng=rng)
    labels = ground.cells.loc[chosen, ["aspect", "vegetation"]].reset_index(drop=True)
    labels["vegetation"] = labels["vegetation"].replace("none", None)
    return _at_cells(labels, ground, chosen, rng=rng)


def _weight(ground: Ground, *, valley_height: float) -> FloatArray:
    above = ground.cells["above_valley"].to_numpy()
    # The floor keeps every cell drawable, however high above its valley it lies.
    weight: FloatArray = ground.cells["access"].to_numpy() * (
        np.exp(-above / valley_height) + 1e-9
    )
    return weight


def _draw(
    cells: IntArray, weight: FloatArray, n: int, *, rng: np.random.Generator
) -> IntArray:
    if n == 0:
        return np.empty(0, dtype=np.int64)
    share = weight[cells] / weight[cells].sum()
    return rng.choice(cells, n, replace=False, p=share).astype(np.int64)


def _at_cells(
    sites: pd.DataFrame,
    ground: Ground,
    chosen: IntArray,
    *,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Give sites their cell's terrain and a place within the cell."""
    terrain = ground.cells.loc[chosen, _CELL_COLUMNS].reset_index(drop=True)
    for name, side in zip(("longitude", "latitude"), ground.size, strict=True):
        offset = rng.uniform(-0.45, 0.45, len(chosen)) * side
        terrain[name] = np.round(terrain[name] + offset, 4)
    # Cut, not rounded: 3999.97 m must not become 4000.0 m, nor 44.97 degrees east.
    for name in ("elevation", "slope", "aspect_degrees"):
        terrain[name] = np.floor(terrain[name] * 10.0) / 10.0
    placed = pd.concat([sites.reset_index(drop=True), terrain], axis=1)
    return placed.assign(cell=chosen)
