"""What a client makes of responses that are none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from action_msgs.msg import GoalStatus
from robo_refer_msgs.action import Reach, Refer
from robo_refer_ros.client import code_of, is_lost

from robo_refer.errors import ErrorCode


@pytest.mark.parametrize("kind", [Refer, Reach])
@pytest.mark.parametrize(
    ("status", "code", "lost"),
    [
        (GoalStatus.STATUS_SUCCEEDED, ErrorCode.OK, False),
        (GoalStatus.STATUS_ABORTED, ErrorCode.BUSY, False),
        (GoalStatus.STATUS_CANCELED, ErrorCode.CANCELLED, False),
        (GoalStatus.STATUS_UNKNOWN, ErrorCode.OK, True),  # the node has been started again
        (GoalStatus.STATUS_ABORTED, ErrorCode.OK, True),  # its callback has raised
    ],
)
def test_an_empty_result_is_no_success(
    kind: type, status: int, code: ErrorCode, lost: bool
) -> None:
    result = kind.Result(error_code=int(code))  # type: ignore[attr-defined]
    assert is_lost(SimpleNamespace(status=status, result=result)) == lost


def test_codes_of_a_newer_node_are_unknown() -> None:
    assert code_of(12) is ErrorCode.BUSY
    assert code_of(999) is ErrorCode.UNKNOWN
