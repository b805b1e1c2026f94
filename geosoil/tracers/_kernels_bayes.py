"""Likelihood of source fractions on plain arrays.

Parameters stand first and evaluations last: an array (parameter, group, walker) holds
many states of many groups, which share one set of operations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]

TINY, NEAR = 1e-100, 1e-12
"""Least pivot of a factor, and least share of a variance that is one."""
WIDEST = 40.0
"""Largest logarithm of a standard deviation or an evaporation."""
PRODUCT_LIMIT = 20.0
"""Upper end of the factor that multiplies the process error."""


class Layout(NamedTuple):
    """Which parameters a state holds, in this order."""

    n_sources: int
    """Sources K; K - 1 log-ratios stand first."""
    n_tracers: int
    """Tracers J."""
    residual: str
    """Prior of the J residuals, or "product"; "none" where there are none."""
    correlated: bool
    """Whether J (J - 1) / 2 residual correlations follow."""
    evaporated: bool
    """Whether the logarithm of evaporation follows."""
    scaled: bool
    """Whether K logarithms of factors of the covariances of the sources' means, over
    their typical scale, follow."""
    process: bool
    """Whether each mixture draws single samples of its sources."""
    uncertain: bool
    """Whether the means of the sources are uncertain."""

    @property
    def parts(self) -> dict[str, slice]:
        """Slice of each kind of parameter."""
        pairs = self.n_tracers * (self.n_tracers - 1) // 2
        lengths = {
            "ratios": self.n_sources - 1,
            "residual": self.n_tracers if self.residual != "none" else 0,
            "correlation": pairs if self.correlated else 0,
            "evaporation": int(self.evaporated),
            "scale": self.n_sources if self.scaled else 0,
        }
        ends = np.cumsum(list(lengths.values()))
        return {
            name: slice(int(end) - length, int(end))
            for (name, length), end in zip(lengths.items(), ends, strict=True)
        }

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.parts["scale"].stop)


class Batch(NamedTuple):
    """Data and priors of G groups with as many sources each; groups stand last but 1.

    K sources, J tracers, C classes of mixtures with one measurement error each.
    """

    means: FloatArray
    """Means of the sources, shape (K, J, G, 1)."""
    spread: FloatArray
    """Covariances of single samples of the sources, shape (K, J, J, G, 1)."""
    mean_spread: FloatArray
    """Covariances of the sources' means at the typical scale (K, J, J, G, 1)."""
    freedom: FloatArray
    """Degrees of freedom of the sources' covariances, shape (K, G, 1)."""
    typical: FloatArray
    """Typical scale, mean of a scaled inverse chi-squared factor, shape (K, G, 1)."""
    concentration: FloatArray | None
    """Concentrations of the tracers in the sources (K, J, G, 1); None if all are 1."""
    n: FloatArray
    """Mixtures of each class, shape (C, G, 1)."""
    centre: FloatArray
    """Mean of each class, shape (C, J, G, 1)."""
    scatter: FloatArray
    """Sum of products about the class means, shape (C, J, J, G, 1)."""
    own: FloatArray
    """Measurement covariance of each class, shape (C, J, J, G, 1)."""
    ratio_mean: FloatArray
    """Mean of the log-ratios of a softmax prior, shape (K - 1, G, 1)."""
    ratio_precision: FloatArray | None
    """Precision of the log-ratios (K - 1, K - 1, G, 1); None for a Dirichlet."""
    dirichlet: FloatArray
    """Concentration of a Dirichlet prior, shape (K, G, 1)."""
    caps: FloatArray
    """Largest share of each source, shape (K, G, 1)."""
    residual_scale: FloatArray
    """Scale of the residual's prior, shape (J, 1, 1)."""
    evaporation: FloatArray
    """Mean and standard deviation of evaporation before it is cut at 0, shape (2,)."""
    direction: FloatArray
    """Change of the tracers by one unit of evaporation, shape (J,)."""
    slope_error: FloatArray
    """Error of this change by one standard deviation of the slope, shape (J,)."""


class MixtureTerms(NamedTuple):
    """Parts of a log-likelihood that an error common to all mixtures enters by."""

    log_likelihood: FloatArray
    """With the common error integrated out."""
    weight: FloatArray
    """Weight of each source in each tracer, shape (K, J, ...)."""
    expected: FloatArray
    """Expected mixture, shape (J, ...)."""
    covariance: FloatArray
    """Covariance of one mixture without measurement error, shape (J, J, ...)."""
    pull: FloatArray
    """Precision times misfit, summed over mixtures, shape (J, ...)."""
    precision: FloatArray
    """Precision of the mixtures' mean, shape (J, J, ...)."""
    factor: FloatArray
    """Cholesky factor of the covariance of the common error, shape (J, J, ...)."""
    gain: FloatArray
    """Log-likelihood that integrating the common error adds."""


