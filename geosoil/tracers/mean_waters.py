"""Mean waters of groups as a table of mixtures that other solvers can take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.group_fractions import ONE_SITE, group_means


def mean_waters(
    samples: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str],
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    cluster: str = "site_id",
) -> pd.DataFrame:
    """Average the samples of each group to one mixture with its site-clustered error.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with the tracers, the columns of ``by`` and
        ``end_members.by``, ``cluster``, and optionally ``<source>_allowed``.
    end_members : EndMembers
        Sources; they tell the strata that a group must lie in.
    by : sequence of str
        Columns that make the groups; empty for one group.
    tracers : sequence of str
        Tracers to average.
    cluster : str
        Column of the unit of error, the site.

    Returns
    -------
    means : DataFrame
        One row a group: columns of ``by`` and ``end_members.by``; ``n``, ``n_sites``;
        tracers with ``<tracer>_sd`` (standard error of the mean) and
        ``<a>_<b>_cov``, missing with one site; ``<source>_allowed``, whether any
        sample allows it; ``reason``. A group that spans several strata has no mean.

    Raises
    ------
    InputError
        If a column is missing or there is no sample.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0]}))
    >>> soil = pd.DataFrame({"site_id": ["a", "b"], "Cl": [2.0, 4.0]})
    >>> mean_waters(soil, ends, [], tracers=["Cl"])[["Cl", "Cl_sd"]].values.tolist()
    [[3.0, 1.0]]
    """
    found = group_means(samples, end_members, by, tracers=tracers, cluster=cluster)
    table = found.table.copy()
    for column in end_members.by:
        if column not in table:
            labels = [samples[column].iloc[group.rows[0]] for group in found.groups]
            table[column] = labels
    lost = np.array([bool(reason) for reason in found.reasons])
    single = np.array([mean.n_clusters < 2 for mean in found.means])
    values = np.where(lost[:, None], np.nan, found.task.compositions)
    spread = np.where(single[:, None, None], np.nan, found.task.covariances)
    for i, first in enumerate(tracers):
        table[first] = values[:, i]
        table[f"{first}_sd"] = np.sqrt(spread[:, i, i])
        for j, second in enumerate(tracers[:i]):
            table[f"{second}_{first}_cov"] = spread[:, i, j]
    for place, source in enumerate(end_members.sources):
        table[f"{source}_allowed"] = found.task.allowed[:, place]
    alone = [ONE_SITE if mean.n_clusters == 1 else "" for mean in found.means]
    pairs = zip(found.reasons, alone, strict=True)
    return table.assign(reason=["; ".join(filter(None, pair)) for pair in pairs])
