"""Which steps of time a bootstrap draws: alone or in blocks, once for all pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """The resamples that all pixels share, and what is made of them.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> plan = resampling(6, 2, n_draws=999, rng=rng)
    >>> plan.weights.shape, plan.weights[0].sum()
    ((1003, 6), np.float64(6.0))
    """

    weights: FloatArray
    """How often each step counts, shape (draws + 1 + blocks, steps): first the draws,
    then all steps once, then all steps but one block after the other."""
    n_draws: int
    """Draws."""
    block: int
    """Steps a block."""


def block_length(steps: int) -> int:
    """Return the usual length of blocks, the cube root of the steps rounded up.

    Parameters
    ----------
    steps : int
        Steps of the series.

    Examples
    --------
    >>> block_length(27), block_length(28)
    (3, 4)
    """
    return int(np.ceil(np.cbrt(steps) - 1e-9))


def resampling(
    steps: int, block: int, *, n_draws: int, rng: np.random.Generator
) -> Resampling:
    """Draw the steps of all resamples, and leave out one block after the other.

    Parameters
    ----------
    steps : int
        Steps of the regular axis.
    block : int
        Steps of a block, at most ``steps``.
    n_draws : int
        Resamples.
    rng : Generator
        Draws the first step of each block, all alike likely.

    Returns
    -------
    plan : Resampling
        Weights of the steps.

    Examples
    --------
    >>> plan = resampling(5, 2, n_draws=1, rng=np.random.default_rng(1))
    >>> plan.weights[2:]
    array([[0., 0., 1., 1., 1.],
           [1., 1., 0., 0., 1.],
           [1., 1., 1., 1., 0.]])
    """
    blocks = -(-steps // block)
    firsts = rng.integers(0, steps - block + 1, size=(n_draws, blocks))
    drawn = (firsts[:, :, None] + np.arange(block)).reshape(n_draws, -1)[:, :steps]
    weights = np.zeros((n_draws + 1 + blocks, steps))
    np.add.at(weights[:n_draws], (np.arange(n_draws)[:, None], drawn), 1.0)
    weights[n_draws:] = 1.0
    left_out = np.arange(steps) // block == np.arange(blocks)[:, None]
    weights[n_draws + 1 :][left_out] = 0.0
    return Resampling(weights, n_draws, block)
