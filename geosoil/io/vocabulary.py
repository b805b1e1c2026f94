"""The vocabulary of sample tables: columns, their other names, units and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "id", "label", "number", "latitude", "longitude", "date", "depth", "flag"
]


def words(text: str) -> tuple[str, ...]:
    """Split a list of words at its blanks.

    Parameters
    ----------
    text : str
        Words with blanks between.

    Returns
    -------
    words : tuple of str
        The words.

    Examples
    --------
    >>> words("lat latitude")
    ('lat', 'latitude')
    """
    return tuple(text.split())


_NO_UNITS: Mapping[str, float] = MappingProxyType({})
_PERMIL = dict.fromkeys(
    ("‰", "permil", "permille", "promille", "‰vsmow", "vsmow", "smow", "per_mil"), 1.0
)
_DEGREES = dict.fromkeys(("deg", "degree", "degrees", "°", "dd", "°n", "°e"), 1.0)
_METRES = {"m": 1.0, "masl": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0}
_METRES |= {"meters": 1.0, "米": 1.0, "km": 1000.0, "ft": 0.3048, "feet": 0.3048}
_CENTIMETRES = {"cm": 1.0, "厘米": 1.0, "m": 100.0, "mm": 0.1}
_MILLIMETRES = {"mm": 1.0, "毫米": 1.0, "cm": 10.0}
_CELSIUS = dict.fromkeys(("degc", "°c", "c", "℃", "celsius"), 1.0)
_MOISTURE = {"m3m3": 1.0, "m3m-3": 1.0, "cm3cm3": 1.0, "cm3cm-3": 1.0, "%": 0.01}
_MOISTURE |= {"vol%": 0.01, "1": 1.0, "percent": 0.01}


@dataclass(frozen=True, slots=True)
class Column:
    """One column that geosoil knows in a table."""

    name: str
    """Name in geosoil."""
    kind: Kind
    """How its cells are read."""
    synonyms: tuple[str, ...] = ()
    """Other names, as :func:`plain_name` writes them."""
    units: Mapping[str, float] = field(default_factory=lambda: _NO_UNITS)
    """Units that are understood, and the factor to geosoil's unit."""
    valid: tuple[float, float] = (-1e12, 1e12)
    """Smallest and largest value that is possible."""


SAMPLE_COLUMNS: tuple[Column, ...] = (
    Column(
        "sample_id",
        "id",
        words(
            "sample id sampleno samplenumber samplename samplecode label "
            "vialnumber vial 样品编号 样品号 编号 样号 样品"
        ),
    ),
    Column(
        "water",
        "label",
        words(
            "watertype type sampletype typeofwater waterbody source medium 水体 "
            "水体类型 类型 样品类型 水样类型 soilorstem"
        ),
    ),
    Column("period", "label", ("month", "season", "月份", "时期", "月")),
    Column(
        "date",
        "date",
        words(
            "sampledate samplingdate dateofsampling collectiondate "
            "datecollected 采样日期 日期 采样时间"
        ),
    ),
    Column(
        "site_id",
        "id",
        words(
            "site station stationid sitename stationname location plot profile "
            "profileid 站点 采样点 地点 样点 剖面"
        ),
    ),
    Column(
        "longitude",
        "longitude",
        ("lon", "long", "lng", "longitudee", "lone", "经度", "东经"),
        _DEGREES,
        (-180.0, 180.0),
    ),
    Column(
        "latitude",
        "latitude",
        ("lat", "latituden", "latn", "纬度", "北纬"),
        _DEGREES,
        (-90.0, 90.0),
    ),
    Column(
        "elevation",
        "number",
        words("elev altitude alt height dem asl masl 海拔 高程 海拔高度"),
        _METRES,
        (-500.0, 9000.0),
    ),
    Column(
        "depth_top",
        "number",
        ("depthfrom", "topdepth", "upperdepth", "mindepth", "depthmin", "soilmindepth"),
        _CENTIMETRES,
        (0.0, 100_000.0),
    ),
    Column(
        "depth_bottom",
        "number",
        (
            "depthto",
            "bottomdepth",
            "lowerdepth",
            "maxdepth",
            "depthmax",
            "soilmaxdepth",
        ),
        _CENTIMETRES,
        (0.0, 100_000.0),
    ),
    Column(
        "depth",
        "depth",
        ("soildepth", "layer", "soillayer", "depthrange", "深度", "土层", "土壤深度"),
        _CENTIMETRES,
    ),
    Column("aspect", "label", ("slopeaspect", "exposure", "坡向")),
    Column("vegetation", "label", ("vegetationtype", "landcover", "植被", "植被类型")),
    Column(
        "d18O",
        "number",
        ("18o", "delta18o", "do18", "o18", "delta18", "d18owater", "d18ovalue"),
        _PERMIL,
        (-90.0, 50.0),
    ),
    Column(
        "d2H",
        "number",
        ("2h", "delta2h", "deltad", "dd", "deuterium", "dh2", "d2hwater", "d2hvalue"),
        _PERMIL,
        (-600.0, 300.0),
    ),
    Column(
        "d18O_sd",
        "number",
        ("sdd18o", "d18ostd", "d18oerror", "d18ose", "d18osigma", "d18ouncertainty"),
        _PERMIL,
        (0.0, 50.0),
    ),
    Column(
        "d2H_sd",
        "number",
        ("sdd2h", "d2hstd", "d2herror", "d2hse", "d2hsigma", "d2huncertainty", "ddsd"),
        _PERMIL,
        (0.0, 300.0),
    ),
    Column(
        "precipitation",
        "number",
        words("precip rainfall rain amount prec precipitationamount 降水量 降水"),
        _MILLIMETRES,
        (0.0, 20_000.0),
    ),
    Column(
        "soil_temperature",
        "number",
        ("soiltemp", "tsoil", "groundtemperature", "土壤温度", "地温"),
        _CELSIUS,
        (-90.0, 80.0),
    ),
    Column(
        "soil_moisture",
        "number",
        words(
            "soilmoist swc vwc watercontent soilwatercontent 土壤水分 土壤含水量 含水量"
        ),
        _MOISTURE,
        (0.0, 1.0),
    ),
    Column("d18O_censored", "flag"),
    Column("d2H_censored", "flag"),
    Column("simulated", "flag", ("issimulated",)),
)
"""Columns of a sample table; ``depth`` is split into its top and bottom."""

_EASTING = words("utme utmx utmeasting eastingm xutm 东坐标")
_NORTHING = words("utmn utmy utmnorthing northingm yutm 北坐标")
_LOOSE_X = words("x coox xcoord coordx xcoordinate pointx xcoor")
_LOOSE_Y = words("y cooy ycoord coordy ycoordinate pointy ycoor")


def projected_columns(*, loose: bool) -> tuple[Column, ...]:
    """Return the columns of projected coordinates.

    Parameters
    ----------
    loose : bool
        Whether names such as x and y count, as they do when the coordinate reference
        system is stated.

    Returns
    -------
    columns : tuple of Column
        easting, northing and utm_zone.

    Examples
    --------
    >>> "x" in projected_columns(loose=False)[0].synonyms
    False
    """
    metres = {name: factor for name, factor in _METRES.items() if name != "masl"}
    wide = (-1e8, 1e8)
    x, y = (_LOOSE_X, _LOOSE_Y) if loose else ((), ())
    return (
        Column("easting", "number", (*_EASTING, *x), metres, wide),
        Column("northing", "number", (*_NORTHING, *y), metres, wide),
        Column("utm_zone", "id", words("zone utmz zoneutm 带号")),
    )
