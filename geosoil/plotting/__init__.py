"""Figures and maps; the only room for matplotlib and cartopy."""
