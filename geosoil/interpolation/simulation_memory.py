"""How much memory realisations take, told before the work."""

from __future__ import annotations

from dask.utils import format_bytes, parse_bytes

from geosoil.errors import InputError
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.simulation_settings import (
    BATCH,
    SimulationSettings,
    chosen_method,
)
from geosoil.interpolation.simulation_walk import COVARIANCES

MEMORY_LIMIT = "4 GiB"
"""What realisations may take unless more is allowed."""


def working_bytes(
    kriging: Kriging,
    n_targets: int,
    n_realizations: int,
    settings: SimulationSettings,
) -> int:
    """Return what drawing takes beside the realisations that are kept.

    Parameters
    ----------
    kriging : Kriging
        Fitted.
    n_targets : int
        Cells or places.
    n_realizations : int
        Number of fields; many are drawn in turns.
    settings : SimulationSettings
        Method and neighbours.

    Returns
    -------
    size : int
        Bytes: systems and weights, and one turn of realisations.
    """
    n_data = len(kriging.points_.xy)
    method = chosen_method(kriging, settings.method, n_targets)
    places = n_data + n_targets
    columns = 1 + len(kriging.drift_names_)
    size = 8 * n_targets * (8 + 2 * columns)
    if method != "sequential":
        size += 8 * 3 * n_data**2
    if method == "exact":
        size += 8 * (3 * n_targets**2 + 3 * n_data * n_targets)
    else:
        size += 44 * min(settings.n_neighbors, places) * places
        size += 8 * 12 * COVARIANCES
    numbers = places if method == "exact" else 2 * places
    at_a_time = min(n_realizations, max(1, BATCH // numbers))
    return size + 8 * at_a_time * (numbers + 4 * places)


def check_memory(
    needed: int, kept: int, *, limit: int | str, what: str = "realisations"
) -> None:
    """Raise where realisations take more memory than they may.

    Parameters
    ----------
    needed : int
        Bytes of the work.
    kept : int
        Bytes of what is returned.
    limit : int or str
        Bytes, or words as "4 GiB".
    what : str
        What is returned, for the message.

    Raises
    ------
    InputError
        If the limit is no number of bytes, or less than what is needed; with what
        makes it fit.

    Examples
    --------
    >>> check_memory(10**6, 10**8, limit="1 GiB")
    """
    try:
        allowed = int(parse_bytes(limit))
    except ValueError as error:
        message = f"Invalid memory_limit '{limit}'. Give bytes, or words as '4 GiB'."
        raise InputError(message) from error
    if needed + kept > allowed:
        message = (
            f"The {what} need {format_bytes(needed + kept)} of memory "
            f"({format_bytes(kept)} of them kept), more than the limit of "
            f"{format_bytes(allowed)}. Draw fewer, give fewer places, take "
            "simulate_summary, which keeps no realisations, or raise memory_limit."
        )
        raise InputError(message)
