"""The command line, the report, and the one place that joins ports and adapters."""
