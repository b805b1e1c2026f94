"""The stages of a run, told to whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Report = Callable[[str], None]
"""Called with a line of words, most often a `ProgressLine`."""


class Place(NamedTuple):
    """Where a run stands."""

    stage: str
    """Words for the stage."""
    number: int
    """Number of the stage, from 1."""
    stages: int
    """How many stages there are."""
    step: int = 0
    """Step within the stage; 0 where the stage begins."""
    steps: int = 0
    """Steps of the stage; 0 where their number is not known beforehand."""


class ProgressLine(str):
    """A line of words that also tells where the run stands.

    Examples
    --------
    >>> line = ProgressLine("drawing sites", Place("figures", 9, 11, 4))
    >>> line.upper(), line.place.step
    ('DRAWING SITES', 4)
    """

    place: Place

    def __new__(cls, words: str, place: Place) -> ProgressLine:
        """Make a line of words and a place."""
        line = super().__new__(cls, words)
        line.place = place
        return line


@dataclass(slots=True)
class Stages:
    """The stages of a run, one after the other.

    Examples
    --------
    >>> stages = Stages(("opening the inputs", "interpolating"), print)
    >>> _ = stages.begin()
    opening the inputs
    >>> report = stages.begin(steps=2)
    interpolating
    >>> report("interpolating June")
    interpolating June
    """

    names: tuple[str, ...]
    """Words for the stages."""
    send: Report
    """Who watches."""
    done: int = 0
    """Stages that were begun."""

    def begin(self, steps: int = 0) -> Report:
        """Tell that the next stage begins.

        Parameters
        ----------
        steps : int
            Steps of the stage, where they are known.

        Returns
        -------
        report : callable
            Called with the words of each step.
        """
        name = self.names[self.done]
        self.done += 1
        place = Place(name, self.done, len(self.names), 0, steps)
        self.send(ProgressLine(name, place))

        def report(words: str) -> None:
            nonlocal place
            place = place._replace(step=place.step + 1)
            self.send(ProgressLine(words, place))

        return report


def unwatched(words: str) -> None:
    """Tell nobody.

    Parameters
    ----------
    words : str
        A line.
    """
    del words
