"""Pixelwise relations between rasters."""
