"""What is known beforehand of the evaporation of a mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError, MixingError
from geosoil.tracers.delta import lc_excess
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation import residual_water
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.slope_uncertainty import ClimateSpread, draw_climates
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]

REMAINING = (0.80, 0.98)
"""Share of soil water that evaporation has left, where nobody states it: an assumption
for soils under rain in summer, not a finding."""

PAIR = ("d18O", "d2H")


@dataclass(frozen=True, slots=True)
class EvaporationPrior:
    """Knowledge of evaporation E, an enrichment in d18O of 0 or above [permil].

    d2H gains slope E. E is normal with mean ``shift`` and ``shift_sd``, cut at 0; an
    infinite ``shift_sd`` says that nothing is known of its amount.

    Raises
    ------
    InputError
        If a number is missing, or a standard deviation is negative.

    Examples
    --------
    >>> EvaporationPrior(slope=3.5, slope_sd=0.4).is_informative
    False
    >>> EvaporationPrior(3.5, 0.4, shift=1.2, shift_sd=0.5).is_informative
    True
    """

    slope: float
    """Slope of evaporation [permil d2H per permil d18O]."""
    slope_sd: float = 0.0
    """Standard deviation of the slope."""
    shift: float = 0.0
    """Mean of E before it is cut at 0 [permil]."""
    shift_sd: float = np.inf
    """Standard deviation of E before it is cut at 0 [permil]; infinite if unknown."""
    gains: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Change of further tracers per permil of E, 0 for one that stays as it is."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        numbers = np.array(
            [self.slope, self.slope_sd, self.shift, *self.gains.values()]
        )
        if not np.isfinite(numbers).all() or np.isnan(self.shift_sd):
            message = f"{self}: slope, slope_sd, shift and gains are finite numbers."
            raise InputError(message)
        if self.slope_sd < 0 or self.shift_sd <= 0:
            message = (
                f"{self}: slope_sd is 0 or above and shift_sd above 0; leave shift_sd "
                "out where nothing is known of the amount."
            )
            raise InputError(message)

    @property
    def is_informative(self) -> bool:
        """Whether anything is said of the amount of evaporation."""
        return bool(np.isfinite(self.shift_sd))

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of E once it is cut at 0 [permil].

        Raises
        ------
        InputError
            If nothing is known of the amount.

        Examples
        --------
        >>> mean, sd = EvaporationPrior(3.5, shift=0.0, shift_sd=1.0).moments
        >>> round(mean, 3), round(sd, 3)
        (0.798, 0.603)
        """
        if not self.is_informative:
            message = f"{self}: nothing is said of the amount. Give shift and shift_sd."
            raise InputError(message)
        cut = stats.truncnorm(-self.shift / self.shift_sd, np.inf)
        return (
            self.shift + self.shift_sd * float(cut.mean()),
            self.shift_sd * float(cut.std()),
        )

    def direction(self, tracers: Sequence[str]) -> FloatArray:
        """Return the change of tracers per permil of E.

        Parameters
        ----------
        tracers : sequence of str
            d18O, d2H, d_excess and those of ``gains``.

        Returns
        -------
        direction : array, shape (tracer,)
            1 for d18O, the slope for d2H, the slope less 8 for d_excess.

        Raises
        ------
        InputError
            If the gain of a tracer is not known, or none of them changes.

        Examples
        --------
        >>> EvaporationPrior(3.5).direction(["d18O", "d_excess"]).tolist()
        [1.0, -4.5]
        """
        own = {"d18O": 1.0, "d2H": self.slope, "d_excess": self.slope - 8.0}
        gains = {**self.gains, **own}
        lacking = [name for name in tracers if name not in gains]
        if lacking:
            message = (
                f"Not known how evaporation changes {', '.join(lacking)}. Give its "
                f"change per permil d18O, gains={{'{lacking[0]}': 0.0}} for one that "
                "stays as it is; solutes are concentrated and do not."
            )
            raise InputError(message)
        found = np.array([gains[name] for name in tracers], dtype=float)
        if not found.any():
            message = f"Evaporation of slope {self.slope:g} changes none of the tracers"
            message += f" {', '.join(tracers)}: add one that it changes."
            raise InputError(message)
        return found

    @staticmethod
    def bend(tracers: Sequence[str]) -> FloatArray:
        """Return the change of `direction` per unit of the slope.

        Parameters
        ----------
        tracers : sequence of str
            Tracers.

        Returns
        -------
        bend : array, shape (tracer,)
            1 for d2H and d_excess, else 0.

        Examples
        --------
        >>> EvaporationPrior.bend(["d18O", "d_excess"]).tolist()
        [0.0, 1.0]
        """
        return np.array([float(name in ("d2H", "d_excess")) for name in tracers])


