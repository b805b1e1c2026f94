"""Whether a regression line through samples can be a line of evaporation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.lines import WaterLine


@dataclass(frozen=True, slots=True)
class SlopeArtefact:
    """Regression slope beside the slope that evaporation can have."""

    regression_slope: float
    """Slope of the line through the samples."""
    theory_slope: float
    """Slope of evaporation by the Craig-Gordon model."""
    difference: float
    """Regression slope minus theory slope."""
    standard_error: float
    """Standard error of the difference; NaN where the line's is unknown."""
    p_value: float
    """One-sided probability of so steep a line if the theory slope held."""
    artefact: bool
    """Whether the line is too steep to be a line of evaporation."""
    words: str
    """The finding in one sentence."""


def slope_artefact(
    line: WaterLine,
    theory_slope: float,
    *,
    theory_standard_error: float = 0.0,
    significance: float = 0.05,
) -> SlopeArtefact:
    """Compare a regression line with the slope of evaporation.

    Parameters
    ----------
    line : WaterLine
        Regression line through evaporated samples.
    theory_slope : float
        Slope of evaporation, see `evaporation_slope`.
    theory_standard_error : float
        Standard error of the theory slope, from its uncertain climate.
    significance : float
        Share of true evaporation lines that may be called artefacts.

    Returns
    -------
    finding : SlopeArtefact
        Comparison; without a standard error any steeper line counts as artefact.

    Raises
    ------
    InputError
        If the theory slope is not a number.

    Notes
    -----
    Source and evaporation that covary over a season tilt the regression towards the
    meteoric water line, and its crossing with that line is then lighter than any
    source (Benettin et al. 2018).

    References
    ----------
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> finding = slope_artefact(WaterLine.stated(6.7, -9.1), 3.2)
    >>> finding.artefact
    True
    """
    if not (np.isfinite(theory_slope) and np.isfinite(line.slope)):
        message = (
            f"Invalid slopes: regression {line.slope}, evaporation {theory_slope}. "
            "Both are finite numbers."
        )
        raise InputError(message)
    difference = line.slope - theory_slope
    error = float(np.hypot(line.slope_standard_error, theory_standard_error))
    p_value = float("nan")
    artefact = difference > 0
    if error > 0:
        t = difference / error
        p_value = float(stats.t.sf(t, line.n - 2) if line.n > 2 else stats.norm.sf(t))
        artefact = p_value < significance
    words = _words(line.slope, theory_slope, artefact=artefact)
    return SlopeArtefact(
        line.slope, theory_slope, difference, error, p_value, artefact, words
    )


def _words(slope: float, theory: float, *, artefact: bool) -> str:
    if artefact:
        return (
            f"The regression line (slope {slope:.2f}) is steeper than evaporation "
            f"({theory:.2f}): it is a trend of mixed sources, and its crossing with "
            "the meteoric water line is an artefact, not the water before evaporation."
        )
    return (
        f"The regression line (slope {slope:.2f}) is not steeper than evaporation "
        f"({theory:.2f}) within its error: its crossing may be read as source water."
    )
