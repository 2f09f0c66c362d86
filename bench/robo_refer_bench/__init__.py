"""Benchmarks: accuracy with every control beside it, paired comparisons, speed."""
