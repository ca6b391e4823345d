"""Metrics, baselines, splits, intervals and importances."""
