"""Shards made in processes of this machine, or on a Ray cluster; both give the same bytes."""
