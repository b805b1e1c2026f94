"""What the rasters that were written are: title, place in a list, unit and style."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from geosoil.io.raster_header import RasterHeader, read_header, read_thinned
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.style import DASH
from geosoil.workflow.map_style import CLASSES, PLAIN, Described, guess_style

SUFFIXES = (".tif", ".tiff")
"""Endings of the files that are rasters."""

FRACTIONS = "Source fractions"
OVER_TIME, OVER_SPACE = "Correlation over time", "Correlation over space"
RAIN, INTERPOLATION = "Response to rain", "Interpolation"
OTHERS = "Other rasters"

MOST_CLASSES = 30
"""Different bytes beyond which a raster without class names is a quantity."""

_TOPS = (FRACTIONS, OVER_TIME, OVER_SPACE, RAIN, INTERPOLATION)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip

_OF_PAIRS = {
    "r": "Correlation r of {x} and {y}",
    "r_lower": "Lower end of the interval of r of {x} and {y}",
    "r_upper": "Upper end of the interval of r of {x} and {y}",
    "p_value": "p value of r of {x} and {y}",
    "p_value_single": "p value of r of {x} and {y}, of the best lag alone",
    "q_value": "q value of r of {x} and {y}",
    "n": "Number of pairs of {x} and {y}",
    "n_effective": "Effective number of pairs of {x} and {y}",
    "slope": "Slope of {y} on {x}",
    "theil_sen_slope": "Median slope of {y} on {x}",
    "intercept": "Intercept of {y} on {x}",
    "lag": "Best lag of {x} and {y}",
    "bandwidth": "Width of the weights of {x} and {y}",
    "reason": "Why there is no r of {x} and {y}",
}
"""Titles of what a correlation gives, by the name of the layer."""

_OF_CLASSES = ("bits", "flag_values", "flag_masks")
"""Tags that only rasters of classes have."""

_FRACTION = re.compile(
    r"(?P<what>.*?)(?:the )?\b(?P<true>true )?fraction of (?P<source>.+?)"
    r"(?P<how>, mixing and interpolation)?( in soil water)?"
    r"(, (?P<period>[^,(]+?))?( \(.*\))?"
)
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?.*")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One raster, as a reader finds it in a list."""

    path: Path
    """The file."""
    title: str
    """Words for a reader, such as "Source fraction of precipitation, June"."""
    group: tuple[str, ...]
    """Where it stands in a list, the widest heading first."""
    units: str
    """Unit as in the file; "1" for a pure number, "" where none is stated."""
    style: str
    """A name of :data:`geosoil.workflow.map_style.STYLES`."""
    period: str
    """Month, years or dates that it stands for; "" where none is stated."""
    method: str
    """How it was made, in the words of the file."""
    tags: Mapping[str, str]
    """All tags of the file."""


def catalogue(paths: Iterable[Path]) -> tuple[CatalogueEntry, ...]:
    """Tell of each raster what it is, in its own words.

    Parameters
    ----------
    paths : iterable of Path
        Files that were written; those that are no GeoTIFFs by name are passed over.

    Returns
    -------
    entries : tuple of CatalogueEntry
        One a GeoTIFF, in the order of the paths.

    Raises
    ------
    GeosoilError
        If a file is absent or cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> r = grid.raster(np.full(grid.shape, 0.4), name="ground_ice")
    >>> words = "fraction of ground ice in soil water, June"
    >>> with TemporaryDirectory() as folder:
    ...     file = write_geotiff(r, Path(folder) / "f.tif", description=words)
    ...     entry = catalogue([file])[0]
    >>> entry.title, entry.group, entry.style
    ('Source fraction of ground ice, June', ('Source fractions', 'June'), 'fraction')
    """
    rasters = [path for path in map(Path, paths) if path.suffix.lower() in SUFFIXES]
    return tuple(entry_of(read_header(path)) for path in rasters)


def listed(entries: Iterable[CatalogueEntry]) -> list[CatalogueEntry]:
    """Return rasters in the order in which a reader looks for them.

    Parameters
    ----------
    entries : iterable of CatalogueEntry
        Rasters.

    Returns
    -------
    ordered : list of CatalogueEntry
        Fractions first, then correlations; months by the calendar; r before its p
        value. All else keeps its order.
    """
    entries = list(entries)
    seen = list(dict.fromkeys(name for one in entries for name in one.group))
    return sorted(
        entries,
        key=lambda one: (
            [_rank(name, seen) for name in one.group],
            _rank(one.tags.get("name", ""), (), first=tuple(_OF_PAIRS)),
        ),
    )


def _rank(
    name: str, seen: Sequence[str], first: Sequence[str] = (*_TOPS, *_MONTHS)
) -> int:
    """Return the place of a heading: those of the house first, then as they come."""
    order = [*first, *seen]
    return order.index(name) if name in order else len(order)


def described(header: RasterHeader) -> Described:
    """Return what a raster says of itself, for a guess of its style.

    Parameters
    ----------
    header : RasterHeader
        The words of a file.

    Returns
    -------
    described : Described
        Its names, words and unit.
    """
    tags = header.tags
    words = tags.get("long_name") or (header.descriptions or ("",))[0]
    return Described(
        tags.get("name") or header.path.stem,
        words,
        tags.get("standard_name", ""),
        header.units,
    )


def entry_of(header: RasterHeader) -> CatalogueEntry:
    """Tell what one raster is.

    Parameters
    ----------
    header : RasterHeader
        The words of its file.

    Returns
    -------
    entry : CatalogueEntry
        Title, group, unit and style.

    Raises
    ------
    GeosoilError
        If the file cannot be read.
    """
    title, group, period = _words(header)
    return CatalogueEntry(
        path=header.path,
        title=title,
        group=group,
        units=header.units,
        style=_style(header),
        period=period,
        method=header.tags.get("method", ""),
        tags=dict(header.tags),
    )


