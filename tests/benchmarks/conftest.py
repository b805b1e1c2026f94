"""Goals of the benchmarks: told with what was measured, never a pass or a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

Goal = Callable[..., None]
KEY = pytest.StashKey[list[str]]()


@pytest.fixture
def goal(request: pytest.FixtureRequest) -> Iterator[Goal]:
    """Record a measured figure beside its goal; `make bench` prints all at its end."""
    rows = request.config.stash.setdefault(KEY, [])

    def record(
        what: str,
        found: float,
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> None:
        low = found >= at_least if at_least is not None else True
        high = found <= at_most if at_most is not None else True
        limit = f">= {at_least:g}" if at_least is not None else f"<= {at_most:g}"
        verdict = "met" if low and high else "MISSED"
        rows.append(f"| {what} | {found:.3g} | {limit} | {verdict} |")

    return record


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table that the README takes its figures from."""
    rows = config.stash.get(KEY, [])
    if rows:
        terminalreporter.section("goals of the benchmarks")
        terminalreporter.write_line("| what | measured | goal | |")
        terminalreporter.write_line("|---|---|---|---|")
        for row in rows:
            terminalreporter.write_line(row)
