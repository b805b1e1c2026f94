"""Statistics of the numbers that a raster file stores, strip by strip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(slots=True)
class Statistics:
    r"""Running count, extremes, mean and squared deviations of one band.

    Notes
    -----
    Each strip gives its mean and the sum of its squared deviations from it; two parts
    are joined by

    .. math:: M = M_a + M_b + (m_b - m_a)^2 \, n_a n_b / (n_a + n_b),

    which loses no digits where the mean is far from zero.

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the
    sample variance: analysis and recommendations. The American Statistician 37(3),
    242-247. doi:10.1080/00031305.1983.10483115

    Examples
    --------
    >>> band = Statistics()
    >>> for strip in ([1, 2], [-9999, 6]):
    ...     band.add(np.array(strip), nodata=-9999)
    >>> band.metadata()["STATISTICS_MEAN"], band.metadata()["STATISTICS_VALID_PERCENT"]
    ('3.0', '75.0')
    """

    cells: int = 0
    """Cells seen."""
    count: int = 0
    """Cells with a finite number that is not nodata."""
    minimum: float = math.inf
    """Smallest number."""
    maximum: float = -math.inf
    """Largest number."""
    mean: float = 0.0
    """Mean in double precision."""
    squares: float = 0.0
    """Sum of the squared deviations from the mean."""

    def add(self, strip: npt.NDArray[Any], *, nodata: float | None) -> None:
        """Take in the cells of a strip.

        Parameters
        ----------
        strip : array
            Stored numbers.
        nodata : float, optional
            Number that stands for no data.
        """
        self.cells += strip.size
        known = np.isfinite(strip)
        if nodata is not None:
            known &= strip != nodata
        values = strip[known]
        if not values.size:
            return
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))
        wide = values.astype(np.float64)
        mean = float(wide.mean())
        wide -= mean
        # No product of vectors: its last digit depends on the threads at work.
        squares = float(np.square(wide, out=wide).sum())
        count = self.count + values.size
        step = mean - self.mean
        self.squares += squares + step**2 * self.count * values.size / count
        self.mean += step * values.size / count
        self.count = count

    def metadata(self) -> dict[str, str]:
        """Return what GDAL keeps of a band; nothing for a band without data.

        Returns
        -------
        metadata : dict
            ``STATISTICS_MINIMUM`` and so on, each with all its digits; the standard
            deviation is that of all cells, as GDAL's.
        """
        if not self.count:
            return {}
        numbers = {
            "MINIMUM": self.minimum,
            "MAXIMUM": self.maximum,
            "MEAN": self.mean,
            "STDDEV": math.sqrt(self.squares / self.count),
            "VALID_PERCENT": 100.0 * self.count / self.cells,
        }
        return {f"STATISTICS_{name}": repr(value) for name, value in numbers.items()}
