"""How much water has evaporated, from each isotope, and whether the two agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.tracers.evaporation import CraigGordon, craig_gordon
from geosoil.tracers.fractionation import EvaporationClimate, IsotopePair

FloatArray = npt.NDArray[np.float64]
Reasons = npt.NDArray[np.object_]

HUMID = 0.95
"""Humidity above which exchange with the air, not evaporation, sets the water."""

DISAGREEMENT = 0.1
"""Difference of the two isotopes' shares above which a row is called in doubt."""


def remaining_fraction(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    source: IsotopePair,
    climate: EvaporationClimate,
) -> pd.DataFrame:
    """Return the share of water that evaporation has left, from both isotopes.

    Parameters
    ----------
    d18O, d2H : array or Series, shape (n,)
        Evaporated samples [permil].
    source : IsotopePair
        Water before evaporation [permil], for instance from `source_water`.
    climate : EvaporationClimate
        Conditions of evaporation.

    Returns
    -------
    table : DataFrame
        ``remaining_d18O``, ``remaining_d2H``: share left, above 0 to 1; NaN without
        answer; ``disagreement``: the first less the second; ``reason``: "" where
        both isotopes answer and agree within 0.1. The index of a Series is kept.

    Notes
    -----
    f = ((d - limit) / (d0 - limit))^(1 / m), no inflow. No answer where m <= 0 (dry
    air, limit of the other sign), where the base is not above 0 (the sample lies
    beyond the limit) or f exceeds 1 (lighter than its source), and where humidity
    exceeds 0.95, for 1 / m then tends to 0. A disagreement tells of a wrong climate,
    a wrong source or of mixing.

    References
    ----------
    Gonfiantini (1986), Handbook of Environmental Isotope Geochemistry 2, 113-168;
    Skrzypek et al. (2015), J. Hydrol. 523, 781-789,
    doi:10.1016/j.jhydrol.2015.02.010.

    Examples
    --------
    >>> climate = EvaporationClimate(8.0, 0.55, turbulence=1.0)
    >>> start = IsotopePair(np.array([-12.5]), np.array([-90.0]))
    >>> table = remaining_fraction([-5.2074], [-69.4747], source=start, climate=climate)
    >>> table.round(3).values.tolist()
    [[0.8, 0.8, 0.0, '']]
    """
    terms = craig_gordon(source.d18O, source.d2H, climate=climate)
    answers = [
        _remaining(np.asarray(values, dtype=float), np.asarray(start), term)
        for values, start, term in zip((d18O, d2H), source, terms, strict=True)
    ]
    return _table("remaining", d18O, answers, climate)


def evaporation_over_inflow(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    source: IsotopePair,
    climate: EvaporationClimate,
) -> pd.DataFrame:
    """Return evaporation as a share of inflow at steady state, from both isotopes.

    Parameters
    ----------
    d18O, d2H : array or Series, shape (n,)
        Water of the well-mixed store [permil].
    source : IsotopePair
        Inflow [permil].
    climate : EvaporationClimate
        Conditions of evaporation.

    Returns
    -------
    table : DataFrame
        ``ratio_d18O``, ``ratio_d2H``: E / I, 0 to 1; ``disagreement``; ``reason`` as
        in `remaining_fraction`. The index of a Series is kept.

    Notes
    -----
    E / I = (dL - dP) / ((limit - dL) m). Holds only where volume and composition
    are steady, inflow and climate constant, the store well mixed, and liquid outflow
    takes water of the store's composition. Soil seldom meets this over a season;
    pools and lakes may.

    References
    ----------
    Skrzypek et al. (2015), J. Hydrol. 523, 781-789,
    doi:10.1016/j.jhydrol.2015.02.010; Gibson et al. (2016), Quat. Sci. Rev. 131,
    316-328, doi:10.1016/j.quascirev.2015.04.013.

    Examples
    --------
    >>> climate = EvaporationClimate(8.0, 0.55, turbulence=1.0)
    >>> start = IsotopePair(np.array([-12.5]), np.array([-90.0]))
    >>> table = evaporation_over_inflow([-7.0], [-74.0], source=start, climate=climate)
    >>> table[["ratio_d18O", "ratio_d2H"]].round(3).values.tolist()
    [[0.179, 0.184]]
    """
    terms = craig_gordon(source.d18O, source.d2H, climate=climate)
    answers = [
        _ratio(np.asarray(values, dtype=float), np.asarray(start), term)
        for values, start, term in zip((d18O, d2H), source, terms, strict=True)
    ]
    return _table("ratio", d18O, answers, climate)


