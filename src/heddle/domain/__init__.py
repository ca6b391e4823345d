"""Entities, ports and errors: what every other room may speak of. Standard library only."""
