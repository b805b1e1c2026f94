"""What the caption of a map of correlation says: method, years, pairs, significance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from geosoil.plotting.style import DASH, MINUS

Panels = Mapping[tuple[str, str], xr.Dataset]

METHODS = {
    "pearson": "Pearson's r",
    "spearman": "Spearman's rho",
    "kendall": "Kendall's tau",
}

USUAL_RATE = 0.1
"""False discovery rate where a result names none."""


def in_words(name: str) -> str:
    """Return the name of a variable as readers know it.

    Parameters
    ----------
    name : str
        Name such as a key of the settings.

    Returns
    -------
    words : str
        The name for figures.

    Examples
    --------
    >>> in_words("ndvi"), in_words("air_temperature")
    ('NDVI', 'air temperature')
    """
    return "NDVI" if name == "ndvi" else name.replace("_", " ")


def discovery_rate(result: xr.Dataset) -> float:
    """Return the false discovery rate at which cells of a map are significant.

    Parameters
    ----------
    result : Dataset
        A correlation; the attribute ``fdr`` or ``alpha_fdr`` is the rate, else
        ``alpha`` with the words of ``rule``.

    Returns
    -------
    rate : float
        The rate, :data:`USUAL_RATE` where none is named.

    Examples
    --------
    >>> discovery_rate(xr.Dataset(attrs={"alpha": 0.05, "rule": "rate = 2 alpha"}))
    0.1
    """
    attrs = result.attrs
    named = next((attrs[key] for key in ("fdr", "alpha_fdr") if key in attrs), None)
    if named is not None:
        return float(named)
    if "alpha" in attrs:
        twice = "2 alpha" in str(attrs.get("rule", ""))
        return float(attrs["alpha"]) * (2.0 if twice else 1.0)
    return USUAL_RATE


def is_over_space(result: xr.Dataset) -> bool:
    """Return whether a correlation is over space, not over time.

    Parameters
    ----------
    result : Dataset
        A correlation.

    Returns
    -------
    is_over_space : bool
        Whether it names a window or a bandwidth.

    Examples
    --------
    >>> is_over_space(xr.Dataset(attrs={"window": 9}))
    True
    """
    return "window" in result.attrs or "bandwidth" in result.attrs


def significant_cells(result: xr.Dataset) -> xr.DataArray | None:
    """Return where a correlation over time is significant, many tests in mind.

    Parameters
    ----------
    result : Dataset
        A correlation with ``significant``, or with ``q_value``.

    Returns
    -------
    significant : DataArray of bool, or None
        ``significant`` itself, else where q is at most the rate; None where the
        result has neither, or is over space: windows of neighbours share cells.

    Examples
    --------
    >>> found = xr.Dataset({"q_value": ("x", [0.02, 0.4, np.nan])})
    >>> significant_cells(found).values
    array([ True, False, False])
    """
    if is_over_space(result):
        return None
    if "significant" in result:
        return result["significant"].fillna(0.0).astype(bool)
    if "q_value" in result:
        return result["q_value"] <= discovery_rate(result)
    return None


def panel_remark(result: xr.Dataset) -> str:
    """Return the small words above a panel: p*, or r and p of the whole region.

    Parameters
    ----------
    result : Dataset
        A correlation.

    Returns
    -------
    words : str
        "" where there is nothing to say.

    Examples
    --------
    >>> panel_remark(xr.Dataset(attrs={"region_r": 0.412, "region_p_value": 0.03}))
    'region: r = +0.41, p = 0.03'
    """
    if "r" in result and not bool(result["r"].notnull().any()):
        return "no answer"
    r = float(result.attrs.get("region_r", np.nan))
    if np.isfinite(r):
        p = float(result.attrs.get("region_p_value", np.nan))
        tested = f", p {_p_words(p)}" if np.isfinite(p) else ", p unknown"
        return f"region: r = {r:+.2f}".replace("-", MINUS) + tested
    significant = significant_cells(result)
    if significant is None:
        return ""
    if not bool(significant.any()):
        return "no cell significant"
    largest = float(result.attrs.get("p_star", np.nan))
    if not np.isfinite(largest) and "p_value" in result:
        largest = float(result["p_value"].where(significant).max())
    return f"p* = {largest:.2g}" if np.isfinite(largest) else ""


def _p_words(p: float) -> str:
    """Return a p value with its sign of equality."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}"


