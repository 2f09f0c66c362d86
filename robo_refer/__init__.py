"""RoboRefer: an instruction and an RGB-D frame in, a 3D point for a robot out.

>>> from robo_refer import Frame, Referrer
>>> referrer = Referrer.from_pretrained("nano")
>>> referral = referrer.refer(frame, "the red mug left of the bowl")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, CameraModel, Frame, Referral, ReferredPoint, Step

if TYPE_CHECKING:
    from robo_refer.referrer import Referrer

__all__ = [
    "Answer",
    "CameraModel",
    "ErrorCode",
    "Frame",
    "Referral",
    "ReferredPoint",
    "Referrer",
    "RoboReferError",
    "Step",
]


def __getattr__(name: str) -> Any:
    # Referrer brings OpenCV and ONNX Runtime along: it is imported when it is first used.
    if name == "Referrer":
        from robo_refer.referrer import Referrer

        return Referrer
    raise AttributeError(f"module 'robo_refer' has no attribute '{name}'")
