"""Choose the cells of a vegetation index by the quality layers that are at hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError
from geosoil.io.quality_bits import (
    ESTIMATED,
    Quality,
    QualityRule,
    bits_kept,
    reliability_kept,
)

QUALITY_LAYERS = ("pixel_reliability", "vi_quality")
"""Layers that say how good a cell is, the simpler one first."""


@dataclass(frozen=True, slots=True)
class Screening:
    """Which cells of a vegetation index are kept."""

    quality: Quality | QualityRule = "good"
    """Preset, or a rule over the bits of VI Quality."""
    estimated: Literal["drop", "keep"] = "drop"
    """What happens to cells that were filled from other years (rank 4)."""


def applied_quality(
    companions: Collection[str], screening: Screening, *, layer: str
) -> str:
    """Say which screening a file can be given.

    Parameters
    ----------
    companions : collection of str
        Short names of the layers on the same cells.
    screening : Screening
        Which cells are wanted.
    layer : str
        Short name of the layer that is screened.

    Returns
    -------
    applied : str
        The preset or the rule in words, "none" where there is nothing to go by.
    """
    has_any = any(name in companions for name in QUALITY_LAYERS)
    if layer in QUALITY_LAYERS or not has_any:
        return "none"
    return str(screening.quality)


def needed_quality(
    companions: Collection[str], screening: Screening
) -> tuple[str, ...]:
    """Return which quality layers a screening reads.

    Parameters
    ----------
    companions : collection of str
        Short names of the layers on the same cells.
    screening : Screening
        Which cells are kept.

    Returns
    -------
    names : tuple of str
        Of :data:`QUALITY_LAYERS`.
    """
    if isinstance(screening.quality, QualityRule):
        wanted = ["vi_quality"]
        wanted += ["pixel_reliability"] if screening.estimated == "drop" else []
    elif screening.quality == "all":
        wanted = ["pixel_reliability"] if screening.estimated == "drop" else []
    else:
        wanted = [name for name in QUALITY_LAYERS if name in companions][:1]
    return tuple(name for name in wanted if name in companions)


def kept_cells(
    stored: Mapping[str, npt.NDArray[Any]], screening: Screening, *, place: str
) -> npt.NDArray[np.bool_] | None:
    """Return what a screening keeps by the quality layers that were read.

    Parameters
    ----------
    stored : mapping of array
        Quality layers as stored, by their short names.
    screening : Screening
        Which cells are kept.
    place : str
        File and dataset for the message.

    Returns
    -------
    kept : array of bool or None
        Cells kept; None where all are.

    Raises
    ------
    FileFormatError
        If a rule asks for bits that were not read.
    """
    quality, ranks = screening.quality, stored.get("pixel_reliability")
    if isinstance(quality, QualityRule):
        if "vi_quality" not in stored:
            message = (
                f"{place}: a quality rule needs the layer 'VI Quality', which the file "
                "does not have. Give good, keep_snow or all, or the original file."
            )
            raise FileFormatError(message)
        kept = quality.keeps(stored["vi_quality"])
        return kept if ranks is None else kept & (ranks != ESTIMATED)
    if ranks is not None:
        return reliability_kept(ranks, quality, estimated=screening.estimated)
    if "vi_quality" in stored:
        return bits_kept(stored["vi_quality"], quality)
    return None
