"""How many mixtures of each group lie within their sources, and does their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import sample_groups
from geosoil.tracers.mean_waters import mean_waters
from geosoil.tracers.mixing_region import THRESHOLD, mixing_region

FloatArray = npt.NDArray[np.float64]


def mixing_region_groups(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str],
    *,
    rng: np.random.Generator,
    tracers: Sequence[str] = ("d18O", "d2H"),
    n_draws: int = 1500,
) -> pd.DataFrame:
    """Count the mixtures of each group within their sources, and test their mean.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, as for `mixing_region`; ``site_id`` where known.
    end_members : EndMembers
        Sources.
    by : sequence of str
        Columns that make the groups.
    rng : Generator
        Source of random draws.
    tracers : sequence of str
        Tracers to use.
    n_draws : int
        Draws of the end members.

    Returns
    -------
    groups : DataFrame
        One row a group: columns of ``by``; ``n`` mixtures; ``n_tested``;
        ``n_inside`` and ``n_outside`` (exact); ``share_inside``, of those tested;
        ``n_probable`` and ``share_probable``, whose probability is at least 0.05;
        ``mean_inside``, ``mean_inside_probability``, ``mean_distance`` [standard
        deviations] and ``mean_outside_words`` of the group's mean water, against the
        same end members; ``reason``, "" where fine.

    Raises
    ------
    MixingError
        If end members cannot be told apart.
    InputError
        If a column is missing or there is no mixture.

    Notes
    -----
    A mean lies within its sources where its samples do, but not the other way round:
    samples beyond two sides may average to the inside, so both are told. The mean's
    covariance is clustered by site, see `clustered_mean`.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.5, 0.5]}))
    >>> soil = pd.DataFrame({"Cl": [0.0, 4.0, 5.0, None]})
    >>> groups = mixing_region_groups(
    ...     soil, ends, [], tracers=["Cl"], rng=np.random.default_rng(1))
    >>> groups[["n", "n_tested", "n_inside", "mean_inside"]].values.tolist()
    [[4, 3, 2, True]]
    """
    if mixtures.empty:
        message = "No mixtures to test: the table is empty."
        raise InputError(message)
    groups = sample_groups(mixtures, by)
    region = mixing_region(
        mixtures, end_members, rng=rng, tracers=tracers, n_draws=n_draws
    )
    cluster = "site_id"
    if cluster not in mixtures.columns:
        mixtures = mixtures.assign(site_id=np.arange(len(mixtures)))
    means = mean_waters(mixtures, end_members, by, tracers=tracers, cluster=cluster)
    tested = mixing_region(
        means, end_members, rng=rng, tracers=tracers, n_draws=n_draws
    )
    rows = [{**group.key, **_counts(region.iloc[group.rows])} for group in groups]
    table = pd.DataFrame(rows)
    for column in ("inside", "inside_probability", "distance", "outside_words"):
        table[f"mean_{column}"] = tested[column].array
    pairs = zip(means["reason"], tested["reason"], strict=True)
    table["reason"] = [own or found for own, found in pairs]
    return table


def _counts(region: pd.DataFrame) -> dict[str, float]:
    """Count the mixtures of one group by the exact test and by probability."""
    n_tested = int(region["inside"].notna().sum())
    n_inside = int(region["inside"].sum())
    n_known = int(region["inside_probability"].notna().sum())
    n_probable = int((region["inside_probability"] >= THRESHOLD).sum())
    return {
        "n": len(region),
        "n_tested": n_tested,
        "n_inside": n_inside,
        "n_outside": n_tested - n_inside,
        "share_inside": n_inside / n_tested if n_tested else np.nan,
        "n_probable": n_probable,
        "share_probable": n_probable / n_known if n_known else np.nan,
    }
