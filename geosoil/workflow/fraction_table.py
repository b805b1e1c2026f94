"""Source fractions of a table of samples: groups, samples, draws and weights."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.bayes import bayes_fractions
from geosoil.tracers.bayes_model import MixingModel, SamplerSettings
from geosoil.tracers.bayes_posterior import FractionPosterior
from geosoil.tracers.draw_summary import quantile_names
from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.evaporation_mixing import evaporated_fractions
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.fraction_drawing import Drawing
from geosoil.tracers.group_fractions import fractions_of_means
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.mixing_policy import MixingPolicyResult, apply_mixing_policy
from geosoil.tracers.mixing_region import mixing_region
from geosoil.tracers.mixing_region_groups import mixing_region_groups
from geosoil.tracers.monte_carlo import monte_carlo_fractions
from geosoil.tracers.stratum_weights import (
    StratumWeights,
    side_by_side,
    weights_by_n,
    weights_by_storage,
)
from geosoil.workflow.fraction_evaporation import (
    EVERY,
    evaporation_doubts,
    evaporation_priors,
    projected_mixtures,
)
from geosoil.workflow.fraction_inputs import FractionInputs
from geosoil.workflow.fraction_request import FractionRequest
from geosoil.workflow.modelled import modelled_means

OVER = "over-determined: fewer sources than tracers + 1; use method gls"
LAYERS = ("depth_top", "depth_bottom", "soil_moisture")


@dataclass(frozen=True, slots=True, eq=False)
class FractionTables:
    """What a request gives."""

    groups: pd.DataFrame
    """One row a group: n, n_sites, fractions with intervals, reason."""
    samples: pd.DataFrame
    """One row a mixture: its columns, then fractions and reason."""
    region: pd.DataFrame
    """One row a group: how many mixtures lie within their sources."""
    policy: MixingPolicyResult
    """What became of mixtures outside."""
    end_members: pd.DataFrame
    """Sources used."""
    draws: FractionDraws | None
    """Joint draws of the groups; None where fractions and evaporation are solved
    together by least squares."""
    weighted: pd.DataFrame | None
    """Means over groups by samples and by stored water; None without strata."""
    posteriors: dict[Hashable, FractionPosterior]
    """Posterior of each part of the mixtures that was solved on its own."""
    notes: tuple[str, ...]
    """What was assumed, in words."""


def solve_fractions(
    inputs: FractionInputs, request: FractionRequest, report: Callable[[str], None]
) -> FractionTables:
    """Solve the source fractions of a request.

    Parameters
    ----------
    inputs : FractionInputs
        Mixtures and end members.
    request : FractionRequest
        What is asked.
    report : callable
        Called with a line a stage.

    Returns
    -------
    tables : FractionTables
        Answers.

    Raises
    ------
    GeosoilError
        If end members cannot be told apart, or a posterior does not converge.
    """
    rng = np.random.default_rng(request.seed)
    priors: dict[Hashable, EvaporationPrior] = {}
    notes: tuple[str, ...] = ()
    if request.evaporation == "none" and not inputs.evaporated:
        notes = evaporation_doubts(inputs, request.tracers)
    if request.evaporation != "none":
        priors, notes = evaporation_priors(inputs, request, rng)
    if request.evaporation == "project":
        moved, words = projected_mixtures(inputs, priors)
        inputs, notes = replace(inputs, mixtures=moved), notes + words
    report("testing the mixing space")
    region, policy = _test_region(inputs, request, rng)
    inputs = replace(inputs, mixtures=policy.mixtures)
    report(f"solving source fractions ({request.method})")
    found = _groups(inputs, request, priors, rng)
    samples = _each(inputs, request, priors)
    weighted = None
    if found.draws is not None:
        weighted = _weighted(found.draws, inputs.mixtures, request)
    return FractionTables(
        found.groups,
        samples,
        region,
        policy,
        inputs.end_members.table,
        found.draws,
        weighted,
        found.posteriors,
        notes,
    )


class _Found(NamedTuple):
    """Fractions of the groups and what else the method gives."""

    groups: pd.DataFrame
    draws: FractionDraws | None
    posteriors: dict[Hashable, FractionPosterior]


def _groups(
    inputs: FractionInputs,
    request: FractionRequest,
    priors: dict[Hashable, EvaporationPrior],
    rng: np.random.Generator,
) -> _Found:
    """Solve the fractions of the groups by the method asked for."""
    if request.method == "bayes":
        posteriors = _posteriors(inputs, request, priors, rng)
        draws = _joined(posteriors)
        return _Found(_wide(draws), draws, posteriors)
    if request.evaporation == "model":
        groups = modelled_means(
            inputs.mixtures,
            inputs.end_members,
            request.by,
            prior=priors if "period" in request.by else _only(priors),
            tracers=request.tracers,
        )
        return _Found(groups, None, {})
    groups = _solved(inputs, request)
    draws = monte_carlo_fractions(
        inputs.mixtures,
        inputs.end_members,
        request.by,
        tracers=request.tracers,
        drawing=Drawing(n_draws=request.n_draws),
        rng=rng,
    )
    # What has no exact answer has no draws of one.
    return _Found(groups, draws.select(groups["reason"].to_numpy() != OVER), {})


def _test_region(
    inputs: FractionInputs, request: FractionRequest, rng: np.random.Generator
) -> tuple[pd.DataFrame, MixingPolicyResult]:
    """Test which mixtures lie within their sources, and do as the policy says."""
    names = request.tracers
    tested = mixing_region(
        inputs.mixtures, inputs.end_members, rng=rng, tracers=names, by=request.by
    )
    groups = mixing_region_groups(
        inputs.mixtures, inputs.end_members, request.by, rng=rng, tracers=names
    )
    policy = apply_mixing_policy(
        inputs.mixtures, tested, policy=request.policy, by=request.by
    )
    return groups, policy


def _solved(inputs: FractionInputs, request: FractionRequest) -> pd.DataFrame:
    """Fractions of the groups' means by least squares."""
    table = fractions_of_means(
        inputs.mixtures, inputs.end_members, request.by, tracers=request.tracers
    )
    return _exact_only(table, inputs, request)


