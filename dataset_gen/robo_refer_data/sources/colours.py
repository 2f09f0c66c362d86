"""The colour of a thing in a picture, as a person would say it."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer_data.assets.colour_words import CLEAR_SHARE, colour_words

_PIXELS = 3000  # looked at, at most


def colour_in(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> str:
    """Return the word for most of a mask's pixels, "" where no single word is.

    Args:
        rgb: (height, width, 3).
        mask: (height, width); its rim, where the background shines through, is left out.
    """
    inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    pixels = rgb[inner if inner.sum() >= 30 else mask]
    if not len(pixels):
        return ""
    pixels = pixels[:: max(len(pixels) // _PIXELS, 1)]
    words = Counter(colour_words(pixels / 255))
    word, count = words.most_common(1)[0]
    return word if count >= CLEAR_SHARE * words.total() else ""
