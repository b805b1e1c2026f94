"""Which cells of a map of p values are significant, many tests taken into account."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import InputError

Method = Literal["bh", "by"]
METHODS: tuple[Method, ...] = ("bh", "by")

RULES = {
    "bh": "Benjamini-Hochberg, false discovery rate = 2 alpha (Wilks 2016)",
    "by": "Benjamini-Yekutieli, false discovery rate = alpha",
}
"""What each method controls, and at which rate."""

FloatArray = npt.NDArray[np.float64]


def field_significance(
    p_values: xr.DataArray, *, alpha: float = 0.05, method: Method = "bh"
) -> xr.Dataset:
    """Test all cells of a map at once, by their false discovery rate.

    Parameters
    ----------
    p_values : DataArray of any dims
        p values of one family of tests, usually a map; NaN where there was no test.
    alpha : float
        Level of the whole field, above 0 and below 0.5.
    method : {"bh", "by"}
        Benjamini-Hochberg at a false discovery rate of 2 alpha, which on fields of
        moderate correlation in space gives a level of about alpha to the field; or
        Benjamini-Yekutieli at a rate of alpha, safe under any dependence.

    Returns
    -------
    significance : Dataset with the dims of the map
        ``q_value``, the smallest false discovery rate at which a cell is significant,
        NaN where there was no test; ``significant``, false where there was none.
        Attributes: ``p_star``, the largest p value that is significant (NaN if none
        is), ``n_valid`` tests, ``n_significant``, ``alpha``, ``alpha_fdr``, ``rule``.

    Raises
    ------
    InputError
        If no cell has a p value, one lies outside 0 to 1, or a setting cannot be.

    Notes
    -----
    With the N valid p values in rising order, q(i) = min over j >= i of
    c N p(j) / j, at most 1, with c = 1 for "bh" and c = sum over k <= N of 1 / k for
    "by". A cell is significant where q is at most the rate.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate, Journal of the
    Royal Statistical Society B 57, doi:10.1111/j.2517-6161.1995.tb02031.x.
    Benjamini and Yekutieli (2001), The control of the false discovery rate in multiple
    testing under dependency, Annals of Statistics 29, doi:10.1214/aos/1013699998.
    Wilks (2016), "The stippling shows statistically significant grid points",
    Bulletin of the American Meteorological Society 97,
    doi:10.1175/BAMS-D-15-00267.1.

    Examples
    --------
    >>> p = xr.DataArray([0.001, 0.2, np.nan, 0.03, 0.8], dims="cell")
    >>> found = field_significance(p)
    >>> found.q_value.round(3).values
    array([0.004, 0.267,   nan, 0.06 , 0.8  ])
    >>> found.attrs["p_star"], found.attrs["n_significant"]
    (0.03, 2)
    """
    values = np.asarray(p_values.to_numpy(), dtype=np.float64)
    _check(values, p_values.name, alpha, method)
    valid = np.isfinite(values)
    tested = values[valid]
    rate = 2 * alpha if method == "bh" else alpha
    q = np.full(values.shape, np.nan)
    q[valid] = q_values(tested, method=method)
    significant = q <= rate
    chosen = values[significant]
    result = xr.Dataset(
        {"q_value": (p_values.dims, q), "significant": (p_values.dims, significant)},
        coords=p_values.coords,
        attrs={
            "p_star": float(chosen.max()) if chosen.size else np.nan,
            "n_valid": tested.size,
            "n_significant": chosen.size,
            "alpha": alpha,
            "alpha_fdr": rate,
            "method": method,
            "rule": RULES[method],
        },
    )
    words = "smallest false discovery rate at which the cell is significant"
    result["q_value"].attrs = {"units": "1", "long_name": words, "method": method}
    result["significant"].attrs = {"long_name": f"q value at most {rate:g}"}
    return result


def with_discoveries(correlation: xr.Dataset, *, rate: float) -> xr.Dataset:
    """Add to a map of correlation which of its cells are significant as a field.

    Parameters
    ----------
    correlation : Dataset
        With ``p_value``.
    rate : float
        False discovery rate, above 0 and below 1 (Benjamini and Hochberg).

    Returns
    -------
    correlation : Dataset
        With ``q_value`` and ``significant`` beside, and the attributes ``fdr``,
        ``p_star`` and ``rule``; without any p value nothing is significant.

    Raises
    ------
    InputError
        If a p value or the rate cannot be.

    Examples
    --------
    >>> p = xr.DataArray([0.001, 0.2, np.nan, 0.03], dims="cell")
    >>> found = with_discoveries(xr.Dataset({"p_value": p}), rate=0.1)
    >>> found["significant"].values.tolist(), found.attrs["p_star"]
    ([True, False, False, True], 0.03)
    """
    p_values = correlation["p_value"]
    attrs: dict[str, object] = {"p_star": np.nan, "rule": "no cell has a p value"}
    q_value, significant = p_values, xr.zeros_like(p_values, dtype=bool)
    if bool(np.isfinite(p_values).any()):
        field = field_significance(p_values, alpha=rate / 2)
        q_value, significant = field["q_value"], field["significant"]
        attrs = {key: field.attrs[key] for key in attrs}
    found = correlation.assign(q_value=q_value, significant=significant)
    return found.assign_attrs({**correlation.attrs, "fdr": rate, **attrs})


def q_values(p: npt.ArrayLike, *, method: Method = "bh") -> FloatArray:
    """Return the q value of each of a family of p values.

    Parameters
    ----------
    p : array, shape (n,)
        p values, none missing.
    method : {"bh", "by"}
        As in :func:`field_significance`.

    Returns
    -------
    q : array, shape (n,)
        Smallest false discovery rate at which each test is significant.

    Examples
    --------
    >>> q_values([0.01, 0.02, 0.9])
    array([0.03, 0.03, 0.9 ])
    """
    values = np.asarray(p, dtype=np.float64)
    n = values.size
    order = np.argsort(values, kind="stable")
    place = np.arange(1, n + 1)
    price = float(np.sum(1.0 / place)) if method == "by" else 1.0
    scaled = values[order] * (n / place) * price
    q = np.empty(n)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _check(values: FloatArray, name: object, alpha: float, method: str) -> None:
    """Raise on settings or p values that cannot be, listing every fault."""
    faults = []
    if method not in METHODS:
        faults.append(f"unknown method '{method}', known are: {', '.join(METHODS)}")
    if not 0 < alpha < 0.5:
        faults.append(f"alpha is {alpha}, it must be above 0 and below 0.5")
    finite = values[~np.isnan(values)]
    outside = int(np.count_nonzero((finite < 0) | (finite > 1)))
    if outside:
        faults.append(f"{outside} p values lie outside 0 to 1, give p and not r")
    if not finite.size:
        faults.append("no cell has a p value, so there is nothing to test")
    if faults:
        message = f"Cannot test the field '{name or 'p_value'}': {'; '.join(faults)}."
        raise InputError(message)
