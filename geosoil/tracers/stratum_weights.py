"""What strata weigh in a regional mean: their samples, their area, their water."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.draws import QUANTILES, FractionDraws
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.soil_storage import layer_storage, stratum_storage

WORDS: dict[str, str] = {
    "samples": "share of samples",
    "area": "share of area",
    "storage": "share of stored water",
}
"""What a weighted mean of fractions is a mean of, by kind of weight."""

EQUAL_AREA = "strata of equal area"
"""Assumption of weights by storage that have no area."""

NO_AREA = "no area"
"""Reason: a stratum whose area is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class StratumWeights:
    """Weights of strata or rows, with the name of what they are.

    Raises
    ------
    InputError
        If a weight is negative or infinite, or index and reasons do not fit.

    Examples
    --------
    >>> area = pd.Series({"low": 100.0, "high": 200.0})
    >>> weights = StratumWeights(area, ("band",), "area", "km2", ("", ""))
    >>> weights.words
    'share of area'
    """

    weights: pd.Series
    """Weights, indexed by the strata, or one a row; NaN where unknown."""
    on: tuple[str, ...]
    """Columns that name the stratum; empty where there is one weight a row."""
    kind: str
    """What is weighed with: "samples", "area", "storage", or a word of your own."""
    unit: str
    """Unit of the weights."""
    reason: tuple[str, ...]
    """Why a weight is unknown or doubtful; "" where fine."""
    assumption: str = ""
    """What the weights take for granted; "" for nothing."""

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        numbers = self.weights.to_numpy(dtype=float)
        wrong = (numbers < 0) | np.isinf(numbers)
        if wrong.any():
            named = ", ".join(map(str, self.weights.index[wrong][:10]))
            message = (
                f"Invalid weights by {self.kind} of {named}: a weight is a finite "
                "number of 0 or above, or missing where it is not known."
            )
            raise InputError(message)
        if self.on and self.weights.index.nlevels != len(self.on):
            message = (
                f"Weights by {self.kind} have {self.weights.index.nlevels} labels a "
                f"stratum; {len(self.on)} are needed: {', '.join(self.on)}."
            )
            raise InputError(message)
        if len(self.reason) != len(self.weights):
            message = f"{len(self.reason)} reasons for {len(self.weights)} weights."
            raise InputError(message)

    @property
    def words(self) -> str:
        """What a mean with these weights is a mean of."""
        return WORDS.get(self.kind, f"share of {self.kind}")

    def table(self) -> pd.DataFrame:
        """Return the weights as a table.

        Returns
        -------
        table : DataFrame
            One line a stratum: columns of ``on``, ``weight``, ``share`` of the known
            weight, ``kind``, ``unit``, ``reason``.

        Examples
        --------
        >>> area = pd.Series({"low": 100.0, "high": 300.0})
        >>> table = weights_by_area(area, on=["band"]).table()
        >>> table[["band", "share"]].values.tolist()
        [['low', 0.25], ['high', 0.75]]
        """
        table = pd.DataFrame(index=range(len(self.weights)))
        for level, column in enumerate(self.on):
            table[column] = self.weights.index.get_level_values(level).to_numpy(object)
        weight = self.weights.to_numpy(dtype=float)
        total = float(np.nansum(weight))
        table["weight"] = weight
        table["share"] = weight / total if total > 0 else np.nan
        table["kind"], table["unit"] = self.kind, self.unit
        table["reason"] = list(self.reason)
        return table


