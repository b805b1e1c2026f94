"""Open, compute, write: what the commands run."""
