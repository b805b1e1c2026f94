"""Water isotopes to source fractions."""