def evaporation_prior(
    climate: EvaporationClimate,
    *,
    d18O: float,
    d2H: float,
    rng: np.random.Generator,
    spread: ClimateSpread | None = None,
    remaining: tuple[float, float] = REMAINING,
) -> EvaporationPrior:
    """Derive slope and amount of evaporation from a month's climate by Craig-Gordon.

    Parameters
    ----------
    climate : EvaporationClimate
        Conditions of the month, one number each.
    d18O, d2H : float
        Water before evaporation, such as the mean rain [permil].
    rng : Generator
        Source of randomness.
    spread : ClimateSpread, optional
        Standard deviations of the conditions; by default those of `ClimateSpread`.
    remaining : tuple = (lower, upper)
        Limits of the share of water that evaporation has left; every share between
        them is as likely. The default, `REMAINING`, is an assumption: the amount
        hangs on it more than on the climate, so state your own.

    Returns
    -------
    prior : EvaporationPrior
        Means and standard deviations of 2,000 draws.

    Raises
    ------
    InputError
        If the limits are not 0 < lower < upper <= 1, or the water is not a number.

    Notes
    -----
    Each draw takes one climate and one share f and lets the water evaporate without
    inflow; E = d18O(f) - d18O and slope = (d2H(f) - d2H) / E, which tends to
    `evaporation_slope` as f tends to 1. Its mean over the draws may differ from the
    slope of the stated climate, for k is at most 1 and a stated 1 is drawn below only.
    E and slope enter mixing as independent. The law describes one water that dries;
    a mixture that is renewed by rain keeps less. The prior holds no isotope data of the
    mixtures, so that it may be used with them.

    References
    ----------
    Gonfiantini (1986), Handbook of Environmental Isotope Geochemistry 2, 113-168;
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> june = EvaporationClimate(temperature=8.0, humidity=0.55)
    >>> prior = evaporation_prior(june, d18O=-12.5, d2H=-90.0, remaining=(0.9, 0.99),
    ...                           rng=np.random.default_rng(1))
    >>> round(prior.slope, 1), round(prior.shift, 1), round(prior.shift_sd, 1)
    (3.4, 1.7, 0.8)
    """
    low, high = remaining
    if not 0 < low < high <= 1:
        message = f"Invalid remaining {remaining}: 0 < lower < upper <= 1 is needed."
        raise InputError(message)
    if not np.isfinite([d18O, d2H]).all():
        message = f"Water before evaporation ({d18O}, {d2H}) is not known."
        raise InputError(message)
    drawn = draw_climates(climate, spread=spread or ClimateSpread(), rng=rng)
    share = high - (high - low) * rng.random(np.shape(drawn.temperature))
    # A share of exactly 1 has no slope; it is drawn with probability 0 but may round.
    share = np.minimum(share, 1.0 - 1e-6)
    left = residual_water(d18O, d2H, remaining=share, climate=drawn)
    shift = left.d18O - d18O
    slope = (left.d2H - d2H) / shift
    return EvaporationPrior(
        float(slope.mean()),
        float(slope.std(ddof=1)),
        float(shift.mean()),
        float(shift.std(ddof=1)),
    )


