"""Sites of one period with a field that is known, and cells around them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geosoil.grids.grid import Grid
from geosoil.interpolation.composition import ZeroRule
from geosoil.workflow.mapping_sites import PeriodSites
from geosoil.workflow.mapping_surfaces import Target

# Around the middle of the projection, where it turns and stretches little.
GRID = Grid.from_bounds((104.0, 34.0, 106.0, 35.0), 0.05, "EPSG:4326")
RULE = ZeroRule("snow", ("June",), below=3600.0)


def heights(longitude: np.ndarray) -> np.ndarray:
    """Ground that rises from west to east."""
    return 3000.0 + 1000.0 * (longitude - 104.0)


def target() -> Target:
    ground = np.tile(heights(GRID.x), (len(GRID.y), 1))
    return Target(GRID, np.ones(GRID.shape, dtype=bool), ground)


def smooth_fraction(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """A fraction that changes over some tens of kilometres, whatever the height."""
    return 0.5 + 0.35 * np.sin(6.0 * longitude) * np.cos(6.0 * latitude)


def sites_of(
    ice: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    *,
    snow: np.ndarray | None = None,
    rules: tuple[ZeroRule, ...] = (),
    error: float = 0.0,
) -> PeriodSites:
    """Sites with given raw fractions of ice and of snow."""
    longitude, latitude = places
    sources = ("rain", "ice") if snow is None else ("rain", "ice", "snow")
    parts = [ice] if snow is None else [ice, snow]
    raw = np.column_stack([1.0 - sum(parts), *parts])
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(longitude, latitude, crs=4326)
    )
    projected = points.to_crs(
        "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m"
    ).geometry
    xy = np.column_stack([projected.x, projected.y])
    height = heights(longitude)
    return PeriodSites(
        "June",
        sources,
        pd.DataFrame({"longitude": longitude, "latitude": latitude}),
        points,
        raw,
        np.full(raw.shape, error),
        rules,
        xy,
        height,
        height,
    )


def random_places(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(104.0, 106.0, n), rng.uniform(34.0, 35.0, n)
