"""Whether a regression line through samples can be a line of evaporation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers.evaporation import craig_gordon, evaporation_slope, source_water
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.lines import WaterLine, fit_water_line
from geosoil.tracers.slope_uncertainty import ClimateSpread, draw_climates

FloatArray = npt.NDArray[np.float64]

FALSE_ALARMS = 0.025
"""Share of true evaporation lines that `evaporation_line_artefact` may warn of; half
of the 5 % that are allowed."""

POINTS = 15
"""Points along the range of the samples that a curve of evaporation is fitted to."""

CLIMATES = 1000
"""Climates drawn around the stated one."""


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
    """Standard error of the difference: of the line, where known, and the theory."""
    p_value: float
    """One-sided probability of so steep a line if the theory slope held."""
    artefact: bool
    """Whether the line is too steep to be a line of evaporation."""
    words: str
    """The finding in one sentence."""
    theory_standard_error: float = 0.0
    """Standard error of the theory slope, from its uncertain climate."""


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
        Comparison. An unknown error (NaN) of the line counts as 0; where neither has
        an error, any steeper line counts as artefact.

    Raises
    ------
    InputError
        If the theory slope is not a number.

    Notes
    -----
    Source and evaporation that covary over a season tilt the regression towards the
    meteoric water line, and its crossing with that line is then lighter than any
    source (Benettin et al. 2018). The curve of evaporation itself steepens as water
    dries: against the first slope, without an error of the theory, even true lines
    of strongly evaporated water are warned of. `evaporation_line_artefact` allows for
    the curve and the climate.

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
    own = float(np.nan_to_num(line.slope_standard_error))
    error = float(np.hypot(own, theory_standard_error))
    p_value = float("nan")
    artefact = difference > 0
    if error > 0:
        t = difference / error
        p_value = float(stats.t.sf(t, line.n - 2) if line.n > 2 else stats.norm.sf(t))
        artefact = p_value < significance
    words = _words(line.slope, theory_slope, artefact=artefact)
    return SlopeArtefact(
        line.slope,
        theory_slope,
        difference,
        error,
        p_value,
        artefact,
        words,
        theory_standard_error,
    )


def evaporation_line_artefact(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    lmwl: WaterLine,
    climate: EvaporationClimate,
    spread: ClimateSpread,
    rng: np.random.Generator,
) -> SlopeArtefact:
    """Tell whether samples can lie on one line of evaporation.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Evaporated samples [permil]; rows with a missing value are dropped.
    lmwl : WaterLine
        Local meteoric water line.
    climate : EvaporationClimate
        Conditions of evaporation, one number each.
    spread : ClimateSpread
        Standard deviations of the conditions.
    rng : Generator
        Source of randomness.

    Returns
    -------
    finding : SlopeArtefact
        Least-squares line of the samples beside the Craig-Gordon curve over the same
        range of d18O.

    Raises
    ------
    InputError
        With fewer than 3 usable samples or equal d18O.

    Notes
    -----
    Evaporation follows a curve that steepens as water dries, so that its first slope
    is too low a bar for samples that have lost much. The bar is the least-squares
    slope of the curve over the range of the samples, from their mean's source, for
    1,000 climates around the stated one. p is the mean over the climates of the
    one-sided t probability of so steep a line; it warns below 0.025, for at most 5 %
    false alarms. Errors in d18O flatten a least-squares line: they hide, and do not
    raise, a warning.

    References
    ----------
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> rain = np.linspace(-20.0, -12.0, 30)
    >>> evaporated = 1.5 + np.sin(np.arange(30.0))
    >>> finding = evaporation_line_artefact(
    ...     rain + evaporated, 7.9 * rain + 12.43 + 3.2 * evaporated,
    ...     lmwl=WaterLine.stated(7.9, 12.43), climate=EvaporationClimate(8.0, 0.55),
    ...     spread=ClimateSpread(), rng=np.random.default_rng(1),
    ... )
    >>> finding.artefact
    True
    """
    x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    whole = np.isfinite(x) & np.isfinite(y)
    x, y = x[whole], y[whole]
    line = _plain_line(x, y)
    source = _mean_source(x, y, lmwl, climate)
    drawn = draw_climates(climate, spread=spread, rng=rng, n_draws=CLIMATES)
    theory = _curve_slopes(x, source, drawn)
    stated = float(np.median(theory))
    own, freedom = line.slope_standard_error, max(line.n - 2, 1)
    tail = (line.slope <= theory).astype(float)
    if own > 0:
        tail = np.asarray(stats.t.sf((line.slope - theory) / own, freedom))
    p_value = float(tail.mean())
    artefact = p_value < FALSE_ALARMS
    spread_of_theory = float(theory.std(ddof=1))
    return SlopeArtefact(
        line.slope,
        stated,
        line.slope - stated,
        float(np.hypot(own, spread_of_theory)),
        p_value,
        artefact,
        _words(line.slope, stated, artefact=artefact),
        spread_of_theory,
    )


def _plain_line(d18O: FloatArray, d2H: FloatArray) -> WaterLine:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        return fit_water_line(d18O, d2H)


def _mean_source(
    d18O: FloatArray, d2H: FloatArray, lmwl: WaterLine, climate: EvaporationClimate
) -> tuple[float, float]:
    mean = float(d18O.mean()), float(d2H.mean())
    source = mean
    for _ in range(3):
        slope = float(evaporation_slope(*source, climate=climate))
        found = source_water([mean[0]], [mean[1]], line=lmwl, slope=slope).iloc[0]
        if not np.isfinite(found["d18O"]):
            return mean
        source = float(found["d18O"]), float(found["d2H"])
    return source


def _curve_slopes(
    d18O: FloatArray, source: tuple[float, float], climates: EvaporationClimate
) -> FloatArray:
    """Return the slope of each climate's curve over the range of the samples."""
    oxygen, hydrogen = craig_gordon(*source, climate=climates)
    at = np.quantile(d18O, (np.arange(POINTS) + 0.5) / POINTS)[:, None]
    base = (at - oxygen.limit) / (source[0] - oxygen.limit)
    base = np.where((base > 0) & (oxygen.exponent != 0), base, np.nan)
    remaining = base ** (1.0 / np.where(oxygen.exponent == 0, np.nan, oxygen.exponent))
    d2H = (source[1] - hydrogen.limit) * remaining**hydrogen.exponent + hydrogen.limit
    off = at - at.mean()
    curve = (off * d2H).sum(axis=0) / (off**2).sum()
    start = np.asarray(hydrogen.rate / oxygen.rate, dtype=float)
    return np.where(np.isfinite(curve), curve, start)


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
