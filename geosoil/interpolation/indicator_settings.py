"""The variograms of indicators, and what is said of corrected probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import xarray as xr

from geosoil.errors import InputError
from geosoil.interpolation.variogram import AnyVariogram, NestedVariogram, Variogram
from geosoil.interpolation.variogram_models import MODELS

OneOrSeveral: TypeAlias = AnyVariogram | str | tuple[AnyVariogram | str, ...]
"""A variogram or the name of a model, or one a level."""

NOTICED = 1e-9
"""Change of a probability that counts as a correction."""


def one_or_several(
    variogram: AnyVariogram | str | Sequence[AnyVariogram | str],
) -> OneOrSeveral:
    """Return one variogram as it is, and a sequence of them as a tuple.

    Parameters
    ----------
    variogram : Variogram, NestedVariogram, str, or a sequence of these
        For all levels, or one a level.

    Returns
    -------
    variogram : the same, a sequence as a tuple
        What was given.

    Examples
    --------
    >>> one_or_several(["spherical", "exponential"])
    ('spherical', 'exponential')
    """
    if isinstance(variogram, str | Variogram | NestedVariogram):
        return variogram
    return tuple(variogram)


def check_variograms(variogram: OneOrSeveral, count: int) -> None:
    """Raise on variograms that cannot be those of indicators.

    Parameters
    ----------
    variogram : Variogram, NestedVariogram, str, or a tuple of these
        For all levels, or one a level.
    count : int
        Number of levels.

    Raises
    ------
    InputError
        If there is another number of them than of levels, or one has no sill; all
        faults at once.

    Examples
    --------
    >>> check_variograms("spherical", 3)
    """
    several = variogram if isinstance(variogram, tuple) else (variogram,)
    faults = []
    if isinstance(variogram, tuple) and len(variogram) != count:
        faults.append(f"{len(variogram)} variograms for {count} levels, give one each")
    for one in several:
        if isinstance(one, str):
            if one not in MODELS or not MODELS[one].bounded:
                faults.append(f"'{one}' is no model with a sill")
        elif not 0 < one.sill < np.inf:
            faults.append(f"a {one.model} variogram with a sill of {one.sill:g}")
    if faults:
        message = f"Invalid indicator kriging: {'; '.join(faults)}."
        raise InputError(message)


def corrections(corrected: xr.DataArray, raw: xr.DataArray) -> dict[str, float | int]:
    """Return how many probabilities were corrected, and by how much.

    Parameters
    ----------
    corrected, raw : DataArray
        Probabilities, and as they were kriged; NaN missing.

    Returns
    -------
    attributes : dict of str to number
        ``n_corrected`` of ``n_probabilities``, ``mean_correction`` and
        ``largest_correction`` of those that were.

    Examples
    --------
    >>> raw = xr.DataArray([-0.25, 0.5])
    >>> corrections(raw.clip(0.0), raw)["mean_correction"]
    0.25
    """
    change = np.abs(corrected.to_numpy() - raw.to_numpy())
    noticed = change[change > NOTICED]
    return {
        "n_corrected": len(noticed),
        "n_probabilities": int(np.isfinite(change).sum()),
        "mean_correction": float(noticed.mean()) if len(noticed) else 0.0,
        "largest_correction": float(noticed.max()) if len(noticed) else 0.0,
    }


def in_words(variogram: AnyVariogram) -> str:
    """Say a variogram in words.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram.

    Returns
    -------
    words : str
        Its model, numbers and flag.

    Examples
    --------
    >>> in_words(Variogram("spherical", 0.05, 0.2, 900.0))
    'spherical nugget 0.05 partial_sill 0.2 range 900 m'
    """
    words = (
        f"{variogram.model} nugget {variogram.nugget:.4g} partial_sill "
        f"{variogram.partial_sill:.4g} range {variogram.range_:.6g} m"
    )
    return f"{words} ({variogram.flag})" if variogram.flag else words
