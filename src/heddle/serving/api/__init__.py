"""Online predictions over HTTP: one app for every model, its request schema from the manifest."""
