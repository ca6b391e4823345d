"""Adapters: files, Hydra, DVC, MLflow, W&B, memory."""
