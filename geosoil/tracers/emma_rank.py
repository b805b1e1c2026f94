"""How many components mixtures need: four rules side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers import _kernels_emma
from geosoil.tracers.emma_components import MixtureComponents, mixture_components
from geosoil.tracers.emma_residuals import residual_statistics

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
RankRule = Literal["eigenvalue", "broken_stick", "parallel_analysis", "residuals"]

RULES: tuple[RankRule, ...] = get_args(RankRule)
"""Names of the rules."""

SIGNIFICANCE = 0.05
"""Level of parallel analysis and of the residuals' correlation."""
N_DRAWS = 2000
"""Random tables of parallel analysis."""


def rank_table(
    mixtures: pd.DataFrame,
    *,
    tracers: Sequence[str],
    rng: np.random.Generator | None = None,
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Set the rules of rank side by side, one row a component.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture with the tracers' columns; rows with a gap are left out.
    tracers : sequence of str
        Three tracers or more.
    rng : numpy.random.Generator, optional
        Source of randomness of parallel analysis; without it that rule is missing.
    n_draws : int
        Random tables of parallel analysis.

    Returns
    -------
    table : DataFrame
        Index ``component`` from 1; ``eigenvalue``; ``explained`` and ``cumulative``
        share of variance; ``broken_stick`` and ``parallel_analysis``, what chance
        would give; ``structured``, names of the tracers whose residuals at this rank
        still go with the observed (p < 0.05); ``<rule>_keeps`` for each rule; and
        ``agree``, whether all rules say the same of the component.

    Raises
    ------
    MixingError
        With fewer than three tracers, too few mixtures or a constant tracer.
    InputError
        If a column is missing or n_draws is below 100.

    Notes
    -----
    A component is kept while its eigenvalue is 1 or above ("eigenvalue", Kaiser);
    above the mean piece sum_{i>=k} 1/i of a stick of length J ("broken_stick",
    Frontier); above the 95th percentile of eigenvalues of uncorrelated normal tables
    of the same size ("parallel_analysis", Horn); or while the rank before it leaves
    a tracer whose residual correlates with the observed ("residuals", Hooper). The
    last grows with the number of mixtures, see `residual_diagnostics`: where it
    keeps all components, no rank passes it.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185, doi:10.1007/BF02289447; Jackson (1993),
    Ecology 74, 2204-2214, doi:10.2307/1939574; Hooper (2003), Water Resour. Res. 39,
    1055, doi:10.1029/2002WR001528.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> shares = rng.dirichlet([1.0, 1.0, 1.0], 60)
    >>> ends = np.array([[9.0, 1, 2, 5], [1, 8, 2, 4], [2, 2, 7, 9]])
    >>> soil = pd.DataFrame(shares @ ends, columns=["Ca", "Mg", "Na", "Cl"])
    >>> table = rank_table(soil, tracers=["Ca", "Mg", "Na", "Cl"], rng=rng)
    >>> rank_by_rule(table).to_dict()
    {'eigenvalue': 2, 'broken_stick': 2, 'parallel_analysis': 2, 'residuals': 2}
    """
    if n_draws < 100:
        message = f"n_draws is {n_draws}; a 95th percentile needs 100 or more."
        raise InputError(message)
    components = mixture_components(mixtures, tracers)
    eigenvalues = components.parts.eigenvalues
    size = len(eigenvalues)
    chance = np.full(size, np.nan)
    if rng is not None:
        chance = chance_eigenvalues(components, rng, n_draws)
    names = [", ".join(structured_tracers(components, k + 1)) for k in range(size)]
    table = pd.DataFrame(
        {
            "eigenvalue": eigenvalues,
            "explained": eigenvalues / size,
            "cumulative": np.cumsum(eigenvalues) / size,
            "broken_stick": _kernels_emma.broken_stick(size),
            "parallel_analysis": chance,
            "structured": names,
        },
        index=pd.RangeIndex(1, size + 1, name="component"),
    )
    given = [rule for rule in RULES if rule != "parallel_analysis" or rng is not None]
    kept = {rule: kept_components(components, rule, chance) for rule in given}
    for rule in RULES:
        answer = kept.get(rule, [pd.NA] * size)
        table[f"{rule}_keeps"] = pd.array(answer, dtype="boolean")
    votes = np.sum([kept[rule] for rule in given], axis=0)
    table["agree"] = np.isin(votes, [0, len(given)])
    return table


def rank_by_rule(table: pd.DataFrame) -> pd.Series:
    """Count the components that each rule keeps.

    Parameters
    ----------
    table : DataFrame
        Answer of `rank_table`.

    Returns
    -------
    ranks : Series
        Number of components by rule; missing where a rule was not asked. One end
        member more is needed. As many as there are tracers: no rank passes.

    Examples
    --------
    >>> table = pd.DataFrame({"eigenvalue_keeps": [True, False, False]})
    >>> rank_by_rule(table).to_dict()
    {'eigenvalue': 1}
    """
    found = {}
    for rule in RULES:
        if f"{rule}_keeps" in table.columns:
            kept = table[f"{rule}_keeps"]
            found[rule] = pd.NA if kept.isna().any() else int(kept.sum())
    return pd.Series(found, name="n_components", dtype="Int64")


def kept_components(
    components: MixtureComponents, rule: RankRule, chance: FloatArray
) -> BoolArray:
    """Say which components a rule keeps: the leading ones.

    Parameters
    ----------
    components : MixtureComponents
        Components of the mixtures.
    rule : {"eigenvalue", "broken_stick", "parallel_analysis", "residuals"}
        The rule.
    chance : array, shape (component,)
        What parallel analysis compares with, see `chance_eigenvalues`; not read by
        other rules.

    Returns
    -------
    kept : array of bool, shape (component,)
        True for the components kept.

    Raises
    ------
    InputError
        If the rule is unknown.

    Examples
    --------
    >>> table = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [1., 2, 3, 5],
    ...                       "Na": [2., 1, 1, 2]})
    >>> components = mixture_components(table, ["Ca", "Mg", "Na"])
    >>> kept_components(components, "eigenvalue", np.empty(0)).tolist()
    [True, True, False]
    """
    if rule not in RULES:
        message = f"Unknown rule '{rule}'. Choose {', '.join(RULES)}."
        raise InputError(message)
    eigenvalues = components.parts.eigenvalues
    size = len(eigenvalues)
    if rule == "eigenvalue":
        # Rounding must not drop an eigenvalue of exactly 1.
        kept = eigenvalues >= 1.0 - 1e-12
    elif rule == "broken_stick":
        kept = eigenvalues > _kernels_emma.broken_stick(size)
    elif rule == "parallel_analysis":
        kept = eigenvalues > chance
    else:
        needed = [bool(structured_tracers(components, k)) for k in range(1, size)]
        kept = np.array([True, *needed])
    return _kernels_emma.leading(kept)


def chance_eigenvalues(
    components: MixtureComponents, rng: np.random.Generator, n_draws: int = N_DRAWS
) -> FloatArray:
    """Give the 95th percentiles of the eigenvalues of uncorrelated tables.

    Parameters
    ----------
    components : MixtureComponents
        Components of the mixtures, whose number of rows and tracers is taken.
    rng : numpy.random.Generator
        Source of randomness.
    n_draws : int
        Number of random tables.

    Returns
    -------
    chance : array, shape (component,)
        Percentile of each eigenvalue, largest first.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame(rng.normal(size=(90, 3)), columns=["Ca", "Mg", "Na"])
    >>> components = mixture_components(table, ["Ca", "Mg", "Na"])
    >>> chance_eigenvalues(components, rng).round(1).tolist()
    [1.4, 1.1, 1.0]
    """
    n, size = components.used.shape
    found = _kernels_emma.random_eigenvalues(n, size, n_draws, rng)
    chance: FloatArray = np.quantile(found, 1.0 - SIGNIFICANCE, axis=0)
    return chance


def structured_tracers(components: MixtureComponents, rank: int) -> list[str]:
    """Name the tracers whose residuals at a rank go with the observed.

    Parameters
    ----------
    components : MixtureComponents
        Components of the mixtures.
    rank : int
        Number of components.

    Returns
    -------
    names : list of str
        Tracers with p < 0.05.

    Examples
    --------
    >>> table = pd.DataFrame({"Ca": [1., 2, 3, 4], "Mg": [1., 2, 3, 5],
    ...                       "Na": [2., 1, 1, 2]})
    >>> structured_tracers(mixture_components(table, ["Ca", "Mg", "Na"]), 1)
    ['Na']
    """
    used, parts = components.used, components.parts
    points = _kernels_emma.scores(used, parts, rank)
    projected = _kernels_emma.restored(points, parts)
    return [
        name
        for name, x, y in zip(components.tracers, used.T, projected.T, strict=True)
        if residual_statistics(x, y).p_value < SIGNIFICANCE
    ]
