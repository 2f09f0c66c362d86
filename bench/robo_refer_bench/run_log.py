"""The file of a run while it is written: whole lines only, and never two runs in one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.records import Record, header, json_line, read_lines, read_records

_SERVER_FAILED = frozenset(
    {"backend_unreachable", "backend_timeout", "bad_request", "unparsable_answer"}
)

LOCATION = "roots"
"""The one setting that may differ: where the data lies on this machine."""


def server_failed(record: Record) -> bool:
    """Tell whether a record is no answer, because a server was gone, or is none of its kind.

    It is a miss as long as it stands; a run that goes on asks again.
    """
    return record.status in _SERVER_FAILED and "unanswered" in record.extra


class RunLog:
    """Records of a run, in memory and in a file if there is one.

    Opening it keeps what an earlier run with the same settings answered, and cuts off a last line
    that it did not finish.

    Args:
        path: the file, None for none.
        settings: how this run asks; JSON-ready.

    Raises:
        RoboReferError: BAD_REQUEST when the file is of a run with other settings, BAD_FILE when
            it is something else or cannot be written.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        self._path = path
        self.settings = dict(settings)
        self.records: list[Record] = []
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open(path)
        except OSError as error:
            raise _unwritable(path, error) from error

    def add(self, records: Sequence[Record]) -> None:
        """Append records; once this returns, a kill loses none of them.

        Raises:
            RoboReferError: BAD_FILE when they cannot be written, as on a full disk.
        """
        self.records += records
        if self._path is None:
            return
        try:
            with self._path.open("ab") as file:
                file.write(b"".join(record.line() for record in records))
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def _open(self, path: Path) -> None:
        first = header(self.settings)
        if not path.exists() or _is_beginning(path, first):
            _replace(path, first)
            return
        recording = read_records(path)
        if _comparable(recording.settings) != _comparable(self.settings):
            raise _other_run(path, recording.settings, self.settings)
        self.records = [item for item in recording.records if not server_failed(item)]
        # Without its newline the last line would run into the next one.
        whole = not recording.cut_off and path.read_bytes().endswith(b"\n")
        if not whole or len(self.records) < len(recording.records):
            _replace(path, first + b"".join(record.line() for record in self.records))


def _is_beginning(path: Path, first: bytes) -> bool:
    """Tell whether a run was stopped before its first line was whole."""
    lines, _ = read_lines(path)
    return not lines and first.startswith(path.read_bytes())


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)


def _comparable(settings: Mapping[str, Any]) -> bytes:
    return json_line({name: value for name, value in settings.items() if name != LOCATION})


def _unwritable(path: Path, error: OSError) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} cannot be written: {error.strerror}.",
        "Make room, or name a place where you may write; the same command goes on from here.",
    )


def _other_run(path: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> RoboReferError:
    names = [name for name in {**then, **now} if name != LOCATION]
    changed = [
        f"{name} {then.get(name)} then, {now.get(name)} now"
        for name in names
        if then.get(name) != now.get(name)
    ]
    return RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"{path} holds answers of another run ({'; '.join(changed)}).",
        "Name another file with --out, or remove that one.",
    )
