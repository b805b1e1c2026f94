"""The report of a run: numbers collected once, placed by a template."""
