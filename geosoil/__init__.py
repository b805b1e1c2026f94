"""Geospatial raster analysis of soil-water sources."""

__version__ = "0.1.0"
