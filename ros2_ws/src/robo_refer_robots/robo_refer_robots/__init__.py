"""Moves robots to referred points; dry run by default."""
