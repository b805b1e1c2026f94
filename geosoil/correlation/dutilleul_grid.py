"""Pairs of cells by class of distance, for maps too large to visit every pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft

from geosoil.correlation.map_pair import EARTH_RADIUS
from geosoil.grids.grid import Grid

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

BATCH = 2**19
"""Distances between rows of cells that are held at once on longitude and latitude."""


class ClassStatistics(NamedTuple):
    """What Dutilleul's test asks of the pairs, ordered: (i, j) and (j, i) count."""

    pairs: FloatArray
    """Pairs in each class, shape (classes,)."""
    moran: FloatArray
    """Moran's I of both variables, shape (2, classes); 0 in an empty class."""
    rows: FloatArray
    """Row sums of both correlation matrices, shape (2, n)."""


def moran_of(products: FloatArray, pairs: FloatArray) -> FloatArray:
    """Return the mean product of each class.

    Parameters
    ----------
    products : array, shape (2, classes)
        Sums of the products of standardised values.
    pairs : array, shape (classes,)
        Pairs in each class.

    Returns
    -------
    moran : array, shape (2, classes)
        0 in an empty class.

    Examples
    --------
    >>> moran_of(np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([2.0, 0.0]))
    array([[0.5, 0. ],
           [1.5, 0. ]])
    """
    share = np.divide(1.0, pairs, out=np.zeros_like(pairs), where=pairs > 0)
    return np.asarray(products * share)


def cells_of(valid: BoolArray, grid: Grid) -> PlaneCells | SphereCells:
    """Return the valid cells of a grid, in the geometry of its CRS.

    Parameters
    ----------
    valid : array of bool, shape of the grid
        Which cells hold a pair of values.
    grid : Grid
        Where they lie.

    Returns
    -------
    cells : PlaneCells or SphereCells
        On longitude and latitude cells of the sphere, else of the plane.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 3, 2), 1.0, "EPSG:32647")
    >>> cells_of(np.ones((2, 3), bool), grid).longest().__round__(3)
    2.236
    """
    if grid.crs.is_geographic:
        step = float(np.radians(grid.transform.a))
        return SphereCells(valid, np.radians(grid.y), step)
    return PlaneCells(valid, (float(grid.transform.e), float(grid.transform.a)))


@dataclass(frozen=True, slots=True, eq=False)
class PlaneCells:
    """Valid cells of a grid in a metric projection.

    The distance of two cells depends on their offset alone, so that one
    autocorrelation by Fourier transform sums the pairs of every offset.

    Examples
    --------
    >>> cells = PlaneCells(np.ones((2, 3), bool), (-1.0, 1.0))
    >>> z = np.array([[1.0, 1, 1, -1, -1, -1], [1, -1, 1, -1, 1, -1]])
    >>> cells.statistics(z, np.array([1.0, 2.5])).pairs
    array([14., 16.])
    """

    valid: BoolArray
    """Which cells count, shape (rows, columns)."""
    steps: tuple[float, float]
    """From one row, and from one column, to the next."""

    def longest(self) -> float:
        """Return the largest distance between two valid cells."""
        counts = self._sums(self._transform(self.valid))
        return float(np.sqrt(self._squares()[np.rint(counts) > 0].max()))

    def statistics(self, z: FloatArray, limits: FloatArray) -> ClassStatistics:
        """Sum the pairs by class of distance.

        Parameters
        ----------
        z : array, shape (2, n)
            Standardised values of the valid cells, row by row.
        limits : array, shape (classes,)
            Largest distance of each class.

        Returns
        -------
        statistics : ClassStatistics
            Pairs, Moran's I and row sums.
        """
        mask = self._transform(self.valid)
        counts = np.rint(self._sums(mask))
        counts[0, 0] = 0.0
        which = _classes(self._squares(), limits)
        # Offsets that no two valid cells have may lie beyond the last class.
        which[counts == 0] = 0
        pairs = _totals(which, counts, len(limits))
        products = np.empty((2, len(limits)))
        for k in range(2):
            sums = self._sums(self._transform(_on_map(self.valid, z[k])))
            sums[counts == 0] = 0.0
            products[k] = _totals(which, sums, len(limits))
        moran = moran_of(products, pairs)
        rows = np.stack([self._row_sums(mask, which, values) for values in moran])
        return ClassStatistics(pairs, moran, rows)

    def _padded(self) -> tuple[int, int]:
        """Return a shape in which no offset meets its opposite."""
        rows, columns = (fft.next_fast_len(2 * n, real=True) for n in self.valid.shape)
        return rows, columns

    def _transform(self, values: npt.NDArray[np.generic]) -> ComplexArray:
        """Return the spectrum of a map with room around it."""
        spectrum: ComplexArray = fft.rfft2(values.astype(np.float64), self._padded())
        return spectrum

    def _sums(self, spectrum: ComplexArray) -> FloatArray:
        """Return the sum of the products at every offset; opposite ones count each."""
        power = spectrum.real**2 + spectrum.imag**2
        sums: FloatArray = fft.irfft2(power, self._padded())
        return sums

    def _squares(self) -> FloatArray:
        """Return the squared distance of every offset."""
        down, right = (
            np.square(step * np.minimum(np.arange(n), n - np.arange(n)))
            for step, n in zip(self.steps, self._padded(), strict=True)
        )
        return np.asarray(down[:, None] + right)

    def _row_sums(
        self, mask: ComplexArray, which: IntArray, moran: FloatArray
    ) -> FloatArray:
        """Return 1 and the correlations with all other cells, summed, of each cell."""
        kernel = moran[which]
        kernel[0, 0] = 1.0
        rows, columns = self.valid.shape
        spread = fft.irfft2(mask * fft.rfft2(kernel), self._padded())
        return np.asarray(spread[:rows, :columns][self.valid])


