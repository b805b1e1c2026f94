"""A QGIS project with grouped, styled layers: a ``.qgz`` file to be double-clicked."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.io._atomic import write_bytes
from geosoil.io.qgis_vectors import VectorLayer, add_vector
from geosoil.io.qgis_xml import VERSION, add_crs, add_extent, document, element
from geosoil.io.styles import RasterStyle, raster_pipe

_NO_CLOCK = (1980, 1, 1, 0, 0, 0)
"""Time that every member of the zip states, so that the same content has the same
bytes."""


@dataclass(frozen=True, slots=True)
class RasterLayer:
    """A raster of a project."""

    path: Path
    """The file."""
    title: str
    """Name in the list of layers."""
    group: tuple[str, ...]
    """Groups that it stands in, the widest first."""
    style: RasterStyle
    """Colours and words."""
    grid: Grid
    """Its grid."""
    abstract: str = ""
    """How it was made."""
    visible: bool = False
    """Whether it is drawn when the project opens."""


@dataclass(frozen=True, slots=True)
class Project:
    """All that a project holds."""

    title: str
    """Title of the window."""
    grid: Grid
    """Grid whose system and bounds the map takes."""
    rasters: tuple[RasterLayer, ...]
    """Rasters in their order."""
    vectors: tuple[VectorLayer, ...] = ()
    """Layers of points, lines and polygons, drawn above the rasters; and tables."""
    abstract: str = ""
    """What the project is."""


@dataclass(slots=True)
class _Group:
    """A group of the list of layers while it is filled."""

    groups: dict[str, _Group] = field(default_factory=dict)
    layers: list[RasterLayer] = field(default_factory=list)


def write_project(project: Project, path: str | os.PathLike[str]) -> Path:
    """Write a project, whole or not at all.

    Parameters
    ----------
    project : Project
        Its layers. They are named relative to the folder of the project, so that the
        folder can be moved.
    path : path
        File that ends in ``.qgz``.

    Returns
    -------
    path : Path
        The file written; the same project gives the same bytes.

    Raises
    ------
    InputError
        If the name does not end in ``.qgz``, or a layer lies outside of its folder.
    GeosoilError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> grid = Grid.from_bounds((89, 31, 102, 36), 1, "EPSG:4326")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_project(Project("TRHR", grid, ()), Path(folder) / "a.qgz")
    ...     zipfile.ZipFile(file).namelist()
    ['a.qgs']
    """
    target = Path(path)
    if target.suffix != ".qgz":
        message = f"The project '{target}' needs a name that ends in .qgz."
        raise InputError(message)
    text = project_document(project, target.parent)
    member = zipfile.ZipInfo(f"{target.stem}.qgs", _NO_CLOCK)
    # The same on every system, as ZipInfo's own value is not.
    member.create_system, member.external_attr = 3, 0o644 << 16
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(member, text.encode("utf-8"))
    return write_bytes(packed.getvalue(), target)


def project_document(project: Project, folder: Path) -> str:
    """Return a project as QGIS reads it.

    Parameters
    ----------
    project : Project
        Its layers.
    folder : Path
        Folder of the project.

    Returns
    -------
    text : str
        XML.

    Raises
    ------
    InputError
        If a layer lies outside of the folder; the message names all.
    """
    files = [raster.path for raster in project.rasters]
    files += [vector.path for vector in project.vectors]
    outside = [str(file) for file in files if not file.is_relative_to(folder)]
    if outside:
        message = (
            f"A project in '{folder}' cannot hold layers from elsewhere: "
            f"{', '.join(outside)}. Write them to the project's folder."
        )
        raise InputError(message)
    root = element(None, "qgis", projectname=project.title, version=VERSION)
    element(root, "title", project.title)
    add_crs(element(root, "projectCrs"), project.grid.crs)
    _add_tree(root, project, folder)
    layers = element(root, "projectlayers")
    for vector in project.vectors:
        add_vector(layers, vector, _place(vector.path, folder))
    for raster in project.rasters:
        _add_raster(layers, raster, folder)
    _add_settings(root, project)
    return document(root)


def _place(file: Path, folder: Path) -> str:
    """Return where a file lies, seen from the project."""
    return f"./{file.relative_to(folder).as_posix()}"


def _raster_id(layer: RasterLayer, folder: Path) -> str:
    """Return the name by which the project knows a raster; the same in every run."""
    place = _place(layer.path, folder)
    plain = re.sub(r"\W", "_", layer.path.stem, flags=re.ASCII)
    return f"{plain}_{zlib.crc32(place.encode('utf-8', 'surrogatepass')):08x}"


def _add_tree(root: ET.Element, project: Project, folder: Path) -> None:
    """Add the list of layers with its groups."""
    tree = element(root, "layer-tree-group")
    tables = [one for one in project.vectors if one.geometry is None]
    for vector in (one for one in project.vectors if one.geometry is not None):
        _add_entry(tree, vector.identifier, vector.title, visible=vector.visible)
    top = _Group()
    for raster in project.rasters:
        group = top
        for name in raster.group:
            group = group.groups.setdefault(name, _Group())
        group.layers.append(raster)
    _fill(tree, top, folder)
    if tables:
        group_element = _group_element(tree, "Tables", expanded=False)
        for table in tables:
            _add_entry(group_element, table.identifier, table.title, visible=False)


def _fill(parent: ET.Element, group: _Group, folder: Path) -> None:
    """Add the layers of a group, then the groups within it."""
    for layer in group.layers:
        identifier = _raster_id(layer, folder)
        _add_entry(parent, identifier, layer.title, visible=layer.visible)
    for name, inner in group.groups.items():
        made = _group_element(parent, name, expanded=_shows(inner))
        _fill(made, inner, folder)


def _shows(group: _Group) -> bool:
    """Whether a group holds a layer that is drawn."""
    own = any(layer.visible for layer in group.layers)
    return own or any(_shows(inner) for inner in group.groups.values())


def _group_element(parent: ET.Element, name: str, *, expanded: bool) -> ET.Element:
    """Add a group to the list of layers."""
    return element(
        parent,
        "layer-tree-group",
        name=name,
        checked="Qt::Checked",
        expanded=str(int(expanded)),
    )


def _add_entry(
    parent: ET.Element, identifier: str, title: str, *, visible: bool
) -> None:
    """Add a layer to the list of layers."""
    element(
        parent,
        "layer-tree-layer",
        id=identifier,
        name=title,
        checked="Qt::Checked" if visible else "Qt::Unchecked",
        expanded=str(int(visible)),
    )


def _add_raster(layers: ET.Element, layer: RasterLayer, folder: Path) -> None:
    """Add a raster with its style, for the project is not to rest on sidecars."""
    made = element(
        layers,
        "maplayer",
        type="raster",
        hasScaleBasedVisibilityFlag="0",
        minScale="1e+08",
        maxScale="0",
    )
    add_extent(made, "extent", layer.grid.bounds)
    element(made, "id", _raster_id(layer, folder))
    element(made, "datasource", _place(layer.path, folder))
    element(made, "title", layer.title)
    element(made, "abstract", layer.abstract)
    element(made, "layername", layer.title)
    add_crs(element(made, "srs"), layer.grid.crs)
    words = element(made, "resourceMetadata")
    element(words, "type", "dataset")
    element(words, "title", layer.title)
    element(words, "abstract", layer.abstract)
    element(made, "provider", "gdal")
    missing = element(made, "noData")
    element(missing, "noDataList", bandNo="1", useSrcNoData="1")
    made.append(raster_pipe(layer.style))
    element(made, "blendMode", "0")


def _add_settings(root: ET.Element, project: Project) -> None:
    """Add what a project says of itself and of the map it opens with."""
    properties = element(root, "properties")
    element(element(properties, "Paths"), "Absolute", "false", type="bool")
    # Without it QGIS 3.22 passes over the system of the project.
    system = element(properties, "SpatialRefSys")
    element(system, "ProjectionsEnabled", "1", type="int")
    words = element(root, "projectMetadata")
    element(words, "title", project.title)
    element(words, "abstract", project.abstract)
    view = element(root, "ProjectViewSettings", UseProjectScales="0")
    west, south, east, north = (repr(float(value)) for value in project.grid.bounds)
    frame = element(
        view, "DefaultViewExtent", xmin=west, ymin=south, xmax=east, ymax=north
    )
    add_crs(frame, project.grid.crs)
    # The canvas of versions that do not know the frame above.
    canvas = element(root, "mapcanvas", name="theMapCanvas")
    element(canvas, "units", "degrees" if project.grid.crs.is_geographic else "meters")
    add_extent(canvas, "extent", project.grid.bounds)
    add_crs(element(canvas, "destinationsrs"), project.grid.crs)
