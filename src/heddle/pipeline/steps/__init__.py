"""The steps that every project shares: ingest, split, study, compete, tune, register."""
