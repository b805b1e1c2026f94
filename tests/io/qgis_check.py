"""Open rasters and a project in QGIS without a screen, and tell what it sees as JSON.

Run by QGIS's own Python: ``/usr/bin/python3 qgis_check.py PROJECT.qgz RASTER...``,
with ``--pictures DIR [TITLE...]`` at the end the layers of these titles, and the map
that the project opens with, are drawn to DIR.
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsLayerTreeModelLegendNode,
    QgsMapLayerLegend,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

SIZE = QSize(1000, 420)


def renderer_words(layer: QgsRasterLayer) -> dict[str, object]:
    """Tell limits, colours and labels of a layer."""
    renderer = layer.renderer()
    found: dict[str, object] = {"renderer": renderer.type()}
    if isinstance(renderer, QgsSingleBandPseudoColorRenderer):
        shader = renderer.shader().rasterShaderFunction()
        found["limits"] = [renderer.classificationMin(), renderer.classificationMax()]
        found["shader_limits"] = [shader.minimumValue(), shader.maximumValue()]
        found["items"] = [
            [min(item.value, 1e300), item.label, item.color.name()]
            for item in shader.colorRampItemList()
        ]
        settings = shader.legendSettings()
        found["suffix"] = settings.suffix()
    elif isinstance(renderer, QgsPalettedRasterRenderer):
        found["items"] = [
            [one.value, one.label, one.color.name()] for one in renderer.classes()
        ]
    return found


def raster_words(layer: QgsRasterLayer) -> dict[str, object]:
    """Tell what QGIS sees in a raster."""
    provider = layer.dataProvider()
    return {
        "valid": layer.isValid(),
        "name": layer.name(),
        "bands": layer.bandCount(),
        "band": layer.bandName(1),
        "crs": layer.crs().authid(),
        "nodata": (
            provider.sourceNoDataValue(1) if provider.sourceHasNoDataValue(1) else None
        ),
        "uses_nodata": provider.useSourceNoDataValue(1),
        "html": layer.htmlMetadata(),
        "legend": [
            str(node.data(0) or "")
            for node in layer_legend(layer)
            if isinstance(node, QgsLayerTreeModelLegendNode)
        ],
        **renderer_words(layer),
    }


def layer_legend(layer: QgsRasterLayer) -> list[QgsLayerTreeModelLegendNode]:
    """Return the entries of a layer's legend."""
    legend = QgsMapLayerLegend.defaultRasterLegend(layer)
    node = QgsLayerTreeLayer(layer)
    layer_legend.kept.append((legend, node))
    return legend.createLayerTreeModelLegendNodes(node)


layer_legend.kept = []


def tree_words(group: QgsLayerTreeGroup) -> list[object]:
    """Tell the list of layers with its groups."""
    told: list[object] = []
    for child in group.children():
        about = {
            "name": child.name(),
            "checked": child.itemVisibilityChecked(),
            "expanded": child.isExpanded(),
        }
        if isinstance(child, QgsLayerTreeGroup):
            about["children"] = tree_words(child)
        told.append(about)
    return told


def project_words(project: QgsProject) -> dict[str, object]:
    """Tell what a project holds."""
    layers = list(project.mapLayers().values())
    extent = project.viewSettings().defaultViewExtent()
    return {
        "title": project.title(),
        "crs": project.crs().authid(),
        "extent": [
            extent.xMinimum(),
            extent.yMinimum(),
            extent.xMaximum(),
            extent.yMaximum(),
        ],
        "tree": tree_words(project.layerTreeRoot()),
        "ids": sorted(project.mapLayers()),
        "rasters": {
            Path(layer.source()).name: {
                **raster_words(layer),
                "abstract": layer.abstract(),
                "title": layer.title(),
                "metadata": layer.metadata().title(),
            }
            for layer in layers
            if isinstance(layer, QgsRasterLayer)
        },
        "vectors": {
            layer.name(): {
                "valid": layer.isValid(),
                "count": layer.featureCount(),
                "crs": layer.crs().authid(),
                "renderer": layer.renderer().dump() if layer.renderer() else "",
            }
            for layer in layers
            if not isinstance(layer, QgsRasterLayer)
        },
    }


def draw(project: QgsProject, layers: list[object], path: Path) -> None:
    """Draw layers as the map of a project."""
    settings = QgsMapSettings()
    settings.setOutputSize(SIZE)
    settings.setBackgroundColor(QColor("white"))
    settings.setDestinationCrs(project.crs())
    settings.setLayers(layers)
    settings.setExtent(project.viewSettings().defaultViewExtent())
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(str(path), "png")


def main(arguments: list[str]) -> None:
    """Open what is named and print what is seen."""
    end = arguments.index("--pictures") if "--pictures" in arguments else len(arguments)
    project_path, *rasters = arguments[:end]
    application = QgsApplication([], False)
    application.initQgis()
    messages: list[list[str]] = []
    application.messageLog().messageReceived.connect(
        lambda text, tag, level: messages.append([tag, str(int(level)), text])
    )
    opened = {
        Path(raster).name: raster_words(QgsRasterLayer(raster, Path(raster).stem))
        for raster in rasters
    }
    project = QgsProject.instance()
    read = project.read(project_path)
    told = {
        "qgis": Qgis.QGIS_VERSION,
        "read": read,
        "rasters": opened,
        "project": project_words(project),
        "messages": messages,
    }
    if end < len(arguments):
        folder, *titles = arguments[end + 1 :]
        root = project.layerTreeRoot()
        draw(project, root.checkedLayers(), Path(folder) / "project.png")
        for title in titles:
            layers = project.mapLayersByName(title)
            draw(project, layers, Path(folder) / f"{title[:60]}.png")
    json.dump(told, sys.stdout)
    sys.stdout.flush()
    # Objects of Python and of Qt must not be torn down in an order of chance.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
