"""Where the mean water of groups began, beside the crossing of their lines."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geosoil.tracers.delta import Precision
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.source_draws import Projection, source_water_draws

NO_SLOPE = "no slope of evaporation"
NO_ERROR = "one site: no standard error"


def with_sources(
    groups: pd.DataFrame, lmwl: WaterLine, *, led_by: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Add the water before evaporation that each group's mean is led back to.

    Parameters
    ----------
    groups : DataFrame
        Rows of `crossed_groups` with ``evaporation_slope`` and its ``_sd``.
    lmwl : WaterLine
        Meteoric line.
    led_by : str
        "regression" takes the crossing of the group's own line, "craig_gordon" leads
        the mean back along the slope of evaporation.
    rng : Generator
        Source of randomness.

    Returns
    -------
    groups : DataFrame
        With ``source_led_by``, ``source_d18O``, ``source_d2H``, ``source_lower`` and
        ``source_upper`` of d18O (95 %) and ``source_reason``.
    """
    if led_by == "regression":
        return groups.assign(
            source_led_by=led_by,
            source_d18O=groups["initial_d18O"],
            source_d2H=groups["initial_d2H"],
            source_lower=groups["initial_lower"],
            source_upper=groups["initial_upper"],
            source_reason=groups["reason"],
        )
    rows = [_led_back(row, lmwl, rng) for _, row in groups.iterrows()]
    found = pd.DataFrame(rows, index=groups.index)
    return pd.concat([groups.assign(source_led_by=led_by), found], axis=1)


def _led_back(
    row: pd.Series, lmwl: WaterLine, rng: np.random.Generator
) -> dict[str, object]:
    """Source of one group's mean, all errors drawn."""
    nothing = dict.fromkeys(
        ("source_d18O", "source_d2H", "source_lower", "source_upper"), np.nan
    )
    if not np.isfinite(row["d18O"]):
        return {**nothing, "source_reason": row["reason"]}
    if not np.isfinite(row["evaporation_slope"]):
        return {**nothing, "source_reason": NO_SLOPE}
    errors = row[["d18O_se", "d2H_se", "d_excess_se"]].to_numpy(dtype=float)
    known = bool(np.isfinite(errors).all())
    projection = Projection(
        lmwl,
        float(row["evaporation_slope"]),
        float(np.nan_to_num(row["evaporation_slope_sd"])),
        _precision(errors) if known else Precision(0.0, 0.0),
    )
    found = source_water_draws(
        [row["d18O"]], [row["d2H"]], projection=projection, rng=rng
    ).iloc[0]
    reasons = [str(found["reason"]), "" if known else NO_ERROR]
    return {
        "source_d18O": found["d18O"],
        "source_d2H": found["d2H"],
        "source_lower": found["d18O_lower"] if known else np.nan,
        "source_upper": found["d18O_upper"] if known else np.nan,
        "source_reason": "; ".join(filter(None, reasons)),
    }


def _precision(errors: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Precision:
    """Error of a mean; that of d-excess, d2H - 8 d18O, tells the correlation."""
    oxygen, hydrogen, excess = (float(error) for error in errors)
    covariance = (hydrogen**2 + 64.0 * oxygen**2 - excess**2) / 16.0
    product = oxygen * hydrogen
    correlation = covariance / product if product > 0 else 0.0
    return Precision(oxygen, hydrogen, min(max(correlation, -1.0), 1.0))
