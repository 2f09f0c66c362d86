"""One photograph of a cluttered table, with depth: what is asked of it, and what is right.

The frame is the example of GraspNet-1Billion (CC BY-NC-SA 4.0). It is read from where
`ROBO_REFER_REAL_DATA` points, by default `shared/data/real` beside the checkout, and is not part
of this repository.

Run as a program, it prints every answer and draws the picture of `docs/nano.md`:

    python tests/e2e/real_frame.py docs/real_frame.jpg
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer import Frame, Referral, Referrer
from robo_refer.cli.point import write_picture
from robo_refer.files.frame_files import load_frame
from robo_refer.metrics import is_hit
from robo_refer.viz.draw import annotate

_DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
FOLDER = Path(os.environ.get("ROBO_REFER_REAL_DATA", _DEFAULT)) / "graspnet"

Outline = tuple[tuple[int, int], ...]

# Outlines traced by hand, (u, v) in pixels of the 1280x720 image.
OUTLINES: dict[str, Outline] = {
    "banana": (
        (505, 97), (520, 110), (502, 160), (510, 230), (545, 300), (602, 345), (600, 362),
        (555, 352), (505, 310), (472, 255), (456, 185), (470, 140),
    ),
    "toy elephant": (
        (660, 10), (690, 28), (672, 92), (690, 125), (675, 140), (650, 135), (628, 200),
        (600, 236), (565, 205), (568, 170), (600, 130), (598, 95), (635, 85),
    ),
    "tube": ((295, 240), (320, 198), (345, 196), (530, 335), (490, 388), (300, 262)),
    "cup": (
        (597, 322), (612, 287), (649, 271), (686, 287), (701, 322), (686, 357), (649, 375),
        (612, 357),
    ),
    "bottle": (
        (690, 355), (740, 380), (735, 440), (700, 508), (640, 505), (628, 480), (650, 400),
    ),
    "box": ((720, 240), (800, 225), (885, 245), (928, 612), (825, 628), (765, 500)),
    "can": ((470, 425), (545, 367), (628, 480), (570, 524)),
    "drill": (
        (418, 440), (470, 430), (480, 500), (520, 540), (590, 560), (610, 500), (655, 500),
        (640, 610), (600, 615), (510, 585), (470, 600), (415, 625),
    ),
}  # fmt: skip

INSTRUCTIONS: tuple[tuple[str, str], ...] = (
    ("the banana", "banana"),
    ("the red box", "box"),
    ("the can", "can"),
    ("the blue cup", "cup"),
    ("the drill", "drill"),
    ("the grey toy elephant", "toy elephant"),
    ("the white bottle", "bottle"),
    ("the tube", "tube"),
    ("the yellow object", "banana"),
    ("the object directly right of the white bottle", "box"),
    ("the object directly left of the red box", "bottle"),
    ("the object between the can and the red box", "bottle"),
)


def load() -> Frame:
    """Return the frame, read as `robo-refer point` reads it."""
    return load_frame(FOLDER / "color.png", FOLDER / "depth.png", FOLDER / "camera.json", None)


def mask_of(name: str, frame: Frame) -> NDArray[np.bool_]:
    """Return the (height, width) mask inside an outline."""
    mask = np.zeros((frame.height, frame.width), np.uint8)
    cv2.fillPoly(mask, [np.array(OUTLINES[name], np.int32)], 1)
    return mask.astype(bool)


def answers(frame: Frame) -> list[Referral]:
    """Return nano's answer to every instruction."""
    referrer = Referrer.from_pretrained("nano")
    return referrer.refer_many(frame, [text for text, _ in INSTRUCTIONS])


def hits(frame: Frame, referrals: list[Referral]) -> list[bool]:
    """Tell for every answer whether its point lies inside the outline."""
    return [
        bool(answer.points) and is_hit(answer.points[0].uv_norm, mask_of(name, frame))
        for answer, (_, name) in zip(referrals, INSTRUCTIONS, strict=True)
    ]


def main() -> None:
    frame = load()
    referrals = answers(frame)
    right = hits(frame, referrals)
    for (text, _), answer, good in zip(INSTRUCTIONS, referrals, right, strict=True):
        where = answer.points[0].p_cam_m if answer.points else None
        print(f"{'right' if good else 'wrong':6} {text:48} {answer.status:10} {where}")
    print(f"{sum(right)} of {len(right)}")
    if len(sys.argv) > 1:
        masks = [mask_of(name, frame) for _, name in INSTRUCTIONS]
        write_picture(Path(sys.argv[1]), annotate(frame, referrals, masks))


if __name__ == "__main__":
    main()
