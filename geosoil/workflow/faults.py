"""One error for all the inputs of a command that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

from geosoil.errors import GeosoilError, InputError, MissingFileError


def raise_all(faults: Sequence[GeosoilError], *, what: str = "inputs") -> None:
    """Raise one error for all faults that were met; none for none.

    Parameters
    ----------
    faults : sequence of GeosoilError
        What was met.
    what : str
        What cannot be used, in the plural.

    Raises
    ------
    GeosoilError
        The only fault as it is, or an InputError with all of them; a MissingFileError
        where every one of them is.

    Examples
    --------
    >>> raise_all([])
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        absent = all(isinstance(fault, MissingFileError) for fault in faults)
        message = f"{len(faults)} {what} cannot be used:\n{listed}"
        raise (MissingFileError if absent else InputError)(message)
