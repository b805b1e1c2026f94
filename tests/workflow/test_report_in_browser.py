"""The page in a browser without a network: no request, no overlap, every image seen."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from geosoil.workflow.study_report import write_report
from tests.report.report_cases import png, provenance, run_folder

pytestmark = pytest.mark.slow

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
PROBE = """<script>
addEventListener("load", () => {
  const faults = [];
  for (const image of document.images)
    if (!image.complete || image.naturalWidth === 0 || image.width < 1)
      faults.push("image not seen: " + image.alt);
  if (document.images.length === 0) faults.push("no image");
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth + 1)
    faults.push("wider than the page: " + page.scrollWidth);
  for (const section of document.querySelectorAll("main > section, details")) {
    let bottom = -1;
    for (const part of section.children) {
      const box = part.getBoundingClientRect();
      if (box.height === 0) continue;
      if (box.top < bottom - 1)
        faults.push("overlap: " + part.tagName + " " + part.textContent.slice(0, 40));
      bottom = box.bottom;
    }
  }
  for (const cell of document.querySelectorAll("td, th")) {
    const own = cell.getBoundingClientRect();
    for (const part of cell.children)
      if (part.getBoundingClientRect().right > own.right + 2)
        faults.push("text leaves its cell: " + cell.textContent.slice(0, 40));
  }
  for (const label of document.querySelectorAll(".bar .label")) {
    const plot = label.nextElementSibling.getBoundingClientRect();
    if (label.getBoundingClientRect().right > plot.left + 1)
      faults.push("label over its bar: " + label.textContent);
  }
  page.dataset.faults = JSON.stringify(faults);
});
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    if BROWSER is None:
        pytest.skip("no Chromium is installed")
    return BROWSER


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = run_folder(tmp_path_factory.mktemp("run"))
    for name in ("fraction_ice", "dual_isotope"):
        picture = png("A long title " * 9, width=1800, height=900)
        (folder / "figures" / f"{name}.png").write_bytes(picture)
    return write_report(folder, provenance())[0]


def visit(browser: str, page: Path, work: Path) -> tuple[str, list[str]]:
    """Open a page without a network: its elements, and what it asked for."""
    log = work / "net.json"
    words = [
        *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--proxy-server=127.0.0.1:9", "--virtual-time-budget=5000"),
        *("--disable-background-networking", "--disable-component-update"),
        *(f"--user-data-dir={work / 'profile'}", f"--log-net-log={log}"),
        *("--window-size=1200,900", "--dump-dom", page.as_uri()),
    ]
    answer = subprocess.run(
        words, capture_output=True, text=True, timeout=180, check=True
    )
    record = json.loads(log.read_text(encoding="utf-8"))
    started = record["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [
        event["params"]["url"]
        for event in record["events"]
        if event["type"] == started
        and event.get("params", {}).get("url", "").startswith(("http", "ws", "ftp"))
        # The browser itself asks for its updates; a page is an origin.
        and event["params"].get("initiator") != "not an origin"
    ]
    return answer.stdout, asked


def probed(browser: str, page: Path, work: Path, width: int) -> list[str]:
    """Faults of the page at a width, found by a script put into a copy of it."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', PROBE, text)
    text = text.replace("<details>", "<details open>")
    copy = work / "copy.html"
    copy.write_text(
        f'<!DOCTYPE html><body style="margin:0"><iframe width="{width}" height="900" '
        f'style="border:0" srcdoc="{html.escape(text)}"></iframe><script>'
        'addEventListener("load", () => document.body.dataset.faults = '
        "frames[0].document.documentElement.dataset.faults);</script></body>",
        encoding="utf-8",
    )
    shown, _ = visit(browser, copy, work)
    (found,) = re.findall(r'<body [^>]*data-faults="([^"]*)"', shown)
    return list(json.loads(html.unescape(found)))


def test_a_request_would_be_seen(browser: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted.html"
    planted.write_text('<!DOCTYPE html><img src="https://planted.invalid/a.png">')
    assert visit(browser, planted, tmp_path)[1] == ["https://planted.invalid/a.png"]


def test_the_page_asks_for_nothing(browser: str, page: Path, tmp_path: Path) -> None:
    shown, asked = visit(browser, page, tmp_path)
    assert asked == []
    assert "Key result" in shown


@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_overlaps_and_every_image_is_seen(
    browser: str, page: Path, tmp_path: Path, width: int
) -> None:
    assert probed(browser, page, tmp_path, width) == []


def test_the_probe_finds_what_is_wrong(
    browser: str, page: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.html"
    text = page.read_text(encoding="utf-8")
    text = text.replace(".picture img {", ".picture { margin: -40px 0 } .picture img {")
    text = text.replace("base64,iVBOR", "base64,AAAAA", 1)
    broken.write_text(text, encoding="utf-8")
    faults = probed(browser, broken, tmp_path, 400)
    assert any(fault.startswith("image not seen") for fault in faults)
    assert any(fault.startswith("overlap") for fault in faults)


def test_no_script_in_a_name_runs(browser: str, page: Path, tmp_path: Path) -> None:
    copy = tmp_path / "loose.html"
    text = page.read_text(encoding="utf-8")
    copy.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace(
            "alert(1)", "document.title='broken out'"
        ),
        encoding="utf-8",
    )
    shown, _ = visit(browser, copy, tmp_path)
    assert "<title>broken out</title>" not in shown
    assert "broken out" in shown
