"""Prior and posterior density of source fractions on plain arrays."""

from __future__ import annotations

import numpy as np

from geosoil.tracers._kernels_bayes import (
    WIDEST,
    Batch,
    FloatArray,
    Layout,
    apply,
    cholesky,
    log_shares,
    lower_inverse,
    mixture_terms,
    residual_covariance,
)


def log_prior(state: FloatArray, layout: Layout, batch: Batch) -> FloatArray:
    """Log prior (G, W) of states (parameter, G, W), Jacobians included."""
    parts = layout.parts
    out = ratio_prior(state[parts["ratios"]], batch)
    residual = np.clip(state[parts["residual"]], -WIDEST, WIDEST)
    if layout.residual == "inverse_wishart":
        out = out + _wishart_prior(state, layout)
    elif layout.residual == "half_normal":
        scaled = np.exp(residual) / batch.residual_scale
        out = out + (np.log(scaled) - 0.5 * scaled**2).sum(axis=0)
    elif layout.residual == "gamma_simmr":
        out = out + (3.0 * residual - 0.06 * np.exp(residual)).sum(axis=0)
    elif layout.residual == "product":
        out = out - (residual + 2.0 * np.log1p(np.exp(-residual))).sum(axis=0)
    if layout.correlated:
        out = out + _correlation_prior(state[parts["correlation"]], layout.n_tracers)
    if layout.evaporated:
        score = state[parts["evaporation"]][0]
        known = np.isfinite(batch.evaporation[1])
        out = out + (-0.5 * score**2 if known else score)
    if layout.scaled:
        logs = state[parts["scale"]] + np.log(batch.typical)
        terms = logs + np.exp(np.minimum(-logs, WIDEST))
        out = out - 0.5 * (batch.freedom * terms).sum(axis=0)
    bounded = (np.abs(state[parts["ratios"].stop :]) < WIDEST).all(axis=0)
    return np.where(bounded, out, -np.inf)


def ratio_prior(ratios: FloatArray, batch: Batch) -> FloatArray:
    """Log prior of log-ratios (K - 1, G, W); minus infinity above a cap."""
    logs = log_shares(ratios)
    if batch.ratio_precision is None:
        out = (batch.dirichlet * logs).sum(axis=0)
    else:
        away = ratios - batch.ratio_mean
        out = -0.5 * (away * apply(batch.ratio_precision, away)).sum(axis=0)
    inside = (np.exp(logs) <= batch.caps).all(axis=0)
    return np.where(inside, out, -np.inf)


def _correlation_prior(value: FloatArray, size: int) -> FloatArray:
    """Prior that is flat over correlation matrices, for atanh partial correlations."""
    log_left = np.log(4.0) - 2.0 * np.logaddexp(value, -value)
    powers = [1.0 + 0.5 * (size - 2 - j) for i in range(size) for j in range(i)]
    return np.tensordot(np.array(powers), log_left, axes=1)


def _wishart_prior(state: FloatArray, layout: Layout) -> FloatArray:
    """Inverse Wishart prior (1, J + 1) of a residual covariance, over the flat ones.

    Of logarithms of standard deviations s and a correlation matrix: the Jacobian of
    the covariance is the product of s^(J + 1).
    """
    size = layout.n_tracers
    factor = cholesky(residual_covariance(state, layout))
    log_root = np.log(factor[np.arange(size), np.arange(size)]).sum(axis=0)
    residual = np.clip(state[layout.parts["residual"]], -WIDEST, WIDEST)
    trace = (lower_inverse(factor) ** 2).sum(axis=(0, 1))
    flat = residual.sum(axis=0)
    out: FloatArray = (size + 1.0) * (flat - 2.0 * log_root) - 0.5 * trace
    return out


def log_density(state: FloatArray, layout: Layout, batch: Batch) -> FloatArray:
    """Log posterior (G, W) of states (parameter, G, W), up to a constant."""
    out = log_prior(state, layout, batch)
    out = out + mixture_terms(state, layout, batch).log_likelihood
    return np.where(np.isfinite(out), out, -np.inf)
