"""Grades that were given, kept in one SQLite file that several processes may share."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.rewards.judge.rubric import Grade

_BUSY_S = 60.0


class GradeCache:
    """Key -> grade.

    Args:
        path: the file, made where there is none; None keeps grades in memory.

    Raises:
        RoboReferError: BAD_FILE when the file is something else or cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = Lock()  # one connection, used by the trainer's thread and by the judge's
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=_BUSY_S, check_same_thread=False
            )
            with self._lock, self._connection:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS grades (key TEXT PRIMARY KEY, value REAL, why TEXT)"
                )
        except (OSError, sqlite3.Error) as error:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"The judge's cache {path} cannot be used: {error}.",
                "Name another file, or remove that one: it only saves asking again.",
            ) from error

    def get(self, key: str) -> Grade | None:
        """Return the grade of a key, None where there is none yet."""
        with self._lock:
            row = self._connection.execute(
                "SELECT value, why FROM grades WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else Grade(float(row[0]), str(row[1]))

    def put(self, key: str, grade: Grade) -> None:
        """Keep a grade."""
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO grades VALUES (?, ?, ?)", (key, grade.value, grade.why)
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
