"""Posterior of source fractions: draws, proof of convergence, checks against data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers._kernels_bayes import cholesky, lower_inverse
from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.loo import LooResult, psis_loo

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MixtureFit:
    """Mixtures as the model saw them, and what each draw expects of them."""

    labels: pd.DataFrame
    """One row a mixture used: ``row``, its row in the table of draws; ``mixture``, the
    label of its first row in the mixtures given."""
    values: FloatArray
    """Tracers, means of sites where sites were averaged, shape (n, tracer)."""
    own: FloatArray
    """Measurement covariance of each, shape (n, tracer, tracer)."""
    expected: FloatArray
    """Expected mixture, shape (draw, row, tracer); NaN in rows without an answer."""
    covariance: FloatArray
    """Covariance about it, without that of measurement (draw, row, tracer, tracer)."""

    def log_likelihood(self) -> FloatArray:
        """Return the log density of every mixture in every draw.

        Returns
        -------
        log_likelihood : array, shape (draw, mixture)
            Log density given the draw's fractions, errors and end members.

        Examples
        --------
        >>> labels = pd.DataFrame({"row": [0], "mixture": [0]})
        >>> fit = MixtureFit(labels, np.zeros((1, 1)), np.zeros((1, 1, 1)),
        ...                  np.zeros((1, 1, 1)), np.ones((1, 1, 1, 1)))
        >>> fit.log_likelihood().round(3).tolist()
        [[-0.919]]
        """
        rows = self.labels["row"].to_numpy(dtype=int)
        out = np.empty((len(self.expected), len(rows)))
        for row in np.unique(rows):
            inside = np.flatnonzero(rows == row)
            covariance = self.covariance[:, row, None] + self.own[inside]
            lower = cholesky(np.moveaxis(covariance, (2, 3), (0, 1)))
            away = self.values[inside] - self.expected[:, row, None]
            size = away.shape[2]
            scaled = (lower_inverse(lower) * np.moveaxis(away, 2, 0)[None]).sum(axis=1)
            diagonal = lower[np.arange(size), np.arange(size)]
            out[:, inside] = (
                -0.5 * (scaled**2).sum(axis=0)
                - np.log(diagonal).sum(axis=0)
                - 0.5 * size * np.log(2.0 * np.pi)
            )
        return out

    def own_of_row(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Return the mixtures of one row and their mean measurement covariance.

        Parameters
        ----------
        row : int
            Row of the table of draws.

        Returns
        -------
        values : array, shape (n, tracer)
            Mixtures.
        own : array, shape (tracer, tracer)
            Mean measurement covariance.

        Examples
        --------
        >>> labels = pd.DataFrame({"row": [0], "mixture": [0]})
        >>> fit = MixtureFit(labels, np.full((1, 1), 2.0), np.zeros((1, 1, 1)),
        ...                  np.zeros((1, 1, 1)), np.ones((1, 1, 1, 1)))
        >>> fit.own_of_row(0)[0].tolist()
        [[2.0]]
        """
        inside = (self.labels["row"] == row).to_numpy()
        return self.values[inside], self.own[inside].mean(axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class FractionPosterior:
    """Converged posterior of the fractions of groups.

    Made by `bayes_fractions`.

    Examples
    --------
    >>> from geosoil.tracers.bayes import bayes_fractions
    >>> from geosoil.tracers.bayes_model import MixingModel
    >>> from geosoil.tracers.endmembers import EndMembers
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
    ...     "Cl": [1.0, 9.0], "Cl_sd": [0.5, 0.5], "n": [30, 30]}))
    >>> soil = pd.DataFrame({"Cl": [2.8, 3.0, 3.2]})
    >>> answer = bayes_fractions(soil, ends, model=MixingModel(tracers=("Cl",)),
    ...                          rng=np.random.default_rng(1))
    >>> bool(answer.diagnostics["converged"].all())
    True
    """

    draws: FractionDraws
    """Joint draws of all groups' fractions."""
    diagnostics: pd.DataFrame
    """One row a group and parameter: columns of ``by``, ``method``, ``parameter``,
    ``r_hat`` (NaN for quadrature), ``ess_bulk``, ``ess_tail``, ``stuck_chains``,
    ``converged``, ``reason``."""
    prior: pd.DataFrame
    """One row a group and source: what the prior says, see `FractionPrior.describe`."""
    parameters: dict[str, FloatArray]
    """Draws (draw, row) of residual standard deviations, correlations, evaporation,
    and ``pooling_sd`` where groups were pooled."""
    tracers: tuple[str, ...]
    """Names of the tracers."""
    fit: MixtureFit
    """Mixtures used and what each draw expects of them."""
    shared_effective: float
    """Effective number of states of the end members' errors that groups share;
    infinite where none are shared."""

    @property
    def log_likelihood(self) -> FloatArray:
        """Log density of every mixture in every draw, shape (draw, mixture)."""
        return self.fit.log_likelihood()

    def loo(self) -> LooResult:
        """Return the leave-one-out predictive density of the mixtures.

        Returns
        -------
        loo : LooResult
            Expected log density of a mixture not seen, by Pareto-smoothed importance
            sampling.

        Examples
        --------
        >>> from geosoil.tracers.bayes import bayes_fractions
        >>> from geosoil.tracers.bayes_model import MixingModel
        >>> from geosoil.tracers.endmembers import EndMembers
        >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
        ...     "Cl": [1.0, 9.0], "Cl_sd": [0.5, 0.5], "n": [30, 30]}))
        >>> soil = pd.DataFrame({"Cl": [2.8, 3.0, 3.2, 3.1, 2.9]})
        >>> answer = bayes_fractions(soil, ends, model=MixingModel(tracers=("Cl",)),
        ...                          rng=np.random.default_rng(1))
        >>> answer.loo().pointwise.shape
        (5,)
        """
        return psis_loo(self.log_likelihood)

    def posterior_predictive(self, rng: np.random.Generator) -> pd.DataFrame:
        """Compare mean and spread of the mixtures with replicates of the model.

        Parameters
        ----------
        rng : Generator
            Source of randomness.

        Returns
        -------
        check : DataFrame
            One row a group and tracer: labels, ``tracer``, ``n``; ``mean`` and ``sd``
            seen; for each ``_replicated``, ``_lower``, ``_upper`` (90 %) and
            ``_p``, the share of replicates above what was seen. A p near 0 or 1 says
            that the model does not make such data; sd needs 2 mixtures.

        Notes
        -----
        The mean of n mixtures is N(m, V / n), and their variance V chi2(n - 1) /
        (n - 1), in every draw.

        References
        ----------
        Gelman, Meng and Stern (1996), Statistica Sinica 6, 733-807.

        Examples
        --------
        >>> from geosoil.tracers.bayes import bayes_fractions
        >>> from geosoil.tracers.bayes_model import MixingModel
        >>> from geosoil.tracers.endmembers import EndMembers
        >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
        ...     "Cl": [1.0, 9.0], "Cl_sd": [0.5, 0.5], "n": [30, 30]}))
        >>> soil = pd.DataFrame({"Cl": [2.8, 3.0, 3.2, 3.1, 2.9]})
        >>> answer = bayes_fractions(soil, ends, model=MixingModel(tracers=("Cl",)),
        ...                          rng=np.random.default_rng(1))
        >>> check = answer.posterior_predictive(np.random.default_rng(2))
        >>> check[["tracer", "n", "mean"]].round(1).values.tolist()
        [['Cl', 5, 3.0]]
        """
        rows: list[dict[str, object]] = []
        keys = self.draws.table.drop(columns=["n", "n_sites"])
        for row in sorted(self.fit.labels["row"].unique()):
            values, own = self.fit.own_of_row(int(row))
            n = len(values)
            covariance = self.fit.covariance[:, row] + own
            factor = np.moveaxis(cholesky(np.moveaxis(covariance, 0, -1)), -1, 0)
            normal = rng.standard_normal((len(factor), len(self.tracers), 1))
            means = self.fit.expected[:, row] + (factor @ normal)[:, :, 0] / np.sqrt(n)
            for place, tracer in enumerate(self.tracers):
                known: dict[str, object] = {
                    **{str(name): keys.iloc[row][name] for name in keys.columns},
                    "tracer": tracer,
                    "n": n,
                }
                seen = float(values[:, place].mean())
                known |= _compared("mean", seen, means[:, place])
                spread = np.full(len(factor), np.nan)
                if n > 1:
                    chi = rng.chisquare(n - 1, len(factor)) / (n - 1)
                    spread = np.sqrt(covariance[:, place, place] * chi)
                seen = float(values[:, place].std(ddof=1)) if n > 1 else np.nan
                rows.append(known | _compared("sd", seen, spread))
        return pd.DataFrame(rows)

    def combine_sources(self, parts: Mapping[str, Sequence[str]]) -> FractionPosterior:
        """Return the posterior with sources joined after the fit.

        Parameters
        ----------
        parts : mapping
            Name of each new source and the sources that it joins.

        Returns
        -------
        posterior : FractionPosterior
            The same draws, the fractions of joined sources summed in each; all else
            works as before. ``prior`` tells of the sources fitted.

        Raises
        ------
        InputError
            If a name is unknown or stands twice.

        Examples
        --------
        >>> from geosoil.tracers.bayes import bayes_fractions
        >>> from geosoil.tracers.bayes_model import MixingModel
        >>> from geosoil.tracers.endmembers import EndMembers
        >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
        ...     "Cl": [1.0, 9.0], "Cl_sd": [0.5, 0.5], "n": [30, 30]}))
        >>> soil = pd.DataFrame({"Cl": [2.8, 3.0, 3.2, 3.1, 2.9]})
        >>> answer = bayes_fractions(soil, ends, model=MixingModel(tracers=("Cl",)),
        ...                          rng=np.random.default_rng(1))
        >>> joined = answer.combine_sources({"all water": ["rain", "ice"]})
        >>> joined.draws.sources, float(joined.draws.values.mean().round(6))
        (('all water',), 1.0)
        """
        return replace(self, draws=self.draws.combine_sources(parts))

    def parameter_summary(self) -> pd.DataFrame:
        """Summarise the parameters other than fractions.

        Returns
        -------
        table : DataFrame
            One row a group and parameter: labels, ``parameter``, ``mean``, ``sd``,
            ``q05``, ``q50``, ``q95``.

        Raises
        ------
        InputError
            If the model has no other parameters.

        Examples
        --------
        >>> from geosoil.tracers.bayes import bayes_fractions
        >>> from geosoil.tracers.bayes_model import MixingModel
        >>> from geosoil.tracers.endmembers import EndMembers
        >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
        ...     "Cl": [1.0, 9.0], "Cl_sd": [0.5, 0.5], "n": [30, 30]}))
        >>> soil = pd.DataFrame({"Cl": [2.8, 3.0, 3.2, 3.1, 2.9]})
        >>> answer = bayes_fractions(soil, ends, model=MixingModel(tracers=("Cl",)),
        ...                          rng=np.random.default_rng(1))
        >>> answer.parameter_summary()["parameter"].tolist()
        ['residual_sd_Cl']
        """
        if not self.parameters:
            message = "The model has no parameters but fractions."
            raise InputError(message)
        keys = self.draws.table.drop(columns=["n", "n_sites"])
        rows = []
        for row in sorted(self.fit.labels["row"].unique()):
            for name, values in self.parameters.items():
                own = values[:, row]
                low, middle, high = np.quantile(own, [0.05, 0.5, 0.95])
                rows.append(
                    {
                        **{str(key): keys.iloc[row][key] for key in keys.columns},
                        "parameter": name,
                        "mean": own.mean(),
                        "sd": own.std(),
                        "q05": low,
                        "q50": middle,
                        "q95": high,
                    }
                )
        return pd.DataFrame(rows)


def _compared(name: str, seen: float, replicated: FloatArray) -> dict[str, object]:
    """Set what was seen beside its replicates."""
    if not np.isfinite(seen):
        names = ("", "_replicated", "_lower", "_upper", "_p")
        return {f"{name}{ending}": np.nan for ending in names}
    low, high = np.quantile(replicated, [0.05, 0.95])
    return {
        name: seen,
        f"{name}_replicated": float(replicated.mean()),
        f"{name}_lower": float(low),
        f"{name}_upper": float(high),
        f"{name}_p": float((replicated > seen).mean()),
    }
