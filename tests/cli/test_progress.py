"""How progress is shown: bars on a terminal, few lines elsewhere, none when quiet."""

from __future__ import annotations

import io
import sys
import warnings

import click
import pytest
from rich.console import Console
from rich.progress import Progress

from geosoil.cli import progress as shown
from geosoil.cli.main import cli
from geosoil.errors import GeosoilWarning
from geosoil.workflow.stages import Place, ProgressLine, Stages

NAMES = ("opening [the] inputs", "interpolating", "recording")


def context(*, quiet: bool = False) -> click.Context:
    own = click.Context(cli)
    own.obj = {"quiet": quiet}
    return own


def run_through(send) -> None:
    """Tell the lines of a little run, ten steps in its second stage."""
    stages = Stages(NAMES, send)
    stages.begin()
    report = stages.begin(steps=10)
    for month in range(10):
        report(f"month {month}")
    stages.begin()


def test_each_stage_is_a_line_and_steps_are_few() -> None:
    lines: list[str] = []
    now = iter(range(0, 1000, 4))
    run_through(shown.plain_report(lines.append, clock=lambda: float(next(now))))
    assert [line for line in lines if line.startswith("[")] == [
        "[1/3] opening [the] inputs",
        "[2/3] interpolating",
        "[3/3] recording",
    ]
    steps = [line for line in lines if line.startswith("  (")]
    assert 2 <= len(steps) <= 5
    assert steps[0].startswith("  (")
    assert "/10) month " in steps[0]


def test_no_step_is_told_within_ten_seconds() -> None:
    lines: list[str] = []
    run_through(shown.plain_report(lines.append, clock=lambda: 0.0))
    assert len(lines) == len(NAMES)


def test_plain_lines_go_to_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with shown.progress_shown(context()) as report:
        run_through(report)
        report("a line of no run")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == "a line of no run"


def test_quiet_tells_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with shown.progress_shown(context(quiet=True)) as report:
        run_through(report)
    assert capsys.readouterr() == ("", "")


def test_bars_count_stages_and_steps() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    bars: list[tuple[float, float | None, float, float | None]] = []
    with Progress(console=console, auto_refresh=False) as progress:
        move = shown.bar_report(progress)

        def watch(words: str) -> None:
            move(words)
            whole, part = progress.tasks
            bars.append((whole.completed, whole.total, part.completed, part.total))

        run_through(watch)
        progress.refresh()
        move("[a line] of no run")
    assert bars[0][:2] == (0, 3)
    assert bars[2:12] == [(1, 3, step, 10) for step in range(10)]
    assert bars[12][:2] == (2, 3)
    assert "recording" in screen.getvalue()
    assert "[a line] of no run" in screen.getvalue()


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    with shown.progress_shown(context()) as report:
        run_through(report)
    assert "recording" in screen.getvalue()


def test_warnings_are_written_above_the_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()

    def write(message: Warning | str, *_: object) -> None:
        click.echo(f"Warning: {message}", err=True)

    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", screen)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        monkeypatch.setattr(warnings, "showwarning", write)
        with shown.progress_shown(context()) as report:
            report(ProgressLine("opening", Place("opening", 1, 2)))
            warnings.warn("two samples only", GeosoilWarning, stacklevel=1)
        assert warnings.showwarning is write
    said = screen.getvalue()
    # On a line of its own, which the bars are drawn below and never erase.
    assert "\x1b[2KWarning: two samples only\n" in said
    after = said.partition("Warning: two samples only\n")[2]
    assert not after.startswith(("\r\x1b[1A", "\r\x1b[2K\x1b[1A"))