def _helmert(size: int) -> FloatArray:
    basis = np.zeros((size, max(size - 1, 0)))
    for k in range(1, size):
        basis[:k, k - 1] = 1.0 / k
        basis[k, k - 1] = -1.0
        basis[:, k - 1] *= np.sqrt(k / (k + 1.0))
    return basis


BASES = tuple(_helmert(size) for size in range(13))
"""Log-ratio bases, made once: they are asked for in every move."""


def contrasts(size: int) -> FloatArray:
    """Orthonormal log-ratio basis (K, K - 1): Helmert contrasts."""
    return BASES[size] if size < len(BASES) else _helmert(size)


def log_shares(ratios: FloatArray) -> FloatArray:
    """Logarithms of shares (K, ...) from log-ratios (K - 1, ...)."""
    flat = np.tensordot(contrasts(len(ratios) + 1), ratios, axes=1)
    top = flat.max(axis=0)
    logs: FloatArray = flat - (top + np.log(np.exp(flat - top).sum(axis=0)))
    return logs


def cholesky(matrix: FloatArray) -> FloatArray:
    """Lower factor of matrices (J, J, ...); a pivot lost to rounding stays small."""
    factor = np.zeros_like(matrix)
    for j in range(len(matrix)):
        pivot = matrix[j, j] - (factor[j, :j] ** 2).sum(axis=0)
        root = np.sqrt(np.maximum(np.maximum(pivot, NEAR * matrix[j, j]), TINY))
        factor[j, j] = root
        for i in range(j + 1, len(matrix)):
            done = (factor[i, :j] * factor[j, :j]).sum(axis=0)
            factor[i, j] = (matrix[i, j] - done) / root
    return factor


def lower_inverse(factor: FloatArray) -> FloatArray:
    """Inverse of lower factors (J, J, ...)."""
    inverse = np.zeros_like(factor)
    for i in range(len(factor)):
        inverse[i, i] = 1.0 / factor[i, i]
        for j in range(i):
            inverse[i, j] = (
                -(factor[i, j:i] * inverse[j:i, j]).sum(axis=0) * inverse[i, i]
            )
    return inverse


def product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Matrix product over the first two axes, (I, J, ...) by (J, L, ...)."""
    out: FloatArray = (left[:, :, None] * right[None]).sum(axis=1)
    return out


def apply(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Matrices (I, J, ...) times vectors (J, ...)."""
    out: FloatArray = (matrix * vector[None]).sum(axis=1)
    return out


def correlation_factor(partial: FloatArray, size: int) -> FloatArray:
    """Factor (J, J, ...) of a correlation matrix from partial correlations."""
    shape = partial.shape[1:]
    factor = np.zeros((size, size, *shape))
    left = np.ones((size, *shape))
    place = 0
    for i in range(size):
        for j in range(i):
            factor[i, j] = partial[place] * np.sqrt(left[i])
            left[i] = left[i] * (1.0 - partial[place] ** 2)
            place += 1
        factor[i, i] = np.sqrt(left[i])
    return factor


def residual_covariance(state: FloatArray, layout: Layout) -> FloatArray:
    """Residual covariance (J, J, ...) of states (parameter, ...)."""
    parts, size = layout.parts, layout.n_tracers
    sd = np.exp(np.clip(state[parts["residual"]], -WIDEST, WIDEST))
    if layout.correlated:
        lower = correlation_factor(np.tanh(state[parts["correlation"]]), size)
        scaled = lower * sd[:, None]
        return product(scaled, scaled.swapaxes(0, 1))
    out = np.zeros((size, *sd.shape))
    out[np.arange(size), np.arange(size)] = sd**2
    return out


def product_factor(state: FloatArray, layout: Layout) -> FloatArray:
    """Factors (J, ...) of the process variance, between 0 and 20."""
    value = np.clip(state[layout.parts["residual"]], -WIDEST, WIDEST)
    return np.asarray(PRODUCT_LIMIT / (1.0 + np.exp(-value)))


def evaporation_of(state: FloatArray, layout: Layout, prior: FloatArray) -> FloatArray:
    """Evaporation (...) of states (parameter, ...).

    With an informative ``prior`` (mean, sd) the parameter is the normal score of E
    under the prior cut at 0; with a flat one it is the logarithm of E.
    """
    part = state[layout.parts["evaporation"]][0]
    mean, sd = prior
    if np.isfinite(sd):
        upper = special.ndtr(mean / sd) * special.ndtr(-np.clip(part, -8.0, 8.0))
        amount = mean - sd * special.ndtri(np.maximum(upper, TINY))
        return np.asarray(np.maximum(amount, 0.0))
    return np.asarray(np.exp(np.clip(part, -WIDEST, WIDEST)))