@dataclass(frozen=True, slots=True, eq=False)
class SphereCells:
    """Valid cells of a grid of longitude and latitude.

    The straight line between two cells depends on both rows and on the offset in
    columns, so that pairs are summed for two rows at a time.

    Examples
    --------
    >>> cells = SphereCells(np.ones((1, 3), bool), np.zeros(1), np.pi / 2)
    >>> cells.longest().__round__(3)
    12742014.362
    """

    valid: BoolArray
    """Which cells count, shape (rows, columns)."""
    latitude: FloatArray
    """Of the rows [radians]."""
    step: float
    """From one column to the next [radians]."""

    def longest(self) -> float:
        """Return the largest straight line between two valid cells [m]."""
        mask = self._transform(self.valid)
        longest = 0.0
        for row, others in self._batches():
            counts = np.rint(_folded(mask[row], mask[others]))
            squares = self._squares(row, others)
            longest = max(longest, float(squares[counts > 0].max(initial=0.0)))
        return float(np.sqrt(longest))

    def statistics(self, z: FloatArray, limits: FloatArray) -> ClassStatistics:
        """Sum the pairs by class of distance.

        Parameters
        ----------
        z : array, shape (2, n)
            Standardised values of the valid cells, row by row.
        limits : array, shape (classes,)
            Largest distance of each class [m].

        Returns
        -------
        statistics : ClassStatistics
            Pairs, Moran's I and row sums.
        """
        mask = self._transform(self.valid)
        spectra = [mask, *(self._transform(_on_map(self.valid, each)) for each in z)]
        totals = np.zeros((3, len(limits)))
        for row, others in self._batches():
            counts = np.rint(_folded(mask[row], mask[others]))
            if others.start == row:
                counts[0, 0] = 0.0
            which = _classes(self._squares(row, others), limits)
            which[counts == 0] = 0
            twice = np.where(np.arange(others.start, others.stop) > row, 2.0, 1.0)
            for k, spectrum in enumerate(spectra):
                sums = counts if k == 0 else _folded(spectrum[row], spectrum[others])
                weighed = np.where(counts == 0, 0.0, sums * twice[:, None])
                totals[k] += _totals(which, weighed, len(limits))
        moran = moran_of(totals[1:], totals[0])
        return ClassStatistics(totals[0], moran, self._row_sums(mask, limits, moran))

    def _row_sums(
        self, mask: ComplexArray, limits: FloatArray, moran: FloatArray
    ) -> FloatArray:
        """Return 1 and the correlations with all other cells, summed, of each cell."""
        spread = np.zeros((2, *mask.shape), dtype=np.complex128)
        last = len(limits) - 1
        for row, others in self._batches():
            which = np.minimum(_classes(self._squares(row, others), limits), last)
            for k in range(2):
                kernel = moran[k][which]
                if others.start == row:
                    kernel[0, 0] = 1.0
                response = fft.dct(kernel, type=1, axis=1)
                spread[k, row] += np.sum(response * mask[others], axis=0)
                after = slice(max(others.start, row + 1), others.stop)
                spread[k, after] += response[after.start - others.start :] * mask[row]
        columns = self.valid.shape[1]
        size = 2 * (mask.shape[1] - 1)
        return np.stack(
            [fft.irfft(s, size, axis=1)[:, :columns][self.valid] for s in spread]
        )

    def _batches(self) -> Iterator[tuple[int, slice]]:
        """Yield each row with some of the rows from itself on, until all have met."""
        rows, columns = self.valid.shape
        some = max(BATCH // columns, 1)
        for row in range(rows):
            for first in range(row, rows, some):
                yield row, slice(first, min(first + some, rows))

    def _transform(self, values: npt.NDArray[np.generic]) -> ComplexArray:
        """Return the spectrum of each row, with room for every offset."""
        size = 2 * fft.next_fast_len(values.shape[1], real=True)
        spectrum: ComplexArray = fft.rfft(values.astype(np.float64), size, axis=1)
        return spectrum

    def _squares(self, row: int, others: slice) -> FloatArray:
        """Return squared straight lines from a row, by offset in columns [m2]."""
        offsets = np.arange(fft.next_fast_len(self.valid.shape[1], real=True) + 1)
        here, there = self.latitude[row], self.latitude[others, None]
        across = np.cos(here) * np.cos(there) * np.sin(self.step * offsets / 2) ** 2
        along = np.sin((there - here) / 2) ** 2
        return np.asarray((2 * EARTH_RADIUS) ** 2 * (along + across))


def _folded(first: ComplexArray, second: ComplexArray) -> FloatArray:
    """Return sums of products of rows at the offsets 0, 1, ... to both sides."""
    # The even part of a correlation is the cosine transform of its real spectrum.
    even = first.real * second.real + first.imag * second.imag
    sums: FloatArray = fft.idct(even, type=1, axis=-1, overwrite_x=True)
    sums[..., 1:] *= 2.0
    return sums


def _classes(squares: FloatArray, limits: FloatArray) -> IntArray:
    """Return the class of squared distances, the number of classes beyond the last."""
    return np.searchsorted(limits**2, squares)


def _totals(which: IntArray, values: FloatArray, number: int) -> FloatArray:
    """Sum values by class."""
    return np.asarray(np.bincount(which.ravel(), values.ravel(), minlength=number))


def _on_map(valid: BoolArray, values: FloatArray) -> FloatArray:
    """Put the values of the valid cells on the map, 0 elsewhere."""
    filled = np.zeros(valid.shape)
    filled[valid] = values
    return filled
