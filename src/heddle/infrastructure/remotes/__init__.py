"""Remotes: where data versions and runs are pushed to and pulled from.

A remote is a folder or a bucket that only ever grows: contents lie under their digests, and one
small document, which is replaced as a whole, says which of them are the runs.
"""
