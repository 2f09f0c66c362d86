"""What a client of the vLLM server sends: one RGBA image, and a message around its placeholder.

Needs neither vLLM nor torch. Start the server with
`--media-io-kwargs '{"image": {"image_mode": null}}'`: by default it paints transparent pixels white
and drops the fourth channel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robo_refer import chat
from robo_refer.tiling import TilingSpec
from robo_refer.tokens import IMAGE


def with_depth(rgb: NDArray[np.uint8], relative: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the (height, width, 4) image of colour and relative depth (height, width)."""
    return np.dstack([rgb, relative])


def message(question: str, spec: TilingSpec, *, has_depth: bool) -> str:
    """Return the user's message: one placeholder for the image and its depth, then the question.

    The server replaces the placeholder by `placeholders(...)`; what the released model reads
    between them and the question (one newline, two, or none) stands here already.
    """
    depth = [1] if has_depth else []
    seen = chat.message("", spec, [1], depth)
    return IMAGE + chat.message(question, spec, [1], depth).removeprefix(seen)


def placeholders(spec: TilingSpec, tiles: int, *, has_depth: bool) -> str:
    """Return what stands for an image of so many tiles, and for its depth, in the prompt."""
    return chat.message("", spec, [tiles], [tiles] if has_depth else [])
