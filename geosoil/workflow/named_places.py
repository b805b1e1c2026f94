"""The few named places where a water was sampled: stations, glaciers."""

from __future__ import annotations

import geopandas as gpd

MOST_PLACES = 40
"""More places than these are no stations."""

KEPT = ("longitude", "latitude", "elevation")


def named_places(
    samples: gpd.GeoDataFrame, water: str, *, most: int = MOST_PLACES
) -> gpd.GeoDataFrame | None:
    """Return the places where a water was sampled.

    Parameters
    ----------
    samples : GeoDataFrame
        All samples.
    water : str
        Kind of water.
    most : int
        More places than these are no stations.

    Returns
    -------
    places : GeoDataFrame or None
        One row a site: site_id, longitude, latitude and elevation where the samples
        have them, n samples, and the first position given, none where no sample has
        one. None where no sample of the water names a site, or where they name so many
        that they are no stations.

    Examples
    --------
    >>> rain = gpd.GeoDataFrame(
    ...     {"water": "precipitation", "site_id": ["Dari", "Dari"]},
    ...     geometry=gpd.points_from_xy([99.65] * 2, [33.75] * 2), crs=4326)
    >>> named_places(rain, "precipitation")[["site_id", "n"]].values.tolist()
    [['Dari', 2]]
    """
    if not {"water", "site_id"} <= set(samples.columns):
        return None
    own = samples[(samples["water"] == water) & samples["site_id"].notna()]
    sites = own.groupby("site_id", sort=False)
    if not 0 < sites.ngroups <= most:
        return None
    placed = own[~(own.geometry.isna() | own.geometry.is_empty)]
    first = placed.drop_duplicates("site_id").set_index("site_id").geometry
    table = sites[[name for name in KEPT if name in own]].first()
    table["n"] = sites.size()
    positions = gpd.GeoSeries(first.reindex(table.index)).values
    places = gpd.GeoDataFrame(table.reset_index(), geometry=positions, crs=samples.crs)
    places.attrs = {}
    return places


def on_the_map(places: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return the places whose position is known.

    Parameters
    ----------
    places : GeoDataFrame or None
        As :func:`named_places` gives them.

    Returns
    -------
    located : GeoDataFrame or None
        None without any.
    """
    if places is None:
        return None
    located = places[places.geometry.notna()]
    return None if located.empty else located.reset_index(drop=True)
