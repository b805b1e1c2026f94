"""Points to surfaces."""
