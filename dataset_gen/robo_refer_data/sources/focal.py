"""The focal length that a camera wrote into its picture."""

from __future__ import annotations

from math import inf
from pathlib import Path

from robo_refer.errors import missing_package

try:
    from PIL import ExifTags, Image
except ImportError as error:
    raise missing_package("pillow", "torch") from error

_FULL_FRAME_MM = 36.0


def exif_focal_px(file: Path) -> float | None:
    """Return the focal length in pixels by EXIF's FocalLengthIn35mmFilm, None without it.

    The 36 mm of 35 mm film lie along the longer side of the picture. Details that are damaged,
    as they are in many a picture that can be seen, tell nothing.
    """
    try:
        with Image.open(file) as image:
            details = image.getexif().get_ifd(ExifTags.IFD.Exif)
            longer = max(image.size)
        focal_mm = float(details.get(ExifTags.Base.FocalLengthIn35mmFilm) or 0)
    except (OSError, SyntaxError, TypeError, ValueError):
        return None
    return focal_mm / _FULL_FRAME_MM * longer if 0 < focal_mm < inf else None
