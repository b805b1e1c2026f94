"""How MODIS files are read, beyond what is read from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ModisOptions:
    """How :func:`geosoil.io.modis.open_modis` reads, beyond what is read.

    Examples
    --------
    >>> ModisOptions(reading="lazy").estimated
    'drop'
    """

    estimated: Literal["drop", "keep"] = "drop"
    """What happens to cells that NASA filled from other years (pixel reliability 4).
    A climatology has no departure of its own year: it must enter no correlation."""
    checksums: Literal["check", "require", "ignore"] = "check"
    """"check" compares the files with the checksums beside them, "require" refuses
    files without one, "ignore" reads no checksum."""
    reading: Literal["now", "lazy"] = "now"
    """"lazy" reads a date when its values are first used and keeps the last dates
    within a quarter of the budget: a layer is unpacked once however it is tiled.
    ``.chunk({"time": 1})`` makes it an array of dask."""
    memory_budget: int | None = None
    """Bytes that the reading may take; half of the machine's memory by default. It is
    compared with what the headers declare, before anything is allocated."""
