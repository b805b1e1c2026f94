"""Plain values as strict JSON, for summaries and provenance."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd


def plain_value(value: object) -> object:
    """Return a value that JSON knows.

    Parameters
    ----------
    value : object
        Plain value, numpy scalar, path, or sequence or mapping of these.

    Returns
    -------
    plain : object
        None for what is missing or infinite; text for what JSON has no form for.

    Examples
    --------
    >>> plain_value((np.float64("nan"), np.int64(3)))
    [None, 3]
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, bool | int | str) else str(value)


def strict_json(record: object) -> str:
    """Write plain values as JSON, without NaN.

    Parameters
    ----------
    record : object
        Values.

    Returns
    -------
    text : str
        JSON that every reader accepts.

    Examples
    --------
    >>> print(strict_json({"r": float("nan")}))
    {
     "r": null
    }
    """
    return json.dumps(
        plain_value(record), indent=1, ensure_ascii=False, allow_nan=False
    )
