"""A model's manifest, its promotion gates, its rollback."""
