"""What a stage computed, kept per image, so that a stopped or changed run repeats nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from robo_refer_data.atomic import write_atomically


class Stages:
    """A folder per stage, in it a JSON file per image.

    A file is used as long as the stage's options, and what it was computed from, are the same.

    Args:
        folder: of all stages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, stage: str, frame: str, given: Any, compute: Callable[[], Any]) -> Any:
        """Return the stage's value for a frame, computed if it is not there yet.

        Args:
            stage: name of the stage.
            frame: name of the image; may hold slashes.
            given: JSON-ready: everything that the value depends on.
            compute: returns the value, JSON-ready.
        """
        key = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
        path = self._folder / stage / f"{frame}.json"
        kept = _read(path)
        if kept.get("key") == key:
            return kept["value"]
        value = compute()
        text = json.dumps({"key": key, "value": value}, sort_keys=True)
        write_atomically(path, text.encode())
        return json.loads(text)["value"]


def _read(path: Path) -> dict[str, Any]:
    """Return the kept file; one that is damaged counts as not there: it can be computed again."""
    try:
        kept = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) and {"key", "value"} <= set(kept) else {}
