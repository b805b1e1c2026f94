"""How outputs say that their data are simulated."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

SIMULATED = "SIMULATED data: no value on this figure was measured"

SIMULATED_PAGE = "SIMULATED data: no value on this page was measured"
"""Words for pages that hold more than one figure."""

SIMULATED_DATA = "SIMULATED data: no value was measured"
"""Words for titles of projects and layers."""

COLUMN = "simulated"
"""Column by which the built-in study marks its samples."""

TRUE = ("true", "yes", "1", "1.0")


def simulated_rows(samples: pd.DataFrame) -> pd.Series[bool]:
    """Return which samples say that they are simulated.

    Parameters
    ----------
    samples : DataFrame
        Samples; those of the built-in study have a column ``simulated``.

    Returns
    -------
    simulated : Series of bool
        One a row; False without the column.

    Examples
    --------
    >>> simulated_rows(pd.DataFrame({"simulated": ["True", None, "no"]})).tolist()
    [True, False, False]
    """
    if COLUMN not in samples:
        return pd.Series(data=False, index=samples.index)
    return samples[COLUMN].astype(str).str.strip().str.lower().isin(TRUE)


def simulated_note(samples: pd.DataFrame) -> str | None:
    """Return words for figures where any sample is simulated.

    Parameters
    ----------
    samples : DataFrame
        Samples.

    Returns
    -------
    note : str or None
        None where nothing says so.

    Examples
    --------
    >>> simulated_note(pd.DataFrame({"simulated": [True]}))
    'SIMULATED data: no value on this figure was measured'
    """
    return SIMULATED if bool(simulated_rows(samples).any()) else None


def simulated_tag(simulated: bool) -> str:
    """Return what files say of their data.

    Parameters
    ----------
    simulated : bool
        Whether the data are simulated.

    Returns
    -------
    tag : str
        Words.

    Examples
    --------
    >>> simulated_tag(True)
    'yes: no measured data'
    """
    return "yes: no measured data" if simulated else "no"


def is_simulated(tags: Mapping[str, object]) -> bool:
    """Return whether the tags of a file say that its values are simulated.

    Parameters
    ----------
    tags : mapping
        Tags or attributes of the file.

    Returns
    -------
    simulated : bool
        False where they say nothing.

    Examples
    --------
    >>> is_simulated({"simulated": "yes: no measured data"}), is_simulated({})
    (True, False)
    """
    says = str(tags.get("simulated", "")).strip().lower().startswith("yes")
    return says or str(tags.get("source", "")).strip().lower() == "simulated"
