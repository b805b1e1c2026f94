"""Which candidates can be end members of mixtures, one by one and in sets."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers.emma_space import Emma
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing_solver import OUTSIDE

Order = Literal["mean_misfit", "distance", "relative_distance"]

LARGEST = 2000
"""Sets of end members that are tried at most."""


def screen_end_members(
    space: Emma, candidates: EndMembers, *, order: Order = "mean_misfit"
) -> pd.DataFrame:
    """Rank candidates by how well they fit the space of the mixtures.

    Parameters
    ----------
    space : Emma
        Mixtures in the space of their components.
    candidates : EndMembers
        Any number of sources of one stratum.
    order : {"mean_misfit", "distance", "relative_distance"}
        Measure to rank by; for delta values choose one of the distances.

    Returns
    -------
    ranked : DataFrame
        Index ``source``, the best first; ``mean_misfit`` and ``worst_misfit`` of the
        tracers [% of the measured]; ``worst_tracer``; ``distance`` to the space
        [standard deviations of the mixtures]; ``relative_distance``, 0 in the space
        and 1 at a right angle; ``mixtures_as_far``, the share of the mixtures that
        lie as far from the space.

    Raises
    ------
    MixingError
        If candidates have strata or lack a tracer.
    InputError
        If the order is unknown.

    Notes
    -----
    A water that takes part in the mixing lies in the space but for noise, so a large
    misfit rules it out; a small one does not prove it, see `screen_sets`.

    References
    ----------
    Hooper (2003), Water Resour. Res. 39, 1055, doi:10.1029/2002WR001528.

    Examples
    --------
    >>> from geosoil.tracers.emma import emma
    >>> soil = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [2., 4, 6, 8],
    ...                      "Na": [9., 8, 7, 6]})
    >>> waters = EndMembers.from_table(pd.DataFrame({"source": ["river", "rain"],
    ...     "Ca": [3., 0.1], "Mg": [3., 0.2], "Na": [3., 9.9]}))
    >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
    >>> screen_end_members(space, waters).index.tolist()
    ['rain', 'river']
    """
    if order not in ("mean_misfit", "distance", "relative_distance"):
        message = (
            f"Unknown order '{order}'. Choose mean_misfit, distance or "
            "relative_distance."
        )
        raise InputError(message)
    found = space.project(candidates)
    misfit = found[[f"{tracer}_misfit" for tracer in space.tracers]].abs()
    misfit.columns = pd.Index(space.tracers)
    observed = space.residuals(space.n_components)
    scaled = observed["residual"] / observed["tracer"].map(space.sd)
    gaps = scaled.to_numpy().reshape(len(space.tracers), -1)
    own = np.linalg.norm(gaps[:, space.components.sound], axis=0)
    distance = found["distance"].to_numpy()
    # A tracer measured as 0 has no percent; fillna keeps idxmax of such rows quiet.
    worst = misfit.fillna(-1.0).idxmax(axis=1)
    table = pd.DataFrame(
        {
            "mean_misfit": misfit.mean(axis=1),
            "worst_misfit": misfit.max(axis=1),
            "worst_tracer": worst.where(misfit.notna().any(axis=1), ""),
            "distance": distance,
            "relative_distance": found["relative_distance"],
            "mixtures_as_far": (own >= distance[:, None]).mean(axis=1),
        }
    )
    return table.sort_values(order, kind="stable")


def screen_sets(space: Emma, candidates: EndMembers) -> pd.DataFrame:
    """Try all sets of candidates and tell how many mixtures each encloses.

    Parameters
    ----------
    space : Emma
        Mixtures in the space of their components.
    candidates : EndMembers
        Sources of one stratum, as many as components and one more, or more.

    Returns
    -------
    sets : DataFrame
        One row a set, that which encloses most first, the smaller misfit first among
        equals; ``sources``, a tuple; ``n_inside`` and ``share_inside`` of the ``n``
        mixtures used; ``mean_misfit`` of its sources [%]; ``reason``, why a set has
        no answer, such as collinear sources.

    Raises
    ------
    MixingError
        If there are too few candidates, they have strata or lack a tracer.
    InputError
        If there are more than 2000 sets.

    Warns
    -----
    GeosoilWarning
        Where sources of a set are nearly collinear in the space.

    Examples
    --------
    >>> from geosoil.tracers.emma import emma
    >>> soil = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [2., 4, 6, 8],
    ...                      "Na": [9., 8, 7, 6]})
    >>> waters = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice", "bog"],
    ...     "Ca": [0., 5, 2.5], "Mg": [0., 10, 5], "Na": [10., 5, 7.5]}))
    >>> space = emma(soil, tracers=["Ca", "Mg", "Na"])
    >>> sets = screen_sets(space, waters)
    >>> sets[["sources", "n_inside"]].to_numpy().tolist()
    [[('rain', 'ice'), 4], [('rain', 'bog'), 2], [('ice', 'bog'), 2]]
    """
    names, size = candidates.sources, space.n_components + 1
    if len(names) < size:
        message = (
            f"{len(names)} candidates ({', '.join(names)}); {space.n_components} "
            f"components ask for sets of {size}. Add candidates or keep fewer "
            "components."
        )
        raise MixingError(message)
    if comb(len(names), size) > LARGEST:
        message = (
            f"{comb(len(names), size)} sets of {size} among {len(names)} candidates; "
            f"at most {LARGEST} are tried. Drop those that screen_end_members ranks "
            "last."
        )
        raise InputError(message)
    misfit = screen_end_members(space, candidates)["mean_misfit"]
    rows = []
    for chosen in combinations(names, size):
        inside, reason = _inside(space, candidates.keep(chosen))
        rows.append(
            {
                "sources": chosen,
                "n_inside": inside,
                "share_inside": inside / space.n,
                "n": space.n,
                "mean_misfit": float(misfit[list(chosen)].mean()),
                "reason": reason,
            }
        )
    order = ["share_inside", "mean_misfit"]
    table = pd.DataFrame(rows).astype({"n_inside": "Int64"})
    table = table.sort_values(order, ascending=[False, True], kind="stable")
    return table.reset_index(drop=True)


def _inside(space: Emma, ends: EndMembers) -> tuple[float, str]:
    try:
        found = space.fractions(ends, constraint="none")
    except MixingError as error:
        return np.nan, str(error)
    return float(space.n - (found["reason"] == OUTSIDE).sum()), ""
