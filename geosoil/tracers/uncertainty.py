"""First-order uncertainty of source fractions and the share of each water in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import Group, check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MixingAnswer, MixingTask, solve_mixtures
from geosoil.tracers.source_arrays import SourceArrays
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]
SpreadOf = Literal["sample", "mean"]

SPREADS: dict[str, str] = {"sample": "SD", "mean": "SE"}
"""What stands for the spread of a water: standard deviation or standard error."""
BEYOND = "interval passes 0 or 1: draws tell it better"
"""Reason: the symmetric interval holds shares that cannot be."""


def fraction_variance_shares(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    of: SpreadOf = "sample",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Tell how uncertain each fraction is, and which water makes it so.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, as in `geosoil.tracers.mixing.source_fractions`, and
        optionally ``n``, the samples that its mean and spread come from.
    end_members : EndMembers
        Sources with their spread and, where known, ``n``.
    tracers : sequence of str
        Tracers to use.
    of : {"sample", "mean"}
        Whether the fraction is that of a single sample, so that the standard
        deviations (SD) of mixture and sources count in full, or that of a mean, so
        that their standard errors (SE = SD / sqrt(n)) count. Without ``n`` a spread
        counts in full either way.
    confidence : float
        Confidence of the interval, above 0 and below 1.

    Returns
    -------
    shares : DataFrame
        One row a mixture and source: ``mixture`` (index label), ``source``;
        ``fraction`` without the sign rule; ``sd``; ``lower``, ``upper``, not cut to
        0 and 1; ``df``; ``share_mixture`` and ``share_<source>``, the part of the
        variance that comes from each water; ``spread_of`` ("SD" or "SE");
        ``reason``, "" where fine. A source that takes no part has fraction 0 and no
        shares.

    Raises
    ------
    MixingError
        If end members are equal, collinear or more than the tracers can tell apart.
    InputError
        If a column is missing, ``of`` or ``confidence`` is unknown, or an ``n`` is
        below 1.

    Warns
    -----
    GeosoilWarning
        Where end members are nearly collinear, or no water has a spread.

    Notes
    -----
    With G = df / dm, var f = G Sigma_m G' + sum_k f_k^2 G Sigma_k G', for any number
    of sources and tracers; each term is the part of one water, the covariances of
    its tracers included. With unlike concentrations f_k is the share of the tracer
    that comes from the source. The interval is f plus and minus t sd, with
    Welch-Satterthwaite degrees of freedom of the parts (n - 1 each; infinite without
    n). First order holds where sd is small beside the distance to 0 and 1.

    References
    ----------
    Genereux (1998), Water Resour. Res. 34, 915-919, doi:10.1029/98WR00010; Phillips
    and Gregg (2001), Oecologia 127, 171-179, doi:10.1007/s004420000578.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
    ...     "Cl": [100.0, 0.0], "Cl_sd": [5.0, 5.0]}))
    >>> stream = pd.DataFrame({"Cl": [50.0], "Cl_sd": [1.0]})
    >>> shares = fraction_variance_shares(stream, ends, tracers=["Cl"])
    >>> columns = ["sd", "share_mixture", "share_rain", "share_ice"]
    >>> shares.loc[0, columns].astype(float).round(4).tolist()
    [0.0367, 0.0741, 0.463, 0.463]
    """
    _check_request(of, confidence)
    check_columns(mixtures, end_members.by, what="Mixtures")
    names, counts = list(tracers), _counts(mixtures)
    covariances = tracer_covariances(mixtures, names, what="Mixtures")
    if of == "mean":
        covariances = covariances / counts[:, None, None]
    task = MixingTask(
        names,
        tracer_values(mixtures, names, what="Mixtures"),
        covariances,
        allowed_sources(mixtures, end_members.sources),
        "gls",
        of_means=of == "mean",
    )
    strata = sample_groups(mixtures, end_members.by)
    answer = solve_mixtures(task, end_members, strata)
    shares, df = _all_shares(task, (end_members, strata), answer, counts)
    table = _tidy(mixtures, end_members.sources, answer)
    half = student_t(df, confidence) * answer.sd
    # A source that takes no part has no spread, and its fraction is no guess.
    half = np.where(answer.sd == 0.0, 0.0, half)
    lower, upper = answer.raw - half, answer.raw + half
    table = table.assign(lower=lower.ravel(), upper=upper.ravel(), df=df.ravel())
    for place, water in enumerate(["mixture", *end_members.sources]):
        table[f"share_{water}"] = shares[:, place].ravel()
    beyond = ((lower < 0.0) | (upper > 1.0)).any(axis=1)
    words = zip(answer.reason, np.where(beyond, BEYOND, ""), strict=True)
    reason = np.array(["; ".join(filter(None, pair)) for pair in words], dtype=object)
    each = np.repeat(reason, len(end_members.sources))
    return table.assign(spread_of=SPREADS[of], reason=each)


