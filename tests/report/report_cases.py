"""A small run's folder, and a strict reader of the page that reports it."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "冻土 & 'ice'",
    "\u200f\u05de\u05d9\u05dd\u202e",
    "{{ 7 * 7 }}{% raw %}",
    "=cmd|' /C calc'!A0",
)
"""Names that users can give and that a page must show as they are."""

VOID = {"meta", "img", "br", "link", "input", "hr", "path", "rect", "line"}


def png(title: str = "", *, width: int = 3, height: int = 2) -> bytes:
    """Return a small grey PNG with a title in an international text chunk."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    dots = zlib.compress((b"\x00" + b"\x80" * width) * height)
    text = b"Title\x00\x00\x00\x00\x00" + title.encode()
    words = chunk(b"iTXt", text) if title else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + words
        + chunk(b"IDAT", dots)
        + chunk(b"IEND", b"")
    )


def settings() -> dict[str, object]:
    """Settings of a small study."""
    return {
        "study": {"name": "A <small> study", "seed": 7, "simulated": True},
        "tracers": {
            "names": ["d18O", "d_excess"],
            "method": "ols",
            "sources": {"June": ["rain", HOSTILE[0]]},
            "climate": {"June": {"temperature": 8.0, "humidity": 0.55}},
        },
        "rule": [{"source": "ice", "period": ["June"], "below": 4000.0}],
        "grid": {"resolution": 0.05, "crs": "EPSG:4326"},
        "interpolation": {"method": "auto", "n_draws": 200, "max_distance_km": 150.0},
        "correlation": {"method": "pearson", "min_pairs": 8, "fdr": 0.1, "window": 9},
        "output": {"folder": "maps"},
    }


def provenance() -> dict[str, object]:
    """Record of a small run."""
    return {
        "software": {"geosoil": "1.2", "python": "3.11.7"},
        "settings": settings(),
        "input_verified": False,
        "inputs": {"samples.csv": {"sha256": "ab" * 32, "bytes": 10}},
        "outputs": {},
        "config_hash": "0123456789ab",
    }


def tables() -> dict[str, pd.DataFrame]:
    """Tables of a small run, with names that try to break out of a page."""
    regional = pd.DataFrame(
        {
            "period": "June",
            "source": ["rain", HOSTILE[0]],
            "answer": "rain as fallen",
            "fraction": [0.7251234567890123, 0.2748765432109877],
            "lower": [0.6, 0.15],
            "upper": [0.85, 0.4],
            "reason": ["", "outside mixing space"],
        }
    )
    lines = pd.DataFrame(
        {
            "period": "June",
            "by": ["all", "vegetation"],
            "stratum": ["all", HOSTILE[2]],
            "n": [40, 20],
            "n_sites": [12, 6],
            "d18O": [-12.0, -11.5],
            "d2H": [-89.8, -85.0],
            "d_excess": [6.2, 7.0],
            "slope": [6.82, 7.0],
            "slope_standard_error": [0.2, 0.3],
            "intercept": [-7.9, 1.5],
            "intercept_standard_error": [2.0, 3.0],
            "r_squared": [0.85, 0.8],
            "initial_d18O": [-18.8, -40.0],
            "initial_lower": [-23.0, None],
            "initial_upper": [-16.8, None],
            "flags": ["", "slopes do not differ"],
        }
    )
    samples = pd.DataFrame(
        {
            "sample_id": ["001", "NA", HOSTILE[1], HOSTILE[3]],
            "period": "June",
            "d18O": [-12.0, -10.0, -14.0, -13.0],
            "d2H": [-90.0, -70.0, -100.0, -101.0],
            "d_excess": [6.0, 10.0, 12.0, 3.0],
            "vegetation": HOSTILE[2],
            "distance": [0.0, 2.0, 3.0, 1.0],
            "reason": ["", "outside mixing space", "misfit", "outside mixing space"],
        }
    )
    comparison = pd.DataFrame(
        {
            "period": "June",
            "method": ["mean", "ilr"],
            "source": "all",
            "n": 12,
            "folds": 5,
            "block_km": 109.5,
            "rmse": [1.05, 0.9],
            "difference_to_mean": [0.0, -0.4],
            "difference_se": [0.0, 0.1],
            "note": "",
            "picp90": [None, None],
            "chosen": [True, False],
        }
    )
    issues = pd.DataFrame(
        {
            "row": [2, 9],
            "column": ["d18O", "site_id"],
            "found": [HOSTILE[5], "−12,5"],  # noqa: RUF001  as users write it
            "read_as": ["", "-12.5"],
            "rule": [HOSTILE[4], "decimal comma"],
            "severity": ["suspect", "change"],
        }
    )
    correlation = pd.DataFrame(
        {
            "x": ["ndvi", "air_temperature"],
            "y": "soil_moisture",
            "month": "June",
            "method": "pearson",
            "years": "2001-2020",
            "cells": [3482, 3500],
            "median_n_effective": [18.0, 18.2],
            "median_r": [0.62, -0.5],
            "share_positive": [0.99, 0.1],
            "share_fdr_positive": [0.85, 0.0],
            "share_fdr_negative": [0.0, 0.6],
            "fdr": 0.1,
        }
    )
    return {
        "fractions_regional": regional,
        "water_lines": lines,
        "fractions_samples": samples,
        "sample_rows": pd.DataFrame({"sample_id": ["NA"], "row": [3]}),
        "interpolation_comparison": comparison,
        "sample_issues": issues,
        "correlation_summary": correlation,
    }


def run_folder(folder: Path) -> Path:
    """Write what a small run leaves behind."""
    for name, table in tables().items():
        path = folder / "tables" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(path, index=False, lineterminator="\n")
    (folder / "figures").mkdir()
    for name in ("correlation_ndvi_soil_moisture", "sampling_sites", "other"):
        (folder / "figures" / f"{name}.png").write_bytes(png(f"Title <b>{name}</b> δ"))
    summary = {
        "simulated": True,
        "lmwl": {"slope": 7.9, "intercept": 12.43, "r_squared": 0.97, "n": 375},
        "fraction_maps": {"June": {"choice": "ilr would move sites to the edge"}},
    }
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "provenance.json").write_text(json.dumps(provenance()))
    return folder


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    parents: tuple[str, ...] = ()


@dataclass
class Page(HTMLParser):
    """A strict reader: every tag is closed in its order, attributes occur once."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.faults.append(f"attribute twice in {tag}")
        parents = tuple(element.tag for element in self._open)
        element = Element(tag, dict(attrs), parents=parents)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            where = self._open[-1].tag if self._open else "nothing"
            self.faults.append(f"</{tag}> closes {where}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def of(self, tag: str) -> list[Element]:
        """Elements of a kind."""
        return [element for element in self.elements if element.tag == tag]

    def ids(self) -> list[str]:
        """Every identifier."""
        found = (element.attributes.get("id") for element in self.elements)
        return [name for name in found if name is not None]


def read_page(text: str) -> Page:
    """Read a page strictly."""
    page = Page()
    page.feed(text)
    page.close()
    if page._open:
        page.faults.append(f"{page._open[-1].tag} is never closed")
    return page