def _exact_only(
    table: pd.DataFrame, inputs: FractionInputs, request: FractionRequest
) -> pd.DataFrame:
    """Blank the rows that have fewer sources than an exact solution needs."""
    if request.method != "exact":
        return table
    sources = inputs.end_members.sources
    raw = table[[f"{name}_raw" for name in sources]].to_numpy(dtype=float)
    # A source that takes no part has exactly 0; one that does almost never has.
    over = np.isfinite(raw).all(axis=1) & (
        (raw != 0).sum(axis=1) <= len(request.tracers)
    )
    tails = ("", "_sd", "_raw", "_lower", "_upper")
    columns = [f"{s}{t}" for s in sources for t in tails if f"{s}{t}" in table]
    out = table.copy()
    out.loc[over, columns] = np.nan
    out.loc[over, "reason"] = OVER
    return out


def _only(priors: dict[Hashable, EvaporationPrior]) -> EvaporationPrior:
    """Return the one prior of groups that no period tells apart."""
    if len(priors) > 1:
        message = (
            f"Evaporation differs between {', '.join(map(str, priors))}: a group of "
            "several periods has no one amount. Put period into --by."
        )
        raise InputError(message)
    return next(iter(priors.values()))


def _each(
    inputs: FractionInputs,
    request: FractionRequest,
    priors: dict[Hashable, EvaporationPrior],
) -> pd.DataFrame:
    """Fractions of every mixture on its own, by least squares."""
    if request.evaporation == "model":
        by_period = "period" in inputs.mixtures
        solved = evaporated_fractions(
            inputs.mixtures,
            inputs.end_members,
            prior=priors if by_period else priors[EVERY],
            tracers=request.tracers,
        )
    elif len(inputs.end_members.sources) > len(request.tracers) + 1:
        return inputs.mixtures
    else:
        solved = source_fractions(
            inputs.mixtures, inputs.end_members, tracers=request.tracers
        )
        solved = _exact_only(solved, inputs, request)
    names = {name: f"fraction_{name}" for name in solved if name != "reason"}
    own = inputs.mixtures.drop(columns=["reason"], errors="ignore")
    return own.join(solved.rename(columns=names))


def _posteriors(
    inputs: FractionInputs,
    request: FractionRequest,
    priors: dict[Hashable, EvaporationPrior],
    rng: np.random.Generator,
) -> dict[Hashable, FractionPosterior]:
    """Posterior of all groups, or of each period's where evaporation has a prior."""
    parts: dict[Hashable, pd.DataFrame] = {EVERY: inputs.mixtures}
    if request.evaporation == "model" and "period" in inputs.mixtures:
        labels = inputs.mixtures["period"]
        parts = {period: inputs.mixtures[labels == period] for period in priors}
    found = {}
    for label, mixtures in parts.items():
        prior = priors.get(label) if request.evaporation == "model" else None
        found[label] = bayes_fractions(
            mixtures.reset_index(drop=True),
            inputs.end_members,
            by=request.by,
            model=MixingModel(tracers=request.tracers, evaporation=prior),
            sampler=SamplerSettings(n_draws=request.n_draws),
            rng=rng,
        )
    return found


def _joined(posteriors: dict[Hashable, FractionPosterior]) -> FractionDraws:
    """Draws of all parts beside each other; parts share no draw of anything."""
    parts = [posterior.draws for posterior in posteriors.values()]
    fewest = min(part.n_draws for part in parts)
    values = [part.values[:fewest] for part in parts]  # noqa: PD011  no pandas
    return FractionDraws(
        pd.concat([part.table for part in parts], ignore_index=True),
        parts[0].sources,
        np.concatenate(values, axis=1),
        tuple(word for part in parts for word in part.reason),
        parts[0].method,
    )


def _wide(draws: FractionDraws) -> pd.DataFrame:
    """One row a group with the mean, standard deviation and 95 % interval."""
    bounds = (0.025, 0.975)
    low, high = quantile_names(bounds)
    names = {"mean": "", "sd": "_sd", low: "_lower", high: "_upper"}
    tidy = draws.summary(quantiles=bounds)
    table = draws.table.copy()
    for place, source in enumerate(draws.sources):
        own = tidy.iloc[place :: len(draws.sources)]
        for column, tail in names.items():
            table[f"{source}{tail}"] = own[column].to_numpy(dtype=float)
    return table.assign(reason=list(draws.reason))


def _weighted(
    draws: FractionDraws, mixtures: pd.DataFrame, request: FractionRequest
) -> pd.DataFrame | None:
    """Means over the strata of each period, by samples and by stored water."""
    over = [name for name in request.by if name == "period"]
    if len(request.by) == len(over):
        return None
    weights: dict[str, StratumWeights] = {"samples": weights_by_n(draws.table)}
    if set(LAYERS) <= set(mixtures):
        weights["storage"] = weights_by_storage(mixtures, on=request.by)
    return side_by_side(draws, weights, by=over)