def _remaining(
    delta: FloatArray, start: FloatArray, term: CraigGordon
) -> tuple[FloatArray, Reasons]:
    delta, start, limit, exponent = np.broadcast_arrays(
        delta, start, term.limit, term.exponent
    )
    reason = np.full(delta.shape, "", dtype=object)
    base = np.full(delta.shape, np.nan)
    np.divide(delta - limit, start - limit, out=base, where=start != limit)
    share = np.full(delta.shape, np.nan)
    fine = (exponent > 0) & (base > 0)
    np.power(base, 1.0 / np.where(fine, exponent, 1.0), out=share, where=fine)
    reason[share > 1] = "lighter than its source"
    reason[~(base > 0)] = "beyond the limiting composition"
    reason[exponent <= 0] = "air too dry for the model (m <= 0)"
    reason[~np.isfinite(delta + start)] = "missing tracer"
    return np.where(reason == "", share, np.nan), reason


def _ratio(
    delta: FloatArray, start: FloatArray, term: CraigGordon
) -> tuple[FloatArray, Reasons]:
    delta, start, limit, exponent = np.broadcast_arrays(
        delta, start, term.limit, term.exponent
    )
    reason = np.full(delta.shape, "", dtype=object)
    loss = (limit - delta) * exponent
    ratio = np.full(delta.shape, np.nan)
    np.divide(delta - start, loss, out=ratio, where=loss > 0)
    reason[ratio > 1] = "more evaporation than inflow: not a steady state"
    reason[ratio < 0] = "lighter than its source"
    reason[~(loss > 0)] = "beyond the limiting composition"
    reason[exponent <= 0] = "air too dry for the model (m <= 0)"
    reason[~np.isfinite(delta + start)] = "missing tracer"
    return np.where(reason == "", ratio, np.nan), reason


def _table(
    name: str,
    sample: npt.ArrayLike,
    answers: list[tuple[FloatArray, Reasons]],
    climate: EvaporationClimate,
) -> pd.DataFrame:
    index = sample.index if isinstance(sample, pd.Series) else None
    (oxygen, oxygen_reason), (hydrogen, hydrogen_reason) = (
        (np.atleast_1d(values), np.atleast_1d(reason)) for values, reason in answers
    )
    oxygen, hydrogen = oxygen.copy(), hydrogen.copy()
    humid = np.broadcast_to(np.asarray(climate.humidity) > HUMID, oxygen.shape)
    oxygen[humid] = hydrogen[humid] = np.nan
    difference = oxygen - hydrogen
    words = [
        _join(first, second)
        for first, second in zip(oxygen_reason, hydrogen_reason, strict=True)
    ]
    reason = np.array(words, dtype=object)
    reason[humid & (reason != "missing tracer")] = (
        f"humidity above {HUMID:g}: exchange with the air sets the water"
    )
    apart = np.abs(difference) > DISAGREEMENT
    reason[apart] = [
        f"the isotopes disagree by {abs(value):.2f}" for value in difference[apart]
    ]
    return pd.DataFrame(
        {
            f"{name}_d18O": oxygen,
            f"{name}_d2H": hydrogen,
            "disagreement": difference,
            "reason": reason,
        },
        index=index,
    )


def _join(oxygen: str, hydrogen: str) -> str:
    if oxygen == hydrogen:
        return oxygen
    pairs = (("d18O", oxygen), ("d2H", hydrogen))
    if "missing tracer" in (oxygen, hydrogen):
        return "missing tracer"
    return "; ".join(f"{name}: {words}" for name, words in pairs if words)
