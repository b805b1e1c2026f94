"""The names of the classes of a raster, from what the file says of its codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from geosoil.io.class_sidecar import NO_BIT, bit_words

NO_REASON = (NO_BIT, "ok")
"""Names of the code 0 that say that there is nothing to say."""


def class_names(tags: Mapping[str, str], codes: Iterable[int]) -> dict[int, str]:
    """Name the codes of a raster.

    Parameters
    ----------
    tags : mapping of str to str
        Tags of the file: ``bits`` as "1 far_from_data, 2 too_few_sites", or
        ``flag_meanings`` with ``flag_values`` or ``flag_masks`` (CF conventions).
    codes : iterable of int
        Codes that occur.

    Returns
    -------
    names : dict of int to str
        A name for each code that the file explains; of flags the names of all that a
        code is the sum of.

    Notes
    -----
    A code with a flag that the file does not name gets no name: half a reason would
    mislead.

    References
    ----------
    Eaton, B. et al. (2024), NetCDF Climate and Forecast (CF) Metadata Conventions
    1.11, section 3.5, doi:10.5281/zenodo.14275599.

    Examples
    --------
    >>> tags = {"bits": "1 far_from_data, 2 too_few_sites"}
    >>> class_names(tags, [0, 1, 3, 4])[3]
    'far from data; too few sites'
    >>> class_names({"flag_values": "0 1", "flag_meanings": "ok few"}, [1])
    {1: 'few'}
    """
    values = _by_value(tags)
    if values:
        return {code: values[code] for code in codes if code in values}
    bits = _by_bit(tags)
    known = sum(bits)
    names = {}
    for code in codes if bits else ():
        if 0 <= code == code & known:
            names[code] = bit_words(code, bits)
    return names


def _by_value(tags: Mapping[str, str]) -> dict[int, str]:
    """Names of codes that each stand for one class."""
    values = [int(text) for text in re.findall(r"-?\d+", tags.get("flag_values", ""))]
    names = [_plain(name) for name in tags.get("flag_meanings", "").split()]
    return dict(zip(values, names, strict=False)) if len(values) == len(names) else {}


def _by_bit(tags: Mapping[str, str]) -> dict[int, str]:
    """Names of the bits that codes are sums of."""
    told = re.findall(r"(\d+) (\w+)", tags.get("bits", ""))
    if not told and "flag_masks" in tags:
        masks = re.findall(r"\d+", tags["flag_masks"])
        told = list(zip(masks, tags.get("flag_meanings", "").split(), strict=False))
    return {int(bit): _plain(name) for bit, name in told}


def _plain(name: str) -> str:
    """Write the name of a flag in words."""
    return name.replace("_", " ")
