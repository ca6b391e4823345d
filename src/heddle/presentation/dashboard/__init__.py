"""Pages in a browser for every project: predictions, models, data versions and drift."""
