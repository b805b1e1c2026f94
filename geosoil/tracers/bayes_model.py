"""What the Bayesian mixing model assumes, and how long its sampler may run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from geosoil.errors import MixingError
from geosoil.tracers._kernels_bayes import Layout
from geosoil.tracers.bayes_prior import FractionPrior
from geosoil.tracers.evaporation_prior import EvaporationPrior

FloatArray = npt.NDArray[np.float64]
Residual = Literal["half_normal", "inverse_wishart", "gamma_simmr", "none"]
Process = Literal["none", "sum_of_squares", "product"]


@dataclass(frozen=True, slots=True, eq=False)
class MixingModel:
    """Model of the mixtures of a group, all of which share its fractions.

    Raises
    ------
    MixingError
        If a choice is unknown, or no error is left that would explain scatter.

    Notes
    -----
    A mixture is normal with mean sum f_k mu_k (+ E (1, S)) and covariance
    V = residual + process + measurement. Process "sum_of_squares" adds sum f_k^2
    Sigma_k: each mixture draws one sample of each source, as for one animal or a water
    of one event. "product" multiplies it by a factor for each tracer, flat between 0
    and 20, in place of a residual. Soil water blends many events, and then either makes
    V too large and the scatter of mixtures speak of fractions; the default is
    therefore "none".

    Sources "means": mu_k is normal about the sample mean with s_k Sigma_k / n, s_k
    scaled inverse chi-squared with n - 1 degrees of freedom. This error is common to
    all mixtures, does not fall with their number and is integrated out exactly. The
    process error has the same s_k Sigma_k.
    Without n, one sample is assumed; with n of 1, s_k is 1.

    References
    ----------
    Parnell et al. (2013), Environmetrics 24, 387-399, doi:10.1002/env.2221; Stock and
    Semmens (2016), Ecology 97, 2562-2569, doi:10.1002/ecy.1517.

    Examples
    --------
    >>> MixingModel(process="sum_of_squares").residual
    'half_normal'
    """

    tracers: tuple[str, ...] = ("d18O", "d2H")
    """Tracers to use."""
    prior: FractionPrior = field(default_factory=FractionPrior)
    """Prior of the fractions."""
    residual: Residual = "half_normal"
    """Prior of the residual: half-normal standard deviations with ``residual_scale``;
    an inverse Wishart covariance with J + 1 degrees of freedom and the identity as
    scale (that of MixSIAR: in units of the tracers, and it keeps variances away from
    0); or Gamma(3, 3/50) (that of simmr: its mean of 50 is far from weak)."""
    residual_scale: Mapping[str, float] | None = None
    """Scale of the half-normal by tracer; by default the standard deviation of all
    mixtures, or of one source sample where there is one mixture."""
    process: Process = "none"
    """Error of drawing single samples of the sources."""
    sources: Literal["means", "fixed"] = "means"
    """Whether the means of the sources are uncertain through n, or known."""
    covariance: Literal["full", "diagonal"] = "full"
    """Whether tracers covary, in sources, measurements and residual; a residual of
    inverse Wishart prior always does."""
    evaporation: EvaporationPrior | None = None
    """Evaporation of each group; its slope is common to all groups."""
    cluster: str | None = "site_id"
    """Column of sites. Where mixtures have it, those of one site in a group are
    averaged first: layers of one profile are no independent mixtures."""
    pooling: Literal["none", "partial"] = "none"
    """Whether groups with the same sources lend each other strength."""

    def __post_init__(self) -> None:
        """Check the choices."""
        choices = (
            ("residual", self.residual, get_args(Residual)),
            ("process", self.process, ("none", "sum_of_squares", "product")),
            ("sources", self.sources, ("means", "fixed")),
            ("covariance", self.covariance, ("full", "diagonal")),
            ("pooling", self.pooling, ("none", "partial")),
        )
        faults = [
            f"{name} '{value}' is not one of {', '.join(known)}"
            for name, value, known in choices
            if value not in known
        ]
        if self.process == "product" and self.residual != "none":
            faults.append(
                "process 'product' takes the place of a residual: set residual='none'"
            )
        if faults:
            message = f"Invalid mixing model: {'; '.join(faults)}."
            raise MixingError(message)

    @property
    def residual_covaries(self) -> bool:
        """Whether the residuals of tracers are correlated."""
        return self.covariance == "full" or self.residual == "inverse_wishart"

    def layout(self, n_sources: int, *, scaled: bool = False) -> Layout:
        """Return the parameters of a group.

        Parameters
        ----------
        n_sources : int
            Sources of the group.
        scaled : bool
            Whether the sizes of the sources' covariances are sampled.

        Returns
        -------
        layout : Layout
            Parameters in their order.

        Examples
        --------
        >>> MixingModel().layout(3).size
        5
        """
        size = len(self.tracers)
        product = self.process == "product"
        residual = "product" if product else self.residual
        own = residual not in ("product", "none")
        return Layout(
            n_sources=n_sources,
            n_tracers=size,
            residual=residual,
            correlated=own and size > 1 and self.residual_covaries,
            evaporated=self.evaporation is not None,
            scaled=scaled,
            process=self.process != "none",
            uncertain=self.sources == "means",
        )

    def parameter_names(self, layout: Layout) -> list[str]:
        """Return names of the parameters other than fractions.

        Parameters
        ----------
        layout : Layout
            Parameters of a group.

        Returns
        -------
        names : list of str
            ``residual_sd_<tracer>``, or ``process_factor_<tracer>``;
            ``residual_correlation_<a>_<b>``, partial where there are three tracers or
            more; ``evaporation``.

        Examples
        --------
        >>> model = MixingModel()
        >>> model.parameter_names(model.layout(2))[2]
        'residual_correlation_d18O_d2H'
        """
        names = []
        if layout.residual != "none":
            word = "process_factor" if layout.residual == "product" else "residual_sd"
            names += [f"{word}_{tracer}" for tracer in self.tracers]
        if layout.correlated:
            names += [
                f"residual_correlation_{self.tracers[j]}_{self.tracers[i]}"
                for i in range(layout.n_tracers)
                for j in range(i)
            ]
        return names + (["evaporation"] if layout.evaporated else [])


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """How the posterior is computed and what counts as converged.

    Raises
    ------
    MixingError
        If a number is out of range.

    Examples
    --------
    >>> SamplerSettings(n_draws=1000).r_hat
    1.01
    """

    method: Literal["auto", "ensemble", "quadrature"] = "auto"
    """"auto" is quadrature with up to 3 sources and 5 parameters, where the process
    error is not estimated with the means' errors."""
    n_draws: int = 2000
    """Draws to keep."""
    walkers: int | None = None
    """Walkers of a group; by default twice the parameters plus 4, 32 at least."""
    warm_up: int = 400
    """Iterations thrown away."""
    block: int = 1600
    """Iterations between two checks."""
    thin: int = 4
    """Iterations a kept state stands for."""
    limit: int = 40_000
    """Iterations after which an unconverged answer is refused."""
    r_hat: float = 1.01
    """Rank-normalised split R-hat that is reached."""
    ess: float = 400.0
    """Effective number of draws, bulk and tail, that is reached."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        whole = {
            "n_draws": (self.n_draws, 100),
            "walkers": (8 if self.walkers is None else self.walkers, 8),
            "warm_up": (self.warm_up, 10),
            "thin": (self.thin, 1),
            "block": (self.block, 8 * self.thin),
            "limit": (self.limit, self.block),
        }
        faults = [
            f"{name} {value} is below {least}"
            for name, (value, least) in whole.items()
            if value < least
        ]
        if self.method not in ("auto", "ensemble", "quadrature"):
            faults.append(f"method '{self.method}' is unknown")
        if not (np.isfinite(self.r_hat) and self.r_hat > 1 and self.ess > 0):
            faults.append("r_hat is above 1 and ess above 0")
        if faults:
            message = f"Invalid sampler settings: {'; '.join(faults)}."
            raise MixingError(message)


def typical_scale(freedom: FloatArray) -> FloatArray:
    """Return the mean of a scaled inverse chi-squared factor, 3 at most.

    Parameters
    ----------
    freedom : array
        Degrees of freedom.

    Returns
    -------
    scale : array
        freedom / (freedom - 2); with 3 or fewer, which have no or a huge mean, 3.

    Examples
    --------
    >>> typical_scale(np.array([1.0, 4.0, 12.0])).tolist()
    [3.0, 2.0, 1.2]
    """
    return np.where(freedom > 3.0, freedom / np.maximum(freedom - 2.0, 1.0), 3.0)
