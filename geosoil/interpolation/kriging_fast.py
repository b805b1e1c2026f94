"""Kriging of many targets from their neighbours by compiled kernels, in threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.spatial import cKDTree

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_local import Nearby
from geosoil.interpolation.kriging_scaled import (
    ScaledVariogram,
    scaled_for,
    use_kernels,
)
from geosoil.interpolation.kriging_system import KrigingData, StatusArray
from geosoil.interpolation.kriging_targets import Targets

LOCAL_WORK = 2 * 10**7
"""Targets times squared neighbours below which numpy is done before a compiler would
be loaded."""

PART = 2048
"""Targets that a thread takes at a time."""

MOST_NEIGHBORS = 256
"""Above it a factor by LAPACK is faster than one by a kernel."""


def answer_quickly(
    data: KrigingData,
    nearby: Nearby,
    targets: Targets,
    target_drift: FloatArray,
    *,
    outputs: str,
) -> tuple[FloatArray, StatusArray] | None:
    """Estimate points from their neighbours by compiled kernels, parts in parallel.

    Parameters
    ----------
    data : KrigingData
        The data.
    nearby : Nearby
        Which of them a target uses.
    targets : Targets, m of them
        Points, best in the order of a map's rows.
    target_drift : array, shape (m, p)
        Columns of the drift at the targets.
    outputs : str
        "estimate" alone, or anything with variances.

    Returns
    -------
    answers : (array, shape (3, m); array of int, shape (m,)) or None
        As :func:`geosoil.interpolation.kriging_local.answer_nearby`, variances NaN
        where they are not asked for; a status SINGULAR is left to the caller. None
        where there is no kernel for the variogram, the distances or blocks, or the
        work is too small to load one.
    """
    count = len(data.xy)
    wanted = min(nearby.neighborhood.n_neighbors or count, count)
    scaled = scaled_for(data.covariances, data.xy, targets)
    too_small = not use_kernels(len(targets.xy) * wanted**2, LOCAL_WORK)
    if scaled is None or wanted > MOST_NEIGHBORS or too_small:
        return None
    work = _LocalWork(data, scaled, nearby, wanted)
    return work.answer(targets.xy, target_drift, outputs)


@dataclass(frozen=True, slots=True, eq=False)
class _LocalWork:
    """What all parts of the targets have in common."""

    data: KrigingData
    scaled: ScaledVariogram
    nearby: Nearby
    wanted: int

    def answer(
        self, xy: FloatArray, drift: FloatArray, outputs: str
    ) -> tuple[FloatArray, StatusArray]:
        """Answer parts of the targets in threads: where they lie changes nothing."""
        from geosoil.interpolation import _kernels_kriging as kernels  # noqa: PLC0415

        model = self.scaled.model()
        data = kernels.Data(
            self.scaled.places(self.data.xy),
            self.data.values,
            self.data.noise,
            np.ascontiguousarray(self.data.drift.T),
        )
        answers = np.full((3, len(xy)), np.nan)
        status = np.zeros(len(xy), dtype=np.int8)

        def one(start: int) -> None:
            part = slice(start, start + PART)
            asked = self._targets(xy[part], drift[part])
            found = kernels.krige_local(model, data, asked, outputs=outputs)
            answers[0, part], status[part] = found.estimate, found.status
            if found.variance.size:
                answers[1:, part] = found.variance

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for _ in threads.map(one, range(0, len(xy), PART)):
                pass
        return answers, status

    def _targets(self, xy: FloatArray, drift: FloatArray) -> Any:  # noqa: ANN401
        """Return targets with their neighbours, as the kernels take them."""
        from geosoil.interpolation import (  # noqa: PLC0415
            _kernels_kriging,
            _kernels_kriging_nearest,
        )

        rules = self.nearby.neighborhood
        reach = np.inf if rules.max_distance is None else rules.max_distance
        near, counts = _kernels_kriging_nearest.nearest(
            cast(cKDTree, self.nearby.tree), xy, self.wanted, max_distance=reach
        )
        return _kernels_kriging.Targets(
            self.scaled.places(xy),
            np.ascontiguousarray(drift.T),
            near,
            counts,
            rules.min_neighbors,
        )
