"""Decode the quality layers of MODIS vegetation indices, and say which cells count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError

BoolArray = npt.NDArray[np.bool_]

Quality = Literal["good", "keep_snow", "all"]
"""Presets of the cells of a vegetation index that are kept."""

ESTIMATED = 4
"""Rank of the layer "pixel reliability" for cells filled from other years."""
HIGHEST_RANK: Mapping[Quality, int] = {"good": 1, "keep_snow": 2, "all": 4}
"""Last rank that a preset keeps: 0 good, 1 marginal, 2 snow or ice, 3 cloudy,
4 estimated."""
RANKS = ("good", "marginal", "snow or ice", "cloudy", "estimated")
"""Meaning of the ranks of the layer "pixel reliability"."""
NOT_PRODUCED = 3
"""MODLAND bits of a cell for which no index was made."""

FIELDS: Mapping[str, tuple[int, int]] = {
    "modland": (0, 2),
    "usefulness": (2, 4),
    "aerosol": (6, 2),
    "adjacent_cloud": (8, 1),
    "brdf_corrected": (9, 1),
    "mixed_cloud": (10, 1),
    "land_water": (11, 3),
    "snow_ice": (14, 1),
    "shadow": (15, 1),
}
"""First bit and number of bits of each field of VI Quality, lowest bit first."""
MEANINGS: Mapping[str, tuple[str, ...]] = {
    "modland": (
        "produced, good",
        "produced, check other QA",
        "produced, most probably cloudy",
        "not produced",
    ),
    "aerosol": ("climatology", "low", "intermediate", "high"),
    "land_water": (
        "shallow ocean",
        "land",
        "ocean coastline or lake shoreline",
        "shallow inland water",
        "ephemeral water",
        "deep inland water",
        "moderate or continental ocean",
        "deep ocean",
    ),
}
"""Meaning of the values of the fields that are no yes or no."""

_FLAGS = ("adjacent_cloud", "brdf_corrected", "mixed_cloud", "snow_ice", "shadow")


@dataclass(frozen=True, slots=True)
class QualityRule:
    """Which cells of a vegetation index a user keeps, by their quality bits.

    Examples
    --------
    >>> rule = QualityRule(max_usefulness=2, mixed_clouds=False)
    >>> rule.keeps(np.array([0b0000000000000000, 0b0000010000000000], dtype="uint16"))
    array([ True, False])
    """

    max_usefulness: int = 15
    """Highest usefulness kept: 0 best, 12 lowest, 13 and more not useful."""
    modland: Collection[int] = field(default=(0, 1, 2))
    """MODLAND values kept: 0 good, 1 check other QA, 2 most probably cloudy."""
    aerosols: Collection[int] = field(default=(0, 1, 2, 3))
    """Aerosols kept: 0 climatology, 1 low, 2 intermediate, 3 high."""
    adjacent_clouds: bool = True
    """Whether cells beside clouds are kept."""
    mixed_clouds: bool = True
    """Whether cells with mixed clouds are kept."""
    snow: bool = True
    """Whether cells with possible snow or ice are kept."""
    shadow: bool = True
    """Whether cells with possible shadow are kept."""

    def __post_init__(self) -> None:
        """Refuse values that the bits cannot have."""
        faults = []
        if not 0 <= self.max_usefulness <= 15:
            faults.append(f"max_usefulness {self.max_usefulness} (0 to 15)")
        for name, allowed in (("modland", range(3)), ("aerosols", range(4))):
            given = list(getattr(self, name))
            if not given or any(value not in allowed for value in given):
                faults.append(f"{name} {given} (some of {list(allowed)})")
        if faults:
            message = f"Invalid quality rule: {'; '.join(faults)}."
            raise InputError(message)

    def keeps(self, bits: npt.ArrayLike) -> BoolArray:
        """Return which cells the rule keeps.

        Parameters
        ----------
        bits : array of int
            VI Quality as stored.

        Returns
        -------
        kept : array of bool
            False too where the index was not produced.

        Examples
        --------
        >>> QualityRule(snow=False).keeps([1 << 14])
        array([False])
        """
        flags = decode_vi_quality(bits)
        kept = np.isin(flags["modland"], list(self.modland))
        kept &= np.isin(flags["aerosol"], list(self.aerosols))
        kept &= flags["usefulness"] <= self.max_usefulness
        for name, allowed in (
            ("adjacent_cloud", self.adjacent_clouds),
            ("mixed_cloud", self.mixed_clouds),
            ("snow_ice", self.snow),
            ("shadow", self.shadow),
        ):
            if not allowed:
                kept &= ~flags[name].astype(bool)
        return kept

    def __str__(self) -> str:
        """Return the rule in one line, for attributes and tags."""
        dropped = [
            name.replace("_", " ")
            for name in ("adjacent_clouds", "mixed_clouds", "snow", "shadow")
            if not getattr(self, name)
        ]
        return (
            f"custom (usefulness <= {self.max_usefulness}, MODLAND in "
            f"{sorted(self.modland)}, aerosol in {sorted(self.aerosols)}, without "
            f"{', '.join(dropped) or 'further rule'})"
        )


def decode_vi_quality(bits: npt.ArrayLike) -> dict[str, npt.NDArray[Any]]:
    """Take the bit field VI Quality of MOD13 and MYD13 apart.

    Parameters
    ----------
    bits : array of int, any shape
        VI Quality as stored. A layer that was read as signed 16-bit numbers is
        understood: the bits are the same.

    Returns
    -------
    flags : dict of array, the shape of the bits
        ``modland``, ``usefulness``, ``aerosol``, ``land_water`` as uint8 (see
        :data:`MEANINGS`); ``adjacent_cloud``, ``brdf_corrected``, ``mixed_cloud``,
        ``snow_ice``, ``shadow`` as bool.

    Raises
    ------
    InputError
        If the values are no whole numbers of 16 bits.

    References
    ----------
    .. [1] Didan, K. and Barreto Munoz, A. (2019). MODIS Vegetation Index User's Guide
       (MOD13 series), version 3.10, Collection 6.1. University of Arizona.

    Examples
    --------
    >>> flags = decode_vi_quality([2116, 1 << 15])
    >>> flags["usefulness"].tolist(), flags["shadow"].tolist()
    ([1, 0], [False, True])
    """
    values = np.asarray(bits)
    whole = values.dtype.kind in "iu"
    if not whole or (
        values.size and not (values.min() >= -(2**15) and values.max() < 2**16)
    ):
        message = (
            f"VI Quality is a bit field of 16 bits; found {values.dtype}"
            f"{'' if not whole else ' beyond 65535'}. Read the layer with "
            "open_modis(..., 'vi_quality') and give integers."
        )
        raise InputError(message)
    field16 = values.astype(np.uint16)
    return {
        name: _taken(field16, first, count, is_flag=name in _FLAGS)
        for name, (first, count) in FIELDS.items()
    }


def _taken(
    field16: npt.NDArray[np.uint16], first: int, count: int, *, is_flag: bool
) -> npt.NDArray[Any]:
    part = field16 >> np.uint16(first) & np.uint16(2**count - 1)
    return part.astype(bool if is_flag else np.uint8)


def reliability_kept(
    ranks: npt.NDArray[Any], quality: Quality, *, estimated: Literal["drop", "keep"]
) -> BoolArray:
    """Return which cells a preset keeps by the layer "pixel reliability".

    Parameters
    ----------
    ranks : array of int
        Ranks as stored: -1 fill, 0 to 4.
    quality : {"good", "keep_snow", "all"}
        Preset. "all" keeps fill cells here: their index is fill itself.
    estimated : {"drop", "keep"}
        What "all" does with cells that were filled from other years (rank 4).

    Returns
    -------
    kept : array of bool
        Cells that count.

    Examples
    --------
    >>> ranks = np.array([-1, 0, 1, 2, 3, 4])
    >>> reliability_kept(ranks, "keep_snow", estimated="drop").tolist()
    [False, True, True, True, False, False]
    >>> reliability_kept(ranks, "all", estimated="drop").tolist()
    [True, True, True, True, True, False]
    """
    if quality == "all":
        return np.ones(ranks.shape, bool) if estimated == "keep" else ranks != ESTIMATED
    return (ranks >= 0) & (ranks <= HIGHEST_RANK[quality])


def bits_kept(bits: npt.NDArray[Any], quality: Quality) -> BoolArray:
    """Return which cells a preset keeps by VI Quality, without reliability.

    Parameters
    ----------
    bits : array of int
        VI Quality as stored.
    quality : {"good", "keep_snow", "all"}
        Preset.

    Returns
    -------
    kept : array of bool
        MODLAND 0 and 1 without snow; with snow whatever its MODLAND; all.

    Examples
    --------
    >>> bits_kept(np.array([0, 1, 2, 3, 1 << 14], dtype="uint16"), "good").tolist()
    [True, True, False, False, False]
    """
    flags = decode_vi_quality(bits)
    if quality == "all":
        return np.ones(bits.shape, bool)
    kept = flags["modland"] <= 1
    snow = flags["snow_ice"]
    result: BoolArray = (kept | snow) if quality == "keep_snow" else kept & ~snow
    return result


def check_quality(quality: Quality | QualityRule) -> None:
    """Raise unless a quality is a preset or a rule.

    Parameters
    ----------
    quality : str or QualityRule
        What a caller gave.

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> check_quality("good")
    """
    if not isinstance(quality, QualityRule) and quality not in get_args(Quality):
        message = (
            f"Unknown quality '{quality}'. Give good, keep_snow or all, or a "
            "QualityRule for a rule of your own."
        )
        raise InputError(message)
