"""Unitree G1's arms through its own topics."""