def evaporation_prior_from_lc_excess(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    line: WaterLine,
    slope: float,
    slope_sd: float = 0.0,
) -> EvaporationPrior:
    """Derive the amount of evaporation from how far mixtures lie below the LMWL.

    Parameters
    ----------
    mixtures : DataFrame
        Mixtures of one month or stratum, with d18O and d2H [permil] and optionally
        their ``_sd``; rows without both are left out.
    end_members : EndMembers
        Sources of one stratum, as fallen.
    line : WaterLine
        Local meteoric water line; errors that are unknown (NaN) count as 0.
    slope, slope_sd : float
        Slope of evaporation and its standard deviation, see `evaporation_prior`.

    Returns
    -------
    prior : EvaporationPrior
        Amount of a single mixture: mean, and standard deviation of all below.

    Raises
    ------
    InputError
        If the slope is not below the line's, or no mixture has both tracers.
    MixingError
        If the end members have strata.

    Notes
    -----
    E = (lc_sources - lc_mixture) / (a - slope). Sources off the line make an offset of
    their own that looks like evaporation: with shares unknown and all of them as
    likely, K sources have lc_sources of mean(lc_k) with the variance sum (lc_k -
    mean)^2 / (K (K + 1)) + 2 sum var(lc_k) / (K (K + 1)). The variance of E holds it,
    the scatter of the mixtures (not below that of their measurements), the line and
    the slope. Built from the same mixtures that it is then used with, this prior uses
    their data twice: the answer looks surer than it is. Take other waters of the
    month for it, or read the result as a fit and not as a test.

    References
    ----------
    Landwehr and Coplen (2006), Line-conditioned excess, IAEA-CN-118/56; Benettin et
    al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["rain", "snow"],
    ...     "d18O": [-12.0, -18.0], "d2H": [-86.0, -134.0]}))
    >>> soil = pd.DataFrame({"d18O": [-12.0, -13.0], "d2H": [-92.0, -98.0]})
    >>> lmwl = WaterLine.stated(8.0, 10.0)
    >>> prior = evaporation_prior_from_lc_excess(soil, ends, line=lmwl, slope=4.0)
    >>> round(prior.shift, 2), round(prior.shift_sd, 2)
    (1.25, 0.35)
    """
    gap = line.slope - slope
    if not gap > 1e-9:
        message = (
            f"Slope of evaporation {slope:g} is not below the line's {line.slope:g}: "
            "no amount can be read from the lc-excess."
        )
        raise InputError(message)
    if end_members.by:
        message = f"Select one stratum of {', '.join(end_members.by)} first."
        raise MixingError(message)
    values = tracer_values(mixtures, PAIR, what="Mixtures")
    whole = np.isfinite(values).all(axis=1)
    if not whole.any():
        message = f"None of {len(values)} mixtures has both d18O and d2H."
        raise InputError(message)
    values = values[whole]
    own = tracer_covariances(mixtures, PAIR, what="Mixtures")[whole]
    across = np.array([-line.slope, 1.0])
    sources, sources_variance = _sources_excess(end_members, line, across)
    excess = lc_excess(values[:, 0], values[:, 1], line)
    shift = (sources - float(excess.mean())) / gap
    measured = float(np.einsum("j,nji,i->n", across, own, across).mean())
    scatter = float(excess.var(ddof=1)) if len(excess) > 1 else 0.0
    variance = max(scatter, measured) + sources_variance
    variance += _line_variance(line, float(values[:, 0].mean()))
    variance = (variance + (shift * slope_sd) ** 2) / gap**2
    if not variance > 0:
        message = (
            "Nothing makes the amount uncertain: one mixture, exact sources, line and "
            "slope. Give d18O_sd and d2H_sd."
        )
        raise InputError(message)
    return EvaporationPrior(slope, slope_sd, shift, float(np.sqrt(variance)))


def _sources_excess(
    end_members: EndMembers, line: WaterLine, across: FloatArray
) -> tuple[float, float]:
    """Mean and variance of the lc-excess of the sources' mixtures of any shares."""
    means = end_members.means(PAIR)
    excess = lc_excess(means[:, 0], means[:, 1], line)
    spread = end_members.covariances(PAIR)
    size = len(excess)
    own = np.einsum("j,kji,i->k", across, spread, across)
    total = ((excess - excess.mean()) ** 2).sum() + 2.0 * own.sum()
    return float(excess.mean()), float(total / (size * (size + 1)))


def _line_variance(line: WaterLine, d18O: float) -> float:
    """Variance of the line's d2H at a d18O [permil^2]."""
    slope, intercept, both = np.nan_to_num(
        [line.slope_standard_error, line.intercept_standard_error, line.covariance]
    )
    variance = d18O**2 * slope**2 + intercept**2 + 2.0 * d18O * both
    return max(float(variance), 0.0)
