"""What the project promises about its files: lock, licence, wheel."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from geosoil import __version__

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


def locked() -> dict[str, str]:
    """Names and versions of the lock."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK, flags=re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_the_lock_names_no_address() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK
    assert "find-links" not in LOCK


def test_every_locked_version_has_a_hash() -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_lock_holds_every_requirement_and_the_build_tools() -> None:
    names = [
        re.split(r"[<>=\[; ]", requirement)[0].lower().replace("_", "-")
        for requirement in PROJECT["dependencies"]
    ]
    assert set(names) | {"hatchling", "editables", "pytest", "mypy", "ruff"} <= set(
        locked()
    )


def test_requirements_have_lower_bounds_and_no_pins() -> None:
    for requirement in PROJECT["dependencies"]:
        assert ">=" in requirement
        assert "==" not in requirement


def test_no_lock_that_names_hosts_is_tracked() -> None:
    assert not (ROOT / "uv.lock").exists()


def test_the_licence_is_bsd_3_clause() -> None:
    assert PROJECT["license"] == "BSD-3-Clause"
    assert "Neither the name" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {__version__}" in text


def test_no_pickle_eval_or_shell_is_in_the_package() -> None:
    hostile = re.compile(r"\bpickle\b|\beval\(|\bexec\(|shell=True|allow_pickle=True")
    found = [
        path.name
        for path in (ROOT / "geosoil").rglob("*.py")
        if hostile.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