def correlation_caption(panels: Panels) -> str:
    """Return the caption of maps of correlation.

    Parameters
    ----------
    panels : mapping of (variable, month) to Dataset
        The maps, each with ``r``. Attributes that are told: ``method``, ``kind`` or
        ``years`` or ``window`` with ``year``, ``lag``, ``detrended``, ``controls``,
        ``rule``, the rate, ``support_x``, ``support_y`` and ``y``, the name of the
        other variable.

    Returns
    -------
    caption : str
        A paragraph on method and pairs, one on significance and one on the support
        of the values, as far as the maps tell.

    Examples
    --------
    >>> r = xr.DataArray([[0.5, 0.7]], dims=("y", "x"))
    >>> june = xr.Dataset({"r": r, "n": r * 0 + 20}, attrs={"years": "2020"})
    >>> correlation_caption({("ndvi", "June"): june})
    'Correlation over time, cell by cell, 2020; n = 20 pairs in every cell.'
    """
    space = [result for result in panels.values() if is_over_space(result)]
    time = [result for result in panels.values() if not is_over_space(result)]
    groups = [results for results in (time, space) if results]
    lines = [f"{_method(results)}{_pairs(results)}." for results in groups]
    lines += _significance(time) + _why_not(space) + _support(panels)
    return "\n".join(lines)


def _agreed(results: list[xr.Dataset], key: str) -> Any | None:  # noqa: ANN401
    """Return an attribute that all results share."""
    found = [result.attrs.get(key) for result in results]
    return found[0] if all(one == found[0] for one in found) else None


def _method(results: list[xr.Dataset]) -> str:
    """Tell how and over what the maps correlate."""
    name = str(_agreed(results, "method") or "")
    words = [f"{METHODS.get(name, name) or 'Correlation'} {_kind(results)}"]
    if _agreed(results, "lag"):
        words.append(f"y {_agreed(results, 'lag')} steps after x")
    if _agreed(results, "detrended") not in (None, False, 0, "no"):
        words.append("both detrended")
    if _agreed(results, "controls"):
        words.append(f"controls held fixed: {_agreed(results, 'controls')}")
    return ", ".join(words)


def _kind(results: list[xr.Dataset]) -> str:
    """Tell whether the maps are over time or over space, and of when."""
    kinds = dict.fromkeys(str(result.attrs.get("kind", "")) for result in results)
    if len(kinds) == 1 and "" not in kinds:
        return next(iter(kinds))
    window, year = _agreed(results, "window"), _agreed(results, "year")
    if any(is_over_space(result) for result in results):
        size = f", in a moving window of {window} by {window} cells" if window else ""
        return f"over space{size}" + (f", {year}" if year else "")
    years = str(_agreed(results, "years") or "")
    return "over time, cell by cell" + (f", {years}" if years else "").replace(
        "-", DASH
    )


def _pairs(results: list[xr.Dataset]) -> str:
    """Tell the median and the range of the number of pairs."""
    counts = [
        np.asarray(result["n"].where(result["r"].notnull()), dtype=float).ravel()
        for result in results
        if "n" in result
    ]
    n = np.concatenate(counts) if counts else np.empty(0)
    n = n[np.isfinite(n)]
    if not n.size:
        return ""
    low, middle, high = (int(value) for value in (n.min(), np.median(n), n.max()))
    unit = "cells" if any(is_over_space(result) for result in results) else "pairs"
    if low == high:
        place = "window" if unit == "cells" else "cell"
        return f"; n = {low} {unit} in every {place}"
    return f"; n = {middle} {unit} (median; {low} to {high})"


def _significance(results: list[xr.Dataset]) -> list[str]:
    """Tell how significance over time was found."""
    tested = [result for result in results if significant_cells(result) is not None]
    if not tested:
        return []
    rates = sorted({discovery_rate(result) for result in tested})
    rate = " and ".join(f"{rate:g}" for rate in rates)
    rule = str(_agreed(tested, "rule") or "Benjamini-Hochberg")
    line = (
        f"Significant: q at most {rate}, the false discovery rate of each map "
        f"({rule.partition(',')[0]}); p* is the largest significant p value."
    )
    if _agreed(tested, "p_from") == "n_effective":
        line += " p takes the effective number of pairs."
    return [line]


def _why_not(results: list[xr.Dataset]) -> list[str]:
    """Tell why no significance over space is shown, and what is instead."""
    lines = []
    if results:
        lines.append(
            "Over space no cell is marked: windows of neighbours share most of their "
            "values, so their p values are not independent."
        )
    if any("region_r" in result.attrs for result in results):
        lines.append(
            "Above a map over space: r of all cells together and its p value with "
            "neighbours taken into account (Dutilleul 1993)."
        )
    return lines


def _support(panels: Panels) -> list[str]:
    """Tell what ground the values stand for."""
    first: dict[str, list[str]] = {}
    for (name, _), result in panels.items():
        words = str(result.attrs.get("support_x", ""))
        known = first.setdefault(words, [])
        if in_words(name) not in known:
            known.append(in_words(name))
    other = {
        (in_words(str(r.attrs.get("y", "y"))), str(r.attrs.get("support_y", "")))
        for r in panels.values()
    }
    told = [f"{', '.join(names)}: {words}" for words, names in first.items() if words]
    told += [f"{name}: {words}" for name, words in sorted(other) if words]
    return [f"Support of {'; '.join(told)}."] if told else []
