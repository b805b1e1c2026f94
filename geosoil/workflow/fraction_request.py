"""What source fractions are asked of a table of samples, checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geosoil.errors import InputError
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.mixing_policy import Policy

Evaporation = Literal["none", "project", "model"]
Method = Literal["exact", "gls", "bayes"]
REMAINING = (0.80, 0.98)
"""Share of soil water that evaporation is assumed to have left."""


@dataclass(frozen=True, slots=True)
class FractionRequest:
    """What fractions are asked of a table of samples.

    Raises
    ------
    InputError
        If the parts do not go together; the message lists all faults.

    Examples
    --------
    >>> FractionRequest(Path("samples.csv"), sources=("rain", "ice")).method
    'gls'
    """

    samples: Path
    """Table of samples."""
    mixture: str = "soil"
    """Water to be explained."""
    sources: tuple[str, ...] = ("precipitation", "ground_ice", "snowmelt")
    """Waters that mix."""
    tracers: tuple[str, ...] = ("d18O", "d2H")
    """Tracers that mix."""
    evaporation: Evaporation = "none"
    """"none": mixtures as sampled; "project": each led back to the meteoric line
    first; "model": fractions and evaporation solved together."""
    method: Method = "gls"
    """"exact": just-determined; "gls": weights by the whole covariance; "bayes"."""
    by: tuple[str, ...] = ("period",)
    """Columns that are crossed to make groups."""
    end_members: Path | None = None
    """Table of means of the sources; without it they are the means of samples."""
    zero_rules: Path | None = None
    """TOML file of zero rules."""
    config: Path | None = None
    """Settings: columns, strata, sources of each period, climate, end-member rules."""
    climate: EvaporationClimate | None = None
    """Conditions of evaporation in every period; else those of the settings."""
    remaining: tuple[float, float] = REMAINING
    """Limits of the share of water that evaporation left, beside ``climate``."""
    policy: Policy = "keep"
    """What becomes of mixtures outside the mixing space."""
    n_draws: int = 4000
    """Draws of the Monte Carlo or of the posterior."""
    seed: int = 2020
    """Seed of the draws."""

    def __post_init__(self) -> None:
        """Check that the parts go together."""
        told = [words for wrong, words in self._faults() if wrong]
        if told:
            message = "These options do not go together:\n" + "\n".join(
                f"  - {words}." for words in told
            )
            raise InputError(message if len(told) > 1 else f"{told[0]}.")

    def _faults(self) -> list[tuple[bool, str]]:
        """Return what does not go together, each with its words."""
        low, high = self.remaining
        isotopes = {"d18O", "d2H", "d_excess"}
        just = len(self.tracers) + 1
        return [
            (len(set(self.sources)) < 2, "fewer than two different --sources"),
            (not self.tracers, "no --tracers"),
            (
                self.mixture in self.sources,
                f"the --mixture '{self.mixture}' is also one of the --sources",
            ),
            (
                self.evaporation != "none" and not set(self.tracers) <= isotopes,
                f"--evaporation {self.evaporation} works on d18O, d2H and d_excess, "
                f"not on {', '.join(self.tracers)}",
            ),
            (
                self.evaporation == "model" and self.method == "exact",
                "--evaporation model weighs evaporation by its prior: use --method gls "
                "or bayes",
            ),
            (
                self.method == "exact" and len(self.sources) < just,
                f"--method exact: {len(self.sources)} sources are over-determined by "
                f"{len(self.tracers)} tracers. Name {len(self.sources) - 1} tracer(s), "
                "or use --method gls",
            ),
            (
                self.method != "bayes" and len(self.sources) > just,
                f"{len(self.sources)} sources need {len(self.sources) - 1} tracers; "
                f"{len(self.tracers)} given. Add a tracer, drop a source, or use "
                "--method bayes, whose prior decides where tracers cannot",
            ),
            (
                not 0.0 < low < high <= 1.0,
                f"--remaining {low:g} {high:g}: two rising shares are needed",
            ),
            (self.n_draws < 100, f"--draws {self.n_draws}: 100 or more are needed"),
        ]
