"""Fractions and evaporation of groups' mean waters solved together."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_mixing import evaporated_fractions
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.mean_waters import mean_waters

Z_95 = 1.959964
"""Standard normal quantile of a 95 % interval."""


def modelled_means(
    samples: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str],
    *,
    prior: EvaporationPrior | Mapping[Hashable, EvaporationPrior],
    tracers: Sequence[str],
) -> pd.DataFrame:
    """Solve the fractions of each group's mean water together with its evaporation.

    Parameters
    ----------
    samples : DataFrame
        One row a sample.
    end_members : EndMembers
        Sources as fallen, with the spread of samples.
    by : sequence of str
        Columns that make the groups.
    prior : EvaporationPrior or mapping of period to EvaporationPrior
        What is known of evaporation.
    tracers : sequence of str
        Tracers to use.

    Returns
    -------
    fractions : DataFrame
        One row a group as of `fractions_of_means`, whose ``_lower`` and ``_upper`` are
        the 95 % interval, and as of `evaporated_fractions`, whose range over all
        evaporation is ``_possible_lower`` and ``_possible_upper``.
    """
    means = mean_waters(samples, end_members, by, tracers=("d18O", "d2H"))
    found = evaporated_fractions(
        means, end_members.of_means(), prior=prior, tracers=tracers
    )
    found = with_intervals(found, end_members.sources)
    both = pd.concat([means[[*by, "n", "n_sites"]], found], axis=1)
    pairs = zip(means["reason"], both["reason"], strict=True)
    return both.assign(reason=["; ".join(filter(None, pair)) for pair in pairs])


def with_intervals(found: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """Tell 95 % intervals and possible ranges apart: both have a lower and an upper.

    Parameters
    ----------
    found : DataFrame
        Fractions of `evaporated_fractions`.
    sources : sequence of str
        Names of the sources.

    Returns
    -------
    fractions : DataFrame
        The range as ``<source>_possible_lower`` and ``_upper``, the interval, the raw
        fraction +- 1.96 sd cut to 0 and 1 and widened to hold the fraction, as
        ``<source>_lower`` and ``_upper``.

    Examples
    --------
    >>> table = pd.DataFrame({"ice": [0.2], "ice_sd": [0.2], "ice_raw": [0.2],
    ...                       "ice_lower": [0.0], "ice_upper": [0.9]})
    >>> with_intervals(table, ["ice"])[["ice_lower", "ice_upper"]].round(2)
       ice_lower  ice_upper
    0        0.0       0.59
    """
    out = found.copy()
    for source in sources:
        low, high = f"{source}_lower", f"{source}_upper"
        out[f"{source}_possible_lower"] = found[low]
        out[f"{source}_possible_upper"] = found[high]
        half = Z_95 * found[f"{source}_sd"]
        share, raw = found[source], found[f"{source}_raw"]
        out[low] = np.fmin((raw - half).clip(0.0, 1.0), share)
        out[high] = np.fmax((raw + half).clip(0.0, 1.0), share)
    return out
