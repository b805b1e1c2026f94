"""Shared areas are those of clipped polygons, for any simple polygon."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosoil.grids import _kernels_overlap
from geosoil.grids._kernels_overlap import polygon_areas, ring_area

SHAPE = (7, 9)


def clipped(polygon: shapely.Polygon) -> np.ndarray:
    j, i = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[0]))
    boxes = shapely.box(j, i, j + 1, i + 1)
    return shapely.area(shapely.intersection(boxes, polygon))


def found(rings: np.ndarray) -> np.ndarray:
    polygon, cell, area = polygon_areas(rings, SHAPE)
    table = np.zeros((len(rings), SHAPE[0] * SHAPE[1]))
    table[polygon, cell] = area
    assert (area > 0).all()
    return table.reshape(-1, *SHAPE)


@given(
    seed=st.integers(0, 10_000),
    size=st.floats(0.01, 12),
    corners=st.integers(3, 7),
    turn=st.sampled_from([1, -1]),
)
def test_star_shaped_rings_anywhere(
    seed: int, size: float, corners: int, turn: int
) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, (3, corners)), axis=1)[:, ::turn]
    radius = size * rng.uniform(0.2, 1, (3, corners))
    centre = rng.uniform(-2, 10, (3, 1, 2))
    rings = centre + radius[..., None] * np.stack([np.cos(angles), np.sin(angles)], -1)
    shapes = [shapely.Polygon(ring) for ring in rings]
    simple = [shape.is_valid for shape in shapes]
    areas = found(rings)
    for area, shape, good in zip(areas, shapes, simple, strict=True):
        if good:
            np.testing.assert_allclose(area, clipped(shape), rtol=0, atol=1e-10)
    np.testing.assert_allclose(
        np.abs(ring_area(rings))[simple],
        [s.area for s, good in zip(shapes, simple, strict=True) if good],
        rtol=1e-10,
        atol=1e-12,
    )


def test_edges_along_cells_and_boxes_of_whole_cells() -> None:
    ring = np.array([[[2.0, 1.0], [5.0, 1.0], [5.0, 4.0], [2.0, 4.0]]])
    expected = np.zeros(SHAPE)
    expected[1:4, 2:5] = 1
    np.testing.assert_array_equal(found(ring)[0], expected)
    np.testing.assert_array_equal(found(ring[:, ::-1])[0], expected)


def test_rings_outside_or_without_a_place_share_nothing() -> None:
    square = np.array([[0.0, 0.0], [1, 0], [1, 1], [0, 1]])
    rings = np.stack([square + 20, square - 5, square * np.nan, square + 3])
    polygon, cell, area = polygon_areas(rings, SHAPE)
    assert polygon.tolist() == [3]
    assert cell.tolist() == [3 * SHAPE[1] + 3]
    assert area.tolist() == [1.0]
    none = polygon_areas(np.empty((0, 4, 2)), SHAPE)
    assert [len(part) for part in none] == [0, 0, 0]


def test_small_batches_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    square = np.array([[0.0, 0.0], [1, 0.4], [1.3, 1], [0.2, 1.1]])
    rings = square * rng.uniform(0.1, 5, (40, 1, 1)) + rng.uniform(0, 7, (40, 1, 2))
    whole = found(rings)
    monkeypatch.setattr(_kernels_overlap, "BATCH", 50)
    np.testing.assert_array_equal(found(rings), whole)
