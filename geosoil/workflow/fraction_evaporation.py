"""Evaporation of the mixtures of a request: led back, or a prior for the model."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.delta import d_excess, lc_excess
from geosoil.tracers.evaporation import source_water
from geosoil.tracers.evaporation_prior import EvaporationPrior, evaporation_prior
from geosoil.tracers.group_fractions import clustered_mean
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.slope_uncertainty import (
    ASSUMED_CLIMATE,
    ASSUMED_SPREAD,
    ASSUMED_WORDS,
    ClimateSpread,
)
from geosoil.workflow.evaporation import climate_of_settings
from geosoil.workflow.fraction_inputs import FractionInputs
from geosoil.workflow.fraction_request import FractionRequest
from geosoil.workflow.meteoric import meteoric_line, whole_samples

EVERY = "every period"
"""Label of the prior where the mixtures have no periods."""
RAIN = "precipitation"


def evaporation_priors(
    inputs: FractionInputs, request: FractionRequest, rng: np.random.Generator
) -> tuple[dict[Hashable, EvaporationPrior], tuple[str, ...]]:
    """Derive what is known of evaporation in each period from its climate.

    Parameters
    ----------
    inputs : FractionInputs
        Mixtures and end members.
    request : FractionRequest
        Climate and the share of water left.
    rng : Generator
        Source of randomness.

    Returns
    -------
    priors : dict of label to EvaporationPrior
        One a period of the mixtures.
    notes : tuple of str
        What was assumed, in words.

    Raises
    ------
    InputError
        If there is no water that evaporation starts from.
    """
    periods: list[Hashable] = [EVERY]
    if "period" in inputs.mixtures:
        periods = list(inputs.mixtures["period"].dropna().unique())
    priors: dict[Hashable, EvaporationPrior] = {}
    notes = []
    for period in periods:
        climate, remaining = request.climate, request.remaining
        settings = inputs.config.tracers.climate if inputs.config is not None else {}
        own = settings.get(str(period))
        if climate is None and own is not None:
            climate, remaining = climate_of_settings(own), own.remaining
        start = _start(inputs, period)
        prior = evaporation_prior(
            climate or ASSUMED_CLIMATE,
            d18O=start[0],
            d2H=start[1],
            rng=rng,
            spread=ClimateSpread() if climate is not None else ASSUMED_SPREAD,
            remaining=remaining,
        )
        priors[period] = prior
        assumed = "" if climate is not None else f" ({ASSUMED_WORDS})"
        notes.append(
            f"{period}: evaporation slope {prior.slope:.2f} ± {prior.slope_sd:.2f}, "
            f"amount {prior.shift:.2f} ± {prior.shift_sd:.2f} permil d18O, from the "
            f"climate and {remaining[0]:g} to {remaining[1]:g} of the water left, an "
            f"assumption to be stated by you{assumed}"
        )
    return priors, tuple(notes)


def projected_mixtures(
    inputs: FractionInputs, priors: dict[Hashable, EvaporationPrior]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Lead every mixture back to the meteoric line along the slope of evaporation.

    Parameters
    ----------
    inputs : FractionInputs
        Mixtures, and the samples of precipitation for the line.
    priors : dict of label to EvaporationPrior
        Slope of each period.

    Returns
    -------
    mixtures : DataFrame
        With d18O, d2H and d_excess before evaporation, ``evaporation`` [permil d18O]
        taken off and ``projection_reason``.
    notes : tuple of str
        What this takes for granted, with counts.
    """
    lmwl = study_line(inputs)
    mixtures = inputs.mixtures
    labels = (
        mixtures["period"] if "period" in mixtures else pd.Series(EVERY, mixtures.index)
    )
    slope = labels.map({key: prior.slope for key, prior in priors.items()})
    found = source_water(
        mixtures["d18O"], mixtures["d2H"], line=lmwl, slope=slope.to_numpy(dtype=float)
    )
    out = mixtures.assign(
        d18O=found["d18O"],
        d2H=found["d2H"],
        d_excess=d_excess(found["d18O"], found["d2H"]),
        evaporation=found["shift"],
        projection_reason=found["reason"],
    )
    above = int((found["reason"] == "above the line").sum())
    return out, (
        "Each mixture was led back to the meteoric line "
        f"(d2H = {lmwl.slope:.2f} d18O {lmwl.intercept:+.2f}) along the slope of "
        "evaporation: a share of a source off that line is then taken for evaporation.",
        f"{above} of {len(out)} mixtures lie above the line and were kept as they are.",
    )


def evaporation_doubts(
    inputs: FractionInputs, tracers: Sequence[str]
) -> tuple[str, ...]:
    """Say where mixtures that are taken as sampled look evaporated.

    Parameters
    ----------
    inputs : FractionInputs
        Mixtures, and the samples of precipitation for the line.
    tracers : sequence of str
        Tracers that mix.

    Returns
    -------
    notes : tuple of str
        One sentence a period whose mean lies below the meteoric line by more than two
        standard errors, clustered by site; empty where the tracers are no isotopes of
        water, or there is no line.
    """
    mixtures = inputs.mixtures
    isotopes = {"d18O", "d2H"} <= set(mixtures)
    if not isotopes or not set(tracers) <= {"d18O", "d2H", "d_excess"}:
        return ()
    try:
        line = study_line(inputs)
    except InputError:
        return ()
    excess = lc_excess(mixtures["d18O"], mixtures["d2H"], line)
    blank = pd.Series(EVERY, index=mixtures.index)
    labels = mixtures.get("period", blank)
    notes = []
    for period in labels.dropna().unique():
        rows = (labels == period).to_numpy()
        sites = mixtures.loc[rows, "site_id"].to_numpy()
        mean = clustered_mean(np.asarray(excess)[rows][:, None], sites)
        error = float(np.sqrt(mean.covariance[0, 0]))
        if mean.mean[0] < -2.0 * error:
            notes.append(
                f"{period}: the mixtures lie {-mean.mean[0]:.1f} ± {error:.1f} permil "
                "below the meteoric line. If they have evaporated, this answer takes "
                "evaporation for the source that lies lowest: try --evaporation model, "
                "or give end members as evaporated."
            )
    return tuple(notes)


def study_line(inputs: FractionInputs) -> WaterLine:
    """Return the meteoric line of the samples; the global one where rain is scarce.

    Parameters
    ----------
    inputs : FractionInputs
        Samples.

    Returns
    -------
    lmwl : WaterLine
        Least squares through the precipitation.
    """
    rain = inputs.samples[inputs.samples["water"] == RAIN]
    return meteoric_line(rain, "ols", water=RAIN)


def _start(inputs: FractionInputs, period: Hashable) -> tuple[float, float]:
    """Water before evaporation: the rain end member, else sampled rain, else all."""
    ends = inputs.end_members.table
    rain = ends[ends["source"] == RAIN]
    if "period" in ends:
        own = rain[rain["period"].isin([period]) | rain["period"].isna()]
        rain = own if len(own) else rain
    sampled = whole_samples(inputs.samples[inputs.samples["water"] == RAIN])
    for table in (rain, sampled, ends):
        if {"d18O", "d2H"} <= set(table) and table[["d18O", "d2H"]].notna().any(
            axis=None
        ):
            mean = table[["d18O", "d2H"]].astype(float).mean()
            return float(mean["d18O"]), float(mean["d2H"])
    message = (
        "Evaporation needs the d18O and d2H of the water that it starts from: end "
        "members with both, or samples of precipitation."
    )
    raise InputError(message)
