"""One question at a time, whoever asks, and nobody who goes on while another is still there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, cast

import pytest
from robo_refer_ros import desk as desks
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.desk import Desk
from robo_refer_ros.settings import settings_from

from robo_refer.errors import ErrorCode, RoboReferError

COME_S = 60.0


class SlowAsker:
    """Answers when it is told to; a question that is withdrawn lets go, unless it is stubborn."""

    def __init__(self) -> None:
        self.asked, self.released = threading.Event(), threading.Event()
        self.is_stubborn = False

    def answer(self, question: Question) -> Outcome:
        self.asked.set()
        if not self.is_stubborn:
            question.withdrawn.add_done_callback(lambda _: self.released.set())
        assert self.released.wait(COME_S)
        return Outcome(question)


@pytest.fixture
def asker() -> SlowAsker:
    return SlowAsker()


@pytest.fixture
def desk(asker: SlowAsker) -> Desk:
    return opened(asker, "reject")


def opened(asker: SlowAsker, policy: str) -> Desk:
    desk = Desk(settings_from({"busy_policy": policy}))
    desk.open(cast(Asker, asker))
    return desk


def code_of(desk: Desk, question: Question) -> ErrorCode:
    with desk.answered(question) as outcome:
        return outcome.error.code if outcome.error is not None else ErrorCode.OK


@contextmanager
def being_answered(desk: Desk, asker: SlowAsker, question: Question) -> Iterator[Future[Any]]:
    """Ask, in a thread of its own; what comes out is the code."""
    code: Future[ErrorCode] = Future()
    thread = threading.Thread(target=lambda: code.set_result(code_of(desk, question)), daemon=True)
    thread.start()
    assert asker.asked.wait(COME_S)
    try:
        yield code
    finally:
        asker.released.set()
        thread.join(COME_S)


@pytest.mark.parametrize("ends", [Desk.close, lambda desk, why: desk.paused(why).__enter__()])
def test_nobody_goes_on_beside_a_question_that_does_not_let_go(
    asker: SlowAsker, desk: Desk, ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "RELEASE_TIMEOUT_S", 0.05)
    asker.is_stubborn = True
    question = Question("1", "the wall")
    with being_answered(desk, asker, question) as code:
        with pytest.raises(RoboReferError) as caught:
            ends(desk, "enough")
        assert caught.value.code is ErrorCode.BUSY
        assert question.withdrawn.result() == "enough"
        asker.released.set()
        assert code.result(COME_S) is ErrorCode.OK
    assert code_of(desk, Question("2", "the wall")) is ErrorCode.OK, "the desk is open as before"


def test_closing_withdraws_and_refuses(asker: SlowAsker, desk: Desk) -> None:
    question = Question("1", "the wall")
    with being_answered(desk, asker, question) as code:
        desk.close("enough")
        assert code.result(COME_S) is ErrorCode.OK
    assert code_of(desk, Question("2", "the wall")) is ErrorCode.NOT_ACTIVE


def test_nothing_is_answered_in_a_pause(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "RELEASE_TIMEOUT_S", 0.05)
    with desk.paused("first"):
        assert code_of(desk, Question("1", "the wall")) is ErrorCode.BUSY
        with pytest.raises(RoboReferError), desk.paused("second"):
            pass
    with desk.paused("third"):
        pass


@pytest.mark.parametrize("policy", ["reject", "preempt"])
def test_what_the_node_asks_by_itself_gives_way(asker: SlowAsker, policy: str) -> None:
    desk = opened(asker, policy)
    by_itself = Question("1-replan", "the wall", gives_way=True)
    with being_answered(desk, asker, Question("1", "the wall")) as code:
        assert code_of(desk, by_itself) is ErrorCode.BUSY
        assert not code.done()
    asker.asked.clear()
    asker.released.clear()
    with being_answered(desk, asker, by_itself):
        assert code_of(desk, Question("2", "the wall")) is ErrorCode.OK
        assert by_itself.withdrawn.done()
