"""Datasets of others, written and read: one module per layout."""
