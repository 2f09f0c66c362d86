"""The one table of error codes: each failure has a code, a sentence and a remedy.

The numbers are those of the ROS interface (`Refer.action`), so that a Python caller, the server
and a robot controller speak of the same failure by the same name. Within a group of ten, codes
concern the same thing: 10 the request, 20 the camera stream, 30 the model, 40 depth, 50 frames,
70 the robot.
"""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """What went wrong. `name.lower()` is the form used in JSON (`Referral.status`)."""

    OK = 0
    UNKNOWN = 1
    BAD_REQUEST = 10
    NOT_ACTIVE = 11
    BUSY = 12
    BAD_FILE = 13
    BAD_IMAGE = 14
    BAD_DEPTH = 15
    BAD_CAMERA = 16
    BAD_INSTRUCTION = 17
    BAD_SAMPLE = 18
    MISSING_DEPENDENCY = 19
    NO_IMAGE = 20
    STALE_IMAGE = 21
    NO_CAMERA_INFO = 22
    UNSYNCED = 23
    BACKEND_UNREACHABLE = 30
    BACKEND_TIMEOUT = 31
    UNPARSABLE_ANSWER = 32
    NO_TARGET = 33
    BAD_CHECKPOINT = 34
    NO_DEPTH = 40
    OUT_OF_WORKSPACE = 41
    TF_ERROR = 50
    CANCELLED = 60
    ROBOT_NOT_READY = 70
    MOTION_REJECTED = 71
    MOTION_FAILED = 72
    MOTION_TIMEOUT = 73


class RoboReferError(Exception):
    """An expected failure: a code, one sentence that says what is wrong, and a remedy.

    Args:
        code: which failure.
        message: one sentence, without line breaks.
        remedy: what the caller can do about it, one sentence.
    """

    def __init__(self, code: ErrorCode, message: str, remedy: str) -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        super().__init__(f"{code.name}: {message} {remedy}")

    def __reduce__(self) -> tuple[type[RoboReferError], tuple[ErrorCode, str, str]]:
        """Pickle by the three arguments: worker processes hand their errors to the caller."""
        return type(self), (self.code, self.message, self.remedy)

    def as_dict(self) -> dict[str, str | int]:
        """Return the failure as JSON-ready fields."""
        return {
            "status": self.code.name.lower(),
            "code": int(self.code),
            "message": self.message,
            "remedy": self.remedy,
        }


def missing_package(package: str, extra: str) -> RoboReferError:
    """Return the error for an optional package that is not installed, naming the pip line."""
    return RoboReferError(
        ErrorCode.MISSING_DEPENDENCY,
        f"This needs the package '{package}', which is not installed.",
        f"Install it with: pip install 'robo-refer[{extra}]'.",
    )
