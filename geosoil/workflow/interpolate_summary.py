"""What an interpolation gave, in rows of numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.support import REASONS
from geosoil.workflow.interpolate_choice import Choice
from geosoil.workflow.interpolate_inputs import InterpolateInputs
from geosoil.workflow.interpolate_methods import IN_WORDS
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_support import IN_WORDS as REASONS_IN_WORDS
from geosoil.workflow.interpolate_support import Judgement, area_words
from geosoil.workflow.interpolate_surfaces import Surfaces

Row = Mapping[Any, Any]
"""Numbers and words of one quantity."""

SCORES = ("mean_error", "rmse", "mae", "nse", "msdr", "picp90", "picp95", "crps")
"""Scores of cross-validation that the summary holds."""

MEANS = {
    "sample mean": "sample_mean",
    "lowest cell-declustered mean": "declustered_mean_lowest",
    "highest cell-declustered mean": "declustered_mean_highest",
    "Voronoi-weighted mean": "voronoi_mean",
    "area-weighted map mean": "map_mean",
}
"""Means that stand side by side, with their columns."""

FOLDS = {
    "loo": "each place left out",
    "kfold": "random folds",
    "block": "blocks",
    "site": "each site left out",
}
"""How data were left out, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """All that an interpolation found."""

    inputs: InterpolateInputs
    """What was opened."""
    choice: Choice
    """The method, and its validation."""
    surfaces: Surfaces
    """The maps."""
    judgement: Judgement
    """What the samples support of them."""


def summary_table(results: Results, request: InterpolateRequest) -> pd.DataFrame:
    """Summarise an interpolation.

    Parameters
    ----------
    results : Results
        What was found.
    request : InterpolateRequest
        What was asked.

    Returns
    -------
    summary : DataFrame
        One row a quantity: rows used and left out by reason, method, variogram,
        scores, area without support by reason, and means.
    """
    rows = [_row(one.name, one.column, results, request) for one in request.quantities]
    return pd.DataFrame(rows)


def _row(
    name: str, column: str, results: Results, request: InterpolateRequest
) -> dict[str, object]:
    """Summarise one quantity."""
    inputs, choice = results.inputs, results.choice
    places = int(inputs.points.geometry.to_wkb().nunique())
    row: dict[str, object] = {
        "quantity": name,
        "column": column,
        "period": request.period or "",
        "method": choice.method,
        "rows": inputs.n_rows,
        "rows_used": len(inputs.points),
        "places": places,
        "merged": len(inputs.points) - places,
    }
    row |= {f"left_out_{_plain(why)}": n for why, n in inputs.left_out.items()}
    row |= _variogram_row(results.surfaces.interpolators.get(name))
    if name in choice.validations:
        found = choice.validations[name]
        scores = asdict(found.scores)
        row |= {
            "cv": found.folds,
            "cv_folds": found.n_folds,
            "cv_block_m": found.block_size,
            "cv_n": found.scores.n,
        }
        row |= {f"cv_{score}": scores[score] for score in SCORES}
        row["beats_mean"] = _beats(choice, name)
    row |= _area_row(results)
    means = results.judgement.means
    own = means[means["quantity"] == name].set_index("kind")["mean"]
    row |= {column: float(own.get(kind, np.nan)) for kind, column in MEANS.items()}
    estimate = results.surfaces.estimates[name]
    row["map_min"], row["map_max"] = float(estimate.min()), float(estimate.max())
    return row


def _plain(words: str) -> str:
    """Write words as part of a column's name."""
    return "_".join(words.split())


def _variogram_row(fitted: object) -> dict[str, object]:
    """Return the variogram of a kriging."""
    if not isinstance(fitted, Kriging):
        return {}
    variogram = fitted.variogram_
    return {
        "variogram": variogram.model,
        "nugget": variogram.nugget,
        "sill": variogram.sill,
        "range_m": getattr(variogram, "range_", np.nan),
        "variogram_flag": variogram.flag,
    }


def _beats(choice: Choice, name: str) -> str:
    """Say whether the method beats the mean of the places."""
    table = choice.ranking
    rows = table[(table["quantity"] == name) & (table["candidate"] == choice.method)]
    return "" if rows.empty else str(rows["beats_mean"].iloc[0])


def _area_row(results: Results) -> dict[str, object]:
    """Return the cells and the area, and what of it lacks support."""
    judged = results.judgement
    row: dict[str, object] = {
        "cells": int(results.inputs.mask.sum()),
        "cells_without_estimate": judged.cells_without,
        "area_km2": judged.km2("all"),
        "unsupported_km2": judged.km2("any"),
        "unsupported_share": judged.share("any"),
    }
    return row | {f"unsupported_km2_{why}": judged.km2(why) for why in REASONS}


