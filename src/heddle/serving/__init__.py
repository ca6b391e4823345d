"""Loading a registered model and scoring with it."""
