"""A study with known truth, written in the real formats."""