def summary_text(
    summary: pd.DataFrame,
    results: Results,
    request: InterpolateRequest,
    folder: Path,
) -> str:
    """Tell people what was found.

    Parameters
    ----------
    summary : DataFrame
        One row a quantity.
    results : Results
        What was found.
    request : InterpolateRequest
        What was asked.
    folder : Path
        Where results were written.

    Returns
    -------
    text : str
        Several lines.
    """
    inputs, choice = results.inputs, results.choice
    rows = summary.to_dict("records")
    first = rows[0]
    when = f", {request.period}" if request.period else ""
    lines = ["SIMULATED points: no value below was measured."] * inputs.simulated
    lines += [
        f"{', '.join(inputs.names)}{when}: "
        f"{IN_WORDS.get(choice.method, choice.method)}; {first['places']} places",
        f"points: {_points_words(first, inputs)}",
        *(f"method: {words}" for words in choice.words),
    ]
    several = len(rows) > 1
    for row in rows:
        head = f"{row['quantity']}: " if several else ""
        lines += [head + words for words in _row_words(row)]
    lines += _balance_words(results)
    lines.append(_support_words(results, request))
    if first["cells_without_estimate"]:
        lines.append(
            f"{first['cells_without_estimate']} of {first['cells']} cells have no "
            "estimate: no data or no drift there, or no source is possible"
        )
    lines += [f"- {words}" for words in (*results.surfaces.words,
              *results.judgement.words, *inputs.words)]  # fmt: skip
    lines.append(
        f"Wrote {folder}: rasters, interpolation.nc, tables, figures, provenance.json."
    )
    return "\n".join(lines)


def _points_words(row: Row, inputs: InterpolateInputs) -> str:
    """Say how many rows are used, and what became of the others."""
    words = f"{row['rows_used']} of {row['rows']} rows used"
    if row["merged"]:
        words += f", {row['merged']} of them averaged with others of their place"
    lost = [f"{count} {why}" for why, count in inputs.left_out.items()]
    return words + (f"; left out: {', '.join(lost)}" if lost else "")


def _row_words(row: Row) -> list[str]:
    """Tell one quantity: variogram, scores, means."""
    told = []
    if "variogram" in row and isinstance(row["variogram"], str):
        words = f"variogram: {row['variogram']}, nugget {row['nugget']:.4g}"
        words += f", sill {row['sill']:.4g}"
        if row["variogram"] != "nugget":
            words += f", range {row['range_m'] / 1000:.4g} km"
        told.append(
            words + (f" ({row['variogram_flag']})" * bool(row["variogram_flag"]))
        )
    if "cv" in row:
        told.append(_score_words(row))
    told.append(
        f"means: of the samples {row['sample_mean']:.4g}; declustered "
        f"{row['declustered_mean_lowest']:.4g} to "
        f"{row['declustered_mean_highest']:.4g}; of the map by area "
        f"{row['map_mean']:.4g}"
    )
    return told


def _variogram_words(row: Row) -> str:
    """Tell a variogram with what flags it."""
    words = f"{row['variogram']}, nugget {row['nugget']:.4g}, sill {row['sill']:.4g}"
    if row["variogram"] != "nugget":
        words += f", range {row['range_m'] / 1000:.4g} km"
    flag = row["variogram_flag"]
    return f"{words} ({flag})" if flag else words


def _balance_words(results: Results) -> list[str]:
    """Tell the variograms that belong to no one quantity: of domains, log-ratios."""
    told = []
    for label, fitted in results.surfaces.interpolators.items():
        row = _variogram_row(fitted)
        if label not in results.inputs.names and row:
            what = "the log-ratio " if results.choice.method == "ilr" else ""
            told.append(f"variogram of {what}{label}: {_variogram_words(row)}")
    return told


def _score_words(row: Row) -> str:
    """Tell the scores of one quantity."""
    how = FOLDS[row["cv"]]
    if row["cv"] == "block":
        how += f" of {row['cv_block_m'] / 1000:.3g} km"
    words = (
        f"cross-validation ({how}, {row['cv_folds']} folds): RMSE {row['cv_rmse']:.4g}"
        f", bias {row['cv_mean_error']:+.3g}, NSE {row['cv_nse']:.2f}"
    )
    if np.isfinite(row["cv_picp90"]):
        words += (
            f", {100 * row['cv_picp90']:.0f} % within the 90 % interval, MSDR "
            f"{row['cv_msdr']:.2f}"
        )
    if row["cv_n"] < row["rows_used"]:
        words += f"; {row['rows_used'] - row['cv_n']} points were not predicted"
    verdict = {
        "yes": "; better than the mean of the places",
        "no": "; WORSE than the mean of the places",
        "no difference": "; no better than the mean of the places",
    }
    return words + verdict.get(str(row["beats_mean"]), "")


def _support_words(results: Results, request: InterpolateRequest) -> str:
    """Tell the area that the samples do not support."""
    judged = results.judgement
    words = (
        f"support: {area_words(judged.km2('any'))} of "
        f"{area_words(judged.km2('all'))} km2 "
        f"({100 * judged.share('any'):.1f} %) not supported by the samples"
    )
    why = [
        f"{REASONS_IN_WORDS[name]} {100 * part:.1f} %"
        for name, part in judged.reasons().items()
    ]
    if why:
        words += f" ({', '.join(why)}); " + (
            "left empty" if request.mask else "hatched in the figure"
        )
    rules = str(judged.support["reason"].attrs["rules_applied"])
    if not rules:
        words = (
            "support: nothing was judged; give --support-distance, --elevation or a "
            "kriging method"
        )
    return words