def _tidy(
    mixtures: pd.DataFrame, sources: Sequence[str], answer: MixingAnswer
) -> pd.DataFrame:
    """Lay the fractions out with one row a mixture and source."""
    return pd.DataFrame(
        {
            "mixture": np.repeat(mixtures.index.to_numpy(), len(sources)),
            "source": list(sources) * len(mixtures),
            "fraction": answer.raw.ravel(),
            "sd": answer.sd.ravel(),
        }
    )


def tracer_shares(fractions: FloatArray, concentrations: FloatArray) -> FloatArray:
    """Give the share of each tracer in one mixture that comes from each source.

    Parameters
    ----------
    fractions : array, shape (source,)
        Raw fractions.
    concentrations : array, shape (source, tracer)
        Concentrations, equal where all sources carry a tracer alike.

    Returns
    -------
    shares : array, shape (source, tracer)
        f_k q_kj / sum_i f_i q_ij; the fractions where concentrations are equal. NaN
        where negative fractions add up to nothing of a tracer.

    Examples
    --------
    >>> shares = tracer_shares(np.array([0.5, 0.5]), np.array([[1.0], [3.0]]))
    >>> shares.tolist()
    [[0.25], [0.75]]
    """
    carried = fractions[:, None] * concentrations
    total = carried.sum(axis=0)
    return np.asarray(carried / np.where(total > 0, total, np.nan))


def variance_parts(
    own: FloatArray, spread: FloatArray, shares: FloatArray, gain: FloatArray
) -> FloatArray:
    """Split the variance of the fractions of one mixture by water.

    Parameters
    ----------
    own : array, shape (tracer, tracer)
        Covariance of the mixture.
    spread : array, shape (source, tracer, tracer)
        Covariances of the sources.
    shares : array, shape (source, tracer)
        Share of each tracer that comes from each source, see `tracer_shares`.
    gain : array, shape (fraction, tracer)
        Derivative of each fraction by the mixture's tracers.

    Returns
    -------
    parts : array, shape (1 + source, fraction)
        Variance of each fraction that comes from the mixture and from each source;
        their sum is the variance.

    Examples
    --------
    >>> own, spread = np.array([[1.0]]), np.array([[[25.0]], [[25.0]]])
    >>> gain = np.array([[0.01], [-0.01]])
    >>> parts = variance_parts(own, spread, np.full((2, 1), 0.5), gain)
    >>> parts[:, 0].round(6).tolist()
    [0.0001, 0.000625, 0.000625]
    """
    scaled = spread * shares[:, :, None] * shares[:, None, :]
    waters = np.concatenate([own[None], scaled])
    parts = np.einsum("kj,wji,ki->wk", gain, waters, gain)
    return np.asarray(np.maximum(parts, 0.0), dtype=float)


