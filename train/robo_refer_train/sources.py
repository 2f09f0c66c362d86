"""Where training rows come from: whole tables, streamed shards, and mixtures of both."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from robo_refer.data.storage import count_samples, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError

COLUMNS = ("id", "rgb", "depth", "camera", "objects", "questions", "source", "meta")
WINDOW = 16
"""Row groups among which a stream shuffles; as many are in memory."""


class Source(Protocol):
    """Samples in an order that is a function of a seed, so that runs can resume."""

    def __len__(self) -> int: ...

    def row(self, draw: int, seed: int) -> dict[str, Any]:
        """Return the stored row of a draw; every `len(self)` draws are a pass over all."""
        ...


def load_table(folders: Sequence[str | Path], columns: Sequence[str] = COLUMNS) -> pa.Table:
    """Return all samples of some dataset folders as one Arrow table, images still encoded.

    Raises:
        RoboReferError: BAD_FILE for a folder without data, or with data of another schema.
    """
    for folder in folders:
        count_samples(folder)
    paths = [path for folder in folders for path in shard_paths(folder)]
    return pa.concat_tables(pq.read_table(path, columns=list(columns)) for path in paths)


def data_identity(folders: Sequence[str | Path]) -> str:
    """Return 16 hex digits that tell the rows of `load_table` from all others, wherever they lie.

    They are a hash of the shards' footers, which hold the sizes and extremes of every column: no
    manifest is needed, and large data takes no time.

    Raises:
        RoboReferError: BAD_FILE for a folder without data.
    """
    digest = hashlib.sha256()
    for path in (path for folder in folders for path in shard_paths(folder)):
        with path.open("rb") as file:
            file.seek(-8, os.SEEK_END)  # a footer's length, and Parquet's mark
            length = int.from_bytes(file.read(4), "little")
            file.seek(-8 - length, os.SEEK_END)
            digest.update(file.read(length))
    return digest.hexdigest()[:16]


class TableSource:
    """A table in memory; every pass is a new permutation."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._order: tuple[int, int, NDArray[np.int64]] = (-1, -1, np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self._table)

    def row(self, draw: int, seed: int) -> dict[str, Any]:
        """Return the stored row of a draw."""
        epoch, place = divmod(draw, len(self._table))
        if self._order[:2] != (seed, epoch):
            order = np.random.default_rng([seed, epoch]).permutation(len(self._table))
            self._order = (seed, epoch, order)
        return self._table.slice(int(self._order[2][place]), 1).to_pylist()[0]


class StreamSource:
    """Shards on disk; every pass reads the row groups in another order, `WINDOW` of them at once.

    Args:
        folder: a dataset folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self._length = count_samples(folder)
        self._groups = [
            (path, group, meta.row_group(group).num_rows)
            for path in shard_paths(folder)
            for meta in [pq.read_metadata(path)]
            for group in range(meta.num_row_groups)
        ]
        self._read = lru_cache(2 * WINDOW)(self._read_group)
        self._order = lru_cache(2)(self._ordered)

    def __len__(self) -> int:
        return self._length

    def row(self, draw: int, seed: int) -> dict[str, Any]:
        """Return the stored row of a draw."""
        epoch, place = divmod(draw, self._length)
        group, row = self._order(seed, epoch)[place]
        return self._read(int(group)).slice(int(row), 1).to_pylist()[0]

    def _ordered(self, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return (samples, 2): row group and row, shuffled within windows of row groups."""
        rng = np.random.default_rng([seed, epoch])
        groups = rng.permutation(len(self._groups))
        windows = []
        for start in range(0, len(groups), WINDOW):
            some = groups[start : start + WINDOW].tolist()
            pairs = [(group, row) for group in some for row in range(self._groups[group][2])]
            windows.append(rng.permutation(np.array(pairs)))
        return np.concatenate(windows)

    def _read_group(self, group: int) -> pa.Table:
        path, number, _ = self._groups[group]
        return pq.ParquetFile(path).read_row_group(number, columns=list(COLUMNS))


class MixedSource:
    """Several sources, drawn from in given shares whatever their sizes.

    Args:
        sources: what is mixed.
        shares: of every source, in any unit.
        draws: how many rows are drawn in all.
        seed: of the order in which sources take turns.
    """

    def __init__(
        self, sources: Sequence[Source], shares: Sequence[float], draws: int, seed: int
    ) -> None:
        self._sources = sources
        chance = np.array(shares) / sum(shares)
        self._turn = np.random.default_rng(seed).choice(len(sources), draws, p=chance)
        self._place = np.zeros(draws, np.int64)
        for number in range(len(sources)):
            mine = self._turn == number
            self._place[mine] = np.arange(mine.sum())

    def __len__(self) -> int:
        return len(self._turn)

    def row(self, draw: int, seed: int) -> dict[str, Any]:
        """Return the stored row of a draw."""
        draw %= len(self._turn)
        return self._sources[self._turn[draw]].row(int(self._place[draw]), seed)


def open_source(
    folders: Sequence[str], weights: Mapping[str, float], *, stream: bool, draws: int, seed: int
) -> Source:
    """Return what a run draws from.

    Args:
        folders: dataset folders.
        weights: share of some folders' samples, relative to the others' 1; {} draws every sample
            equally often.
        stream: read shards while training, instead of all of them before.
        draws, seed: of the run.

    Raises:
        RoboReferError: BAD_FILE for a folder without data, or with data of another schema;
            BAD_REQUEST for a weight of a folder that is not drawn from, or below 0.
    """
    unknown = sorted(set(weights) - set(folders))
    if unknown or any(weight < 0 for weight in weights.values()):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is a weight for {unknown[0]}, which is not in the data."
            if unknown
            else "A weight is below 0.",
            "Name folders of the data, with weights of at least 0.",
        )
    if not any(weights.get(folder, 1.0) for folder in folders):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "There is no data, or all of it has weight 0.",
            "Name a dataset folder in 'data', with a weight above 0.",
        )
    if not stream and not weights:
        return TableSource(load_table(folders))
    sources: list[Source] = [
        StreamSource(folder) if stream else TableSource(load_table([folder])) for folder in folders
    ]
    if len(sources) == 1:
        return sources[0]
    shares = [
        weights.get(folder, 1.0) if weights else float(len(source))
        for folder, source in zip(folders, sources, strict=True)
    ]
    return MixedSource(sources, shares, draws, seed)
