"""Prior of source fractions, and what it says before any data are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers.draws import QUANTILES

FloatArray = npt.NDArray[np.float64]
PerSource = float | Mapping[str, float]

TRIES = 200
"""Batches of draws after which the room that caps leave counts as too small."""


@dataclass(frozen=True, slots=True, eq=False)
class FractionPrior:
    """Prior of the source fractions of every group.

    A source that is ruled out in a group (a structural zero) is no part of it: the
    prior is then that of the sources left.

    Raises
    ------
    MixingError
        If a number is out of range.

    Notes
    -----
    "dirichlet": density proportional to prod f_k^(a_k - 1), flat for a = 1.
    "softmax": f_k = exp(u_k) / sum exp(u), u_k normal with ``mean`` and ``sd``. With
    equal means it is not flat: sd 1 draws fractions to 1 / K, a large sd to the
    corners. A cap cuts the prior off; it is not moved.

    References
    ----------
    Parnell et al. (2013), Environmetrics 24, 387-399, doi:10.1002/env.2221.

    Examples
    --------
    >>> prior = FractionPrior(caps={"snowmelt": 0.4})
    >>> shown = prior.describe(["rain", "snowmelt"], np.random.default_rng(1))
    >>> bool(shown.set_index("source").loc["snowmelt", "q95"] < 0.4)
    True
    """

    kind: Literal["dirichlet", "softmax"] = "dirichlet"
    """Family of the prior."""
    concentration: PerSource = 1.0
    """Concentration a of a Dirichlet, one for all or by source (1 where not named)."""
    mean: PerSource = 0.0
    """Mean of u of a softmax, one for all or by source (0 where not named)."""
    sd: PerSource = 1.0
    """Standard deviation of u, one for all or by source (1 where not named)."""
    caps: Mapping[str, float] = field(default_factory=dict)
    """Largest fraction of a source, such as what a measured flux allows."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        faults = []
        if self.kind not in ("dirichlet", "softmax"):
            faults.append(f"kind '{self.kind}' is not dirichlet or softmax")
        for name, given in (("concentration", self.concentration), ("sd", self.sd)):
            values = np.asarray(_values(given), dtype=float)
            if not (np.isfinite(values).all() and (values > 0).all()):
                faults.append(f"{name} {given} is not above 0")
        if not np.isfinite(np.asarray(_values(self.mean), dtype=float)).all():
            faults.append(f"mean {self.mean} is not finite")
        for source, cap in self.caps.items():
            if not 0 < cap <= 1:
                faults.append(f"cap {cap} of {source} is not above 0 and up to 1")
        if faults:
            message = f"Invalid prior: {'; '.join(faults)}."
            raise MixingError(message)

    def check_sources(self, known: Sequence[str]) -> None:
        """Raise where the prior names a source that the end members lack.

        Parameters
        ----------
        known : sequence of str
            Sources of the end members.

        Raises
        ------
        MixingError
            If a name is unknown.

        Examples
        --------
        >>> FractionPrior(caps={"ice": 0.5}).check_sources(["rain", "ice"])
        """
        named = set(self.caps)
        for given in (self.concentration, self.mean, self.sd):
            named |= set(given) if isinstance(given, Mapping) else set()
        unknown = sorted(named - set(known))
        if unknown:
            message = (
                f"The prior names unknown sources {', '.join(unknown)}. End members "
                f"are {', '.join(known)}."
            )
            raise MixingError(message)

    def numbers(self, sources: Sequence[str]) -> dict[str, FloatArray]:
        """Return concentration, mean, sd and cap of each source.

        Parameters
        ----------
        sources : sequence of str
            Sources of one group.

        Returns
        -------
        numbers : dict
            Arrays of shape (source,): ``concentration``, ``mean``, ``sd``, ``cap``.

        Raises
        ------
        MixingError
            If the caps sum to 1 or less, which leaves no fractions to choose from.

        Examples
        --------
        >>> FractionPrior(caps={"ice": 0.5}).numbers(["rain", "ice"])["cap"].tolist()
        [1.0, 0.5]
        """
        caps = np.array([float(self.caps.get(name, 1.0)) for name in sources])
        if len(sources) > 1 and caps.sum() <= 1.0:
            words = ", ".join(
                f"{name} {cap:g}" for name, cap in zip(sources, caps, strict=True)
            )
            message = (
                f"Caps of {words} sum to {caps.sum():g}: fractions sum to 1, so none "
                "are left to choose from. Raise a cap or allow another source."
            )
            raise MixingError(message)
        return {
            "concentration": _each(self.concentration, sources, 1.0),
            "mean": _each(self.mean, sources, 0.0),
            "sd": _each(self.sd, sources, 1.0),
            "cap": caps,
        }

    def prior_draws(
        self, sources: Sequence[str], rng: np.random.Generator, n_draws: int = 4000
    ) -> FloatArray:
        """Draw fractions from the prior.

        Parameters
        ----------
        sources : sequence of str
            Sources of one group, those ruled out left away.
        rng : Generator
            Source of randomness.
        n_draws : int
            Number of draws.

        Returns
        -------
        fractions : array, shape (draw, source)
            Draws; none is above its cap.

        Raises
        ------
        MixingError
            If the caps leave less than about a 200th of the prior.

        Examples
        --------
        >>> draws = FractionPrior().prior_draws(["a", "b"], np.random.default_rng(1))
        >>> draws.shape
        (4000, 2)
        """
        numbers = self.numbers(sources)
        found, total = [], 0
        for _ in range(TRIES):
            draws = self._free_draws(numbers, n_draws, rng)
            kept = draws[(draws <= numbers["cap"]).all(axis=1)]
            found.append(kept)
            total += len(kept)
            if total >= n_draws:
                return np.concatenate(found)[:n_draws]
        message = (
            f"The caps of {', '.join(sources)} keep {total} of {TRIES * n_draws} "
            "draws of the prior: they leave hardly any room. Raise a cap."
        )
        raise MixingError(message)

    def describe(
        self, sources: Sequence[str], rng: np.random.Generator, n_draws: int = 4000
    ) -> pd.DataFrame:
        """Show what the prior says of each fraction.

        Parameters
        ----------
        sources : sequence of str
            Sources of one group.
        rng : Generator
            Source of randomness.
        n_draws : int
            Number of draws.

        Returns
        -------
        prior : DataFrame
            One row a source: ``source``, ``mean``, ``sd`` and the quantiles ``q05``,
            ``q25``, ``q50``, ``q75``, ``q95``.

        Raises
        ------
        MixingError
            If the caps leave no room.

        Examples
        --------
        >>> shown = FractionPrior().describe(["a", "b", "c"], np.random.default_rng(1))
        >>> shown["mean"].round(1).tolist()
        [0.3, 0.3, 0.3]
        """
        draws = self.prior_draws(sources, rng, n_draws)
        table = pd.DataFrame(
            {
                "source": list(sources),
                "mean": draws.mean(axis=0),
                "sd": draws.std(axis=0),
            }
        )
        for level in QUANTILES:
            table[f"q{round(100 * level):02d}"] = np.quantile(draws, level, axis=0)
        return table

    def _free_draws(
        self, numbers: dict[str, FloatArray], n_draws: int, rng: np.random.Generator
    ) -> FloatArray:
        """Draws without caps, shape (draw, source)."""
        size = len(numbers["cap"])
        if self.kind == "dirichlet":
            # Log-gamma draws keep small concentrations from underflow to 0 / 0.
            shape = numbers["concentration"]
            logs = np.log(rng.gamma(shape + 1.0, size=(n_draws, size)))
            logs += np.log(1.0 - rng.random((n_draws, size))) / shape
        else:
            normal = rng.standard_normal((n_draws, size))
            logs = numbers["mean"] + numbers["sd"] * normal
        logs -= logs.max(axis=1, keepdims=True)
        shares: FloatArray = np.exp(logs)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares


def _values(given: PerSource) -> list[float]:
    return list(given.values()) if isinstance(given, Mapping) else [given]


def _each(given: PerSource, sources: Sequence[str], default: float) -> FloatArray:
    if isinstance(given, Mapping):
        return np.array([float(given.get(name, default)) for name in sources])
    return np.full(len(sources), float(given))
