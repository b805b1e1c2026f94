"""Packing a picture changes none of its dots."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imsave
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from geosoil.plotting.packed import PNG, WEBP, packed_picture
from tests.report.report_cases import png


def dots_of(data: bytes, driver: str) -> np.ndarray:
    """Dots of a picture as another library reads them, the colours alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with MemoryFile(data) as file, file.open(driver=driver) as opened:
            return opened.read()[:3]


def written(dots: np.ndarray) -> bytes:
    target = BytesIO()
    imsave(target, dots, format="png")
    return target.getvalue()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), colours=st.integers(2, 256))
def test_every_dot_stays_what_it_was(seed: int, colours: int) -> None:
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    dots = palette[rng.integers(0, colours, (40, 60))]
    packed = packed_picture(written(dots))
    driver = {PNG: "PNG", WEBP: "WEBP"}[packed.media_type]
    assert (dots_of(packed.data, driver) == np.moveaxis(dots, 2, 0)).all()


def test_the_same_picture_gives_the_same_bytes() -> None:
    dots = np.zeros((50, 50, 3), dtype=np.uint8)
    dots[10:20] = 200
    first, second = (packed_picture(written(dots)) for _ in range(2))
    assert first == second
    assert first.media_type == WEBP


@pytest.mark.parametrize("data", [png("grey", width=300, height=200)])
def test_what_cannot_be_packed_without_loss_stays_as_it_is(data: bytes) -> None:
    packed = packed_picture(data)
    assert (packed.data, packed.media_type) == (data, PNG)


def test_a_packed_picture_is_never_larger() -> None:
    rng = np.random.default_rng(1)
    noise = written(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    assert len(packed_picture(noise).data) <= len(noise)
