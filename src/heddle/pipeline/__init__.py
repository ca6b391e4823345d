"""From declared stages to generated files, runs and lineage."""
