"""Source fractions of mixtures: how much of each end member a water holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing_solver import MixingTask, Weighting, solve_mixtures
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Constraint = Literal["simplex", "none"]


def source_fractions(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    covariance: npt.ArrayLike | None = None,
    constraint: Constraint = "simplex",
    weighting: Weighting = "gls",
) -> pd.DataFrame:
    """Solve the fractions of every source in every mixture.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with the tracers' columns, those of ``end_members.by``,
        and optionally ``<tracer>_sd`` (measurement) and ``<source>_allowed`` (bool;
        False takes the source out of that mixture, its fraction is exactly 0).
    end_members : EndMembers
        Sources; those with strata are joined on their columns. A source that has no
        row in a stratum takes no part there and has fraction 0. Columns
        ``<tracer>_concentration``, where given, weigh each tracer by what a source
        holds of it, see `tracer_concentrations`.
    tracers : sequence of str
        Tracers to use; ``d_excess`` is computed from d18O and d2H.
    covariance : array, shape (tracer, tracer) or (n, tracer, tracer), optional
        Covariance of the mixtures' tracers, in their order; by default made of the
        columns ``<tracer>_sd`` and ``<a>_<b>_cov``.
    constraint : {"simplex", "none"}
        Whether ``<source>`` is held within 0 and 1.
    weighting : {"gls", "unweighted"}
        Weights of the tracers where there are more than needed: the inverse of the
        whole covariance, or one each in the tracers' own units.

    Returns
    -------
    fractions : DataFrame
        Index of the mixtures; ``<source>``; ``<source>_sd``, first order, of the raw
        fraction; ``<source>_raw``, without the sign rule; ``chi2``, misfit of the
        raw fractions with tracers - sources + 1 degrees of freedom; ``distance`` to
        the mixing polygon [standard deviations]; ``p_value`` of chi2, missing with no
        degree of freedom; ``condition_number`` of the end members that took part, see
        `check_mixing_space`; ``reason``, "" where fine. Without any spread, sd, chi2,
        p_value and distance are missing.

    Raises
    ------
    MixingError
        If end members are equal, collinear or more than the tracers can tell apart,
        or their spread or concentrations are impossible; all strata at once.
    InputError
        If a column is missing or the covariance is not one.

    Warns
    -----
    GeosoilWarning
        Where the condition number is above 100, or no water has a spread.

    Notes
    -----
    Minimises (m - S'f)' W (m - S'f) with sum f = 1 (and f >= 0), exactly: by comparing
    all faces of the simplex, or with more than five sources by an active set. W is
    the inverse of the mixture's covariance plus sum f_k^2 Sigma_k, renewed four times
    with the f found. One mixture is one sample of each source, so Sigma_k is the
    spread of single samples; for means of groups see `fractions_of_means`. With the
    whole covariance the answer is the same for (d18O, d2H) and (d18O, d_excess); the
    condition number is not, as it sees the tracers one by one. var f = G (Sigma_m +
    sum f_k^2 Sigma_k) G', G = df / dm. With concentrations see `mix_by_concentration`.

    References
    ----------
    Genereux (1998), Water Resour. Res. 34, 915-919, doi:10.1029/98WR00010; Phillips
    and Gregg (2001), Oecologia 127, 171-179, doi:10.1007/s004420000578; Phillips and
    Koch (2002), Oecologia 130, 114-125, doi:10.1007/s004420100786.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["precipitation", "ground_ice", "snowmelt"],
    ...     "d18O": [-11.2, -14.9, -16.4], "d_excess": [9.5, -1.0, 12.8],
    ...     "d18O_sd": [0.9, 0.7, 1.2], "d_excess_sd": [1.8, 1.5, 2.2]}))
    >>> soil = pd.DataFrame({"d18O": [-12.33], "d_excess": [7.6]})
    >>> answer = source_fractions(soil, ends, tracers=("d18O", "d_excess"))
    >>> answer[["precipitation", "ground_ice", "snowmelt"]].round(3).values.tolist()
    [[0.724, 0.204, 0.072]]
    """
    if constraint not in ("simplex", "none"):
        message = f"Unknown constraint '{constraint}'. Choose simplex or none."
        raise InputError(message)
    check_columns(mixtures, end_members.by, what="Mixtures")
    names = list(tracers)
    values = tracer_values(mixtures, names, what="Mixtures")
    if covariance is None:
        own = tracer_covariances(mixtures, names, what="Mixtures")
        own = own if own.any() else own[:1]
    else:
        own = _given_covariance(covariance, values.shape)
    allowed = allowed_sources(mixtures, end_members.sources)
    task = MixingTask(names, values, own, allowed, weighting)
    answer = solve_mixtures(task, end_members, sample_groups(mixtures, end_members.by))
    shown = answer.fractions if constraint == "simplex" else answer.raw
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for place, source in enumerate(end_members.sources):
        columns[source] = shown[:, place]
        columns[f"{source}_sd"] = answer.sd[:, place]
        columns[f"{source}_raw"] = answer.raw[:, place]
    columns["chi2"] = answer.chi2
    columns["distance"] = answer.distance
    columns["p_value"] = answer.p_value
    columns["condition_number"] = answer.condition_number
    return pd.DataFrame({**columns, "reason": answer.reason}, index=mixtures.index)


def allowed_sources(table: pd.DataFrame, sources: Sequence[str]) -> BoolArray:
    """Read which sources may take part in each mixture.

    Parameters
    ----------
    table : DataFrame
        Mixtures, with a column ``<source>_allowed`` for sources under a zero rule.
    sources : sequence of str
        Names of the sources.

    Returns
    -------
    allowed : array of bool, shape (n, source)
        True where the column is absent or empty.

    Raises
    ------
    InputError
        If a column holds anything but true and false.

    Examples
    --------
    >>> table = pd.DataFrame({"snowmelt_allowed": [True, False]})
    >>> allowed_sources(table, ["precipitation", "snowmelt"]).tolist()
    [[True, True], [True, False]]
    """
    allowed = np.ones((len(table), len(sources)), dtype=bool)
    for place, source in enumerate(sources):
        column = f"{source}_allowed"
        if column in table.columns:
            values = table[column].astype(object)
            values = values.where(values.notna(), True)
            if not values.isin([True, False]).all():
                message = (
                    f"Mixtures: column '{column}' holds other than true and false."
                )
                raise InputError(message)
            allowed[:, place] = values.to_numpy(dtype=bool)
    return allowed


def _given_covariance(covariance: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    own = np.asarray(covariance, dtype=float)
    size = shape[1]
    if own.shape not in ((size, size), (shape[0], size, size)):
        message = (
            f"The covariance has shape {own.shape}; {(size, size)} or "
            f"{(shape[0], size, size)} is needed, in the order of the tracers."
        )
        raise InputError(message)
    own = own.reshape(-1, size, size)
    even = np.allclose(own, own.swapaxes(1, 2), rtol=1e-9, atol=0.0)
    if (
        not even
        or np.linalg.eigvalsh(own).min(initial=0.0) < -1e-12 * np.abs(own).max()
    ):
        message = "The covariance is not symmetric and positive: check its order."
        raise InputError(message)
    return own
