"""`Sample` and its storage. Needs the extra `data` as soon as files or masks are touched.

The names below load on first use, so that reading a type of `sample` costs no pyarrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from robo_refer.data.sample import ObjectTruth, Question, Rle, Sample

if TYPE_CHECKING:
    from robo_refer.data.storage import (
        ShardWriter,
        count_samples,
        read_samples,
        shard_path,
        shard_paths,
        write_shard,
    )

__all__ = [
    "ObjectTruth",
    "Question",
    "Rle",
    "Sample",
    "ShardWriter",
    "count_samples",
    "read_samples",
    "shard_path",
    "shard_paths",
    "write_shard",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("robo_refer.data.storage"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
