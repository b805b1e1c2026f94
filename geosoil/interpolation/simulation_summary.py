"""What many realisations say at each place: mean, spread, quantiles, chances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray

DIM = "realization"


@dataclass(frozen=True, slots=True)
class RealizationSummary:
    """Which numbers a summary of realisations holds beside mean, sd and n.

    Raises
    ------
    InputError
        If a quantile lies outside 0 to 1, a threshold is no number, or one is given
        twice; all faults at once.

    Examples
    --------
    >>> RealizationSummary((0.05, 0.5), (0.3,)).names
    ('mean', 'sd', 'p05', 'p50', 'probability_above_0.3', 'n')
    """

    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    """Quantiles, 0 to 1, interpolated linearly between realisations."""
    thresholds: tuple[float, ...] = ()
    """Thresholds, in the units of the values."""

    def __post_init__(self) -> None:
        """Raise on numbers that cannot be."""
        object.__setattr__(self, "quantiles", tuple(float(q) for q in self.quantiles))
        object.__setattr__(self, "thresholds", tuple(float(t) for t in self.thresholds))
        faults = [
            f"Invalid quantile {q:g}. Give 0 to 1."
            for q in self.quantiles
            if not 0 <= q <= 1
        ]
        faults += [
            f"Invalid threshold {t}. Give a number."
            for t in self.thresholds
            if not np.isfinite(t)
        ]
        names = self.names
        twice = sorted({name for name in names if names.count(name) > 1})
        faults += [f"{name} is asked for twice." for name in twice]
        if faults:
            message = " ".join(faults)
            raise InputError(message)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables."""
        return (
            "mean",
            "sd",
            *(quantile_name(q) for q in self.quantiles),
            *(threshold_name(t) for t in self.thresholds),
            "n",
        )


def quantile_name(quantile: float) -> str:
    """Return the name of a quantile: p05, p50, p97.5.

    Parameters
    ----------
    quantile : float
        0 to 1.

    Returns
    -------
    name : str
        Two digits of per cent at least.

    Examples
    --------
    >>> quantile_name(0.05), quantile_name(0.975)
    ('p05', 'p97.5')
    """
    per_cent = f"{100 * quantile:.10g}"
    return f"p{per_cent.zfill(2) if '.' not in per_cent else per_cent.zfill(4)}"


def threshold_name(threshold: float) -> str:
    """Return the name of the chance to exceed a threshold.

    Parameters
    ----------
    threshold : float
        In the units of the values.

    Returns
    -------
    name : str
        ``probability_above_`` and the number.

    Examples
    --------
    >>> threshold_name(0.3)
    'probability_above_0.3'
    """
    return f"probability_above_{threshold:.10g}"


def summarise_realizations(
    realizations: xr.DataArray,
    *,
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95),
    thresholds: tuple[float, ...] = (),
) -> xr.Dataset:
    """Summarise realisations place by place.

    Parameters
    ----------
    realizations : DataArray with dim realization
        Fields from :func:`geosoil.interpolation.simulation.conditional_simulation`, or
        any that have the dimension.
    quantiles : tuple of float
        Quantiles, 0 to 1.
    thresholds : tuple of float
        Values x of P(z > x).

    Returns
    -------
    summary : Dataset
        ``mean``, ``sd``, a variable a quantile (``p05``), a variable a threshold
        (``probability_above_0.3``: the share of the fields above it) and ``n``, the
        number of fields with a value. Where one is missing all is NaN but ``n``; with
        one field there is no ``sd``.

    Raises
    ------
    InputError
        If there is no dimension realization or it is empty, or a quantile or
        threshold cannot be.

    Examples
    --------
    >>> fields = xr.DataArray([[0.0], [1.0], [2.0], [3.0]], dims=("realization", "x"))
    >>> summary = summarise_realizations(fields, thresholds=(1.5,))
    >>> summary["mean"].item(), summary["p50"].item(), summary["n"].item()
    (1.5, 1.5, 4)
    >>> summary["probability_above_1.5"].item(), round(summary["sd"].item(), 3)
    (0.5, 1.291)
    """
    wanted = RealizationSummary(quantiles, thresholds)
    if not realizations.sizes.get(DIM):
        message = (
            f"Realisations with dims {realizations.dims} have no realization. Give "
            "fields along a dimension 'realization'."
        )
        raise InputError(message)
    fields = realizations.transpose(DIM, ...)
    values = fields.to_numpy().astype(np.float64, copy=False)
    like = fields.isel({DIM: 0}, drop=True)
    found = _summary_of(values, wanted)
    return describe_summary(
        xr.Dataset({name: like.copy(data=found[name]) for name in wanted.names}),
        realizations.attrs,
    )


def describe_summary(summary: xr.Dataset, attributes: dict[str, object]) -> xr.Dataset:
    """Give a summary's variables their long names and units.

    Parameters
    ----------
    summary : Dataset
        Variables by the names of :class:`RealizationSummary`.
    attributes : dict
        Attributes of the realisations; they go to the summary, the units to the
        variables.

    Returns
    -------
    summary : Dataset
        The same.
    """
    words = {
        "mean": "mean of the realisations",
        "sd": "standard deviation of the realisations",
        "n": "number of realisations",
    }
    units = {"units": attributes["units"]} if "units" in attributes else {}
    for name, variable in summary.items():
        key = str(name)
        chance = key.startswith("probability_above_")
        own = {"units": "1"} if chance or key == "n" else units
        word = f"share of realisations above {key.rpartition('_')[2]}"
        word = word if chance else f"{key[1:]} % quantile of the realisations"
        variable.attrs = {"long_name": words.get(key, word), **own}
    rest = {k: v for k, v in attributes.items() if k not in ("long_name", "units")}
    return summary.assign_attrs(rest)


def _summary_of(
    values: FloatArray, wanted: RealizationSummary
) -> dict[str, FloatArray]:
    """Return the numbers of a summary; the realisations come first in the values."""
    count = len(values)
    n = np.isfinite(values).sum(axis=0)
    gap = n < count
    answers = {"mean": values.mean(axis=0), "sd": np.full(n.shape, np.nan), "n": n}
    if count > 1:
        answers["sd"] = values.std(axis=0, ddof=1)
    levels = np.quantile(values, wanted.quantiles, axis=0)
    answers |= {
        quantile_name(q): level
        for q, level in zip(wanted.quantiles, levels, strict=True)
    }
    answers |= {
        threshold_name(t): np.where(gap, np.nan, (values > t).mean(axis=0))
        for t in wanted.thresholds
    }
    return answers
