"""Samples in Parquet shards that `datasets.load_dataset` reads as they are.

A dataset is a folder `DIR/data/train-00000.parquet ...`. A shard appears whole or not at all
(written beside its name, then renamed) and its pages carry checksums.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from robo_refer.data.checks import check_sample
from robo_refer.data.records import Row, from_row, to_row
from robo_refer.data.sample import Sample
from robo_refer.data.schema import SCHEMA
from robo_refer.errors import ErrorCode, RoboReferError, missing_package

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise missing_package("pyarrow", "data") from error

# A row group is read as a whole: 32 VGA samples are about 20 MB.
_ROWS_PER_GROUP = 32
_OPTIONAL_COLUMNS = ("rgb", "depth", "objects", "questions")
_ALWAYS = tuple(name for name in SCHEMA.names if name not in _OPTIONAL_COLUMNS)


def shard_path(directory: str | Path, index: int) -> Path:
    """Return the path of shard `index` of a dataset folder."""
    return Path(directory) / "data" / f"train-{index:05d}.parquet"


class _ShardFile:
    """One shard being written: rows gather in groups in a temporary file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.count = 0
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._rows: list[Row] = []
        self._ids: set[str] = set()
        self._writer = pq.ParquetWriter(
            self._temporary,
            SCHEMA,
            compression="zstd",
            compression_level=1,
            write_page_checksum=True,
        )

    def add(self, sample: Sample) -> None:
        check_sample(sample)
        if sample.id in self._ids:
            raise RoboReferError(
                ErrorCode.BAD_SAMPLE,
                f"Two samples of {self._path.name} have the id {sample.id!r}.",
                "Give every sample of a dataset its own id.",
            )
        self._rows.append(to_row(sample))
        self._ids.add(sample.id)
        self.count += 1
        if len(self._rows) == _ROWS_PER_GROUP:
            self._flush()

    def commit(self) -> None:
        self._flush()
        self._writer.close()
        with self._temporary.open("rb") as file:
            os.fsync(file.fileno())
        self._temporary.replace(self._path)

    def discard(self) -> None:
        with suppress(OSError):  # a full disk, say, which is what ended the writing
            self._writer.close()
        self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            self._rows = []


def write_shard(path: str | Path, samples: Iterable[Sample]) -> int:
    """Write one shard atomically, replacing what is at `path`; return the number of samples.

    Raises:
        RoboReferError: BAD_SAMPLE for a sample that contradicts itself. Nothing is left behind
            when this or any other exception ends the writing.
    """
    shard = _ShardFile(Path(path))
    try:
        for sample in samples:
            shard.add(sample)
        shard.commit()
    except BaseException:
        shard.discard()
        raise
    return shard.count


class ShardWriter:
    """Write samples one by one into numbered shards of a new dataset folder.

    Use as a context manager; an exception inside discards the unfinished shard and keeps the
    finished ones.
    """

    def __init__(self, directory: str | Path, samples_per_shard: int = 500) -> None:
        self._directory = Path(directory)
        self._samples_per_shard = samples_per_shard
        self._index = 0
        self._shard: _ShardFile | None = None
        self.count = 0
        if any((self._directory / "data").glob("*.parquet")):
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{self._directory} already holds a dataset.",
                "Choose another folder, or remove that one first.",
            )

    def write(self, sample: Sample) -> None:
        """Add one sample; raises BAD_SAMPLE if it contradicts itself."""
        if self._shard is None:
            self._shard = _ShardFile(shard_path(self._directory, self._index))
        self._shard.add(sample)
        self.count += 1
        if self._shard.count == self._samples_per_shard:
            self.close()

    def close(self) -> None:
        """Finish the current shard; the next `write` begins another."""
        if self._shard is not None:
            self._shard.commit()
            self._shard = None
            self._index += 1

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        elif self._shard is not None:
            self._shard.discard()
            self._shard = None


def shard_paths(path: str | Path) -> list[Path]:
    """Return the Parquet files of a dataset folder (or the one file itself), in order.

    Raises:
        RoboReferError: BAD_FILE where there is none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    paths = sorted((path / "data").glob("*.parquet")) or sorted(path.glob("*.parquet"))
    if not paths:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"There is no Parquet file at {path}.",
            "Give a dataset folder or a .parquet file made by 'robo-refer data generate'.",
        )
    return paths


def count_samples(path: str | Path) -> int:
    """Return how many samples a dataset folder or file holds, from the files' footers."""
    return sum(_open(shard).metadata.num_rows for shard in shard_paths(path))


def read_samples(
    path: str | Path, columns: Sequence[str] | None = None, start: int = 0
) -> Iterator[Sample]:
    """Stream the samples of a dataset folder or file, in order, one row group in memory.

    Args:
        path: dataset folder, or one Parquet file.
        columns: which of "rgb", "depth", "objects", "questions" to read (None: all). What is
            not read comes out empty: rgb as (0, 0, 3), depth None, () for the others.
        start: how many samples to skip; whole row groups are skipped without reading them.

    Raises:
        RoboReferError: BAD_FILE for a missing, damaged or foreign file, BAD_SAMPLE for a
            damaged sample, BAD_REQUEST for an unknown column.
    """
    unknown = set(columns or ()) - set(_OPTIONAL_COLUMNS)
    if unknown:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"Samples have no column {sorted(unknown)}.",
            f"Choose from {', '.join(_OPTIONAL_COLUMNS)}.",
        )
    wanted = [*_ALWAYS, *(_OPTIONAL_COLUMNS if columns is None else columns)]
    return _stream(shard_paths(path), wanted, start)


def _stream(paths: list[Path], columns: list[str], skip: int) -> Iterator[Sample]:
    for path in paths:
        file = _open(path)
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if skip >= rows:
                skip -= rows
                continue
            for row in _rows(file, path, group, columns, skip):
                yield from_row(row)
            skip = 0


def _rows(
    file: pq.ParquetFile, path: Path, group: int, columns: list[str], skip: int
) -> Iterator[dict[str, Any]]:
    try:
        table = file.read_row_group(group, columns=columns, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise _bad_file(path, "is damaged") from error
    for batch in table.slice(skip).to_batches(max_chunksize=1):
        yield from batch.to_pylist()


def _open(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _bad_file(path, "is not a readable Parquet file") from error
    for field in SCHEMA:
        if field.name not in schema.names:
            raise _bad_file(path, f"has no column '{field.name}'")
        if schema.field(field.name).type != field.type:
            raise _bad_file(path, f"has another type in column '{field.name}'")
    return file


def _bad_file(path: Path, reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} {reason}.",
        "Make it again with this release's `robo-refer data generate` or `ShardWriter`.",
    )
