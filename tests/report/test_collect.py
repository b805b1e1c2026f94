"""A report says what the tables of the run say, and nothing that the run did not do."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from geosoil.report.collect import collect_report
from geosoil.report.document import Cite, Number, Report
from geosoil.report.methods import methods_text
from geosoil.report.mixing import outside_samples
from geosoil.report.numbers import all_numbers, plain_text, walk
from geosoil.report.record import RunRecord
from geosoil.report.references import REFERENCES, reference_list
from tests.report.report_cases import HOSTILE, settings, tables


@pytest.fixture
def record() -> RunRecord:
    return RunRecord(
        tables=tables(),
        settings=settings(),
        software={"geosoil": "1.2"},
        inputs={},
        verified=False,
        settings_digest="ab",
    )


def with_table(record: RunRecord, name: str, table: pd.DataFrame) -> RunRecord:
    return replace(record, tables={**record.tables, name: table})


def with_settings(record: RunRecord, **parts: object) -> RunRecord:
    return replace(record, settings={**record.settings, **parts})


def anchors(report: Report) -> list[str]:
    return [section.anchor for section in report.sections]


def find(report: Report, name: str, group: str) -> list[Number]:
    return [n for n in all_numbers(report) if n.name == name and n.group == group]


def words(report: Report) -> str:
    return " ".join(part for part in walk(report) if isinstance(part, str))


def test_the_shares_are_those_of_the_table(record: RunRecord) -> None:
    report = collect_report(record)
    for source, value, lower, upper in (
        ("rain", 0.7251234567890123, 0.6, 0.85),
        (HOSTILE[0], 0.2748765432109877, 0.15, 0.4),
    ):
        found = find(report, "fraction", f"June, {source}, rain as fallen")
        assert len(found) == 2
        for number in found:
            assert (number.value, number.lower, number.upper) == (value, lower, upper)
            assert number.source.startswith("tables/fractions_regional.csv")


def test_regressions_of_d_excess_are_those_of_the_samples(record: RunRecord) -> None:
    report = collect_report(record)
    samples = tables()["fractions_samples"]
    slope = samples["d2H"].sub(8 * samples["d18O"]).cov(samples["d18O"])
    slope /= samples["d18O"].var()
    for label in ("all soil water", f"vegetation: {HOSTILE[2]}"):
        (found,) = find(report, "slope", f"d-excess on d18O, {label}")
        assert found.value == pytest.approx(slope, rel=1e-12)


def test_samples_outside_the_mixing_space_are_told_with_their_rows(
    record: RunRecord,
) -> None:
    outside = outside_samples(record)
    assert outside is not None
    assert outside["sample_id"].tolist() == ["NA", HOSTILE[1], HOSTILE[3]]
    report = collect_report(record)
    (first, second) = find(report, "row in the sample table", "NA")
    assert first.value == second.value == 3.0
    (count,) = find(report, "samples outside", "June")
    assert count.value == 3.0


def test_a_method_that_beats_the_mean_and_was_not_taken_is_named(
    record: RunRecord,
) -> None:
    report = collect_report(record)
    gaps = find(report, "difference to mean", "June, ilr")
    assert [number.value for number in gaps] == [-0.4]
    assert "; kriging of log-ratios differs from the mean by " in words(report)
    table = tables()["interpolation_comparison"]
    table["difference_se"] = 0.5
    equal = collect_report(with_table(record, "interpolation_comparison", table))
    assert "differs from the mean" not in words(equal)


def test_the_reason_of_the_choice_is_told(record: RunRecord) -> None:
    choice = pd.DataFrame({"period": ["June"], "choice": ["no other is better"]})
    report = collect_report(with_table(record, "map_choices", choice))
    assert ". Why: no other is better" in words(report)


def test_issues_are_counted_by_rule(record: RunRecord) -> None:
    report = collect_report(record)
    (number,) = find(report, "issues", "decimal comma (site_id)")
    assert number.value == 1.0
    (whole,) = find(report, "issues", "sample table")
    assert whole.value == 2.0


def test_a_run_without_tables_has_no_section_of_results(record: RunRecord) -> None:
    empty = collect_report(replace(record, tables={}))
    assert anchors(empty) == ["quality", "methods", "provenance"]
    assert "Nothing in the sample table was changed" in words(empty)


def test_a_table_without_its_columns_is_left_out_not_guessed(record: RunRecord) -> None:
    table = tables()["fractions_regional"].drop(columns="lower")
    report = collect_report(with_table(record, "fractions_regional", table))
    assert "result" not in anchors(report)


def test_the_share_of_the_paper_stands_beside_only_where_it_is_known(
    record: RunRecord,
) -> None:
    table = tables()["fractions_regional"].assign(paper=[0.72, None])
    report = collect_report(with_table(record, "fractions_regional", table))
    stated = [n.value for n in all_numbers(report) if n.name == "fraction, paper"]
    assert stated[0] == 0.72
    assert stated[1] != stated[1]
    assert "share stated by the paper" in words(report)
    assert "share stated by the paper" not in words(collect_report(record))


def methods(record: RunRecord) -> str:
    return "\n".join(plain_text(text) for text in methods_text(record))


def cited(record: RunRecord) -> set[str]:
    parts = walk(tuple(methods_text(record)))
    return {part.key for part in parts if isinstance(part, Cite)}


def test_the_methods_tell_the_settings(record: RunRecord) -> None:
    text = methods(record)
    assert "ice is zero below 4000 m in June" in text
    assert "8.0 °C and 55\u202f% relative humidity (June)" in text
    assert "farther than 150 km" in text
    assert "200 draws" in text
    assert "where at least 8 years have both" in text
    assert "kept at 0.10 (Wilks, 2016)" in text
    assert "seed 7" in text


def test_the_methods_cite_only_what_was_used(record: RunRecord) -> None:
    tracers = dict(settings()["tracers"], climate={})  # type: ignore[call-overload]
    without = with_settings(record, tracers=tracers)
    assert {"craiggordon1965", "benettin2018"} <= cited(record) - cited(without)
    table = tables()["interpolation_comparison"]
    plain = with_table(record, "interpolation_comparison", table.head(1))
    assert cited(record) - cited(plain) == {"egozcue2003"}
    nothing = replace(record, tables={})
    assert not cited(nothing) & {"wilks2016", "roberts2017", "genereux1998"}
    assert "correlation" not in methods(nothing).lower()


def test_every_reference_can_be_cited(record: RunRecord) -> None:
    seen: set[str] = set()
    line = pd.DataFrame({"slope": [8.0], "intercept": [10.0]})
    comparison = pd.DataFrame(
        {
            "period": "June",
            "method": ["mean", "idw", "kriging", "kriging_drift", "ilr"],
            "source": "all",
            "rmse": 1.0,
            "chosen": [True, False, False, False, False],
            "block_km": 100.0,
        }
    )
    space = tables()["correlation_summary"].assign(r=0.5, p_value=0.1, year=2020)
    published = pd.DataFrame(
        {
            "period": ["June"],
            "by": ["all"],
            "stratum": ["all"],
            "d18O": [-12.0],
            "d2H": [-90.0],
            "d_excess": [6.0],
        }
    )
    lines = published.assign(
        kind="evaporation line", slope=7.0, intercept=-5.0, r_squared=0.9
    )
    basins = pd.DataFrame({"basin": ["all"], "area_km2": [5.0], "share": [1.0]})
    for method in ("ols", "rma", "pwlsr"):
        for coefficient in ("pearson", "kendall"):
            tracers = dict(settings()["tracers"], method=method)  # type: ignore[call-overload]
            correlation = dict(settings()["correlation"], method=coefficient)  # type: ignore[call-overload]
            full = with_settings(record, tracers=tracers, correlation=correlation)
            for name, table in {
                "meteoric_line": line.assign(method=method),
                "interpolation_comparison": comparison,
                "correlation_space": space,
                "published_means": published,
                "published_lines": lines,
                "region_basins": basins,
            }.items():
                full = with_table(full, name, table)
            parts = walk(collect_report(full))
            seen |= {part.key for part in parts if isinstance(part, Cite)}
    assert seen == set(REFERENCES)


def test_each_reference_is_whole() -> None:
    for key, work in REFERENCES.items():
        year = work.short[-4:]
        assert key.endswith(year)
        assert work.full.endswith(f"{year}.")
        assert work.short.split()[0].rstrip(",") in work.full
        assert not work.doi or work.doi.startswith("10.")
    order = [work.full for work in reference_list(REFERENCES)]
    assert order == sorted(order, key=str.casefold)


def test_the_paper_s_values_are_told_with_the_difference_from_them(
    record: RunRecord,
) -> None:
    stated = pd.DataFrame(
        {
            "period": ["June"],
            "by": ["all"],
            "stratum": ["all"],
            "d18O": [-12.5],
            "d2H": [-90.0],
            "d_excess": [6.0],
        }
    )
    lines = stated.assign(
        kind="evaporation line", slope=7.0, intercept=-5.0, r_squared=0.9
    )
    full = with_table(record, "published_means", stated)
    report = collect_report(with_table(full, "published_lines", lines))
    (own,) = find(report, "d18O less the paper's", "June, all soil water")
    assert own.value == pytest.approx(0.5, abs=1e-15)
    (slope,) = find(report, "slope less the paper's", "June, all soil water")
    assert slope.value == pytest.approx(-0.18, abs=1e-12)
