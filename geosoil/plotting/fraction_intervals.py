"""Bars of source fractions from the summary of draws."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.fractions import figure_fractions_by_group
from geosoil.plotting.style import SCREEN, FigurePreset
from geosoil.plotting.tables import check_columns

_KINDS = {"elevation_band": "elevation"}


def figure_fraction_intervals(
    summary: pd.DataFrame,
    by: str | Sequence[str] = ("by", "stratum"),
    *,
    bounds: tuple[str, str] = ("q05", "q95"),
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose stacked bars of mean shares with intervals from draws.

    Parameters
    ----------
    summary : DataFrame
        Summary of draws, one line a row and source: columns ``source``, ``mean``,
        the two of ``bounds`` and of ``by``; ``period`` if there are several; ``n``
        (else ``n_rows``) for the count below the bars.
    by : str or (str, str)
        Column of the groups, such as "vegetation" or "weighting"; or a column of
        kinds of groups and one of the groups, as in group tables.
    bounds : tuple of str
        Columns of the ends of the interval.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is drawn.

    Returns
    -------
    figure : matplotlib.figure.Figure
        As :func:`figure_fractions_by_group`.

    Raises
    ------
    InputError
        If a column is missing, or a period and group have a source twice.

    Examples
    --------
    >>> summary = pd.DataFrame({"period": "June", "vegetation": "meadow", "n": 9,
    ...     "source": ["precipitation", "ground_ice"], "mean": [0.7, 0.3],
    ...     "q05": [0.5, 0.1], "q95": [0.9, 0.5]})
    >>> figure = figure_fraction_intervals(summary, "vegetation")
    >>> figure.legends[0].get_texts()[-1].get_text()
    'share and its 5 to 95 % interval, from 0'
    """
    wide = wide_fractions(summary, by, bounds=bounds)
    low, high = (bound.removeprefix("q").lstrip("0") or "0" for bound in bounds)
    words = f"{low} to {high} % interval"
    return figure_fractions_by_group(
        wide, title=title, note=note, preset=preset, interval=words
    )


def wide_fractions(
    summary: pd.DataFrame,
    by: str | Sequence[str] = ("by", "stratum"),
    *,
    bounds: tuple[str, str] = ("q05", "q95"),
) -> pd.DataFrame:
    """Lay the summary of draws out with a column a source, as figures want it.

    Parameters
    ----------
    summary, by, bounds
        As in :func:`figure_fraction_intervals`.

    Returns
    -------
    fractions : DataFrame
        ``period``, ``kind``, ``group``, ``n``, and for each source ``<source>``,
        ``<source>_lower``, ``<source>_upper``.

    Raises
    ------
    InputError
        If a column is missing, or a period and group have a source twice.

    Examples
    --------
    >>> summary = pd.DataFrame({"aspect": "N", "source": ["rain", "ice"],
    ...     "mean": [0.7, 0.3], "q05": [0.5, 0.1], "q95": [0.9, 0.5]})
    >>> wide = wide_fractions(summary, "aspect")
    >>> wide[["group", "rain", "ice_upper"]].values.tolist()
    [['N', 0.7, 0.5]]
    """
    names = [by] if isinstance(by, str) else list(by)
    check_columns(
        list(summary.columns), ["source", "mean", *bounds, *names], "summary of draws"
    )
    count = next((name for name in ("n", "n_rows") if name in summary), None)
    labels = pd.DataFrame(
        {
            "period": summary.get("period", "all periods"),
            "kind": summary[names[0]] if len(names) > 1 else names[0],
            "group": summary[names[-1]].astype(str),
            "n": 0 if count is None else summary[count],
        },
        index=summary.index,
    ).replace({"kind": _KINDS})
    keys = ["period", "kind", "group"]
    parts = {"": "mean", "_lower": bounds[0], "_upper": bounds[1]}
    table = labels.assign(source=summary["source"].astype(str))
    twice = table.duplicated([*keys, "source"])
    if twice.any():
        shown = table.loc[twice, [*keys, "source"]].iloc[0].to_list()
        message = (
            f"{int(twice.sum())} lines of the summary stand twice, such as "
            f"{', '.join(map(str, shown))}. Name the columns that tell groups apart "
            "as by, or select the rows of one kind."
        )
        raise InputError(message)
    wide = labels.drop_duplicates(keys).set_index(keys)
    for source in dict.fromkeys(table["source"]):
        own = (table["source"] == source).to_numpy(dtype=bool)
        cells = summary[own].set_index(pd.MultiIndex.from_frame(table.loc[own, keys]))
        for tail, column in parts.items():
            wide[f"{source}{tail}"] = cells[column].reindex(wide.index)
    return wide.reset_index()
