"""What the paper states of its region and samples, to stand beside a study's own."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geosoil.simulate.inputs import read_basins, read_paper_table

AREAS = {
    "Yellow headwaters": (167_000.0, 0.46),
    "Yangtze headwaters": (159_000.0, 0.44),
    "Lancang headwaters": (37_000.0, 0.10),
    "all": (363_000.0, 1.0),
}
"""Area [km2] and share of each basin (Li et al. 2024, section 2.1)."""

EXTENT = {
    "west": 89.75,
    "east": 102 + 23 / 60,
    "south": 31.65,
    "north": 36.2,
    "lowest": 2610.0,
    "highest": 6920.0,
}
"""Bounds [degree] and elevations [m] of the region (section 2.1)."""

STRATA = {
    "all": "all",
    "depth": "soil_layer",
    "aspect": "aspect",
    "vegetation": "vegetation",
    "altitude": "elevation_band",
}
"""Names of the paper's strata here."""

WATERS = {
    "soil water": "soil",
    "precipitation": "precipitation",
    "ground ice": "ground_ice",
    "river water": "river",
    "supra-permafrost water": "supra_permafrost",
    "glacier snow meltwater": "snowmelt",
}
"""Names of the paper's waters here."""


def is_paper_region(region: gpd.GeoDataFrame | None) -> bool:
    """Return whether a study's region is that of the paper.

    Parameters
    ----------
    region : GeoDataFrame, optional
        Polygons of the study region.

    Returns
    -------
    same : bool
        Whether its polygons have the names of those that geosoil carries along; what
        the paper states is set beside no other study.

    Examples
    --------
    >>> is_paper_region(read_basins()), is_paper_region(None)
    (True, False)
    """
    if region is None or "name" not in region:
        return False
    return set(region["name"].dropna()) == set(read_basins()["name"])


def published_counts() -> pd.DataFrame:
    """Return the numbers of samples that the paper states.

    Returns
    -------
    counts : DataFrame
        water, period, paper_n; the period is "all" where it states no other.

    Examples
    --------
    >>> counts = published_counts().set_index(["water", "period"])["paper_n"]
    >>> int(counts["ground_ice", "June"]), int(counts["soil", "all"])
    (66, 741)
    """
    table = read_paper_table("sample_counts")
    table = table[table["water"].isin(WATERS)]
    months = table["period"].where(
        table["period"].isin(["June", "August", "September"]), "all"
    )
    return pd.DataFrame(
        {
            "water": table["water"].map(WATERS),
            "period": months,
            "paper_n": table["n"].astype(float),
        }
    ).reset_index(drop=True)


def published_sites() -> pd.Series:
    """Return the numbers of soil sites that the paper states.

    Returns
    -------
    sites : Series
        By period.

    Examples
    --------
    >>> published_sites().to_dict()
    {'June': 79, 'August': 70, 'September': 93}
    """
    table = read_paper_table("sample_counts")
    soil = table[table["water"] == "soil sites"]
    return soil.set_index("period")["n"].astype(int)


def published_means() -> pd.DataFrame:
    """Return the means of Table 1 of the paper.

    Returns
    -------
    means : DataFrame
        period, by, stratum, d18O, d2H, d_excess [permil] as the paper means them: two
        lost minus signs are mended, and d-excess is d2H - 8 d18O where another was
        printed, which stands in ``d_excess_printed``.

    Examples
    --------
    >>> published_means().query("by == 'all'")["d18O"].tolist()
    [-12.0, -13.26, -13.04]
    """
    table = read_paper_table("table1_means")
    return pd.DataFrame(
        {
            "period": table["period"],
            "by": table["group_kind"].map(STRATA),
            "stratum": table["group"].astype(str),
            "d18O": table["d18O"],
            "d2H": table["d2H"],
            "d_excess": table["dexcess_recomputed"],
            "d_excess_printed": table["dexcess_printed"],
        }
    )


def published_lines() -> pd.DataFrame:
    """Return the lines of Table 2 of the paper and the regressions of its Table 1.

    Returns
    -------
    lines : DataFrame
        kind ("evaporation line" of d2H on d18O, "d-excess" on d18O), period ("all"
        where pooled), by, stratum, slope, intercept, r_squared.

    Examples
    --------
    >>> published_lines()["kind"].value_counts().to_dict()
    {'evaporation line': 33, 'd-excess': 11}
    """
    lines = read_paper_table("table2_lel").assign(kind="evaporation line")
    excess = read_paper_table("table1_d18O_dexcess_regressions").assign(
        kind="d-excess", period="all"
    )
    table = pd.concat([lines, excess[excess["slope"].notna()]], ignore_index=True)
    return pd.DataFrame(
        {
            "kind": table["kind"],
            "period": table["period"],
            "by": table["group_kind"].map(STRATA),
            "stratum": table["group"].astype(str),
            "slope": table["slope"],
            "intercept": table["intercept"],
            "r_squared": table["r2"],
        }
    )
