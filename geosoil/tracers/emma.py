"""End-member mixing analysis by principal components, for three tracers and more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers import _kernels_emma
from geosoil.tracers.emma_components import (
    MixtureComponents,
    axis_names,
    mixture_components,
)
from geosoil.tracers.emma_rank import RankRule, chance_eigenvalues, kept_components
from geosoil.tracers.emma_space import Emma
from geosoil.tracers.mixing_solver import MISSING
from geosoil.tracers.tracer_space import tracer_covariances


def emma(
    mixtures: pd.DataFrame,
    *,
    tracers: Sequence[str],
    n_components: int | None = None,
    rule: RankRule = "eigenvalue",
    rng: np.random.Generator | None = None,
) -> Emma:
    """Find the space that mixtures of many tracers lie in.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with the tracers' columns and optionally ``<tracer>_sd``.
        Rows without all tracers keep their place, with a reason.
    tracers : sequence of str
        Three tracers or more.
    n_components : int, optional
        Number of components to keep, 1 to tracers - 1; by default what the rule says.
    rule : {"eigenvalue", "broken_stick", "parallel_analysis", "residuals"}
        Rule that chooses the number, see `rank_table`, which sets all side by side.
    rng : numpy.random.Generator, optional
        Source of randomness of parallel analysis, needed for that rule alone.

    Returns
    -------
    space : Emma
        Mixtures in the space of their components.

    Raises
    ------
    MixingError
        With fewer than three tracers, or as many components as tracers: PCA then
        adds nothing to `source_fractions`, which uses the spread of each source
        besides. Also with no more mixtures than tracers, a constant tracer, or
        where the rule keeps no component.
    InputError
        If a column is missing, the rule is unknown, or ``rng`` is needed.

    Notes
    -----
    Z = (X - mean) / sd with n - 1; V are the eigenvectors of Z'Z / (n - 1), the
    largest loading of each made positive; U = Z V (Christophersen and Hooper 1992).

    References
    ----------
    Christophersen and Hooper (1992), Water Resour. Res. 28, 99-107,
    doi:10.1029/91WR02518; Hooper (2003), Water Resour. Res. 39, 1055,
    doi:10.1029/2002WR001528.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> shares = rng.dirichlet([1.0, 1.0, 1.0], 60)
    >>> ends = np.array([[9.0, 1, 2, 5], [1, 8, 2, 4], [2, 2, 7, 9]])
    >>> soil = pd.DataFrame(shares @ ends, columns=["Ca", "Mg", "Na", "Cl"])
    >>> emma(soil, tracers=["Ca", "Mg", "Na", "Cl"]).n_components
    2
    """
    components = mixture_components(mixtures, tracers)
    size = len(components.tracers)
    words = f"{n_components} given"
    chosen: str = "given"
    if n_components is None:
        n_components, chosen = _chosen(components, rule, rng), rule
        words = f"rule '{rule}' keeps {n_components}"
    if n_components not in range(1, size):
        message = (
            f"PCA adds nothing with as many components as tracers, and needs one: "
            f"{words} of {size} ({', '.join(components.tracers)}). Give n_components "
            f"from 1 to {size - 1} after a look at rank_table, or use "
            "source_fractions, which needs no components."
        )
        raise MixingError(message)
    points = _kernels_emma.scores(components.observed, components.parts, n_components)
    return Emma(
        components,
        tracer_covariances(mixtures, components.tracers, what="Mixtures"),
        pd.DataFrame(points, index=mixtures.index, columns=axis_names(n_components)),
        pd.Series(
            np.where(components.sound, "", MISSING).astype(object),
            index=mixtures.index,
            name="reason",
        ),
        n_components,
        chosen,
    )


def _chosen(
    components: MixtureComponents, rule: RankRule, rng: np.random.Generator | None
) -> int:
    chance = np.empty(0)
    if rule == "parallel_analysis":
        if rng is None:
            message = "Rule 'parallel_analysis' draws tables: give rng."
            raise InputError(message)
        chance = chance_eigenvalues(components, rng)
    return int(kept_components(components, rule, chance).sum())
