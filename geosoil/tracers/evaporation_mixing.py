"""Evaporation inside the mixing model, with what of it can be known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.concentration import refuse_concentrations
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_patterns_mixing import EvaporationState, solve_rows
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.evaporation_solver_mixing import EvaporationRows
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing import Constraint, allowed_sources
from geosoil.tracers.mixing_solver import MixingTask, solve_mixtures
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def evaporated_fractions(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    prior: EvaporationPrior | Mapping[Hashable, EvaporationPrior],
    prior_by: str = "period",
    tracers: Sequence[str] = ("d18O", "d2H"),
    constraint: Constraint = "simplex",
) -> pd.DataFrame:
    """Solve source fractions together with the evaporation of every mixture.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, as in `source_fractions`: tracers, columns of
        ``end_members.by``, and optionally ``<tracer>_sd``, ``<a>_<b>_cov`` and
        ``<source>_allowed``.
    end_members : EndMembers
        Sources as fallen, that is before the evaporation that is solved for.
    prior : EvaporationPrior or mapping of label to EvaporationPrior
        What is known of evaporation: one for all, or one for each label of the
        column ``prior_by``.
    prior_by : str
        Column of the labels of a mapping.
    tracers : sequence of str
        d18O, d2H, d_excess, and others that ``prior.gains`` tells of.
    constraint : {"simplex", "none"}
        Whether ``<source>`` is held within 0 and 1 and ``evaporation`` above 0.

    Returns
    -------
    fractions : DataFrame
        Index of the mixtures. For each source ``<source>``; ``<source>_sd``, first
        order, of the raw fraction; ``<source>_raw``, without sign rules;
        ``<source>_per_permil``, change of the share per permil of E;
        ``<source>_lower``, ``<source>_upper``, its range over every E of 0 or above
        that keeps all shares within 0 and 1. Then ``evaporation`` E [permil d18O],
        ``evaporation_sd``, ``evaporation_raw``; ``evaporation_lower``,
        ``evaporation_upper``, the E of that range; ``chi2``, ``p_value`` where a
        tracer is left to check; ``identifiable``; ``words`` with the counts;
        ``reason``, "" where fine. Shares and E are missing where not identifiable;
        change and range are given all the same.

    Raises
    ------
    MixingError
        If end members are equal, collinear or more than tracers + 1, or an
        informative prior meets waters without any spread.
    InputError
        If a column is missing, or the gain of a tracer is not known.

    Warns
    -----
    GeosoilWarning
        As in `source_fractions`.

    Notes
    -----
    m = S'f + E g + noise, g = (1, s) in (d18O, d2H). Minimises (m - S'f - E g)' W (m -
    S'f - E g) + (E - shift)^2 / shift_sd^2 with sum f = 1, f >= 0, E >= 0, exactly; W
    is the inverse of the mixture's covariance, plus sum f_k^2 Sigma_k, plus E^2
    var(s) along d2H, renewed four times. Change and range are those of
    `source_fractions` with E taken off at the weights of E = 0. The error of a prior
    is shared by all mixtures that have it and does not average out: the mean of many
    shares keeps <source>_per_permil times shift_sd.

    References
    ----------
    Genereux (1998), Water Resour. Res. 34, 915-919, doi:10.1029/98WR00010; Benettin
    et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["precipitation", "ground_ice", "snowmelt"],
    ...     "d18O": [-12.0, -14.5, -17.5], "d2H": [-82.0, -113.0, -128.0],
    ...     "d18O_sd": [0.3, 0.4, 0.5], "d2H_sd": [2.5, 3.0, 4.0]}))
    >>> soil = pd.DataFrame({"d18O": [-12.0], "d2H": [-89.0]})
    >>> known = EvaporationPrior(slope=3.4, shift=1.0, shift_sd=0.3)
    >>> answer = evaporated_fractions(soil, ends, prior=known)
    >>> answer[["precipitation", "ground_ice", "ground_ice_per_permil"]].round(2)
       precipitation  ground_ice  ground_ice_per_permil
    0           0.71         0.2                  -0.49
    >>> unknown = EvaporationPrior(slope=3.4)
    >>> blank = evaporated_fractions(soil, ends, prior=unknown)
    >>> blank[["precipitation", "ground_ice_lower", "ground_ice_upper"]].round(2)
       precipitation  ground_ice_lower  ground_ice_upper
    0            NaN               0.0              0.31
    """
    if constraint not in ("simplex", "none"):
        message = f"Unknown constraint '{constraint}'. Choose simplex or none."
        raise InputError(message)
    check_columns(mixtures, end_members.by, what="Mixtures")
    refuse_concentrations(end_members, what="evaporated_fractions")
    names = list(tracers)
    known, unknown = _prior_rows(mixtures, prior, prior_by, names)
    own = tracer_covariances(mixtures, names, what="Mixtures")
    task = MixingTask(
        names,
        tracer_values(mixtures, names, what="Mixtures"),
        own,
        allowed_sources(mixtures, end_members.sources),
        "gls",
    )
    groups = sample_groups(mixtures, end_members.by)
    dry = solve_mixtures(task, end_members, groups)
    state = EvaporationState.start(dry, known, unknown)
    solve_rows(task, end_members, groups, known=known, state=state)
    return _table(state, end_members.sources, constraint, mixtures.index)


def _prior_rows(
    mixtures: pd.DataFrame,
    prior: EvaporationPrior | Mapping[Hashable, EvaporationPrior],
    prior_by: str,
    tracers: list[str],
) -> tuple[EvaporationRows, BoolArray]:
    """Give each row its prior, and tell the rows that have none."""
    if isinstance(prior, EvaporationPrior):
        priors, place = [prior], np.zeros(len(mixtures), dtype=np.intp)
    else:
        check_columns(mixtures, [prior_by], what="Mixtures")
        priors = list(prior.values())
        if not priors:
            message = f"No prior of evaporation for any {prior_by}: give one or more."
            raise InputError(message)
        rank = {label: number for number, label in enumerate(prior)}
        labels = mixtures[prior_by].astype(object)
        place = np.array([rank.get(label, -1) for label in labels], dtype=np.intp)
    informative = np.array([one.is_informative for one in priors])
    shift = np.array([one.shift for one in priors])
    known = EvaporationRows(
        np.array([one.direction(tracers) for one in priors]),
        priors[0].bend(tracers),
        np.array([one.slope_sd for one in priors]),
        np.where(informative, shift, 0.0),
        np.array([one.shift_sd for one in priors]) ** -2.0,
    )
    return known.take(np.maximum(place, 0)), place < 0


def _table(
    state: EvaporationState,
    sources: Sequence[str],
    constraint: Constraint,
    index: pd.Index,
) -> pd.DataFrame:
    answer, ridge = state.answer, state.ridge
    signed = constraint == "simplex"
    shown = answer.fractions if signed else answer.raw
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for place, source in enumerate(sources):
        columns[source] = shown[:, place]
        columns[f"{source}_sd"] = np.sqrt(answer.variance[:, place])
        columns[f"{source}_raw"] = answer.raw[:, place]
        columns[f"{source}_per_permil"] = state.change[:, place]
        columns[f"{source}_lower"] = ridge.lower[:, place]
        columns[f"{source}_upper"] = ridge.upper[:, place]
    columns["evaporation"] = answer.shift if signed else answer.shift_raw
    columns["evaporation_sd"] = np.sqrt(answer.shift_variance)
    columns["evaporation_raw"] = answer.shift_raw
    columns["evaporation_lower"] = ridge.shift_lower
    columns["evaporation_upper"] = ridge.shift_upper
    columns["chi2"] = answer.chi2
    checked = state.freedom > 0
    freedom = np.where(checked, state.freedom, 1.0)
    columns["p_value"] = np.where(checked, stats.chi2.sf(answer.chi2, freedom), np.nan)
    columns["identifiable"] = state.identifiable
    columns["words"] = state.words
    columns["reason"] = state.reason
    return pd.DataFrame(columns, index=index)
