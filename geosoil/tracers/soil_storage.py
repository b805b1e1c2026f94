"""Water that soil layers hold: thickness times volumetric moisture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.groups import check_columns, sample_groups

FloatArray = npt.NDArray[np.float64]

NO_MOISTURE, NO_LAYER = "no soil moisture", "no layer thickness"
"""Reasons: why the water of a layer is unknown."""
OVERLAP = "layers overlap"
"""Reason: the layers of a stratum have no sum."""


def layer_storage(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the water that the layer of each sample holds.

    Parameters
    ----------
    samples : DataFrame
        Columns ``depth_top``, ``depth_bottom`` [cm], ``soil_moisture`` [m3 m-3].

    Returns
    -------
    storage : DataFrame
        Index of the samples; ``storage`` [mm], NaN where thickness or moisture is
        missing; ``reason``, "" where fine.

    Raises
    ------
    InputError
        If a column is missing, moisture lies outside 0 to 1, or a layer's bottom lies
        not below its top.

    Notes
    -----
    10 (depth_bottom - depth_top) theta, theta the volumetric moisture.

    Examples
    --------
    >>> soil = pd.DataFrame({"depth_top": [0.0], "depth_bottom": [20.0],
    ...                      "soil_moisture": [0.3]})
    >>> layer_storage(soil)["storage"].tolist()
    [60.0]
    """
    top, bottom, moisture = _layers(samples)
    thickness = 10.0 * (bottom - top)
    dry, thin = np.isnan(moisture), np.isnan(thickness)
    faults = zip(
        np.where(thin, NO_LAYER, ""), np.where(dry, NO_MOISTURE, ""), strict=True
    )
    return pd.DataFrame(
        {
            "storage": thickness * moisture,
            "reason": ["; ".join(filter(None, map(str, words))) for words in faults],
        },
        index=samples.index,
    )


def stratum_storage(samples: pd.DataFrame, on: Sequence[str]) -> pd.DataFrame:
    """Return the water that the sampled layers of each stratum hold.

    Parameters
    ----------
    samples : DataFrame
        As in `layer_storage`, with the columns of ``on``.
    on : sequence of str
        Columns that make the strata.

    Returns
    -------
    storage : DataFrame
        One row a stratum: columns of ``on``; ``storage`` [mm], NaN where a layer has
        no moisture at all or layers overlap; ``reason``, which also tells of samples
        without moisture in layers that others know.

    Raises
    ------
    InputError
        As `layer_storage`.

    Notes
    -----
    Sum over the layers of thickness times the mean moisture of the layer's samples.

    Examples
    --------
    >>> soil = pd.DataFrame({"aspect": ["N"] * 3, "depth_top": [0.0, 0.0, 20.0],
    ...                      "depth_bottom": [20.0, 20.0, 40.0],
    ...                      "soil_moisture": [0.3, 0.2, 0.1]})
    >>> stratum_storage(soil, ["aspect"])["storage"].tolist()
    [70.0]
    """
    top, bottom, moisture = _layers(samples)
    rows = []
    for group in sample_groups(samples, on):
        own = group.rows
        storage, reason = _sum_layers(top[own], bottom[own], moisture[own])
        rows.append({**group.key, "storage": storage, "reason": reason})
    return pd.DataFrame(rows)


def _layers(samples: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Edges [cm] and moisture of each layer, checked."""
    names = ["depth_top", "depth_bottom", "soil_moisture"]
    check_columns(samples, names, what="Soil samples")
    top, bottom, moisture = (samples[name].to_numpy(dtype=float) for name in names)
    faults = {
        "a layer whose bottom lies not below its top": bottom <= top,
        "a moisture outside 0 to 1 (give m3 m-3, not percent)": (moisture < 0)
        | (moisture > 1),
    }
    found = [
        f"{what} in rows {', '.join(map(str, samples.index[rows][:10]))}"
        for what, rows in faults.items()
        if rows.any()
    ]
    if found:
        message = f"Soil samples have {'; '.join(found)}."
        raise InputError(message)
    return top, bottom, moisture


def _sum_layers(
    top: FloatArray, bottom: FloatArray, moisture: FloatArray
) -> tuple[float, str]:
    """Storage of one stratum [mm], and why it is unknown or doubtful."""
    known = np.isfinite(bottom - top)
    if not known.any():
        return np.nan, NO_LAYER
    edges, code = np.unique(
        np.column_stack([top, bottom])[known], axis=0, return_inverse=True
    )
    if np.any(edges[1:, 0] < edges[:-1, 1] - 1e-9):
        return np.nan, OVERLAP
    theta, code = moisture[known], code.reshape(-1)
    wet = np.isfinite(theta)
    count = np.bincount(code[wet], minlength=len(edges))
    if not count.all():
        lacking = edges[count == 0]
        named = ", ".join(f"{low:g}-{high:g} cm" for low, high in lacking)
        return np.nan, f"{NO_MOISTURE} in {named}"
    mean = np.bincount(code[wet], weights=theta[wet], minlength=len(edges)) / count
    gaps = [
        (int((~known).sum()), known.size, NO_LAYER),
        (int((~wet).sum()), wet.size, NO_MOISTURE),
    ]
    notes = [f"{few} of {many} samples with {what}" for few, many, what in gaps if few]
    return float(10.0 * (edges[:, 1] - edges[:, 0]) @ mean), "; ".join(notes)
