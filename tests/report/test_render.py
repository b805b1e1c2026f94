"""The page is sound, escapes every name, asks for nothing and traces every number."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from geosoil.report.document import Paragraph, Report, Section, Table
from geosoil.report.numbers import numbered
from geosoil.report.render import render_report
from geosoil.workflow.study_report import write_report
from tests.report.report_cases import HOSTILE, Page, provenance, read_page, run_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = run_folder(tmp_path_factory.mktemp("run"))
    write_report(place, provenance())
    return place


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return read_page(text)


@pytest.fixture(scope="module")
def numbers(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / "report_numbers.csv", keep_default_na=False)


def test_every_tag_is_closed_in_its_order(page: Page) -> None:
    assert page.faults == []


def test_identifiers_are_unique_and_every_link_inside_leads_somewhere(
    page: Page,
) -> None:
    ids = page.ids()
    assert len(ids) == len(set(ids))
    assert not [name for name in ids if re.search(r"\s", name)]
    for element in page.elements:
        href = element.attributes.get("href") or ""
        if href.startswith("#"):
            assert href[1:] in ids
        labelled = element.attributes.get("aria-labelledby")
        assert labelled is None or labelled in ids


def test_headings_descend_one_step_at_a_time(page: Page) -> None:
    levels = [
        int(element.tag[1])
        for element in page.elements
        if re.fullmatch(r"h[1-6]", element.tag)
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))  # noqa: B905, RUF007


def test_the_page_has_no_script_and_asks_for_nothing(page: Page) -> None:
    tags = {element.tag for element in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "form", "base"}
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on")]
        assert "style" not in element.attributes
        assert "srcset" not in element.attributes
        source = element.attributes.get("src")
        assert source is None or source.startswith(
            ("data:image/png;base64,", "data:image/webp;base64,")
        )
        href = element.attributes.get("href")
        assert href is None or href.startswith(("#", "https://doi.org/"))
    (style,) = page.of("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_the_policy_forbids_all_but_the_page_s_own_style(page: Page, text: str) -> None:
    policies = [
        element.attributes["content"]
        for element in page.of("meta")
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    (style,) = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policies == [
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    ]


def test_hostile_names_are_shown_as_they_are(page: Page, text: str) -> None:
    cells = {element.text for element in page.elements if element.tag in ("td", "th")}
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[4], HOSTILE[5]):
        assert name in cells
    assert any(HOSTILE[2] in cell for cell in cells)
    assert "A <small> study" in {element.text for element in page.of("h1")}
    assert "small" not in {element.tag for element in page.elements}
    assert "{{ 7 * 7 }}" in text


def test_signs_that_no_page_may_hold_are_replaced() -> None:
    blocks = (Paragraph(("a\x00b\x1b\ud800\x85c",)),)
    page = render_report(Report("t", "", "g", (Section("s", "S", blocks),)))
    assert "a\ufffdb\ufffd\ufffd\ufffdc" in page
    page.encode("utf-8")


def test_every_printed_number_is_in_the_table(
    page: Page, numbers: pd.DataFrame
) -> None:
    rows = numbers.set_index("number")
    spans = [e for e in page.of("span") if e.attributes.get("class") == "number"]
    assert [span.attributes["id"] for span in spans] == numbers["number"].tolist()
    assert len(spans) > 100
    for span in spans:
        row = rows.loc[span.attributes["id"]]
        assert span.text == row["printed"].removeprefix("'")
    loose = [e for e in page.of("data") if "span" not in e.parents]
    assert loose == []


def test_each_value_in_the_page_is_the_table_s_to_the_last_digit(
    text: str, numbers: pd.DataFrame
) -> None:
    rows = numbers.set_index("number")
    found = re.findall(r'<span class="number" id="(n\d+)">(.*?)</span>', text)
    checked = 0
    for key, inside in found:
        values = [float(v) for v in re.findall(r'<data value="([^"]+)">', inside)]
        row = rows.loc[key]
        known = [float(row[c]) for c in ("value", "lower", "upper") if row[c] != ""]
        assert set(values) <= set(known)
        assert len(values) == len(known)
        checked += len(values)
    assert checked == text.count("<data value=") > 100


def test_no_cell_holds_a_number_that_is_not_traced(page: Page) -> None:
    pattern = re.compile(r"[\s(\N{MINUS SIGN}+-]*\d[\d.\u202f]*(\u202f%)?[\s)]*")
    cells = [e for e in page.of("td") if pattern.fullmatch(e.text)]
    assert cells
    assert {cell.attributes.get("class") for cell in cells} <= {"figure", None}
    loose = [cell.text for cell in cells if cell.attributes.get("class") != "figure"]
    # A cell of the user's own table and versions are texts, whatever they look like.
    assert loose == ["-12.5", "1.2", "3.11.7"]


def test_every_picture_has_words_a_number_and_its_size(page: Page) -> None:
    pictures = page.of("img")
    assert len(pictures) == 3
    for picture in pictures:
        assert picture.attributes["alt"]
        assert picture.attributes["width"] == "3"
        assert picture.attributes["height"] == "2"
    captions = [e.text for e in page.of("figcaption") if "Figure" in e.text]
    assert [c.split(".")[0] for c in captions] == ["Figure 1", "Figure 2", "Figure 3"]
    assert "Title <b>sampling_sites</b> δ" in captions[0]
    assert "Title <b>correlation_ndvi_soil_moisture</b> δ" in captions[1]


def test_tables_have_captions_and_heads_with_a_scope(page: Page) -> None:
    tables = page.of("table")
    assert len(page.of("caption")) == len(tables) > 5
    assert all(e.attributes.get("scope") in ("col", "row") for e in page.of("th"))


def test_a_simulated_study_says_so_at_its_head(page: Page) -> None:
    (banner,) = [e for e in page.of("p") if e.attributes.get("class") == "banner"]
    assert banner.text == "SIMULATED data: no value on this page was measured"


def test_a_measured_study_has_no_banner() -> None:
    page = read_page(render_report(Report("t", "", "geosoil", ())))
    assert page.faults == []
    assert not [e for e in page.of("p") if e.attributes.get("class") == "banner"]


def test_a_table_with_an_empty_cell_stands() -> None:
    table = Table(("c",), ("a", "b"), ((("x",), ()), (("y",), ("",))))
    report = Report("t", "", "geosoil", (Section("s", "S", (table,)),))
    assert read_page(render_report(numbered(report))).faults == []
