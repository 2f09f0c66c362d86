"""The focal length that a camera wrote into its picture."""

from __future__ import annotations

from pathlib import Path

from robo_refer.errors import missing_package

try:
    from PIL import ExifTags, Image
except ImportError as error:
    raise missing_package("pillow", "torch") from error

_FULL_FRAME_MM = 36.0


def exif_focal_px(file: Path) -> float | None:
    """Return the focal length in pixels by EXIF's FocalLengthIn35mmFilm, None without it.

    The 36 mm of 35 mm film lie along the longer side of the picture.
    """
    with Image.open(file) as image:
        details = image.getexif().get_ifd(ExifTags.IFD.Exif)
        longer = max(image.size)
    focal_mm = details.get(ExifTags.Base.FocalLengthIn35mmFilm)
    return float(focal_mm) / _FULL_FRAME_MM * longer if focal_mm else None
