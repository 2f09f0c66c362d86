"""Checkpoints that are whole or do not count, and what tells one from another."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from transformers import Trainer

WHOLE_FILE = "whole"
"""Written last: a checkpoint without it was interrupted."""


class WholeCheckpoints(Trainer):
    """A trainer whose checkpoints carry a mark when they are complete.

    Keep two or more (`save_total_limit`): the older is deleted before the newer is marked.
    """

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        super()._save_checkpoint(*args, **kwargs)
        self.accelerator.wait_for_everyone()
        if self.is_world_process_zero():
            mark(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}")
        self.accelerator.wait_for_everyone()


def mark(checkpoint: Path) -> None:
    """Mark a checkpoint as complete, once all of it is on the disk."""
    for file in sorted(checkpoint.rglob("*")):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    (checkpoint / WHOLE_FILE).touch()


def newest_whole(folder: Path) -> Path | None:
    """Return the newest complete checkpoint of a run's folder; None where there is none."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{WHOLE_FILE}")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def fingerprint(folder: Path) -> str:
    """Return a model's path and a hash of its weights' sizes and times: another training is other.

    Args:
        folder: with safetensors weights.
    """
    files = sorted(folder.glob("*.safetensors"))
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{folder.resolve()}@{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}"