def weights_by_n(
    table: pd.DataFrame, on: Sequence[str] = (), *, n: str | None = "n"
) -> StratumWeights:
    """Weigh with the number of samples.

    Parameters
    ----------
    table : DataFrame
        Rows with their number of samples, or the samples themselves.
    on : sequence of str
        Columns of the stratum, whose rows are added up; empty for a weight a row.
    n : str or None
        Column of the number of samples; None counts every row as one sample.

    Returns
    -------
    weights : StratumWeights
        Weights of the kind "samples".

    Raises
    ------
    InputError
        If a column is missing or a number is negative.

    Examples
    --------
    >>> samples = pd.DataFrame({"aspect": ["N", "N", "S"]})
    >>> weights_by_n(samples, ["aspect"], n=None).weights.to_dict()
    {'N': 2.0, 'S': 1.0}
    """
    check_columns(table, [*on, *([n] if n else [])], what="Table of samples")
    count = np.ones(len(table)) if n is None else table[n].to_numpy(dtype=float)
    if not on:
        reason = tuple("" if known else "no n" for known in np.isfinite(count))
        return StratumWeights(pd.Series(count), (), "samples", "1", reason)
    groups = sample_groups(table, on)
    sums = [float(count[group.rows].sum()) for group in groups]
    index = _index([tuple(group.key.values()) for group in groups], on)
    reason = tuple("" if np.isfinite(known) else "no n" for known in sums)
    return StratumWeights(
        pd.Series(sums, index=index), tuple(on), "samples", "1", reason
    )


def weights_by_area(area: pd.Series, *, on: Sequence[str]) -> StratumWeights:
    """Weigh with the area of strata.

    Parameters
    ----------
    area : Series
        Area [km2], indexed by the strata, also by those without a sample: what they
        hold of the region is then told as not covered. NaN where it is not known.
    on : sequence of str
        Columns that name the stratum, in the order of the index' levels.

    Returns
    -------
    weights : StratumWeights
        Weights of the kind "area".

    Raises
    ------
    InputError
        If an area is negative, a stratum stands twice, or the index does not fit.

    Examples
    --------
    >>> weights = weights_by_area(pd.Series({"low": 1.0, "high": np.nan}), on=["band"])
    >>> weights.reason
    ('', 'no area')
    """
    if not on or area.index.has_duplicates:
        message = (
            "Areas are indexed by strata, each once; give the columns that name them "
            f"as on (given: {', '.join(on) or 'none'})."
        )
        raise InputError(message)
    values = area.astype(float)
    reason = tuple("" if known else NO_AREA for known in values.notna())
    return StratumWeights(values, tuple(on), "area", "km2", reason)


def weights_by_storage(
    samples: pd.DataFrame,
    on: Sequence[str] = (),
    *,
    area: StratumWeights | None = None,
) -> StratumWeights:
    """Weigh with the water that soil layers hold.

    Parameters
    ----------
    samples : DataFrame
        Soil samples or strata of soil: columns ``depth_top``, ``depth_bottom`` [cm],
        ``soil_moisture`` [m3 m-3] and those of ``on``.
    on : sequence of str
        Columns of the stratum; empty for a weight a row.
    area : StratumWeights, optional
        Weights by area whose columns are among ``on``; without them strata count as
        of equal area, which ``assumption`` says.

    Returns
    -------
    weights : StratumWeights
        Weights of the kind "storage" [mm], or [mm km2] with ``area``. Where moisture
        or thickness is missing the weight is NaN with a reason, never 0.

    Raises
    ------
    InputError
        If a column is missing, moisture lies outside 0 to 1, or a layer's bottom lies
        not below its top.

    Notes
    -----
    Storage of a row is 10 (depth_bottom - depth_top) theta [mm], theta the volumetric
    moisture. That of a stratum is the sum over its layers of thickness times the mean
    moisture of the layer's samples; layers that overlap have no sum. Only layers that
    were sampled count.

    Examples
    --------
    >>> soil = pd.DataFrame({"depth_top": [0.0, 20.0, 40.0],
    ...                      "depth_bottom": [20.0, 40.0, 80.0],
    ...                      "soil_moisture": [0.30, 0.25, np.nan]})
    >>> weights = weights_by_storage(soil)
    >>> weights.weights.round(1).tolist(), weights.reason[2]
    ([60.0, 50.0, nan], 'no soil moisture')
    """
    kind, unit = "storage", "mm"
    if not on:
        if area is not None:
            message = "Weights of rows by storage take no area. Give the strata as on."
            raise InputError(message)
        rows = layer_storage(samples).reset_index(drop=True)
        reason = tuple(rows["reason"])
        return StratumWeights(rows["storage"], (), kind, unit, reason, EQUAL_AREA)
    strata = stratum_storage(samples, on)
    index = _index(list(strata[list(on)].itertuples(index=False, name=None)), on)
    storage = pd.Series(strata["storage"].to_numpy(dtype=float), index=index)
    reason = tuple(strata["reason"])
    weights = StratumWeights(storage, tuple(on), kind, unit, reason, EQUAL_AREA)
    return weights if area is None else _times_area(weights, area)


