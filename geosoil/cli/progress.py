"""How a run's progress is shown: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.progress import Progress

PAUSE = 10.0
"""Seconds between two lines of steps where there is no terminal."""


@contextmanager
def progress_shown(ctx: click.Context) -> Iterator[Callable[[str], None]]:
    """Show the progress of a run on stderr while a block lasts.

    Parameters
    ----------
    ctx : Context
        Root of the command, which tells whether the user wants quiet.

    Yields
    ------
    report : callable
        Takes lines of words; those of a run tell their place as well.
    """
    if ctx.obj and ctx.obj.get("quiet"):
        yield lambda _: None
    elif sys.stderr.isatty():
        with bars() as progress, warned_above(progress):
            yield bar_report(progress)
    else:
        yield plain_report(lambda words: click.echo(words, err=True))


def plain_report(
    echo: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Callable[[str], None]:
    """Return what writes plain lines: each stage, and steps now and then.

    Parameters
    ----------
    echo : callable
        Writes a line.
    clock : callable
        Tells the time in seconds.

    Returns
    -------
    report : callable
        Takes lines of words.

    Examples
    --------
    >>> report = plain_report(print)
    >>> report("reading")
    reading
    """
    last = clock()

    def report(words: str) -> None:
        nonlocal last
        place = getattr(words, "place", None)
        if place is None:
            echo(words)
        elif place.step == 0:
            echo(f"[{place.number}/{place.stages}] {words}")
        elif clock() - last >= PAUSE:
            count = f"{place.step}/{place.steps}" if place.steps else f"{place.step}"
            echo(f"  ({count}) {words}")
        else:
            return
        last = clock()

    return report


def bars() -> Progress:
    """Return the bars of a run: its stages, and the steps of the stage.

    Returns
    -------
    progress : Progress
        To be entered; it goes away at the end, for results follow.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )


@contextmanager
def warned_above(progress: Progress) -> Iterator[None]:
    """Write warnings above the bars, which would be drawn over them else.

    Parameters
    ----------
    progress : Progress
        Bars that are shown.

    Yields
    ------
    None
        While warnings are written above the bars.
    """
    write = warnings.showwarning

    def above(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        with redirect_stderr(io.StringIO()) as said:
            write(message, category, filename, lineno, file, line)
        if said.getvalue():
            words = said.getvalue().rstrip()
            progress.console.print(words, markup=False, highlight=False)

    warnings.showwarning = above
    try:
        yield
    finally:
        warnings.showwarning = write


def bar_report(progress: Progress) -> Callable[[str], None]:
    """Return what moves the bars.

    Parameters
    ----------
    progress : Progress
        Bars that are shown.

    Returns
    -------
    report : callable
        Takes lines of words.
    """
    from rich.markup import escape

    whole = progress.add_task("stages", total=None, visible=False)
    part = progress.add_task("", total=None, visible=False)

    def report(words: str) -> None:
        place = getattr(words, "place", None)
        if place is None:
            progress.console.print(escape(words), highlight=False)
            return
        done = place.number - 1
        progress.update(
            whole,
            completed=done,
            total=place.stages,
            description=escape(place.stage),
            visible=True,
        )
        if place.step == 0:
            progress.reset(part, visible=False)
            return
        progress.update(
            part,
            completed=min(place.step, place.steps or place.step) - 1,
            total=place.steps or None,
            description=escape(words),
            visible=True,
        )

    return report
