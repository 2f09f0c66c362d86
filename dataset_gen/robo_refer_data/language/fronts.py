"""What points where an object's front does: "the handle of the mug"."""

from __future__ import annotations

FRONTS = {
    "mug": "handle",
    "teapot": "spout",
    "spoon": "bowl",
    "knife": "tip",
    "hammer": "head",
    "screwdriver": "tip",
    "drill": "bit",
    "laptop": "screen",
    "clock": "face",
    "lamp": "shade",
    "brush": "head",
    "duck": "beak",
    "toy car": "hood",
    "toy elephant": "trunk",
    "carrot": "tip",
}
"""Only parts that can be seen, and that nobody would expect at another side."""