def source_weights(shares: FloatArray, batch: Batch) -> FloatArray:
    """Weights (K, J, ...) of the sources in each tracer."""
    if batch.concentration is None:
        return np.broadcast_to(
            shares[:, None],
            (len(shares), batch.means.shape[1], *shares.shape[1:]),
        )
    load = shares[:, None] * batch.concentration
    return np.asarray(load / load.sum(axis=0))


def mixed_spread(
    weight: FloatArray, spread: FloatArray, scale: FloatArray | None
) -> FloatArray:
    """Sum over sources of scale w w' spread, shape (J, J, ...)."""
    pairs = weight[:, :, None] * weight[:, None]
    if scale is not None:
        pairs = pairs * scale[:, None, None]
    out: FloatArray = (pairs * spread).sum(axis=0)
    return out


def mixture_terms(state: FloatArray, layout: Layout, batch: Batch) -> MixtureTerms:
    """Likelihood of states (parameter, G, W), with its parts.

    Mixtures are normal about the mixed means with covariance V. A common error, of
    the sources' means and the slope of evaporation, is integrated out: with factor F
    of its covariance, precision A = sum n V^-1 and pull b of the misfits it adds
    (b'F (I + F'AF)^-1 F'b - log |I + F'AF|) / 2.
    """
    parts = layout.parts
    weight = source_weights(np.exp(log_shares(state[parts["ratios"]])), batch)
    scale = None
    if layout.scaled:
        scale = np.exp(np.clip(state[parts["scale"]], -WIDEST, WIDEST))
    expected = (weight * batch.means).sum(axis=0)
    shared = np.zeros((layout.n_tracers, layout.n_tracers, *state.shape[1:]))
    if layout.uncertain:
        shared = shared + mixed_spread(weight, batch.mean_spread, scale)
    if layout.evaporated:
        amount = evaporation_of(state, layout, batch.evaporation)
        expected = expected + batch.direction[:, None, None] * amount
        error = batch.slope_error[:, None, None] * amount
        shared = shared + error[:, None] * error[None]
    covariance = _mixture_covariance(state, layout, batch, (weight, scale))
    fit, pull, precision = _class_sums(expected, covariance, batch)
    factor = cholesky(shared)
    gain = np.zeros(fit.shape)
    if layout.uncertain or layout.evaporated:
        turned = factor.swapaxes(0, 1)
        inner = product(product(turned, precision), factor)
        inner[np.arange(len(inner)), np.arange(len(inner))] += 1.0
        lower = cholesky(inner)
        moved = apply(lower_inverse(lower), apply(turned, pull))
        diagonal = lower[np.arange(len(inner)), np.arange(len(inner))]
        gain = 0.5 * (moved**2).sum(axis=0) - np.log(diagonal).sum(axis=0)
    return MixtureTerms(
        fit + gain, weight, expected, covariance, pull, precision, factor, gain
    )


def _mixture_covariance(
    state: FloatArray,
    layout: Layout,
    batch: Batch,
    mixing: tuple[FloatArray, FloatArray | None],
) -> FloatArray:
    scale = None if mixing[1] is None else mixing[1] * batch.typical
    shape = (layout.n_tracers, layout.n_tracers, *state.shape[1:])
    covariance = np.zeros(shape)
    if layout.process:
        covariance = covariance + mixed_spread(mixing[0], batch.spread, scale)
    if layout.residual == "product":
        root = np.sqrt(product_factor(state, layout))
        return covariance * root[:, None] * root[None]
    if layout.residual != "none":
        covariance = covariance + residual_covariance(state, layout)
    return covariance


def _class_sums(
    expected: FloatArray, covariance: FloatArray, batch: Batch
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood without a common error, pull and precision of the mean."""
    fit = np.zeros(expected.shape[1:])
    pull = np.zeros(expected.shape)
    precision = np.zeros(covariance.shape)
    diagonal = np.arange(len(expected))
    for n, centre, scatter, own in zip(
        batch.n, batch.centre, batch.scatter, batch.own, strict=True
    ):
        lower = cholesky(covariance + own)
        inverse = lower_inverse(lower)
        inner = product(inverse.swapaxes(0, 1), inverse)
        away = centre - expected
        part = n * apply(inner, away)
        log_det = np.log(lower[diagonal, diagonal]).sum(axis=0)
        trace = (inner * scatter).sum(axis=(0, 1)) + (part * away).sum(axis=0)
        fit = fit - n * (log_det + 0.5 * len(expected) * np.log(2 * np.pi))
        fit = fit - 0.5 * trace
        pull = pull + part
        precision = precision + n * inner
    return fit, pull, precision
