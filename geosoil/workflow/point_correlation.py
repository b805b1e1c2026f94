"""Correlate what probes measured in the soil with the drivers of their cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import geopandas as gpd
import numpy as np
import pandas as pd

from geosoil.correlation.field_significance import q_values
from geosoil.correlation.points import PointMethod, point_correlation
from geosoil.grids.points import point_coordinates
from geosoil.grids.sample_join import JoinResult
from geosoil.strata import OUTSIDE, PAPER_EDGES, StrataEdges, add_strata

MEASURED = ("soil_moisture", "soil_temperature")
"""Columns of the samples that a probe fills."""

MONTHLY = "_month"
"""End of the name of a driver that a climate file gives."""

WHOLE = "all"
"""Name of the layer that stands for the whole profile."""

COLUMNS = (
    *("period", "soil_layer", "measured", "driver", "method"),
    *("n_samples", "n_profiles", "n_cells", "r", "p_value", "q_value", "n_effective"),
    *("r_naive", "p_naive", "measured_support", "driver_support", "reason"),
)
"""Columns of the table, in order."""


def correlate_points(
    joined: JoinResult,
    *,
    edges: StrataEdges = PAPER_EDGES,
    method: PointMethod = "pearson",
) -> pd.DataFrame:
    """Correlate measured soil moisture and temperature with the drivers of the cells.

    Parameters
    ----------
    joined : JoinResult
        Samples joined to the rasters of a study. Those whose ``water`` is soil count;
        without that column all do.
    edges : StrataEdges
        Edges of the soil layers.
    method : {"pearson", "spearman"}
        Kind of correlation.

    Returns
    -------
    table : DataFrame
        One row a period, soil layer (and "all"), measured column and driver (``ndvi``
        and ``<climate>_month`` of the join): ``n_samples``, ``n_profiles``,
        ``n_cells``; ``r`` over the distinct cells of the driver's own grid,
        ``p_value`` (Dutilleul's) and ``n_effective``; ``q_value`` over all rows that
        were tested; ``r_naive`` and ``p_naive``, of samples as independent pairs;
        ``measured_support`` and ``driver_support`` in words; ``reason`` where p is
        missing. Empty where nothing was measured or no driver joined.

    Raises
    ------
    MissingCRSError
        If the samples have no CRS.

    Notes
    -----
    The layers of a profile (``site_id``) are averaged first, then the profiles of a
    cell (:func:`~geosoil.correlation.points.point_correlation`). Profiles reach to
    different depths, so "all" compares means over unlike depths. A probe of a
    few centimetres and a cell of some kilometres differ by more than error: r over
    them is no measure of either's quality.
    """
    table = _soil(joined.table, edges)
    drivers = [
        name for name in joined.grids if name == "ndvi" or name.endswith(MONTHLY)
    ]
    measured = [
        name for name in MEASURED if name in table and table[name].notna().any()
    ]
    table = _with_cells(table, joined, drivers)
    rows = [
        {**labels, **_row(part, (name, driver), joined, method)}
        for labels, part in _parts(table)
        for name in measured
        for driver in drivers
    ]
    found = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "q_value"])
    p = found["p_value"].to_numpy(dtype=float)
    q = np.full(len(found), np.nan)
    q[np.isfinite(p)] = q_values(p[np.isfinite(p)])
    return found.assign(q_value=q)[list(COLUMNS)]


def _soil(table: gpd.GeoDataFrame, edges: StrataEdges) -> gpd.GeoDataFrame:
    """Return the soil samples with their layer as words."""
    chosen = table[table["water"] == "soil"] if "water" in table else table
    labelled = gpd.GeoDataFrame(add_strata(chosen, edges=edges))
    # The issues of the samples would be copied with every selection.
    labelled.attrs = {}
    if "soil_layer" in labelled:
        labelled["soil_layer"] = labelled["soil_layer"].astype(object)
    return labelled


def _cell_names(driver: str) -> tuple[str, str]:
    """Name the columns of a driver's own cells."""
    return f"{driver}_cell_row", f"{driver}_cell_column"


def _with_cells(
    table: gpd.GeoDataFrame, joined: JoinResult, drivers: list[str]
) -> gpd.GeoDataFrame:
    """Add the cell of each sample on the grid of each driver."""
    cells = []
    for driver in drivers:
        grid = joined.grids[driver]
        rows, columns, _ = grid.cells(*point_coordinates(table, grid.crs))
        names = _cell_names(driver)
        values = dict(zip(names, (rows, columns), strict=True))
        cells.append(pd.DataFrame(values, index=table.index))
    return gpd.GeoDataFrame(pd.concat([table, *cells], axis=1))


def _parts(
    table: gpd.GeoDataFrame,
) -> Iterator[tuple[dict[str, str], gpd.GeoDataFrame]]:
    """Give the samples of each period and layer, and of each period."""
    periods = table["period"].dropna().unique() if "period" in table else [WHOLE]
    for period in periods:
        mine = table[table["period"] == period] if "period" in table else table
        yield {"period": str(period), "soil_layer": WHOLE}, mine
        if "soil_layer" not in mine:
            continue
        present = mine[mine["soil_layer"] != OUTSIDE].sort_values("depth_top")
        for layer in present["soil_layer"].unique():
            labels = {"period": str(period), "soil_layer": str(layer)}
            yield labels, mine[mine["soil_layer"] == layer]


def _row(
    part: gpd.GeoDataFrame,
    pair: tuple[str, str],
    joined: JoinResult,
    method: PointMethod,
) -> dict[str, object]:
    """Correlate one measured column with one driver over a set of samples."""
    measured, driver = pair
    found = point_correlation(
        part,
        measured,
        driver,
        cell=_cell_names(driver),
        group="site_id" if "site_id" in part else None,
        method=method,
    )
    answer = asdict(found)
    return {
        "measured": measured,
        "driver": driver,
        "n_samples": answer.pop("n_points"),
        "n_profiles": answer.pop("n_groups"),
        **answer,
        "measured_support": _measured_support(part, measured),
        "driver_support": _driver_support(joined, driver),
    }


def _measured_support(part: gpd.GeoDataFrame, measured: str) -> str:
    """Say what one measured value stands for."""
    probed = part[part[measured].notna()]
    depths = [name for name in ("depth_top", "depth_bottom") if name in probed]
    if len(depths) < 2 or probed[depths].isna().all().any():
        return "probe, mean of the profile"
    top, bottom = probed["depth_top"].min(), probed["depth_bottom"].max()
    return f"probe at {top:g}-{bottom:g} cm, mean of the profile"


def _driver_support(joined: JoinResult, driver: str) -> str:
    """Say what one value of a driver stands for."""
    grid = joined.grids[driver]
    unit = "degrees" if grid.crs.is_geographic else str(grid.crs.axis_info[0].unit_name)
    record = joined.provenance.set_index("column").loc[driver]
    of_month = "sum of the month" if record["unit"] == "mm" else "mean of the month"
    width, height = abs(grid.transform.a), abs(grid.transform.e)
    return f"cell of {width:g} x {height:g} {unit}, {of_month}"
