"""Stateless steps, one verb per file, found by name."""
