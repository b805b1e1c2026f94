"""Named sets of methods: the paper's, and the ones to be recommended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from geosoil.errors import InputError
from geosoil.tracers.lines import LineMethod


@dataclass(frozen=True, slots=True)
class Preset:
    """Methods that belong together; data only, workflow acts on it."""

    name: str
    """Name that users give."""
    lmwl_method: LineMethod
    """Method of the local meteoric water line where every amount is known."""
    lmwl_method_without_amount: LineMethod
    """Method where precipitation amounts are missing."""
    evaporation_line: Literal["regression", "craig_gordon"]
    """What leads a sample back to the meteoric line: the regression line through the
    samples, or the slope of evaporation under the climate."""
    means: Literal["unweighted", "by_site"]
    """Mean of a group: all samples alike, or profiles first, with errors by site."""
    end_members: Literal["unweighted", "amount_weighted"]
    """Mean of precipitation as an end member."""
    mixing: Literal["uncorrected", "evaporation_corrected"]
    """Whether fractions are solved from samples as they are or led back first."""
    confidence_interval: Literal["none", "fieller"]
    """Interval of the crossing of two lines."""
    words: str
    """What the set is for, in one sentence."""

    def meteoric_method(self, *, has_amounts: bool) -> LineMethod:
        """Return the method of the meteoric line.

        Parameters
        ----------
        has_amounts : bool
            Whether precipitation amounts are known.

        Returns
        -------
        method : str
            Method for `fit_water_line`.

        Examples
        --------
        >>> PRESETS["recommended"].meteoric_method(has_amounts=False)
        'ols'
        """
        return self.lmwl_method if has_amounts else self.lmwl_method_without_amount


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "paper": Preset(
            name="paper",
            lmwl_method="ols",
            lmwl_method_without_amount="ols",
            evaporation_line="regression",
            means="unweighted",
            end_members="unweighted",
            mixing="uncorrected",
            confidence_interval="none",
            words=(
                "As Li et al. (2024) did it, to be compared with their tables; the "
                "crossing of a regression line is seldom the water before evaporation."
            ),
        ),
        "recommended": Preset(
            name="recommended",
            lmwl_method="pwrma",
            lmwl_method_without_amount="ols",
            evaporation_line="craig_gordon",
            means="by_site",
            end_members="amount_weighted",
            mixing="evaporation_corrected",
            confidence_interval="fieller",
            words=(
                "Each sample led back along the slope of evaporation to a meteoric "
                "line that weights precipitation by its amount, errors carried along."
            ),
        ),
    }
)
"""The presets by name."""


def preset(name: str) -> Preset:
    """Return a preset.

    Parameters
    ----------
    name : str
        ``"paper"`` or ``"recommended"``.

    Returns
    -------
    preset : Preset
        The methods.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> preset("paper").evaporation_line
    'regression'
    """
    if name not in PRESETS:
        message = f"Unknown preset '{name}'. Choose one of {', '.join(PRESETS)}."
        raise InputError(message)
    return PRESETS[name]
