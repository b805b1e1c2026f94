"""Mixtures made ready for principal components: what is used and what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers import _kernels_emma
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class MixtureComponents:
    """Tracers of mixtures and their principal components."""

    tracers: tuple[str, ...]
    """Names of the tracers."""
    observed: FloatArray
    """Tracers of all mixtures, shape (n, tracer)."""
    sound: BoolArray
    """Which mixtures have all tracers and are used, shape (n,)."""
    parts: _kernels_emma.Components
    """Standardisation, eigenvalues and loadings of the mixtures used."""

    @property
    def used(self) -> FloatArray:
        """Tracers of the mixtures used, shape (n used, tracer)."""
        return self.observed[self.sound]


def mixture_components(
    mixtures: pd.DataFrame, tracers: Sequence[str]
) -> MixtureComponents:
    """Take the principal components of the mixtures' standardised tracers.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture. Rows without all tracers are left out.
    tracers : sequence of str
        Three tracers or more.

    Returns
    -------
    components : MixtureComponents
        Mean, standard deviation, eigenvalues and loadings.

    Raises
    ------
    MixingError
        With fewer than three tracers, no more usable mixtures than tracers, or a
        tracer that does not vary; the message names every fault.
    InputError
        If a column is missing or holds text.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame(rng.normal(size=(9, 3)), columns=["Ca", "Mg", "Na"])
    >>> found = mixture_components(table, ["Ca", "Mg", "Na"])
    >>> found.parts.eigenvalues.round(2).tolist()
    [2.03, 0.77, 0.2]
    """
    names = tuple(tracers)
    # An infinite value counts as missing; it need not warn on its way.
    with np.errstate(invalid="ignore"):
        observed = tracer_values(mixtures, names, what="Mixtures")
    sound: BoolArray = np.asarray(np.isfinite(observed).all(axis=1), dtype=bool)
    # A row without all tracers takes no part, not even with those it has.
    observed = np.where(sound[:, None], observed, np.nan)
    faults = []
    if len(names) < 3:
        faults.append(
            f"PCA adds nothing with {len(names)} tracers ({', '.join(names)}): their "
            "plane is the mixing diagram itself. Use source_fractions."
        )
    if sound.sum() <= len(names):
        faults.append(
            f"{int(sound.sum())} of {len(sound)} mixtures have all of the "
            f"{len(names)} tracers {', '.join(names)}; at least {len(names) + 1} are "
            "needed. Add mixtures or drop a tracer that is often missing."
        )
    used = observed[sound]
    if len(used) > 1:
        size = np.abs(used).max(axis=0)
        steady = used.std(axis=0, ddof=1) <= 1e-12 * size
        constant = [name for name, flat in zip(names, steady, strict=True) if flat]
        if constant:
            faults.append(
                f"Constant tracer {', '.join(constant)}: it has no standard deviation "
                "to be scaled by and tells no sources apart. Drop it."
            )
    if faults:
        raise MixingError(" ".join(faults))
    parts = _kernels_emma.principal_components(used)
    return MixtureComponents(names, observed, sound, parts)


def axis_names(n_components: int) -> list[str]:
    """Name the axes of the space.

    Parameters
    ----------
    n_components : int
        Number of components.

    Returns
    -------
    names : list of str
        U1 and on.

    Examples
    --------
    >>> axis_names(2)
    ['U1', 'U2']
    """
    return [f"U{place + 1}" for place in range(n_components)]
