"""The local meteoric water line of a table: its method, its data, what stands in."""

from __future__ import annotations

import warnings

import pandas as pd

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers.lines import (
    GMWL,
    WEIGHTED,
    LineMethod,
    WaterLine,
    fit_water_line,
)
from geosoil.tracers.presets import preset

FEWEST_FOR_LINE = 3
"""Samples below which the global line stands in."""


def meteoric_method(
    rain: pd.DataFrame, method: LineMethod | None, preset_name: str | None
) -> LineMethod:
    """Return the fit of the meteoric line: the one stated, else the preset's.

    Parameters
    ----------
    rain : DataFrame
        Samples of precipitation.
    method : str, optional
        Method that the user stated.
    preset_name : str, optional
        Preset that the user chose.

    Returns
    -------
    method : str
        "ols" where neither says otherwise; a preset weighs by amount only where
        every amount is known.

    Examples
    --------
    >>> rain = pd.DataFrame({"precipitation": [4.0, 9.0]})
    >>> meteoric_method(rain, None, "recommended"), meteoric_method(rain, None, None)
    ('pwrma', 'ols')
    """
    if method is not None:
        return method
    if preset_name is None:
        return "ols"
    known = "precipitation" in rain and bool(rain["precipitation"].notna().all())
    return preset(preset_name).meteoric_method(has_amounts=known)


def plain_method(method: LineMethod) -> LineMethod:
    """Return the method for waters that have no precipitation amounts.

    Parameters
    ----------
    method : str
        Method of the meteoric line.

    Returns
    -------
    method : str
        The same without weights.

    Examples
    --------
    >>> plain_method("pwrma")
    'rma'
    """
    plain: dict[LineMethod, LineMethod] = {"pwlsr": "ols", "pwrma": "rma", "pwma": "ma"}
    return plain.get(method, method)


def whole_samples(samples: pd.DataFrame) -> pd.DataFrame:
    """Return the samples that have both isotopes.

    Parameters
    ----------
    samples : DataFrame
        Columns d18O and d2H.

    Returns
    -------
    whole : DataFrame
        Rows without a missing isotope.

    Examples
    --------
    >>> table = pd.DataFrame({"d18O": [-9.0, None], "d2H": [-62.0, -70.0]})
    >>> len(whole_samples(table))
    1
    """
    return samples[samples["d18O"].notna() & samples["d2H"].notna()]


def meteoric_line(rain: pd.DataFrame, method: LineMethod, *, water: str) -> WaterLine:
    """Fit the local meteoric water line.

    Parameters
    ----------
    rain : DataFrame
        Samples of one water; rows without both isotopes are left out.
    method : str
        Method of `fit_water_line`.
    water : str
        Name of the water, for messages.

    Returns
    -------
    lmwl : WaterLine
        The line.

    Raises
    ------
    InputError
        If the method needs a column that the table lacks.

    Warns
    -----
    GeosoilWarning
        Where fewer than three samples have both isotopes; the global line then
        stands in.

    Examples
    --------
    >>> rain = pd.DataFrame({"d18O": [-6.0, -9.0, -12.0], "d2H": [-38.0, -62.0, -86.0]})
    >>> line = meteoric_line(rain, "ols", water="precipitation")
    >>> round(line.slope, 3), round(line.intercept, 3)
    (8.0, 10.0)
    """
    whole = whole_samples(rain)
    if len(whole) < FEWEST_FOR_LINE:
        words = (
            f"{len(whole)} samples of '{water}' have both isotopes; a local meteoric "
            "water line needs 3. The global line (Craig 1961) stands in."
        )
        warnings.warn(words, GeosoilWarning, stacklevel=3)
        return GMWL
    columns = {"amount": "precipitation"} if method in WEIGHTED else {}
    if method == "york":
        columns = {"d18O_sd": "d18O_sd", "d2H_sd": "d2H_sd"}
    missing = [name for name in columns.values() if name not in whole]
    if missing:
        message = (
            f"Method '{method}' needs the column {', '.join(missing)}, which the table "
            "lacks. Add it or choose another method, such as ols."
        )
        raise InputError(message)
    values = {key: whole[name] for key, name in columns.items()}
    return fit_water_line(
        whole["d18O"],
        whole["d2H"],
        method=method,
        amount=values.get("amount"),
        d18O_sd=values.get("d18O_sd"),
        d2H_sd=values.get("d2H_sd"),
    )