def _style(header: RasterHeader) -> str:
    """Guess the style from the words and the range of the values."""
    if header.colours or any(key in header.tags for key in _OF_CLASSES):
        return CLASSES
    low, high = header.statistics or (0.0, 0.0)
    if header.dtype == "uint8" or header.statistics is None:
        values = read_thinned(header.path)
        if header.dtype == "uint8" and len(set(values.tolist())) <= MOST_CLASSES:
            return CLASSES
        if not values.size:
            return PLAIN
        low, high = float(values.min()), float(values.max())
    return guess_style(described(header), xr.DataArray([low, high]))


def _words(header: RasterHeader) -> tuple[str, tuple[str, ...], str]:
    """Return title, group and period."""
    first = (header.descriptions or ("",))[0]
    if "chosen_by" in header.tags:
        return _interpolated(header, first)
    for family in (_fraction, _support, _study_pair, _pair):
        found = family(header, first)
        if found is not None:
            return found
    return _other(header, first)


Words = tuple[str, tuple[str, ...], str]


def _fraction(header: RasterHeader, first: str) -> Words | None:
    """Words of a source fraction, its spread or a quantile."""
    found = _FRACTION.fullmatch(first)
    if found is None:
        return None
    period = header.tags.get("period") or found["period"] or ""
    kind = "true fraction" if found["true"] else "source fraction"
    what = found["what"] + ("the " if found["what"] else "")
    words = f"{what}{kind} of {found['source']}"
    top = "True source fractions" if found["true"] else FRACTIONS
    group = (top, period, "Uncertainty" if found["what"] else "")
    return _title(words, period), _named(group), period


def _support(header: RasterHeader, first: str) -> Words | None:
    """Words of the raster that tells what the sites do not support."""
    if not first.startswith("why the sites support no fraction"):
        return None
    period = header.tags.get("period", "")
    title = _title("Why the sites support no fraction", period)
    return title, _named((FRACTIONS, period)), period


def _study_pair(_: RasterHeader, first: str) -> Words | None:
    """Words of a correlation of a study."""
    found = re.fullmatch(r"(\w+) of (\w+) and (\w+) (over time|in .+?), (.+)", first)
    if found is None or found[1] not in _OF_PAIRS:
        return None
    x, y = in_words(found[2]), in_words(found[3])
    when = re.sub(r"(\d)-(\d)", rf"\1{DASH}\2", found[5])
    over_time = found[4] == "over time"
    words = _OF_PAIRS[found[1]].format(x=x, y=y)
    title = _title(words if over_time else f"{words} {found[4]}", when)
    month = when.split()[0]
    return title, (OVER_TIME if over_time else OVER_SPACE, f"{x} and {y}", month), when


def _pair(header: RasterHeader, first: str) -> Words | None:
    """Words of what the command on two series wrote."""
    tags, stem = header.tags, header.path.stem
    if "support_x" not in tags:
        return None
    period = tags.get("period") or _when(tags)
    if stem.startswith("response_"):
        return _title(_plain(first), _when(tags)), (RAIN,), period
    x, _, y = tags.get("variables", "x, y").partition(", ")
    x, y, name = in_words(x), in_words(y), tags.get("name", "")
    words = _OF_PAIRS[name].format(x=x, y=y) if name in _OF_PAIRS else _plain(first)
    top = OVER_SPACE if "over space" in tags.get("method", "") else OVER_TIME
    month = tags.get("period", "")
    when = " ".join(part for part in (month, _when(tags)) if part)
    return _title(words, when), _named((top, f"{x} and {y}", month)), when


def _when(tags: Mapping[str, str]) -> str:
    """Dates of two series."""
    dates = tags.get("dates", "")
    return dates if "-" in dates else dates.replace(" to ", DASH)


def _named(group: tuple[str, ...]) -> tuple[str, ...]:
    """Leave empty headings out."""
    return tuple(part for part in group if part)


def _interpolated(header: RasterHeader, first: str) -> Words:
    """Words of what an interpolation wrote."""
    period = header.tags.get("period", "")
    words = _plain(first) or _plain(header.path.stem)
    return _title(words, period), _named((INTERPOLATION, period)), period


def _other(header: RasterHeader, first: str) -> Words:
    """Words of any other raster."""
    tags, several = header.tags, len(header.descriptions)
    period = tags.get("period", "")
    words = first or tags.get("name", "")
    if several and all(_DATE.fullmatch(text) for text in header.descriptions):
        dates = sorted(header.descriptions)
        period = dates[0] + (f" to {dates[-1]}" if several > 1 else "")
        words = tags.get("long_name") or tags.get("name", "")
    elif several > 1:
        words = tags.get("long_name") or tags.get("name", "")
    group = f"MODIS {tags['product']}" if "product" in tags else OTHERS
    return _title(_plain(words) or _plain(header.path.stem), period), (group,), period


def _plain(words: str) -> str:
    """Write names inside words as readers know them."""
    return re.sub(r"\bndvi\b", "NDVI", words.replace("_", " ").strip())


def _title(words: str, period: str) -> str:
    """Begin with a capital, and end with the period where the words lack it."""
    # A symbol such as r or p keeps its letter.
    first = words if words[1:2] in ("", " ") else words[0].upper() + words[1:]
    said = not period or period.lower() in words.lower()
    return first if said else f"{first}, {period}"