def satterthwaite_df(parts: FloatArray, freedom: FloatArray) -> FloatArray:
    """Degrees of freedom of a variance that is a sum of estimated parts.

    Parameters
    ----------
    parts : array, shape (water, k)
        Parts of each of k variances.
    freedom : array, shape (water,)
        Degrees of freedom of each part; infinite where it is known.

    Returns
    -------
    df : array, shape (k,)
        (sum v)^2 / sum(v^2 / df); infinite where nothing is estimated.

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2, 110-114, doi:10.2307/3002019.

    Examples
    --------
    >>> satterthwaite_df(np.array([[1.0], [1.0]]), np.array([4.0, 4.0])).tolist()
    [8.0]
    """
    total = parts.sum(axis=0)
    below = (parts**2 / freedom[:, None]).sum(axis=0)
    effective = np.full(total.shape, np.inf)
    np.divide(total**2, below, out=effective, where=below > 0)
    return effective


def student_t(df: FloatArray, confidence: float) -> FloatArray:
    """Two-sided quantile of Student's t.

    Parameters
    ----------
    df : array
        Degrees of freedom; infinite for the normal distribution.
    confidence : float
        Confidence of the interval.

    Returns
    -------
    t : array
        Half width in standard errors; NaN where ``df`` is.

    Examples
    --------
    >>> student_t(np.array([4.0, np.inf]), 0.95).round(3).tolist()
    [2.776, 1.96]
    """
    return np.asarray(stats.t.ppf(0.5 + confidence / 2.0, df), dtype=float)


def _check_request(of: str, confidence: float) -> None:
    faults = []
    if of not in SPREADS:
        faults.append(f"Unknown of='{of}'. Choose sample or mean.")
    if not 0.0 < confidence < 1.0:
        faults.append(f"Invalid confidence {confidence}. It lies above 0 and below 1.")
    if faults:
        raise InputError(" ".join(faults))


def _counts(mixtures: pd.DataFrame) -> FloatArray:
    """Count the samples of each mixture; 1 where unknown: its spread is whole."""
    if "n" not in mixtures.columns:
        return np.ones(len(mixtures))
    given = mixtures["n"].to_numpy(dtype=float, na_value=np.nan)
    counts: FloatArray = np.where(np.isnan(given), 1.0, given)
    if np.any(counts < 1.0):
        message = (
            f"Mixtures: {int(np.sum(counts < 1.0))} values of 'n' below 1. A mean "
            "comes from 1 sample or more; leave the cell empty where n is unknown."
        )
        raise InputError(message)
    return counts


def _freedom(counts: npt.ArrayLike) -> FloatArray:
    number = np.asarray(counts, dtype=float)
    return np.asarray(np.where(number > 1.0, number - 1.0, np.inf))


def _all_shares(
    task: MixingTask,
    waters: tuple[EndMembers, Sequence[Group]],
    answer: MixingAnswer,
    counts: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Shares (n, water, source) of each variance, and its degrees of freedom."""
    end_members, strata = waters
    n, n_sources = answer.raw.shape
    shares = np.full((n, 1 + n_sources, n_sources), np.nan)
    df = np.full((n, n_sources), np.nan)
    arrays = SourceArrays.of(end_members, task)
    known = np.asarray(np.isfinite(answer.sd).all(axis=1))
    for group in strata:
        if not known[group.rows].any():
            continue
        sources = arrays.rows(group.key)
        places = arrays.places[sources]
        spread = np.zeros((n_sources, *task.covariances.shape[1:]))
        spread[places] = arrays.spread[sources]
        amount = np.ones(spread.shape[:2])
        amount[places] = arrays.concentrations[sources]
        freedom = np.full(1 + n_sources, np.inf)
        freedom[1 + places] = _freedom(arrays.counts[sources])
        for row in group.rows[known[group.rows]]:
            carried = tracer_shares(answer.raw[row], amount)
            own = task.covariances[row]
            parts = variance_parts(own, spread, carried, answer.gain[row])
            total = parts.sum(axis=0)
            freedom[0] = _freedom(counts[row])
            df[row] = np.where(total > 0, satterthwaite_df(parts, freedom), np.nan)
            np.divide(parts, total, out=shares[row], where=total > 0)
    return shares, df
