"""Answer a request of source fractions: words, plain values, tables and figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.io._atomic import write_csv, write_text
from geosoil.workflow.fraction_figures import write_fraction_figures
from geosoil.workflow.fraction_inputs import FractionInputs, open_fractions
from geosoil.workflow.fraction_request import FractionRequest
from geosoil.workflow.fraction_table import FractionTables, solve_fractions
from geosoil.workflow.plain_json import plain_value, strict_json

TAILS: tuple[str, ...] = ("", "_sd", "_lower", "_upper", "_raw", "_per_permil")
TAILS += ("_possible_lower", "_possible_upper")
LEAST_CHANGE = 0.005
"""Change of a share per permil of evaporation below which it is not told."""


@dataclass(frozen=True, slots=True, eq=False)
class FractionReport:
    """Fractions of a table and how they are told."""

    tables: FractionTables
    """Answers."""
    text: str
    """What the command prints."""
    results: list[object]
    """One plain record a group and source."""
    paths: tuple[Path, ...]
    """Files written."""


def fractions_of_table(
    request: FractionRequest,
    *,
    output: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> FractionReport:
    """Read samples, solve the source fractions of their groups, and tell them.

    Parameters
    ----------
    request : FractionRequest
        What is asked.
    output : str or Path, optional
        Folder for tables and figures; nothing is written without it.
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    report : FractionReport
        Answers, words and the files written.

    Raises
    ------
    GeosoilError
        If a table cannot be read, end members cannot be told apart, or a posterior
        does not converge.
    """
    report = progress or _silent
    report(f"reading {request.samples}")
    inputs = open_fractions(request)
    tables = solve_fractions(inputs, request, report)
    paths: tuple[Path, ...] = ()
    if output is not None:
        folder = Path(output)
        paths = _write(inputs, tables, request, folder)
        report("drawing figures")
        paths += write_fraction_figures(inputs, tables, request, folder)
        report(f"wrote {len(paths)} files to {folder}")
    text = fraction_text(tables, request)
    return FractionReport(tables, text, _records(tables, request), paths)


def fraction_text(tables: FractionTables, request: FractionRequest) -> str:
    """Tell the fractions of each group, how sure they are and what was assumed.

    Parameters
    ----------
    tables : FractionTables
        Answers.
    request : FractionRequest
        What was asked.

    Returns
    -------
    text : str
        A table with a line a group, then notes.
    """
    water = request.mixture.replace("_", " ")
    sources = [name for name in request.sources if name in tables.groups]
    labels = [_label(row, request.by) for _, row in tables.groups.iterrows()]
    width = max(map(len, [*labels, "group"])) + 2
    heads = "".join(f"{name.replace('_', ' '):>22}" for name in sources)
    text = [
        f"Sources of {water} water by {request.method}, tracers "
        f"{', '.join(request.tracers)}, evaporation {request.evaporation} "
        "[%, 95 % interval]",
        f"{'group':<{width}}{'n':>5}{'sites':>6}{heads}",
    ]
    for label, (_, row) in zip(labels, tables.groups.iterrows(), strict=True):
        cells = "".join(f"{_cell(row, name):>22}" for name in sources)
        why = f"  {row['reason']}" if row["reason"] else ""
        text.append(
            f"{label:<{width}}{_count(row, 'n'):>5}{_count(row, 'n_sites'):>6}"
            f"{cells}{why}"
        )
    text += _slopes(tables, labels, sources)
    text += ["", *_space(tables, request), *tables.notes]
    text += [str(note) for note in _notes(tables.end_members)]
    return "\n".join(text)


def _label(row: pd.Series, by: tuple[str, ...]) -> str:
    words = ["(none)" if pd.isna(row[name]) else str(row[name]) for name in by]
    return ", ".join(words) or "all"


def _count(row: pd.Series, name: str) -> str:
    return str(int(row[name])) if name in row and pd.notna(row[name]) else ""


def _cell(row: pd.Series, source: str) -> str:
    """Tell a share with its interval, or its possible range alone."""
    if np.isfinite(row[source]):
        low, high = row[f"{source}_lower"], row[f"{source}_upper"]
        known = np.isfinite(low)
        interval = f" ({100 * low:.0f} to {100 * high:.0f})" if known else ""
        return f"{100 * row[source]:.0f}{interval}"
    low = row.get(f"{source}_possible_lower", np.nan)
    if not np.isfinite(low):
        return "-"
    high = row[f"{source}_possible_upper"]
    return f"range {100 * low:.0f} to {100 * high:.0f}"


def _slopes(tables: FractionTables, labels: list[str], sources: list[str]) -> list[str]:
    """Tell how the shares hang on evaporation, where that was asked."""
    if not any(f"{name}_per_permil" in tables.groups for name in sources):
        return []
    text = ["", "Evaporation [permil d18O], and change of each share per permil of it"]
    for label, (_, row) in zip(labels, tables.groups.iterrows(), strict=True):
        slopes = ", ".join(
            f"{name.replace('_', ' ')} {100 * row[f'{name}_per_permil']:+.0f} %"
            for name in sources
            if abs(row[f"{name}_per_permil"]) >= LEAST_CHANGE
        )
        amount = "not known"
        if np.isfinite(row["evaporation"]):
            amount = f"{row['evaporation']:.2f} ± {row['evaporation_sd']:.2f}"
        text.append(f"{label}: {amount}; {slopes}")
    return text


def _space(tables: FractionTables, request: FractionRequest) -> list[str]:
    """Count mixtures outside the mixing space and say what became of them."""
    counts = tables.policy.counts
    outside, n = int(counts["n_outside"].sum()), int(counts["n"].sum())
    done = {
        "keep": "they were kept",
        "exclude": "they were left out",
        "reassign": "they were moved to its nearest point",
    }[request.policy]
    return [
        f"{outside} of {n} mixtures lie outside the mixing space (probability below "
        f"5 %); {done}."
    ]


def _notes(end_members: pd.DataFrame) -> list[str]:
    """Say where end members fell back to a coarser level or another year."""
    if "note" not in end_members:
        return []
    words = end_members["note"].dropna().astype(str)
    return list(dict.fromkeys(word for word in words if word and word != "nan"))


def _records(tables: FractionTables, request: FractionRequest) -> list[object]:
    """One plain record a group and source."""
    records: list[object] = []
    for _, row in tables.groups.iterrows():
        head: dict[str, object] = {name: plain_value(row[name]) for name in request.by}
        head |= {name: plain_value(row.get(name)) for name in ("n", "n_sites")}
        for source in request.sources:
            if source not in row:
                continue
            cells = {
                f"fraction{tail}": plain_value(row[f"{source}{tail}"])
                for tail in TAILS
                if f"{source}{tail}" in row
            }
            extra = {
                name: plain_value(row[name])
                for name in ("evaporation", "evaporation_sd", "identifiable", "chi2")
                if name in row
            }
            records.append(
                {**head, "source": source, **cells, **extra, "reason": row["reason"]}
            )
    return records


def _write(
    inputs: FractionInputs,
    tables: FractionTables,
    request: FractionRequest,
    folder: Path,
) -> tuple[Path, ...]:
    """Write every table and the request."""
    out = tables.policy.excluded
    found: dict[str, pd.DataFrame | None] = {
        "fractions_groups": tables.groups,
        "fractions_samples": tables.samples,
        "end_members_used": tables.end_members,
        "mixing_region": tables.region,
        "mixing_policy": tables.policy.counts,
        "samples_excluded": out if len(out) else None,
        "fractions_draws": None if tables.draws is None else tables.draws.summary(),
        "fractions_weighted": tables.weighted,
        "sample_issues": inputs.issues,
        **_posterior_tables(tables, request),
    }
    paths = [
        write_csv(table, folder / f"{name}.csv")
        for name, table in found.items()
        if table is not None
    ]
    record = {key: plain_value(value) for key, value in asdict(request).items()}
    record["notes"] = list(tables.notes)
    paths.append(write_text(strict_json(record), folder / "request.json"))
    return tuple(paths)


def _posterior_tables(
    tables: FractionTables, request: FractionRequest
) -> dict[str, pd.DataFrame | None]:
    """Diagnostics, prior, predictive check and cross-validation of the posteriors."""
    if not tables.posteriors:
        return {}
    rng = np.random.default_rng(request.seed)
    found: dict[str, list[pd.DataFrame]] = {}
    for label, posterior in tables.posteriors.items():
        left_out = posterior.loo()
        loo = pd.DataFrame(
            {
                "elpd": [left_out.elpd],
                "se": [left_out.se],
                "p_loo": [left_out.p_loo],
                "reason": [left_out.reason],
            }
        )
        for name, table in {
            "posterior_diagnostics": posterior.diagnostics,
            "posterior_prior": posterior.prior,
            "posterior_parameters": posterior.parameter_summary(),
            "posterior_check": posterior.posterior_predictive(rng),
            "posterior_loo": loo,
        }.items():
            found.setdefault(name, []).append(table.assign(part=str(label)))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}


def _silent(words: str) -> None:
    """Report nothing."""
    del words
