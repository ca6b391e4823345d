"""What learns from data: scikit-learn transformers that take and give tables."""
