"""Settings of where big arrays are computed."""

from __future__ import annotations

import re

from pydantic import field_validator

from geosoil.config.base import Settings

ADDRESS = re.compile(
    r"(?:tcp|tls|ucx)://(?:\[[0-9A-Fa-f:]+\]|[^\s:/\[\]]+):\d{1,5}|inproc://\S+"
)


def is_scheduler_address(words: str) -> bool:
    """Return whether words are the address of a dask scheduler.

    Parameters
    ----------
    words : str
        What was given.

    Returns
    -------
    is_address : bool
        True for ``tcp://host:port``, tls and ucx alike, and ``inproc://name``.

    Examples
    --------
    >>> is_scheduler_address("tcp://10.0.0.5:8786"), is_scheduler_address("10.0.0.5")
    (True, False)
    """
    return ADDRESS.fullmatch(words) is not None


class ComputeSettings(Settings):
    """Where big arrays are computed."""

    scheduler: str = ""
    """Address of a dask cluster, as tcp://host:port; "" is the threads of this
    machine."""

    @field_validator("scheduler")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and not is_scheduler_address(value):
            message = "give the address of a dask scheduler as tcp://host:port, or ''"
            raise ValueError(message)
        return value
