"""What answers where one frame was in another, and the error of one that cannot."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError

Array = NDArray[np.float64]


class TransformSource(Protocol):
    """Answers where frames were."""

    name: str

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> Array:
        """Return the 4x4 `T_target_source` at a moment, waited for at most `timeout_s` seconds.

        Raises:
            RoboReferError: TF_ERROR when a frame is unknown, the two are not connected, or the
                moment is before or after what is known.
        """
        ...

    def clear(self) -> None:
        """Forget everything but static transforms, after time has jumped."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


def tf_error(message: str) -> RoboReferError:
    """Return a TF_ERROR with what usually helps."""
    return RoboReferError(
        ErrorCode.TF_ERROR,
        message,
        "Check target_frame, that robot_state_publisher runs, and that all use the same clock.",
    )
