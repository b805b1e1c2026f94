"""Write water samples as a table that is read back unchanged."""

from __future__ import annotations

import os
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geosoil.io._atomic import write_csv
from geosoil.io.spreadsheets import FORMULA


def write_samples(samples: gpd.GeoDataFrame, path: str | os.PathLike[str]) -> Path:
    """Write samples as CSV that is read back unchanged.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; the
    reader takes it off again.

    Parameters
    ----------
    samples : GeoDataFrame
        Samples, as :func:`geosoil.io.samples.read_samples` gives them.
    path : path
        File to write, UTF-8.

    Returns
    -------
    path : Path
        The file written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> table = {"sample_id": ["=1"], "d18O": [-9.0], "d2H": [-60.0]}
    >>> samples = gpd.GeoDataFrame(table)
    >>> with TemporaryDirectory() as folder:
    ...     path = write_samples(samples, Path(folder) / "out.csv")
    ...     print(path.read_text())
    sample_id,d18O,d2H
    '=1,-9.0,-60.0
    <BLANKLINE>
    """
    shape = samples.columns == getattr(samples, "_geometry_column_name", None)
    frame = pd.DataFrame(samples.loc[:, ~shape]).copy()
    frame.attrs = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            frame[name] = column.dt.strftime("%Y-%m-%d")
        elif not (
            pd.api.types.is_numeric_dtype(column.dtype)
            or pd.api.types.is_bool_dtype(column.dtype)
        ):
            frame[name] = column.map(_guarded, na_action="ignore")
    return write_csv(frame, Path(path))


def _guarded(text: object) -> object:
    if isinstance(text, str) and text.startswith(FORMULA):
        return f"'{text}"
    return text
