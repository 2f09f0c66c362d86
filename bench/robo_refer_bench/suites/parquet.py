"""Parquet files as the Hugging Face hub has them: small columns at once, pictures one by one."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from robo_refer.errors import missing_package
from robo_refer_bench.suites.reading import bad_item, bad_layout

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise missing_package("pyarrow", "bench") from error

# An open file has one place where it reads, and requests are made by several threads.
_LOCK = threading.Lock()


def parquet_files(root: Path, stem: str) -> list[Path]:
    """Return the files of a split, `root/data/STEM-00000-of-00001.parquet` or beside, in order.

    Returns an empty list where there are none: then the suite may lie in another form.
    """
    for folder in (root / "data", root):
        found = sorted(folder.glob(f"{stem}-*.parquet")) or sorted(folder.glob(f"{stem}.parquet"))
        if found:
            return found
    return []


def read_rows(
    files: Sequence[Path], columns: Sequence[str], optional: Sequence[str] = ()
) -> list[tuple[Mapping[str, Any], Path, int]]:
    """Return (values, file, row of that file) of every row, without its pictures.

    Raises:
        RoboReferError: BAD_FILE when one cannot be read or has not these columns.
    """
    found: list[tuple[Mapping[str, Any], Path, int]] = []
    for path in files:
        names = _open(path).schema_arrow.names
        if missing := [name for name in columns if name not in names]:
            raise bad_layout(f"{path} has no column {missing[0]!r}")
        wanted = [*columns, *(name for name in optional if name in names)]
        try:
            rows = _open(path).read(columns=wanted).to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise bad_layout(f"{path} is damaged") from error
        found += [(values, path, number) for number, values in enumerate(rows)]
    return found


def picture_bytes(path: Path, row: int, column: str) -> bytes:
    """Return the encoded picture in one cell (`{"bytes": ..., "path": ...}`, or bytes alone).

    Raises:
        RoboReferError: BAD_FILE or BAD_SAMPLE.
    """
    value = cell(path, row, column)
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(data, bytes):
        raise bad_item(f"Row {row} of {path.name}", f"its {column!r} holds no picture")
    return data


def cell(path: Path, row: int, column: str) -> Any:
    """Return one value of one row; several threads may ask."""
    with _LOCK:
        group, offset = _group_of(path, row)
        values = _column(path, group, column)
    return values[offset].as_py()


def _group_of(path: Path, row: int) -> tuple[int, int]:
    metadata = _open(path).metadata
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if row < rows:
            return group, row
        row -= rows
    raise bad_layout(f"{path} has no row {row}")


@lru_cache(maxsize=8)
def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise bad_layout(f"{path} is not a readable Parquet file") from error


# Items are asked in order, so the next picture is nearly always in the group just read.
@lru_cache(maxsize=2)
def _column(path: Path, group: int, column: str) -> Any:
    try:
        return _open(path).read_row_group(group, columns=[column])[column]
    except (pa.ArrowException, OSError) as error:
        raise bad_layout(f"{path} is damaged") from error
