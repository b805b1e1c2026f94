"""The methods of a run as paragraphs to paste, from the settings that were used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geosoil.report.cells import RowNumbers
from geosoil.report.document import Cite, Number, Paragraph, Piece, Section, Text
from geosoil.report.isotopes import EXCESS
from geosoil.report.methods_maps import correlation_text, interpolation_text
from geosoil.report.record import RunRecord, in_words, number_of, text_of
from geosoil.report.settings_numbers import setting_number

LINE_METHODS: Mapping[str, Text] = {
    "ols": ("ordinary least squares",),
    "rma": ("reduced major axis regression (", Cite("warton2006"), ")"),
    "ma": ("major axis regression (", Cite("warton2006"), ")"),
    "pwlsr": (
        "least squares weighted by precipitation (",
        Cite("hughes2012"),
        ")",
    ),
    "pwrma": (
        "reduced major axis regression weighted by precipitation (",
        Cite("hughes2012"),
        ")",
    ),
    "pwma": (
        "major axis regression weighted by precipitation (",
        Cite("hughes2012"),
        ")",
    ),
}
"""Words for the fits of water lines."""
TRACERS = {"d18O": "δ¹⁸O", "d2H": "δ²H", "d_excess": "d-excess"}


def methods_section(record: RunRecord) -> Section:
    """Return the methods, ready to paste.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    section : Section
        Paragraphs with the numbers of the settings and citations; what the run did
        not do is not told.
    """
    paragraphs = tuple(Paragraph(text) for text in methods_text(record))
    note = Paragraph(
        (
            "Written from the settings that were used. Add how the samples were taken "
            "and measured.",
        ),
        "note",
    )
    return Section("methods", "Methods, ready to paste", (note, *paragraphs))


def methods_text(record: RunRecord) -> list[Text]:
    """Return the paragraphs of the methods.

    Parameters
    ----------
    record : RunRecord
        Run.

    Returns
    -------
    paragraphs : list of tuple of pieces
        Isotopes and lines; mixing; evaporation; maps; correlation; software.
    """
    found = (
        _isotopes(record),
        _mixing(record),
        _evaporation(record),
        interpolation_text(record),
        correlation_text(record),
        _software(record),
    )
    return [text for text in found if text]


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    Parameters
    ----------
    words : sequence of str
        Words.

    Returns
    -------
    text : str
        With commas and "and".

    Examples
    --------
    >>> listed(["June", "August", "September"])
    'June, August and September'
    """
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _isotopes(record: RunRecord) -> Text:
    """Tell delta values, excesses and water lines."""
    text: list[Piece] = [
        "Isotope ratios are given as δ¹⁸O and δ²H in ‰ against VSMOW, with d-excess = "
        f"{EXCESS} (",
        Cite("dansgaard1964"),
        ") and lc-excess, the distance in δ²H from the local meteoric water line (",
        Cite("landwehr2006"),
        ").",
    ]
    line = record.table("meteoric_line", "slope", "intercept")
    if line is not None:
        row = line.iloc[0]
        numbers = RowNumbers(row, "summary.json lmwl", "local meteoric water line")
        text += [" The local meteoric water line was fitted to "]
        text += [numbers.count("n", "samples"), " samples of precipitation by "]
        text += [*_fit(text_of(row.get("method", ""))), ": δ²H = "]
        text += [numbers.fixed("slope"), " δ¹⁸O ", numbers.term("intercept")]
        text += [" (R² = ", numbers.fixed("r_squared", "R2"), ")."]
    if record.table("water_lines", "slope") is not None:
        own = text_of(record.setting("tracers", "method", default="ols"))
        text += [
            " Evaporation lines of soil water were fitted by period and stratum by "
        ]
        text += [*_fit(own.removeprefix("pw").replace("lsr", "ols") or "ols")]
        if record.setting("tracers", "preset") != "paper":
            text += ["; their crossings with the local meteoric water line have 95 % "]
            text += ["intervals (", Cite("fieller1954"), ")"]
        text.append(".")
    return tuple(text)


def _fit(method: str) -> Text:
    """Words for the fit of a line."""
    return LINE_METHODS.get(method, (in_words(method),))