def side_by_side(
    draws: FractionDraws,
    weights: Mapping[str, StratumWeights],
    *,
    by: Sequence[str] = (),
    quantiles: Sequence[float] = QUANTILES,
) -> pd.DataFrame:
    """Average the same draws with several weights and set the means beside each other.

    Parameters
    ----------
    draws : FractionDraws
        Draws of the fractions of rows.
    weights : mapping of str to StratumWeights
        Weights by the name that they are to have in the table.
    by : sequence of str
        Columns that make the groups; empty for all rows together.
    quantiles : sequence of float
        Probabilities of the quantiles.

    Returns
    -------
    means : DataFrame
        As `FractionDraws.summary` of the aggregated draws, one block a weighting:
        ``weighting``, ``words`` such as "share of stored water", ``unit`` and
        ``assumption`` of the weights come first.

    Raises
    ------
    InputError
        If there are no weights, they do not fit the rows, or weights of one known
        kind are given under the name of another.

    Notes
    -----
    A mean over samples, over area and over stored water answer three questions. None
    stands for another, which is why a name that belongs to another kind is refused.

    Examples
    --------
    >>> table = pd.DataFrame({"band": ["low", "high"], "n": [30, 10]})
    >>> values = np.array([[[0.8, 0.2], [0.4, 0.6]], [[0.6, 0.4], [0.2, 0.8]]])
    >>> draws = FractionDraws(table, ("rain", "ice"), values, ("", ""), "bayes")
    >>> area = weights_by_area(pd.Series({"low": 1.0, "high": 3.0}), on=["band"])
    >>> means = side_by_side(draws, {"samples": weights_by_n(table), "area": area})
    >>> means.loc[means["source"] == "rain", ["words", "mean"]].values.tolist()
    [['share of samples', 0.6], ['share of area', 0.4]]
    """
    if not weights:
        message = "No weights to set side by side. Give one or more by name."
        raise InputError(message)
    wrong = [
        f"weights by {own.kind} given as '{name}'"
        for name, own in weights.items()
        if name != own.kind and name in WORDS
    ]
    if wrong:
        message = f"{'; '.join(wrong)}. Name weights after what they are."
        raise InputError(message)
    parts = []
    for name, own in weights.items():
        mean = draws.aggregate(by, weights=own.weights, weighting=name, on=own.on)
        part = mean.summary(quantiles=quantiles)
        part = part.drop(columns="weighting")
        for place, (column, words) in enumerate(
            {
                "weighting": name,
                "words": own.words,
                "unit": own.unit,
                "assumption": own.assumption,
            }.items()
        ):
            part.insert(place, column, words)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _index(keys: list[tuple[object, ...]], on: Sequence[str]) -> pd.Index:
    if len(on) == 1:
        return pd.Index([key[0] for key in keys], name=on[0], dtype=object)
    return pd.MultiIndex.from_tuples(keys, names=list(on))


def _times_area(weights: StratumWeights, area: StratumWeights) -> StratumWeights:
    """Storage times area, the area found by the columns that it is known by."""
    strange = [column for column in area.on if column not in weights.on]
    if area.kind != "area" or not area.on or strange:
        message = (
            f"Weights by {area.kind} on {', '.join(area.on) or 'rows'} are no areas of "
            f"strata by {', '.join(weights.on)}. Give weights by area on some of these."
        )
        raise InputError(message)
    labels = weights.weights.index.to_frame(index=False)
    labels.columns = pd.Index(weights.on)
    keys = labels[list(area.on)].astype(object).itertuples(index=False, name=None)
    one = len(area.on) == 1
    known = area.weights.to_dict()
    size = np.array([known.get(key[0] if one else key, np.nan) for key in keys], float)
    reason = tuple(
        "; ".join(filter(None, [words, NO_AREA if np.isnan(own) else ""]))
        for words, own in zip(weights.reason, size, strict=True)
    )
    return StratumWeights(
        weights.weights * size, weights.on, "storage", "mm km2", reason
    )
