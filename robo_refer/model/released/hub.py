"""A released checkpoint by its name on the hub, where a hub can be reached."""

from __future__ import annotations

import re
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_FILES = ["*.json", "*.txt", "*.safetensors", "*.jinja", "README.md"]
"""What a conversion reads; never pickles."""


def fetch(source: str, revision: str = "main") -> Path:
    """Return the folder of a checkpoint: `source` itself, or what the hub has under that name.

    Raises:
        RoboReferError: BAD_CHECKPOINT when it is neither; BACKEND_UNREACHABLE when the hub does
            not give it.
    """
    if Path(source).is_dir():
        return Path(source)
    if not _NAME.fullmatch(source):
        raise RoboReferError(
            ErrorCode.BAD_CHECKPOINT,
            f"There is no folder {source}.",
            "Give a folder, or a name on the hub such as Zhoues/RoboRefer-2B-SFT.",
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, revision=revision, allow_patterns=_FILES))
    except Exception as error:  # refused, not found, offline: the hub has an exception for each
        raise RoboReferError(
            ErrorCode.BACKEND_UNREACHABLE,
            f"There is no folder {source}, and the hub does not give it: "
            f"{' '.join(str(error).split())[:300].rstrip('.')}.",
            "Check the name and the network, or copy the checkpoint here and give its folder.",
        ) from error