def _mixing(record: RunRecord) -> Text:
    """Tell sources, tracers, end members, rules and errors of the mixing."""
    sources = record.setting("tracers", "sources", default={})
    if not sources or record.table("fractions_regional", "fraction") is None:
        return ()
    named = [TRACERS.get(n, n) for n in record.setting("tracers", "names", default=())]
    text: list[Piece] = [
        "Shares of the sources of soil water (",
        *_sources(sources),
        f") were solved by end-member mixing with the tracers {listed(named)}, as "
        "least squares weighted by the covariances of mixture and sources under the "
        "condition that shares are not negative and sum to one. ",
    ]
    if record.setting("tracers", "end_members"):
        text.append("End members were taken from a given table. ")
    else:
        text.append("End members are the means of the samples of each source. ")
    text += _rules(record.setting("rule", default=()))
    text += [
        "Errors of the means of mixture and sources, those of soil water clustered by "
        "site (",
        Cite("liangzeger1986"),
        "), were propagated to first order (",
        Cite("genereux1998"),
        "; ",
        Cite("phillips2001"),
        "); intervals are at 95 %.",
        *_draws(record),
    ]
    return tuple(text)


def _sources(sources: Mapping[str, Sequence[str]]) -> list[Piece]:
    """List the sources of each period, periods with the same ones together."""
    same: dict[tuple[str, ...], list[str]] = {}
    for period, names in sources.items():
        same.setdefault(tuple(names), []).append(str(period))
    parts = [
        f"{listed(periods)}: {listed([in_words(name) for name in names])}"
        for names, periods in same.items()
    ]
    return ["; ".join(parts)]


def _rules(rules: Sequence[Mapping[str, Any]]) -> list[Piece]:
    """Tell where a source was taken for absent."""
    text: list[Piece] = []
    for place, rule in enumerate(rules):
        key = f"rule.{place}"
        text += [", " if place else "By rule, "]
        text.append(f"{in_words(rule.get('source'))} is zero")
        limits = [n for n in ("below", "above") if rule.get(n) is not None]
        for limit in limits:
            height = setting_number(rule, limit, key, unit="m", digits=0)
            text += [f" {limit} ", height, " m"]
        text.append(f" in {listed([str(p) for p in rule.get('period', ())])}")
    return [*text, ". "] if text else []


def _draws(record: RunRecord) -> list[Piece]:
    """Tell the draws of the strata's shares."""
    table = record.table("fractions_draws", "n_draws")
    if table is None:
        return []
    numbers = RowNumbers(table.iloc[0], "tables/fractions_draws.csv", "strata")
    draws = numbers.count("n_draws", "draws")
    return [" Shares of strata were also drawn ", draws, " times from these errors."]


def _evaporation(record: RunRecord) -> Text:
    """Tell the climate of the Craig-Gordon slopes."""
    climate = record.setting("tracers", "climate", default={})
    if not climate:
        return ()
    text: list[Piece] = [
        "Slopes of evaporation follow the Craig-Gordon model (",
        Cite("craiggordon1965"),
        "; ",
        Cite("benettin2018"),
        ") with ",
    ]
    for place, (period, values) in enumerate(climate.items()):
        key = f"tracers.climate.{period}"
        temperature = setting_number(values, "temperature", key, unit="degC", digits=1)
        humidity = setting_number(values, "humidity", key, percent=True)
        text += ["; " if place else "", temperature, " °C and ", humidity]
        text.append(f" relative humidity ({period})")
    text.append(".")
    table = record.table("fractions_regional", "answer")
    if table is not None:
        answers = listed([str(answer) for answer in dict.fromkeys(table["answer"])])
        text.append(f" Shares are given by the answers {answers}.")
    return tuple(text)


def _software(record: RunRecord) -> Text:
    """Tell software and seed."""
    version = text_of(record.software.get("geosoil", ""))
    python = text_of(record.software.get("python", ""))
    text: list[Piece] = [f"All computations were done with geosoil {version}"]
    text.append(f" (Python {python})" if python else "")
    seed = number_of(record.setting("study", "seed", default=None))
    if seed == seed:  # noqa: PLR0124  NaN
        number = Number("seed", seed, "1", "settings", "study.seed", digits=0)
        text += ["; random numbers start from the seed ", number]
    return (*text, ".")
