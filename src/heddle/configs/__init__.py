"""Shared configuration groups, found by `hydra.searchpath: [pkg://heddle.configs]`."""
